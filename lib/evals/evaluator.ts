/** Who asks in an evaluation: an admin of a workspace of their own, in the scratch database that is open. */
import { database } from '#db/client.ts'
import { upsertCollection } from '#db/queries/documents.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

export const createEvaluator = async (): Promise<{ viewer: Viewer; collectionId: string }> => {
  const { db } = database()
  const viewer: Viewer = {
    userId: newId(),
    workspaceId: newId(),
    role: 'admin',
    name: 'Evaluation',
    email: 'evaluation@scratch.local',
  }
  await createWorkspace(db, { id: viewer.workspaceId, name: 'Evaluation' })
  await upsertAccount(db, { ...viewer, passwordHash: '' })
  return { viewer, collectionId: await upsertCollection(db, viewer, { id: newId(), name: 'Corpus' }) }
}
