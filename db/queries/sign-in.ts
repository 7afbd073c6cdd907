/** What sign-in knows of accounts: who may come in, links that work once, second steps, and one's own sessions. */
import { createHash, randomBytes } from 'node:crypto'
import { and, desc, eq, gt, isNull, like, not, or, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { identities, memberships, sessions, singleUseTokens, users, workspaces } from '../schema/index.ts'
import { personIsOn } from './incidents.ts'

export type Entrant = Viewer & {
  passwordHash: string | null
  passwordChangedAt: Date | null
  /** A code is asked for as well. */
  secondStep: boolean
}

/** A person who may come in, in the workspace that they last were in; undefined when there is none where they are not suspended. */
export const getEntrant = async (
  db: Executor,
  by: { email: string } | { userId: string },
): Promise<Entrant | undefined> => {
  const [entrant] = await db
    .select({
      userId: users.id,
      workspaceId: memberships.workspaceId,
      role: memberships.role,
      name: users.name,
      email: users.email,
      passwordHash: users.passwordHash,
      passwordChangedAt: users.passwordChangedAt,
      secondStep: sql<boolean>`${users.totpConfirmedAt} is not null`,
    })
    .from(users)
    .innerJoin(
      memberships,
      and(
        eq(memberships.userId, users.id),
        isNull(memberships.suspendedAt),
        personIsOn(memberships.workspaceId, memberships.userId),
      ),
    )
    .where(and('email' in by ? eq(users.email, by.email) : eq(users.id, by.userId), isNull(users.erasedAt)))
    .orderBy(
      sql`(select max(s.last_seen_at) from sessions s where s.user_id = ${users.id} and s.workspace_id = ${memberships.workspaceId}) desc nulls last`,
      memberships.createdAt,
    )
    .limit(1)
  return entrant
}

/**
 * Whether somebody may still come in as they were found: with the same password, not suspended, not erased. Held until the transaction
 * ends: who changes one of these waits, and then ends the session that was opened here.
 */
export const lockEntrant = async (
  tx: Tx,
  { userId, workspaceId, passwordHash }: Pick<Entrant, 'userId' | 'workspaceId' | 'passwordHash'>,
): Promise<boolean> => {
  const [found] = await tx
    .select({ passwordHash: users.passwordHash })
    .from(users)
    .innerJoin(
      memberships,
      and(
        eq(memberships.userId, users.id),
        eq(memberships.workspaceId, workspaceId),
        isNull(memberships.suspendedAt),
        personIsOn(memberships.workspaceId, memberships.userId),
      ),
    )
    .where(and(eq(users.id, userId), isNull(users.erasedAt)))
    .for('share')
  return found?.passwordHash === passwordHash
}

/** The password of the person's account; null for none. */
export const getPasswordHash = async (db: Executor, userId: string): Promise<string | null> => {
  const [user] = await db.select({ hash: users.passwordHash }).from(users).where(eq(users.id, userId))
  return user?.hash ?? null
}

/** The same, with the account held until the transaction ends. */
export const lockPasswordHash = async (tx: Tx, userId: string): Promise<string | null> => {
  const [user] = await tx.select({ hash: users.passwordHash }).from(users).where(eq(users.id, userId)).for('update')
  return user?.hash ?? null
}

/** Sets a password; links that would set another one are over. */
export const setPassword = async (tx: Tx, userId: string, passwordHash: string): Promise<void> => {
  await tx.update(users).set({ passwordHash, passwordChangedAt: sql`now()` }).where(eq(users.id, userId))
  await endResetTokens(tx, userId)
}

// Links that work once. Only the hash of a token is kept, so that a leaked table opens nothing.

const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

const openToken = (purpose: 'setup' | 'password-reset', token: string) =>
  and(
    eq(singleUseTokens.hash, hashToken(token)),
    eq(singleUseTokens.purpose, purpose),
    isNull(singleUseTokens.usedAt),
    gt(singleUseTokens.expiresAt, sql`now()`),
  )

/**
 * Ends the links that would set the person's password. Also where they become more than they were, or belong to one more workspace: an
 * admin who made a link could hand it over when it opened less.
 */
export const endResetTokens = async (tx: Tx, userId: string): Promise<void> => {
  await tx
    .update(singleUseTokens)
    .set({ usedAt: sql`now()` })
    .where(and(eq(singleUseTokens.userId, userId), isNull(singleUseTokens.usedAt)))
}

const tokenLife = { setup: sql`interval '1 hour'`, 'password-reset': sql`interval '1 hour'` }

/** A new token of 256 bits that works once within an hour. A person's earlier ones are over. */
export const issueToken = async (
  tx: Tx,
  { purpose, userId }: { purpose: 'setup'; userId: null } | { purpose: 'password-reset'; userId: string },
): Promise<string> => {
  if (userId) await endResetTokens(tx, userId)
  const token = randomBytes(32).toString('base64url')
  await tx.insert(singleUseTokens).values({
    hash: hashToken(token),
    purpose,
    userId,
    expiresAt: sql`now() + ${tokenLife[purpose]}` as unknown as Date,
  })
  return token
}

export const isTokenOpen = async (
  db: Executor,
  purpose: 'setup' | 'password-reset',
  token: string,
): Promise<boolean> => {
  const [found] = await db
    .select({ purpose: singleUseTokens.purpose })
    .from(singleUseTokens)
    .where(openToken(purpose, token))
  return found !== undefined
}

/** Uses a token up. Undefined when it was used, is over or never was; of two at once one gets it. */
export const takeToken = async (
  tx: Tx,
  purpose: 'setup' | 'password-reset',
  token: string,
): Promise<{ userId: string | null } | undefined> => {
  const [taken] = await tx
    .update(singleUseTokens)
    .set({ usedAt: sql`now()` })
    .where(openToken(purpose, token))
    .returning({ userId: singleUseTokens.userId })
  return taken
}

/** Held until the transaction ends: of two who set up at once, the second finds an owner. */
export const lockSetup = async (tx: Tx): Promise<void> => {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('first owner', 0))`)
}

/** Whether anybody owns a workspace. Those of a demo that is switched off do not count: they cannot come in. */
export const hasOwner = async (db: Executor, { demo }: { demo: boolean }): Promise<boolean> => {
  const [owner] = await db
    .select({ userId: memberships.userId })
    .from(memberships)
    .innerJoin(users, eq(users.id, memberships.userId))
    .where(and(eq(memberships.role, 'owner'), demo ? undefined : not(like(users.email, '%@demo.local'))))
    .limit(1)
  return owner !== undefined
}

/** Makes an account; undefined when the address has one. */
export const insertUser = async (
  tx: Tx,
  user: { id: string; email: string; name: string; passwordHash: string | null },
): Promise<string | undefined> => {
  const [made] = await tx
    .insert(users)
    .values({ ...user, passwordChangedAt: user.passwordHash ? (sql`now()` as unknown as Date) : null })
    .onConflictDoNothing()
    .returning({ id: users.id })
  return made?.id
}

// The second step.

export type SecondStep = { sealed: string | null; on: boolean; recoveryHashes: string[] }

export const getSecondStep = async (db: Executor, userId: string): Promise<SecondStep> => {
  const [row] = await db
    .select({
      sealed: users.totpSealed,
      on: sql<boolean>`${users.totpConfirmedAt} is not null`,
      recoveryHashes: users.recoveryHashes,
    })
    .from(users)
    .where(eq(users.id, userId))
  return row ?? { sealed: null, on: false, recoveryHashes: [] }
}

/** Keeps a secret that no code has confirmed yet; false when a confirmed one is there. */
export const offerSecondStep = async (tx: Tx, userId: string, sealed: string): Promise<boolean> => {
  const offered = await tx
    .update(users)
    .set({ totpSealed: sealed, totpLastStep: null })
    .where(and(eq(users.id, userId), isNull(users.totpConfirmedAt)))
    .returning({ id: users.id })
  return offered.length > 0
}

/** Switches the second step on, with the secret that was offered and no other; false when it has changed or is on already. */
export const confirmSecondStep = async (
  tx: Tx,
  userId: string,
  { sealed, step, recoveryHashes }: { sealed: string; step: number; recoveryHashes: string[] },
): Promise<boolean> => {
  const confirmed = await tx
    .update(users)
    .set({ totpConfirmedAt: sql`now()`, totpLastStep: String(step), recoveryHashes })
    .where(and(eq(users.id, userId), eq(users.totpSealed, sealed), isNull(users.totpConfirmedAt)))
    .returning({ id: users.id })
  return confirmed.length > 0
}

/** Uses up the code of a time step: it opens once, also for two at once, and no older one opens after it. */
export const takeTimeStep = async (tx: Tx, userId: string, step: number): Promise<boolean> => {
  const taken = await tx
    .update(users)
    .set({ totpLastStep: String(step) })
    .where(
      and(eq(users.id, userId), or(isNull(users.totpLastStep), sql`${users.totpLastStep}::bigint < ${step}::bigint`)),
    )
    .returning({ id: users.id })
  return taken.length > 0
}

/** Uses up a recovery code. Returns how many are left; undefined when it is none. */
export const takeRecoveryCode = async (tx: Tx, userId: string, hash: string): Promise<number | undefined> => {
  const [taken] = await tx
    .update(users)
    .set({ recoveryHashes: sql`array_remove(${users.recoveryHashes}, ${hash})` })
    .where(and(eq(users.id, userId), sql`${hash} = any(${users.recoveryHashes})`))
    .returning({ left: users.recoveryHashes })
  return taken?.left.length
}

/** Switches the second step off; false when it was. */
export const clearSecondStep = async (tx: Tx, userId: string): Promise<boolean> => {
  const cleared = await tx
    .update(users)
    .set({ totpSealed: null, totpConfirmedAt: null, totpLastStep: null, recoveryHashes: [] })
    .where(and(eq(users.id, userId), sql`${users.totpConfirmedAt} is not null`))
    .returning({ id: users.id })
  return cleared.length > 0
}

// One's own sessions.

/** Notes that a session is in use. The condition keeps it to one write a minute, however many requests come at once. */
export const noteSessionSeen = async (db: Executor, idHash: string): Promise<void> => {
  await db
    .update(sessions)
    .set({ lastSeenAt: sql`now()` })
    .where(and(eq(sessions.idHash, idHash), sql`${sessions.lastSeenAt} < now() - interval '1 minute'`))
}

export const listSessions = (db: Executor, userId: string) =>
  db
    .select({
      id: sessions.idHash,
      workspace: workspaces.name,
      userAgent: sessions.userAgent,
      address: sessions.address,
      lastSeenAt: sessions.lastSeenAt,
      createdAt: sessions.createdAt,
    })
    .from(sessions)
    .innerJoin(workspaces, eq(workspaces.id, sessions.workspaceId))
    .innerJoin(
      memberships,
      and(
        eq(memberships.userId, sessions.userId),
        eq(memberships.workspaceId, sessions.workspaceId),
        isNull(memberships.suspendedAt),
      ),
    )
    .where(and(eq(sessions.userId, userId), isNull(sessions.revokedAt), gt(sessions.expiresAt, sql`now()`)))
    .orderBy(desc(sessions.lastSeenAt), sessions.idHash)

/** Ends one session of the person's own; false when it is none of theirs. */
export const endSession = async (tx: Tx, userId: string, idHash: string): Promise<boolean> => {
  const ended = await tx
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(sessions.idHash, idHash), eq(sessions.userId, userId), isNull(sessions.revokedAt)))
    .returning({ idHash: sessions.idHash })
  return ended.length > 0
}

/** What the account page shows besides sessions and keys. */
export const getOwnAccount = async (db: Executor, { userId, workspaceId }: Viewer) => {
  const [user] = await db
    .select({
      hasPassword: sql<boolean>`${users.passwordHash} is not null`,
      passwordChangedAt: users.passwordChangedAt,
      secondStep: sql<boolean>`${users.totpConfirmedAt} is not null`,
      recoveryLeft: sql<number>`cardinality(${users.recoveryHashes})`,
      workspace: workspaces.name,
    })
    .from(users)
    .innerJoin(workspaces, eq(workspaces.id, workspaceId))
    .where(eq(users.id, userId))
  return user
}

export const listIdentities = (db: Executor, userId: string): Promise<{ issuer: string; lastUsedAt: Date }[]> =>
  db
    .select({ issuer: identities.issuer, lastUsedAt: identities.lastUsedAt })
    .from(identities)
    .where(eq(identities.userId, userId))
    .orderBy(identities.issuer)

/** Every membership of a person, and what another person is there who may act; for who may act for whom. */
export const listStandings = (db: Executor, { of, beside }: { of: string; beside: string }) => {
  const other = alias(memberships, 'other')
  return db
    .select({ workspaceId: memberships.workspaceId, role: memberships.role, besideRole: other.role })
    .from(memberships)
    .leftJoin(
      other,
      and(eq(other.workspaceId, memberships.workspaceId), eq(other.userId, beside), isNull(other.suspendedAt)),
    )
    .where(eq(memberships.userId, of))
}
