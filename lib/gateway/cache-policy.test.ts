import { describe, expect, it } from 'vitest'
import {
  certaintyOf,
  fitPrior,
  measuredPrior,
  policySimilarity,
  similarityMin,
  wrongShareLimit,
} from './cache-policy.ts'

const seen = (count: number, similarity: number, same: boolean) =>
  Array.from({ length: count }, () => ({ similarity, same }))

/** mulberry32 */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) >>> 0
  let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

describe('certainty', () => {
  it('is not enough for 2 % or 5 % wrong before an answer was ever observed', () => {
    for (const similarity of [0.8, 0.9, 0.95, 0.99, 1]) expect(certaintyOf(similarity, [])).toBeLessThan(0.95)
  })

  it('is earned by having been right', () => {
    expect(certaintyOf(0.98, seen(100, 0.97, true))).toBeGreaterThan(0.95)
    expect(certaintyOf(0.98, seen(240, 0.97, true))).toBeGreaterThan(0.98)
  })

  it('is lost by having been wrong', () => {
    const right = seen(100, 0.97, true)
    expect(certaintyOf(0.98, [...right, ...seen(5, 0.97, false)])).toBeLessThan(0.95)
    expect(certaintyOf(0.98, seen(30, 0.97, false))).toBeLessThan(certaintyOf(0.98, []))
  })

  it('does not spread from near questions to far ones', () => {
    expect(certaintyOf(0.85, seen(240, 0.99, true))).toBeLessThan(0.9)
  })

  it('never falls as questions come nearer', () => {
    for (const observations of [[], seen(20, 0.95, true), seen(20, 0.99, false), seen(9, 0.85, false)]) {
      let before = 0
      for (let similarity = similarityMin; similarity <= 1; similarity += 0.01) {
        const certainty = certaintyOf(similarity, observations)
        // The curve's band is narrowest where most was seen, so the bound may sink by a hair beside it.
        expect(certainty).toBeGreaterThan(before - 0.05)
        before = certainty
      }
    }
  })

  it('is none outside what was measured and for numbers that are none', () => {
    for (const similarity of [0.5, 1.2, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(certaintyOf(similarity, [])).toBe(0)
    expect(certaintyOf(0.95, [{ similarity: Number.NaN, same: true }])).toBe(certaintyOf(0.95, []))
  })

  it('keeps its bound where the truth is known', () => {
    const random = seeded(3)
    // Answers that are right at a rate of their own, from hopeless to perfect; each learns from 120 near questions, then is asked.
    let hits = 0
    let wrong = 0
    for (let answer = 0; answer < 400; answer += 1) {
      const rate = answer % 4 === 0 ? 0.999 : 0.7 + 0.3 * random()
      const observations = Array.from({ length: 120 }, () => ({
        similarity: 0.93 + 0.07 * random(),
        same: random() < rate,
      }))
      if (certaintyOf(0.97, observations) < 0.95) continue
      hits += 1
      wrong += 1 - rate
    }
    expect(hits).toBeGreaterThan(50)
    expect(wrong / hits).toBeLessThan(0.05)
  })
})

describe('the prior', () => {
  it('is found again in pairs that were made with it', () => {
    const random = seeded(1)
    const pairs = Array.from({ length: 20_000 }, () => {
      const cosine = 0.8 + 0.2 * random()
      const sameWording = random() < 0.5
      const odds = 2.6 + (0.8 * ((sameWording ? cosine : cosine - 0.05) - 0.95)) / 0.05
      return { cosine, sameWording, same: random() < 1 / (1 + Math.exp(-odds)) }
    })
    const prior = fitPrior('some-encoder', pairs)
    expect(prior.encoder).toBe('some-encoder')
    expect(prior.mean[0]).toBeCloseTo(2.6, 0)
    expect(prior.mean[1]).toBeCloseTo(0.8, 0)
    expect(prior.rewording).toBeCloseTo(0.05, 1)
  })

  it('takes off what another wording costs', () => {
    expect(policySimilarity({ cosine: 0.97, sameWording: true })).toBe(0.97)
    expect(policySimilarity({ cosine: 0.97, sameWording: false })).toBeCloseTo(0.97 - measuredPrior.rewording)
  })
})

describe('the limit of a share', () => {
  it('is the textbook one', () => {
    // Clopper and Pearson, one-sided 95 %: 1 - .05^(1/n) without a wrong one; 3 of 150 from tables of the beta distribution.
    expect(wrongShareLimit(0, 59, 0.05)).toBeCloseTo(0.0495, 3)
    expect(wrongShareLimit(3, 150, 0.05)).toBeCloseTo(0.0509, 3)
    expect(wrongShareLimit(0, 0, 0.05)).toBe(1)
    expect(wrongShareLimit(7, 7, 0.05)).toBe(1)
  })
})
