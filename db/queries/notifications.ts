/** What one person should know, kept until they have read it and for a while after. */
import { and, count, desc, eq, inArray, isNull, lt, sql } from 'drizzle-orm'
import { newId } from '#lib/shared/ids.ts'
import type { Notifications } from '#lib/shared/review-contract.ts'
import type { Reader } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { notifications } from '../schema/index.ts'

const own = ({ workspaceId, userId }: Reader) =>
  and(eq(notifications.workspaceId, workspaceId), eq(notifications.userId, userId))

type NewNotification = Omit<typeof notifications.$inferInsert, 'id' | 'createdAt' | 'readAt'>

/** Tells people something in the transaction that makes it so. Words never hold text that is held; the link is a path of the product. */
export const insertNotifications = async (tx: Tx, told: readonly NewNotification[]): Promise<void> => {
  if (told.length > 0) await tx.insert(notifications).values(told.map((one) => ({ id: newId(), ...one })))
}

/** The newest `limit` of a person's in this workspace, and how many of all are unread. */
export const selectNotifications = async (db: Executor, reader: Reader, limit: number): Promise<Notifications> => {
  const [unread] = await db
    .select({ count: count() })
    .from(notifications)
    .where(and(own(reader), isNull(notifications.readAt)))
  const found = await db
    .select()
    .from(notifications)
    .where(own(reader))
    .orderBy(desc(notifications.createdAt), desc(notifications.id))
    .limit(limit)
  return {
    unread: unread?.count ?? 0,
    rows: found.map(({ id, kind, words, link, createdAt, readAt }) => ({
      ...{ id, kind, words, link },
      createdAt: createdAt.toISOString(),
      read: readAt !== null,
    })),
  }
}

/** Marks these of a person's as read, or all that were there by then. What is another's is left alone. */
export const setRead = async (
  db: Executor,
  reader: Reader,
  which: { ids: readonly string[] } | { until: Date },
): Promise<void> => {
  await db
    .update(notifications)
    .set({ readAt: sql`now()` })
    .where(
      and(
        own(reader),
        isNull(notifications.readAt),
        'ids' in which
          ? inArray(notifications.id, [...which.ids])
          : // As it was told: to the millisecond.
            sql`date_trunc('milliseconds', ${notifications.createdAt}) <= ${which.until.toISOString()}::timestamptz`,
      ),
    )
}

/** Those of a workspace from before then, read or not; how many went. */
export const deleteOldNotifications = async (
  tx: Tx,
  { workspaceId, before }: { workspaceId: string; before: Date },
): Promise<number> => {
  const gone = await tx
    .delete(notifications)
    .where(and(eq(notifications.workspaceId, workspaceId), lt(notifications.createdAt, before)))
    .returning({ id: notifications.id })
  return gone.length
}
