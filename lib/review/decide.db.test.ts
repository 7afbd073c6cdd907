import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { rows } from '#db/client.ts'
import { createChat, deleteChat, listCitations, supersedeAnswers } from '#db/queries/chats.ts'
import {
  answerCache,
  auditLog,
  citations,
  documents,
  memberships,
  messages,
  notifications,
  reviewDrafts,
} from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { newId } from '#lib/shared/ids.ts'
import type { ReviewDecisionRequest } from '#lib/shared/review-contract.ts'
import {
  ask,
  backup,
  type Desk,
  grant,
  itemOf,
  messageOf,
  openDesk,
  rotation,
  setReviewPolicy,
  type Waiting,
} from './fixtures/desk.ts'
import {
  checkEdit,
  claimReview,
  decideMany,
  decideReview,
  deliverReview,
  loadReview,
  saveReviewDraft,
} from './index.ts'

// Before anything reads the settings, which are read once.
vi.hoisted(() => {
  process.env.AUTH_SECRET = 'a secret for tests, longer than it must be'
  process.env.SMTP_URL = 'smtp://127.0.0.1:1'
  process.env.MAIL_FROM = 'footnote@test.local'
})

const database = withDatabase()
const db = () => database.current().db
let desk: Desk
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
beforeEach(async () => {
  desk = await openDesk(database.current())
})

type Decision = ReviewDecisionRequest['decision']
const approve: Decision = { act: 'approve', seen: [] }
const wrong: Decision = { act: 'reject', reason: 'wrong' }
const request = ({ itemId, contentHash }: Waiting, decision: Decision = approve): ReviewDecisionRequest => ({
  itemId,
  contentHash,
  decisionId: newId(),
  decision,
})
const cited = async ({ messageId }: Waiting) =>
  (await listCitations(db(), desk.viewers.member, [messageId])).get(messageId) ?? []
const linesOf = (objectId: string) =>
  db().select().from(auditLog).where(eq(auditLog.objectId, objectId)).orderBy(auditLog.id)
const refused = (code: string, words: string | RegExp) =>
  expect.objectContaining({ code, publicMessage: expect.stringMatching(words) })
const jobs = async (name: string): Promise<unknown[]> => {
  return (await rows<{ data: unknown }>(db(), sql`select data from pgboss.job where name = ${name}`)).map(
    (one) => one.data,
  )
}

describe('a decision', () => {
  test('to approve brings the held text, its citations and who decided, and tells the asker', async () => {
    const waiting = await ask(db(), desk)
    expect((await messageOf(db(), waiting.messageId)).text).toBe('')
    const result = await decideReview(desk.viewers.reviewer, request(waiting, { ...approve, note: 'Read it twice.' }))
    expect(result).toMatchObject({ state: 'approved', by: 'reviewer', seed: null })
    const message = await messageOf(db(), waiting.messageId)
    expect(message).toMatchObject({
      text: waiting.content.text,
      status: 'complete',
      metadata: {
        confidence: { value: 0.4 },
        review: { state: 'approved', note: 'Read it twice.', decidedAt: result.decidedAt },
      },
    })
    expect((await cited(waiting)).map(({ ordinal, quote }) => [ordinal, quote])).toEqual([
      [1, rotation],
      [2, backup],
    ])
    const [line] = await linesOf(waiting.itemId)
    expect(line).toMatchObject({ event: 'review.approved', actorId: desk.viewers.reviewer.userId })
    expect(JSON.stringify(line?.details)).not.toContain('rotated')
    const told = await db().select().from(notifications)
    expect(told.filter(({ userId }) => userId === desk.viewers.member.userId)).toEqual([
      expect.objectContaining({ kind: 'review.decided', link: `/c/${waiting.chatId}` }),
    ])
    expect(JSON.stringify(told)).not.toContain('rotated')
  })

  test('to edit cites the text again and stores it without markup', async () => {
    const waiting = await ask(db(), desk)
    const text = `${backup} [^2] See [this](https://evil.test). <b>Done</b>`
    const check = await checkEdit(desk.viewers.reviewer, waiting.itemId, text)
    expect(check).toMatchObject({ problems: [], before: expect.stringContaining('days by the platform team. [1]') })
    await decideReview(desk.viewers.reviewer, request(waiting, { act: 'edit', text }))
    const message = await messageOf(db(), waiting.messageId)
    expect(message.text).toBe(`${backup} [^1] See this. <b>Done</b>`)
    expect(message.text).toBe(check.text)
    expect(message.metadata).toMatchObject({ review: { state: 'edited' }, claims: { supported: 1 } })
    expect(message.metadata.confidence).toBeUndefined()
    expect((await cited(waiting)).map(({ title }) => title)).toEqual(['Backups'])
    expect((await itemOf(db(), waiting.itemId)).decision?.text).toBe(message.text)
  })

  test('to reject leaves words, and of an answer that was shown neither text, citations nor what was kept of it', async () => {
    const waiting = await ask(db(), desk, { kind: 'queued' })
    const kept = (text: string) => ({
      id: newId(),
      workspaceId: desk.workspaceId,
      recipe: 'r',
      question: text,
      questionHash: text,
      answer: text,
      citations: [],
      model: 'm',
      tokensIn: 1,
      tokensOut: 1,
      costMicros: 0,
      expiresAt: new Date(Date.now() + 1e6),
    })
    await db()
      .insert(answerCache)
      .values([kept(waiting.content.text), kept('Another.')])
    await decideReview(
      desk.viewers.reviewer,
      request(waiting, { act: 'reject', reason: 'outdated', note: 'See the wiki.' }),
    )
    const { text, metadata, status } = await messageOf(db(), waiting.messageId)
    expect(text).toBe(
      'A person has checked this answer and withdrawn it. It rests on a source that is out of date.\n\nSee the wiki.',
    )
    expect(status).toBe('complete')
    expect(metadata).toMatchObject({ withheld: [expect.any(String), 'See the wiki.'], review: { state: 'rejected' } })
    expect(await cited(waiting)).toEqual([])
    expect((await db().select().from(answerCache)).map(({ answer }) => answer)).toEqual(['Another.'])
  })

  test('to reject what was held lets no word of it out of the queue', async () => {
    const said = 'Keys are heliotrope.'
    const waiting = await ask(db(), desk, { claims: [said, backup] })
    await saveReviewDraft(desk.viewers.reviewer, waiting.itemId, { text: said, note: '' })
    await decideReview(desk.viewers.reviewer, request(waiting, wrong))
    const [{ tables } = { tables: [] }] = await rows<{ tables: string[] }>(
      db(),
      sql`select array(select table_name::text from information_schema.tables
        where table_schema in ('public', 'pgboss') and table_type = 'BASE TABLE'
          and query_to_xml(format('select 1 from %I.%I t where t::text like ''%%heliotrope%%'' limit 1', table_schema, table_name),
            false, false, '')::text like '%<row%' order by 1) as tables`,
    )
    expect(tables).toEqual(['review_items'])
  })

  test('posted twice is one, also at once; another one is told who and when', async () => {
    const waiting = await ask(db(), desk)
    const posted = request(waiting)
    const [first, again] = await Promise.all([
      decideReview(desk.viewers.reviewer, posted),
      decideReview(desk.viewers.reviewer, posted),
    ])
    expect(again).toEqual(first)
    expect(await decideReview(desk.viewers.reviewer, posted)).toEqual(first)
    await expect(decideReview(desk.second, request(waiting, wrong))).rejects.toEqual(
      refused('conflict', /^reviewer approved this at \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/),
    )
    // A second thought of the same person is another decision.
    await expect(decideReview(desk.viewers.reviewer, request(waiting, wrong))).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(await linesOf(waiting.itemId)).toHaveLength(1)
  })

  test.each([0, 1])('of two people at once: one wins and the other sees who (%i first)', async (first) => {
    const waiting = await ask(db(), desk)
    const people = [desk.viewers.reviewer, desk.second]
    const order = first === 0 ? people : people.toReversed()
    const ends = await Promise.allSettled(
      order.map((person, at) => decideReview(person, request(waiting, at === 0 ? approve : wrong))),
    )
    const [won] = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
    const [lost] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    expect(lost).toEqual(refused('conflict', new RegExp(`^${won?.by} (approved|rejected) this at`)))
    expect((await messageOf(db(), waiting.messageId)).metadata.review?.state).toBe(won?.state)
  })

  test('and asking again at the same moment end without a deadlock, whichever comes first', async () => {
    for (let round = 0; round < 6; round += 1) {
      const waiting = await ask(db(), desk)
      const regenerate = () =>
        db().transaction(async (tx) => {
          await createChat(tx, desk.viewers.member, { id: waiting.chatId, title: 'Keys' })
          await supersedeAnswers(tx, waiting.chatId, waiting.questionId)
        })
      const decide = () => decideReview(desk.viewers.reviewer, request(waiting))
      const [one, other] = await Promise.allSettled(
        round % 2 === 0 ? [regenerate(), decide()] : [decide(), regenerate()],
      )
      const [asked, decided] = round % 2 === 0 ? [one, other] : [other, one]
      expect(asked?.status).toBe('fulfilled')
      const { state } = await itemOf(db(), waiting.itemId)
      const message = await messageOf(db(), waiting.messageId)
      expect(message.supersededAt).not.toBeNull()
      if (decided?.status === 'fulfilled') expect(state).toBe('approved')
      else {
        expect(decided?.reason).toEqual(refused('conflict', /deleted or asked for again/))
        expect([state, message.text]).toEqual(['withdrawn', ''])
      }
    }
  })

  test('and deleting the conversation end without a deadlock, and nothing of it is left', async () => {
    const waiting = await ask(db(), desk)
    const [gone] = await Promise.allSettled([
      deleteChat(db(), desk.viewers.member, waiting.chatId),
      decideReview(desk.viewers.reviewer, request(waiting)),
    ])
    expect(gone.status).toBe('fulfilled')
    const item = await itemOf(db(), waiting.itemId)
    expect(item).toMatchObject({ question: '', content: { text: '', citations: [] } })
    expect(await db().select().from(citations).where(eq(citations.messageId, waiting.messageId))).toEqual([])
  })

  test('holds for exactly the content that was looked at', async () => {
    const waiting = await ask(db(), desk)
    const other = { ...request(waiting), contentHash: 'f'.repeat(64) }
    await expect(decideReview(desk.viewers.reviewer, other)).rejects.toEqual(
      refused('conflict', /not the one that you/),
    )
    const shown = await ask(db(), desk, { kind: 'queued' })
    await db().update(messages).set({ text: 'Something else.' }).where(eq(messages.id, shown.messageId))
    await expect(decideReview(desk.viewers.reviewer, request(shown))).rejects.toEqual(
      refused('conflict', /not the one that you/),
    )
    expect((await itemOf(db(), waiting.itemId)).state).toBe('open')
  })

  test('is nobody’s on their own question, and the held text is not theirs to see', async () => {
    const own = await ask(db(), desk, { by: desk.viewers.reviewer })
    for (const tried of [
      () => decideReview(desk.viewers.reviewer, request(own)),
      () => loadReview(desk.viewers.reviewer, own.itemId),
      () => checkEdit(desk.viewers.reviewer, own.itemId, 'x'),
      () => claimReview(desk.viewers.reviewer, own.itemId),
      () => saveReviewDraft(desk.viewers.reviewer, own.itemId, { text: 'x', note: '' }),
    ])
      await expect(tried()).rejects.toEqual(refused('forbidden', /your own question/))
  })

  test('is not for who was suspended or made a member in the meantime, nor for another workspace', async () => {
    const waiting = await ask(db(), desk)
    const ofReviewer = eq(memberships.userId, desk.viewers.reviewer.userId)
    const tried = () => decideReview(desk.viewers.reviewer, request(waiting))
    await db().update(memberships).set({ suspendedAt: new Date() }).where(ofReviewer)
    await expect(tried()).rejects.toMatchObject({ code: 'not-found' })
    await db().update(memberships).set({ suspendedAt: null, role: 'member' }).where(ofReviewer)
    await expect(tried()).rejects.toMatchObject({ code: 'not-found' })
    const elsewhere = await openDesk(database.current())
    await expect(decideReview(elsewhere.viewers.owner, request(waiting))).rejects.toMatchObject({ code: 'not-found' })
    expect((await messageOf(db(), waiting.messageId)).text).toBe('')
  })

  test('waits for who has taken it up, and is free again when their lease is over', async () => {
    const waiting = await ask(db(), desk)
    await claimReview(desk.second, waiting.itemId)
    await expect(decideReview(desk.viewers.reviewer, request(waiting))).rejects.toEqual(
      refused('conflict', /^Noor is working on this until/),
    )
    await db().execute(
      sql`update review_items set lease_until = now() - interval '1 second' where id = ${waiting.itemId}`,
    )
    await expect(decideReview(desk.viewers.reviewer, request(waiting))).resolves.toMatchObject({ state: 'approved' })
  })

  test.each(['deleted', 'closed'])(
    'to approve falls when a source is %s; what does not cite it may be edited',
    async (how) => {
      const waiting = await ask(db(), desk)
      const [keys] = desk.sources
      const ofKeys = eq(documents.id, keys.documentId)
      if (how === 'deleted') await db().delete(documents).where(ofKeys)
      else {
        await grant(db(), desk.viewers.reviewer, desk.closedId)
        await db().update(documents).set({ collectionId: desk.closedId }).where(ofKeys)
      }
      const why = how === 'deleted' ? /^“Keys” was deleted\. .*edit it/ : /^“Keys” is closed to who asked\. .*edit it/
      expect((await loadReview(desk.viewers.reviewer, waiting.itemId)).cannotApprove).toMatch(/“Keys”/)
      await expect(decideReview(desk.viewers.reviewer, request(waiting))).rejects.toEqual(refused('conflict', why))
      const still: Decision = { act: 'edit', text: `${rotation} [^1]` }
      await expect(decideReview(desk.viewers.reviewer, request(waiting, still))).rejects.toEqual(
        refused('conflict', /“Keys”.*Take out what cites it/),
      )
      const without: Decision = { act: 'edit', text: `${backup} [^2]` }
      await expect(decideReview(desk.viewers.reviewer, request(waiting, without))).resolves.toMatchObject({
        state: 'edited',
      })
    },
  )

  test('shows nothing of a document that was closed to the reviewer', async () => {
    const waiting = await ask(db(), desk)
    await db()
      .update(documents)
      .set({ collectionId: desk.closedId })
      .where(eq(documents.id, desk.sources[0].documentId))
    await expect(loadReview(desk.viewers.reviewer, waiting.itemId)).rejects.toEqual(refused('forbidden', /cannot open/))
    await expect(decideReview(desk.viewers.reviewer, request(waiting))).rejects.toMatchObject({ code: 'conflict' })
    await expect(decideReview(desk.viewers.reviewer, request(waiting, wrong))).resolves.toMatchObject({
      state: 'rejected',
    })
  })

  test('to edit names the marker that cites nothing and leaves the item open', async () => {
    const waiting = await ask(db(), desk)
    const broken: Decision = { act: 'edit', text: 'Keys are rotated. [^7]' }
    await expect(decideReview(desk.viewers.reviewer, request(waiting, broken))).rejects.toEqual(
      refused('bad-request', /\[\^7\] names no source/),
    )
    expect((await itemOf(db(), waiting.itemId)).state).toBe('open')
  })

  test('to approve needs the sources of doubtful sentences opened first', async () => {
    const doubtful = 'Signing keys are rotated every 30 days by the platform team.'
    const waiting = await ask(db(), desk, { claims: [doubtful, backup] })
    await expect(decideReview(desk.viewers.reviewer, request(waiting))).rejects.toEqual(
      refused('bad-request', /Open the sources.*\[1\]/),
    )
    const seen: Decision = { act: 'approve', seen: [1] }
    await expect(decideReview(desk.viewers.reviewer, request(waiting, seen))).resolves.toMatchObject({
      state: 'approved',
    })
  })

  test('keeps a draft until then, over the end of a session, and throws it away', async () => {
    const waiting = await ask(db(), desk)
    await saveReviewDraft(desk.viewers.reviewer, waiting.itemId, { text: 'Half a', note: 'n' })
    await saveReviewDraft(desk.viewers.reviewer, waiting.itemId, { text: 'Half a sentence', note: 'n' })
    expect((await loadReview(desk.viewers.reviewer, waiting.itemId)).draft).toMatchObject({ text: 'Half a sentence' })
    expect((await loadReview(desk.second, waiting.itemId)).draft).toBeNull()
    await decideReview(desk.second, request(waiting))
    expect(await db().select().from(reviewDrafts)).toEqual([])
    await expect(saveReviewDraft(desk.viewers.reviewer, waiting.itemId, { text: 'More', note: '' })).rejects.toEqual(
      refused('conflict', /^Noor approved this/),
    )
  })
})

describe('who waits', () => {
  test('is told by mail and webhook as the policy says, in the transaction, without a word of the answer', async () => {
    await setReviewPolicy(db(), desk.workspaceId, { notifyByMail: true, webhookUrl: 'https://hooks.test/review' })
    const waiting = await ask(db(), desk)
    const mails = (await jobs('mail.send')).length
    await decideReview(desk.viewers.reviewer, request(waiting))
    expect(await jobs('mail.send')).toHaveLength(mails + 1)
    const payload = { workspaceId: desk.workspaceId, itemId: waiting.itemId }
    expect(await jobs('review.notify')).toContainEqual(payload)
    const posted: unknown[] = []
    await deliverReview(payload, async (url, body) => void posted.push([url, body]))
    expect(posted).toEqual([
      [
        'https://hooks.test/review',
        expect.objectContaining({ event: 'footnote.review', state: 'approved', chatId: waiting.chatId }),
      ],
    ])
    expect(JSON.stringify(posted)).not.toContain('rotated')
  })
})

describe('several at once', () => {
  const items = (list: readonly Waiting[]) =>
    list.map(({ itemId, contentHash }) => ({ itemId, contentHash, decisionId: newId() }))

  test('are approved, refused and audited one by one', async () => {
    const [one, other] = [await ask(db(), desk, { kind: 'sampled' }), await ask(db(), desk, { kind: 'queued' })]
    const held = await ask(db(), desk)
    const own = await ask(db(), desk, { kind: 'queued', by: desk.viewers.reviewer })
    const results = await decideMany(desk.viewers.reviewer, { items: items([one, held, own, other]) })
    expect(results.map(({ result, refused: why }) => result?.state ?? why)).toEqual([
      'approved',
      expect.stringContaining('decided by itself'),
      expect.stringContaining('own question'),
      'approved',
    ])
    for (const { itemId } of [one, other]) expect(await linesOf(itemId)).toMatchObject([{ event: 'review.approved' }])
    expect((await messageOf(db(), one.messageId)).metadata.review?.state).toBe('approved')
    expect((await messageOf(db(), held.messageId)).text).toBe('')
  })

  test('need one reason', async () => {
    const one = await ask(db(), desk, { kind: 'queued' })
    const other = await ask(db(), desk, { kind: 'queued', reasons: [{ kind: 'topic', words: 'It is about law.' }] })
    await expect(decideMany(desk.viewers.reviewer, { items: items([one, other]) })).rejects.toEqual(
      refused('bad-request', /different reasons/),
    )
  })
})
