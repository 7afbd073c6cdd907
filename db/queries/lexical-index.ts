/**
 * The lexical index: postings of stemmed words, written with the chunks and searched by BM25 in plain SQL, the same on both
 * engines. What goes in is what a person would search by: headings, the context of a table, the text.
 */
import { sql } from 'drizzle-orm'
import { type Executor, rows } from '../client.ts'

/** BM25's saturation and length normalisation: Lucene's values, and those of the published figures that we compare with. */
const saturation = 1.2
const lengthNormalisation = 0.75
/**
 * Lexemes in a passage of usual size. BM25 takes the corpus' mean; passages are cut to one size here, so that a constant does as
 * well, and a weight, once written, stays right whatever else is indexed.
 */
const usualLength = 110

/** Indexes the chunks of a version with `ordinalFrom <= ordinal < ordinalTo`; call it in small steps, each is one statement. */
export const insertPostings = async (
  db: Executor,
  { versionId, ordinalFrom, ordinalTo }: { versionId: string; ordinalFrom: number; ordinalTo: number },
): Promise<void> => {
  await db.execute(sql`
    with lexemes as materialized (
      select c.id, c.workspace_id, t.lexeme, array_length(t.positions, 1) as frequency
      from chunks c
      cross join lateral unnest(to_tsvector('english', concat_ws(' ', array_to_string(c.heading_path, ' '), c.context, c.text))) t
      where c.version_id = ${versionId} and c.ordinal >= ${ordinalFrom} and c.ordinal < ${ordinalTo}
    ), lengths as (
      select id, sum(frequency) as length from lexemes group by id
    )
    insert into postings (chunk_id, workspace_id, term, weight)
    select l.id, l.workspace_id, l.lexeme,
      l.frequency * ${saturation + 1}::float8 / (l.frequency + ${saturation}::float8
        * (${1 - lengthNormalisation}::float8 + ${lengthNormalisation}::float8 * lengths.length / ${usualLength}::float8))
    from lexemes l join lengths on lengths.id = l.id`)
}

/** Counts what is published in a workspace, for the rarity of terms. Part of every transaction that publishes or deletes. */
export const refreshLexicalStats = async (db: Executor, workspaceId: string): Promise<void> => {
  await db.execute(sql`
    insert into lexical_stats (workspace_id, chunks)
    select ${workspaceId}::uuid, coalesce(sum(v.chunks), 0)::int
    from documents d join document_versions v on v.id = d.published_version_id
    where d.workspace_id = ${workspaceId}
    on conflict (workspace_id) do update set chunks = excluded.chunks`)
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
    await db.execute(sql`analyze chunks, postings, documents, document_versions`)
}
