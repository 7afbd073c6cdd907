/**
 * One version of a document from bytes to passages that answer questions: parse, chunk, embed, publish.
 *
 * Guarantees: a killed attempt leaves nothing that the next one does not replace, so that the result is the one of a clean run;
 * until the publishing commit the earlier version answers; passages that did not change keep their vectors; without an encoder
 * the document becomes ready and is found by its words. A file that cannot be read ends as `failed` with a reason a person can
 * act on; anything else throws, and the queue tries again.
 */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { database, type Tx } from '#db/client.ts'
import { setGraphState } from '#db/queries/graph.ts'
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
  setWaitingPages,
  vectorLiteral,
} from '#db/queries/ingest.ts'
import { analyzeWhenGrown } from '#db/queries/lexical-index.ts'
import { listRecognisedPages } from '#db/queries/recognition.ts'
import {
  EncoderUnavailable,
  embed,
  inspect,
  settingsOf,
  type WorkspaceEncoder,
  workspaceEncoder,
} from '#lib/gateway/index.ts'
import { enqueue } from '#lib/jobs.ts'
import { detectLanguage } from '#lib/language.ts'
import { log } from '#lib/log.ts'
import type { Stage } from '#lib/shared/admin-contract.ts'
import { chunkerId } from '#lib/shared/chunker.ts'
import { blobFilePath } from '#lib/storage.ts'
import { type ChunkDraft, chunkDocument } from './chunk/index.ts'
import { embeddedText } from './embedded-text.ts'
import type { ParsedDocument } from './parse/parsed-document.ts'
import type { RecognisedPage } from './parse/recognised.ts'
import { ParseRefused, parseFile } from './sandbox.ts'
import { passesScan } from './virus-scan.ts'

/** Chunks a statement: embedded, a statement blocks the web process, for about 3 ms a chunk in either index. */
const batchChunks = 4
const batchesAhead = 8
const batchPages = 20
const hashesMax = 500
const progressMs = 300

/** The attempt was replaced by a later one, or the document was deleted: stop without a trace. */
class Superseded extends Error {
  override name = 'Superseded'
}

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

/** Languages are told from this much of a document. */
const languageChars = 20_000

const keepText = async (claim: Claim, parsed: ParsedDocument, chunker: string): Promise<void> => {
  const { db } = database()
  const pages = parsed.pages.length
  const language = detectLanguage(parsed.text.slice(0, languageChars))
  const kept = await setParsedText(db, claim, {
    title: parsed.title,
    text: parsed.text,
    pages: pages || null,
    language: language === 'und' ? null : language,
    author: parsed.meta?.author ?? null,
    dated: parsed.meta?.date ?? null,
    chunker,
    picturePages: parsed.picturePages?.length ? parsed.picturePages : null,
  })
  if (!kept) throw new Superseded()
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
  { encoder, claim, signal }: { encoder: WorkspaceEncoder; claim: Claim; signal: AbortSignal },
): Promise<(string | null)[]> => {
  const missing = batch.filter(({ contentHash }) => !known.has(contentHash))
  const made = new Map<string, string>()
  try {
    const { vectors } = await embed(
      missing.map(({ embedded }) => embedded),
      {
        purpose: 'passage',
        model: encoder.name,
        workspaceId: claim.workspaceId,
        collectionIds: missing.map(() => claim.collectionId),
        signal,
      },
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
  const [{ settings }, encoder] = await Promise.all([
    settingsOf(claim.workspaceId),
    workspaceEncoder(claim.workspaceId),
  ])
  await keepText(claim, parsed, chunkerId(settings.chunking))

  await progress.enter('chunking', 0)
  const drafts = await chunkDocument(parsed, {
    ...settings.chunking,
    embed: async (texts) => {
      const { workspaceId, collectionId } = claim
      const collectionIds = texts.map(() => collectionId)
      const call = { purpose: 'passage' as const, model: encoder.name, workspaceId, collectionIds, signal }
      try {
        // What may go to no provider is like nothing.
        return (await embed(texts, call)).vectors.map((vector) => vector ?? new Float32Array(1))
      } catch (error) {
        // Without an encoder the outline decides.
        if (error instanceof EncoderUnavailable) return []
        throw error
      }
    },
  })
  const prepared = drafts.map((draft): Prepared => {
    const embedded = embeddedText(draft)
    return { ...draft, embedded, contentHash: hashOf(embedded) }
  })
  if (prepared.length === 0) throw new ParseRefused('no-text')

  await progress.enter('embedding', prepared.length)
  const model = encoder.id
  const known = await knownVectors(claim.workspaceId, model, prepared)
  const batches: Prepared[][] = []
  for (let from = 0; from < prepared.length; from += batchChunks) batches.push(prepared.slice(from, from + batchChunks))
  // Some batches ahead: the encoder's threads, all of them, work while this thread writes.
  const ahead: Promise<(string | null)[]>[] = []
  let done = 0
  let vectorless = 0
  for (const [index, batch] of batches.entries()) {
    for (const next of batches.slice(index + ahead.length, index + batchesAhead)) {
      const vectors = vectorsOf(next, known, { encoder, claim, signal })
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
      // So is one that nobody sees who reads the original: that is where orders are hidden.
      const injectionScore = chunk.flags.includes('hidden') ? 1 : (inspected[at]?.score ?? 1)
      return toNewChunk(chunk, { vector: vectors[at] ?? null, injectionScore })
    })
    vectorless += rows.filter(({ vector }) => vector === null).length
    if (!(await insertChunks(db, claim, model, rows))) throw new Superseded()
    // Embedded, the next batch would follow without a turn of the event loop.
    await pause(0)
    done += batch.length
    progress.hint('embedding', done, prepared.length)
  }
  await progress.settle()
  const reused = prepared.filter(({ contentHash }) => known.has(contentHash)).length
  const isPublished = await publishVersion(db, claim, { chunks: prepared.length, reused }, async (tx) =>
    leaveJobs(tx, {
      claim,
      vectorless: vectorless > 0 || (await workspaceEncoder(claim.workspaceId, tx)).id !== model,
      waiting: (parsed.picturePages?.length ?? 0) > 0,
      graph: settings.graph.extract !== 'off',
    }),
  )
  if (!isPublished) throw new Superseded()
  if (database().mode === 'embedded') await analyzeWhenGrown(db)
}

/** What else is done once it is published, left as jobs in the transaction that publishes. */
const leaveJobs = async (
  tx: Tx,
  { claim, vectorless, waiting, graph }: { claim: Claim; vectorless: boolean; waiting: boolean; graph: boolean },
): Promise<void> => {
  const { versionId, workspaceId } = claim
  // Passages without a vector of the encoder that is searched get one as soon as it can be had.
  if (vectorless) await enqueue(tx, 'index.fill', { workspaceId })
  if (waiting) await enqueue(tx, 'document.recognise', { versionId })
  if (graph) {
    await setGraphState(tx, versionId, 'queued')
    await enqueue(tx, 'document.graph', { versionId })
  }
}

const readFileOf = async (
  claim: Claim,
  recognised: readonly RecognisedPage[],
  signal: AbortSignal,
): Promise<ParsedDocument> => {
  const progress = progressOf(claim)
  const parsed = await parseFile(
    { path: blobFilePath(claim.blobKey), name: claim.name, recognised },
    { signal, onProgress: (done, total) => progress.hint('parsing', done, total) },
  )
  await progress.settle()
  return parsed
}

/** Nothing but pictures: it waits to be recognised, and is ingested again with what was read. */
const waitForRecognition = async (claim: Claim, picturePages: number[]): Promise<void> => {
  const kept = await database().db.transaction(async (tx) => {
    if (!(await setWaitingPages(tx, claim, picturePages))) return false
    await enqueue(tx, 'document.recognise', { versionId: claim.versionId })
    return true
  })
  if (!kept) throw new Superseded()
}

/** Takes in a file that was found inside another one. */
export type Attach = (parent: Claim, file: { name: string; bytes: Uint8Array }) => Promise<void>

const ingestClaimed = async (claim: Claim, signal: AbortSignal, attach: Attach, scans: number): Promise<void> => {
  if (!(await passesScan(claim, signal, scans))) return
  const { settings } = await settingsOf(claim.workspaceId)
  const recognised = settings.recognition.on ? await listRecognisedPages(database().db, claim) : []
  const parsed = await readFileOf(claim, recognised, signal)
  const waiting = settings.recognition.on ? (parsed.picturePages ?? []) : []
  if (!parsed.text.trim()) {
    if (waiting.length > 0) return waitForRecognition(claim, waiting)
    throw new ParseRefused(parsed.picturePages?.length ? 'image-only' : 'no-text')
  }
  for (const file of parsed.attachments ?? []) await attach(claim, file)
  await indexParsed(claim, { ...parsed, picturePages: waiting }, signal)
}

/**
 * Ingests a version; returns when it is ready, has failed for a reason of its own, waits for the virus scanner, or is no longer wanted.
 * `scans` counts how many times in a row that could not be asked.
 */
export const ingestVersion = async (
  versionId: string,
  signal: AbortSignal,
  attach: Attach = async () => undefined,
  scans = 0,
): Promise<void> => {
  const { db } = database()
  const claim = await claimVersion(db, versionId)
  if (!claim) return
  try {
    await ingestClaimed(claim, signal, attach, scans)
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
