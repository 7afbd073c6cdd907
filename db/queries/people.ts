/** Accounts and sessions. A session is good while its row is: not revoked, not expired, its person still a member. */
import { and, eq, isNull, ne, sql } from 'drizzle-orm'
import type { Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows } from '../client.ts'
import { memberships, sessions, users, workspaces } from '../schema/index.ts'
import { personIsOn } from './incidents.ts'

const viewerColumns = {
  userId: users.id,
  workspaceId: memberships.workspaceId,
  role: memberships.role,
  name: users.name,
  email: users.email,
}

export type SignInAccount = Viewer & { passwordHash: string | null }

/** The account of a normalised address with its first workspace, or undefined. */
export const getSignInAccount = async (db: Executor, email: string): Promise<SignInAccount | undefined> => {
  const [account] = await db
    .select({ ...viewerColumns, passwordHash: users.passwordHash })
    .from(users)
    .innerJoin(memberships, eq(memberships.userId, users.id))
    .where(eq(users.email, email))
    .orderBy(memberships.createdAt)
    .limit(1)
  return account
}

export type NewSession = {
  idHash: string
  userId: string
  workspaceId: string
  userAgent: string | null
  address: string | null
  expiresAt: Date
}

export const createSession = async (db: Executor, session: NewSession): Promise<void> => {
  await db.insert(sessions).values(session)
}

/** `unseen`: nobody has noted for a minute that it is in use. */
export type SessionOwner = { viewer: Viewer; unseen: boolean }

/** Who a session belongs to, with the role of this moment; undefined once it is revoked, expired or the membership has ended or rests. */
export const getSessionOwner = async (db: Executor, idHash: string): Promise<SessionOwner | undefined> => {
  // Written by hand: every door asks it, and putting it together from parts takes as long as running it.
  const [row] = await rows<Viewer & { unseen: boolean }>(
    db,
    sql`select u.id as "userId", m.workspace_id as "workspaceId", m.role, u.name, u.email,
          s.last_seen_at < now() - interval '1 minute' as unseen
        from sessions s
        join users u on u.id = s.user_id
        join memberships m on m.user_id = s.user_id and m.workspace_id = s.workspace_id
        where s.id_hash = ${idHash} and s.revoked_at is null and s.expires_at > now() and u.erased_at is null
          and m.suspended_at is null and ${personIsOn(sql`m.workspace_id`, sql`m.user_id`)}`,
  )
  if (!row) return undefined
  const { unseen, ...viewer } = row
  return { viewer, unseen }
}

export const revokeSession = async (db: Executor, idHash: string): Promise<void> => {
  await db
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(sessions.idHash, idHash), isNull(sessions.revokedAt)))
}

/** Ends every session of a person, but for `exceptIdHash` when given. Returns how many ended. */
export const revokeSessionsOf = async (db: Executor, userId: string, exceptIdHash?: string): Promise<number> => {
  const ended = await db
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(
      and(
        eq(sessions.userId, userId),
        isNull(sessions.revokedAt),
        exceptIdHash ? ne(sessions.idHash, exceptIdHash) : undefined,
      ),
    )
    .returning({ idHash: sessions.idHash })
  return ended.length
}

export type NewAccount = Viewer & { passwordHash: string }

/** Makes the account, or renews its password and role when it is there. Used by the seed. */
export const upsertAccount = async (
  db: Executor,
  { userId, workspaceId, role, name, email, passwordHash }: NewAccount,
): Promise<string> => {
  const [user] = await db
    .insert(users)
    .values({ id: userId, email, name, passwordHash })
    .onConflictDoUpdate({ target: users.email, set: { passwordHash } })
    .returning({ id: users.id })
  const id = user?.id ?? userId
  await db.insert(memberships).values({ workspaceId, userId: id, role }).onConflictDoNothing()
  return id
}

export const createWorkspace = async (db: Executor, workspace: { id: string; name: string }): Promise<void> => {
  await db.insert(workspaces).values(workspace)
}

export const listWorkspaces = (db: Executor): Promise<{ id: string; name: string }[]> =>
  db.select({ id: workspaces.id, name: workspaces.name }).from(workspaces).orderBy(workspaces.createdAt)
