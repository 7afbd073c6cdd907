import { expect, test } from 'vitest'
import type { Feedback } from '#lib/shared/review-contract.ts'
import { createSaid } from './said.ts'

const good: Feedback = { value: 1, reasons: ['clear'], comment: 'Short and right.' }
const bad: Feedback = { value: -1, reasons: ['wrong'], comment: '' }
const refused = { error: 'Footnote could not be reached.' }

/** A server that answers when the test says so. */
const open = (stored: Feedback | null, draft = '') => {
  const sent: (Feedback | null)[] = []
  const answers: ((answer: { value: Feedback | null } | { error: string }) => void)[] = []
  const drafts: string[] = []
  const said = createSaid({
    stored,
    draft,
    onDraft: (words) => drafts.push(words),
    send: (one) => {
      sent.push(one)
      return new Promise((resolve) => answers.push(resolve))
    },
  })
  const settle = () => new Promise(setImmediate)
  /** The request that runs ends: kept as it was sent, or refused. */
  const answer = async (with_: 'kept' | typeof refused): Promise<void> => {
    await settle()
    answers.shift()?.(with_ === 'kept' ? { value: sent.at(-1) ?? null } : with_)
    await settle()
  }
  return { said, state: said.state.get, sent, answer, settle, drafts }
}

test('another thumb takes the stored words along, and leaves the reasons of the first', async () => {
  const { said, state, sent, answer } = open(good)
  const pressed = said.press(-1)
  expect(state().said?.value).toBe(-1)
  await answer('kept')
  expect(await pressed).toBe(true)
  expect(sent).toEqual([{ value: -1, reasons: [], comment: 'Short and right.' }])
  expect(state()).toMatchObject({ reasons: [], comment: 'Short and right.', pending: false })
})

test('a thumb sends no words that nobody has sent', async () => {
  const { said, state, sent, answer } = open(null)
  said.type('Only thinking aloud')
  void said.press(-1)
  await answer('kept')
  expect(sent).toEqual([{ value: -1, reasons: [], comment: '' }])
  expect(state().comment).toBe('Only thinking aloud')
})

test('refused, everything stands as it did: the thumb, the reasons and the words', async () => {
  const { said, state, answer } = open(good)
  said.type('Short, right, and well cited.')
  const pressed = said.press(-1)
  await answer(refused)
  expect(await pressed).toBe(false)
  expect(state()).toEqual({
    said: good,
    thumb: 1,
    reasons: ['clear'],
    comment: 'Short, right, and well cited.',
    problem: refused.error,
    pending: false,
  })
})

test('a first thumb that could not be kept is sent again with the words', async () => {
  const { said, state, sent, answer } = open(null)
  void said.press(-1)
  await answer(refused)
  expect(state()).toMatchObject({ said: null, thumb: -1 })
  said.choose('outdated')
  said.type('It is 30 days now.')
  void said.sendWords()
  await answer('kept')
  expect(sent.at(-1)).toEqual({ value: -1, reasons: ['outdated'], comment: 'It is 30 days now.' })
  expect(state()).toMatchObject({ said: sent.at(-1), problem: null })
})

test('of what is pressed while one is sent the last wins, after it, and what lies between is never sent', async () => {
  const { said, state, sent, answer, settle } = open(null)
  void said.press(1)
  await settle()
  void said.press(-1)
  void said.press(1)
  void said.press(-1)
  await settle()
  expect(sent.map((one) => one?.value)).toEqual([1])
  expect(state()).toMatchObject({ said: { value: -1 }, pending: true })
  await answer('kept')
  expect(sent.map((one) => one?.value)).toEqual([1, -1])
  expect(state()).toMatchObject({ said: { value: -1 }, pending: true })
  await answer(refused)
  expect(state()).toMatchObject({ said: { value: 1 }, problem: refused.error, pending: false })
})

test('whoever comes back to their first thumb at once keeps its reasons', async () => {
  const { said, sent, answer, settle } = open(good)
  void said.press(-1)
  await settle()
  void said.press(1)
  await answer('kept')
  await answer('kept')
  expect(sent.at(-1)).toEqual(good)
})

test('words that are added while others are sent stay, and are known to be unsent', async () => {
  const { said, state, sent, answer, drafts } = open(bad)
  said.type('One')
  const done = said.sendWords()
  said.type('One and two')
  await answer('kept')
  expect(await done).toBe(false)
  expect([sent.at(-1)?.comment, state().comment, drafts.at(-1)]).toEqual(['One', 'One and two', 'One and two'])
  const rest = said.sendWords()
  await answer('kept')
  expect(await rest).toBe(true)
  expect([sent.at(-1)?.comment, drafts.at(-1)]).toEqual(['One and two', ''])
})

test('taking it back takes what was sent, not what was only typed', async () => {
  const first = open(good)
  void first.said.takeBack()
  void first.said.takeBack()
  await first.answer('kept')
  expect(first.sent).toEqual([null])
  expect(first.state()).toMatchObject({ said: null, thumb: null, reasons: [], comment: '' })

  const second = open(good, 'Short, right, and')
  expect(second.state().comment).toBe('Short, right, and')
  void second.said.takeBack()
  await second.answer('kept')
  expect([second.state().comment, second.drafts.at(-1)]).toEqual(['Short, right, and', 'Short, right, and'])
})
