/** The audit log for who may read it: shown, verified, handed out as a table. That it was read is written down in it. */
import { database } from '#db/client.ts'
import { compareAuditHead, listAuditChains, verifyAuditChain } from '#db/queries/audit.ts'
import { currentRole } from '#db/queries/members.ts'
import { listAuditLines } from '#db/reports/audit.ts'
import { audit } from './audit.ts'
import { isFirst } from './limits.ts'
import { eventInWords } from './shared/audit-events.ts'
import { csvLine } from './shared/csv.ts'
import { AppError } from './shared/errors.ts'
import type { AuditCheck, AuditFilter, AuditList, AuditRow, ChainVerdict } from './shared/records-contract.ts'
import { can, type Viewer } from './shared/viewer.ts'

const exportPageLines = 1_000

/**
 * Lines of the viewer's workspace, newest first. Reading the log is a line of it, once a person and hour: written before anything is
 * shown, so that nobody reads it unseen.
 */
export const readAuditLog = async (
  viewer: Viewer,
  query: AuditFilter & { before?: number | undefined },
): Promise<AuditList> => {
  const { db } = database()
  if (await isFirst('audit.read', `${viewer.workspaceId}:${viewer.userId}`))
    await db.transaction((tx) => audit(tx, { actor: viewer, event: 'audit.read', objectId: viewer.workspaceId }))
  return listAuditLines(db, viewer, query)
}

/** Walks the chain of the viewer's workspace from its first line to its head. */
export const verifyOwnAudit = async ({ workspaceId }: Viewer): Promise<ChainVerdict> => {
  const { db } = database()
  const [chain = { workspaceId, name: null }] = await listAuditChains(db, workspaceId)
  return verifyAuditChain(db, chain)
}

/** The same for a command, with what became of a head that was kept elsewhere. */
export const checkOwnAudit = async (
  viewer: Viewer,
  kept: { place: number; hash: string } | null,
): Promise<AuditCheck> => ({
  chains: [await verifyOwnAudit(viewer)],
  head: kept && (await compareAuditHead(database().db, viewer.workspaceId, kept)),
})

const columns = [
  ...['line', 'at', 'event', 'what', 'person', 'person id', 'object', 'object name'],
  ...['details', 'address', 'request', 'hash before', 'hash after', 'hash'],
]

const asCells = (row: AuditRow): (string | number | null)[] => [
  ...[row.place, row.at, row.event, eventInWords(row.event), row.actor?.name ?? null, row.actor?.id ?? null],
  ...[row.objectId, row.objectName, JSON.stringify(row.details), row.address, row.requestId],
  ...[row.beforeHash, row.afterHash, row.hash],
]

/**
 * Everything that the filter finds, as CSV, read by pages as it is sent. The export is a line of the log before its first byte. Ends
 * with the newest line of the moment it began with. Throws `bad-request` for a moment that is none.
 */
export const exportAuditLog = async (viewer: Viewer, filter: AuditFilter): Promise<ReadableStream<Uint8Array>> => {
  const { db } = database()
  if ([filter.from, filter.to].some((at) => at !== undefined && Number.isNaN(Date.parse(at))))
    throw new AppError('bad-request')
  await db.transaction((tx) =>
    audit(tx, { actor: viewer, event: 'data.exported', objectId: viewer.workspaceId, details: { what: 'audit' } }),
  )
  const text = new TextEncoder()
  let before: number | undefined
  let begun = false
  return new ReadableStream({
    pull: async (controller) => {
      // The mark tells spreadsheets that it is UTF-8.
      if (!begun) controller.enqueue(text.encode(`\ufeff${csvLine(columns)}`))
      begun = true
      // It may take minutes: who is suspended or demoted meanwhile gets no further line.
      const role = await currentRole(db, viewer, viewer.userId)
      if (!role || !can({ role }, 'audit.read')) throw new AppError('forbidden')
      const { lines, more } = await listAuditLines(db, viewer, { ...filter, before, limit: exportPageLines })
      before = lines.at(-1)?.id
      controller.enqueue(text.encode(lines.map((row) => csvLine(asCells(row))).join('')))
      if (!more) controller.close()
    },
  })
}
