import { expect, it } from 'vitest'
import { reviewDetail } from '#components/fixtures/review-detail.ts'
import type { DeskItem } from './desk-contract.ts'
import { createTurns, type Shown } from './desk-turns.ts'
import type { Work } from './use-work.ts'

const item = (id: string, change = {}): DeskItem => ({
  item: reviewDetail({ id, ...change }),
  now: '2026-03-02T10:00:00.000Z',
})
const work = (note: string): Work => ({
  sentences: [],
  whole: null,
  note,
  comment: '',
  question: '',
  seen: new Set([3]),
})

/** A queue that gives each id once, unless it is let go again; wire and waiting are in the test's hands. */
const setUp = (waiting: string[]) => {
  const shown: Shown[] = []
  const log: string[] = []
  const taken = new Set<string>()
  const gets: ((id: string) => void)[] = []
  const turns = createTurns({
    initial: item('a'),
    take: async (except) => {
      const id = waiting.find((one) => !taken.has(one) && !except.includes(one))
      if (id) taken.add(id)
      return { value: id ? item(id) : null }
    },
    get: (id) => new Promise((resolve) => gets.push((as) => resolve({ value: item(id, { question: as }) }))),
    letGo: (id) => {
      taken.delete(id)
      log.push(id)
    },
    onShown: (one) => shown.push(one),
    after: () => () => undefined,
  })
  taken.add('a')
  turns.mine(true)
  return {
    turns,
    shown,
    log,
    gets,
    open: () => shown.flatMap((one) => (one.kind === 'item' ? one.opened.item.id : one.kind)),
  }
}

it('brings back what was done to an answer that another one was opened over', async () => {
  const { turns, shown, open } = setUp(['a', 'b', 'c'])
  await turns.decide()
  turns.mine(true)
  turns.wrote(item('b'), work('half an edit'))
  turns.takeBack('a')
  expect(shown.at(-1)).toMatchObject({ read: true })
  turns.mine(true)
  await turns.decide()
  expect(open()).toEqual(['b', 'a', 'b'])
  expect(shown.at(-1)).toMatchObject({ kept: { note: 'half an edit', seen: new Set([3]) }, read: false })
})

it('brings it back after “Open it” too, and only where the answer is the same', async () => {
  const { turns, shown, gets } = setUp(['a', 'b'])
  turns.wrote(item('a'), work('mine'))
  const opening = turns.open('x')
  gets[0]?.('')
  await opening
  await turns.pass(false)
  expect(shown.at(-1)).toMatchObject({ opened: { item: { id: 'a' } }, kept: { note: 'mine' } })

  const other = setUp(['a'])
  other.turns.wrote(item('a', { contentHash: 'b'.repeat(64) }), work('of other words'))
  const again = other.turns.open('x')
  other.gets[0]?.('')
  await again
  const back = other.turns.open('a')
  other.gets[1]?.('')
  await back
  expect(other.shown.at(-1)).toMatchObject({ kept: undefined })
})

it('does not let an answer that was asked for push away what was asked for after it', async () => {
  const { turns, gets, open } = setUp(['a', 'b'])
  const opening = turns.open('x')
  await turns.decide()
  gets[0]?.('')
  expect(await opening).toBe(null)
  expect(open()).toEqual(['b'])
})

it('goes through the queue instead of round between two, and begins again when it is asked to', async () => {
  const { turns, shown, open } = setUp(['a', 'b', 'c'])
  for (let i = 0; i < 3; i++) {
    await turns.pass(true)
    turns.mine(true)
  }
  expect(open()).toEqual(['b', 'c', 'none'])
  expect(shown.at(-1)).toMatchObject({ error: null, passed: 3 })
  await turns.lookAgain()
  expect(open().at(-1)).toBe('a')
})

it('lets go of everything that nobody works on, once the desk is left', async () => {
  const { turns, log } = setUp(['a', 'b', 'c'])
  await turns.decide()
  turns.mine(true)
  turns.leave()
  await Promise.resolve()
  expect(log.sort()).toEqual(['b', 'c'])
})

it('never opens what was just decided, nor leaves it to others', async () => {
  const { turns, log, open } = setUp(['a'])
  await turns.decide()
  await turns.pass(true)
  expect(open()).toEqual(['none', 'none'])
  expect(log).toEqual([])
})
