import '../ingestion/fixtures/scratch.ts'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { deleteDocument, listDocuments, uploadDocument } from '#lib/documents.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { createIngest } from './command-ingest.ts'
import type { Connection } from './connect.ts'
import { lookAt, memoryPath, recall, remember, type WatchedFiles } from './watched-files.ts'

const database = withDatabase()
let home: TestWorkspace
let folder: string
let uploads: string[]

beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
beforeEach(async () => {
  home = await createTestWorkspace(database.current())
  folder = await mkdtemp(join(tmpdir(), 'footnote-watch-'))
  uploads = []
  return () => rm(folder, { recursive: true })
})

/** The product without its worker: what was stored counts as read, so that nobody waits. */
const storeOf = (): Pick<Connection, 'upload' | 'listDocuments' | 'deleteDocument'> => {
  const viewer = home.viewers.admin
  const read = async () => (await listDocuments(viewer)).documents.map((row) => ({ ...row, stage: 'ready' as const }))
  return {
    upload: async ({ name, path }) => {
      uploads.push(name)
      return uploadDocument(viewer, { name, collectionId: home.collectionId, source: createReadStream(path) })
    },
    listDocuments: read,
    deleteDocument: (id) => deleteDocument(viewer, id),
  }
}
const put = async (path: string, text: string): Promise<void> => {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(join(folder, path), text)
}
const names = async () => (await listDocuments(home.viewers.admin)).documents.map(({ name }) => name).sort()
const start = (known: WatchedFiles = new Map()) => {
  const watcher = createIngest(storeOf(), undefined, known)
  return { ...watcher, known, look: async () => watcher.keepUp(await lookAt([folder])) }
}

test('files that come, change, are renamed and go are followed, and what is as it was is not uploaded again', async () => {
  await put('a.md', 'one')
  await put('b.md', 'two')
  const { look, tally } = start()
  expect(await look()).toBe(true)
  expect(await names()).toEqual(['a.md', 'b.md'])
  expect(await look()).toBe(false)
  await utimes(join(folder, 'a.md'), new Date(), new Date())
  expect(await look()).toBe(false)
  expect(uploads).toHaveLength(2)

  await put('a.md', 'one, changed')
  await put('c.md', 'three')
  await rename(join(folder, 'b.md'), join(folder, 'd.md'))
  await look()
  expect(await names()).toEqual(['a.md', 'c.md', 'd.md'])
  await rm(join(folder, 'c.md'))
  await look()
  expect(await names()).toEqual(['a.md', 'd.md'])
  expect(tally).toMatchObject({ deleted: 2, failed: 0 })
})

test('a restart uploads nothing again, brings what was deleted on the server, and deletes what went meanwhile', async () => {
  for (const name of ['a', 'b', 'c']) await put(`${name}.md`, name)
  const memory = memoryPath(folder, [folder], undefined)
  const first = start()
  await first.look()
  await remember(memory, first.known)
  await rm(join(folder, 'a.md'))
  const { documents } = await listDocuments(home.viewers.admin)
  await deleteDocument(home.viewers.admin, documents.find(({ name }) => name === 'b.md')?.id ?? '')
  uploads = []

  const known = await recall(memory)
  await rm(memory)
  const second = start(known)
  await second.checkServer()
  await second.look()
  expect(uploads).toEqual(['b.md'])
  expect(await names()).toEqual(['b.md', 'c.md'])
})

test('a document that was there before is not deleted with the file that is the same', async () => {
  await put('a.md', 'known')
  await uploadDocument(home.viewers.admin, {
    name: 'mine.md',
    collectionId: home.collectionId,
    source: createReadStream(join(folder, 'a.md')),
  })
  const { look } = start()
  await look()
  await rm(join(folder, 'a.md'))
  await look()
  expect(await names()).toEqual(['mine.md'])
})

test('files of one name in different folders are different documents, and equal bytes stay as long as one file does', async () => {
  await put('readme.md', 'top')
  await put('docs/readme.md', 'of the docs')
  await put('x.md', 'the same')
  await put('y.md', 'the same')
  const { look } = start()
  await look()
  expect(await names()).toContain('readme (docs).md')
  expect(await names()).toHaveLength(3)
  await rm(join(folder, 'x.md'))
  await look()
  expect(await names()).toHaveLength(3)
  await rm(join(folder, 'y.md'))
  await look()
  expect(await names()).toEqual(['readme (docs).md', 'readme.md'])
})

test('of two equal files the one that changes does not take the other’s words along', async () => {
  await put('x.md', 'the same')
  await put('y.md', 'the same')
  const { look } = start()
  await look()
  for (const name of ['x.md', 'y.md']) {
    await put(name, `changed ${name}`)
    await look()
    await look()
    expect(await names()).toEqual(['x.md', 'y.md'])
  }
  await put('x.md', 'changed y.md')
  await look()
  expect(await names()).toEqual(['y.md'])
})

test('a memory that cannot be read is no memory', async () => {
  const path = join(folder, 'memory.json')
  await writeFile(path, '{"a": {"name": 1}}')
  expect(await recall(path)).toEqual(new Map())
  await expect(lookAt([join(folder, 'nowhere')])).rejects.toThrow()
})
