/**
 * The knowledge graph as its page shows it. Every statement carries `visibleTo`; none writes. A thing of which the viewer may see no
 * passage is not there, and neither is a relation that no such passage states.
 */
import { and, desc, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import { gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import {
  type EntityKind,
  entityKinds,
  foldName,
  type GraphEntity,
  type GraphNeighbourhood,
  type GraphSize,
  type GraphSource,
  togetherPredicate,
} from '#lib/shared/graph-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import {
  chunks,
  documents,
  documentVersions,
  entities,
  entityAliases,
  entityMentions,
  entityRelations,
  gatewaySettings,
  modelCalls,
} from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import { number } from './calls.ts'
import type { Reader } from './reader.ts'

const foundMax = 30
/** More round one thing than that are a knot of lines. */
const neighboursMax = 18
const saidMax = 6
const aliasesMax = 20
const sourcesMax = 20

/** Of a thing that is named by a viewer: a number that the column can hold. */
const isEntityId = (id: string): boolean => /^[1-9]\d{0,14}$/.test(id)

const kindOf = (kind: string): EntityKind => entityKinds.find((known) => known === kind) ?? 'name'

const searched = and(eq(documents.id, chunks.documentId), eq(documents.publishedVersionId, chunks.versionId))
const passages = sql<number>`count(distinct ${entityMentions.chunkId})::int`

/** Things with how many visible passages speak of them, those with most first. */
const selectEntities = async (db: Reader, viewer: Viewer, condition: SQL | undefined, order: SQL[], limit: number) =>
  (
    await db
      .select({ id: entities.id, name: entities.name, kind: entities.kind, passages })
      .from(entities)
      .innerJoin(entityMentions, eq(entityMentions.entityId, entities.id))
      .innerJoin(chunks, eq(chunks.id, entityMentions.chunkId))
      .innerJoin(documents, searched)
      .where(and(eq(entities.workspaceId, viewer.workspaceId), visibleTo(viewer), condition))
      .groupBy(entities.id, entities.name, entities.kind)
      .orderBy(...order, desc(passages), entities.id)
      .limit(limit)
  ).map(
    ({ id, name, kind, passages: spoken }): GraphEntity => ({
      id: String(id),
      name,
      kind: kindOf(kind),
      passages: spoken,
    }),
  )

/** Things with a name like `words`, the nearest first; without words those that are spoken of most. At most 30. */
export const searchEntities = (db: Reader, viewer: Viewer, words: string): Promise<GraphEntity[]> => {
  const fold = foldName(words)
  if (!fold) return selectEntities(db, viewer, undefined, [], foundMax)
  // Folded words hold nothing that `like` takes for a sign.
  const alike = sql`exists (select from ${entityAliases} where ${entityAliases.entityId} = ${entities.id}
    and ${entityAliases.workspaceId} = ${viewer.workspaceId} and (' ' || ${entityAliases.alias}) like ${`% ${fold}%`})`
  const own = sql`lower(${entities.name})`
  const nearness = sql`min(case when ${own} = ${fold} then 0 when ${own} like ${`${fold}%`} then 1 else 2 end)`
  return selectEntities(db, viewer, alike, [nearness], foundMax)
}

const said = sql<number>`count(distinct ${entityRelations.chunkId})::int`
const worded = sql<number>`(count(distinct ${entityRelations.chunkId}) filter (where ${entityRelations.predicate} <> ${togetherPredicate}))::int`
const low = sql<number>`least(${entityRelations.fromId}, ${entityRelations.toId})`.mapWith(Number)
const high = sql<number>`greatest(${entityRelations.fromId}, ${entityRelations.toId})`.mapWith(Number)

/** A thing, what stands in a relation to it, and how; undefined when there is no such thing for the viewer. */
export const getNeighbourhood = async (
  db: Reader,
  viewer: Viewer,
  entityId: string,
): Promise<GraphNeighbourhood | undefined> => {
  if (!isEntityId(entityId)) return undefined
  const id = Number(entityId)
  const [centre] = await selectEntities(db, viewer, eq(entities.id, id), [], 1)
  if (!centre) return undefined
  const other =
    sql<number>`case ${entityRelations.fromId} when ${id}::bigint then ${entityRelations.toId} else ${entityRelations.fromId} end`.mapWith(
      Number,
    )
  const [aliases, near] = await Promise.all([
    db
      .select({ alias: entityAliases.alias })
      .from(entityAliases)
      .where(and(eq(entityAliases.workspaceId, viewer.workspaceId), eq(entityAliases.entityId, id)))
      .orderBy(entityAliases.alias)
      .limit(aliasesMax),
    db
      .select({ other, said, worded, all: sql<number>`(count(*) over ())::int` })
      .from(entityRelations)
      .innerJoin(chunks, eq(chunks.id, entityRelations.chunkId))
      .innerJoin(documents, searched)
      .where(and(or(eq(entityRelations.fromId, id), eq(entityRelations.toId, id)), visibleTo(viewer)))
      .groupBy(sql`1`)
      .orderBy(sql`3 desc`, sql`2 desc`, sql`1`)
      .limit(neighboursMax),
  ])
  const ids = near.map((one) => one.other)
  const shown = [id, ...ids]
  const among = and(inArray(entityRelations.fromId, shown), inArray(entityRelations.toId, shown), visibleTo(viewer))
  const [named, pairs, lines] = await Promise.all([
    ids.length > 0 ? selectEntities(db, viewer, inArray(entities.id, ids), [], neighboursMax) : [],
    db
      .select({ low, high, passages: said })
      .from(entityRelations)
      .innerJoin(chunks, eq(chunks.id, entityRelations.chunkId))
      .innerJoin(documents, searched)
      .where(among)
      .groupBy(sql`1`, sql`2`)
      .orderBy(sql`1`, sql`2`),
    db
      .select({
        fromId: entityRelations.fromId,
        toId: entityRelations.toId,
        predicate: entityRelations.predicate,
        said,
      })
      .from(entityRelations)
      .innerJoin(chunks, eq(chunks.id, entityRelations.chunkId))
      .innerJoin(documents, searched)
      .where(among)
      .groupBy(entityRelations.fromId, entityRelations.toId, entityRelations.predicate)
      .orderBy(sql`(${entityRelations.predicate} = ${togetherPredicate})`, sql`4 desc`, entityRelations.predicate),
  ])
  const saidOf = Map.groupBy(lines, ({ fromId, toId }) => `${Math.min(fromId, toId)} ${Math.max(fromId, toId)}`)
  const byId = new Map(named.map((entity) => [entity.id, entity]))
  return {
    centre: {
      ...centre,
      aliases: aliases.map(({ alias }) => alias).filter((alias) => alias !== foldName(centre.name)),
    },
    neighbours: ids.flatMap((one) => byId.get(String(one)) ?? []),
    edges: pairs.map(({ low: one, high: two, passages: stated }) => ({
      between: [String(one), String(two)],
      passages: stated,
      said: (saidOf.get(`${one} ${two}`) ?? [])
        .slice(0, saidMax)
        .map(({ fromId, toId, predicate }) => ({ fromId: String(fromId), toId: String(toId), predicate })),
    })),
    more: Math.max(0, (near[0]?.all ?? 0) - near.length),
  }
}

/** The passages that say how two things stand to each other, in words before `with`; at most 20. */
export const listEdgeSources = async (
  db: Reader,
  viewer: Viewer,
  [one, other]: readonly [string, string],
): Promise<GraphSource[]> => {
  if (!isEntityId(one) || !isEntityId(other)) return []
  const ids = [Number(one), Number(other)]
  const predicates = sql<string[]>`array_agg(distinct ${entityRelations.predicate})`
  const found = await db
    .select({
      chunkId: chunks.id,
      documentId: documents.id,
      title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
      mediaType: documents.mediaType,
      ordinal: chunks.ordinal,
      page: chunks.pageFrom,
      text: chunks.text,
      start: chunks.charStart,
      predicates,
    })
    .from(entityRelations)
    .innerJoin(chunks, eq(chunks.id, entityRelations.chunkId))
    .innerJoin(documents, searched)
    .innerJoin(documentVersions, eq(documentVersions.id, chunks.versionId))
    .where(and(inArray(entityRelations.fromId, ids), inArray(entityRelations.toId, ids), visibleTo(viewer)))
    .groupBy(chunks.id, documents.id, documents.name, documents.mediaType, documentVersions.title)
    .orderBy(sql`bool_and(${entityRelations.predicate} = ${togetherPredicate})`, documents.name, chunks.ordinal)
    .limit(sourcesMax)
  if (found.length === 0) return []
  const marks = await db
    .select({ chunkId: entityMentions.chunkId, start: entityMentions.charStart, end: entityMentions.charEnd })
    .from(entityMentions)
    .innerJoin(chunks, eq(chunks.id, entityMentions.chunkId))
    .innerJoin(documents, searched)
    .where(
      and(
        inArray(
          entityMentions.chunkId,
          found.map(({ chunkId }) => chunkId),
        ),
        inArray(entityMentions.entityId, ids),
        visibleTo(viewer),
      ),
    )
    .orderBy(entityMentions.charStart)
  const marksOf = Map.groupBy(marks, ({ chunkId }) => chunkId)
  return found.map(({ chunkId, start, ...source }) => ({
    ...source,
    chunkId: String(chunkId),
    marks: (marksOf.get(chunkId) ?? []).map((mark) => ({ start: mark.start - start, end: mark.end - start })),
  }))
}

/** How the graph is set, how much there is of it, and what it cost. */
export const getGraphSize = async (db: Reader, viewer: Viewer): Promise<GraphSize> => {
  const states = { done: 'done', waiting: 'queued', failed: 'failed' } as const
  const inState = (state: string) =>
    sql<number>`(count(*) filter (where ${documentVersions.graphState} = ${state}))::int`
  const [[stored], [things], [relations], [read], [cost]] = await Promise.all([
    db
      .select({ settings: gatewaySettings.settings })
      .from(gatewaySettings)
      .where(eq(gatewaySettings.workspaceId, viewer.workspaceId)),
    db
      .select({ n: sql<number>`count(distinct ${entityMentions.entityId})::int` })
      .from(entityMentions)
      .innerJoin(chunks, eq(chunks.id, entityMentions.chunkId))
      .innerJoin(documents, searched)
      .where(visibleTo(viewer)),
    db
      .select({
        n: sql<number>`count(distinct (${entityRelations.fromId}, ${entityRelations.toId}, ${entityRelations.predicate}))::int`,
      })
      .from(entityRelations)
      .innerJoin(chunks, eq(chunks.id, entityRelations.chunkId))
      .innerJoin(documents, searched)
      .where(visibleTo(viewer)),
    db
      .select({
        done: inState(states.done),
        waiting: inState(states.waiting),
        failed: inState(states.failed),
        untouched: sql<number>`(count(*) filter (where ${documentVersions.graphState} is null))::int`,
      })
      .from(documents)
      .innerJoin(documentVersions, eq(documentVersions.id, documents.publishedVersionId))
      .where(visibleTo(viewer)),
    db
      .select({
        costMicros: number(sql`sum(${modelCalls.costMicros})`),
        unpricedCalls: number(sql`count(*) filter (where ${modelCalls.costMicros} is null)`),
      })
      .from(modelCalls)
      .where(and(eq(modelCalls.workspaceId, viewer.workspaceId), eq(modelCalls.feature, 'document.graph'))),
  ])
  // Settings that cannot be read draw nothing and step over nothing.
  const settings = gatewaySettingsSchema.safeParse(stored?.settings ?? {}).data
  return {
    extract: settings?.graph.extract ?? 'off',
    searched: settings?.retrieval.graph ?? false,
    entities: things?.n ?? 0,
    relations: relations?.n ?? 0,
    documents: read ?? { done: 0, waiting: 0, failed: 0, untouched: 0 },
    costMicros: cost?.costMicros ?? 0,
    unpricedCalls: cost?.unpricedCalls ?? 0,
  }
}
