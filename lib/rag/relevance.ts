/**
 * Whether what was found can answer the question at all. Neither leg knows by itself: a cosine is never zero, and one shared
 * word is a hit. Both together do: how near the best chunk is in meaning, and how much of what the question asks about it names.
 */
import { detectLanguage } from '#lib/language.ts'
import { contentWords } from '#lib/shared/text.ts'

export type Relevance = {
  found: boolean
  cosine: number | null
  /** The cosine on the scale from unlike texts (0) to the same text (1); null without an encoder. */
  near: number | null
  coverage: number
}

/**
 * Calibrated on questions with and without an answer; a false refusal costs more than a weak passage, which the answer admits.
 * Nearness is the cosine on a scale from what unlike texts have in the encoder (0) to the same text (1).
 */
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
  /** A question in another language than the passages shares no words with them. */
  cosineForeign: 0.15,
}

/** Folds endings so that "rotated" meets "rotation" and "keys" "key": a prefix, for the coverage count only. */
const stem = (word: string): string => (/^\p{L}+$/u.test(word) ? word.slice(0, Math.max(4, word.length - 3)) : word)

/** Scripts that do not set words apart: pairs of their characters stand for words. */
const dense = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+/gu
const pairsOf = (run: string): string[] => {
  const signs = [...run]
  return signs.length < 2 ? signs : signs.slice(1).map((sign, at) => `${signs[at]}${sign}`)
}
const wordsOf = (text: string): string[] => [
  ...(text.match(dense) ?? []).flatMap(pairsOf),
  ...contentWords(text.replace(dense, ' ')).map(stem),
]

/** The share of the question's content words that stand in `texts`. Words with digits count double: they are what is asked about. */
export const wordCoverage = (question: string, texts: readonly string[]): number => {
  const known = new Set(texts.flatMap(wordsOf))
  const asked = [...new Set(wordsOf(question))]
  const weight = (word: string): number => (/\d/.test(word) ? 2 : 1)
  const total = asked.reduce((sum, word) => sum + weight(word), 0)
  return total === 0 ? 0 : asked.reduce((sum, word) => sum + (known.has(word) ? weight(word) : 0), 0) / total
}

/** Whether the question is in another language than the texts, as far as both can be told. */
const isForeign = (question: string, texts: readonly string[]): boolean => {
  const [asked, read] = [detectLanguage(question), detectLanguage(texts.join('\n'))]
  return asked !== 'und' && read !== 'und' && asked !== read
}

/**
 * `cosine` is that of the best chunk, null when there is no encoder; `unlike` what texts have in that encoder that have nothing to do
 * with each other; `texts` are the best chunks with their headings.
 */
export const judgeRelevance = (
  question: string,
  { cosine, unlike = 0 }: { cosine: number | null; unlike?: number },
  texts: readonly string[],
): Relevance => {
  const coverage = wordCoverage(question, texts)
  const near = cosine === null ? null : (cosine - unlike) / (1 - unlike)
  const found =
    texts.length > 0 &&
    (near === null
      ? coverage >= thresholds.coverageAlone
      : near >= thresholds.cosine ||
        (near >= thresholds.cosineWithSome && coverage >= thresholds.coverageSome) ||
        (near >= thresholds.cosineForeign && isForeign(question, texts)) ||
        coverage >= thresholds.coverageAll)
  return { found, cosine, near, coverage }
}
