import { expect, it } from 'vitest'
import {
  cutSentences,
  joinSentences,
  markerLegend,
  piecesOfSentence,
  sentencesOfDraft,
  withoutListMark,
  wordsOfGap,
} from './sentence-edit.ts'

const text = '- Logs are kept.[^1]\n- They are deleted after 90 days [^2][^3]. Ask first.\n\n**In short** it is so.[^4]'
const claimsOf = (...claims: string[]) =>
  claims.map((claim) => ({ start: text.indexOf(claim), end: text.indexOf(claim) + claim.length }))
const cut = cutSentences(
  text,
  claimsOf('Logs are kept.', 'They are deleted after 90 days [^2][^3].', 'Ask first.', 'it is so.'),
)

it('cuts an answer at its claims, each with its markers, and loses nothing', () => {
  expect(cut.sentences).toEqual([
    'Logs are kept.[^1]',
    'They are deleted after 90 days [^2][^3].',
    'Ask first.',
    'it is so.[^4]',
  ])
  expect(joinSentences(cut.gaps, cut.sentences)).toBe(text)
})

it('takes a sentence out with the space before it', () => {
  expect(joinSentences(['', ' ', ''], ['One.', ''])).toBe('One.')
})

it('stands what does not fit: claims that overlap or lie beyond the end', () => {
  const odd = cutSentences('One. Two.', [
    { start: 0, end: 6 },
    { start: 3, end: 99 },
    { start: 200, end: 300 },
  ])
  expect(joinSentences(odd.gaps, odd.sentences)).toBe('One. Two.')
})

it('finds the sentences of a draft again, and says when it cannot', () => {
  const edited = cut.sentences.with(1, 'They are deleted after 30 days; those of incidents after 90.[^2]')
  expect(sentencesOfDraft(cut, joinSentences(cut.gaps, edited))).toEqual(edited)
  expect(sentencesOfDraft(cut, text)).toEqual(cut.sentences)
  expect(sentencesOfDraft(cut, `So: ${text}`)).toBe(null)
  expect(sentencesOfDraft(cut, 'Something else altogether.')).toBe(null)
})

it('takes a sentence apart into words and markers', () => {
  expect(piecesOfSentence('After 90 days [^2][^13].')).toEqual([
    { text: 'After 90 days ' },
    { ordinal: 2 },
    { ordinal: 13 },
    { text: '.' },
  ])
})

it('takes the mark of a list away, and nothing that only looks like one', () => {
  for (const marked of ['- Ask first.', '* Ask first.', '1. Ask first.', '12) Ask first.', '  - Ask first.'])
    expect(withoutListMark(marked)).toBe('Ask first.')
  for (const plain of ['2024. It was so.', '-5 °C is cold.', '**Bold** words.', '1.5 percent.', 'Ask - first.'])
    expect(withoutListMark(plain)).toBe(plain)
})

it('finds the words between two sentences, and none where only marks stand', () => {
  expect(wordsOfGap('\n\n10. ')).toBe('')
  expect(wordsOfGap('\n- ')).toBe('')
  expect(wordsOfGap('\n\n- **In short** [^2]\n11. ')).toBe('**In short**')
})

it('says what a marker is called where its chip has another number, once each', () => {
  const citations = new Map([1, 2, 3].map((ordinal) => [ordinal, { n: Math.min(2, ordinal) }]))
  expect(markerLegend('One.[^1] Two.[^3] Three.[^3][^9]', citations)).toBe('[^3] is source 2')
  expect(markerLegend('One.[^1][^2]', citations)).toBe('')
})
