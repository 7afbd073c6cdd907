/** The door that every open page asks again and again. */
import { beforeAll, expect, test, vi } from 'vitest'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { GET } from '../app/api/incidents/route.ts'
import { inRequest, origin, signedIn } from './auth/fixtures/request.ts'
import { liftSwitch, throwSwitch } from './incidents.ts'

// Before any other module: settings are read once, and Next.js wants to know that it runs in Node.
await vi.hoisted(async () => {
  vi.stubEnv('AUTH_SECRET', 'a secret of the tests that is long enough')
  const { AsyncLocalStorage } = await import('node:async_hooks')
  Object.assign(globalThis, { AsyncLocalStorage })
})

const database = withDatabase()
let world: TestWorkspace
let browser: Headers
beforeAll(async () => {
  world = await createTestWorkspace(database.current())
  browser = await signedIn(database.current(), world.viewers.member)
})

const look = (tag: string | null): Promise<Response> => {
  const sent = new Headers(browser)
  if (tag) sent.set('if-none-match', tag)
  const request = new Request(`${origin}/api/incidents`, { headers: sent })
  return inRequest(sent, () => GET(request, { params: Promise.resolve({}) }))
}

test('says once what is switched off, and then only that nothing has changed, until something has', async () => {
  const quiet = await look(null)
  expect([quiet.status, await quiet.json()]).toEqual([200, { notices: [] }])
  const tag = quiet.headers.get('etag')
  expect((await look(tag)).status).toBe(304)
  const { id } = await throwSwitch(world.viewers.admin, { kind: 'generation', targetId: '', reason: 'A leak' })
  const off = await look(tag)
  expect(off.status).toBe(200)
  expect(await off.json()).toMatchObject({ notices: [{ words: expect.stringContaining(': A leak.') }] })
  const second = await look(off.headers.get('etag'))
  expect([second.status, await second.text()]).toEqual([304, ''])
  expect(second.headers.get('cache-control')).toBe('private, no-cache')
  await liftSwitch(world.viewers.admin, id, 'Mended')
  expect((await look(tag)).status).toBe(304)
})
