/**
 * Decisions of people as they reach the chats that wait for them: within a second, on whichever replica the asker's tab listens. All
 * that a process waits for is asked for in one statement; nobody waits, nothing is asked.
 */
import { database } from '#db/client.ts'
import { findOwnMessage, getChat, listCitations, listDecided, listMessages } from '#db/queries/chats.ts'
import { log } from '#lib/log.ts'
import { type ChatMessage, isPending } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { toChatMessage, withOpenNearest } from './history.ts'

const lookMs = 400
/** A tab that still listens asks again: by then its session is looked at anew. */
const listenMs = 5 * 60_000
const keepAliveMs = 15_000

type Waiting = Map<string, Set<() => void>>
type Held = { footnoteWaiting?: Waiting; footnoteLooking?: NodeJS.Timeout | undefined }
const held = globalThis as typeof globalThis & Held
const waiting = (): Waiting => {
  held.footnoteWaiting ??= new Map()
  return held.footnoteWaiting
}

const look = async (): Promise<void> => {
  try {
    for (const messageId of await listDecided(database().db, [...waiting().keys()]))
      for (const tell of waiting().get(messageId) ?? []) tell()
  } catch (error) {
    log.warn({ err: error }, 'it could not be asked what was decided')
  }
}

const lookWhileAnybodyWaits = (): void => {
  if (held.footnoteLooking) return
  const again = (): void => {
    held.footnoteLooking = setTimeout(async () => {
      await look()
      held.footnoteLooking = undefined
      if (waiting().size > 0) again()
    }, lookMs)
    held.footnoteLooking.unref()
  }
  again()
}

/** Resolves true when a person has decided on the message, or it is gone; false when `signal` ends the waiting first. */
const decided = (messageId: string, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const tellers = waiting().get(messageId) ?? new Set()
    const end = (found: boolean) => (): void => {
      tellers.delete(tell)
      if (tellers.size === 0) waiting().delete(messageId)
      resolve(found)
    }
    const tell = end(true)
    tellers.add(tell)
    waiting().set(messageId, tellers)
    signal.addEventListener('abort', end(false), { once: true })
    lookWhileAnybodyWaits()
  })

/** The viewer's own answer as it stands now; null when it is gone. Read by the rights of now: it may cite what was closed meanwhile. */
const loadAnswer = async (viewer: Viewer, messageId: string): Promise<ChatMessage | null> => {
  const { db } = database()
  const message = await findOwnMessage(db, viewer, messageId)
  if (!message) return null
  const citations = await listCitations(db, viewer, [messageId])
  const [shown = message] = await withOpenNearest(viewer, [message])
  return toChatMessage(shown, citations.get(messageId) ?? [], viewer)
}

/**
 * Server-sent events for who asked: one for each answer of the chat that a person looks at, when they have decided (`decided`, with
 * the message) or when it is gone (`gone`). 204 when nobody looks at any; the line ends with the last, or after five minutes.
 * Throws `not-found` for another person's chat.
 */
export const followDecisions = async (viewer: Viewer, chatId: string): Promise<Response> => {
  const { db } = database()
  if (!(await getChat(db, viewer, chatId))) throw new AppError('not-found')
  const pending = (await listMessages(db, chatId)).flatMap(({ id, metadata }) =>
    metadata.review && isPending(metadata.review) ? [id] : [],
  )
  if (pending.length === 0) return new Response(null, { status: 204 })
  const encoder = new TextEncoder()
  const abort = new AbortController()
  const timers: NodeJS.Timeout[] = []
  const body = new ReadableStream<Uint8Array>({
    start: async (controller) => {
      const send = (words: string): void => controller.enqueue(encoder.encode(words))
      send(': open\n\n')
      timers.push(
        setInterval(() => send(': keep-alive\n\n'), keepAliveMs),
        setTimeout(() => abort.abort(), listenMs),
      )
      const tell = async (id: string): Promise<void> => {
        if (!(await decided(id, abort.signal))) return
        const message = await loadAnswer(viewer, id)
        send(`event: ${message ? 'decided' : 'gone'}\ndata: ${JSON.stringify(message ?? { id })}\n\n`)
      }
      try {
        await Promise.all(pending.map(tell))
        controller.close()
      } catch (error) {
        // The reader went away, or the answer could not be read: they ask again.
        if (!abort.signal.aborted) controller.error(error)
      } finally {
        for (const timer of timers) clearTimeout(timer)
        // Nobody waits here any more, for whichever end.
        abort.abort()
      }
    },
    cancel: () => {
      for (const timer of timers) clearTimeout(timer)
      abort.abort()
    },
  })
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    },
  })
}
