/** How far an answer is to be trusted, as one number, from what is known without asking anybody. Pure. */
import type { Evidence } from '#lib/rag/index.ts'
import { sentences } from '#lib/shared/text.ts'

type Known = {
  /** As it would be shown, without markers. */
  text: string
  claims: { total: number; supported: number }
  relevance: Evidence['relevance']
}

/** What is supported counts most; what is not cited at all, and how well the passages fit the question, count beside it. */
const weights = { supported: 0.5, cited: 0.2, relevance: 0.3 }
/** What is shorter is no statement: "Yes.", a heading. */
const statementWords = 4

const share = (part: number, whole: number): number => (whole === 0 ? 0 : Math.min(1, part / whole))
const percent = (value: number): string => `${Math.round(value * 100)} %`

/**
 * 0 to 1: half of it the share of cited claims that their passages support, a fifth the share of statements that cite anything, the
 * rest how near the best passages are to the question, in meaning or in words. An answer that cites nothing has at most .3.
 */
export const confidenceOf = ({ text, claims, relevance }: Known): { value: number; reasons: string[] } => {
  const statements = sentences(text).filter(
    ({ start, end }) => text.slice(start, end).split(/\s+/).length >= statementWords,
  ).length
  const supported = share(claims.supported, claims.total)
  const cited = share(claims.total, Math.max(statements, claims.total))
  const near = Math.min(1, Math.max(0, relevance.near ?? 0, relevance.coverage))
  const value = weights.supported * supported + weights.cited * cited + weights.relevance * near
  return {
    value: Math.round(value * 100) / 100,
    reasons: [
      claims.total === 0
        ? 'It cites nothing.'
        : `${claims.supported} of ${claims.total} cited claims are supported by their passage.`,
      `${percent(cited)} of its statements cite a source.`,
      `The best passages fit the question by ${percent(near)}.`,
    ],
  }
}
