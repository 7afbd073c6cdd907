import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Candidate } from './call.ts'
import { ledgerLine, savingsOf } from './meter.ts'

type Given = { tier: Candidate['tier']; price?: [input: number, output: number, cached: number] } & Partial<
  Candidate['provider']
>

/** Dollars a million tokens, as price lists say it. */
const candidate = ({ tier, price, ...provider }: Given): Candidate =>
  ({
    key: `test/${tier}`,
    provider: { id: 'test', name: 'Test', kind: 'compatible', local: false, baseUrl: undefined, ...provider },
    modelId: 'house-model',
    tier,
    price: price && { input: price[0] * 1e6, output: price[1] * 1e6, cached: price[2] * 1e6 },
  }) as Candidate

const fast = candidate({ tier: 'fast', price: [0.2, 1, 0.02] })
const flagship = candidate({ tier: 'flagship', price: [2, 10, 0.2] })
const dearer = candidate({ tier: 'flagship', price: [4, 20, 0.4] })
const usage = { in: 10_000, out: 1_000, cached: 0, reasoning: 0, estimated: false }

describe('what a call saved', () => {
  it('is told apart: by its route against the dearest flagship, by its context at the price of who answered', () => {
    expect(savingsOf({ candidate: fast, usage }, [fast, flagship, dearer], 5_000)).toEqual({
      // 10,000 in and 1,000 out: $0.06 at the dearest flagship, $0.003 here.
      routeSavedMicros: 60_000 - 3_000,
      contextSavedMicros: 1_000,
      savedMicros: 58_000,
      savedTokens: 5_000,
    })
  })

  it('compares what came from a provider’s cache with what that would have cost there', () => {
    const cached = { ...usage, cached: 10_000 }
    expect(savingsOf({ candidate: fast, usage: cached }, [fast, flagship]).routeSavedMicros).toBe(12_000 - 1_200)
  })

  it('is nothing by the route where a flagship answered, or where there is none', () => {
    expect(savingsOf({ candidate: flagship, usage }, [flagship, dearer]).routeSavedMicros).toBe(0)
    expect(savingsOf({ candidate: fast, usage }, [fast]).routeSavedMicros).toBe(0)
  })

  it('is nothing where a price is not known: the dearest that stands in for it was never going to be paid', () => {
    const unknown = candidate({ tier: 'fast' })
    const unknownFlagship = candidate({ tier: 'flagship' })
    expect(savingsOf({ candidate: unknown, usage }, [unknown, flagship], 5_000)).toMatchObject({ savedMicros: 0 })
    expect(savingsOf({ candidate: fast, usage }, [fast, unknownFlagship]).routeSavedMicros).toBe(0)
  })

  it('is the whole price on a model of our own, and no price of ours for a prompt', () => {
    const local = candidate({ tier: 'fast', local: true })
    expect(savingsOf({ candidate: local, usage }, [local, flagship], 5_000)).toMatchObject({
      routeSavedMicros: 30_000,
      contextSavedMicros: 0,
    })
  })

  it('is nothing when the built-in answerer stood in for models that are down', () => {
    const builtIn = candidate({ tier: 'fast', kind: 'built-in' })
    expect(savingsOf({ candidate: builtIn, usage }, [flagship, builtIn], 5_000)).toEqual({
      savedMicros: 0,
      savedTokens: 0,
      routeSavedMicros: 0,
      contextSavedMicros: 0,
    })
  })

  it('is never negative, never no number, and adds up, whatever a provider counted', () => {
    const count = fc.oneof(fc.integer({ min: -10, max: 1e9 }), fc.constantFrom(Number.NaN, 1.5, 2 ** 60))
    const price = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0, max: 100, noNaN: true }))) as fc.Arbitrary<
      [number, number, number]
    >
    fc.assert(
      fc.property(count, count, count, count, price, price, (tokensIn, out, cached, dropped, ours, theirs) => {
        const saved = savingsOf(
          { candidate: candidate({ tier: 'fast', price: ours }), usage: { ...usage, in: tokensIn, out, cached } },
          [candidate({ tier: 'flagship', price: theirs })],
          dropped,
        )
        for (const value of Object.values(saved)) expect(value).toBeGreaterThanOrEqual(0)
        expect(saved.savedMicros).toBe(saved.routeSavedMicros + saved.contextSavedMicros)
      }),
    )
  })

  it('is stored as a number even where none was counted', () => {
    const line = ledgerLine({
      workspaceId: 'w',
      task: 'answer',
      feature: 'chat',
      outcome: 'ok',
      routeSavedMicros: Number.NaN,
      contextSavedMicros: -4,
    })
    expect(line).toMatchObject({ routeSavedMicros: 0, contextSavedMicros: 0 })
  })
})
