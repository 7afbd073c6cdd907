/**
 * The two legs of retrieval and the chunks that they found. What the viewer may not see, and what is not the published version, is
 * left out inside each statement: it is never ranked, counted or returned.
 */
import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import { detectLanguage } from '#lib/language.ts'
import { createMemo } from '#lib/shared/memo.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import type { Reader, Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows } from '../client.ts'
import { chunks, collections, documents, documentVersions } from '../schema/index.ts'
import { readsEverything, visibleTo } from '../visibility.ts'
import { vectorExpressions } from './embedding-indexes.ts'
import { isHeld } from './passage-releases.ts'

/** `held`: it reads like an order to a model and nobody has released it. It may be counted, and goes no further. */
export type Hit = { chunkId: number; score: number; held: boolean }
/** `whole`: what a passage of usual length would score that has each of the question's terms once. The same in every hit. */
export type LexicalHit = Hit & { whole: number }
export type Scope = {
  viewer: Reader
  collectionIds: readonly string[]
  filter?: DocumentFilter | undefined
  limit: number
  /** Leaves held passages out instead of marking them. */
  withoutHeld?: boolean
  /** How much of the workspace it is over, where that is known already; see `breadthOf`. */
  breadth?: Breadth
}

/** Everything; so few passages that each is looked at; or some, a part of the workspace from 0 to 1. */
type Breadth = 'all' | 'few' | { share: number }

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
  const breadth = await breadthOf(db, scope)
  const lookedAt = lookedAtFor(scope.limit, breadth)
  const ask = (most: number | null) => searchPostings(db, question, { ...scope, breadth }, most)
  let found = await ask(lookedAt)
  const [first] = found
  // Where much is filtered out the best of all may not be the best of what is left.
  if (breadth !== 'few' && found.length < scope.limit && (!first || first.sorted === lookedAt)) found = await ask(null)
  return found.map(({ sorted: _, ...hit }) => hit)
}

/** So many of the best are put in order at first: the smaller the part that may be seen, the more of them. */
const lookedAtFor = (limit: number, breadth: Breadth): number =>
  Math.max(500, 8 * limit, typeof breadth === 'object' ? Math.ceil((3 * limit) / breadth.share) : 0)

const searchPostings = (
  db: Executor,
  question: string,
  scope: Scope & { breadth: Breadth },
  lookedAt: number | null,
): Promise<(LexicalHit & { sorted: number })[]> => {
  const { viewer, collectionIds, limit, breadth } = scope
  // Kept apart, the best are looked at in their order until there are enough of them; of a narrow search any may be what is left.
  const oneByOne = lookedAt === null ? sql`` : sql`offset 0`
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
      -- A float here: as a numeric it would be made one for every posting, which takes longer than to read them.
      select asked.*, (weight * ln(1 + (greatest(stats.chunks, asked.chunks) - asked.chunks + 0.5) / (asked.chunks + 0.5)))::float8 as rarity
      from asked cross join stats
    ), telling as materialized (
      select asked.term, asked.rarity
      from rated asked cross join stats
      where asked.chunks > 0
        and (asked.chunks <= greatest(${commonFrom}::float8, ${commonShare}::float8 * stats.chunks)
          or not exists (select from asked rare where rare.chunks > 0 and rare.chunks <= greatest(${commonFrom}::float8, ${commonShare}::float8 * stats.chunks)))
    ), best as materialized (
      select p.chunk_id, sum(telling.rarity * p.weight) as score
      -- Kept apart by the offset: every term is looked up in the index, also where the planner would rather read all postings.
      from telling cross join lateral (
        select chunk_id, weight from postings where workspace_id = ${viewer.workspaceId} and term = telling.term offset 0) p
      ${breadth === 'few' ? sql`where p.chunk_id in (${passagesIn(scope)})` : sql``}
      group by p.chunk_id
      order by score desc, p.chunk_id
      limit ${lookedAt}::int
    )
    -- What is held is asked of the few that are found, not of all that have a word.
    select c.id::int8::text::int as "chunkId", c.score, ${held(viewer)} as held,
      (select coalesce(sum(rarity) filter (where own), 0) from rated) as whole,
      (select count(*)::int from best) as sorted
    from (
      select c.id, best.score, c.injection_score, c.content_hash
      from best cross join lateral (
        select c.id, c.injection_score, c.content_hash
        from chunks c join documents on ${published}
        where c.id = best.chunk_id and ${visibleTo(viewer, collectionIds, scope.filter)} ${leavingOut(scope)}
        ${oneByOne}) c
      order by best.score desc, best.chunk_id
      limit ${limit}
    ) c
    order by c.score desc, c.id`,
  )
}

type Asked = { vector: Float32Array; model: string }
export type VectorSearch = Scope &
  Asked & {
    /** Candidates of the walk over the graph; null or left out: as measured for the size of the index. */
    efSearch?: number | null | undefined
  }

export const toVectorLiteral = (vector: Float32Array): string =>
  `[${Array.from(vector, (value) => value.toFixed(6)).join(',')}]`

/**
 * Up to so many passages are measured one by one, and up to the greater number where they are a small part of the workspace: quicker
 * than a walk that has to pass over nearly all that it meets, and it misses none. By `npm run bench:access`.
 */
const measuredMax = 2_000
const measuredOfManyMax = 6_000
const smallShare = 0.1
/** No more are counted: of a large workspace more may be seen then than the share says. */
const countedMax = 10_000

/**
 * The published versions that a search is over. Kept apart by the offset, here and below: the planner cannot tell how little a person's
 * grants leave, and would read every passage there is.
 */
const versionsIn = ({ viewer, collectionIds, filter }: Scope): SQL => sql`(
  select documents.published_version_id as id from documents
  where documents.published_version_id is not null and ${visibleTo(viewer, collectionIds, filter)} offset 0) version`

const passagesIn = (scope: Scope): SQL => sql`select passage.id from ${versionsIn(scope)} cross join lateral (
  select id from chunks where version_id = version.id offset 0) passage`

/** How much of the workspace the person's grants, the collections and the filter leave, counted no further than it helps. */
export const breadthOf = async (db: Executor, scope: Scope): Promise<Breadth> => {
  if (scope.breadth) return scope.breadth
  const { viewer } = scope
  const everything = isNarrow(scope) ? sql`false` : readsEverything(viewer)
  const [found] = await rows<{ passages: number | null; all: number }>(
    db,
    sql`select case when not ${everything}
        then (select count(*)::int from (${passagesIn(scope)} limit ${countedMax + 1}) counted) end as passages,
      coalesce((select max(chunks) from lexical_stats where workspace_id = ${viewer.workspaceId}), 0)::int as all`,
  )
  if (!found || found.passages === null) return 'all'
  const { passages } = found
  const share = Math.min(1, passages / Math.max(1, found.all))
  return passages <= (share <= smallShare ? measuredOfManyMax : measuredMax) ? 'few' : { share }
}

const isNarrow = ({ collectionIds, filter = {} }: Scope): boolean =>
  collectionIds.length > 0 || Object.values(filter).some((one) => one !== undefined && one.length > 0)

/**
 * Best chunks by cosine similarity among those embedded by `model`. Scores are cosines. How the graph is searched: `db/open.ts`.
 * Visibility is a scalar subquery on purpose: as a join the planner takes it for selective and measures every vector instead of
 * walking the graph. Where grants, a filter or the collections leave few passages these are measured, so that it finds what there is.
 */
export const searchVector = async (db: Executor, search: VectorSearch): Promise<Hit[]> => {
  const { viewer, collectionIds, filter, limit, vector, model, withoutHeld, efSearch } = search
  const { type, ofModel } = vectorExpressions(model, vector.length)
  const distance = sql`v.embedding::${type} <=> ${toVectorLiteral(vector)}::${type}`
  const unheld = withoutHeld ? sql`and (select not ${held(viewer)} from chunks c where c.id = v.chunk_id)` : sql``
  const visible = visibleTo(viewer, collectionIds, filter)
  const few = (await breadthOf(db, search)) === 'few'
  const nearest = few
    ? sql`select v.chunk_id, ${distance} as distance
      from ${versionsIn(search)} cross join lateral (
        select * from chunk_vectors v where v.version_id = version.id and v.${ofModel} offset 0) v
      where true ${unheld}
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
  if (few) return find(db)
  const candidates = efSearch ?? (await measuredEfSearch(db))
  if (candidates === usualEfSearch) return find(db)
  return db.transaction(async (tx) => {
    await tx.execute(sql`select set_config('hnsw.ef_search', ${String(candidates)}, true)`)
    return find(tx)
  })
}

const vectorsHeld = createMemo<number>({ entriesMax: 1, ttlMs: 60_000 })

/** So many candidates find 98 of the exact 100 nearest in a graph of that size; by `npm run bench:search` up to a million. */
const measuredEfSearch = async (db: Executor): Promise<number> => {
  const vectors = await vectorsHeld.get('all', async () => {
    const [found] = await rows<{ vectors: number }>(
      db,
      sql`select reltuples::float8 as vectors from pg_class where oid = 'chunk_vectors'::regclass`,
    )
    return found?.vectors ?? 0
  })
  return vectors < 200_000 ? usualEfSearch : vectors < 500_000 ? 200 : 400
}

/** The cosines of chunks that a search has just found by something else; those that `model` has no vector of are not there. */
export const getCosines = async (
  db: Executor,
  viewer: Reader,
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
  collectionId: string
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
  collectionId: documents.collectionId,
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

const readable = (viewer: Reader, { collectionIds, filter }: Place = {}): SQL | undefined =>
  and(visibleTo(viewer, collectionIds, filter), sql`not ${isHeld(viewer)}`)

/** The chunks of `chunkIds` that the viewer may see and a model may read, in no order: the one way of a passage into a prompt. */
export const getChunks = async (
  db: Executor,
  viewer: Reader,
  chunkIds: readonly number[],
  place: Place = {},
): Promise<FoundChunk[]> =>
  chunkIds.length === 0 ? [] : readChunks(db, and(inArray(chunks.id, [...chunkIds]), readable(viewer, place)))

/** What stands right before and after chunks in the same section, under the same rules as `getChunks`. */
export const getNeighbours = async (
  db: Executor,
  viewer: Reader,
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

export type ShownChunk = Pick<
  FoundChunk,
  'chunkId' | 'documentId' | 'versionId' | 'title' | 'mediaType' | 'page' | 'headingPath'
> & {
  /** The beginning of its text. */
  text: string
  held: boolean
}

/** For people and never for a prompt: chunks by their beginnings, also those that no model may read. */
export const listShownChunks = async (
  db: Executor,
  viewer: Reader,
  chunkIds: readonly number[],
  charsMax: number,
): Promise<ShownChunk[]> => {
  if (chunkIds.length === 0) return []
  const { chunkId, documentId, versionId, title, mediaType, page, headingPath } = columns
  return db
    .select({
      chunkId,
      documentId,
      versionId,
      title,
      mediaType,
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
