/**
 * What a door costs: `npm run bench:doors [-- --calls 2000]`. A request with a real session goes through `route`, `action` and `page`
 * to a handler that does nothing, over the embedded database: what is left is who asks, whether they may, how often, and the shape of
 * what they sent. Rounds go to each door in turn.
 */
import './scratch.ts'
import './plain-next.ts'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { closeDatabase, holdDatabase } from '#db/client.ts'
import { openMemoryDatabase } from '#db/open.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { percentile } from '#lib/evals/metrics.ts'
import { release } from '#lib/limits.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { printMachine, printRows } from './report.ts'

const { values } = parseArgs({ options: { calls: { type: 'string', default: '2000' }, json: { type: 'boolean' } } })
const calls = Number(values.calls)
const warmUp = 100
/** Under the narrowest limit, which is given back after so many. */
const round = 100

// Loaded here, when the way to Next.js is laid.
const { action, page, route } = await import('#lib/auth/doors.ts')
const { inRequest, origin, signedIn } = await import('#lib/auth/fixtures/request.ts')

const database = holdDatabase(await openMemoryDatabase())
const viewer: Viewer = {
  userId: newId(),
  workspaceId: newId(),
  role: 'admin',
  name: 'Bench',
  email: 'bench@test.local',
}
await createWorkspace(database.db, { id: viewer.workspaceId, name: 'Bench' })
await upsertAccount(database.db, { ...viewer, passwordHash: '' })
const sent = await signedIn(database, viewer)

const shape = z.strictObject({ documentId: z.uuid(), words: z.string().max(200), tags: z.array(z.string()).max(20) })
const body = { documentId: newId(), words: 'how many days of leave', tags: ['policy', 'leave'] }
const write = route({ permission: 'document.manage', limit: 'write', body: shape }, async () => ({}))
const read = route({ permission: 'document.manage', limit: 'read' }, async () => ({}))
const act = action(shape, 'document.manage', async () => null)
const noParts = { params: Promise.resolve({}) }
const url = `${origin}/api/bench`

const expectOk = (ok: boolean): void => {
  if (!ok) throw new Error('The door refused what it should let in')
}
const stranger = new Headers({ origin, host: 'localhost:3000' })
const doors: { door: string; call: () => Promise<void> }[] = [
  {
    door: 'route, POST with a JSON body',
    call: async () => {
      const request = new Request(url, { method: 'POST', headers: sent, body: JSON.stringify(body) })
      expectOk((await inRequest(sent, () => write(request, noParts))).ok)
    },
  },
  {
    door: 'route, GET',
    call: async () => expectOk((await inRequest(sent, () => read(new Request(url, { headers: sent }), noParts))).ok),
  },
  { door: 'action', call: async () => expectOk((await inRequest(sent, () => act(body))).ok) },
  {
    door: 'page',
    // A request of its own each time: a page counts once a request.
    call: async () => expectOk((await inRequest(new Headers(sent), () => page('document.manage'))).role === 'admin'),
  },
  {
    door: 'route, a stranger is refused',
    call: async () =>
      expectOk(
        (await inRequest(stranger, () => read(new Request(url, { headers: stranger }), noParts))).status === 401,
      ),
  },
]

const times = new Map<string, number[]>(doors.map(({ door }) => [door, []]))
for (let done = 0; done < calls + warmUp; done += round) {
  for (const limit of ['read', 'write', 'page'] as const) await release(limit, viewer.userId)
  for (const { door, call } of doors)
    for (let at = 0; at < round; at += 1) {
      const startMs = performance.now()
      await call()
      if (done + at >= warmUp) times.get(door)?.push(performance.now() - startMs)
    }
}
printMachine(['next', 'next-auth', 'zod', '@electric-sql/pglite'])
printRows(
  [...times].map(([door, all]) => ({
    door,
    calls: all.length,
    'p50 ms': percentile(all, 0.5).toFixed(2),
    'p95 ms': percentile(all, 0.95).toFixed(2),
    'p99 ms': percentile(all, 0.99).toFixed(2),
  })),
)
await closeDatabase()
