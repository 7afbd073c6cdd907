'use client'
/**
 * The conversations open in this tab. They live outside the screen: leaving a chat does not cut its stream, coming back finds it
 * as it is, and a page that React builds anew (after the first question gets its own address) loses nothing.
 */
import { Chat } from '@ai-sdk/react'
import { DefaultChatTransport } from 'ai'
import type { ChatMessage } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { isNewer, type Refusal, readRefusal, toChatRequest } from './chat-request.ts'
import { everywhere, type Scope } from './scope-words.ts'
import { createStore, type Store } from './store.ts'

/** Why the last act failed; `text` goes back to the composer, `lost` offers to take up the stream again. */
type Trouble = Refusal & { text: string | null; lost: boolean }

export type OpenChat = {
  readonly chat: Chat<ChatMessage>
  /** What is happening right now, in words; null when nothing is. */
  readonly stage: Store<string | null>
  readonly trouble: Store<Trouble | null>
  /** Counts up when only the server knows how an answer ended. */
  readonly stale: Store<number>
  /** False when an answer is being written already, so that nothing is ever sent twice. */
  ask(text: string, scope: Scope): boolean
  askAgain(messageId: string, scope: Scope): void
  stop(): Promise<void>
  /** Takes up the answer that is being written on the server, if one is. */
  follow(): Promise<void>
  /** An answer as it stands now, in the place of what the tab has of it. */
  replace(message: ChatMessage): void
  /** Only the server knows how things stand. */
  refresh(): void
  /** Takes over what the server loaded, unless this tab knows better. */
  adopt(messages: ChatMessage[]): void
}

/** The rail listens, so that the list of chats follows without a new page. */
const chatsChangedEvent = 'footnote:chats'
const announceChats = (): void => {
  window.dispatchEvent(new Event(chatsChangedEvent))
}

const reconnectDelaysMs = [300, 1_500, 4_000]
/** How long a stopped answer has to come to its own end before the line is cut. */
const stopGraceMs = 2_500
const chatsHeldMax = 20

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const createOpenChat = (chatId: string, messages: ChatMessage[]): OpenChat => {
  const stage = createStore<string | null>(null)
  const trouble = createStore<Trouble | null>(null)
  const stale = createStore(0)
  /** Sent but not known to have arrived: sent again with the same text, it is the same message. */
  let unconfirmed: { id: string; text: string } | null = null
  let failedBeforeStart = false
  let unsure = false

  const chat: Chat<ChatMessage> = new Chat<ChatMessage>({
    id: chatId,
    messages,
    generateId: newId,
    transport: new DefaultChatTransport<ChatMessage>({
      api: '/api/chat',
      prepareSendMessagesRequest: ({ id, messages: all, trigger, messageId, body }) => ({
        body: toChatRequest({
          chatId: id,
          messages: all,
          trigger,
          messageId,
          ...((body?.scope as Scope | undefined) ?? everywhere),
        }),
      }),
    }),
    onData: (part) => {
      if (part.type === 'data-status') stage.set(part.data.text)
    },
    onError: () => {
      failedBeforeStart = chat.status === 'submitted'
    },
  })

  const busy = (): boolean => chat.status === 'submitted' || chat.status === 'streaming'
  const lastIsQuestion = (): boolean => chat.messages.at(-1)?.role === 'user'

  const follow = async (): Promise<void> => {
    if (busy()) return
    trouble.set(null)
    await chat.resumeStream()
    if (chat.status === 'error') return
    stage.set(null)
    // Nothing streams any more: the answer ended between two looks, and only the server has it.
    if (lastIsQuestion()) stale.set(stale.get() + 1)
    announceChats()
  }

  /** Looks again a few times, then leaves it to the person. */
  const reconnect = async (): Promise<void> => {
    stage.set('Connection lost. Taking up the answer again')
    for (const delayMs of reconnectDelaysMs) {
      await wait(delayMs)
      chat.clearError()
      await follow()
      if (chat.status !== 'error') {
        const answer = chat.messages.at(-1)
        if (answer?.role === 'assistant' && answer.metadata?.status === 'streaming') stale.set(stale.get() + 1)
        return
      }
    }
    chat.clearError()
    stage.set(null)
    const message = 'The connection was lost. The answer goes on being written.'
    trouble.set({ message, signedOut: false, text: null, lost: true })
  }

  /** Runs one request to its end and puts things right when it fails. */
  const run = async (send: () => Promise<void>, rollBack: (refusal: Refusal) => void): Promise<void> => {
    trouble.set(null)
    stage.set('Sending the question')
    await send()
    if (chat.status !== 'error') {
      unconfirmed = null
      stage.set(null)
      announceChats()
      return
    }
    if (!failedBeforeStart) return reconnect()
    const refusal = readRefusal(chat.error)
    chat.clearError()
    stage.set(null)
    rollBack(refusal)
  }

  return {
    chat,
    stage,
    trouble,
    stale,
    follow: async () => {
      await follow()
      if (chat.status === 'error') await reconnect()
    },
    ask: (text, scope) => {
      if (busy()) return false
      const id = unconfirmed?.text === text ? unconfirmed.id : newId()
      unconfirmed = { id, text }
      void run(
        () =>
          chat.sendMessage(
            { id, role: 'user', parts: [{ type: 'text', text }], metadata: { createdAt: new Date().toISOString() } },
            { body: { scope } },
          ),
        (refusal) => {
          chat.messages = chat.messages.filter((message) => message.id !== id)
          trouble.set({ ...refusal, text, lost: false })
        },
      )
      return true
    },
    askAgain: (messageId, scope) => {
      if (busy()) return
      const before = chat.messages
      void run(
        () => chat.regenerate({ messageId, body: { scope } }),
        (refusal) => {
          chat.messages = before
          trouble.set({ ...refusal, text: null, lost: false })
        },
      )
    },
    stop: async () => {
      if (!busy()) return
      stage.set('Stopping')
      const ended = async (): Promise<boolean> => {
        const untilMs = performance.now() + stopGraceMs
        while (busy() && performance.now() < untilMs) await wait(50)
        return !busy()
      }
      // A question that is still on its way has no chat to stop in yet, so that one refusal is not the last word.
      for (let attempt = 0; attempt < 3 && busy(); attempt += 1) {
        const response = await fetch(`/api/chat/${chatId}/stop`, { method: 'POST' }).catch(() => null)
        if (response?.ok) break
        await wait(400)
      }
      if (await ended()) return
      await chat.stop()
      stage.set(null)
      chat.messages = chat.messages.map((message) =>
        message.role === 'assistant' && message.metadata?.status === 'streaming'
          ? { ...message, metadata: { ...message.metadata, status: 'stopped' } }
          : message,
      )
    },
    replace: (message) => {
      chat.messages = chat.messages.map((one) => (one.id === message.id ? message : one))
    },
    refresh: () => {
      unsure = true
      stale.set(stale.get() + 1)
    },
    adopt: (loaded) => {
      if (busy()) return
      // What was asked for because nobody knew is taken even where it looks alike: a review may have ended without a decision.
      if (isNewer(loaded, chat.messages) || (unsure && !isNewer(chat.messages, loaded))) chat.messages = loaded
      unsure = false
    },
  }
}

const open = new Map<string, OpenChat>()

const addressed = new Set<string>()

export const chatPath = (chatId: string): string => `/c/${chatId}`

/** Gives a chat that has begun its own address, in the same page. */
export const giveAddress = (chatId: string): void => {
  addressed.add(chatId)
  window.history.replaceState(null, '', chatPath(chatId))
  announceChats()
}
export const hasAddress = (chatId: string): boolean => addressed.has(chatId)
export const isOpen = (viewerId: string, chatId: string): boolean => ownerId === viewerId && open.has(chatId)

let ownerId: string | null = null

/**
 * The conversation of this tab with that id; made from what the server loaded when it is not open yet. What another person left
 * open in this tab is forgotten first.
 */
export const openChat = (viewerId: string, chatId: string, messages: ChatMessage[]): OpenChat => {
  // On the server every request has its own.
  if (typeof window === 'undefined') return createOpenChat(chatId, messages)
  if (ownerId !== viewerId) {
    open.clear()
    addressed.clear()
    ownerId = viewerId
  }
  const known = open.get(chatId)
  if (known) return known
  const made = createOpenChat(chatId, messages)
  open.set(chatId, made)
  for (const [id, { chat }] of open) {
    if (open.size <= chatsHeldMax) break
    if (chat.status === 'ready') open.delete(id)
  }
  return made
}

/** The last words of an answer for those who listen instead of look. */
export const endInWords = (message: ChatMessage | undefined): string => {
  const status = message?.metadata?.status
  if (status === 'held') return 'A person checks the answer before it is shown.'
  if (status === 'no-source') return 'No answer was found in the documents.'
  if (status === 'stopped') return 'Answer stopped.'
  if (status === 'failed' || status === 'interrupted') return 'The answer could not be finished.'
  const claims = message?.metadata?.claims
  return claims ? `Answer finished. ${claims.supported} of ${claims.total} statements supported.` : 'Answer finished.'
}
