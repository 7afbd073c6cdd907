/**
 * Markup in every field that a person, a document or a model can fill is words on every page: no dialog, no script, no element of
 * theirs, no request to a stranger, nothing for the content policy to refuse.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { knock, signInOverHttp } from './doors-http.ts'
import { type MockProvider, startMockProvider } from './mock-provider.ts'
import { newDataDir, startServer, type TestServer } from './server.ts'
import { ask, watch } from './test.ts'
import { xssPayloads } from './xss-payloads.ts'

test.describe.configure({ mode: 'serial', timeout: 120_000 })

type World = { email: string; password: string; chatId: string; documentId: string; traceId: string; messageId: string }

const root = join(import.meta.dirname, '..')
let world: World
let server: TestServer
let provider: MockProvider
let context: BrowserContext
let faults: string[] = []

const makeWorld = async (dataDir: string): Promise<World> => {
  const env = { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '', DEMO: 'false', LOG_LEVEL: 'warn' }
  const script = join(root, 'scripts/xss-world.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: root, env })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as World
}

/** A document with plain words, to be asked about. */
const upload = async (): Promise<void> => {
  const as = { headers: { 'x-footnote-user': world.email } }
  const form = new FormData()
  form.set('collection', 'Plain')
  form.set('file', new File(['Signing keys are rotated every 90 days by the platform team.'], 'keys.txt'))
  const sent = await server.asLocal('/api/documents', { ...as, method: 'POST', body: form })
  expect(sent.status).toBe(201)
  await expect
    .poll(
      async () => {
        const { documents } = (await (await server.asLocal('/api/documents', as)).json()) as {
          documents: { name: string; stage: string }[]
        }
        return documents.find(({ name }) => name === 'keys.txt')?.stage
      },
      { timeout: 30_000 },
    )
    .toBe('ready')
}

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000)
  const dataDir = await newDataDir()
  world = await makeWorld(dataDir)
  provider = await startMockProvider()
  server = await startServer({
    dataDir,
    env: { DEMO: 'false', OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: 'sk-test', OPENAI_MODEL: 'mock-1' },
  })
  const cookie = await signInOverHttp(server.url, world.email, world.password)
  const uploaded = upload()
  context = await browser.newContext({ baseURL: server.url })
  await context.addCookies(
    cookie.split('; ').map((pair) => {
      const at = pair.indexOf('=')
      return { name: pair.slice(0, at), value: pair.slice(at + 1), url: server.url }
    }),
  )
  faults = await watch(context, server.url)
  await uploaded
})

test.afterAll(async () => {
  await context?.close()
  await server?.remove()
  await provider?.close()
})

/** What in the page could run or load and is none of ours. */
const alive = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = []
    const strange =
      'iframe,object,embed,base,marquee,frame,applet,portal,meta[http-equiv=refresh i],svg use,svg script,math,mtext'
    const loading = /^(src|srcset|data|poster|background|action|formaction|ping|srcdoc|xlink:href)$/i
    for (const element of document.querySelectorAll('*')) {
      const told = (): string => `${location.pathname}: ${element.outerHTML.slice(0, 200)}`
      if (element.matches(strange)) found.push(told())
      if (element instanceof HTMLScriptElement && !element.nonce && !element.src.startsWith(location.origin))
        found.push(told())
      for (const { name, value } of element.attributes) {
        const plain = [...value].filter((one) => one > ' ').join('')
        if (/^on/i.test(name)) found.push(told())
        if (/^(\w+:)?(href|src|action|formaction|data)$/i.test(name) && /^(javascript|vbscript|data:text)/i.test(plain))
          found.push(told())
        if ((loading.test(name) || element instanceof HTMLLinkElement) && /evil\.test/.test(value)) found.push(told())
        if (name === 'style' && /url\(|expression/i.test(value)) found.push(told())
      }
      if (element instanceof HTMLAnchorElement && element.host === 'evil.test') found.push(told())
    }
    return found
  })

const plain = (text: string): string => text.replace(/\s+/g, ' ')
/** How many of the payloads stand on the page, as words. */
const shown = async (page: Page): Promise<number> => {
  const fields = 'input, textarea, option, [title], [aria-label]'
  const words = await page.evaluate((of) => {
    // Only what is drawn: a script of ours holds them too.
    // biome-ignore lint/performance/useDomNodeTextContent: see above
    const parts = [document.body.innerText]
    for (const one of document.querySelectorAll(of)) {
      parts.push(one.textContent ?? '', one.getAttribute('title') ?? '', one.getAttribute('aria-label') ?? '')
      if (one instanceof HTMLInputElement || one instanceof HTMLTextAreaElement) parts.push(one.value)
    }
    return parts.join('\n')
  }, fields)
  const read = plain(words)
  return xssPayloads.filter((payload) => read.includes(plain(payload))).length
}

type Look = { path: () => string; least: number; act?: (page: Page) => Promise<void> }
const wanted = encodeURIComponent(xssPayloads.slice(0, 20).join(' '))

/** Few pages, each with many of them; `least`: so many must really be on it. A name with a control in it is shown with its number. */
const looks: Look[] = [
  {
    path: () => `/c/${world.chatId}`,
    least: 130,
    act: (page) => page.locator('button[data-citation]').first().click(),
  },
  { path: () => '/admin/documents', least: 130 },
  { path: () => `/admin/documents/${world.documentId}`, least: 20 },
  { path: () => '/admin/members', least: 100 },
  { path: () => '/admin/members?tab=groups', least: 130 },
  { path: () => '/admin/members?tab=invitations', least: 100 },
  { path: () => '/admin/sources', least: 130 },
  { path: () => '/admin/access', least: 100 },
  { path: () => '/admin/models', least: 130 },
  { path: () => '/admin/knowledge', least: 1 },
  { path: () => '/admin/retrieval', least: 1 },
  { path: () => '/admin/policy', least: 1 },
  { path: () => '/admin/incidents', least: 130 },
  { path: () => '/admin/retention?tab=holds', least: 130 },
  { path: () => '/admin/audit', least: 100 },
  { path: () => '/admin/traces', least: 100 },
  { path: () => `/admin/traces/${world.traceId}`, least: 130 },
  { path: () => `/why/${world.messageId}`, least: 1 },
  { path: () => '/account', least: 1 },
  // What an address says of itself: filters, searches, a way back, a page that is not there.
  { path: () => `/admin/traces?q=${wanted}&status=${wanted}`, least: 1 },
  { path: () => `/admin/audit?event=${wanted}&object=${wanted}`, least: 0 },
  { path: () => `/admin/members?q=${wanted}&tab=${wanted}`, least: 0 },
  { path: () => `/admin/documents?collection=${wanted}&tag=${wanted}`, least: 0 },
  { path: () => `/sign-in?from=${wanted}&error=${wanted}`, least: 0 },
  { path: () => `/c/${wanted}`, least: 0 },
  { path: () => `/nowhere/${wanted}`, least: 0 },
]

test('a hundred and fifty payloads in every stored field are words on every page', async () => {
  expect(new Set(xssPayloads).size).toBe(150)
  const rest = [...looks]
  const missing: string[] = []
  const living: string[] = []
  const look = async (): Promise<void> => {
    const page = await context.newPage()
    for (let next = rest.shift(); next; next = rest.shift()) {
      const { path, least, act } = next
      await page.goto(path(), { waitUntil: 'load' })
      await act?.(page)
      // What runs by itself runs when the page is alive; what is touched is touched here.
      await page.waitForFunction(() => document.readyState === 'complete')
      await page.mouse.move(600, 400)
      const count =
        least > 0
          ? await expect
              .poll(() => shown(page), { timeout: 8_000 })
              .toBeGreaterThanOrEqual(least)
              .then(
                () => least,
                () => shown(page),
              )
          : 0
      if (count < least) missing.push(`${path()}: ${count} of ${least}`)
      living.push(...(await alive(page)))
    }
    await page.close()
  }
  await Promise.all([look(), look(), look()])
  expect({ living, faults, missing }).toEqual({ living: [], faults: [], missing: [] })
})

test('what a model says is words while it comes and when it has come', async () => {
  const parts = [0, 1, 2].map((at) => xssPayloads.slice(at * 50, at * 50 + 50).join('\n\n'))
  provider.script(parts.map((text) => ({ text, for: 'text' as const })))
  const living: string[] = []
  for (let asked = 0; asked < parts.length; asked += 1) {
    const page = await context.newPage()
    await page.goto('/')
    let coming = true
    const looking = (async () => {
      while (coming) {
        living.push(...(await alive(page).catch(() => [])))
        await page.waitForTimeout(150)
      }
    })()
    const answer = await ask(page, 'How often are signing keys rotated?')
    coming = false
    await looking
    // It was the model that spoke, and not the built-in answerer in its place.
    await expect(answer).toContainText('mock-1')
    living.push(...(await alive(page)))
    await page.close()
  }
  expect(provider.requests.length).toBeGreaterThanOrEqual(3)
  expect(living).toEqual([])
  expect(faults).toEqual([])
})

test('what the API says of what it was sent is no markup', async () => {
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  for (const path of ['/api/chats?query=', '/api/documents/', '/api/documents/versions/', '/api/nowhere/']) {
    const { headers, text } = await knock(`${server.url}${path}${wanted}`, { headers: { cookie } })
    const page = `${headers['content-type']}`.startsWith('text/html')
    expect(page && /<img src=x|<svg onload|<video src=x/.test(text), path).toBe(false)
    if (page) expect(headers['content-security-policy'] ?? '', path).not.toContain("script-src 'unsafe-inline'")
  }
})
