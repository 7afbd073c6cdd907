/** Invitations: a way into a workspace for one address, once, until it expires. Only hashes of their links are stored. */
import { and, eq, gt, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import type { Role, Viewer } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { groupMembers, groups, invitations, memberships, users, workspaces } from '../schema/index.ts'
import { personIsOn } from './incidents.ts'
import { endResetTokens } from './sign-in.ts'

const isPending = and(isNull(invitations.acceptedAt), isNull(invitations.revokedAt))
const isOpen = and(isPending, gt(invitations.expiresAt, sql`now()`))

export type NewInvitation = {
  id: string
  email: string
  role: Role
  groupIds: readonly string[]
  tokenHash: string
  expiresAt: Date
  mailFailure: string | null
}

/** Opens an invitation; one to the same address that was not used ends with it. Returns the id of that one, or null. */
export const insertInvitation = async (tx: Tx, viewer: Viewer, invitation: NewInvitation): Promise<string | null> => {
  const [replaced] = await tx
    .update(invitations)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(invitations.workspaceId, viewer.workspaceId), eq(invitations.email, invitation.email), isPending))
    .returning({ id: invitations.id })
  await tx.insert(invitations).values({
    ...invitation,
    groupIds: [...invitation.groupIds],
    workspaceId: viewer.workspaceId,
    invitedBy: viewer.userId,
  })
  return replaced?.id ?? null
}

export const revokeInvitation = async (
  tx: Tx,
  viewer: Viewer,
  id: string,
): Promise<{ role: Role; groupIds: string[] } | undefined> => {
  const [revoked] = await tx
    .update(invitations)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(invitations.id, id), eq(invitations.workspaceId, viewer.workspaceId), isPending))
    .returning({ role: invitations.role, groupIds: invitations.groupIds })
  return revoked
}

/** Notes why the mail was not sent, or null that it was; false when nobody waits for it any more. */
export const noteMailFailure = async (db: Executor, id: string, failure: string | null): Promise<boolean> => {
  const noted = await db
    .update(invitations)
    .set({ mailFailure: failure })
    .where(and(eq(invitations.id, id), isOpen))
    .returning({ id: invitations.id })
  return noted.length > 0
}

export type FoundInvitation = {
  id: string
  workspaceId: string
  workspaceName: string
  email: string
  role: Role
  groupIds: string[]
  expired: boolean
  acceptedAt: Date | null
  revokedAt: Date | null
  /** Null: the person is no longer known. */
  invitedBy: string | null
  /** The role that the person who invited has now; null when they may no longer act here. */
  inviterRole: Role | null
  /** Whether the address has an account. */
  hasAccount: boolean
}

const found = {
  id: invitations.id,
  workspaceId: invitations.workspaceId,
  workspaceName: workspaces.name,
  email: invitations.email,
  role: invitations.role,
  groupIds: invitations.groupIds,
  expired: sql<boolean>`${invitations.expiresAt} <= now()`,
  acceptedAt: invitations.acceptedAt,
  revokedAt: invitations.revokedAt,
  invitedBy: users.name,
  inviterRole: memberships.role,
  hasAccount: sql<boolean>`exists (select 1 from users account where account.email = ${invitations.email} and account.erased_at is null)`,
}

const findInvitation = async (db: Executor, which: SQL | undefined): Promise<FoundInvitation | undefined> => {
  const [invitation] = await db
    .select(found)
    .from(invitations)
    .innerJoin(workspaces, eq(workspaces.id, invitations.workspaceId))
    .leftJoin(users, and(eq(users.id, invitations.invitedBy), isNull(users.erasedAt)))
    .leftJoin(
      memberships,
      and(
        eq(memberships.workspaceId, invitations.workspaceId),
        eq(memberships.userId, invitations.invitedBy),
        isNull(memberships.suspendedAt),
        personIsOn(memberships.workspaceId, memberships.userId),
      ),
    )
    .where(which)
    .limit(1)
  return invitation
}

export const getInvitation = (db: Executor, tokenHash: string): Promise<FoundInvitation | undefined> =>
  findInvitation(db, eq(invitations.tokenHash, tokenHash))

/**
 * Uses an open invitation up: of all that try at once, one gets true. The row stays locked until the transaction ends.
 */
export const claimInvitation = async (tx: Tx, id: string): Promise<boolean> => {
  const claimed = await tx
    .update(invitations)
    .set({ acceptedAt: sql`now()`, mailFailure: null })
    .where(and(eq(invitations.id, id), isOpen))
    .returning({ id: invitations.id })
  return claimed.length > 0
}

/** Makes the person a member with the invitation's role and groups; who is one already keeps their role. */
export const joinWorkspace = async (
  tx: Tx,
  { workspaceId, role, groupIds }: Pick<FoundInvitation, 'workspaceId' | 'role' | 'groupIds'>,
  userId: string,
): Promise<void> => {
  await endResetTokens(tx, userId)
  await tx.insert(memberships).values({ workspaceId, userId, role }).onConflictDoNothing()
  if (groupIds.length === 0) return
  const there = await tx
    .select({ groupId: groups.id })
    .from(groups)
    .where(and(eq(groups.workspaceId, workspaceId), inArray(groups.id, groupIds)))
  if (there.length > 0)
    await tx
      .insert(groupMembers)
      .values(there.map(({ groupId }) => ({ groupId, userId, via: 'hand' as const })))
      .onConflictDoNothing()
}

/** Makes an account for an address; undefined when it has one. */
export const insertAccount = async (
  tx: Tx,
  account: { id: string; email: string; name: string; passwordHash: string },
): Promise<string | undefined> => {
  const [made] = await tx
    .insert(users)
    .values({ ...account, passwordChangedAt: sql`now()` })
    .onConflictDoNothing()
    .returning({ id: users.id })
  return made?.id
}
