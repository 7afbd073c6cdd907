/** A document as if it had been uploaded and taken in, for worlds that tests ask from outside: stored, cut into `texts`, published. */
import { createHash } from 'node:crypto'
import type { Database } from '#db/client.ts'
import { chunks, documents, documentVersions } from '#db/schema/index.ts'
import { newId } from '#lib/shared/ids.ts'
import { putBlob } from '#lib/storage.ts'

export type ReadyDocument = { documentId: string; versionId: string; name: string; collectionId: string }

type Wanted = {
  documentId?: string
  collectionId: string
  name: string
  title: string
  texts: readonly string[]
  /** Stands in what else a file says of itself and people say of it: author, summary, tags. */
  said?: string
  sourceUri?: string
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const between = '\n\n'

export const addReadyDocument = async (
  { db }: Database,
  { workspaceId, userId }: { workspaceId: string; userId: string },
  { documentId = newId(), collectionId, name, title, texts, said, sourceUri }: Wanted,
): Promise<ReadyDocument> => {
  const [versionId, blobKey] = [newId(), newId()]
  const text = texts.join(between)
  const bytes = new TextEncoder().encode(text)
  const source = async function* () {
    yield bytes
  }
  const stored = await putBlob(blobKey, source(), bytes.length)
  await db.insert(documents).values({
    id: documentId,
    workspaceId,
    collectionId,
    name,
    mediaType: 'text/plain',
    latestVersionId: versionId,
    publishedVersionId: versionId,
    createdBy: userId,
    ...(sourceUri ? { sourceUri } : {}),
    ...(said ? { tags: [said] } : {}),
  })
  await db.insert(documentVersions).values({
    id: versionId,
    documentId,
    number: 1,
    contentHash: stored.sha256,
    blobKey,
    bytes: stored.bytes,
    stage: 'ready',
    text,
    title,
    chunks: texts.length,
    ...(said ? { author: said, summary: said, tags: [said] } : {}),
  })
  let at = 0
  await db.insert(chunks).values(
    texts.map((one, ordinal) => {
      const charStart = at
      at += one.length + between.length
      return {
        workspaceId,
        documentId,
        versionId,
        ordinal,
        text: one,
        charStart,
        charEnd: charStart + one.length,
        headingPath: said ? [one] : [],
        context: '',
        tokens: 12,
        contentHash: sha256(one),
      }
    }),
  )
  return { documentId, versionId, name, collectionId }
}
