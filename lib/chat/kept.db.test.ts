import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { collectionGrants, documents, reviewItems } from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { decideReview, saveCurated } from '#lib/review/index.ts'
import { newId } from '#lib/shared/ids.ts'
import { answered, asking, type ChatWorld, keysQuestion, openChatWorld, setPolicy } from '#scripts/chat-world.ts'

const test = withDatabase()
let vendor: MockProvider
beforeAll(async () => {
  await openQueue()
  vendor = await startMockProvider()
})
afterAll(async () => {
  vendor.close()
  await closeQueue(0)
})
beforeEach(() => vendor.script({ text: 'Signing keys are rotated every 90 days by the platform team [1].' }))

const holdAll = { id: newId(), name: 'All', when: {}, act: 'hold' as const }
const itemsOf = (messageId: string | undefined) =>
  test
    .current()
    .db.select()
    .from(reviewItems)
    .where(eq(reviewItems.messageId, messageId ?? newId()))

/** A member's question, held, approved by a reviewer and kept by them. */
const openChecked = async (): Promise<ChatWorld & { decidedAt: string }> => {
  const made = await openChatWorld(test.current(), [vendor])
  await setPolicy(made, { review: { rules: [holdAll] } })
  const { answer } = await answered(made, asking(keysQuestion))
  const [item] = await itemsOf(answer?.id)
  if (!item) throw new Error('nothing was held')
  const { decidedAt } = await decideReview(made.viewers.reviewer, {
    itemId: item.id,
    contentHash: item.contentHash,
    decisionId: newId(),
    decision: { act: 'approve', seen: [1] },
  })
  await saveCurated(made.viewers.reviewer, { itemId: item.id })
  return { ...made, decidedAt }
}

describe('an answer that a person has checked', () => {
  it('is given before any other to the same question, with since when, unsampled, and without a model', async () => {
    const made = await openChecked()
    await setPolicy(made, { review: { sampleShare: 1 } })
    const calls = vendor.requests.length
    // Of somebody else, whose rights no kept answer was written by.
    const { answer, text, metadata } = await answered(
      made,
      asking(` ${keysQuestion.toUpperCase()}`),
      made.viewers.owner,
    )
    expect(metadata).toMatchObject({ status: 'complete', route: 'cache', curated: { checkedAt: made.decidedAt } })
    expect(metadata?.cache).toBeUndefined()
    expect(text).toBe('Signing keys are rotated every 90 days by the platform team [^1].')
    expect(answer?.parts).toContainEqual(expect.objectContaining({ type: 'data-citation' }))
    expect(vendor.requests).toHaveLength(calls)
    expect(await itemsOf(answer?.id)).toEqual([])
    const again = asking('', { trigger: 'regenerate' })
    const first = asking(keysQuestion)
    const given = await answered(made, first)
    expect(given.metadata?.curated).toBeDefined()
    const anew = await answered(made, { ...again, chatId: first.chatId, messageId: given.answer?.id ?? '' })
    expect(anew.metadata).toMatchObject({ route: 'retrieval' })
  })

  it('meets no second person for where it comes from or who asks, and is judged by the rules of now over what is in it', async () => {
    vendor.script({ text: 'Signing keys are rotated every 90 days, and after each penetration test [1].' })
    const made = await openChecked()
    const given = await answered(made, asking(keysQuestion))
    expect(given.metadata).toMatchObject({ status: 'complete', curated: { checkedAt: made.decidedAt } })
    expect(await itemsOf(given.answer?.id)).toEqual([])

    await setPolicy(made, { review: { rules: [{ ...holdAll, when: { topics: ['security'] } }] } })
    const { text, metadata } = await answered(made, asking(keysQuestion))
    expect([text, metadata?.status, metadata?.review?.state]).toEqual(['', 'held', 'waiting'])
    // Nobody is told that it was checked before it may be shown.
    expect(metadata?.curated).toBeUndefined()
  })

  it('is given to nobody who cannot open what it rests on, nor outside of what is searched, nor once that has changed', async () => {
    const made = await openChecked()
    await setPolicy(made, {})
    const { db } = test.current()
    const outside = await answered(made, asking(keysQuestion, { collectionIds: [made.collectionId] }))
    expect([outside.metadata?.curated, outside.text.includes('90 days')]).toEqual([undefined, false])
    expect((await answered(made, asking(keysQuestion))).metadata?.curated).toBeDefined()
    await db.update(documents).set({ publishedVersionId: null }).where(eq(documents.collectionId, made.secretId))
    expect((await answered(made, asking(keysQuestion))).metadata?.curated).toBeUndefined()

    const closed = await openChecked()
    await setPolicy(closed, {})
    await db.delete(collectionGrants).where(eq(collectionGrants.collectionId, closed.secretId))
    const { text, metadata } = await answered(closed, asking(keysQuestion))
    expect([metadata?.curated, text.includes('90 days')]).toEqual([undefined, false])
  })
})
