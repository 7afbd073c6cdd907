/**
 * The lexical index: postings of terms, written with the chunks and searched by BM25 in plain SQL, the same on both engines. What
 * goes in is what a person would search by: headings, the context of a table, the text. What a term is says the function `terms` of
 * migration 0006: stems by language, pairs of characters in scripts without spaces, identifiers whole and in parts.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { type Db, type Executor, rows } from '../client.ts'

/** BM25's saturation and length normalisation: Lucene's values, and those of the published figures that we compare with. */
const saturation = 1.2
const lengthNormalisation = 0.75
/**
 * Terms in a passage of usual size. BM25 takes the corpus' mean; passages are cut to one size here, so that a constant does as
 * well, and a weight, once written, stays right whatever else is indexed.
 */
const usualLength = 110

/** Indexes the chunks of a version with `ordinalFrom <= ordinal < ordinalTo`; call it in small steps, each is one statement. */
export const insertPostings = async (
  db: Executor,
  { versionId, ordinalFrom, ordinalTo }: { versionId: string; ordinalFrom: number; ordinalTo: number },
): Promise<void> => {
  // Embedded, statements follow each other without a turn of the event loop: those before this one have held it long enough.
  await pause(0)
  // A table or a short passage says too little to tell its language: it has that of its document.
  await db.execute(sql`
    with found as materialized (
      select c.id, c.workspace_id, t.term, t.frequency
      from chunks c
      join document_versions v on v.id = c.version_id
      cross join lateral terms(
        coalesce(nullif(c.language, 'und'), v.language, 'und'),
        concat_ws(' ', array_to_string(c.heading_path, ' '), c.context, c.text)) t
      where c.version_id = ${versionId} and c.ordinal >= ${ordinalFrom} and c.ordinal < ${ordinalTo}
    ), lengths as (
      select id, sum(frequency) as length from found group by id
    )
    insert into postings (chunk_id, workspace_id, term, weight)
    select f.id, f.workspace_id, f.term,
      f.frequency * ${saturation + 1}::float8 / (f.frequency + ${saturation}::float8
        * (${1 - lengthNormalisation}::float8 + ${lengthNormalisation}::float8 * lengths.length / ${usualLength}::float8))
    from found f join lengths on lengths.id = f.id`)
}

/** Counts what is published in a workspace, for the rarity of terms. Part of every transaction that publishes or deletes. */
export const refreshLexicalStats = async (db: Executor, workspaceId: string): Promise<void> => {
  await db.execute(sql`
    insert into lexical_stats (workspace_id, chunks, languages)
    select ${workspaceId}::uuid, coalesce(sum(chunks), 0)::int,
      coalesce(jsonb_object_agg(language, chunks), '{}')
    from (
      select coalesce(v.language, 'und') as language, coalesce(sum(v.chunks), 0)::int as chunks
      from documents d join document_versions v on v.id = d.published_version_id
      where d.workspace_id = ${workspaceId} group by 1
    ) by_language
    on conflict (workspace_id) do update set chunks = excluded.chunks, languages = excluded.languages`)
}

/** What a plan is chosen by. Texts and vectors are compared with nothing, and to sample them takes longest. */
const analyzed = [
  'chunks (id, workspace_id, document_id, version_id, ordinal, content_hash)',
  'chunk_vectors (chunk_id, workspace_id, document_id, version_id, model)',
  'postings (workspace_id, term)',
  'documents',
  'document_versions',
]
/** A tenth of PostgreSQL's usual sample: enough for sizes and for how many of a kind there are. */
const sampledTarget = '10'
/** Postings of some hundred passages, in pages of 8 KB. */
const freshPagesMax = 64

/**
 * Does for the embedded database what a server does by itself, where it is due: tells the planner how large the searched tables
 * are, without which every vector is measured instead of the graph walked; and marks the pages of new postings as seen by all,
 * without which a search looks up every posting in the table as well. In short statements, since each holds the web process's
 * thread. Not for use in a transaction.
 */
export const analyzeWhenGrown = async (db: Db): Promise<void> => {
  const [size] = await rows<{ known: number; chunks: number; pages: number; freshPages: number }>(
    db,
    sql`select (select reltuples::float8 from pg_class where oid = 'chunks'::regclass) as known,
               (select coalesce(sum(chunks), 0)::float8 from lexical_stats) as chunks,
               relpages::float8 as pages,
               -- As of the last time, or all when there was none; to look at the table's size does not count as one.
               pg_relation_size(oid)::float8 / current_setting('block_size')::int
                 - case when relallvisible > 0 then relpages else 0 end as "freshPages"
        from pg_class where oid = 'postings'::regclass`,
  )
  if (!size) return
  // What is dead stays in the index: to clear it away all of the index would be read.
  if (size.freshPages > Math.max(freshPagesMax, size.pages / 50))
    await db.execute(sql`vacuum (index_cleanup off, truncate off) postings`)
  if (Math.abs(size.chunks - Math.max(0, size.known)) <= Math.max(50, size.known * 0.2)) return
  for (const table of analyzed) {
    await pause(0)
    await db.transaction(async (tx) => {
      await tx.execute(sql`select set_config('default_statistics_target', ${sampledTarget}, true)`)
      await tx.execute(sql.raw(`analyze ${table}`))
    })
  }
}
