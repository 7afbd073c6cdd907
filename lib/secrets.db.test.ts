/**
 * Forty secrets planted in every field of every door that can be reached in this process, while everything works and while the
 * database fails: none stands in a log line, a stored trace, the ledger, a metric or an error that is answered.
 */
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { z } from 'zod'
import { rows } from '#db/client.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { type Door, doorOf } from './auth/doors.ts'
import { fitting } from './auth/fixtures/arbitrary.ts'
import { inRequest, origin, signedIn } from './auth/fixtures/request.ts'
import { closeQueue, openQueue } from './jobs.ts'
import { renderMetrics } from './metrics.ts'
import { newId } from './shared/ids.ts'

await vi.hoisted(async () => {
  vi.stubEnv('AUTH_SECRET', 'a secret of the tests that is long enough')
  vi.stubEnv('LOG_LEVEL', 'debug')
  const { AsyncLocalStorage } = await import('node:async_hooks')
  Object.assign(globalThis, { AsyncLocalStorage })
})

const part = (at: number, length = 40): string => `Zq${at}${'kX7pV2mR9tLw4sBn8cJd'.repeat(3)}`.slice(0, length)
/** What is planted, by the words in which it comes; `hidden` is the part that must be nowhere. */
const shapes: ((secret: string) => string)[] = [
  ...['sk-', 'sk-proj-', 'sk_live_', 'rk_live_', 'whsec_', 'ghp_', 'gho_', 'ghs_', 'github_pat_', 'glpat-', 'ya29.'],
  ...['GOCSPX-', 'xoxb-', 'xoxp-', 'xapp-', 'npm_', 'hf_', 'gsk_', 'xai-', 'fn_abcd1234_'],
].map((prefix: string) => (secret: string) => `${prefix}${secret}`)
shapes.push(
  (secret) => `AIza${secret.slice(0, 35)}`,
  (secret) => `dop_v1_${Buffer.from(secret).toString('hex').slice(0, 64)}`,
  (secret) => `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`,
  (secret) => `Authorization: Bearer ${secret}`,
  (secret) => `Authorization: Basic ${secret}`,
  (secret) => `Cookie: __Host-authjs.session-token=${secret}`,
  (secret) => `set-cookie: session=${secret}; Path=/`,
  (secret) => `postgres://footnote:${secret}@db.example/prod`,
  (secret) => `mysql://root:${secret}@db.example/prod`,
  (secret) => `redis://default:${secret}@cache.example:6379`,
  (secret) => `smtps://mailer:${secret}@mail.example`,
  (secret) => `amqp://guest:${secret}@queue.example`,
  (secret) => `password: ${secret}`,
  (secret) => `"password":"${secret}"`,
  (secret) => `API_KEY=${secret}`,
  (secret) => `AWS_SECRET_ACCESS_KEY=${secret}`,
  (secret) => `https://footnote.example/reset?token=${secret}`,
  (secret) => `https://footnote.example/invite/${secret}`,
  (secret) => `https://hooks.slack.com/services/${secret}`,
  (secret) => `-----BEGIN PRIVATE KEY-----${secret}-----END PRIVATE KEY-----`,
)
const secrets = shapes.map((shape, at) => {
  const text = shape(part(at + 10))
  return { text, hidden: text.startsWith('dop_') ? text.slice(7, 40) : part(at + 10, 30) }
})

type Loader = () => Promise<Record<string, unknown>>
const modules: Record<string, Loader> = {
  ...import.meta.glob<Record<string, unknown>>('../app/**/route.ts'),
  ...import.meta.glob<Record<string, unknown>>('../app/**/actions.ts'),
}
type Target = {
  name: string
  body: z.ZodType | undefined
  send: (input: unknown, more?: HeadersInit) => Promise<string>
}

const database = withDatabase()
const targets: Target[] = []
let browser = new Headers()
let written = ''
/** Bodies of everything that was refused. */
const refusals: string[] = []
let next = 0

const hear = (stream: NodeJS.WriteStream) =>
  vi.spyOn(stream, 'write').mockImplementation((text: unknown) => {
    written += String(text)
    return true
  })

const routeTarget = (name: string, path: string, method: string, door: Door, call: unknown): Target => ({
  name,
  body: door.body,
  send: async (input, more) => {
    const parts = Object.fromEntries([...path.matchAll(/\[(\w+)\]/g)].map(([, key = '']) => [key, newId()]))
    const headers = new Headers([...browser, ...new Headers(more)])
    const query = new URLSearchParams(secrets.map(({ text }, at) => [`q${at}`, text]))
    const request = new Request(`${origin}/api/door?${query}`, {
      method,
      headers,
      ...(method === 'GET' ? {} : { body: input instanceof FormData ? input : JSON.stringify(input) }),
    })
    const run = call as (request: Request, context: { params: Promise<unknown> }) => Promise<Response>
    const response = await inRequest(headers, () => run(request, { params: Promise.resolve(parts) }))
    const text = await response.text()
    if (!response.ok) refusals.push(text)
    return `${response.status}`
  },
})

const actionTarget = (name: string, door: Door, call: unknown): Target => ({
  name,
  body: door.body,
  send: async (input, more) => {
    const headers = new Headers([...browser, ...new Headers(more)])
    const result = await inRequest(headers, () => (call as (input: unknown) => Promise<{ ok: boolean }>)(input))
    if (!result.ok) refusals.push(JSON.stringify(result))
    return String(result.ok)
  },
})

beforeAll(async () => {
  await openQueue()
  const { viewers } = await createTestWorkspace(database.current())
  browser = await signedIn(database.current(), viewers.owner)
  for (const [path, load] of Object.entries(modules))
    for (const [exported, value] of Object.entries(await load())) {
      const door = doorOf(value)
      const name = `${path} ${exported}`
      if (door?.kind === 'route') targets.push(routeTarget(name, path, exported, door, value))
      if (door?.kind === 'action') targets.push(actionTarget(name, door, value))
    }
  hear(process.stderr)
  hear(process.stdout)
}, 120_000)
afterAll(async () => {
  vi.restoreAllMocks()
  await closeQueue()
})

const planted = (): string => secrets[next++ % secrets.length]?.text ?? ''

type Path = readonly string[]
const textPaths = (value: unknown, path: Path = []): Path[] => {
  if (typeof value === 'string') return [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => textPaths(inner, [...path, key]))
}
const withAt = (value: unknown, [key, ...rest]: Path, text: string): unknown => {
  if (key === undefined) return text
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  copy[key] = withAt(copy[key], rest, text)
  return copy
}
/** With a secret for each of its texts, as far as it still fits. */
const plantFitting = (body: z.ZodType, value: unknown): unknown =>
  textPaths(value).reduce((whole: unknown, path) => {
    const changed = withAt(whole, path, planted())
    return body.safeParse(changed).success ? changed : whole
  }, value)
/** With all of them, in its fields, in fields that are none and in their names. */
const plantAll = (value: unknown): unknown => ({
  ...(textPaths(value).reduce((whole: unknown, path) => withAt(whole, path, planted()), value) as object),
  ...Object.fromEntries(secrets.map(({ text }) => [text, text])),
  extra: { list: secrets.map(({ text }) => text) },
})

const inHeaders = (): HeadersInit[] => [
  { 'user-agent': planted(), 'x-forwarded-for': planted(), 'x-request-id': planted(), 'next-action': planted() },
  {
    authorization: `Bearer ${planted().replace(/[^\x20-\x7e]/g, '')}`,
    'idempotency-key': planted().replaceAll(' ', ''),
  },
]

const samples = new Map<Target, unknown>()
const sampleOf = (target: Target): unknown => {
  const { body } = target
  if (!samples.has(target)) samples.set(target, body ? fc.sample(fitting(body), { numRuns: 1, seed: 7 })[0] : {})
  return samples.get(target)
}

const knock = async (): Promise<void> => {
  for (const target of targets) {
    const sample = sampleOf(target)
    await target.send(target.body ? plantFitting(target.body, sample) : {})
    await target.send(plantAll(sample))
    await rows(database.current().db, sql`delete from rate_limits`)
  }
}

const leaks = (text: string): string[] => secrets.filter(({ hidden }) => text.includes(hidden)).map((one) => one.text)
/** Where the first of them stands, for whoever has to find out. */
const around = (text: string): string => {
  const at = secrets.map(({ hidden }) => text.indexOf(hidden)).find((found) => found >= 0)
  return at === undefined ? '' : text.slice(Math.max(0, at - 300), at + 60)
}

test('every door is knocked at with forty secrets in every field', async () => {
  expect(secrets).toHaveLength(40)
  expect(new Set(secrets.map(({ hidden }) => hidden)).size).toBe(40)
  expect(targets.length).toBeGreaterThan(40)
  await knock()
  for (const target of targets) for (const more of inHeaders()) await target.send(sampleOf(target), more)
}, 240_000)

test('an upload has them in its name, its collection and its text', async () => {
  const upload = targets.find(({ name }) => name.includes('api/documents/route.ts POST'))
  for (const { text } of secrets) {
    const form = new FormData()
    form.set('collection', text)
    form.set('file', new File([text], `${text.replaceAll('/', '_')}.txt`))
    expect(await upload?.send(form)).toBeDefined()
  }
}, 120_000)

test('a question that holds them is answered, with its trace', async () => {
  const chat = targets.find(({ name }) => name.includes('api/chat/route.ts POST'))
  for (const { text } of secrets.slice(0, 40)) {
    await chat?.send({ chatId: newId(), messageId: newId(), text: `Who knows this: ${text}` })
    await rows(database.current().db, sql`delete from rate_limits`)
  }
  await vi.waitFor(
    async () => {
      const [found] = await rows<{ traces: number }>(
        database.current().db,
        sql`select count(*)::int as traces from traces where question like 'Who knows this%'`,
      )
      expect(found?.traces).toBe(secrets.length)
    },
    { timeout: 20_000 },
  )
}, 120_000)

test('a database that fails says what it was asked to nobody', async () => {
  const { db } = database.current()
  const tables = [
    'chats',
    'documents',
    'collections',
    'groups',
    'invitations',
    'models',
    'golden_questions',
    'audit_log',
  ]
  const rename = async (from: string, to: string): Promise<void> => {
    for (const table of tables)
      await db.execute(sql`alter table ${sql.identifier(table + from)} rename to ${sql.identifier(table + to)}`)
  }
  await rename('', '_gone')
  const before = refusals.length
  await knock()
  await rename('_gone', '')
  expect(refusals.slice(before).join('').split('"internal"').length).toBeGreaterThan(10)
}, 240_000)

test('none of them is in a log line, and every line is one object', () => {
  expect(written.split('\n').filter((line) => line.startsWith('{')).length).toBeGreaterThan(20)
  expect(around(written)).toBe('')
  expect(leaks(written)).toEqual([])
  for (const line of written.split('\n')) if (line.startsWith('{')) expect(() => JSON.parse(line)).not.toThrow()
  expect(written).not.toContain('Who knows this')
})

test('none of them is in a trace, in the ledger, in a metric or in an error', async () => {
  const { db } = database.current()
  const [stored] = await rows<{ text: string }>(
    db,
    sql`select coalesce((select string_agg(t::text, '') from traces t), '') || coalesce((select string_agg(c::text, '') from model_calls c), '') as text`,
  )
  expect(around(stored?.text ?? '')).toBe('')
  const { text } = await renderMetrics({ queued: 0, breakers: [] })
  expect(around(text)).toBe('')
  expect(refusals.length).toBeGreaterThan(100)
  expect(around(refusals.join('\n'))).toBe('')
})
