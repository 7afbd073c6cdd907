/** Review items: answers that wait for a person. Times are the database's: leases, SLAs and ends do not depend on the clock of who asks. */
import { and, asc, desc, eq, inArray, isNull, lte, ne, notInArray, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Citation, MessageMetadata, MessageStatus } from '#lib/shared/chat-contract.ts'
import type { ReviewDecision, ReviewFilter, ReviewState } from '#lib/shared/review-contract.ts'
import { can, type Reader, type Role, roles, type Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import {
  decidableBy,
  decidesIn,
  isClaimed,
  isReviewer,
  meetsFilter,
  openCollectionIds,
  reviewableBy,
  reviewOrders,
  sourcesOpenTo,
} from '../reviewable.ts'
import {
  answerCache,
  chunks,
  citations,
  collections,
  documents,
  memberships,
  messages,
  reviewComments,
  reviewDrafts,
  reviewItems,
  users,
} from '../schema/index.ts'
import { everythingOf, visibleTo } from '../visibility.ts'

type New = typeof reviewItems.$inferInsert
export type ReviewItem = typeof reviewItems.$inferSelect

/** Times are the database's: minutes from now, whatever the clock of who asks says. */
export type NewReviewItem = Omit<
  New,
  'state' | 'dueAt' | 'expiresAt' | 'claimedBy' | 'leaseUntil' | 'escalatedAt' | 'createdAt' | 'decidedAt' | 'decidedBy'
> & { slaMinutes: number; holdMinutes: number | null }

const inMinutes = (minutes: number) => sql`now() + make_interval(mins => ${minutes}::int)`

/** Opens an item, in the transaction that stores its answer. A message that has an open item keeps that one: false. */
export const insertReviewItem = async (
  tx: Tx,
  { slaMinutes, holdMinutes, ...item }: NewReviewItem,
): Promise<boolean> => {
  const made = await tx
    .insert(reviewItems)
    .values({
      ...item,
      dueAt: inMinutes(slaMinutes),
      expiresAt: holdMinutes === null ? null : inMinutes(holdMinutes),
    })
    .onConflictDoNothing()
    .returning({ id: reviewItems.id })
  return made.length > 0
}

/** A reviewer comes back to their item within so long, or another may take it. */
const leaseMinutes = 10

const isFree = ({ userId }: Viewer): SQL => sql`(${reviewItems.claimedBy} = ${userId} or not ${isClaimed})`
const isOpen = eq(reviewItems.state, 'open')
const taken = ({ userId }: Viewer) => ({ claimedBy: userId, leaseUntil: inMinutes(leaseMinutes) })

/** One claim of a person after the other, so that what they hold can be counted. Taken before any row. */
export const lockClaims = async (tx: Tx, { workspaceId, userId }: Viewer): Promise<void> => {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`review ${workspaceId} ${userId}`}, 0))`)
}

/** How many open items the person holds and can open, `except` aside. */
export const countClaims = async (tx: Tx, viewer: Viewer, except: string | null = null): Promise<number> => {
  const { workspaceId, userId } = viewer
  const [found] = await tx
    .select({ claims: sql<number>`count(*)::int` })
    .from(reviewItems)
    .where(
      and(
        eq(reviewItems.workspaceId, workspaceId),
        isOpen,
        eq(reviewItems.claimedBy, userId),
        isClaimed,
        sourcesOpenTo(viewer),
        except ? ne(reviewItems.id, except) : undefined,
      ),
    )
  return found?.claims ?? 0
}

/** Takes or renews a claim; undefined when it is not open, not the viewer's to decide, or another has it. */
export const claimItem = async (
  tx: Tx,
  viewer: Viewer,
  itemId: string,
  { evenFromOthers = false } = {},
): Promise<{ until: Date } | undefined> => {
  const [claimed] = await tx
    .update(reviewItems)
    .set(taken(viewer))
    .where(and(eq(reviewItems.id, itemId), isOpen, decidableBy(viewer), evenFromOthers ? undefined : isFree(viewer)))
    .returning({ until: reviewItems.leaseUntil })
  return claimed?.until ? { until: claimed.until } : undefined
}

/**
 * The items that come next, kind after kind: an order over all of them would sort the whole queue for one. What another was to decide
 * on and is late is anybody's.
 */
const nextOf = ({ userId }: Viewer, seeded: boolean): SQL[] => {
  const kind = (wanted: boolean) =>
    sql`(${reviewItems.assignedTo} is null or ${reviewItems.escalatedAt} is not null) and ${reviewItems.seeded} = ${wanted}::boolean`
  return [sql`${reviewItems.assignedTo} = ${userId}`, kind(seeded), kind(!seeded)]
}

/**
 * Takes the next item that `filter` leaves, in its order: what is assigned to the viewer before all, then a known error or a real
 * answer as `seeded` wishes, then whatever there is. What another is taking at this moment is passed over, not waited for; so is what
 * draws from a document that is shut to the viewer, which would be claimed and never opened.
 */
export const claimNextItem = async (
  tx: Tx,
  viewer: Viewer,
  { filter, seeded, except }: { filter: ReviewFilter; seeded: boolean; except: readonly string[] },
): Promise<{ id: string; until: Date } | undefined> => {
  const wanted = and(
    meetsFilter(viewer, filter),
    except.length > 0 ? notInArray(reviewItems.id, [...except]) : undefined,
    sql`not ${isClaimed}`,
    decidableBy(viewer),
    sourcesOpenTo(viewer),
  )
  for (const kind of nextOf(viewer, seeded)) {
    const next = tx
      .select({ id: reviewItems.id })
      .from(reviewItems)
      .where(and(wanted, kind))
      .orderBy(...reviewOrders[filter.order])
      .limit(1)
      .for('update', { skipLocked: true })
    const [claimed] = await tx
      .update(reviewItems)
      .set(taken(viewer))
      .where(inArray(reviewItems.id, next))
      .returning({ id: reviewItems.id, until: reviewItems.leaseUntil })
    if (claimed?.until) return { id: claimed.id, until: claimed.until }
  }
  return undefined
}

export const releaseItem = async (db: Executor, viewer: Viewer, itemId: string): Promise<void> => {
  await db
    .update(reviewItems)
    .set({ claimedBy: null, leaseUntil: null })
    .where(
      and(
        eq(reviewItems.id, itemId),
        eq(reviewItems.workspaceId, viewer.workspaceId),
        isOpen,
        eq(reviewItems.claimedBy, viewer.userId),
      ),
    )
}

const decider = alias(users, 'decider')
const holder = alias(users, 'holder')

/** An item with the names of who decided on it and who has it, and whether that claim is still good. */
export type ItemState = { item: ReviewItem; decidedBy: string | null; holder: string | null; claimed: boolean }

const selectState = async (db: Executor, where: SQL | undefined): Promise<ItemState | undefined> => {
  const [found] = await db
    .select({
      item: reviewItems,
      decidedBy: decider.name,
      holder: holder.name,
      claimed: isClaimed,
    })
    .from(reviewItems)
    .leftJoin(decider, eq(decider.id, reviewItems.decidedBy))
    .leftJoin(holder, eq(holder.id, reviewItems.claimedBy))
    .where(where)
  return found
}

/** How an item stands, of those that the viewer may review; answers to their own questions are among them. */
export const getItemState = (db: Executor, viewer: Viewer, itemId: string): Promise<ItemState | undefined> =>
  selectState(db, and(eq(reviewItems.id, itemId), reviewableBy(viewer)))

export type LockedMessage = { id: string; text: string; status: MessageStatus; metadata: MessageMetadata }

/**
 * Locks an item for a decision, its message first: who asks again or deletes locks in the same order, so that none waits for another in
 * a circle. Only whether the viewer is a reviewer at all is asked here; `mayReview` asks the rest. Undefined when there is no such item.
 */
export const lockForDecision = async (
  tx: Tx,
  viewer: Viewer,
  itemId: string,
): Promise<(ItemState & { message: LockedMessage | null }) | undefined> => {
  const where = and(eq(reviewItems.id, itemId), eq(reviewItems.workspaceId, viewer.workspaceId), isReviewer(viewer))
  return lockItem(tx, itemId, where)
}

const lockItem = async (
  tx: Tx,
  itemId: string,
  where: SQL | undefined,
): Promise<(ItemState & { message: LockedMessage | null }) | undefined> => {
  const [named] = await tx.select({ messageId: reviewItems.messageId }).from(reviewItems).where(where)
  if (!named) return undefined
  const [message] = named.messageId
    ? await tx
        .select({ id: messages.id, text: messages.text, status: messages.status, metadata: messages.metadata })
        .from(messages)
        .where(eq(messages.id, named.messageId))
        .for('update')
    : []
  await tx.select({ id: reviewItems.id }).from(reviewItems).where(eq(reviewItems.id, itemId)).for('update')
  const state = await selectState(tx, where)
  return state && { ...state, message: message ?? null }
}

/** Whether everything the item draws from is open to the viewer. */
export const mayReview = async (db: Executor, viewer: Viewer, itemId: string): Promise<boolean> => {
  const found = await db
    .select({ id: reviewItems.id })
    .from(reviewItems)
    .where(and(eq(reviewItems.id, itemId), reviewableBy(viewer)))
  return found.length > 0
}

export type SourceState = {
  documentId: string
  /** Null when the viewer may not know it. */
  name: string | null
  there: boolean
  openToReviewer: boolean
  openToAsker: boolean
}

/**
 * How the documents stand that an answer was written from, for who reviews it and for who asked. With `lock` they stay so until the
 * transaction ends. `askerId` null: nobody is to read it.
 */
export const listSourceStates = async (
  db: Executor,
  viewer: Viewer,
  { documentIds, askerId, lock = false }: { documentIds: readonly string[]; askerId: string | null; lock?: boolean },
): Promise<SourceState[]> => {
  const ids = [...new Set(documentIds)]
  if (ids.length === 0) return []
  // Of the whole workspace: a document that is closed to both is there all the same, and is not told of.
  const where = and(visibleTo(everythingOf(viewer.workspaceId)), inArray(documents.id, ids))
  if (lock) await db.select({ id: documents.id }).from(documents).where(where).orderBy(asc(documents.id)).for('share')
  const asker: Reader | null = askerId ? { workspaceId: viewer.workspaceId, userId: askerId } : null
  const found = await db
    .select({
      id: documents.id,
      name: documents.name,
      openToReviewer: sql<boolean>`(${visibleTo(viewer)})`,
      openToAsker: asker ? sql<boolean>`(${visibleTo(asker)})` : sql<boolean>`false`,
    })
    .from(documents)
    .where(where)
  const byId = new Map(found.map((one) => [one.id, one]))
  return ids.map((documentId) => {
    const one = byId.get(documentId)
    return {
      documentId,
      name: one?.openToReviewer ? one.name : null,
      there: one !== undefined,
      openToReviewer: one?.openToReviewer ?? false,
      openToAsker: one?.openToAsker ?? false,
    }
  })
}

export type CitedPassage = {
  chunkId: string
  text: string
  context: string
  headingPath: string[]
  charStart: number
  charEnd: number
  pageFrom: number | null
  pageTo: number | null
}

/** The passages that citations name, those that are still there and open to the viewer. */
export const listCitedPassages = async (
  db: Executor,
  viewer: Reader,
  cited: readonly Pick<Citation, 'chunkId' | 'versionId'>[],
): Promise<CitedPassage[]> => {
  const ids = [...new Set(cited.map(({ chunkId }) => chunkId))].filter((id) => /^\d{1,15}$/.test(id)).map(Number)
  if (ids.length === 0) return []
  const found = await db
    .select({
      chunkId: chunks.id,
      text: chunks.text,
      context: chunks.context,
      headingPath: chunks.headingPath,
      charStart: chunks.charStart,
      charEnd: chunks.charEnd,
      pageFrom: chunks.pageFrom,
      pageTo: chunks.pageTo,
    })
    .from(chunks)
    .innerJoin(documents, eq(documents.id, chunks.documentId))
    .where(
      and(
        visibleTo(viewer),
        inArray(chunks.id, ids),
        inArray(
          chunks.versionId,
          cited.map(({ versionId }) => versionId),
        ),
      ),
    )
  return found.map(({ chunkId, ...passage }) => ({ ...passage, chunkId: String(chunkId) }))
}

/** Ends an open item; its drafts have had their use. Returns when, by the database's clock. */
export const closeItem = async (
  tx: Tx,
  itemId: string,
  { state, by, decision }: { state: ReviewState; by: string | null; decision: ReviewDecision | null },
): Promise<Date> => {
  const [closed] = await tx
    .update(reviewItems)
    .set({ state, decidedAt: sql`now()`, decidedBy: by, decision, claimedBy: null, leaseUntil: null })
    .where(and(eq(reviewItems.id, itemId), isOpen))
    .returning({ decidedAt: reviewItems.decidedAt })
  if (!closed?.decidedAt) throw new Error('an item was closed that is not open')
  await tx.delete(reviewDrafts).where(eq(reviewDrafts.itemId, itemId))
  return closed.decidedAt
}

/** What its asker reads from now on. `cited` null leaves the citations as they are. */
export const rewriteMessage = async (
  tx: Tx,
  messageId: string,
  { cited, ...message }: { text: string; metadata: MessageMetadata; cited: readonly Citation[] | null },
): Promise<void> => {
  await tx
    .update(messages)
    .set({ ...message, status: 'complete' })
    .where(eq(messages.id, messageId))
  if (cited === null) return
  await tx.delete(citations).where(eq(citations.messageId, messageId))
  if (cited.length > 0)
    await tx
      .insert(citations)
      .values(cited.map(({ removed: _, closed: __, ...citation }) => ({ messageId, ...citation })))
}

/** Only what stands beside the answer changes. */
export const annotateMessage = async (tx: Tx, messageId: string, metadata: MessageMetadata): Promise<void> => {
  await tx.update(messages).set({ metadata }).where(eq(messages.id, messageId))
}

/** An answer that a person has overturned is given to nobody else from what was kept. */
export const forgetKeptAnswer = async (tx: Tx, { workspaceId }: Pick<Viewer, 'workspaceId'>, text: string) => {
  await tx.delete(answerCache).where(and(eq(answerCache.workspaceId, workspaceId), eq(answerCache.answer, text)))
}

export const getAddress = async (db: Executor, userId: string): Promise<string | undefined> => {
  const [found] = await db.select({ email: users.email }).from(users).where(eq(users.id, userId))
  return found?.email
}

/** False when the item is not open any more. */
export const assignItem = async (tx: Tx, itemId: string, userId: string): Promise<boolean> => {
  const assigned = await tx
    .update(reviewItems)
    .set({ assignedTo: userId, claimedBy: null, leaseUntil: null })
    .where(and(eq(reviewItems.id, itemId), isOpen))
    .returning({ id: reviewItems.id })
  return assigned.length > 0
}

export const insertComment = async (tx: Tx, comment: typeof reviewComments.$inferInsert): Promise<void> => {
  await tx.insert(reviewComments).values(comment)
}

/** Undefined when the item is not open any more. */
export const saveDraft = async (
  tx: Tx,
  draft: { itemId: string; userId: string; text: string; note: string },
): Promise<Date | undefined> => {
  // Not after a decision that has just thrown all drafts away.
  const [open] = await tx
    .select({ id: reviewItems.id })
    .from(reviewItems)
    .where(and(eq(reviewItems.id, draft.itemId), isOpen))
    .for('share')
  if (!open) return undefined
  const [saved] = await tx
    .insert(reviewDrafts)
    .values(draft)
    .onConflictDoUpdate({
      target: [reviewDrafts.itemId, reviewDrafts.userId],
      set: { text: draft.text, note: draft.note, updatedAt: sql`now()` },
    })
    .returning({ updatedAt: reviewDrafts.updatedAt })
  return saved?.updatedAt
}

type ReviewerRow = { id: string; name: string; role: Role }

/** Everybody who decides on answers in the workspace, by name. */
export const listActiveReviewers = (db: Executor, workspaceId: string): Promise<ReviewerRow[]> =>
  db
    .select({ id: users.id, name: users.name, role: memberships.role })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(
      and(
        eq(memberships.workspaceId, workspaceId),
        isNull(memberships.suspendedAt),
        inArray(
          memberships.role,
          roles.filter((role) => can({ role }, 'review.decide')),
        ),
      ),
    )
    .orderBy(asc(sql`lower(${users.name})`), asc(users.id))

/** So many people a statement. */
const peopleAtOnce = 100

/** Which collections are open to each of these people. */
export const listOpenToEach = async (
  db: Executor,
  workspaceId: string,
  people: readonly ReviewerRow[],
): Promise<Map<string, ReadonlySet<string>>> => {
  const open = new Map<string, ReadonlySet<string>>()
  for (let at = 0; at < people.length; at += peopleAtOnce) {
    const asked = people.slice(at, at + peopleAtOnce).map(({ id, role }) => {
      const viewer: Viewer = { userId: id, workspaceId, role, name: '', email: '' }
      return sql`select ${id}::text as id, to_json(${openCollectionIds(viewer)}) as open`
    })
    const found = await rows<{ id: string; open: string[] }>(db, sql.join(asked, sql` union all `))
    for (const one of found) open.set(one.id, new Set(one.open))
  }
  return open
}

type OpenGroup = { collectionIds: string[]; askerId: string | null; items: number; held: number; oldest: Date }

/** Open items of the workspace by what they draw from and who asked. */
export const listOpenGroups = (db: Executor, workspaceId: string): Promise<OpenGroup[]> =>
  db
    .select({
      collectionIds: reviewItems.collectionIds,
      askerId: reviewItems.askerId,
      items: sql<number>`count(*)::int`,
      held: sql<number>`(count(*) filter (where ${reviewItems.held}))::int`,
      oldest: sql<Date>`min(${reviewItems.createdAt})`.mapWith(reviewItems.createdAt),
    })
    .from(reviewItems)
    .where(and(eq(reviewItems.workspaceId, workspaceId), isOpen, eq(reviewItems.seeded, false)))
    .groupBy(reviewItems.collectionIds, reviewItems.askerId)

/** Names of collections of the workspace, whoever may read them; for who gives access. */
export const listNamesOfCollections = async (
  db: Executor,
  workspaceId: string,
  ids: readonly string[],
): Promise<Map<string, string>> => {
  if (ids.length === 0) return new Map()
  const found = await db
    .select({ id: collections.id, name: collections.name })
    .from(collections)
    .where(and(eq(collections.workspaceId, workspaceId), inArray(collections.id, [...ids])))
  return new Map(found.map(({ id, name }) => [id, name]))
}

/** Open items that should have been decided by now; the longest waiting first. */
export const listExpired = (db: Executor, limit: number): Promise<{ id: string; workspaceId: string }[]> =>
  db
    .select({ id: reviewItems.id, workspaceId: reviewItems.workspaceId })
    .from(reviewItems)
    .where(and(isOpen, lte(reviewItems.expiresAt, sql`now()`)))
    .orderBy(asc(reviewItems.expiresAt))
    .limit(limit)

/** Locks one of them, as `lockForDecision` does; undefined when somebody decided meanwhile. */
export const lockExpired = (
  tx: Tx,
  itemId: string,
): Promise<(ItemState & { message: LockedMessage | null }) | undefined> =>
  lockItem(tx, itemId, and(eq(reviewItems.id, itemId), isOpen, lte(reviewItems.expiresAt, sql`now()`)))

export type LateItem = { id: string; workspaceId: string; seeded: boolean; held: boolean }

/** Marks what has passed its SLA, once; returns it. */
export const raiseLate = (tx: Tx, limit: number): Promise<LateItem[]> => {
  const late = tx
    .select({ id: reviewItems.id })
    .from(reviewItems)
    .where(and(isOpen, lte(reviewItems.dueAt, sql`now()`), isNull(reviewItems.escalatedAt)))
    .orderBy(asc(reviewItems.workspaceId), asc(reviewItems.dueAt))
    .limit(limit)
    .for('update', { skipLocked: true })
  return tx.update(reviewItems).set({ escalatedAt: sql`now()` }).where(inArray(reviewItems.id, late)).returning({
    id: reviewItems.id,
    workspaceId: reviewItems.workspaceId,
    seeded: reviewItems.seeded,
    held: reviewItems.held,
  })
}

export const listManagers = async (db: Executor, workspaceId: string): Promise<string[]> =>
  (await listActiveReviewers(db, workspaceId)).flatMap((one) => (can(one, 'review.manage') ? [one.id] : []))

/**
 * Answers that a person has approved, that stand as they were approved, and that no open known error is made of: the newest, of those
 * the viewer may review.
 */
export const listSeedable = async (db: Executor, viewer: Viewer, limit: number): Promise<ReviewItem[]> => {
  const seed = alias(reviewItems, 'seed')
  const made = db
    .select({ one: sql`1` })
    .from(seed)
    .where(
      and(
        eq(seed.workspaceId, viewer.workspaceId),
        eq(seed.seeded, true),
        eq(seed.state, 'open'),
        sql`${seed.content} #>> '{seed,itemId}' = ${reviewItems.id}::text`,
      ),
    )
  return db
    .select()
    .from(reviewItems)
    .where(
      and(
        reviewableBy(viewer),
        eq(reviewItems.state, 'approved'),
        eq(reviewItems.seeded, false),
        ne(reviewItems.question, ''),
        sql`jsonb_array_length(${reviewItems.content} -> 'citations') > 0`,
        sql`exists (select from ${messages} where ${messages.id} = ${reviewItems.messageId} and ${messages.text} = ${reviewItems.content} ->> 'text')`,
        sql`not exists (${made})`,
      ),
    )
    .orderBy(desc(reviewItems.decidedAt))
    .limit(limit)
}

/** A known error goes with the answer that it was made of: its words were that person's. How it was decided stays. */
export const emptyOrphanSeeds = async (db: Executor): Promise<void> => {
  await db.execute(sql`select empty_reviews(array(
    select s.id from review_items s where s.seeded and s.question <> '' and not exists (
      select from review_items o where o.id = (s.content #>> '{seed,itemId}')::uuid and o.question <> '')))`)
}

/** Whose turn it is has to be able to take it: what is assigned to who decides no longer is anybody's again. */
export const freeAbandoned = async (db: Executor): Promise<void> => {
  await db
    .update(reviewItems)
    .set({ assignedTo: null })
    .where(
      and(
        isOpen,
        sql`${reviewItems.assignedTo} is not null`,
        sql`not (${decidesIn(sql`${reviewItems.workspaceId}`, sql`${reviewItems.assignedTo}`)})`,
      ),
    )
}

/** What was being written of items that ended without a decision: their answers are nobody's to keep. */
export const deleteEndedDrafts = async (db: Executor): Promise<void> => {
  const ended = db.select({ id: reviewItems.id }).from(reviewItems).where(ne(reviewItems.state, 'open'))
  await db.delete(reviewDrafts).where(inArray(reviewDrafts.itemId, ended))
}

/** What a webhook is told of a decision. */
export const getDelivery = async (db: Executor, workspaceId: string, itemId: string) => {
  const [found] = await db
    .select({
      id: reviewItems.id,
      chatId: reviewItems.chatId,
      messageId: reviewItems.messageId,
      state: reviewItems.state,
      decidedAt: reviewItems.decidedAt,
    })
    .from(reviewItems)
    .where(and(eq(reviewItems.id, itemId), eq(reviewItems.workspaceId, workspaceId)))
  return found
}

/** Reasons of open items that were shown already, of those that the viewer may decide on. */
export const listBulkReasons = async (
  db: Executor,
  viewer: Viewer,
  itemIds: readonly string[],
): Promise<Map<string, { kind: ReviewItem['kind']; reason: string }>> => {
  const found = await db
    .select({ id: reviewItems.id, kind: reviewItems.kind, reason: reviewItems.reason })
    .from(reviewItems)
    .where(and(decidableBy(viewer), inArray(reviewItems.id, [...itemIds])))
  return new Map(found.map(({ id, ...one }) => [id, one]))
}
