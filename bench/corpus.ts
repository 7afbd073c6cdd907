/**
 * A corpus of any size for benchmarks of the search. Chunks are made of the demo corpus' sentences in new combinations, so that words
 * are as frequent and as rare as in real text. The first ones are embedded; the vectors of more are mixtures of two of those with noise,
 * which are no easier to tell apart.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { database, holdDatabase } from '#db/client.ts'
import { openMemoryDatabase, openServerDatabase } from '#db/open.ts'
import { dropVectorIndex, ensureVectorIndex } from '#db/queries/embedding-indexes.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { claimVersion, insertChunks, publishVersion } from '#db/queries/ingest.ts'
import { analyzeWhenGrown } from '#db/queries/lexical-index.ts'
import { toVectorLiteral } from '#db/queries/search.ts'
import { embed, embeddingModel } from '#lib/gateway/index.ts'
import { newId } from '#lib/shared/ids.ts'
import { estimateTokens, sentences } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

export const sentencesPerChunk = 5

/** A linear congruential generator (Numerical Recipes): the same corpus on every run. */
export const random = (() => {
  let state = 42
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
})()

export const corpusSentences = async (): Promise<string[]> => {
  const files = ['security-policy.md', 'expenses-faq.txt', 'source/handbook.md', 'source/manual.md']
  const texts = await Promise.all(files.map((file) => readFile(join(import.meta.dirname, '../db/demo', file), 'utf8')))
  return texts
    .flatMap((text) => sentences(text).map(({ start, end }) => text.slice(start, end)))
    .filter((sentence) => sentence.length > 40)
}

const made: Float32Array[] = []

const mixture = (): Float32Array => {
  const [one, other] = [made[random(made.length)], made[random(made.length)]]
  const mixed = Float32Array.from(
    one ?? [],
    (value, at) => value + 0.6 * (other?.[at] ?? 0) + (random(1_000) / 1_000 - 0.5) * 0.06,
  )
  const length = Math.hypot(...mixed)
  return mixed.map((value) => value / length)
}

const vectorsOf = async (texts: readonly string[], embeddedMax: number): Promise<Float32Array[]> => {
  if (made.length >= embeddedMax) return texts.map(mixture)
  const { vectors } = await embed(texts, { purpose: 'passage' })
  made.push(...vectors)
  return vectors
}

type Corpus = {
  chunks: number
  chunksPerDocument: number
  /** So many are embedded by the encoder. */
  embedded: number
  /** The collection of the document of that number. */
  collectionOf: (document: number) => string
}

/**
 * Fills the open database on the viewer's behalf, with its indexes built and its statistics known. Says how long that took; the index
 * is built along with few passages, and then has no time of its own.
 */
export const fillCorpus = async (
  viewer: Viewer,
  corpus: Corpus,
): Promise<{ fillSeconds: number; indexSeconds: number | null }> => {
  const startedMs = performance.now()
  const { db, mode } = database()
  const { id: model, dimensions } = embeddingModel()
  const known = await corpusSentences()
  /** Larger statements where they hold nobody's thread. */
  const batch = mode === 'server' ? 250 : 50
  // A graph is built faster over all vectors at once than vector by vector.
  const bulk = corpus.chunks > 10_000
  if (bulk) await dropVectorIndex(db, model)
  for (let from = 0; from < corpus.chunks; from += corpus.chunksPerDocument) {
    const collectionId = corpus.collectionOf(from / corpus.chunksPerDocument)
    const name = `document-${from}`
    const claim = await claimVersion(db, await createScratchDocument(db, viewer, { collectionId, name }))
    if (!claim) throw new Error('no claim')
    const count = Math.min(corpus.chunksPerDocument, corpus.chunks - from)
    for (let at = 0; at < count; at += batch) {
      const texts = Array.from({ length: Math.min(batch, count - at) }, (_, i) =>
        [
          `Item ${from + at + i}.`,
          ...Array.from({ length: sentencesPerChunk }, () => known[random(known.length)] ?? ''),
        ].join(' '),
      )
      const vectors = await vectorsOf(texts, corpus.embedded)
      await insertChunks(
        db,
        claim,
        model,
        texts.map((text, i) => ({
          ordinal: at + i,
          text,
          charStart: 0,
          charEnd: text.length,
          headingPath: [],
          context: '',
          pageFrom: null,
          pageTo: null,
          tokens: estimateTokens(text),
          contentHash: newId(),
          vector: vectors[i] ? toVectorLiteral(vectors[i]) : null,
        })),
      )
    }
    await publishVersion(db, claim, { chunks: count, reused: 0 })
    if ((from + count) % 10_000 === 0) process.stderr.write(`${from + count} chunks\n`)
  }
  const filledMs = performance.now()
  if (bulk)
    await db.transaction(async (tx) => {
      if (mode === 'server') await tx.execute(sql`set local maintenance_work_mem = '4GB'`)
      await ensureVectorIndex(tx, model, dimensions)
    })
  const builtMs = performance.now()
  await analyzeWhenGrown(db)
  await db.execute(mode === 'server' ? sql`vacuum analyze` : sql`analyze`)
  return {
    fillSeconds: (filledMs - startedMs) / 1_000,
    indexSeconds: bulk ? (builtMs - filledMs) / 1_000 : null,
  }
}

/** Holds a database of its own: embedded in memory, or made on the server of `postgres`. Returns what removes it when it is closed. */
export const openBench = async (postgres: string | undefined): Promise<() => Promise<void>> => {
  if (!postgres) {
    holdDatabase(await openMemoryDatabase())
    return async () => undefined
  }
  const name = `footnote_bench_${newId().replaceAll('-', '')}`
  const admin = async (statement: string): Promise<void> => {
    const opened = await openServerDatabase(postgres)
    await opened.db.execute(sql.raw(statement))
    await opened.close()
  }
  await admin(`create database ${name}`)
  const url = new URL(postgres)
  url.pathname = `/${name}`
  holdDatabase(await openServerDatabase(url.href))
  return () => admin(`drop database ${name} with (force)`)
}
