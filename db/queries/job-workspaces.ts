/** Whose a job is, for rules of the workspace that hold for its jobs. */
import { eq } from 'drizzle-orm'
import type { Executor } from '../client.ts'
import { documents, documentVersions, embeddingIndexes, sources } from '../schema/index.ts'

/** What a job names: exactly one of them. */
export type JobSubject = { versionId: string } | { sourceId: string } | { indexId: string }

/** The workspace of a job's subject; undefined when that is gone. */
export const workspaceOfJob = async (db: Executor, subject: JobSubject): Promise<string | undefined> => {
  const [found] = await ('versionId' in subject
    ? db
        .select({ id: documents.workspaceId })
        .from(documentVersions)
        .innerJoin(documents, eq(documents.id, documentVersions.documentId))
        .where(eq(documentVersions.id, subject.versionId))
    : 'sourceId' in subject
      ? db.select({ id: sources.workspaceId }).from(sources).where(eq(sources.id, subject.sourceId))
      : db
          .select({ id: embeddingIndexes.workspaceId })
          .from(embeddingIndexes)
          .where(eq(embeddingIndexes.id, subject.indexId)))
  return found?.id
}
