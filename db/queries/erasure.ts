/**
 * Erasing a person or a document: every row and every word of theirs, but for the ids by which records still count. What is found by
 * reading text is found generously: a trace or a kept answer too many may go, none too few.
 */
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Counts, ErasureKind } from '#lib/shared/keeping-contract.ts'
import type { Reader, Role } from '#lib/shared/viewer.ts'
import { type Database, type Executor, rows, type Tx } from '../client.ts'
import { inventory } from '../inventory.ts'
import { documents, documentVersions, erasures, memberships, sources, users } from '../schema/index.ts'
import { visibleTo, type WholeWorkspace } from '../visibility.ts'
import { sweepEntities } from './graph.ts'
import { refreshLexicalStats } from './lexical-index.ts'

const erasedName = 'erased person'
const erasedDocument = 'Erased document'
const withdrawnAnswer = 'This answer was withdrawn: a source that it rested on was erased.'

export type Erasure = typeof erasures.$inferSelect

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

const countsOf = async (db: Executor, parts: Record<string, ReturnType<typeof sql>>): Promise<Counts> => {
  const [found] = await rows<Counts>(
    db,
    sql`select ${sql.join(
      Object.entries(parts).map(([name, from]) => sql`(select count(*) from ${from})::int as ${sql.identifier(name)}`),
      sql`, `,
    )}`,
  )
  return Object.fromEntries(Object.entries(found ?? {}).filter(([, count]) => count > 0))
}

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
  })

/** The document with what was attached to it, and to that. */
const family = (id: string) =>
  sql`(with recursive family as (
      select ${id}::uuid as id union select d.id from documents d join family on d.parent_id = family.id
    ) select id from family)`

/** What erasing a document would take. */
export const countOfDocument = (db: Executor, id: string): Promise<Counts> =>
  countsOf(db, {
    documents: sql`documents where id in ${family(id)}`,
    versions: sql`document_versions where document_id in ${family(id)}`,
    passages: sql`chunks where document_id in ${family(id)}`,
    vectors: sql`chunk_vectors where document_id in ${family(id)}`,
    citations: sql`citations where document_id in ${family(id)} and (quote <> '' or claim <> '')`,
    answers: sql`(select distinct message_id from citations where document_id in ${family(id)}) cited`,
    'kept answers': sql`answer_cache_sources where document_id in ${family(id)}`,
    'golden questions': sql`golden_questions g where exists (
      select from jsonb_array_elements(g.expected) e where e ->> 'documentId' in (select f.id::text from ${family(id)} f))`,
  })

export type ErasableDocument = { name: string; source: string | null }

/** A document that the reader may read; a deleted one that answers of the workspace still cite has no name. */
export const getErasableDocument = async (
  db: Executor,
  reader: Reader | WholeWorkspace,
  id: string,
): Promise<ErasableDocument | undefined> => {
  const [found] = await db
    .select({ name: documents.name, source: sources.name })
    .from(documents)
    .leftJoin(sources, eq(sources.id, documents.sourceId))
    .where(and(visibleTo(reader), eq(documents.id, id)))
  if (found) return found
  const [cited] = await rows<ErasableDocument>(
    db,
    sql`select ${'a deleted document'} as name, null as source where not exists (select from documents where id = ${id}) and exists (
        select from citations c join messages m on m.id = c.message_id join chats t on t.id = m.chat_id
        where c.document_id = ${id} and t.workspace_id = ${reader.workspaceId})`,
  )
  return cited
}

/** Where a document belongs, for whoever runs the installation. */
export const getDocumentWorkspace = async (db: Executor, id: string): Promise<string | undefined> => {
  const [found] = await rows<{ workspaceId: string }>(
    db,
    sql`select workspace_id as "workspaceId" from documents where id = ${id}
      union all select t.workspace_id from citations c join messages m on m.id = c.message_id join chats t on t.id = m.chat_id
      where c.document_id = ${id} limit 1`,
  )
  return found?.workspaceId
}

/** Ids of a document and of what was attached to it. */
export const listDocumentFamily = async (db: Executor, id: string): Promise<string[]> =>
  (await rows<{ id: string }>(db, sql`select f.id from ${family(id)} f`)).map((found) => found.id)

/** Writes down that something is to be erased; the row that is there already when it was asked for before. */
export const insertErasure = async (
  tx: Tx,
  erasure: Pick<Erasure, 'id' | 'workspaceId' | 'kind' | 'objectId' | 'requestedBy'>,
): Promise<Erasure> => {
  const [made] = await tx
    .insert(erasures)
    .values(erasure)
    // Asked for again: done again, since something of it may have come back.
    .onConflictDoUpdate({ target: [erasures.kind, erasures.objectId], set: { doneAt: null, requestedAt: sql`now()` } })
    .returning()
  if (!made) throw new Error('The erasure was not recorded')
  return made
}

export const getErasure = async (db: Executor, id: string): Promise<Erasure | undefined> => {
  const [found] = await db.select().from(erasures).where(eq(erasures.id, id))
  return found
}

export const listErasures = (db: Executor, workspaceId?: string): Promise<Erasure[]> =>
  db
    .select()
    .from(erasures)
    .where(workspaceId ? eq(erasures.workspaceId, workspaceId) : undefined)
    .orderBy(sql`${erasures.requestedAt} desc`)

export const setErasure = async (
  db: Executor,
  id: string,
  { report, done }: { report: Counts; done: boolean },
): Promise<void> => {
  await db
    .update(erasures)
    .set({ report, ...(done ? { doneAt: sql`now()` } : {}) })
    .where(eq(erasures.id, id))
}

/** Runs a deletion or change and says how many rows it met. */
const met = async (tx: Tx, statement: ReturnType<typeof sql>): Promise<number> => {
  const [found] = await rows<{ n: number }>(
    tx,
    sql`with met as (${statement} returning 1) select count(*)::int as n from met`,
  )
  return found?.n ?? 0
}

const run = async (
  tx: Tx,
  steps: readonly (readonly [name: string, statement: ReturnType<typeof sql>])[],
): Promise<Counts> => {
  const report: Counts = {}
  for (const [name, statement] of steps) {
    const n = await met(tx, statement)
    if (n > 0) report[name] = (report[name] ?? 0) + n
  }
  return report
}

/** Takes every way in from a person at once, and asks their open answers to stop. What they left goes afterwards. */
export const lockOutPerson = (tx: Tx, id: string): Promise<Counts> =>
  run(tx, [
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

/** Answers that are still being written by a writer that lives: of a person, or of anybody in a workspace. */
export const countOpenAnswers = async (
  db: Executor,
  whose: { userId: string } | { messageIds: readonly string[] },
): Promise<number> => {
  const which =
    'userId' in whose
      ? sql`chat_id in (select id from chats where user_id = ${whose.userId})`
      : sql`id in (select value::uuid from jsonb_array_elements_text(${JSON.stringify(whose.messageIds)}::jsonb))`
  const [found] = await rows<{ n: number }>(
    db,
    sql`select count(*)::int as n from messages
      where status = 'streaming' and beat_at > now() - interval '60 seconds' and ${which}`,
  )
  return found?.n ?? 0
}

/** Answers being written in a workspace right now: they may have read what is being erased. */
export const listOpenAnswers = async (db: Executor, workspaceId: string): Promise<string[]> =>
  (
    await rows<{ id: string }>(
      db,
      sql`select m.id from messages m join chats c on c.id = m.chat_id
        where c.workspace_id = ${workspaceId} and m.status = 'streaming'`,
    )
  ).map(({ id }) => id)

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Columns of text that people write about each other: reasons, labels, names of things, rules. Never text of documents. */
const writtenAbout = async (tx: Tx): Promise<{ table: string; column: string; type: string }[]> => {
  const tables = Object.keys(inventory).filter((name) => {
    const kept = inventory[name]?.kept
    return (kept === 'workspace' || kept === 'record' || kept === 'passing') && name !== 'audit_heads'
  })
  return rows(
    tx,
    sql`select table_name as "table", column_name as "column", data_type as type from information_schema.columns
      where table_schema = 'public' and data_type in ('text', 'jsonb')
        and table_name in (${sql.join(
          tables.map((name) => sql`${name}`),
          sql`, `,
        )})`,
  )
}

/**
 * Takes a person's address, and a name of several words, out of what others wrote: a name of one word is a word of the language as
 * well, and would take others along.
 */
const eraseMentions = async (tx: Tx, { name, email }: Pick<ErasablePerson, 'name' | 'email'>): Promise<number> => {
  const wanted = [email, ...(/\S\s+\S/.test(name) ? [name] : [])].map(escapeRegExp)
  // In JSON a quote or backslash in a name is written with a backslash before it.
  const pattern = `(?<![[:alnum:]])(?:${wanted.join('|')})(?![[:alnum:]])`
  let changed = 0
  for (const { table, column, type } of await writtenAbout(tx)) {
    const [at, cast] = [sql.identifier(column), sql.raw(type === 'jsonb' ? '::jsonb' : '')]
    changed += await met(
      tx,
      sql`update ${sql.identifier(table)} set ${at} = regexp_replace(${at}::text, ${pattern}, ${erasedName}, 'gi')${cast}
        where ${at}::text ~* ${pattern}`,
    )
  }
  return changed
}

/** Whether the queue's tables are there: tests and commands may run without it. */
const hasQueue = async (db: Executor): Promise<boolean> => {
  const [found] = await rows<{ name: string | null }>(db, sql`select to_regclass('pgboss.job')::text as name`)
  return Boolean(found?.name)
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
  const jobs = (await hasQueue(tx))
    ? await met(
        tx,
        // What was mailed is sealed, and cannot be told apart when it is no invitation: what is done with goes whoever got it.
        sql`delete from pgboss.job where strpos(lower(coalesce(data::text, '') || coalesce(output::text, '')), ${email.toLowerCase()}) > 0
          or name like 'mail.%' and (state >= 'completed' or data ->> 'invitationId' in (select i.id::text from invitations i where i.email = ${email}))`,
      )
    : 0
  const report = await run(tx, [
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
  if (jobs > 0) report.jobs = jobs
  // Only while the name is still theirs: a second pass has nothing to look for.
  if (name !== erasedName) {
    const mentions = await eraseMentions(tx, { name, email })
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

/** The files of a document and of what was attached to it. */
export const listFamilyBlobs = async (db: Executor, documentIds: readonly string[]): Promise<string[]> => {
  if (documentIds.length === 0) return []
  const found = await db
    .selectDistinct({ blobKey: documentVersions.blobKey })
    .from(documentVersions)
    .where(inArray(documentVersions.documentId, [...documentIds]))
  return found.map(({ blobKey }) => blobKey)
}

/** Names that things were given in the document alone, and nowhere that is left. */
const eraseNames = async (tx: Tx, workspaceId: string, entityIds: readonly number[]): Promise<void> => {
  if (entityIds.length === 0) return
  const ids = sql`(select value::bigint from jsonb_array_elements_text(${JSON.stringify(entityIds)}::jsonb))`
  const saidBy = (entity: ReturnType<typeof sql>, words: ReturnType<typeof sql>) =>
    sql`exists (select from entity_mentions m join chunks c on c.id = m.chunk_id where m.entity_id = ${entity}
      and position(${words} in ' ' || regexp_replace(lower(c.text), '[^[:alnum:]]+', ' ', 'g') || ' ') > 0)`
  await tx.execute(
    sql`delete from entity_aliases a where a.workspace_id = ${workspaceId} and a.entity_id in ${ids}
      and not ${saidBy(sql`a.entity_id`, sql`a.alias`)}`,
  )
  await tx.execute(
    sql`delete from entities e where e.id in ${ids} and not exists (select from entity_aliases a where a.entity_id = e.id)`,
  )
  await tx.execute(
    sql`update entities e set name = (select a.alias from entity_aliases a where a.entity_id = e.id order by length(a.alias) desc limit 1)
      where e.id in ${ids} and not ${saidBy(sql`e.id`, sql`regexp_replace(lower(e.name), '[^[:alnum:]]+', ' ', 'g')`)}`,
  )
}

export type DocumentErasure = {
  workspaceId: string
  /** The document and what was attached to it, as the first pass found them: afterwards nobody can tell. */
  documentIds: readonly string[]
  /** Its names and titles, so that a second pass still finds what was written of it meanwhile. */
  titles: readonly string[]
  chunkIds: readonly number[]
}

/** What the text of a document can be found by once its rows are gone. */
export const describeErasure = async (
  db: Executor,
  workspaceId: string,
  documentId: string,
): Promise<DocumentErasure> => {
  const documentIds = await listDocumentFamily(db, documentId)
  const among = sql`(select value::uuid from jsonb_array_elements_text(${JSON.stringify(documentIds)}::jsonb))`
  const titles = await rows<{ title: string }>(
    db,
    sql`select name as title from documents where id in ${among} union select title from document_versions where document_id in ${among}
      and title is not null union select title from citations where document_id in ${among}`,
  )
  const chunks = await rows<{ id: number }>(
    db,
    sql`select id::int8::text::int as id from chunks where document_id in ${among}
      union select chunk_id::int from citations where document_id in ${among} and chunk_id ~ '^[0-9]{1,9}$'`,
  )
  return {
    workspaceId,
    documentIds,
    titles: titles.map(({ title }) => title).filter((title) => title.length >= 4 && title !== erasedDocument),
    chunkIds: chunks.map(({ id }) => id),
  }
}

/**
 * Withdraws what was said from a document: answers that cite it or were written from it lose their text, their traces too. Runs again
 * after the answers that were being written have ended.
 */
export const withdrawAnswers = async (
  tx: Tx,
  { workspaceId, documentIds, titles, chunkIds }: DocumentErasure,
): Promise<Counts> => {
  const ids = sql`(select value from jsonb_array_elements_text(${JSON.stringify(documentIds)}::jsonb))`
  // As they stand inside JSON, where a quote has a backslash before it.
  const words = [...documentIds, ...titles].map((one) => JSON.stringify(one).slice(1, -1))
  const speaks = (text: ReturnType<typeof sql>) =>
    sql`exists (select from jsonb_array_elements_text(${JSON.stringify(words)}::jsonb) w where strpos(${text}, w.value) > 0)`
  const [found] = await rows<{ messages: string[]; chats: string[] }>(
    tx,
    sql`with own as (select m.id, m.chat_id, m.status, m.text, m.created_at from messages m join chats c on c.id = m.chat_id
          where c.workspace_id = ${workspaceId} and m.role = 'assistant'),
        cited as (select message_id as id from citations where document_id::text in ${ids}),
        streamed as (select s.message_id as id from stream_events s join own on own.id = s.message_id where ${speaks(sql`s.chunks::text`)}),
        read as (select t.message_id as id from traces t where t.workspace_id = ${workspaceId} and t.message_id is not null
          and (${speaks(sql`t.spans::text`)} or exists (select from jsonb_path_query(t.spans, '$.**.passages[*].chunkId') p
            where p #>> '{}' in (select value from jsonb_array_elements_text(${JSON.stringify(chunkIds.map(String))}::jsonb))))),
        -- A broken-off answer has neither citations nor a trace: what it rests on cannot be told.
        untold as (select own.id from own where own.status = 'interrupted' and own.text ~ '\\[\\^[0-9]+\\]'
          and not exists (select from citations c where c.message_id = own.id) and not exists (select from traces t where t.message_id = own.id)),
        affected as (select own.id, own.chat_id, own.status from own
          where own.id in (select id from cited union select id from streamed union select id from read union select id from untold))
      select coalesce(jsonb_agg(distinct id) filter (where status <> 'streaming'), '[]'::jsonb) as messages,
        coalesce(jsonb_agg(distinct chat_id), '[]'::jsonb) as chats from affected`,
  )
  const messageIds = sql`(select value::uuid from jsonb_array_elements_text(${JSON.stringify(found?.messages ?? [])}::jsonb))`
  const chatIds = sql`(select value::uuid from jsonb_array_elements_text(${JSON.stringify(found?.chats ?? [])}::jsonb))`
  return run(tx, [
    [
      'citations',
      sql`update citations set quote = '', claim = '', title = ${erasedDocument}, heading_path = '{}', rects = '[]'::jsonb
        where document_id::text in ${ids} and (quote <> '' or claim <> '' or title <> ${erasedDocument})`,
    ],
    ['sentences', sql`update citations set claim = '' where message_id in ${messageIds} and claim <> ''`],
    [
      'answers',
      sql`update messages set text = ${withdrawnAnswer}, metadata = metadata - 'nearest'
        where id in ${messageIds} and text <> ${withdrawnAnswer}`,
    ],
    ['streams', sql`delete from stream_events where message_id in ${messageIds}`],
    [
      'answers',
      sql`update messages m set metadata = jsonb_set(metadata, '{nearest}', coalesce((
          select jsonb_agg(n) from jsonb_array_elements(metadata -> 'nearest') n where n ->> 'documentId' not in ${ids}), '[]'::jsonb))
        where jsonb_typeof(metadata -> 'nearest') = 'array' and exists (
          select from jsonb_array_elements(metadata -> 'nearest') n where n ->> 'documentId' in ${ids})`,
    ],
    // With the conversation, since each turn's prompt holds the turns before it.
    [
      'traces',
      sql`update traces set spans = '[]'::jsonb where workspace_id = ${workspaceId} and spans <> '[]'::jsonb
        and (chat_id in ${chatIds} or message_id in ${messageIds} or ${speaks(sql`spans::text`)}
          or exists (select from jsonb_path_query(spans, '$.**.passages[*].chunkId') p
            where p #>> '{}' in (select value from jsonb_array_elements_text(${JSON.stringify(chunkIds.map(String))}::jsonb))))`,
    ],
    [
      'tasks',
      sql`delete from task_runs where workspace_id = ${workspaceId} and (ended_at is not null
        or subject ->> 'chatId' in (select c.id::text from chats c where c.id in ${chatIds}) or ${speaks(sql`subject::text`)})`,
    ],
    [
      'kept answers',
      sql`delete from answer_cache a where a.workspace_id = ${workspaceId} and (${speaks(sql`a.citations::text`)}
        or a.id in (select answer_id from answer_cache_sources where document_id::text in ${ids}))`,
    ],
    ['task results', sql`delete from task_results where workspace_id = ${workspaceId}`],
  ])
}

/** Erases a document with everything made from it and said of it. Its files are the caller's to delete, before. */
export const eraseDocumentRows = async (tx: Tx, erasure: DocumentErasure): Promise<Counts> => {
  const { workspaceId, documentIds } = erasure
  const ids = sql`(select value::uuid from jsonb_array_elements_text(${JSON.stringify(documentIds)}::jsonb))`
  const named = await rows<{ id: number }>(
    tx,
    sql`select distinct m.entity_id::int8::text::int as id from entity_mentions m join chunks c on c.id = m.chunk_id
      where c.document_id in ${ids}`,
  )
  const report = await run(tx, [
    [
      'recognised pages',
      sql`delete from recognised_pages r where r.workspace_id = ${workspaceId}
        and r.content_hash in (select content_hash from document_versions where document_id in ${ids})
        and not exists (select from document_versions v join documents d on d.id = v.document_id
          where v.content_hash = r.content_hash and d.workspace_id = ${workspaceId} and d.id not in ${ids})`,
    ],
    [
      'releases',
      sql`delete from passage_releases r where r.workspace_id = ${workspaceId}
        and r.content_hash in (select content_hash from chunks where document_id in ${ids})
        and not exists (select from chunks c where c.content_hash = r.content_hash and c.workspace_id = ${workspaceId}
          and c.document_id not in ${ids})`,
    ],
    ['source items', sql`delete from source_items where document_id in ${ids}`],
    [
      'golden questions',
      sql`delete from golden_questions g where g.workspace_id = ${workspaceId} and exists (
        select from jsonb_array_elements(g.expected) e where e ->> 'documentId' in (select i.value::text from ${ids} i(value)))`,
    ],
    [
      'batches',
      sql`delete from provider_batches b where b.workspace_id = ${workspaceId} and b.ended_at is not null and exists (
        select from document_versions v where v.document_id in ${ids} and strpos(b.requests::text, v.id::text) > 0)`,
    ],
    ['passages', sql`delete from chunks where document_id in ${ids}`],
    ['versions', sql`delete from document_versions where document_id in ${ids}`],
    ['documents', sql`delete from documents where id in ${ids}`],
    [
      'records',
      sql`update legal_holds set label = ${erasedDocument} where kind = 'document' and object_id in ${ids} and label <> ${erasedDocument}`,
    ],
    [
      'records',
      sql`update incident_switches set label = ${erasedDocument} where kind = 'document' and target_id in (select i.value::text from ${ids} i(value))
        and label <> ${erasedDocument}`,
    ],
  ])
  await eraseNames(
    tx,
    workspaceId,
    named.map(({ id }) => id),
  )
  await refreshLexicalStats(tx, workspaceId)
  await sweepEntities(tx, workspaceId)
  return report
}

const textTables: Record<ErasureKind, readonly string[]> = {
  person: [
    'users',
    'sessions',
    'api_keys',
    'identities',
    'memberships',
    'chats',
    'messages',
    'citations',
    'stream_events',
    'traces',
    'task_runs',
    'task_results',
    'idempotent_results',
    'invitations',
    'rate_limits',
    'budget_windows',
    'golden_questions',
    'legal_holds',
    'incident_switches',
    'settings_versions',
    'gateway_settings',
    'policy_drafts',
    'sources',
    'answer_cache',
  ],
  document: [
    'documents',
    'document_versions',
    'document_pages',
    'chunks',
    'postings',
    'entities',
    'entity_aliases',
    'entity_relations',
    'recognised_pages',
    'source_items',
    'golden_questions',
    'messages',
    'citations',
    'stream_events',
    'traces',
    'task_runs',
    'task_results',
    'legal_holds',
    'incident_switches',
    'answer_cache',
  ],
}

/**
 * Clears what deleted rows leave behind. On a server its own housekeeping would; here at once, the graph of vectors too, whose entries
 * are overwritten. The embedded database has nobody who tidies up: its tables are written anew, and the journal of what was written
 * before is let go, so that no file of it holds the words any more. Everything waits for that: a second at 1,000 passages.
 * Not for use in a transaction.
 */
export const clearRemains = async ({ db, mode }: Database, kind: ErasureKind): Promise<void> => {
  const tables = textTables[kind].filter((name) => Object.hasOwn(inventory, name))
  const jobs = (await hasQueue(db)) ? ['pgboss.job'] : []
  if (kind === 'document') await db.execute(sql`vacuum (analyze) chunk_vectors`)
  // Analysed too: what the planner knows of a column are samples of its values.
  for (const name of [...tables, ...jobs])
    await db.execute(sql.raw(`vacuum (analyze${mode === 'embedded' ? ', full' : ''}) ${name}`))
  if (mode !== 'embedded') return
  await db.execute(sql`vacuum full pg_catalog.pg_statistic`)
  // Old files of the journal are deleted instead of being written over some day.
  await db.execute(sql`set wal_recycle = off`)
  await db.execute(sql`checkpoint`)
  await db.execute(sql`select pg_switch_wal()::text as at`)
  await db.execute(sql`checkpoint`)
}
