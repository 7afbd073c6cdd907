/** What tasks gave for an input, so that the same is not paid for twice. A workspace's results are its own. */
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Executor } from '../client.ts'
import { taskResults } from '../schema/index.ts'

export type TaskResultKey = { workspaceId: string; task: string; inputHash: string }

/** The kept output; undefined when there is none. Check its shape: the task may have changed since. */
export const getTaskResult = async (
  db: Executor,
  { workspaceId, task, inputHash }: TaskResultKey,
): Promise<unknown | undefined> => {
  const [found] = await db
    .select({ output: taskResults.output })
    .from(taskResults)
    .where(
      and(eq(taskResults.workspaceId, workspaceId), eq(taskResults.task, task), eq(taskResults.inputHash, inputHash)),
    )
  return found?.output
}

export const keepTaskResult = async (db: Executor, row: TaskResultKey & { output: unknown }): Promise<void> => {
  await db
    .insert(taskResults)
    .values(row)
    .onConflictDoUpdate({
      target: [taskResults.workspaceId, taskResults.task, taskResults.inputHash],
      set: { output: row.output, createdAt: sql`now()` },
    })
}

/** Forgets results older than `days`. */
export const deleteOldTaskResults = async (db: Executor, days: number): Promise<void> => {
  await db.delete(taskResults).where(lt(taskResults.createdAt, sql`now() - make_interval(days => ${days})`))
}
