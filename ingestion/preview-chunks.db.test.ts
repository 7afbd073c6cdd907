import './fixtures/scratch.ts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { uploadDocument } from '#lib/documents.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import type { ChunkPreviewInput } from '#lib/shared/knowledge-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { previewChunks } from './preview-chunks.ts'

const test = withDatabase()
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))

const upload = async ({ viewers, collectionId }: TestWorkspace, name: string, text: string): Promise<string> => {
  const source = (async function* () {
    yield Buffer.from(text)
  })()
  return (await uploadDocument(viewers.admin, { name, collectionId, source })).document.versionId
}
const preview = (viewer: Viewer, wanted: ChunkPreviewInput) =>
  previewChunks(wanted, { viewer, signal: new AbortController().signal, onProgress: async () => undefined })

it('reads the file once more and cuts it to the size that is asked for', async () => {
  const workspace = await createTestWorkspace(test.current())
  const { admin } = workspace.viewers
  const paragraphs = Array.from(
    { length: 40 },
    (_, at) =>
      `Valve ${at} opens at ${at} bar. It is checked by two people every morning, before the pumps are started.`,
  )
  const versionId = await upload(workspace, 'valves.md', `# Valves\n\n${paragraphs.join('\n\n')}\n`)
  const [small, large] = [
    await preview(admin, { versionId, strategy: 'fixed', targetTokens: 80 }),
    await preview(admin, { versionId, strategy: 'fixed', targetTokens: 400 }),
  ]
  expect(small.figures.passages).toBeGreaterThan(large.figures.passages)
  expect(small.figures.maxTokens).toBeLessThan(large.figures.meanTokens)
  expect(small.passages).toHaveLength(small.figures.passages)
  expect(small.sameBorders).toBe(0)
})

it('says in words why a file cannot be read, and finds nothing of another workspace', async () => {
  const [mine, theirs] = [await createTestWorkspace(test.current()), await createTestWorkspace(test.current())]
  const versionId = await upload(theirs, 'broken.docx', 'this is no archive at all')
  const wanted: ChunkPreviewInput = { versionId, strategy: 'auto', targetTokens: 260 }
  await expect(preview(theirs.viewers.admin, wanted)).rejects.toMatchObject({
    code: 'bad-request',
    publicMessage: expect.stringContaining('. '),
  })
  await expect(preview(mine.viewers.admin, wanted)).rejects.toMatchObject({ code: 'not-found' })
})
