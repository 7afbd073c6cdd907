/**
 * The two legs of retrieval and the chunks they found. What the viewer may not see, and what is not the published version, is
 * left out inside each statement: it is never ranked, counted or returned.
 */
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows } from '../client.ts'
import { chunks, collections, documents, documentVersions } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import { isHeld } from './passage-releases.ts'

/** `held`: it reads like an order to a model and nobody has released it. It may be counted, and goes no further. */
export type Hit = { chunkId: number; score: number; held: boolean }
type Scope = {
  viewer: Pick<Viewer, 'workspaceId'>
  collectionIds: readonly string[]
  limit: number
  /** Leaves held passages out instead of marking them. */
  withoutHeld?: boolean
}

/** Of the legs' alias for chunks. */
const held = (viewer: Pick<Viewer, 'workspaceId'>): SQL<boolean> =>
  isHeld(viewer, { score: sql`c.injection_score`, hash: sql`c.content_hash` })

const leavingOut = ({ viewer, withoutHeld }: Scope): SQL => (withoutHeld ? sql`and not ${held(viewer)}` : sql``)

/** Terms in more than this share of the chunks tell nothing apart; they are left out unless the question has no others. */
const commonShare = 0.3
/** In so few chunks no word is common: a small workspace is searched with all of them. */
const commonFrom = 200

const published = sql`documents.id = c.document_id and documents.published_version_id = c.version_id`

/** Best chunks by BM25, the question's words taken as alternatives. Scores are above 0; unbounded. */
export const searchLexical = (db: Executor, question: string, scope: Scope): Promise<Hit[]> => {
  const { viewer, collectionIds, limit } = scope
  return rows<Hit>(
    db,
    sql`
    with asked as materialized (
      select lexeme as term, array_length(positions, 1) as weight,
        (select count(*) from postings p where p.workspace_id = ${viewer.workspaceId} and p.term = lexeme) as chunks
      from unnest(to_tsvector('english', ${question}))
    ), stats as materialized (
      select greatest(coalesce(max(chunks), 1), 1) as chunks from lexical_stats where workspace_id = ${viewer.workspaceId}
    ), telling as materialized (
      select asked.term, asked.weight * ln(1 + (greatest(stats.chunks, asked.chunks) - asked.chunks + 0.5) / (asked.chunks + 0.5)) as rarity
      from asked cross join stats
      where asked.chunks > 0
        and (asked.chunks <= greatest(${commonFrom}::float8, ${commonShare}::float8 * stats.chunks)
          or not exists (select from asked rare where rare.chunks > 0 and rare.chunks <= greatest(${commonFrom}::float8, ${commonShare}::float8 * stats.chunks)))
    ), scored as materialized (
      select p.chunk_id, sum(telling.rarity * p.weight)::float8 as score
      from telling join postings p on p.workspace_id = ${viewer.workspaceId} and p.term = telling.term
      group by p.chunk_id
    )
    -- What is held is asked of the few that are found, not of all that have a word.
    select c.id::int8::text::int as "chunkId", c.score, ${held(viewer)} as held
    from (
      select c.id, scored.score, c.injection_score, c.content_hash
      from (select * from scored order by score desc) scored
      join chunks c on c.id = scored.chunk_id
      join documents on ${published}
      where ${visibleTo(viewer, collectionIds)} ${leavingOut(scope)}
      order by scored.score desc, c.id
      limit ${limit}
    ) c
    order by c.score desc, c.id`,
  )
}

export type VectorSearch = Scope & { vector: Float32Array; model: string }

export const toVectorLiteral = (vector: Float32Array): string =>
  `[${Array.from(vector, (value) => value.toFixed(6)).join(',')}]`

/**
 * Best chunks by cosine similarity among those embedded by `model`. Scores are cosines. How the graph is searched: `db/open.ts`.
 * Visibility is a scalar subquery on purpose: as a join the planner takes it for selective and measures every vector instead of
 * walking the graph.
 */
export const searchVector = (db: Executor, search: VectorSearch): Promise<Hit[]> => {
  const { viewer, collectionIds, limit, vector, model } = search
  const literal = toVectorLiteral(vector)
  return rows<Hit>(
    db,
    sql`
    select c.id::int8::text::int as "chunkId", (1 - (c.embedding <=> ${literal}::vector))::float8 as score,
      ${held(viewer)} as held
    from chunks c
    where c.embedding_model = ${model} and (select true from documents where ${published} and ${visibleTo(viewer, collectionIds)}) ${leavingOut(search)}
    order by c.embedding <=> ${literal}::vector
    limit ${limit}`,
  )
}

export type FoundChunk = {
  chunkId: number
  documentId: string
  versionId: string
  title: string
  collection: string
  mediaType: string
  page: number | null
  pageTo: number | null
  pages: number | null
  ordinal: number
  headingPath: string[]
  context: string
  text: string
  charStart: number
  charEnd: number
  tokens: number
}

/** The chunks of `chunkIds` that the viewer may see and a model may read, in no order: the one way of a passage into a prompt. */
export const getChunks = async (
  db: Executor,
  viewer: Pick<Viewer, 'workspaceId'>,
  chunkIds: readonly number[],
): Promise<FoundChunk[]> => {
  if (chunkIds.length === 0) return []
  const condition: SQL | undefined = and(
    inArray(chunks.id, [...chunkIds]),
    visibleTo(viewer),
    sql`not ${isHeld(viewer)}`,
  )
  return db
    .select({
      chunkId: chunks.id,
      documentId: chunks.documentId,
      versionId: chunks.versionId,
      title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
      collection: collections.name,
      mediaType: documents.mediaType,
      page: chunks.pageFrom,
      pageTo: chunks.pageTo,
      pages: documentVersions.pages,
      ordinal: chunks.ordinal,
      headingPath: chunks.headingPath,
      context: chunks.context,
      text: chunks.text,
      charStart: chunks.charStart,
      charEnd: chunks.charEnd,
      tokens: chunks.tokens,
    })
    .from(chunks)
    .innerJoin(documents, and(eq(documents.id, chunks.documentId), eq(documents.publishedVersionId, chunks.versionId)))
    .innerJoin(documentVersions, eq(documentVersions.id, chunks.versionId))
    .innerJoin(collections, eq(collections.id, documents.collectionId))
    .where(condition)
}
