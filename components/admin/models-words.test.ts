import { describe, expect, it } from 'vitest'
import type { CanaryRow, ModelUse, PlaceUse } from '#lib/shared/models-contract.ts'
import { shareText } from './models-values.ts'
import {
  breakerWords,
  canaryLook,
  canaryWords,
  limitWords,
  routeWords,
  scheduleWords,
  targetWords,
} from './models-words.ts'

const none: PlaceUse = { calls: 0, failed: 0, taken: 0, quality: null, judged: 0, firstTokenP50Ms: null }
const useOf = (local: number, hosted: number, builtIn = 0, gone = 0): Pick<ModelUse, 'places'> => ({
  places: {
    local: { ...none, taken: local },
    hosted: { ...none, taken: hosted },
    'built-in': { ...none, taken: builtIn },
    gone: { ...none, taken: gone },
  },
})

describe('the local share in words', () => {
  it.each([
    [useOf(8, 2), '80 % of 10 calls; the target of 80 % is reached'],
    [useOf(79, 21), '79 % of 100 calls; the target of 80 % is missed'],
    [useOf(7_999, 2_001), '79.9 % of 10,000 calls; the target of 80 % is missed'],
    [useOf(0, 1, 50), '0 % of 1 call; the target of 80 % is missed'],
    [useOf(1, 0, 0, 3), '25 % of 4 calls; the target of 80 % is missed'],
    [useOf(0, 0, 9), 'No model took anything'],
  ])('%#: %s', (use, words) => expect(targetWords(use, 0.8)).toBe(words))

  it('never rounds almost all to all, nor something to nothing', () => {
    expect([0, 0.0004, 0.004, 0.025, 0.5, 0.834, 0.9996, 1, null].map(shareText)).toEqual([
      '0 %',
      'under 0.1 %',
      '0.4 %',
      '2.5 %',
      '50 %',
      '83 %',
      '99.9 %',
      '100 %',
      '—',
    ])
  })
})

describe('a check of a model in words', () => {
  const row: CanaryRow = {
    state: 'ok',
    score: 1,
    baselineScore: 1,
    servedModel: 'm-1',
    baselineServed: 'm-1',
    fingerprint: null,
    baselineFingerprint: null,
    detail: '',
    checkedAt: '2026-11-21T09:00:00Z',
    changedAt: '2026-11-21T09:00:00Z',
  }

  it.each([
    [row, '100 % of its checks hold. It answers as m-1.'],
    [{ ...row, state: 'dropped', score: 0.5 }, '50 % of its checks hold, 100 % did at first. It answers as m-1.'],
    [
      { ...row, state: 'changed', servedModel: 'm-2', fingerprint: 'fp_2', baselineFingerprint: 'fp_1' },
      '100 % of its checks hold. It answers as m-2 (fp_2); it was m-1 (fp_1).',
    ],
    [{ ...row, state: 'unreachable', score: null, servedModel: null }, ''],
  ] satisfies [CanaryRow, string][])('%#', (canary, words) => expect(canaryWords(canary)).toBe(words))

  it('tells one that was never checked from one that was never reached, and both from one that was lost', () => {
    const lost: CanaryRow = { ...row, state: 'unreachable', score: null }
    expect([null, { ...lost, baselineScore: null }, lost, row].map((one) => canaryLook(one).words)).toEqual([
      'not checked yet',
      'has not answered yet',
      'did not answer',
      'as it was',
    ])
  })

  it('says when it is made', () => {
    expect([0, 1, 24].map(scheduleWords)).toEqual([
      expect.stringContaining('when somebody asks for it'),
      expect.stringContaining('every hour and'),
      expect.stringContaining('every 24 hours'),
    ])
  })
})

describe('a model’s state in words', () => {
  it('has the reason of an open breaker', () => {
    expect(breakerWords({ state: 'open', reason: 'rate-limited' })).toBe('breaker open: too many requests')
    expect(breakerWords({ state: 'half-open', reason: null })).toBe('breaker half open')
  })

  it('has the limits that are set', () => {
    expect(limitWords({ requestsPerMinute: 60, tokensPerMinute: 100_000 })).toBe(
      'at most 60 requests and 100,000 tokens a minute',
    )
    expect(limitWords({ requestsPerMinute: null, tokensPerMinute: 1_000 })).toBe('at most 1,000 tokens a minute')
    expect(limitWords({ requestsPerMinute: null, tokensPerMinute: null })).toBeNull()
  })

  it('names a route, and the tier of its model where that is another', () => {
    expect(routeWords({ route: 'fast', tier: 'fast' })).toEqual({ title: 'Fast', note: null })
    expect(routeWords({ route: 'fast', tier: 'standard' })).toEqual({ title: 'Fast', note: 'standard model' })
    expect(routeWords({ route: 'task model', tier: 'flagship' })).toEqual({
      title: 'Set for the task',
      note: 'flagship model',
    })
    expect(routeWords({ route: null, tier: null })).toEqual({ title: 'Without a route', note: null })
  })
})
