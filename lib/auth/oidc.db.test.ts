/** Sign-in through a provider as a browser goes through it: our own routes, and a real OpenID server on this machine. */
import { and, eq } from 'drizzle-orm'
import { NextRequest } from 'next/server'
import { OAuth2Issuer } from 'oauth2-mock-server'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { getSessionOwner } from '#db/queries/people.ts'
import { issueToken } from '#db/queries/sign-in.ts'
import {
  apiKeys,
  auditLog,
  groupMembers,
  groups,
  identities,
  incidentSwitches,
  invitations,
  legalHolds,
  memberships,
  singleUseTokens,
  users,
} from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Role } from '#lib/shared/viewer.ts'
import { enterByWord, wordOf } from './oidc.ts'
import { handlers } from './session.ts'

const { provider } = await vi.hoisted(async () => {
  const { OAuth2Server } = await import('oauth2-mock-server')
  const provider = new OAuth2Server()
  await provider.issuer.keys.generate('RS256')
  await provider.start(0, '127.0.0.1')
  Object.assign(process.env, {
    AUTH_SECRET: 'a secret for tests that is long enough',
    OIDC_ISSUER: provider.issuer.url,
    OIDC_CLIENT_ID: 'footnote',
    OIDC_CLIENT_SECRET: 'a secret of the client',
  })
  return { provider }
})

const { current } = withDatabase()
const here = 'http://localhost:3000'
const issuer = `${provider.issuer.url}/`
let world: TestWorkspace

/** What the provider says of the person who signs in next. */
let claims: Record<string, unknown> = {}
/** What an attacker, or a broken provider, does to the answer of the token endpoint. */
let tamper: (body: Record<string, unknown>) => Promise<void> | void = () => undefined

beforeAll(async () => {
  world = await createTestWorkspace(current())
  provider.service.on('beforeTokenSigning', (token: { payload: object }) => Object.assign(token.payload, claims))
  provider.service.on('beforeResponse', ({ body }: { body: Record<string, unknown> }) => tamper(body))
})
beforeEach(() => {
  claims = {}
  tamper = () => undefined
})
afterAll(() => provider.stop())

/** As much of a browser as the protocol needs: cookies, and redirects that are followed by hand. */
const openBrowser = () => {
  const cookies = new Map<string, string>()
  const ask = async (path: string, form?: Record<string, string>): Promise<Response> => {
    const request = new NextRequest(new URL(path, here), {
      method: form ? 'POST' : 'GET',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), host: 'localhost:3000' },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    })
    const response = await (form ? handlers.POST(request) : handlers.GET(request))
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
  const place = (response: Response): string => response.headers.get('location') ?? ''
  return {
    cookies,
    /** Asks us to go to the provider. Returns the provider's address. */
    start: async (callbackUrl = '/admin/documents'): Promise<string> => {
      const { csrfToken } = (await (await ask('/api/auth/csrf')).json()) as { csrfToken: string }
      return place(await ask('/api/auth/signin/oidc', { csrfToken, callbackUrl }))
    },
    /** Comes back from the provider. Returns where we send the browser then. */
    finish: async (back: string): Promise<string> => place(await ask(back)),
    session: async () => {
      const { sessionIdHash } = ((await (await ask('/api/auth/session')).json()) ?? {}) as { sessionIdHash?: string }
      return sessionIdHash ? getSessionOwner(current().db, sessionIdHash) : undefined
    },
  }
}
/** The provider lets everybody in and sends them back. */
const atProvider = async (address: string): Promise<string> => {
  const response = await fetch(address, { redirect: 'manual' })
  return response.headers.get('location') ?? ''
}
const signIn = async (browser = openBrowser()) => {
  const went = await browser.finish(await atProvider(await browser.start()))
  return { went, viewer: (await browser.session())?.viewer, browser }
}

const invite = (email: string, more: Partial<typeof invitations.$inferInsert> = {}) =>
  current()
    .db.insert(invitations)
    .values({
      id: newId(),
      workspaceId: world.workspaceId,
      email,
      role: 'reviewer',
      tokenHash: newId(),
      invitedBy: world.viewers.admin.userId,
      expiresAt: new Date(Date.now() + 60_000),
      ...more,
    })
const person = (name: string, more: Record<string, unknown> = {}) => ({
  sub: `sub-${name}`,
  email: `${name}@corp.test`,
  email_verified: true,
  name,
  ...more,
})
const accountOf = async (email: string) => (await current().db.select().from(users).where(eq(users.email, email)))[0]

describe('the protocol', () => {
  test('asks by code with PKCE, state and nonce, and goes on to the page that was asked for', async () => {
    claims = person('ada')
    await invite('ada@corp.test')
    const browser = openBrowser()
    const address = new URL(await browser.start())
    expect(address.origin + address.pathname).toBe(`${provider.issuer.url}/authorize`)
    const asked = Object.fromEntries(address.searchParams)
    expect(asked).toMatchObject({
      response_type: 'code',
      client_id: 'footnote',
      code_challenge_method: 'S256',
      redirect_uri: `${here}/api/auth/callback/oidc`,
    })
    for (const part of ['state', 'nonce', 'code_challenge']) expect(asked[part]?.length).toBeGreaterThanOrEqual(40)
    expect(await browser.finish(await atProvider(address.href))).toBe('/admin/documents')
    const owner = await browser.session()
    expect(owner?.viewer).toMatchObject({ email: 'ada@corp.test', role: 'reviewer', workspaceId: world.workspaceId })
  })

  test.each([
    ['the state', 'authjs.state'],
    ['the nonce', 'authjs.nonce'],
    ['the code verifier', 'authjs.pkce.code_verifier'],
  ])('%s of another sign-in opens nothing', async (_, cookie) => {
    claims = person('ada')
    const [mine, other] = [openBrowser(), openBrowser()]
    const back = await atProvider(await mine.start())
    await other.start()
    mine.cookies.set(cookie, other.cookies.get(cookie) ?? '')
    expect(await mine.finish(back)).toMatch(/\/sign-in\?error=/)
    expect(await mine.session()).toBeUndefined()
  })

  test('a code that another browser was given opens nothing, nor does one twice', async () => {
    claims = person('ada')
    const [mine, other] = [openBrowser(), openBrowser()]
    const back = await atProvider(await mine.start())
    expect(await other.finish(back)).toMatch(/\/sign-in\?error=/)
    expect(await mine.finish(back)).toBe('/admin/documents')
    expect(await mine.finish(back)).toMatch(/\/sign-in\?error=/)
  })

  test('CVE-2022-31093: a bad callback address neither throws nor leads away', async () => {
    claims = person('ada')
    for (const wanted of [
      'https://evil.example/',
      '//evil.example',
      'undefined',
      '%',
      'javascript:alert(1)',
      '/\\evil',
    ]) {
      const browser = openBrowser()
      expect(await browser.finish(await atProvider(await browser.start(wanted)))).toBe('/')
    }
  })

  test('a rotated key works at once, and one that the provider does not publish never', async () => {
    claims = person('ada')
    const other = new OAuth2Issuer()
    other.url = provider.issuer.url
    const key = await other.keys.generate('RS256')
    const sign = async (nonce: unknown): Promise<string> =>
      other.buildToken({
        scopesOrTransform: (_, payload) => Object.assign(payload, claims, { aud: 'footnote', nonce }),
      })
    // The answer is changed while it is made, and signing takes a turn: the token is made before, with the nonce of the request.
    const withOther = async () => {
      const browser = openBrowser()
      const address = await browser.start()
      const token = await sign(new URL(address).searchParams.get('nonce'))
      tamper = (body) => {
        body.id_token = token
      }
      const went = await browser.finish(await atProvider(address))
      return { went, owner: await browser.session() }
    }
    const unknown = await withOther()
    expect(unknown.went).toMatch(/\/sign-in\?error=/)
    expect(unknown.owner).toBeUndefined()
    await provider.issuer.keys.add({ ...key })
    const rotated = await withOther()
    expect(rotated.went).toBe('/admin/documents')
    expect(rotated.owner?.viewer.email).toBe('ada@corp.test')
  })

  test.each<[string, Record<string, unknown>]>([
    ['another issuer', { iss: 'http://127.0.0.1:1' }],
    ['another audience', { aud: 'somebody-else' }],
    ['a time that is over', { exp: 1_000, iat: 900 }],
    ['no nonce', { nonce: undefined }],
    ['nobody', { sub: undefined }],
  ])('a token of %s opens nothing', async (_, wrong) => {
    claims = { ...person('ada'), ...wrong }
    const { went, viewer } = await signIn()
    expect(went).toMatch(/\/sign-in\?error=/)
    expect(viewer).toBeUndefined()
  })

  test('a provider that says it is another issuer is not spoken to', async () => {
    provider.service.once('beforeWellKnownOpenIdConfiguration', (answer: { body: Record<string, unknown> }) => {
      answer.body.issuer = 'https://evil.example'
    })
    expect(await openBrowser().start()).toMatch(/\/sign-in\?error=Configuration$/)
  })

  test('a token without a signature opens nothing', async () => {
    claims = person('ada')
    tamper = (body) => {
      const [, payload] = String(body.id_token).split('.')
      body.id_token = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    }
    expect((await signIn()).viewer).toBeUndefined()
  })
})

describe('whose account a provider opens', () => {
  const subject = 'sub-somebody'

  test.each([false, undefined, null, 'true', 1, [true]])(
    'an address that is not verified (%j) takes over no account and makes none',
    async (email_verified) => {
      const { admin } = world.viewers
      claims = { sub: subject, email: admin.email, email_verified, name: 'Mallory' }
      const known = await signIn()
      expect(known).toMatchObject({ went: '/sign-in?error=unverified' })
      expect(known.viewer).toBeUndefined()
      await invite('new@corp.test').onConflictDoNothing()
      claims = { sub: subject, email: 'new@corp.test', email_verified }
      expect((await signIn()).went).toBe('/sign-in?error=unverified')
      expect(await accountOf('new@corp.test')).toBeUndefined()
      expect(await current().db.$count(identities, eq(identities.subject, subject))).toBe(0)
    },
  )

  test('a verified address opens the account that no other identity opens, and from then on the subject does', async () => {
    const { member } = world.viewers
    claims = { sub: 'sub-member', email: member.email.toUpperCase(), email_verified: true }
    expect((await signIn()).viewer).toEqual(member)
    claims = { sub: 'sub-member', email: 'renamed@corp.test', email_verified: false }
    expect((await signIn()).viewer).toEqual(member)
    claims = { sub: 'sub-other', email: member.email, email_verified: true }
    const second = await signIn()
    expect(second.went).toBe('/sign-in?error=taken')
    expect(second.viewer).toBeUndefined()
    const lines = await current()
      .db.select()
      .from(auditLog)
      .where(and(eq(auditLog.event, 'identity.linked'), eq(auditLog.actorId, member.userId)))
    expect(lines).toHaveLength(1)
  })

  test('CVE-2022-35924: what could be two addresses is none', async () => {
    const { owner } = world.viewers
    for (const email of [
      `${owner.email},evil@corp.test`,
      `evil@corp.test\n${owner.email}`,
      [owner.email],
      `<${owner.email}>`,
    ]) {
      claims = { sub: 'sub-evil', email, email_verified: true }
      expect((await signIn()).went).toBe('/sign-in?error=unverified')
    }
  })

  test('strangers stay outside, and a refusal is written down without their name', async () => {
    claims = person('stranger')
    const { went, viewer } = await signIn()
    expect([went, viewer]).toEqual(['/sign-in?error=uninvited', undefined])
    expect(await accountOf('stranger@corp.test')).toBeUndefined()
    const lines = await current().db.select().from(auditLog).where(eq(auditLog.event, 'sign-in.refused'))
    expect(lines.at(-1)?.details).toEqual({ step: 'identity', reason: 'uninvited' })
    expect(JSON.stringify(lines)).not.toContain('stranger')
  })

  test('an invitation that is over lets nobody in, nor one by who may no longer invite', async () => {
    claims = person('late')
    const { member } = world.viewers
    const over: Partial<typeof invitations.$inferInsert>[] = [
      { expiresAt: new Date(Date.now() - 1_000) },
      { revokedAt: new Date() },
      { invitedBy: member.userId },
      { role: 'owner' },
    ]
    for (const one of over) {
      await current().db.delete(invitations).where(eq(invitations.email, 'late@corp.test'))
      await invite('late@corp.test', one)
      expect((await signIn()).went).toBe('/sign-in?error=uninvited')
    }
  })

  test('nor does one by who is switched off: a stolen account lets nobody in behind it', async () => {
    const { db } = current()
    const { admin } = world.viewers
    claims = person('guest')
    await invite('guest@corp.test')
    const off = { id: newId(), workspaceId: world.workspaceId, kind: 'person' as const, targetId: admin.userId }
    await db.insert(incidentSwitches).values({ ...off, label: 'admin', reason: 'Stolen.', thrownBy: admin.userId })
    expect((await signIn()).went).toBe('/sign-in?error=uninvited')
    await db.delete(incidentSwitches)
    expect((await signIn()).viewer?.email).toBe('guest@corp.test')
  })

  test('what somebody set up for an invited address is over when the provider says whose the address is', async () => {
    const { db } = current()
    const [userId, email] = [newId(), 'victim@corp.test']
    await db.insert(users).values({ id: userId, email, name: 'Victim', passwordHash: 'known to who made it' })
    await db.insert(memberships).values({ userId, workspaceId: world.workspaceId, role: 'member' })
    await invite(email, { acceptedAt: new Date() })
    const key = { id: newId(), userId, workspaceId: world.workspaceId, name: 'k', prefix: 'fn_x', hash: newId() }
    await db.insert(apiKeys).values({ ...key, scopes: ['ask'], expiresAt: new Date(Date.now() + 60_000) })
    await db.transaction((tx) => issueToken(tx, { purpose: 'password-reset', userId }))
    claims = person('victim')
    expect((await signIn()).viewer?.userId).toBe(userId)
    expect((await accountOf(email))?.passwordHash).toBeNull()
    expect((await db.select().from(apiKeys).where(eq(apiKeys.userId, userId)))[0]?.revokedAt).not.toBeNull()
    const [link] = await db.select().from(singleUseTokens).where(eq(singleUseTokens.userId, userId))
    expect(link?.usedAt).not.toBeNull()
  })

  test('a password that whoever runs the installation has given stays', async () => {
    const { owner } = world.viewers
    await current().db.update(users).set({ passwordHash: 'given at setup' }).where(eq(users.id, owner.userId))
    claims = { sub: 'sub-owner', email: owner.email, email_verified: true }
    expect((await signIn()).viewer).toEqual(owner)
    expect((await accountOf(owner.email))?.passwordHash).toBe('given at setup')
  })

  test('the first sign-ins of one person at once make one account', async () => {
    claims = person('twin')
    await invite('twin@corp.test')
    const went = await Promise.all([signIn(), signIn(), signIn()])
    expect(new Set(went.map(({ viewer }) => viewer?.userId)).size).toBe(1)
    expect(await current().db.$count(users, eq(users.email, 'twin@corp.test'))).toBe(1)
  })

  test('CVE-2026-32717: a suspended member does not come in through the provider', async () => {
    const { member } = world.viewers
    const suspend = (suspendedAt: Date | null) =>
      current().db.update(memberships).set({ suspendedAt }).where(eq(memberships.userId, member.userId))
    await suspend(new Date())
    claims = { sub: 'sub-member', email: member.email, email_verified: true }
    expect((await signIn()).went).toBe('/sign-in?error=suspended')
    await suspend(null)
    expect((await signIn()).viewer).toEqual(member)
  })

  test('the second step is asked for here too', async () => {
    const { reviewer } = world.viewers
    await current().db.update(users).set({ totpConfirmedAt: new Date() }).where(eq(users.id, reviewer.userId))
    const word = wordOf(
      { issuer, groupsClaim: 'groups' },
      { sub: 'sub-reviewer', email: reviewer.email, email_verified: true },
    )
    const step = await enterByWord(word, { address: null, userAgent: null, sessionIdHash: null })
    expect(step).toEqual({ asks: reviewer.userId })
  })

  test('what the token leaves out is asked for at the provider, and only of the same person', async () => {
    const { owner } = world.viewers
    claims = { sub: 'sub-owner' }
    const say = (body: Record<string, unknown>) =>
      provider.service.once('beforeUserinfo', (answer: { body: Record<string, unknown> }) => {
        answer.body = body
      })
    say({ sub: 'sub-somebody-else', email: owner.email, email_verified: true })
    expect((await signIn()).viewer).toBeUndefined()
    say({ sub: 'sub-owner', email: owner.email, email_verified: true })
    expect((await signIn()).viewer).toEqual(owner)
  })
})

describe('group claims', () => {
  const makeGroup = async (name: string, claim: string, claimRole: Role | null): Promise<string> => {
    const id = newId()
    await current().db.insert(groups).values({ id, workspaceId: world.workspaceId, name, claim, claimRole })
    return id
  }
  const standingOf = async (email: string) => {
    const account = await accountOf(email)
    const userId = account?.id ?? newId()
    const [membership] = await current().db.select().from(memberships).where(eq(memberships.userId, userId))
    const held = await current().db.select().from(groupMembers).where(eq(groupMembers.userId, userId))
    return { role: membership?.role, groups: held.map(({ groupId, via }) => `${groupId} ${via}`).sort() }
  }

  test('let a stranger in, follow the provider at each sign-in, and put out who has none left', async () => {
    const [staff, lawyers] = [
      await makeGroup('Staff', 'corp-staff', null),
      await makeGroup('Law', 'corp-law', 'reviewer'),
    ]
    claims = person('grace', { groups: ['corp-staff', 'unknown', 7, null] })
    expect((await signIn()).viewer).toMatchObject({ email: 'grace@corp.test', role: 'member' })
    expect(await standingOf('grace@corp.test')).toEqual({ role: 'member', groups: [`${staff} claim`] })

    claims = person('grace', { groups: ['corp-law'] })
    const { viewer, browser } = await signIn()
    expect(viewer?.role).toBe('reviewer')
    expect(await standingOf('grace@corp.test')).toEqual({ role: 'reviewer', groups: [`${lawyers} claim`] })

    claims = person('grace', { groups: 'corp-staff' })
    expect((await signIn()).viewer?.role).toBe('member')

    claims = person('grace')
    expect((await signIn()).went).toBe('/sign-in?error=suspended')
    expect(await standingOf('grace@corp.test')).toEqual({ role: undefined, groups: [] })
    expect(await browser.session()).toBeUndefined()
  })

  test('an owner stays one, and groups by hand stay', async () => {
    const { owner } = world.viewers
    const hand = await makeGroup('By hand', 'corp-hand', 'member')
    await current().db.insert(groupMembers).values({ groupId: hand, userId: owner.userId })
    for (const given of [['corp-hand', 'corp-law'], []]) {
      claims = { sub: 'sub-owner', email: owner.email, email_verified: true, groups: given }
      expect((await signIn()).viewer).toEqual(owner)
      expect((await standingOf(owner.email)).groups).toContain(`${hand} hand`)
    }
  })

  test('a role by claim is written down with what it was and what it is', async () => {
    const email = 'hopper@corp.test'
    await makeGroup('Navy', 'corp-navy', 'reviewer')
    for (const given of [['corp-staff'], ['corp-navy']]) {
      claims = person('hopper', { groups: given })
      expect((await signIn()).viewer?.email).toBe(email)
    }
    const lines = await current()
      .db.select()
      .from(auditLog)
      .where(and(eq(auditLog.event, 'member.role-changed'), eq(auditLog.objectId, (await accountOf(email))?.id ?? '')))
      .orderBy(auditLog.id)
    expect(lines.map(({ details }) => details.to)).toEqual(['member', 'reviewer'])
    const [joined, changed] = lines
    expect([joined?.beforeHash === null, joined?.afterHash]).toEqual([true, changed?.beforeHash])
    expect(changed?.afterHash).not.toBe(changed?.beforeHash)
  })

  test('an invitation to an earlier stay keeps nobody whose claim is gone', async () => {
    const email = 'back@corp.test'
    await invite(email)
    claims = person('back')
    expect((await signIn()).viewer?.email).toBe(email)
    const userId = (await accountOf(email))?.id ?? ''
    await current().db.delete(memberships).where(eq(memberships.userId, userId))
    claims = person('back', { groups: ['corp-staff'] })
    expect((await signIn()).viewer?.email).toBe(email)
    claims = person('back')
    expect((await signIn()).viewer).toBeUndefined()
    expect((await standingOf(email)).role).toBeUndefined()
  })

  test('who is under a legal hold is shut out and not removed', async () => {
    const email = 'held@corp.test'
    claims = person('held', { groups: ['corp-staff'] })
    const { browser } = await signIn()
    const userId = (await accountOf(email))?.id ?? ''
    const hold = { id: newId(), workspaceId: world.workspaceId, kind: 'person' as const, objectId: userId }
    await current()
      .db.insert(legalHolds)
      .values({ ...hold, label: email, reason: 'A case.', createdBy: world.viewers.admin.userId })
    claims = person('held')
    expect((await signIn()).went).toBe('/sign-in?error=suspended')
    expect((await standingOf(email)).role).toBe('member')
    expect(await browser.session()).toBeUndefined()
  })
})
