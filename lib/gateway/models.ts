/** Which model answers: the vendor's that the settings name, or the built-in one. */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { priceMicros, type TokenUsage } from './cost.ts'
import { withinFirstWords } from './deadline.ts'
import { createExtractiveModel, type Embed, extractiveModelId } from './local/answerer.ts'
import { type VendorSettings, vendorModel } from './providers.ts'

export type AnswerModel = {
  id: string
  kind: 'built-in' | 'provider'
  provider: 'built-in' | 'openai' | 'anthropic' | 'google' | 'compatible'
  model: LanguageModelV4
  /** Most tokens of instructions, history and evidence that should be sent. */
  contextTokensMax: number
  /** Micro-dollars of a call to it; null when the price is not known. */
  price(modelId: string, usage: TokenUsage): number | null
}

/** The built-in answerer reads every sentence, so this bounds its time and not what it understands. */
const builtInContextTokens = 16_000

/** `firstWordsMs` bounds the wait for a vendor's first words. */
export const createAnswerModel = (settings: VendorSettings, embed: Embed, firstWordsMs?: number): AnswerModel => {
  const vendor = vendorModel(settings)
  if (!vendor)
    return {
      id: extractiveModelId,
      kind: 'built-in',
      provider: 'built-in',
      model: createExtractiveModel({ embed }),
      contextTokensMax: builtInContextTokens,
      price: (modelId, usage) => priceMicros({ modelId, provider: 'built-in' }, usage),
    }
  const { provider, baseUrl, contextTokensMax } = vendor
  const model = withinFirstWords(vendor.model, firstWordsMs)
  return {
    /** The name that is really asked for, once a server without a named model has said what it has. */
    get id() {
      return model.modelId
    },
    kind: 'provider',
    provider,
    model,
    contextTokensMax,
    price: (modelId, usage) => priceMicros({ modelId, provider, baseUrl }, usage),
  }
}
