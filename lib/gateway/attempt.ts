/** One try of one model: its words within deadlines and bounds, and an end that can be believed. */
import {
  APICallError,
  type LanguageModelV4CallOptions,
  type LanguageModelV4StreamPart,
  type LanguageModelV4Usage,
} from '@ai-sdk/provider'
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

/** At most `charsMax` characters, none of them halved. */
const cut = (text: string, charsMax: number): string => text.slice(0, charsMax).replace(/[\uD800-\uDBFF]$/, '')

/**
 * What a model says, and its end. Throws `Failed`, or the signal's reason when the caller stops it; a model that does not listen to
 * the signal is left behind. What it holds (timers, a listener, the connection) is given back when the generator ends or is ended.
 */
export const listen = async function* (listening: Listening): AsyncGenerator<Heard> {
  const { candidate, options, deadlines, signal, onHeaders } = listening
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
  /** Whether the model has said all that it was allowed. */
  const isFull = (said: string): boolean => {
    uncounted += said
    if (uncounted.length >= countedChars) {
      tokens += estimateTokens(uncounted)
      uncounted = ''
    }
    return tokens > tokensMax || chars >= answerCharsMax
  }

  try {
    // Vendors' adapters pass the fingerprint on only in the raw events.
    const { kind } = candidate.provider
    const includeRawChunks = kind === 'openai' || kind === 'compatible'
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
          const said = cut(part.delta, answerCharsMax - chars)
          chars += said.length
          if (part.type === 'text-delta') yield { type: 'text', text: said }
          if (isFull(said)) {
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
    if (isRefusal(error)) yield finished('refused')
    else throw classify(stop.signal.aborted ? stop.signal.reason : error)
  } finally {
    clearTimeout(total)
    clearTimeout(silence)
    signal.removeEventListener('abort', stopped)
    giveUp = () => undefined
    stop.abort()
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
