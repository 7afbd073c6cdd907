/** Incident switches: what is off, who switched it off and on again, and what there is to switch off. */
import { type AnyColumn, and, asc, desc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { FindTargets, SwitchRow, SwitchTarget } from '#lib/shared/incidents-contract.ts'
import type { SwitchKind } from '#lib/shared/records-contract.ts'
import type { Role, Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import {
  collections,
  documents,
  incidentSwitches,
  memberships,
  modelProviders,
  models,
  users,
} from '../schema/index.ts'
import { deletableBy, visibleTo } from '../visibility.ts'

export type SwitchOn = { id: string; kind: SwitchKind; targetId: string; label: string; reason: string; since: Date }

/** What is off in a workspace, the oldest first. */
export const listSwitchesOn = (db: Executor, workspaceId: string): Promise<SwitchOn[]> =>
  db
    .select({
      id: incidentSwitches.id,
      kind: incidentSwitches.kind,
      targetId: incidentSwitches.targetId,
      label: incidentSwitches.label,
      reason: incidentSwitches.reason,
      since: incidentSwitches.thrownAt,
    })
    .from(incidentSwitches)
    .where(and(eq(incidentSwitches.workspaceId, workspaceId), isNull(incidentSwitches.liftedAt)))
    .orderBy(asc(incidentSwitches.thrownAt))

export type NewSwitch = Pick<
  typeof incidentSwitches.$inferInsert,
  'id' | 'workspaceId' | 'kind' | 'targetId' | 'label' | 'reason' | 'thrownBy'
>

/** False when it is off already. */
export const insertSwitch = async (tx: Tx, thrown: NewSwitch): Promise<boolean> => {
  const made = await tx
    .insert(incidentSwitches)
    .values(thrown)
    .onConflictDoNothing()
    .returning({ id: incidentSwitches.id })
  return made.length > 0
}

/** Ends a switch that is on; undefined when there is none. */
export const endSwitch = async (
  tx: Tx,
  { workspaceId, userId }: Viewer,
  id: string,
): Promise<{ kind: SwitchKind; targetId: string } | undefined> => {
  const [ended] = await tx
    .update(incidentSwitches)
    .set({ liftedAt: sql`now()`, liftedBy: userId })
    .where(
      and(
        eq(incidentSwitches.workspaceId, workspaceId),
        eq(incidentSwitches.id, id),
        isNull(incidentSwitches.liftedAt),
      ),
    )
    .returning({ kind: incidentSwitches.kind, targetId: incidentSwitches.targetId })
  return ended
}

const shownMax = 200
const iso = (moment: SQL): SQL => sql`to_char(${moment} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Every switch of the workspace, those that are on first, then the newest; at most 200. */
export const listSwitches = (db: Executor, viewer: Viewer): Promise<SwitchRow[]> =>
  rows<SwitchRow>(
    db,
    sql`select s.id, s.kind, s.reason, ${iso(sql`s.thrown_at`)} as since, ${iso(sql`s.lifted_at`)} as "liftedAt",
        thrower.name as by, lifter.name as "liftedBy",
        -- A document's name is for those who may read it, switched off or not.
        case when s.kind <> 'document' or s.thrown_by = ${viewer.userId} or exists (
          select from documents where documents.id::text = s.target_id and ${deletableBy(viewer)}) then s.label end as label
      from incident_switches s
      left join users thrower on thrower.id = s.thrown_by
      left join users lifter on lifter.id = s.lifted_by
      where s.workspace_id = ${viewer.workspaceId}
      order by s.lifted_at is null desc, coalesce(s.lifted_at, s.thrown_at) desc, s.id
      limit ${shownMax}`,
  )

/** The collections that hold these documents, by document. */
export const listPlaces = async (
  db: Executor,
  workspaceId: string,
  documentIds: readonly string[],
): Promise<Map<string, string>> => {
  if (documentIds.length === 0) return new Map()
  const found = await db
    .select({ id: documents.id, collectionId: documents.collectionId })
    .from(documents)
    .where(
      and(
        eq(documents.workspaceId, workspaceId),
        sql`${documents.id} = any(${sql.param(`{${documentIds.join(',')}}`)}::uuid[])`,
      ),
    )
  return new Map(found.map(({ id, collectionId }) => [id, collectionId]))
}

const targetsMax = 20

const contains = (column: SQL, q: string): SQL => sql`${column} ilike ${`%${q.replace(/[\\%_]/g, '\\$&')}%`}`

/**
 * What can be switched off and has `q` in its name, by name, a few of them; with `id`, that one alone. Documents are those that the
 * viewer may read. Providers and models that the environment names are not stored, and not among them.
 */
export const listTargets = (
  db: Executor,
  viewer: Viewer,
  { kind, q, id }: FindTargets & { id?: string },
): Promise<SwitchTarget[]> => {
  const { workspaceId } = viewer
  if (kind === 'person')
    return db
      .select({ id: users.id, label: users.name, note: users.email })
      .from(memberships)
      .innerJoin(users, eq(users.id, memberships.userId))
      .where(
        and(
          eq(memberships.workspaceId, workspaceId),
          sql`(${contains(sql`${users.name}`, q)} or ${contains(sql`${users.email}`, q)})`,
          id === undefined ? undefined : eq(users.id, id),
        ),
      )
      .orderBy(asc(users.name), asc(users.id))
      .limit(targetsMax)
  if (kind === 'collection')
    return db
      .select({ id: collections.id, label: collections.name, note: sql<string>`''` })
      .from(collections)
      .where(
        and(
          eq(collections.workspaceId, workspaceId),
          contains(sql`${collections.name}`, q),
          id === undefined ? undefined : eq(collections.id, id),
        ),
      )
      .orderBy(asc(collections.name))
      .limit(targetsMax)
  if (kind === 'document')
    return db
      .select({ id: documents.id, label: documents.name, note: collections.name })
      .from(documents)
      .innerJoin(collections, eq(collections.id, documents.collectionId))
      .where(
        and(
          visibleTo(viewer),
          contains(sql`${documents.name}`, q),
          id === undefined ? undefined : eq(documents.id, id),
        ),
      )
      .orderBy(asc(documents.name), asc(documents.id))
      .limit(targetsMax)
  if (kind === 'provider')
    return db
      .select({
        id: sql<string>`${modelProviders.id}::text`,
        label: modelProviders.name,
        note: sql<string>`${modelProviders.kind}`,
      })
      .from(modelProviders)
      .where(
        and(
          eq(modelProviders.workspaceId, workspaceId),
          contains(sql`${modelProviders.name}`, q),
          id === undefined ? undefined : sql`${modelProviders.id}::text = ${id}`,
        ),
      )
      .orderBy(desc(modelProviders.enabled), asc(modelProviders.name))
      .limit(targetsMax)
  const key = sql<string>`${models.providerId}::text || '/' || ${models.modelId}`
  return db
    .select({ id: key, label: models.modelId, note: modelProviders.name })
    .from(models)
    .innerJoin(modelProviders, eq(modelProviders.id, models.providerId))
    .where(
      and(
        eq(modelProviders.workspaceId, workspaceId),
        contains(sql`${models.modelId}`, q),
        id === undefined ? undefined : sql`${key} = ${id}`,
      ),
    )
    .orderBy(asc(models.modelId))
    .limit(targetsMax)
}

/** A member's role, and whether they are in: not suspended, not switched off. Undefined when they are none of this workspace. */
export const getStanding = async (
  tx: Tx,
  workspaceId: string,
  userId: string,
): Promise<{ role: Role; active: boolean } | undefined> => {
  const [found] = await rows<{ role: Role; active: boolean }>(
    tx,
    sql`select m.role, m.suspended_at is null and ${personIsOn(sql`m.workspace_id`, sql`m.user_id`)} as active
      from memberships m where m.workspace_id = ${workspaceId} and m.user_id = ${userId}`,
  )
  return found
}

/** No incident switch keeps the person out of the workspace. */
export const personIsOn = (
  workspaceId: AnyColumn | SQL,
  userId: AnyColumn | SQL,
): SQL => sql`not exists (select from incident_switches off
  where off.workspace_id = ${workspaceId} and off.kind = 'person' and off.target_id = ${userId}::text and off.lifted_at is null)`
