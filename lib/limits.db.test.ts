import { sql } from 'drizzle-orm'
import { describe, expect, it, vi } from 'vitest'
import { rows } from '#db/client.ts'
import { withDatabase } from '#db/testing.ts'
import { release, spend } from './limits.ts'

const database = withDatabase()

const countOf = async (key: string): Promise<number | undefined> =>
  (await rows<{ points: number }>(database.current().db, sql`select points from rate_limits where key = ${key}`))[0]
    ?.points

describe('limits', () => {
  it('refuses the call after the last point, with the seconds to wait, and lets others go on', async () => {
    for (let call = 0; call < 5; call += 1) await spend('sign-in.account', 'a@test.local')
    await expect(spend('sign-in.account', 'a@test.local')).rejects.toMatchObject({ code: 'rate-limited' })
    await spend('sign-in.account', 'b@test.local')
    await release('sign-in.account', 'a@test.local')
    await spend('sign-in.account', 'a@test.local')
  })

  it('lets through exactly the limit of calls made at once', async () => {
    const calls = await Promise.allSettled(Array.from({ length: 25 }, () => spend('sign-in.account', 'at-once')))
    expect(calls.filter((call) => call.status === 'fulfilled')).toHaveLength(5)
  })

  it('lets through exactly the limit where points are taken some at a time, one by one and at once', async () => {
    for (let call = 0; call < 101; call += 1) await spend('write', 'mixed')
    const calls = await Promise.allSettled(Array.from({ length: 400 }, () => spend('write', 'mixed')))
    expect(calls.filter((call) => call.status === 'fulfilled')).toHaveLength(240 - 101)
    await expect(spend('write', 'mixed')).rejects.toMatchObject({ code: 'rate-limited' })
    await release('write', 'mixed')
    await spend('write', 'mixed')
  })

  it('gives out what it has taken only within the window that it was taken in', async () => {
    const seen = []
    for (let window = 0; window < 2; window += 1) {
      await spend('read', 'once')
      await spend('read', 'once')
      seen.push(await countOf('read:once'))
      await rows(database.current().db, sql`update rate_limits set points = 500 where key = 'read:once'`)
      vi.useFakeTimers({ now: Date.now() + 61_000, toFake: ['Date'] })
    }
    await spend('read', 'once').finally(() => vi.useRealTimers())
    expect(seen[0]).toBe(20)
    expect(seen).not.toContain(500)
    expect(await countOf('read:once')).not.toBe(500)
  })
})
