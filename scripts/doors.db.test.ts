/**
 * Every action and route of the matrix in one process: each asker sends each id, the answer is the one in `e2e/doors-matrix.txt`, and
 * what is foreign is afterwards as it was, row by row. Pages, and the same over HTTP, are in `e2e/doors.spec.ts`.
 */
import { rm } from 'node:fs/promises'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { rows } from '#db/client.ts'
import { auditLog, memberships } from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { type DoorsWorld, inputs, malformedIds, missingId, type Thing, thingsOfParts } from '#e2e/doors-inputs.ts'
import { type Asker, askers, doorKey, matrix, openDoors, type Row } from '#e2e/doors-matrix.ts'
import { inRequest, origin, passwordSignIn } from '#lib/auth/fixtures/request.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { type ActionResult, AppError } from '#lib/shared/errors.ts'
import { digestForeign, makeWorld } from './doors-world.ts'

const folder = await vi.hoisted(async () => {
  const { mkdtemp: makeFolder } = await import('node:fs/promises')
  const made = await makeFolder('/tmp/footnote-doors-')
  vi.stubEnv('AUTH_SECRET', 'a secret of the tests that is long enough')
  vi.stubEnv('DATA_DIR', made)
  const { AsyncLocalStorage } = await import('node:async_hooks')
  Object.assign(globalThis, { AsyncLocalStorage })
  return made
})

type Loader = () => Promise<Record<string, unknown>>
const modules: Record<string, Loader> = {
  ...import.meta.glob<Record<string, unknown>>('../app/**/route.ts'),
  ...import.meta.glob<Record<string, unknown>>('../app/**/actions.ts'),
}

const database = withDatabase()
let world: DoorsWorld
const browsers = new Map<Asker, Headers>()
const functions = new Map<string, unknown>()
/** How many of each thing were given away: a door may end what it is given. */
const used = new Map<string, number>()

beforeAll(async () => {
  await openQueue()
  world = await makeWorld(database.current())
  for (const asker of askers)
    browsers.set(
      asker,
      asker === 'anonymous'
        ? new Headers({ origin, host: new URL(origin).host })
        : await passwordSignIn(world.people[asker].email, world.password),
    )
  await database
    .current()
    .db.update(memberships)
    .set({ suspendedAt: new Date() })
    .where(eq(memberships.userId, world.people.suspended.userId))
  for (const [path, load] of Object.entries(modules)) {
    const file = path.replace('../', '')
    const address = `/${file
      .split('/')
      .slice(1, -1)
      .filter((part) => !part.startsWith('('))
      .join('/')}`
    for (const [exported, value] of Object.entries(await load()))
      functions.set(file.endsWith('actions.ts') ? `action ${file} ${exported}` : `route ${exported} ${address}`, value)
  }
}, 240_000)

afterAll(async () => {
  await closeQueue(0)
  await rm(folder, { recursive: true, force: true })
})

const thingOf = (row: Row): Thing | undefined => {
  const part = /\[(\w+)\]/.exec(row.name.startsWith('app/') ? '' : row.name)?.[1]
  return part ? thingsOfParts[part] : inputs[doorKey(row)]?.of
}

/** The ids to send: every one of them has to get the same answer. */
const idsOf = (row: Row, asker: Asker): string[] => {
  const thing = thingOf(row)
  if (row.id === '-' || !thing) return ['']
  if (row.id === 'foreign') return world.foreign[thing]
  if (row.id === 'missing') return [missingId()]
  if (row.id === 'malformed') return row.kind === 'action' ? malformedIds.slice(0, 2) : malformedIds
  const all = world.own[asker === 'anonymous' ? 'member' : asker][thing]
  const goesFurther = !['401', '404', 'in'].includes(row.verdicts[asker])
  // A version goes with its document, and everybody has chats and keys of their own.
  const shared = thing === 'version' ? 'document' : thing
  const key = ['chat', 'message', 'key', 'run', 'preview', 'draft'].includes(thing) ? `${asker} ${thing}` : shared
  const at = used.get(key) ?? 1
  if (goesFurther) used.set(key, at + 1)
  return [all[goesFurther ? at % all.length : 0] ?? '']
}

type Answer = { status: string; text: string }

const send = async (row: Row, asker: Asker, id: string): Promise<Answer> => {
  const target = functions.get(doorKey(row))
  const browser = browsers.get(asker) ?? new Headers()
  const body = inputs[doorKey(row)]?.body(id, world) ?? {}
  if (row.kind === 'action') {
    const call = target as (input: unknown) => Promise<ActionResult<unknown>>
    const result = await inRequest(browser, () => call(body))
    const text = JSON.stringify(result)
    return { status: String(result.ok ? 200 : new AppError(result.error.code).status), text }
  }
  const [method = '', path = ''] = row.name.split(' ')
  const part = /\[(\w+)\]/.exec(path)?.[1]
  const call = target as (request: Request, context: { params: Promise<unknown> }) => Promise<Response>
  const init: RequestInit = { method, headers: browser, ...(method === 'GET' ? {} : { body: JSON.stringify(body) }) }
  const request = new Request(`${origin}${path.replace(/\[\w+\]/, encodeURIComponent(id))}`, init)
  const response = await inRequest(browser, () =>
    call(request, { params: Promise.resolve(part ? { [part]: id } : {}) }),
  )
  return { status: String(response.status), text: await response.text() }
}

const doors = Map.groupBy(
  matrix.filter(({ kind }) => kind !== 'page'),
  doorKey,
)

describe('every cell of the matrix', () => {
  test('is what the door answers, and what is foreign is as it was', async () => {
    const before = await digestForeign(database.current(), world)
    const wrong: string[] = []
    const leaks: string[] = []
    for (const [key, all] of doors)
      for (const row of all) {
        const got: string[] = []
        for (const asker of askers) {
          await rows(database.current().db, sql`delete from rate_limits where key not like 'denial:%'`)
          const statuses = new Set<string>()
          for (const id of idsOf(row, asker)) {
            const { status, text } = await send(row, asker, id)
            statuses.add(status)
            const refused = status === '401' || status === '404' || asker === 'outsider'
            const own = asker === 'outsider' && text.includes(world.personal)
            if (own || text.includes(world.secret) || (refused && text.includes(world.words)))
              leaks.push(`${key} ${row.id} to ${asker}`)
          }
          got.push([...statuses].join('/'))
        }
        const line = `${key} ${row.id} ${got.join(' ')}`
        if (got.join(' ') !== askers.map((asker) => row.verdicts[asker]).join(' ')) wrong.push(line)
      }
    expect(wrong).toEqual([])
    expect(leaks).toEqual([])
    expect(await digestForeign(database.current(), world)).toBe(before)
  }, 300_000)

  test('of a list is as empty for what is foreign as for what is not there', async () => {
    const lists = matrix.filter((row) => inputs[doorKey(row)]?.lists && row.id === 'foreign')
    expect(lists.length).toBeGreaterThan(3)
    /** Without what differs from call to call. */
    const plain = (text: string): string =>
      text.replace(/[\da-f]{8}-[\da-f-]{27}/g, 'ID').replace(/"(\w*[mM]s)":[\d.]+/g, '"$1":0')
    for (const row of lists) {
      const [foreign = ''] = idsOf(row, 'admin')
      const answers = [await send(row, 'admin', foreign), await send(row, 'admin', missingId())]
      expect(plain(answers[0]?.text ?? ''), row.name).toBe(plain(answers[1]?.text ?? ''))
    }
  })

  test('that was refused to somebody is in the audit log', async () => {
    const { userId } = world.people.outsider
    const lines = await database.current().db.select().from(auditLog).where(eq(auditLog.actorId, userId))
    const denied = new Set(lines.filter(({ event }) => event === 'denied').map(({ objectId }) => objectId))
    expect(denied).toContain('POST /api/chat/[chatId]/stop')
    expect(denied).toContain('GET /api/documents/versions/[versionId]/file')
  })

  test('is about a door that is there', () => {
    expect([...doors.keys()].filter((key) => !functions.has(key))).toEqual([])
    expect(openDoors.length).toBeGreaterThan(5)
  })
})
