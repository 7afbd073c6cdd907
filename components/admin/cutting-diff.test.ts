import { expect, it } from 'vitest'
import type { ShownPassage } from '#lib/shared/knowledge-contract.ts'
import { alignCuttings } from './cutting-diff.ts'

const text = 'One two three.\n\nFour five six.\n\nSeven eight.'
const stored = (ordinal: number, start: number, end: number): ShownPassage => ({
  chunkId: String(ordinal),
  ordinal,
  start: start + 100,
  end: end + 100,
  text: text.slice(start, end),
  headingPath: [],
  context: '',
  page: null,
  pageTo: null,
  tokens: 3,
  language: 'en',
  flags: [],
  injectionScore: 0,
  held: false,
  contentHash: String(ordinal),
})
const tried = (start: number, end: number) => ({
  start: start + 100,
  end: end + 100,
  headingPath: [],
  context: '',
  tokens: 3,
})

it('is level where both begin a passage, and tells which passages are the same', () => {
  const rows = alignCuttings(
    [stored(4, 0, 14), stored(5, 16, 30), stored(6, 32, 44)],
    [tried(0, 7), tried(8, 14), tried(16, 30), tried(32, 44)],
  )
  expect(
    rows.map((row) => [row.stored.map(({ ordinal }) => ordinal), row.tried.map((one) => one.text), row.same]),
  ).toEqual([
    [[4], ['One two', 'three.'], false],
    [[5], ['Four five six.'], true],
    [[6], ['Seven eight.'], true],
  ])
})

it('shows of a passage that begins before the stretch what lies in it, and leaves out what lies beyond', () => {
  const rows = alignCuttings([stored(5, 16, 30), stored(6, 32, 44)], [tried(-90, 25), tried(26, 90), tried(91, 99)])
  expect(rows).toMatchObject([
    {
      stored: [{ ordinal: 5 }, { ordinal: 6 }],
      tried: [
        { number: 1, text: 'Four five' },
        { number: 2, text: 'six.\n\nSeven eight.' },
      ],
      same: false,
    },
  ])
  expect(alignCuttings([stored(5, 16, 30)], [])).toMatchObject([{ tried: [], same: false }])
})
