import { describe, expect, it } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { describeDocument, listDocuments } from '#lib/documents.ts'
import { openQueue } from '#lib/jobs.ts'
import { describeVersion } from './describe.ts'
import { indexParsed } from './pipeline.ts'
import { describableParts } from './summarise.ts'

const test = withDatabase()

const text = [
  'Signing keys are rotated every 90 days by the platform team, and the register of keys is kept for five years.',
  'A lost laptop is reported to the platform team within four hours, by telephone and not by mail.',
].join('\n\n')

const withDocument = async () => {
  const workspace = await createTestWorkspace(test.current())
  const { viewers, collectionId } = workspace
  const claim = await claimVersion(
    test.current().db,
    await createScratchDocument(test.current().db, viewers.admin, { collectionId, name: 'policy.txt' }),
  )
  if (!claim) throw new Error('no claim')
  const blocks = [{ kind: 'paragraph' as const, start: 0, end: text.length }]
  await indexParsed(claim, { kind: 'text', title: 'Policy', text, blocks, pages: [] }, new AbortController().signal)
  return { ...workspace, ...claim }
}

describe('parts of a long text', () => {
  it('hold a text that fits whole, cut a longer one at paragraphs, and are spread over one that is too long', () => {
    expect(describableParts(text)).toEqual([text])
    const paragraphs = Array.from({ length: 60 }, (_, at) => `Paragraph ${at}. ${'word '.repeat(100)}`.trim())
    const parts = describableParts(paragraphs.join('\n\n'))
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.join('\n\n')).toBe(paragraphs.join('\n\n'))
    const long = describableParts('x'.repeat(1_000_000))
    expect(long).toHaveLength(10)
  })
})

describe('describing a document', () => {
  it('shows that it is being done, then a summary in the words of the text and tags', async () => {
    const { viewers, documentId, versionId } = await withDocument()
    await openQueue()
    await describeDocument(viewers.admin, documentId)
    const row = async () => (await listDocuments(viewers.admin)).documents.find(({ id }) => id === documentId)
    expect((await row())?.describing).toEqual({ done: 0, total: 1 })
    const { workspaceId, userId } = viewers.admin
    await describeVersion({ versionId, workspaceId, userId }, new AbortController().signal)
    const described = await row()
    expect(described?.describing).toBeNull()
    expect(described?.description?.summary).toContain('rotated every 90 days')
    expect(described?.description?.tags).toContain('platform')
  })

  it('is not there for another workspace', async () => {
    const { documentId, versionId, viewers } = await withDocument()
    const stranger = (await createTestWorkspace(test.current())).viewers.admin
    await expect(describeDocument(stranger, documentId)).rejects.toMatchObject({ code: 'not-found' })
    const { workspaceId, userId } = stranger
    await describeVersion({ versionId, workspaceId, userId }, new AbortController().signal)
    const [row] = (await listDocuments(viewers.admin)).documents
    expect(row?.description).toBeNull()
  })
})
