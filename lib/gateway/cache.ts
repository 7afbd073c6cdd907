/**
 * Answers that may be given again: to the same question word for word, or to one that is certainly the same.
 *
 * Guarantees: an answer is found only under the recipe it was kept under, so never across workspaces, rights, prompts, models or
 * indexes; only whole, supported answers without personal data are kept; what a document's change makes stale is gone in the
 * transaction of that change; a cache that does not answer is a miss. It does not check what the person who asks may see today: the
 * recipe carries their rights, and whoever shows a kept answer looks at its passages once more.
 */
import { createHash } from 'node:crypto'
import type { Db, Tx } from '#db/client.ts'
import {
  type AnswerRow,
  type AnswerSource,
  deleteAnswers,
  deleteExpiredAnswers,
  findExactAnswer,
  findNearAnswers,
  insertAnswer,
  insertObservation,
  type NearAnswerRow,
} from '#db/queries/answer-cache.ts'
import { log } from '#lib/log.ts'
import type { Citation } from '#lib/shared/chat-contract.ts'
import type { GatewaySettings } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import { findDifference, isComparable, isSameWording, normalisedQuestion } from './cache-guards.ts'
import { certaintyOf, measuredPrior, policySimilarity, similarityMin } from './cache-policy.ts'

/** How many of the nearest are looked at: the nearest of all may differ in a number, and the next be the same question. */
const nearest = 5

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export type Recipe = {
  workspaceId: string
  /** Fingerprint of what the person may see: role and collections. */
  access: string
  task: string
  promptHash: string
  modelKey: string
  /** Names the encoder and the way passages are cut. */
  indexVersion: string
}

/** SHA-256 over everything that must be equal for an answer to be given again. */
export const recipeOf = ({ workspaceId, access, task, promptHash, modelKey, indexVersion }: Recipe): string =>
  // As JSON, so that no part can run into the next.
  sha256(JSON.stringify([workspaceId, access, task, promptHash, modelKey, indexVersion]))

/** What the same question word for word has in common. */
export const questionHash = (question: string): string => sha256(normalisedQuestion(question))

/** The vector that a question may be found near by; null where nothing certain is known of it. */
export const comparableVector = (question: string, embedded: Embedded | null): Float32Array | null =>
  embedded?.model === measuredPrior.encoder && isComparable(question) ? embedded.vector : null

export type KeptAnswer = AnswerRow
export type Embedded = { vector: Float32Array; model: string }
/** The kept answer that was too uncertain, with what it cites, to compare a fresh answer with. */
export type NearestAnswer = { answerId: string; similarity: number; citations: readonly Citation[] }
/** `similarity` is what `observeAnswer` wants back; 1 on an exact hit. */
export type LookUp =
  | { level: 'exact' | 'semantic'; entry: KeptAnswer; similarity: number; ageMs: number }
  | { level: null; nearest: NearestAnswer | null }

type LookUpCall = {
  db: Db
  settings: GatewaySettings['cache']
  recipe: string
  question: string
  /** Called only when the question is not there word for word. */
  embed: () => Promise<Embedded>
  at?: Date
}

export type CacheCounters = {
  exact: number
  semantic: number
  abstained: number
  missed: number
  failed: number
  kept: number
  observed: number
}
type Held = { footnoteCacheCounters?: CacheCounters }
// Next.js bundles its own copy of this module: the counters are one a process all the same.
const held = globalThis as typeof globalThis & Held
const counters = (): CacheCounters => {
  held.footnoteCacheCounters ??= { exact: 0, semantic: 0, abstained: 0, missed: 0, failed: 0, kept: 0, observed: 0 }
  return held.footnoteCacheCounters
}

/** What the cache did in this process since it started. `abstained`: there was a near answer, and it was not certain enough. */
export const cacheCounters = (): CacheCounters => ({ ...counters() })

type Near = Pick<NearAnswerRow, 'question' | 'cosine' | 'observations'>
export type Choice<Row> = { hit: boolean; row: Row; similarity: number }

/** Which of the nearest answers may be given, or the one that was nearest to it; null when none is even comparable. Pure. */
export const chooseAnswer = <Row extends Near>(
  question: string,
  rows: readonly Row[],
  wrongHitsMax: number,
  prior = measuredPrior,
): Choice<Row> | null => {
  let best: Choice<Row> | null = null
  for (const row of rows) {
    // The wording can only take away: what is too far as it is needs no guards.
    if (row.cosine < similarityMin || findDifference(question, row.question) !== null) continue
    const similarity = policySimilarity(
      { cosine: row.cosine, sameWording: isSameWording(question, row.question) },
      prior,
    )
    if (similarity < similarityMin) continue
    if (certaintyOf(similarity, row.observations, prior) >= 1 - wrongHitsMax) return { hit: true, row, similarity }
    if (!best || similarity > best.similarity) best = { hit: false, row, similarity }
  }
  return best
}

const missed = (): LookUp => {
  counters().missed += 1
  return { level: null, nearest: null }
}

const found = (level: 'exact' | 'semantic', entry: KeptAnswer, similarity: number, at: Date): LookUp => {
  counters()[level] += 1
  return { level, entry, similarity, ageMs: Math.max(0, at.getTime() - entry.createdAtMs) }
}

const lookUp = async (call: LookUpCall): Promise<LookUp> => {
  const { db, settings, recipe, question, embed, at = new Date() } = call
  const valid = { recipe, at, ttlSeconds: settings.ttlSeconds }
  if (settings.exact) {
    const same = await findExactAnswer(db, { ...valid, questionHash: questionHash(question) })
    if (same) return found('exact', same, 1, at)
  }
  if (!settings.semantic || !isComparable(question)) return missed()
  const { vector, model } = await embed()
  // The bound was measured with one encoder's cosines; of another's nothing is known.
  if (model !== measuredPrior.encoder) return missed()
  const near = await findNearAnswers(db, { ...valid, vector, limit: nearest })
  const choice = chooseAnswer(question, near, settings.wrongHitsMax)
  if (!choice) return missed()
  if (choice.hit) {
    const { cosine: _, observations: __, ...entry } = choice.row
    return found('semantic', entry, choice.similarity, at)
  }
  counters().abstained += 1
  const { id, citations } = choice.row
  return { level: null, nearest: { answerId: id, similarity: choice.similarity, citations } }
}

/**
 * A kept answer to the question, or none. On a miss `nearest` is the answer that was too uncertain: once the question has its own, tell
 * `observeAnswer` whether it was the same. Never throws.
 */
export const lookUpAnswer = async (call: LookUpCall): Promise<LookUp> => {
  try {
    return await lookUp(call)
  } catch (error) {
    // Fails open: without the cache the question is answered as if it were new.
    log.warn({ err: error }, 'answer cache did not answer')
    counters().failed += 1
    return { level: null, nearest: null }
  }
}

/** Tells whether a near question's own answer rested on the same passages as the kept one. Never throws. */
export const observeAnswer = async (db: Db, answerId: string, similarity: number, same: boolean): Promise<void> => {
  // A number outside the scale would teach nonsense.
  if (!(similarity >= 0 && similarity <= 1.001)) return
  try {
    await insertObservation(db, { answerId, similarity, same })
    counters().observed += 1
  } catch (error) {
    // Fails open: what was not learnt only makes the cache abstain longer.
    log.warn({ err: error }, 'observation of a kept answer was lost')
  }
}

export type AnswerToKeep = {
  workspaceId: string
  recipe: string
  question: string
  /** Null when the encoder was not there: such an answer is found word for word only. */
  embedded: Embedded | null
  answer: string
  citations: readonly Citation[]
  /** Every document whose passages the answer was written from, cited or not, in the version that was read. */
  sources: readonly AnswerSource[]
  model: string
  tokensIn: number
  tokensOut: number
  costMicros: number
  complete: boolean
  claims: { total: number; supported: number }
  /** Personal data was found in the question or in the answer. */
  personalData: boolean
  /** Made with less than the whole machinery. */
  degraded: boolean
  settings: GatewaySettings['cache']
  at?: Date
}

/** Why an answer was not kept. `changed`: a document is not any more as the answer read it. */
export type NotKept = 'off' | 'incomplete' | 'unsupported' | 'personal-data' | 'degraded' | 'changed'

const refusal = (one: AnswerToKeep): NotKept | null => {
  if (!one.settings.exact && !one.settings.semantic) return 'off'
  if (!one.complete || one.answer.trim() === '') return 'incomplete'
  if (one.degraded) return 'degraded'
  if (one.personalData) return 'personal-data'
  const { total, supported } = one.claims
  // Without a citation nothing would ever take the answer away.
  if (!(total > 0 && supported === total) || one.citations.length === 0) return 'unsupported'
  return one.citations.every((citation) => citation.supported && !citation.removed) ? null : 'unsupported'
}

/** Keeps an answer that may be given again, for as long as the settings say. Fails closed: what is in doubt is not kept. */
export const keepAnswer = async (
  tx: Tx,
  answer: AnswerToKeep,
): Promise<{ kept: true; answerId: string } | { kept: false; why: NotKept }> => {
  const why = refusal(answer)
  if (why) return { kept: false, why }
  const { workspaceId, recipe, question, embedded, citations, model, tokensIn, tokensOut, costMicros } = answer
  const createdAt = answer.at ?? new Date()
  const id = newId(createdAt.getTime())
  const kept = await insertAnswer(
    tx,
    {
      id,
      workspaceId,
      recipe,
      question,
      questionHash: questionHash(question),
      embedding: comparableVector(question, embedded),
      answer: answer.answer,
      citations: [...citations],
      model,
      tokensIn,
      tokensOut,
      costMicros,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + answer.settings.ttlSeconds * 1_000),
    },
    [...citations, ...answer.sources],
  )
  if (!kept) return { kept: false, why: 'changed' }
  counters().kept += 1
  return { kept: true, answerId: id }
}

/** Forgets every kept answer of a workspace; returns how many. Throws when it cannot: whoever purges must know. */
export const purgeAnswers = (db: Db, workspaceId: string): Promise<number> => deleteAnswers(db, workspaceId)

/** Removes answers that have expired; returns how many. For a schedule: an expired answer is not given, swept or not. */
export const sweepAnswers = (db: Db, at: Date = new Date()): Promise<number> => deleteExpiredAnswers(db, at)
