/** Members, groups and invitations as the Members page lists them: searched and cut into pages by the database. */
import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lte, max, or, type SQL, sql } from 'drizzle-orm'
import {
  type GroupName,
  type GroupRow,
  type InvitationFilter,
  type InvitationRow,
  type InvitationState,
  type MemberFilter,
  type MemberRow,
  membersPageSize,
  type Paged,
} from '#lib/shared/people-contract.ts'
import type { Role, Viewer } from '#lib/shared/viewer.ts'
import { groupMembers, groups, invitations, memberships, sessions, users } from '../schema/index.ts'
import type { Reader } from './reader.ts'

type Insider = Pick<Viewer, 'workspaceId'>

const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`
/** A page that is there: the last one when fewer are left than were asked for. */
const pageOf = (page: number, total: number): number => Math.max(1, Math.min(page, Math.ceil(total / membersPageSize)))
const iso = (at: Date | null): string | null => at?.toISOString() ?? null

/** What orders people by their names in any script. */
const byName = [asc(sql`lower(${users.name})`), asc(users.id)]

const memberCondition = ({ workspaceId }: Insider, { q, role, groupId, suspended }: MemberFilter): SQL | undefined =>
  and(
    eq(memberships.workspaceId, workspaceId),
    q ? sql`(${users.name} ilike ${containing(q)} or ${users.email} ilike ${containing(q)})` : undefined,
    role ? eq(memberships.role, role) : undefined,
    suspended === undefined
      ? undefined
      : suspended
        ? isNotNull(memberships.suspendedAt)
        : isNull(memberships.suspendedAt),
    groupId
      ? sql`exists (select 1 from ${groupMembers} join ${groups} on ${groups.id} = ${groupMembers.groupId}
          where ${groupMembers.userId} = ${memberships.userId} and ${groupMembers.groupId} = ${groupId}
            and ${groups.workspaceId} = ${workspaceId})`
      : undefined,
  )

export const listMembers = async (
  db: Reader,
  viewer: Insider,
  filter: MemberFilter,
  wanted: number,
): Promise<Paged<MemberRow>> => {
  const where = memberCondition(viewer, filter)
  const [counted] = await db
    .select({ total: sql<number>`count(*)::int` })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(where)
  const total = counted?.total ?? 0
  const page = pageOf(wanted, total)
  const rows = await db
    .select({
      userId: users.id,
      name: users.name,
      email: users.email,
      role: memberships.role,
      suspendedAt: memberships.suspendedAt,
      joinedAt: memberships.createdAt,
    })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(where)
    .orderBy(...byName)
    .limit(membersPageSize)
    .offset((page - 1) * membersPageSize)
  // Looked up for this page alone: in one statement it would be done for every row before it, too.
  const userIds = rows.map(({ userId }) => userId)
  const [seen, inGroups] = await Promise.all([
    db
      .select({ userId: sessions.userId, at: max(sessions.lastSeenAt) })
      .from(sessions)
      .where(and(eq(sessions.workspaceId, viewer.workspaceId), inArray(sessions.userId, userIds)))
      .groupBy(sessions.userId),
    db
      .select({ userId: groupMembers.userId, id: groups.id, name: groups.name })
      .from(groupMembers)
      .innerJoin(groups, and(eq(groups.id, groupMembers.groupId), eq(groups.workspaceId, viewer.workspaceId)))
      .where(inArray(groupMembers.userId, userIds))
      .orderBy(asc(groups.name)),
  ])
  const seenAt = new Map(seen.map(({ userId, at }) => [userId, at]))
  const groupsOf = Map.groupBy(inGroups, ({ userId }) => userId)
  return {
    total,
    page,
    rows: rows.map(({ suspendedAt, joinedAt, ...row }) => ({
      ...row,
      groups: (groupsOf.get(row.userId) ?? []).map(({ id, name }): GroupName => ({ id, name })),
      suspendedAt: iso(suspendedAt),
      joinedAt: joinedAt.toISOString(),
      lastSeenAt: iso(seenAt.get(row.userId) ?? null),
    })),
  }
}

/** Every group of the workspace, by name, with how many are in it and what it opens. */
export const listGroups = (db: Reader, { workspaceId }: Insider): Promise<GroupRow[]> =>
  db
    .select({
      id: groups.id,
      name: groups.name,
      claim: groups.claim,
      claimRole: groups.claimRole,
      // Written out: a statement over one table names its columns without it, and these are of several.
      members: sql<number>`(select count(*)::int from group_members member where member.group_id = groups.id)`,
      collections: sql<number>`(select count(*)::int from collection_grants given
        where given.workspace_id = groups.workspace_id and given.subject = 'group' and given.subject_id = groups.id)`,
    })
    .from(groups)
    .where(eq(groups.workspaceId, workspaceId))
    .orderBy(asc(sql`lower(${groups.name})`), asc(groups.id))

const now = sql`now()`
const inState: Record<InvitationState, SQL | undefined> = {
  open: and(isNull(invitations.acceptedAt), isNull(invitations.revokedAt), gt(invitations.expiresAt, now)),
  expired: and(isNull(invitations.acceptedAt), isNull(invitations.revokedAt), lte(invitations.expiresAt, now)),
  accepted: isNotNull(invitations.acceptedAt),
  revoked: and(isNull(invitations.acceptedAt), isNotNull(invitations.revokedAt)),
}

/** Invitations, newest first; without a state those that somebody may still wait for: open and expired. */
export const listInvitations = async (
  db: Reader,
  { workspaceId }: Insider,
  { q, state }: InvitationFilter,
  wanted: number,
): Promise<Paged<InvitationRow>> => {
  const where = and(
    eq(invitations.workspaceId, workspaceId),
    q ? sql`${invitations.email} ilike ${containing(q)}` : undefined,
    state ? inState[state] : or(inState.open, inState.expired),
  )
  const [counted] = await db.select({ total: sql<number>`count(*)::int` }).from(invitations).where(where)
  const total = counted?.total ?? 0
  const page = pageOf(wanted, total)
  const rows = await db
    .select({
      id: invitations.id,
      email: invitations.email,
      role: sql<Role>`${invitations.role}`,
      groups: sql<string[]>`(select coalesce(json_agg(${groups.name} order by ${groups.name}), '[]') from ${groups}
        where ${groups.id} = any(${invitations.groupIds}) and ${groups.workspaceId} = ${invitations.workspaceId})`,
      state: sql<InvitationState>`case when ${invitations.acceptedAt} is not null then 'accepted'
        when ${invitations.revokedAt} is not null then 'revoked'
        when ${invitations.expiresAt} <= now() then 'expired' else 'open' end`,
      invitedBy: users.name,
      createdAt: invitations.createdAt,
      expiresAt: invitations.expiresAt,
      acceptedAt: invitations.acceptedAt,
      revokedAt: invitations.revokedAt,
      mailFailure: invitations.mailFailure,
    })
    .from(invitations)
    .leftJoin(users, eq(users.id, invitations.invitedBy))
    .where(where)
    .orderBy(desc(invitations.createdAt), desc(invitations.id))
    .limit(membersPageSize)
    .offset((page - 1) * membersPageSize)
  return {
    total,
    page,
    rows: rows.map(({ createdAt, expiresAt, acceptedAt, revokedAt, ...row }) => ({
      ...row,
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
      endedAt: iso(acceptedAt ?? revokedAt),
    })),
  }
}
