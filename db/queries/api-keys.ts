/** Keys of programs. Only hashes are kept; a key is good while its row, its person and their membership are. */
import { and, desc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { ApiScope, Viewer } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { apiKeys, memberships, users } from '../schema/index.ts'
import { personIsOn } from './incidents.ts'

const own = ({ userId, workspaceId }: Viewer) => and(eq(apiKeys.userId, userId), eq(apiKeys.workspaceId, workspaceId))
const good = and(isNull(apiKeys.revokedAt), gt(apiKeys.expiresAt, sql`now()`))

export const countGoodKeys = (db: Executor, viewer: Viewer): Promise<number> =>
  db.$count(apiKeys, and(own(viewer), good))

export const insertApiKey = async (
  tx: Tx,
  viewer: Viewer,
  key: { id: string; name: string; prefix: string; hash: string; scopes: ApiScope[]; days: number },
): Promise<void> => {
  const { days, ...columns } = key
  await tx.insert(apiKeys).values({
    ...columns,
    userId: viewer.userId,
    workspaceId: viewer.workspaceId,
    expiresAt: sql`now() + make_interval(days => ${days})` as unknown as Date,
  })
}

/** The person's own keys in this workspace: the good ones, and for a month those that are over. */
export const listApiKeys = (db: Executor, viewer: Viewer) =>
  db
    .select({
      id: apiKeys.id,
      name: apiKeys.name,
      prefix: apiKeys.prefix,
      scopes: apiKeys.scopes,
      createdAt: apiKeys.createdAt,
      expiresAt: apiKeys.expiresAt,
      lastUsedAt: apiKeys.lastUsedAt,
      state: sql<'good' | 'expired' | 'revoked'>`case when ${apiKeys.revokedAt} is not null then 'revoked'
        when ${apiKeys.expiresAt} <= now() then 'expired' else 'good' end`,
    })
    .from(apiKeys)
    .where(
      and(
        own(viewer),
        or(good, sql`coalesce(${apiKeys.revokedAt}, ${apiKeys.expiresAt}) > now() - interval '30 days'`),
      ),
    )
    .orderBy(desc(apiKeys.createdAt), apiKeys.id)

/** Ends one of the person's own keys; undefined when it is none of theirs or over. */
export const revokeApiKey = async (tx: Tx, viewer: Viewer, id: string): Promise<{ prefix: string } | undefined> => {
  const [revoked] = await tx
    .update(apiKeys)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(apiKeys.id, id), own(viewer), isNull(apiKeys.revokedAt)))
    .returning({ prefix: apiKeys.prefix })
  return revoked
}

export type KeyOwner = { keyId: string; prefix: string; scopes: ApiScope[]; viewer: Viewer; unseen: boolean }

/** Whom a key speaks for, with the role of this moment; undefined once it or the membership is over or rests. */
export const getKeyOwner = async (db: Executor, hash: string): Promise<KeyOwner | undefined> => {
  const [row] = await db
    .select({
      keyId: apiKeys.id,
      prefix: apiKeys.prefix,
      scopes: apiKeys.scopes,
      unseen: sql<boolean>`coalesce(${apiKeys.lastUsedAt} < now() - interval '1 minute', true)`,
      userId: users.id,
      workspaceId: memberships.workspaceId,
      role: memberships.role,
      name: users.name,
      email: users.email,
    })
    .from(apiKeys)
    .innerJoin(users, and(eq(users.id, apiKeys.userId), isNull(users.erasedAt)))
    .innerJoin(
      memberships,
      and(
        eq(memberships.userId, apiKeys.userId),
        eq(memberships.workspaceId, apiKeys.workspaceId),
        isNull(memberships.suspendedAt),
        personIsOn(memberships.workspaceId, memberships.userId),
      ),
    )
    .where(and(eq(apiKeys.hash, hash), good))
  if (!row) return undefined
  const { keyId, prefix, scopes, unseen, ...viewer } = row
  return { keyId, prefix, scopes, unseen, viewer }
}

/** Notes that a key is in use; false when that was noted within the last minute. */
export const noteKeyUsed = async (tx: Tx, keyId: string): Promise<boolean> => {
  const noted = await tx
    .update(apiKeys)
    .set({ lastUsedAt: sql`now()` })
    .where(
      and(
        eq(apiKeys.id, keyId),
        or(isNull(apiKeys.lastUsedAt), sql`${apiKeys.lastUsedAt} < now() - interval '1 minute'`),
      ),
    )
    .returning({ id: apiKeys.id })
  return noted.length > 0
}
