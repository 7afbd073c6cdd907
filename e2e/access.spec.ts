import { ask, expect, test } from './test.ts'

const id = '00000000-0000-7000-8000-000000000000'

/** Every route, with a body that has the right form where one is asked for. */
const routes = [
  { method: 'POST', path: '/api/chat', body: { chatId: id, messageId: id, text: 'Anything?' } },
  { method: 'GET', path: `/api/chat/${id}/stream` },
  { method: 'POST', path: `/api/chat/${id}/stop` },
  { method: 'GET', path: '/api/chats' },
  { method: 'POST', path: '/api/search', body: { query: 'anything' } },
  { method: 'GET', path: '/api/collections' },
  { method: 'GET', path: '/api/documents', admin: true },
  { method: 'POST', path: '/api/documents', admin: true },
  { method: 'DELETE', path: `/api/documents/${id}`, admin: true },
  { method: 'GET', path: `/api/documents/versions/${id}/file` },
  { method: 'GET', path: `/api/documents/versions/${id}/text` },
  { method: 'GET', path: '/api/metrics', admin: true },
] as const

const pages = [
  { path: '/', admin: false },
  { path: '/admin/documents', admin: true },
  { path: '/admin/traces', admin: true },
  { path: `/admin/traces/${id}`, admin: true },
  { path: '/admin/costs', admin: true },
  { path: '/admin/health', admin: true },
  { path: '/admin/models', admin: true },
]

type Refusal = { error: { code: string; message: string } }
const nothingHere = 'There is nothing here that you can open'

test.describe('a stranger', () => {
  test.use({ role: null })

  for (const { method, path } of routes)
    test(`gets no further than 401 at ${method} ${path}`, async ({ request, baseURL }) => {
      const response = await request.fetch(path, { method, headers: { origin: baseURL ?? '' } })
      expect(response.status()).toBe(401)
      expect(response.headers()['cache-control']).toContain('no-store')
      expect(((await response.json()) as Refusal).error.code).toBe('unauthenticated')
    })

  for (const { path } of pages)
    test(`is asked to sign in at ${path}`, async ({ page }) => {
      await page.goto(path)
      await expect(page).toHaveURL(/\/sign-in/)
    })

  test('learns nothing from health but whether it is well', async ({ request }) => {
    expect((await request.get('/api/health/live')).status()).toBe(200)
    expect((await request.get('/api/health/ready')).status()).toBe(200)
  })
})

for (const role of ['user', 'reviewer'] as const)
  test.describe(`a ${role}`, () => {
    test.use({ role })

    for (const route of routes.filter((one) => 'admin' in one))
      test(`finds nothing at ${route.method} ${route.path}`, async ({ request, baseURL }) => {
        const response = await request.fetch(route.path, { method: route.method, headers: { origin: baseURL ?? '' } })
        expect(response.status()).toBe(404)
      })

    for (const { path } of pages.filter(({ admin }) => admin))
      test(`finds nothing at ${path}`, async ({ page }) => {
        await page.goto(path)
        await expect(page.getByText(nothingHere)).toBeVisible()
      })
  })

test('an admin opens the administration', async ({ page }) => {
  for (const name of ['Documents', 'Traces', 'Costs', 'Health', 'Models']) {
    await page.goto(`/admin/${name.toLowerCase()}`)
    await expect(page.getByRole('heading', { name, exact: true })).toBeVisible()
  }
})

test('nobody opens another person’s conversation', async ({ page, browser, baseURL }) => {
  await page.goto('/')
  await ask(page, 'How many days of leave do I get in my first calendar year?')
  const address = page.url()
  const chatId = address.split('/').at(-1)
  const context = await browser.newContext({
    baseURL: baseURL ?? '',
    storageState: `${process.env.E2E_BUILT_IN_DIR}/user.json`,
  })
  const other = await context.newPage()
  await other.goto(address)
  await expect(other.getByText(nothingHere)).toBeVisible()
  expect((await context.request.get(`/api/chat/${chatId}/stream`)).status()).toBe(404)
  const stop = await context.request.post(`/api/chat/${chatId}/stop`, { headers: { origin: baseURL ?? '' } })
  expect(stop.status()).toBe(404)
  const message = { chatId, messageId: crypto.randomUUID(), text: 'And mine?' }
  const ours = await context.request.post('/api/chat', { headers: { origin: baseURL ?? '' }, data: message })
  expect(ours.status()).toBe(404)
  await context.close()
})

for (const { method, path } of routes.filter((route) => route.method !== 'GET'))
  test(`refuses ${method} ${path} when it comes from another site`, async ({ request }) => {
    const response = await request.fetch(path, { method, headers: { origin: 'https://elsewhere.example' } })
    expect(response.status()).toBe(403)
    expect(((await response.json()) as Refusal).error.code).toBe('foreign-origin')
  })

/** Bodies that are no JSON, of the wrong shape, too deep, too long, or of another kind. */
const brokenBodies: { what: string; data: string; contentType: string }[] = [
  { what: 'nothing', data: '', contentType: 'application/json' },
  { what: 'half a JSON', data: '{"chatId": "', contentType: 'application/json' },
  { what: 'the wrong shape', data: '{"chatId": 7, "query": {"$ne": null}}', contentType: 'application/json' },
  { what: 'an array', data: '[]', contentType: 'application/json' },
  { what: 'unknown fields', data: JSON.stringify({ query: 'x', isAdmin: true }), contentType: 'application/json' },
  { what: 'two megabytes', data: JSON.stringify({ query: 'x'.repeat(2_000_000) }), contentType: 'application/json' },
  { what: 'a deep nest', data: '['.repeat(100_000), contentType: 'application/json' },
  { what: 'bytes that are no text', data: '\u0000\u0001', contentType: 'application/octet-stream' },
  { what: 'a form without a file', data: '--b\r\n\r\n--b--\r\n', contentType: 'multipart/form-data; boundary=b' },
  {
    what: 'a form without its end',
    data: '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello',
    contentType: 'multipart/form-data; boundary=b',
  },
]

for (const path of ['/api/chat', '/api/search', '/api/documents'])
  for (const { what, data, contentType } of brokenBodies)
    test(`answers ${what} at ${path} with a refusal in words`, async ({ request, baseURL }) => {
      const response = await request.post(path, {
        headers: { origin: baseURL ?? '', 'content-type': contentType },
        data: Buffer.from(data),
      })
      expect(response.status()).toBeGreaterThanOrEqual(400)
      expect(response.status()).toBeLessThan(500)
      const { error } = (await response.json()) as Refusal
      expect(error.message.length).toBeGreaterThan(20)
      expect(JSON.stringify(error)).not.toMatch(/at \w+ \(|node_modules|select /)
    })
