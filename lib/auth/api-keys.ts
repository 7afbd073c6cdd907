/**
 * Keys of programs: 256 random bits, shown once, kept as a hash, good for some scopes until a day. A key acts as its person in one
 * workspace with the role they have at that moment, and is over with the person's membership, a suspension or their word.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { database } from '#db/client.ts'
import {
  countGoodKeys,
  getKeyOwner,
  insertApiKey,
  listApiKeys,
  noteKeyUsed,
  revokeApiKey,
} from '#db/queries/api-keys.ts'
import { lockMember } from '#db/queries/members.ts'
import { audit } from '#lib/audit.ts'
import { log } from '#lib/log.ts'
import { type KeyRow, keysMax, type newKeySchema } from '#lib/shared/account-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import type { ApiScope, Viewer } from '#lib/shared/viewer.ts'
import { mayEnter } from './entry.ts'

const keyPattern = /^Bearer (fn_[\da-f]{8}_[\w-]{43})$/
const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex')

/**
 * Makes a key. Returns it whole, which nothing can do again. Throws `conflict` when the person has too many, `forbidden` when they were
 * suspended a moment ago.
 */
export const createApiKey = async (
  viewer: Viewer,
  { name, scopes, days }: z.output<typeof newKeySchema>,
): Promise<{ key: string }> => {
  const prefix = `fn_${randomBytes(4).toString('hex')}`
  const key = `${prefix}_${randomBytes(32).toString('base64url')}`
  const id = newId()
  await database().db.transaction(async (tx) => {
    // Held until the key is there: of many at once each counts those before it, and a suspension ends this one too.
    const member = await lockMember(tx, viewer, viewer.userId)
    if (!member || member.suspendedAt) throw new AppError('forbidden')
    if ((await countGoodKeys(tx, viewer)) >= keysMax)
      throw new AppError('conflict', { message: `You have ${keysMax} keys. Revoke one that is not needed first.` })
    await insertApiKey(tx, viewer, { id, name, prefix, hash: hashKey(key), scopes: [...new Set(scopes)], days })
    await audit(tx, { actor: viewer, event: 'api-key.created', objectId: id, details: { prefix, scopes, days } })
  })
  return { key }
}

/** The viewer's keys here, without anything that opens. */
export const listOwnKeys = async (viewer: Viewer): Promise<KeyRow[]> =>
  (await listApiKeys(database().db, viewer)).map(({ createdAt, expiresAt, lastUsedAt, ...key }) => ({
    ...key,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  }))

/** Ends a key of the viewer's at once. Throws `not-found`. */
export const revokeOwnKey = (viewer: Viewer, id: string): Promise<void> =>
  database().db.transaction(async (tx) => {
    const revoked = await revokeApiKey(tx, viewer, id)
    if (!revoked) throw new AppError('not-found')
    await audit(tx, { actor: viewer, event: 'api-key.revoked', objectId: id, details: revoked })
  })

const noteUse = async (keyId: string, prefix: string, viewer: Viewer): Promise<void> => {
  try {
    await database().db.transaction(async (tx) => {
      if (await noteKeyUsed(tx, keyId))
        await audit(tx, { actor: viewer, event: 'api-key.used', objectId: keyId, details: { prefix } })
    })
  } catch (error) {
    // Fails closed: what is not written down is not done.
    log.error({ err: error }, 'the use of a key could not be recorded')
    throw new AppError('not-ready', { cause: error })
  }
}

/** Whom the key in `Authorization: Bearer fn_…` speaks for and what it may be used for; null without a key that is good. */
export const keyViewer = async (headers: Headers): Promise<{ viewer: Viewer; scopes: readonly ApiScope[] } | null> => {
  const key = keyPattern.exec(headers.get('authorization') ?? '')?.[1]
  if (!key) return null
  const owner = await getKeyOwner(database().db, hashKey(key))
  if (!owner || !mayEnter(owner.viewer)) return null
  if (owner.unseen) await noteUse(owner.keyId, owner.prefix, owner.viewer)
  return { viewer: owner.viewer, scopes: owner.scopes }
}
