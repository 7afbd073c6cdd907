/** What text recognition needs to know of a version, and what it read. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import { type Executor, rows } from '../client.ts'
import { documents, documentVersions, type RecognisedWord, recognisedPages } from '../schema/index.ts'

export type Recognisable = {
  versionId: string
  documentId: string
  workspaceId: string
  contentHash: string
  blobKey: string
  pages: number[]
  /** The file is one picture, not a document with pages. */
  isPicture: boolean
  /** It answers already, with the pages that have text. */
  isReady: boolean
}

/** The version when it is its document's newest and has pages to read. */
export const getRecognisable = async (db: Executor, versionId: string): Promise<Recognisable | undefined> => {
  const [found] = await rows<Recognisable>(
    db,
    sql`select v.id as "versionId", d.id as "documentId", d.workspace_id as "workspaceId", v.content_hash as "contentHash",
        v.blob_key as "blobKey", v.picture_pages as pages, d.media_type like 'image/%' as "isPicture", v.stage = 'ready' as "isReady"
      from ${documentVersions} v join ${documents} d on d.latest_version_id = v.id
      where v.id = ${versionId} and cardinality(v.picture_pages) > 0 and v.stage in ('ready', 'recognising')`,
  )
  return found
}

export type RecognisedPage = { page: number; words: RecognisedWord[] }

/** Pages that were read from these bytes, in order. */
export const listRecognisedPages = (
  db: Executor,
  { workspaceId, contentHash }: { workspaceId: string; contentHash: string },
): Promise<RecognisedPage[]> =>
  db
    .select({ page: recognisedPages.page, words: recognisedPages.words })
    .from(recognisedPages)
    .where(and(eq(recognisedPages.workspaceId, workspaceId), eq(recognisedPages.contentHash, contentHash)))
    .orderBy(recognisedPages.page)

export const insertRecognisedPage = async (db: Executor, page: typeof recognisedPages.$inferInsert): Promise<void> => {
  await db.insert(recognisedPages).values(page).onConflictDoNothing()
}

/** How far the reading is; a version that answers already keeps its stage. */
export const setRecognising = async (
  db: Executor,
  versionId: string,
  { done, total }: { done: number; total: number },
): Promise<void> => {
  await db
    .update(documentVersions)
    .set({ progressDone: done, progressTotal: total })
    .where(and(eq(documentVersions.id, versionId), inArray(documentVersions.stage, ['ready', 'recognising'])))
}
