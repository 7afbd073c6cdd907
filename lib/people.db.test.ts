import { and, eq, isNull, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { rows } from '#db/client.ts'
import { createChat, insertAnswer, insertQuestion } from '#db/queries/chats.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import {
  apiKeys,
  auditLog,
  collectionGrants,
  documents,
  groupMembers,
  incidentSwitches,
  invitations,
  legalHolds,
  memberships,
  sessions,
  users,
} from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { openGeneration, StopRequested } from './chat/generation.ts'
import { generationMayGoOn } from './chat/may-go-on.ts'
import { closeQueue, openQueue } from './jobs.ts'
import { deliverMail, giveUpMail, queueMail } from './mail.ts'
import {
  acceptInvitation,
  addToGroup,
  changeRole,
  createWorkspace,
  deleteGroup,
  invitationOf,
  invite,
  inviteMany,
  listGroups,
  listInvitations,
  listMembers,
  myWorkspaces,
  removeFromGroup,
  removeMember,
  restore,
  revokeInvitation,
  saveGroup,
  suspend,
  switchWorkspace,
} from './people.ts'
import { newId } from './shared/ids.ts'
import { type Role, roles, type Viewer } from './shared/viewer.ts'

const database = withDatabase()
let home: TestWorkspace
// Before anything reads the settings, which are read once.
vi.hoisted(() => {
  process.env.AUTH_SECRET = 'a secret for tests, longer than it must be'
  for (const name of ['SMTP_URL', 'AUTH_URL']) process.env[name] = ''
})
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
beforeEach(async () => {
  home = await createTestWorkspace(database.current())
})

const password = 'a long enough password'
const tokenOf = ({ path }: { path: string }): string => path.slice('/invite/'.length)
const events = async (workspaceId = home.workspaceId): Promise<string[]> =>
  (
    await database
      .current()
      .db.select()
      .from(auditLog)
      .where(eq(auditLog.workspaceId, workspaceId))
      .orderBy(auditLog.id)
  ).map(({ event }) => event)
const membership = async ({ userId, workspaceId }: Viewer) =>
  (
    await database
      .current()
      .db.select()
      .from(memberships)
      .where(and(eq(memberships.workspaceId, workspaceId), eq(memberships.userId, userId)))
  )[0]
const addMember = async (role: Role, name: string = role): Promise<Viewer> => {
  const userId = newId()
  const viewer = { userId, workspaceId: home.workspaceId, role, name, email: `${userId}@test.local` }
  const { db } = database.current()
  await db.insert(users).values({ id: userId, email: viewer.email, name })
  await db.insert(memberships).values({ userId, workspaceId: home.workspaceId, role })
  return viewer
}
const openSession = async ({ userId, workspaceId }: Viewer): Promise<string> => {
  const idHash = newId()
  await database
    .current()
    .db.insert(sessions)
    .values({ idHash, userId, workspaceId, expiresAt: new Date(Date.now() + 60_000) })
  return idHash
}
const openKey = async ({ userId, workspaceId }: Viewer): Promise<string> => {
  const id = newId()
  await database
    .current()
    .db.insert(apiKeys)
    .values({
      id,
      userId,
      workspaceId,
      name: 'k',
      prefix: 'fn_x',
      hash: id,
      scopes: ['ask'],
      expiresAt: new Date(Date.now() + 60_000),
    })
  return id
}
/** How each of several things that were begun at once has ended: its error's words, or null. */
const atOnce = async (...all: (() => Promise<unknown>)[]): Promise<(string | null)[]> =>
  (await Promise.allSettled(all.map((one) => one()))).map((one) =>
    one.status === 'fulfilled' ? null : String((one.reason as { publicMessage?: string }).publicMessage ?? one.reason),
  )
const lastOwner = expect.stringContaining('last owner')

describe('the last owner', () => {
  const acts: [string, (viewer: Viewer, userId: string) => Promise<unknown>][] = [
    ['removed', removeMember],
    ['demoted', (viewer, userId) => changeRole(viewer, userId, 'admin')],
    ['suspended', suspend],
  ]
  const activeOwners = () =>
    database
      .current()
      .db.select()
      .from(memberships)
      .where(
        and(
          eq(memberships.workspaceId, home.workspaceId),
          eq(memberships.role, 'owner'),
          isNull(memberships.suspendedAt),
        ),
      )

  test.each(acts)('is not %s, by anyone', async (_, act) => {
    for (const role of roles)
      await expect(act(home.viewers[role], home.viewers.owner.userId)).rejects.toMatchObject({
        code: expect.stringMatching(/conflict|forbidden|bad-request/),
      })
    expect(await activeOwners()).toHaveLength(1)
  })

  // Both at the same moment, each the other, in both orders, by every pair of ways.
  test.each(acts.flatMap(([first, one]) => acts.map(([second, two]) => [first, second, one, two] as const)))(
    'one is left of two when one is %s while the other is %s',
    async (_, __, one, two) => {
      for (const turned of [false, true]) {
        home = await createTestWorkspace(database.current())
        const a = home.viewers.owner
        const b = await addMember('owner')
        const both = [() => one(a, b.userId), () => two(b, a.userId)] as const
        const ended = await (turned ? atOnce(both[1], both[0]) : atOnce(both[0], both[1]))
        expect(ended.filter((one) => one === null)).toHaveLength(1)
        expect(await activeOwners()).toHaveLength(1)
      }
    },
  )

  test('stays when two owners leave by their own will at once', async () => {
    const a = home.viewers.owner
    const b = await addMember('owner')
    const ended = await atOnce(
      () => removeMember(a, a.userId),
      () => changeRole(b, b.userId, 'member'),
    )
    expect(ended.toSorted()).toEqual([null, lastOwner].toSorted((x) => (x === null ? 1 : -1)))
    expect(await activeOwners()).toHaveLength(1)
  })

  test('is not who is suspended: an owner who cannot act keeps nothing alive', async () => {
    const asleep = await addMember('owner')
    await suspend(home.viewers.owner, asleep.userId)
    await expect(removeMember(home.viewers.owner, home.viewers.owner.userId)).rejects.toMatchObject({
      publicMessage: lastOwner,
    })
  })
})

describe('members', () => {
  test('owners are made and unmade by owners only', async () => {
    const { admin, member, owner } = home.viewers
    const second = await addMember('owner')
    for (const act of [
      () => changeRole(admin, member.userId, 'owner'),
      () => changeRole(admin, second.userId, 'member'),
      () => suspend(admin, second.userId),
      () => removeMember(admin, second.userId),
      () => invite(admin, { email: 'x@test.local', role: 'owner', groupIds: [] }),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'forbidden', publicMessage: expect.stringContaining('owner') })
    await changeRole(owner, member.userId, 'owner')
    expect(await membership(member)).toMatchObject({ role: 'owner' })
    expect(await events()).toEqual(['member.role-changed'])
  })

  test('nobody below an admin changes anybody, whatever their session says', async () => {
    const { admin, reviewer, member, owner } = home.viewers
    for (const viewer of [member, reviewer])
      await expect(changeRole(viewer, member.userId, 'admin')).rejects.toMatchObject({ code: 'forbidden' })
    await changeRole(owner, admin.userId, 'member')
    // The session that asks was read before the change.
    await expect(suspend(admin, member.userId)).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('a person of another workspace is not there, and is not touched', async () => {
    const foreign = (await createTestWorkspace(database.current())).viewers.member
    const { owner } = home.viewers
    for (const act of [
      () => changeRole(owner, foreign.userId, 'admin'),
      () => suspend(owner, foreign.userId),
      () => restore(owner, foreign.userId),
      () => removeMember(owner, foreign.userId),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'not-found' })
    expect(await membership(foreign)).toMatchObject({ role: 'member', suspendedAt: null })
  })

  test('CVE-2026-32717: a suspension ends sessions and keys here, leaves other workspaces alone, and can be lifted', async () => {
    const { admin, member } = home.viewers
    const other = (await createTestWorkspace(database.current())).workspaceId
    await database
      .current()
      .db.insert(memberships)
      .values({ workspaceId: other, userId: member.userId, role: 'member' })
    const here = await openSession(member)
    const there = await openSession({ ...member, workspaceId: other })
    const key = await openKey(member)
    await suspend(admin, member.userId)
    const { db } = database.current()
    const open = await db
      .select()
      .from(sessions)
      .where(and(eq(sessions.userId, member.userId), isNull(sessions.revokedAt)))
    expect(open.map(({ idHash }) => idHash)).toEqual([there])
    expect((await db.select().from(apiKeys).where(eq(apiKeys.id, key)))[0]?.revokedAt).toBeInstanceOf(Date)
    await expect(switchWorkspace({ ...member, workspaceId: other }, home.workspaceId, there)).rejects.toMatchObject({
      code: 'not-found',
    })
    await restore(admin, member.userId)
    expect(await membership(member)).toMatchObject({ suspendedAt: null })
    expect((await db.select().from(sessions).where(eq(sessions.idHash, here)))[0]?.revokedAt).toBeInstanceOf(Date)
    expect(await events()).toEqual(['member.suspended', 'member.restored'])
  })

  test('a removed person is out of groups, grants and invitations; their documents stay; under a hold they stay too', async () => {
    const { admin, member } = home.viewers
    const { db } = database.current()
    const { workspaceId, collectionId } = home
    const { id: groupId } = await saveGroup(admin, { id: null, name: 'Field', claim: null, claimRole: null })
    await addToGroup(admin, groupId, [member.userId])
    await db.insert(collectionGrants).values({
      id: newId(),
      workspaceId,
      collectionId,
      subject: 'person',
      subjectId: member.userId,
      level: 'read',
    })
    const versionId = await createScratchDocument(db, member, { collectionId, name: 'a.txt' })
    const hold = {
      id: newId(),
      workspaceId,
      kind: 'person' as const,
      objectId: member.userId,
      label: 'm',
      reason: 'A case.',
    }
    await db.insert(legalHolds).values(hold)
    await expect(removeMember(admin, member.userId)).rejects.toMatchObject({
      publicMessage: expect.stringContaining('on legal hold'),
    })
    await db.update(legalHolds).set({ releasedAt: new Date() }).where(eq(legalHolds.id, hold.id))
    await removeMember(admin, member.userId)
    expect(await membership(member)).toBeUndefined()
    expect(await db.select().from(groupMembers).where(eq(groupMembers.userId, member.userId))).toEqual([])
    expect(await db.select().from(collectionGrants).where(eq(collectionGrants.subjectId, member.userId))).toEqual([])
    const stays = eq(documents.latestVersionId, versionId)
    expect(await db.select().from(documents).where(stays)).toHaveLength(1)
  })

  test('are searched, filtered and cut into pages, each with groups and when they were last seen', async () => {
    const { admin, member } = home.viewers
    const { id: groupId } = await saveGroup(admin, { id: null, name: 'Night shift', claim: null, claimRole: null })
    const many = await Promise.all(Array.from({ length: 60 }, (_, n) => addMember('member', `Person ${n} 100%_x`)))
    await addToGroup(admin, groupId, [member.userId])
    await openSession(member)
    const all = await listMembers(admin, {})
    expect(all).toMatchObject({ total: many.length + 4, page: 1 })
    expect(all.rows).toHaveLength(50)
    const second = await listMembers(admin, {}, 2)
    expect(new Set([...all.rows, ...second.rows].map(({ userId }) => userId)).size).toBe(64)
    expect(await listMembers(admin, {}, 99)).toMatchObject({ page: 2 })
    // What a pattern means in SQL is text here.
    expect((await listMembers(admin, { q: '100%_X' })).total).toBe(60)
    expect((await listMembers(admin, { q: '%' })).total).toBe(60)
    const [found] = (await listMembers(admin, { groupId })).rows
    expect(found).toMatchObject({ userId: member.userId, groups: [{ id: groupId, name: 'Night shift' }] })
    expect(Date.parse(found?.lastSeenAt ?? '')).toBeGreaterThan(Date.now() - 60_000)
    expect((await listMembers(admin, { role: 'owner' })).total).toBe(1)
    await suspend(admin, member.userId)
    expect((await listMembers(admin, { suspended: true })).rows.map(({ userId }) => userId)).toEqual([member.userId])
    const foreign = (await createTestWorkspace(database.current())).viewers.admin
    expect((await listMembers(foreign, { groupId })).total).toBe(0)
  })
})

describe('an open answer', () => {
  const openAnswer = async ({ userId, workspaceId }: Viewer): Promise<string> => {
    const { db } = database.current()
    const ids = { chatId: newId(), questionId: newId(), answerId: newId() }
    await createChat(db, { userId, workspaceId }, { id: ids.chatId, title: 'T' })
    await insertQuestion(db, { id: ids.questionId, chatId: ids.chatId, text: 'Q?' })
    await insertAnswer(db, { id: ids.answerId, chatId: ids.chatId, questionId: ids.questionId })
    return ids.answerId
  }

  test('may go on for members, and not for who is suspended, has left or is switched off', async () => {
    const { owner, admin, reviewer, member } = home.viewers
    const open = await Promise.all([owner, admin, reviewer, member].map(openAnswer))
    const [, ofAdmin = '', ofReviewer = '', ofMember = ''] = open
    expect(await generationMayGoOn(open)).toEqual(new Map())
    await suspend(owner, admin.userId)
    await removeMember(owner, reviewer.userId)
    await database.current().db.insert(incidentSwitches).values({
      id: newId(),
      workspaceId: home.workspaceId,
      kind: 'person',
      targetId: member.userId,
      label: 'm',
      reason: 'r',
    })
    expect(await generationMayGoOn(open)).toEqual(
      new Map([
        [ofAdmin, 'suspended'],
        [ofReviewer, 'left'],
        [ofMember, 'switched-off'],
      ]),
    )
    await database.current().db.update(incidentSwitches).set({ liftedAt: new Date() })
    expect(await generationMayGoOn([ofMember, newId()])).toEqual(new Map())
    expect(await generationMayGoOn([])).toEqual(new Map())
  })

  test('stops within five seconds of the suspension of its asker, and another person’s goes on', async () => {
    const { admin, member, reviewer } = home.viewers
    const [stopped, other] = await Promise.all(
      [member, reviewer].map(async (viewer) =>
        openGeneration({ messageId: await openAnswer(viewer), metadata: {}, show: (metadata) => metadata }),
      ),
    )
    if (!stopped || !other) throw new Error('not opened')
    stopped.write('Half an')
    await suspend(admin, member.userId)
    const suspendedAtMs = performance.now()
    await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve, { once: true }))
    expect(performance.now() - suspendedAtMs).toBeLessThan(5_000)
    expect(stopped.signal.reason).toBeInstanceOf(StopRequested)
    expect(other.signal.aborted).toBe(false)
    await Promise.all([stopped, other].map((writer) => writer.end({ status: 'stopped', metadata: {} })))
  })
})

describe('groups', () => {
  test('have one name each, hold members of the workspace only, and go with their grants', async () => {
    const { admin, member } = home.viewers
    const foreign = (await createTestWorkspace(database.current())).viewers
    const { id } = await saveGroup(admin, {
      id: null,
      name: ' Night\u202e  shift ',
      claim: ' nights ',
      claimRole: 'reviewer',
    })
    const { id: other } = await saveGroup(admin, { id: null, name: 'Days', claim: null, claimRole: 'admin' })
    for (const input of [
      { id: null, name: 'Days', claim: null, claimRole: null },
      { id, name: 'Days', claim: null, claimRole: null },
      { id: null, name: '\u200b', claim: null, claimRole: null },
      { id: null, name: 'Owners', claim: 'o', claimRole: 'owner' as const },
    ])
      await expect(saveGroup(admin, input)).rejects.toMatchObject({ code: 'bad-request' })
    await addToGroup(admin, id, [member.userId, foreign.member.userId])
    await addToGroup(admin, id, [member.userId])
    await database.current().db.insert(collectionGrants).values({
      id: newId(),
      workspaceId: home.workspaceId,
      collectionId: home.collectionId,
      subject: 'group',
      subjectId: id,
      level: 'read',
    })
    expect(await listGroups(admin)).toEqual([
      { id: other, name: 'Days', claim: null, claimRole: null, members: 0, collections: 0 },
      { id, name: 'Night shift', claim: 'nights', claimRole: 'reviewer', members: 1, collections: 1 },
    ])
    for (const act of [
      () => saveGroup(foreign.admin, { id, name: 'Mine', claim: null, claimRole: null }),
      () => addToGroup(foreign.admin, id, [foreign.admin.userId]),
      () => removeFromGroup(foreign.admin, id, member.userId),
      () => deleteGroup(foreign.admin, id),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'not-found' })
    await removeFromGroup(admin, id, member.userId)
    await deleteGroup(admin, id)
    expect(await listGroups(admin)).toHaveLength(1)
    const grants = eq(collectionGrants.subjectId, id)
    expect(await database.current().db.select().from(collectionGrants).where(grants)).toEqual([])
    expect(await events()).toEqual([
      'group.created',
      'group.created',
      'group.changed',
      'group.changed',
      'group.deleted',
    ])
  })
})

describe('invitations', () => {
  const asMember = { role: 'member' as const, groupIds: [] as string[] }
  const inviteNew = async (email = `${newId()}@test.local`) => ({
    email,
    token: tokenOf(await invite(home.viewers.admin, { email, ...asMember })),
  })
  const change = (email: string, set: Partial<typeof invitations.$inferInsert>) =>
    database.current().db.update(invitations).set(set).where(eq(invitations.email, email))

  test('a link makes an account with its role and groups, once, of two at the same moment for one', async () => {
    const { admin } = home.viewers
    const { id: groupId } = await saveGroup(admin, { id: null, name: 'Field', claim: null, claimRole: null })
    const invited = await invite(admin, { email: ' New.Person@Test.local ', role: 'reviewer', groupIds: [groupId] })
    const token = tokenOf(invited)
    expect(invited).toMatchObject({ email: 'new.person@test.local', mailed: false, replaced: false })
    expect(await invitationOf(token)).toEqual({
      state: 'open',
      workspace: 'Test',
      invitedBy: 'admin',
      email: 'new.person@test.local',
      hasAccount: false,
    })
    const { db } = database.current()
    const [stored] = await db.select().from(invitations).where(eq(invitations.email, 'new.person@test.local'))
    expect(JSON.stringify(stored)).not.toContain(token)
    const ended = await atOnce(
      () => acceptInvitation(token, { name: 'New Person', password }),
      () => acceptInvitation(token, { name: 'New Person', password }),
    )
    expect(ended.filter((one) => one === null)).toHaveLength(1)
    const [person, ...more] = (await listMembers(admin, { q: 'new.person@' })).rows
    expect(more).toEqual([])
    expect(person).toMatchObject({ role: 'reviewer', groups: [{ name: 'Field' }] })
    expect(await invitationOf(token)).toMatchObject({ state: 'accepted' })
    const { rows: accepted } = await listInvitations(admin, { state: 'accepted' })
    expect(accepted).toMatchObject([{ email: 'new.person@test.local', groups: ['Field'], invitedBy: 'admin' }])
    const details = await db
      .select()
      .from(auditLog)
      .where(eq(auditLog.workspaceId, home.workspaceId))
      .orderBy(auditLog.place)
    expect(details.map(({ event }) => event)).toEqual(['group.created', 'member.invited', 'invitation.accepted'])
    expect(JSON.stringify(details)).not.toMatch(/new\.person|New Person/i)
  })

  test('who has an account signs in and joins; nobody else does in their place', async () => {
    const there = (await createTestWorkspace(database.current())).viewers.member
    const { token } = await inviteNew(there.email)
    expect(await invitationOf(token)).toMatchObject({ state: 'open', hasAccount: true })
    await expect(acceptInvitation(token, { name: 'X', password })).rejects.toMatchObject({
      publicMessage: expect.stringContaining('has an account'),
    })
    await expect(acceptInvitation(token, { viewer: home.viewers.reviewer })).rejects.toMatchObject({
      publicMessage: expect.stringContaining(`is for ${there.email}`),
    })
    expect(await acceptInvitation(token, { viewer: there })).toMatchObject({ workspaceId: home.workspaceId })
    expect((await myWorkspaces(there)).map(({ id }) => id).toSorted()).toEqual(
      [there.workspaceId, home.workspaceId].toSorted(),
    )
  })

  test('one that is expired, used or taken back says so and opens nothing', async () => {
    const before = (await listMembers(home.viewers.admin, {})).total
    const expired = await inviteNew()
    await change(expired.email, { expiresAt: new Date(Date.now() - 1) })
    const revoked = await inviteNew()
    await change(revoked.email, { revokedAt: new Date() })
    const used = await inviteNew()
    await change(used.email, { acceptedAt: new Date() })
    for (const [{ token }, words] of [
      [expired, 'expired'],
      [revoked, 'taken back'],
      [used, 'has been used'],
    ] as const)
      await expect(acceptInvitation(token, { name: 'X', password })).rejects.toMatchObject({
        code: 'conflict',
        publicMessage: expect.stringContaining(words),
      })
    expect(JSON.stringify(await invitationOf(expired.token))).not.toContain(expired.email)
    expect((await listMembers(home.viewers.admin, {})).total).toBe(before)
  })

  test.each([null, undefined, '', [], {}, 0, ['a'], 'x'.repeat(43), `${'x'.repeat(42)}'`])(
    'GHSA-f6hc: %j is no token',
    async (token) => {
      await inviteNew()
      expect(await invitationOf(token)).toEqual({ state: 'unknown' })
      await expect(acceptInvitation(token, { name: 'X', password })).rejects.toMatchObject({ code: 'not-found' })
    },
  )

  test('a name or password that cannot be taken leaves the invitation open', async () => {
    const { token } = await inviteNew()
    for (const joining of [
      { name: 'X', password: 'eleven char' },
      { name: ' \u200b ', password },
      { name: 'x'.repeat(81), password },
    ])
      await expect(acceptInvitation(token, joining)).rejects.toMatchObject({ code: 'bad-request' })
    expect(await invitationOf(token)).toMatchObject({ state: 'open' })
  })

  test('nobody is let in by who could not let them in any more', async () => {
    const { owner, admin } = home.viewers
    const { token } = await inviteNew()
    await changeRole(owner, admin.userId, 'member')
    expect(await invitationOf(token)).toMatchObject({ state: 'revoked' })
    await expect(acceptInvitation(token, { name: 'X', password })).rejects.toMatchObject({ code: 'conflict' })
  })

  test('nor by who is switched off: a stolen account lets nobody in behind it', async () => {
    const { owner, admin } = home.viewers
    const { token } = await inviteNew()
    const off = { id: newId(), workspaceId: home.workspaceId, kind: 'person' as const, targetId: admin.userId }
    const { db } = database.current()
    await db.insert(incidentSwitches).values({ ...off, label: 'admin', reason: 'Stolen.', thrownBy: owner.userId })
    expect(await invitationOf(token)).toMatchObject({ state: 'revoked' })
    await expect(acceptInvitation(token, { name: 'X', password })).rejects.toMatchObject({ code: 'conflict' })
  })

  test('a second invitation ends the first; a member is not invited; one is taken back once', async () => {
    const { admin, member } = home.viewers
    const { email, token } = await inviteNew()
    expect(await invite(admin, { email, ...asMember })).toMatchObject({ replaced: true })
    expect(await invitationOf(token)).toMatchObject({ state: 'revoked' })
    await expect(invite(admin, { email: member.email, ...asMember })).rejects.toMatchObject({
      publicMessage: expect.stringContaining('member already'),
    })
    const foreign = (await createTestWorkspace(database.current())).viewers.admin
    const [open] = (await listInvitations(admin, {})).rows
    await expect(revokeInvitation(foreign, open?.id ?? '')).rejects.toMatchObject({ code: 'not-found' })
    await revokeInvitation(admin, open?.id ?? '')
    await expect(revokeInvitation(admin, open?.id ?? '')).rejects.toMatchObject({ code: 'not-found' })
    const { id: groupId } = await saveGroup(foreign, { id: null, name: 'Theirs', claim: null, claimRole: null })
    await expect(invite(admin, { email, role: 'member', groupIds: [groupId] })).rejects.toMatchObject({
      code: 'bad-request',
    })
  })

  test.each(['a@x.example,b@y.example', 'a@x.example\r\nBcc: b@y.example', '"a" <a@x.example>', '', 'a'])(
    'CVE-2022-35924: %j is not one address',
    async (email) => {
      await expect(invite(home.viewers.admin, { email, ...asMember })).rejects.toMatchObject({ code: 'bad-request' })
    },
  )

  test('a list gets an answer a line, and what is good is kept', async () => {
    const { admin, member } = home.viewers
    await saveGroup(admin, { id: null, name: 'Field', claim: null, claimRole: null })
    const csv = `\ufeffRole;E-mail;Groups\r
reviewer;One@test.local;Field\r
;two@test.local;\r
boss;three@test.local;\r
;=cmd|'/c calc'!A1;\r
;one@test.local;\r
;not an address;\r
;four@test.local;Nowhere\r
owner;five@test.local;\r
;${member.email};\r
`
    const answers = await inviteMany(admin, csv, 'member')
    expect(answers.map((one) => [one.line, one.ok || one.words])).toEqual([
      [2, true],
      [3, true],
      [4, expect.stringContaining('no such role')],
      [5, expect.stringContaining('formula')],
      [6, 'Line 2 has the same address.'],
      [7, 'That is no e-mail address.'],
      [8, expect.stringContaining('“Nowhere”')],
      [9, expect.stringContaining('Only an owner')],
      [10, expect.stringContaining('member already')],
    ])
    const open = (await listInvitations(admin, {})).rows
    expect(open.map(({ email, role, groups }) => [email, role, groups]).toSorted()).toEqual([
      ['one@test.local', 'reviewer', ['Field']],
      ['two@test.local', 'member', []],
    ])
  })

  test.each([
    ['', 'empty'],
    ['email\n', 'empty'],
    ['name,role\nA,member', 'no column'],
    ['"a@x.example\nb@x.example', 'quotation mark'],
    [Array.from({ length: 501 }, (_, n) => `p${n}@x.example`).join('\n'), '500'],
  ])('a list that cannot be used invites nobody: %#', async (csv, words) => {
    await expect(inviteMany(home.viewers.admin, csv, 'member')).rejects.toMatchObject({
      code: 'bad-request',
      publicMessage: expect.stringContaining(words),
    })
    expect((await listInvitations(home.viewers.admin, {})).total).toBe(0)
  })

  test('a mail waits sealed in the queue; the invitation says how it goes, and one that is over is not sent', async () => {
    const { db } = database.current()
    const { email } = await inviteNew()
    const [{ id } = { id: '' }] = (await listInvitations(home.viewers.admin, { q: email })).rows
    const failureNow = async () => (await listInvitations(home.viewers.admin, { q: email })).rows[0]?.mailFailure
    const mail = { to: email, subject: 'Come', text: 'https://x/invite/secret-token' }
    await db.transaction((tx) => queueMail(tx, mail, id))
    const [job] = await rows<{ data: { sealed: string; invitationId: string } }>(
      db,
      sql`select data from pgboss.job where name = 'mail.send' and data ->> 'invitationId' = ${id}`,
    )
    if (!job) throw new Error('no job')
    expect(JSON.stringify(job)).not.toMatch(/secret-token|Come/)
    await expect(
      deliverMail(job.data, async () => ({ sent: false, failure: 'Nobody there.', again: true })),
    ).rejects.toThrow('Nobody there.')
    expect(await failureNow()).toBe('Nobody there. It is tried again.')
    await deliverMail(job.data, async () => ({ sent: false, failure: 'Refused.', again: false }))
    expect(await failureNow()).toBe('Refused.')
    await giveUpMail(job.data)
    expect(await failureNow()).toContain('given up')
    const sent: unknown[] = []
    const take = async (one: unknown) => {
      sent.push(one)
      return { sent: true }
    }
    await deliverMail(job.data, take)
    expect(await failureNow()).toBeNull()
    await revokeInvitation(home.viewers.admin, id)
    await deliverMail(job.data, take)
    expect(sent).toEqual([mail])
  })
})

describe('workspaces', () => {
  test('a new one is its maker’s own; a session moves to it and no other does', async () => {
    const { owner, admin } = home.viewers
    const here = await openSession(owner)
    const stays = await openSession(owner)
    await expect(createWorkspace(admin, 'Mine')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(createWorkspace(owner, ' \n ')).rejects.toMatchObject({ code: 'bad-request' })
    const { id } = await createWorkspace(owner, ' Second\u202e one ')
    expect(await myWorkspaces(owner)).toMatchObject([
      { id, name: 'Second one', role: 'owner' },
      { id: home.workspaceId, role: 'owner' },
    ])
    await expect(createWorkspace(owner, 'Second one')).rejects.toMatchObject({ code: 'bad-request' })
    await expect(switchWorkspace(admin, id, await openSession(admin))).rejects.toMatchObject({ code: 'not-found' })
    // A session of somebody else is none of theirs to move.
    await expect(switchWorkspace(owner, id, await openSession(admin))).rejects.toMatchObject({
      code: 'unauthenticated',
    })
    await switchWorkspace(owner, id, here)
    const open = await database.current().db.select().from(sessions).where(eq(sessions.userId, owner.userId))
    expect(new Map(open.map((one) => [one.idHash, one.workspaceId]))).toEqual(
      new Map([
        [here, id],
        [stays, home.workspaceId],
      ]),
    )
    expect(await events(id)).toEqual(['workspace.created', 'workspace.switched'])
    expect(await events()).toEqual(['workspace.switched'])
  })
})
