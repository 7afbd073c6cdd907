/** Questions with what should be found for them. Names of documents come only with `visibleTo`. */
import { and, asc, count, eq, inArray, isNull } from 'drizzle-orm'
import type { ExpectedPassage, GoldenQuestion } from '#lib/shared/knowledge-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Executor } from '../client.ts'
import { correctionSources, documents, goldenQuestions } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'

type StoredGoldenQuestion = { id: string; question: string; expected: ExpectedPassage[]; fell?: string }

/** Keeps a question; one that is there already expects from now on what is given, whatever review it came from. */
export const saveGoldenQuestion = async (
  db: Executor,
  { workspaceId, userId }: Viewer,
  golden: Omit<StoredGoldenQuestion, 'fell'>,
): Promise<void> => {
  const [saved] = await db
    .insert(goldenQuestions)
    .values({ ...golden, workspaceId, createdBy: userId })
    .onConflictDoUpdate({
      target: [goldenQuestions.workspaceId, goldenQuestions.question],
      set: { expected: golden.expected, answer: null, itemId: null, fellAt: null, fellBecause: null },
    })
    .returning({ id: goldenQuestions.id })
  if (saved) await db.delete(correctionSources).where(eq(correctionSources.correctionId, saved.id))
}

/** How many other questions the workspace has saved. */
export const countOtherGoldenQuestions = async (db: Executor, viewer: Viewer, question: string): Promise<number> => {
  const ofWorkspace = eq(goldenQuestions.workspaceId, viewer.workspaceId)
  const [all] = await db.select({ saved: count() }).from(goldenQuestions).where(ofWorkspace)
  const [same] = await db
    .select({ saved: count() })
    .from(goldenQuestions)
    .where(and(ofWorkspace, eq(goldenQuestions.question, question)))
  return (all?.saved ?? 0) - (same?.saved ?? 0)
}

/**
 * The workspace's questions, or those of `ids` among them that count, in the order in which they were saved. One whose document has
 * changed since its answer was approved does not count.
 */
export const listGoldenQuestions = async (
  db: Executor,
  viewer: Viewer,
  { ids, limit }: { ids?: readonly string[]; limit: number },
): Promise<StoredGoldenQuestion[]> => {
  const found = await db
    .select({
      id: goldenQuestions.id,
      question: goldenQuestions.question,
      expected: goldenQuestions.expected,
      fellAt: goldenQuestions.fellAt,
      because: goldenQuestions.fellBecause,
    })
    .from(goldenQuestions)
    .where(
      and(
        eq(goldenQuestions.workspaceId, viewer.workspaceId),
        ids ? and(inArray(goldenQuestions.id, [...ids]), isNull(goldenQuestions.fellAt)) : undefined,
      ),
    )
    .orderBy(asc(goldenQuestions.createdAt), asc(goldenQuestions.id))
    .limit(limit)
  return found.map(({ fellAt, because, ...golden }) => ({ ...golden, ...(fellAt ? { fell: because ?? '' } : {}) }))
}

/** With the names of the documents that they expect and the words in them, as far as the viewer may see these. */
export const withDocumentNames = async (
  db: Executor,
  viewer: Viewer,
  stored: readonly StoredGoldenQuestion[],
): Promise<GoldenQuestion[]> => {
  const ids = [...new Set(stored.flatMap(({ expected }) => expected.map(({ documentId }) => documentId)))]
  const found =
    ids.length === 0
      ? []
      : await db
          .select({ id: documents.id, name: documents.name })
          .from(documents)
          .where(and(visibleTo(viewer), inArray(documents.id, ids)))
  const names = new Map(found.map(({ id, name }) => [id, name]))
  return stored.map((golden) => ({
    ...golden,
    expected: golden.expected.map(({ documentId, quote }) => {
      const name = names.get(documentId) ?? null
      return { documentId, quote: name === null ? '' : quote, name }
    }),
  }))
}

/** False when the workspace has no such question. */
export const deleteGoldenQuestion = async (db: Executor, viewer: Viewer, id: string): Promise<boolean> => {
  const gone = await db
    .delete(goldenQuestions)
    .where(and(eq(goldenQuestions.workspaceId, viewer.workspaceId), eq(goldenQuestions.id, id)))
    .returning({ id: goldenQuestions.id })
  if (gone.length > 0) await db.delete(correctionSources).where(eq(correctionSources.correctionId, id))
  return gone.length > 0
}
