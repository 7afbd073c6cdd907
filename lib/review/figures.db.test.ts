import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { reviewItems } from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { newId } from '#lib/shared/ids.ts'
import { reviewFilterSchema } from '#lib/shared/review-contract.ts'
import { addReviewer, ask, backup, type Desk, itemOf, openDesk, rotation } from './fixtures/desk.ts'
import { decideReview, listQueue, reviewMetrics, seedReviews } from './index.ts'

const database = withDatabase()
const db = () => database.current().db
let desk: Desk
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
beforeEach(async () => {
  desk = await openDesk(database.current())
})

test('a known error waits among the figures as it does in the queue: nobody can tell it from the difference', async () => {
  const { admin, reviewer } = desk.viewers
  const original = await ask(db(), desk, { kind: 'sampled' })
  await decideReview(reviewer, {
    ...{ itemId: original.itemId, contentHash: original.contentHash, decisionId: newId() },
    decision: { act: 'approve', seen: [1, 2] },
  })
  await ask(db(), desk)
  expect(await seedReviews(admin, 1, () => 0)).toBe(1)
  await db()
    .update(reviewItems)
    .set({ dueAt: sql`now() - interval '1 minute'`, createdAt: sql`now() - interval '1 hour'` })
    .where(eq(reviewItems.seeded, true))
  for (const viewer of [admin, await addReviewer(db(), desk.workspaceId, 'Ines')]) {
    const { total } = await listQueue(viewer, reviewFilterSchema.parse({}))
    const { backlog, days, seeds } = await reviewMetrics(viewer, 2)
    expect(total).toBe(2)
    expect(backlog).toMatchObject({ open: 2, held: 1, late: 1 })
    expect(backlog.oldestMs).toBeGreaterThanOrEqual(3_600_000)
    expect(days.reduce((sum, { arrived }) => sum + arrived, 0)).toBe(3)
    expect(seeds).toEqual({ open: viewer === admin ? 1 : null, decided: 0, caught: 0 })
  }
})

test('two people agree, or not, on one and the same text: what the first has edited is another answer to the second', async () => {
  const { admin, reviewer } = desk.viewers
  const first = await ask(db(), desk, { kind: 'queued', claims: [rotation, backup] })
  const twice = async (contentHash: string) => {
    const { id: _, ...item } = await itemOf(db(), first.itemId)
    await db()
      .insert(reviewItems)
      .values({
        ...{ ...item, id: newId(), kind: 'feedback', contentHash },
        ...{ state: 'approved', decidedBy: desk.second.userId, decidedAt: new Date() },
      })
  }
  await decideReview(reviewer, {
    ...{ itemId: first.itemId, contentHash: first.contentHash, decisionId: newId() },
    decision: { act: 'edit', text: 'Keys are rotated every 90 days. [^1]' },
  })
  await twice('what was edited')
  expect((await reviewMetrics(admin)).agreement).toEqual({ pairs: 0, agreed: 0 })
  await twice(first.contentHash)
  expect((await reviewMetrics(admin)).agreement).toEqual({ pairs: 1, agreed: 0 })
})
