/** Appends a line to the audit log inside the transaction that makes the change, so that neither is there without the other. */
import type { Tx } from '#db/client.ts'
import { auditLog } from '#db/schema/index.ts'
import type { Viewer } from './shared/viewer.ts'

export type AuditEvent =
  | 'document.uploaded'
  | 'document.retried'
  | 'document.deleted'
  | 'document.described'
  | 'document.tagged'
  | 'documents.reindexed'
  | 'source.created'
  | 'source.changed'
  | 'source.run'
  | 'source.paused'
  | 'source.deleted'
  | 'golden-question.saved'
  | 'golden-question.deleted'
  | 'encoder.chosen'
  | 'encoder.stopped'
  | 'session.created'
  | 'session.revoked'
  | 'passage.released'
  | 'chat.deleted'
  | 'workspace.seeded'
  | 'provider.saved'
  | 'provider.deleted'
  | 'canary.accepted'
  | 'model.saved'
  | 'model.deleted'
  | 'models.ordered'
  | 'gateway-settings.saved'

type AuditLine = {
  actor: Pick<Viewer, 'userId' | 'workspaceId'> | { userId: null; workspaceId: string }
  event: AuditEvent
  objectId: string
  details?: Record<string, unknown>
}

export const audit = async (tx: Tx, { actor, event, objectId, details = {} }: AuditLine): Promise<void> => {
  await tx.insert(auditLog).values({ workspaceId: actor.workspaceId, actorId: actor.userId, event, objectId, details })
}
