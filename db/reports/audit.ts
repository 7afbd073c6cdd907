/** The audit log as its page lists it, newest first; bound to the viewer's workspace. Nothing here writes. */
import { and, desc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { AuditFilter, AuditList } from '#lib/shared/records-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { auditLog, collections, documents, groups, memberships, users } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import type { Reader } from './reader.ts'

const auditPageLines = 50

type AuditQuery = AuditFilter & {
  /** The id of the last line already shown. */
  before?: number | undefined
  limit?: number
}

const isUuid = (text: string): boolean => z.uuid().safeParse(text).success
const like = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

const peopleMax = 500

/**
 * Ids of who is meant: by the id itself, so that who has no name any more is found, or by a part of the name or address. Asked before
 * the lines are: the planner then knows how rare they are.
 */
const listActors = async (db: Reader, actor: string): Promise<string[]> => {
  if (isUuid(actor)) return [actor]
  const part = `%${like(actor)}%`
  const found = await db
    .select({ id: users.id })
    .from(users)
    .where(sql`${users.name} ilike ${part} or ${users.email} ilike ${part}`)
    .limit(peopleMax)
  return found.map(({ id }) => id)
}

/** An event as it is called, or a noun that begins some. */
const byEvent = (event: string): SQL =>
  event.includes('.')
    ? eq(auditLog.event, event)
    : sql`(${auditLog.event} = ${event} or ${auditLog.event} like ${`${like(event)}.%`})`

/** A request has an id; what has none was asked for by nobody. */
const byRequest = (request: string): SQL => (isUuid(request) ? eq(auditLog.requestId, request) : sql`false`)

const conditionOf = ({ workspaceId }: Viewer, query: AuditQuery, actors: string[] | null): SQL | undefined => {
  const { from, to, event, object, request, before } = query
  return and(
    eq(auditLog.workspaceId, workspaceId),
    from ? gte(auditLog.at, new Date(from)) : undefined,
    to ? lt(auditLog.at, new Date(to)) : undefined,
    actors ? inArray(auditLog.actorId, actors) : undefined,
    event ? byEvent(event) : undefined,
    object ? eq(auditLog.objectId, object) : undefined,
    request ? byRequest(request) : undefined,
    before
      ? sql`(${auditLog.at}, ${auditLog.id}) < (select b.at, b.id from audit_log b where b.id = ${before} and b.workspace_id = ${workspaceId})`
      : undefined,
  )
}

/** What the objects of lines are called today, as far as the viewer may know: a document's name only where they read it. */
const namesOf = async (
  db: Reader,
  viewer: Viewer,
  objectIds: readonly (string | null)[],
): Promise<Map<string, string>> => {
  const ids = [...new Set(objectIds.filter((id): id is string => id !== null && isUuid(id)))]
  if (ids.length === 0) return new Map()
  const { workspaceId } = viewer
  const found = await Promise.all([
    db
      .select({ id: users.id, name: users.name })
      .from(users)
      .innerJoin(memberships, and(eq(memberships.userId, users.id), eq(memberships.workspaceId, workspaceId)))
      .where(inArray(users.id, ids)),
    db
      .select({ id: collections.id, name: collections.name })
      .from(collections)
      .where(and(inArray(collections.id, ids), eq(collections.workspaceId, workspaceId))),
    db
      .select({ id: groups.id, name: groups.name })
      .from(groups)
      .where(and(inArray(groups.id, ids), eq(groups.workspaceId, workspaceId))),
    db
      .select({ id: documents.id, name: documents.name })
      .from(documents)
      .where(and(inArray(documents.id, ids), visibleTo(viewer))),
  ])
  return new Map(found.flat().map(({ id, name }) => [id, name]))
}

/** Lines of the workspace, newest first, `limit` (50) at a time. A `before` that is no line of it gives an empty list. */
export const listAuditLines = async (db: Reader, viewer: Viewer, query: AuditQuery = {}): Promise<AuditList> => {
  const { limit = auditPageLines, actor } = query
  const actors = actor ? await listActors(db, actor) : null
  if (actors?.length === 0) return { lines: [], more: false }
  const found = await db
    .select({ line: auditLog, actorName: users.name })
    .from(auditLog)
    .leftJoin(users, eq(users.id, auditLog.actorId))
    .where(conditionOf(viewer, query, actors))
    .orderBy(desc(auditLog.at), desc(auditLog.id))
    .limit(limit + 1)
  const shown = found.slice(0, limit)
  const names = await namesOf(
    db,
    viewer,
    shown.map(({ line }) => line.objectId),
  )
  return {
    lines: shown.map(({ line: { workspaceId: _, actorId, at, ...line }, actorName }) => ({
      ...line,
      at: at.toISOString(),
      actor: actorId === null ? null : { id: actorId, name: actorName },
      objectName: names.get(line.objectId ?? '') ?? null,
    })),
    more: found.length > limit,
  }
}
