/** What evaluations and benchmarks need of a scratch database and the product never does. */
import { and, eq } from 'drizzle-orm'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Db } from '../client.ts'
import { chunks, documents } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import { insertDocument } from './documents.ts'

/** A document without a file, ready to be claimed and indexed; returns its version's id. */
export const createScratchDocument = async (
  db: Db,
  viewer: Viewer,
  { collectionId, name }: { collectionId: string; name: string },
): Promise<string> => {
  const versionId = newId()
  const version = { id: versionId, contentHash: versionId, blobKey: newId(), bytes: 0 }
  await db.transaction((tx) =>
    insertDocument(tx, viewer, { id: newId(), collectionId, name, mediaType: 'text/plain' }, version),
  )
  return versionId
}

/** The name of every published chunk's document. */
export const listChunkDocuments = async (db: Db, viewer: Viewer): Promise<Map<number, string>> => {
  const found = await db
    .select({ chunkId: chunks.id, name: documents.name })
    .from(chunks)
    .innerJoin(
      documents,
      and(eq(documents.id, chunks.documentId), eq(documents.publishedVersionId, chunks.versionId), visibleTo(viewer)),
    )
  return new Map(found.map(({ chunkId, name }) => [chunkId, name]))
}
