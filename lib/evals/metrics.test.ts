import { describe, expect, it } from 'vitest'
import { ndcg, percentile, recall, reciprocalRank } from './metrics.ts'

describe('measures of a ranking', () => {
  const grades = new Map([
    ['a', 2],
    ['b', 1],
    ['c', 0],
  ])

  it('gives the ideal order 1 and a worse one less', () => {
    expect(ndcg(['a', 'b', 'x'], grades, 10)).toBe(1)
    expect(ndcg(['b', 'a'], grades, 10)).toBeCloseTo((1 + 2 / Math.log2(3)) / (2 + 1 / Math.log2(3)), 10)
    expect(ndcg(['x', 'c'], grades, 10)).toBe(0)
  })

  it('counts relevant documents only, and only to the depth', () => {
    expect(recall(['c', 'a'], grades, 10)).toBe(0.5)
    expect(recall(['x', 'a', 'b'], grades, 2)).toBe(0.5)
    expect(reciprocalRank(['c', 'b'], grades, 10)).toBe(0.5)
    expect(reciprocalRank(['x'], grades, 10)).toBe(0)
  })

  it('takes percentiles by nearest rank', () => {
    expect(percentile([5, 1, 3], 0.5)).toBe(3)
    expect(percentile([1, 2, 3, 4], 0.95)).toBe(4)
  })
})
