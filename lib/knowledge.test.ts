import { expect, it } from 'vitest'
import { scoreRanking } from './knowledge.ts'

const manual = '0198a4a0-0000-7000-8000-000000000001'
const handbook = '0198a4a0-0000-7000-8000-000000000002'
const passage = (documentId: string, text: string) => ({ documentId, text })
const quote = 'The valve opens at 37 bar and closes at 31 bar.'

it('scores a ranking by the words that were expected, whatever their case and line breaks', () => {
  const ranked = [
    passage(handbook, 'Leave is 25 days.'),
    passage(manual, 'Valves\nTHE valve opens at\n37 bar and closes at 31 bar. It is green.'),
  ]
  expect(scoreRanking(ranked, [{ documentId: manual, quote }])).toEqual({ recall: 1, reciprocalRank: 0.5 })
})

it('does not take the same words in another document for what was expected', () =>
  expect(scoreRanking([passage(handbook, quote)], [{ documentId: manual, quote }])).toEqual({
    recall: 0,
    reciprocalRank: 0,
  }))

it('still finds a quote that a new border cuts in two', () => {
  const ranked = [passage(manual, `Before. ${quote.slice(0, 30)}`), passage(manual, `${quote.slice(30)} After.`)]
  expect(scoreRanking(ranked, [{ documentId: manual, quote }]).reciprocalRank).toBe(1)
})

it('counts what is among the first eight as found, and the place of what comes later', () => {
  const ranked = Array.from({ length: 9 }, (_, at) => passage(manual, at === 8 ? quote : `Page ${at}`))
  expect(scoreRanking(ranked, [{ documentId: manual, quote }])).toEqual({ recall: 0, reciprocalRank: 1 / 9 })
  expect(
    scoreRanking(ranked, [
      { documentId: manual, quote: 'Page 0' },
      { documentId: manual, quote },
    ]).recall,
  ).toBe(0.5)
})
