import './fixtures/scratch.ts'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rows } from '#db/client.ts'
import { claimVersion, insertChunks, insertPages, setProgress } from '#db/queries/ingest.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import {
  deleteDocument,
  getVersionText,
  listDocuments,
  openVersionFile,
  receiveUpload,
  retryDocument,
  uploadDocument,
} from '#lib/documents.ts'
import { env } from '#lib/env.ts'
import { closeGateway } from '#lib/gateway/index.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import type { DocumentRow, UploadResult } from '#lib/shared/admin-contract.ts'
import { uploadBytesMax } from '#lib/shared/admin-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { makeDocx, makeZipBomb } from './fixtures/docx.ts'
import { makeEncryptedPdf, makeLongPdf, makePdf, paragraphLines } from './fixtures/pdf.ts'
import { ingestVersion } from './pipeline.ts'

const test = withDatabase()
const never = new AbortController().signal

let workspace: TestWorkspace
beforeAll(() => openQueue())
afterAll(async () => {
  await closeQueue(0)
  await closeGateway()
})
beforeEach(async () => {
  workspace = await createTestWorkspace(test.current())
})

const bytesOf = async function* (content: string | Buffer) {
  yield Buffer.from(content)
}
const upload = (name: string, content: string | Buffer): Promise<UploadResult> =>
  uploadDocument(workspace.viewers.admin, {
    name,
    collectionId: workspace.collectionId,
    source: bytesOf(content),
  })
const rowOf = async (documentId: string): Promise<DocumentRow | undefined> =>
  (await listDocuments(workspace.viewers.admin)).documents.find(({ id }) => id === documentId)

/** Uploads and reads at once, as a worker would. */
const ingest = async (name: string, content: string | Buffer): Promise<DocumentRow> => {
  const { document } = await upload(name, content)
  await ingestVersion(document.versionId, never)
  const row = await rowOf(document.id)
  if (!row) throw new Error(`${name} is gone`)
  return row
}

type StoredChunk = {
  ordinal: number
  text: string
  start: number
  hash: string
  vector: string | null
  postings: number
}
const chunksOf = (versionId: string): Promise<StoredChunk[]> =>
  rows<StoredChunk>(
    test.current().db,
    sql`select c.ordinal, c.text, c.char_start as start, c.content_hash as hash,
          (select v.embedding::text from chunk_vectors v where v.chunk_id = c.id) as vector,
          (select count(*)::int from postings p where p.chunk_id = c.id) as postings
        from chunks c where c.version_id = ${versionId} order by c.ordinal`,
  )
const countBlobs = async (): Promise<number> => {
  const all = await readdir(join(env().dataDir, 'blobs'), { recursive: true, withFileTypes: true }).catch(() => [])
  return all.filter((entry) => entry.isFile()).length
}

/** A policy with sections long enough to be passages of their own. */
const policy = (sections: readonly string[]): string =>
  `# Policy\n\n${sections.map((text, index) => `## Section ${index + 1}\n\n${text}`).join('\n\n')}\n`

describe('ingestion', () => {
  it.each<[string, () => string | Buffer | Promise<Buffer>, string]>([
    ['a.txt', () => 'Leave is thirty days a year.', 'thirty days'],
    ['a.md', () => '# Leave\n\nLeave is **thirty** days a year.', 'thirty days'],
    ['a.html', () => '<h1>Leave</h1><p>Leave is <b>thirty</b> days a year.</p>', 'thirty days'],
    ['a.csv', () => 'Country,Days\nFrance,32\n', 'Country: France; Days: 32'],
    ['a.docx', makeDocx, 'France | 32'],
    ['a.pdf', () => makePdf([paragraphLines(['Leave is thirty days a year.'], 600)]), 'thirty days'],
  ])('%s becomes passages that are stretches of its text, found by word and by meaning', async (name, make, phrase) => {
    const row = await ingest(name, await make())
    expect(row).toMatchObject({ stage: 'ready', failure: null, pages: name === 'a.pdf' ? 1 : null })
    const { text } = await getVersionText(workspace.viewers.member, row.versionId)
    const chunks = await chunksOf(row.versionId)
    expect(chunks.some((chunk) => chunk.text.includes(phrase))).toBe(true)
    for (const chunk of chunks) {
      expect(chunk.text).toBe(text.slice(chunk.start, chunk.start + chunk.text.length))
      expect(chunk.vector).not.toBeNull()
      expect(chunk.postings).toBeGreaterThan(0)
    }
  })

  it.each<[string, string, () => string | Buffer | Promise<Buffer>, string]>([
    ['nothing', 'a.pdf', () => '', 'empty'],
    ['white space', 'a.txt', () => ' \n', 'no-text'],
    ['half a PDF', 'a.pdf', async () => (await makePdf([paragraphLines(['Words'], 600)])).subarray(0, 80), 'damaged'],
    ['half a Word file', 'a.docx', async () => (await makeDocx()).subarray(0, 2_000), 'damaged'],
    ['a PDF with a password', 'a.pdf', makeEncryptedPdf, 'encrypted'],
    ['twenty thousand pages', 'a.pdf', () => makeLongPdf(20_000), 'too-many-pages'],
    ['a Word file called PDF', 'a.pdf', makeDocx, 'wrong-type'],
    ['a zip bomb called Word', 'a.docx', () => makeZipBomb(12_000_000), 'unpacks-too-large'],
  ])('%s is kept as a document that says why it cannot be read', async (_, name, make, code) => {
    const row = await ingest(name, await make())
    expect(row).toMatchObject({ stage: 'failed', failure: { code } })
    expect(await chunksOf(row.versionId)).toEqual([])
  })

  it('a changed file is a new version in which unchanged passages keep their vectors', async () => {
    const long = (topic: string): string => `${topic} is decided by the board. `.repeat(30).trim()
    const first = await ingest('policy.md', policy([long('Leave'), long('Travel'), long('Training')]))
    const before = await chunksOf(first.versionId)
    const second = await ingest('policy.md', policy([long('Leave'), long('Housing'), long('Training')]))
    expect(second).toMatchObject({ id: first.id, version: 2, stage: 'ready' })
    const after = await chunksOf(second.versionId)
    const kept = after.filter(({ hash }) => before.some((chunk) => chunk.hash === hash))
    expect(second.chunksReused).toBe(kept.length)
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.length).toBeLessThan(after.length)
    for (const chunk of kept) expect(chunk.vector).toBe(before.find(({ hash }) => hash === chunk.hash)?.vector)
    // The old version is no longer searched, and can still be read by who follows an old citation.
    expect(await chunksOf(first.versionId)).toEqual([])
    expect((await getVersionText(workspace.viewers.member, first.versionId)).text).toContain('Travel is decided')
  })

  it('an earlier version answers while a newer one cannot be read', async () => {
    const first = await ingest('policy.txt', 'The limit is forty euros.')
    const second = await ingest('policy.txt', ' ')
    expect(second).toMatchObject({ id: first.id, stage: 'failed', earlierVersionServes: true })
    expect(await chunksOf(first.versionId)).toHaveLength(1)
  })

  it('an attempt that dies half-way leaves what a clean run replaces with the same passages', async () => {
    const content = policy(Array.from({ length: 12 }, (_, index) => `Rule ${index} is written here. `.repeat(25)))
    const clean = await chunksOf((await ingest('clean.md', content)).versionId)
    const { document } = await upload('killed.md', `${content} `)
    const { db } = test.current()
    const dead = await claimVersion(db, document.versionId)
    if (!dead) throw new Error('no claim')
    await insertPages(db, dead, [{ page: 1, charStart: 0, charEnd: 5, boxes: [] }])
    const half = {
      text: 'half',
      charStart: 0,
      charEnd: 4,
      headingPath: [],
      context: '',
      pageFrom: 1,
      pageTo: 1,
      tokens: 1,
    }
    await insertChunks(db, dead, 'none', [{ ...half, ordinal: 0, contentHash: 'x', vector: null }])
    await setProgress(db, dead, { stage: 'embedding', done: 1, total: 9 })

    await ingestVersion(document.versionId, never)
    const again = await chunksOf(document.versionId)
    const shape = ({ ordinal, text, start, hash, postings }: StoredChunk) => ({ ordinal, text, start, hash, postings })
    expect(again.map(shape)).toEqual(clean.map(shape))
    expect(await rowOf(document.id)).toMatchObject({ stage: 'ready', chunks: clean.length })

    // Taken for dead, it wakes up: nothing it writes is kept.
    expect(await insertChunks(db, dead, 'none', [{ ...half, ordinal: 99, contentHash: 'y', vector: null }])).toBe(false)
    expect(await insertPages(db, dead, [{ page: 9, charStart: 0, charEnd: 5, boxes: [] }])).toBe(false)
    expect(await setProgress(db, dead, { stage: 'embedding', done: 1, total: 9 })).toBe(false)
    expect((await chunksOf(document.versionId)).length).toBe(clean.length)
  })

  it('stopped in the middle, it waits for its next turn', async () => {
    const { document } = await upload('later.txt', 'Some words to read later.')
    const stop = new AbortController()
    stop.abort(new Error('stopping'))
    await expect(ingestVersion(document.versionId, stop.signal)).rejects.toThrow('stopping')
    expect(await rowOf(document.id)).toMatchObject({ stage: 'queued', failure: null })
    await ingestVersion(document.versionId, never)
    expect(await rowOf(document.id)).toMatchObject({ stage: 'ready' })
  })

  it('a document that was deleted meanwhile ends its job quietly', async () => {
    const { document } = await upload('gone.txt', 'Soon gone.')
    await deleteDocument(workspace.viewers.admin, document.id)
    await expect(ingestVersion(document.versionId, never)).resolves.toBeUndefined()
  })
})

/** The form as bytes, as a server gets it. */
const requestOf = async (form: FormData): Promise<Request> => {
  const encoded = new Response(form)
  const headers = { 'content-type': encoded.headers.get('content-type') ?? '' }
  return new Request('http://localhost/api/documents', { method: 'POST', headers, body: await encoded.arrayBuffer() })
}

describe('uploads', () => {
  it('the same file twenty times at once is one document with one stored file', async () => {
    const before = await countBlobs()
    const results = await Promise.all(Array.from({ length: 20 }, () => upload('same.txt', 'The same words.')))
    expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
    expect(results.filter(({ outcome }) => outcome === 'already-there')).toHaveLength(19)
    expect(new Set(results.map(({ document }) => document.id)).size).toBe(1)
    expect((await listDocuments(workspace.viewers.admin)).documents).toHaveLength(1)
    expect((await countBlobs()) - before).toBe(1)
  })

  it('refuses a file over the limit while it arrives and keeps nothing of it', async () => {
    const before = await countBlobs()
    let sent = 0
    const endless = (async function* () {
      const part = Buffer.alloc(1_048_576, 'x')
      for (;;) {
        sent += part.length
        yield part
      }
    })()
    const { collectionId } = workspace
    await expect(
      uploadDocument(workspace.viewers.admin, { name: 'big.txt', collectionId, source: endless }),
    ).rejects.toMatchObject({
      code: 'file-too-large',
    })
    expect(sent).toBeLessThan(uploadBytesMax + 8 * 1_048_576)
    expect((await listDocuments(workspace.viewers.admin)).documents).toEqual([])
    expect(await countBlobs()).toBe(before)
  })

  it('refuses a type that is not read, by its name', async () =>
    await expect(upload('sheet.xls', 'x')).rejects.toMatchObject({ code: 'unsupported-type' }))

  it('shows a name without paths or characters that deceive', async () => {
    const { document } = await upload('../../etc/\u202egnp.exe\u0000 notes.txt', 'Words.')
    expect(document.name).toBe('gnp.exe notes.txt')
  })

  it('a failed document is read again on request, one that works is not', async () => {
    const failed = await ingest('empty.txt', '')
    expect(await retryDocument(workspace.viewers.admin, failed.id)).toMatchObject({ stage: 'queued', failure: null })
    const ready = await ingest('fine.txt', 'Fine words.')
    await expect(retryDocument(workspace.viewers.admin, ready.id)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('a deleted document leaves no passage, no posting and no file', async () => {
    const before = await countBlobs()
    const row = await ingest('secret.txt', 'The secret word is cormorant.')
    await deleteDocument(workspace.viewers.admin, row.id)
    expect(await rowOf(row.id)).toBeUndefined()
    expect(await chunksOf(row.versionId)).toEqual([])
    const [left] = await rows<{ count: number }>(
      test.current().db,
      sql`select count(*)::int as count from postings where workspace_id = ${workspace.workspaceId}`,
    )
    expect(left?.count).toBe(0)
    expect(await countBlobs()).toBe(before)
  })

  it('what another workspace has does not exist', async () => {
    const row = await ingest('ours.txt', 'Our words.')
    const { viewers } = await createTestWorkspace(test.current())
    const stranger = viewers.admin
    const missing = { code: 'not-found' }
    await expect(deleteDocument(stranger, row.id)).rejects.toMatchObject(missing)
    await expect(retryDocument(stranger, row.id)).rejects.toMatchObject(missing)
    await expect(openVersionFile(stranger, row.versionId)).rejects.toMatchObject(missing)
    await expect(getVersionText(stranger, row.versionId)).rejects.toMatchObject(missing)
    const { collectionId } = workspace
    await expect(uploadDocument(stranger, { name: 'x.txt', collectionId, source: bytesOf('x') })).rejects.toMatchObject(
      missing,
    )
    expect((await listDocuments(stranger)).documents).toEqual([])
  })

  it.each<[string, (form: FormData) => void, string]>([
    ['without a file', (form) => form.append('collection', 'Handbook'), 'bad-request'],
    [
      'into a collection that is not there',
      (form) => {
        form.append('collectionId', newId())
        form.append('file', new File(['x'], 'x.txt'))
      },
      'not-found',
    ],
  ])('a request %s is refused', async (_, fill, code) => {
    const form = new FormData()
    fill(form)
    const request = await requestOf(form)
    await expect(receiveUpload(workspace.viewers.admin, request)).rejects.toMatchObject({ code })
  })

  it.each([
    ['no form at all', 'text/plain', 'hello'],
    [
      'a form that breaks off',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf',
    ],
  ])('%s is refused and leaves nothing', async (_, type, body) => {
    const before = await countBlobs()
    const request = new Request('http://localhost/api/documents', {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    await expect(receiveUpload(workspace.viewers.admin, request)).rejects.toMatchObject({ code: 'bad-request' })
    expect((await listDocuments(workspace.viewers.admin)).documents).toEqual([])
    expect(await countBlobs()).toBe(before)
  })

  it('takes a file from a form into the collection that it names', async () => {
    const form = new FormData()
    form.append('collection', 'Handbook')
    form.append('file', new File(['Words in a form.'], 'form.txt'))
    const request = await requestOf(form)
    const { outcome, document } = await receiveUpload(workspace.viewers.admin, request)
    expect(outcome).toBe('created')
    expect(document).toMatchObject({ name: 'form.txt', collection: { name: 'Handbook' }, bytes: 16 })
    const { stream } = await openVersionFile(workspace.viewers.member, document.versionId)
    expect(await new Response(stream).text()).toBe('Words in a form.')
  })
})
