import './fixtures/scratch.ts'
import './fixtures/clamd-address.ts'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { rows, sql } from '#db/client.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import {
  attachDocument,
  deleteDocument,
  getVersionText,
  listDocuments,
  openVersionFile,
  retryDocument,
  uploadDocument,
} from '#lib/documents.ts'
import { closeGateway } from '#lib/gateway/index.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { findLockedBlob } from '#lib/storage.ts'
import { eicar, startClamd, type TestClamd } from './fixtures/clamd.ts'
import { clamdPath } from './fixtures/clamd-address.ts'
import { ingestVersion } from './pipeline.ts'

const test = withDatabase()
const never = new AbortController().signal

let clamd: TestClamd
let workspace: TestWorkspace
beforeAll(() => openQueue())
afterAll(async () => {
  await closeQueue(0)
  await closeGateway()
})
beforeEach(async () => {
  clamd = await startClamd(clamdPath)
  workspace = await createTestWorkspace(test.current())
})
afterEach(() => clamd.close())

const rowsOf = async (): Promise<DocumentRow[]> => (await listDocuments(workspace.viewers.admin)).documents
const rowOf = async (documentId: string): Promise<DocumentRow> => {
  const row = (await rowsOf()).find(({ id }) => id === documentId)
  if (!row) throw new Error('the document is gone')
  return row
}
const upload = async (name: string, content: string): Promise<DocumentRow> => {
  const source = (async function* () {
    yield Buffer.from(content)
  })()
  const { collectionId, viewers } = workspace
  return (await uploadDocument(viewers.admin, { name, collectionId, source })).document
}
const read = async ({ id, versionId }: DocumentRow, scans = 0): Promise<DocumentRow> => {
  await ingestVersion(versionId, never, attachDocument, scans)
  return rowOf(id)
}
/** That nothing of it was read: no text, no passage. */
const expectUnread = async ({ versionId }: DocumentRow): Promise<void> => {
  await expect(getVersionText(workspace.viewers.admin, versionId)).rejects.toMatchObject({ code: 'not-found' })
  expect(await rows(test.current().db, sql`select id from chunks where version_id = ${versionId}`)).toEqual([])
}
const openFile = ({ versionId }: DocumentRow) => openVersionFile(workspace.viewers.admin, versionId)
const blobKeyOf = async ({ versionId }: DocumentRow): Promise<string> => {
  const found = await rows<{ key: string }>(
    test.current().db,
    sql`select blob_key as key from document_versions where id = ${versionId}`,
  )
  return found[0]?.key ?? ''
}
const jobsAhead = (versionId: string) =>
  rows<{ waitSeconds: number; scans: number }>(
    test.current().db,
    sql`select extract(epoch from start_after - now())::float as "waitSeconds", (data->>'scans')::int as scans from pgboss.job
        where name = 'document.ingest' and data->>'versionId' = ${versionId} and start_after > now()`,
  )

it('a clean file is scanned and then read', async () => {
  const row = await read(await upload('leave.txt', 'Leave is thirty days a year.'))
  expect(row).toMatchObject({ stage: 'ready', failure: null })
  expect(clamd.received.map(String)).toEqual(['Leave is thirty days a year.'])
})

it('the EICAR file is refused, locked away and told of in the audit log, and deleted with its document', async () => {
  const row = await read(await upload('harmless.txt', eicar))
  expect(row).toMatchObject({ stage: 'failed', failure: { code: 'infected' } })
  await expectUnread(row)
  await expect(openFile(row)).rejects.toMatchObject({ code: 'conflict' })
  const lines = await rows(
    test.current().db,
    sql`select details->>'virus' as virus, actor_id as actor from audit_log
        where event = 'document.infected' and object_id = ${row.id}`,
  )
  expect(lines).toEqual([{ virus: 'Eicar-Test-Signature', actor: null }])
  const key = await blobKeyOf(row)
  expect(await findLockedBlob(key)).toBeDefined()
  await deleteDocument(workspace.viewers.admin, row.id)
  expect(await findLockedBlob(key)).toBeUndefined()
})

it('after a false alarm the file is scanned again on request, and is back when it is clean', async () => {
  const row = await read(await upload('harmless.txt', eicar))
  expect(await read(await retryDocument(workspace.viewers.admin, row.id))).toMatchObject({
    failure: { code: 'infected' },
  })
  clamd.manner = 'knows-better'
  expect(await read(await retryDocument(workspace.viewers.admin, row.id))).toMatchObject({ stage: 'ready' })
  const { stream } = await openFile(row)
  expect(await new Response(stream).text()).toBe(eicar)
})

it('what is attached to a clean message is refused by itself', async () => {
  const mail = `From: ada@example.org
Subject: Invoice
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

See below.
--b
Content-Type: text/plain
Content-Disposition: attachment; filename="invoice.txt"
Content-Transfer-Encoding: base64

${Buffer.from(eicar).toString('base64')}
--b--
`
  expect(await read(await upload('mail.eml', mail.replaceAll('\n', '\r\n')))).toMatchObject({ stage: 'ready' })
  const attached = (await rowsOf()).find(({ name }) => name.endsWith('invoice.txt'))
  if (!attached) throw new Error('nothing was attached')
  expect(await read(attached)).toMatchObject({ stage: 'failed', failure: { code: 'infected' } })
  await expectUnread(attached)
})

it('while the scanner is away a document waits, unread, and is read when it is back', async () => {
  const row = await upload('leave.txt', 'Leave is thirty days a year.')
  await clamd.close()
  const waiting = await read(row)
  expect(waiting).toMatchObject({ stage: 'queued', failure: { code: 'not-scanned' } })
  await expectUnread(row)
  const [job, ...others] = await jobsAhead(row.versionId)
  expect(job?.waitSeconds).toBeLessThan(60)
  expect(others).toEqual([])
  clamd = await startClamd(clamdPath)
  expect(await read(row)).toMatchObject({ stage: 'ready', failure: null })
})

it('when the scanner is away for good a document says so, unread, until a person tries again', async () => {
  const row = await upload('leave.txt', 'Leave is thirty days a year.')
  clamd.manner = 'is-broken'
  expect(await read(row, 14)).toMatchObject({ stage: 'failed', failure: { code: 'not-scanned' } })
  await expectUnread(row)
  expect(await jobsAhead(row.versionId)).toEqual([])
  clamd.manner = 'scans'
  expect(await read(await retryDocument(workspace.viewers.admin, row.id))).toMatchObject({ stage: 'ready' })
})

it('it waits anew when a person tries again, and attempts that ended otherwise take nothing of its patience', async () => {
  const row = await upload('leave.txt', 'Leave is thirty days a year.')
  await test.current().db.execute(sql`update document_versions set attempt = 40 where id = ${row.versionId}`)
  clamd.manner = 'is-broken'
  expect(await read(row)).toMatchObject({ stage: 'queued', failure: { code: 'not-scanned' } })
  expect(await read(row, 14)).toMatchObject({ stage: 'failed' })
  expect(await read(await retryDocument(workspace.viewers.admin, row.id))).toMatchObject({ stage: 'queued' })
  expect((await jobsAhead(row.versionId)).map(({ scans }) => scans)).toEqual([1, 1])
})

it('while it is scanned a document says so', async () => {
  const row = await upload('leave.txt', 'Leave is thirty days a year.')
  clamd.manner = 'says-nothing'
  const stop = new AbortController()
  const reading = ingestVersion(row.versionId, stop.signal)
  await expect.poll(async () => (await rowOf(row.id)).stage).toBe('scanning')
  stop.abort(new Error('stopping'))
  await expect(reading).rejects.toThrow('stopping')
  expect(await rowOf(row.id)).toMatchObject({ stage: 'queued', failure: null })
})

it('a file that is too large for the scanner is not read', async () => {
  clamd.manner = 'takes-little'
  const row = await read(await upload('long.txt', 'Leave is thirty days a year. '.repeat(10_000)))
  expect(row).toMatchObject({ stage: 'failed', failure: { code: 'too-large-to-scan' } })
  await expectUnread(row)
})
