/** Changes to documents that people ask for: upload, retry, delete. Each takes the transaction it is part of. */
import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import {
  collectionGrants,
  collections,
  documents,
  documentVersions,
  memberships,
  users,
  type VersionCause,
} from '../schema/index.ts'
import { changeableBy, collectionOpenTo, deletableBy, everythingOf, visibleTo } from '../visibility.ts'

/** Makes uploads into one collection follow each other, so that the same file sent twenty times at once is one document. */
export const lockCollection = async (tx: Tx, collectionId: string): Promise<void> => {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${collectionId}, 0))`)
}

/** The collection when the viewer may add documents to it. */
export const getOpenCollection = async (
  db: Executor,
  viewer: Viewer,
  collectionId: string,
): Promise<{ id: string; name: string } | undefined> => {
  const [found] = await db
    .select({ id: collections.id, name: collections.name })
    .from(collections)
    .where(and(eq(collections.id, collectionId), collectionOpenTo(viewer, 'contribute')))
  return found
}

/** Whether there is a collection that the viewer may add to. */
export const mayContribute = async (db: Executor, viewer: Viewer): Promise<boolean> => {
  const found = await db
    .select({ id: collections.id })
    .from(collections)
    .where(collectionOpenTo(viewer, 'contribute'))
    .limit(1)
  return found.length > 0
}

/** The id of the workspace's collection of that name, whoever may read it. */
export const findCollection = async (
  db: Executor,
  { workspaceId }: Viewer,
  name: string,
): Promise<string | undefined> => {
  const [found] = await db
    .select({ id: collections.id })
    .from(collections)
    .where(and(eq(collections.workspaceId, workspaceId), eq(collections.name, name)))
  return found?.id
}

/** Makes a collection that the whole workspace reads, or none but its maker; false when the name is taken. */
export const insertCollection = async (
  tx: Tx,
  { workspaceId, userId }: Viewer,
  { openTo, ...collection }: { id: string; name: string; openTo: 'workspace' | 'me' },
): Promise<boolean> => {
  const made = await tx
    .insert(collections)
    .values({ ...collection, workspaceId })
    .onConflictDoNothing()
    .returning({ id: collections.id })
  if (made.length === 0) return false
  await tx.insert(collectionGrants).values({
    id: newId(),
    workspaceId,
    collectionId: collection.id,
    createdBy: userId,
    ...(openTo === 'me'
      ? { subject: 'person', subjectId: userId, level: 'manage' }
      : { subject: 'workspace', subjectId: workspaceId, level: 'read' }),
  })
  return true
}

/** The collection of that name in the viewer's workspace, made when it is not there, for all to read. Returns its id. */
export const upsertCollection = (
  db: Executor,
  viewer: Viewer,
  { id, name }: { id: string; name: string },
): Promise<string> =>
  db.transaction(async (tx) => {
    // Named by a command or a seed, and open to its workspace like a folder that is put on a shared drive; people choose in the form.
    if (await insertCollection(tx, viewer, { id, name, openTo: 'workspace' })) return id
    const known = await findCollection(tx, viewer, name)
    if (!known) throw new Error('a collection is neither there nor can it be made')
    return known
  })

export type LatestVersion = {
  documentId: string
  versionId: string
  number: number
  contentHash: string
  name: string
  mediaType: string
}

/**
 * Documents of the collection whose newest version has these bytes, which have one of these names, or which are this one. The caller has
 * seen that the viewer may add to it; what an incident switch has turned off has its name all the same.
 */
export const findSameDocuments = (
  tx: Tx,
  viewer: Viewer,
  wanted: {
    collectionId: string
    names: readonly string[]
    contentHash: string
    documentId?: string | null | undefined
  },
): Promise<LatestVersion[]> =>
  tx
    .select({
      documentId: documents.id,
      versionId: documentVersions.id,
      number: documentVersions.number,
      contentHash: documentVersions.contentHash,
      name: documents.name,
      mediaType: documents.mediaType,
    })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.latestVersionId))
    .where(
      and(
        visibleTo(everythingOf(viewer.workspaceId), [wanted.collectionId]),
        or(
          inArray(documents.name, [...wanted.names]),
          eq(documentVersions.contentHash, wanted.contentHash),
          wanted.documentId ? eq(documents.id, wanted.documentId) : undefined,
        ),
      ),
    )

/**
 * Who made a document, with their role of now (null when they are gone or suspended), where it lies, and in how many others it was
 * attached; for the worker, on its maker's behalf.
 */
export const getDocumentMaker = async (
  db: Executor,
  { documentId, workspaceId }: { documentId: string; workspaceId: string },
): Promise<{ name: string; collectionId: string; depth: number; maker: Viewer | null } | undefined> => {
  const [found] = await db
    .select({
      name: documents.name,
      collectionId: documents.collectionId,
      depth: sql<number>`(
        with recursive above as (
          select ${documents.parentId} as id
          union all select d.parent_id from documents d join above on d.id = above.id
        ) select count(id)::int from above)`,
      maker: {
        userId: users.id,
        workspaceId: memberships.workspaceId,
        role: memberships.role,
        name: users.name,
        email: users.email,
      },
    })
    .from(documents)
    .leftJoin(
      memberships,
      and(
        eq(memberships.userId, documents.createdBy),
        eq(memberships.workspaceId, workspaceId),
        isNull(memberships.suspendedAt),
      ),
    )
    .leftJoin(users, eq(users.id, memberships.userId))
    .where(and(visibleTo(everythingOf(workspaceId)), eq(documents.id, documentId)))
  if (!found) return undefined
  const { userId, role, name, email } = found.maker
  return { ...found, maker: userId && role && name && email ? { userId, workspaceId, role, name, email } : null }
}

export type NewVersion = {
  id: string
  contentHash: string
  blobKey: string
  bytes: number
  cause?: VersionCause
}
export type NewDocument = {
  id: string
  collectionId: string
  name: string
  mediaType: string
  parentId?: string
  sourceId?: string
  sourceUri?: string
}

export const insertDocument = async (
  tx: Tx,
  viewer: Viewer,
  document: NewDocument,
  version: NewVersion,
): Promise<void> => {
  await tx
    .insert(documents)
    .values({ ...document, workspaceId: viewer.workspaceId, latestVersionId: version.id, createdBy: viewer.userId })
  await tx.insert(documentVersions).values({ ...version, documentId: document.id, number: 1 })
}

export const insertVersion = async (tx: Tx, documentId: string, number: number, version: NewVersion): Promise<void> => {
  await tx.insert(documentVersions).values({ ...version, documentId, number })
  await tx
    .update(documents)
    .set({ latestVersionId: version.id, updatedAt: sql`now()` })
    .where(eq(documents.id, documentId))
}

/**
 * A new version of the same file for each of these documents that is ready: read and cut anew while the present one answers. Returns
 * the versions to ingest. For the workspace and not for a person: a setting of how documents are read holds for all of them.
 */
export const insertReindexVersions = async (
  tx: Tx,
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  { documentIds, cause, newId }: { documentIds: readonly string[]; cause: VersionCause; newId: () => string },
): Promise<string[]> => {
  if (documentIds.length === 0) return []
  const found = await tx
    .select({ documentId: documents.id, version: documentVersions })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.latestVersionId))
    .where(
      and(
        visibleTo(everythingOf(workspaceId)),
        inArray(documents.id, [...documentIds]),
        eq(documentVersions.stage, 'ready'),
      ),
    )
    .for('update')
  const made: string[] = []
  for (const { documentId, version } of found) {
    const { contentHash, blobKey, bytes } = version
    const id = newId()
    await insertVersion(tx, documentId, version.number + 1, { id, contentHash, blobKey, bytes, cause })
    made.push(id)
  }
  return made
}

/** Documents that answer with passages cut in another way than `chunker`, whoever may read them. */
export const listOutdatedDocuments = async (
  db: Executor,
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  chunker: string,
): Promise<string[]> => {
  const found = await db
    .select({ id: documents.id })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.latestVersionId))
    .where(
      and(
        visibleTo(everythingOf(workspaceId)),
        eq(documentVersions.stage, 'ready'),
        sql`${documentVersions.chunker} is distinct from ${chunker}`,
      ),
    )
  return found.map(({ id }) => id)
}

/** Sets the tags that people gave. Returns false when there is no such document that the viewer may change. */
export const setDocumentTags = async (
  tx: Tx,
  viewer: Viewer,
  { documentId, tags }: { documentId: string; tags: readonly string[] },
): Promise<boolean> => {
  const set = await tx
    .update(documents)
    .set({ tags: [...tags] })
    .where(and(eq(documents.id, documentId), changeableBy(viewer)))
    .returning({ id: documents.id })
  return set.length > 0
}

export const mayChangeDocument = async (tx: Tx, viewer: Viewer, documentId: string): Promise<boolean> => {
  const found = await tx
    .select({ id: documents.id })
    .from(documents)
    .where(and(eq(documents.id, documentId), changeableBy(viewer)))
  return found.length > 0
}

/** Puts the newest version of a document that the viewer may change back to the start when it failed or stands still; returns it, or undefined. */
export const requeueDocument = async (tx: Tx, viewer: Viewer, documentId: string): Promise<string | undefined> => {
  const latest = tx
    .select({ id: documents.latestVersionId })
    .from(documents)
    .where(and(eq(documents.id, documentId), changeableBy(viewer)))
  const [requeued] = await tx
    .update(documentVersions)
    .set({ stage: 'queued', failureCode: null, progressDone: 0, progressTotal: 0 })
    .where(and(inArray(documentVersions.id, latest), inArray(documentVersions.stage, ['failed', 'queued'])))
    .returning({ id: documentVersions.id })
  return requeued?.id
}

/** Deletes a document with its versions, chunks and postings, and what was attached to it; returns its name and the blobs to delete, or undefined when there is none that the viewer may delete. */
export const deleteDocument = async (
  tx: Tx,
  viewer: Viewer,
  documentId: string,
): Promise<{ name: string; blobKeys: string[] } | undefined> => {
  // What was attached to it goes with it, and what was attached to that.
  const versions = await tx
    .select({ documentId: documents.id, name: documents.name, blobKey: documentVersions.blobKey })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.documentId, documents.id))
    .where(
      and(
        deletableBy(viewer),
        sql`${documents.id} in (
          with recursive family as (
            select ${documentId}::uuid as id union select d.id from documents d join family on d.parent_id = family.id
          ) select id from family)`,
      ),
    )
  const own = versions.find((version) => version.documentId === documentId)
  if (!own) return undefined
  await tx.delete(documents).where(and(eq(documents.id, documentId), deletableBy(viewer)))
  return { name: own.name, blobKeys: [...new Set(versions.map(({ blobKey }) => blobKey))] }
}

/** Deletes every document of the collection that the viewer may delete; returns them and the blobs to delete. */
export const deleteDocumentsIn = async (
  tx: Tx,
  viewer: Viewer,
  collectionId: string,
): Promise<{ gone: { documentId: string; blobKeys: string[] }[]; blobKeys: string[] }> => {
  const among = and(deletableBy(viewer), eq(documents.collectionId, collectionId))
  const versions = await tx
    .select({ documentId: documents.id, blobKey: documentVersions.blobKey })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.documentId, documents.id))
    .where(among)
  await tx.delete(documents).where(among)
  return {
    gone: [...Map.groupBy(versions, ({ documentId }) => documentId)].map(([documentId, own]) => ({
      documentId,
      blobKeys: own.map(({ blobKey }) => blobKey),
    })),
    blobKeys: [...new Set(versions.map(({ blobKey }) => blobKey))],
  }
}
