/** Legal holds: what somebody must keep, whatever retention, an erasure or a person says. Placed and released by who keeps the records. */
import { database, type Tx } from '#db/client.ts'
import {
  findKeepingTargets,
  getHoldable,
  insertHold,
  type LegalHold,
  listCitedDocuments,
  listHoldsOn,
  listHolds as listStoredHolds,
  releaseHold as releaseStored,
} from '#db/queries/legal-holds.ts'
import { audit } from './audit.ts'
import { AppError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import type { HoldRow, KeepingTarget } from './shared/keeping-contract.ts'
import type { HoldKind } from './shared/records-contract.ts'
import type { Viewer } from './shared/viewer.ts'

/** A hold in words for whoever is refused; `itself` is what is held when that is no collection. */
export const holdWords = ({ kind, label, createdAt, reason }: LegalHold, itself = 'This'): string => {
  const what = kind === 'collection' ? `The collection “${label}” is` : `${itself} is`
  const since = createdAt.toISOString().slice(0, 10)
  return `${what} on legal hold since ${since}, because: ${reason} It can be deleted when the hold is released on the Retention page.`
}

const sentence = (reason: string): string => (/[.!?]$/.test(reason) ? reason : `${reason}.`)

const refused = (hold: LegalHold | undefined): AppError | null =>
  hold ? new AppError('conflict', { message: holdWords(hold), context: { hold: hold.id } }) : null

/**
 * The refusal, in words with since and why, when one of these is on hold; of a document also its collection. Null when none is. Holds
 * stay as they are until the transaction ends.
 */
export const findHold = async (
  tx: Tx,
  target: { workspaceId?: string; kind: HoldKind; ids: readonly string[] },
): Promise<AppError | null> => refused((await listHoldsOn(tx, target))[0])

/** The same for a conversation: its person is on hold, or a document that its answers cite. */
export const findHoldOnChat = async (tx: Tx, viewer: Viewer, chatId: string): Promise<AppError | null> => {
  const { workspaceId, userId } = viewer
  const documentIds = await listCitedDocuments(tx, chatId)
  return (
    (await findHold(tx, { workspaceId, kind: 'person', ids: [userId] })) ??
    (await findHold(tx, { workspaceId, kind: 'document', ids: documentIds }))
  )
}

/** What could be held or erased and has `q` in its name or address, a few of them. */
export const findTargets = (viewer: Viewer, { kind, q }: { kind: HoldKind; q: string }): Promise<KeepingTarget[]> =>
  findKeepingTargets(database().db, viewer, { kind, q: q.trim() })

/** Every hold of the workspace, those in force first. */
export const listHolds = async ({ workspaceId }: Pick<Viewer, 'workspaceId'>): Promise<HoldRow[]> =>
  (await listStoredHolds(database().db, workspaceId)).map(({ createdAt, releasedAt, createdBy: _by, ...hold }) => ({
    ...hold,
    since: createdAt.toISOString(),
    releasedAt: releasedAt?.toISOString() ?? null,
  }))

/** Holds an object of the workspace from now on. Throws `not-found`, or `conflict` when it is held already. */
export const placeHold = async (
  viewer: Viewer,
  { kind, objectId, reason }: { kind: HoldKind; objectId: string; reason: string },
): Promise<{ id: string }> => {
  const { workspaceId, userId } = viewer
  const id = newId()
  await database().db.transaction(async (tx) => {
    const label = await getHoldable(tx, viewer, { kind, objectId })
    if (label === undefined) throw new AppError('not-found')
    const hold = { id, workspaceId, kind, objectId, label, reason: sentence(reason.trim()), createdBy: userId }
    if (!(await insertHold(tx, hold)))
      throw new AppError('conflict', { message: `“${label}” is on hold already. Release that hold to place another.` })
    // The label names a person, and the log keeps ids only.
    await audit(tx, { actor: viewer, event: 'hold.placed', objectId, details: { hold: id, kind } })
  })
  return { id }
}

/** Ends a hold. Throws `not-found` when there is none in force. */
export const releaseHold = async (viewer: Viewer, id: string): Promise<void> => {
  await database().db.transaction(async (tx) => {
    const released = await releaseStored(tx, { workspaceId: viewer.workspaceId, id })
    if (!released) throw new AppError('not-found')
    const { kind, objectId } = released
    await audit(tx, { actor: viewer, event: 'hold.released', objectId, details: { hold: id, kind } })
  })
}
