/** Breakers as all instances see them. Times are the database's own, so that no clock of an instance matters. */
import { and, eq, lte, ne, sql } from 'drizzle-orm'
import { type Executor, rows } from '../client.ts'
import { breakers } from '../schema/index.ts'

export type SharedBreaker = {
  key: string
  state: 'open' | 'half-open'
  /** Until the next probe may go; 0 when it may. */
  retryInMs: number
  /** How long it was opened for. */
  openForMs: number
  reason: string | null
}

/** All breakers that are not closed: few, since a closed one is of no interest to anybody. */
export const getBreakers = (db: Executor): Promise<SharedBreaker[]> =>
  rows<SharedBreaker>(
    db,
    sql`select key, state, reason,
          (greatest(0, extract(epoch from coalesce(retry_at, now()) - now())) * 1000)::float8 as "retryInMs",
          (greatest(0, extract(epoch from coalesce(retry_at, changed_at) - changed_at)) * 1000)::float8 as "openForMs"
        from breakers where state <> 'closed'`,
  )

type Change = { key: string; reason: string | null } & ({ state: 'closed' } | { state: 'open'; retryInMs: number })

/** Tells all instances. */
export const setBreaker = async (db: Executor, change: Change): Promise<void> => {
  const { key, state, reason } = change
  const retryAt =
    change.state === 'open' ? sql`now() + make_interval(secs => ${change.retryInMs / 1_000}::float8)` : null
  const values = { state, retryAt, reason, changedAt: sql`now()` }
  await db
    .insert(breakers)
    .values({ key, ...values })
    .onConflictDoUpdate({ target: breakers.key, set: values })
}

/**
 * Gives the one probe of an open breaker to the caller, or to nobody: it is due, and nobody has it. One whose holder is not heard
 * of for `probeMs` is given again.
 */
export const claimProbe = async (db: Executor, key: string, probeMs: number): Promise<boolean> => {
  const claimed = await db
    .update(breakers)
    .set({
      state: 'half-open',
      retryAt: sql`now() + make_interval(secs => ${probeMs / 1_000}::float8)`,
      changedAt: sql`now()`,
    })
    .where(and(eq(breakers.key, key), ne(breakers.state, 'closed'), lte(breakers.retryAt, sql`now()`)))
    .returning({ key: breakers.key })
  return claimed.length > 0
}
