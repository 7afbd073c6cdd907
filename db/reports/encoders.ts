/** The encoders of a workspace as the Knowledge page shows them. None of these statements writes. */
import { and, desc, eq, inArray, notInArray, sql } from 'drizzle-orm'
import type { EncoderIndex } from '#lib/shared/encoders-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { documents, documentVersions, embeddingIndexes, lexicalStats } from '../schema/index.ts'
import { everythingOf, visibleTo } from '../visibility.ts'
import type { Reader } from './reader.ts'

/** The index that serves, the one that is being built, and the last that failed; newest first. */
export const listEncoderIndexes = async (db: Reader, viewer: Pick<Viewer, 'workspaceId'>): Promise<EncoderIndex[]> => {
  const found = await db
    .select()
    .from(embeddingIndexes)
    .where(
      and(
        eq(embeddingIndexes.workspaceId, viewer.workspaceId),
        inArray(embeddingIndexes.state, ['building', 'serving', 'failed']),
      ),
    )
    .orderBy(desc(embeddingIndexes.createdAt))
    .limit(20)
  return found.flatMap(({ id, name, state, step, progressDone, progressTotal, failure, createdAt, servedAt }) =>
    state === 'retired'
      ? []
      : [
          {
            id,
            name,
            state,
            step,
            done: progressDone,
            total: progressTotal,
            failure,
            since: (servedAt ?? createdAt).toISOString(),
          },
        ],
  )
}

/** Passages that answer by the language of their document, most first. */
export const listLanguages = async (
  db: Reader,
  viewer: Pick<Viewer, 'workspaceId'>,
): Promise<{ language: string; passages: number }[]> => {
  const [found] = await db
    .select({ languages: lexicalStats.languages })
    .from(lexicalStats)
    .where(eq(lexicalStats.workspaceId, viewer.workspaceId))
  return Object.entries(found?.languages ?? {})
    .map(([language, passages]) => ({ language, passages }))
    .sort((a, b) => b.passages - a.passages || a.language.localeCompare(b.language))
}

/** Documents that answer, those of them that `chunker` would cut in another way, and those that are being read. */
export const countDocumentStates = async (
  db: Reader,
  viewer: Pick<Viewer, 'workspaceId'>,
  chunker: string,
): Promise<{ ready: number; outdated: number; inWork: number }> => {
  const [found] = await db
    .select({
      ready: sql<number>`(count(${documents.publishedVersionId}))::int`,
      outdated: sql<number>`(count(*) filter (where ${documentVersions.stage} = 'ready' and ${documentVersions.chunker} is distinct from ${chunker}))::int`,
      inWork: sql<number>`(count(*) filter (where ${notInArray(documentVersions.stage, ['ready', 'failed'])}))::int`,
    })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.latestVersionId))
    // Counts of what reading anew is about, which the worker does for the whole workspace.
    .where(visibleTo(everythingOf(viewer.workspaceId)))
  return found ?? { ready: 0, outdated: 0, inWork: 0 }
}
