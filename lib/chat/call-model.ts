/**
 * The call of the model: what it is sent, and how its stream becomes an answer whose claims cite passages. What is written goes to the
 * writer that it is given, which may show it or hold it.
 */
import { database } from '#db/client.ts'
import { listPageBoxes } from '#db/queries/chats.ts'
import { type AnswerEvent, type Inspection, type LedgerLine, streamAnswer } from '#lib/gateway/index.ts'
import { type Citer, createCiter, type Evidence, shortened } from '#lib/rag/index.ts'
import { carriedCollections } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { watchSwitches } from '#lib/switches.ts'
import type { Tracer } from '#lib/trace.ts'
import { createJudge, type Verification } from '#lib/trust/index.ts'
import { inLine, openChecks } from './check.ts'
import { conversationContext, historyTokensMax } from './context.ts'
import { type GenerationWriter, storableText } from './generation.ts'
import { Unfinished } from './outcome.ts'
import { type Turn, turnsOf } from './turn.ts'

/** What of the passages is sent: their sentences that are nearest to the question. Citations are looked for in all of them. */
const sentTokensMax = 1_400

/** A passage may run over a page break; its quote then stands on either page. */
const pagesOf = ({ page, pageTo }: Evidence['passages'][number]): number[] =>
  page === null ? [] : Array.from({ length: Math.min(3, (pageTo ?? page) - page + 1) }, (_, i) => page + i)

type ModelCall = {
  turn: Turn
  writer: GenerationWriter
  trace: Tracer
  evidence: Evidence
  /** Of each passage, in their order. */
  inspected: readonly Inspection[]
  /** A model is asked what it thinks of what another has written. */
  judged: boolean
}
type AnswerEnd = Extract<AnswerEvent, { type: 'end' }>
type Called = {
  checked: Verification
  /** Markers that named no passage and were taken out. */
  removedMarkers: number
  calls: LedgerLine[]
  end: AnswerEnd
}

/** Whose text stands in the prompt: of the passages, and of what earlier answers were written from. */
const carriedBy = ({ earlier }: Turn, { passages }: Evidence): string[] | 'unknown' => {
  const before = carriedCollections(earlier)
  return before === 'unknown' ? before : [...new Set([...before, ...passages.map(({ collectionId }) => collectionId)])]
}

/**
 * Has the answer written from the evidence. Throws `Unfinished`, which carries the cost, when the call ends early; what was written
 * stays with the writer unless it must be taken back.
 */
export const callModel = async ({ turn, writer, trace, evidence, inspected, judged }: ModelCall): Promise<Called> => {
  const { viewer, chatId, answerId, question } = turn
  const asked = {
    viewer,
    collectionIds: carriedBy(turn, evidence),
    trace,
    signal: writer.signal,
    chatId,
    messageId: answerId,
  }
  const pages = evidence.passages.flatMap((passage) =>
    pagesOf(passage).map((page) => ({ versionId: passage.versionId, page })),
  )
  const [boxes, newVerifier] = await Promise.all([
    listPageBoxes(database().db, viewer, pages),
    openChecks(viewer, evidence, judged ? createJudge({ ...asked, feature: 'chat.judge' }) : null),
  ])
  // Sentences are checked while the next ones are written.
  const begin = () => ({ storable: storableText(), citer: createCiter(evidence, boxes), verifier: newVerifier() })
  const span = trace.open('answer')
  const calls: LedgerLine[] = []
  const { messages: history, savedTokens } = conversationContext(turnsOf(turn.earlier), historyTokensMax)
  const sent = shortened(evidence.question, evidence.passages, { tokensMax: sentTokensMax })
  const droppedTokens = savedTokens + sent.droppedTokens
  let { storable, citer, verifier } = begin()
  let end: AnswerEnd | undefined
  const emit = (events: ReturnType<Citer['end']>): void => {
    for (const event of events) {
      if (event.type === 'text') writer.write(event.text)
      else writer.cite(event.citation)
    }
    verifier.push(events)
  }
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
      if (event.type === 'text') emit(citer.push(storable(event.text)))
      else if (event.type === 'end') end = event
      else {
        writer.startOver()
        ;({ storable, citer, verifier } = begin())
      }
    }
    emit(citer.end())
    // A refusal is an answer, and often one without words.
    if (end?.refused && !writer.text().trim()) emit([{ type: 'text', text: declined }])
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
    return {
      checked: await inLine(viewer, await verifier.finish()),
      removedMarkers: citer.summary().removedMarkers,
      calls,
      end,
    }
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

/** `saysNothingFound` knows it: it claims nothing. */
const declined = 'The language model declined to answer this question.'
