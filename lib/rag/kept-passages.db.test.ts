import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { deleteDocument, upsertCollection } from '#db/queries/documents.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { indexFingerprint } from '#db/queries/index-fingerprint.ts'
import { claimVersion, publishVersion } from '#db/queries/ingest.ts'
import { documents, documentVersions, passageReleases } from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { renderMetrics } from '#lib/metrics.ts'
import { defaultGatewaySettings } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import { keptRanking, type RankingAsked } from './kept-passages.ts'

const test = withDatabase()

const counted = async () => {
  const { text } = await renderMetrics({ queued: null, breakers: [] })
  const of = (kept: boolean): number => Number(text.match(`rag_retrievals_total{kept="${kept}"} (\\d+)`)?.[1] ?? 0)
  return { kept: of(true), made: of(false) }
}

const publish = async ({ viewers, collectionId }: TestWorkspace): Promise<string> => {
  const { db } = test.current()
  const versionId = await createScratchDocument(db, viewers.admin, { collectionId, name: `${newId()}.txt` })
  const claim = await claimVersion(db, versionId)
  if (!claim) throw new Error('no claim')
  await publishVersion(db, claim, { chunks: 0, reused: 0 })
  return claim.documentId
}

const question = 'How often are signing keys rotated?'
const asked = ({ viewers }: TestWorkspace, over: Partial<RankingAsked> = {}): RankingAsked => ({
  viewer: viewers.member,
  question,
  collectionIds: [],
  by: ['hybrid', 60],
  ...over,
})

/** Whether a search was made. */
const searches = async (one: RankingAsked, degraded: string | null = null): Promise<boolean> => {
  let made = false
  const { kept } = await keptRanking(one, async () => {
    made = true
    return { degraded, ranked: [1, 2, 3] }
  })
  expect(kept).toBe(!made)
  return made
}

describe('a kept ranking', () => {
  it('is given to the same question again, whatever its spacing', async () => {
    const workspace = await createTestWorkspace(test.current())
    const before = await counted()
    expect(await searches(asked(workspace))).toBe(true)
    expect(await searches(asked(workspace))).toBe(false)
    expect(await searches(asked(workspace, { question: `  ${question.replaceAll(' ', '\n ')}` }))).toBe(false)
    expect(await counted()).toEqual({ kept: before.kept + 2, made: before.made + 1 })
  })

  it('is not given to another question, another workspace, other collections or another kind of search', async () => {
    const workspace = await createTestWorkspace(test.current())
    const abroad = await createTestWorkspace(test.current())
    expect(await searches(asked(workspace))).toBe(true)
    expect(await searches(asked(abroad))).toBe(true)
    expect(await searches(asked(workspace, { question: 'How often are signing keys rotated in 2025?' }))).toBe(true)
    expect(await searches(asked(workspace, { question: question.toUpperCase() }))).toBe(true)
    expect(await searches(asked(workspace, { collectionIds: [workspace.collectionId] }))).toBe(true)
    expect(await searches(asked(workspace, { by: ['lexical', 60] }))).toBe(true)
    // What runs into the next part of a key is not the same key.
    expect(await searches(asked(workspace, { by: ['hybrid', 6], question: `0 ${question}` }))).toBe(true)
  })

  describe('is gone at once', () => {
    type Change = (workspace: TestWorkspace, documentId: string) => Promise<unknown>
    const changes: [string, Change][] = [
      ['a document was published', (workspace) => publish(workspace)],
      [
        'a document got a new version',
        async (_, documentId) => {
          const versionId = newId()
          const { db } = test.current()
          await db
            .insert(documentVersions)
            .values({ id: versionId, documentId, number: 2, contentHash: versionId, blobKey: newId(), bytes: 0 })
          await db.update(documents).set({ publishedVersionId: versionId }).where(eq(documents.id, documentId))
        },
      ],
      [
        'a document was moved',
        async ({ viewers }, documentId) => {
          const { db } = test.current()
          const collectionId = await upsertCollection(db, viewers.admin, { id: newId(), name: 'Elsewhere' })
          await db.update(documents).set({ collectionId }).where(eq(documents.id, documentId))
        },
      ],
      [
        'a document was deleted',
        ({ viewers }, documentId) =>
          test.current().db.transaction((tx) => deleteDocument(tx, viewers.admin, documentId)),
      ],
      [
        'one document was deleted and another published',
        async (workspace, documentId) => {
          await test.current().db.transaction((tx) => deleteDocument(tx, workspace.viewers.admin, documentId))
          await publish(workspace)
        },
      ],
      [
        'a passage was released',
        ({ workspaceId, viewers }) =>
          test
            .current()
            .db.insert(passageReleases)
            .values({ workspaceId, contentHash: newId(), releasedBy: viewers.admin.userId }),
      ],
      [
        'a rule was changed',
        ({ workspaceId }) => storeGatewaySettings(test.current().db, workspaceId, 0, defaultGatewaySettings),
      ],
    ]
    it.each(changes)('when %s', async (_, change) => {
      const workspace = await createTestWorkspace(test.current())
      const documentId = await publish(workspace)
      expect(await searches(asked(workspace))).toBe(true)
      expect(await searches(asked(workspace))).toBe(false)
      await change(workspace, documentId)
      expect(await searches(asked(workspace))).toBe(true)
    })

    it('and not when something happened elsewhere', async () => {
      const workspace = await createTestWorkspace(test.current())
      const abroad = await createTestWorkspace(test.current())
      expect(await searches(asked(workspace))).toBe(true)
      await publish(abroad)
      expect(await searches(asked(workspace))).toBe(false)
    })
  })

  it('is not kept when it was made with less than both legs', async () => {
    const workspace = await createTestWorkspace(test.current())
    expect(await searches(asked(workspace), 'no encoder')).toBe(true)
    expect(await searches(asked(workspace))).toBe(true)
  })

  it('is not kept when the search failed', async () => {
    const workspace = await createTestWorkspace(test.current())
    const failing = keptRanking(asked(workspace), async (): Promise<{ degraded: null }> => {
      throw new Error('given up')
    })
    await expect(failing).rejects.toThrow('given up')
    expect(await searches(asked(workspace))).toBe(true)
  })

  it('that failed for one is made by whoever waited for the same', async () => {
    const workspace = await createTestWorkspace(test.current())
    const searching = Promise.withResolvers<{ degraded: null; by: string }>()
    const begun = Promise.withResolvers<void>()
    const first = keptRanking(asked(workspace), () => {
      begun.resolve()
      return searching.promise
    })
    await begun.promise
    const second = keptRanking(asked(workspace), async () => ({ degraded: null, by: 'second' }))
    const outcomes = Promise.allSettled([first, second])
    // The second has most likely asked by then; late, it finds nothing to wait for.
    await indexFingerprint(test.current().db, workspace.viewers.member)
    searching.reject(new Error('given up'))
    expect(await outcomes).toEqual([
      { status: 'rejected', reason: new Error('given up') },
      {
        status: 'fulfilled',
        value: { ranking: { degraded: null, by: 'second' }, kept: false, index: expect.any(String) },
      },
    ])
  })
})
