/**
 * One version of a document from bytes to passages that answer questions: parse, chunk, embed, publish.
 *
 * Guarantees: a killed attempt leaves nothing that the next one does not replace, so that the result is the one of a clean run;
 * until the publishing commit the earlier version answers; passages that did not change keep their vectors; without an encoder
 * the document becomes ready and is found by its words. A file that cannot be read ends as `failed` with a reason a person can
 * act on; anything else throws, and the queue tries again.
 */
import { createHash } from 'node:crypto'
import { database } from '#db/client.ts'
import {
  type Claim,
  claimVersion,
  getKnownVectors,
  insertChunks,
  insertPages,
  type NewChunk,
  publishVersion,
  setFailure,
  setParsedText,
  setProgress,
  vectorLiteral,
} from '#db/queries/ingest.ts'
import { analyzeWhenGrown } from '#db/queries/lexical-index.ts'
import { EncoderUnavailable, embed, embeddingModel, inspect } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import type { Stage } from '#lib/shared/admin-contract.ts'
import { blobFilePath } from '#lib/storage.ts'
import { type ChunkDraft, chunkDocument } from './chunk/index.ts'
import type { ParsedDocument } from './parse/parsed-document.ts'
import { ParseRefused, parseFile } from './sandbox.ts'

/** Chunks a statement: embedded, a statement blocks the web process, and an HNSW insert takes about 3 ms a chunk. */
const batchChunks = 8
const batchesAhead = 4
const batchPages = 20
const hashesMax = 500
const progressMs = 300

/** The attempt was replaced by a later one, or the document was deleted: stop without a trace. */
class Superseded extends Error {
  override name = 'Superseded'
}

/** What is embedded, and by its hash what may share a vector: the headings, the context, the text. */
export const embeddedText = ({
  headingPath,
  context,
  text,
}: Pick<ChunkDraft, 'headingPath' | 'context' | 'text'>): string =>
  [headingPath.join(' > '), context, text].filter(Boolean).join('\n')

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Tells the database how far the attempt is, at most every 300 ms and never two writes at once. */
const progressOf = (claim: Claim) => {
  let toldAtMs = 0
  let telling = Promise.resolve(true)
  return {
    hint: (stage: Stage, done: number, total: number): void => {
      if (performance.now() - toldAtMs < progressMs) return
      toldAtMs = performance.now()
      telling = telling.then(() => setProgress(database().db, claim, { stage, done, total })).catch(() => true)
    },
    /** Writes for certain; throws when the attempt is over. */
    enter: async (stage: Stage, total: number): Promise<void> => {
      await telling
      if (!(await setProgress(database().db, claim, { stage, done: 0, total }))) throw new Superseded()
      toldAtMs = performance.now()
    },
    settle: async (): Promise<void> => {
      if (!(await telling)) throw new Superseded()
    },
  }
}

const keepText = async (claim: Claim, parsed: ParsedDocument): Promise<void> => {
  const { db } = database()
  const pages = parsed.pages.length
  if (!(await setParsedText(db, claim, { title: parsed.title, text: parsed.text, pages: pages || null })))
    throw new Superseded()
  for (let from = 0; from < pages; from += batchPages)
    if (!(await insertPages(db, claim, parsed.pages.slice(from, from + batchPages)))) throw new Superseded()
}

type Prepared = ChunkDraft & { embedded: string; contentHash: string }

const knownVectors = async (
  workspaceId: string,
  model: string,
  prepared: readonly Prepared[],
): Promise<Map<string, string>> => {
  const known = new Map<string, string>()
  for (let from = 0; from < prepared.length; from += hashesMax) {
    const hashes = prepared.slice(from, from + hashesMax).map(({ contentHash }) => contentHash)
    for (const [hash, vector] of await getKnownVectors(database().db, { workspaceId, model, hashes }))
      known.set(hash, vector)
  }
  return known
}

/** Vectors of one batch, taken over where known. An encoder that is not there gives null for what is not. */
const vectorsOf = async (
  batch: readonly Prepared[],
  known: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<(string | null)[]> => {
  const missing = batch.filter(({ contentHash }) => !known.has(contentHash))
  const made = new Map<string, string>()
  try {
    const { vectors } = await embed(
      missing.map(({ embedded }) => embedded),
      { purpose: 'passage', signal },
    )
    missing.forEach(({ contentHash }, index) => {
      const vector = vectors[index]
      if (vector) made.set(contentHash, vectorLiteral(vector))
    })
  } catch (error) {
    if (!(error instanceof EncoderUnavailable)) throw error
  }
  return batch.map(({ contentHash }) => known.get(contentHash) ?? made.get(contentHash) ?? null)
}

type Known = { vector: string | null; injectionScore: number }

const toNewChunk = ({ embedded: _, start, end, ...chunk }: Prepared, known: Known): NewChunk => ({
  ...chunk,
  charStart: start,
  charEnd: end,
  ...known,
})

/** From parsed text to published passages, under a claim. */
export const indexParsed = async (claim: Claim, parsed: ParsedDocument, signal: AbortSignal): Promise<void> => {
  const { db } = database()
  const progress = progressOf(claim)
  await keepText(claim, parsed)

  await progress.enter('chunking', 0)
  const prepared = (await chunkDocument(parsed)).map((draft): Prepared => {
    const embedded = embeddedText(draft)
    return { ...draft, embedded, contentHash: hashOf(embedded) }
  })
  if (prepared.length === 0) throw new ParseRefused('no-text')

  await progress.enter('embedding', prepared.length)
  const model = embeddingModel().id
  const known = await knownVectors(claim.workspaceId, model, prepared)
  const batches: Prepared[][] = []
  for (let from = 0; from < prepared.length; from += batchChunks) batches.push(prepared.slice(from, from + batchChunks))
  // Some batches ahead: the encoder's threads, all of them, work while this thread writes.
  const ahead: Promise<(string | null)[]>[] = []
  let done = 0
  for (const [index, batch] of batches.entries()) {
    for (const next of batches.slice(index + ahead.length, index + batchesAhead)) {
      const vectors = vectorsOf(next, known, signal)
      // Awaited in a later round; until then a failure must not count as unhandled.
      vectors.catch(() => undefined)
      ahead.push(vectors)
    }
    const vectors = (await ahead.shift()) ?? []
    signal.throwIfAborted()
    // What is scored is what a prompt gets and what a release names: headings, context and text.
    const inspected = await inspect(
      batch.map(({ embedded }) => embedded),
      claim,
    )
    const rows = batch.map((chunk, at) => {
      // Fails closed: a passage that was not scored is held.
      return toNewChunk(chunk, { vector: vectors[at] ?? null, injectionScore: inspected[at]?.score ?? 1 })
    })
    if (!(await insertChunks(db, claim, model, rows))) throw new Superseded()
    done += batch.length
    progress.hint('embedding', done, prepared.length)
  }
  await progress.settle()
  const reused = prepared.filter(({ contentHash }) => known.has(contentHash)).length
  if (!(await publishVersion(db, claim, { chunks: prepared.length, reused }))) throw new Superseded()
  if (database().mode === 'embedded') await analyzeWhenGrown(db)
}

const readFileOf = async (claim: Claim, signal: AbortSignal): Promise<ParsedDocument> => {
  const progress = progressOf(claim)
  const parsed = await parseFile(
    { path: blobFilePath(claim.blobKey), name: claim.name },
    { signal, onProgress: (done, total) => progress.hint('parsing', done, total) },
  )
  await progress.settle()
  return parsed
}

/** Ingests a version; returns when it is ready, has failed for a reason of its own, or is no longer wanted. */
export const ingestVersion = async (versionId: string, signal: AbortSignal): Promise<void> => {
  const { db } = database()
  const claim = await claimVersion(db, versionId)
  if (!claim) return
  try {
    await indexParsed(claim, await readFileOf(claim, signal), signal)
  } catch (error) {
    if (error instanceof Superseded) return
    if (error instanceof ParseRefused && !signal.aborted) {
      log.info({ event: 'document.refused', versionId, code: error.code }, 'document refused')
      await setFailure(db, claim, error.code)
      return
    }
    // A document that was deleted in the middle of a statement fails that statement: nobody waits for it any more.
    if (!(await setProgress(db, claim, { stage: 'queued', done: 0, total: 0 }))) return
    throw error
  }
}
