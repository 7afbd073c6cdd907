/**
 * Kept answers. What a document's change takes away is removed by triggers on `documents`, in the transaction that changes it
 * (migration 0003); here only answers whose documents still stand as they were read are kept.
 */
import { and, eq, inArray, lte, sql } from 'drizzle-orm'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { type Db, type Executor, rows, type Tx } from '../client.ts'
import { answerCache, answerCacheSources, documents } from '../schema/index.ts'
import { toVectorLiteral } from './search.ts'

/** Oldest answers of a workspace beyond so many go. */
export const answersMax = 10_000

export type AnswerRow = {
  id: string
  question: string
  answer: string
  citations: Citation[]
  model: string
  tokensIn: number
  tokensOut: number
  costMicros: number
  createdAtMs: number
}
export type NearAnswerRow = AnswerRow & {
  cosine: number
  observations: { similarity: number; same: boolean }[]
}

/** Which answers count: kept under this recipe, neither expired at `at` nor older than today's settings allow. */
type Valid = { recipe: string; at: Date; ttlSeconds: number }

const columns = sql`id, question, answer, citations, model, tokens_in as "tokensIn", tokens_out as "tokensOut",
  cost_micros::float8 as "costMicros", (extract(epoch from created_at) * 1000)::float8 as "createdAtMs"`
const madeAfter = ({ at, ttlSeconds }: Valid): string => new Date(at.getTime() - ttlSeconds * 1_000).toISOString()

/** The answer kept for exactly this question. */
export const findExactAnswer = async (
  db: Executor,
  { questionHash, ...valid }: Valid & { questionHash: string },
): Promise<AnswerRow | undefined> => {
  const [found] = await rows<AnswerRow>(
    db,
    sql`select ${columns} from answer_cache
      where recipe = ${valid.recipe} and question_hash = ${questionHash}
        and expires_at > ${valid.at.toISOString()}::timestamptz and created_at > ${madeAfter(valid)}::timestamptz`,
  )
  return found
}

/** The answers to the nearest questions, nearest first, with what was seen with each. How the graph is walked: migration 0003. */
export const findNearAnswers = (
  db: Executor,
  { vector, limit, ...valid }: Valid & { vector: Float32Array; limit: number },
): Promise<NearAnswerRow[]> =>
  rows<NearAnswerRow>(
    db,
    sql`select ${columns}, cosine, observations
      from near_answers(${valid.recipe}, ${valid.at.toISOString()}::timestamptz, ${madeAfter(valid)}::timestamptz,
        ${toVectorLiteral(vector)}::vector, ${limit}::int)`,
  )

export type NewAnswer = Omit<typeof answerCache.$inferInsert, 'embedding'> & { embedding: Float32Array | null }
export type AnswerSource = { documentId: string; versionId: string }

/**
 * Keeps an answer in place of an older one to the same question. False, and nothing kept, when a document is not any more as the
 * answer read it; the documents stay as they are until the transaction ends, so that a change cannot slip in between.
 */
export const insertAnswer = async (
  tx: Tx,
  { embedding, ...answer }: NewAnswer,
  sources: readonly AnswerSource[],
): Promise<boolean> => {
  const versions = new Map(sources.map(({ documentId, versionId }) => [documentId, versionId]))
  if (versions.size === 0) return false
  const standing = await tx
    .select({ id: documents.id, versionId: documents.publishedVersionId })
    .from(documents)
    .where(and(eq(documents.workspaceId, answer.workspaceId), inArray(documents.id, [...versions.keys()])))
    .orderBy(documents.id)
    .for('share')
  if (standing.length !== versions.size) return false
  const asRead = new Set(standing.map(({ id, versionId }) => `${id} ${versionId}`))
  if (!sources.every(({ documentId, versionId }) => asRead.has(`${documentId} ${versionId}`))) return false

  await tx
    .delete(answerCache)
    .where(and(eq(answerCache.recipe, answer.recipe), eq(answerCache.questionHash, answer.questionHash)))
  const [made] = await tx
    .insert(answerCache)
    .values({ ...answer, embedding: embedding ? sql`${toVectorLiteral(embedding)}::vector` : null })
    // Another instance kept one meanwhile: it will do.
    .onConflictDoNothing()
    .returning({ id: answerCache.id })
  if (!made) return false
  await tx
    .insert(answerCacheSources)
    .values([...versions.keys()].map((documentId) => ({ answerId: answer.id, documentId })))
  await tx.execute(sql`
    delete from answer_cache where id in (
      select id from answer_cache where workspace_id = ${answer.workspaceId}
      order by created_at desc, id desc offset ${answersMax})`)
  return true
}

/** Writes down an observation; one about an answer that has gone meanwhile is dropped. */
export const insertObservation = async (
  db: Executor,
  seen: { answerId: string; similarity: number; same: boolean },
): Promise<void> => {
  await db.execute(sql`
    insert into answer_cache_observations (answer_id, similarity, same)
    select id, ${seen.similarity}::float8, ${seen.same}::boolean from answer_cache where id = ${seen.answerId}
    for key share`)
}

/** Removes all kept answers of a workspace; returns how many there were. */
export const deleteAnswers = async (db: Executor, workspaceId: string): Promise<number> =>
  (await db.delete(answerCache).where(eq(answerCache.workspaceId, workspaceId)).returning({ id: answerCache.id }))
    .length

/** Removes what has expired at `at`; returns how many there were. Not for use in a transaction. */
export const deleteExpiredAnswers = async (db: Db, at: Date): Promise<number> => {
  const gone = await db.delete(answerCache).where(lte(answerCache.expiresAt, at)).returning({ id: answerCache.id })
  const [left] = await db.select({ id: answerCache.id }).from(answerCache).limit(1)
  // Dead entries stay in the graph, and the embedded database has nobody who tidies up. Of an empty table it takes milliseconds; of
  // any other seconds, since the graph is mended around every gap, and there all queries would wait.
  if (gone.length > 0 && !left) await db.execute(sql`vacuum answer_cache`)
  return gone.length
}
