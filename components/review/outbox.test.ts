import { expect, it } from 'vitest'
import { createOutbox, graceMs, outlivesPage, type Sent, type Waiting } from './outbox.ts'

const decision = (itemId: string): Waiting => ({
  request: { itemId, contentHash: 'a', decisionId: `${itemId}-1`, decision: { act: 'approve', seen: [] } },
  question: `Question of ${itemId}`,
  words: 'Approved',
})

/** A clock that stands until it is moved. */
const setUp = (answers: Sent[] = []) => {
  let nowMs = 0
  let timers: { atMs: number; run: () => void }[] = []
  const sent: string[] = []
  const log: string[] = []
  const outbox = createOutbox({
    send: async ({ itemId, decisionId }) => {
      sent.push(decisionId)
      return answers.shift() ?? { value: { itemId, state: 'approved', decidedAt: '', by: 'Ana', seed: null } }
    },
    onWaiting: (waiting) => log.push(waiting ? `waits ${waiting.request.itemId}` : 'nothing waits'),
    onSent: ({ request }) => log.push(`sent ${request.itemId}`),
    onRefused: ({ itemId, words }) => log.push(`refused ${itemId}: ${words}`),
    clock: {
      now: () => nowMs,
      after: (ms, run) => {
        const timer = { atMs: nowMs + ms, run }
        timers.push(timer)
        return () => {
          timers = timers.filter((one) => one !== timer)
        }
      },
    },
  })
  const pass = async (ms: number): Promise<void> => {
    nowMs += ms
    const due = timers.filter(({ atMs }) => atMs <= nowMs)
    timers = timers.filter(({ atMs }) => atMs > nowMs)
    for (const { run } of due) run()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { outbox, sent, log, pass }
}

it('sends a decision after its grace, and not before', async () => {
  const { outbox, sent, log, pass } = setUp()
  outbox.put(decision('one'))
  await pass(graceMs - 1)
  expect(sent).toEqual([])
  await pass(1)
  expect(log).toEqual(['waits one', 'nothing waits', 'sent one'])
  expect(outbox.takeBack()).toBe(null)
})

it('does not send what was taken back', async () => {
  const { outbox, sent, pass } = setUp()
  outbox.put(decision('one'))
  expect(outbox.takeBack()?.request.itemId).toBe('one')
  await pass(graceMs * 2)
  expect(sent).toEqual([])
})

it('sends the one that waits when another is made, and when the page is left', async () => {
  const { outbox, sent, pass } = setUp()
  outbox.put(decision('one'))
  outbox.put(decision('two'))
  expect(sent).toEqual(['one-1'])
  outbox.flush()
  await pass(graceMs)
  expect(sent).toEqual(['one-1', 'two-1'])
})

it('tries again with the same id where that can help, and says what was not taken', async () => {
  const lost = { error: 'Not reached.', retryable: true }
  const again = setUp([lost])
  again.outbox.put(decision('one'))
  await again.pass(graceMs)
  await again.pass(2_000)
  expect(again.sent).toEqual(['one-1', 'one-1'])
  expect(again.log.at(-1)).toBe('sent one')

  const refused = setUp([{ error: 'Ben approved it at 10:42.', retryable: false }])
  refused.outbox.put(decision('one'))
  await refused.pass(graceMs)
  expect(refused.log.at(-1)).toBe('refused one: Ben approved it at 10:42.')

  const gone = setUp([lost, lost, lost, lost])
  gone.outbox.put(decision('one'))
  for (let i = 0; i < 5; i++) await gone.pass(graceMs)
  expect(gone.sent).toHaveLength(3)
  expect(gone.log.at(-1)).toMatch(/refused one/)
})

it('sends again what nobody has answered when the page goes away, with the same id, and tells of it once', async () => {
  const lost = { error: 'Not reached.', retryable: true }
  const { outbox, sent, log, pass } = setUp([lost])
  outbox.put(decision('one'))
  await pass(graceMs)
  expect(outbox.unsent().map(({ itemId }) => itemId)).toEqual(['one'])
  outbox.put(decision('two'))
  outbox.leave()
  await pass(0)
  expect(sent).toEqual(['one-1', 'two-1', 'one-1'])
  expect(outbox.unsent()).toEqual([])
  for (let i = 0; i < 3; i++) await pass(graceMs)
  expect(sent).toHaveLength(3)
  expect(log.filter((line) => line.startsWith('sent'))).toEqual(['sent two', 'sent one'])
})

it('lets a decision outlive its page only where a browser allows it', () => {
  const { request } = decision('one')
  const edit = (text: string) => ({ ...request, decision: { act: 'edit' as const, text } })
  expect(outlivesPage(edit('a'.repeat(40_000)))).toBe(true)
  expect(outlivesPage(edit('字'.repeat(40_000)))).toBe(false)
})
