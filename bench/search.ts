/**
 * Retrieval at 10,000 embedded chunks, embedded database: every part by itself and the whole, and the encoder alone. Chunks are
 * made of the demo corpus' sentences in new combinations, so that words are as frequent and as rare as in real text.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { closeDatabase, database, holdDatabase } from '#db/client.ts'
import { demoQuestions } from '#db/demo/questions.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { upsertCollection } from '#db/queries/documents.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { claimVersion, insertChunks, publishVersion } from '#db/queries/ingest.ts'
import { analyzeWhenGrown } from '#db/queries/lexical-index.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { searchLexical, searchVector, toVectorLiteral } from '#db/queries/search.ts'
import { percentile } from '#lib/evals/index.ts'
import { closeGateway, embed, embeddingModel, warmGateway } from '#lib/gateway/index.ts'
import { rank, retrieve } from '#lib/rag/index.ts'
import { newId } from '#lib/shared/ids.ts'
import { estimateTokens, sentences } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { printMachine, printRows, type Row, residentMegabytes } from './report.ts'

const chunkCount = Number(process.env.BENCH_CHUNKS ?? 10_000)
const chunksPerDocument = 50
const sentencesPerChunk = 5
const rounds = 5
const batch = 16

/** A linear congruential generator (Numerical Recipes): the same corpus on every run. */
const random = (() => {
  let state = 42
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
})()

const corpusSentences = async (): Promise<string[]> => {
  const files = ['security-policy.md', 'expenses-faq.txt', 'source/handbook.md', 'source/manual.md']
  const texts = await Promise.all(files.map((file) => readFile(join(import.meta.dirname, '../db/demo', file), 'utf8')))
  return texts
    .flatMap((text) => sentences(text).map(({ start, end }) => text.slice(start, end)))
    .filter((sentence) => sentence.length > 40)
}

const fill = async (viewer: Viewer): Promise<void> => {
  const { db } = database()
  const known = await corpusSentences()
  const collectionId = await upsertCollection(db, viewer, { id: newId(), name: 'Bench' })
  for (let from = 0; from < chunkCount; from += chunksPerDocument) {
    const claim = await claimVersion(
      db,
      await createScratchDocument(db, viewer, { collectionId, name: `document-${from}` }),
    )
    if (!claim) throw new Error('no claim')
    for (let at = 0; at < chunksPerDocument; at += batch) {
      const texts = Array.from({ length: Math.min(batch, chunksPerDocument - at) }, (_, i) =>
        [
          `Item ${from + at + i}.`,
          ...Array.from({ length: sentencesPerChunk }, () => known[random(known.length)] ?? ''),
        ].join(' '),
      )
      const { model, vectors } = await embed(texts, { purpose: 'passage' })
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
    await publishVersion(db, claim, { chunks: chunksPerDocument, reused: 0 })
    if ((from + chunksPerDocument) % 2_000 === 0) process.stderr.write(`${from + chunksPerDocument} chunks\n`)
  }
}

const timed = async (name: string, work: (question: string) => Promise<unknown>): Promise<Row> => {
  const ms: number[] = []
  for (let round = 0; round < rounds; round += 1)
    for (const { question } of demoQuestions) {
      const startedMs = performance.now()
      await work(question)
      // The first round warms caches and compilers.
      if (round > 0) ms.push(performance.now() - startedMs)
    }
  return {
    part: name,
    calls: ms.length,
    'p50 ms': percentile(ms, 0.5).toFixed(1),
    'p95 ms': percentile(ms, 0.95).toFixed(1),
  }
}

const encoderSpeed = async (): Promise<string> => {
  const known = await corpusSentences()
  // About 128 tokens each, as the encoder counts them.
  const texts = Array.from({ length: 512 }, () => {
    let text = ''
    while (text.split(' ').length < 96) text += ` ${known[random(known.length)] ?? ''}`
    return text.split(' ').slice(0, 97).join(' ')
  })
  const startedMs = performance.now()
  await embed(texts, { purpose: 'passage' })
  return (texts.length / ((performance.now() - startedMs) / 1_000)).toFixed(0)
}

holdDatabase(await openMemoryDatabase())
const viewer: Viewer = {
  userId: newId(),
  workspaceId: newId(),
  role: 'admin',
  name: 'Bench',
  email: 'bench@scratch.local',
}
await createWorkspace(database().db, { id: viewer.workspaceId, name: 'Bench' })
await upsertAccount(database().db, { ...viewer, passwordHash: '' })
await warmGateway()
const startedMs = performance.now()
await fill(viewer)
await analyzeWhenGrown(database().db)
const fillSeconds = (performance.now() - startedMs) / 1_000

printMachine(['@electric-sql/pglite', 'onnxruntime-node'])
console.log(
  `${chunkCount} chunks of about ${sentencesPerChunk} sentences, embedded by ${embeddingModel().id}, built in ${fillSeconds.toFixed(0)} s; ${residentMegabytes()} MB resident`,
)
const { db } = database()
const scope = { viewer, collectionIds: [], limit: 80 }
printRows([
  await timed('embed query', (question) => embed([question], { purpose: 'query' })),
  await timed('lexical leg', (question) => searchLexical(db, question, scope)),
  await timed('vector leg, with embedding', async (question) => {
    const { model, vectors } = await embed([question], { purpose: 'query' })
    const [vector] = vectors
    if (vector) await searchVector(db, { ...scope, vector, model })
  }),
  await timed('both legs, fused', (question) => rank(question, viewer)),
  await timed('whole retrieval', (question) => retrieve(question, viewer, { fresh: true })),
])
console.log(`encoder: ${await encoderSpeed()} passages of 128 tokens a second`)
await closeGateway()
await closeDatabase()
