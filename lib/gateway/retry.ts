/** What a failure of a model is, and what follows from it: asked again or not, how soon, and how often in all. */
import { APICallError, JSONParseError, TypeValidationError } from '@ai-sdk/provider'
import type { FailureClass, Lane } from './call.ts'
import { toModelError } from './model-error.ts'

type Consequence = {
  /** `soon`: the same model may be asked again. `later`: when the others have failed. `alone`: when there is no other. */
  again: 'soon' | 'later' | 'alone' | 'never'
  /** Counts against the model in its breaker. */
  trips: boolean
  /** The longest pause before the first repetition; the second may take twice as long. */
  backoffMs: number
  /** Which failure tells most about a call of which every attempt failed; the highest is told. */
  telling: number
}

/** The one table. After every failure the next candidate is asked; only a refusal, which is an answer, ends a call. */
export const consequences: Record<FailureClass, Consequence> = {
  'rate-limited': { again: 'soon', trips: false, backoffMs: 1_000, telling: 5 },
  server: { again: 'soon', trips: true, backoffMs: 100, telling: 4 },
  network: { again: 'soon', trips: true, backoffMs: 100, telling: 4 },
  'bad-output': { again: 'soon', trips: true, backoffMs: 100, telling: 4 },
  // Whoever waits has waited ten seconds already.
  timeout: { again: 'alone', trips: true, backoffMs: 100, telling: 4 },
  misconfigured: { again: 'never', trips: false, backoffMs: 0, telling: 2 },
  'model-gone': { again: 'never', trips: false, backoffMs: 0, telling: 2 },
  'too-long': { again: 'never', trips: false, backoffMs: 0, telling: 3 },
  // Not asked, so it may be its time by then.
  'breaker-open': { again: 'later', trips: false, backoffMs: 0, telling: 0 },
  busy: { again: 'never', trips: false, backoffMs: 0, telling: 1 },
}

/** Repetitions of one candidate in one call. */
export const retriesMax = 2

/** What a provider may make a call wait in all by `Retry-After`; one that asks for more is left for the next at once. */
export const patienceMs: Record<Lane, number> = {
  chat: 10_000,
  ingestion: 600_000,
  evaluation: 600_000,
  batch: 600_000,
}

/** Full jitter: anything from nothing to the bound, so that callers who failed together do not come back together. */
export const backoffMs = (failure: FailureClass, retries: number, random: () => number): number =>
  random() * consequences[failure].backoffMs * 2 ** retries

/** A class of failure with what is known of it. */
export class Failed extends Error {
  override name = 'Failed'
  readonly failure: FailureClass
  readonly retryAfterMs: number | undefined
  readonly statusCode: number | undefined
  readonly headers: Record<string, string> | undefined
  constructor(
    failure: FailureClass,
    cause: unknown,
    more: {
      retryAfterMs?: number | undefined
      statusCode?: number | undefined
      headers?: Record<string, string> | undefined
    } = {},
  ) {
    super(failure, { cause })
    this.failure = failure
    this.retryAfterMs = more.retryAfterMs
    this.statusCode = more.statusCode
    this.headers = more.headers
  }
}

/** `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), and the milliseconds some vendors send beside it. */
const retryAfterMs = (headers: Record<string, string> | undefined, now: Date): number | undefined => {
  const precise = headers?.['retry-after-ms']?.trim()
  if (precise && Number(precise) >= 0) return Number(precise)
  const header = headers?.['retry-after']?.trim()
  if (!header) return undefined
  const seconds = Number(header)
  if (!Number.isNaN(seconds)) return seconds >= 0 ? seconds * 1_000 : undefined
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime())
}

/** How OpenAI, Anthropic, Google, vLLM, llama.cpp and Ollama say that a prompt does not fit. */
const tooLong =
  /context[ _-]?(length|window|size)|(prompt|input|request|messages?) (is |are )?too (long|large)|too many (input )?tokens|maximum (number of )?(context|tokens|input)|token (count|limit).{0,40}exceed|exceeds?.{0,40}(token|context)/i
const tooLongStatus = new Set([400, 413, 422])

const ofStatus = (statusCode: number, words: string): FailureClass => {
  if (statusCode === 429) return 'rate-limited'
  if (statusCode === 413 || (tooLongStatus.has(statusCode) && tooLong.test(words))) return 'too-long'
  if (statusCode === 404 || statusCode === 410) return 'model-gone'
  if (statusCode === 408) return 'timeout'
  if (statusCode >= 500) return 'server'
  // A good status with what cannot be read.
  return statusCode >= 400 ? 'misconfigured' : 'bad-output'
}

/** An error that came as an event, after a status of 200: vendors name it in `type` or `code`, as a word or as a status. */
const ofEvent = (words: string): FailureClass => {
  if (tooLong.test(words)) return 'too-long'
  if (/rate.?limit|too many requests|resource_exhausted|\b429\b/i.test(words)) return 'rate-limited'
  if (/overloaded|server.?error|internal|unavailable|api_error|\b5\d\d\b/i.test(words)) return 'server'
  return 'bad-output'
}

const networkWords =
  /\bterminated|fetch failed|cannot connect|socket|network|certificate|tls|ssl|other side closed|ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|UND_ERR/i

const wordsOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error))
    return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? '').slice(0, 2_000)
  const { code } = thrown as Error & { code?: unknown }
  return `${thrown.name} ${thrown.message} ${typeof code === 'string' ? code : ''} ${thrown.cause instanceof Error ? wordsOf(thrown.cause) : ''}`
}

/** Sorts whatever a call of a model threw, or sent as an error, into its class. */
export const classify = (thrown: unknown): Failed => {
  if (thrown instanceof Failed) return thrown
  // An adapter wraps what it could not read; the answer's status lies underneath.
  const cause = thrown instanceof Error && APICallError.isInstance(thrown.cause) ? thrown.cause : thrown
  if (APICallError.isInstance(cause)) {
    const { statusCode, responseHeaders, responseBody, message } = cause
    const more = { statusCode, retryAfterMs: retryAfterMs(responseHeaders, new Date()), headers: responseHeaders }
    const failure =
      statusCode === undefined ? 'network' : ofStatus(statusCode, `${message} ${responseBody?.slice(0, 4_000) ?? ''}`)
    return new Failed(failure, cause, more)
  }
  if (!(thrown instanceof Error)) return new Failed(ofEvent(wordsOf(thrown)), thrown)
  if (toModelError(thrown).code === 'model-misconfigured') return new Failed('misconfigured', thrown)
  const unread = JSONParseError.isInstance(thrown) || TypeValidationError.isInstance(thrown)
  return new Failed(!unread && networkWords.test(wordsOf(thrown)) ? 'network' : 'bad-output', thrown)
}

const credentials = /\b(?:sk|pk|rk|key|AIza|gsk|xai)[-_]?[\w*-]{8,}|Bearer\s+\S+/g
const told: Partial<Record<FailureClass, string>> = {
  server: 'the provider failed',
  network: 'the provider could not be reached or broke off',
  'bad-output': 'what came could not be read',
}

/** A failure in words for an admin. What came instead of an answer, what was sent and keys are not among them. */
export const describeFailure = ({ failure, cause, statusCode }: Failed): string => {
  const status = statusCode === undefined ? '' : ` (${statusCode})`
  const own = cause instanceof Error && cause.name === 'Error' ? cause.message : undefined
  const words = told[failure] && !own ? told[failure] : (own ?? (cause instanceof Error ? cause.message : failure))
  return `${words.replace(/\s+/g, ' ').replace(credentials, '[key]').slice(0, 200)}${status}`
}

/** A tenth of the calls may be repetitions: a provider in trouble is not asked three times as much. */
const earned = 0.1
const savedAtStart = 55
const savedMax = 100
/** Kept for calls that have no other model left, so that they find something when many fail. */
const savedForLast = 50

export type RetryBudget = {
  /** A call, not a repetition, was made. */
  earn(key: string): void
  /** Takes one repetition, or tells that there is none. With `last`, what is kept for it may be used too. */
  spend(key: string, last: boolean): boolean
}

/** How often candidates may be asked again, each by its own calls. In memory, for one process. */
export const createRetryBudget = (): RetryBudget => {
  const saved = new Map<string, number>()
  return {
    earn: (key) => void saved.set(key, Math.min(savedMax, (saved.get(key) ?? savedAtStart) + earned)),
    spend: (key, last) => {
      const left = saved.get(key) ?? savedAtStart
      if (left < (last ? 1 : savedForLast + 1)) return false
      saved.set(key, left - 1)
      return true
    },
  }
}
