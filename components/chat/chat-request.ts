/** What the screen sends and how it reads a refusal. Pure. */
import { type ChatMessage, type ChatRequest, isPending, narrows } from '#lib/shared/chat-contract.ts'
import type { PublicError } from '#lib/shared/errors.ts'
import type { Scope } from './scope-words.ts'

export const textOf = (message: ChatMessage): string =>
  message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('')

type Send = {
  chatId: string
  messages: readonly ChatMessage[]
  trigger: 'submit-message' | 'regenerate-message'
  messageId: string | undefined
} & Scope

/** Only what is new: the last question, or the name of the answer to write again. The history is read on the server. */
export const toChatRequest = ({ chatId, messages, trigger, messageId, collectionIds, filter }: Send): ChatRequest => {
  const last = messages.at(-1)
  const where = narrows(filter) ? { collectionIds, filter } : { collectionIds }
  if (trigger === 'regenerate-message')
    return { chatId, messageId: messageId ?? last?.id ?? '', text: '', trigger: 'regenerate', ...where }
  return { chatId, messageId: last?.id ?? '', text: last ? textOf(last) : '', trigger: 'submit', ...where }
}

export type Refusal = { message: string; signedOut: boolean }

const offline = 'Footnote could not be reached. Check the connection and send it again.'
const unreadable = 'Something went wrong on our side. Send it again in a moment.'

/** The words of a failed call. A call that got no answer at all is a matter of the connection. */
export const readRefusal = (failure: unknown): Refusal => {
  const body = (failure as { responseBody?: unknown } | null)?.responseBody
  if (typeof body !== 'string') return { message: offline, signedOut: false }
  try {
    const { error } = JSON.parse(body) as { error: PublicError }
    const number = error.code === 'internal' && error.requestId ? ` (${error.requestId})` : ''
    return {
      message: `${error.message}${number}${error.retryAfterSeconds ? ` Possible again in ${error.retryAfterSeconds} s.` : ''}`,
      signedOut: error.code === 'unauthenticated',
    }
  } catch {
    return { message: unreadable, signedOut: false }
  }
}

/** When the newest answer was begun, by the server's clock; empty when there is none. */
const newestAnswerAt = (messages: readonly ChatMessage[]): string =>
  messages.findLast(({ role }) => role === 'assistant')?.metadata?.createdAt ?? ''

/** Answers that a person has decided on. */
const decidedOf = (messages: readonly ChatMessage[]): number =>
  messages.filter(({ metadata }) => metadata?.review && !isPending(metadata.review)).length

/**
 * Whether what the server sent replaces what the browser holds. A page from the browser's history may be older than the
 * conversation; one that knows a newer answer, or a question more, is not.
 */
export const isNewer = (loaded: readonly ChatMessage[], held: readonly ChatMessage[]): boolean => {
  const [loadedAt, heldAt] = [newestAnswerAt(loaded), newestAnswerAt(held)]
  if (loadedAt === heldAt && decidedOf(loaded) > decidedOf(held)) return true
  return loadedAt === heldAt ? loaded.length > held.length : loadedAt > heldAt
}
