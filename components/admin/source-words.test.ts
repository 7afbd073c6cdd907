import { expect, test } from 'vitest'
import { nextRunWords, placeOf, progressWords, scheduleWords, stateLook, tallyWords } from './source-words.ts'

const nothing = { added: 0, changed: 0, unchanged: 0, deleted: 0, failed: 0, gone: 0 }

test('a tally says what happened and leaves out what did not', () => {
  expect(tallyWords({ ...nothing, added: 1_200, failed: 3 })).toBe('1,200 added, 3 failed')
  expect(tallyWords({ ...nothing, unchanged: 4 })).toBe('4 unchanged')
  expect(tallyWords(nothing)).toBe('nothing there')
})

test('how many there are is said only when it is known', () => {
  expect(progressWords({ done: 412, total: 668 })).toBe('412 of 668')
  expect(progressWords({ done: 412, total: 0 })).toBe('412 so far')
})

test('a run that went well with something to know does not look like one without', () => {
  expect(stateLook({ state: 'idle', failure: null }).words).toBe('Up to date')
  expect(stateLook({ state: 'idle', failure: 'cut' }).variant).toBe('warning')
})

test('the next run is told in the unit that fits', () => {
  const in_ = (minutes: number) => nextRunWords(new Date(minutes * 60_000).toISOString(), 0)
  expect([in_(-5), in_(45), in_(300), in_(10_080)]).toEqual([
    'next run within a minute',
    'next run in 45 min',
    'next run in 5 h',
    'next run in 7 d',
  ])
  expect(nextRunWords(null)).toBeNull()
})

test('schedules and places have words, also those that nobody foresaw', () => {
  expect(scheduleWords(null)).toBe('Only when asked')
  expect(scheduleWords(45)).toBe('Every 45 minutes')
  expect(placeOf({ config: { path: '/srv/docs' } })).toBe('/srv/docs')
  expect(placeOf({ config: {} })).toBe('')
})
