/**
 * What a call may cost and did cost, in integer micro-dollars: from an admin's price, else from the price table that comes with
 * the product. A price that nobody knows is refused or taken for the dearest, by the workspace's rule, and never for 0.
 */
import { calcPrice } from '@pydantic/genai-prices'
import { AppError } from '#lib/shared/errors.ts'
import type { GatewaySettings } from '#lib/shared/gateway-settings.ts'
import type { Candidate, Usage } from './call.ts'

/** Names the price table that was in force; a test compares it with the installed package. */
export const priceTableVersion = 'genai-prices-0.1.8'

/**
 * Dollars a million tokens of the dearest model in that table, OpenAI's o1-pro; a test looks at every row of the installed table.
 * What came from a cache is taken at the full price too.
 */
export const dearestDollarsPerMillion = { input: 150, output: 600 }

const microsPerDollar = 1_000_000
const tokensPerPrice = 1_000_000

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

/** What `usage` cost by the price table alone; null when price or usage is not known. */
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
    if (!price) return null
    // Models that are priced by the picture or the minute have rows without a price of tokens: that is unknown, not free.
    const { input_mtok: input, output_mtok: output } = price.model_price
    if (usage.inputTokens > 0 && input === undefined) return null
    if (usage.outputTokens > 0 && output === undefined) return null
    return wholeMicros(price.total_price * microsPerDollar)
  } catch {
    // The table refuses usage it cannot make sense of and servers it does not know.
    return null
  }
}

/** Tokens that are priced; `cached` is part of `in`, and reasoning part of `out`. */
type PricedTokens = Pick<Usage, 'in' | 'out' | 'cached'>

export type Price = {
  /** Where it is from: our own machines ask nothing, then an admin's word, then the table; `dearest` stands in for an unknown one. */
  source: 'free' | 'admin' | 'table' | 'dearest'
  /** Micro-dollars of these tokens; null when the counts are no counts. */
  micros(tokens: PricedTokens): number | null
}

/** The price of a candidate. Throws `price-unknown` when nobody knows it and the workspace refuses such calls. */
export const priceOf = (candidate: Candidate, { unknownPrice }: Pick<GatewaySettings, 'unknownPrice'>): Price => {
  const { provider, price, modelId } = candidate
  if (provider.kind === 'built-in' || provider.local) return { source: 'free', micros: () => 0 }
  // A price that makes no sense is no price: it must not turn spending into earning.
  if (price && [price.input, price.output, price.cached].every((rate) => Number.isFinite(rate) && rate >= 0))
    return { source: 'admin', micros: checked((tokens) => atRates(tokens, price)) }
  const byTable = (tokens: PricedTokens): number | null =>
    priceMicros(
      { modelId, provider: provider.kind, baseUrl: provider.baseUrl },
      {
        inputTokens: tokens.in,
        outputTokens: tokens.out,
        inputTokenDetails: { cacheReadTokens: tokens.cached },
      },
    )
  if (byTable({ in: 1, out: 1, cached: 0 }) !== null) return { source: 'table', micros: checked(byTable) }
  if (unknownPrice === 'refuse') throw new AppError('price-unknown', { context: { model: candidate.key } })
  return { source: 'dearest', micros: checked((tokens) => atRates(tokens, dearestRates)) }
}

/**
 * What a call cost that was made; null when its usage is no count at all. Never throws: a call that was made is paid for, so one
 * whose price was lost since it was admitted counts at the dearest.
 */
export const costOf = (candidate: Candidate, usage: PricedTokens): number | null =>
  priceOf(candidate, { unknownPrice: 'worst-case' }).micros(usage)

/** What these tokens cost with this model by a price that is known; null when none is. For comparing, never for charging. */
export const knownCostOf = (candidate: Candidate, usage: PricedTokens): number | null => {
  const price = priceOf(candidate, { unknownPrice: 'worst-case' })
  return price.source === 'dearest' ? null : price.micros(usage)
}

const dearestRates = {
  input: dearestDollarsPerMillion.input * microsPerDollar,
  output: dearestDollarsPerMillion.output * microsPerDollar,
  cached: dearestDollarsPerMillion.input * microsPerDollar,
}

const atRates = (tokens: PricedTokens, rates: { input: number; output: number; cached: number }): number =>
  wholeMicros(
    ((tokens.in - tokens.cached) * rates.input + tokens.cached * rates.cached + tokens.out * rates.output) /
      tokensPerPrice,
  )

/** The nearest whole number, but what costs anything costs at least one: many small calls must not be free. */
const wholeMicros = (micros: number): number =>
  micros <= 0 ? 0 : Math.min(Number.MAX_SAFE_INTEGER, Math.max(1, Math.round(micros)))

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

const checked =
  (price: (tokens: PricedTokens) => number | null) =>
  (tokens: PricedTokens): number | null =>
    isCount(tokens.in) && isCount(tokens.out) && isCount(tokens.cached)
      ? price({ ...tokens, cached: Math.min(tokens.cached, tokens.in) })
      : null
