/**
 * Grants on collections: giving and taking them, and the chains by which people read. What is asked here about everybody must come out as
 * `visibleTo` decides for each; a test compares the two.
 */
import { and, asc, eq, type SQL, sql } from 'drizzle-orm'
import type {
  AccessCollection,
  AccessGrant,
  AccessPerson,
  AccessWay,
  GrantInput,
  GrantLevel,
  GrantSubject,
} from '#lib/shared/access-contract.ts'
import { can, type Role, type Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import { collectionGrants, collections, documents, groups, memberships } from '../schema/index.ts'
import { collectionOpenTo, deletableBy, visibleTo } from '../visibility.ts'

/** Collections whose grants the viewer may change: all for who governs access, for others those that they manage. */
const governedBy = (viewer: Viewer): SQL =>
  can(viewer, 'access.manage') ? eq(collections.workspaceId, viewer.workspaceId) : collectionOpenTo(viewer, 'manage')

export const getGovernedCollection = async (
  db: Executor,
  viewer: Viewer,
  collectionId: string,
): Promise<{ id: string; name: string } | undefined> => {
  const [found] = await db
    .select({ id: collections.id, name: collections.name })
    .from(collections)
    .where(and(eq(collections.id, collectionId), governedBy(viewer)))
  return found
}

/** Names the collection anew; false when another one has the name. */
export const setCollectionName = async (
  tx: Tx,
  { workspaceId }: Viewer,
  id: string,
  name: string,
): Promise<boolean> => {
  const renamed = await tx
    .update(collections)
    .set({ name })
    .where(
      and(
        eq(collections.workspaceId, workspaceId),
        eq(collections.id, id),
        sql`not exists (select from collections c where c.workspace_id = ${workspaceId} and c.name = ${name} and c.id <> ${id})`,
      ),
    )
    .returning({ id: collections.id })
  return renamed.length > 0
}

/** The collection's row, locked so that no source is made for it meanwhile, and what would go with it. */
export const getCollectionContents = async (
  tx: Tx,
  viewer: Viewer,
  collectionId: string,
): Promise<{ documents: number; deletable: number; answers: number; sources: number; switchedOff: string | null }> => {
  await tx.select({ id: collections.id }).from(collections).where(eq(collections.id, collectionId)).for('update')
  const [found] = await tx
    .select({
      documents: sql<number>`count(*)::int`,
      deletable: sql<number>`(count(*) filter (where ${deletableBy(viewer)}))::int`,
      answers: sql<number>`(select count(distinct c.message_id)::int from citations c
        where c.document_id in (select d.id from documents d where d.collection_id = ${collectionId}))`,
      sources: sql<number>`(select count(*)::int from sources s where s.collection_id = ${collectionId})`,
      switchedOff: offReason(viewer.workspaceId, 'collection', sql`${collectionId}::uuid`),
    })
    .from(documents)
    .where(eq(documents.collectionId, collectionId))
  if (!found) throw new Error('a count without a row')
  return found
}

/** Deletes a collection that holds no document any more, with its grants. */
export const deleteCollection = async (tx: Tx, { workspaceId }: Viewer, collectionId: string): Promise<void> => {
  await tx.delete(collections).where(and(eq(collections.workspaceId, workspaceId), eq(collections.id, collectionId)))
}

const iso = (moment: SQL): SQL<string> =>
  sql<string>`to_char(${moment} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Why the incident switch of `id` is on; null when there is none. */
const offReason = (workspaceId: string, kind: 'collection' | 'document', id: SQL): SQL<string | null> =>
  sql<string | null>`(select s.reason from incident_switches s
    where s.workspace_id = ${workspaceId} and s.kind = ${kind} and s.target_id = ${id}::text and s.lifted_at is null limit 1)`

const listGrants = (db: Executor, viewer: Viewer): Promise<(AccessGrant & { collectionId: string })[]> =>
  rows(
    db,
    sql`select g.id, g.collection_id as "collectionId", g.subject, g.subject_id as "subjectId", g.level, ${iso(sql`g.created_at`)} as since,
        coalesce(case g.subject when 'person' then u.name when 'group' then gr.name else w.name end, 'somebody who is gone') as name,
        case g.subject when 'group' then (select count(*)::int from group_members gm where gm.group_id = g.subject_id) end as members,
        giver.name as by
      from ${collections}
      join collection_grants g on g.collection_id = ${collections.id} and g.workspace_id = ${collections.workspaceId}
      join workspaces w on w.id = g.workspace_id
      left join users u on g.subject = 'person' and u.id = g.subject_id
      left join groups gr on g.subject = 'group' and gr.id = g.subject_id
      left join users giver on giver.id = g.created_by
      where ${governedBy(viewer)}
      order by array_position(array['workspace', 'group', 'person'], g.subject), name, g.id`,
  )

/** The collections that the viewer governs by name, each with its grants: the whole workspace, groups, people. */
export const listGovernedCollections = async (db: Executor, viewer: Viewer): Promise<AccessCollection[]> => {
  const own = sql`${collections.id}`
  const found = await db
    .select({
      id: collections.id,
      name: collections.name,
      // Counted for who governs, who may read none of them.
      documents: sql<number>`(select count(*)::int from documents d where d.collection_id = ${own})`,
      switchedOff: offReason(viewer.workspaceId, 'collection', own),
    })
    .from(collections)
    .where(governedBy(viewer))
    .orderBy(asc(collections.name))
  const given = Map.groupBy(await listGrants(db, viewer), ({ collectionId }) => collectionId)
  return found.map((collection) => ({
    ...collection,
    grants: (given.get(collection.id) ?? []).map(({ collectionId: _, ...grant }) => grant),
  }))
}

/** Whether there is such a person, group or workspace for the viewer to give a grant to. */
export const isSubject = async (
  db: Executor,
  { workspaceId }: Viewer,
  { subject, subjectId }: Pick<GrantInput, 'subject' | 'subjectId'>,
): Promise<boolean> => {
  if (subject === 'workspace') return subjectId === workspaceId
  const found =
    subject === 'group'
      ? await db
          .select({ id: groups.id })
          .from(groups)
          .where(and(eq(groups.id, subjectId), eq(groups.workspaceId, workspaceId)))
      : await db
          .select({ id: memberships.userId })
          .from(memberships)
          .where(and(eq(memberships.userId, subjectId), eq(memberships.workspaceId, workspaceId)))
  return found.length > 0
}

type StoredGrant = {
  id: string
  collectionId: string
  subject: GrantSubject
  subjectId: string
  level: GrantLevel
}

const grantColumns = {
  id: collectionGrants.id,
  collectionId: collectionGrants.collectionId,
  subject: collectionGrants.subject,
  subjectId: collectionGrants.subjectId,
  level: collectionGrants.level,
}

/** The grant that the subject has on the collection, locked until the transaction ends. */
export const findGrant = async (
  tx: Tx,
  { workspaceId }: Viewer,
  { collectionId, subject, subjectId }: GrantInput,
): Promise<StoredGrant | undefined> => {
  const [found] = await tx
    .select(grantColumns)
    .from(collectionGrants)
    .where(
      and(
        eq(collectionGrants.workspaceId, workspaceId),
        eq(collectionGrants.collectionId, collectionId),
        eq(collectionGrants.subject, subject),
        eq(collectionGrants.subjectId, subjectId),
      ),
    )
    .for('update')
  return found
}

/** Gives a grant, or sets the level of the one that is there. */
export const putGrant = async (tx: Tx, { workspaceId, userId }: Viewer, grant: StoredGrant): Promise<void> => {
  await tx
    .insert(collectionGrants)
    .values({ ...grant, workspaceId, createdBy: userId })
    .onConflictDoUpdate({
      target: [collectionGrants.collectionId, collectionGrants.subject, collectionGrants.subjectId],
      set: { level: grant.level, createdBy: userId, createdAt: sql`now()` },
    })
}

/** Takes a grant of a collection that the viewer governs; returns it, or undefined when there is none. */
export const deleteGrant = async (tx: Tx, viewer: Viewer, grantId: string): Promise<StoredGrant | undefined> => {
  const governed = tx.select({ id: collections.id }).from(collections).where(governedBy(viewer))
  const [taken] = await tx
    .delete(collectionGrants)
    .where(
      and(
        eq(collectionGrants.workspaceId, viewer.workspaceId),
        eq(collectionGrants.id, grantId),
        sql`${collectionGrants.collectionId} in ${governed}`,
      ),
    )
    .returning(grantColumns)
  return taken
}

const likePattern = (words: string): string => `%${words.replace(/[\\%_]/g, (special) => `\\${special}`)}%`

const personLike = (words: string): SQL =>
  words ? sql`(u.name ilike ${likePattern(words)} or u.email ilike ${likePattern(words)})` : sql`true`

/** The rows of `g` that speak of the member `m`. */
const grantOfMember = sql`g.workspace_id = m.workspace_id and (
  g.subject = 'workspace' and g.subject_id = m.workspace_id
  or g.subject = 'person' and g.subject_id = m.user_id
  or g.subject = 'group' and exists (select from group_members gm where gm.group_id = g.subject_id and gm.user_id = m.user_id))`

const personOff = sql`exists (select from incident_switches s where s.workspace_id = m.workspace_id
  and s.kind = 'person' and s.target_id = m.user_id::text and s.lifted_at is null)`

const wayColumns = sql`g.id as "grantId", g.subject, g.level, ${iso(sql`g.created_at`)} as since, coalesce(gr.name, '') as name`

type ReaderRow = AccessWay & { id: string; person: string; email: string; role: Role }

/** Everybody whom a grant lets read the collection, by name, with each of their grants; `total` of all that `words` find. */
export const listReaders = async (
  db: Executor,
  { workspaceId }: Viewer,
  { collectionId, words, limit }: { collectionId: string; words: string; limit: number },
): Promise<{ total: number; found: ReaderRow[] }> => {
  const found = await rows<ReaderRow & { total: number; place: number }>(
    db,
    sql`with readers as (
        select u.id, u.name as person, u.email, m.role, ${wayColumns},
          dense_rank() over (order by lower(u.name), u.id) as place
        from memberships m
        join users u on u.id = m.user_id
        join collection_grants g on g.collection_id = ${collectionId} and ${grantOfMember}
        left join groups gr on g.subject = 'group' and gr.id = g.subject_id
        where m.workspace_id = ${workspaceId} and m.suspended_at is null and not ${personOff} and ${personLike(words)}
      )
      select id, person, email, role, "grantId", subject, level, since, name, place::int, (max(place) over ())::int as total
      from readers order by place, array_position(array['person', 'group', 'workspace'], subject), name
      -- So many ways at most; nobody has more than a few.
      limit ${limit * 10}`,
  )
  return { total: found[0]?.total ?? 0, found: found.filter(({ place }) => place <= limit) }
}

type MemberRow = AccessPerson & { suspended: boolean; off: boolean }

export const getMember = async (
  db: Executor,
  { workspaceId }: Viewer,
  personId: string,
): Promise<MemberRow | undefined> => {
  const [found] = await rows<MemberRow>(
    db,
    sql`select u.id, u.name, u.email, m.role, m.suspended_at is not null as suspended, ${personOff} as off
      from memberships m join users u on u.id = m.user_id
      where m.workspace_id = ${workspaceId} and m.user_id = ${personId}`,
  )
  return found
}

type OpenRow = AccessWay & { id: string; collection: string; documents: number; switchedOff: string | null }

/** Every grant that lets a member read something, with its collection and how many of its documents are not switched off. */
export const listOpenings = (db: Executor, { workspaceId }: Viewer, personId: string): Promise<OpenRow[]> =>
  rows(
    db,
    sql`select c.id, c.name as collection, ${wayColumns}, ${offReason(workspaceId, 'collection', sql`c.id`)} as "switchedOff",
        (select count(*)::int from documents d where d.collection_id = c.id
          and ${offReason(workspaceId, 'document', sql`d.id`)} is null) as documents
      from memberships m
      join collection_grants g on ${grantOfMember}
      join collections c on c.id = g.collection_id
      left join groups gr on g.subject = 'group' and gr.id = g.subject_id
      where m.workspace_id = ${workspaceId} and m.user_id = ${personId}
      order by c.name, c.id, array_position(array['person', 'group', 'workspace'], g.subject), name`,
  )

/** Where a document that the viewer reads lies, for the question who else does. */
export const getPlaceOfDocument = async (
  db: Executor,
  viewer: Viewer,
  documentId: string,
): Promise<{ id: string; name: string; collectionId: string } | undefined> => {
  const [found] = await db
    .select({ id: documents.id, name: documents.name, collectionId: documents.collectionId })
    .from(documents)
    .where(and(visibleTo(viewer), eq(documents.id, documentId)))
  return found
}

export const getSwitchReason = async (
  db: Executor,
  { workspaceId }: Viewer,
  collectionId: string,
): Promise<string | null> => {
  const [found] = await rows<{ reason: string | null }>(
    db,
    sql`select ${offReason(workspaceId, 'collection', sql`${collectionId}::uuid`)} as reason`,
  )
  return found?.reason ?? null
}

/** People by name whom a grant can be given to, as many as a list shows. */
export const findPeople = (
  db: Executor,
  { workspaceId }: Viewer,
  words: string,
  limit: number,
): Promise<AccessPerson[]> =>
  rows(
    db,
    sql`select u.id, u.name, u.email, m.role from memberships m join users u on u.id = m.user_id
      where m.workspace_id = ${workspaceId} and ${personLike(words)} order by lower(u.name), u.id limit ${limit}`,
  )
