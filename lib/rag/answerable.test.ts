import { describe, expect, it } from 'vitest'
import { type AnswerSignals, answerability, answerableMin } from './answerable.ts'
import { standingOf } from './relevance.ts'

const signals = (some: Partial<AnswerSignals> = {}): AnswerSignals => ({
  near: 0.4,
  words: 0.7,
  agreement: 0.5,
  whole: false,
  foreign: false,
  ...some,
})

describe('the chance of an answer', () => {
  it('grows with each signal, and stays between 0 and 1', () => {
    const base = answerability(signals())
    for (const more of [{ near: 0.6 }, { words: 1 }, { agreement: 1 }, { whole: true }])
      expect(answerability(signals(more))).toBeGreaterThan(base)
    expect(answerability(signals({ near: -0.2, words: 0, agreement: 0 }))).toBeLessThan(0.1)
    expect(answerability(signals({ near: 1, words: 40, agreement: 1, whole: true }))).toBeLessThan(1)
  })

  it('is enough where nearly all of the words are there, however far an encoder puts them', () => {
    expect(answerability(signals({ near: 0, words: 0.3, agreement: 0, whole: true }))).toBe(answerableMin)
  })

  it('goes by words alone without an encoder, and by nearness alone between languages', () => {
    expect(answerability(signals({ near: null, words: 0.7 }))).toBeGreaterThan(answerableMin)
    expect(answerability(signals({ near: null, words: 0.5 }))).toBeLessThan(answerableMin)
    const foreign = signals({ foreign: true, words: 0, agreement: 0 })
    expect(answerability({ ...foreign, near: 0.2 })).toBeGreaterThan(answerableMin)
    expect(answerability({ ...foreign, near: 0.1 })).toBeLessThan(answerableMin)
  })
})

describe('how the legs stand to each other', () => {
  const hits = (...ids: number[]) => ids.map((chunkId, at) => ({ chunkId, score: 10 - at }))

  it('gives the best by words as a part of the whole, and its place among the nearest', () => {
    expect(standingOf(hits(7, 8), hits(8, 7), 20)).toEqual({ words: 0.5, agreement: 0.5 })
    expect(standingOf(hits(7), hits(7), 10)).toEqual({ words: 1, agreement: 1 })
    expect(standingOf(hits(7), hits(1, 2, 3), 10)).toEqual({ words: 1, agreement: 0 })
  })

  it('lets meaning alone say it where no word was found', () => {
    expect(standingOf([], hits(1), 10)).toEqual({ words: 0, agreement: 1 })
    expect(standingOf([], [], 10)).toEqual({ words: 0, agreement: 0 })
    expect(standingOf(hits(7), [], 0)).toEqual({ words: 0, agreement: 0 })
  })
})
