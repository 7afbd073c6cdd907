import { expect, test } from 'vitest'
import { bucketStarts, periodOf, ranges } from './operations-contract.ts'

const now = new Date('2026-11-21T10:43:45Z')

test('a week is today and the six days before, in UTC, and is compared with as much of the week before', () => {
  const period = periodOf('7d', now)
  expect(period.from.toISOString()).toBe('2026-11-15T00:00:00.000Z')
  expect(period.to).toEqual(now)
  expect(period.previousFrom.toISOString()).toBe('2026-11-08T00:00:00.000Z')
  expect(period.previousTo.toISOString()).toBe('2026-11-14T10:43:45.000Z')
})

test('24 hours end with the one that runs', () => {
  const starts = bucketStarts(periodOf('24h', now))
  expect(starts).toHaveLength(24)
  expect(starts.at(-1)?.toISOString()).toBe('2026-11-21T10:00:00.000Z')
})

test('every range has a bucket for each of its hours or days, also at midnight sharp', () => {
  const midnight = new Date('2026-11-21T00:00:00.001Z')
  for (const range of ranges)
    expect(bucketStarts(periodOf(range, midnight))).toHaveLength({ '24h': 24, '7d': 7, '30d': 30 }[range])
})
