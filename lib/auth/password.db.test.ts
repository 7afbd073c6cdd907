import { eq, like, sql } from 'drizzle-orm'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createSession, getSessionOwner, upsertAccount } from '#db/queries/people.ts'
import { issueToken, setPassword } from '#db/queries/sign-in.ts'
import { auditLog, memberships, rateLimits, singleUseTokens, users, workspaces } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { hashPassword } from '#lib/passwords.ts'
import { acceptInvitation, changeRole, invite, removeMember } from '#lib/people.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Role, Viewer } from '#lib/shared/viewer.ts'
import { enterByPassword } from './entry.ts'
import { changePassword, completeSetup, isLinkOpen, makeResetLink, resetPassword } from './password.ts'

// As on a server where nobody asked for the demo.
vi.hoisted(() => {
  process.env.DEMO = '0'
})

const { current } = withDatabase()
const password = 'a password of words'
const next = 'another password of words'
const caller = { address: null, userAgent: null, sessionIdHash: null }
let world: TestWorkspace
let passwordHash: string

beforeEach(() => current().db.delete(rateLimits))

const entersWith = async (email: string, word: string): Promise<boolean> =>
  (await enterByPassword({ email, password: word }, caller)) !== null

describe('the first owner', () => {
  const input = { workspace: 'Ours', name: 'Ada', email: 'ada@test.local', password }
  const issue = () => current().db.transaction((tx) => issueToken(tx, { purpose: 'setup', userId: null }))

  test('a link makes one owner, once, and then no link does', async () => {
    const [token, other, reset] = [await issue(), await issue(), 'x'.repeat(43)]
    expect(await isLinkOpen('setup', token)).toBe(true)
    await expect(completeSetup({ ...input, token: reset })).rejects.toMatchObject({ code: 'link-over' })
    const tries = await Promise.allSettled(
      [token, other, token].map((one, i) => completeSetup({ ...input, email: `ada${i}@test.local`, token: one })),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await current().db.$count(memberships, eq(memberships.role, 'owner'))).toBe(1)
    expect(await current().db.$count(workspaces)).toBe(1)
    expect(await isLinkOpen('setup', other)).toBe(false)
    await expect(completeSetup({ ...input, token: await issue() })).rejects.toMatchObject({ code: 'link-over' })
    expect(await current().db.$count(auditLog, eq(auditLog.event, 'setup.completed'))).toBe(1)
    await current().db.delete(workspaces)
    await current().db.delete(users)
  })

  test('a link is over after an hour', async () => {
    const token = await issue()
    await current().db.update(singleUseTokens).set({ expiresAt: sql`now() - interval '1 second'` })
    expect(await isLinkOpen('setup', token)).toBe(false)
    await expect(completeSetup({ ...input, token })).rejects.toMatchObject({ code: 'link-over' })
  })

  test('accounts of a demo that is off open nothing, and its owner is none', async () => {
    const workspaceId = newId()
    await current().db.insert(workspaces).values({ id: workspaceId, name: 'Footnote demo' })
    await upsertAccount(current().db, {
      userId: newId(),
      workspaceId,
      role: 'owner',
      name: 'Olga',
      email: 'owner@demo.local',
      passwordHash: await hashPassword(password),
    })
    expect(await entersWith('owner@demo.local', password)).toBe(false)
    const token = await issue()
    expect(await isLinkOpen('setup', token)).toBe(true)
    await completeSetup({ ...input, token })
    expect(await entersWith(input.email, password)).toBe(true)
  })
})

describe('with people', () => {
  beforeAll(async () => {
    world = await createTestWorkspace(current())
    passwordHash = await hashPassword(password)
  })
  beforeEach(() => current().db.update(users).set({ passwordHash, passwordChangedAt: null }))

  const openSession = async (userId: string): Promise<string> => {
    const idHash = newId()
    await createSession(current().db, {
      idHash,
      userId,
      workspaceId: world.workspaceId,
      userAgent: null,
      address: null,
      expiresAt: new Date(Date.now() + 60_000),
    })
    return idHash
  }
  const isOpen = async (idHash: string): Promise<boolean> => (await getSessionOwner(current().db, idHash)) !== undefined
  const tokenOf = ({ path }: { path: string }): string => new URL(path, 'http://x').searchParams.get('token') ?? ''

  test('a change needs the old one and ends the other sessions', async () => {
    const { member, admin } = world.viewers
    const [here, there, others] = [
      await openSession(member.userId),
      await openSession(member.userId),
      await openSession(admin.userId),
    ]
    await expect(changePassword(member, here, { current: 'not the password', next })).rejects.toMatchObject({
      code: 'wrong-password',
    })
    expect(await isOpen(there)).toBe(true)
    expect(await changePassword(member, here, { current: password, next })).toEqual({ ended: 1 })
    expect([await isOpen(here), await isOpen(there), await isOpen(others)]).toEqual([true, false, true])
    expect(await entersWith(member.email, password)).toBe(false)
    expect(await entersWith(member.email, next)).toBe(true)
  })

  test('a change by who knows the old one does not undo a reset that comes between', async () => {
    const { db } = current()
    const { member } = world.viewers
    const given = await hashPassword('what the person chose instead')
    const changing = changePassword(member, 'none', { current: password, next })
    // The password is read before the try is counted; comparing and hashing take far longer than this reset.
    while ((await db.$count(rateLimits, like(rateLimits.key, 'sign-in.account:%'))) === 0);
    await db.transaction((tx) => setPassword(tx, member.userId, given))
    await expect(changing).rejects.toMatchObject({ code: 'wrong-password' })
    expect(await entersWith(member.email, next)).toBe(false)
  })

  test('a change cannot be used to guess: five tries a minute', async () => {
    const { member } = world.viewers
    const wrong = () => changePassword(member, 'none', { current: 'not the password', next })
    for (let i = 0; i < 5; i++) await expect(wrong()).rejects.toMatchObject({ code: 'wrong-password' })
    await expect(changePassword(member, 'none', { current: password, next })).rejects.toMatchObject({
      code: 'rate-limited',
    })
  })

  test('a link works once, of two at once for one, and ends every session', async () => {
    const { member, admin } = world.viewers
    const there = await openSession(member.userId)
    const token = tokenOf(await makeResetLink(admin, member.userId))
    const tries = await Promise.allSettled([1, 2, 3].map(() => resetPassword({ token, password: next })))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(resetPassword({ token, password })).rejects.toMatchObject({ code: 'link-over' })
    expect(await isOpen(there)).toBe(false)
    expect(await entersWith(member.email, next)).toBe(true)
    const [row] = await current().db.select().from(singleUseTokens).where(eq(singleUseTokens.userId, member.userId))
    expect(JSON.stringify(row)).not.toContain(token)
  })

  test('a link is over after an hour, with a newer one, and with a changed password', async () => {
    const { member, admin } = world.viewers
    const first = tokenOf(await makeResetLink(admin, member.userId))
    const second = tokenOf(await makeResetLink(admin, member.userId))
    expect([await isLinkOpen('password-reset', first), await isLinkOpen('password-reset', second)]).toEqual([
      false,
      true,
    ])
    expect(await isLinkOpen('setup', second)).toBe(false)
    await changePassword(member, 'none', { current: password, next })
    expect(await isLinkOpen('password-reset', second)).toBe(false)
    const third = tokenOf(await makeResetLink(admin, member.userId))
    await current().db.update(singleUseTokens).set({ expiresAt: sql`now() - interval '1 second'` })
    await expect(resetPassword({ token: third, password })).rejects.toMatchObject({ code: 'link-over' })
  })

  test.each([null, undefined, '', [], {}, 0, false, [''], { length: 43 }])(
    'GHSA-f6hc: %j opens no link',
    async (token) => {
      expect(await isLinkOpen('password-reset', token)).toBe(false)
      expect(await isLinkOpen('setup', token)).toBe(false)
      await expect(resetPassword({ token: token as never, password })).rejects.toMatchObject({ code: 'link-over' })
    },
  )

  test.each<[Role, Role, string | null]>([
    ['member', 'member', 'forbidden'],
    ['reviewer', 'member', 'forbidden'],
    ['admin', 'owner', 'forbidden'],
    ['admin', 'reviewer', null],
    ['admin', 'admin', null],
    ['owner', 'owner', null],
  ])('a link from a %s for a %s: %s', async (by, of, refused) => {
    const making = makeResetLink(world.viewers[by], world.viewers[of].userId)
    if (refused) await expect(making).rejects.toMatchObject({ code: refused })
    else expect((await making).path).toMatch(/^\/reset\?token=[\w-]{43}$/)
  })

  test('a link is over when its person becomes more than they were, or belongs elsewhere too', async () => {
    const { member, reviewer, owner, admin } = world.viewers
    const open = async (viewer: Viewer) => tokenOf(await makeResetLink(admin, viewer.userId))
    const [promoted, joining] = [await open(member), await open(reviewer)]
    await changeRole(owner, member.userId, 'owner')
    expect(await isLinkOpen('password-reset', promoted)).toBe(false)
    await changeRole(owner, member.userId, 'member')
    const other = await createTestWorkspace(current())
    const { path } = await invite(other.viewers.admin, { email: reviewer.email, role: 'member', groupIds: [] })
    await acceptInvitation(path.slice('/invite/'.length), { viewer: reviewer })
    expect(await isLinkOpen('password-reset', joining)).toBe(false)
    await expect(resetPassword({ token: joining, password: next })).rejects.toMatchObject({ code: 'link-over' })
    await removeMember(other.viewers.owner, reviewer.userId)
  })

  test('no link for a stranger, nor for who also belongs where the admin has no say', async () => {
    const other = await createTestWorkspace(current())
    const { admin, member, owner } = world.viewers
    await expect(makeResetLink(admin, other.viewers.member.userId)).rejects.toMatchObject({ code: 'not-found' })
    await expect(makeResetLink(admin, newId())).rejects.toMatchObject({ code: 'not-found' })
    await current()
      .db.insert(memberships)
      .values({ workspaceId: other.workspaceId, userId: member.userId, role: 'owner' })
    await expect(makeResetLink(admin, member.userId)).rejects.toMatchObject({ code: 'forbidden' })
    await current()
      .db.insert(memberships)
      .values({ workspaceId: other.workspaceId, userId: owner.userId, role: 'admin' })
    await expect(makeResetLink(owner, member.userId)).rejects.toMatchObject({ code: 'forbidden' })
    await current().db.update(memberships).set({ role: 'owner' }).where(eq(memberships.userId, owner.userId))
    expect((await makeResetLink(owner, member.userId)).path).toContain('/reset')
  })
})
