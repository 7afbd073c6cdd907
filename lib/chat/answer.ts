/**
 * The way of an answer from its stored question to its stored end, in this order: admitted, replied to at once, refused, searched for,
 * given again from what was kept, or written; then judged. No model is called without evidence.
 */
import { database } from '#db/client.ts'
import { accessFingerprint } from '#db/visibility.ts'
import { inspect, type KnownBefore, type LedgerLine, settingsOf } from '#lib/gateway/index.ts'
import { log } from '#lib/log.ts'
import { type Evidence, retrieve } from '#lib/rag/index.ts'
import type { MessageMetadata } from '#lib/shared/chat-contract.ts'
import { narrows } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { assertAnswersOn } from '#lib/switches.ts'
import type { TraceRecord, Tracer } from '#lib/trace.ts'
import { clarify } from '#lib/trust/index.ts'
import { callModel } from './call-model.ts'
import { checkKept } from './check.ts'
import { standaloneQuestion } from './follow-up.ts'
import type { GenerationWriter } from './generation.ts'
import { holdAnswer, openAnswer } from './held-answer.ts'
import { openJudge, type TurnJudge } from './judge.ts'
import { findKept, type KeptHit, remember } from './kept.ts'
import { nothingFound } from './nothing-found.ts'
import { endOf, type Outcome } from './outcome.ts'
import { replyAtOnce } from './reply-at-once.ts'
import { searchable } from './rewrite.ts'
import { questionsOf, type Turn } from './turn.ts'
import { conclude, judgeDraft, withhold } from './verdict.ts'

/** Room for the passages in the prompt. */
const evidenceTokensMax = 3_000

/** One answer while it is made. */
type Making = {
  turn: Turn
  writer: GenerationWriter
  trace: Tracer
  judge: TurnJudge
  /** What is known of the answer whichever end it comes to. */
  known: MessageMetadata
}

/** Writes the answer and stores its end, whichever that is. Never throws. */
export const writeAnswer = async (turn: Turn, writer: GenerationWriter, trace: TraceRecord): Promise<void> => {
  const startedMs = performance.now()
  const known: MessageMetadata = {}
  const {
    status,
    metadata,
    calls = [],
    review,
  } = await compose(turn, writer, trace, known).catch((thrown: unknown) => endOf(thrown, writer))
  const totalMs = Math.round(performance.now() - startedMs)
  if (status === 'held') {
    const covered = 'Held for review: it stands there alone until somebody has decided.'
    trace.cover('rawOutput', covered)
    trace.cover('received', covered)
    // A judge is asked about its sentences.
    trace.cover('prompt', covered, 'judge')
  }
  const save = trace.open('save', 'save the answer')
  await writer
    .end({ status, metadata: { ...known, ...metadata, totalMs }, calls, ...(review ? { review } : {}) })
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

const compose = async (
  turn: Turn,
  writer: GenerationWriter,
  trace: Tracer,
  known: MessageMetadata,
): Promise<Outcome> => {
  const { question } = turn
  const making: Making = { turn, writer, trace, known, judge: await admit(turn, trace, known) }
  const replied = await replyAtOnce(turn, trace)
  if (replied) {
    writer.write(replied.text)
    return { status: 'complete', metadata: { route: replied.intent } }
  }

  // Before any model is asked; a follow-up is looked at with what it stands for, and once more when a model has made it clear.
  const earlier = questionsOf(turn)
  const refused = making.judge.question([question, standaloneQuestion(question, earlier)])
  if (refused.length > 0) return withhold(writer, refused, { route: 'policy' })
  const searched = await searchable(turn, writer, trace)
  const refusedAsMeant = searched === question ? [] : making.judge.question([searched])
  if (refusedAsMeant.length > 0) return withhold(writer, refusedAsMeant, { route: 'policy' })

  // An answer that leans on the conversation is nobody else's; one that was asked for again is to be written again.
  const anybodys = searched === question && !turn.again
  // Before the search: what is read from here on is read by these rights, or the answer is kept for nobody.
  const keeping = anybodys ? { ...turn, access: await accessFingerprint(database().db, turn.viewer) } : null
  const evidence = await search(making, searched)
  if (!evidence.found) return notFound(making, evidence)
  known.collectionIds = [...new Set(evidence.passages.map(({ collectionId }) => collectionId))]

  // Asked again as it stands, it is answered as it stands.
  const asksBack = earlier.length === 0 && !turn.again ? clarify(question, evidence) : null
  if (asksBack) {
    writer.write(asksBack.question)
    return {
      status: 'complete',
      metadata: {
        ...warned(making),
        route: 'clarify',
        read: readCount(evidence),
        choices: asksBack.choices.map((choice) => choice.question),
      },
    }
  }

  const kept = keeping && !evidence.degraded ? await findKept(keeping, evidence, trace) : null
  if (kept?.hit) return giveAgain(making, evidence, kept.hit)
  return writeNew(making, evidence, async (written) => {
    if (keeping && kept) await remember(keeping, evidence, kept.miss, written)
  })
}

/** Whether questions are answered at all right now, and by which rules this one is. Throws `switched-off`. */
const admit = async (turn: Turn, trace: Tracer, known: MessageMetadata): Promise<TurnJudge> => {
  const { viewer, question } = turn
  const [{ settings, version }] = await Promise.all([
    settingsOf(viewer.workspaceId),
    assertAnswersOn(viewer.workspaceId),
  ])
  known.policyVersion = version
  known.collectionIds = []
  const span = trace.open('admit', 'admit the question')
  const [asked] = await inspect([question], viewer)
  span.set({
    characters: question.length,
    collections: turn.collectionIds.length || 'all',
    ...(narrows(turn.filter) ? { filter: turn.filter } : {}),
    role: viewer.role,
    policyVersion: version,
    injection: asked?.score,
    ...(asked?.flagged ? { flagged: asked.signals } : {}),
  })
  span.end()
  known.injection = { question: asked?.score ?? 0, passages: 0 }
  return openJudge(settings.policy, settings.injection, trace)
}

const search = async ({ turn, writer, trace, known }: Making, searched: string): Promise<Evidence> => {
  writer.status('Searching your documents')
  const evidence = await retrieve(searched, turn.viewer, {
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
  if (evidence.found) {
    const { passages, documents } = readCount(evidence)
    writer.status(
      `Read ${passages} ${passages === 1 ? 'passage' : 'passages'} in ${documents} ${documents === 1 ? 'document' : 'documents'}`,
    )
  }
  return evidence
}

const readCount = ({ passages }: Evidence) => ({
  passages: passages.length,
  documents: new Set(passages.map(({ documentId }) => documentId)).size,
})

const degradedBy = ({ degraded }: Evidence): MessageMetadata => (degraded ? { degraded } : {})

/** What the policy says of the question alone, where no answer was written. */
const warned = ({ judge }: Making): MessageMetadata => {
  const warnings = judge.warnings()
  return warnings.length > 0 ? { warnings } : {}
}

const notFound = async (making: Making, evidence: Evidence): Promise<Outcome> => {
  const { turn, writer, known } = making
  const { nearest } = evidence
  known.collectionIds = [...new Set(nearest.flatMap(({ collectionId }) => collectionId ?? []))]
  const narrowed = turn.collectionIds.length > 0 || narrows(turn.filter)
  writer.write(evidence.closed ?? (await nothingFound(turn, narrowed)))
  return {
    status: 'no-source',
    metadata: {
      ...degradedBy(evidence),
      ...warned(making),
      nearest,
      read: readCount(evidence),
      route: 'retrieval',
      ...(narrowed ? { narrowed } : {}),
    },
  }
}

/** What the policy's rules can know of an answer before it is written. */
const knownBefore = async ({ turn, known }: Making, { passages }: Evidence) => {
  const inspected = await inspect(
    passages.map(({ text }) => text),
    turn.viewer,
  )
  const question = known.injection?.question ?? 0
  const read = Math.max(0, ...inspected.map(({ score }) => score))
  known.injection = { question, passages: read }
  const before: KnownBefore = {
    collectionIds: known.collectionIds ?? [],
    role: turn.viewer.role,
    injection: Math.max(question, read),
  }
  return { inspected, before }
}

/** What was kept is judged by the rules of now, not by those under which it was kept. */
const giveAgain = async (making: Making, evidence: Evidence, hit: KeptHit): Promise<Outcome> => {
  const { turn, writer, judge, trace, known } = making
  const [{ before }, checked] = await Promise.all([
    knownBefore(making, evidence),
    checkKept(turn.viewer, evidence, hit),
  ])
  const draft = holdAnswer(writer)
  for (const citation of hit.citations) draft.cite(citation)
  draft.write(hit.text)
  const finished = {
    turn,
    judge,
    evidence,
    known: before,
    draft,
    checked,
    approved: hit.metadata.curated !== undefined,
    traceId: trace.traceId,
    policyVersion: known.policyVersion ?? null,
  }
  return conclude({
    ...finished,
    writer,
    verdict: await judgeDraft(finished),
    metadata: { ...hit.metadata, read: readCount(evidence), route: 'cache' },
    calls: [hit.line],
  })
}

const writeNew = async (
  making: Making,
  evidence: Evidence,
  keep: (written: Parameters<typeof remember>[3]) => Promise<void>,
): Promise<Outcome> => {
  const { turn, writer, trace, judge, known } = making
  const { inspected, before } = await knownBefore(making, evidence)
  const hidden = judge.hides(before)
  if (hidden) writer.status('Writing an answer, which is shown once it has been checked')
  const draft = hidden ? holdAnswer(writer) : openAnswer(writer)
  const { checked, removedMarkers, calls, end } = await callModel({
    turn,
    writer: draft,
    trace,
    evidence,
    inspected,
    judged: judge.policy.confidence.judge,
  })

  const check = trace.open('check', 'check the answer')
  const { claims } = checked
  check.label(`check the answer: ${claims.supported} of ${claims.total} supported`)
  check.set({
    ...claims,
    removedMarkers,
    citations: draft.citations().length,
    confidence: checked.confidence,
    fit: checked.fit,
    contradictions: checked.contradictions.length,
  })
  check.end()
  known.versions = { ...evidence.foundBy, ...promptOf(calls) }
  const quality = claims.total > 0 ? claims.supported / claims.total : null
  const finished = {
    turn,
    judge,
    evidence,
    known: before,
    draft,
    checked,
    approved: false,
    traceId: trace.traceId,
    policyVersion: known.policyVersion ?? null,
  }
  const verdict = await judgeDraft(finished)
  const outcome = await conclude({
    ...finished,
    writer,
    verdict,
    metadata: {
      ...degradedBy(evidence),
      ...(end.fellBack ? { degraded: searchOnly[end.fellBack] } : {}),
      model: end.model,
      tokens: end.tokens,
      costMicros: end.costMicros,
      ...(end.firstTokenMs === undefined ? {} : { firstTokenMs: Math.round(end.firstTokenMs) }),
      read: readCount(evidence),
      ...(removedMarkers > 0 ? { droppedCitations: removedMarkers } : {}),
      route: 'retrieval',
    },
    // Of the model whose words are shown, not of those that failed before it.
    calls: calls.map((call) => (call.outcome === 'ok' ? { ...call, quality } : call)),
  })
  // What a person is to look at is nobody else's answer before they have.
  if (verdict.act === 'show')
    await keep({
      text: writer.text(),
      citations: writer.citations(),
      end,
      claims,
      degraded: end.fellBack !== null,
    })
  return outcome
}

/** The prompt of the last call that wrote, by its name, version and hash. */
const promptOf = (calls: readonly LedgerLine[]): { prompt?: string } => {
  const line = calls.findLast(({ promptHash }) => promptHash)
  return line ? { prompt: `${line.promptName}@${line.promptVersion}#${line.promptHash}` } : {}
}

const searchOnly = {
  'no-answer':
    'No language model answers right now. These are the sentences of your documents that come closest; ask again later for a written answer.',
  barred:
    'The policy of this workspace lets none of its language models read some of these documents. These are their sentences that come closest, as they stand.',
  misconfigured:
    'The language model cannot be used: an admin should check its key and name on the Models page. These are the sentences of your documents that come closest.',
} as const
