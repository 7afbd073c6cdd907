import { and, eq, inArray } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { auditLog, collections, memberships, messages, reviewItems } from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import type { MessageMetadata, MessageStatus } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { type FeedbackInput, feedbackSchema } from '#lib/shared/review-contract.ts'
import { type Answered, addAnswer } from './fixtures/answers.ts'
import { type Desk, messageOf, openDesk, setReviewPolicy } from './fixtures/desk.ts'
import { askPerson, claimReview, decideReview, feedbackOf, giveFeedback, loadReview } from './index.ts'

const database = withDatabase()
const db = () => database.current().db
let desk: Desk
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
beforeEach(async () => {
  desk = await openDesk(database.current())
})

const say = ({ messageId }: Answered, value: FeedbackInput['value'], more: Partial<FeedbackInput> = {}) =>
  giveFeedback(desk.viewers.member, feedbackSchema.parse({ messageId, value, ...more }))
const itemsOf = ({ messageId }: Answered) =>
  db().select().from(reviewItems).where(eq(reviewItems.messageId, messageId)).orderBy(reviewItems.createdAt)
const linesOf = (objectId: string, event: string) =>
  db()
    .select()
    .from(auditLog)
    .where(and(eq(auditLog.objectId, objectId), eq(auditLog.event, event)))
const answer = () => addAnswer(db(), desk)

describe('a thumb', () => {
  test('is kept once a person and answer, read again with it, and taken back', async () => {
    const one = await answer()
    await say(one, 1, { reasons: ['clear'] })
    await say(one, 1, { reasons: ['clear', 'correct'], comment: 'Well said.' })
    await say(one, 1, { reasons: ['clear', 'correct'], comment: 'Well said.' })
    expect(await feedbackOf(desk.viewers.member, [one.messageId])).toEqual({
      [one.messageId]: { value: 1, reasons: ['clear', 'correct'], comment: 'Well said.' },
    })
    const lines = await linesOf(one.messageId, 'feedback.given')
    expect(lines).toHaveLength(2)
    expect(JSON.stringify(lines)).not.toContain('Well said')
    expect(await say(one, 0)).toBeNull()
    expect(await feedbackOf(desk.viewers.member, [one.messageId])).toEqual({})
    expect(await itemsOf(one)).toEqual([])
  })

  test('is nobody else’s to give or to read, and none while there is nothing to judge', async () => {
    const one = await answer()
    const input = feedbackSchema.parse({ messageId: one.messageId, value: -1 })
    for (const other of [desk.viewers.reviewer, desk.viewers.owner])
      await expect(giveFeedback(other, input)).rejects.toMatchObject({ code: 'not-found' })
    await say(one, -1)
    expect(await feedbackOf(desk.viewers.owner, [one.messageId])).toEqual({})
    await expect(say(one, 1, { reasons: ['wrong'] })).rejects.toMatchObject({ code: 'bad-request' })
    await db().update(messages).set({ status: 'streaming' }).where(eq(messages.id, one.messageId))
    await expect(say(one, 1)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('down opens one review with what was said, which a reviewer can decide on as it stands', async () => {
    const one = await answer()
    await say(one, -1)
    await say(one, -1, { reasons: ['outdated'], comment: 'It is 60 days\nsince May.' })
    const [item, ...more] = await itemsOf(one)
    expect(more).toEqual([])
    expect(item).toMatchObject({
      kind: 'feedback',
      state: 'open',
      held: false,
      question: 'How are keys rotated?',
      collectionIds: [desk.collectionId],
      reasons: [{ kind: 'feedback', words: 'Thumb down: Out of date, “It is 60 days since May.”.' }],
    })
    const shown = await loadReview(desk.viewers.reviewer, item?.id ?? '')
    expect(shown.citations.map(({ quote }) => quote)).toEqual(one.citations.map(({ quote }) => quote))
    expect(shown.claims.filter(({ claims }) => claims)).toHaveLength(2)
    await decideReview(desk.viewers.reviewer, {
      itemId: shown.id,
      contentHash: shown.contentHash,
      decisionId: newId(),
      decision: { act: 'reject', reason: 'outdated' },
    })
    expect((await messageOf(db(), one.messageId)).metadata).toMatchObject({ review: { state: 'rejected' } })
  })

  test('down opens nothing where the policy does not ask for it', async () => {
    await setReviewPolicy(db(), desk.workspaceId, { feedback: false })
    const one = await answer()
    await say(one, -1)
    expect(await itemsOf(one)).toEqual([])
  })

  test('taken back withdraws its review, unless somebody is at it', async () => {
    const [one, other] = [await answer(), await answer()]
    await say(one, -1, { comment: 'I take it back.' })
    await say(one, 1)
    const [ended] = await itemsOf(one)
    expect(ended).toMatchObject({ state: 'withdrawn', reasons: [{ kind: 'feedback', words: '' }] })
    await expect(claimReview(desk.viewers.reviewer, ended?.id ?? '')).rejects.toMatchObject({
      publicMessage: expect.stringContaining('the thumb down was taken back'),
    })
    await say(other, -1)
    const [item] = await itemsOf(other)
    await claimReview(desk.viewers.reviewer, item?.id ?? '')
    await say(other, 0)
    expect((await itemsOf(other)).map(({ state }) => state)).toEqual(['open'])
  })

  test('on an answer that does not say what it draws from is for who may read everything', async () => {
    const one = await addAnswer(db(), desk, { metadata: { collectionIds: undefined } as unknown as MessageMetadata })
    await say(one, -1)
    const [item] = await itemsOf(one)
    const all = await db().select().from(collections).where(eq(collections.workspaceId, desk.workspaceId))
    expect([...(item?.collectionIds ?? [])].sort()).toEqual(all.map(({ id }) => id).sort())
    await expect(loadReview(desk.viewers.reviewer, item?.id ?? '')).rejects.toMatchObject({ code: 'not-found' })
  })
})

const nothing = (status: MessageStatus, metadata: MessageMetadata = {}) =>
  addAnswer(db(), desk, { status, claims: [], text: 'I could not find an answer.', metadata })

describe('a person', () => {
  test('is asked once about a question without an answer; the chat says so, and their words reach the asker', async () => {
    const one = await nothing('no-source')
    const first = await askPerson(desk.viewers.member, one.messageId, 'For the audit on Friday.')
    expect(await askPerson(desk.viewers.member, one.messageId, '')).toEqual(first)
    const [item, ...more] = await itemsOf(one)
    expect(more).toEqual([])
    expect(item).toMatchObject({ kind: 'asked', reason: 'asked', content: { claims: [] } })
    expect(item?.reasons[0]?.words).toContain('For the audit on Friday.')
    expect((await messageOf(db(), one.messageId)).metadata).toMatchObject({ review: { state: 'queued' } })
    await decideReview(desk.viewers.reviewer, {
      itemId: item?.id ?? '',
      contentHash: item?.contentHash ?? '',
      decisionId: newId(),
      decision: { act: 'edit', text: 'Every 90 days, by the platform team.' },
    })
    expect(await messageOf(db(), one.messageId)).toMatchObject({
      text: 'Every 90 days, by the platform team.',
      status: 'complete',
      metadata: { review: { state: 'edited' } },
    })
  })

  test('is asked about what is withheld or was given up, and not about what was answered or decided', async () => {
    const withheld = ['Not shown.']
    for (const metadata of [
      { withheld },
      { withheld, review: { state: 'expired' as const, reasons: [], since: '' } },
    ]) {
      const one = await nothing('complete', metadata)
      await askPerson(desk.viewers.member, one.messageId, '')
      expect(await itemsOf(one)).toHaveLength(1)
    }
    const decided = { withheld, review: { state: 'rejected' as const, reasons: [], since: '' } }
    for (const one of [await answer(), await nothing('complete', decided)])
      await expect(askPerson(desk.viewers.member, one.messageId, '')).rejects.toMatchObject({ code: 'conflict' })
    const foreign = await nothing('no-source')
    await expect(askPerson(desk.viewers.owner, foreign.messageId, '')).rejects.toMatchObject({ code: 'not-found' })
  })

  test('stays asked when a thumb down before it is taken back', async () => {
    const one = await nothing('no-source')
    await say(one, -1)
    await askPerson(desk.viewers.member, one.messageId, '')
    await say(one, 0)
    expect(await itemsOf(one)).toEqual([expect.objectContaining({ kind: 'asked', state: 'open' })])
  })

  test('is not asked any more when the question is asked again: their answer would stand where nobody looks', async () => {
    const one = await nothing('no-source')
    const shown = await answer()
    await askPerson(desk.viewers.member, one.messageId, '')
    await say(shown, -1)
    const [item] = await itemsOf(one)
    await claimReview(desk.viewers.reviewer, item?.id ?? '')
    await db()
      .update(messages)
      .set({ supersededAt: new Date() })
      .where(inArray(messages.id, [one.messageId, shown.messageId]))
    expect(await itemsOf(one)).toMatchObject([{ state: 'withdrawn', claimedBy: null, leaseUntil: null }])
    await expect(
      decideReview(desk.viewers.reviewer, {
        ...{ itemId: item?.id ?? '', contentHash: item?.contentHash ?? '', decisionId: newId() },
        decision: { act: 'edit', text: 'Every 90 days.' },
      }),
    ).rejects.toMatchObject({ code: 'conflict' })
    // What was wrong with an answer that was shown is still worth knowing.
    expect(await itemsOf(shown)).toMatchObject([{ kind: 'feedback', state: 'open' }])
    const again = await nothing('no-source')
    expect(await askPerson(desk.viewers.member, again.messageId, '')).toMatchObject({ state: 'queued' })
  })

  test('cannot be asked where nobody else decides', async () => {
    const one = await nothing('no-source')
    await db().update(memberships).set({ suspendedAt: new Date() }).where(eq(memberships.workspaceId, desk.workspaceId))
    await expect(askPerson(desk.viewers.member, one.messageId, '')).rejects.toMatchObject({
      code: 'conflict',
      publicMessage: expect.stringContaining('Nobody but you'),
    })
  })
})
