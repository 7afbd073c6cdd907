/**
 * The two legs of retrieval and the chunks that they found. What the viewer may not see, and what is not the published version, is
 * left out inside each statement: it is never ranked, counted or returned.
 */
import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import { detectLanguage } from '#lib/language.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows } from '../client.ts'
import { chunks, collections, documents, documentVersions } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import { vectorExpressions } from './embedding-indexes.ts'
import { isHeld } from './passage-releases.ts'

/** `held`: it reads like an order to a model and nobody has released it. It may be counted, and goes no further. */
export type Hit = { chunkId: number; score: number; held: boolean }
/** `whole`: what a passage of usual length would score that has each of the question's terms once. The same in every hit. */
export type LexicalHit = Hit & { whole: number }
export type Scope = {
  viewer: Pick<Viewer, 'workspaceId'>
  collectionIds: readonly string[]
  filter?: DocumentFilter | undefined
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

/** What `db/open.ts` sets for every session. */
const usualEfSearch = 100

/** A question is understood in its own language and in so many of those that most passages are in. */
const languagesMax = 4

/**
 * Best chunks by BM25, the question's terms taken as alternatives. Scores are above 0; unbounded. Passages are indexed by the stems
 * of their own languages, so the question is cut to the stems of each that the workspace holds; what its own language passes over
 * as too common is passed over in all of them.
 */
export const searchLexical = async (db: Executor, question: string, scope: Scope): Promise<LexicalHit[]> => {
  const lookedAt = lookedAtFor(scope.limit)
  const ask = (most: number | null) => searchPostings(db, question, scope, most)
  // Where much is filtered out the best of all are not the best of what is left.
  let found = await ask(isNarrow(scope) ? null : lookedAt)
  const [first] = found
  if (!isNarrow(scope) && found.length < scope.limit && (!first || first.matching > lookedAt)) found = await ask(null)
  return found.map(({ matching: _, ...hit }) => hit)
}

/** Whose documents they are is asked of so many of the best at first: nearly all that a workspace has may be seen in it. */
const lookedAtFor = (limit: number): number => Math.max(500, 8 * limit)

const searchPostings = (
  db: Executor,
  question: string,
  scope: Scope,
  lookedAt: number | null,
): Promise<(LexicalHit & { matching: number })[]> => {
  const { viewer, collectionIds, limit } = scope
  return rows(
    db,
    sql`
    with stats as materialized (
      select greatest(coalesce(max(chunks), 1), 1) as chunks, coalesce(nullif(${detectLanguage(question)}::text, 'und'),
        (select key from lexical_stats, jsonb_each_text(languages) where workspace_id = ${viewer.workspaceId} and key <> 'und' order by value::int desc limit 1), 'en') as language
      from lexical_stats where workspace_id = ${viewer.workspaceId}
    ), others as materialized (
      select key as language from lexical_stats, jsonb_each_text(languages)
      where workspace_id = ${viewer.workspaceId} and key <> (select language from stats)
      order by value::int desc limit ${languagesMax}
    ), words as materialized (
      select string_agg(lexeme, ' ') as words from unnest(to_tsvector('simple', ${question}))
      where exists (select from others) and to_tsvector((select text_config(language) from stats), lexeme) <> ''::tsvector
    ), understood as materialized (
      select term, max(frequency) as weight, bool_or(own) as own from (
        select t.term, t.frequency, true as own from stats, terms(stats.language, ${question}) t
        union all
        select t.term, t.frequency, false from words, others, terms(others.language, words.words) t
      ) every group by term
    ), asked as materialized (
      select term, weight, own,
        (select count(*) from postings p where p.workspace_id = ${viewer.workspaceId} and p.term = understood.term) as chunks
      from understood
    ), rated as materialized (
      select asked.*, weight * ln(1 + (greatest(stats.chunks, asked.chunks) - asked.chunks + 0.5) / (asked.chunks + 0.5)) as rarity
      from asked cross join stats
    ), telling as materialized (
      select asked.term, asked.rarity
      from rated asked cross join stats
      where asked.chunks > 0
        and (asked.chunks <= greatest(${commonFrom}::float8, ${commonShare}::float8 * stats.chunks)
          or not exists (select from asked rare where rare.chunks > 0 and rare.chunks <= greatest(${commonFrom}::float8, ${commonShare}::float8 * stats.chunks)))
    ), scored as materialized (
      select p.chunk_id, sum(telling.rarity * p.weight)::float8 as score
      -- Kept apart by the offset: every term is looked up in the index, also where the planner would rather read all postings.
      from telling cross join lateral (
        select chunk_id, weight from postings where workspace_id = ${viewer.workspaceId} and term = telling.term offset 0) p
      group by p.chunk_id
    )
    -- What is held is asked of the few that are found, not of all that have a word.
    select c.id::int8::text::int as "chunkId", c.score, ${held(viewer)} as held,
      (select coalesce(sum(rarity) filter (where own), 0)::float8 from rated) as whole,
      (select count(*)::int from scored) as matching
    from (
      select c.id, scored.score, c.injection_score, c.content_hash
      from (select * from scored order by score desc, chunk_id limit ${lookedAt}::int) scored
      join chunks c on c.id = scored.chunk_id
      join documents on ${published}
      where ${visibleTo(viewer, collectionIds, scope.filter)} ${leavingOut(scope)}
      order by scored.score desc, c.id
      limit ${limit}
    ) c
    order by c.score desc, c.id`,
  )
}

type Asked = { vector: Float32Array; model: string }
export type VectorSearch = Scope &
  Asked & {
    /** Candidates of the walk over the graph, where another number than usual is wanted. */
    efSearch?: number | undefined
  }

export const toVectorLiteral = (vector: Float32Array): string =>
  `[${Array.from(vector, (value) => value.toFixed(6)).join(',')}]`

/** Up to so many passages are measured one by one: quicker than a walk that has to pass over nearly all that it meets. */
const measuredMax = 2_000

/** How many passages with vectors a narrow search is over; no more than `measuredMax + 1` are counted. */
const countNarrow = async (db: Executor, { viewer, collectionIds, filter }: Scope): Promise<number> => {
  const [found] = await rows<{ passages: number }>(
    db,
    sql`select count(*)::int as passages from (
      select from documents join chunk_vectors v on v.version_id = documents.published_version_id
      where ${visibleTo(viewer, collectionIds, filter)} limit ${measuredMax + 1}) narrow`,
  )
  return found?.passages ?? 0
}

const isNarrow = ({ collectionIds, filter = {} }: Scope): boolean =>
  collectionIds.length > 0 || Object.values(filter).some((one) => one !== undefined && one.length > 0)

/**
 * Best chunks by cosine similarity among those embedded by `model`. Scores are cosines. How the graph is searched: `db/open.ts`.
 * Visibility is a scalar subquery on purpose: as a join the planner takes it for selective and measures every vector instead of
 * walking the graph. Where a filter or the collections leave few passages these are measured, so that it finds what there is.
 */
export const searchVector = async (db: Executor, search: VectorSearch): Promise<Hit[]> => {
  const { viewer, collectionIds, filter, limit, vector, model, withoutHeld, efSearch } = search
  const { type, ofModel } = vectorExpressions(model, vector.length)
  const distance = sql`v.embedding::${type} <=> ${toVectorLiteral(vector)}::${type}`
  const unheld = withoutHeld ? sql`and (select not ${held(viewer)} from chunks c where c.id = v.chunk_id)` : sql``
  const visible = visibleTo(viewer, collectionIds, filter)
  const few = isNarrow(search) && (await countNarrow(db, search)) <= measuredMax
  const nearest = few
    ? sql`select v.chunk_id, ${distance} as distance
      from documents join chunk_vectors v on v.version_id = documents.published_version_id
      where v.${ofModel} and ${visible} ${unheld}
      order by 2 limit ${limit}`
    : sql`select v.chunk_id, ${distance} as distance
      from chunk_vectors v
      where v.${ofModel} and (select true from documents
        where documents.id = v.document_id and documents.published_version_id = v.version_id and ${visible})
        ${unheld}
      order by ${distance}
      limit ${limit}`
  const find = (executor: Executor): Promise<Hit[]> =>
    rows<Hit>(
      executor,
      sql`
      select c.id::int8::text::int as "chunkId", (1 - v.distance)::float8 as score, ${held(viewer)} as held
      from (${nearest}) v join chunks c on c.id = v.chunk_id
      order by v.distance`,
    )
  if (few || efSearch === undefined || efSearch === usualEfSearch) return find(db)
  return db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('hnsw.ef_search', ${String(efSearch)}, true)`)
    return find(tx)
  })
}

/** The cosines of chunks that a search has just found by something else; those that `model` has no vector of are not there. */
export const getCosines = async (
  db: Executor,
  viewer: Pick<Viewer, 'workspaceId'>,
  { vector, model, chunkIds }: Asked & { chunkIds: readonly number[] },
): Promise<Map<number, number>> => {
  if (chunkIds.length === 0) return new Map()
  const { type, ofModel } = vectorExpressions(model, vector.length)
  const found = await rows<{ chunkId: number; cosine: number }>(
    db,
    sql`
    select v.chunk_id::text::int as "chunkId", (1 - (v.embedding::${type} <=> ${toVectorLiteral(vector)}::${type}))::float8 as cosine
    from chunk_vectors v join documents on documents.id = v.document_id and documents.published_version_id = v.version_id
    where v.${ofModel} and ${inArray(sql`v.chunk_id`, [...chunkIds])} and ${visibleTo(viewer)}`,
  )
  return new Map(found.map(({ chunkId, cosine }) => [chunkId, cosine]))
}

type Place = { collectionIds?: readonly string[] | undefined; filter?: DocumentFilter | undefined }

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

const columns = {
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
}

const readChunks = (db: Executor, condition: SQL | undefined): Promise<FoundChunk[]> =>
  db
    .select(columns)
    .from(chunks)
    .innerJoin(documents, and(eq(documents.id, chunks.documentId), eq(documents.publishedVersionId, chunks.versionId)))
    .innerJoin(documentVersions, eq(documentVersions.id, chunks.versionId))
    .innerJoin(collections, eq(collections.id, documents.collectionId))
    .where(condition)

const readable = (viewer: Pick<Viewer, 'workspaceId'>, { collectionIds, filter }: Place = {}): SQL | undefined =>
  and(visibleTo(viewer, collectionIds, filter), sql`not ${isHeld(viewer)}`)

/** The chunks of `chunkIds` that the viewer may see and a model may read, in no order: the one way of a passage into a prompt. */
export const getChunks = async (
  db: Executor,
  viewer: Pick<Viewer, 'workspaceId'>,
  chunkIds: readonly number[],
  place: Place = {},
): Promise<FoundChunk[]> =>
  chunkIds.length === 0 ? [] : readChunks(db, and(inArray(chunks.id, [...chunkIds]), readable(viewer, place)))

/** What stands right before and after chunks in the same section, under the same rules as `getChunks`. */
export const getNeighbours = async (
  db: Executor,
  viewer: Pick<Viewer, 'workspaceId'>,
  beside: readonly Pick<FoundChunk, 'versionId' | 'ordinal' | 'headingPath'>[],
): Promise<FoundChunk[]> => {
  if (beside.length === 0) return []
  const places = beside.map(({ versionId, ordinal }) =>
    and(eq(chunks.versionId, versionId), inArray(chunks.ordinal, [ordinal - 1, ordinal + 1])),
  )
  const found = await readChunks(db, and(or(...places), readable(viewer)))
  const sections = new Set(beside.map(({ versionId, headingPath }) => JSON.stringify([versionId, headingPath])))
  return found.filter(({ versionId, headingPath }) => sections.has(JSON.stringify([versionId, headingPath])))
}

export type ShownChunk = Pick<FoundChunk, 'chunkId' | 'documentId' | 'versionId' | 'title' | 'page' | 'headingPath'> & {
  /** The beginning of its text. */
  text: string
  held: boolean
}

/** For people and never for a prompt: chunks by their beginnings, also those that no model may read. */
export const listShownChunks = async (
  db: Executor,
  viewer: Pick<Viewer, 'workspaceId'>,
  chunkIds: readonly number[],
  charsMax: number,
): Promise<ShownChunk[]> => {
  if (chunkIds.length === 0) return []
  const { chunkId, documentId, versionId, title, page, headingPath } = columns
  return db
    .select({
      chunkId,
      documentId,
      versionId,
      title,
      page,
      headingPath,
      text: sql<string>`left(${chunks.text}, ${charsMax}::int)`,
      held: isHeld(viewer),
    })
    .from(chunks)
    .innerJoin(documents, and(eq(documents.id, chunks.documentId), eq(documents.publishedVersionId, chunks.versionId)))
    .innerJoin(documentVersions, eq(documentVersions.id, chunks.versionId))
    .where(and(inArray(chunks.id, [...chunkIds]), visibleTo(viewer)))
}
