/** `eval:retrieval`: retrieval quality on a data set, through the product's own ingestion and search, in a scratch database. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { evaluateRetrieval, legsChoices } from '#lib/evals/index.ts'
import { closeGateway, EncoderUnavailable } from '#lib/gateway/index.ts'
import { WrongUse } from './connect.ts'

export type EvalRetrievalOptions = {
  /** `all` measures each of the others over one index. */
  legs: (typeof legsChoices)[number] | 'all'
  embedder?: string
  /** A folder whose questions are asked instead. */
  questions?: string
  limit?: number
  json?: boolean
}

const needed = ['corpus.jsonl', 'queries.jsonl', 'qrels.tsv']
/** Scores are fractions of 1; the fifth digit is noise. */
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

const checkFolder = (dir: string, names: readonly string[]): void => {
  const missing = names.find((name) => !existsSync(join(dir, name)))
  if (missing) throw new WrongUse(`${dir} has no ${missing}; it takes ${names.join(', ')}`)
}

export const evalRetrieval = async (
  dir: string,
  { legs, embedder, questions, limit, json }: EvalRetrievalOptions,
): Promise<number> => {
  checkFolder(dir, needed)
  if (questions) checkFolder(questions, needed.slice(1))
  try {
    const reports = await evaluateRetrieval({
      dir,
      legs: legs === 'all' ? legsChoices : [legs],
      ...(limit ? { limit } : {}),
      ...(embedder ? { embedder } : {}),
      ...(questions ? { questionsDir: questions } : {}),
      onProgress: (line) => process.stderr.write(`${line}\n`),
    })
    for (const report of reports) {
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
          `${report.dataset}, ${report.legs}, ${report.embedder}: ${report.documents} documents, ${report.queries} questions${report.questions ? ` of ${report.questions}` : ''}\n` +
            `nDCG@10 ${scores.ndcg10}  recall@10 ${scores.recall10}  recall@100 ${scores.recall100}  MRR@10 ${scores.mrr10}\n` +
            `p50 ${times.p50Ms} ms  p95 ${times.p95Ms} ms  indexed in ${times.ingestSeconds} s\n`,
        )
    }
    return 0
  } catch (error) {
    if (error instanceof EncoderUnavailable) throw new WrongUse(`${embedder}: ${error.message}`)
    throw error
  } finally {
    await closeGateway()
  }
}
