/** The doors in this process, with sessions, rows and limits as in the product. */
import { and, eq, sql } from 'drizzle-orm'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { rows } from '#db/client.ts'
import { auditLog, idempotentResults, memberships } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { currentRequest } from '#lib/request-context.ts'
import { AppError, type ErrorCode } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import type { ApiScope, Role } from '#lib/shared/viewer.ts'
import { openForm } from './account.ts'
import { createApiKey } from './api-keys.ts'
import { action, doorOf, page, route } from './doors.ts'
import { inRequest, origin, signedIn } from './fixtures/request.ts'

// Before any other module: settings are read once, and Next.js wants to know that it runs in Node.
await vi.hoisted(async () => {
  vi.stubEnv('AUTH_SECRET', 'a secret of the tests that is long enough')
  const { AsyncLocalStorage } = await import('node:async_hooks')
  Object.assign(globalThis, { AsyncLocalStorage })
})

const database = withDatabase()
let world: TestWorkspace
const browsers = {} as Record<Role, Headers>

beforeAll(async () => {
  world = await createTestWorkspace(database.current())
  for (const role of ['member', 'admin'] as const)
    browsers[role] = await signedIn(database.current(), world.viewers[role])
})

const plus = (sent: Headers, more: Record<string, string>): Headers => {
  const headers = new Headers(sent)
  for (const [name, value] of Object.entries(more)) headers.set(name, value)
  return headers
}

const note = z.strictObject({ text: z.string().max(100) })
let calls: unknown[] = []
const write = route({ permission: 'document.manage', limit: 'write', body: note }, async ({ body, viewer }) => {
  calls.push(body)
  await new Promise((resolve) => setTimeout(resolve, 5))
  return { said: body.text, by: viewer.role, call: calls.length }
})
const read = route(
  { permission: 'chat.use', limit: 'read', params: z.strictObject({ id: z.uuid() }) },
  async ({ params }) => ({ id: params.id, context: currentRequest() }),
)
const act = action(note, 'document.manage', async ({ text }) => {
  calls.push(text)
  return text
})

const send = (sent: Headers, body: unknown = { text: 'hello' }, path = '/api/notes'): Promise<Response> => {
  calls = []
  const request = new Request(`${origin}${path}`, {
    method: 'POST',
    headers: sent,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return inRequest(sent, () => write(request, { params: Promise.resolve({}) }))
}
const get = (sent: Headers, id: string): Promise<Response> =>
  inRequest(sent, () =>
    read(new Request(`${origin}/api/notes/${id}`, { headers: sent }), { params: Promise.resolve({ id }) }),
  )
const run = (sent: Headers, input: unknown = { text: 'hello' }) => {
  calls = []
  return inRequest(sent, () => act(input as never))
}
const codeOf = async (response: Response): Promise<ErrorCode> =>
  ((await response.json()) as { error: { code: ErrorCode } }).error.code

describe('a route', () => {
  test('lets in whoever has the permission, and nobody else', async () => {
    expect(await (await send(browsers.admin)).json()).toMatchObject({ said: 'hello', by: 'admin' })
    const stranger = await send(new Headers({ origin, host: new URL(origin).host }))
    expect([stranger.status, await codeOf(stranger)]).toEqual([401, 'unauthenticated'])
    const member = await send(browsers.member)
    expect([member.status, await codeOf(member)]).toEqual([404, 'not-found'])
    expect(calls).toEqual([])
  })

  test.each([
    ['another site', { origin: 'https://elsewhere.example' }],
    ['no site at all', { origin: 'null' }],
    ['another port', { origin: 'http://localhost:3001' }],
    [
      'a site that says that it is forwarded (GHSA: forwarding headers are not trusted)',
      {
        origin: 'https://elsewhere.example',
        'x-forwarded-host': 'elsewhere.example',
      },
    ],
  ])('refuses a write from %s', async (_, headers) => {
    const response = await send(plus(browsers.admin, headers))
    expect([response.status, await codeOf(response), calls]).toEqual([403, 'foreign-origin', []])
  })

  test('refuses a write from a tab that shows another workspace', async () => {
    const other = await send(plus(browsers.admin, { 'x-footnote-workspace': newId() }))
    expect([other.status, await codeOf(other), calls]).toEqual([409, 'workspace-changed', []])
    expect((await send(plus(browsers.admin, { 'x-footnote-workspace': world.workspaceId }))).status).toBe(200)
  })

  test.each([
    ['a field that nobody asked for', { text: 'x', workspaceId: 'x' }],
    ['a prototype', '{"text":"x","__proto__":{"polluted":true}}'],
    ['half a JSON', '{"text":'],
    ['a nest', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['two megabytes', { text: 'x'.repeat(2_000_000) }],
    ['nothing', ''],
  ])('refuses %s before anything runs', async (_, body) => {
    const response = await send(browsers.admin, body)
    expect([response.status, await codeOf(response), calls]).toEqual([400, 'bad-request', []])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('hands on no text that the database does not take', async () => {
    await send(browsers.admin, '{"text":"a\\u0000b\\ud83d"}')
    expect(calls).toEqual([{ text: 'ab\ufffd' }])
  })

  test('says that a malformed id is missing, and tells its handler which request it is in', async () => {
    expect((await get(browsers.member, 'not-an-id')).status).toBe(404)
    const response = await get(plus(browsers.member, { 'x-footnote-address': '192.0.2.7' }), newId())
    const { context } = (await response.json()) as { context: { requestId: string; address: string } }
    expect(context).toEqual({ requestId: response.headers.get('x-request-id'), address: '192.0.2.7' })
    expect(response.headers.get('cache-control')).toBe('private, no-store')
  })

  test('counts, and says how long to wait', async () => {
    const { viewers } = await createTestWorkspace(database.current())
    const { userId } = viewers.member
    const browser = await signedIn(database.current(), viewers.member)
    await rows(
      database.current().db,
      sql`insert into rate_limits (key, points, resets_at) values (${`read:${userId}`}, 1000000, now() + interval '40 seconds')
          on conflict (key) do update set points = excluded.points`,
    )
    const response = await get(browser, newId())
    expect([response.status, await codeOf(response)]).toEqual([429, 'rate-limited'])
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(30)
  })
})

describe('the key of a program (CVE-2026-45339: every way in has the same limits)', () => {
  const ask = route({ permission: 'chat.use', limit: 'read', scope: 'ask' }, async ({ viewer }) => ({
    by: viewer.role,
  }))
  const ingest = route({ permission: 'document.manage', limit: 'read', scope: 'ingest' }, async () => ({}))
  const none = route({ permission: 'chat.use', limit: 'read' }, async () => ({}))
  const statusOf = async (door: typeof ask, headers: Headers, method = 'POST'): Promise<number> =>
    (
      await inRequest(headers, () =>
        door(new Request(`${origin}/api/keys`, { method, headers }), { params: Promise.resolve({}) }),
      )
    ).status
  const keyed = async (role: Role, scopes: ApiScope[], more: Headers = new Headers()): Promise<Headers> => {
    const { key } = await createApiKey(world.viewers[role], { name: 'test', scopes, days: 1 })
    return plus(more, { authorization: `Bearer ${key}` })
  }

  test('opens the doors of its scopes that its person may use, from anywhere, and no other', async () => {
    const reader = await keyed('reviewer', ['ask', 'ingest'])
    expect([await statusOf(ask, reader), await statusOf(ingest, reader), await statusOf(none, reader)]).toEqual([
      200, 404, 404,
    ])
    const admin = await keyed('admin', ['ingest'])
    expect([await statusOf(ask, admin), await statusOf(ingest, admin)]).toEqual([404, 200])
  })

  test('that is none, beside a good cookie, opens nothing', async () => {
    const sent = plus(browsers.admin, { authorization: `Bearer fn_00000000_${'x'.repeat(43)}` })
    expect([await statusOf(ask, sent), await statusOf(none, sent)]).toEqual([401, 401])
    expect(await statusOf(ask, plus(browsers.admin, { authorization: 'Bearer fn_' }))).toBe(401)
  })

  test('beside the cookie of somebody who may do more is still the key', async () => {
    expect(await statusOf(ingest, await keyed('member', ['ingest'], browsers.admin))).toBe(404)
  })

  test('is nobody’s word but its own: headers that name a person name nobody (CVE-2026-39411)', async () => {
    const { userId, email } = world.viewers.owner
    for (const name of ['x-user-id', 'x-footnote-user', 'x-forwarded-user', 'remote-user', 'x-middleware-subrequest'])
      expect(await statusOf(ask, new Headers({ origin, [name]: name === 'x-footnote-user' ? email : userId }))).toBe(
        401,
      )
  })
})

describe('an idempotency key', () => {
  const keyed = (key: string) => plus(browsers.admin, { 'idempotency-key': key })

  test('gives the same answer for the same request, without doing it again', async () => {
    const first = await (await send(keyed('once'))).json()
    const again = await send(keyed('once'))
    expect([again.status, await again.json(), calls]).toEqual([200, first, []])
  })

  test('is refused for another request', async () => {
    await send(keyed('other'))
    const response = await send(keyed('other'), { text: 'something else' })
    expect([response.status, await codeOf(response), calls]).toEqual([409, 'key-reused', []])
  })

  test('does it once when it comes twenty times at once', async () => {
    calls = []
    const sent = keyed('twenty')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        inRequest(sent, () =>
          write(new Request(`${origin}/api/notes`, { method: 'POST', headers: sent, body: '{"text":"all"}' }), {
            params: Promise.resolve({}),
          }),
        ),
      ),
    )
    expect(calls).toEqual([{ text: 'all' }])
    for (const answer of answers)
      expect(await answer.json()).toMatchObject(
        answer.ok ? { said: 'all', call: 1 } : { error: { code: 'still-running', retryable: true } },
      )
    expect(await (await send(sent, { text: 'all' })).json()).toMatchObject({ said: 'all', call: 1 })
    const kept = database.current().db.select().from(idempotentResults).where(eq(idempotentResults.key, 'twenty'))
    expect(await kept).toHaveLength(1)
  })

  test('is free again after a refusal, and taken over from a process that is gone', async () => {
    const failing = route({ permission: 'chat.use', limit: 'write' }, () => Promise.reject(new Error('no')))
    const request = () => new Request(`${origin}/api/notes`, { method: 'POST', headers: keyed('gone') })
    const failed = () => inRequest(keyed('gone'), () => failing(request(), { params: Promise.resolve({}) }))
    expect((await failed()).status).toBe(500)
    const { userId, workspaceId } = world.viewers.admin
    await rows(
      database.current().db,
      sql`insert into idempotent_results (workspace_id, user_id, key, request_hash, created_at)
          values (${workspaceId}, ${userId}, 'gone', 'of another request', now() - interval '16 minutes')`,
    )
    expect(await (await send(keyed('gone'))).json()).toMatchObject({ said: 'hello' })
  })

  test.each(['', 'two words', 'é', 'x'.repeat(201)])('is refused when it is %j', async (key) => {
    const response = await send(keyed(key))
    expect([response.status, await codeOf(response)]).toEqual([400, 'bad-request'])
  })

  test('of one person is nothing to another', async () => {
    await send(keyed('shared'))
    const response = await send(plus(browsers.member, { 'idempotency-key': 'shared' }))
    expect(response.status).toBe(404)
  })
})

describe('an action', () => {
  test('answers in one form, whatever happens', async () => {
    expect(await run(browsers.admin)).toEqual({ ok: true, value: 'hello' })
    for (const [sent, input, code] of [
      [new Headers({ origin }), { text: 'x' }, 'unauthenticated'],
      [browsers.member, { text: 'x' }, 'not-found'],
      [plus(browsers.admin, { origin: 'https://elsewhere.example' }), { text: 'x' }, 'foreign-origin'],
      [plus(browsers.admin, { 'x-footnote-workspace': newId() }), { text: 'x' }, 'workspace-changed'],
      [browsers.admin, { text: 'x', role: 'owner' }, 'bad-request'],
      [browsers.admin, null, 'bad-request'],
      [browsers.admin, new FormData(), 'bad-request'],
    ] as const) {
      expect(await run(sent, input)).toMatchObject({ ok: false, error: { code, requestId: expect.any(String) } })
      expect(calls).toEqual([])
    }
  })

  test('is over for who is suspended, at once', async () => {
    const other = await createTestWorkspace(database.current())
    const sent = await signedIn(database.current(), other.viewers.owner)
    expect(await run(sent)).toMatchObject({ ok: true })
    await database
      .current()
      .db.update(memberships)
      .set({ suspendedAt: new Date() })
      .where(eq(memberships.userId, other.viewers.owner.userId))
    expect(await run(sent)).toMatchObject({ ok: false, error: { code: 'unauthenticated' } })
  })
})

describe('a page', () => {
  const open = (sent: Headers, path: string) =>
    inRequest(plus(sent, { 'x-footnote-path': path }), () => page('document.manage')).catch(
      (error: unknown) => (error as { digest?: string }).digest,
    )

  test('opens, sends to the sign-in page, or is not there', async () => {
    expect(await open(browsers.admin, '/admin/documents')).toMatchObject({ role: 'admin' })
    expect(await open(new Headers(), '/admin/documents?x=1')).toContain('/sign-in?from=%2Fadmin%2Fdocuments%3Fx%3D1')
    expect(await open(browsers.member, '/admin/documents')).toContain('404')
  })
})

test('a denial is written down once a minute for a person and a door, whatever was asked for', async () => {
  const other = await createTestWorkspace(database.current())
  const sent = await signedIn(database.current(), other.viewers.member)
  for (let times = 0; times < 3; times += 1) {
    await send(sent)
    await run(sent)
  }
  await get(sent, 'not-an-id')
  await inRequest(plus(sent, { 'x-footnote-path': `/admin/documents/${newId()}` }), () => page('trace.read')).catch(
    () => undefined,
  )
  const lines = await database
    .current()
    .db.select({ door: auditLog.objectId, details: auditLog.details })
    .from(auditLog)
    .where(and(eq(auditLog.actorId, other.viewers.member.userId), eq(auditLog.event, 'denied')))
    .orderBy(auditLog.id)
  expect(lines).toEqual([
    { door: 'POST /api/notes', details: { code: 'forbidden' } },
    { door: 'action document.manage', details: { code: 'forbidden' } },
    { door: 'GET /api/notes/[id]', details: { code: 'not-found', id: 'not-an-id' } },
    { door: 'page /admin/documents/[id]', details: { code: 'forbidden' } },
  ])
})

test('whatever addresses somebody makes up, their denials do not fill the log', async () => {
  const other = await createTestWorkspace(database.current())
  const sent = await signedIn(database.current(), other.viewers.member)
  for (let times = 0; times < 40; times += 1) {
    const path = `/admin/documents/made-up-${times}`
    await inRequest(plus(sent, { 'x-footnote-path': path }), () => page('trace.read')).catch(() => undefined)
  }
  const { db } = database.current()
  const mine = and(eq(auditLog.actorId, other.viewers.member.userId), eq(auditLog.event, 'denied'))
  expect(await db.$count(auditLog, mine)).toBe(30)
})

test('a part of a path that is written in another way is no other door', async () => {
  const other = await createTestWorkspace(database.current())
  const sent = await signedIn(database.current(), other.viewers.member)
  for (const [raw, id] of [
    ['a%20b', 'a b'],
    ['%61', 'a'],
    ['%e0%a4%a', '%e0%a4%a'],
  ] as const)
    await inRequest(sent, () =>
      read(new Request(`${origin}/api/notes/${raw}`, { headers: sent }), { params: Promise.resolve({ id }) }),
    )
  const lines = await database
    .current()
    .db.select({ door: auditLog.objectId })
    .from(auditLog)
    .where(and(eq(auditLog.actorId, other.viewers.member.userId), eq(auditLog.event, 'denied')))
  expect(lines).toEqual([{ door: 'GET /api/notes/[id]' }])
})

test('forms that are open to all fail so often a minute from one place, whatever they are', async () => {
  const sent = plus(new Headers({ origin, host: new URL(origin).host }), { 'x-footnote-address': '198.51.100.7' })
  const ask = (fails: boolean, from = sent) =>
    inRequest(from, () =>
      openForm(fails ? 'one' : 'another', async () => {
        if (fails) throw new AppError('link-over')
      }),
    )
  for (let times = 0; times < 120; times += 1) {
    expect(await ask(true)).toMatchObject({ error: { code: 'link-over' } })
    if (times % 20 === 0) expect(await ask(false)).toMatchObject({ ok: true })
  }
  expect(await ask(false)).toMatchObject({ ok: false, error: { code: 'rate-limited' } })
  expect(await ask(false, plus(sent, { 'x-footnote-address': '198.51.100.8' }))).toMatchObject({ ok: true })
})

test('a door can be told from a function that is none', () => {
  expect(doorOf(write)).toMatchObject({ kind: 'route', permission: 'document.manage', scope: null })
  expect(doorOf(act)).toMatchObject({ kind: 'action', permission: 'document.manage' })
  expect(doorOf(async () => null)).toBeUndefined()
})
