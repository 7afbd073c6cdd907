/**
 * Every body that a door takes, bent in thousands of ways: the door answers each in its one form and never with an internal
 * error, and what is refused leaves every table as it was. Bodies that fit are sent too, fewer, since they do something.
 */
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { z } from 'zod'
import { rows } from '#db/client.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import type { ActionResult, PublicError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { doorOf } from './doors.ts'
import { bent, fitting } from './fixtures/arbitrary.ts'
import { inRequest, origin, signedIn } from './fixtures/request.ts'

await vi.hoisted(async () => {
  vi.stubEnv('AUTH_SECRET', 'a secret of the tests that is long enough')
  const { AsyncLocalStorage } = await import('node:async_hooks')
  Object.assign(globalThis, { AsyncLocalStorage })
})

/** Enough to see a door that was left open; a release is tried with more (CONTRIBUTING.md). */
const inputsAtLeast = Number(process.env.FUZZ_INPUTS ?? 4_000)
const fittingEach = 8
/** Under the narrowest limit of a door; then all points are given back. */
const batch = 50

type Loader = () => Promise<Record<string, unknown>>
const modules: Record<string, Loader> = {
  ...import.meta.glob<Record<string, unknown>>('../../app/**/route.ts'),
  ...import.meta.glob<Record<string, unknown>>('../../app/**/actions.ts'),
}

type Answer = { code: string | null; status: number }
type Target = { name: string; body: z.ZodType; send: (input: unknown, raw?: Uint8Array) => Promise<Answer> }

const database = withDatabase()
let browser = new Headers()
const targets: Target[] = []
let sent = 0
/** The doors behind which something has run. */
const pastTheShape = new Set<string>()
/** Never the answer to a person who is in, whatever they send. */
const never: ReadonlySet<string | null> = new Set(['internal', 'unauthenticated'])

const answerOf = async (response: Response): Promise<Answer> => {
  const text = await response.text()
  const { error } = (response.ok ? {} : JSON.parse(text)) as { error?: PublicError }
  return { code: error?.code ?? null, status: response.status }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** As `JSON.stringify` writes it; what it cannot write is no JSON. */
const json = (input: unknown): string => {
  try {
    return JSON.stringify(input) ?? ''
  } catch {
    return '{"bigint": 1e400}'
  }
}

beforeAll(async () => {
  await openQueue()
  const { viewers } = await createTestWorkspace(database.current())
  browser = await signedIn(database.current(), viewers.owner)
  for (const [path, load] of Object.entries(modules))
    for (const [exported, value] of Object.entries(await load())) {
      const door = doorOf(value)
      if (!door?.body) continue
      const name = `${path.replace('../../', '')} ${exported}`
      const { body } = door
      if (door.kind === 'action') {
        const call = value as (input: unknown) => Promise<ActionResult<unknown>>
        targets.push({
          name,
          body,
          send: async (input) => {
            const result = await inRequest(browser, () => call(input))
            return { code: result.ok ? null : result.error.code, status: 200 }
          },
        })
      } else {
        const call = value as (request: Request, context: { params: Promise<unknown> }) => Promise<Response>
        // Every part of a path is an id.
        const params = Object.fromEntries([...path.matchAll(/\[(\w+)\]/g)].map(([, part = '']) => [part, newId()]))
        targets.push({
          name,
          body,
          send: async (input, raw) => {
            const request = new Request(`${origin}/api/fuzz`, {
              method: exported,
              headers: browser,
              body: (raw as BodyInit | undefined) ?? json(input),
            })
            return answerOf(await inRequest(browser, () => call(request, { params: Promise.resolve(params) })))
          },
        })
      }
    }
}, 120_000)

afterAll(() => closeQueue(0))

/** Everything that is stored, but for what is counted and when somebody was last seen. */
const stored = async (): Promise<string> => {
  const { db } = database.current()
  const tables = await rows<{ name: string }>(
    db,
    sql`select table_name as name from information_schema.tables
        where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not in ('rate_limits', 'sessions')
        order by 1`,
  )
  const all = tables.map(
    ({ name }) => sql`select ${name} as name, md5(coalesce(string_agg(t::text, ';' order by t::text), '')) as hash
                      from ${sql.identifier(name)} t`,
  )
  return JSON.stringify(await rows(db, sql.join(all, sql` union all `)))
}

const giveBack = () => rows(database.current().db, sql`delete from rate_limits`)

/** Sends all, one after the other; returns what was answered as no door should. */
const sendAll = async (target: Target, inputs: { input: unknown; raw?: Uint8Array }[], refused: boolean) => {
  const wrong: string[] = []
  for (const [at, { input, raw }] of inputs.entries()) {
    if (at % batch === 0) await giveBack()
    const { code, status } = await target.send(input, raw)
    sent += 1
    if (code !== 'bad-request') pastTheShape.add(target.name)
    const asExpected = refused ? code === 'bad-request' : !never.has(code) && status < 500
    if (!asExpected) wrong.push(`${code ?? status}: ${json(input).slice(0, 300)}`)
  }
  return wrong
}

const seed = 20_251_121
const fits = (body: z.ZodType, input: unknown): boolean => body.safeParse(input).success

describe('whatever is sent', () => {
  test('a body that does not fit is refused in words, and nothing is written', async () => {
    expect(targets.length).toBeGreaterThan(30)
    const before = await stored()
    const each = Math.ceil(inputsAtLeast / targets.length)
    const wrong: Record<string, string[]> = {}
    for (const target of targets) {
      // A few of the bent inputs still fit: they belong to the other test.
      const inputs = fc
        .sample(bent(target.body), { numRuns: Math.ceil(each * 1.6), seed })
        .filter((input) => !fits(target.body, target.name.includes('route.ts') ? parsed(json(input)) : input))
        .slice(0, each)
      const found = await sendAll(
        target,
        inputs.map((input) => ({ input })),
        true,
      )
      if (found.length > 0) wrong[target.name] = found.slice(0, 3)
    }
    expect(wrong).toEqual({})
    expect(await stored()).toBe(before)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  }, 240_000)

  test('bytes that are no JSON are refused in words, and nothing is written', async () => {
    const before = await stored()
    const routes = targets.filter(({ name }) => name.includes('route.ts'))
    const wrong: string[] = []
    for (const target of routes) {
      const bytes = fc.sample(fc.uint8Array({ maxLength: 200 }), { numRuns: 150, seed })
      const texts = fc
        .sample(fc.json({ maxDepth: 3 }), { numRuns: 150, seed })
        // What the door takes is no mistake: an empty object, where all has a default.
        .filter((text) => !fits(target.body, JSON.parse(text)))
        .map((text) => new TextEncoder().encode(text))
      const inputs = [...bytes, ...texts].map((raw) => ({ input: null, raw }))
      wrong.push(...(await sendAll(target, inputs, true)).map((fault) => `${target.name} ${fault}`))
    }
    expect(wrong.slice(0, 10)).toEqual([])
    expect(await stored()).toBe(before)
  }, 120_000)

  test('a body that fits is never answered with an internal error', async () => {
    const wrong: Record<string, string[]> = {}
    for (const target of targets) {
      const inputs = fc.sample(fitting(target.body), { numRuns: fittingEach, seed }).map((input) => ({ input }))
      const found = await sendAll(target, inputs, false)
      if (found.length > 0) wrong[target.name] = found.slice(0, 3)
    }
    expect(wrong).toEqual({})
    // Else this would be the first test once more.
    expect(pastTheShape.size).toBeGreaterThan(targets.length * 0.8)
  }, 240_000)

  test('it was enough', () => {
    expect(sent).toBeGreaterThanOrEqual(inputsAtLeast)
  })
})
