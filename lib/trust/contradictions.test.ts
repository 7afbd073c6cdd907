import { describe, expect, it } from 'vitest'
import type { Evidence } from '#lib/rag/index.ts'
import { findContradictions } from './contradictions.ts'

type Passage = Evidence['passages'][number]
// Only what is read of a passage.
const passages = (...texts: string[]) =>
  texts.map(
    (text, at) => ({ n: at + 1, chunkId: `c${at}`, documentId: `d${at}`, title: `Paper ${at + 1}`, text }) as Passage,
  )
const kinds = (...texts: string[]) => findContradictions(passages(...texts)).map(({ kind }) => kind)

describe('sources that disagree', () => {
  it.each([
    ['number', 'The notice period for staff is 14 days.', 'The notice period for staff is 30 days.'],
    [
      'date',
      'The new travel policy takes effect on 1 March 2026.',
      'The new travel policy takes effect on 1 May 2026.',
    ],
    ['negation', 'Remote work from abroad is allowed for staff.', 'Remote work from abroad is not allowed for staff.'],
    [
      'opposite',
      'The treatment increased the survival of the patients.',
      'The treatment reduced the survival of the patients.',
    ],
  ])('are named by what they disagree on: %s', (kind, one, two) => {
    expect(kinds(one, two)).toEqual([kind])
    const [found] = findContradictions(passages(one, two))
    expect(found?.words).toContain('Paper 1')
    expect(found?.words).toContain(two)
  })

  it.each([
    ['the same twice', 'The notice period for staff is 14 days.', 'The notice period for staff is 14 days.'],
    [
      'another year',
      'The revenue of the group was 14 million in 2023.',
      'The revenue of the group was 19 million in 2024.',
    ],
    [
      'another name',
      'The hotel limit per night in Austria is 145 euros.',
      'The hotel limit per night in Portugal is 125 euros.',
    ],
    ['rows', '| Hotel limit per night | 145 |', '| Hotel limit per night | 125 |'],
    ['other matters', 'The notice period for staff is 14 days.', 'The warranty of the pump ends after 30 days of use.'],
  ])('are not those that speak of %s', (_, one, two) => {
    expect(kinds(one, two)).toEqual([])
  })
})
