/**
 * Who may read what. Reading is by grants alone, and the grants are asked inside each statement: `visibleTo` is the filter, and on a
 * server row-level security stands behind it (`readAs`).
 */
import { and, eq, exists, gte, inArray, lte, type SQL, sql } from 'drizzle-orm'
import { log } from '#lib/log.ts'
import { type GrantLevel, grantLevels } from '#lib/shared/access-contract.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import { isAtLeast, type Reader, type Viewer } from '#lib/shared/viewer.ts'
import { type Database, type Db, database, type Executor, rows } from './client.ts'
import { collections, documents, documentVersions } from './schema/index.ts'

const everything = Symbol('everything')
const isMember = Symbol('isMember')

/** Work for a workspace itself, on nobody's behalf. */
export type WholeWorkspace = Pick<Viewer, 'workspaceId'> & { readonly [everything]: true }
/** A person whose membership the transaction has looked at already; see `readAs`. */
type KnownMember = Reader & { readonly [isMember]?: true }

/**
 * Reads for the workspace and not for a person: what the worker keeps up (descriptions, the graph, sources, encoders) must not leave
 * documents out because of who may read them. Never for what somebody is shown; each use says why it is one.
 */
export const everythingOf = (workspaceId: string): WholeWorkspace => ({ workspaceId, [everything]: true })

/** What incident switches of a kind have turned off, as the column's type. */
const switchedOff = (workspaceId: string, kind: 'collection' | 'document'): SQL =>
  sql`(select s.target_id::uuid from incident_switches s where s.workspace_id = ${workspaceId} and s.kind = ${kind} and s.lifted_at is null)`

/** The person is of the workspace, not suspended, and not switched off. */
const isActive = (reader: KnownMember): SQL => {
  const { workspaceId, userId } = reader
  const member = sql`exists (select from memberships m
    where m.workspace_id = ${workspaceId} and m.user_id = ${userId} and m.suspended_at is null)`
  const on = sql`not exists (select from incident_switches s
    where s.workspace_id = ${workspaceId} and s.kind = 'person' and s.target_id = ${userId} and s.lifted_at is null)`
  // The role of `readAs` cannot read memberships, and reads nothing where there is none.
  return reader[isMember] ? on : sql`${member} and ${on}`
}

/**
 * The ids of the collections that the person's own grants, those of their groups and those of the whole workspace open at `level` or
 * more. It depends on no row around it, so that a statement asks it once (an InitPlan), however many rows it is compared with.
 */
const openCollections = (reader: KnownMember, level: GrantLevel): SQL => {
  const { workspaceId, userId } = reader
  const levels = grantLevels.slice(grantLevels.indexOf(level)).map((one) => sql`${one}`)
  return sql`array(select g.collection_id from collection_grants g
    where g.workspace_id = ${workspaceId} and g.level in (${sql.join(levels, sql`, `)})
      and (g.subject = 'workspace' and g.subject_id = ${workspaceId}
        or g.subject = 'person' and g.subject_id = ${userId}
        or g.subject = 'group' and g.subject_id in (
          select gm.group_id from group_members gm where gm.user_id = ${userId}))
      and g.collection_id not in ${switchedOff(workspaceId, 'collection')}
      and ${isActive(reader)})`
}

const inCollections = (reader: Reader, level: GrantLevel): SQL =>
  sql`${documents.collectionId} = any(${openCollections(reader, level)})`

/** What the published version must say of itself, and people of the document; undefined when nothing is asked. */
const matching = ({ tags, languages, mediaTypes, authors, datedFrom, datedTo }: DocumentFilter): SQL | undefined => {
  const ofVersion = and(
    eq(documentVersions.id, documents.publishedVersionId),
    languages?.length ? inArray(documentVersions.language, languages) : undefined,
    authors?.length ? inArray(documentVersions.author, authors) : undefined,
    datedFrom ? gte(documentVersions.dated, datedFrom) : undefined,
    datedTo ? lte(documentVersions.dated, datedTo) : undefined,
    // Given by people or drawn from the text: all of them must be there.
    tags?.length
      ? sql`(${documents.tags} || coalesce(${documentVersions.tags}, '{}')) @> array[${sql.join(
          tags.map((tag) => sql`${tag}`),
          sql`, `,
        )}]::text[]`
      : undefined,
  )
  const asksVersion = [tags, languages, authors].some((one) => one?.length) || datedFrom || datedTo
  return and(
    mediaTypes?.length ? inArray(documents.mediaType, mediaTypes) : undefined,
    asksVersion ? exists(sql`(select 1 from ${documentVersions} where ${ofVersion})`) : undefined,
  )
}

/**
 * The one way to a row about a document. Every statement that reads documents, versions, pages or chunks joins `documents`
 * (unaliased) and carries this condition, so that what a person may not read is never counted, ranked or returned: what no grant of
 * theirs opens, what an incident switch has turned off, and for who is suspended all of it.
 */
export const visibleTo = (
  reader: Reader | WholeWorkspace,
  collectionIds: readonly string[] = [],
  filter: DocumentFilter = {},
): SQL => {
  const condition = and(
    eq(documents.workspaceId, reader.workspaceId),
    everything in reader
      ? undefined
      : and(
          inCollections(reader, 'read'),
          sql`${documents.id} <> all(array${switchedOff(reader.workspaceId, 'document')})`,
        ),
    collectionIds.length > 0 ? inArray(documents.collectionId, [...collectionIds]) : undefined,
    matching(filter),
  )
  if (!condition) throw new Error('visibleTo made no condition')
  return condition
}

/** What a grant must say for a change by this person: who administers the workspace changes what they read. */
const neededLevel = ({ role }: Viewer, level: GrantLevel): GrantLevel => (isAtLeast(role, 'admin') ? 'read' : level)

/** Documents that the person may change: tags and new versions need `contribute`. */
export const changeableBy = (viewer: Viewer): SQL => {
  const condition = and(visibleTo(viewer), inCollections(viewer, neededLevel(viewer, 'contribute')))
  if (!condition) throw new Error('changeableBy made no condition')
  return condition
}

/** Documents that the person may delete; one that is switched off too, for that may be the end of an incident. */
export const deletableBy = (viewer: Viewer): SQL =>
  sql`${documents.workspaceId} = ${viewer.workspaceId} and ${inCollections(viewer, neededLevel(viewer, 'manage'))}`

/** Whether no collection of the workspace is closed to the person; what is switched off within one is not asked. */
export const readsEverything = (reader: Reader): SQL<boolean> =>
  sql<boolean>`not exists (select from collections c
    where c.workspace_id = ${reader.workspaceId} and c.id <> all(${openCollections(reader, 'read')}))`

/** Rows of `collections` whose documents the person may read or, with another level, may add to or manage. */
export const collectionOpenTo = (viewer: Viewer, level: GrantLevel = 'read'): SQL =>
  sql`${collections.workspaceId} = ${viewer.workspaceId} and ${collections.id} = any(${openCollections(viewer, neededLevel(viewer, level))})`

/**
 * What the person may read, in one short text that changes when a grant, a group, a membership or an incident switch changes it: the
 * collections that are open to them, and the documents that are switched off. Two people with the same text read the same.
 */
export const accessFingerprint = async (db: Executor, reader: Reader): Promise<string> => {
  const [found] = await rows<{ open: string; off: string }>(
    db,
    sql`select
      (select coalesce(string_agg(distinct id::text, ' ' order by id::text), '') from unnest(${openCollections(reader, 'read')}) id) as open,
      (select coalesce(string_agg(id::text, ' ' order by id::text), '') from unnest(array${switchedOff(reader.workspaceId, 'document')}) id) as off`,
  )
  if (!found) throw new Error('a statement without a row')
  return `${found.open}/${found.off}`
}

const readerRole = 'footnote_reader'

type RowSecurity = { on: boolean; detail: string }
type Held = { footnoteRowSecurity?: WeakMap<Database, Promise<RowSecurity>> }
// Next.js bundles its own copy of this module: what was found of a database is one a process all the same.
const held = globalThis as typeof globalThis & Held

const lookAtRole = async ({ mode, db }: Database): Promise<RowSecurity> => {
  if (mode === 'embedded') return { on: false, detail: 'by the filter in each statement' }
  const [found] = await rows<{ usable: boolean; walls: number }>(
    db,
    sql`select coalesce((select pg_has_role(current_user, oid, 'member') from pg_roles where rolname = ${readerRole}), false) as usable,
      (select count(*)::int from pg_policies where schemaname = 'public' and ${readerRole} = any(roles)) as walls`,
  )
  if (found?.usable && found.walls > 0)
    return { on: true, detail: 'by the filter in each statement, and row-level security behind it' }
  const detail = `by the filter in each statement alone: the role ${readerRole} is missing or may not be used, so no row-level security stands behind it`
  log.warn({ event: 'row-security.off' }, detail)
  return { on: false, detail }
}

/** Whether row-level security stands behind the filter, with words about it; looked at once a process, and logged when it is missing. */
export const rowSecurity = (opened: Database = database()): Promise<RowSecurity> => {
  held.footnoteRowSecurity ??= new WeakMap()
  const known = held.footnoteRowSecurity.get(opened)
  if (known) return known
  const looking = lookAtRole(opened)
  held.footnoteRowSecurity.set(opened, looking)
  // A database that did not answer is asked again.
  looking.catch(() => held.footnoteRowSecurity?.delete(opened))
  return looking
}

/**
 * Reads as the role for which row-level security asks the grants itself, whatever a statement forgets. Membership is looked at as the
 * transaction begins: without one the workspace it says is none, and nothing is there.
 */
export const readAsRole = <Person extends Reader, Result>(
  db: Db,
  reader: Person,
  work: (executor: Executor, reader: Person) => Promise<Result>,
): Promise<Result> =>
  db.transaction(async (tx) => {
    const { workspaceId, userId } = reader
    await tx.execute(sql`select set_config('app.person', ${userId}, true),
      set_config('app.workspace', coalesce((select workspace_id::text from memberships
        where workspace_id = ${workspaceId} and user_id = ${userId} and suspended_at is null), ''), true),
      set_config('role', ${readerRole}, true)`)
    return work(tx, { ...reader, [isMember]: true })
  })

/**
 * Runs statements that read on somebody's behalf, with the executor and the reader that it hands over: on a server as a role for
 * which row-level security stands behind `visibleTo`, embedded as they are. Never inside a transaction: it takes a connection.
 */
export const readAs = async <Person extends Reader, Result>(
  opened: Database,
  reader: Person,
  work: (executor: Executor, reader: Person) => Promise<Result>,
): Promise<Result> => ((await rowSecurity(opened)).on ? readAsRole(opened.db, reader, work) : work(opened.db, reader))
