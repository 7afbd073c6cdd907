/**
 * Retrieval at 10,000 chunks or as many as asked for: every part by itself and the whole, what the vector index misses of an exact
 * search, how long it took to build and how large it is. `--chunks 10000,50000` measures one after the other and how cost grows;
 * `--postgres URL` a server (a database of its own is made and dropped) instead of the embedded database. `--hnsw 8:32,32:128` builds the
 * vector index with each of these numbers of links and candidates besides, and searches it alone.
 */

import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { closeDatabase, database, rows as queryRows } from '#db/client.ts'
import { demoQuestions } from '#db/demo/questions.ts'
import { upsertCollection } from '#db/queries/documents.ts'
import { rebuildVectorIndex } from '#db/queries/embedding-indexes.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { searchLexical, searchVector } from '#db/queries/search.ts'
import { percentile } from '#lib/evals/index.ts'
import { closeGateway, embed, embeddingModel, warmGateway } from '#lib/gateway/index.ts'
import { rank, retrieve } from '#lib/rag/index.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { corpusSentences, fillCorpus, openBench, random, sentencesPerChunk } from './corpus.ts'
import { printMachine, printRows, type Row, residentMegabytes } from './report.ts'

const { values: args } = parseArgs({
  options: {
    chunks: { type: 'string', default: '10000' },
    postgres: { type: 'string' },
    hnsw: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})
const sizes = args.chunks.split(',').map(Number)
const graphs = args.hnsw
  .split(',')
  .filter(Boolean)
  .map((pair) => pair.split(':').map(Number))
  .map(([m = Number.NaN, efConstruction = Number.NaN]) => ({ m, efConstruction }))
const isCount = (value: number): boolean => Number.isInteger(value) && value > 0
if (
  sizes.some((size) => !isCount(size) || size < 100) ||
  graphs.some(({ m, efConstruction }) => !isCount(m) || !isCount(efConstruction))
) {
  process.stderr.write(
    'npm run bench:search -- [--chunks N,N] [--postgres URL] [--hnsw M:EF,M:EF] [--json]; N from 100\n',
  )
  process.exit(2)
}
/** So many are embedded by the encoder. */
const embeddedMax = 10_000
const rounds = 5

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

const depth = 10

/** The share of the exact nearest ten that the index finds, over the questions. */
const indexRecall = async (viewer: Viewer): Promise<number> => {
  const { db } = database()
  const shares: number[] = []
  for (const { question } of demoQuestions) {
    const { model, vectors } = await embed([question], { purpose: 'query' })
    const [vector] = vectors
    if (!vector) continue
    const search = { viewer, collectionIds: [], limit: depth, vector, model }
    const found = await searchVector(db, search)
    const exact = await db.transaction(async (tx) => {
      await tx.execute(sql`set local enable_indexscan = off`)
      return searchVector(tx, search)
    })
    // Equal distances may come in any order: what is as near as the tenth counts.
    const farthest = exact.at(-1)?.score ?? 0
    shares.push(found.filter(({ score }) => score >= farthest - 1e-6).length / Math.max(1, exact.length))
  }
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

/** Disk that a table takes with its indexes, or an index alone, in megabytes. */
const megabytesOf = async (relation: string): Promise<number> => {
  const [size] = await queryRows<{ bytes: number }>(
    database().db,
    sql`select pg_total_relation_size(${relation}::regclass)::float8 as bytes`,
  )
  return Math.round((size?.bytes ?? 0) / 1e6)
}

/** The vector index alone, built anew with each of `graphs`: how long that takes, its size, what it finds and how fast. */
const compareGraphs = async (viewer: Viewer): Promise<Row[]> => {
  const { id: model, dimensions } = embeddingModel()
  const asked = await Promise.all(
    demoQuestions.map(async ({ question }) => {
      const [vector] = (await embed([question], { purpose: 'query' })).vectors
      return [question, vector ?? new Float32Array(dimensions)] as const
    }),
  )
  const vectors = new Map(asked)
  const rows: Row[] = []
  for (const graph of graphs) {
    const startedMs = performance.now()
    await rebuildVectorIndex(database(), { model, dimensions, graph })
    const buildSeconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
    const row = await timed(`links ${graph.m}, candidates ${graph.efConstruction}`, (question) =>
      searchVector(database().db, {
        viewer,
        collectionIds: [],
        limit: 60,
        vector: vectors.get(question) ?? new Float32Array(dimensions),
        model,
      }),
    )
    rows.push({
      ...row,
      'built in s': buildSeconds,
      [`recall@${depth}`]: (await indexRecall(viewer)).toFixed(4),
      'with vectors MB': await megabytesOf('chunk_vectors'),
    })
  }
  return rows
}

const measure = async (size: number): Promise<Row[]> => {
  const remove = await openBench(args.postgres)
  const { db, mode } = database()
  const viewer: Viewer = {
    userId: newId(),
    workspaceId: newId(),
    role: 'admin',
    name: 'Bench',
    email: 'bench@scratch.local',
  }
  await createWorkspace(db, { id: viewer.workspaceId, name: 'Bench' })
  await upsertAccount(db, { ...viewer, passwordHash: '' })
  const { id: model } = embeddingModel()
  const collectionId = await upsertCollection(db, viewer, { id: newId(), name: 'Bench' })
  const collectionOf = () => collectionId
  const filled = await fillCorpus(viewer, { chunks: size, chunksPerDocument: 500, embedded: embeddedMax, collectionOf })
  const scope = { viewer, collectionIds: [], limit: 60 }
  const rows = [
    await timed('embed query', (question) => embed([question], { purpose: 'query' })),
    await timed('lexical leg', (question) => searchLexical(db, question, scope)),
    await timed('vector leg, with embedding', async (question) => {
      const { model: by, vectors } = await embed([question], { purpose: 'query' })
      const [vector] = vectors
      if (vector) await searchVector(db, { ...scope, vector, model: by })
    }),
    await timed('both legs, fused', (question) => rank(question, viewer)),
    await timed('whole retrieval', (question) => retrieve(question, viewer, { fresh: true })),
  ]
  console.log(
    `\n${size} chunks of about ${sentencesPerChunk} sentences, ${mode}, embedded by ${model}, filled in ${filled.fillSeconds.toFixed(0)} s` +
      `${filled.indexSeconds ? `, vector index built in ${filled.indexSeconds.toFixed(0)} s` : ''}; recall@${depth} of the index against exact search ${(await indexRecall(viewer)).toFixed(4)}; ` +
      `vectors with their index ${await megabytesOf('chunk_vectors')} MB, postings ${await megabytesOf('postings')} MB, this process ${residentMegabytes()} MB resident`,
  )
  if (graphs.length > 0) printRows(await compareGraphs(viewer))
  await closeDatabase()
  await remove()
  return rows.map((row) => ({ chunks: size, ...row }))
}

printMachine(['@electric-sql/pglite', 'onnxruntime-node'])
await warmGateway()
const all: Row[] = []
for (const size of sizes) all.push(...(await measure(size)))
printRows(all)
const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)]
const p95 = (size: number): number =>
  Number(all.find((row) => row.chunks === size && row.part === 'whole retrieval')?.['p95 ms'])
if (largest > smallest)
  console.log(
    `whole retrieval, p95 at ${largest} against ${smallest}: ${(p95(largest) / p95(smallest)).toFixed(2)} times`,
  )
console.log(`encoder: ${await encoderSpeed()} passages of 128 tokens a second`)
await closeGateway()
