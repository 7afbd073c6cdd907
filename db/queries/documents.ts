/** Changes to documents that people ask for: upload, retry, delete. Each takes the transaction it is part of. */
import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { collections, documents, documentVersions } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'

/** Makes uploads into one collection follow each other, so that the same file sent twenty times at once is one document. */
export const lockCollection = async (tx: Tx, collectionId: string): Promise<void> => {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${collectionId}, 0))`)
}

export const getCollection = async (
  db: Executor,
  viewer: Viewer,
  collectionId: string,
): Promise<{ id: string; name: string } | undefined> => {
  const [found] = await db
    .select({ id: collections.id, name: collections.name })
    .from(collections)
    .where(and(eq(collections.id, collectionId), eq(collections.workspaceId, viewer.workspaceId)))
  return found
}

/** The collection of that name in the viewer's workspace, made when it is not there. Returns its id. */
export const upsertCollection = async (
  db: Executor,
  viewer: Viewer,
  collection: { id: string; name: string },
): Promise<string> => {
  const [made] = await db
    .insert(collections)
    .values({ ...collection, workspaceId: viewer.workspaceId })
    .onConflictDoUpdate({ target: [collections.workspaceId, collections.name], set: { name: collection.name } })
    .returning({ id: collections.id })
  return made?.id ?? collection.id
}

export type LatestVersion = { documentId: string; versionId: string; number: number; contentHash: string; name: string }

/** Documents of the collection whose newest version has these bytes, or which have this name. */
export const findSameDocuments = (
  tx: Tx,
  viewer: Viewer,
  { collectionId, name, contentHash }: { collectionId: string; name: string; contentHash: string },
): Promise<LatestVersion[]> =>
  tx
    .select({
      documentId: documents.id,
      versionId: documentVersions.id,
      number: documentVersions.number,
      contentHash: documentVersions.contentHash,
      name: documents.name,
    })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.latestVersionId))
    .where(
      and(
        visibleTo(viewer, [collectionId]),
        sql`(${documents.name} = ${name} or ${documentVersions.contentHash} = ${contentHash})`,
      ),
    )

export type NewVersion = { id: string; contentHash: string; blobKey: string; bytes: number }
export type NewDocument = { id: string; collectionId: string; name: string; mediaType: string }

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

/** Puts the newest version of a document back to the start when it failed or stands still; returns it, or undefined. */
export const requeueDocument = async (tx: Tx, viewer: Viewer, documentId: string): Promise<string | undefined> => {
  const latest = tx
    .select({ id: documents.latestVersionId })
    .from(documents)
    .where(and(eq(documents.id, documentId), visibleTo(viewer)))
  const [requeued] = await tx
    .update(documentVersions)
    .set({ stage: 'queued', failureCode: null, progressDone: 0, progressTotal: 0 })
    .where(and(inArray(documentVersions.id, latest), inArray(documentVersions.stage, ['failed', 'queued'])))
    .returning({ id: documentVersions.id })
  return requeued?.id
}

/** Deletes a document with its versions, chunks and postings; returns its name and the blobs to delete, or undefined when it is not there. */
export const deleteDocument = async (
  tx: Tx,
  viewer: Viewer,
  documentId: string,
): Promise<{ name: string; blobKeys: string[] } | undefined> => {
  const versions = await tx
    .select({ name: documents.name, blobKey: documentVersions.blobKey })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.documentId, documents.id))
    .where(and(eq(documents.id, documentId), visibleTo(viewer)))
    .orderBy(desc(documentVersions.number))
  const [first] = versions
  if (!first) return undefined
  await tx.delete(documents).where(and(eq(documents.id, documentId), visibleTo(viewer)))
  return { name: first.name, blobKeys: versions.map(({ blobKey }) => blobKey) }
}
