/** What must not be deleted: holds on people, documents and collections. */
import { and, desc, eq, ilike, inArray, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { KeepingTarget } from '#lib/shared/keeping-contract.ts'
import type { HoldKind } from '#lib/shared/records-contract.ts'
import type { Reader } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { citations, collections, documents, legalHolds, memberships, messages, users } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'

export type LegalHold = typeof legalHolds.$inferSelect

/** The holds in force on any of these objects; of a document also the one on its collection. Locked until the transaction ends. */
export const listHoldsOn = (
  db: Executor,
  { workspaceId, kind, ids }: { workspaceId?: string; kind: HoldKind; ids: readonly string[] },
): Promise<LegalHold[]> => {
  if (ids.length === 0) return Promise.resolve([])
  const itself = and(eq(legalHolds.kind, kind), inArray(legalHolds.objectId, [...ids]))
  const ofCollection = and(
    eq(legalHolds.kind, 'collection'),
    inArray(
      legalHolds.objectId,
      db
        .select({ id: documents.collectionId })
        .from(documents)
        .where(inArray(documents.id, [...ids])),
    ),
  )
  return db
    .select()
    .from(legalHolds)
    .where(
      and(
        isNull(legalHolds.releasedAt),
        workspaceId ? eq(legalHolds.workspaceId, workspaceId) : undefined,
        kind === 'document' ? or(itself, ofCollection) : itself,
      ),
    )
    .orderBy(legalHolds.createdAt)
    .for('share')
}

/** A hold in force on a collection or on a document in it, the first of them. Locked until the transaction ends. */
export const findHoldWithin = async (
  tx: Tx,
  { workspaceId }: Reader,
  collectionId: string,
): Promise<LegalHold | undefined> => {
  const within = tx.select({ id: documents.id }).from(documents).where(eq(documents.collectionId, collectionId))
  const [found] = await tx
    .select()
    .from(legalHolds)
    .where(
      and(
        eq(legalHolds.workspaceId, workspaceId),
        isNull(legalHolds.releasedAt),
        or(
          and(eq(legalHolds.kind, 'collection'), eq(legalHolds.objectId, collectionId)),
          and(eq(legalHolds.kind, 'document'), inArray(legalHolds.objectId, within)),
        ),
      ),
    )
    .orderBy(desc(eq(legalHolds.kind, 'collection')), legalHolds.createdAt)
    .limit(1)
    .for('share')
  return found
}

/** Every hold that a workspace has placed, those in force first, then the newest. */
export const listHolds = (
  db: Executor,
  workspaceId: string,
): Promise<(Omit<LegalHold, 'workspaceId'> & { by: string | null })[]> =>
  db
    .select({
      id: legalHolds.id,
      kind: legalHolds.kind,
      objectId: legalHolds.objectId,
      label: legalHolds.label,
      reason: legalHolds.reason,
      createdBy: legalHolds.createdBy,
      createdAt: legalHolds.createdAt,
      releasedAt: legalHolds.releasedAt,
      by: users.name,
    })
    .from(legalHolds)
    .leftJoin(users, eq(users.id, legalHolds.createdBy))
    .where(eq(legalHolds.workspaceId, workspaceId))
    .orderBy(desc(isNull(legalHolds.releasedAt)), desc(legalHolds.createdAt))
    .limit(500)

/** How an object of the workspace is called; undefined when it has no such object, or the viewer may not read the document. */
export const getHoldable = async (
  db: Executor,
  viewer: Reader,
  { kind, objectId }: { kind: HoldKind; objectId: string },
): Promise<string | undefined> => {
  const { workspaceId } = viewer
  const [found] =
    kind === 'person'
      ? await db
          .select({ name: users.name })
          .from(memberships)
          .innerJoin(users, eq(users.id, memberships.userId))
          .where(and(eq(memberships.workspaceId, workspaceId), eq(memberships.userId, objectId)))
      : kind === 'collection'
        ? await db
            .select({ name: collections.name })
            .from(collections)
            .where(and(eq(collections.workspaceId, workspaceId), eq(collections.id, objectId)))
        : await db
            .select({ name: documents.name })
            .from(documents)
            .where(and(visibleTo(viewer), eq(documents.id, objectId)))
  return found?.name
}

const targetsMax = 20

/**
 * People, documents or collections whose name or address holds `q`, by name; a few of them. Documents are those that the viewer may read;
 * people also those who have left and whose conversations are still here.
 */
export const findKeepingTargets = async (
  db: Executor,
  viewer: Reader,
  { kind, q }: { kind: HoldKind; q: string },
): Promise<KeepingTarget[]> => {
  const like = `%${q.replace(/[\\%_]/g, '\\$&')}%`
  if (kind === 'person')
    return db
      .select({ id: users.id, label: users.name, note: users.email })
      .from(users)
      .where(
        and(
          isNull(users.erasedAt),
          or(ilike(users.name, like), ilike(users.email, like)),
          sql`(exists (select from memberships m where m.user_id = ${users.id} and m.workspace_id = ${viewer.workspaceId})
            or not exists (select from memberships m where m.user_id = ${users.id})
              and exists (select from chats c where c.user_id = ${users.id} and c.workspace_id = ${viewer.workspaceId}))`,
        ),
      )
      .orderBy(users.name, users.id)
      .limit(targetsMax)
  if (kind === 'collection')
    return db
      .select({ id: collections.id, label: collections.name, note: sql<string>`''` })
      .from(collections)
      .where(and(eq(collections.workspaceId, viewer.workspaceId), ilike(collections.name, like)))
      .orderBy(collections.name)
      .limit(targetsMax)
  return db
    .select({ id: documents.id, label: documents.name, note: collections.name })
    .from(documents)
    .innerJoin(collections, eq(collections.id, documents.collectionId))
    .where(and(visibleTo(viewer), ilike(documents.name, like)))
    .orderBy(documents.name, documents.id)
    .limit(targetsMax)
}

/** False when the object is held already. */
export const insertHold = async (
  db: Executor,
  hold: Pick<LegalHold, 'id' | 'workspaceId' | 'kind' | 'objectId' | 'label' | 'reason' | 'createdBy'>,
): Promise<boolean> => {
  const made = await db.insert(legalHolds).values(hold).onConflictDoNothing().returning({ id: legalHolds.id })
  return made.length > 0
}

/** Ends a hold that is in force; the hold as it was, or undefined. */
export const releaseHold = async (
  db: Executor,
  { workspaceId, id }: { workspaceId: string; id: string },
): Promise<LegalHold | undefined> => {
  const [released] = await db
    .update(legalHolds)
    .set({ releasedAt: sql`now()` })
    .where(and(eq(legalHolds.workspaceId, workspaceId), eq(legalHolds.id, id), isNull(legalHolds.releasedAt)))
    .returning()
  return released
}

/** Documents that the answers of a conversation cite. */
export const listCitedDocuments = async (db: Executor, chatId: string): Promise<string[]> => {
  const found = await db
    .selectDistinct({ id: citations.documentId })
    .from(citations)
    .innerJoin(messages, eq(messages.id, citations.messageId))
    .where(eq(messages.chatId, chatId))
  return found.map(({ id }) => id)
}

/** Ids that holds of a workspace name, as a subquery; empty when nothing of the kind is held. */
export const heldIds = (workspaceId: string, kind: HoldKind): SQL =>
  sql`(select h.object_id from legal_holds h where h.workspace_id = ${workspaceId} and h.kind = ${kind} and h.released_at is null)`

/** Messages that cite what is held in a workspace: they are evidence of how it was used. */
export const messagesOnHeldDocuments = (workspaceId: string): SQL =>
  sql`(select c.message_id from citations c where c.document_id in ${heldIds(workspaceId, 'document')}
    or c.document_id in (select d.id from documents d where d.collection_id in ${heldIds(workspaceId, 'collection')}))`
