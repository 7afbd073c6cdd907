/**
 * Whether what was found can answer the question at all. Neither leg knows by itself: a cosine is never zero, and one shared
 * word is a hit. Both together do: how near the best chunk is in meaning, and how much of what the question asks about it names.
 */
import { contentWords } from '#lib/shared/text.ts'

export type Relevance = { found: boolean; cosine: number | null; coverage: number }

/** Calibrated on questions with and without an answer; a false refusal costs more than a weak passage, which the answer admits. */
const thresholds = {
  /** Near enough in meaning whatever the words. */
  cosine: 0.5,
  /** With at least this share of the question's words, less nearness will do. */
  coverageSome: 0.5,
  cosineWithSome: 0.3,
  /** Nearly all of the words, for codes and names that an encoder does not know. */
  coverageAll: 0.8,
  /** Without an encoder there are only words. */
  coverageAlone: 0.6,
}

/** Folds endings so that "rotated" meets "rotation" and "keys" "key": a prefix, for the coverage count only. */
const stem = (word: string): string => (/^\p{L}+$/u.test(word) ? word.slice(0, Math.max(4, word.length - 3)) : word)

/** The share of the question's content words that stand in `texts`. Words with digits count double: they are what is asked about. */
export const wordCoverage = (question: string, texts: readonly string[]): number => {
  const known = new Set(texts.flatMap((text) => contentWords(text).map(stem)))
  const asked = [...new Set(contentWords(question).map(stem))]
  const weight = (word: string): number => (/\d/.test(word) ? 2 : 1)
  const total = asked.reduce((sum, word) => sum + weight(word), 0)
  return total === 0 ? 0 : asked.reduce((sum, word) => sum + (known.has(word) ? weight(word) : 0), 0) / total
}

/** `cosine` is that of the best chunk, null when there is no encoder; `texts` are the best chunks with their headings. */
export const judgeRelevance = (question: string, cosine: number | null, texts: readonly string[]): Relevance => {
  const coverage = wordCoverage(question, texts)
  const found =
    texts.length > 0 &&
    (cosine === null
      ? coverage >= thresholds.coverageAlone
      : cosine >= thresholds.cosine ||
        (cosine >= thresholds.cosineWithSome && coverage >= thresholds.coverageSome) ||
        coverage >= thresholds.coverageAll)
  return { found, cosine, coverage }
}
