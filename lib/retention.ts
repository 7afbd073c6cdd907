/**
 * Deletes what a workspace's policy wants to keep no longer, once a day: conversations, traces, calls, ended sessions, results of tasks,
 * and the beginning of the audit log. Never what a legal hold covers, never by rules that cannot be read, and never more than some rows
 * in a transaction.
 */
import { database, type Tx } from '#db/client.ts'
import { getGatewaySettings } from '#db/queries/gateway-settings.ts'
import { takePoint } from '#db/queries/limits.ts'
import { deleteOldNotifications } from '#db/queries/notifications.ts'
import {
  countDue,
  deleteDue,
  deleteKeptAnswers,
  listRetentionDue,
  listRetentionRuns,
  purgeAudit,
  tidyAfterRetention,
} from '#db/queries/retention.ts'
import { audit } from './audit.ts'
import { deleteExports } from './data-export.ts'
import { enqueue } from './jobs.ts'
import type { RetentionReport, RetentionRun } from './shared/keeping-contract.ts'
import { type RetentionKind, retentionKinds } from './shared/policy-contract.ts'
import type { Viewer } from './shared/viewer.ts'

const dayMs = 86_400_000
const daySeconds = 86_400
const rowsAtOnce = 500
/** Lines of the audit log that go with one line about it. */
const auditAtOnce = 10_000
const workspacesAtOnce = 50
/** What people were told is over by then, whatever the policy keeps. */
const notificationDays = 90

type Limits = { kind: RetentionKind; days: number | null; before: Date | null }[]

const limitsOf = async (workspaceId: string, now: Date): Promise<Limits> => {
  const { settings } = await getGatewaySettings(database().db, workspaceId)
  return retentionKinds.map((kind) => {
    const days = settings.policy.retention[kind]
    return { kind, days, before: days === null ? null : new Date(now.getTime() - days * dayMs) }
  })
}

/** What a run at `now` would delete, kind by kind, with the oldest of each. Changes nothing. */
export const previewRetention = async (
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  now: Date = new Date(),
): Promise<RetentionReport> => {
  const parts: RetentionReport['parts'] = []
  for (const { kind, days, before } of await limitsOf(workspaceId, now)) {
    const found = before ? await countDue(database().db, kind, { workspaceId, before }) : null
    parts.push({
      kind,
      days,
      due: found?.due ?? 0,
      held: found?.held ?? 0,
      oldestDue: found?.oldestDue?.toISOString() ?? null,
    })
  }
  return { at: now.toISOString(), parts }
}

const purge = (tx: Tx, limit: { workspaceId: string; before: Date }): Promise<number> =>
  purgeAudit(tx, { ...limit, most: auditAtOnce }).then(async (purged) => {
    if (!purged) return 0
    // What is left is checked against it: the first line that stays is chained to this one.
    const { workspaceId } = limit
    await audit(tx, {
      actor: { userId: null, workspaceId },
      event: 'audit.purged',
      objectId: workspaceId,
      details: purged,
    })
    return purged.lines
  })

const deleteSome = async (
  tx: Tx,
  kind: RetentionKind,
  limit: { workspaceId: string; before: Date },
): Promise<number> => {
  if (kind === 'audit') return purge(tx, limit)
  const gone = await deleteDue(tx, kind, { ...limit, most: rowsAtOnce })
  if (kind === 'chats') await deleteKeptAnswers(tx, limit)
  return gone
}

/** Deletes what is due in a workspace and says in the audit log how much that was. Done again it finds nothing more. */
export const runRetention = async (
  workspaceId: string,
  { now = new Date(), signal }: { now?: Date; signal?: AbortSignal } = {},
): Promise<RetentionRun> => {
  const { db } = database()
  const deleted: RetentionRun['deleted'] = {}
  for (const { kind, before } of await limitsOf(workspaceId, now)) {
    if (!before) continue
    if (kind === 'exports') {
      const archives = await deleteExports({ workspaceId, before })
      if (archives > 0) deleted.exports = archives
    }
    for (;;) {
      signal?.throwIfAborted()
      const gone = await db.transaction((tx) => deleteSome(tx, kind, { workspaceId, before }))
      if (gone === 0) break
      deleted[kind] = (deleted[kind] ?? 0) + gone
    }
  }
  await db.transaction((tx) =>
    deleteOldNotifications(tx, { workspaceId, before: new Date(now.getTime() - notificationDays * dayMs) }),
  )
  await db.transaction((tx) =>
    audit(tx, {
      actor: { userId: null, workspaceId },
      event: 'retention.run',
      objectId: workspaceId,
      details: { deleted },
    }),
  )
  if (Object.keys(deleted).length > 0) await tidyAfterRetention(database())
  return { at: now.toISOString(), deleted }
}

/** Puts workspaces whose day is over into the queue, each once however many workers ask; the worker calls it now and then. */
export const queueDueRetention = async (): Promise<void> => {
  const { db } = database()
  for (const workspaceId of await listRetentionDue(db, workspacesAtOnce))
    await db.transaction(async (tx) => {
      const mark = await takePoint(tx, `retention:${workspaceId}`, daySeconds)
      if (mark.points === 1) await enqueue(tx, 'retention.run', { workspaceId })
    })
}

/** Puts a run of the viewer's workspace into the queue now, as an admin asked. */
export const queueRetentionNow = async ({ workspaceId }: Viewer): Promise<void> => {
  await database().db.transaction((tx) => enqueue(tx, 'retention.run', { workspaceId }))
}

/** A workspace's last runs, newest first. */
export const listRuns = async ({ workspaceId }: Pick<Viewer, 'workspaceId'>): Promise<RetentionRun[]> =>
  (await listRetentionRuns(database().db, workspaceId, 10)).map(({ at, details }) => ({
    at: at.toISOString(),
    deleted: (details.deleted ?? {}) as RetentionRun['deleted'],
  }))
