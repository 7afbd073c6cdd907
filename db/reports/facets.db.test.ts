import { eq } from 'drizzle-orm'
import { beforeAll, describe, expect, it } from 'vitest'
import { setTags } from '#lib/documents.ts'
import { newId } from '#lib/shared/ids.ts'
import { createScratchDocument } from '../queries/evaluation.ts'
import { claimVersion, publishVersion } from '../queries/ingest.ts'
import { auditLog, documents, documentVersions } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import { getDocumentRow } from './documents.ts'
import { countInScope, listFacets } from './facets.ts'

const test = withDatabase()

type Said = Partial<typeof documentVersions.$inferInsert>

const publish = async ({ viewers, collectionId }: TestWorkspace, mediaType: string, said: Said): Promise<string> => {
  const { db } = test.current()
  const claim = await claimVersion(db, await createScratchDocument(db, viewers.admin, { collectionId, name: newId() }))
  if (!claim) throw new Error('no claim')
  await db.update(documents).set({ mediaType }).where(eq(documents.id, claim.documentId))
  await db.update(documentVersions).set(said).where(eq(documentVersions.id, claim.versionId))
  await publishVersion(db, claim, { chunks: 1, reused: 0 })
  return claim.documentId
}

describe('tags and facets', () => {
  let home: TestWorkspace
  let pdf: string
  beforeAll(async () => {
    home = await createTestWorkspace(test.current())
    pdf = await publish(home, 'application/pdf', { language: 'en', dated: '2024-02-29', tags: ['leave', 'travel'] })
    await publish(home, 'application/pdf', { language: 'de', dated: '2025-07-01', author: 'Ada' })
    await publish(home, 'text/markdown', { language: 'en' })
    const stranger = await createTestWorkspace(test.current())
    await publish(stranger, 'text/html', { language: 'fr', dated: '1999-01-01', tags: ['secret'] })
    // Still being read: nothing that can be asked.
    const { db } = test.current()
    await createScratchDocument(db, home.viewers.admin, { collectionId: home.collectionId, name: 'waiting.md' })
  })

  it('stores tags clean and once, says so in the audit log, and leaves what was extracted alone', async () => {
    const { db } = test.current()
    const tags = await setTags(home.viewers.admin, pdf, [' HR \u202e policy ', 'leave', 'Leave', '', '\u200b'])
    expect(tags).toEqual(['HR policy', 'leave'])
    const row = await getDocumentRow(db, home.viewers.admin, pdf)
    expect(row).toMatchObject({ tags, extractedTags: ['leave', 'travel'], language: 'en', dated: '2024-02-29' })
    expect(row).toMatchObject({ source: null, parentId: null, cause: 'upload' })
    const logged = await db.select().from(auditLog).where(eq(auditLog.objectId, pdf))
    expect(logged.filter(({ event }) => event === 'document.tagged')).toMatchObject([
      { details: { tags: tags.length } },
    ])
  })

  it('refuses more or longer tags than a document takes, and another workspace’s document', async () => {
    const { admin } = home.viewers
    const many = Array.from({ length: 21 }, (_, i) => `tag ${i}`)
    await expect(setTags(admin, pdf, many)).rejects.toMatchObject({ code: 'bad-request' })
    await expect(setTags(admin, pdf, ['a'.repeat(61)])).rejects.toMatchObject({ code: 'bad-request' })
    const { viewers } = await createTestWorkspace(test.current())
    await expect(setTags(viewers.admin, pdf, ['mine'])).rejects.toMatchObject({ code: 'not-found' })
    expect((await getDocumentRow(test.current().db, admin, pdf))?.tags).toEqual(['HR policy', 'leave'])
  })

  it('counts what the viewer may ask, a tag once a document, and nothing of anybody else', async () => {
    expect(await listFacets(test.current().db, home.viewers.member)).toEqual({
      mediaTypes: [
        { value: 'application/pdf', count: 2 },
        { value: 'text/markdown', count: 1 },
      ],
      languages: [
        { value: 'en', count: 2 },
        { value: 'de', count: 1 },
      ],
      tags: ['HR policy', 'leave', 'travel'].map((value) => ({ value, count: 1 })),
      dated: { from: '2024-02-29', to: '2025-07-01' },
    })
  })

  it('says how many documents a filter leaves', async () => {
    const count = (filter: object) =>
      countInScope(test.current().db, home.viewers.member, { collectionIds: [home.collectionId], filter })
    expect(await count({})).toBe(3)
    expect(await count({ mediaTypes: ['application/pdf'], languages: ['en'] })).toBe(1)
    expect(await count({ tags: ['travel'] })).toBe(1)
    expect(await count({ datedFrom: '2025-01-01' })).toBe(1)
    expect(await count({ languages: ['fr'] })).toBe(0)
  })
})
