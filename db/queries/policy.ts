/** Versions and drafts of a workspace's rules, and the answers that a draft is tried on. Every statement names the workspace. */
import { and, desc, eq, inArray, lt, ne, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { MessageMetadata } from '#lib/shared/chat-contract.ts'
import type { DraftState } from '#lib/shared/policy-contract.ts'
import type { Role, Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows } from '../client.ts'
import { collections, policyDrafts, settingsVersions, users } from '../schema/index.ts'

type Inside = Pick<Viewer, 'workspaceId'>

const saver = alias(users, 'saver')
const approver = alias(users, 'approver')

export type StoredVersion = {
  version: number
  settings: Record<string, unknown>
  savedBy: string | null
  approvedBy: string | null
  reason: string
  at: Date
}

const selectVersions = (db: Executor, condition: SQL | undefined) =>
  db
    .select({
      version: settingsVersions.version,
      settings: settingsVersions.settings,
      savedBy: saver.name,
      approvedBy: approver.name,
      reason: settingsVersions.reason,
      at: settingsVersions.at,
    })
    .from(settingsVersions)
    .leftJoin(saver, eq(saver.id, settingsVersions.savedBy))
    .leftJoin(approver, eq(approver.id, settingsVersions.approvedBy))
    .where(condition)

/** Newest first; `before`: those older than that version. */
export const listSettingsVersions = (
  db: Executor,
  { workspaceId }: Inside,
  { limit, before }: { limit: number; before?: number | undefined },
): Promise<StoredVersion[]> =>
  selectVersions(
    db,
    and(
      eq(settingsVersions.workspaceId, workspaceId),
      before === undefined ? undefined : lt(settingsVersions.version, before),
    ),
  )
    .orderBy(desc(settingsVersions.version))
    .limit(limit)

export const getSettingsVersion = async (
  db: Executor,
  { workspaceId }: Inside,
  version: number,
): Promise<StoredVersion | undefined> => {
  const [found] = await selectVersions(
    db,
    and(eq(settingsVersions.workspaceId, workspaceId), eq(settingsVersions.version, version)),
  )
  return found
}

export type StoredDraft = {
  id: string
  basedOn: number
  policy: Record<string, unknown>
  reason: string
  state: DraftState
  createdBy: string | null
  author: string | null
  updatedAt: Date
}

const draftColumns = {
  id: policyDrafts.id,
  basedOn: policyDrafts.basedOn,
  policy: policyDrafts.policy,
  reason: policyDrafts.reason,
  state: policyDrafts.state,
  createdBy: policyDrafts.createdBy,
  author: users.name,
  updatedAt: policyDrafts.updatedAt,
}

const selectDrafts = (db: Executor, condition: SQL | undefined) =>
  db
    .select(draftColumns)
    .from(policyDrafts)
    .leftJoin(users, eq(users.id, policyDrafts.createdBy))
    .where(condition)
    .orderBy(desc(policyDrafts.updatedAt))

const ownedBy = ({ workspaceId, userId }: Pick<Viewer, 'workspaceId' | 'userId'>) =>
  and(eq(policyDrafts.workspaceId, workspaceId), eq(policyDrafts.createdBy, userId))
const undecided = inArray(policyDrafts.state, ['open', 'proposed'])

/** The viewer's own draft, open or proposed. */
export const getOwnDraft = async (db: Executor, viewer: Viewer): Promise<StoredDraft | undefined> => {
  const [found] = await selectDrafts(db, and(ownedBy(viewer), undecided))
  return found
}

/** The draft that the viewer made last, when it was rejected. */
export const getRejected = async (
  db: Executor,
  viewer: Viewer,
): Promise<{ policy: Record<string, unknown>; by: string | null; at: Date | null } | undefined> => {
  const [last] = await db
    .select({ state: policyDrafts.state, policy: policyDrafts.policy, by: users.name, at: policyDrafts.decidedAt })
    .from(policyDrafts)
    .leftJoin(users, eq(users.id, policyDrafts.decidedBy))
    .where(ownedBy(viewer))
    .orderBy(desc(policyDrafts.createdAt), desc(policyDrafts.id))
    .limit(1)
  return last?.state === 'rejected' ? last : undefined
}

/** An undecided draft that the viewer may act on: their own, or one that is proposed. Locked until the transaction ends. */
export const lockDraft = async (db: Executor, viewer: Viewer, id: string): Promise<StoredDraft | undefined> => {
  const [locked] = await db
    .select({ id: policyDrafts.id })
    .from(policyDrafts)
    .where(and(eq(policyDrafts.workspaceId, viewer.workspaceId), eq(policyDrafts.id, id), undecided))
    .for('update')
  if (!locked) return undefined
  const [found] = await selectDrafts(db, eq(policyDrafts.id, id))
  return found && (found.createdBy === viewer.userId || found.state === 'proposed') ? found : undefined
}

/** What others propose, last changed first. */
export const listProposals = (db: Executor, { workspaceId, userId }: Viewer): Promise<StoredDraft[]> =>
  selectDrafts(
    db,
    and(
      eq(policyDrafts.workspaceId, workspaceId),
      eq(policyDrafts.state, 'proposed'),
      sql`${policyDrafts.createdBy} is distinct from ${userId}`,
    ),
  )

type NewDraft = Pick<StoredDraft, 'id' | 'basedOn' | 'policy' | 'reason' | 'state' | 'updatedAt'>

/** False when the viewer has an undecided draft already. */
export const insertDraft = async (db: Executor, viewer: Viewer, draft: NewDraft): Promise<boolean> => {
  const made = await db
    .insert(policyDrafts)
    .values({
      ...draft,
      workspaceId: viewer.workspaceId,
      createdBy: viewer.userId,
      createdAt: draft.updatedAt,
    })
    .onConflictDoNothing()
    .returning({ id: policyDrafts.id })
  return made.length > 0
}

/** The caller has locked it. */
export const updateDraft = async (
  db: Executor,
  id: string,
  changes: Partial<Pick<StoredDraft, 'basedOn' | 'policy' | 'reason' | 'state' | 'updatedAt'>>,
): Promise<void> => {
  await db.update(policyDrafts).set(changes).where(eq(policyDrafts.id, id))
}

/** Ends a draft; `note` is kept with it, in the words of who decided. The caller has locked it. */
export const decideDraft = async (
  db: Executor,
  { id, state, by, at, note = '' }: { id: string; state: DraftState; by: string; at: Date; note?: string },
): Promise<void> => {
  await db
    .update(policyDrafts)
    .set({
      state,
      decidedBy: by,
      decidedAt: at,
      updatedAt: at,
      ...(note ? { policy: sql`${policyDrafts.policy} || ${JSON.stringify({ note })}::jsonb` } : {}),
    })
    .where(and(eq(policyDrafts.id, id), ne(policyDrafts.state, state)))
}

/** Every collection of the workspace by its name: a policy names also those that an admin may not read. */
export const listCollectionNames = (db: Executor, { workspaceId }: Inside): Promise<{ id: string; name: string }[]> =>
  db
    .select({ id: collections.id, name: collections.name })
    .from(collections)
    .where(eq(collections.workspaceId, workspaceId))
    .orderBy(collections.name)

export type StoredAnswer = {
  messageId: string
  traceId: string | null
  question: string
  /** As the trace keeps it, masked; null where there is none. */
  maskedQuestion: string | null
  text: string
  metadata: MessageMetadata
  citations: number
  /** Of who asked, as it is now; null: they are no member any more. */
  role: Role | null
  at: Date
}

type AnswersAsked = { since: Date; newest: number }

/** Answers from documents since then, the newest of them; what was withheld has no text to judge. */
const newestAnswers = ({ workspaceId }: Inside, { since, newest }: AnswersAsked): SQL => sql`
  select m.id, m.question_id, m.text, m.metadata, m.created_at, c.user_id, row_number() over (order by m.created_at desc, m.id desc) as place
  from messages m join chats c on c.id = m.chat_id
  where c.workspace_id = ${workspaceId} and m.role = 'assistant' and m.status = 'complete' and m.created_at >= ${since.toISOString()}::timestamptz
    and m.metadata ->> 'route' in ('retrieval', 'cache') and m.metadata -> 'withheld' is null and m.text <> ''
  order by m.created_at desc, m.id desc limit ${newest}`

export const countAnswers = async (db: Executor, viewer: Inside, asked: AnswersAsked): Promise<number> => {
  const [found] = await rows<{ n: number }>(
    db,
    sql`select count(*)::int as n from (${newestAnswers(viewer, asked)}) answers`,
  )
  return found?.n ?? 0
}

/** Some of those answers, newest first, from behind the place `after`. */
export const listAnswers = async (
  db: Executor,
  viewer: Inside,
  { after, limit, ...asked }: AnswersAsked & { after: number; limit: number },
): Promise<StoredAnswer[]> => {
  const found = await rows<Omit<StoredAnswer, 'at'> & { at: string | Date }>(
    db,
    sql`select m.id as "messageId", t.id as "traceId", coalesce(q.text, '') as question, t.question as "maskedQuestion",
        m.text, m.metadata, m.created_at as at,
        (select count(*)::int from citations where citations.message_id = m.id) as citations,
        (select role from memberships s where s.workspace_id = ${viewer.workspaceId} and s.user_id = m.user_id) as role
      from (${newestAnswers(viewer, asked)}) m
      left join messages q on q.id = m.question_id
      left join traces t on t.message_id = m.id
      where m.place > ${after} and m.place <= ${after + limit}
      order by m.place`,
  )
  return found.map((one) => ({ ...one, at: new Date(one.at) }))
}
