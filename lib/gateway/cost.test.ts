import { describe, expect, it } from 'vitest'
import { priceMicros } from './cost.ts'
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
