import { describe, expect, it } from 'vitest'
import { confidenceOf } from './confidence.ts'

const relevance = { near: 0.6, coverage: 0.9 }

describe('confidence', () => {
  it('is high where every statement is cited and supported, and says why', () => {
    const sure = confidenceOf({
      text: 'Signing keys are rotated every 90 days.',
      claims: { total: 1, supported: 1 },
      relevance,
    })
    expect(sure.value).toBeCloseTo(0.97)
    expect(sure.reasons.join(' ')).toContain('1 of 1 cited claims')
  })

  it('falls with claims that are not supported, with statements that cite nothing, and with passages that do not fit', () => {
    const text = 'Keys are rotated every 90 days. The team does it on Mondays. It takes an hour in all.'
    const value = (supported: number, total: number, coverage = 0.9) =>
      confidenceOf({ text, claims: { total, supported }, relevance: { near: null, coverage } }).value
    expect(value(3, 3)).toBeGreaterThan(value(2, 3))
    expect(value(3, 3)).toBeGreaterThan(value(1, 1))
    expect(value(3, 3)).toBeGreaterThan(value(3, 3, 0.2))
    expect(value(0, 0)).toBeLessThanOrEqual(0.3)
  })

  it('stays between 0 and 1 whatever the encoder says', () => {
    const value = (near: number) =>
      confidenceOf({ text: '', claims: { total: 0, supported: 0 }, relevance: { near, coverage: 0 } }).value
    expect(value(-3)).toBe(0)
    expect(value(7)).toBe(0.3)
  })
})
