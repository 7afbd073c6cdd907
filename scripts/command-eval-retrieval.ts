/** `eval:retrieval`: retrieval quality on a data set, through the product's own ingestion and search, in a scratch database. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { evaluateRetrieval } from '#lib/evals/index.ts'
import { closeGateway, embeddingModel } from '#lib/gateway/index.ts'
import { WrongUse } from './connect.ts'

export type EvalRetrievalOptions = {
  legs: 'lexical' | 'vector' | 'hybrid'
  embedder?: string
  limit?: number
  json?: boolean
}

const needed = ['corpus.jsonl', 'queries.jsonl', 'qrels.tsv']
/** Scores are fractions of 1; the fifth digit is noise. */
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

export const evalRetrieval = async (
  dir: string,
  { legs, embedder, limit, json }: EvalRetrievalOptions,
): Promise<number> => {
  const missing = needed.find((name) => !existsSync(join(dir, name)))
  if (missing) throw new WrongUse(`${dir} has no ${missing}; it takes ${needed.join(', ')}`)
  const { id } = embeddingModel()
  if (embedder && embedder !== id && embedder !== id.split('@')[0])
    throw new WrongUse(`there is no encoder ${embedder}; this one is: ${id}`)
  try {
    const [report] = await evaluateRetrieval({
      dir,
      legs: [legs],
      ...(limit ? { limit } : {}),
      onProgress: (line) => process.stderr.write(`${line}\n`),
    })
    if (!report) throw new Error('The evaluation made no report')
    const scores = {
      ndcg10: rounded(report.ndcg10, 4),
      recall10: rounded(report.recall10, 4),
      recall100: rounded(report.recall100, 4),
      mrr10: rounded(report.mrr10, 4),
    }
    const times = {
      p50Ms: rounded(report.p50Ms, 2),
      p95Ms: rounded(report.p95Ms, 2),
      ingestSeconds: rounded(report.ingestSeconds, 1),
    }
    if (json) process.stdout.write(`${JSON.stringify({ ...report, ...scores, ...times })}\n`)
    else
      process.stdout.write(
        `${report.dataset}, ${report.legs}, ${report.embedder}: ${report.documents} documents, ${report.queries} questions\n` +
          `nDCG@10 ${scores.ndcg10}  recall@10 ${scores.recall10}  recall@100 ${scores.recall100}  MRR@10 ${scores.mrr10}\n` +
          `p50 ${times.p50Ms} ms  p95 ${times.p95Ms} ms  indexed in ${times.ingestSeconds} s\n`,
      )
    return 0
  } finally {
    await closeGateway()
  }
}
