/** Every way to the bytes of a file, while the virus scanner has not let it through and after it has. */
import '#ingestion/fixtures/scratch.ts'
import '#ingestion/fixtures/clamd-address.ts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { sql } from '#db/client.ts'
import { insertReindexVersions } from '#db/queries/documents.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { eicar, type Manner, startClamd, type TestClamd } from '#ingestion/fixtures/clamd.ts'
import { clamdPath } from '#ingestion/fixtures/clamd-address.ts'
import { ingestVersion } from '#ingestion/pipeline.ts'
import { previewChunks } from '#ingestion/preview-chunks.ts'
import { GET } from '../app/api/documents/versions/[versionId]/file/route.ts'
import { inRequest, origin, signedIn } from './auth/fixtures/request.ts'
import { listChangeable, listDocuments, uploadDocument } from './documents.ts'
import { unpackOwnArchive } from './fixtures/own-archive.ts'
import { closeGateway } from './gateway/index.ts'
import { closeQueue, openQueue } from './jobs.ts'
import { startChunkPreview } from './knowledge.ts'
import type { DocumentRow, IngestFailureCode, Stage } from './shared/admin-contract.ts'
import type { PublicError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'

// Before any other module: settings are read once, and Next.js wants to know that it runs in Node.
await vi.hoisted(async () => {
  vi.stubEnv('AUTH_SECRET', 'a secret of the tests that is long enough')
  const { AsyncLocalStorage } = await import('node:async_hooks')
  Object.assign(globalThis, { AsyncLocalStorage })
})

const test = withDatabase()
const never = new AbortController().signal
const words = 'Leave is thirty days a year.'

let clamd: TestClamd
let workspace: TestWorkspace
let browser: Headers
beforeAll(() => openQueue())
afterAll(async () => {
  await closeQueue(0)
  await closeGateway()
})
beforeEach(async () => {
  clamd = await startClamd(clamdPath)
  workspace = await createTestWorkspace(test.current())
  browser = await signedIn(test.current(), workspace.viewers.admin)
})
afterEach(() => clamd.close())

const upload = async (content = words): Promise<DocumentRow> => {
  const source = (async function* () {
    yield Buffer.from(content)
  })()
  const { collectionId, viewers } = workspace
  return (await uploadDocument(viewers.admin, { name: 'leave.txt', collectionId, source })).document
}
const read = (versionId: string, scans = 0): Promise<void> => ingestVersion(versionId, never, undefined, scans)
/** Uploaded, and looked at by a scanner of that manner. */
const uploadTo = async (manner: Manner, content = words): Promise<DocumentRow> => {
  const row = await upload(content)
  clamd.manner = manner
  await read(row.versionId, 14)
  clamd.manner = 'scans'
  return row
}
const rowOf = async ({ id }: DocumentRow): Promise<DocumentRow | undefined> =>
  (await listDocuments(workspace.viewers.admin)).documents.find((row) => row.id === id)

/** What each door answers: its bytes, or the status and words of its refusal. */
const fetchFile = async (versionId: string): Promise<string | [number, string]> => {
  const request = new Request(`${origin}/api/documents/versions/${versionId}/file`, { headers: browser })
  const answer = await inRequest(browser, () => GET(request, { params: Promise.resolve({ versionId }) }))
  if (answer.ok) return answer.text()
  const { error } = (await answer.json()) as { error: PublicError }
  return [answer.status, error.message]
}
const preview = async (versionId: string) => {
  const { admin: viewer } = workspace.viewers
  const wanted = { versionId, strategy: 'fixed' as const, targetTokens: 200 }
  const [asked, made] = await Promise.allSettled([
    startChunkPreview(viewer, wanted),
    // As by a run that was queued before.
    previewChunks(wanted, { viewer, signal: never, onProgress: async () => undefined }),
  ])
  const refusal = (one: PromiseSettledResult<unknown>) => (one.status === 'rejected' ? one.reason.publicMessage : null)
  return [refusal(asked), refusal(made)]
}
type About = { filesNotIncluded?: { documentId: string; version: number; name: string; why: string }[] }
/** The versions in the archive of the person's own data, and what it says of those that were left out. */
const takeAlong = async (): Promise<{ files: string[]; leftOut: [number, string][] }> => {
  const archive = await unpackOwnArchive(workspace.viewers.admin)
  const { filesNotIncluded = [] } = JSON.parse(archive.get('about.json') ?? '') as About
  return {
    files: [...archive.keys()].flatMap((name) => /^files\/.*\/(\d+-.*)$/.exec(name)?.[1] ?? []),
    leftOut: filesNotIncluded.map(({ version, why }) => [version, why]),
  }
}

const waiting = 'This file is still waiting for the virus scanner. Try again in a minute.'
const found = 'A virus was found in this file, so it is not handed out.'

describe('a file that the scanner has not let through', () => {
  it.each<[string, () => Promise<DocumentRow>, string]>([
    ['waits for its turn', () => upload(), waiting],
    [
      'waits for a scanner that is away',
      async () => {
        const row = await upload()
        clamd.manner = 'is-broken'
        await read(row.versionId)
        return row
      },
      waiting,
    ],
    [
      'waited too long',
      () => uploadTo('is-broken'),
      'The virus scanner has not looked at this file, so it is not handed out. Retry the document first.',
    ],
    [
      'is too large for it',
      () => uploadTo('looks-into-little'),
      'This file is too large for the virus scanner, so it is not handed out.',
    ],
    ['has a virus', () => uploadTo('scans', eicar), found],
  ])(
    'and that %s is neither downloaded, nor cut for a preview, nor taken along, and each says why',
    async (_, make, why) => {
      const row = await make()
      expect(await fetchFile(row.versionId)).toEqual([409, why])
      expect(await preview(row.versionId)).toEqual([why, why])
      expect(await takeAlong()).toEqual({ files: [], leftOut: [[1, why]] })
      expect(await rowOf(row)).toMatchObject({ fileHeld: why })
    },
  )

  it.each<[Stage, IngestFailureCode | null, boolean]>([
    ['queued', null, false],
    ['scanning', null, false],
    // An attempt that begins says so before its scan.
    ['parsing', null, false],
    ['recognising', null, false],
    ['failed', 'infected', false],
    ['failed', 'not-scanned', false],
    ['failed', 'too-large-to-scan', false],
    // Given up by the queue: nobody knows when.
    ['failed', 'internal', false],
    ['failed', 'damaged', true],
    ['failed', 'crashed', true],
  ])('stands %s (%s) without a text: handed out %s', async (stage, failureCode, isHandedOut) => {
    const { versionId } = await upload()
    await test
      .current()
      .db.execute(
        sql`update document_versions set stage = ${stage}, failure_code = ${failureCode} where id = ${versionId}`,
      )
    expect((await fetchFile(versionId)) === words).toBe(isHandedOut)
  })
})

describe('a file that the scanner has let through', () => {
  const readAnew = async ({ id }: DocumentRow): Promise<string> => {
    const made = await test
      .current()
      .db.transaction((tx) => insertReindexVersions(tx, workspace, { documentIds: [id], cause: 'reindex', newId }))
    expect(made).toHaveLength(1)
    return made[0] ?? ''
  }

  it('is handed out by each door, also while it waits to be read anew', async () => {
    const row = await uploadTo('scans')
    const again = await readAnew(row)
    for (const versionId of [row.versionId, again]) {
      expect(await fetchFile(versionId)).toBe(words)
      expect(await preview(versionId)).toEqual([null, null])
    }
    expect(await takeAlong()).toEqual({ files: ['1-leave.txt'], leftOut: [] })
    expect(await rowOf(row)).toMatchObject({ stage: 'queued', fileHeld: null })
  })

  it('speaks for itself alone: the next one of the document waits', async () => {
    const row = await uploadTo('scans')
    const next = await upload('Leave is thirty-one days a year.')
    expect([next.id, next.version]).toEqual([row.id, 2])
    expect([await fetchFile(row.versionId), await fetchFile(next.versionId)]).toEqual([words, [409, waiting]])
    expect(await takeAlong()).toEqual({ files: ['1-leave.txt'], leftOut: [[2, waiting]] })
  })

  it('is handed out no more when a better scanner finds a virus in it, whichever version is asked for', async () => {
    const row = await uploadTo('knows-better', eicar)
    expect(await fetchFile(row.versionId)).toBe(eicar)
    const again = await readAnew(row)
    await read(again)
    for (const versionId of [row.versionId, again]) expect(await fetchFile(versionId)).toEqual([409, found])
    expect(await preview(row.versionId)).toEqual([null, found])
    expect(await takeAlong()).toEqual({ files: [], leftOut: [[1, found]] })
  })

  it('is also one whose pages are pictures: it waits for their text, not for the scanner', async () => {
    const { versionId } = await upload()
    await test
      .current()
      .db.execute(sql`update document_versions set stage = 'parsing', picture_pages = '{1}' where id = ${versionId}`)
    expect(await fetchFile(versionId)).toBe(words)
  })
})

it('the page of documents names the virus to who may change them, and to nobody else', async () => {
  const row = await uploadTo('scans', eicar)
  const { admin, member } = workspace.viewers
  const reasons = ({ documents }: { documents: DocumentRow[] }) => documents.map(({ failure }) => failure?.reason)
  expect(reasons(await listChangeable(admin))).toEqual(['A virus was found in the file: Eicar-Test-Signature'])
  expect(reasons(await listDocuments(member))).toEqual(['A virus was found in the file; the audit log names it'])
  expect((await rowOf(row))?.stage).toBe('failed')
})
