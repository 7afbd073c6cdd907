import { expect, test } from 'vitest'
import type { JudgedAnswer } from '#db/queries/confidence.ts'
import { recalibrated } from '#lib/trust/index.ts'
import { fitOf, weightsOf } from './recalibrate.ts'

const judged = (over: Partial<JudgedAnswer> = {}): JudgedAnswer => ({
  ...{ stratum: 'shown', confidence: 0.9, right: true, slope: 1, intercept: 0 },
  ...over,
})
/** `share` of them right, spread evenly. */
const many = (count: number, share: number, over: Partial<JudgedAnswer> = {}): JudgedAnswer[] =>
  Array.from({ length: count }, (_, at) =>
    judged({ ...over, right: Math.floor((at + 1) * share) > Math.floor(at * share) }),
  )

test('each kind of answer counts as often as it was given, however many of it were looked at', () => {
  const some = [judged(), ...many(3, 1, { stratum: 'held' })]
  const weights = weightsOf(some, { shown: 90, held: 3 })
  expect(weights[0]).toBeCloseTo(90 * (weights[1] ?? 0), 10)
  // Of what was deleted since nobody knows any more: what was judged is there.
  expect(weightsOf(some, {})).toEqual([1, 1, 1, 1])
  expect(weightsOf([], {})).toEqual([])
})

test('what reviewers see most does not bend what readers see most', () => {
  // Shown answers say 90 % and are right in 90 %; held ones say the same and are nearly always wrong.
  const some = [...many(40, 0.9), ...many(40, 0.1, { stratum: 'held' })]
  const naive = recalibrated(fitOf(some, { shown: 40, held: 40 }), 0.9)
  const weighted = recalibrated(fitOf(some, { shown: 4_000, held: 40 }), 0.9)
  expect(naive).toBeLessThan(0.75)
  expect(weighted).toBeGreaterThan(0.8)
})

test('many decisions bring confidence to where it should be, few leave it where it is', () => {
  const overconfident = (count: number) => [
    ...many(count, 0.5, { confidence: 0.9 }),
    ...many(count, 0.2, { confidence: 0.6 }),
  ]
  const fit = fitOf(overconfident(200), {})
  expect(recalibrated(fit, 0.9)).toBeCloseTo(0.5, 1)
  expect(fit.errorBefore).toBeGreaterThan(0.35)
  expect(fit.errorAfter).toBeLessThan(0.05)
  const few = fitOf(overconfident(2), {})
  expect(recalibrated(few, 0.9)).toBeGreaterThan(0.75)
})

test('a fit that foretells what it was not made of no better than none is not taken', () => {
  const fit = fitOf([...many(3, 1, { confidence: 0.8 }), judged({ right: false, confidence: 0.2 })], {})
  expect(fit).toMatchObject({ slope: 1, bias: 0, decisions: 4 })
  expect(fit.errorAfter).toBe(fit.errorBefore)
  // Said as often as it is so: there is nothing to mend.
  expect(fitOf(many(100, 0.9), {})).toMatchObject({ slope: 1, bias: 0 })
})

test('a fit is made of what was said before the last one bent it, so that none feeds on another', () => {
  const plain = [...many(60, 0.5, { confidence: 0.9 }), ...many(60, 0.2, { confidence: 0.6 })]
  const bend = { bias: -1, slope: 0.5, decisions: 1 }
  const bent = plain.map((one) => ({
    ...one,
    confidence: recalibrated(bend, one.confidence),
    slope: bend.slope,
    intercept: bend.bias,
  }))
  const [one, other] = [fitOf(plain, {}), fitOf(bent, {})]
  expect(other.bias).toBeCloseTo(one.bias, 6)
  expect(other.slope).toBeCloseTo(one.slope, 6)
})
