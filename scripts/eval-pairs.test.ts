import { expect, test } from 'vitest'
import { foldsOf, type Pair, unrelatedTo } from './eval-pairs.ts'

const topics = ['leave', 'pumps', 'bread', 'whales', 'treaties', 'wrenches', 'oceans', 'budgets']

/** Chains of pairs: every claim is held against two texts, every text is held against two claims. */
const chained = (topic: string) =>
  Array.from({ length: 6 }, (_, at) => ({
    claim: `${topic} claim ${Math.floor(at / 2)}`,
    text: `${topic} text ${Math.ceil(at / 2)}`,
  }))

test('pairs that share a text or a claim, be it by way of others, are in one fold, whatever their order', () => {
  const pairs = topics.flatMap(chained)
  const folds = foldsOf(pairs)
  const seen = topics.map((topic) => new Set(folds.filter((_, at) => pairs[at]?.claim.startsWith(topic))))
  expect(seen.map(({ size }) => size)).toEqual(topics.map(() => 1))
  expect(new Set(folds).size).toBeGreaterThan(2)
  expect(foldsOf(pairs.toReversed())).toEqual(folds.toReversed())
})

test('an unrelated text is of the same fold, shares most words, and was not held against the claim', () => {
  const pair = (claim: string, text: string, fold: number): Pair => ({
    set: 'scifact',
    claim,
    text,
    fold,
    supports: true,
  })
  const pairs = [
    pair('Pumps are cooled', 'The pumps are cooled before noon.', 0),
    pair('Pumps are cooled', 'Pumps are never cooled.', 0),
    pair('Bread is baked', 'Bread is baked at noon.', 0),
    pair('Leave is agreed', 'Pumps and seals are changed.', 0),
    pair('Whales sing', 'Pumps are cooled.', 1),
    pair('Oceans are wide', 'Oceans are deep.', 1),
  ]
  const made = unrelatedTo(pairs)
  expect(made.map(({ claim }) => claim)).toEqual([...new Set(pairs.map(({ claim }) => claim))])
  expect(made[0]).toEqual({
    set: 'unrelated',
    claim: 'Pumps are cooled',
    text: 'Pumps and seals are changed.',
    fold: 0,
    supports: false,
  })
  expect(made.find(({ claim }) => claim === 'Whales sing')).toMatchObject({ text: 'Oceans are deep.', fold: 1 })
})
