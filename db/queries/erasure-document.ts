/**
 * Erasing a document: everything made from it and said of it, but for the ids by which records still count. What is found by reading
 * text is found generously: a trace or a kept answer too many may go, none too few.
 */
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Counts } from '#lib/shared/keeping-contract.ts'
import type { Reader } from '#lib/shared/viewer.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import { documents, documentVersions, sources } from '../schema/index.ts'
import { visibleTo, type WholeWorkspace } from '../visibility.ts'
import { countsOf, runSteps, sweptSources } from './erasure-steps.ts'
import { sweepEntities } from './graph.ts'
import { refreshLexicalStats } from './lexical-index.ts'

const erasedDocument = 'Erased document'
const withdrawnAnswer = 'This answer was withdrawn: a source that it rested on was erased.'
const noContent = '{"text":"","citations":[],"claims":[],"metadata":{},"sources":[]}'

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
    'checked answers': sql`(select distinct correction_id from correction_sources where kind = 'curated' and document_id in ${family(id)}) c`,
    notes: sql`document_notes where document_id in ${family(id)}`,
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
  const plain = [...documentIds, ...titles]
  const names = (text: ReturnType<typeof sql>) =>
    sql`exists (select from jsonb_array_elements_text(${JSON.stringify(plain)}::jsonb) w where strpos(${text}, w.value) > 0)`
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
        -- Of what is held the text stands in its review alone.
        reviewed as (select i.message_id as id from review_items i where i.workspace_id = ${workspaceId} and ${speaks(sql`i.content::text`)}),
        affected as (select own.id, own.chat_id, own.status from own
          where own.id in (select id from cited union select id from streamed union select id from read union select id from untold
            union select id from reviewed))
      select coalesce(jsonb_agg(distinct id) filter (where status <> 'streaming'), '[]'::jsonb) as messages,
        coalesce(jsonb_agg(distinct chat_id), '[]'::jsonb) as chats from affected`,
  )
  const messageIds = sql`(select value::uuid from jsonb_array_elements_text(${JSON.stringify(found?.messages ?? [])}::jsonb))`
  const chatIds = sql`(select value::uuid from jsonb_array_elements_text(${JSON.stringify(found?.chats ?? [])}::jsonb))`
  const resting = (kind: 'curated' | 'golden') =>
    sql`(select correction_id from correction_sources where kind = ${kind} and document_id::text in ${ids})`
  const items = sql`(select i.id from review_items i where i.workspace_id = ${workspaceId} and i.content ->> 'text' <> ''
    and (i.message_id in ${messageIds} or ${speaks(sql`i.content::text`)}))`
  return runSteps(tx, [
    [
      'notifications',
      sql`delete from notifications n where n.workspace_id = ${workspaceId} and (${names(sql`n.words || ' ' || n.link`)}
        or exists (select from curated_answers a where a.id in ${resting('curated')} and strpos(n.words, a.fell_because) > 0)
        or exists (select from golden_questions g where g.id in ${resting('golden')} and strpos(n.words, g.fell_because) > 0))`,
    ],
    [
      'checked answers',
      sql`delete from curated_answers a where a.workspace_id = ${workspaceId}
        and (a.id in ${resting('curated')} or ${speaks(sql`a.citations::text`)})`,
    ],
    ['golden questions', sql`delete from golden_questions g where g.id in ${resting('golden')}`],
    ['sources of corrections', sweptSources],
    [
      'citations',
      sql`update citations set quote = '', claim = '', title = ${erasedDocument}, heading_path = '{}', rects = '[]'::jsonb
        where document_id::text in ${ids} and (quote <> '' or claim <> '' or title <> ${erasedDocument})`,
    ],
    ['sentences', sql`update citations set claim = '' where message_id in ${messageIds} and claim <> ''`],
    [
      'answers',
      // Nobody can approve any more what was held.
      sql`update messages set text = ${withdrawnAnswer}, status = case when status = 'held' then 'complete' else status end,
          metadata = case
            when status = 'held'
              then (metadata - 'nearest' - 'review') || jsonb_build_object('withheld', jsonb_build_array(${withdrawnAnswer}::text))
            -- Nor is there anything to look at any more.
            when metadata #>> '{review,state}' = 'queued' then metadata - 'nearest' - 'review'
            else jsonb_set((metadata - 'nearest') #- '{review,note}', '{review,reasons}', '[]', false) end
        where id in ${messageIds} and text <> ${withdrawnAnswer}`,
    ],
    ['drafts', sql`delete from review_drafts where item_id in ${items}`],
    ['comments', sql`delete from review_comments where item_id in ${items}`],
    [
      'reviews',
      // What was said of the answer may repeat it.
      sql`update review_items set content = ${noContent}::jsonb, reasons = reasons_without_words(reasons),
          decision = decision - 'text' - 'note',
          state = case when state = 'open' then 'withdrawn' else state end, decided_at = coalesce(decided_at, now()),
          claimed_by = null, lease_until = null
        where id in ${items}`,
    ],
    ['feedback', sql`update feedback set comment = '' where message_id in ${messageIds} and comment <> ''`],
    ['labels', sql`update labels set note = '' where message_id in ${messageIds} and note <> ''`],
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
  const report = await runSteps(tx, [
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
