import '../fixtures/scratch.ts'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { and, eq, isNull } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { documents, memberships, sourceItems, sources } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { deleteDocument, listDocuments, uploadDocument } from '#lib/documents.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import type { SourceRow } from '#lib/shared/sources-contract.ts'
import { deleteSource, listSources, pauseSource, runSourceNow, saveSource } from '#lib/sources.ts'
import { type Intake, queueDueRuns, runSource } from './run.ts'

const { root, outside } = vi.hoisted(() => {
  const { mkdtempSync, realpathSync } = process.getBuiltinModule('node:fs')
  const made = () => realpathSync(mkdtempSync(`${process.getBuiltinModule('node:os').tmpdir()}/footnote-root-`))
  const [opened, elsewhere] = [made(), made()]
  process.env.SOURCE_ROOTS = opened
  return { root: opened, outside: elsewhere }
})

const database = withDatabase()
const intake: Intake = { upload: uploadDocument, remove: deleteDocument }
let home: TestWorkspace
let folder: string
let made = 0

beforeAll(async () => {
  await openQueue()
})
afterAll(async () => {
  await closeQueue(0)
  await rm(root, { recursive: true })
  await rm(outside, { recursive: true })
})
beforeEach(async () => {
  home = await createTestWorkspace(database.current())
  made += 1
  folder = join(root, `folder-${made}`)
  await mkdir(folder)
})

const put = async (path: string, text: string): Promise<void> => {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(join(folder, path), text)
}
const take = (path: string): Promise<void> => rm(join(folder, path))

const addSource = async (kind: string, config: Record<string, unknown>, everyMinutes: number | null = null) =>
  (
    await saveSource(home.viewers.admin, {
      id: null,
      kind,
      name: `source ${made}`,
      collection: { id: home.collectionId },
      config,
      everyMinutes,
    })
  ).id

const run = (
  sourceId: string,
  more: { deletionsMax?: number; remove?: boolean } = {},
  signal = new AbortController().signal,
) => runSource({ sourceId, ...more }, intake, signal, async () => undefined)

const again = async (sourceId: string, deletionsMax?: number): Promise<SourceRow> => {
  await runSourceNow(home.viewers.admin, sourceId, deletionsMax)
  await run(sourceId, deletionsMax === undefined ? {} : { deletionsMax })
  return stateOf(sourceId)
}
const stateOf = async (sourceId: string): Promise<SourceRow> => {
  const found = (await listSources(home.viewers.admin)).sources.find(({ id }) => id === sourceId)
  if (!found) throw new Error('The source is not listed')
  return found
}
const names = async (): Promise<string[]> =>
  (await listDocuments(home.viewers.admin)).documents.map(({ name }) => name).sort()
const tally = { added: 0, changed: 0, unchanged: 0, deleted: 0, failed: 0, gone: 0 }
const upload = (name: string, text: string) =>
  uploadDocument(home.viewers.admin, {
    name,
    collectionId: home.collectionId,
    source: Readable.from([Buffer.from(text)]),
  })

test('what is new is added, what changed is a new version, what is gone is deleted, and the rest is left alone', async () => {
  await put('a.md', 'one')
  await put('b.md', 'two')
  await put('c/d.md', 'three')
  const id = await addSource('folder', { path: folder })
  await run(id)
  expect(await stateOf(id)).toMatchObject({ state: 'idle', failure: null, tally: { ...tally, added: 3 }, documents: 3 })
  const before = (await listDocuments(home.viewers.admin)).documents

  expect((await again(id)).tally).toEqual({ ...tally, unchanged: 3 })
  await put('a.md', 'one, and more')
  await put('e.md', 'four')
  await take('b.md')
  expect(await again(id)).toMatchObject({
    state: 'idle',
    tally: { ...tally, added: 1, changed: 1, unchanged: 1, deleted: 1 },
  })
  expect(await names()).toEqual(['a.md', 'd.md', 'e.md'])
  const after = (await listDocuments(home.viewers.admin)).documents
  const versionOf = (name: string) => after.find((document) => document.name === name)
  expect(versionOf('a.md')).toMatchObject({ id: before.find(({ name }) => name === 'a.md')?.id, version: 2 })
  expect(versionOf('d.md')?.version).toBe(1)
})

test('equal names in different folders are different documents, and a person’s document of that name is not touched', async () => {
  const { document: own } = await upload('readme.md', 'written by a person')
  await put('docs/readme.md', 'of the docs')
  await put('lib/core/readme.md', 'of the core')
  const id = await addSource('folder', { path: folder })
  await run(id)
  expect(await names()).toEqual(['readme (docs).md', 'readme (lib-core).md', 'readme.md'])
  await put('docs/readme.md', 'of the docs, changed')
  await again(id)
  const { documents: rows } = await listDocuments(home.viewers.admin)
  expect(Object.fromEntries(rows.map(({ name, version }) => [name, version]))).toEqual({
    'readme (docs).md': 2,
    'readme (lib-core).md': 1,
    'readme.md': 1,
  })
  expect(rows.find(({ name }) => name === 'readme.md')?.id).toBe(own.id)
})

test('of files with the same bytes there is one document, and it stays as long as one of them does', async () => {
  await put('a.md', 'the same')
  await put('b.md', 'the same')
  await put('c.md', 'another')
  await put('d.md', 'one more')
  const id = await addSource('folder', { path: folder })
  await run(id)
  expect(await names()).toEqual(['a.md', 'c.md', 'd.md'])
  await take('a.md')
  expect((await again(id)).tally).toMatchObject({ deleted: 0, unchanged: 3 })
  expect(await names()).toEqual(['a.md', 'c.md', 'd.md'])
  await take('b.md')
  expect((await again(id)).tally).toMatchObject({ deleted: 1 })
  expect(await names()).toEqual(['c.md', 'd.md'])
})

test('one of two equal files that changes goes its own way and leaves the other’s words', async () => {
  await put('a.md', 'the same')
  await put('b.md', 'the same')
  const id = await addSource('folder', { path: folder })
  await run(id)
  await put('a.md', 'different now')
  await again(id)
  expect(await names()).toHaveLength(2)
  const { documents: rows } = await listDocuments(home.viewers.admin)
  expect(rows.map(({ version }) => version)).toEqual([1, 1])
})

test('a document that a person uploaded stays when the source no longer has the same', async () => {
  await upload('mine.md', 'known already')
  await put('theirs.md', 'known already')
  await put('other.md', 'other')
  await put('third.md', 'third')
  const id = await addSource('folder', { path: folder })
  await run(id)
  expect(await names()).toEqual(['mine.md', 'other.md', 'third.md'])
  await take('theirs.md')
  await again(id)
  expect(await names()).toEqual(['mine.md', 'other.md', 'third.md'])
})

test('a renamed file is still one document', async () => {
  await put('old.md', 'content')
  await put('other.md', 'other')
  const id = await addSource('folder', { path: folder })
  await run(id)
  await rename(join(folder, 'old.md'), join(folder, 'new.md'))
  await again(id)
  expect(await names()).toHaveLength(2)
  expect((await stateOf(id)).documents).toBe(2)
})

test('more than half of the documents is deleted only when a person has said so, and no more than that', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await put(`${name}.md`, name)
  const id = await addSource('folder', { path: folder })
  await run(id)
  for (const name of ['a', 'b', 'c']) await take(`${name}.md`)
  expect(await again(id)).toMatchObject({
    state: 'failed',
    failure: expect.stringContaining('3 of 4 documents'),
    tally: { ...tally, unchanged: 1, gone: 3 },
  })
  expect(await names()).toHaveLength(4)
  await take('d.md')
  expect(await again(id, 3)).toMatchObject({ state: 'failed', tally: { gone: 4 } })
  expect(await names()).toHaveLength(4)
  expect(await again(id, 4)).toMatchObject({ state: 'idle', tally: { ...tally, deleted: 4 } })
  expect(await names()).toEqual([])
})

test('only what lies in an opened folder is read, and no link leads out of it', async () => {
  await writeFile(join(outside, 'secret.md'), 'secret')
  await expect(addSource('folder', { path: outside })).rejects.toMatchObject({ code: 'bad-request' })
  await expect(addSource('folder', { path: `${folder}/../../../etc` })).rejects.toMatchObject({ code: 'bad-request' })
  await put('open.md', 'open')
  await put('.hidden/note.md', 'hidden')
  await symlink(join(outside, 'secret.md'), join(folder, 'link.md'))
  await symlink(outside, join(folder, 'linked'))
  await run(await addSource('folder', { path: folder }))
  expect(await names()).toEqual(['open.md'])
  await symlink(outside, join(root, `way-out-${made}`))
  await expect(addSource('folder', { path: join(root, `way-out-${made}`) })).rejects.toThrow()
})

type Answer = { status?: number; body?: string; type?: string; etag?: string }

/** A small web site whose pages a test can change, and what it was asked. */
const openSite = async (pages: Record<string, Answer>) => {
  const asked: { path: string; agent: string | undefined; condition: string | undefined }[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const condition = request.headers['if-none-match']
    asked.push({ path, agent: request.headers['user-agent'], condition })
    const { status = 200, body = '', type = 'text/html', etag } = pages[path] ?? { status: 404 }
    if (etag && condition === etag) return void response.writeHead(304).end()
    response.writeHead(status, { 'content-type': type, ...(etag ? { etag } : {}) }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, asked, close: () => new Promise((resolve) => server.close(resolve)) }
}
const sitemapOf = (paths: readonly string[], url: string): string =>
  `<urlset>${paths.map((path) => `<url><loc>${url}${path}</loc></url>`).join('')}</urlset>`

test('a website is read by its sitemap; one page that fails is said in words, and unchanged ones are only asked about', async () => {
  const pages: Record<string, Answer> = {}
  const site = await openSite(pages)
  Object.assign(pages, {
    '/sitemap.xml': { body: sitemapOf(['/a/', '/b/', '/picture', '/broken'], site.url), type: 'application/xml' },
    '/a/': { body: '<p>Page a</p>', etag: '"a1"' },
    '/b/': { body: '<p>Page b</p>' },
    '/picture': { body: 'x', type: 'image/png' },
    '/broken': { status: 500 },
  })
  const id = await addSource('sitemap', { url: `${site.url}/sitemap.xml`, local: true })
  await run(id)
  const first = await stateOf(id)
  expect(first).toMatchObject({ state: 'idle', tally: { ...tally, added: 2, failed: 2 }, failuresTotal: 2 })
  expect(first.failures.map(({ reason }) => reason)).toEqual([
    'The server answered 500.',
    expect.stringContaining('type of file is not read'),
  ])
  expect(await names()).toEqual(['a.html', 'b.html'])
  expect(site.asked.every(({ agent }) => /^Footnote\/\d/.test(agent ?? ''))).toBe(true)

  site.asked.length = 0
  Object.assign(pages, { '/broken': { body: '<p>Mended</p>' }, '/picture': { status: 404 } })
  expect((await again(id)).tally).toEqual({ ...tally, added: 1, unchanged: 2 })
  expect(site.asked.find(({ path }) => path === '/a/')?.condition).toBe('"a1"')
  expect(await stateOf(id)).toMatchObject({ failuresTotal: 0, documents: 3 })
  await site.close()
})

test('a run that is broken off half-way deletes nothing and keeps what it has read', async () => {
  const pages: Record<string, Answer> = {}
  const site = await openSite(pages)
  const list = (paths: string[]): Answer => ({ body: sitemapOf(paths, site.url), type: 'application/xml' })
  Object.assign(pages, {
    '/sitemap.xml': list(['/a', '/b', '/c']),
    '/a': { body: 'a' },
    '/b': { body: 'b' },
    '/c': { body: 'c' },
    '/new': { body: 'new' },
  })
  const id = await addSource('sitemap', { url: `${site.url}/sitemap.xml`, local: true })
  await run(id)
  Object.assign(pages, { '/sitemap.xml': list(['/new', '/b']), '/b': { status: 429 } })
  expect(await again(id)).toMatchObject({
    state: 'failed',
    failure: expect.stringContaining('left alone'),
    documents: 4,
  })
  Object.assign(pages, { '/sitemap.xml': { status: 500 } })
  expect(await again(id)).toMatchObject({ state: 'failed', documents: 4 })
  await site.close()
  expect(await again(id)).toMatchObject({
    state: 'failed',
    failure: expect.stringMatching(/^The server (does not take connections|broke the connection off)/),
    documents: 4,
  })
})

test('an address of the own network is refused unless the source is marked so', async () => {
  const refused = { code: 'bad-request' }
  await expect(addSource('url', { url: 'http://127.0.0.1/' })).rejects.toMatchObject(refused)
  await expect(addSource('url', { url: 'http://169.254.169.254/', local: true })).rejects.toMatchObject(refused)
  await expect(addSource('url', { url: 'https://example.com:8080/' })).rejects.toMatchObject(refused)
  await expect(addSource('url', { url: 'file:///etc/passwd' })).rejects.toMatchObject(refused)
  await expect(addSource('url', { url: 'https://example.com/', secret: 1 })).rejects.toMatchObject(refused)
})

test('a run that was paused, replaced or deleted changes nothing from then on', async () => {
  for (const name of ['a', 'b', 'c']) await put(`${name}.md`, name)
  const id = await addSource('folder', { path: folder })
  const pausing: Intake = {
    ...intake,
    upload: async (viewer, file) => {
      const result = await uploadDocument(viewer, file)
      await pauseSource(home.viewers.admin, id)
      return result
    },
  }
  await runSource({ sourceId: id }, pausing, new AbortController().signal)
  expect(await stateOf(id)).toMatchObject({ state: 'idle', tally: null, everyMinutes: null })
  expect(await names()).toHaveLength(1)
  await runSource({ sourceId: id }, intake, new AbortController().signal)
  expect(await names()).toHaveLength(1)
  expect(await again(id)).toMatchObject({ state: 'idle', documents: 3 })
})

test('a run that was stopped with its worker is taken up again where it was', async () => {
  for (const name of ['a', 'b', 'c']) await put(`${name}.md`, name)
  const id = await addSource('folder', { path: folder })
  const stopping = new AbortController()
  const dying: Intake = {
    ...intake,
    upload: async (viewer, file) => {
      const result = await uploadDocument(viewer, file)
      if (file.name === 'b.md') stopping.abort(new Error('The worker is stopping'))
      return result
    },
  }
  await expect(runSource({ sourceId: id }, dying, stopping.signal)).rejects.toThrow('stopping')
  expect((await stateOf(id)).state).toBe('running')
  await run(id)
  const { tally: last, ...state } = await stateOf(id)
  expect(state).toMatchObject({ state: 'idle', documents: 3 })
  expect(last).toMatchObject({ deleted: 0, failed: 0 })
  expect(await names()).toEqual(['a.md', 'b.md', 'c.md'])
})

test('a source whose maker is no longer an admin does not run, until another admin saves it', async () => {
  await put('a.md', 'a')
  const id = await addSource('folder', { path: folder })
  const { db } = database.current()
  const { userId } = home.viewers.admin
  await db.update(memberships).set({ role: 'member' }).where(eq(memberships.userId, userId))
  await run(id)
  expect(await stateOf(id)).toMatchObject({ state: 'failed', failure: expect.stringContaining('no longer an admin') })
  const other = { ...home.viewers.reviewer, role: 'admin' as const }
  await db.update(memberships).set({ role: 'admin' }).where(eq(memberships.userId, other.userId))
  const { name, config, everyMinutes, kind } = await stateOf(id)
  await saveSource(other, { id, kind, name, config, everyMinutes, collection: { name: 'unused' } })
  await run(id)
  expect(await stateOf(id)).toMatchObject({ state: 'idle', documents: 1, maker: 'reviewer' })
})

test('a deleted source leaves its documents, or takes along those that it brought and no others', async () => {
  await upload('mine.md', 'mine')
  await put('a.md', 'a')
  const first = await addSource('folder', { path: folder })
  await run(first)
  await deleteSource(home.viewers.admin, first, 'keep')
  expect(await names()).toEqual(['a.md', 'mine.md'])
  const { db } = database.current()
  expect(
    await db
      .select()
      .from(documents)
      .where(and(eq(documents.workspaceId, home.workspaceId), isNull(documents.sourceId))),
  ).toHaveLength(2)

  await put('b.md', 'b')
  const second = await addSource('folder', { path: folder })
  await run(second)
  await deleteSource(home.viewers.admin, second, 'delete')
  await run(second, { remove: true })
  expect(await names()).toEqual(['a.md', 'mine.md'])
  expect((await listSources(home.viewers.admin)).sources).toEqual([])
  expect(await db.select().from(sourceItems).where(eq(sourceItems.sourceId, second))).toEqual([])
})

test('sources run when their time has come, and those of another workspace do not exist here', async () => {
  const id = await addSource('folder', { path: folder }, 60)
  await run(id)
  await queueDueRuns()
  expect((await stateOf(id)).state).toBe('idle')
  const { db } = database.current()
  await db
    .update(sources)
    .set({ lastStartedAt: new Date(Date.now() - 3_601_000) })
    .where(eq(sources.id, id))
  await queueDueRuns()
  expect((await stateOf(id)).state).toBe('queued')
  const stranger = await createTestWorkspace(database.current())
  expect((await listSources(stranger.viewers.admin)).sources).toEqual([])
  await expect(runSourceNow(stranger.viewers.admin, id)).rejects.toMatchObject({ code: 'not-found' })
  await expect(deleteSource(stranger.viewers.admin, id, 'delete')).rejects.toMatchObject({ code: 'not-found' })
})
