/**
 * Can what was found answer the question? One chance, 0 to 1, from what the search knows by itself: no model is asked. Pure.
 *
 * A small logistic regression with a ridge, fitted on the 116 answerable and 34 unanswerable last turns of MTRAG's conversations, with
 * more weight on the words than that fit alone gives them: it costs .005 there and wins .013 on questions of XQuAD, each with and
 * without the paragraph that answers it. Areas under the curve: MTRAG .884 (the best cosine alone .862, BM25's share .761; fitted anew
 * by cross-validation .873), XQuAD .949. `node scripts/eval-answerable.ts DIR` measures it.
 * Also tried and left out, for they added nothing that would hold on other questions: words weighted by rarity in the best passage and
 * in its best sentence (BM25's share knows as much), names and numbers that no passage has, the kind and length of the question, how
 * far the best cosine stands out from the next, how many of the best both legs share.
 */

export type AnswerSignals = {
  /** The best cosine on the scale from unlike texts (0) to the same text (1); null without an encoder. */
  near: number | null
  /** BM25 of the best passage as a part of what one with all of the question's terms would have. */
  words: number
  /**
   * 1 where the best by words is also the nearest in meaning, 1/2 where it is second, and so on; 0 where it is not near at all. 1, too,
   * where no word was found: nothing disagrees then.
   */
  agreement: number
  /** Nearly all of the question's words stand in the best passages. */
  whole: boolean
  /** The question is in another language than the passages: words and places in the lists tell nothing then. */
  foreign: boolean
}

type Coefficients = { bias: number; near: number; words: number; agreement: number; whole: number }

const coefficients = {
  both: { bias: -3.7, near: 5.6, words: 1.6, agreement: 1.1, whole: 0.6 },
  /** Without an encoder; the bias is stricter than fitted, for a wrong passage has nothing else against it then. */
  wordsAlone: { bias: -1.4, near: 0, words: 2, agreement: 0, whole: 0.6 },
  /** Not fitted: between languages even a good passage is far, and what is found at all is to be read. */
  foreign: { bias: -1.03, near: 5.6, words: 0, agreement: 0, whole: 0 },
} as const satisfies Record<string, Coefficients>

/**
 * From this on there is something to answer from. Of answerable questions 4 in 100 are below it on MTRAG, 1 on XQuAD, none of the demo's;
 * of those without an answer 4 to 5 in 10. A false refusal costs more than a weak passage, which the answer admits.
 */
export const answerableMin = 0.44

/** A passage that has more than all of the words has them often, which says no more. */
const wordsMost = 1.5

/** The signals as the fit takes them, in the order of the coefficients of `both`. */
export const answerFeatures = ({ near, words, agreement, whole }: AnswerSignals): number[] => [
  Math.max(0, near ?? 0),
  Math.min(wordsMost, words),
  agreement,
  whole ? 1 : 0,
]

const coefficientsFor = ({ near, foreign }: AnswerSignals): Coefficients =>
  near === null ? coefficients.wordsAlone : foreign ? coefficients.foreign : coefficients.both

/**
 * The chance, 0 to 1, that the passages hold an answer; `answerableMin` is where the product draws the line. Passages with nearly all
 * of the question's words are never below it: codes and names are words that an encoder does not know.
 */
export const answerability = (signals: AnswerSignals): number => {
  const { bias, ...rest } = coefficientsFor(signals)
  const slopes = [rest.near, rest.words, rest.agreement, rest.whole]
  const sum = answerFeatures(signals).reduce((total, value, at) => total + value * (slopes[at] ?? 0), bias)
  const chance = 1 / (1 + Math.exp(-sum))
  return signals.whole ? Math.max(answerableMin, chance) : chance
}
