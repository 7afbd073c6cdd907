import { describe, expect, it } from 'vitest'
import { createMemo } from './memo.ts'

const clocked = (entriesMax = 2) => {
  let nowMs = 0
  let made = 0
  const memo = createMemo<number>({ entriesMax, ttlMs: 1_000, nowMs: () => nowMs })
  return {
    memo,
    pass: (ms: number) => {
      nowMs += ms
    },
    get: (key: string) => memo.get(key, async () => ++made),
  }
}

describe('a memo', () => {
  it('makes a value once, also for those who ask while it is being made', async () => {
    const { get, memo } = clocked()
    expect(await Promise.all([get('a'), get('a')])).toEqual([1, 1])
    expect(await get('a')).toBe(1)
    expect(memo.counters()).toEqual({ hits: 2, misses: 1, entries: 1 })
  })

  it('gives nothing older than its time', async () => {
    const { get, pass } = clocked()
    await get('a')
    pass(999)
    expect(await get('a')).toBe(1)
    pass(1)
    expect(await get('a')).toBe(2)
  })

  it('lets the least recently used go first', async () => {
    const { get, memo } = clocked()
    await get('a')
    await get('b')
    await get('a')
    await get('c')
    expect(await get('a')).toBe(1)
    expect(await get('b')).toBe(4)
    expect(memo.counters().entries).toBe(2)
  })

  it('does not keep what failed', async () => {
    const { memo, get } = clocked()
    await expect(memo.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await get('a')).toBe(1)
  })

  it('forgets by the beginning of a key', async () => {
    const { get, memo } = clocked(10)
    await get('one:a')
    await get('two:a')
    memo.purge('one:')
    expect(memo.counters().entries).toBe(1)
    memo.purge()
    expect(memo.counters().entries).toBe(0)
  })
})
