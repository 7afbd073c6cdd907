/** Appends a line to the audit log inside the transaction that makes the change, so that neither is there without the other. */
import { createHash } from 'node:crypto'
import type { Tx } from '#db/client.ts'
import { auditLog } from '#db/schema/index.ts'
import { currentRequest } from './request-context.ts'
import type { AuditEvent } from './shared/audit-events.ts'

export type { AuditEvent }

type AuditLine = {
  /** Workspace null: the installation itself. */
  actor: { userId: string | null; workspaceId: string | null }
  event: AuditEvent
  objectId: string
  details?: Record<string, unknown>
  /** The object before and after the change; only their hashes are kept. */
  before?: unknown
  after?: unknown
}

const hashOf = (value: unknown): string | null =>
  value === undefined ? null : createHash('sha256').update(JSON.stringify(value)).digest('hex')

export const audit = async (
  tx: Tx,
  { actor, event, objectId, details = {}, before, after }: AuditLine,
): Promise<void> => {
  const request = currentRequest()
  await tx.insert(auditLog).values({
    workspaceId: actor.workspaceId,
    actorId: actor.userId,
    event,
    objectId,
    details,
    beforeHash: hashOf(before),
    afterHash: hashOf(after),
    address: request?.address ?? null,
    requestId: request?.requestId ?? null,
  })
}
