import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { auditLog, memberships, rateLimits, singleUseTokens, users } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { closeQueue, openQueue, work } from '#lib/jobs.ts'
import { deliverMail, type Mail } from '#lib/mail.ts'
import { limitResets, sendResetLink } from './password.ts'

vi.hoisted(() => {
  process.env.SMTP_URL = 'smtp://127.0.0.1:1'
  process.env.AUTH_URL = 'https://knowledge.example'
  process.env.AUTH_SECRET = 'a secret for tests that is long enough'
})

const { current } = withDatabase()
let world: TestWorkspace
const sent: Mail[] = []

beforeAll(async () => {
  world = await createTestWorkspace(current())
  await current().db.update(users).set({ passwordHash: 'a hash' })
  await openQueue()
})
afterAll(() => closeQueue(0))
beforeEach(async () => {
  await current().db.delete(rateLimits)
  await current().db.delete(singleUseTokens)
})
const tokens = () => current().db.$count(singleUseTokens)

test('the link goes to the address of the account, under our own address, and is written down', async () => {
  const { member } = world.viewers
  await work('mail.send', async (payload) =>
    deliverMail(payload, async (mail) => {
      sent.push(mail)
      return { sent: true }
    }),
  )
  await sendResetLink(` ${member.email.toUpperCase()} `)
  await vi.waitFor(() => expect(sent).toHaveLength(1), { timeout: 20_000 })
  expect(sent[0]?.to).toBe(member.email)
  expect(sent[0]?.text).toMatch(/^https:\/\/knowledge\.example\/reset\?token=[\w-]{43}$/m)
  expect(await current().db.$count(auditLog, eq(auditLog.event, 'password.reset-asked'))).toBe(1)
})

test('nothing is sent to strangers, to who has no password, and to who is suspended', async () => {
  const { admin, reviewer } = world.viewers
  await current().db.update(users).set({ passwordHash: null }).where(eq(users.id, admin.userId))
  await current().db.update(memberships).set({ suspendedAt: new Date() }).where(eq(memberships.userId, reviewer.userId))
  for (const email of [
    'nobody@test.local',
    admin.email,
    reviewer.email,
    null,
    '',
    [],
    {},
    0,
    'a@test.local,b@test.local',
  ])
    expect(await sendResetLink(email)).toBeUndefined()
  expect(await tokens()).toBe(0)
})

test('an account gets three links an hour, and asking on is answered the same', async () => {
  const { owner } = world.viewers
  for (let i = 0; i < 5; i++) expect(await sendResetLink(owner.email)).toBeUndefined()
  expect(await tokens()).toBe(3)
})

test('a place asks twenty times an hour, for whomever', async () => {
  for (let i = 0; i < 20; i++) await limitResets('203.0.113.1')
  await expect(limitResets('203.0.113.1')).rejects.toMatchObject({ code: 'rate-limited' })
  await limitResets('203.0.113.2')
})
