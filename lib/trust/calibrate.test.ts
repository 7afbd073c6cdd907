import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyLogistic,
  areaUnderCurve,
  calibrationError,
  fitLogistic,
  type Outcome,
  recalibrate,
  recalibrated,
  reliability,
  riskCoverage,
  sigmoid,
  unchanged,
  wilsonInterval,
} from './calibrate.ts'

const outcomes = (...pairs: [number, boolean][]): Outcome[] =>
  pairs.map(([probability, right]) => ({ probability, right }))

describe('a logistic fit', () => {
  it('finds the coefficients that made the data', () => {
    // Weighted samples stand for the exact shares, so that no chance is in it.
    const samples = [-3, -2, -1, 0, 1, 2, 3].flatMap((x) =>
      [0, 1].flatMap((y) => {
        const chance = sigmoid(0.5 + 1.5 * x - 2 * y)
        const features = [x, y]
        return [
          { features, right: true, weight: chance },
          { features, right: false, weight: 1 - chance },
        ]
      }),
    )
    const { bias, weights } = fitLogistic(samples, { l2: 1e-9 })
    expect(bias).toBeCloseTo(0.5, 3)
    expect(weights[0]).toBeCloseTo(1.5, 3)
    expect(weights[1]).toBeCloseTo(-2, 3)
  })

  it('stays finite where the kinds are apart, and where a feature never changes', () => {
    const samples = [0, 1, 2, 3].map((x) => ({ features: [x, 7], right: x > 1 }))
    const model = fitLogistic(samples, { l2: 0.1 })
    expect(applyLogistic(model, [3, 7])).toBeGreaterThan(0.9)
    expect([model.bias, ...model.weights].every(Number.isFinite)).toBe(true)
  })
})

describe('measures', () => {
  it('count the area under the curve with ties as halves, and know when there is none', () => {
    const of = (...pairs: [number, boolean][]) => areaUnderCurve(pairs.map(([score, right]) => ({ score, right })))
    expect(of([1, false], [2, false], [3, true], [4, true])).toBe(1)
    expect(of([1, true], [2, false], [2, true], [3, false])).toBe(0.125)
    expect(of([1, true])).toBeNull()
  })

  it('count how far said and right are apart, by bins, with the bounds of each', () => {
    const said = outcomes([0.9, true], [0.9, true], [0.9, false], [0.9, false], [0.1, false], [1, true])
    expect(calibrationError(said)).toBeCloseTo((Math.abs(4.6 - 3) + 0.1) / 6, 10)
    expect(reliability(said).at(-1)).toMatchObject({ count: 5, right: 0.6 })
    expect(calibrationError([])).toBe(0)
    const { low, high } = wilsonInterval(9, 10)
    expect([low, high].map((bound) => bound.toFixed(3))).toEqual(['0.596', '0.982'])
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 })
  })

  it('say what a threshold holds and what it shows', () => {
    const [point] = riskCoverage(outcomes([0.2, false], [0.4, true], [0.6, false], [0.8, true], [0.9, true]), [0.5])
    expect(point).toEqual({ threshold: 0.5, wrongHeld: 0.5, rightHeld: 1 / 3, risk: 1 / 3, coverage: 0.6 })
  })
})

describe('recalibration by decisions', () => {
  const decided = (count: number, confidence: number, rights: number) =>
    Array.from({ length: count }, (_, at) => ({ confidence, wasRight: at < count * rights }))

  it('leaves a confidence alone while nobody has decided', () => {
    expect(recalibrated(recalibrate(unchanged, []), 0.73)).toBe(0.73)
  })

  it('hardly moves for a few decisions, and follows many', () => {
    const said = 0.8
    const few = recalibrated(recalibrate(unchanged, decided(3, said, 0)), said)
    expect(few).toBeGreaterThan(0.6)
    expect(few).toBeLessThan(said)
    const many = recalibrated(recalibrate(unchanged, [...decided(500, said, 0.5), ...decided(500, 0.3, 0.1)]), said)
    expect(many).toBeGreaterThan(0.45)
    expect(many).toBeLessThan(0.56)
  })

  it('keeps the order of confidences, stays between 0 and 1, and passes over what is no probability', () => {
    const decision = fc.record({ confidence: fc.double({ min: 0, max: 1, noNaN: true }), wasRight: fc.boolean() })
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 40 }), (decisions) => {
        const bent = recalibrate(unchanged, [...decisions, { confidence: Number.NaN, wasRight: true }])
        expect(bent.decisions).toBe(decisions.length)
        const values = [0, 0.2, 0.5, 0.8, 1].map((confidence) => recalibrated(bent, confidence))
        expect(values).toEqual([...values].sort((a, b) => a - b))
        expect(values.every((value) => value >= 0 && value <= 1)).toBe(true)
      }),
    )
  })
})
