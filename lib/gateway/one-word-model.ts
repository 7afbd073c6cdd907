/**
 * What is asked of a provider and is no text (vectors, an order) goes the way that is made for words: it is told as a model that says
 * one word when the answer is there, so that budget, deadlines, retries, breakers and the ledger hold for it too.
 */
import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider'

type Asked = {
  provider: string
  modelId: string
  /** Asks, keeps the answer for its caller, and says how many tokens it took, where the provider counted them. */
  ask: (
    signal: AbortSignal | undefined,
  ) => Promise<{ tokens: number | undefined; headers?: Record<string, string> | undefined }>
}

export const oneWordModel = ({ provider, modelId, ask }: Asked): LanguageModelV4 => ({
  specificationVersion: 'v4',
  provider,
  modelId,
  supportedUrls: {},
  doGenerate: () => Promise.reject(new Error('it is only asked as a stream')),
  doStream: async ({ abortSignal }) => {
    const { tokens, headers } = await ask(abortSignal)
    const none = { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined }
    const parts: LanguageModelV4StreamPart[] = [
      { type: 'stream-start', warnings: [] },
      { type: 'text-start', id: '1' },
      { type: 'text-delta', id: '1', delta: 'done' },
      { type: 'text-end', id: '1' },
      {
        type: 'finish',
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: { inputTokens: { ...none, total: tokens }, outputTokens: { total: 0, text: 0, reasoning: 0 } },
      },
    ]
    const stream = new ReadableStream<LanguageModelV4StreamPart>({
      start: (controller) => {
        for (const part of parts) controller.enqueue(part)
        controller.close()
      },
    })
    return { stream, ...(headers ? { response: { headers } } : {}) }
  },
})
