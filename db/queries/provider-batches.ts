/** Calls handed to a provider's batch interface. A row is there before anything is sent, so that nothing is sent twice unseen. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import { type Executor, rows } from '../client.ts'
import { providerBatches } from '../schema/index.ts'

type BatchRow = typeof providerBatches.$inferSelect

export type NewBatch = Pick<BatchRow, 'id' | 'workspaceId' | 'key' | 'requests' | 'reservedMicros'>

export const insertBatch = async (db: Executor, batch: NewBatch): Promise<void> => {
  await db.insert(providerBatches).values({ ...batch, state: 'submitting' })
}

export type ClaimedBatch = Pick<BatchRow, 'id' | 'workspaceId' | 'key' | 'externalId' | 'requests'> & {
  state: 'submitting' | 'running'
  ageSeconds: number
  /** Somebody has tried before: what was sent then may have arrived. */
  triedBefore: boolean
}

/** Open batches that nobody has looked at for a while, oldest first. They are the caller's for as long again. */
export const claimBatches = (
  db: Executor,
  { lookEverySeconds, sendEverySeconds, limit }: { lookEverySeconds: number; sendEverySeconds: number; limit: number },
): Promise<ClaimedBatch[]> =>
  rows(
    db,
    sql`with due as materialized (
        select id, checked_at from provider_batches
        where state in ('submitting', 'running')
          and (checked_at is null or checked_at <= now() - make_interval(secs => case state when 'submitting' then ${sendEverySeconds}::int else ${lookEverySeconds}::int end))
        order by created_at limit ${limit} for update skip locked
      )
      update provider_batches b set checked_at = now() from due where b.id = due.id
      returning b.id, b.workspace_id as "workspaceId", b.key, b.external_id as "externalId", b.requests, b.state,
        extract(epoch from now() - b.created_at)::float8 as "ageSeconds", due.checked_at is not null as "triedBefore"`,
  )

/** The provider took it. */
export const startBatch = async (db: Executor, id: string, externalId: string): Promise<void> => {
  await db
    .update(providerBatches)
    .set({ state: 'running', externalId })
    .where(and(eq(providerBatches.id, id), eq(providerBatches.state, 'submitting')))
}

/** Ends an open batch, once; what it was about is not kept any longer. False when it had ended. */
export const endBatch = async (
  db: Executor,
  id: string,
  { state, detail }: { state: 'ended' | 'failed'; detail: string },
): Promise<boolean> => {
  const ended = await db
    .update(providerBatches)
    .set({ state, detail: detail.replaceAll('\0', '').slice(0, 500), requests: {}, endedAt: sql`now()` })
    .where(and(eq(providerBatches.id, id), inArray(providerBatches.state, ['submitting', 'running'])))
    .returning({ id: providerBatches.id })
  return ended.length > 0
}

/** Forgets batches that ended more than `days` ago. */
export const deleteOldBatches = async (db: Executor, days: number): Promise<void> => {
  await db.delete(providerBatches).where(sql`${providerBatches.endedAt} < now() - make_interval(days => ${days})`)
}
