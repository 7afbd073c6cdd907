import { expect, test } from 'vitest'
import { weightedKappa } from './kappa.ts'

type Pair = [number, number]
/** Pairs from a table of counts: row is the first rater's score. */
const fromTable = (table: number[][]): Pair[] =>
  table.flatMap((row, a) => row.flatMap((count, b) => Array.from({ length: count }, (): Pair => [a, b])))

test('on two levels it is plain kappa: the textbook table of 20, 5, 10, 15 gives .4', () => {
  expect(
    weightedKappa(
      fromTable([
        [20, 5],
        [10, 15],
      ]),
      2,
    ),
  ).toBeCloseTo(0.4, 10)
})

test('on three levels far apart counts more than near', () => {
  // By hand, from the marginals 8, 6, 6 and 7, 7, 6: five pairs are one step apart, one is two.
  const table = [
    [6, 1, 1],
    [1, 4, 1],
    [0, 2, 4],
  ]
  const expected = (8 * 7 + 8 * 6 * 4 + 6 * 7 + 6 * 6 + 6 * 7 * 4 + 6 * 7) / 400
  expect(weightedKappa(fromTable(table), 3)).toBeCloseTo(1 - (5 + 4) / 20 / expected, 10)
  const near = weightedKappa(
    fromTable([
      [5, 1, 0],
      [0, 5, 0],
      [0, 0, 5],
    ]),
    3,
  )
  const far = weightedKappa(
    fromTable([
      [5, 0, 1],
      [0, 5, 0],
      [0, 0, 5],
    ]),
    3,
  )
  expect(near).toBeGreaterThan(far ?? 1)
})

test('full agreement is 1, full disagreement is -1, chance is 0', () => {
  expect(
    weightedKappa(
      fromTable([
        [3, 0, 0],
        [0, 4, 0],
        [0, 0, 5],
      ]),
      3,
    ),
  ).toBe(1)
  expect(
    weightedKappa(
      fromTable([
        [0, 5],
        [5, 0],
      ]),
      2,
    ),
  ).toBe(-1)
  expect(
    weightedKappa(
      fromTable([
        [4, 4],
        [4, 4],
      ]),
      2,
    ),
  ).toBe(0)
})

test('without pairs, or where all say the same, there is nothing to tell chance from', () => {
  expect(weightedKappa([], 3)).toBeNull()
  expect(
    weightedKappa(
      fromTable([
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 9],
      ]),
      3,
    ),
  ).toBeNull()
})
