/** Alerts: one row from the moment a rule is met to the moment it no longer is. */
import { and, asc, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { Executor } from '../client.ts'
import { alerts, workspaces } from '../schema/index.ts'

export type Alert = typeof alerts.$inferSelect

export const listWorkspaceIds = async (db: Executor): Promise<string[]> =>
  (await db.select({ id: workspaces.id }).from(workspaces).orderBy(asc(workspaces.createdAt))).map(({ id }) => id)

export const listOpenAlerts = (db: Executor, workspaceId: string): Promise<Alert[]> =>
  db
    .select()
    .from(alerts)
    .where(and(eq(alerts.workspaceId, workspaceId), isNull(alerts.endedAt)))

/** Starts an alert; nothing where it is open already, also when another instance was quicker. */
export const startAlert = async (
  db: Executor,
  alert: Pick<Alert, 'id' | 'workspaceId' | 'rule' | 'value' | 'detail'>,
): Promise<void> => {
  await db.insert(alerts).values(alert).onConflictDoNothing()
}

export const endAlerts = async (db: Executor, ids: readonly string[]): Promise<void> => {
  if (ids.length > 0)
    await db
      .update(alerts)
      .set({ endedAt: sql`now()` })
      .where(and(inArray(alerts.id, [...ids]), isNull(alerts.endedAt)))
}

/** Alerts of the last `hours` that no webhook has taken yet, oldest first. */
export const listUndelivered = (db: Executor, workspaceId: string, hours: number): Promise<Alert[]> =>
  db
    .select()
    .from(alerts)
    .where(
      and(
        eq(alerts.workspaceId, workspaceId),
        isNull(alerts.deliveredAt),
        gt(alerts.startedAt, sql`now() - make_interval(hours => ${hours})`),
      ),
    )
    .orderBy(asc(alerts.startedAt))
    .limit(20)

export const markDelivered = async (db: Executor, id: string): Promise<void> => {
  await db.update(alerts).set({ deliveredAt: sql`now()` }).where(eq(alerts.id, id))
}
