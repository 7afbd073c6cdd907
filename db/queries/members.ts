/** Members of a workspace and what they may be. The rows of the owners are the lock that keeps a workspace from losing its last one. */
import { and, asc, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { Role, Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import {
  apiKeys,
  collectionGrants,
  groupMembers,
  groups,
  invitations,
  memberships,
  sessions,
  users,
  workspaces,
} from '../schema/index.ts'
import { personIsOn } from './incidents.ts'
import { endResetTokens } from './sign-in.ts'

type InWorkspace = Pick<Viewer, 'workspaceId'>

const membershipOf = (workspaceId: string, userId: string) =>
  and(eq(memberships.workspaceId, workspaceId), eq(memberships.userId, userId))

/**
 * The people who own the workspace and may act in it, locked until the transaction ends. Whoever takes an owner away asks here first:
 * a second such transaction waits, and then sees what is left. Always in the same order, so that none waits in a circle.
 */
export const lockOwners = async (tx: Tx, { workspaceId }: InWorkspace): Promise<string[]> => {
  const owners = await tx
    .select({ userId: memberships.userId })
    .from(memberships)
    .where(
      and(eq(memberships.workspaceId, workspaceId), eq(memberships.role, 'owner'), isNull(memberships.suspendedAt)),
    )
    .orderBy(asc(memberships.userId))
    .for('update')
  return owners.map(({ userId }) => userId)
}

export type Membership = { userId: string; role: Role; suspendedAt: Date | null; name: string }

/** A member with their membership locked; undefined when they are none of this workspace. */
export const lockMember = async (
  tx: Tx,
  { workspaceId }: InWorkspace,
  userId: string,
): Promise<Membership | undefined> => {
  const [member] = await tx
    .select({
      userId: memberships.userId,
      role: memberships.role,
      suspendedAt: memberships.suspendedAt,
      name: users.name,
    })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(membershipOf(workspaceId, userId))
    .for('update', { of: memberships })
  return member
}

/** The role that a person has here at this moment; undefined for none, and while they are suspended. */
export const currentRole = async (
  db: Executor,
  { workspaceId }: InWorkspace,
  userId: string,
): Promise<Role | undefined> => {
  const [member] = await db
    .select({ role: memberships.role })
    .from(memberships)
    .where(
      and(
        membershipOf(workspaceId, userId),
        isNull(memberships.suspendedAt),
        personIsOn(memberships.workspaceId, memberships.userId),
      ),
    )
  return member?.role
}

export const setRole = async (tx: Tx, { workspaceId }: InWorkspace, userId: string, role: Role): Promise<void> => {
  await endResetTokens(tx, userId)
  await tx.update(memberships).set({ role }).where(membershipOf(workspaceId, userId))
}

export const setSuspended = async (
  tx: Tx,
  { workspaceId }: InWorkspace,
  userId: string,
  suspended: boolean,
): Promise<void> => {
  await tx
    .update(memberships)
    .set({ suspendedAt: suspended ? sql`now()` : null })
    .where(membershipOf(workspaceId, userId))
}

/** Ends every session and API key that a person has in the workspace. Returns how many of each. */
export const endAccess = async (
  tx: Tx,
  { workspaceId }: InWorkspace,
  userId: string,
): Promise<{ sessions: number; keys: number }> => {
  const ended = await tx
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(sessions.workspaceId, workspaceId), eq(sessions.userId, userId), isNull(sessions.revokedAt)))
    .returning({ idHash: sessions.idHash })
  const revoked = await tx
    .update(apiKeys)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(apiKeys.workspaceId, workspaceId), eq(apiKeys.userId, userId), isNull(apiKeys.revokedAt)))
    .returning({ id: apiKeys.id })
  return { sessions: ended.length, keys: revoked.length }
}

/** Takes a person out of the workspace, its groups, its grants and what was to let them in; what they brought stays. */
export const deleteMember = async (tx: Tx, { workspaceId }: InWorkspace, userId: string): Promise<void> => {
  await tx.delete(memberships).where(membershipOf(workspaceId, userId))
  await tx
    .update(invitations)
    .set({ revokedAt: sql`now()` })
    .where(
      and(
        eq(invitations.workspaceId, workspaceId),
        isNull(invitations.acceptedAt),
        isNull(invitations.revokedAt),
        inArray(invitations.email, tx.select({ email: users.email }).from(users).where(eq(users.id, userId))),
      ),
    )
  await tx
    .delete(groupMembers)
    .where(
      and(
        eq(groupMembers.userId, userId),
        inArray(
          groupMembers.groupId,
          tx.select({ id: groups.id }).from(groups).where(eq(groups.workspaceId, workspaceId)),
        ),
      ),
    )
  await tx
    .delete(collectionGrants)
    .where(
      and(
        eq(collectionGrants.workspaceId, workspaceId),
        eq(collectionGrants.subject, 'person'),
        eq(collectionGrants.subjectId, userId),
      ),
    )
}

/** Who of these addresses is a member already. */
export const listMemberEmails = async (
  db: Executor,
  { workspaceId }: InWorkspace,
  emails: readonly string[],
): Promise<Map<string, { suspended: boolean }>> => {
  if (emails.length === 0) return new Map()
  const there = await db
    .select({ email: users.email, suspended: sql<boolean>`${memberships.suspendedAt} is not null` })
    .from(users)
    .innerJoin(memberships, and(eq(memberships.userId, users.id), eq(memberships.workspaceId, workspaceId)))
    .where(inArray(users.email, [...emails]))
  return new Map(there.map(({ email, suspended }) => [email, { suspended }]))
}

export type OwnWorkspace = { id: string; name: string; role: Role }

/** The workspaces that a person may enter. */
export const listOwnWorkspaces = (db: Executor, userId: string): Promise<OwnWorkspace[]> =>
  db
    .select({ id: workspaces.id, name: workspaces.name, role: memberships.role })
    .from(memberships)
    .innerJoin(workspaces, eq(workspaces.id, memberships.workspaceId))
    .where(
      and(
        eq(memberships.userId, userId),
        isNull(memberships.suspendedAt),
        personIsOn(memberships.workspaceId, memberships.userId),
      ),
    )
    .orderBy(asc(workspaces.name), asc(workspaces.id))

export const insertMembership = async (
  tx: Tx,
  membership: { workspaceId: string; userId: string; role: Role },
): Promise<void> => {
  await endResetTokens(tx, membership.userId)
  await tx.insert(memberships).values(membership)
}

/** Moves a session that is good to another workspace of its person; false when there is no such session. */
export const moveSession = async (
  tx: Tx,
  { userId }: Pick<Viewer, 'userId'>,
  idHash: string,
  workspaceId: string,
): Promise<boolean> => {
  const moved = await tx
    .update(sessions)
    .set({ workspaceId })
    .where(
      and(
        eq(sessions.idHash, idHash),
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
        gt(sessions.expiresAt, sql`now()`),
      ),
    )
    .returning({ idHash: sessions.idHash })
  return moved.length > 0
}

/** Why an answer that is being written must end: its asker has left, is suspended, or is switched off. */
export type Barred = { messageId: string; because: 'left' | 'suspended' | 'switched-off' }

/** Those of the answers whose asker may no longer be answered. An answer that is gone is not named: its writer learns of that by itself. */
export const listBarredAnswers = (db: Executor, messageIds: readonly string[]): Promise<Barred[]> =>
  rows<Barred>(
    db,
    sql`select asked.id as "messageId",
        case when asked.absent then 'left' when asked.suspended then 'suspended' else 'switched-off' end as because
      from (
        select m.id, membership.user_id is null as absent, membership.suspended_at is not null as suspended,
          exists (
            select 1 from incident_switches off
            where off.workspace_id = chat.workspace_id and off.kind = 'person' and off.target_id = chat.user_id::text
              and off.lifted_at is null
          ) as switched_off
        from messages m
        join chats chat on chat.id = m.chat_id
        left join memberships membership on membership.workspace_id = chat.workspace_id and membership.user_id = chat.user_id
        where m.id = any(${sql.param(`{${messageIds.join(',')}}`)}::uuid[])
      ) asked
      where asked.absent or asked.suspended or asked.switched_off`,
  )
