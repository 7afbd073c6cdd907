import './fixtures/scratch.ts'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rows } from '#db/client.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { listDocuments, uploadDocument } from '#lib/documents.ts'
import { closeGateway } from '#lib/gateway/index.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { makeScannedPdf, makeTextPicture } from './fixtures/scan.ts'
import { ingestVersion } from './pipeline.ts'
import { recogniseVersion } from './recognise.ts'

const test = withDatabase()
const never = new AbortController().signal
const plan = ['Maintenance plan of the mill', 'The belt of pulley seven is tightened every 400 hours.']

let workspace: TestWorkspace
beforeAll(() => openQueue())
afterAll(async () => {
  await closeQueue(0)
  await closeGateway()
})
beforeEach(async () => {
  workspace = await createTestWorkspace(test.current())
})

const onlyRow = async (): Promise<DocumentRow> => {
  const [row] = (await listDocuments(workspace.viewers.admin)).documents
  if (!row) throw new Error('there is no document')
  return row
}
const ingest = async (name: string, bytes: Buffer): Promise<DocumentRow> => {
  const source = (async function* () {
    yield bytes
  })()
  const { collectionId } = workspace
  const { document } = await uploadDocument(workspace.viewers.admin, { name, collectionId, source })
  await ingestVersion(document.versionId, never)
  return onlyRow()
}
const textOf = async (versionId: string): Promise<string> => {
  const found = await rows<{ text: string }>(
    test.current().db,
    sql`select text from chunks where version_id = ${versionId} order by ordinal`,
  )
  return found.map(({ text }) => text).join('\n')
}

describe('text recognition', () => {
  it('a picture waits, is read, and answers with words that know their place on it', { timeout: 60_000 }, async () => {
    const waiting = await ingest('plan.png', makeTextPicture(plan))
    expect(waiting).toMatchObject({ stage: 'recognising', progress: { done: 0, total: 1, unit: 'pages' } })
    await recogniseVersion(waiting.versionId, never)
    await ingestVersion(waiting.versionId, never)
    const ready = await onlyRow()
    expect(ready).toMatchObject({ stage: 'ready', versionId: waiting.versionId })
    expect(await textOf(ready.versionId)).toContain('tightened every 400 hours')
    const [page] = await rows<{ text: string; x: number; y: number }>(
      test.current().db,
      sql`select substring(v.text from (b.box ->> 0)::int + 1 for (b.box ->> 1)::int - (b.box ->> 0)::int) as text,
            (b.box ->> 2)::float8 as x, (b.box ->> 3)::float8 as y
          from document_pages p join document_versions v on v.id = p.version_id, jsonb_array_elements(p.boxes) b (box)
          where p.version_id = ${ready.versionId} limit 1`,
    )
    expect(page?.text).toBe('Maintenance')
    expect(page?.x).toBeCloseTo(100 / 1_240, 1)
    expect(page?.y).toBeCloseTo(125 / 1_754, 1)
  })

  it('a document with both answers with its text at once, and with its pictures later', {
    timeout: 60_000,
  }, async () => {
    const first = await ingest('mixed.pdf', await makeScannedPdf(['The pump is blue.', plan]))
    expect(first).toMatchObject({ stage: 'ready', version: 1 })
    expect(await textOf(first.versionId)).toBe('The pump is blue.')
    await recogniseVersion(first.versionId, never)
    const next = await onlyRow()
    expect(next).toMatchObject({ version: 2, earlierVersionServes: true })
    await ingestVersion(next.versionId, never)
    const ready = await onlyRow()
    expect(ready).toMatchObject({ stage: 'ready', earlierVersionServes: false, pages: 2 })
    expect(await textOf(ready.versionId)).toMatch(/The pump is blue\.[\s\S]*400 hours/)
  })

  it('reads no page twice, and a picture without words says so', { timeout: 60_000 }, async () => {
    const waiting = await ingest('empty.png', makeTextPicture([]))
    await recogniseVersion(waiting.versionId, never)
    const startedMs = performance.now()
    await recogniseVersion(waiting.versionId, never)
    // Reading takes a second and more: this found everything read.
    expect(performance.now() - startedMs).toBeLessThan(400)
    await ingestVersion(waiting.versionId, never)
    expect(await onlyRow()).toMatchObject({ stage: 'failed', failure: { code: 'no-text' } })
  })
})
