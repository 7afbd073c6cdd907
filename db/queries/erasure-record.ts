/** The book of erasures: what was asked for, what it met, when it was done; and the answers that are being written meanwhile. */
import { eq, sql } from 'drizzle-orm'
import type { Counts } from '#lib/shared/keeping-contract.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import { erasures } from '../schema/index.ts'

export type Erasure = typeof erasures.$inferSelect

/** Writes down that something is to be erased; the row that is there already when it was asked for before. */
export const insertErasure = async (
  tx: Tx,
  erasure: Pick<Erasure, 'id' | 'workspaceId' | 'kind' | 'objectId' | 'requestedBy'>,
): Promise<Erasure> => {
  const [made] = await tx
    .insert(erasures)
    .values(erasure)
    // Asked for again: done again, since something of it may have come back.
    .onConflictDoUpdate({ target: [erasures.kind, erasures.objectId], set: { doneAt: null, requestedAt: sql`now()` } })
    .returning()
  if (!made) throw new Error('The erasure was not recorded')
  return made
}

export const getErasure = async (db: Executor, id: string): Promise<Erasure | undefined> => {
  const [found] = await db.select().from(erasures).where(eq(erasures.id, id))
  return found
}

export const listErasures = (db: Executor, workspaceId?: string): Promise<Erasure[]> =>
  db
    .select()
    .from(erasures)
    .where(workspaceId ? eq(erasures.workspaceId, workspaceId) : undefined)
    .orderBy(sql`${erasures.requestedAt} desc`)

export const setErasure = async (
  db: Executor,
  id: string,
  { report, done }: { report: Counts; done: boolean },
): Promise<void> => {
  await db
    .update(erasures)
    .set({ report, ...(done ? { doneAt: sql`now()` } : {}) })
    .where(eq(erasures.id, id))
}

/** Answers that are still being written by a writer that lives: of a person, or of anybody in a workspace. */
export const countOpenAnswers = async (
  db: Executor,
  whose: { userId: string } | { messageIds: readonly string[] },
): Promise<number> => {
  const which =
    'userId' in whose
      ? sql`chat_id in (select id from chats where user_id = ${whose.userId})`
      : sql`id in (select value::uuid from jsonb_array_elements_text(${JSON.stringify(whose.messageIds)}::jsonb))`
  const [found] = await rows<{ n: number }>(
    db,
    sql`select count(*)::int as n from messages
      where status = 'streaming' and beat_at > now() - interval '60 seconds' and ${which}`,
  )
  return found?.n ?? 0
}

/** Answers being written in a workspace right now: they may have read what is being erased. */
export const listOpenAnswers = async (db: Executor, workspaceId: string): Promise<string[]> =>
  (
    await rows<{ id: string }>(
      db,
      sql`select m.id from messages m join chats c on c.id = m.chat_id
        where c.workspace_id = ${workspaceId} and m.status = 'streaming'`,
    )
  ).map(({ id }) => id)
