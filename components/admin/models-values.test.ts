import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDollars, formatPercent, parseNumber } from './models-values.ts'

describe('amounts that people type', () => {
  it.each([
    ['', null],
    ['  ', null],
    ['0', 0],
    ['2.50', 2.5],
    [' $ 3 ', 3],
    ['-1', -1],
    ['0.000001', 0.000001],
    ['1,50', undefined],
    ['1,000', undefined],
    ['1e9', undefined],
    ['free', undefined],
    ['NaN', undefined],
    ['--1', undefined],
    ['9'.repeat(400), undefined],
  ])('%j is %j', (text, value) => expect(parseNumber(text)).toBe(value))

  it('are shown so that reading them again gives the same micro-dollars', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e13 }), (micros) => {
        expect(Math.round((parseNumber(formatDollars(micros)) ?? 0) * 1_000_000)).toBe(micros)
      }),
    )
    expect([0, 1, 2_500_000, 10_000_000, null].map(formatDollars)).toEqual(['0', '0.000001', '2.5', '10', ''])
  })

  it('as shares are percent without a tail', () => {
    expect([0.02, 0.07, 0.285, 1, 0].map(formatPercent)).toEqual(['2', '7', '28.5', '100', '0'])
  })
})
