/**
 * A turn of conversation, from a question to a stored answer whose claims cite passages.
 *
 * Guarantees: a question that was accepted is stored before anything else happens; sending it twice is one message; its answer
 * reaches exactly one end (complete, no-source, stopped, failed, interrupted) and is stored with it; no model is called without
 * evidence; what is shown was checked against the passages. It does not decide who may ask: the doors do.
 */
import { randomBytes } from 'node:crypto'
import { streamText } from 'ai'
import { database } from '#db/client.ts'
import {
  createChat,
  deleteOldStreamEvents,
  getChat,
  getMessage,
  getStreamingMessage,
  insertAnswer,
  insertQuestion,
  interruptSilentAnswers,
  listCitations,
  listMessages,
  listPageBoxes,
  requestStop,
  type StoredMessage,
  supersedeAnswers,
  touchChat,
} from '#db/queries/chats.ts'
import { answerModel, costMicros, toModelError } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import { type Citer, createCiter, type Evidence, retrieve } from '#lib/rag/index.ts'
import type { ChatMessage, ChatRequest, MessageMetadata, MessageStatus } from '#lib/shared/chat-contract.ts'
import { citationMarker, questionCharsMax } from '#lib/shared/chat-contract.ts'
import { AppError, publicError, toAppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { answerInstructions, renderQuestion } from '#lib/shared/source-slot.ts'
import { estimateTokens, truncate } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { startTrace, type TraceRecord, type Tracer } from '#lib/trace.ts'
import { standaloneQuestion } from './follow-up.ts'
import {
  abortGeneration,
  type ChatChunk,
  followGeneration,
  type GenerationWriter,
  openGeneration,
  StopRequested,
} from './generation.ts'
import { showMetadata, toChatMessage } from './history.ts'

export { type ChatChunk, drainGenerations } from './generation.ts'
export { deleteChat, listChats, loadChat, renameChat } from './history.ts'
export { describeKnowledge } from './knowledge.ts'

const titleCharsMax = 60
/** Room for the passages in the prompt, and for the earlier turns. */
const evidenceTokensMax = 3_000
const historyTokensMax = 1_200
const answerTokensMax = 1_500
const timeouts = { totalMs: 120_000, firstChunkMs: 30_000, chunkMs: 20_000 }

type Turn = {
  viewer: Viewer
  chatId: string
  questionId: string
  answerId: string
  question: string
  collectionIds: string[]
  earlier: StoredMessage[]
}

/** Stores the question and opens its answer in one transaction; hands back the answer that is there when the question was sent before. */
const openTurn = async (request: ChatRequest, viewer: Viewer): Promise<Turn | { existingAnswerId: string }> => {
  const { chatId, messageId, trigger, collectionIds } = request
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
      earlier: stored.slice(0, at),
    }
  })
}

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

const replayAnswer = async (viewer: Viewer, chatId: string, answerId: string): Promise<ReadableStream<ChatChunk>> => {
  const { db } = database()
  const message = await getMessage(db, chatId, answerId)
  if (!message || message.status === 'streaming') return followGeneration(answerId)
  const citations = await listCitations(db, viewer, [answerId])
  return replay(toChatMessage(message, citations.get(answerId) ?? [], viewer))
}

/**
 * Takes a question and returns its answer as a stream. The answer is written whether or not anybody reads the stream.
 * Throws `bad-request`, `question-too-long`, `not-found` (another person's chat), `busy` (an answer is being written).
 */
export const respond = async (request: ChatRequest, viewer: Viewer): Promise<ReadableStream<ChatChunk>> => {
  const turn = await openTurn(request, viewer)
  if ('existingAnswerId' in turn) return replayAnswer(viewer, request.chatId, turn.existingAnswerId)
  const trace = startTrace({ viewer, question: turn.question, chatId: turn.chatId, messageId: turn.answerId })
  const writer = openGeneration({
    messageId: turn.answerId,
    metadata: { createdAt: new Date().toISOString(), status: 'streaming', traceId: trace.traceId },
    show: (metadata) => showMetadata(metadata, viewer),
  })
  // Not awaited on purpose: the writing outlives this request. `write` never throws.
  void write(turn, writer, trace)
  return followGeneration(turn.answerId)
}

/** The answer being written in the viewer's chat, from its beginning; null when nothing is. Throws `not-found` for a foreign chat. */
export const resume = async (viewer: Viewer, chatId: string): Promise<ReadableStream<ChatChunk> | null> => {
  const { db } = database()
  if (!(await getChat(db, viewer, chatId))) throw new AppError('not-found')
  const streaming = await getStreamingMessage(db, chatId)
  return streaming ? followGeneration(streaming.id) : null
}

/** Ends the answer being written in the viewer's chat and its call to the model; what was written stays. Twice is once. */
export const stop = async (viewer: Viewer, chatId: string): Promise<void> => {
  const { db } = database()
  if (!(await getChat(db, viewer, chatId))) throw new AppError('not-found')
  const answerId = await requestStop(db, viewer, chatId)
  if (answerId) abortGeneration(answerId)
}

type Outcome = { status: MessageStatus; metadata: MessageMetadata }

const write = async (turn: Turn, writer: GenerationWriter, trace: TraceRecord): Promise<void> => {
  const startedMs = performance.now()
  let outcome: Outcome
  try {
    outcome = await compose(turn, writer, trace)
  } catch (thrown) {
    outcome = endOf(thrown, writer)
  }
  const totalMs = Math.round(performance.now() - startedMs)
  const { status, metadata } = outcome
  const save = trace.open('save', 'save the answer')
  await writer
    .end({ status, metadata: { ...metadata, totalMs } })
    .then(() => save.end())
    .catch((error: unknown) => {
      save.end('failed')
      log.error({ err: error, messageId: turn.answerId }, 'the end of an answer was not stored')
    })
  await trace.finish({
    status,
    model: metadata.model?.id ?? null,
    totalMs,
    firstTokenMs: metadata.firstTokenMs ?? null,
    tokensIn: metadata.tokens?.in ?? null,
    tokensOut: metadata.tokens?.out ?? null,
    costMicros: metadata.costMicros ?? null,
  })
}

const endOf = (thrown: unknown, writer: GenerationWriter): Outcome => {
  if (writer.signal.aborted)
    return { status: writer.signal.reason instanceof StopRequested ? 'stopped' : 'interrupted', metadata: {} }
  const error = toAppError(thrown)
  log.error({ err: error.cause ?? error, code: error.code }, 'answer failed')
  return { status: 'failed', metadata: { error: publicError(error) } }
}

const noSource = "I couldn't find an answer to this in the documents you can see."

const compose = async (turn: Turn, writer: GenerationWriter, trace: Tracer): Promise<Outcome> => {
  const { viewer, question } = turn
  const admit = trace.open('admit', 'admit the question')
  admit.set({ characters: question.length, collections: turn.collectionIds.length || 'all', role: viewer.role })
  admit.end()

  const earlierQuestions = turn.earlier.filter(({ role }) => role === 'user').map(({ text }) => text)
  const searched = standaloneQuestion(question, earlierQuestions)
  if (searched !== question) {
    const rewrite = trace.open('rewrite', 'rewrite the follow-up')
    rewrite.set({ searched })
    rewrite.end()
  }

  writer.status('Searching your documents')
  const evidence = await retrieve(searched, viewer, {
    collectionIds: turn.collectionIds,
    tokensMax: evidenceTokensMax,
    trace,
    signal: writer.signal,
  }).catch((cause: unknown) => {
    throw writer.signal.aborted ? cause : new AppError('retrieval-failed', { cause })
  })
  writer.signal.throwIfAborted()

  const degraded: MessageMetadata = evidence.degraded ? { degraded: evidence.degraded } : {}
  if (!evidence.found) {
    writer.write(noSource)
    return { status: 'no-source', metadata: { ...degraded, nearest: evidence.nearest, read: readCount(evidence) } }
  }
  const read = readCount(evidence)
  writer.status(
    `Read ${read.passages} ${read.passages === 1 ? 'passage' : 'passages'} in ${read.documents} ${read.documents === 1 ? 'document' : 'documents'}`,
  )

  const pages = evidence.passages.flatMap((passage) =>
    pagesOf(passage).map((page) => ({ versionId: passage.versionId, page })),
  )
  const citer = createCiter(evidence, await listPageBoxes(database().db, viewer, pages))
  const called = await callModel({ turn, writer, trace, evidence, citer })

  const check = trace.open('check', 'check citations')
  const summary = citer.summary()
  check.label(`check citations: ${summary.claims.supported} of ${summary.claims.total} supported`)
  check.set({ ...summary.claims, removedMarkers: summary.removedMarkers, citations: writer.citations().length })
  check.end()
  return { status: 'complete', metadata: { ...degraded, ...called, read, claims: summary.claims } }
}

const readCount = ({ passages }: Evidence) => ({
  passages: passages.length,
  documents: new Set(passages.map(({ documentId }) => documentId)).size,
})

/** A passage may run over a page break; its quote then stands on either page. */
const pagesOf = ({ page, pageTo }: Evidence['passages'][number]): number[] =>
  page === null ? [] : Array.from({ length: Math.min(3, (pageTo ?? page) - page + 1) }, (_, i) => page + i)

type ModelCall = { turn: Turn; writer: GenerationWriter; trace: Tracer; evidence: Evidence; citer: Citer }

const callModel = async ({ turn, writer, trace, evidence, citer }: ModelCall): Promise<MessageMetadata> => {
  const { id, kind, provider, model } = answerModel()
  const span = trace.open('answer', `answer: ${id}`)
  const startedMs = performance.now()
  const boundary = randomBytes(9).toString('base64url')
  let firstTokenMs: number | undefined
  const emit = (events: ReturnType<Citer['end']>): void => {
    for (const event of events) {
      if (event.type === 'text') writer.write(event.text)
      else writer.cite(event.citation)
    }
  }
  try {
    const result = streamText({
      model,
      instructions: answerInstructions,
      messages: [
        ...historyMessages(turn.earlier),
        { role: 'user', content: renderQuestion({ question: turn.question, passages: evidence.passages, boundary }) },
      ],
      maxRetries: 0,
      maxOutputTokens: answerTokensMax,
      abortSignal: writer.signal,
      timeout: timeouts,
      onError: () => undefined,
    })
    for await (const part of result.stream) {
      if (part.type === 'error') throw part.error
      if (part.type === 'abort')
        throw writer.signal.aborted ? writer.signal.reason : new AppError('model-failed', { cause: part.reason })
      if (part.type !== 'text-delta') continue
      firstTokenMs ??= Math.round(performance.now() - startedMs)
      emit(citer.push(part.text))
    }
    emit(citer.end())
    if (!writer.text().trim()) throw new AppError('model-failed', { context: { reason: 'empty answer' } })
    const [usage, response] = await Promise.all([result.usage, result.response])
    const tokens = { in: usage.inputTokens ?? 0, out: usage.outputTokens ?? 0 }
    const cost = costMicros(response.modelId || id, usage)
    span.set({
      model: response.modelId || id,
      provider,
      kind,
      passages: evidence.passages.length,
      tokensIn: tokens.in,
      tokensOut: tokens.out,
      firstTokenMs,
    })
    span.cost(cost)
    span.end()
    return { model: { id, kind }, tokens, costMicros: cost, ...(firstTokenMs === undefined ? {} : { firstTokenMs }) }
  } catch (thrown) {
    emit(citer.end())
    span.set({ model: id, provider, kind, firstTokenMs, error: thrown instanceof Error ? thrown.name : 'unknown' })
    span.end(writer.signal.aborted ? 'skipped' : 'failed')
    throw writer.signal.aborted ? thrown : toModelError(thrown)
  }
}

/** The latest turns that fit, without markers; an answer that failed says nothing. */
const historyMessages = (earlier: readonly StoredMessage[]): { role: 'user' | 'assistant'; content: string }[] => {
  const kept: { role: 'user' | 'assistant'; content: string }[] = []
  let tokens = 0
  for (const { role, text } of [...earlier].reverse()) {
    const content = text.replace(citationMarker, '').trim()
    if (!content) continue
    tokens += estimateTokens(content)
    if (tokens > historyTokensMax) break
    kept.unshift({ role, content })
  }
  return kept
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
