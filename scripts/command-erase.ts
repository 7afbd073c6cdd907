/** `erase`: a person or a document for good, in all workspaces; for whoever runs the installation. While no server owns the database. */
import { database } from '#db/client.ts'
import { getDocumentWorkspace } from '#db/queries/erasure-document.ts'
import { findPersonId } from '#db/queries/erasure-person.ts'
import { listWorkspaces } from '#db/queries/people.ts'
import { planErasure, requestErasure, runErasure } from '#lib/erasure.ts'
import { AppError } from '#lib/shared/errors.ts'
import { Refused } from './connect.ts'
import { closeProduct, openProduct } from './product.ts'

export type EraseOptions = { yes?: boolean; json?: boolean }

const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

const find = async (kind: 'person' | 'document', named: string): Promise<{ id: string; workspaceId: string }> => {
  const { db } = database()
  const unknown = new Refused({ code: 'not-found', message: `There is no ${kind} ${named}.` })
  if (kind === 'document') {
    const workspaceId = isId(named) ? await getDocumentWorkspace(db, named) : undefined
    if (!workspaceId) throw unknown
    return { id: named, workspaceId }
  }
  const id = isId(named) ? named : await findPersonId(db, named)
  const [workspace] = await listWorkspaces(db)
  if (!id || !workspace) throw unknown
  return { id, workspaceId: workspace.id }
}

export const erase = async (
  kind: 'person' | 'document',
  named: string,
  { yes, json }: EraseOptions,
): Promise<number> => {
  await openProduct()
  try {
    const { id, workspaceId } = await find(kind, named)
    const asker = { workspaceId, userId: null }
    const plan = await planErasure(asker, { kind, id })
    if (plan.refusal) throw new Refused({ code: 'conflict', message: plan.refusal })
    for (const [what, count] of Object.entries(plan.counts)) process.stderr.write(`${what}: ${count}\n`)
    for (const warning of plan.warnings) process.stderr.write(`${warning}\n`)
    if (!yes) {
      process.stderr.write(`That would go, and cannot be undone. Say --yes to erase ${plan.label}.\n`)
      return 2
    }
    const asked = await requestErasure(asker, { kind, id }, plan.label, { queued: false })
    await runErasure(asked.id)
    process.stdout.write(json ? `${JSON.stringify({ erasure: asked.id, kind, id })}\n` : `Erased: ${kind} ${id}\n`)
    return 0
  } catch (error) {
    throw error instanceof AppError ? new Refused({ code: error.code, message: error.publicMessage }) : error
  } finally {
    await closeProduct()
  }
}
