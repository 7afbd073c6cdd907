/** What a call cost, in integer micro-dollars, from the price table that comes with the product. Unknown is null and never 0. */
import { calcPrice } from '@pydantic/genai-prices'

/** The part of the SDK's usage that is priced; input counts include what was read from or written to a cache. */
export type TokenUsage = {
  inputTokens: number | undefined
  outputTokens: number | undefined
  inputTokenDetails?: { cacheReadTokens?: number | undefined; cacheWriteTokens?: number | undefined } | undefined
}

export type PricedModel = {
  modelId: string
  provider: 'built-in' | 'openai' | 'anthropic' | 'google' | 'compatible'
  /** Tells a hosted compatible server from one at home, which has no price. */
  baseUrl?: string | undefined
}

export const priceMicros = ({ modelId, provider, baseUrl }: PricedModel, usage: TokenUsage): number | null => {
  if (provider === 'built-in') return 0
  if (usage.inputTokens === undefined || usage.outputTokens === undefined) return null
  if (provider === 'compatible' && !baseUrl) return null
  try {
    const price = calcPrice(
      {
        input_tokens: usage.inputTokens,
        output_tokens: usage.outputTokens,
        cache_read_tokens: usage.inputTokenDetails?.cacheReadTokens ?? 0,
        cache_write_tokens: usage.inputTokenDetails?.cacheWriteTokens ?? 0,
      },
      modelId,
      provider === 'compatible' ? { providerApiUrl: baseUrl ?? '' } : { providerId: provider },
    )
    return price ? Math.round(price.total_price * 1_000_000) : null
  } catch {
    // The table refuses usage it cannot make sense of and servers it does not know.
    return null
  }
}
