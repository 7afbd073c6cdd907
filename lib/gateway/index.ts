/**
 * The only way to a model. A caller names a task; the gateway decides what may be sent, to which models, at what price, and hands
 * back text that may be shown.
 *
 * Guarantees: a call that would pass a budget is refused before it is made, and what it cost is stored or handed on to be stored;
 * only the fields of the task's contract leave, with personal data and secrets masked as the workspace says; a text that may not
 * leave is read by models on our own machines only; a model that fails is retried, passed over or replaced, and the reader sees
 * one answer; when no model answers the built-in one does, where the task has one. An encoder that cannot be used throws
 * `EncoderUnavailable` and everything else goes on. It does not decide who may ask, what is searched, or whether an answer is true.
 */
import { database } from '#db/client.ts'
import { listServingNames } from '#db/queries/embedding-indexes.ts'
import { getUsageOf } from '#db/queries/model-calls.ts'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { type SensitiveKind, sensitiveKinds } from '#lib/shared/gateway-settings.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { settleLeases } from './admit.ts'
import * as cache from './cache.ts'
import { embedQuestion } from './embed-question.ts'
import { embed, embeddingModel, listEncoders, loadEmbeddingModel } from './embedding.ts'
import { scoreInjection } from './injection.ts'
import { classifyIntent, type UsageFacts } from './intent.ts'
import { closeCrossEncoder } from './local/cross-encoder.ts'
import { closeEncoder } from './local/encoder.ts'
import { ledgerLine } from './meter.ts'
import type { LedgerLine } from './metered.ts'
import { type AnswerEvent, candidatesFor } from './recipe.ts'
import { createRedactor, findSensitive, type RedactionActs } from './redact.ts'
import { settingsOf } from './settings.ts'
import { answerIdentity } from './tasks.ts'

export { sweepReservations } from './admit.ts'
export { type JudgedAnswer, judgeAnswer, judgeQuestion, mayWithhold, type PolicyFinding } from './answer-policy.ts'
export { meetsRule, patternFault } from './answer-rules.ts'
export { advanceBatches, type BatchResult, batchOutput, offerBatch } from './batch.ts'
export { observeAnswer, sweepAnswers } from './cache.ts'
export { acceptCanary, checkModel, sweepCanaries } from './canary.ts'
export { findChecked, keyOfQuestion } from './checked.ts'
export {
  EncoderUnavailable,
  embed,
  embeddingModel,
  encoderHealth,
  listEncoders,
  loadEmbeddingModel,
} from './embedding.ts'
export { deterministicReply } from './intent.ts'
export type { LedgerLine } from './metered.ts'
export { type AnswerEvent, answererOf, runTask, streamAnswer } from './recipe.ts'
export { listEnvironmentCandidates } from './registry.ts'
export { rerankPassages } from './rerank.ts'
export { type AnswerFacts, isSampled, judgeForReview, type KnownBefore, mayHold } from './review-rules.ts'
export { forgetSettings, settingsOf } from './settings.ts'
export {
  deleteModel,
  deleteProvider,
  modelSetup,
  orderModels,
  saveGatewaySettings,
  saveGoverned,
  saveModel,
  saveProvider,
  settingIssues,
  testProvider,
} from './setup.ts'
export { topicsOf } from './topics.ts'
export { type WorkspaceEncoder, workspaceEncoder } from './workspace-encoder.ts'

/** Encoders that are loaded before anybody asks: more would take the memory of those that are used. */
const warmMax = 3

/** Loads the encoders in use before the first question needs them. Never throws: a missing encoder is for `encoderHealth` to tell. */
export const warmGateway = async (): Promise<void> => {
  await embed(['health'], { purpose: 'query' }).catch(() => undefined)
  const here = new Set(await listEncoders().catch(() => []))
  // A benchmark warms before there is a database.
  const serving = await (async () => listServingNames(database().db))().catch(() => [])
  for (const name of serving.filter((one) => here.has(one)).slice(0, warmMax))
    await loadEmbeddingModel(name).catch(() => undefined)
}

/** Settles what is still held, then lets go of the encoder; before the database closes. */
export const closeGateway = async (): Promise<void> => {
  await settleLeases()
  await Promise.all([closeEncoder(), closeCrossEncoder()])
}

/** What a message wants. Without the encoder it is looked up. */
export const messageIntent = async (text: string): Promise<ReturnType<typeof classifyIntent>> => {
  const embedded = await embed([text], { purpose: 'query' }).catch(() => null)
  return classifyIntent(text, embedded?.vectors[0] ?? null, embedded?.model ?? '')
}

/** What the viewer has used, and may. */
export const usageOf = async (viewer: Viewer): Promise<UsageFacts> => {
  const [used, { settings }] = await Promise.all([getUsageOf(database().db, viewer), settingsOf(viewer.workspaceId)])
  return {
    ...used,
    limitDayMicros: settings.budgets.userDayMicros,
    limitMonthMicros: settings.budgets.userMonthMicros,
  }
}

/** A person's text as it may stand in a trace or a log: with what the workspace masks or blocks replaced. */
export const maskForRecord = async (text: string, viewer: Pick<Viewer, 'workspaceId'>): Promise<string> => {
  const { settings } = await settingsOf(viewer.workspaceId)
  return createRedactor(settings.redaction.acts).redact(text).text
}

/**
 * Kinds of personal data and secrets in a text, whatever the workspace masks. Not names, which stand in most documents of an
 * organisation, and not addresses of machines.
 */
export const sensitiveKindsIn = (text: string): SensitiveKind[] => [
  ...new Set(
    findSensitive(text, everyKind)
      .map(({ kind }) => kind)
      .filter((kind) => kind !== 'person' && kind !== 'ip'),
  ),
]
const everyKind = Object.fromEntries(sensitiveKinds.map((kind) => [kind, 'mask'])) as RedactionActs

/** Titles come again with every question. */
const shortChars = 300
const shortMax = 5_000
const shortScores = new Map<string, ReturnType<typeof scoreInjection>>()
const shortScore = (text: string): ReturnType<typeof scoreInjection> => {
  const known = shortScores.get(text)
  if (known) return known
  const [oldest] = shortScores.keys()
  if (shortScores.size >= shortMax && oldest !== undefined) shortScores.delete(oldest)
  const scored = scoreInjection(text)
  shortScores.set(text, scored)
  return scored
}

export type Inspection = {
  score: number
  signals: string[]
  flagged: boolean
  /** The workspace wants it read by a person before a model reads it. */
  held: boolean
}

/** How much each text tries to give orders to a model, and whether the workspace wants that marked. A score is no wall. */
export const inspect = async (texts: readonly string[], viewer: Pick<Viewer, 'workspaceId'>): Promise<Inspection[]> => {
  const { settings } = await settingsOf(viewer.workspaceId)
  return texts.map((text) => {
    const { score, signals } = text.length <= shortChars ? shortScore(text) : scoreInjection(text)
    const { flagFrom, quarantineFrom } = settings.injection
    return {
      score,
      signals,
      flagged: score > 0 && score >= flagFrom,
      held: score > 0 && quarantineFrom < 1 && score >= quarantineFrom,
    }
  })
}

type Asking = { viewer: Viewer; access: string; question: string }

/** Everything that must be equal for an answer to be given again. */
const recipeFor = async ({ viewer, access }: Omit<Asking, 'question'>): Promise<string> =>
  cache.recipeOf({
    workspaceId: viewer.workspaceId,
    access,
    task: 'answer',
    promptHash: answerIdentity,
    modelKey: (await candidatesFor(viewer)).map(({ key }) => key).join(' '),
    indexVersion: embeddingModel().id,
  })

/** A kept answer to the question, or none. Never throws. */
export const lookUpAnswer = async (asking: Asking): Promise<cache.LookUp> => {
  const { db } = database()
  const { settings } = await settingsOf(asking.viewer.workspaceId)
  return cache.lookUpAnswer({
    db,
    settings: settings.cache,
    recipe: await recipeFor(asking),
    question: asking.question,
    embed: () => embedQuestion(asking.question),
  })
}

type Keeping = Asking & {
  answer: string
  citations: readonly Citation[]
  /** Every document whose passages the answer was written from. */
  sources: readonly { documentId: string; versionId: string }[]
  end: Extract<AnswerEvent, { type: 'end' }>
  claims: { total: number; supported: number }
  degraded: boolean
}

/** Keeps an answer that a model wrote; what the built-in answerer quotes costs nothing to quote again. */
export const keepAnswer = async (keeping: Keeping): Promise<void> => {
  const { viewer, question, answer, citations, sources, end, claims, degraded } = keeping
  if (end.model.kind === 'built-in' || end.refused) return
  const { db } = database()
  const { settings } = await settingsOf(viewer.workspaceId)
  const redactor = createRedactor(settings.redaction.acts)
  const personalData = [question, answer].some((text) => redactor.redact(text).found.some(({ act }) => act !== 'allow'))
  const recipe = await recipeFor(keeping)
  const embedded = await embedQuestion(question).catch(() => null)
  await db.transaction((tx) =>
    cache.keepAnswer(tx, {
      workspaceId: viewer.workspaceId,
      recipe,
      question,
      embedded,
      answer,
      citations,
      sources,
      model: end.model.id,
      tokensIn: end.tokens.in,
      tokensOut: end.tokens.out,
      costMicros: end.costMicros ?? 0,
      complete: true,
      claims,
      personalData,
      degraded,
      settings: settings.cache,
    }),
  )
}

type Saved = {
  viewer: Viewer
  chatId: string
  messageId: string
  traceId: string
  level: 'exact' | 'semantic'
  /** Null: what a person has checked; what it cost once is not known. */
  entry: cache.KeptAnswer | null
  totalMs: number
}

/** The ledger's line of an answer that was given again: what it saved. */
export const savedLine = ({ viewer, entry, level, totalMs, ...ids }: Saved): LedgerLine =>
  ledgerLine({
    ...ids,
    workspaceId: viewer.workspaceId,
    userId: viewer.userId,
    task: 'answer',
    feature: 'chat',
    route: 'cache',
    outcome: 'ok',
    cache: level,
    servedModel: entry?.model ?? null,
    costMicros: 0,
    savedMicros: entry?.costMicros ?? 0,
    savedTokens: entry ? entry.tokensIn + entry.tokensOut : 0,
    totalMs,
  })
