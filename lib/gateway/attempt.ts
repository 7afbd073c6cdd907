/** One try of one model: what fits of a prompt, its words within deadlines and bounds, and an end that can be believed. */
import {
  APICallError,
  type LanguageModelV4CallOptions,
  type LanguageModelV4StreamPart,
  type LanguageModelV4Usage,
} from '@ai-sdk/provider'
import { AppError } from '#lib/shared/errors.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { Candidate, ModelEnd, Usage } from './call.ts'
import { classify, Failed } from './retry.ts'

export type CallOptions = Omit<LanguageModelV4CallOptions, 'abortSignal'>

/** How long a model may keep a reader waiting: for its first words, between words, in all. */
export type Deadlines = { firstTokenMs: number; idleMs: number; totalMs: number }

/** No answer is longer, whatever was allowed. */
const answerCharsMax = 262_144
/** Our estimate errs high, so the end that was asked for is enforced only beyond this multiple of it. */
const outputSlack = 1.5
/** How much text is counted at once. */
const countedChars = 200
const eventCharsMax = 1_000_000

export type Heard =
  | { type: 'text'; text: string }
  | {
      type: 'finish'
      finish: ModelEnd['finish']
      usage: LanguageModelV4Usage | undefined
      servedModel: string
      fingerprint: string | undefined
    }

type Listening = {
  candidate: Candidate
  options: CallOptions
  deadlines: Deadlines
  signal: AbortSignal
  onHeaders: (headers: Record<string, string> | undefined) => void
  /** Told of what came in the place of an answer, as it came and at most 2 KB of it: it may repeat what was sent, and keys. */
  onReceived: (received: string) => void
}

const finishes: Record<string, ModelEnd['finish']> = { stop: 'stop', length: 'length', 'content-filter': 'refused' }

/** Azure and those who follow it refuse by a status instead of an end. */
const refusal = /content_filter|content management policy|content_policy_violation|responsible_?ai/i
const isRefusal = (error: unknown): boolean =>
  APICallError.isInstance(error) &&
  error.statusCode === 400 &&
  refusal.test(`${error.message} ${error.responseBody?.slice(0, 4_000) ?? ''}`)

const fingerprintIn = (found: unknown): string | undefined => {
  if (typeof found !== 'object' || found === null) return undefined
  const { systemFingerprint, system_fingerprint: raw } = found as Record<string, unknown>
  const fingerprint = systemFingerprint ?? raw
  return typeof fingerprint === 'string' && fingerprint !== '' ? fingerprint.slice(0, 200) : undefined
}

/** The model's name in an event of Google's, which its adapter does not pass on. */
const modelVersionIn = (found: unknown): string | undefined => {
  if (typeof found !== 'object' || found === null) return undefined
  const { modelVersion } = found as Record<string, unknown>
  return typeof modelVersion === 'string' && modelVersion !== '' ? modelVersion.slice(0, 200) : undefined
}

/** An error and all that lies under it. */
const chainOf = (thrown: unknown): unknown[] => {
  const chain: unknown[] = []
  for (let at = thrown; at !== undefined && !chain.includes(at); at = at instanceof Error ? at.cause : undefined)
    chain.push(at)
  return chain
}

/** The failure as it was known where it happened, with its words; adapters wrap it in errors of their own. */
const toFailed = (thrown: unknown): Failed => {
  for (const error of chainOf(thrown)) {
    if (error instanceof Failed) return error
    if (error instanceof AppError && error.code === 'model-misconfigured' && typeof error.context.reason === 'string')
      return new Failed('misconfigured', new Error(error.context.reason))
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL')
      return new Failed('misconfigured', new Error('the address of the provider is no web address'))
  }
  return classify(thrown)
}

const receivedCharsMax = 2_048
const receivedIn = (thrown: unknown): string | undefined =>
  chainOf(thrown)
    .map((error) => (APICallError.isInstance(error) ? error.responseBody : undefined))
    .find((body) => body !== undefined && body !== '')

/** At most `charsMax` characters, none of them halved. */
const cut = (text: string, charsMax: number): string => text.slice(0, charsMax).replace(/[\uD800-\uDBFF]$/, '')

/**
 * What a model says, and its end. Throws `Failed`, or the signal's reason when the caller stops it; a model that does not listen to
 * the signal is left behind. What it holds (timers, a listener, the connection) is given back when the generator ends or is ended.
 */
export const listen = async function* (listening: Listening): AsyncGenerator<Heard> {
  const { candidate, options, deadlines, signal, onHeaders, onReceived } = listening
  signal.throwIfAborted()
  const stop = new AbortController()
  let giveUp: (reason: unknown) => void = () => undefined
  const end = (reason: unknown): void => {
    stop.abort(reason)
    giveUp(reason)
  }
  const stopped = (): void => end(signal.reason)
  signal.addEventListener('abort', stopped, { once: true })
  const limit = (ms: number, words: string): NodeJS.Timeout =>
    setTimeout(() => end(new Failed('timeout', new Error(`${words} for ${Math.round(ms)} ms`))), ms)
  /** What is waited for, unless it ends before. */
  const orEnd = <Value>(waited: PromiseLike<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      giveUp = reject
      waited.then(resolve, reject)
    })

  const total = limit(deadlines.totalMs, 'no end')
  let silence: NodeJS.Timeout | undefined = limit(deadlines.firstTokenMs, 'no words')
  let reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart> | undefined
  let servedModel = candidate.modelId
  let fingerprint: string | undefined
  let chars = 0
  const tokensMax = (options.maxOutputTokens ?? Number.POSITIVE_INFINITY) * outputSlack
  let tokens = 0
  let uncounted = ''
  const finished = (finish: ModelEnd['finish'], usage?: LanguageModelV4Usage): Heard => ({
    type: 'finish',
    finish,
    usage,
    servedModel,
    fingerprint,
  })
  /** As much of what the model says as it was allowed, to about two hundred characters, however long the pieces are. */
  const allowed = (delta: string): string => {
    const said = cut(delta, answerCharsMax - chars)
    chars += said.length
    for (let at = 0; at < said.length; at += countedChars) {
      uncounted += said.slice(at, at + countedChars)
      if (uncounted.length < countedChars) break
      tokens += estimateTokens(uncounted)
      uncounted = ''
      if (tokens > tokensMax) return cut(said, at + countedChars)
    }
    return said
  }
  const isFull = (): boolean => tokens > tokensMax || chars >= answerCharsMax

  try {
    // Vendors' adapters pass the fingerprint, and Google's the model's name, on only in the raw events.
    const includeRawChunks = candidate.provider.kind !== 'anthropic'
    const asked = Promise.resolve(candidate.model.doStream({ ...options, includeRawChunks, abortSignal: stop.signal }))
    const { stream, response } = await orEnd(asked).catch((error: unknown) => {
      // One that answers after all is not listened to.
      void asked.then((late) => late.stream.cancel()).catch(() => undefined)
      throw error
    })
    reader = stream.getReader()
    onHeaders(response?.headers)
    for (;;) {
      // A reader who is slow to take what was said is not the model's silence: the time counts only while we wait.
      silence ??= limit(deadlines.idleMs, 'nothing more')
      const { done, value: part } = await orEnd(reader.read())
      if (done) throw new Failed('bad-output', new Error('the stream stopped without an end'))
      switch (part.type) {
        case 'error':
          throw part.error
        case 'raw':
          fingerprint ??= fingerprintIn(part.rawValue)
          servedModel = modelVersionIn(part.rawValue) ?? servedModel
          break
        case 'response-metadata':
          if (part.modelId) servedModel = part.modelId
          break
        case 'text-delta':
        case 'reasoning-delta': {
          if (part.delta === '') break
          if (part.delta.length > eventCharsMax) throw new Failed('bad-output', new Error('an event of over 1 MB'))
          clearTimeout(silence)
          silence = undefined
          const said = allowed(part.delta)
          if (part.type === 'text-delta') yield { type: 'text', text: said }
          if (isFull()) {
            yield finished('length')
            return
          }
          break
        }
        case 'finish': {
          const { unified, raw } = part.finishReason
          if (unified === 'error') throw new Failed('server', new Error('the provider ended with an error'))
          if (unified === 'interrupted' || (unified === 'other' && raw === undefined))
            throw new Failed('bad-output', new Error('the stream broke off without an end'))
          for (const told of Object.values(part.providerMetadata ?? {})) fingerprint ??= fingerprintIn(told)
          yield finished(finishes[unified] ?? 'other', part.usage)
          return
        }
        default:
      }
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (isRefusal(error)) {
      yield finished('refused')
      return
    }
    const received = receivedIn(error)
    if (received !== undefined) onReceived(cut(received, receivedCharsMax))
    throw toFailed(stop.signal.aborted ? stop.signal.reason : error)
  } finally {
    clearTimeout(total)
    clearTimeout(silence)
    signal.removeEventListener('abort', stopped)
    giveUp = () => undefined
    stop.abort('the call is over')
    // Not waited for: a stream that cannot be cancelled holds nobody.
    void reader?.cancel().catch(() => undefined)
  }
}

/** Ten times our own estimate and a little is more than any tokeniser makes of a text. */
const believable = (count: number | undefined, own: number, more = 0): count is number =>
  count !== undefined &&
  Number.isFinite(count) &&
  count >= 0 &&
  (count > 0 || own === 0) &&
  count <= Math.max(own * 10 + 1_000, more)

const part = (count: number | undefined, whole: number): number =>
  count !== undefined && Number.isFinite(count) && count > 0 ? Math.min(Math.round(count), whole) : 0

/**
 * Tokens as the provider counted them where that can be true, else as we do. What a model thought is not in its text, so that a
 * count up to what was allowed is believed.
 */
export const usageOf = (
  reported: LanguageModelV4Usage | undefined,
  own: { in: number; out: number },
  maxOutputTokens: number | undefined,
): Usage => {
  const { total: tokensIn, cacheRead } = reported?.inputTokens ?? {}
  const { total: tokensOut, reasoning } = reported?.outputTokens ?? {}
  const inKnown = believable(tokensIn, own.in)
  const outKnown = believable(tokensOut, own.out, maxOutputTokens)
  const usage = { in: inKnown ? Math.round(tokensIn) : own.in, out: outKnown ? Math.round(tokensOut) : own.out }
  return {
    ...usage,
    cached: inKnown ? part(cacheRead, usage.in) : 0,
    reasoning: outKnown ? part(reasoning, usage.out) : 0,
    estimated: !inKnown || !outKnown,
  }
}

type Prompt = CallOptions['prompt']

/** The text of a prompt, for estimates of its length. */
export const textOfPrompt = (prompt: Prompt): string =>
  prompt
    .map(({ content }) =>
      typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    )
    .join('\n')

const boundaryLine = /^Boundary: ([\w-]{8,64})\n/

/** A rendered question (`renderQuestion`) without the last of its sources; null when it has but one. The boundary is in no text. */
const withoutLastSource = (text: string): string | null => {
  const boundary = boundaryLine.exec(text)?.[1]
  if (boundary === undefined) return null
  const first = text.indexOf(`[${boundary} source `)
  const last = text.lastIndexOf(`[${boundary} source `)
  const question = text.indexOf(`[${boundary} question]`)
  return last > first && question > last ? text.slice(0, last) + text.slice(question) : null
}

/** A call with less in its prompt, and how much less. */
export type Shorter = { options: CallOptions; tokensIn: number; leftOut: { messages: number; sources: number } }

/**
 * The call with a prompt of at most `tokensInMax` tokens by our estimate: without its oldest messages first, then without its last
 * sources. Instructions, the question, its first source and what came after it stay. Null when that is not enough.
 */
export const shorten = (options: CallOptions, tokensInMax: number): Shorter | null => {
  const { prompt } = options
  const textIn = (message: Prompt[number] | undefined): string =>
    message?.role === 'user' ? message.content.map((part) => (part.type === 'text' ? part.text : '')).join('') : ''
  const rendered = prompt.findLastIndex((message) => boundaryLine.test(textIn(message)))
  const asked = rendered >= 0 ? rendered : prompt.findLastIndex(({ role }) => role === 'user')
  const question = prompt[asked]
  if (question?.role !== 'user') return null
  const instructions = prompt.slice(0, asked).filter(({ role }) => role === 'system')
  let history = prompt.slice(0, asked).filter(({ role }) => role !== 'system')
  let text = textIn(question)
  let messages = 0
  let sources = 0
  const now = (): Prompt => [
    ...instructions,
    ...history,
    sources > 0 ? { ...question, content: [{ type: 'text', text }] } : question,
    ...prompt.slice(asked + 1),
  ]
  for (;;) {
    const tokensIn = estimateTokens(textOfPrompt(now()))
    if (tokensIn <= tokensInMax)
      return { options: { ...options, prompt: now() }, tokensIn, leftOut: { messages, sources } }
    if (history.length > 0) {
      // A conversation begins with a person's message: vendors refuse one that does not.
      const next = history.findIndex(({ role }, at) => at > 0 && role === 'user')
      messages += next > 0 ? next : history.length
      history = next > 0 ? history.slice(next) : []
    } else {
      const less = withoutLastSource(text)
      if (less === null) return null
      text = less
      sources += 1
    }
  }
}

/** Where vendors name the window that was passed: `9000 > 8192`, `context length is 8192`, `200000 maximum`. */
const windowWords = [
  />\s*(\d{3,9})/,
  /(?:maximum|limit|context (?:size|window|length))\D{0,40}?(\d{3,9})/i,
  /(\d{3,9})\s*(?:tokens )?maximum/i,
]
/** Estimates are not even over a text, so that what should just fit is aimed at from below. */
const aim = 0.95

/**
 * How many tokens, by our estimate, the prompt of a call may have after a provider called it too long: by the numbers in the
 * provider's words where there are some, else half of what was sent. Zero or less when the answer alone would not fit.
 */
export const roomAfter = (
  { cause }: Failed,
  sent: { tokensIn: number; tokensOut: number; contextTokensMax: number },
): number => {
  const { tokensIn, tokensOut, contextTokensMax } = sent
  const words = (
    APICallError.isInstance(cause)
      ? `${cause.message} ${cause.responseBody ?? ''}`
      : cause instanceof Error
        ? cause.message
        : (JSON.stringify(cause) ?? '')
  ).slice(0, 4_000)
  const told = windowWords.map((shape) => shape.exec(words)?.[1]).find((digits) => digits !== undefined)
  if (told === undefined) return Math.floor(Math.min(contextTokensMax - tokensOut, tokensIn / 2))
  const window = Number(told)
  const counted = Math.max(...[...words.matchAll(/\d{3,9}/g)].map(([digits]) => Number(digits)))
  // Their count for ours, where they tell it; whether it has the answer in it is not said, so it counts as if it had not.
  const room = counted > window ? (tokensIn * (window - tokensOut)) / counted : window - tokensOut
  return Math.floor(Math.min(room * aim, tokensIn * aim))
}
