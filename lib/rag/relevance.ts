/**
 * Whether what was found can answer the question at all. Neither leg knows by itself: a cosine is never zero, and one shared
 * word is a hit. Both together do: how near the best chunk is in meaning, and how much of what the question asks about it names.
 */
import { detectLanguage } from '#lib/language.ts'
import { contentWords } from '#lib/shared/text.ts'
import { type AnswerSignals, answerability, answerableMin } from './answerable.ts'

export type Relevance = {
  found: boolean
  cosine: number | null
  /** The cosine on the scale from unlike texts (0) to the same text (1); null without an encoder. */
  near: number | null
  coverage: number
  /** The chance that what was found holds an answer; see `answerable.ts`. */
  answerable: number
  /** What the chance is made of; null when nothing was found at all. */
  signals: AnswerSignals | null
}

/** With at least this share of the question's words the passages have it whole: codes and names that an encoder does not know. */
const wholeFrom = 0.8

/** How the two legs of a search stand to each other. */
export type Standing = {
  /** BM25 of the best as a part of what a passage with all of the terms would have; null when words were not searched. */
  words: number | null
  /** How high the best by words stands among the nearest: 1 over its place, 0 when it is not there; null unless both were searched. */
  agreement: number | null
}

/** Folds endings so that "rotated" meets "rotation" and "keys" "key": a prefix, for the coverage count only. */
const stem = (word: string): string => (/^\p{L}+$/u.test(word) ? word.slice(0, Math.max(4, word.length - 3)) : word)

/** Scripts that do not set words apart: pairs of their characters stand for words. */
const dense = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]+/gu
const pairsOf = (run: string): string[] => {
  const signs = [...run]
  return signs.length < 2 ? signs : signs.slice(1).map((sign, at) => `${signs[at]}${sign}`)
}
/** The words of a text as they are looked for, endings folded. */
export const searchedWords = (text: string): string[] => [
  ...(text.match(dense) ?? []).flatMap(pairsOf),
  ...contentWords(text.replace(dense, ' ')).map(stem),
]

/** The share of the question's content words that stand in `texts`. Words with digits count double: they are what is asked about. */
export const wordCoverage = (question: string, texts: readonly string[]): number => {
  const known = new Set(texts.flatMap(searchedWords))
  const asked = [...new Set(searchedWords(question))]
  const weight = (word: string): number => (/\d/.test(word) ? 2 : 1)
  const total = asked.reduce((sum, word) => sum + weight(word), 0)
  return total === 0 ? 0 : asked.reduce((sum, word) => sum + (known.has(word) ? weight(word) : 0), 0) / total
}

/** Whether the question is in another language than the texts, as far as both can be told. */
const isForeign = (question: string, texts: readonly string[]): boolean => {
  const [asked, read] = [detectLanguage(question), detectLanguage(texts.join('\n'))]
  return asked !== 'und' && read !== 'und' && asked !== read
}

type LegHit = { chunkId: number; score: number }

/** `lexical` and `vector` are what may be read of each leg, best first; `whole` what a passage with all of the terms would have. */
export const standingOf = (lexical: readonly LegHit[], vector: readonly LegHit[], whole: number): Standing => {
  const [best] = lexical
  // Asked in other words than any passage has: there is nothing that meaning could disagree with.
  if (!best) return { words: 0, agreement: vector.length > 0 ? 1 : 0 }
  const place = vector.findIndex(({ chunkId }) => chunkId === best.chunkId)
  return { words: whole > 0 ? best.score / whole : 0, agreement: place < 0 ? 0 : 1 / (place + 1) }
}

/** Where one leg was not searched: what questions have in the middle. */
const agreementUnknown = 0.3

/**
 * `cosine` is that of the best chunk, null when there is no encoder; `unlike` what texts have in that encoder that have nothing to do
 * with each other; `words` and `agreement` how the legs stand; `texts` are the best chunks with their headings.
 */
export const judgeRelevance = (
  question: string,
  { cosine, unlike = 0, words, agreement }: { cosine: number | null; unlike?: number } & Partial<Standing>,
  texts: readonly string[],
): Relevance => {
  const coverage = wordCoverage(question, texts)
  const near = cosine === null ? null : (cosine - unlike) / (1 - unlike)
  if (texts.length === 0) return { found: false, cosine, near, coverage, answerable: 0, signals: null }
  const signals: AnswerSignals = {
    near,
    // Among few passages a word that stands nowhere weighs more than all that do: alone, how many they are counts as well.
    words: near === null ? Math.max(words ?? 0, coverage) : (words ?? coverage),
    agreement: agreement ?? agreementUnknown,
    whole: coverage >= wholeFrom,
    foreign: isForeign(question, texts),
  }
  const answerable = answerability(signals)
  return { found: answerable >= answerableMin, cosine, near, coverage, answerable, signals }
}
