/** What waits for reviewers and what they decided, as the desk and its figures read it. */
import { and, asc, desc, eq, gt, inArray, isNull, lt, ne, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { MessageMetadata } from '#lib/shared/chat-contract.ts'
import { reviewTotalMax } from '#lib/shared/open-reviews.ts'
import type {
  ReviewComment,
  ReviewerFigures,
  ReviewFilter,
  ReviewMetrics,
  ReviewRow,
} from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { decidableBy, isClaimed, meetsFilter, openCollectionIds, reviewableBy, reviewOrders } from '../reviewable.ts'
import { collections, labels, messages, reviewComments, reviewDrafts, reviewItems, users } from '../schema/index.ts'
import type { Reader } from './reader.ts'

const holder = alias(users, 'holder')
const assignee = alias(users, 'assignee')
const asker = alias(users, 'asker')
const decider = alias(users, 'decider')

const iso = (at: Date): string => at.toISOString()
const questionCharsShown = 400

const namesOfCollections = sql<string[]>`(select coalesce(json_agg(c.name order by c.name), '[]') from ${collections} c
  where c.id = any(${reviewItems.collectionIds}))`

const rowColumns = {
  id: reviewItems.id,
  contentHash: reviewItems.contentHash,
  kind: reviewItems.kind,
  question: sql<string>`left(${reviewItems.question}, ${questionCharsShown})`,
  asker: asker.name,
  reason: reviewItems.reason,
  words: sql<string>`coalesce(${reviewItems.reasons} -> 0 ->> 'words', '')`,
  risk: reviewItems.risk,
  confidence: reviewItems.confidence,
  collections: namesOfCollections,
  held: reviewItems.held,
  createdAt: reviewItems.createdAt,
  dueAt: reviewItems.dueAt,
  escalatedAt: reviewItems.escalatedAt,
  claimedById: reviewItems.claimedBy,
  claimedByName: holder.name,
  leaseUntil: reviewItems.leaseUntil,
  heldNow: isClaimed,
  assignedId: reviewItems.assignedTo,
  assignedName: assignee.name,
}

type Stored = typeof reviewItems.$inferSelect
type StoredRow = Omit<ReviewRow, 'reason' | 'createdAt' | 'dueAt' | 'escalated' | 'claimedBy' | 'assignedTo'> &
  Pick<Stored, 'reason' | 'createdAt' | 'dueAt' | 'escalatedAt' | 'leaseUntil'> & {
    claimedById: string | null
    claimedByName: string | null
    heldNow: boolean
    assignedId: string | null
    assignedName: string | null
  }

const toRow = (row: StoredRow): ReviewRow => ({
  id: row.id,
  contentHash: row.contentHash,
  kind: row.kind,
  question: row.question,
  asker: row.asker,
  reason: row.reason as ReviewRow['reason'],
  words: row.words,
  risk: row.risk,
  confidence: row.confidence,
  collections: row.collections,
  held: row.held,
  createdAt: iso(row.createdAt),
  dueAt: iso(row.dueAt),
  escalated: row.escalatedAt !== null,
  claimedBy:
    row.heldNow && row.claimedById && row.leaseUntil
      ? { id: row.claimedById, name: row.claimedByName ?? 'Somebody', until: iso(row.leaseUntil) }
      : null,
  assignedTo: row.assignedId ? { id: row.assignedId, name: row.assignedName ?? 'Somebody' } : null,
})

/** A place in the order of a list. Times go as text, with all their digits. */
const inFull = (column: typeof reviewItems.dueAt | typeof reviewItems.createdAt) =>
  sql<string>`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'`
const placeValues = {
  due: inFull(reviewItems.dueAt),
  risk: sql<string>`${reviewItems.risk}::text`,
  age: inFull(reviewItems.createdAt),
} as const satisfies Record<ReviewFilter['order'], SQL<string>>

export type QueuePlace = { value: string; id: string }

const isAfter = (order: ReviewFilter['order'], { value, id }: QueuePlace): SQL => {
  if (order === 'risk')
    return sql`(${reviewItems.risk} < ${value}::int or ${reviewItems.risk} = ${value}::int and ${reviewItems.id} > ${id}::uuid)`
  const column = order === 'due' ? reviewItems.dueAt : reviewItems.createdAt
  return sql`(${column}, ${reviewItems.id}) > (${value}::timestamptz, ${id}::uuid)`
}

const selectRows = (db: Reader, value: SQL<string>) =>
  db
    .select({ ...rowColumns, value })
    .from(reviewItems)
    .leftJoin(asker, eq(asker.id, reviewItems.askerId))
    .leftJoin(holder, eq(holder.id, reviewItems.claimedBy))
    .leftJoin(assignee, eq(assignee.id, reviewItems.assignedTo))

const countUpTo = async (db: Reader, where: SQL | undefined, most: number): Promise<number> => {
  const some = db.select({ id: reviewItems.id }).from(reviewItems).where(where).limit(most).as('some')
  const [counted] = await db.select({ total: sql<number>`count(*)::int` }).from(some)
  return counted?.total ?? 0
}

/** How many open items the viewer may decide on, counted up to `reviewTotalMax`. */
export const countOpenReviews = (db: Reader, viewer: Viewer): Promise<number> =>
  countUpTo(db, and(eq(reviewItems.state, 'open'), decidableBy(viewer)), reviewTotalMax)

/** A page of open items from after `place`, how many there are in all (counted up to `reviewTotalMax`), and where the next page begins. */
export const listReviewRows = async (
  db: Reader,
  viewer: Viewer,
  filter: ReviewFilter,
  { place, limit }: { place: QueuePlace | null; limit: number },
): Promise<{ rows: ReviewRow[]; total: number; next: QueuePlace | null }> => {
  const where = and(meetsFilter(viewer, filter), decidableBy(viewer))
  const by = reviewOrders[filter.order]
  // The page's ids first: names are joined to what is shown alone.
  const page = db
    .select({ id: reviewItems.id })
    .from(reviewItems)
    .where(and(where, place ? isAfter(filter.order, place) : undefined))
    .orderBy(...by)
    .limit(limit + 1)
  const [found, total] = await Promise.all([
    selectRows(db, placeValues[filter.order])
      .where(inArray(reviewItems.id, page))
      .orderBy(...by),
    countUpTo(db, where, reviewTotalMax),
  ])
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  return {
    rows: shown.map(toRow),
    total,
    next: found.length > limit && last ? { value: last.value, id: last.id } : null,
  }
}

/** One item, open or decided, with everything that is stored of it; undefined when it is not the viewer's to review. */
export const getReview = async (
  db: Reader,
  viewer: Viewer,
  itemId: string,
): Promise<{ row: ReviewRow; item: Stored; decidedBy: string | null } | undefined> => {
  const [found] = await db
    .select({ ...rowColumns, question: reviewItems.question, item: reviewItems, decidedByName: decider.name })
    .from(reviewItems)
    .leftJoin(asker, eq(asker.id, reviewItems.askerId))
    .leftJoin(holder, eq(holder.id, reviewItems.claimedBy))
    .leftJoin(assignee, eq(assignee.id, reviewItems.assignedTo))
    .leftJoin(decider, eq(decider.id, reviewItems.decidedBy))
    .where(and(eq(reviewItems.id, itemId), reviewableBy(viewer)))
  return found && { row: toRow(found), item: found.item, decidedBy: found.decidedByName }
}

export type EarlierMessage = { role: 'user' | 'assistant'; text: string; metadata: MessageMetadata }

/** What was said in the chat before the question that the message answers, oldest first; what is held or being written is left out. */
export const listEarlier = async (db: Reader, messageId: string, limit: number): Promise<EarlierMessage[]> => {
  const answer = alias(messages, 'answer')
  const question = alias(messages, 'question')
  const found = await db
    .select({ role: messages.role, text: messages.text, metadata: messages.metadata })
    .from(answer)
    .innerJoin(question, eq(question.id, answer.questionId))
    .innerJoin(messages, and(eq(messages.chatId, answer.chatId), lt(messages.createdAt, question.createdAt)))
    .where(
      and(
        eq(answer.id, messageId),
        isNull(messages.supersededAt),
        ne(messages.status, 'held'),
        ne(messages.status, 'streaming'),
      ),
    )
    .orderBy(desc(messages.createdAt), desc(messages.id))
    .limit(limit)
  return found.reverse()
}

/** The collections that are open to the viewer. */
export const listOpenCollections = async (db: Reader, viewer: Viewer): Promise<Set<string>> => {
  const found = await db
    .select({ id: collections.id })
    .from(collections)
    .where(sql`${collections.id} = any(${openCollectionIds(viewer)})`)
  return new Set(found.map(({ id }) => id))
}

export const listReviewComments = async (db: Reader, itemId: string): Promise<ReviewComment[]> => {
  const found = await db
    .select({
      id: reviewComments.id,
      author: users.name,
      text: reviewComments.text,
      createdAt: reviewComments.createdAt,
    })
    .from(reviewComments)
    .leftJoin(users, eq(users.id, reviewComments.authorId))
    .where(eq(reviewComments.itemId, itemId))
    .orderBy(asc(reviewComments.createdAt), asc(reviewComments.id))
  return found.map(({ author, createdAt, ...comment }) => ({
    ...comment,
    author: author ?? 'Somebody who has left',
    createdAt: iso(createdAt),
  }))
}

export const getReviewDraft = async (
  db: Reader,
  { userId }: Pick<Viewer, 'userId'>,
  itemId: string,
): Promise<{ text: string; note: string; updatedAt: string } | null> => {
  const [found] = await db
    .select({ text: reviewDrafts.text, note: reviewDrafts.note, updatedAt: reviewDrafts.updatedAt })
    .from(reviewDrafts)
    .where(and(eq(reviewDrafts.itemId, itemId), eq(reviewDrafts.userId, userId)))
  return found ? { ...found, updatedAt: iso(found.updatedAt) } : null
}

export type DecidedQuestion = Pick<Stored, 'id' | 'question' | 'state' | 'reason'> & {
  decidedAt: Date | null
  by: string | null
}

/** The newest decisions of people on items that the viewer may review. */
export const listDecidedQuestions = (
  db: Reader,
  viewer: Viewer,
  { except, limit }: { except: string; limit: number },
): Promise<DecidedQuestion[]> =>
  db
    .select({
      id: reviewItems.id,
      question: reviewItems.question,
      state: reviewItems.state,
      reason: reviewItems.reason,
      decidedAt: reviewItems.decidedAt,
      by: decider.name,
    })
    .from(reviewItems)
    .leftJoin(decider, eq(decider.id, reviewItems.decidedBy))
    .where(
      and(
        decidableBy(viewer),
        inArray(reviewItems.state, ['approved', 'edited', 'rejected']),
        eq(reviewItems.seeded, false),
        ne(reviewItems.question, ''),
        ne(reviewItems.id, except),
      ),
    )
    .orderBy(desc(reviewItems.decidedAt))
    .limit(limit)

const decidedStates = sql`('approved', 'edited', 'rejected')`
const tookMs = sql`(extract(epoch from ${reviewItems.decidedAt} - ${reviewItems.createdAt}) * 1000)::float8`
const medianMs = (condition: SQL) =>
  sql<number | null>`percentile_cont(0.5) within group (order by ${tookMs}) filter (where ${condition})`
const isDecided = sql`${reviewItems.state} in ${decidedStates}`
const isOverturned = sql`${reviewItems.state} in ('edited', 'rejected')`
const isReal = sql`not ${reviewItems.seeded}`
const count = (condition: SQL) => sql<number>`(count(*) filter (where ${condition}))::int`

type Span = { from: Date; to: Date }
const within = (column: SQL | typeof reviewItems.decidedAt | typeof reviewItems.createdAt, { from, to }: Span): SQL =>
  sql`${column} >= ${from.toISOString()}::timestamptz and ${column} < ${to.toISOString()}::timestamptz`

/** How long decisions on held answers took, in the middle; null under `least` of them. */
export const getUsualDecisionMs = async (
  db: Reader,
  workspaceId: string,
  { days, least }: { days: number; least: number },
): Promise<number | null> => {
  const [found] = await db
    .select({ decisions: count(isDecided), ms: medianMs(isDecided) })
    .from(reviewItems)
    .where(
      and(
        eq(reviewItems.workspaceId, workspaceId),
        gt(reviewItems.decidedAt, sql`now() - make_interval(days => ${days}::int)`),
        eq(reviewItems.held, true),
        isReal,
      ),
    )
  return found && found.decisions >= least && found.ms !== null ? Math.round(found.ms) : null
}

/** Known errors wait like everything else: what is left out here and not in the queue could be told from the difference. */
const getBacklog = async (db: Reader, workspaceId: string): Promise<ReviewMetrics['backlog'] & { seeds: number }> => {
  const [found] = await db
    .select({
      open: count(sql`true`),
      held: count(sql`${reviewItems.held}`),
      late: count(sql`${reviewItems.dueAt} < now()`),
      seeds: count(sql`${reviewItems.seeded}`),
      oldestMs: sql<number | null>`(extract(epoch from now() - min(${reviewItems.createdAt})) * 1000)::float8`,
    })
    .from(reviewItems)
    .where(and(eq(reviewItems.workspaceId, workspaceId), eq(reviewItems.state, 'open')))
  return found ?? { open: 0, held: 0, late: 0, seeds: 0, oldestMs: null }
}

const getDecisions = async (db: Reader, workspaceId: string, span: Span) => {
  const [found] = await db
    .select({
      approved: count(sql`${isReal} and ${reviewItems.state} = 'approved'`),
      edited: count(sql`${isReal} and ${reviewItems.state} = 'edited'`),
      rejected: count(sql`${isReal} and ${reviewItems.state} = 'rejected'`),
      expired: count(sql`${isReal} and ${reviewItems.state} = 'expired'`),
      withdrawn: count(sql`${isReal} and ${reviewItems.state} = 'withdrawn'`),
      seeds: count(sql`${reviewItems.seeded} and ${isDecided}`),
      caught: count(sql`${reviewItems.seeded} and ${isOverturned}`),
      p50Ms: medianMs(sql`${isReal} and ${isDecided}`),
      p90Ms: sql<
        number | null
      >`percentile_cont(0.9) within group (order by ${tookMs}) filter (where ${isReal} and ${isDecided})`,
    })
    .from(reviewItems)
    .where(and(eq(reviewItems.workspaceId, workspaceId), within(reviewItems.decidedAt, span)))
  if (!found) throw new Error('a count without a row')
  return found
}

/** Known errors among them, as in the backlog. */
const listDays = async (
  db: Reader,
  workspaceId: string,
  column: typeof reviewItems.decidedAt | typeof reviewItems.createdAt,
  span: Span,
  condition: SQL,
): Promise<Map<string, number>> => {
  const day = sql<string>`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD')`
  const found = await db
    .select({ day, items: sql<number>`count(*)::int` })
    .from(reviewItems)
    .where(and(eq(reviewItems.workspaceId, workspaceId), within(column, span), condition))
    .groupBy(sql`1`)
  return new Map(found.map((one) => [one.day, one.items]))
}

/** Answers that two people decided on, or gave labels: how often they mean the same. */
const getAgreement = async (db: Reader, workspaceId: string, span: Span): Promise<ReviewMetrics['agreement']> => {
  const other = alias(reviewItems, 'other')
  const [decided] = await db
    .select({
      pairs: sql<number>`count(*)::int`,
      agreed: count(sql`(${reviewItems.state} = 'approved') = (${other.state} = 'approved')`),
    })
    .from(reviewItems)
    .innerJoin(
      other,
      and(
        eq(other.messageId, reviewItems.messageId),
        // What the first has changed is another answer to the second.
        eq(other.contentHash, reviewItems.contentHash),
        gt(other.id, reviewItems.id),
        ne(other.decidedBy, reviewItems.decidedBy),
        sql`${other.state} in ${decidedStates}`,
      ),
    )
    .where(and(eq(reviewItems.workspaceId, workspaceId), within(reviewItems.decidedAt, span), isDecided, isReal))
  const second = alias(labels, 'second')
  const [labelled] = await db
    .select({
      pairs: sql<number>`count(*)::int`,
      agreed: count(sql`${labels.scores} ->> 'correct' = ${second.scores} ->> 'correct'`),
    })
    .from(labels)
    .innerJoin(second, and(eq(second.messageId, labels.messageId), gt(second.raterId, labels.raterId)))
    .where(
      and(
        eq(labels.workspaceId, workspaceId),
        sql`${labels.createdAt} >= ${span.from.toISOString()}::timestamptz and ${labels.createdAt} < ${span.to.toISOString()}::timestamptz`,
      ),
    )
  return {
    pairs: (decided?.pairs ?? 0) + (labelled?.pairs ?? 0),
    agreed: (decided?.agreed ?? 0) + (labelled?.agreed ?? 0),
  }
}

const listReviewerFigures = async (db: Reader, workspaceId: string, span: Span): Promise<ReviewerFigures[]> => {
  const found = await db
    .select({
      id: users.id,
      name: users.name,
      decisions: count(isReal),
      overturned: count(sql`${isReal} and ${isOverturned}`),
      medianMs: medianMs(isReal),
      seeds: count(sql`${reviewItems.seeded}`),
      caught: count(sql`${reviewItems.seeded} and ${isOverturned}`),
    })
    .from(reviewItems)
    .innerJoin(users, eq(users.id, reviewItems.decidedBy))
    .where(and(eq(reviewItems.workspaceId, workspaceId), within(reviewItems.decidedAt, span), isDecided))
    .groupBy(users.id, users.name)
    .orderBy(asc(users.name), asc(users.id))
  return found.map((one) => ({ ...one, medianMs: one.medianMs === null ? null : Math.round(one.medianMs) }))
}

const dayMs = 86_400_000

/** Figures of a stretch of whole UTC days; counts alone, of all the workspace's items. `people`: of each reviewer too. */
export const getReviewMetrics = async (
  db: Reader,
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  { people, ...span }: Span & { people: boolean },
): Promise<ReviewMetrics> => {
  const [backlog, decisions, arrived, decided, agreement, reviewers] = await Promise.all([
    getBacklog(db, workspaceId),
    getDecisions(db, workspaceId, span),
    listDays(db, workspaceId, reviewItems.createdAt, span, sql`true`),
    listDays(db, workspaceId, reviewItems.decidedAt, span, isDecided),
    getAgreement(db, workspaceId, span),
    people ? listReviewerFigures(db, workspaceId, span) : null,
  ])
  const { seeds, caught, p50Ms, p90Ms, ...ends } = decisions
  const { seeds: seedsOpen, ...waiting } = backlog
  const made = ends.approved + ends.edited + ends.rejected
  const days: ReviewMetrics['days'] = []
  for (let at = span.from.getTime(); at < span.to.getTime(); at += dayMs) {
    const day = new Date(at).toISOString().slice(0, 10)
    days.push({ day, arrived: arrived.get(day) ?? 0, decided: decided.get(day) ?? 0 })
  }
  return {
    backlog: { ...waiting, oldestMs: waiting.oldestMs === null ? null : Math.round(waiting.oldestMs) },
    days,
    decisions: ends,
    timeToDecision: p50Ms === null || p90Ms === null ? null : { p50Ms: Math.round(p50Ms), p90Ms: Math.round(p90Ms) },
    overturnRate: made === 0 ? null : (ends.edited + ends.rejected) / made,
    agreement,
    seeds: { open: people ? seedsOpen : null, decided: seeds, caught },
    reviewers,
  }
}
