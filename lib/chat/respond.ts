/** A turn from the door: a question is taken in and its answer written whether or not anybody reads; readers come, go and come back. */
import { database } from '#db/client.ts'
import {
  asReadable,
  deleteOldStreamEvents,
  getChat,
  getMessage,
  getStreamingMessage,
  interruptSilentAnswers,
  listCitations,
  requestStop,
} from '#db/queries/chats.ts'
import { maskForRecord } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import type { ChatMessage, ChatRequest, Citation } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { startTrace } from '#lib/trace.ts'
import { writeAnswer } from './answer.ts'
import { abortGeneration, type ChatChunk, followGeneration, openGeneration } from './generation.ts'
import { showMetadata, toChatMessage, withOpenNearest } from './history.ts'
import { openTurn } from './turn.ts'

/** The stored end of an answer as the chunks that would have made it. */
const replay = (message: ChatMessage): ReadableStream<ChatChunk> =>
  new ReadableStream<ChatChunk>({
    start: (controller) => {
      controller.enqueue({ type: 'start', messageId: message.id })
      for (const part of message.parts) {
        if (part.type === 'data-citation')
          controller.enqueue({ type: 'data-citation', id: `c${part.data.ordinal}`, data: part.data })
        if (part.type !== 'text') continue
        controller.enqueue({ type: 'text-start', id: 'answer' })
        controller.enqueue({ type: 'text-delta', id: 'answer', delta: part.text })
        controller.enqueue({ type: 'text-end', id: 'answer' })
      }
      controller.enqueue({ type: 'finish', ...(message.metadata ? { messageMetadata: message.metadata } : {}) })
      controller.close()
    },
  })

/** Citations as this person may see them at this moment: a stream is read again, and rights change while it runs. */
const shownTo =
  (viewer: Viewer) =>
  (citations: readonly Citation[]): Promise<Citation[]> =>
    asReadable(database().db, viewer, citations)

const replayAnswer = async (viewer: Viewer, chatId: string, answerId: string): Promise<ReadableStream<ChatChunk>> => {
  const { db } = database()
  const message = await getMessage(db, chatId, answerId)
  if (!message || message.status === 'streaming') return followGeneration(answerId, shownTo(viewer))
  const citations = await listCitations(db, viewer, [answerId])
  const [shown = message] = await withOpenNearest(viewer, [message])
  return replay(toChatMessage(shown, citations.get(answerId) ?? [], viewer))
}

/**
 * Takes a question and returns its answer as a stream. The answer is written whether or not anybody reads the stream.
 * Throws `bad-request`, `question-too-long`, `not-found` (another person's chat), `busy` (an answer is being written).
 */
export const respond = async (request: ChatRequest, viewer: Viewer): Promise<ReadableStream<ChatChunk>> => {
  const turn = await openTurn(request, viewer)
  if ('existingAnswerId' in turn) return replayAnswer(viewer, request.chatId, turn.existingAnswerId)
  const trace = startTrace({
    viewer,
    question: await maskForRecord(turn.question, viewer),
    chatId: turn.chatId,
    messageId: turn.answerId,
  })
  const writer = openGeneration({
    messageId: turn.answerId,
    metadata: { createdAt: new Date().toISOString(), status: 'streaming', traceId: trace.traceId },
    show: (metadata) => showMetadata(metadata, viewer),
  })
  // Not awaited on purpose: the writing outlives this request. `writeAnswer` never throws.
  void writeAnswer(turn, writer, trace)
  return followGeneration(turn.answerId, shownTo(viewer))
}

/** The answer being written in the viewer's chat, from its beginning; null when nothing is. Throws `not-found` for a foreign chat. */
export const resume = async (viewer: Viewer, chatId: string): Promise<ReadableStream<ChatChunk> | null> => {
  const { db } = database()
  if (!(await getChat(db, viewer, chatId))) throw new AppError('not-found')
  const streaming = await getStreamingMessage(db, chatId)
  return streaming ? followGeneration(streaming.id, shownTo(viewer)) : null
}

/** Ends the answer being written in the viewer's chat and its call to the model; what was written stays. Twice is once. */
export const stop = async (viewer: Viewer, chatId: string): Promise<void> => {
  const { db } = database()
  if (!(await getChat(db, viewer, chatId))) throw new AppError('not-found')
  const answerId = await requestStop(db, viewer, chatId)
  if (answerId) abortGeneration(answerId)
}

/** Silence after which a writer is taken for dead; it shows itself every five seconds. */
const silentSeconds = 30

/**
 * Ends answers whose writer is gone, so that none streams for ever, and forgets old stream events. `soleWriter`: at the start of
 * the only process that writes, when every open answer is an orphan.
 */
export const recoverAnswers = async (soleWriter: boolean): Promise<void> => {
  const { db } = database()
  const ended = await interruptSilentAnswers(db, soleWriter ? 0 : silentSeconds, { status: 'interrupted' })
  if (ended.length > 0) log.warn({ answers: ended.length }, 'answers interrupted: their writer was gone')
  await deleteOldStreamEvents(db)
}
