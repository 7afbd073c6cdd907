/**
 * A turn of conversation, from a question to a stored answer whose claims cite passages.
 *
 * Guarantees: a question that was accepted is stored before anything else happens; sending it twice is one message; its answer
 * reaches exactly one end (complete, no-source, stopped, failed, interrupted) and is stored with it; no model is called without
 * evidence; what is shown was checked against the passages. It does not decide who may ask: the doors do.
 */
import { database } from '#db/client.ts'
import {
  asReadable,
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
  openDocuments,
  requestStop,
  type StoredMessage,
  supersedeAnswers,
  touchChat,
} from '#db/queries/chats.ts'
import { countInScope } from '#db/reports/facets.ts'
import { accessFingerprint } from '#db/visibility.ts'
import {
  type AnswerEvent,
  answererOf,
  deterministicReply,
  inspect,
  type LedgerLine,
  maskForRecord,
  messageIntent,
  runTask,
  settingsOf,
  streamAnswer,
  usageOf,
} from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import { type Citer, createCiter, type Evidence, retrieve, shortened } from '#lib/rag/index.ts'
import type { ChatMessage, ChatRequest, Citation, MessageMetadata, MessageStatus } from '#lib/shared/chat-contract.ts'
import { carriedCollections, citationMarker, narrows, questionCharsMax } from '#lib/shared/chat-contract.ts'
import { AppError, publicError, toAppError } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import { newId } from '#lib/shared/ids.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import { truncate } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { assertAnswersOn, watchSwitches } from '#lib/switches.ts'
import { startTrace, type TraceRecord, type Tracer } from '#lib/trace.ts'
import { confidenceOf } from './confidence.ts'
import { conversationContext } from './context.ts'
import { standaloneQuestion } from './follow-up.ts'
import {
  abortGeneration,
  type ChatChunk,
  followGeneration,
  type GenerationWriter,
  openGeneration,
  StopRequested,
} from './generation.ts'
import { holdAnswer } from './held-answer.ts'
import { showMetadata, toChatMessage, withOpenNearest } from './history.ts'
import { openJudge } from './judge.ts'
import { findKept, remember } from './kept.ts'
import { describeKnowledge } from './knowledge.ts'

export { eventStreamResponse } from './event-stream.ts'
export { type ChatChunk, drainGenerations } from './generation.ts'
export { deleteChat, listChats, loadChat, renameChat } from './history.ts'
export { describeKnowledge, listScopeFacets } from './knowledge.ts'
export { openSummary, summariseChat, summariseSelection, summaryRun } from './summarise.ts'

const titleCharsMax = 60
/** Room for the passages in the prompt, and for the earlier turns. */
const evidenceTokensMax = 3_000
/** What of the passages is sent: their sentences that are nearest to the question. Citations are looked for in all of them. */
const sentTokensMax = 1_400
const historyTokensMax = 1_200
/** A follow-up is searched as it stands when no model made it clear by then. */
const rewriteMs = 2_500
const rewriteTurns = 6

type Turn = {
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
const openTurn = async (request: ChatRequest, viewer: Viewer): Promise<Turn | { existingAnswerId: string }> => {
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

/** A citation as this person may see it at this moment: a stream is read again, and rights change while it runs. */
const shownTo =
  (viewer: Viewer) =>
  async (citation: Citation): Promise<Citation> =>
    (await asReadable(database().db, viewer, [citation]))[0] ?? { ...citation, quote: '', rects: [], removed: true }

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
  // Not awaited on purpose: the writing outlives this request. `write` never throws.
  void write(turn, writer, trace)
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

type Outcome = { status: MessageStatus; metadata: MessageMetadata; calls?: LedgerLine[] }

/** A call that ended early, with what it had cost by then. */
class Unfinished extends Error {
  override name = 'Unfinished'
  readonly calls: LedgerLine[]
  constructor(cause: unknown, calls: LedgerLine[]) {
    super('the answer was not finished', { cause })
    this.calls = calls
  }
}

const write = async (turn: Turn, writer: GenerationWriter, trace: TraceRecord): Promise<void> => {
  const startedMs = performance.now()
  // What is known of the answer whichever end it comes to.
  const known: MessageMetadata = {}
  let outcome: Outcome
  try {
    outcome = await compose(turn, writer, trace, known)
  } catch (thrown) {
    outcome =
      thrown instanceof Unfinished ? { ...endOf(thrown.cause, writer), calls: thrown.calls } : endOf(thrown, writer)
  }
  const totalMs = Math.round(performance.now() - startedMs)
  const { status, metadata, calls = [] } = outcome
  const save = trace.open('save', 'save the answer')
  await writer
    .end({ status, metadata: { ...known, ...metadata, totalMs }, calls })
    .then(() => save.end())
    .catch((error: unknown) => {
      save.end('failed')
      log.error({ err: error, messageId: turn.answerId }, 'the end of an answer was not stored')
    })
  await trace.finish({
    status,
    policyVersion: known.policyVersion ?? null,
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
  if (error.code === 'switched-off') {
    // What was written before it was switched off stays, with why it ends there.
    return writer.text() === ''
      ? { status: 'failed', metadata: { error: publicError(error) } }
      : { status: 'stopped', metadata: { warnings: [error.publicMessage] } }
  }
  log.error({ err: error.cause ?? error, code: error.code }, 'answer failed')
  return { status: 'failed', metadata: { error: publicError(error) } }
}

const noSource = "I couldn't find an answer to this in the documents you can see."

/** A search that was narrowed says so, and how to get out of it: what was asked may well stand in what was left out. */
const narrowWords = async ({ viewer, collectionIds, filter }: Turn): Promise<string> => {
  const searched = await countInScope(database().db, viewer, { collectionIds, filter })
  if (searched === 0)
    return 'Nothing was searched: no document that you can see is within the bounds that were set for this question. Clear them and ask again.'
  const among = searched === 1 ? 'the one document' : `the ${formatCount(searched)} documents`
  return `I couldn't find an answer to this in ${among} that the search was narrowed to. Clear the bounds to search in everything you can see.`
}

/** The asker reads why, and nothing of what was withheld. */
const withhold = (writer: GenerationWriter, reasons: string[], metadata: MessageMetadata): Outcome => {
  writer.write(reasons.join('\n\n'))
  return { status: 'complete', metadata: { ...metadata, withheld: reasons } }
}

const compose = async (
  turn: Turn,
  writer: GenerationWriter,
  trace: Tracer,
  known: MessageMetadata,
): Promise<Outcome> => {
  const { viewer, question } = turn
  await assertAnswersOn(viewer.workspaceId)
  const { settings, version } = await settingsOf(viewer.workspaceId)
  const judge = openJudge(settings.policy, trace)
  known.policyVersion = version
  known.collectionIds = []
  const admit = trace.open('admit', 'admit the question')
  const [asked] = await inspect([question], viewer)
  admit.set({
    characters: question.length,
    collections: turn.collectionIds.length || 'all',
    ...(narrows(turn.filter) ? { filter: turn.filter } : {}),
    role: viewer.role,
    policyVersion: version,
    injection: asked?.score,
    ...(asked?.flagged ? { flagged: asked.signals } : {}),
  })
  admit.end()

  const replied = await replyAtOnce(turn, trace)
  if (replied) {
    writer.write(replied.text)
    return { status: 'complete', metadata: { route: replied.intent } }
  }

  // Before any model is asked; a follow-up is looked at with what it stands for, and once more when a model has made it clear.
  const refused = judge.question([question, standaloneQuestion(question, questionsOf(turn))])
  if (refused.length > 0) return withhold(writer, refused, { route: 'policy' })
  const searched = await searchable(turn, writer, trace)
  const refusedAsMeant = searched === question ? [] : judge.question([searched])
  if (refusedAsMeant.length > 0) return withhold(writer, refusedAsMeant, { route: 'policy' })
  writer.status('Searching your documents')
  // Before the search: what is read from here on is read by these rights, or the answer is kept for nobody.
  const keeping = { ...turn, access: await accessFingerprint(database().db, viewer) }
  const evidence = await retrieve(searched, viewer, {
    feature: 'chat',
    collectionIds: turn.collectionIds,
    filter: turn.filter,
    tokensMax: evidenceTokensMax,
    trace,
    signal: writer.signal,
  }).catch((cause: unknown) => {
    throw writer.signal.aborted ? cause : new AppError('retrieval-failed', { cause })
  })
  writer.signal.throwIfAborted()

  known.versions = evidence.foundBy
  const degraded: MessageMetadata = evidence.degraded ? { degraded: evidence.degraded } : {}
  const read = readCount(evidence)
  if (!evidence.found) {
    known.collectionIds = [...new Set(evidence.nearest.flatMap(({ collectionId }) => collectionId ?? []))]
    const narrowed = turn.collectionIds.length > 0 || narrows(turn.filter)
    writer.write(evidence.closed ?? (narrowed ? await narrowWords(turn) : noSource))
    return {
      status: 'no-source',
      metadata: { ...degraded, nearest: evidence.nearest, read, route: 'retrieval', ...(narrowed ? { narrowed } : {}) },
    }
  }
  writer.status(
    `Read ${read.passages} ${read.passages === 1 ? 'passage' : 'passages'} in ${read.documents} ${read.documents === 1 ? 'document' : 'documents'}`,
  )

  known.collectionIds = [...new Set(evidence.passages.map(({ collectionId }) => collectionId))]
  const judged = (text: string, citations: number, claims: { total: number; supported: number }) => {
    const plain = text.replace(citationMarker, '')
    const confidence = confidenceOf({ text: plain, claims, relevance: evidence.relevance })
    return { confidence, withheld: judge.answer({ text: plain, citations, confidence: confidence.value }) }
  }
  const warned = (): MessageMetadata => (judge.warnings().length > 0 ? { warnings: judge.warnings() } : {})

  // An answer that leans on the conversation is nobody else's; one that was asked for again is to be written again.
  const keepable = searched === question && !turn.again && !evidence.degraded
  const kept = keepable ? await findKept(keeping, evidence, trace) : null
  if (kept?.hit) {
    const { text, citations, metadata, line } = kept.hit
    const { claims = { total: 0, supported: 0 }, ...rest } = metadata
    // Judged by the rules of now, not by those under which it was kept.
    const { confidence, withheld } = judged(text, citations.length, claims)
    if (withheld.length > 0)
      return { ...withhold(writer, withheld, { ...rest, confidence, read, route: 'cache' }), calls: [line] }
    for (const citation of citations) writer.cite(citation)
    writer.write(text)
    return {
      status: 'complete',
      metadata: { ...metadata, ...warned(), confidence, read, route: 'cache' },
      calls: [line],
    }
  }

  const pages = evidence.passages.flatMap((passage) =>
    pagesOf(passage).map((page) => ({ versionId: passage.versionId, page })),
  )
  const boxes = await listPageBoxes(database().db, viewer, pages)
  const held = judge.holds ? holdAnswer(writer) : null
  if (held) writer.status('Writing an answer, which is shown once it has been checked')
  const draft = held ?? writer
  const { citer, calls, end } = await callModel({
    turn,
    writer: draft,
    trace,
    evidence,
    newCiter: () => createCiter(evidence, boxes),
  })

  const check = trace.open('check', 'check citations')
  const { claims, removedMarkers } = citer.summary()
  check.label(`check citations: ${claims.supported} of ${claims.total} supported`)
  const { confidence, withheld } = judged(draft.text(), draft.citations().length, claims)
  check.set({ ...claims, removedMarkers, citations: draft.citations().length, confidence: confidence.value })
  check.end()
  known.versions = { ...evidence.foundBy, ...promptOf(calls) }
  const quality = claims.total > 0 ? claims.supported / claims.total : null
  const written: MessageMetadata = {
    ...degraded,
    ...(end.fellBack ? { degraded: searchOnly[end.fellBack] } : {}),
    model: end.model,
    tokens: end.tokens,
    costMicros: end.costMicros,
    ...(end.firstTokenMs === undefined ? {} : { firstTokenMs: Math.round(end.firstTokenMs) }),
    read,
    confidence,
    route: 'retrieval',
  }
  // Of the model whose words are shown, not of those that failed before it.
  const lines = calls.map((call) => (call.outcome === 'ok' ? { ...call, quality } : call))
  // Rights may go while an answer is written from them: then it is taken back, what was streamed of it too.
  if (await closedMeanwhile(viewer, evidence)) {
    writer.startOver()
    return { ...withhold(writer, [accessGone], written), calls: lines }
  }
  // Only what is held can be withheld: see `mayWithhold`.
  if (withheld.length > 0) return { ...withhold(writer, withheld, written), calls: lines }
  held?.release()
  if (kept)
    await remember(keeping, evidence, kept.miss, {
      text: writer.text(),
      citations: writer.citations(),
      end,
      claims,
      degraded: end.fellBack !== null,
    })
  return { status: 'complete', metadata: { ...written, ...warned(), claims }, calls: lines }
}

/** The prompt of the last call that wrote, by its name, version and hash. */
const promptOf = (calls: readonly LedgerLine[]): { prompt?: string } => {
  const line = calls.findLast(({ promptHash }) => promptHash)
  return line ? { prompt: `${line.promptName}@${line.promptVersion}#${line.promptHash}` } : {}
}

const accessGone =
  'Your access to a document that this answer was written from ended while it was being written, so the answer is not shown. Ask again to have it written from what you can read now.'

const closedMeanwhile = async (viewer: Viewer, { passages }: Evidence): Promise<boolean> => {
  const read = new Set(passages.map(({ documentId }) => documentId))
  return (await openDocuments(database().db, viewer, [...read])).size < read.size
}

const readCount = ({ passages }: Evidence) => ({
  passages: passages.length,
  documents: new Set(passages.map(({ documentId }) => documentId)).size,
})

/** A passage may run over a page break; its quote then stands on either page. */
const pagesOf = ({ page, pageTo }: Evidence['passages'][number]): number[] =>
  page === null ? [] : Array.from({ length: Math.min(3, (pageTo ?? page) - page + 1) }, (_, i) => page + i)

/** Small talk, and questions about the product itself, need no documents and no model. Only what is certain is taken for it. */
const replyAtOnce = async (
  { viewer, question }: Turn,
  trace: Tracer,
): Promise<{ intent: string; text: string } | null> => {
  const span = trace.open('intent')
  const { intent, confidence } = await messageIntent(question)
  span.label(`intent: ${intent}`)
  span.set({ intent, confidence })
  span.end()
  if (intent === 'knowledge') return null
  const [{ collections, suggestions }, { id, kind }, usage] = await Promise.all([
    describeKnowledge(viewer),
    answererOf(viewer),
    intent === 'my-usage' ? usageOf(viewer) : null,
  ])
  const text = deterministicReply(intent, {
    modelName: kind === 'built-in' ? 'the built-in answerer, which quotes and does not write,' : id,
    collections: collections.map(({ name }) => name),
    examples: suggestions,
    email: viewer.email,
    usage,
  })
  return text === null ? null : { intent, text }
}

const questionsOf = ({ earlier }: Turn): string[] =>
  earlier.filter(({ role }) => role === 'user').map(({ text }) => text)

/** What is searched for: the question, or what makes a follow-up stand on its own, by a model where there is one. */
const searchable = async (turn: Turn, writer: GenerationWriter, trace: Tracer): Promise<string> => {
  const { question, viewer, chatId, answerId } = turn
  const local = standaloneQuestion(question, questionsOf(turn))
  if (local === question) return question
  const rewrite = trace.open('rewrite', 'rewrite the follow-up')
  const late = AbortSignal.timeout(rewriteMs)
  const searched = await runTask(
    'rewrite',
    { question, history: conversationContext(turnsOf(turn.earlier).slice(-rewriteTurns), historyTokensMax).messages },
    {
      viewer,
      feature: 'chat.rewrite',
      signal: AbortSignal.any([writer.signal, late]),
      collectionIds: carriedCollections(turn.earlier),
      trace,
      chatId,
      messageId: answerId,
    },
  ).then(
    ({ output, model }) => (model === null ? local : output.question),
    (error: unknown) => {
      // A follow-up that no model made clear is still a question.
      writer.signal.throwIfAborted()
      rewrite.set({ error: error instanceof Error ? error.name : 'unknown' })
      return local
    },
  )
  // As the question is set down.
  rewrite.set({ searched: await maskForRecord(searched, viewer) })
  rewrite.end()
  return searched
}

type ModelCall = { turn: Turn; writer: GenerationWriter; trace: Tracer; evidence: Evidence; newCiter: () => Citer }
type AnswerEnd = Extract<AnswerEvent, { type: 'end' }>
type Called = { citer: Citer; calls: LedgerLine[]; end: AnswerEnd }

/** Whose text stands in the prompt: of the passages, and of what earlier answers were written from. */
const carriedBy = ({ earlier }: Turn, { passages }: Evidence): string[] | 'unknown' => {
  const before = carriedCollections(earlier)
  return before === 'unknown' ? before : [...new Set([...before, ...passages.map(({ collectionId }) => collectionId)])]
}

const callModel = async ({ turn, writer, trace, evidence, newCiter }: ModelCall): Promise<Called> => {
  const { viewer, chatId, answerId, question } = turn
  const span = trace.open('answer')
  const calls: LedgerLine[] = []
  const { messages: history, savedTokens } = conversationContext(turnsOf(turn.earlier), historyTokensMax)
  const sent = shortened(evidence.question, evidence.passages, { tokensMax: sentTokensMax })
  const droppedTokens = savedTokens + sent.droppedTokens
  let citer = newCiter()
  let end: AnswerEnd | undefined
  const emit = (events: ReturnType<Citer['end']>): void => {
    for (const event of events) {
      if (event.type === 'text') writer.write(event.text)
      else writer.cite(event.citation)
    }
  }
  const inspected = await inspect(
    evidence.passages.map(({ text }) => text),
    viewer,
  )
  const flagged = evidence.passages.flatMap(({ n }, at) => {
    const found = inspected[at]
    return found?.flagged ? [{ n, score: found.score, signals: found.signals }] : []
  })
  // What it is being written from may be switched off while it is.
  const collectionIds = new Set(evidence.passages.map((passage) => passage.collectionId))
  const documentIds = new Set(evidence.passages.map((passage) => passage.documentId))
  const watch = watchSwitches(
    viewer.workspaceId,
    ({ kind, targetId }) =>
      (kind === 'collection' && collectionIds.has(targetId)) || (kind === 'document' && documentIds.has(targetId)),
  )
  try {
    const events = streamAnswer(
      {
        question,
        history,
        passages: sent.passages,
      },
      {
        viewer,
        feature: 'chat',
        asked: { question, passages: evidence.passages },
        droppedTokens,
        collectionIds: carriedBy(turn, evidence),
        trace,
        span,
        signal: AbortSignal.any([writer.signal, watch.signal]),
        chatId,
        messageId: answerId,
      },
      (rows) => calls.push(...rows),
    )
    for await (const event of events) {
      if (event.type === 'text') emit(citer.push(event.text))
      else if (event.type === 'end') end = event
      else {
        writer.startOver()
        citer = newCiter()
      }
    }
    emit(citer.end())
    // A refusal is an answer, and often one without words.
    if (end?.refused && !writer.text().trim()) writer.write(declined)
    if (!end || !writer.text().trim()) throw new AppError('model-failed', { context: { reason: 'empty answer' } })
    const { model, tokens, costMicros, firstTokenMs } = end
    span.label(`answer: ${model.id}`)
    span.set({
      model: model.id,
      kind: model.kind,
      passages: evidence.passages.length,
      tokensIn: tokens.in,
      tokensOut: tokens.out,
      firstTokenMs,
      attempts: calls.map(({ requestedModel, outcome, totalMs }) => ({ requestedModel, outcome, totalMs })),
      ...(flagged.length > 0 ? { flagged } : {}),
      ...(droppedTokens > 0 ? { savedTokens: droppedTokens } : {}),
    })
    span.cost(costMicros)
    span.end()
    return { citer, calls, end }
  } catch (thrown) {
    // What was written before it was noticed is taken back.
    if (thrown instanceof AppError && thrown.code === 'answer-withheld') writer.startOver()
    else emit(citer.end())
    span.set({
      error: thrown instanceof Error ? thrown.name : 'unknown',
      ...(thrown instanceof AppError ? { code: thrown.code } : {}),
    })
    span.end(writer.signal.aborted ? 'skipped' : 'failed')
    throw new Unfinished(thrown, calls)
  } finally {
    watch.end()
  }
}

const declined = 'The language model declined to answer this question.'

const searchOnly = {
  'no-answer':
    'No language model answers right now. These are the sentences of your documents that come closest; ask again later for a written answer.',
  barred:
    'The policy of this workspace lets none of its language models read some of these documents. These are their sentences that come closest, as they stand.',
  misconfigured:
    'The language model cannot be used: an admin should check its key and name on the Models page. These are the sentences of your documents that come closest.',
} as const

/** The turns as they were said, without markers; an answer that failed says nothing. */
const turnsOf = (earlier: readonly StoredMessage[]) =>
  earlier.flatMap(({ role, text }) => {
    const content = text.replace(citationMarker, '').trim()
    return content ? [{ role, content }] : []
  })

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
