/**
 * What admins measure and look at in their knowledge: golden questions, passages a page at a time, a way of cutting tried out.
 *
 * Promises: only of documents that the viewer may see; a document is read in pages, never as a whole; a preview stores nothing of
 * the document but where it would be cut. The doors decide who may ask.
 */
import { database } from '#db/client.ts'
import {
  countOtherGoldenQuestions,
  deleteGoldenQuestion as deleteStored,
  listGoldenQuestions as listStored,
  saveGoldenQuestion as saveStored,
  withDocumentNames,
} from '#db/queries/golden-questions.ts'
import { findPassages, getPassageWords, listPassages } from '#db/queries/passages.ts'
import { findOpenTaskRun, getTaskRun, insertTaskRun, type StoredTaskRun } from '#db/queries/task-runs.ts'
import { getVersionFile } from '#db/reports/documents.ts'
import { readAs } from '#db/visibility.ts'
import { audit } from './audit.ts'
import { enqueue } from './jobs.ts'
import { AppError } from './shared/errors.ts'
import { assertHandedOut } from './shared/held-file.ts'
import { newId } from './shared/ids.ts'
import {
  type ChunkPreviewInput,
  type ChunkPreviewRun,
  chunkPreviewFeature,
  chunkPreviewResultSchema,
  type ExpectedPassage,
  findsMax,
  type GoldenInput,
  type GoldenQuestion,
  type GoldenResult,
  goldenMax,
  type PassagePage,
  passagesPerPage,
  recallDepth,
} from './shared/knowledge-contract.ts'
import type { RetrievalQuestion, RetrievalReport } from './shared/retrieval-contract.ts'
import { storable } from './shared/text.ts'
import type { Viewer } from './shared/viewer.ts'

/** The workspace's golden questions in the order in which they were saved. */
export const listGoldenQuestions = async (viewer: Viewer): Promise<GoldenQuestion[]> => {
  const { db } = database()
  return withDocumentNames(db, viewer, await listStored(db, viewer, { limit: goldenMax }))
}

/**
 * Keeps a question with what answers it; a question that is there already gets the new expectation. Answers all of them.
 * Throws `not-found` (a document that the viewer cannot see), `bad-request` (the set is full).
 */
export const saveGoldenQuestion = async (viewer: Viewer, input: GoldenInput): Promise<GoldenQuestion[]> => {
  const question = storable(input.question)
  const expected = input.expected.map(({ documentId, quote }) => ({ documentId, quote: storable(quote) }))
  if (!question || expected.some(({ quote }) => !quote)) throw new AppError('bad-request')
  await database().db.transaction(async (tx) => {
    const golden = { id: newId(), question, expected }
    const [named] = await withDocumentNames(tx, viewer, [golden])
    if (named?.expected.some(({ name }) => name === null)) throw new AppError('not-found')
    if ((await countOtherGoldenQuestions(tx, viewer, question)) >= goldenMax)
      throw new AppError('bad-request', {
        message: `The golden set holds ${goldenMax} questions at most. Delete one before you add another.`,
      })
    await saveStored(tx, viewer, golden)
    await audit(tx, { actor: viewer, event: 'golden-question.saved', objectId: golden.id, after: golden })
  })
  return listGoldenQuestions(viewer)
}

/** Throws `not-found`. */
export const deleteGoldenQuestion = async (viewer: Viewer, id: string): Promise<void> => {
  await database().db.transaction(async (tx) => {
    if (!(await deleteStored(tx, viewer, id))) throw new AppError('not-found')
    await audit(tx, { actor: viewer, event: 'golden-question.deleted', objectId: id })
  })
}

const folded = (text: string): string => text.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase()

/**
 * Whether a passage holds the words of a quote. A document that was cut anew may have its border inside the quote: then the
 * passage with either half of it counts.
 */
const holds = (text: string, quote: string): boolean => {
  const [where, what] = [folded(text), folded(quote)]
  const half = Math.ceil(what.length / 2)
  return where.includes(what) || where.includes(what.slice(0, half)) || where.includes(what.slice(half))
}

type Words = { documentId: string; text: string }

const isExpected = ({ documentId, text }: Words, expected: ExpectedPassage): boolean =>
  documentId === expected.documentId && holds(text, expected.quote)

/** How well a ranking of passages answers what was expected of it. */
export const scoreRanking = (
  ranked: readonly Words[],
  expected: readonly ExpectedPassage[],
): Omit<GoldenResult, 'id'> => {
  const first = ranked.slice(0, recallDepth)
  const found = expected.filter((one) => first.some((passage) => isExpected(passage, one)))
  const at = ranked.findIndex((passage) => expected.some((one) => isExpected(passage, one)))
  return {
    recall: expected.length === 0 ? 0 : found.length / expected.length,
    reciprocalRank: at < 0 ? 0 : 1 / (at + 1),
  }
}

export type Explain = (question: RetrievalQuestion, viewer: Viewer) => Promise<RetrievalReport>

/** The passages that a model would have been given; none where nothing was said to answer the question. */
const evidenceOf = ({ found, stages }: RetrievalReport): string[] =>
  found ? (stages.find(({ stage }) => stage === 'pack')?.candidates.map(({ chunkId }) => chunkId) ?? []) : []

/**
 * Asks golden questions one after the other and scores the evidence of each against what is expected; with `configuration`
 * instead of the workspace's own. Ids that are not of the workspace, and questions that no longer count, are left out. Throws what
 * `explain` throws.
 */
export const measureGolden = async (
  viewer: Viewer,
  { ids, configuration }: { ids: readonly string[]; configuration?: RetrievalQuestion['configuration'] },
  explain: Explain,
): Promise<GoldenResult[]> => {
  const { db } = database()
  const results: GoldenResult[] = []
  for (const { id, question, expected } of await listStored(db, viewer, { ids, limit: ids.length })) {
    const report = await explain(
      { question, collectionIds: [], filter: {}, ...(configuration ? { configuration } : {}) },
      viewer,
    )
    const evidence = evidenceOf(report)
    const words = new Map((await getPassageWords(db, viewer, evidence)).map((passage) => [passage.chunkId, passage]))
    // A passage that went meanwhile keeps its place, or the ones after it would look better than they were.
    const ranked = evidence.map((chunkId) => words.get(chunkId) ?? { documentId: '', text: '' })
    results.push({ id, ...scoreRanking(ranked, expected) })
  }
  return results
}

/**
 * A page of a published version's passages, the one that holds `ordinal`; empty past the end, for what the viewer cannot see, and
 * when another version has taken its place.
 */
export const passagePage = async (viewer: Viewer, versionId: string, ordinal: number): Promise<PassagePage> => {
  const from = Math.floor(ordinal / passagesPerPage) * passagesPerPage
  const page = { versionId, from, count: passagesPerPage }
  return { from, passages: await readAs(database(), viewer, (db, reader) => listPassages(db, reader, page)) }
}

/** Ordinals of the passages that hold `words`, as they stand and in any case; at most `findsMax`. */
export const findInVersion = async (viewer: Viewer, versionId: string, words: string): Promise<number[]> => {
  const wanted = storable(words)
  const find = { versionId, words: wanted, limit: findsMax }
  return wanted ? readAs(database(), viewer, (db, reader) => findPassages(db, reader, find)) : []
}

const toPreviewRun = ({ id, done, total, output, failureCode, endedAt }: StoredTaskRun): ChunkPreviewRun => {
  const result = endedAt && failureCode === null ? chunkPreviewResultSchema.safeParse(output) : null
  if (!endedAt) return { id, state: 'running', done, total, result: null, failure: null }
  if (result?.success) return { id, state: 'done', done, total, result: result.data, failure: null }
  const failure = typeof output?.message === 'string' ? output.message : 'The document was not cut. Try again.'
  return { id, state: 'failed', done, total, result: null, failure }
}

/** Throws `not-found` when the viewer may not read the version, `scan-pending` and `conflict` when nobody gets its file. */
const assertReadable = async (viewer: Viewer, versionId: string): Promise<void> => {
  const file = await readAs(database(), viewer, (db, reader) => getVersionFile(db, reader, versionId))
  if (!file) throw new AppError('not-found')
  assertHandedOut(file)
}

/**
 * Has a version read and cut another way, by the worker; nothing of it is stored with the document. Asked for twice while it is
 * made is one. Throws `not-found`; `scan-pending` and `conflict` for a file that the virus scanner has not let through.
 */
export const startChunkPreview = async (viewer: Viewer, input: ChunkPreviewInput): Promise<ChunkPreviewRun> => {
  await assertReadable(viewer, input.versionId)
  const runId = await database().db.transaction(async (tx) => {
    const open = await findOpenTaskRun(tx, viewer, input, chunkPreviewFeature)
    if (open) return open.id
    const id = newId()
    await insertTaskRun(tx, viewer, { id, feature: chunkPreviewFeature, subject: input })
    await enqueue(tx, 'task.run', { runId: id })
    return id
  })
  return chunkPreview(viewer, runId)
}

/** How far the viewer's preview is, or what it came to. Throws `not-found`, also when its document is gone. */
export const chunkPreview = async (viewer: Viewer, runId: string): Promise<ChunkPreviewRun> => {
  const run = await getTaskRun(database().db, viewer, runId)
  if (run?.feature !== chunkPreviewFeature) throw new AppError('not-found')
  await assertReadable(viewer, String(run.subject.versionId))
  return toPreviewRun(run)
}
