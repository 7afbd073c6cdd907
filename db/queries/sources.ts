/**
 * Sources, what they were seen to hold, and the documents that came of it. Every write of a run names its attempt and changes
 * nothing once a later one has begun, or once the source was paused, changed or deleted: each of these counts the attempt up. A run
 * counts all that its source has brought, whoever may read it; people see and change the sources of collections that they read.
 */
import { and, eq, inArray, isNull, lt, ne, notExists, or, type SQL, sql } from 'drizzle-orm'
import type { SourceState, SourceTally } from '#lib/shared/sources-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { type Db, type Executor, rows, type Tx } from '../client.ts'
import { collections, documents, memberships, sourceItems, sources, users } from '../schema/index.ts'
import { collectionOpenTo, everythingOf, visibleTo } from '../visibility.ts'
import { getOpenCollection } from './documents.ts'

type Owner = Pick<Viewer, 'workspaceId'>
export type StoredSource = typeof sources.$inferSelect

const ownedBy = ({ workspaceId }: Owner, id: string): SQL | undefined =>
  and(eq(sources.workspaceId, workspaceId), eq(sources.id, id))

/** The source, when the viewer may add to its collection, locked until the transaction ends. */
export const getSource = async (tx: Tx, viewer: Viewer, id: string): Promise<StoredSource | undefined> => {
  const open = tx.select({ id: collections.id }).from(collections).where(collectionOpenTo(viewer, 'contribute'))
  const [found] = await tx
    .select()
    .from(sources)
    .where(and(ownedBy(viewer, id), inArray(sources.collectionId, open)))
    .for('update')
  return found
}

type SourceValues = Pick<StoredSource, 'name' | 'config' | 'everyMinutes'>

/** False when another source of the workspace has the name. */
export const insertSource = async (
  tx: Tx,
  { userId, workspaceId }: Viewer,
  source: Pick<StoredSource, 'id' | 'kind' | 'collectionId'> & SourceValues,
): Promise<boolean> => {
  const made = await tx
    .insert(sources)
    .values({ ...source, workspaceId, createdBy: userId })
    .onConflictDoNothing()
    .returning({ id: sources.id })
  return made.length > 0
}

/**
 * Changes a source, ends what runs with the old settings, and from now on runs it on behalf of who changed it. False when another one
 * has the name. The row must be locked.
 */
export const updateSource = async (tx: Tx, viewer: Viewer, id: string, values: SourceValues): Promise<boolean> => {
  const [other] = await tx
    .select({ id: sources.id })
    .from(sources)
    .where(and(eq(sources.workspaceId, viewer.workspaceId), eq(sources.name, values.name), ne(sources.id, id)))
  if (other) return false
  await tx
    .update(sources)
    .set({ ...values, ...stillness, createdBy: viewer.userId })
    .where(ownedBy(viewer, id))
  return true
}

/** As a source is when nothing runs; what ran is fenced off. */
const stillness = {
  state: 'idle' as const,
  failure: null,
  progressDone: 0,
  progressTotal: 0,
  attempt: sql`${sources.attempt} + 1`,
}

/** Takes the schedule away and ends what runs. */
export const pauseSource = async (tx: Tx, viewer: Owner, id: string): Promise<void> => {
  await tx
    .update(sources)
    .set({ ...stillness, everyMinutes: null })
    .where(ownedBy(viewer, id))
}

/** Deletes the source and what is known of it; its documents stay. */
export const deleteSource = async (db: Executor, viewer: Owner, id: string): Promise<void> => {
  await db.delete(sources).where(ownedBy(viewer, id))
}

const queued = { state: 'queued' as const, failure: null, progressDone: 0, progressTotal: 0 }

/** Marks a source that does not run as about to; false when it runs already or is not there. */
export const queueSource = async (tx: Tx, viewer: Owner, id: string): Promise<boolean> => {
  const marked = await tx
    .update(sources)
    .set(queued)
    .where(and(ownedBy(viewer, id), inArray(sources.state, ['idle', 'failed'])))
    .returning({ id: sources.id })
  return marked.length > 0
}

/** Marks a source as about to go with its documents, on behalf of the viewer; what ran is fenced off. */
export const queueRemoval = async (tx: Tx, viewer: Viewer, id: string, words: string): Promise<void> => {
  await tx
    .update(sources)
    .set({ ...stillness, ...queued, everyMinutes: null, failure: words, createdBy: viewer.userId })
    .where(ownedBy(viewer, id))
}

/** Marks every source whose time has come, by the database's clock, and returns them. */
export const queueDueSources = async (tx: Tx): Promise<string[]> => {
  const due = await tx
    .update(sources)
    .set(queued)
    .where(
      and(
        inArray(sources.state, ['idle', 'failed']),
        sql`coalesce(${sources.lastStartedAt}, ${sources.createdAt})
          + make_interval(mins => ${sources.everyMinutes}) <= now()`,
      ),
    )
    .returning({ id: sources.id })
  return due.map(({ id }) => id)
}

/** The queue gave the run up: the source says so instead of standing still. */
export const failSource = async (db: Executor, id: string, failure: string): Promise<void> => {
  await db
    .update(sources)
    .set({ ...stillness, state: 'failed', failure, lastEndedAt: sql`now()` })
    .where(and(eq(sources.id, id), inArray(sources.state, ['queued', 'running'])))
}

export type SourceClaim = {
  sourceId: string
  attempt: number
  workspaceId: string
  collectionId: string
  kind: string
  config: Record<string, unknown>
  /** Who made it, with the role of this moment; null when that person is no longer a member, or suspended. */
  maker: Viewer | null
  /** Whether its maker may add to its collection. */
  open: boolean
}

/** Begins a run; undefined when the source is gone or nobody waits for one. */
export const claimSource = async (db: Executor, sourceId: string): Promise<SourceClaim | undefined> => {
  const [claimed] = await db
    .update(sources)
    .set({
      state: 'running',
      attempt: sql`${sources.attempt} + 1`,
      progressDone: 0,
      progressTotal: 0,
      lastStartedAt: sql`now()`,
    })
    .where(and(eq(sources.id, sourceId), inArray(sources.state, ['queued', 'running'])))
    .returning()
  if (!claimed) return undefined
  const { attempt, workspaceId, collectionId, kind, config, createdBy } = claimed
  const [maker] = await db
    .select({
      userId: users.id,
      workspaceId: memberships.workspaceId,
      role: memberships.role,
      name: users.name,
      email: users.email,
    })
    .from(users)
    .innerJoin(
      memberships,
      and(eq(memberships.userId, users.id), eq(memberships.workspaceId, workspaceId), isNull(memberships.suspendedAt)),
    )
    .where(eq(users.id, sql`${createdBy}::uuid`))
  const open = maker !== undefined && (await getOpenCollection(db, maker, collectionId)) !== undefined
  return { sourceId, attempt, workspaceId, collectionId, kind, config, maker: maker ?? null, open }
}

type Claim = Pick<SourceClaim, 'sourceId' | 'attempt'>

const mine = ({ sourceId, attempt }: Claim): SQL | undefined =>
  and(eq(sources.id, sourceId), eq(sources.attempt, attempt))

/** Writes how far the run is; false when it is no longer the current one. */
export const setSourceProgress = async (
  db: Executor,
  claim: Claim,
  { done, total }: { done: number; total: number },
): Promise<boolean> => {
  const kept = await db
    .update(sources)
    .set({ progressDone: done, progressTotal: total })
    .where(mine(claim))
    .returning({ id: sources.id })
  return kept.length > 0
}

export const endSource = async (
  db: Executor,
  claim: Claim,
  end: { state: Extract<SourceState, 'idle' | 'failed'>; failure: string | null; tally: SourceTally },
): Promise<void> => {
  await db
    .update(sources)
    .set({ ...end, lastEndedAt: sql`now()` })
    .where(mine(claim))
}

export type SourceItemRow = {
  uri: string
  fingerprint: string | null
  documentId: string | null
  failure: string | null
}

/** Everything that the source was seen to hold. */
export const listSourceItems = (db: Executor, { sourceId }: Claim): Promise<SourceItemRow[]> =>
  db
    .select({
      uri: sourceItems.uri,
      fingerprint: sourceItems.fingerprint,
      documentId: sourceItems.documentId,
      failure: sourceItems.failure,
    })
    .from(sourceItems)
    .where(eq(sourceItems.sourceId, sourceId))

/** Records what became of an item in this run; false when it is no longer the current one. */
export const keepSourceItem = async (db: Executor, claim: Claim, item: SourceItemRow): Promise<boolean> => {
  const kept = await rows<{ uri: string }>(
    db,
    sql`insert into ${sourceItems} (source_id, uri, document_id, fingerprint, failure, seen_attempt)
      select ${sources.id}, ${item.uri}, ${item.documentId}::uuid, ${item.fingerprint}, ${item.failure}, ${sources.attempt}
      from ${sources} where ${mine(claim)}
      on conflict (source_id, uri) do update set document_id = excluded.document_id, fingerprint = excluded.fingerprint,
        failure = excluded.failure, seen_attempt = excluded.seen_attempt, seen_at = now()
      returning uri`,
  )
  return kept.length > 0
}

const isCurrent = (db: Executor, claim: Claim): SQL =>
  sql`exists ${db.select({ one: sql`1` }).from(sources).where(mine(claim))}`

/** Marks items that did not change as seen in this run. */
export const markItemsSeen = async (db: Executor, claim: Claim, uris: readonly string[]): Promise<void> => {
  if (uris.length === 0) return
  await db
    .update(sourceItems)
    .set({ seenAttempt: claim.attempt, seenAt: sql`now()` })
    .where(and(eq(sourceItems.sourceId, claim.sourceId), inArray(sourceItems.uri, [...uris]), isCurrent(db, claim)))
}

export type GoneItem = { uri: string; documentId: string | null }

/** Items that a complete run did not see, in the order of their addresses. */
export const listGoneItems = (db: Executor, { sourceId, attempt }: Claim): Promise<GoneItem[]> =>
  db
    .select({ uri: sourceItems.uri, documentId: sourceItems.documentId })
    .from(sourceItems)
    .where(and(eq(sourceItems.sourceId, sourceId), lt(sourceItems.seenAttempt, attempt)))
    .orderBy(sourceItems.uri)

export const forgetItem = async (db: Executor, claim: Claim, uri: string): Promise<void> => {
  await db
    .delete(sourceItems)
    .where(and(eq(sourceItems.sourceId, claim.sourceId), eq(sourceItems.uri, uri), isCurrent(db, claim)))
}

/** How many documents the source has brought, and how many of them nothing that was seen in this run stands for any more. */
export const countSourceDocuments = async (
  db: Executor,
  { sourceId, attempt, workspaceId }: Claim & Owner,
): Promise<{ all: number; gone: number }> => {
  const held = db
    .select({ one: sql`1` })
    .from(sourceItems)
    .where(
      and(
        eq(sourceItems.documentId, documents.id),
        or(ne(sourceItems.sourceId, sourceId), sql`${sourceItems.seenAttempt} >= ${attempt}`),
      ),
    )
  const [found] = await db
    .select({
      all: sql<number>`count(*)::int`,
      gone: sql<number>`(count(*) filter (where ${notExists(held)}))::int`,
    })
    .from(documents)
    .where(and(visibleTo(everythingOf(workspaceId)), eq(documents.sourceId, sourceId)))
  return found ?? { all: 0, gone: 0 }
}

/**
 * What is to become of a document that an item no longer stands for. `last`: this source brought it and nothing else holds it, so
 * it can be deleted; `held`: another item has the same bytes, and it belongs to that one from now on; `foreign`: a person or another
 * source brought it.
 */
export const releaseDocument = (
  db: Db,
  { sourceId, workspaceId }: Claim & Owner,
  { uri, documentId }: { uri: string; documentId: string },
): Promise<'last' | 'held' | 'foreign'> =>
  db.transaction(async (tx) => {
    const own = and(
      visibleTo(everythingOf(workspaceId)),
      eq(documents.id, documentId),
      eq(documents.sourceId, sourceId),
    )
    const [found] = await tx.select({ id: documents.id }).from(documents).where(own).for('update')
    if (!found) return 'foreign'
    const [holder] = await tx
      .select({ sourceId: sourceItems.sourceId, uri: sourceItems.uri })
      .from(sourceItems)
      .where(
        and(eq(sourceItems.documentId, documentId), or(ne(sourceItems.sourceId, sourceId), ne(sourceItems.uri, uri))),
      )
      // Of this source first: it has the document already.
      .orderBy(sql`${sourceItems.sourceId} <> ${sourceId}`, sourceItems.uri)
      .limit(1)
    if (!holder) return 'last'
    await tx.update(documents).set({ sourceId: holder.sourceId, sourceUri: holder.uri }).where(own)
    return 'held'
  })

/** Documents that the source has brought, some at a time. */
export const listSourceDocuments = async (
  db: Executor,
  { sourceId, workspaceId }: { sourceId: string } & Owner,
  limit: number,
): Promise<string[]> => {
  const found = await db
    .select({ id: documents.id })
    .from(documents)
    .where(and(visibleTo(everythingOf(workspaceId)), eq(documents.sourceId, sourceId)))
    .orderBy(documents.id)
    .limit(limit)
  return found.map(({ id }) => id)
}
