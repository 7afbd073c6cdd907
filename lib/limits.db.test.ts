import { describe, expect, it } from 'vitest'
import { withDatabase } from '#db/testing.ts'
import { release, spend } from './limits.ts'

withDatabase()

describe('limits', () => {
  it('refuses the call after the last point, with the seconds to wait, and lets others go on', async () => {
    for (let call = 0; call < 10; call += 1) await spend('sign-in.account', 'a@test.local')
    await expect(spend('sign-in.account', 'a@test.local')).rejects.toMatchObject({ code: 'rate-limited' })
    await spend('sign-in.account', 'b@test.local')
    await release('sign-in.account', 'a@test.local')
    await spend('sign-in.account', 'a@test.local')
  })

  it('lets through exactly the limit of calls made at once', async () => {
    const calls = await Promise.allSettled(Array.from({ length: 25 }, () => spend('sign-in.account', 'at-once')))
    expect(calls.filter((call) => call.status === 'fulfilled')).toHaveLength(10)
  })
})
