/**
 * What rights cost a search: people who may read all, 50 %, 5 % and 0.5 % of the same chunks ask the same questions in turn. For each
 * the time of each leg and of both mixed, against that of who reads everything in the same round, and what of the exact best ten of
 * what they may read is found. `--postgres URL` measures a server, where row-level security stands behind the filter, and what that adds.
 */
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { closeDatabase, database } from '#db/client.ts'
import { demoQuestions } from '#db/demo/questions.ts'
import { upsertCollection } from '#db/queries/documents.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { type Hit, searchLexical, searchVector } from '#db/queries/search.ts'
import { collectionGrants } from '#db/schema/index.ts'
import { readAs, rowSecurity } from '#db/visibility.ts'
import { percentile } from '#lib/evals/index.ts'
import { closeGateway, embed, embeddingModel, warmGateway } from '#lib/gateway/index.ts'
import { rank } from '#lib/rag/index.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { fillCorpus, openBench } from './corpus.ts'
import { printMachine, printRows, type Row } from './report.ts'

const { values: args } = parseArgs({
  options: {
    chunks: { type: 'string', default: '100000' },
    embedded: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
    postgres: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const [chunks, embedded, rounds] = [Number(args.chunks), Number(args.embedded), Number(args.rounds)]
if (![chunks, embedded, rounds].every((value) => Number.isInteger(value) && value > 0) || chunks < 10_000) {
  process.stderr.write(
    'npm run bench:access -- [--chunks N] [--embedded N] [--rounds N] [--postgres URL] [--json]; N chunks from 10000\n',
  )
  process.exit(2)
}

const chunksPerDocument = 50
const depth = 10
const limit = 60
/** Of 200 documents in turn, the collection of each begins here; a person reads the collections up to theirs. */
const collectionsOf200 = [
  { name: '0.5 %', from: 0 },
  { name: '5 %', from: 1 },
  { name: '50 %', from: 10 },
  { name: 'all', from: 100 },
] as const

/** The people by the share that they read, everything first. */
const setUp = async (): Promise<{ name: string; viewer: Viewer }[]> => {
  const { db } = database()
  const workspaceId = newId()
  await createWorkspace(db, { id: workspaceId, name: 'Bench' })
  const people = collectionsOf200.map(({ name }): { name: string; viewer: Viewer } => {
    const userId = newId()
    return { name, viewer: { userId, workspaceId, role: 'admin', name, email: `${userId}@scratch.local` } }
  })
  for (const { viewer } of people) await upsertAccount(db, { ...viewer, passwordHash: '' })
  const [first] = people
  if (!first) throw new Error('nobody reads')
  const ids: string[] = []
  for (const { name } of collectionsOf200) ids.push(await upsertCollection(db, first.viewer, { id: newId(), name }))
  // Made open to all; who reads what is what is measured.
  await db.execute(sql`delete from collection_grants`)
  for (const [at, { viewer }] of people.entries())
    for (const collectionId of ids.slice(0, at + 1))
      await db.insert(collectionGrants).values({
        id: newId(),
        workspaceId,
        collectionId,
        subject: 'person',
        subjectId: viewer.userId,
        level: 'read',
      })
  const collectionOf = (document: number): string =>
    ids[collectionsOf200.findLastIndex(({ from }) => from <= document % 200)] ?? ''
  await fillCorpus(first.viewer, { chunks, chunksPerDocument, embedded, collectionOf })
  return people.toReversed()
}

const { id: model } = embeddingModel()

type Asked = { question: string; vector: Float32Array }

/** The share of the exact best that is among what was found; equal scores may come in any order. */
const recallOf = (found: readonly Hit[], exact: readonly Hit[]): number => {
  if (exact.length === 0) return 1
  const least = exact.at(-1)?.score ?? 0
  return Math.min(1, found.slice(0, depth).filter(({ score }) => score >= least - 1e-6).length / exact.length)
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const parts = ['lexical leg', 'vector leg', 'both, mixed'] as const

const measure = async (people: { name: string; viewer: Viewer }[], asked: readonly Asked[]): Promise<Row[]> => {
  const opened = database()
  const run = {
    'lexical leg': (viewer: Viewer, { question }: Asked) =>
      readAs(opened, viewer, (db, reader) => searchLexical(db, question, { viewer: reader, collectionIds: [], limit })),
    'vector leg': (viewer: Viewer, { vector }: Asked) =>
      readAs(opened, viewer, (db, reader) =>
        searchVector(db, { viewer: reader, collectionIds: [], limit, vector, model }),
      ),
    'both, mixed': (viewer: Viewer, { question }: Asked) => rank(question, viewer),
  }
  const times = new Map<string, number[]>()
  for (let round = 0; round <= rounds; round += 1)
    for (const one of asked)
      for (const part of parts)
        for (const { name, viewer } of people) {
          const startedMs = performance.now()
          await run[part](viewer, one)
          // The first round warms caches and compilers.
          if (round > 0)
            times.set(`${part}/${name}`, [...(times.get(`${part}/${name}`) ?? []), performance.now() - startedMs])
        }
  const { db } = opened
  const recalls = new Map<string, number[]>()
  const keep = (key: string, value: number) => recalls.set(key, [...(recalls.get(key) ?? []), value])
  for (const { question, vector } of asked)
    for (const { name, viewer } of people) {
      const scope = { viewer, collectionIds: [], limit }
      const near = await searchVector(db, { ...scope, vector, model })
      const exact = await db.transaction(async (tx) => {
        await tx.execute(sql`set local enable_indexscan = off`)
        return searchVector(tx, { ...scope, limit: depth, vector, model })
      })
      keep(`vector leg/${name}`, recallOf(near, exact))
      const words = await searchLexical(db, question, scope)
      // With so deep a limit nothing is passed over.
      const all = await searchLexical(db, question, { ...scope, limit: chunks })
      keep(`lexical leg/${name}`, recallOf(words, all.slice(0, depth)))
    }
  return parts.flatMap((part) => {
    const unfiltered = percentile(times.get(`${part}/all`) ?? [], 0.95)
    return people.map(({ name }) => {
      const ms = times.get(`${part}/${name}`) ?? []
      const recall = recalls.get(`${part}/${name}`)
      return {
        part,
        reads: name,
        calls: ms.length,
        'p50 ms': percentile(ms, 0.5).toFixed(1),
        'p95 ms': percentile(ms, 0.95).toFixed(1),
        '× all, p95': (percentile(ms, 0.95) / unfiltered).toFixed(2),
        [`recall@${depth}`]: recall ? mean(recall).toFixed(4) : '',
      }
    })
  })
}

/** What reading as the role adds to a leg: begin, who reads, commit. In turn, in the same run. */
const costOfWall = async (viewer: Viewer, asked: readonly Asked[]): Promise<string> => {
  const opened = database()
  const ratios: number[] = []
  for (let round = 0; round <= rounds; round += 1)
    for (const { question } of asked) {
      const scope = { collectionIds: [], limit }
      let startedMs = performance.now()
      await searchLexical(opened.db, question, { ...scope, viewer })
      const bare = performance.now() - startedMs
      startedMs = performance.now()
      await readAs(opened, viewer, (db, reader) => searchLexical(db, question, { ...scope, viewer: reader }))
      if (round > 0) ratios.push((performance.now() - startedMs) / bare)
    }
  return percentile(ratios, 0.5).toFixed(2)
}

printMachine(['@electric-sql/pglite', 'onnxruntime-node'])
await warmGateway()
const drop = await openBench(args.postgres)
try {
  const people = await setUp()
  const asked: Asked[] = []
  for (const { question } of demoQuestions) {
    const [vector] = (await embed([question], { purpose: 'query' })).vectors
    if (vector) asked.push({ question, vector })
  }
  const rows = await measure(people, asked)
  const { detail } = await rowSecurity()
  console.log(`\n${chunks} chunks in documents of ${chunksPerDocument}, ${database().mode}; access is kept ${detail}`)
  const [everything] = people
  if (database().mode === 'server' && everything)
    console.log(
      `the lexical leg behind row-level security takes ${await costOfWall(everything.viewer, asked)} times as long`,
    )
  printRows(rows)
} finally {
  await closeDatabase()
  await drop()
  await closeGateway()
}
