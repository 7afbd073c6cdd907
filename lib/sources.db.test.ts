import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rows } from '#db/client.ts'
import { auditLog } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { closeQueue, openQueue } from './jobs.ts'
import { listSources, pauseSource, runSourceNow, saveSource } from './sources.ts'

const database = withDatabase()
let home: TestWorkspace
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
beforeEach(async () => {
  home = await createTestWorkspace(database.current())
})

const page = {
  id: null,
  kind: 'url',
  name: ' A\u202e  page ',
  collection: { name: 'Web' },
  config: { url: 'https://example.com/a' },
  everyMinutes: 60,
}
const events = async () =>
  (await database.current().db.select().from(auditLog).where(eq(auditLog.workspaceId, home.workspaceId))).map(
    ({ event }) => event,
  )

test('a source is stored with its settings whole, queued and told of in the audit log, and runs once however often it is asked', async () => {
  const { admin } = home.viewers
  const { id } = await saveSource(admin, page)
  await runSourceNow(admin, id)
  await runSourceNow(admin, id)
  const jobs = sql`select id from pgboss.job where name = 'source.run' and data ->> 'sourceId' = ${id}`
  expect(await rows(database.current().db, jobs)).toHaveLength(1)
  const { sources } = await listSources(admin)
  expect(sources).toMatchObject([
    { id, name: 'A page', state: 'queued', collection: 'Web', config: { local: false }, everyMinutes: 60 },
  ])
  expect(Date.parse(sources[0]?.nextRunAt ?? '')).toBeGreaterThan(Date.now() + 3_500_000)
  await pauseSource(admin, id)
  expect((await listSources(admin)).sources).toMatchObject([{ state: 'idle', everyMinutes: null, nextRunAt: null }])
  expect(await events()).toEqual(['collection.created', 'source.created', 'source.run', 'source.run', 'source.paused'])
})

test.each([
  [{ name: '  ' }, 'Type a name'],
  [{ name: 'x'.repeat(81) }, '80 characters'],
  [{ kind: 'carrier-pigeon' }, 'what kind'],
  [{ everyMinutes: 5 }, 'how often'],
  [{ everyMinutes: 60.5 }, 'how often'],
  [{ config: { url: 'example.com' } }, 'whole web address'],
  [{ config: { url: 'https://user:secret@example.com/' } }, 'name or a password'],
  [{ config: { url: 'http://[::ffff:10.0.0.1]/' } }, 'never called'],
  [{ config: { url: 'http://localhost/' } }, 'unless the source is marked'],
  [{ kind: 'folder', config: { path: '/etc' } }, 'SOURCE_ROOTS'],
])('%j is refused in words and leaves nothing', async (wrong, words) => {
  await expect(saveSource(home.viewers.admin, { ...page, ...wrong })).rejects.toMatchObject({
    code: 'bad-request',
    publicMessage: expect.stringContaining(words),
  })
  expect((await listSources(home.viewers.admin)).sources).toEqual([])
  expect(await events()).toEqual([])
})

test('a name is there once in a workspace, and a collection of another one does not exist', async () => {
  const { admin } = home.viewers
  const { id } = await saveSource(admin, page)
  await expect(saveSource(admin, page)).rejects.toMatchObject({
    publicMessage: expect.stringContaining('has that name'),
  })
  const other = await saveSource(admin, { ...page, name: 'Other' })
  await expect(saveSource(admin, { ...page, id: other.id })).rejects.toMatchObject({ code: 'bad-request' })
  await saveSource(admin, { ...page, id, everyMinutes: null })
  const stranger = await createTestWorkspace(database.current())
  await expect(
    saveSource(stranger.viewers.admin, { ...page, collection: { id: home.collectionId } }),
  ).rejects.toMatchObject({ code: 'not-found' })
  await expect(saveSource(stranger.viewers.admin, { ...page, id })).rejects.toMatchObject({ code: 'not-found' })
  await saveSource(stranger.viewers.admin, page)
})
