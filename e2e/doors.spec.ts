/**
 * Nobody gets in where they do not belong: every door of `doors-matrix.txt` is tried over HTTP by everybody, with ids of their own, of
 * others, of nothing and with what is no id; and the ways round the doors that were found in Next.js are tried by their names.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@playwright/test'
import {
  askPage,
  callAction,
  closeConnections,
  knock,
  knockRaw,
  overAll,
  type PageForm,
  pageForms,
  signInOverHttp,
  verdictOfAction,
  verdictOfPage,
} from './doors-http.ts'
import { type DoorsWorld, inputs, malformedIds, missingId, type Thing, thingsOfParts } from './doors-inputs.ts'
import { type Asker, askers, doorKey, matrix, openDoors, type Row } from './doors-matrix.ts'
import { newDataDir, startServer, type TestServer } from './server.ts'

test.describe.configure({ mode: 'serial', timeout: 180_000 })

const root = join(import.meta.dirname, '..')
const runWorld = async (dataDir: string, args: string[]): Promise<string> => {
  const env = { ...process.env, DATA_DIR: dataDir, DATABASE_URL: '', DEMO: 'false', LOG_LEVEL: 'warn' }
  const script = join(root, 'scripts/doors-world.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: root, env })
  return stdout.trim().split('\n').at(-1) ?? ''
}
const digest = (dataDir: string, { foreign, secret }: DoorsWorld): Promise<string> =>
  runWorld(dataDir, ['digest', JSON.stringify({ foreign, secret })])

const readManifest = (name: string): unknown => JSON.parse(readFileSync(join(root, '.next/server', name), 'utf8'))
type Reference = { filename?: string; exportedName?: string; workers: Record<string, unknown> }
type BuiltAction = { id: string; name: string; page: string }
/** `app/(chat)/c/[chatId]/page` is served at `/c/ID`. */
const addressOf = (worker: string): string =>
  `/${worker
    .split('/')
    .slice(1, -1)
    .filter((part) => !part.startsWith('('))
    .map((part) => (part.startsWith('[') ? missingId() : part))
    .join('/')}`
const builtActions = (): BuiltAction[] => {
  const { node } = readManifest('server-reference-manifest.json') as { node: Record<string, Reference> }
  return Object.entries(node).map(([id, { filename, exportedName, workers }]) => {
    // One without an id in its address, where there is one.
    const page = Object.keys(workers).sort((a, b) => Number(a.includes('[')) - Number(b.includes('[')))[0] ?? 'app/page'
    return { id, name: `${filename} ${exportedName}`, page: addressOf(page) }
  })
}

let server: TestServer
let dataDir = ''
let world: DoorsWorld
let before = ''
/** Several people of each kind, so that nobody sends more than a person may; the first has the things that are their own. */
const cookies = new Map<Asker, string[]>()
let turn = 0
const cookieOf = (asker: Asker, own = false): string => {
  const all = cookies.get(asker) ?? ['']
  turn += 1
  return all[own ? 0 : turn % all.length] ?? ''
}
let actions: BuiltAction[] = []

test.beforeAll(async () => {
  actions = builtActions()
  dataDir = await newDataDir()
  world = JSON.parse(await runWorld(dataDir, ['make'])) as DoorsWorld
  before = await digest(dataDir, world)
  server = await startServer({ dataDir, env: { DEMO: 'false' } })
  for (const asker of askers)
    cookies.set(
      asker,
      asker === 'anonymous'
        ? ['']
        : await Promise.all(world.crowd[asker].map((email) => signInOverHttp(server.url, email, world.password))),
    )
  const suspend = actions.find(({ name }) => name.endsWith('members/actions.ts suspendMember'))
  const done = await callAction(server.url, suspend?.page ?? '/', {
    id: suspend?.id ?? '',
    args: JSON.stringify([{ userId: world.people.suspended.userId }]),
    cookie: cookieOf('owner', true),
  })
  expect(verdictOfAction(done)).toBe('200')
})

test.afterAll(async () => {
  closeConnections()
  await server?.remove()
})

test('the build has no way in that the matrix does not name, and the matrix none that is not built', () => {
  const named = new Set([...matrix.map(doorKey), ...openDoors.map(doorKey)])
  const built = new Set(actions.map(({ name }) => `action ${name}`))
  const paths = Object.keys(readManifest('app-paths-manifest.json') as Record<string, string>)
  const routes = new Set(
    [...named].filter((key) => key.startsWith('route ')).map((key) => key.replace(/^route \w+ /, '')),
  )
  const addresses = paths.map((path) => ({
    kind: path.split('/').at(-1),
    at: `/${path
      .split('/')
      .slice(1, -1)
      .filter((part) => !part.startsWith('('))
      .join('/')}`,
  }))
  // What Next.js adds by itself; no page of ours is behind them.
  const own = ['/_not-found', '/_global-error', '/icon.svg', '/favicon.ico']
  const strange = addresses.filter(
    ({ kind, at }) => !own.includes(at) && !(kind === 'page' ? named.has(`page ${at}`) : routes.has(at)),
  )
  expect(strange).toEqual([])
  expect([...built].filter((key) => !named.has(key))).toEqual([])
  const here = new Set(addresses.map(({ at }) => at))
  const gone = [...named].filter((key) => {
    const [kind = '', ...rest] = key.split(' ')
    return kind === 'action' ? !built.has(key) : !here.has(rest.at(-1) ?? '')
  })
  expect(gone).toEqual([])
})

const partOf = (row: Row): string | undefined => (row.kind === 'action' ? undefined : /\[(\w+)\]/.exec(row.name)?.[1])
const thingOf = (row: Row): Thing | undefined => {
  const part = partOf(row)
  return part ? thingsOfParts[part] : inputs[doorKey(row)]?.of
}
const used = new Map<string, number>()
/** The ids of a cell: each gets the same answer. A door may end what it is given, so that nothing of one's own is given twice. */
const idsOf = (row: Row, asker: Asker): string[] => {
  const thing = thingOf(row)
  if (row.id === '-' || !thing) return ['']
  if (row.id === 'foreign') return world.foreign[thing]
  if (row.id === 'missing') return [missingId()]
  // Each of them is tried in one process; here what a server makes of an address counts.
  if (row.id === 'malformed') return row.kind === 'action' ? malformedIds.slice(0, 1) : malformedIds
  const person = asker === 'anonymous' ? 'member' : asker
  const all = world.own[person][thing]
  if (['401', '404', 'in'].includes(row.verdicts[asker])) return all.slice(0, 1)
  const key = ['chat', 'message', 'key', 'run', 'preview', 'draft'].includes(thing)
    ? `${asker} ${thing}`
    : thing.replace('version', 'document')
  // Pages end nothing: they look at the first, which no door ends.
  const at = row.kind === 'page' ? 0 : (used.get(key) ?? 1)
  if (row.kind !== 'page') used.set(key, at + 1)
  return [all[at % all.length] ?? '']
}

type Cell = { row: Row; asker: Asker; id: string; form?: PageForm }
const cellsOf = (rows: readonly Row[], forms: readonly PageForm[] = ['html']): Cell[] =>
  rows.flatMap((row) =>
    askers.flatMap((asker) =>
      idsOf(row, asker).flatMap((id) =>
        // What an address is made of is the same in every form.
        row.kind === 'page'
          ? forms
              .filter((form) => form === 'html' || row.id !== 'malformed' || id === malformedIds[0])
              .map((form) => ({ row, asker, id, form }))
          : [{ row, asker, id }],
      ),
    ),
  )
const pathOf = (row: Row, id: string): string =>
  (row.name.split(' ').at(-1) ?? '').replace(/\[\w+\]/, /[%/]/.test(id) ? id : encodeURIComponent(id))
const isRefused = (verdict: string): boolean => ['401', '404', 'in'].includes(verdict)

/** What is wrong with an answer; null when it is as the matrix has it. */
const judge = (cell: Cell, got: string, text: string): string | null => {
  const { row, asker, form } = cell
  const expected = row.verdicts[asker]
  const where = `${doorKey(row)} ${row.id} (${cell.id}) as ${form ?? 'JSON'} to ${asker}`
  if (got !== expected) return `${where}: ${got} instead of ${expected}`
  if (text.includes(world.secret)) return `${where}: gives away what is foreign`
  const strange = ['anonymous', 'outsider', 'suspended'].includes(asker)
  if ((isRefused(expected) || strange) && text.includes(world.words)) return `${where}: gives away what is not theirs`
  if (strange && text.includes(world.personal)) return `${where}: gives away what is a person's own`
  return null
}

test('every page, as HTML and as RSC: each cell of the matrix', async () => {
  const cells = cellsOf(
    matrix.filter(({ kind }) => kind === 'page'),
    ['html', 'rsc'],
  )
  const wrong = await overAll(cells, async (cell) => {
    const own = cell.row.id === 'own'
    const reply = await askPage(server.url, pathOf(cell.row, cell.id), cell.form ?? 'html', cookieOf(cell.asker, own))
    if (!reply.headers['cache-control']?.includes('no-store'))
      return `${cell.row.name} may be kept: ${reply.headers['cache-control']}`
    // What cannot be in an address is refused before anything is looked at.
    const got = verdictOfPage(reply)
    return cell.row.id === 'malformed' && got === '400' ? null : judge(cell, got, reply.text)
  })
  expect(wrong.filter(Boolean)).toEqual([])
  expect(cells.length).toBeGreaterThan(300)
})

test('every page as a prefetch: nothing of anybody is in it', async () => {
  const cells = cellsOf(
    matrix.filter(({ kind }) => kind === 'page'),
    ['prefetch', 'segment'],
  )
  const wrong = await overAll(cells, async ({ row, asker, id, form }) => {
    const { text } = await askPage(server.url, pathOf(row, id), form ?? 'prefetch', cookieOf(asker))
    return text.includes(world.words) || text.includes(world.secret) ? `${row.name} as ${form} to ${asker}` : null
  })
  expect(wrong.filter(Boolean)).toEqual([])
})

test('caches: what one person was given, nobody else is', async () => {
  const documents = '/admin/documents'
  for (const form of Object.keys(pageForms) as PageForm[]) {
    await askPage(server.url, documents, form, cookieOf('owner', true))
    for (const asker of ['anonymous', 'member', 'outsider'] as const) {
      const reply = await askPage(server.url, documents, form, cookieOf(asker))
      expectNothing(reply.text, `${form} to ${asker}`)
      expect(reply.headers['cache-control'] ?? '').toMatch(/no-store/)
    }
  }
})

test('every route: each cell of the matrix', async () => {
  const cells = cellsOf(matrix.filter(({ kind }) => kind === 'route'))
  const wrong = await overAll(cells, async (cell) => {
    const { row, asker, id } = cell
    const [method = 'GET'] = row.name.split(' ')
    const body = method === 'GET' ? undefined : JSON.stringify(inputs[doorKey(row)]?.body(id, world) ?? {})
    const cookie = cookieOf(asker, row.id === 'own')
    const headers = { origin: server.url, 'content-type': 'application/json', ...(cookie ? { cookie } : {}) }
    const reply = await knock(`${server.url}${pathOf(row, id)}`, { method, headers, body })
    // What was written is kept by nobody.
    if (method === 'GET' && !/no-store|private/.test(reply.headers['cache-control'] ?? ''))
      return `${row.name} may be kept by others`
    const got = String(reply.status)
    return row.id === 'malformed' && got === '400' ? null : judge(cell, got, reply.text)
  })
  expect(wrong.filter(Boolean)).toEqual([])
})

test('every action by the id that the build gave it: each cell of the matrix', async () => {
  const ids = new Map(actions.map((one) => [`action ${one.name}`, one]))
  // Those of one door one after the other: some end what others look at.
  const rows = matrix.filter(({ kind }) => kind === 'action')
  const wrong: (string | null)[] = []
  for (const row of rows) {
    const built = ids.get(doorKey(row))
    const cells = cellsOf([row])
    wrong.push(
      ...(await overAll(cells, async (cell) => {
        const args = JSON.stringify([inputs[doorKey(row)]?.body(cell.id, world) ?? {}])
        const cookie = cookieOf(cell.asker, row.id === 'own')
        const reply = await callAction(server.url, built?.page ?? '/', { id: built?.id ?? '', args, cookie })
        return judge(cell, verdictOfAction(reply), reply.text)
      })),
    )
  }
  expect(wrong.filter(Boolean)).toEqual([])
})

test('every action and every writing route refuses what comes from another site, with a cookie that is good', async () => {
  const cookie = cookieOf('owner', true)
  const wrong = await overAll(actions, async ({ id, name, page }) => {
    const inputOf = inputs[`action ${name}`]
    const own = inputOf?.of ? world.own.owner[inputOf.of][0] : ''
    const args = JSON.stringify([inputOf?.body(own ?? '', world) ?? {}])
    const call = { id, args, cookie }
    const forged = { 'x-forwarded-host': 'elsewhere.example', 'x-forwarded-proto': 'https' }
    const foreign = ['https://elsewhere.example', 'null', server.url.replace(/\d+$/, '1')]
    const replies = await Promise.all([
      ...foreign.map((origin) => callAction(server.url, page, { ...call, origin })),
      callAction(server.url, page, { ...call, origin: foreign[0] ?? '' }, forged),
      // No browser leaves the origin out. A door wants one; what signs in and out by itself is not asked without.
      ...(openDoors.some((door) => door.name === name)
        ? []
        : [callAction(server.url, page, { ...call, origin: null })]),
    ])
    // Next.js refuses a foreign origin itself; where there is none, the door does.
    const passed = replies.find((reply) => !['none', '403'].includes(verdictOfAction(reply)) || reply.status === 303)
    if (passed) return `${name}: ${passed.text.slice(0, 200)}`
    return null
  })
  expect(wrong.filter(Boolean)).toEqual([])
  const routes = matrix.filter(
    ({ kind, name, id }) => kind === 'route' && !name.startsWith('GET') && (id === '-' || id === 'own'),
  )
  for (const row of routes) {
    const [method = 'POST'] = row.name.split(' ')
    const path = pathOf(row, world.own.owner[thingOf(row) ?? 'chat'][0] ?? '')
    for (const headers of [
      { origin: 'https://elsewhere.example' },
      { origin: 'https://elsewhere.example', 'x-forwarded-host': 'elsewhere.example' },
      {},
    ]) {
      const reply = await knock(`${server.url}${path}`, {
        method,
        headers: { ...headers, cookie } as Record<string, string>,
        body: '{}',
      })
      expect([row.name, reply.status]).toEqual([row.name, 403])
    }
  }
})

const pages = matrix.filter(({ kind, id }) => kind === 'page' && (id === '-' || id === 'own'))
/** Pages of strangers: the address with something of the workspace in it. */
const pagePaths = (): string[] => pages.map((row) => pathOf(row, world.own.owner[thingOf(row) ?? 'chat'][0] ?? ''))
const expectNothing = (text: string, where: string): void => {
  expect(text, where).not.toContain(world.words)
  expect(text, where).not.toContain(world.secret)
}

test('CVE-2025-29927: the header of Next.js for its own middleware opens nothing', async () => {
  for (const value of [
    'middleware',
    'middleware:middleware:middleware:middleware:middleware',
    'src/middleware:src/middleware:src/middleware:src/middleware:src/middleware',
    'proxy:proxy:proxy:proxy:proxy',
  ]) {
    const headers = { 'x-middleware-subrequest': value, 'x-middleware-subrequest-id': '1' }
    await overAll(pagePaths(), async (path) => {
      const reply = await knock(`${server.url}${path}`, { headers })
      expect([path, verdictOfPage(reply)]).toEqual([path, 'in'])
    })
    expect((await knock(`${server.url}/api/chats`, { headers })).status).toBe(401)
  }
})

test('GHSA-267c, 26hh, 492v, 36qx, CVE-2026-44573, 44574, 44575: no other address of a page leads round its door', async () => {
  const buildId = readFileSync(join(root, '.next/BUILD_ID'), 'utf8').trim()
  const forms = Object.values(pageForms).map((headers) => headers as Record<string, string>)
  const addresses = pagePaths().flatMap((path) => {
    const plain = path === '/' ? '/index' : path
    return [
      `${plain}.rsc`,
      `${plain}.segments/_tree.segment.rsc`,
      `${plain}.segments/_full.segment.rsc`,
      `${plain}.prefetch.rsc`,
      `${plain}.txt`,
      `${path}?_rsc=anything`,
      `${path}?__nextLocale=en&__nextDefaultLocale=en&nxtPdocumentId=x`,
      `/_next/data/${buildId}${plain}.json`,
      `/en${plain}`,
      `/${path}`,
      `${plain}%2f`,
      `${plain};x=y`,
      plain.toUpperCase(),
    ]
  })
  await overAll(addresses, async (path) => {
    for (const headers of forms) {
      const reply = await knock(`${server.url}${path}`, { headers })
      expectNothing(reply.text, `${path} ${JSON.stringify(headers)}`)
      expect(reply.status, path).toBeLessThan(500)
    }
  })
})

/** Somebody to whom the server must not turn. */
const withCanary = async (work: (address: string) => Promise<void>): Promise<number> => {
  let hits = 0
  const canary = createServer((socket) => {
    hits += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
  try {
    await work(`127.0.0.1:${(canary.address() as AddressInfo).port}`)
  } finally {
    await new Promise((resolve) => canary.close(resolve))
  }
  return hits
}

test('CVE-2026-44578: an upgrade to another address goes nowhere', async () => {
  const hits = await withCanary(async (address) => {
    const targets = [
      `http://${address}/x`,
      `ws://${address}/x`,
      `//${address}/x`,
      '/x',
      `/_next/webpack-hmr?to=${address}`,
    ]
    for (const target of targets)
      for (const upgrade of [
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
        'Connection: close\r\n',
      ]) {
        const reply = await knockRaw(server.url, `GET ${target} HTTP/1.1\r\nHost: ${address}\r\n${upgrade}\r\n`, 300)
        expect(reply).not.toMatch(/^HTTP\/1\.1 (101|2)/)
      }
  })
  expect(hits).toBe(0)
  expect((await knock(`${server.url}/api/health/live`)).status).toBe(200)
})

test('the image optimiser fetches nothing', async () => {
  const hits = await withCanary(async (address) => {
    for (const url of [
      `http://${address}/a.png`,
      `//${address}/a.png`,
      `/\\${address}/a.png`,
      '/icon.svg',
      `/sign-in?from=http://${address}`,
    ]) {
      const reply = await knock(`${server.url}/_next/image?url=${encodeURIComponent(url)}&w=64&q=75`)
      expect(reply.status).toBeGreaterThanOrEqual(400)
      expect(reply.status).toBeLessThan(500)
    }
  })
  expect(hits).toBe(0)
})

/** Bodies in the language of React's answers that are not what a browser sends. */
const flightBodies = (marker: string): { type: string; body: string }[] => {
  const text = 'text/plain;charset=UTF-8'
  const form = (parts: Record<string, string>) => ({
    type: 'multipart/form-data; boundary=b',
    body: `${Object.entries(parts)
      .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join('')}--b--\r\n`,
  })
  const run = `process.mainModule.require('child_process').execSync('touch ${marker}');`
  return [
    ...[
      '',
      '[',
      'null',
      '"$@1"',
      '["$@0"]',
      '["$F1"]',
      '["$B1"]',
      '["$Q1"]',
      '["$K1"]',
      '["$Z"]',
      '["$1:constructor:constructor"]',
      '["$1:__proto__:then"]',
      '['.repeat(50_000),
      JSON.stringify([{ text: 'x'.repeat(2_000_000) }]),
    ].map((body) => ({ type: text, body })),
    form({
      0: JSON.stringify({
        // biome-ignore lint/suspicious/noThenProperty: it is what the attack is made of
        then: '$1:__proto__:then',
        status: 'resolved_model',
        reason: -1,
        value: '{"then":"$B1337"}',
        _response: { _prefix: run, _chunks: '$Q2', _formData: { get: '$1:constructor:constructor' } },
      }),
      1: '"$@0"',
      2: '[]',
    }),
    form({ 0: '["$F1"]', 1: JSON.stringify({ id: 'child_process#execSync', bound: [`touch ${marker}`] }) }),
    form({ 0: '["$1:a:a"]', 1: '{"a":"$0:0:a"}' }),
  ]
}

test('CVE-2025-55182, 66478 (React2Shell), 55183, 55184, CVE-2026-23869: malformed bodies of actions run nothing and end nothing', async () => {
  const marker = join(dataDir, 'was-here')
  // Of those that take something: one that takes nothing runs whatever is sent. By their names, for ids change with each build.
  const some = actions
    .filter(({ name }) => inputs[`action ${name}`])
    .sort((one, other) => one.name.localeCompare(other.name))
    .filter((_, at) => at % 3 === 0)
  expect(some.length).toBeGreaterThan(10)
  for (const { id, name, page } of some)
    for (const { type, body } of flightBodies(marker))
      for (const cookie of ['', cookieOf('admin')]) {
        const reply = await callAction(server.url, page, { id, args: body, cookie }, { 'content-type': type })
        expect(['none', '400', '401', '403'], name).toContain(verdictOfAction(reply))
        expect(reply.text).not.toMatch(/at .*\(.*\.js:\d+|node_modules/)
        // The source of an action is nobody's.
        expect(reply.text).not.toContain('use server')
      }
  for (const id of ['x', '00'.repeat(21), 'constructor', '__proto__'])
    expect((await callAction(server.url, '/', { id, args: '[]', cookie: '' })).status).toBeGreaterThanOrEqual(400)
  expect(existsSync(marker)).toBe(false)
  expect((await knock(`${server.url}/api/health/live`)).status).toBe(200)
})

/** Bodies that are no JSON, of the wrong shape, too deep, too long, or of another kind. */
const json = 'application/json'
const form = 'multipart/form-data; boundary=b'
const brokenBodies: { body: string; type: string }[] = [
  { body: '', type: json },
  { body: '{"chatId": "', type: json },
  { body: '{"chatId": 7, "query": {"$ne": null}}', type: json },
  { body: '[]', type: json },
  { body: JSON.stringify({ query: 'x', isAdmin: true }), type: json },
  { body: JSON.stringify({ query: 'x'.repeat(1_100_000) }), type: json },
  { body: '['.repeat(100_000), type: json },
  { body: '\u0000\u0001', type: 'application/octet-stream' },
  { body: '--b\r\n\r\n--b--\r\n', type: form },
  { body: '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello', type: form },
]

test('CVE-2026-31949: a body that is none is refused in words, and the server goes on', async () => {
  for (const path of ['/api/chat', '/api/search', '/api/documents'])
    for (const { body, type } of brokenBodies) {
      // A connection of its own: what is refused before it was read to its end closes it.
      const headers = { origin: server.url, 'content-type': type, cookie: cookieOf('admin'), connection: 'close' }
      const reply = await knock(`${server.url}${path}`, { method: 'POST', headers, body })
      const where = `${path} ${type} ${body.slice(0, 40)}`
      expect(reply.status, where).toBeGreaterThanOrEqual(400)
      expect(reply.status, where).toBeLessThan(500)
      const { error } = JSON.parse(reply.text) as { error: { message: string } }
      expect(error.message.length).toBeGreaterThan(20)
      expect(reply.text, where).not.toMatch(/at \w+ \(|node_modules|select /)
    }
  expect((await knock(`${server.url}/api/health/live`)).status).toBe(200)
})

test('a stranger learns nothing from health but whether it is well', async () => {
  for (const path of ['/api/health/live', '/api/health/ready']) {
    const reply = await knock(`${server.url}${path}`)
    expect(reply.status).toBe(200)
    expect(reply.text.length).toBeLessThan(300)
  }
})

test('every page has its headers, and none says what it is made with', async () => {
  for (const path of ['/sign-in', ...pagePaths()]) {
    const { headers } = await knock(`${server.url}${path}`, { headers: { cookie: cookieOf('owner', true) } })
    expect(headers['x-powered-by']).toBeUndefined()
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['referrer-policy']).toBe('same-origin')
    expect(headers['cross-origin-opener-policy']).toBe('same-origin')
    const policy = headers['content-security-policy'] ?? ''
    for (const part of [
      "default-src 'self'",
      "connect-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ])
      expect(policy, path).toContain(part)
    expect(policy, path).toMatch(/script-src 'self' 'nonce-[\w+/=]+' 'strict-dynamic'(;|$)/)
  }
})

test('what is foreign is as it was, row by row', async () => {
  server.signal('SIGTERM')
  await server.ended
  expect(await digest(dataDir, world)).toBe(before)
})
