/**
 * What is older than a workspace wants to keep, by kind. A row exactly as old as the limit stays; what a legal hold covers stays, and of
 * the audit log everything from the first line that stays on.
 */
import { type SQL, sql } from 'drizzle-orm'
import { auditDaysMin, type RetentionKind } from '#lib/shared/policy-contract.ts'
import { type Database, type Executor, rows, type Tx } from '../client.ts'
import { heldIds, messagesOnHeldDocuments } from './legal-holds.ts'

type Limit = { workspaceId: string; before: Date }

/** Everything but the audit log: rows by themselves, each with its age and whether it is held. */
type Rule = { table: string; id: string; at: SQL; held: (workspaceId: string) => SQL; more?: SQL }

const ofHeldPerson = (workspaceId: string): SQL => sql`t.user_id in ${heldIds(workspaceId, 'person')}`
const ofHeldMessage = (workspaceId: string): SQL =>
  sql`(${ofHeldPerson(workspaceId)} or t.message_id in ${messagesOnHeldDocuments(workspaceId)})`

const rules: Record<Exclude<RetentionKind, 'audit'>, Rule> = {
  chats: {
    table: 'chats',
    id: 'id',
    at: sql`t.updated_at`,
    held: (workspaceId) => sql`(${ofHeldPerson(workspaceId)} or exists (
      select from messages m where m.chat_id = t.id and m.id in ${messagesOnHeldDocuments(workspaceId)}))`,
  },
  traces: { table: 'traces', id: 'id', at: sql`t.started_at`, held: ofHeldMessage },
  calls: { table: 'model_calls', id: 'id', at: sql`t.at`, held: ofHeldMessage },
  sessions: {
    table: 'sessions',
    id: 'id_hash',
    // One that is open is nobody's record yet.
    at: sql`coalesce(t.revoked_at, t.expires_at)`,
    held: ofHeldPerson,
  },
  exports: { table: 'task_runs', id: 'id', at: sql`t.ended_at`, held: ofHeldPerson },
}

const due = ({ at }: Rule, { workspaceId, before }: Limit): SQL =>
  sql`t.workspace_id = ${workspaceId} and ${at} < ${before.toISOString()}::timestamptz`

export type Due = { due: number; held: number; oldestDue: Date | null }

const asDate = (text: string | null): Date | null => (text === null ? null : new Date(text))
const timeText = (at: SQL): SQL => sql`to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** The first line of a workspace's audit log that stays, by its place; null when none does. */
const firstKept = (limit: Limit): SQL => {
  const { workspaceId, before } = limit
  // The database's own clock has the last word: it refuses what is younger than half a year.
  const from = sql`least(${before.toISOString()}::timestamptz, now() - make_interval(days => ${auditDaysMin}))`
  const held = sql`(l.actor_id in ${heldIds(workspaceId, 'person')} or l.object_id in (
    select h.object_id::text from legal_holds h where h.workspace_id = ${workspaceId} and h.released_at is null))`
  return sql`(select min(l.place) from audit_log l where l.workspace_id = ${workspaceId} and (l.at >= ${from} or ${held}))`
}

/** How much of a kind is due, and how much of that is held. */
export const countDue = async (db: Executor, kind: RetentionKind, limit: Limit): Promise<Due> => {
  const { workspaceId, before } = limit
  const rule = kind === 'audit' ? null : rules[kind]
  const [found] = await rows<{ due: number; held: number; oldest: string | null }>(
    db,
    rule
      ? sql`select count(*)::int as due, (count(*) filter (where ${rule.held(workspaceId)}))::int as held,
          ${timeText(sql`min(${rule.at})`)} as oldest from ${sql.identifier(rule.table)} t where ${due(rule, limit)}`
      : sql`select count(*)::int as due, (count(*) filter (where l.place >= coalesce(${firstKept(limit)}, l.place + 1)))::int as held,
          ${timeText(sql`min(l.at)`)} as oldest from audit_log l
          where l.workspace_id = ${workspaceId} and l.at < ${before.toISOString()}::timestamptz`,
  )
  return { due: found?.due ?? 0, held: found?.held ?? 0, oldestDue: asDate(found?.oldest ?? null) }
}

/** Deletes some of what is due of a kind, oldest first; how many went. Conversations take their messages and citations along. */
export const deleteDue = async (
  tx: Tx,
  kind: Exclude<RetentionKind, 'audit'>,
  limit: Limit & { most: number },
): Promise<number> => {
  const rule = rules[kind]
  const [table, id] = [sql.identifier(rule.table), sql.identifier(rule.id)]
  const [found] = await rows<{ n: number }>(
    tx,
    sql`with gone as (
        delete from ${table} where ${id} in (
          select t.${id} from ${table} t where ${due(rule, limit)} and not ${rule.held(limit.workspaceId)}
          order by ${rule.at} limit ${limit.most})
        returning 1)
      select count(*)::int as n from gone`,
  )
  return found?.n ?? 0
}

/** Kept answers as old as the conversations that they were made in: they name nobody, and go by age alone. */
export const deleteKeptAnswers = async (tx: Tx, { workspaceId, before }: Limit): Promise<void> => {
  await tx.execute(
    sql`delete from answer_cache where workspace_id = ${workspaceId} and created_at < ${before.toISOString()}::timestamptz`,
  )
}

/** The end of what was cut off the beginning of an audit log: what the line after it is chained to. */
export type PurgedAudit = { lines: number; place: number; hash: string }

/** Deletes the oldest lines that are due and held by nothing before them; null when there are none. */
export const purgeAudit = async (tx: Tx, limit: Limit & { most: number }): Promise<PurgedAudit | null> => {
  const { workspaceId, most } = limit
  const [found] = await rows<PurgedAudit>(
    tx,
    sql`with cut as (
        select l.place, l.hash from audit_log l
        where l.workspace_id = ${workspaceId} and l.place < coalesce(${firstKept(limit)}, l.place + 1)
        order by l.place limit ${most}),
      last as (select place, hash from cut order by place desc limit 1),
      gone as (delete from audit_log where workspace_id = ${workspaceId} and place <= (select place from last) returning 1)
      select (select count(*)::int from gone) as lines, place::int8::text::int as place, hash from last`,
  )
  return found && found.lines > 0 ? found : null
}

/** Workspaces whose day is over; `key` names the mark of a workspace among the limits. */
export const listRetentionDue = async (db: Executor, most: number): Promise<string[]> =>
  (
    await rows<{ id: string }>(
      db,
      sql`select w.id from workspaces w where not exists (
          select from rate_limits r where r.key = 'retention:' || w.id::text and r.resets_at > now())
        order by w.id limit ${most}`,
    )
  ).map(({ id }) => id)

export type StoredRun = { at: Date; details: Record<string, unknown> }

/** The last runs of a workspace, newest first. */
export const listRetentionRuns = async (db: Executor, workspaceId: string, most: number): Promise<StoredRun[]> => {
  const found = await rows<{ at: string; details: Record<string, unknown> }>(
    db,
    sql`select ${timeText(sql`at`)} as at, details from audit_log
      where workspace_id = ${workspaceId} and event = 'retention.run' order by id desc limit ${most}`,
  )
  return found.map(({ at, details }) => ({ at: new Date(at), details }))
}

/** Gives the room of deleted rows back; a server does so by itself. Not for use in a transaction. */
export const tidyAfterRetention = async ({ db, mode }: Database): Promise<void> => {
  if (mode === 'embedded')
    await db.execute(
      sql`vacuum (analyze) chats, messages, citations, traces, model_calls, sessions, task_runs, audit_log, review_items, notifications`,
    )
}
