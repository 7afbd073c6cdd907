import { readFileSync } from 'node:fs'
import { type ModelPrice, waitForUpdate } from '@pydantic/genai-prices'
import { describe, expect, it } from 'vitest'
import type { Candidate } from './call.ts'
import { costOf, dearestDollarsPerMillion, knownCostOf, priceMicros, priceOf, priceTableVersion } from './cost.ts'
import { defaultModels } from './providers.ts'

const usage = { inputTokens: 1_000, outputTokens: 100 }

describe('price of a call', () => {
  it('is nothing for the built-in model and known for every default', () => {
    expect(priceMicros({ modelId: 'built-in-extractive-1', provider: 'built-in' }, usage)).toBe(0)
    for (const [provider, modelId] of Object.entries(defaultModels) as [keyof typeof defaultModels, string][]) {
      const micros = priceMicros({ modelId, provider }, usage)
      expect(micros).toBeGreaterThan(0)
      expect(Number.isInteger(micros)).toBe(true)
    }
  })

  it('is less for what came from a cache', () => {
    const { openai } = defaultModels
    const cached = { ...usage, inputTokenDetails: { cacheReadTokens: 900, cacheWriteTokens: 0 } }
    expect(priceMicros({ modelId: openai, provider: 'openai' }, cached)).toBeLessThan(
      priceMicros({ modelId: openai, provider: 'openai' }, usage) ?? 0,
    )
  })

  it('is unknown, never nothing, for an unknown model, a server at home and a call without usage', () => {
    expect(priceMicros({ modelId: 'no-such-model', provider: 'openai' }, usage)).toBeNull()
    expect(
      priceMicros({ modelId: 'gpt-5.4-mini', provider: 'compatible', baseUrl: 'http://127.0.0.1:11434/v1' }, usage),
    ).toBeNull()
    expect(
      priceMicros({ modelId: 'gpt-5.4-mini', provider: 'openai' }, { inputTokens: undefined, outputTokens: 3 }),
    ).toBeNull()
  })
})

type Given = Partial<Candidate['provider']> & { modelId?: string; price?: Candidate['price'] }

/** Only what has a price: the model itself is never called here. */
const candidate = ({ modelId = 'gpt-5.4-mini', price, ...provider }: Given): Candidate =>
  ({
    key: `test/${modelId}`,
    provider: { id: 'test', name: 'Test', kind: 'openai', local: false, baseUrl: undefined, ...provider },
    modelId,
    price,
  }) as Candidate

const refuse = { unknownPrice: 'refuse' } as const
const worstCase = { unknownPrice: 'worst-case' } as const
const tokens = { in: 1_000, out: 100, cached: 0 }

describe('price of a candidate', () => {
  it('is what the admin says, before the table, with what came from a cache at its own price', () => {
    const price = priceOf(candidate({ price: { input: 2_000_000, output: 10_000_000, cached: 200_000 } }), refuse)
    expect(price.source).toBe('admin')
    expect(price.micros(tokens)).toBe(3_000)
    expect(price.micros({ ...tokens, cached: 500 })).toBe(1_000 + 100 + 1_000)
  })

  it('is the table’s where the admin says nothing, and where what the admin says is no price', () => {
    const price = priceOf(candidate({}), refuse)
    expect(price.source).toBe('table')
    expect(price.micros(tokens)).toBe(priceMicros({ modelId: 'gpt-5.4-mini', provider: 'openai' }, usage))
    const broken = priceOf(candidate({ price: { input: -2_000_000, output: 0, cached: 0 } }), refuse)
    expect(broken.source).toBe('table')
  })

  it('is nothing on our own machines, also for a model that nobody knows', () => {
    for (const free of [{ kind: 'built-in' }, { kind: 'compatible', local: true, modelId: 'no-such-model' }] as const) {
      expect(priceOf(candidate(free), refuse).micros(tokens)).toBe(0)
      expect(costOf(candidate(free), tokens)).toBe(0)
    }
  })

  it('is refused or the dearest where nobody knows it, never nothing', () => {
    const unknown = candidate({ kind: 'compatible', baseUrl: 'https://models.example.com/v1', modelId: 'house-model' })
    expect(() => priceOf(unknown, refuse)).toThrow(expect.objectContaining({ code: 'price-unknown', status: 502 }))
    expect(priceOf(unknown, worstCase).source).toBe('dearest')
    expect(priceOf(unknown, worstCase).micros(tokens)).toBe(1_000 * 150 + 100 * 600)
    expect(costOf(unknown, tokens)).toBe(1_000 * 150 + 100 * 600)
  })

  it('is not known for comparing where the dearest stands in for it', () => {
    expect(knownCostOf(candidate({ modelId: 'no-such-model' }), tokens)).toBeNull()
    expect(knownCostOf(candidate({}), tokens)).toBe(costOf(candidate({}), tokens))
    expect(knownCostOf(candidate({ kind: 'compatible', local: true }), tokens)).toBe(0)
  })

  it('is at least one for the smallest call that costs anything', () => {
    const cheap = candidate({ price: { input: 1, output: 1, cached: 0 } })
    expect(costOf(cheap, { in: 1, out: 0, cached: 0 })).toBe(1)
    expect(costOf(cheap, { in: 0, out: 0, cached: 0 })).toBe(0)
  })

  it('never exceeds what was reserved for the same tokens', () => {
    for (const model of [candidate({}), candidate({ price: { input: 999, output: 1_001, cached: 7 } })])
      for (const [tokensIn, out, cached] of [
        [1, 1, 0],
        [777, 33, 600],
        [300_000, 4_000, 300_000],
      ] as const) {
        const reserved = priceOf(model, refuse).micros({ in: tokensIn, out, cached: 0 })
        expect(costOf(model, { in: tokensIn, out, cached })).toBeLessThanOrEqual(reserved ?? 0)
      }
  })

  it('is not known for counts that are no counts, and more from the cache than was sent earns nothing', () => {
    for (const count of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(costOf(candidate({}), { ...tokens, out: count })).toBeNull()
      expect(costOf(candidate({}), { ...tokens, in: count })).toBeNull()
    }
    const half = candidate({ price: { input: 2_000_000, output: 0, cached: 1_000_000 } })
    expect(costOf(half, { in: 1_000, out: 0, cached: 50_000 })).toBe(1_000)
  })
})

describe('price table', () => {
  const inPackage = new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url)

  it('has the version that is written to calls', () => {
    const { version } = JSON.parse(readFileSync(inPackage, 'utf8')) as { version: string }
    expect(priceTableVersion).toBe(`genai-prices-${version}`)
  })

  it('has no text model dearer than the one that stands in for unknown prices', async () => {
    const most = (price: ModelPrice[string]): number =>
      price === undefined
        ? 0
        : typeof price === 'number'
          ? price
          : Math.max(price.base, ...price.tiers.map((tier) => tier.price))
    const table = await waitForUpdate()
    const prices = (table ?? [])
      .flatMap(({ models }) => models)
      .flatMap((model) => (Array.isArray(model.prices) ? model.prices.map((row) => row.prices) : [model.prices]))
    expect(prices.length).toBeGreaterThan(1_000)
    expect(Math.max(...prices.map((price) => most(price.input_mtok)))).toBe(dearestDollarsPerMillion.input)
    expect(Math.max(...prices.map((price) => most(price.output_mtok)))).toBe(dearestDollarsPerMillion.output)
  })
})
