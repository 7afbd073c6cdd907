/** Work that a person asked for and may wait for. Every statement that answers a person names the owner. */
import { and, count, desc, eq, isNull, sql } from 'drizzle-orm'
import type { ErrorCode } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Executor } from '../client.ts'
import { chats, taskRuns } from '../schema/index.ts'

export type StoredTaskRun = typeof taskRuns.$inferSelect
type Owner = Pick<Viewer, 'userId' | 'workspaceId'>

const ownedBy = ({ userId, workspaceId }: Owner) =>
  and(eq(taskRuns.workspaceId, workspaceId), eq(taskRuns.userId, userId))

export const insertTaskRun = async (
  db: Executor,
  owner: Owner,
  run: Pick<StoredTaskRun, 'id' | 'feature' | 'subject'>,
): Promise<void> => {
  await db.insert(taskRuns).values({ ...run, userId: owner.userId, workspaceId: owner.workspaceId })
}

/** The owner's run, whether or not it has ended. */
export const getTaskRun = async (db: Executor, owner: Owner, id: string): Promise<StoredTaskRun | undefined> => {
  const [found] = await db
    .select()
    .from(taskRuns)
    .where(and(ownedBy(owner), eq(taskRuns.id, id)))
  return found
}

/** The owner's newest run in work whose subject has all of `subject`. */
export const findOpenTaskRun = async (
  db: Executor,
  owner: Owner,
  subject: Record<string, unknown>,
  feature?: string,
): Promise<StoredTaskRun | undefined> => {
  const [found] = await db
    .select()
    .from(taskRuns)
    .where(
      and(
        ownedBy(owner),
        isNull(taskRuns.endedAt),
        sql`${taskRuns.subject} @> ${JSON.stringify(subject)}::jsonb`,
        feature === undefined ? undefined : eq(taskRuns.feature, feature),
      ),
    )
    .orderBy(desc(taskRuns.createdAt))
    .limit(1)
  return found
}

export const countOpenTaskRuns = async (db: Executor, owner: Owner): Promise<number> => {
  const [found] = await db
    .select({ open: count() })
    .from(taskRuns)
    .where(and(ownedBy(owner), isNull(taskRuns.endedAt)))
  return found?.open ?? 0
}

/** For whoever does the work: the run if it still has to be done. */
export const getOpenTaskRun = async (db: Executor, id: string): Promise<StoredTaskRun | undefined> => {
  const [found] = await db
    .select()
    .from(taskRuns)
    .where(and(eq(taskRuns.id, id), isNull(taskRuns.endedAt)))
  return found
}

export const setTaskRunProgress = async (
  db: Executor,
  id: string,
  { done, total }: { done: number; total: number },
): Promise<void> => {
  await db
    .update(taskRuns)
    .set({ done, total })
    .where(and(eq(taskRuns.id, id), isNull(taskRuns.endedAt)))
}

/** Ends a run once; a second end changes nothing. The text it was about is not kept any longer. */
export const endTaskRun = async (
  db: Executor,
  id: string,
  end: { output: Record<string, unknown>; failureCode?: ErrorCode },
): Promise<void> => {
  await db
    .update(taskRuns)
    .set({
      output: end.output,
      failureCode: end.failureCode ?? null,
      subject: sql`${taskRuns.subject} - 'text'`,
      endedAt: sql`now()`,
    })
    .where(and(eq(taskRuns.id, id), isNull(taskRuns.endedAt)))
}

/** Longer than the queue tries. */
const abandonedMinutes = 40

/**
 * Ends what the queue has given up, and forgets everything about a conversation that is gone: a summary does not outlive what it
 * summarises. How long results are kept otherwise is the policy's to say (db/queries/retention.ts).
 */
export const sweepTaskRuns = async (db: Executor): Promise<void> => {
  await db
    .update(taskRuns)
    .set({ failureCode: 'internal', endedAt: sql`now()`, subject: sql`${taskRuns.subject} - 'text'` })
    .where(
      and(isNull(taskRuns.endedAt), sql`${taskRuns.createdAt} < now() - make_interval(mins => ${abandonedMinutes})`),
    )
  await db
    .delete(taskRuns)
    .where(
      sql`${taskRuns.subject} ->> 'chatId' is not null and not exists (select from ${chats} where ${chats.id}::text = ${taskRuns.subject} ->> 'chatId')`,
    )
}
