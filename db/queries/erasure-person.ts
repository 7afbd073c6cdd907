/**
 * Erasing a person: every row and every word of theirs, but for the ids by which records still count. What is found by reading text is
 * found generously: a kept answer too many may go, none too few.
 */
import { and, eq, sql } from 'drizzle-orm'
import type { Counts } from '#lib/shared/keeping-contract.ts'
import type { Role } from '#lib/shared/viewer.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import { inventory } from '../inventory.ts'
import { memberships, users } from '../schema/index.ts'
import { hasQueue } from './erasure-remains.ts'
import { countsOf, met, runSteps, sweptSources } from './erasure-steps.ts'
import { emptyOrphanSeeds } from './reviews.ts'

const erasedName = 'erased person'

export type ErasablePerson = {
  id: string
  name: string
  email: string
  erasedAt: Date | null
  memberships: { workspaceId: string; role: Role }[]
}

export const getErasablePerson = async (db: Executor, id: string): Promise<ErasablePerson | undefined> => {
  const [person] = await db
    .select({ id: users.id, name: users.name, email: users.email, erasedAt: users.erasedAt })
    .from(users)
    .where(eq(users.id, id))
  if (!person) return undefined
  const found = await db
    .select({ workspaceId: memberships.workspaceId, role: memberships.role })
    .from(memberships)
    .where(eq(memberships.userId, id))
  return { ...person, memberships: found }
}

export const findPersonId = async (db: Executor, email: string): Promise<string | undefined> => {
  const [found] = await db.select({ id: users.id }).from(users).where(eq(users.email, email.toLowerCase()))
  return found?.id
}

/** Whether somebody left something in a workspace that they do not belong to any more. */
export const leftSomething = async (db: Executor, workspaceId: string, userId: string): Promise<boolean> => {
  const [found] = await rows<{ there: boolean }>(
    db,
    sql`select exists (select from chats where workspace_id = ${workspaceId} and user_id = ${userId})
      or exists (select from traces where workspace_id = ${workspaceId} and user_id = ${userId}) as there`,
  )
  return found?.there ?? false
}

/** Locks the owners of a workspace until the transaction ends and says whether the person is the only one who can act. */
export const isLastOwner = async (tx: Tx, workspaceId: string, userId: string): Promise<boolean> => {
  const owners = await tx
    .select({ userId: memberships.userId, suspendedAt: memberships.suspendedAt })
    .from(memberships)
    .where(and(eq(memberships.workspaceId, workspaceId), eq(memberships.role, 'owner')))
    .orderBy(memberships.userId)
    .for('update')
  return (
    owners.some((owner) => owner.userId === userId) &&
    !owners.some((owner) => owner.userId !== userId && owner.suspendedAt === null)
  )
}

/** Reviews of answers to the person's questions. */
const reviewsOf = (id: string) => sql`(select i.id from review_items i where i.asker_id = ${id})`

/** What erasing a person would take. */
export const countOfPerson = (db: Executor, id: string): Promise<Counts> =>
  countsOf(db, {
    conversations: sql`chats where user_id = ${id}`,
    messages: sql`messages m join chats c on c.id = m.chat_id where c.user_id = ${id}`,
    traces: sql`traces where user_id = ${id} and (question <> '' or spans <> '[]'::jsonb)`,
    sessions: sql`sessions where user_id = ${id}`,
    keys: sql`api_keys where user_id = ${id}`,
    identities: sql`identities where user_id = ${id}`,
    memberships: sql`memberships where user_id = ${id}`,
    groups: sql`group_members where user_id = ${id}`,
    grants: sql`collection_grants where subject = 'person' and subject_id = ${id}`,
    tasks: sql`task_runs where user_id = ${id}`,
    invitations: sql`invitations where email = (select email from users where id = ${id})`,
    'checked answers': sql`curated_answers where item_id in ${reviewsOf(id)}`,
    comments: sql`review_comments where author_id = ${id}`,
    feedback: sql`feedback where user_id = ${id}`,
    notes: sql`document_notes where created_by = ${id}`,
  })

/** Takes every way in from a person at once, and asks their open answers to stop. What they left goes afterwards. */
export const lockOutPerson = (tx: Tx, id: string): Promise<Counts> =>
  runSteps(tx, [
    ['sessions', sql`delete from sessions where user_id = ${id}`],
    ['keys', sql`delete from api_keys where user_id = ${id}`],
    ['links', sql`delete from single_use_tokens where user_id = ${id}`],
    ['identities', sql`delete from identities where user_id = ${id}`],
    ['groups', sql`delete from group_members where user_id = ${id}`],
    ['grants', sql`delete from collection_grants where subject = 'person' and subject_id = ${id}`],
    ['memberships', sql`delete from memberships where user_id = ${id}`],
    [
      'open answers',
      sql`update messages set stop_requested_at = now() where status = 'streaming'
        and chat_id in (select id from chats where user_id = ${id})`,
    ],
  ])

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Workspaces that the person was in, as far as anything there still tells. */
const listFormerWorkspaces = async (tx: Tx, id: string): Promise<string[]> =>
  (
    await rows<{ id: string }>(
      tx,
      sql`select workspace_id as id from audit_log where actor_id = ${id} or object_id = ${id}::text
        union select workspace_id from chats where user_id = ${id}
        union select workspace_id from traces where user_id = ${id}
        union select workspace_id from model_calls where user_id = ${id}
        union select workspace_id from documents where created_by = ${id}
        union select workspace_id from legal_holds where kind = 'person' and object_id = ${id}
        union select workspace_id from incident_switches where kind = 'person' and target_id = ${id}::text
        union select workspace_id from erasures where kind = 'person' and object_id = ${id}`,
    )
  ).flatMap(({ id: found }) => found ?? [])

type Written = { table: string; column: string; type: string; ofWorkspace: boolean }

/** Columns of text that people write about each other: reasons, labels, names of things, rules. Never text of documents. */
const writtenAbout = async (tx: Tx): Promise<Written[]> => {
  const tables = Object.keys(inventory).filter((name) => {
    const kept = inventory[name]?.kept
    return (kept === 'workspace' || kept === 'record' || kept === 'passing') && name !== 'audit_heads'
  })
  return rows(
    tx,
    sql`select table_name as "table", column_name as "column", data_type as type,
        exists (select from information_schema.columns w where w.table_schema = 'public'
          and w.table_name = columns.table_name and w.column_name = 'workspace_id') as "ofWorkspace"
      from information_schema.columns columns where table_schema = 'public' and data_type in ('text', 'jsonb')
        and table_name in (${sql.join(
          tables.map((name) => sql`${name}`),
          sql`, `,
        )})`,
  )
}

/** In JSON a quote or backslash in a name has a backslash before it: without, a name would match what holds texts together. */
const asWrittenIn = (type: string, text: string): string =>
  type === 'jsonb' ? JSON.stringify(text).slice(1, -1) : text

/**
 * Takes a person's address, and a name of several words, out of what others wrote: a name of one word is a word of the language as
 * well, and would take others along. An address is one person's everywhere; a name is whatever somebody has chosen, and goes out of
 * `workspaceIds` alone.
 */
const eraseMentions = async (
  tx: Tx,
  { name, email }: Pick<ErasablePerson, 'name' | 'email'>,
  workspaceIds: readonly string[],
): Promise<number> => {
  const among = sql`workspace_id = any(${sql.param(`{${workspaceIds.join(',')}}`)}::uuid[])`
  let changed = 0
  for (const { table, column, type, ofWorkspace } of await writtenAbout(tx)) {
    const [at, cast] = [sql.identifier(column), type === 'jsonb' ? sql`::jsonb` : sql``]
    const wanted = [{ text: email, where: sql`true` }]
    if (ofWorkspace && /\S\s+\S/.test(name)) wanted.push({ text: name, where: among })
    for (const { text, where } of wanted) {
      const pattern = `(?<![[:alnum:]])(?:${escapeRegExp(asWrittenIn(type, text))})(?![[:alnum:]])`
      changed += await met(
        tx,
        sql`update ${sql.identifier(table)} set ${at} = regexp_replace(${at}::text, ${pattern}, ${erasedName}, 'gi')${cast}
          where ${where} and ${at}::text ~* ${pattern}`,
      )
    }
  }
  return changed
}

/**
 * Erases what is left of a person who was locked out: their conversations, the text of their traces, results, kept answers of their
 * workspaces, mail that waits for them, and their name wherever it stands. The account stays as a pseudonym.
 */
export const erasePersonRows = async (
  tx: Tx,
  person: Pick<ErasablePerson, 'id' | 'name' | 'email'>,
): Promise<Counts> => {
  const { id, name, email } = person
  // Before what tells of them goes.
  const workspaceIds = await listFormerWorkspaces(tx, id)
  const jobs = (await hasQueue(tx))
    ? await met(
        tx,
        // What was mailed is sealed, and cannot be told apart when it is no invitation: what is done with goes whoever got it.
        sql`delete from pgboss.job where strpos(lower(coalesce(data::text, '') || coalesce(output::text, '')), ${email.toLowerCase()}) > 0
          or name like 'mail.%' and (state >= 'completed' or data ->> 'invitationId' in (select i.id::text from invitations i where i.email = ${email}))`,
      )
    : 0
  const report = await runSteps(tx, [
    // Kept answers name nobody. Those of every workspace that the person asked in go: to be asked again costs little.
    [
      'kept answers',
      sql`delete from answer_cache where workspace_id in (select workspace_id from chats where user_id = ${id}
        union select workspace_id from traces where user_id = ${id} union select workspace_id from model_calls where user_id = ${id})`,
    ],
    [
      'task results',
      sql`delete from task_results where workspace_id in (select workspace_id from chats where user_id = ${id}
        union select workspace_id from traces where user_id = ${id})`,
    ],
    // What others were told, and keep, of this person's questions; before their reviews are emptied with the messages.
    [
      'notifications',
      sql`delete from notifications n where n.user_id = ${id} or exists (
        select from (select workspace_id, question from curated_answers where item_id in ${reviewsOf(id)}
          union all select workspace_id, question from golden_questions where item_id in ${reviewsOf(id)} or created_by = ${id}) own
        where own.workspace_id = n.workspace_id and own.question <> '' and strpos(n.words, left(own.question, 120)) > 0)`,
    ],
    ['checked answers', sql`delete from curated_answers where item_id in ${reviewsOf(id)}`],
    ['golden questions', sql`delete from golden_questions where item_id in ${reviewsOf(id)}`],
    // What the person said of others' answers. Answers that they corrected stay: they are the workspace's.
    ['drafts', sql`delete from review_drafts where user_id = ${id}`],
    ['comments', sql`delete from review_comments where author_id = ${id}`],
    ['feedback', sql`delete from feedback where user_id = ${id}`],
    ['labels', sql`update labels set note = '' where rater_id = ${id} and note <> ''`],
    ['notes', sql`delete from document_notes where created_by = ${id}`],
    [
      'decisions',
      sql`update messages m set
          text = case when i.state = 'rejected' then replace(m.text, E'\n\n' || (i.decision ->> 'note'), '') else m.text end,
          metadata = (case when jsonb_typeof(m.metadata -> 'withheld') = 'array'
            then jsonb_set(m.metadata, '{withheld}', (m.metadata -> 'withheld') - (i.decision ->> 'note')) else m.metadata end) #- '{review,note}'
        from review_items i where i.message_id = m.id and i.decided_by = ${id} and i.decision -> 'note' is not null`,
    ],
    [
      'decisions',
      sql`update review_items set decision = decision - 'note' where decided_by = ${id} and decision -> 'note' is not null`,
    ],
    ['messages', sql`delete from messages where chat_id in (select id from chats where user_id = ${id})`],
    ['conversations', sql`delete from chats where user_id = ${id}`],
    [
      'traces',
      sql`update traces set question = '', spans = '[]'::jsonb where user_id = ${id} and (question <> '' or spans <> '[]'::jsonb)`,
    ],
    ['tasks', sql`delete from task_runs where user_id = ${id}`],
    ['requests', sql`delete from idempotent_results where user_id = ${id}`],
    ['budgets', sql`delete from budget_windows where scope = 'user:' || ${id}::text`],
    ['golden questions', sql`delete from golden_questions where created_by = ${id}`],
    ['sources of corrections', sweptSources],
    ['invitations', sql`delete from invitations where email = ${email}`],
    ['limits', sql`delete from rate_limits where strpos(key, ${email}) > 0 or strpos(key, ${id}) > 0`],
    [
      'records',
      sql`update legal_holds set label = ${erasedName} where kind = 'person' and object_id = ${id} and label <> ${erasedName}`,
    ],
    [
      'records',
      sql`update incident_switches set label = ${erasedName} where kind = 'person' and target_id = ${id}::text and label <> ${erasedName}`,
    ],
  ])
  // Made of answers that are gone by now.
  await emptyOrphanSeeds(tx)
  if (jobs > 0) report.jobs = jobs
  // Only while the name is still theirs: a second pass has nothing to look for.
  if (name !== erasedName) {
    const mentions = await eraseMentions(tx, { name, email }, workspaceIds)
    if (mentions > 0) report.mentions = mentions
  }
  report.people = await met(
    tx,
    sql`update users set email = ${`erased-${id}@erased.invalid`}, name = ${erasedName}, password_hash = null,
      password_changed_at = null, totp_sealed = null, totp_confirmed_at = null, totp_last_step = null, recovery_hashes = '{}',
      erased_at = coalesce(erased_at, now()) where id = ${id}`,
  )
  return report
}
