/** People as an OpenID provider knows them, and what the provider's group claim gives them. */
import { and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { Role } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { apiKeys, groupMembers, groups, identities, invitations, memberships, users } from '../schema/index.ts'
import { personIsOn } from './incidents.ts'
import { revokeSessionsOf } from './people.ts'
import { endResetTokens } from './sign-in.ts'

/** Held until the transaction ends: the first sign-ins of one person, come they at once, follow one another. */
export const lockIdentity = async (tx: Tx, names: readonly string[]): Promise<void> => {
  for (const name of [...names].sort())
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`identity ${name}`}, 0))`)
}

export const getIdentityOwner = async (
  db: Executor,
  { issuer, subject }: { issuer: string; subject: string },
): Promise<string | undefined> => {
  const [identity] = await db
    .select({ userId: identities.userId })
    .from(identities)
    .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)))
  return identity?.userId
}

/** The account of an address, and whether a provider vouches for it already. */
export const getAccountOf = async (
  db: Executor,
  email: string,
): Promise<{ userId: string; hasIdentity: boolean } | undefined> => {
  const [user] = await db
    .select({
      userId: users.id,
      hasIdentity: sql<boolean>`exists (select from identities i where i.user_id = users.id)`,
    })
    .from(users)
    .where(and(eq(users.email, email), isNull(users.erasedAt)))
  return user
}

/**
 * An account that was made by an invitation's link was made by whoever held the link, who need not be the person of the address. Takes
 * away all that opens it: password, sessions, keys, links. Returns how many sessions and keys; null for an account that was made by
 * whoever runs the installation.
 */
export const endUnprovenAccess = async (
  tx: Tx,
  userId: string,
): Promise<{ password: boolean; sessions: number; keys: number } | null> => {
  const [account] = await tx
    .select({
      password: sql<boolean>`${users.passwordHash} is not null`,
      invited: sql<boolean>`exists (select from invitations i where i.email = users.email and i.accepted_at is not null)`,
    })
    .from(users)
    .where(eq(users.id, userId))
    .for('update')
  if (!account?.invited) return null
  await tx.update(users).set({ passwordHash: null, passwordChangedAt: sql`now()` }).where(eq(users.id, userId))
  await endResetTokens(tx, userId)
  const keys = await tx
    .update(apiKeys)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(apiKeys.userId, userId), isNull(apiKeys.revokedAt)))
    .returning({ id: apiKeys.id })
  return { password: account.password, sessions: await revokeSessionsOf(tx, userId), keys: keys.length }
}

export const insertIdentity = async (
  tx: Tx,
  identity: { issuer: string; subject: string; userId: string },
): Promise<void> => {
  await tx.insert(identities).values(identity)
}

export const noteIdentityUsed = async (
  tx: Tx,
  { issuer, subject }: { issuer: string; subject: string },
): Promise<void> => {
  await tx
    .update(identities)
    .set({ lastUsedAt: sql`now()` })
    .where(and(eq(identities.issuer, issuer), eq(identities.subject, subject)))
}

export type OpenInvitation = { id: string; workspaceId: string; role: Role; groupIds: string[] }

/** The invitations that stand open for an address, in any workspace, from people who could still invite so. */
export const listOpenInvitations = (db: Executor, email: string): Promise<OpenInvitation[]> =>
  db
    .select({
      id: invitations.id,
      workspaceId: invitations.workspaceId,
      role: invitations.role,
      groupIds: invitations.groupIds,
    })
    .from(invitations)
    .innerJoin(
      memberships,
      and(
        eq(memberships.workspaceId, invitations.workspaceId),
        eq(memberships.userId, invitations.invitedBy),
        isNull(memberships.suspendedAt),
        personIsOn(memberships.workspaceId, memberships.userId),
        sql`${memberships.role} in ('owner', case when ${invitations.role} = 'owner' then 'owner' else 'admin' end)`,
      ),
    )
    .where(
      and(
        eq(invitations.email, email),
        isNull(invitations.acceptedAt),
        isNull(invitations.revokedAt),
        gt(invitations.expiresAt, sql`now()`),
      ),
    )
    .orderBy(invitations.createdAt)

/** A group that stands for a claim. */
export type ClaimGroup = { groupId: string; workspaceId: string; claimRole: Role | null }

const claimGroup = { groupId: groups.id, workspaceId: groups.workspaceId, claimRole: groups.claimRole }

export const listClaimGroups = async (db: Executor, claims: readonly string[]): Promise<ClaimGroup[]> =>
  claims.length === 0
    ? []
    : db
        .select(claimGroup)
        .from(groups)
        .where(inArray(groups.claim, [...claims]))

/** The groups that earlier claims put the person into. */
export const listHeldGroups = (db: Executor, userId: string): Promise<ClaimGroup[]> =>
  db
    .select(claimGroup)
    .from(groupMembers)
    .innerJoin(groups, eq(groups.id, groupMembers.groupId))
    .where(and(eq(groupMembers.userId, userId), eq(groupMembers.via, 'claim')))

export type Standing = {
  workspaceId: string
  role: Role
  suspended: boolean
  /** They have accepted an invitation to this workspace; one to an earlier stay does not count. */
  invited: boolean
}

/** Every membership of the person, locked until the transaction ends. */
export const lockStandings = (tx: Tx, userId: string): Promise<Standing[]> =>
  tx
    .select({
      workspaceId: memberships.workspaceId,
      role: memberships.role,
      suspended: sql<boolean>`${memberships.suspendedAt} is not null`,
      invited: sql<boolean>`exists (select from invitations i join users u on u.email = i.email
        where u.id = memberships.user_id and i.workspace_id = memberships.workspace_id
          and i.accepted_at >= memberships.created_at)`,
    })
    .from(memberships)
    .where(eq(memberships.userId, userId))
    .orderBy(memberships.workspaceId)
    .for('update')

/** Puts the person into groups by claim; where they are by hand they stay so. */
export const joinClaimGroups = async (tx: Tx, userId: string, groupIds: readonly string[]): Promise<void> => {
  if (groupIds.length === 0) return
  await tx
    .insert(groupMembers)
    .values(groupIds.map((groupId) => ({ groupId, userId, via: 'claim' as const })))
    .onConflictDoNothing()
}

export const leaveClaimGroups = async (tx: Tx, userId: string, groupIds: readonly string[]): Promise<void> => {
  if (groupIds.length === 0) return
  await tx
    .delete(groupMembers)
    .where(
      and(eq(groupMembers.userId, userId), eq(groupMembers.via, 'claim'), inArray(groupMembers.groupId, [...groupIds])),
    )
}
