import { eq, sql } from 'drizzle-orm'
import { beforeAll, describe, expect, test } from 'vitest'
import { deleteMember, endAccess } from '#db/queries/members.ts'
import { createSession, getSessionOwner } from '#db/queries/people.ts'
import { apiKeys, auditLog, memberships, users } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { keysMax } from '#lib/shared/account-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { createApiKey, keyViewer, listOwnKeys, revokeOwnKey } from './api-keys.ts'
import { hashSessionId } from './entry.ts'

const { current } = withDatabase()
let world: TestWorkspace

beforeAll(async () => {
  world = await createTestWorkspace(current())
})

const bearer = (key: string) => new Headers({ authorization: `Bearer ${key}` })
const make = async (viewer: Viewer, days = 30) =>
  (await createApiKey(viewer, { name: 'Script', scopes: ['ask'], days })).key

test('speaks for its person within its scopes, and is stored only as a hash', async () => {
  const { member } = world.viewers
  const key = await make(member)
  expect(key).toMatch(/^fn_[\da-f]{8}_[\w-]{43}$/)
  expect(await keyViewer(bearer(key))).toEqual({ viewer: member, scopes: ['ask'] })
  const stored = JSON.stringify([await current().db.select().from(apiKeys), await current().db.select().from(auditLog)])
  expect(stored).toContain(key.slice(0, 11))
  expect(stored).not.toContain(key.slice(12))
  expect(JSON.stringify(await listOwnKeys(member))).not.toContain(key.slice(12))
})

test('its use is noted and audited once a minute', async () => {
  const { reviewer } = world.viewers
  const key = await make(reviewer)
  const uses = () => current().db.$count(auditLog, sql`event = 'api-key.used' and actor_id = ${reviewer.userId}`)
  await Promise.all([1, 2, 3].map(() => keyViewer(bearer(key))))
  await keyViewer(bearer(key))
  expect(await uses()).toBe(1)
  await current().db.update(apiKeys).set({ lastUsedAt: sql`now() - interval '61 seconds'` })
  await keyViewer(bearer(key))
  expect(await uses()).toBe(2)
  expect((await listOwnKeys(reviewer))[0]?.lastUsedAt).not.toBeNull()
})

test('CVE-2026-39411: no header but the key itself says who asks', async () => {
  const key = await make(world.viewers.member)
  const { admin } = world.viewers
  const headers = bearer(key)
  for (const name of ['x-footnote-user', 'x-user-id', 'x-user-email', 'x-role', 'x-middleware-subrequest'])
    headers.set(name, admin.email)
  expect((await keyViewer(headers))?.viewer).toEqual(world.viewers.member)
  for (const name of ['x-api-key', 'api-key', 'x-authorization'])
    expect(await keyViewer(new Headers({ [name]: key, cookie: `key=${key}` }))).toBeNull()
})

test('many that are made at once are no more than a person may have', async () => {
  const { owner } = (await createTestWorkspace(current())).viewers
  const made = await Promise.allSettled(Array.from({ length: keysMax + 10 }, () => make(owner)))
  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(keysMax)
})

test('who was suspended after the door was opened makes none', async () => {
  const { admin } = (await createTestWorkspace(current())).viewers
  const suspend = (suspendedAt: Date | null) =>
    current().db.update(memberships).set({ suspendedAt }).where(eq(memberships.userId, admin.userId))
  await suspend(new Date())
  await expect(make(admin)).rejects.toMatchObject({ code: 'forbidden' })
  await suspend(null)
  expect(await listOwnKeys(admin)).toEqual([])
})

test.each([
  '',
  'fn_',
  'null',
  'undefined',
  'fn_00000000_',
  `fn_00000000_${'a'.repeat(43)}`,
  '[]',
  '{}',
  '0',
  "' or 1=1 --",
])('GHSA-f6hc: %j is no key', async (key) => {
  expect(await keyViewer(bearer(key))).toBeNull()
  expect(await keyViewer(new Headers({ authorization: key }))).toBeNull()
})

test('nobody revokes or sees the key of another', async () => {
  const { member, admin } = world.viewers
  const key = await make(member)
  const [row] = await listOwnKeys(member)
  await expect(revokeOwnKey(admin, row?.id ?? '')).rejects.toMatchObject({ code: 'not-found' })
  expect(await listOwnKeys(admin)).toEqual([])
  const elsewhere = { ...member, workspaceId: (await createTestWorkspace(current())).workspaceId }
  await expect(revokeOwnKey(elsewhere, row?.id ?? '')).rejects.toMatchObject({ code: 'not-found' })
  expect(await keyViewer(bearer(key))).not.toBeNull()
})

test(`a person has at most ${keysMax} good keys`, async () => {
  const { owner } = world.viewers
  for (let i = 0; i < keysMax; i++) await make(owner)
  await expect(make(owner)).rejects.toMatchObject({ code: 'conflict' })
  await revokeOwnKey(owner, (await listOwnKeys(owner))[0]?.id ?? '')
  await make(owner)
})

describe('CVE-2026-45339: each restriction holds for each credential', () => {
  const openSession = async (viewer: Viewer): Promise<string> => {
    const idHash = hashSessionId(newId())
    await createSession(current().db, {
      idHash,
      userId: viewer.userId,
      workspaceId: viewer.workspaceId,
      userAgent: null,
      address: null,
      expiresAt: new Date(Date.now() + 60_000),
    })
    return idHash
  }
  const credentials = {
    session: async (viewer: Viewer) => {
      const idHash = await openSession(viewer)
      return async () => (await getSessionOwner(current().db, idHash))?.viewer ?? null
    },
    'API key': async (viewer: Viewer) => {
      const key = await make(viewer)
      return async () => (await keyViewer(bearer(key)))?.viewer ?? null
    },
  }
  const mine = ({ userId }: Viewer) => eq(memberships.userId, userId)
  const restrictions: Record<string, (viewer: Viewer) => Promise<unknown>> = {
    'a suspended member': (viewer) =>
      current().db.update(memberships).set({ suspendedAt: new Date() }).where(mine(viewer)),
    'a removed member': (viewer) => current().db.transaction((tx) => deleteMember(tx, viewer, viewer.userId)),
    'an erased person': (viewer) =>
      current().db.update(users).set({ erasedAt: new Date() }).where(eq(users.id, viewer.userId)),
    'access that was ended': (viewer) => current().db.transaction((tx) => endAccess(tx, viewer, viewer.userId)),
    'what has expired': async () => {
      await current().db.execute(sql`update sessions set expires_at = now()`)
      await current().db.execute(sql`update api_keys set expires_at = now()`)
    },
  }

  for (const [credential, open] of Object.entries(credentials))
    for (const [restriction, restrict] of Object.entries(restrictions))
      test(`${restriction} does not enter by ${credential}`, async () => {
        const { member } = (await createTestWorkspace(current())).viewers
        const ask = await open(member)
        expect(await ask()).toEqual(member)
        await restrict(member)
        expect(await ask()).toBeNull()
      })

  for (const [credential, open] of Object.entries(credentials))
    test(`a changed role acts at once by ${credential}`, async () => {
      const { admin } = (await createTestWorkspace(current())).viewers
      const ask = await open(admin)
      await current().db.update(memberships).set({ role: 'member' }).where(mine(admin))
      expect(await ask()).toEqual({ ...admin, role: 'member' })
    })
})
