/**
 * The knowledge graph: one step over it as a leg of retrieval, and how what is drawn from a document gets into it. A thing without
 * a passage that the viewer may see is not there for them; a relation counts only where its passage does.
 */
import { and, asc, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import { type EntityKind, foldedWords, foldName, togetherPredicate } from '#lib/shared/graph-contract.ts'
import { contentWords } from '#lib/shared/text.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import {
  chunks,
  documents,
  documentVersions,
  entities,
  entityAliases,
  entityMentions,
  entityRelations,
  gatewaySettings,
  memberships,
} from '../schema/index.ts'
import { everythingOf, visibleTo } from '../visibility.ts'
import { isHeld } from './passage-releases.ts'
import type { Hit, searchLexical } from './search.ts'

type Scope = Parameters<typeof searchLexical>[2]

/** What a question is looked through for: so many of its words, and names of so many words. */
const wordsRead = 120
const nameWordsMax = 8
const askedMax = 8
/** Bounds of one step, so that a thing that everything is about costs no more than another. */
const relationsMax = 80
const neighboursMax = 24
const mentionsMax = 60
const candidatesMax = 160
const hitsMax = 60
/** A step is taken for a question of whose other words what is said of the things themselves lacks so much. */
const missingShare = 0.4

type Stretch = { name: string; at: number; words: number }

/** Every stretch of the question's words that may be a name, with where it begins. */
const stretchesOf = (question: string): Stretch[] => {
  const words = foldedWords(question).slice(0, wordsRead)
  return words.flatMap((_, at) =>
    Array.from({ length: Math.min(nameWordsMax, words.length - at) }, (__, more) => words.slice(at, at + more + 1))
      // `it` is no name of a department in most questions.
      .filter((stretch) => contentWords(stretch.join(' ')).length > 0)
      .map((stretch) => ({ name: stretch.join(' '), at, words: stretch.length })),
  )
}

/** The things that the question names: of two names in the same place the longer one is meant. */
const findAsked = async (
  db: Executor,
  workspaceId: string,
  question: string,
): Promise<{ id: number; name: string }[]> => {
  const stretches = stretchesOf(question)
  if (stretches.length === 0) return []
  const found = await rows<Stretch & { id: number }>(
    db,
    sql`
    select a.entity_id::int as id, a.alias as name, stretch.at, stretch.words
    from jsonb_to_recordset(${JSON.stringify(stretches)}::text::jsonb) stretch(name text, at int, words int)
    join entity_aliases a on a.workspace_id = ${workspaceId} and a.alias = stretch.name`,
  )
  const meant = found.filter(
    ({ at, words }) =>
      !found.some((longer) => longer.words > words && longer.at <= at && longer.at + longer.words >= at + words),
  )
  const byId = new Map(meant.sort((a, b) => a.words - b.words || b.id - a.id).map(({ id, name }) => [id, { id, name }]))
  return [...byId.values()].slice(-askedMax)
}

/**
 * Passages that speak of what stands in a relation to the things that the question names, and do not name those: what the other
 * legs cannot find. Scores are above 0 and compare within one answer alone: the rarer the things, the more of the question's they
 * are tied to, and the more of its words they have that are said of none of these themselves, the higher. At most 60.
 *
 * Nothing is found, on purpose, where the passages about the things themselves have the question's words already (a step then only
 * leads away), and over `with`: that two names share a sentence is no bridge. Both by `npm run bench:graph`. A question that names
 * nothing known costs one look at the names.
 */
export const searchGraph = async (db: Executor, question: string, scope: Scope): Promise<Hit[]> => {
  const { viewer, collectionIds, filter, limit, withoutHeld } = scope
  const asked = await findAsked(db, viewer.workspaceId, question)
  if (asked.length === 0) return []
  const held: SQL<boolean> = isHeld(viewer, { score: sql`c.injection_score`, hash: sql`c.content_hash` })
  // A scalar subquery on purpose, as in the search of vectors: as a join the planner reads every passage there is.
  const visible = sql`(select true from documents where documents.id = c.document_id
    and documents.published_version_id = c.version_id and ${visibleTo(viewer, collectionIds, filter)})`
  // Counted no further than a thing is rare, by the workspace as the rarity of words is.
  const rarity = (id: SQL): SQL => sql`(ln(1 + (select size from stats) / (0.5 + (
    select count(*) from (select from entity_mentions m where m.entity_id = ${id} order by chunk_id limit ${mentionsMax}) some_of_them))) / ln(1 + 2 * (select size from stats)))`
  const relations = (own: SQL, other: SQL): SQL => sql`
    (select ${other} as other_id, chunk_id from entity_relations
     where ${own} = asked.id and predicate <> ${togetherPredicate} order by chunk_id limit ${relationsMax})`
  return rows<Hit>(
    db,
    sql`
    with stats as materialized (
      select greatest(coalesce(max(chunks), 1), 1)::float8 as size from lexical_stats where workspace_id = ${viewer.workspaceId}
    ), asked as materialized (
      select id, name, ${rarity(sql`one.id`)} as rarity
      from jsonb_to_recordset(${JSON.stringify(asked)}::text::jsonb) one(id bigint, name text)
    ), said as materialized (
      select asked.id as asked_id, asked.rarity, r.other_id, r.chunk_id
      from asked cross join lateral (${relations(sql`from_id`, sql`to_id`)} union all ${relations(sql`to_id`, sql`from_id`)}) r
    ), links as materialized (
      -- An edge counts where a passage says so that is seen and not held: what nobody has read leads nowhere.
      select distinct asked_id, rarity, other_id from said
      where other_id not in (select id from asked)
        and (select ${visible} and not ${held} from chunks c where c.id = said.chunk_id)
    ), near as materialized (
      select other_id, sum(rarity) * ${rarity(sql`other_id`)} as strength
      from links group by other_id order by 2 desc, other_id limit ${neighboursMax}
    ), stepped as materialized (
      select spoken.chunk_id, sum(near.strength) as link
      from near cross join lateral (
        select distinct chunk_id from entity_mentions where entity_id = near.other_id order by chunk_id limit ${mentionsMax}
      ) spoken
      group by spoken.chunk_id order by 2 desc, 1 limit ${candidatesMax}
    ), direct as materialized (
      -- What is said of the things themselves: a step is worth what it has beyond that.
      select distinct spoken.chunk_id
      from asked cross join lateral (
        select chunk_id from entity_mentions where entity_id = asked.id order by chunk_id limit ${mentionsMax}
      ) spoken
      limit ${candidatesMax}
    ), seen as materialized (
      select found.chunk_id, found.link, c.language, ${held} as held
      from (
        select chunk_id, stepped.link from stepped where chunk_id not in (select chunk_id from direct)
        union all
        select chunk_id, null from direct
      ) found cross join lateral (select * from chunks where id = found.chunk_id limit 1) c
      where ${visible} ${withoutHeld ? sql`and not ${held}` : sql``}
    ), languages as materialized (
      select distinct language from seen
    ), others as materialized (
      -- The words of the question beside the names in it, in each language that was found.
      select t.term from languages, terms(languages.language, ${question}) t
      except select t.term from languages, asked, terms(languages.language, asked.name) t
    ), worded as materialized (
      select seen.chunk_id, others.term from others cross join seen cross join lateral (
        select from postings where workspace_id = ${viewer.workspaceId} and term = others.term and chunk_id = seen.chunk_id limit 1
      ) there
    ), telling as materialized (
      select term, ln(1 + (select count(*) from seen) / (0.5 + (select count(*) from worded where worded.term = others.term))) as rarity,
        term not in (select worded.term from worded join seen using (chunk_id) where seen.link is null and not seen.held) as missing
      from others
    ), need as materialized (
      select coalesce(sum(rarity) filter (where missing), 0) as missing, sum(rarity) as whole from telling
    )
    select seen.chunk_id::int as "chunkId", (seen.link * sum(telling.rarity) / max(need.missing))::float8 as score, seen.held
    from seen join worded using (chunk_id) join telling using (term) cross join need
    where seen.link is not null and telling.missing and need.missing >= ${missingShare}::float8 * need.whole
    group by seen.chunk_id, seen.link, seen.held
    order by score desc, 1
    limit ${Math.min(limit, hitsMax)}`,
  )
}

/**
 * Tells the embedded database how large the graph is when it has grown by a fifth since it last looked; a server does so by itself.
 * Without it every step reads the whole of it.
 */
export const analyzeGraphWhenGrown = async (db: Executor): Promise<void> => {
  const [size] = await rows<{ known: number; pages: number }>(
    db,
    sql`select relpages::float8 as known, (pg_relation_size(oid) / 8192)::float8 as pages from pg_class where oid = 'entity_mentions'::regclass`,
  )
  if (size && size.pages > size.known * 1.2)
    await db.execute(sql`analyze entities, entity_aliases, entity_mentions, entity_relations`)
}

export type DrawableVersion = {
  workspaceId: string
  collectionId: string
  /** On whose behalf models read it: who uploaded it, else an admin; null when there is nobody left. */
  userId: string | null
  title: string
  /** `held`: no model may read it. */
  passages: { chunkId: number; text: string; start: number; language: string; held: boolean }[]
}

/** The passages of a version that is searched, in its order; undefined when it is not, or no longer. For the worker, whoever may read it. */
export const getDrawableVersion = async (db: Executor, versionId: string): Promise<DrawableVersion | undefined> => {
  const admin = sql`(select ${memberships.userId} from ${memberships}
    where ${memberships.workspaceId} = ${documents.workspaceId} and ${memberships.role} in ('admin', 'owner')
    order by ${memberships.createdAt}, ${memberships.userId} limit 1)`
  const [version] = await db
    .select({
      workspaceId: documents.workspaceId,
      collectionId: documents.collectionId,
      userId: sql<string | null>`coalesce(${documents.createdBy}, ${admin})`,
      title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
    })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.publishedVersionId))
    .where(eq(documentVersions.id, versionId))
  if (!version) return undefined
  const passages = await db
    .select({
      chunkId: chunks.id,
      text: chunks.text,
      start: chunks.charStart,
      language: chunks.language,
      held: sql<boolean>`${isHeld(version)}`,
    })
    .from(chunks)
    .innerJoin(documents, eq(documents.publishedVersionId, chunks.versionId))
    .where(and(eq(chunks.versionId, versionId), visibleTo(everythingOf(version.workspaceId))))
    .orderBy(asc(chunks.ordinal))
  return { ...version, passages }
}

export type NewEntity = {
  /** What the mentions and relations that are stored with it name it by. */
  key: string
  name: string
  kind: EntityKind
  /** Folded; the first is its own name. */
  aliases: readonly string[]
}
export type NewGraphPart = {
  versionId: string
  workspaceId: string
  /** What is known of these passages so far is replaced. */
  chunkIds: readonly number[]
  entities: readonly NewEntity[]
  mentions: readonly { key: string; chunkId: number; start: number; end: number }[]
  relations: readonly { fromKey: string; toKey: string; predicate: string; chunkId: number }[]
}

type Known = { id: number; name: string; kind: string; aliases: Set<string> }

/** The things that any of `aliases` leads to, with all their names. */
const knownBy = async (tx: Tx, workspaceId: string, aliases: readonly string[]): Promise<Map<number, Known>> => {
  const owners = tx
    .select({ id: entityAliases.entityId })
    .from(entityAliases)
    .where(and(eq(entityAliases.workspaceId, workspaceId), inArray(entityAliases.alias, [...aliases])))
  const found = await tx
    .select({ id: entities.id, name: entities.name, kind: entities.kind, alias: entityAliases.alias })
    .from(entities)
    .innerJoin(entityAliases, eq(entityAliases.entityId, entities.id))
    .where(and(eq(entities.workspaceId, workspaceId), inArray(entities.id, owners)))
  const known = new Map<number, Known>()
  for (const { alias, ...entity } of found) {
    const one = known.get(entity.id) ?? { ...entity, aliases: new Set<string>() }
    known.set(entity.id, one)
    one.aliases.add(alias)
  }
  return known
}

/** Two that turned out to be one: all that was said of `from` is said of `into`. */
const mergeEntities = async (tx: Tx, from: number, into: number): Promise<void> => {
  await tx.execute(sql`
    insert into entity_mentions (entity_id, chunk_id, char_start, char_end)
    select ${into}, chunk_id, char_start, char_end from entity_mentions where entity_id = ${from} on conflict do nothing`)
  await tx.execute(sql`
    insert into entity_relations (workspace_id, from_id, to_id, predicate, chunk_id)
    select workspace_id, case from_id when ${from} then ${into} else from_id end, case to_id when ${from} then ${into} else to_id end, predicate, chunk_id
    from entity_relations where (from_id = ${from} and to_id <> ${into}) or (to_id = ${from} and from_id <> ${into})
    on conflict do nothing`)
  await tx.update(entityAliases).set({ entityId: into }).where(eq(entityAliases.entityId, from))
  await tx.delete(entities).where(eq(entities.id, from))
}

const rowsAStatement = 1_000

const inSteps = async <Row>(all: readonly Row[], insert: (some: Row[]) => Promise<unknown>): Promise<void> => {
  for (let from = 0; from < all.length; from += rowsAStatement) await insert(all.slice(from, from + rowsAStatement))
}

/**
 * The row of each drawn thing by its key, made where there is none. A thing is the one that has its own name already, else one
 * that has only names of it (the abbreviation, met before what it is short for). A short name that another thing goes by in other
 * documents stays with that one.
 */
const resolve = async (tx: Tx, workspaceId: string, drawn: readonly NewEntity[]): Promise<Map<string, number>> => {
  const known = await knownBy(tx, workspaceId, [...new Set(drawn.flatMap(({ aliases }) => aliases))])
  const owner = new Map<string, number>()
  for (const { id, aliases } of known.values()) for (const alias of aliases) owner.set(alias, id)
  const ids = new Map<string, number>()
  // Most things are new and share no name with another: these are stored together.
  const claimed = new Set(owner.keys())
  const fresh = drawn.filter(({ aliases }) => {
    const alone = aliases.every((alias) => !claimed.has(alias))
    for (const alias of aliases) claimed.add(alias)
    return alone
  })
  await inSteps(fresh, async (some) => {
    const made = await tx
      .insert(entities)
      .values(some.map(({ name, kind }) => ({ workspaceId, name, kind })))
      .returning({ id: entities.id })
    const stored = some.flatMap((entity, at) => {
      const id = made[at]?.id
      return id === undefined ? [] : [{ ...entity, id }]
    })
    await tx
      .insert(entityAliases)
      .values(stored.flatMap(({ id, aliases }) => aliases.map((alias) => ({ workspaceId, alias, entityId: id }))))
    for (const { id, key, name, kind, aliases } of stored) {
      ids.set(key, id)
      known.set(id, { id, name, kind, aliases: new Set(aliases) })
      for (const alias of aliases) owner.set(alias, id)
    }
  })
  for (const { key, name, kind, aliases } of drawn) {
    if (ids.has(key)) continue
    const own = new Set(aliases)
    const parts = [...new Set(aliases.flatMap((alias) => owner.get(alias) ?? []))].filter((id) =>
      [...(known.get(id)?.aliases ?? [])].every((alias) => own.has(alias)),
    )
    const [itself = ''] = aliases
    let id = owner.get(itself) ?? parts[0]
    if (id === undefined) {
      const [made] = await tx.insert(entities).values({ workspaceId, name, kind }).returning({ id: entities.id })
      if (!made) throw new Error('an entity was not stored')
      id = made.id
      known.set(id, { id, name, kind, aliases: new Set() })
    }
    const row = known.get(id)
    for (const part of parts) {
      if (part === id) continue
      await mergeEntities(tx, part, id)
      for (const alias of known.get(part)?.aliases ?? []) {
        owner.set(alias, id)
        row?.aliases.add(alias)
      }
      for (const [other, at] of ids) if (at === part) ids.set(other, id)
      known.delete(part)
    }
    const free = aliases.filter((alias) => !owner.has(alias))
    if (free.length > 0)
      await tx.insert(entityAliases).values(free.map((alias) => ({ workspaceId, alias, entityId: id })))
    for (const alias of free) {
      owner.set(alias, id)
      row?.aliases.add(alias)
    }
    // The long form is what it is shown by; what kind of thing it is, is learned once.
    const shown = row && foldName(row.name) !== itself && free.includes(itself) ? name : row?.name
    const learned = row?.kind === 'name' ? kind : row?.kind
    if (row && shown && learned && (shown !== row.name || learned !== row.kind)) {
      await tx.update(entities).set({ name: shown, kind: learned }).where(eq(entities.id, id))
      Object.assign(row, { name: shown, kind: learned })
    }
    ids.set(key, id)
  }
  return ids
}

/**
 * Replaces what is known of some passages of a version; false when the version is not searched any more. Workspaces never share a
 * thing. One at a time in a workspace, so that no two rows are made for one thing.
 */
export const storeGraphPart = async (tx: Tx, part: NewGraphPart): Promise<boolean> => {
  const { versionId, workspaceId, chunkIds } = part
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`graph ${workspaceId}`}, 0))`)
  const [there] = await tx
    .select({ id: documents.id })
    .from(documents)
    .where(and(eq(documents.publishedVersionId, versionId), eq(documents.workspaceId, workspaceId)))
    .for('share')
  if (!there) return false
  await tx.delete(entityRelations).where(inArray(entityRelations.chunkId, [...chunkIds]))
  await tx.delete(entityMentions).where(inArray(entityMentions.chunkId, [...chunkIds]))
  const ids = await resolve(tx, workspaceId, part.entities)
  const mentions = part.mentions.flatMap(({ key, chunkId, start, end }) => {
    const entityId = ids.get(key)
    return entityId === undefined ? [] : [{ entityId, chunkId, charStart: start, charEnd: end }]
  })
  const relations = part.relations.flatMap(({ fromKey, toKey, predicate, chunkId }) => {
    const [fromId, toId] = [ids.get(fromKey), ids.get(toKey)]
    return fromId === undefined || toId === undefined || fromId === toId
      ? []
      : [{ workspaceId, fromId, toId, predicate, chunkId }]
  })
  await inSteps(mentions, (some) => tx.insert(entityMentions).values(some).onConflictDoNothing())
  await inSteps(relations, (some) => tx.insert(entityRelations).values(some).onConflictDoNothing())
  return true
}

/** Removes things that no passage of the workspace speaks of any more; part of what deletes passages. */
export const sweepEntities = async (db: Executor, workspaceId: string): Promise<void> => {
  await db
    .delete(entities)
    .where(
      and(
        eq(entities.workspaceId, workspaceId),
        sql`not exists (select from ${entityMentions} where ${entityMentions.entityId} = ${entities.id})`,
      ),
    )
}

/** Null: nothing was drawn and nobody waits for it. */
export const setGraphState = async (
  db: Executor,
  versionId: string,
  graphState: 'queued' | 'done' | 'failed' | null,
): Promise<void> => {
  await db.update(documentVersions).set({ graphState }).where(eq(documentVersions.id, versionId))
}

/** Marks searched versions that nothing was drawn from yet, in workspaces that want it, oldest first; those that were marked. */
export const queueUndrawn = async (tx: Tx, limit: number): Promise<string[]> => {
  const wanting = tx
    .select({ id: gatewaySettings.workspaceId })
    .from(gatewaySettings)
    .where(sql`coalesce(${gatewaySettings.settings} #>> '{graph,extract}', 'off') <> 'off'`)
  const undrawn = tx
    .select({ id: documentVersions.id })
    .from(documentVersions)
    .innerJoin(documents, eq(documents.publishedVersionId, documentVersions.id))
    .where(and(isNull(documentVersions.graphState), inArray(documents.workspaceId, wanting)))
    .orderBy(asc(documentVersions.publishedAt), asc(documentVersions.id))
    .limit(limit)
  const marked = await tx
    .update(documentVersions)
    .set({ graphState: 'queued' })
    .where(and(inArray(documentVersions.id, undrawn), isNull(documentVersions.graphState)))
    .returning({ id: documentVersions.id })
  return marked.map(({ id }) => id)
}
