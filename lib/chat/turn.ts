/**
 * A question as it was taken in, with what was said before it. It is stored together with its empty answer before anything else
 * happens; sent twice it is one message.
 */
import { database } from '#db/client.ts'
import {
  createChat,
  getChat,
  getMessage,
  insertAnswer,
  insertQuestion,
  listMessages,
  type StoredMessage,
  supersedeAnswers,
  touchChat,
} from '#db/queries/chats.ts'
import type { ChatRequest } from '#lib/shared/chat-contract.ts'
import { citationMarker, questionCharsMax } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import { truncate } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { pointsBack } from './follow-up.ts'

const titleCharsMax = 60

export type Turn = {
  viewer: Viewer
  chatId: string
  questionId: string
  answerId: string
  question: string
  collectionIds: string[]
  filter: DocumentFilter
  earlier: StoredMessage[]
  /** Asked for once more: not to be answered from what was kept. */
  again: boolean
}

/** Stores the question and opens its answer in one transaction; hands back the answer that is there when the question was sent before. */
export const openTurn = async (request: ChatRequest, viewer: Viewer): Promise<Turn | { existingAnswerId: string }> => {
  const { chatId, messageId, trigger, collectionIds, filter = {} } = request
  const text = request.text.normalize('NFC').trim()
  return database().db.transaction(async (tx) => {
    if (trigger === 'submit') {
      if (!text) throw new AppError('bad-request', { message: 'The question is empty. Type one and send it again.' })
      if (text.length > questionCharsMax) throw new AppError('question-too-long')
      await createChat(tx, viewer, { id: chatId, title: truncate(text.replace(/\s+/g, ' '), titleCharsMax) })
    }
    if (!(await getChat(tx, viewer, chatId, true))) throw new AppError('not-found')

    let questionId = messageId
    if (trigger === 'submit') {
      const made = await insertQuestion(tx, { id: messageId, chatId, text })
      if (!made) {
        const known = (await listMessages(tx, chatId)).find((message) => message.questionId === messageId)
        if (known) return { existingAnswerId: known.id }
        if (!(await getMessage(tx, chatId, messageId))) throw new AppError('conflict')
      }
    } else {
      // The answer to write again is named by itself or by its question.
      const named = await getMessage(tx, chatId, messageId)
      if (!named) throw new AppError('not-found')
      questionId = named.questionId ?? named.id
      await supersedeAnswers(tx, chatId, questionId)
    }
    const stored = await listMessages(tx, chatId)
    const at = stored.findIndex((message) => message.id === questionId)
    const question = stored[at]
    if (!question) throw new AppError('not-found')
    const answerId = newId()
    if (!(await insertAnswer(tx, { id: answerId, chatId, questionId }))) throw new AppError('busy')
    await touchChat(tx, chatId)
    return {
      viewer,
      chatId,
      questionId,
      answerId,
      question: question.text,
      collectionIds,
      filter,
      earlier: stored.slice(0, at),
      again: trigger === 'regenerate',
    }
  })
}

/** Whether a follow-up may be about what an answer was given to in this way; small talk is about nothing. */
const isSubject = (route: string | undefined, question: string): boolean => {
  switch (route) {
    case undefined:
    case 'retrieval':
    case 'cache':
    case 'clarify':
      return true
    // What was refused refuses only what speaks of it.
    case 'policy':
      return pointsBack(question)
    default:
      return false
  }
}

/** What the person asked before and this question may be about, oldest first. */
export const questionsOf = ({ earlier, question }: Turn): string[] => {
  const none = new Set(
    earlier.flatMap(({ questionId, metadata }) => (isSubject(metadata.route, question) ? [] : [questionId])),
  )
  return earlier.filter(({ role, id }) => role === 'user' && !none.has(id)).map(({ text }) => text)
}

/** The turns as they were said, without markers; an answer that failed says nothing. */
export const turnsOf = (earlier: readonly StoredMessage[]) =>
  earlier.flatMap(({ role, text }) => {
    const content = text.replace(citationMarker, '').trim()
    return content ? [{ role, content }] : []
  })
