/** Summaries and tags of documents, as they are made. */
import { and, eq, inArray, isNotNull, sql } from 'drizzle-orm'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Executor } from '../client.ts'
import { chunks, documents, documentVersions } from '../schema/index.ts'
import { changeableBy } from '../visibility.ts'
import { isHeld } from './passage-releases.ts'

/**
 * Marks the newest version of a document that the viewer may change as being described; undefined when it has no text yet, is not
 * there, or is in none of the collections that summaries may use (null: all).
 */
export const startDescription = async (
  db: Executor,
  viewer: Viewer,
  documentId: string,
  within: readonly string[] | null = null,
): Promise<string | undefined> => {
  const latest = db
    .select({ id: documents.latestVersionId })
    .from(documents)
    .where(
      and(
        changeableBy(viewer),
        eq(documents.id, documentId),
        within ? inArray(documents.collectionId, [...within]) : undefined,
      ),
    )
  const [marked] = await db
    .update(documentVersions)
    .set({ describedDone: 0, describedTotal: 1 })
    .where(and(inArray(documentVersions.id, latest), isNotNull(documentVersions.text)))
    .returning({ id: documentVersions.id })
  return marked?.id
}

/** The text of a version of the workspace, without the passages that may go to no model. */
export const getDescribable = async (
  db: Executor,
  workspaceId: string,
  versionId: string,
): Promise<{ title: string; text: string; collectionId: string } | undefined> => {
  const held = db
    .select({
      ranges: sql`jsonb_agg(jsonb_build_array(${chunks.charStart}, ${chunks.charEnd}) order by ${chunks.charStart})`,
    })
    .from(chunks)
    .where(and(eq(chunks.versionId, documentVersions.id), isHeld({ workspaceId })))
  const [found] = await db
    .select({
      held: sql<[number, number][] | null>`(${held})`,
      collectionId: documents.collectionId,
      title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
      text: sql<string>`${documentVersions.text}`,
    })
    .from(documentVersions)
    .innerJoin(documents, eq(documents.id, documentVersions.documentId))
    .where(
      and(eq(documents.workspaceId, workspaceId), eq(documentVersions.id, versionId), isNotNull(documentVersions.text)),
    )
  if (!found) return undefined
  const { title, text, collectionId } = found
  let at = 0
  const parts: string[] = []
  for (const [start, end] of found.held ?? []) {
    if (start > at) parts.push(text.slice(at, start))
    at = Math.max(at, end)
  }
  return { title, collectionId, text: [...parts, text.slice(at)].join('\n\n') }
}

export const setDescriptionProgress = async (
  db: Executor,
  versionId: string,
  { done, total }: { done: number; total: number },
): Promise<void> => {
  await db
    .update(documentVersions)
    .set({ describedDone: done, describedTotal: total })
    .where(eq(documentVersions.id, versionId))
}

/** Stores the description; nobody makes it any more. */
export const endDescription = async (
  db: Executor,
  versionId: string,
  made: { summary: string; tags: string[] },
): Promise<void> => {
  await db
    .update(documentVersions)
    .set({ ...made, describedDone: null, describedTotal: null })
    .where(eq(documentVersions.id, versionId))
}
