/**
 * One call over several models: each candidate is tried in order, within deadlines, past its breaker, its rate and its provider's
 * places, with few and spread repetitions; a stream that breaks off is continued or begun anew by the next. The reader sees one
 * answer and one end. Who may be asked, and with what, is decided before.
 */
import { log } from '#lib/log.ts'
import { AppError } from '#lib/shared/errors.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import {
  type CallOptions,
  type Deadlines,
  type Heard,
  listen,
  roomAfter,
  type Shorter,
  shorten,
  textOfPrompt,
  usageOf,
} from './attempt.ts'
import { type Breakers, createBreakers, type Ticket } from './breaker.ts'
import type { Attempt, Candidate, Lane, ModelEvent } from './call.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import {
  backoffMs,
  classify,
  consequences,
  createRetryBudget,
  describeFailure,
  Failed,
  patienceMs,
  type RetryBudget,
  retriesMax,
} from './retry.ts'
import { createSeam } from './seam.ts'

const deadlinesDefault: Deadlines = { firstTokenMs: 10_000, idleMs: 15_000, totalMs: 120_000 }
/** In the chat nobody waits longer for a place while another model may answer; the last is waited for as long as by `Retry-After`. */
const placeMsMaxChat = 2_000
/** Less than this was shown, about 20 tokens: begin anew. More: the next model goes on where this one stopped. */
const restartCharsMax = 80
const tokensOutAssumed = 1_000
/** When all others have failed, the time of a breaker's probe is waited for if the call has paused no longer than this then. */
const pauseMsMax = 1_000

/** What is learned about models over all calls of a process. */
export type Guards = { breakers: Breakers; limiter: Limiter; budget: RetryBudget }
export const createGuards = (): Guards => ({
  breakers: createBreakers(),
  limiter: createLimiter(),
  budget: createRetryBudget(),
})

type Held = { footnoteModelGuards?: Guards }
const held = globalThis as typeof globalThis & Held
/** One a process, whichever bundle asks. */
const processGuards = (): Guards => {
  held.footnoteModelGuards ??= createGuards()
  return held.footnoteModelGuards
}

/** The breakers that are not closed, as this process knows them, even when the database does not answer. */
export const listBreakers = (guards: Guards = processGuards()): ReturnType<Breakers['list']> => guards.breakers.list()

export type ResilientCall = {
  /** In the order in which they are asked. */
  candidates: readonly Candidate[]
  options: CallOptions
  lane: Lane
  signal: AbortSignal
  /**
   * Told of every try as it ends, also of one that was stopped. `received` is what came in the place of an answer, at most 2 KB of
   * it: not for readers, and to be masked before it is kept, since it may repeat keys and what was sent.
   */
  onAttempt?: (attempt: Attempt, received: string | undefined) => void
  /** Told whose turn it is. */
  onTurn?: (candidate: Candidate) => void
  deadlines?: Partial<Deadlines>
  random?: () => number
  /** The process's own when left out. */
  guards?: Guards
}

const isBuiltIn = ({ provider }: Candidate): boolean => provider.kind === 'built-in'

/** Models seldom begin with a space, so the seam is found by words that stand on both sides of it. */
const continuation = (options: CallOptions, written: string): CallOptions => {
  const lastWords = /(?:\S+\s+){0,3}\S+\s*$/.exec(written.slice(-200))?.[0].trim() ?? ''
  const order = `Your answer broke off after its last words. Go on exactly there: write these words once more, then only what comes after them. Do not begin again and do not mention the break.\n\n${lastWords}`
  return {
    ...options,
    prompt: [
      ...options.prompt,
      { role: 'assistant', content: [{ type: 'text', text: written }] },
      { role: 'user', content: [{ type: 'text', text: order }] },
    ],
  }
}

/** Ends early, with the signal's reason, when the caller stops. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const done = (): void => {
      signal.removeEventListener('abort', stopped)
      resolve()
    }
    const timer = setTimeout(done, ms)
    const stopped = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', stopped, { once: true })
  })

/** Shorter runs of words are in any prompt and in any error. */
const repeatedChars = 24

/** An error's words without those that the prompt has too: some providers repeat what they refuse. */
const withoutSent = (words: string, prompt: string): string => {
  let told = ''
  for (let at = 0; at < words.length; ) {
    let end = at + repeatedChars
    if (end > words.length || !prompt.includes(words.slice(at, end))) {
      told += words[at]
      at += 1
      continue
    }
    while (end < words.length && prompt.includes(words.slice(at, end + 1))) end += 1
    told += '[what was sent]'
    at = end
  }
  return told
}

/** The system's own name for an error of the network, wherever adapters have put it. */
const systemCodeOf = (thrown: unknown): string | undefined => {
  if (!(thrown instanceof Error)) return undefined
  const { code } = thrown as Error & { code?: unknown }
  return typeof code === 'string' && /^[A-Z][A-Z_]{3,40}$/.test(code) ? code : systemCodeOf(thrown.cause)
}

/** What is logged of a failure, in our words: what a provider sends may repeat a key and what was sent. */
const safeCause = (failure: Failed, prompt: string): Error => {
  const code = systemCodeOf(failure.cause)
  return new Error(`${withoutSent(describeFailure(failure), prompt)}${code ? ` ${code}` : ''}`)
}

type Ended = { failures: readonly Failed[]; attempts: readonly Attempt[]; partial: boolean; prompt: string }

/** What every failure says together: ours to mend only when all of them were. */
const toError = ({ failures, attempts, partial, prompt }: Ended): AppError => {
  const [telling] = failures.toSorted((a, b) => consequences[b.failure].telling - consequences[a.failure].telling)
  const ours =
    failures.length > 0 && failures.every(({ failure }) => failure === 'misconfigured' || failure === 'model-gone')
  const waitsMs = failures.flatMap(({ retryAfterMs }) => (retryAfterMs === undefined ? [] : [retryAfterMs]))
  return new AppError(ours ? 'model-misconfigured' : 'model-failed', {
    cause: telling && safeCause(telling, prompt),
    context: {
      ...(failures.length > 0 && failures.every(({ failure }) => failure === 'too-long')
        ? { reason: 'the prompt is too long for every model' }
        : {}),
      attempts: attempts.map(({ key, outcome, statusCode }) => ({ key, outcome, statusCode })),
      ...(partial ? { partial: true } : {}),
    },
    ...(waitsMs.length > 0 ? { retryAfterSeconds: Math.max(1, Math.ceil(Math.min(...waitsMs) / 1_000)) } : {}),
  })
}

/** A call that is let through: whom to tell what came of it, and that it is over. */
type Admitted = { ticket: Pick<Ticket, 'answering' | 'succeeded' | 'failed'>; leave(tokens?: number): void }
const nothing = (): void => undefined
const unguarded: Admitted = { ticket: { answering: nothing, succeeded: nothing, failed: nothing }, leave: nothing }

/** `said`: some of its words were shown. `empty`: it ended in peace, with nothing. */
type Unanswered = { failure: Failed; said: boolean; empty: boolean }
/** A candidate in a call: repetitions used up, whether it can only begin anew, what fits it, how it failed last. */
type Known = {
  retries: number
  anew: boolean
  shorter: Shorter | undefined
  last: Failed | undefined
  failedMs: number
}

const leftOutWords = ({ leftOut: { messages, sources } }: Shorter): string =>
  `too long at first; asked again without ${messages} earlier messages and ${sources} sources`

/** One call as it goes on. */
const createRun = (call: ResilientCall) => {
  const { candidates, options, lane, signal, onAttempt, random = Math.random, guards = processGuards() } = call
  const { breakers, limiter, budget } = guards
  const deadlines = { ...deadlinesDefault, ...call.deadlines }
  const beganMs = performance.now()
  const promptText = textOfPrompt(options.prompt)
  const promptTokens = estimateTokens(promptText)
  const tokensOut = options.maxOutputTokens ?? tokensOutAssumed
  const attempts: Attempt[] = []
  const failures: Failed[] = []
  /** What the reader sees. */
  let written = ''
  let firstTokenMs: number | undefined
  let askedMs = 0
  let patienceLeftMs = patienceMs[lane]
  let pausedMs = 0

  const state = new Map(
    candidates.map((candidate): [Candidate, Known] => [
      candidate,
      { retries: 0, anew: false, shorter: undefined, last: undefined, failedMs: 0 },
    ]),
  )
  const remote = candidates.filter((candidate) => !isBuiltIn(candidate))

  const note = (attempt: Attempt, received: string | undefined): void => {
    attempts.push(attempt)
    onAttempt?.(attempt, received)
  }

  /** A way to the candidate, or why there is none now. The built-in answerer is always there. */
  const admit = async (candidate: Candidate): Promise<Admitted | Failed> => {
    const { key } = candidate
    if (isBuiltIn(candidate)) return unguarded
    const known = state.get(candidate)
    const failing = (retryAfterMs: number) =>
      new Failed('breaker-open', new Error('failing too often; not asked'), { retryAfterMs })
    const openForMs = await breakers.openFor(key)
    if (openForMs > 0) return failing(openForMs)
    const others = candidates.slice(candidates.indexOf(candidate) + 1).some((other) => !isBuiltIn(other))
    const waitMsMax =
      lane !== 'chat' ? Number.POSITIVE_INFINITY : others ? placeMsMaxChat : Math.max(placeMsMaxChat, patienceLeftMs)
    const tokens = (known?.shorter?.tokensIn ?? promptTokens) + tokensOut
    const pass = await limiter.enter({ candidate, lane, tokens, waitMsMax, signal })
    if ('retryInMs' in pass)
      return new Failed('busy', new Error('as many calls as it takes; not asked'), { retryAfterMs: pass.retryInMs })
    // Only now, since a probe must not wait for a place.
    const ticket = await breakers.enter(key)
    if ('retryInMs' in ticket) {
      pass.leave(0)
      return failing(ticket.retryInMs)
    }
    if (known?.retries === 0 && !known.shorter) budget.earn(key)
    return {
      ticket,
      leave: (tokens) => {
        ticket.left()
        pass.leave(tokens)
      },
    }
  }

  /** One try, told as events; what it returns is why it failed, or nothing when there is an answer. Throws the signal's reason. */
  const ask = async function* (
    candidate: Candidate,
    goesOn: boolean,
  ): AsyncGenerator<ModelEvent, Unanswered | undefined> {
    const { key, modelId } = candidate
    const shorter = state.get(candidate)?.shorter
    const sending = shorter?.options ?? options
    const startMs = performance.now()
    let ownFirstMs: number | undefined
    let own = ''
    let said = false
    let ended: Extract<Heard, { type: 'finish' }> | undefined
    let received: string | undefined
    let noted = false
    const noteOnce = (outcome: Attempt['outcome'], detail: string, statusCode?: number): void => {
      if (noted) return
      noted = true
      const durationMs = performance.now() - startMs
      note(
        {
          key,
          modelId,
          outcome,
          detail,
          startMs: startMs - beganMs,
          durationMs,
          firstTokenMs: ownFirstMs,
          statusCode,
        },
        received,
      )
    }
    const unanswered = (failure: Failed): Unanswered => {
      noteOnce(failure.failure, withoutSent(describeFailure(failure), promptText), failure.statusCode)
      failures.push(failure)
      return { failure, said, empty: ended !== undefined }
    }
    /** The first words of a new beginning take the place of what was shown. */
    const show = function* (text: string, anew: boolean): Generator<ModelEvent> {
      if (anew && written !== '') {
        written = ''
        yield { type: 'replace', reason: 'the model broke off; another one answers' }
      }
      if (text === '') return
      firstTokenMs ??= performance.now() - beganMs
      said = true
      written += text
      yield { type: 'text', text }
    }

    let admitted: Admitted | undefined
    let listenMs: number | undefined
    try {
      const entered = await admit(candidate)
      if (entered instanceof Failed) return unanswered(entered)
      admitted = entered
      listenMs = performance.now()
      const before = goesOn ? written : ''
      let seam = goesOn ? createSeam(written) : undefined
      for await (const heard of listen({
        candidate,
        options: goesOn ? continuation(sending, written) : sending,
        deadlines: { ...deadlines, totalMs: deadlines.totalMs - askedMs },
        signal,
        onHeaders: (headers) => limiter.learn(key, headers),
        onReceived: (text) => {
          received = text
        },
      })) {
        if (heard.type === 'finish') {
          ended = heard
          break
        }
        if (ownFirstMs === undefined) {
          ownFirstMs = performance.now() - startMs
          admitted.ticket.answering()
        }
        own += heard.text
        const joined = seam ? seam.push(heard.text) : { text: heard.text, anew: !goesOn && !said }
        if (!joined) continue
        seam = undefined
        yield* show(joined.text, joined.anew)
      }
      if (!ended) throw new Failed('bad-output', new Error('no end'))
      const { usage: reported, ...end } = ended
      if (end.finish === 'refused' && !said) yield* show(own, true)
      else if (own.trim() === '') throw new Failed('bad-output', new Error('an empty answer'))
      else if (seam) {
        const joined = seam.end()
        yield* show(joined.text, joined.anew)
      }
      const counted = { in: (shorter?.tokensIn ?? promptTokens) + estimateTokens(before), out: estimateTokens(own) }
      const usage = usageOf(reported, counted, options.maxOutputTokens)
      admitted.ticket.succeeded()
      admitted.leave(usage.in + usage.out)
      noteOnce('ok', shorter ? leftOutWords(shorter) : '')
      yield { ...end, type: 'end', candidate, usage, attempts, firstTokenMs, totalMs: performance.now() - beganMs }
      return undefined
    } catch (thrown) {
      if (signal.aborted) throw signal.reason
      const failure = classify(thrown)
      limiter.learn(key, failure.headers)
      if (failure.failure === 'rate-limited' && failure.retryAfterMs !== undefined)
        limiter.pause(key, failure.retryAfterMs)
      if (consequences[failure.failure].trips) admitted?.ticket.failed(failure.failure)
      log.info({ model: key, failure: failure.failure, statusCode: failure.statusCode }, 'a model failed')
      return unanswered(failure)
    } finally {
      if (listenMs !== undefined) askedMs += performance.now() - listenMs
      admitted?.leave()
      // Still open here: stopped by the signal, or by a reader who went away.
      noteOnce('stopped', 'stopped by the caller')
    }
  }

  /**
   * Waits until the candidate may be asked again: `now`, before the next is, or `later`, when all have failed. False when it may not,
   * or wants more time than there is.
   */
  const mayRepeat = async (candidate: Candidate, when: 'now' | 'later'): Promise<boolean> => {
    const known = state.get(candidate)
    // The built-in answerer fails the same way twice.
    if (!known?.last || isBuiltIn(candidate) || known.retries >= retriesMax || askedMs >= deadlines.totalMs)
      return false
    const { failure, retryAfterMs } = known.last
    const { again, trips } = consequences[failure]
    if (again === 'never' || (again === 'later' && when === 'now') || (again === 'alone' && candidates.length > 1))
      return false
    const toldMs =
      retryAfterMs === undefined ? undefined : Math.max(0, known.failedMs + retryAfterMs - performance.now())
    if (failure === 'breaker-open') {
      if (toldMs === undefined || pausedMs + toldMs > pauseMsMax) return false
    } else {
      if (toldMs !== undefined && toldMs > patienceLeftMs) return false
      // What is kept for those who have no other model is not for a rate limit, which no breaker ends.
      const last = trips && (when === 'later' || remote.length === 1)
      if (!budget.spend(candidate.key, last)) return false
      patienceLeftMs -= toldMs ?? 0
    }
    const waitMs = toldMs ?? backoffMs(failure, known.retries, random)
    known.retries += 1
    pausedMs += waitMs
    await pause(waitMs, signal)
    return true
  }

  /** What a candidate that called the prompt too long may be asked instead, once; nothing where no less can be sent. */
  const shortened = (candidate: Candidate, failure: Failed): Shorter | undefined => {
    const { contextTokensMax } = candidate
    return shorten(options, roomAfter(failure, { tokensIn: promptTokens, tokensOut, contextTokensMax })) ?? undefined
  }

  /**
   * Asks one candidate; once more with less where the prompt is too long for it, and anew where going on with what is there is not
   * possible. True when there is an end.
   */
  const turn = async function* (candidate: Candidate): AsyncGenerator<ModelEvent, boolean> {
    const known = state.get(candidate)
    if (!known || askedMs >= deadlines.totalMs) return false
    for (;;) {
      signal.throwIfAborted()
      call.onTurn?.(candidate)
      const goesOn =
        written.length >= restartCharsMax &&
        !known.anew &&
        !isBuiltIn(candidate) &&
        options.responseFormat?.type !== 'json'
      const unanswered = yield* ask(candidate, goesOn)
      if (!unanswered) return true
      const { failure, said, empty } = unanswered
      known.last = failure
      known.failedMs = performance.now()
      const tooLong = failure.failure === 'too-long'
      if (tooLong && !said && !isBuiltIn(candidate)) {
        if (known.shorter) return false
        known.shorter = shortened(candidate, failure)
        if (known.shorter) continue
      }
      const impossible = empty || tooLong || failure.statusCode === 400 || failure.statusCode === 422
      if (goesOn && !said && impossible) {
        known.anew = true
        continue
      }
      // Words were shown: the next goes on at once, this one may only come back later.
      if (said || !(await mayRepeat(candidate, 'now'))) return false
    }
  }

  return {
    events: async function* (): AsyncGenerator<ModelEvent> {
      for (const candidate of remote) if (yield* turn(candidate)) return
      // Nobody answered: those whose failure may pass are asked once more, before anything lesser.
      for (let round = 0; round < retriesMax; round += 1)
        for (const candidate of remote) if ((await mayRepeat(candidate, 'later')) && (yield* turn(candidate))) return
      for (const candidate of candidates.filter(isBuiltIn)) if (yield* turn(candidate)) return
      throw toError({ failures, attempts, partial: written !== '', prompt: promptText })
    },
  }
}

/**
 * Calls the candidates in order until one has answered. Yields text as it comes, `replace` when all of it is to be forgotten, and one
 * `end`. Throws the signal's reason when it is aborted; when every candidate failed an `AppError`: `model-misconfigured` when all of
 * it was ours to mend, else `model-failed` with `retryAfterSeconds` where it is known, `context.attempts`, and `context.partial` when
 * text was shown. A reader who ends the generator early stops the model.
 */
export const runCandidates = (call: ResilientCall): AsyncGenerator<ModelEvent> => createRun(call).events()
