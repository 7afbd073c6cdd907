/**
 * The lexical index: postings of stemmed words, written with the chunks and searched by BM25 in plain SQL, the same on both
 * engines. What goes in is what a person would search by: headings, the context of a table, the text.
 */
import { sql } from 'drizzle-orm'
import type { Executor } from '../client.ts'

/** Indexes the chunks of a version with `ordinalFrom <= ordinal < ordinalTo`; call it in small steps, each is one statement. */
export const insertPostings = async (
  db: Executor,
  { versionId, ordinalFrom, ordinalTo }: { versionId: string; ordinalFrom: number; ordinalTo: number },
): Promise<void> => {
  await db.execute(sql`
    with lexemes as materialized (
      select c.id, c.workspace_id, t.lexeme, least(array_length(t.positions, 1), 32767) as frequency
      from chunks c
      cross join lateral unnest(to_tsvector('english', concat_ws(' ', array_to_string(c.heading_path, ' '), c.context, c.text))) t
      where c.version_id = ${versionId} and c.ordinal >= ${ordinalFrom} and c.ordinal < ${ordinalTo}
    ), lengths as (
      select id, sum(frequency)::int as length from lexemes group by id
    ), measured as (
      update chunks set lexemes = lengths.length from lengths where chunks.id = lengths.id
    )
    insert into postings (chunk_id, workspace_id, term, frequency, length)
    select l.id, l.workspace_id, l.lexeme, l.frequency, lengths.length from lexemes l join lengths on lengths.id = l.id
    on conflict do nothing`)
}

/** Counts what is published in a workspace, for BM25's idf and length normalisation. Part of every transaction that publishes or deletes. */
export const refreshLexicalStats = async (db: Executor, workspaceId: string): Promise<void> => {
  await db.execute(sql`
    insert into lexical_stats (workspace_id, chunks, length_mean)
    select ${workspaceId}::uuid, count(*)::int, coalesce(avg(c.lexemes), 1)::real
    from chunks c join documents d on d.id = c.document_id and d.published_version_id = c.version_id
    where c.workspace_id = ${workspaceId}
    on conflict (workspace_id) do update set chunks = excluded.chunks, length_mean = excluded.length_mean`)
}
