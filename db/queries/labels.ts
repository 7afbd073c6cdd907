/**
 * Labels of answers: by whom, blind to each other, and what two raters could not agree on. What a rater reads of another person's
 * answer is bound to their own rights in each statement.
 */
import { and, asc, desc, eq, inArray, isNull, lt, ne, notInArray, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { z } from 'zod'
import type { MessageMetadata } from '#lib/shared/chat-contract.ts'
import { ratersPerAnswer } from '#lib/shared/label-contract.ts'
import type { LabelScores, Rubric } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import { isReviewer, openCollectionIds } from '../reviewable.ts'
import {
  chats,
  chunks,
  citations,
  documents,
  documentVersions,
  labelItems,
  labels,
  messages,
  passageLabels,
  rubrics,
  traces,
} from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'

type Insider = Pick<Viewer, 'workspaceId'>

/** Closed: an answer that does not say what it was written from is shown to no rater. */
const drawsFromOpen = (viewer: Viewer): SQL =>
  sql`(jsonb_typeof(${messages.metadata} -> 'collectionIds') = 'array' and array(
      select jsonb_array_elements_text(${messages.metadata} -> 'collectionIds')::uuid) <@ ${openCollectionIds(viewer)})
    and not exists (select from ${citations} join ${documents} on ${documents.id} = ${citations.documentId}
      where ${citations.messageId} = ${messages.id} and not coalesce((${visibleTo(viewer)}), false))`

/** An answer that the person may read as a rater: written from what is open to them, and never to their own question. */
const ratableBy = (viewer: Viewer): SQL =>
  sql`${chats.workspaceId} = ${viewer.workspaceId} and ${chats.userId} <> ${viewer.userId}
    and ${isReviewer(viewer)} and ${drawsFromOpen(viewer)}`

const isAnswer = and(eq(messages.role, 'assistant'), eq(messages.status, 'complete'), ne(messages.text, ''))
/** Written from passages and shown: a refusal and small talk are none to judge. */
const isJudgeable = sql`${messages.metadata} ? 'read' and not ${messages.metadata} ? 'withheld'`

const labelCount = sql<number>`(select count(*)::int from ${labels} where ${labels.messageId} = ${labelItems.messageId})`
const disagree = sql`(select count(distinct ${labels.scores}) > 1 from ${labels} where ${labels.messageId} = ${labelItems.messageId})`
const own = alias(labels, 'own')
const labelledBy = ({ userId }: Viewer): SQL =>
  sql`exists (select from ${labels} ${sql.identifier('own')} where ${own.messageId} = ${labelItems.messageId} and ${own.raterId} = ${userId})`

const waitsFor = (viewer: Viewer) =>
  and(
    ratableBy(viewer),
    isNull(labelItems.adjudicatedAt),
    sql`not ${labelledBy(viewer)}`,
    sql`${labelCount} < ${ratersPerAnswer}`,
  )
const isDisputed = sql`${labelItems.adjudicatedAt} is null and ${labelCount} >= ${ratersPerAnswer} and ${disagree}`
const isFinished = sql`(${labelItems.adjudicatedAt} is not null or ${labelCount} >= ${ratersPerAnswer})`

export const getRubric = async (
  db: Executor,
  { workspaceId }: Insider,
  version?: number,
): Promise<{ version: number; rubric: Rubric } | undefined> => {
  const [found] = await db
    .select({ version: rubrics.version, rubric: rubrics.rubric })
    .from(rubrics)
    .where(and(eq(rubrics.workspaceId, workspaceId), version === undefined ? undefined : eq(rubrics.version, version)))
    .orderBy(desc(rubrics.version))
    .limit(1)
  return found
}

/** False when somebody else has saved that version already. */
export const insertRubric = async (
  tx: Tx,
  { workspaceId, userId }: Viewer,
  version: number,
  rubric: Rubric,
): Promise<boolean> => {
  const made = await tx
    .insert(rubrics)
    .values({ workspaceId, version, rubric, createdBy: userId })
    .onConflictDoNothing()
    .returning({ version: rubrics.version })
  return made.length > 0
}

/** Answers that the viewer may read and that are not up for labelling yet: the named ones, or so many at random of the last 90 days. */
export const listUnlabelled = async (
  db: Executor,
  viewer: Viewer,
  wanted: number | readonly string[],
): Promise<string[]> => {
  const query = db
    .select({ id: messages.id })
    .from(messages)
    .innerJoin(chats, eq(chats.id, messages.chatId))
    .where(
      and(
        isAnswer,
        isJudgeable,
        isNull(messages.supersededAt),
        ratableBy(viewer),
        typeof wanted === 'number'
          ? sql`${messages.createdAt} > now() - interval '90 days'`
          : inArray(messages.id, [...wanted]),
        sql`not exists (select from ${labelItems} where ${labelItems.messageId} = ${messages.id})`,
      ),
    )
  const found = await (typeof wanted === 'number' ? query.orderBy(sql`random()`).limit(wanted) : query)
  return found.map(({ id }) => id)
}

/** Those that were added: one that somebody else has added meanwhile stays theirs. */
export const insertLabelItems = async (
  tx: Tx,
  { workspaceId, userId }: Viewer,
  messageIds: readonly string[],
  rubricVersion: number,
): Promise<string[]> => {
  if (messageIds.length === 0) return []
  const made = await tx
    .insert(labelItems)
    .values(messageIds.map((messageId) => ({ messageId, workspaceId, rubricVersion, createdBy: userId })))
    .onConflictDoNothing()
    .returning({ messageId: labelItems.messageId })
  return made.map(({ messageId }) => messageId)
}

/** Next for the viewer: what one other has labelled before what nobody has, then the oldest. */
export const findNextToLabel = async (
  db: Executor,
  viewer: Viewer,
  except: readonly string[],
): Promise<string | undefined> => {
  const [next] = await db
    .select({ id: labelItems.messageId })
    .from(labelItems)
    .innerJoin(messages, and(eq(messages.id, labelItems.messageId), isAnswer))
    .innerJoin(chats, eq(chats.id, messages.chatId))
    .where(and(waitsFor(viewer), except.length > 0 ? notInArray(labelItems.messageId, [...except]) : undefined))
    .orderBy(desc(labelCount), asc(labelItems.createdAt), asc(labelItems.messageId))
    .limit(1)
  return next?.id
}

export type RatedAnswer = {
  messageId: string
  question: string
  text: string
  metadata: MessageMetadata
  rubricVersion: number
  /** Attributes of the trace, each time they were written; empty when it is not kept any more. */
  packed: unknown[]
  searched: unknown[]
}

const asked = alias(messages, 'asked')
const questionText = sql<string>`coalesce((select ${asked.text} from ${messages} ${sql.identifier('asked')} where ${asked.id} = ${messages.questionId}), '')`
const inTrace = (name: string, key: string) =>
  sql<
    unknown[]
  >`coalesce(jsonb_path_query_array(${traces.spans}, ${`$[*] ? (@.name == "${name}").attributes.${key}`}::text::jsonpath), '[]'::jsonb)`

/** Answers that are up for labelling, in the order of `messageIds`, those that the viewer may read as a rater. */
export const listRatedAnswers = async (
  db: Executor,
  viewer: Viewer,
  messageIds: readonly string[],
): Promise<RatedAnswer[]> => {
  if (messageIds.length === 0) return []
  const found = await db
    .select({
      messageId: messages.id,
      question: questionText,
      text: messages.text,
      metadata: messages.metadata,
      rubricVersion: labelItems.rubricVersion,
      packed: inTrace('pack', 'passages'),
      searched: inTrace('rewrite', 'searched'),
    })
    .from(labelItems)
    .innerJoin(messages, and(eq(messages.id, labelItems.messageId), isAnswer))
    .innerJoin(chats, eq(chats.id, messages.chatId))
    .leftJoin(traces, and(eq(traces.messageId, messages.id), eq(traces.workspaceId, viewer.workspaceId)))
    .where(and(inArray(labelItems.messageId, [...messageIds]), ratableBy(viewer)))
  const byId = new Map(found.map((one) => [one.messageId, one]))
  return messageIds.flatMap((id) => byId.get(id) ?? [])
}

type PassageText = { chunkId: string; title: string; page: number | null; text: string }

/** Texts of passages, of those that the viewer may read. */
export const listPassageTexts = async (
  db: Executor,
  viewer: Viewer,
  chunkIds: readonly string[],
): Promise<Map<string, PassageText>> => {
  const ids = chunkIds.map(Number).filter(Number.isSafeInteger)
  if (ids.length === 0) return new Map()
  const found = await db
    .select({
      chunkId: sql<string>`${chunks.id}::text`,
      title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
      page: chunks.pageFrom,
      text: chunks.text,
    })
    .from(chunks)
    .innerJoin(documents, and(eq(documents.id, chunks.documentId), visibleTo(viewer)))
    .innerJoin(documentVersions, eq(documentVersions.id, chunks.versionId))
    .where(inArray(chunks.id, ids))
  return new Map(found.map((one) => [one.chunkId, one]))
}

type LabelState = {
  rubricVersion: number
  adjudicated: LabelScores | null
  labels: { raterId: string; scores: LabelScores; note: string }[]
}

/** An item that the viewer may read, locked with its labels until the transaction ends. */
export const lockLabelItem = async (tx: Tx, viewer: Viewer, messageId: string): Promise<LabelState | undefined> => {
  const [item] = await tx
    .select({ rubricVersion: labelItems.rubricVersion, adjudicated: labelItems.adjudicated })
    .from(labelItems)
    .innerJoin(messages, and(eq(messages.id, labelItems.messageId), isAnswer))
    .innerJoin(chats, eq(chats.id, messages.chatId))
    .where(and(eq(labelItems.messageId, messageId), ratableBy(viewer)))
    .for('update', { of: labelItems })
  return item && { ...item, labels: (await listLabelsOf(tx, [messageId])).get(messageId) ?? [] }
}

/** Of each answer, without an order that would tell who they are of. */
export const listLabelsOf = async (
  db: Executor,
  messageIds: readonly string[],
): Promise<Map<string, LabelState['labels']>> => {
  if (messageIds.length === 0) return new Map()
  const found = await db
    .select({ messageId: labels.messageId, raterId: labels.raterId, scores: labels.scores, note: labels.note })
    .from(labels)
    .where(inArray(labels.messageId, [...messageIds]))
    .orderBy(sql`md5(${labels.messageId}::text || ${labels.raterId}::text)`)
  return Map.groupBy(found, ({ messageId }) => messageId)
}

export const saveLabel = async (
  tx: Tx,
  { workspaceId, userId }: Viewer,
  { messageId, scores, note }: { messageId: string; scores: LabelScores; note: string },
): Promise<void> => {
  await tx
    .insert(labels)
    .values({ messageId, raterId: userId, workspaceId, scores, note })
    .onConflictDoUpdate({ target: [labels.messageId, labels.raterId], set: { scores, note } })
}

export const savePassageLabels = async (
  tx: Tx,
  { workspaceId, userId }: Viewer,
  messageId: string,
  marked: readonly { chunkId: string; rank: number; relevant: boolean }[],
): Promise<void> => {
  await tx.delete(passageLabels).where(and(eq(passageLabels.messageId, messageId), eq(passageLabels.raterId, userId)))
  if (marked.length > 0)
    await tx.insert(passageLabels).values(marked.map((one) => ({ messageId, raterId: userId, workspaceId, ...one })))
}

/** What raters disagree on and the viewer, who is neither of them, may decide; the oldest first. */
export const listDisputed = async (db: Executor, viewer: Viewer, limit: number): Promise<string[]> => {
  const found = await db
    .select({ id: labelItems.messageId })
    .from(labelItems)
    .innerJoin(messages, and(eq(messages.id, labelItems.messageId), isAnswer))
    .innerJoin(chats, eq(chats.id, messages.chatId))
    .where(and(ratableBy(viewer), isDisputed, sql`not ${labelledBy(viewer)}`))
    .orderBy(asc(labelItems.createdAt), asc(labelItems.messageId))
    .limit(limit)
  return found.map(({ id }) => id)
}

export const setAdjudicated = async (
  tx: Tx,
  { userId }: Viewer,
  messageId: string,
  scores: LabelScores,
): Promise<void> => {
  await tx
    .update(labelItems)
    .set({ adjudicated: scores, adjudicatedBy: userId, adjudicatedAt: sql`now()` })
    .where(eq(labelItems.messageId, messageId))
}

/** Counts alone, of all the workspace's items; `waiting` and `mine` are the viewer's. */
export const countLabels = async (db: Executor, viewer: Viewer) => {
  const count = (condition: SQL | undefined) => sql<number>`(count(*) filter (where ${condition}))::int`
  const [found] = await db
    .select({
      total: sql<number>`count(*)::int`,
      finished: count(sql`${isFinished} and not (${isDisputed})`),
      disputed: count(isDisputed),
      mine: count(labelledBy(viewer)),
      waiting: count(waitsFor(viewer)),
    })
    .from(labelItems)
    .innerJoin(messages, and(eq(messages.id, labelItems.messageId), isAnswer))
    .innerJoin(chats, eq(chats.id, messages.chatId))
    .where(eq(labelItems.workspaceId, viewer.workspaceId))
  return found ?? { total: 0, finished: 0, disputed: 0, mine: 0, waiting: 0 }
}

/** Scores of answers that two people labelled, each pair in the order of the raters' ids. */
export const listScorePairs = async (
  db: Executor,
  { workspaceId }: Insider,
): Promise<{ one: LabelScores; other: LabelScores }[]> => {
  const second = alias(labels, 'second')
  return db
    .select({ one: labels.scores, other: second.scores })
    .from(labels)
    .innerJoin(second, and(eq(second.messageId, labels.messageId), lt(labels.raterId, second.raterId)))
    .where(eq(labels.workspaceId, workspaceId))
}

type RankCounts = { k: number; passages: number; helpful: number; questions: number; helped: number }

/**
 * For each k: passages that were looked at among the first k and those that help, questions whose first k tell whether one does, and
 * those where one does. Of two raters who differ over a passage, it helps.
 */
export const countRelevant = async (
  db: Executor,
  { workspaceId }: Insider,
  ks: readonly number[],
): Promise<RankCounts[]> =>
  rows(
    db,
    sql`with judged as (
        select message_id, chunk_id, min(rank) as rank, bool_or(relevant) as relevant
        from ${passageLabels} where ${passageLabels.workspaceId} = ${workspaceId} group by message_id, chunk_id
      ),
      each as (
        select k.k, j.message_id, count(*) as seen, count(*) filter (where j.relevant) as helpful
        from unnest(array[${sql.join(
          ks.map((k) => sql`${k}::int`),
          sql`, `,
        )}]) as k(k) join judged j on j.rank <= k.k group by k.k, j.message_id
      )
      select k, sum(seen)::int as passages, sum(helpful)::int as helpful,
        -- Without a helpful one it is only known when all were looked at that stood among the first k: seldom as many as k.
        (count(*) filter (where helpful > 0 or seen >= least(k, (m.metadata #>> '{read,passages}')::int)))::int as questions,
        (count(*) filter (where helpful > 0))::int as helped
      from each join ${messages} m on m.id = message_id group by k order by k`,
  )

type LabelledRow = {
  messageId: string
  /** Null: the viewer may not read it. */
  question: string | null
  answer: string | null
  model: string | null
  prompt: string | null
  rubricVersion: number
  adjudicated: LabelScores | null
  labelledAt: string
  labels: { scores: LabelScores; note: string }[]
  passages: { chunkId: string; rank: number; relevant: boolean }[]
}

/**
 * Items that are finished, so that nobody reads another's label before their own, after a place in the order of their ids. Raters have
 * no names in it; notes, like texts, are of what the viewer may read.
 */
export const listLabelled = (
  db: Executor,
  viewer: Viewer,
  { after, limit }: { after: string | null; limit: number },
): Promise<LabelledRow[]> => {
  const readable = sql`(${ratableBy(viewer)})`
  return db
    .select({
      messageId: labelItems.messageId,
      question: sql<string | null>`case when ${readable} then ${questionText} end`,
      answer: sql<string | null>`case when ${readable} then ${messages.text} end`,
      model: sql<string | null>`${messages.metadata} #>> '{model,id}'`,
      prompt: sql<string | null>`${messages.metadata} #>> '{versions,prompt}'`,
      rubricVersion: labelItems.rubricVersion,
      adjudicated: labelItems.adjudicated,
      labelledAt: sql<string>`coalesce((select to_char(max(${labels.createdAt}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') from ${labels} where ${labels.messageId} = ${labelItems.messageId}), '')`,
      labels: sql<
        LabelledRow['labels']
      >`coalesce((select jsonb_agg(jsonb_build_object('scores', ${labels.scores}, 'note', case when ${readable} then ${labels.note} else '' end)
          order by md5(${labels.messageId}::text || ${labels.raterId}::text))
        from ${labels} where ${labels.messageId} = ${labelItems.messageId}), '[]'::jsonb)`,
      passages: sql<
        LabelledRow['passages']
      >`coalesce((select jsonb_agg(jsonb_build_object('chunkId', ${passageLabels.chunkId}, 'rank', ${passageLabels.rank}, 'relevant', ${passageLabels.relevant})
          order by ${passageLabels.rank}, ${passageLabels.relevant})
        from ${passageLabels} where ${passageLabels.messageId} = ${labelItems.messageId}), '[]'::jsonb)`,
    })
    .from(labelItems)
    .innerJoin(messages, eq(messages.id, labelItems.messageId))
    .innerJoin(chats, eq(chats.id, messages.chatId))
    .where(
      and(
        eq(labelItems.workspaceId, viewer.workspaceId),
        isFinished,
        after === null ? undefined : sql`${labelItems.messageId} > ${after}::uuid`,
      ),
    )
    .orderBy(asc(labelItems.messageId))
    .limit(limit)
}

const packedSchema = z.array(z.object({ chunkId: z.string() }).catch({ chunkId: '' }))

/** Ids of the passages that were found, the best first: the newest of what the trace says. */
export const rankedIn = ({ packed }: Pick<RatedAnswer, 'packed'>): string[] =>
  (packedSchema.safeParse(packed.at(-1)).data ?? []).map(({ chunkId }) => chunkId)
