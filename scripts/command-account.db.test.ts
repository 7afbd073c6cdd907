import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { and, asc, eq } from 'drizzle-orm'
import { beforeAll, expect, test } from 'vitest'
import { createSession, getSessionOwner } from '#db/queries/people.ts'
import { issueToken, isTokenOpen } from '#db/queries/sign-in.ts'
import { auditLog, memberships, users } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { newId } from '#lib/shared/ids.ts'
import { giveAccount } from './command-account.ts'

const { current } = withDatabase()
let world: TestWorkspace
beforeAll(async () => {
  world = await createTestWorkspace(current())
})

const linesOf = (userId: string) =>
  current()
    .db.select({ event: auditLog.event, details: auditLog.details })
    .from(auditLog)
    .where(and(eq(auditLog.workspaceId, world.workspaceId), eq(auditLog.objectId, userId)))
    .orderBy(asc(auditLog.id))

test('a new password ends sessions and links, and is written down; the role stays', async () => {
  const { db } = current()
  const { member } = world.viewers
  const idHash = newId()
  const session = { idHash, userId: member.userId, workspaceId: world.workspaceId, userAgent: null, address: null }
  await createSession(db, { ...session, expiresAt: new Date(Date.now() + 60_000) })
  const link = await db.transaction((tx) => issueToken(tx, { purpose: 'password-reset', userId: member.userId }))
  expect(await giveAccount(member.email, { role: 'owner' }, 'a new hash')).toBe('member')
  expect(await getSessionOwner(db, idHash)).toBeUndefined()
  expect(await isTokenOpen(db, 'password-reset', link)).toBe(false)
  const [user] = await db.select().from(users).where(eq(users.id, member.userId))
  expect(user).toMatchObject({ passwordHash: 'a new hash', passwordChangedAt: expect.any(Date) })
  expect(await linesOf(member.userId)).toEqual([{ event: 'password.reset', details: { by: 'command', ended: 1 } }])
})

test('a new account is in the first workspace with its role, and is written down', async () => {
  const { db } = current()
  expect(await giveAccount('new@test.local', { role: 'admin', name: 'New' }, 'a hash')).toBeNull()
  const [user] = await db.select().from(users).where(eq(users.email, 'new@test.local'))
  const [place] = await db
    .select()
    .from(memberships)
    .where(eq(memberships.userId, user?.id ?? ''))
  expect(place).toMatchObject({ workspaceId: world.workspaceId, role: 'admin' })
  expect(await linesOf(user?.id ?? '')).toEqual([
    { event: 'member.role-changed', details: { to: 'admin', by: 'command' } },
  ])
})

test('a new account is a member unless something else is asked for', async () => {
  const command = join(import.meta.dirname, 'cli.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [command, 'account', '--help'])
  expect(stdout.replace(/\s+/g, ' ')).toContain('(choices: "member", "reviewer", "admin", "owner", default: "member")')
})
