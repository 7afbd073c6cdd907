/**
 * A vendor that takes the call and says nothing must not hold an answer: the wait for its first words is bounded from the moment
 * of the call. (The SDK's own limit for the first chunk starts only when the response's headers are there.)
 */
import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { AppError } from '#lib/shared/errors.ts'

/** Long enough for a model at home that has to be loaded first. */
const firstWordsMsDefault = 30_000

const hasContent = (part: LanguageModelV4StreamPart): boolean =>
  (part.type === 'text-delta' || part.type === 'reasoning-delta') && part.delta !== ''

/** The same model; a stream without words after `limitMs` ends as `model-failed`, and the vendor's connection with it. */
export const withinFirstWords = (model: LanguageModelV4, limitMs: number = firstWordsMsDefault): LanguageModelV4 => ({
  specificationVersion: 'v4',
  provider: model.provider,
  get modelId() {
    return model.modelId
  },
  supportedUrls: model.supportedUrls,
  doGenerate: (options) => model.doGenerate(options),
  doStream: async (options) => {
    const late = new AbortController()
    const silent = () => new AppError('model-failed', { context: { reason: 'no words in time', limitMs } })
    const timer = setTimeout(() => late.abort(silent()), limitMs)
    const abortSignal = options.abortSignal ? AbortSignal.any([options.abortSignal, late.signal]) : late.signal
    try {
      const result = await model.doStream({ ...options, abortSignal })
      const reader = result.stream.getReader()
      const stream = new ReadableStream<LanguageModelV4StreamPart>({
        pull: async (controller) => {
          try {
            const { done, value } = await reader.read()
            if (done || hasContent(value)) clearTimeout(timer)
            if (done) controller.close()
            else
              controller.enqueue(
                value.type === 'error' && late.signal.aborted ? { type: 'error', error: late.signal.reason } : value,
              )
          } catch (error) {
            clearTimeout(timer)
            controller.error(late.signal.aborted ? late.signal.reason : error)
          }
        },
        cancel: async (reason) => {
          clearTimeout(timer)
          await reader.cancel(reason)
        },
      })
      return { ...result, stream }
    } catch (error) {
      clearTimeout(timer)
      throw late.signal.aborted ? late.signal.reason : error
    }
  },
})
