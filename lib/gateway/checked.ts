/**
 * Answers that a person has checked: found like kept ones, word for word or by a question that is certainly the same, and by the same
 * guards. Guarantees: one is found only for who may read everything that it was written from, within what is searched, in the
 * versions that were read. Whether it still answers, the passages show that were found for the question now.
 */
import { database } from '#db/client.ts'
import { type CheckedAnswerRow, findExactChecked, findNearChecked, hasCheckedVectors } from '#db/queries/corrections.ts'
import { log } from '#lib/log.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { chooseAnswer, comparableVector, questionHash } from './cache.ts'
import { similarityMin } from './cache-policy.ts'
import { embedQuestion } from './embed-question.ts'
import { settingsOf } from './settings.ts'

/** The nearest of all may differ in a number, and the next be the same question. */
const nearest = 5

type CheckedHit = { level: 'exact' | 'semantic'; answer: CheckedAnswerRow; similarity: number }

/** What a question is found by. Without the encoder it is found word for word only. */
export const keyOfQuestion = async (question: string): Promise<{ hash: string; vector: Float32Array | null }> => {
  const embedded = await embedQuestion(question).catch(() => null)
  return { hash: questionHash(question), vector: comparableVector(question, embedded) }
}

type Asked = {
  viewer: Viewer
  question: string
  collectionIds: readonly string[]
  filter?: DocumentFilter | undefined
}

const find = async ({ question, ...asked }: Asked): Promise<CheckedHit | null> => {
  const { db } = database()
  const { workspaceId } = asked.viewer
  const exact = await findExactChecked(db, asked, questionHash(question))
  if (exact) return { level: 'exact', answer: exact, similarity: 1 }
  const { settings } = await settingsOf(workspaceId)
  if (!settings.cache.semantic || !(await hasCheckedVectors(db, workspaceId))) return null
  const vector = comparableVector(question, await embedQuestion(question))
  if (!vector) return null
  const near = await findNearChecked(db, asked, { vector, cosineMin: similarityMin, limit: nearest })
  // Nothing was observed with them: the prior alone says what is certain.
  const choice = chooseAnswer(
    question,
    near.map((row) => ({ ...row, observations: [] })),
    settings.cache.wrongHitsMax,
  )
  return choice?.hit ? { level: 'semantic', answer: choice.row, similarity: choice.similarity } : null
}

/** The checked answer to the question, or none. Never throws. */
export const findChecked = async (asked: Asked): Promise<CheckedHit | null> => {
  try {
    return await find(asked)
  } catch (error) {
    // Fails open: without it the question is answered as if nobody had checked.
    log.warn({ err: error }, 'checked answers did not answer')
    return null
  }
}
