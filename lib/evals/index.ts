/**
 * Proof of retrieval: a folder in BEIR layout goes through the product's own chunking, embedding, publishing and search in a
 * scratch database in memory, and its judged questions are counted. Documents rank by their best chunk.
 */
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { closeDatabase, database, holdDatabase } from '#db/client.ts'
import { openMemoryDatabase } from '#db/open.ts'
import {
  beginIndex,
  ensureVectorIndex,
  getEmbeddingIndex,
  swapIndex,
  updateBuilding,
} from '#db/queries/embedding-indexes.ts'
import { createScratchDocument, listChunkDocuments } from '#db/queries/evaluation.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { indexParsed } from '#ingestion/pipeline.ts'
import { loadEmbeddingModel, warmGateway, workspaceEncoder } from '#lib/gateway/index.ts'
import { type Legs, rank } from '#lib/rag/index.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { createEvaluator } from './evaluator.ts'
import { mean, ndcg, percentile, recall, reciprocalRank } from './metrics.ts'

export { type CitationReport, evaluateCitations, groundednessFiles } from './citations.ts'
export { percentile } from './metrics.ts'

/** What can be measured. */
export const legsChoices = ['lexical', 'vector', 'hybrid', 'hybrid+rerank'] as const satisfies readonly Legs[]

export type RetrievalReport = {
  dataset: string
  /** The folder whose questions were asked, where that is another one. */
  questions?: string
  legs: Legs
  embedder: string
  documents: number
  queries: number
  ndcg10: number
  recall10: number
  recall100: number
  mrr10: number
  p50Ms: number
  p95Ms: number
  ingestSeconds: number
}

export type RetrievalEvaluation = {
  dir: string
  /** Each is measured over the same index. */
  legs: readonly Legs[]
  /** At most so many questions. */
  limit?: number
  /** An encoder by name; the built-in one when left out. */
  embedder?: string
  /** Another folder in the same layout, whose questions are asked and whose judgements count. */
  questionsDir?: string
  onProgress?: (line: string) => void
}

/** Chunks asked of each leg, a little more than in the product, so that there are a hundred documents to count. */
const chunksPerQuestion = 100
const documentsInWork = 4

const documentSchema = z.object({ _id: z.coerce.string(), title: z.string().default(''), text: z.string() })
const querySchema = z.object({ _id: z.coerce.string(), text: z.string() })

const readLines = async function* <Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): AsyncGenerator<z.output<Schema>> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY }))
    if (line.trim()) yield schema.parse(JSON.parse(line))
}

const readJudgements = async (path: string): Promise<Map<string, Map<string, number>>> => {
  const judgements = new Map<string, Map<string, number>>()
  for (const line of (await readFile(path, 'utf8')).split('\n').slice(1)) {
    const [query, document, grade] = line.trim().split('\t')
    if (!query || !document) continue
    const grades = judgements.get(query) ?? new Map<string, number>()
    judgements.set(query, grades.set(document, Number(grade)))
  }
  return judgements
}

/** Makes `name` the encoder of an empty workspace, as a change of encoder does of a full one. */
const putToUse = async (name: string, { workspaceId, userId }: Viewer): Promise<void> => {
  const { db } = database()
  const { id: model, dimensions } = await loadEmbeddingModel(name, { workspaceId, userId })
  await ensureVectorIndex(db, model, dimensions)
  const id = newId()
  await beginIndex(db, { id, workspaceId, name })
  await updateBuilding(db, id, { model, dimensions })
  const index = await getEmbeddingIndex(db, id)
  if (!index || !(await swapIndex(db, index))) throw new Error(`${name} could not be put to use`)
}

const indexCorpus = async (
  dir: string,
  viewer: Viewer,
  collectionId: string,
  onProgress: (line: string) => void,
): Promise<number> => {
  const { db } = database()
  const never = new AbortController().signal
  let done = 0
  const index = async (document: z.output<typeof documentSchema>): Promise<void> => {
    const versionId = await createScratchDocument(db, viewer, { collectionId, name: document._id })
    const claim = await claimVersion(db, versionId)
    if (!claim) throw new Error(`no claim on ${document._id}`)
    const title = document.title.trim()
    // As a file would have it: the title is the heading above the text.
    const text = title ? `${title}\n\n${document.text}` : document.text
    const body = { kind: 'paragraph' as const, start: text.length - document.text.length, end: text.length }
    const blocks = title ? [{ kind: 'heading' as const, level: 1, start: 0, end: title.length }, body] : [body]
    if (text.trim()) await indexParsed(claim, { kind: 'text', title, text, blocks, pages: [] }, never)
    done += 1
    if (done % 500 === 0) onProgress(`${done} documents indexed`)
  }
  const corpus = readLines(join(dir, 'corpus.jsonl'), documentSchema)
  const takeAll = async (): Promise<void> => {
    for (let next = await corpus.next(); !next.done; next = await corpus.next()) await index(next.value)
  }
  await Promise.all(Array.from({ length: documentsInWork }, takeAll))
  return done
}

/** Who asks, over what was indexed. */
export type Corpus = { viewer: Viewer; documents: number; ingestSeconds: number }

/** `run` over the documents of `dir`/corpus.jsonl, in a scratch database that is the process's own while this runs. */
export const overCorpus = async <Result>(
  { dir, embedder, onProgress = () => undefined }: Pick<RetrievalEvaluation, 'dir' | 'embedder' | 'onProgress'>,
  run: (corpus: Corpus) => Promise<Result>,
): Promise<Result> => {
  holdDatabase(await openMemoryDatabase())
  try {
    const { viewer, collectionId } = await createEvaluator()
    await warmGateway()
    if (embedder) await putToUse(embedder, viewer)
    const startedMs = performance.now()
    const documents = await indexCorpus(dir, viewer, collectionId, onProgress)
    return await run({ viewer, documents, ingestSeconds: (performance.now() - startedMs) / 1_000 })
  } finally {
    await closeDatabase()
  }
}

/** One report for each of `legs`. The process's database is the scratch one while this runs. */
export const evaluateRetrieval = async ({
  dir,
  legs,
  limit = Number.POSITIVE_INFINITY,
  embedder,
  questionsDir = dir,
  onProgress = () => undefined,
}: RetrievalEvaluation): Promise<RetrievalReport[]> => {
  const judgements = await readJudgements(join(questionsDir, 'qrels.tsv'))
  const questions: z.output<typeof querySchema>[] = []
  for await (const question of readLines(join(questionsDir, 'queries.jsonl'), querySchema))
    if (judgements.has(question._id) && questions.length < limit) questions.push(question)

  return overCorpus(
    { dir, onProgress, ...(embedder ? { embedder } : {}) },
    async ({ viewer, documents, ingestSeconds }) => {
      const documentOf = await listChunkDocuments(database().db, viewer)
      const reports: RetrievalReport[] = []
      for (const leg of legs) {
        const scores = {
          ndcg10: [] as number[],
          recall10: [] as number[],
          recall100: [] as number[],
          mrr10: [] as number[],
          ms: [] as number[],
        }
        for (const { _id, text } of questions) {
          const askedMs = performance.now()
          const { ranked } = await rank(text, viewer, { legs: leg, k: chunksPerQuestion })
          scores.ms.push(performance.now() - askedMs)
          const found = [...new Set(ranked.flatMap(({ chunkId }) => documentOf.get(chunkId) ?? []))]
          const grades = judgements.get(_id) ?? new Map<string, number>()
          scores.ndcg10.push(ndcg(found, grades, 10))
          scores.recall10.push(recall(found, grades, 10))
          scores.recall100.push(recall(found, grades, 100))
          scores.mrr10.push(reciprocalRank(found, grades, 10))
        }
        reports.push({
          dataset: basename(resolve(dir)),
          ...(questionsDir === dir ? {} : { questions: basename(resolve(questionsDir)) }),
          legs: leg,
          embedder: (await workspaceEncoder(viewer.workspaceId)).id,
          documents,
          queries: questions.length,
          ndcg10: mean(scores.ndcg10),
          recall10: mean(scores.recall10),
          recall100: mean(scores.recall100),
          mrr10: mean(scores.mrr10),
          p50Ms: percentile(scores.ms, 0.5),
          p95Ms: percentile(scores.ms, 0.95),
          ingestSeconds,
        })
        onProgress(`${leg}: nDCG@10 ${mean(scores.ndcg10).toFixed(4)}`)
      }
      return reports
    },
  )
}
