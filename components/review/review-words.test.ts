import { expect, it } from 'vitest'
import { reviewDetail, reviewRow } from '#components/fixtures/review-detail.ts'
import { bulkRefusal, clockOf, dueOf, holderOf, spanInWords, unseenOf } from './review-words.ts'

const nowMs = Date.parse('2026-03-02T10:00:00Z')
const inMinutes = (minutes: number): string => new Date(nowMs + minutes * 60_000).toISOString()

it('says how much time is left, and for how long it has been over', () => {
  expect(dueOf(inMinutes(130), nowMs)).toEqual({ words: 'due in 2 h 10 min', state: 'fine' })
  expect(dueOf(inMinutes(12), nowMs)).toEqual({ words: 'due in 12 min', state: 'soon' })
  expect(dueOf(inMinutes(-1_500), nowMs)).toEqual({ words: 'late by 1 d 1 h', state: 'late' })
  expect(spanInWords(20_000)).toBe('under a minute')
  expect(clockOf(582_900)).toBe('9:42')
  expect(clockOf(-1)).toBe('0:00')
})

it('says who has an answer; a claim that ran out is nobody’s', () => {
  const claimed = (id: string, minutes: number) => ({ claimedBy: { id, name: 'Ben', until: inMinutes(minutes) } })
  expect(holderOf(claimed('me', 9.7), 'me', nowMs)).toEqual({ who: 'you', words: 'yours for 9:42' })
  expect(holderOf(claimed('ben', 5), 'me', nowMs)).toEqual({ who: 'other', words: 'Ben has it' })
  expect(holderOf(claimed('ben', -0.1), 'me', nowMs).who).toBe('nobody')
  expect(holderOf({ claimedBy: null }, 'me', nowMs).who).toBe('nobody')
})

it('asks for the sources of what is flagged, once each, and for none that is gone', () => {
  const item = reviewDetail()
  expect(unseenOf(item, new Set())).toEqual([3])
  expect(unseenOf(item, new Set([3]))).toEqual([])
  const gone = item.citations.map((one) => ({ ...one, removed: true }))
  expect(unseenOf({ ...item, citations: gone }, new Set())).toEqual([])
})

it('lets only free, shown answers with one reason be approved together', () => {
  const sampled = reviewRow({ kind: 'sampled', held: false, reason: 'sampled', claimedBy: null })
  const refusal = (...rows: Parameters<typeof bulkRefusal>[0]) => bulkRefusal(rows, 'me', nowMs)
  expect(refusal(sampled, { ...sampled, id: 'b' })).toBe(null)
  expect(refusal()).toMatch(/Choose/)
  expect(refusal(sampled, { ...sampled, kind: 'held', held: true })).toMatch(/one by one/)
  expect(refusal(sampled, { ...sampled, reason: 'confidence' })).toMatch(/same reason/)
  expect(refusal({ ...sampled, kind: 'feedback' })).toMatch(/sampled and queued/)
  expect(refusal({ ...sampled, claimedBy: { id: 'ben', name: 'Ben', until: inMinutes(3) } })).toMatch(/Somebody/)
})
