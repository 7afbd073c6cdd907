/**
 * What the worker writes while it reads a version. Every write names its attempt and changes nothing when a later attempt has
 * begun: a worker that was taken for dead and wakes up again is fenced off.
 */
import { and, asc, eq, inArray, notInArray, sql } from 'drizzle-orm'
import type { IngestFailureCode, Stage } from '#lib/shared/admin-contract.ts'
import { type Db, type Executor, rows, type Tx } from '../client.ts'
import { chunks, chunkVectors, documentPages, documents, documentVersions, type PageBox } from '../schema/index.ts'
import { insertPostings, refreshLexicalStats } from './lexical-index.ts'
import { toVectorLiteral } from './search.ts'

export type Claim = {
  versionId: string
  documentId: string
  workspaceId: string
  collectionId: string
  name: string
  blobKey: string
  contentHash: string
  attempt: number
}

/** Begins an attempt: removes what an earlier one left and returns the claim; undefined when the version is gone, done or replaced. */
export const claimVersion = (db: Db, versionId: string): Promise<Claim | undefined> =>
  db.transaction(async (tx) => {
    const [found] = await tx
      .select({
        documentId: documents.id,
        workspaceId: documents.workspaceId,
        collectionId: documents.collectionId,
        name: documents.name,
        blobKey: documentVersions.blobKey,
        contentHash: documentVersions.contentHash,
        latestVersionId: documents.latestVersionId,
        stage: documentVersions.stage,
      })
      .from(documentVersions)
      .innerJoin(documents, eq(documents.id, documentVersions.documentId))
      .where(eq(documentVersions.id, versionId))
      .for('update')
    if (!found || found.latestVersionId !== versionId || found.stage === 'ready') return undefined
    const [begun] = await tx
      .update(documentVersions)
      .set({
        stage: 'parsing',
        attempt: sql`${documentVersions.attempt} + 1`,
        failureCode: null,
        progressDone: 0,
        progressTotal: 0,
      })
      .where(eq(documentVersions.id, versionId))
      .returning({ attempt: documentVersions.attempt })
    if (!begun) return undefined
    await tx.delete(chunks).where(eq(chunks.versionId, versionId))
    await tx.delete(documentPages).where(eq(documentPages.versionId, versionId))
    const { documentId, workspaceId, collectionId, name, blobKey, contentHash } = found
    return { versionId, documentId, workspaceId, collectionId, name, blobKey, contentHash, attempt: begun.attempt }
  })

const mine = ({ versionId, attempt }: Pick<Claim, 'versionId' | 'attempt'>) =>
  and(eq(documentVersions.id, versionId), eq(documentVersions.attempt, attempt))

/** Holds the claim for as long as the transaction, so that a later attempt cleans up after it and not before. */
const holdClaim = async (tx: Tx, claim: Claim): Promise<boolean> => {
  const held = await tx.select({ id: documentVersions.id }).from(documentVersions).where(mine(claim)).for('share')
  return held.length > 0
}

export type Progress = {
  stage: Stage
  done: number
  total: number
  /** Why it waits, for one that cannot go on just now. The next attempt begins without. */
  failureCode?: IngestFailureCode
}

/** Writes how far the attempt is; false when it is no longer the current one. */
export const setProgress = async (
  db: Executor,
  claim: Claim,
  { stage, done, total, failureCode }: Progress,
): Promise<boolean> => {
  const kept = await db
    .update(documentVersions)
    .set({ stage, progressDone: done, progressTotal: total, ...(failureCode && { failureCode }) })
    .where(mine(claim))
    .returning({ id: documentVersions.id })
  return kept.length > 0
}

export const setFailure = async (
  db: Db,
  claim: Claim,
  failureCode: IngestFailureCode,
  /** Part of the same transaction. */
  then: (tx: Tx) => Promise<void> = async () => undefined,
): Promise<void> => {
  await db.transaction(async (tx) => {
    const failed = await tx
      .update(documentVersions)
      .set({ stage: 'failed', failureCode, progressDone: 0, progressTotal: 0 })
      .where(mine(claim))
      .returning({ id: documentVersions.id })
    if (failed.length === 0) return
    await tx.delete(chunks).where(eq(chunks.versionId, claim.versionId))
    await touchDocument(tx, claim.documentId)
    await then(tx)
  })
}

/** Says that the version waits until these pages are read from pictures; false when the attempt is over. */
export const setWaitingPages = async (tx: Tx, claim: Claim, picturePages: number[]): Promise<boolean> => {
  const kept = await tx
    .update(documentVersions)
    .set({
      stage: 'recognising',
      picturePages,
      pages: picturePages.length,
      progressDone: 0,
      progressTotal: picturePages.length,
    })
    .where(mine(claim))
    .returning({ id: documentVersions.id })
  return kept.length > 0
}

const touchDocument = async (tx: Tx, documentId: string): Promise<void> => {
  await tx.update(documents).set({ updatedAt: sql`now()` }).where(eq(documents.id, documentId))
}

export type ParsedText = {
  title: string | null
  text: string
  pages: number | null
  language: string | null
  author: string | null
  /** A day, as 2026-11-21. */
  dated: string | null
  chunker: string
  /** Pages that wait to be recognised; null when none do. */
  picturePages: number[] | null
}
export type PageValues = { page: number; charStart: number; charEnd: number; boxes: PageBox[] }

/** Keeps the text of the version; false when the attempt is over. */
export const setParsedText = async (db: Executor, claim: Claim, parsed: ParsedText): Promise<boolean> => {
  const kept = await db.update(documentVersions).set(parsed).where(mine(claim)).returning({ id: documentVersions.id })
  return kept.length > 0
}

/** Adds pages of a running attempt; false when the attempt is over. */
export const insertPages = (db: Db, claim: Claim, pages: readonly PageValues[]): Promise<boolean> =>
  db.transaction(async (tx) => {
    if (!(await holdClaim(tx, claim))) return false
    const { versionId } = claim
    if (pages.length > 0) await tx.insert(documentPages).values(pages.map((page) => ({ versionId, ...page })))
    return true
  })

/** Vectors that `model` already made in this workspace, by content hash. */
export const getKnownVectors = async (
  db: Executor,
  { workspaceId, model, hashes }: { workspaceId: string; model: string; hashes: readonly string[] },
): Promise<Map<string, string>> => {
  if (hashes.length === 0) return new Map()
  const known = await rows<{ hash: string; vector: string }>(
    db,
    sql`select distinct on (${chunks.contentHash}) ${chunks.contentHash} as hash, ${chunkVectors.embedding}::text as vector
        from ${chunks} join ${chunkVectors} on ${chunkVectors.chunkId} = ${chunks.id} and ${chunkVectors.model} = ${model}
        -- One without a length stands for what could go to no provider then; whether it may now is asked again.
        where ${and(eq(chunks.workspaceId, workspaceId), inArray(chunks.contentHash, [...hashes]))}
          and vector_norm(${chunkVectors.embedding}) > 0`,
  )
  return new Map(known.map(({ hash, vector }) => [hash, vector]))
}

export type NewChunk = {
  ordinal: number
  text: string
  charStart: number
  charEnd: number
  headingPath: string[]
  context: string
  pageFrom: number | null
  pageTo: number | null
  tokens: number
  contentHash: string
  /** How much it reads like orders to a model (0 to 1); 0 when left out, for texts of our own as in a benchmark. */
  injectionScore?: number
  /** ISO 639-1; English when left out, for texts of our own as in a benchmark. */
  language?: string
  flags?: string[]
  /** A vector literal; null when there is no encoder. */
  vector: string | null
}

export const vectorLiteral = toVectorLiteral

/**
 * Adds chunks of a running attempt with their postings, in one transaction; false when the attempt is over. Keep batches small:
 * embedded, each statement runs on the web process's own thread.
 */
export const insertChunks = (db: Db, claim: Claim, model: string, batch: readonly NewChunk[]): Promise<boolean> =>
  db.transaction(async (tx) => {
    const [first] = batch
    if (!(await holdClaim(tx, claim))) return false
    if (!first) return true
    const { versionId, documentId, workspaceId } = claim
    const inserted = await tx
      .insert(chunks)
      .values(batch.map(({ vector: _, ...chunk }) => ({ ...chunk, versionId, documentId, workspaceId })))
      .returning({ chunkId: chunks.id, ordinal: chunks.ordinal })
    const vectors = new Map(batch.map(({ ordinal, vector }) => [ordinal, vector]))
    const embedded = inserted.flatMap(({ chunkId, ordinal }) => {
      const embedding = vectors.get(ordinal) ?? null
      return embedding === null ? [] : [{ chunkId, model, workspaceId, documentId, versionId, embedding }]
    })
    if (embedded.length > 0) await tx.insert(chunkVectors).values(embedded)
    await insertPostings(tx, { versionId, ordinalFrom: first.ordinal, ordinalTo: first.ordinal + batch.length })
    return true
  })

/**
 * Publishes an attempt: from the commit on its chunks are what is searched, and those of earlier versions are gone. Their text,
 * pages and files stay, since citations point at them. False when the attempt is over or a newer version has come.
 */
export const publishVersion = (
  db: Db,
  claim: Claim,
  counts: { chunks: number; reused: number },
  /** Part of the same transaction: what is to happen next. */
  then: (tx: Tx) => Promise<void> = async () => undefined,
): Promise<boolean> =>
  db.transaction(async (tx) => {
    const published = await tx
      .update(documentVersions)
      .set({
        stage: 'ready',
        chunks: counts.chunks,
        chunksReused: counts.reused,
        publishedAt: sql`now()`,
        progressDone: counts.chunks,
        progressTotal: counts.chunks,
      })
      .where(mine(claim))
      .returning({ id: documentVersions.id })
    if (published.length === 0) return false
    const pointed = await tx
      .update(documents)
      .set({ publishedVersionId: claim.versionId, updatedAt: sql`now()` })
      .where(and(eq(documents.id, claim.documentId), eq(documents.latestVersionId, claim.versionId)))
      .returning({ id: documents.id })
    if (pointed.length > 0)
      await tx
        .delete(chunks)
        .where(and(eq(chunks.documentId, claim.documentId), sql`${chunks.versionId} <> ${claim.versionId}`))
    else await tx.delete(chunks).where(eq(chunks.versionId, claim.versionId))
    // Older readings of the same bytes go, unless somebody cited them: their offsets count in their own text.
    await tx.execute(sql`
      delete from document_versions old using document_versions new
      where new.id = ${claim.versionId} and old.document_id = new.document_id and old.number < new.number
        and old.content_hash = new.content_hash and old.blob_key = new.blob_key
        and not exists (select from citations where version_id = old.id)
        and not exists (select from documents where published_version_id = old.id or latest_version_id = old.id)`)
    await refreshLexicalStats(tx, claim.workspaceId)
    await then(tx)
    return true
  })

/** Versions that say they are being worked on, oldest first: after a crash nobody does. Those that wait still have their job. */
export const listInterruptedVersions = async (db: Executor): Promise<string[]> => {
  const found = await db
    .select({ id: documentVersions.id })
    .from(documentVersions)
    .innerJoin(documents, eq(documents.latestVersionId, documentVersions.id))
    .where(notInArray(documentVersions.stage, ['queued', 'ready', 'failed']))
    .orderBy(asc(documentVersions.createdAt))
  return found.map(({ id }) => id)
}

/** For a job that was given up: the version says so, whatever attempt was the last. */
export const failVersion = async (db: Db, versionId: string): Promise<void> => {
  await db
    .update(documentVersions)
    .set({ stage: 'failed', failureCode: 'internal' })
    .where(and(eq(documentVersions.id, versionId), notInArray(documentVersions.stage, ['ready', 'failed'])))
}
