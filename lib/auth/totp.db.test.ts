import { and, eq } from 'drizzle-orm'
import { Secret, TOTP } from 'otpauth'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { auditLog, rateLimits, users } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { hashPassword } from '#lib/passwords.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { type Caller, enterByCode, enterByPassword } from './entry.ts'
import { beginSecondStep, confirmBegunStep, endSecondStep, takeCode } from './totp.ts'

vi.hoisted(() => {
  process.env.AUTH_SECRET = 'a secret for tests that is long enough'
})

const { current } = withDatabase()
const password = 'a password of words'
const caller: Caller = { address: '203.0.113.1', userAgent: null, sessionIdHash: null }
const nowMs = Date.now()
let world: TestWorkspace

beforeAll(async () => {
  world = await createTestWorkspace(current())
  await current()
    .db.update(users)
    .set({ passwordHash: await hashPassword(password) })
})
beforeEach(() => current().db.delete(rateLimits))

/** The code that an app shows at a moment. */
const shown = (secret: string, timestamp: number) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp })
const waiting = ({ userId }: Viewer) => ({ userId, sinceMs: Date.now() })

/** Switches the second step on. The code that confirmed it is of a minute ago, so that the one of now is fresh. */
const switchOn = async (viewer: Viewer) => {
  const { secret } = await beginSecondStep(viewer)
  const past = nowMs - 60_000
  return { secret, recovery: await confirmBegunStep(viewer, shown(secret, past), past) }
}

test('is off until a code of the app has come back', async () => {
  const { member } = world.viewers
  const { secret, uri } = await beginSecondStep(member)
  expect(uri).toMatch(/^otpauth:\/\/totp\/Footnote:/)
  expect(await enterByPassword({ email: member.email, password }, caller)).toHaveProperty('sessionId')
  await expect(confirmBegunStep(member, '000000', 0)).rejects.toMatchObject({ code: 'wrong-code' })
  const codes = await confirmBegunStep(member, shown(secret, nowMs), nowMs)
  expect(new Set(codes).size).toBe(10)
  expect(await enterByPassword({ email: member.email, password }, caller)).toEqual({ asks: member.userId })
  const [row] = await current().db.select().from(users).where(eq(users.id, member.userId))
  expect(JSON.stringify(row)).not.toContain(secret)
  for (const code of codes) expect(JSON.stringify(row)).not.toContain(code)
  await expect(beginSecondStep(member)).rejects.toMatchObject({ code: 'conflict' })
})

test('a code opens once, also of two at once, and no earlier one opens after it', async () => {
  const { reviewer } = world.viewers
  const { secret } = await switchOn(reviewer)
  const code = shown(secret, nowMs)
  expect((await Promise.all([1, 2, 3].map(() => takeCode(reviewer, code, nowMs)))).filter(Boolean)).toHaveLength(1)
  expect(await takeCode(reviewer, shown(secret, nowMs - 30_000), nowMs)).toBe(false)
  expect(await takeCode(reviewer, shown(secret, nowMs + 30_000), nowMs + 30_000)).toBe(true)
  expect(await takeCode(reviewer, shown(secret, nowMs + 300_000), nowMs + 60_000)).toBe(false)
})

describe('at sign-in', () => {
  let secret: string
  let recovery: string[]
  beforeAll(async () => {
    const on = await switchOn(world.viewers.admin)
    secret = on.secret
    recovery = on.recovery
  })

  test('a recovery code opens once and is written down with how many are left', async () => {
    const { admin } = world.viewers
    const code = (recovery[0] ?? '').replace(/(.{4})/g, '$1-').toUpperCase()
    expect(await enterByCode(waiting(admin), code, caller)).toHaveProperty('sessionId')
    expect(await enterByCode(waiting(admin), code, caller)).toBeNull()
    const [line] = await current()
      .db.select()
      .from(auditLog)
      .where(and(eq(auditLog.event, 'recovery-code.used'), eq(auditLog.actorId, admin.userId)))
    expect(line?.details).toEqual({ left: 9 })
  })

  test("another person's code opens nothing", async () => {
    const { owner } = world.viewers
    const others = await switchOn(owner)
    expect(await enterByCode(waiting(owner), recovery[1], caller)).toBeNull()
    expect(await enterByCode(waiting(world.viewers.admin), others.recovery[0], caller)).toBeNull()
  })

  test.each([null, undefined, '', [], {}, 0, 123456, true])('GHSA-f6hc: %j is no code', async (code) => {
    expect(await enterByCode(waiting(world.viewers.admin), code, caller)).toBeNull()
  })

  test('five wrong codes, then none: not even the right one', async () => {
    const { admin } = world.viewers
    for (let i = 0; i < 5; i++) expect(await enterByCode(waiting(admin), '000000', caller)).toBeNull()
    await expect(enterByCode(waiting(admin), shown(secret, Date.now()), caller)).rejects.toMatchObject({
      code: 'rate-limited',
    })
  })

  test('a first step from before a new password is worth nothing', async () => {
    const { admin } = world.viewers
    const old = { userId: admin.userId, sinceMs: Date.now() - 1_000 }
    await current().db.update(users).set({ passwordChangedAt: new Date() }).where(eq(users.id, admin.userId))
    expect(await enterByCode(old, recovery[2], caller)).toBeNull()
  })
})

test('is switched off by the password, and by a code where there is none', async () => {
  const { owner, member } = world.viewers
  await expect(endSecondStep(owner, 'not the password')).rejects.toMatchObject({ code: 'wrong-password' })
  await endSecondStep(owner, password)
  expect(await enterByPassword({ email: owner.email, password }, caller)).toHaveProperty('sessionId')
  const { recovery } = await switchOn(owner)
  await current().db.update(users).set({ passwordHash: null }).where(eq(users.id, owner.userId))
  await expect(endSecondStep(owner, password)).rejects.toMatchObject({ code: 'wrong-code' })
  await endSecondStep(owner, recovery[0] ?? '')
  await expect(endSecondStep(member, 'not the password')).rejects.toMatchObject({ code: 'wrong-password' })
})
