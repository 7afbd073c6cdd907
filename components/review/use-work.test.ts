import { expect, it } from 'vitest'
import { type Saved, saveAfterMs, savedAfter } from './use-work.ts'

const known: Saved = { text: 'As it was.', note: '', at: null, error: null, failures: 0 }
const typed = { text: 'As it is now.', note: 'Why.' }

it('does not count a draft as saved that was not, so that it is tried again, ever later', () => {
  const once = savedAfter(known, typed, { error: 'Not reached.' })
  expect(once).toEqual({ ...known, error: 'Not reached.', failures: 1 })
  const waits = [known]
  for (let i = 0; i < 8; i++) waits.push(savedAfter(waits.at(-1) ?? known, typed, { error: 'Not reached.' }))
  expect(waits.map(saveAfterMs)).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000])
})

it('knows what the server has once it has taken it', () => {
  const failed = savedAfter(known, typed, { error: 'Not reached.' })
  expect(savedAfter(failed, typed, { value: { updatedAt: '2026-03-02T10:00:00Z' } })).toEqual({
    ...typed,
    ...{ at: '2026-03-02T10:00:00Z', error: null, failures: 0 },
  })
})
