/**
 * What the step over the knowledge graph brings: questions that need two passages, questions that need one, and a judged set whose
 * questions need no graph (its folder in BEIR layout as an argument). Drawn by patterns, searched in an embedded database.
 *
 *   npm run bench:graph -- FOLDER
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { closeDatabase, database, holdDatabase, rows, sql } from '#db/client.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { upsertCollection } from '#db/queries/documents.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { searchGraph } from '#db/queries/graph.ts'
import { claimVersion, insertChunks, publishVersion } from '#db/queries/ingest.ts'
import { analyzeWhenGrown } from '#db/queries/lexical-index.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { searchLexical, searchVector, toVectorLiteral } from '#db/queries/search.ts'
import { gatewaySettings } from '#db/schema/index.ts'
import { extractGraph } from '#ingestion/graph/index.ts'
import { mean, ndcg, percentile } from '#lib/evals/metrics.ts'
import { closeGateway, embed, warmGateway } from '#lib/gateway/index.ts'
import { fuse } from '#lib/rag/fuse.ts'
import { newId } from '#lib/shared/ids.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { makeCompany, makeNoise } from './graph-corpus.ts'
import { printMachine, printRows, type Row } from './report.ts'

const never = new AbortController().signal
const batch = 16
const limit = 60
const depth = 8
/** Shares of the graph leg beside the mix of the other two. */
const weights = [0.25, 0.35, 0.5, 0.8]
const noisePassages = Number(process.env.BENCH_CHUNKS ?? 10_000)
const judgedQuestionsMax = 200

const createScratchWorkspace = async (): Promise<{ viewer: Viewer; collectionId: string }> => {
  const { db } = database()
  const viewer: Viewer = {
    userId: newId(),
    workspaceId: newId(),
    role: 'admin',
    name: 'Bench',
    email: `${newId()}@scratch.local`,
  }
  await createWorkspace(db, { id: viewer.workspaceId, name: 'Bench' })
  await upsertAccount(db, { ...viewer, passwordHash: '' })
  await db
    .insert(gatewaySettings)
    .values({ workspaceId: viewer.workspaceId, settings: { graph: { extract: 'patterns' } }, version: 1 })
  return { viewer, collectionId: await upsertCollection(db, viewer, { id: newId(), name: 'Bench' }) }
}

type Workspace = Awaited<ReturnType<typeof createScratchWorkspace>>

/** Publishes passages as a document and draws its graph; milliseconds that the drawing took. */
const publish = async (
  { viewer, collectionId }: Workspace,
  name: string,
  passages: readonly string[],
  embedded: boolean,
): Promise<number> => {
  const { db } = database()
  const claim = await claimVersion(db, await createScratchDocument(db, viewer, { collectionId, name }))
  if (!claim) throw new Error('no claim')
  let at = 0
  for (let from = 0; from < passages.length; from += batch) {
    const texts = passages.slice(from, from + batch)
    const made = embedded ? await embed(texts, { purpose: 'passage' }) : { model: 'none', vectors: [] }
    const values = texts.map((text, index) => {
      const vector = made.vectors[index]
      const charStart = at
      at += text.length + 2
      return {
        ordinal: from + index,
        text,
        charStart,
        charEnd: charStart + text.length,
        headingPath: [],
        context: '',
        pageFrom: null,
        pageTo: null,
        tokens: estimateTokens(text),
        contentHash: newId(),
        vector: vector ? toVectorLiteral(vector) : null,
      }
    })
    await insertChunks(db, claim, made.model, values)
  }
  await publishVersion(db, claim, { chunks: passages.length, reused: 0 })
  const startedMs = performance.now()
  await extractGraph(claim.versionId, never)
  return performance.now() - startedMs
}

/** The chunks found with each share of the graph leg, best first; 0 is the search without it. */
const searchWith = async (
  question: string,
  viewer: Viewer,
): Promise<{ byWeight: Map<number, number[]>; stepped: boolean }> => {
  const { db } = database()
  const scope = { viewer, collectionIds: [], limit }
  const { model, vectors } = await embed([question], { purpose: 'query' })
  const [vector] = vectors
  const [lexical, near, stepped] = [
    await searchLexical(db, question, scope),
    vector ? await searchVector(db, { ...scope, vector, model }) : [],
    await searchGraph(db, question, scope),
  ]
  const two = fuse(lexical, near)
  const best = stepped[0]?.score ?? 1
  const scores = new Map(two.map(({ chunkId, score }) => [chunkId, score]))
  const linked = new Map(stepped.map(({ chunkId, score }) => [chunkId, score / best]))
  const ranked = (weight: number): number[] =>
    [...new Set([...scores.keys(), ...(weight > 0 ? linked.keys() : [])])]
      .map((chunkId) => ({ chunkId, score: (scores.get(chunkId) ?? 0) + weight * (linked.get(chunkId) ?? 0) }))
      .sort((a, b) => b.score - a.score || a.chunkId - b.chunkId)
      .map(({ chunkId }) => chunkId)
  return { byWeight: new Map([0, ...weights].map((weight) => [weight, ranked(weight)])), stepped: stepped.length > 0 }
}

const shareName = (weight: number): string => (weight === 0 ? 'without' : `graph ${weight}`)

const chunkTexts = async (viewer: Viewer): Promise<Map<number, string>> => {
  const found = await rows<{ id: string; text: string }>(
    database().db,
    sql`select id::text as id, text from chunks where workspace_id = ${viewer.workspaceId}`,
  )
  return new Map(found.map(({ id, text }) => [Number(id), text]))
}

const measureCompany = async (): Promise<Workspace> => {
  const workspace = await createScratchWorkspace()
  const { documents, questions } = makeCompany()
  const drawnMs: number[] = []
  for (const { name, passages } of documents) drawnMs.push(await publish(workspace, name, passages, true))
  await analyzeWhenGrown(database().db)
  const texts = await chunkTexts(workspace.viewer)
  const kinds = [
    { name: 'two steps', of: questions.filter(({ hops, hard }) => hops === 2 && !hard) },
    { name: 'two steps, in words that no pattern has', of: questions.filter(({ hops, hard }) => hops === 2 && hard) },
    { name: 'one step', of: questions.filter(({ hops }) => hops === 1) },
  ]
  const passages = documents.reduce((sum, document) => sum + document.passages.length, 0)
  console.log(
    `\nA made-up company: ${documents.length} documents, ${passages} passages, ${questions.length} questions; drawn in ${mean(drawnMs).toFixed(0)} ms a document. Recall@${depth}:`,
  )
  const table: Row[] = []
  for (const { name, of } of kinds) {
    const found = new Map([0, ...weights].map((weight) => [weight, 0]))
    for (const { text, answer } of of)
      for (const [weight, ranked] of (await searchWith(text, workspace.viewer)).byWeight)
        if (ranked.slice(0, depth).some((chunkId) => texts.get(chunkId) === answer))
          found.set(weight, (found.get(weight) ?? 0) + 1)
    table.push({
      questions: name,
      n: of.length,
      ...Object.fromEntries([...found].map(([weight, n]) => [shareName(weight), (n / of.length).toFixed(3)])),
    })
  }
  printRows(table)
  return workspace
}

const measureTime = async (workspace: Workspace): Promise<void> => {
  const noise = makeNoise(noisePassages)
  let drawnMs = 0
  for (let from = 0; from < noise.length; from += 250)
    drawnMs += await publish(workspace, `noise-${from}`, noise.slice(from, from + 250), false)
  const { db } = database()
  await analyzeWhenGrown(db)
  const scope = { viewer: workspace.viewer, collectionIds: [], limit }
  const questions = makeCompany().questions.filter((_, at) => at % 4 === 0)
  const table: Row[] = []
  // Beside the leg of words on the same passages, and in processor time, which a busy machine changes less.
  for (const [leg, search] of [
    ['words', searchLexical],
    ['graph', searchGraph],
  ] as const) {
    for (const { text } of questions) await search(db, text, scope)
    const ms: number[] = []
    const before = process.cpuUsage()
    for (const { text } of questions) {
      const startedMs = performance.now()
      await search(db, text, scope)
      ms.push(performance.now() - startedMs)
    }
    const { user, system } = process.cpuUsage(before)
    table.push({
      leg,
      questions: ms.length,
      'p50 ms': percentile(ms, 0.5).toFixed(1),
      'p95 ms': percentile(ms, 0.95).toFixed(1),
      'processor ms': ((user + system) / 1_000 / ms.length).toFixed(1),
    })
  }
  console.log(
    `\nWith ${noise.length} more passages, in which everything is often named (drawn in ${(drawnMs / noise.length).toFixed(1)} ms a passage):`,
  )
  printRows(table)
}

const jsonLines = (path: string): { _id: string; title?: string; text: string }[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => JSON.parse(line) as { _id: string; title?: string; text: string })

const measureJudged = async (folder: string): Promise<void> => {
  if (!existsSync(join(folder, 'corpus.jsonl'))) {
    console.log(`\n${folder}: not there`)
    return
  }
  const workspace = await createScratchWorkspace()
  const documents = jsonLines(join(folder, 'corpus.jsonl'))
  for (const { _id, title, text } of documents)
    await publish(workspace, _id, [title ? `${title}\n\n${text}` : text], true)
  await analyzeWhenGrown(database().db)
  const named = await rows<{ id: string; name: string }>(
    database().db,
    sql`select c.id::text as id, d.name from chunks c join documents d on d.id = c.document_id where c.workspace_id = ${workspace.viewer.workspaceId}`,
  )
  const documentOf = new Map(named.map(({ id, name }) => [Number(id), name]))
  const grades = new Map<string, Map<string, number>>()
  for (const line of readFileSync(join(folder, 'qrels.tsv'), 'utf8').split('\n').slice(1)) {
    const [query, document, grade] = line.trim().split('\t')
    if (query && document) grades.set(query, (grades.get(query) ?? new Map()).set(document, Number(grade)))
  }
  const scores = new Map([0, ...weights].map((weight) => [weight, [] as number[]]))
  let steps = 0
  for (const { _id, text } of jsonLines(join(folder, 'queries.jsonl'))
    .filter(({ _id }) => grades.has(_id))
    .slice(0, judgedQuestionsMax)) {
    const { byWeight, stepped } = await searchWith(text, workspace.viewer)
    if (stepped) steps += 1
    for (const [weight, ranked] of byWeight)
      scores.get(weight)?.push(
        ndcg(
          ranked.flatMap((chunkId) => documentOf.get(chunkId) ?? []),
          grades.get(_id) ?? new Map(),
          10,
        ),
      )
  }
  console.log(
    `\n${basename(resolve(folder))}: ${documents.length} passages; of ${scores.get(0)?.length} questions ${steps} led over the graph. nDCG@10:`,
  )
  printRows([
    {
      set: basename(resolve(folder)),
      ...Object.fromEntries([...scores].map(([weight, all]) => [shareName(weight), mean(all).toFixed(4)])),
    },
  ])
}

holdDatabase(await openMemoryDatabase())
await warmGateway()
printMachine(['@electric-sql/pglite', 'onnxruntime-node'])
const company = await measureCompany()
if (noisePassages > 0) await measureTime(company)
const [folder] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
if (folder) await measureJudged(folder)
await closeGateway()
await closeDatabase()
