/**
 * A generation belongs to its stored message, not to the request that asked for it. Its writer keeps what was written in the
 * database as it goes; any number of readers, here or on another replica, replay it from the start and follow it to its end.
 * A reader that goes away changes nothing. Stop, a deleted chat or a lost claim on the message abort the writer's signal.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { InferUIMessageChunk } from 'ai'
import { database } from '#db/client.ts'
import { type FinishedAnswer, type Flush, finishAnswer, flushAnswers, listStreamEvents } from '#db/queries/chats.ts'
import type { NewReviewItem } from '#db/queries/reviews.ts'
import type { LedgerLine } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import type { ChatMessage, Citation, MessageMetadata, MessageStatus } from '#lib/shared/chat-contract.ts'
import { generationMayGoOn } from './may-go-on.ts'

export type ChatChunk = InferUIMessageChunk<ChatMessage>

/** Text is sent on no more often than this: 600 streams of single tokens cost a core, 600 of pieces do not. */
const coalesceMs = 40
const flushMs = 500
/** A writer with nothing to keep still shows that it lives. */
const beatMs = 5_000
const pollMs = 200
/** Until the end of an answer that could not be stored is tried once more. */
const againMs = 300
/** So often it is asked whether open answers may go on; what forbids them is to act within five seconds. */
const askMs = 1_500
export const textPartId = 'answer'

export class StopRequested extends Error {
  override name = 'StopRequested'
}
/** What forbids the answer stops it as its asker would: what was written by then stays. */
class Forbidden extends StopRequested {
  override name = 'Forbidden'
}
class ClaimLost extends Error {
  override name = 'ClaimLost'
}

type Generation = {
  readonly chunks: ChatChunk[]
  readonly abort: AbortController
  readonly watchers: Set<() => void>
  readonly ended: Promise<void>
  done: boolean
  /** What is to be kept now, and a way to say that it is; null when there is nothing. */
  unkept(): { flush: Flush; kept(): void } | null
}

type Held = { footnoteGenerations?: Map<string, Generation>; footnoteFlushing?: Promise<void> | undefined }
const held = globalThis as typeof globalThis & Held
const generations = (): Map<string, Generation> => {
  held.footnoteGenerations ??= new Map()
  return held.footnoteGenerations
}

/**
 * Keeps what all open answers have new, in one statement: with a statement for each, a process that writes many does little else.
 * One flush at a time.
 */
const flushOpen = (): Promise<void> => {
  held.footnoteFlushing ??= keepOpen().finally(() => {
    held.footnoteFlushing = undefined
  })
  return held.footnoteFlushing
}

const keepOpen = async (): Promise<void> => {
  const due = [...generations().values()].flatMap((generation) => {
    const unkept = generation.unkept()
    return unkept ? [{ generation, ...unkept }] : []
  })
  if (due.length === 0) return
  const keep = async (some: typeof due): Promise<void> => {
    const states = await flushAnswers(
      database().db,
      some.map(({ flush }) => flush),
    )
    for (const { generation, flush, kept } of some) {
      const state = states.get(flush.messageId)
      if (!state) generation.abort.abort(new ClaimLost())
      else if (state.stopRequested) generation.abort.abort(new StopRequested())
      kept()
    }
  }
  const later = (error: unknown): void => {
    // The next flush carries these chunks as well; the end is what must not be lost.
    log.warn({ err: error, answers: due.length }, 'answers not kept yet')
  }
  try {
    await keep(due)
  } catch (error) {
    if (due.length === 1) return later(error)
    // What cannot be kept of one must not hold up the others.
    for (const one of due) await keep([one]).catch(later)
  }
}

/** Ends what may not go on. While the database cannot be asked nothing ends: nobody's door opens without it either. */
const stopForbidden = async (): Promise<void> => {
  try {
    for (const [messageId, because] of await generationMayGoOn([...generations().keys()]))
      generations().get(messageId)?.abort.abort(new Forbidden(because))
  } catch (error) {
    log.warn({ err: error }, 'it could not be asked whether open answers may go on')
  }
}

let flushTimer: NodeJS.Timeout | undefined
let askedAtMs = 0
const flushWhileOpen = (): void => {
  flushTimer ??= setInterval(() => {
    if (generations().size > 0) {
      if (performance.now() - askedAtMs >= askMs) {
        askedAtMs = performance.now()
        void stopForbidden()
      }
      return void flushOpen()
    }
    clearInterval(flushTimer)
    flushTimer = undefined
  }, flushMs)
}

export type GenerationEnd = {
  status: MessageStatus
  metadata: MessageMetadata
  /** What the answer cost: stored with it, in one transaction. */
  calls?: readonly LedgerLine[]
  /** A person is to look at it: opened with the end, or not at all. */
  review?: NewReviewItem
}

export type GenerationWriter = {
  readonly signal: AbortSignal
  /** The text so far, with its markers. */
  readonly text: () => string
  readonly citations: () => readonly Citation[]
  /** Says what is happening; not kept. */
  status(text: string): void
  write(text: string): void
  cite(citation: Citation): void
  /** Takes back everything that was written: another model begins anew. */
  startOver(): void
  /** Stores the end and tells the readers. Nothing may be written afterwards. */
  end(end: GenerationEnd): Promise<void>
}

export type GenerationStart = {
  messageId: string
  metadata: MessageMetadata
  /** What of the metadata the person who reads may see; all of it is stored. */
  show: (metadata: MessageMetadata) => MessageMetadata
}

/** Text that comes in pieces, without what no database takes: a zero, half a character, which waits for its other half. */
export const storableText = (): ((piece: string) => string) => {
  let half = ''
  return (piece) => {
    const whole = (half + piece).replaceAll('\0', '')
    half = /[\ud800-\udbff]$/.exec(whole)?.[0] ?? ''
    return (half ? whole.slice(0, -1) : whole).toWellFormed()
  }
}

/** Starts a generation for a message that was stored as `streaming`. Whoever calls this must call `end`, whatever happens. */
export const openGeneration = ({ messageId, metadata, show }: GenerationStart): GenerationWriter => {
  const over = Promise.withResolvers<void>()
  let text = ''
  let cited: Citation[] = []
  let unsent = ''
  let sentAtMs = Number.NEGATIVE_INFINITY
  let storable = storableText()
  let textOpen = false
  let coalesce: NodeJS.Timeout | undefined
  let keptChunks = 0
  let seq = 0
  // Its row was made with a beat.
  let beatAtMs = performance.now()
  let ending = false

  const generation: Generation = {
    chunks: [],
    abort: new AbortController(),
    watchers: new Set(),
    ended: over.promise,
    done: false,
    unkept: () => {
      const chunks = generation.chunks.slice(keptChunks)
      const beat = performance.now() - beatAtMs >= beatMs
      if (ending || (chunks.length === 0 && !beat)) return null
      return {
        flush: { messageId, seq, chunks, beat },
        kept: () => {
          if (beat) beatAtMs = performance.now()
          keptChunks += chunks.length
          seq += 1
        },
      }
    },
  }
  generations().set(messageId, generation)
  flushWhileOpen()

  const push = (chunk: ChatChunk): void => {
    generation.chunks.push(chunk)
    for (const wake of generation.watchers) wake()
  }
  const sendText = (): void => {
    clearTimeout(coalesce)
    coalesce = undefined
    if (!unsent) return
    push({ type: 'text-delta', id: textPartId, delta: unsent })
    unsent = ''
    sentAtMs = performance.now()
  }

  push({ type: 'start', messageId, messageMetadata: show(metadata) })
  // What comes after it can be taken back by `reset-step`.
  push({ type: 'start-step' })

  return {
    signal: generation.abort.signal,
    text: () => text,
    citations: () => cited,
    status: (words) => push({ type: 'data-status', data: { text: words }, transient: true }),
    write: (written) => {
      const piece = storable(written)
      if (!piece) return
      text += piece
      unsent += piece
      if (!textOpen) {
        textOpen = true
        push({ type: 'text-start', id: textPartId })
      }
      const waitMs = sentAtMs + coalesceMs - performance.now()
      // What comes joined already passes at once.
      if (waitMs <= 1) sendText()
      else coalesce ??= setTimeout(sendText, waitMs)
    },
    cite: (citation) => {
      cited.push(citation)
      sendText()
      push({ type: 'data-citation', id: `c${citation.ordinal}`, data: citation })
    },
    startOver: () => {
      clearTimeout(coalesce)
      coalesce = undefined
      text = ''
      cited = []
      unsent = ''
      storable = storableText()
      textOpen = false
      sentAtMs = Number.NEGATIVE_INFINITY
      push({ type: 'reset-step' })
    },
    end: async ({ status, metadata: last, calls = [], review }) => {
      sendText()
      ending = true
      await held.footnoteFlushing
      const ended: ChatChunk[] = textOpen ? [{ type: 'text-end', id: textPartId }] : []
      const closing: ChatChunk[] = [...ended, { type: 'finish', messageMetadata: show({ ...last, status }) }]
      const answer: FinishedAnswer = {
        messageId,
        text,
        status,
        metadata: { ...metadata, ...last, status },
        citations: [...cited],
        seq,
        chunks: [...generation.chunks.slice(keptChunks), ...closing],
        calls,
        ...(review ? { review } : {}),
      }
      let told = closing
      try {
        // Once more for a moment without the database: what the answer says and costs is lost otherwise.
        await finishAnswer(database().db, answer).catch(async (error: unknown) => {
          log.warn({ err: error, messageId }, 'the end of an answer was not stored at once')
          await pause(againMs)
          await finishAnswer(database().db, answer)
        })
      } catch (error) {
        // What a reload will show: nobody has the answer that was to be kept, held or looked at.
        told = [...ended, { type: 'finish', messageMetadata: { status: 'interrupted' } }]
        throw error
      } finally {
        // Readers learn of the end only after it is stored, so that a reload right then shows the same.
        for (const chunk of told) generation.chunks.push(chunk)
        generation.done = true
        generations().delete(messageId)
        for (const wake of generation.watchers) wake()
        over.resolve()
      }
    },
  }
}

/** Aborts the writer when it runs in this process; elsewhere it sees the request with its next flush. */
export const abortGeneration = (messageId: string): void => {
  generations().get(messageId)?.abort.abort(new StopRequested())
}

const followLocal = async function* (generation: Generation, signal: AbortSignal): AsyncGenerator<ChatChunk[]> {
  let wake: () => void = () => undefined
  const awaken = (): void => wake()
  generation.watchers.add(awaken)
  // Once for all waits: each listener more is held, and looked through, until the end.
  signal.addEventListener('abort', awaken, { once: true })
  try {
    for (let next = 0; !signal.aborted; ) {
      const unread = generation.chunks.slice(next)
      if (unread.length > 0) {
        next += unread.length
        yield unread
      } else if (generation.done) return
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    generation.watchers.delete(awaken)
    signal.removeEventListener('abort', awaken)
  }
}

const followStored = async function* (messageId: string, signal: AbortSignal): AsyncGenerator<ChatChunk[]> {
  let afterSeq = -1
  while (!signal.aborted) {
    const { status, events } = await listStreamEvents(database().db, messageId, afterSeq)
    for (const { seq, chunks } of events) {
      afterSeq = seq
      yield chunks as ChatChunk[]
    }
    if (status === undefined) return
    if (status !== 'streaming') {
      // An interrupted writer never sent its end.
      if (status === 'interrupted') yield [{ type: 'finish', messageMetadata: { status } }]
      return
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** Every citation among the chunks as it is shown, asked for all of them together. */
const shownIn = async (chunks: readonly ChatChunk[], show: Show): Promise<ChatChunk[]> => {
  const cited = chunks.flatMap((chunk) => (chunk.type === 'data-citation' ? [chunk.data] : []))
  const shown = (cited.length > 0 ? await show(cited) : []).values()
  return chunks.map((chunk) => {
    if (chunk.type !== 'data-citation') return chunk
    // Fails closed: the words of what was not judged are not shown.
    return { ...chunk, data: shown.next().value ?? { ...chunk.data, quote: '', rects: [], removed: true } }
  })
}

/** Citations as a reader may see them, in their order. */
type Show = (citations: readonly Citation[]) => Promise<readonly Citation[]>

/**
 * The generation of a message from its first chunk to its end, its citations as `show` gives them for who reads. Cancelling the stream
 * stops reading, never the writing.
 */
export const followGeneration = (
  messageId: string,
  show: Show = async (citations) => citations,
): ReadableStream<ChatChunk> => {
  const abort = new AbortController()
  const local = generations().get(messageId)
  const source = local ? followLocal(local, abort.signal) : followStored(messageId, abort.signal)
  return new ReadableStream<ChatChunk>({
    pull: async (controller) => {
      try {
        const { done, value } = await source.next()
        if (done) controller.close()
        else for (const chunk of await shownIn(value, show)) controller.enqueue(chunk)
      } catch (error) {
        controller.error(error)
      }
    },
    cancel: () => abort.abort('the reader is gone'),
  })
}

/** For shutdown: lets open generations end for `graceMs`, then interrupts the rest and waits until that is stored. */
export const drainGenerations = async (graceMs: number): Promise<void> => {
  const open = [...generations().values()]
  if (open.length === 0) return
  const all = Promise.all(open.map(({ ended }) => ended))
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, graceMs).unref())])
  for (const { abort, done } of open) if (!done) abort.abort(new Error('The server is stopping'))
  await all
}
