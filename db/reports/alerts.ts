/** Alerts of the viewer's workspace, open ones first, then the latest. */
import { desc, eq, sql } from 'drizzle-orm'
import type { AlertRow } from '#lib/shared/operations-contract.ts'
import { alerts } from '../schema/index.ts'
import type { Insider } from './calls.ts'
import type { Reader } from './reader.ts'

const alertsMax = 20

export const listAlerts = async (db: Reader, viewer: Insider): Promise<AlertRow[]> => {
  const found = await db
    .select()
    .from(alerts)
    .where(eq(alerts.workspaceId, viewer.workspaceId))
    .orderBy(sql`${alerts.endedAt} is null desc`, desc(alerts.startedAt))
    .limit(alertsMax)
  return found.map(({ id, rule, detail, startedAt, endedAt, deliveredAt }) => ({
    id,
    rule,
    detail,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    delivered: deliveredAt !== null,
  }))
}
