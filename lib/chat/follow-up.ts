/**
 * A follow-up question rarely says what it is about. What is searched for is then the question with the one before it: a short
 * question, or one that points back, borrows the words that its predecessor was about. The person's own words come last and are
 * repeated by neither; a question that stands alone is searched as it is.
 */
import { contentWords } from '#lib/shared/text.ts'

const backwards =
  /^(and|but|so|or|also|then|what about|how about|what if|why|why not|and if|else)\b|\b(it|its|they|them|their|that|this|those|these|there|then|he|she|him|her|one|ones|same|former|latter|above)\b/i
/** Whether a question speaks of something that was said before it. */
export const pointsBack = (question: string): boolean => backwards.test(question.trim())
/** A question with fewer words of its own is about what was asked before. */
const ownWordsMin = 3

/** The text to search for, given the question and the earlier questions of the conversation, oldest first. */
export const standaloneQuestion = (question: string, earlier: readonly string[]): string => {
  const before = earlier.at(-1)
  if (!before) return question
  const own = contentWords(question)
  const leans = own.length < ownWordsMin || (own.length < 7 && pointsBack(question))
  if (!leans) return question
  // The one before may itself lean on its predecessor.
  const subject = standaloneQuestion(before, earlier.slice(0, -1))
  return `${subject}\n${question}`
}
