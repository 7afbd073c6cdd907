/**
 * A decision between the key and the wire: it waits a moment in which it can be taken back, then it is sent, once. At most one waits;
 * another sends it at once, and so does leaving the page. What nobody has answered yet is kept, and sent again when the page goes away.
 */
import type { PublicError } from '#lib/shared/errors.ts'
import type { ReviewDecisionRequest, ReviewResult } from '#lib/shared/review-contract.ts'

export const graceMs = 4_000

export type Waiting = {
  request: ReviewDecisionRequest
  question: string
  /** `Approved`, `Rejected: not true`. */
  words: string
}
/** A decision that was not taken, and why. */
export type Refused = { itemId: string; question: string; words: string }

export type Sent = { value: ReviewResult } | { error: string; retryable: boolean }
type Send = (request: ReviewDecisionRequest) => Promise<Sent>

type OutboxOptions = {
  send: Send
  /** What waits now, and when it is sent in milliseconds since 1970; null: nothing. */
  onWaiting: (waiting: (Waiting & { sendsAtMs: number }) | null) => void
  onSent: (waiting: Waiting, result: ReviewResult) => void
  onRefused: (refused: Refused) => void
  clock?: { now: () => number; after: (ms: number, run: () => void) => () => void }
}

const realClock = {
  now: () => Date.now(),
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
const attemptsMax = 3
const retryMs = 1_500

export const createOutbox = ({ send, onWaiting, onSent, onRefused, clock = realClock }: OutboxOptions) => {
  let waiting: Waiting | null = null
  let cancel = (): void => undefined
  /** Sent, or to be sent again, and neither taken nor refused; with what calls off the next attempt. */
  const undelivered = new Map<Waiting, () => void>()

  // The same decision sent again is one: it carries its id. Of two answers the first one counts.
  const deliver = async (sent: Waiting, attempt = 1): Promise<void> => {
    undelivered.set(sent, () => undefined)
    const outcome = await send(sent.request)
    if (!undelivered.has(sent)) return
    if ('error' in outcome && outcome.retryable && attempt < attemptsMax) {
      undelivered.get(sent)?.()
      undelivered.set(
        sent,
        clock.after(retryMs * attempt, () => void deliver(sent, attempt + 1)),
      )
      return
    }
    undelivered.get(sent)?.()
    undelivered.delete(sent)
    if ('value' in outcome) onSent(sent, outcome.value)
    else onRefused({ itemId: sent.request.itemId, question: sent.question, words: outcome.error })
  }

  const empty = (): Waiting | null => {
    cancel()
    const was = waiting
    waiting = null
    if (was) onWaiting(null)
    return was
  }

  /** Sends what waits now. */
  const flush = (): void => {
    const was = empty()
    if (was) void deliver(was)
  }

  return {
    put(next: Waiting): void {
      flush()
      waiting = next
      onWaiting({ ...next, sendsAtMs: clock.now() + graceMs })
      cancel = clock.after(graceMs, flush)
    },
    flush,
    /** The page goes away: sends what waits, and once more what nobody has answered. */
    leave(): void {
      const unanswered = [...undelivered]
      flush()
      for (const [sent, callOff] of unanswered) {
        callOff()
        void deliver(sent)
      }
    },
    /** What would be lost if the page went away now. */
    unsent: (): ReviewDecisionRequest[] =>
      [...(waiting ? [waiting] : []), ...undelivered.keys()].map(({ request }) => request),
    /** What waited and is not sent now; null: it was too late. */
    takeBack: empty,
  }
}

export const unreachable = 'Footnote could not be reached. Check the connection and try again.'

/** Browsers refuse more than 64 KiB at once that is to outlive its page; an edit in Chinese can be twice as long. */
const outlivesBytesMax = 60_000

const bodyOf = ({ itemId: _, ...body }: ReviewDecisionRequest): string => JSON.stringify(body)
/** Whether a decision is sent to the end though its page goes away: a long edit is not. */
export const outlivesPage = (request: ReviewDecisionRequest): boolean =>
  new TextEncoder().encode(bodyOf(request)).length <= outlivesBytesMax

/** Posts a decision; a short one is finished also when the page goes away meanwhile. Never throws. */
export const postDecision: Send = async (request) => {
  try {
    const response = await fetch(`/api/review/${request.itemId}/decision`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: bodyOf(request),
      keepalive: outlivesPage(request),
    })
    const answer = (await response.json()) as ReviewResult & { error?: PublicError }
    if (response.ok) return { value: answer }
    return { error: answer.error?.message ?? unreachable, retryable: answer.error?.retryable ?? false }
  } catch {
    return { error: unreachable, retryable: true }
  }
}
