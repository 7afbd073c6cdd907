import { expect, it } from 'vitest'
import { wordDiff } from './word-diff.ts'

const words = (before: string, after: string): string =>
  wordDiff(before, after)
    .map(({ kind, text }) => (kind === 'same' ? text : kind === 'added' ? `{+${text}+}` : `{-${text}-}`))
    .join('')

it('marks the words that changed and leaves the others alone', () => {
  expect(words('Logs must be deleted after 90 days.', 'Logs must be deleted after 30 days.')).toBe(
    'Logs must be deleted after {-90-}{+30+} days.',
  )
  expect(words('Same.', 'Same.')).toBe('Same.')
  expect(words('', 'New.')).toBe('{+New.+}')
  expect(words('Gone.', '')).toBe('{-Gone.-}')
})

it('takes a phrase that was rewritten for one change, and a marker for one word', () => {
  expect(words('It is two full weeks now.', 'It is four short months now.')).toBe(
    'It is {-two full weeks-}{+four short months+} now.',
  )
  expect(words('After 90 days.[^3]', 'After 90 days.[^12]')).toBe('After 90 days.{-[^3]-}{+[^12]+}')
})

it('tells words apart where no spaces stand between them', () => {
  expect(words('日志保留三十天', '日志保留九十天')).toMatch(/^日志保留.*天$/)
})

it('loses nothing: both texts are made up by what is told, also of texts that are too long to compare by words', () => {
  const long = Array.from({ length: 4_000 }, (_, i) => `word${i % 97} `).join('')
  for (const [before, after] of [
    ['One two three four.', 'Zero two and four five.'],
    [long, `${long.slice(0, 3_000)}but here${long.slice(9_000)}`],
    [`${long}\n${long}`, `other ${long}\n${long.toUpperCase()}`],
  ] as const) {
    const changes = wordDiff(before, after)
    const without = (kind: string) => changes.flatMap((one) => (one.kind === kind ? [] : [one.text])).join('')
    expect(without('added')).toBe(before)
    expect(without('removed')).toBe(after)
  }
})
