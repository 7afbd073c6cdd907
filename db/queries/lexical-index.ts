/**
 * The lexical index: postings of terms, written with the chunks and searched by BM25 in plain SQL, the same on both engines. What
 * goes in is what a person would search by: headings, the context of a table, the text. What a term is says the function `terms` of
 * migration 0006: stems by language, pairs of characters in scripts without spaces, identifiers whole and in parts.
 */
import { sql } from 'drizzle-orm'
import { type Executor, rows } from '../client.ts'

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

/**
 * Tells the planner how large the searched tables are, when they have grown or shrunk by a fifth since it last looked. A server
 * does so by itself; the embedded database does not, and without it measures every vector instead of walking the graph.
 */
export const analyzeWhenGrown = async (db: Executor): Promise<void> => {
  const [size] = await rows<{ known: number; chunks: number }>(
    db,
    sql`select (select reltuples::float8 from pg_class where oid = 'chunks'::regclass) as known,
               (select coalesce(sum(chunks), 0)::float8 from lexical_stats) as chunks`,
  )
  if (size && Math.abs(size.chunks - Math.max(0, size.known)) > Math.max(50, size.known * 0.2))
    await db.execute(sql`analyze chunks, chunk_vectors, postings, documents, document_versions`)
}
