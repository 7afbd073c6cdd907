import { beforeEach, describe, expect, it, vi } from 'vitest'
import { holdDatabase, sql } from '#db/client.ts'
import { claimProbe, getBreakers, setBreaker } from '#db/queries/breakers.ts'
import { withDatabase } from '#db/testing.ts'
import { type Breakers, createBreakers, type Ticket } from './breaker.ts'

const test = withDatabase()
const key = 'test/model'

beforeEach(async () => {
  await test.current().db.execute(sql`delete from breakers`)
})

const enter = async (breakers: Breakers): Promise<Ticket | undefined> => {
  const ticket = await breakers.enter(key)
  return 'retryInMs' in ticket ? undefined : ticket
}
const trip = async (breakers: Breakers): Promise<void> => {
  for (let call = 0; call < 5; call += 1) (await enter(breakers))?.failed('server')
  await breakers.settled()
}
/** Makes the next probe due. */
const pass = async (): Promise<void> => {
  await test.current().db.execute(sql`update breakers set retry_at = now() - interval '1 second'`)
}
/** Instances that have not read yet: what they read is fresh. */
const instances = (count: number): Breakers[] => Array.from({ length: count }, createBreakers)

describe('breakers of several instances', () => {
  it('open together, with the reason, and none of them asks', async () => {
    const [a, b, c] = instances(3) as [Breakers, Breakers, Breakers]
    await trip(a)
    expect(await enter(b)).toBeUndefined()
    expect(await b.openFor(key)).toBeGreaterThan(0)
    expect(await c.list()).toMatchObject([{ key, state: 'open', reason: 'server' }])
  })

  it('notice within about a second what another found out', async () => {
    const [a, b] = instances(2) as [Breakers, Breakers]
    expect(await enter(b)).toBeDefined()
    await trip(a)
    await test.current().db.execute(sql`update breakers set retry_at = now() + interval '1 minute'`)
    await expect.poll(() => b.openFor(key), { timeout: 1_500, interval: 50 }).toBeGreaterThan(0)
  })

  it('let one probe go over all of them, of many calls at once', async () => {
    const all = instances(6)
    await trip(all[0] as Breakers)
    await pass()
    const fresh = instances(5)
    const tickets = await Promise.all(fresh.flatMap((one) => Array.from({ length: 4 }, () => enter(one))))
    expect(tickets.filter(Boolean)).toHaveLength(1)
  })

  it('close together when the probe is answered', async () => {
    const [a, b] = instances(2) as [Breakers, Breakers]
    await trip(a)
    await pass()
    ;(await enter(b))?.answering()
    await b.settled()
    expect(await getBreakers(test.current().db)).toEqual([])
    await expect.poll(() => enter(a), { timeout: 1_500, interval: 50 }).toBeDefined()
    expect(await a.list()).toEqual([])
  })

  it('stay closed for longer after each probe that fails, whichever instance sent it', async () => {
    await trip(createBreakers())
    const opened: number[] = []
    for (let probe = 0; probe < 3; probe += 1) {
      const one = createBreakers()
      opened.push(await one.openFor(key))
      // Another has read how long it was open for; then its time comes.
      await test
        .current()
        .db.execute(
          sql`update breakers set changed_at = changed_at - interval '2 minutes', retry_at = retry_at - interval '2 minutes'`,
        )
      const other = createBreakers()
      ;(await enter(other))?.failed('timeout')
      await other.settled()
    }
    expect(opened[1]).toBeGreaterThan((opened[0] ?? 0) * 1.5)
    expect(opened[2]).toBeGreaterThan((opened[1] ?? 0) * 1.5)
    expect((await getBreakers(test.current().db))[0]).toMatchObject({ state: 'open', reason: 'timeout' })
  })

  it('give a probe away again whose caller left, and one whose instance died', async () => {
    const [a, b, c] = instances(3) as [Breakers, Breakers, Breakers]
    await trip(a)
    await pass()
    ;(await enter(b))?.left()
    await b.settled()
    expect(await enter(c)).toBeDefined()
    // c never tells; after its time the next instance may.
    expect(await enter(createBreakers())).toBeUndefined()
    await pass()
    expect(await enter(createBreakers())).toBeDefined()
  })

  it('are not closed by an answer to a call from before they opened', async () => {
    const a = createBreakers()
    const early = await enter(a)
    await trip(a)
    early?.succeeded()
    await a.settled()
    expect(await a.list()).toMatchObject([{ key, state: 'open' }])
    expect(await getBreakers(test.current().db)).toHaveLength(1)
  })
})

describe('without a database that answers', () => {
  /** A database of which every statement ends like `outcome`. */
  const broken = (outcome: () => Promise<never>) => {
    const whole = test.current()
    const statement: unknown = new Proxy(() => undefined, {
      get: (_, name) => {
        if (name !== 'then') return statement
        const ended = outcome()
        return ended.then.bind(ended)
      },
      apply: () => statement,
    })
    holdDatabase({ ...whole, db: statement as typeof whole.db })
    return () => holdDatabase(whole)
  }

  it.each([
    ['refuses', () => Promise.reject(new Error('the database is gone'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('one that %s leaves an instance with what it saw itself', async (_how, execute) => {
    const mend = broken(execute)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const quickly = async <Value>(asked: Promise<Value>): Promise<Value> => {
      await vi.advanceTimersByTimeAsync(700)
      return asked
    }
    try {
      const a = createBreakers()
      for (let call = 0; call < 5; call += 1) (await quickly(enter(a)))?.failed('network')
      expect(await quickly(enter(a))).toBeUndefined()
      await vi.advanceTimersByTimeAsync(1_000)
      // Its own probe, one.
      expect((await quickly(Promise.all([enter(a), enter(a)]))).filter(Boolean)).toHaveLength(1)
    } finally {
      vi.useRealTimers()
      mend()
    }
  })
})

describe('a probe', () => {
  it('is not given for a breaker that is closed, unknown or not due', async () => {
    const { db } = test.current()
    expect(await claimProbe(db, 'unknown', 1_000)).toBe(false)
    await setBreaker(db, { key, state: 'open', retryInMs: 60_000, reason: 'server' })
    expect(await claimProbe(db, key, 1_000)).toBe(false)
    await setBreaker(db, { key, state: 'closed', reason: null })
    expect(await claimProbe(db, key, 1_000)).toBe(false)
    await setBreaker(db, { key, state: 'open', retryInMs: 0, reason: 'server' })
    const claims = await Promise.all([claimProbe(db, key, 1_000), claimProbe(db, key, 1_000)])
    // Which of the two comes first is the server's business.
    expect(claims.filter(Boolean)).toHaveLength(1)
  })
})
