import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { deleteChat } from '#db/queries/chats.ts'
import {
  auditLog,
  chats,
  documents,
  memberships,
  messages,
  notifications,
  reviewDrafts,
  reviewItems,
} from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { newId } from '#lib/shared/ids.ts'
import { reviewTotalMax } from '#lib/shared/open-reviews.ts'
import { type ReviewFilter, reviewExceptSchema, reviewFilterSchema } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import {
  type Asked,
  addReviewer,
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
  askExpert,
  claimNext,
  claimReview,
  commentReview,
  countOpen,
  decideReview,
  handOn,
  listQueue,
  listReviewers,
  listUnreachable,
  loadReview,
  releaseClaim,
  renewClaim,
  reviewMetrics,
  saveReviewDraft,
  seedReviews,
  sweepReviews,
  usualDecisionMs,
} from './index.ts'

const database = withDatabase()
const db = () => database.current().db
let desk: Desk
let reviewer: Viewer
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
beforeEach(async () => {
  desk = await openDesk(database.current())
  reviewer = desk.viewers.reviewer
})

const filter = (rest: Partial<ReviewFilter> = {}): ReviewFilter => reviewFilterSchema.parse(rest)
const waits = (rest: Asked = {}) => ask(db(), desk, rest)
const idsOf = async (viewer: Viewer, rest: Partial<ReviewFilter> = {}): Promise<string[]> =>
  (await listQueue(viewer, filter(rest))).rows.map(({ id }) => id)
const decide = (
  viewer: Viewer,
  { itemId, contentHash }: Pick<Waiting, 'itemId' | 'contentHash'>,
  act: 'approve' | 'reject',
) =>
  decideReview(viewer, {
    itemId,
    contentHash,
    decisionId: newId(),
    decision: act === 'approve' ? { act, seen: [1, 2] } : { act, reason: 'wrong' },
  })
const move = (
  itemId: string,
  column: 'lease_until' | 'due_at' | 'expires_at' | 'created_at' | 'escalated_at',
  minutes: number,
) =>
  db().execute(
    sql`update review_items set ${sql.identifier(column)} = now() + make_interval(mins => ${minutes}::int) where id = ${itemId}`,
  )
const told = async ({ userId }: Viewer) =>
  db().select().from(notifications).where(eq(notifications.userId, userId)).orderBy(notifications.createdAt)
const refused = (code: string, words: RegExp) =>
  expect.objectContaining({ code, publicMessage: expect.stringMatching(words) })

describe('the queue', () => {
  test('holds what a reviewer may decide: not their own questions, nor what draws from a collection that is closed to them', async () => {
    const open = await waits()
    const own = await waits({ by: reviewer })
    const closed = await waits({ collectionIds: [desk.collectionId, desk.closedId] })
    const fromNothing = await waits({ collectionIds: [] })
    expect((await idsOf(reviewer)).sort()).toEqual([open.itemId, fromNothing.itemId].sort())
    expect(await idsOf(desk.second)).toContain(own.itemId)
    await expect(loadReview(reviewer, closed.itemId)).rejects.toMatchObject({ code: 'not-found' })
    await expect(claimReview(reviewer, closed.itemId)).rejects.toMatchObject({ code: 'not-found' })
    await grant(db(), reviewer, desk.closedId)
    expect(await idsOf(reviewer)).toContain(closed.itemId)
    expect(await idsOf(desk.viewers.member)).toEqual([])
    await db().update(memberships).set({ suspendedAt: new Date() }).where(eq(memberships.userId, reviewer.userId))
    expect(await idsOf(reviewer)).toEqual([])
  })

  test('is filtered, ordered and read page by page, each line once', async () => {
    const lines: Waiting[] = []
    for (let at = 0; at < 4; at += 1) lines.push(await waits({ slaMinutes: 100 - at, question: `Question ${at}` }))
    const risky = await waits({ kind: 'queued', reasons: [{ kind: 'injection', words: 'An order.' }], slaMinutes: 200 })
    expect(await idsOf(reviewer)).toEqual([...lines.map(({ itemId }) => itemId).reverse(), risky.itemId])
    expect((await idsOf(reviewer, { order: 'risk' }))[0]).toBe(risky.itemId)
    expect(await idsOf(reviewer, { kind: 'queued' })).toEqual([risky.itemId])
    expect(await idsOf(reviewer, { reason: 'injection' })).toEqual([risky.itemId])
    expect(await idsOf(reviewer, { collectionId: desk.closedId })).toEqual([])
    await move(risky.itemId, 'due_at', -1)
    expect(await idsOf(reviewer, { whose: 'late' })).toEqual([risky.itemId])
    await db().execute(sql`insert into review_items (id, workspace_id, kind, question, content, content_hash, reasons, reason, risk, held, due_at)
      select gen_random_uuid(), ${desk.workspaceId}, 'sampled', 'Many', '{}', '', '[]', 'sampled', 10, false, now() from generate_series(1, 70)`)
    for (const order of ['due', 'risk', 'age'] as const) {
      const first = await listQueue(reviewer, filter({ order }))
      const rest = await listQueue(reviewer, filter({ order, after: first.next ?? '' }))
      expect([first.total, first.rows.length, rest.next]).toEqual([75, 50, null])
      expect(new Set([...first.rows, ...rest.rows].map(({ id }) => id)).size).toBe(75)
      await expect(listQueue(reviewer, filter({ order, after: 'nonsense' }))).rejects.toMatchObject({
        code: 'bad-request',
      })
    }
  })

  test('is counted as it is listed, for each reviewer, up to what is told', async () => {
    await waits()
    await waits({ by: reviewer })
    await waits({ collectionIds: [desk.collectionId, desk.closedId] })
    const decided = await waits()
    await claimReview(desk.second, decided.itemId)
    expect([await countOpen(reviewer), await countOpen(desk.second)]).toEqual([2, 3])
    await decide(desk.second, decided, 'approve')
    for (const viewer of [reviewer, desk.second])
      expect(await countOpen(viewer)).toBe((await listQueue(viewer, filter())).total)
    expect(await countOpen(reviewer)).toBe(1)
    await grant(db(), reviewer, desk.closedId)
    expect(await countOpen(reviewer)).toBe(2)
    expect(await countOpen(desk.viewers.member)).toBe(0)
    await db().execute(sql`insert into review_items (id, workspace_id, kind, question, content, content_hash, reasons, reason, risk, held, due_at)
      select gen_random_uuid(), ${desk.workspaceId}, 'sampled', 'Many', '{}', '', '[]', 'sampled', 10, false, now() from generate_series(1, ${reviewTotalMax})`)
    expect(await countOpen(reviewer)).toBe(reviewTotalMax)
    await db().update(memberships).set({ suspendedAt: new Date() }).where(eq(memberships.userId, reviewer.userId))
    expect(await countOpen(reviewer)).toBe(0)
  })

  test('says to who gives access what nobody may review', async () => {
    await waits()
    const stuck = await waits({ collectionIds: [desk.closedId] })
    expect(await listUnreachable(desk.viewers.admin)).toMatchObject({
      total: 1,
      groups: [{ collections: ['Closed'], items: 1, held: 1 }],
    })
    await expect(listUnreachable(reviewer)).rejects.toMatchObject({ code: 'not-found' })
    await grant(db(), desk.viewers.admin, desk.closedId)
    expect((await listUnreachable(desk.viewers.admin)).total).toBe(0)
    expect(await idsOf(desk.viewers.admin)).toContain(stuck.itemId)
  })
})

describe('a claim', () => {
  test.for([-3, 3])(
    'is one person’s, due and held as long, in a process whose clock is %i hours off',
    async (hours, { skip }) => {
      skip(
        database.current().mode === 'embedded',
        'the embedded engine has the clock of its process: only a server’s can differ',
      )
      const { itemId, contentHash } = await waits({ kind: 'held' })
      const { rows: before } = await listQueue(reviewer, filter())
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 })
      try {
        await claimReview(reviewer, itemId)
        await expect(claimReview(desk.second, itemId)).rejects.toMatchObject({ code: 'conflict' })
        expect(await claimNext(desk.second, filter())).toBeNull()
        await renewClaim(reviewer, itemId)
        // Neither late nor given up.
        await sweepReviews()
        expect(await itemOf(db(), itemId)).toMatchObject({ state: 'open', escalatedAt: null })
        expect(await idsOf(reviewer, { whose: 'late' })).toEqual([])
        expect((await listQueue(reviewer, filter())).rows).toMatchObject([{ dueAt: before[0]?.dueAt }])
        await expect(decide(desk.second, { itemId, contentHash }, 'approve')).rejects.toMatchObject({
          code: 'conflict',
        })
        await decide(reviewer, { itemId, contentHash }, 'approve')
      } finally {
        vi.useRealTimers()
      }
      const { decidedAt } = await itemOf(db(), itemId)
      expect(Math.abs((decidedAt?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
    },
  )

  test('is one person’s until its lease is over by the database’s clock, and goes on when it is renewed', async () => {
    const { itemId } = await waits()
    const { until } = await claimReview(reviewer, itemId)
    const [clock] = await db().select({ ms: sql<number>`(extract(epoch from now()) * 1000)::float8` }).from(reviewItems)
    expect(Date.parse(until) - (clock?.ms ?? 0)).toBeGreaterThan(9 * 60_000)
    await expect(claimReview(desk.second, itemId)).rejects.toEqual(
      refused('conflict', /^reviewer is working on this until/),
    )
    expect(await claimNext(desk.second, filter())).toBeNull()
    expect((await loadReview(desk.second, itemId)).cannot).toMatch(/^reviewer is working/)
    expect((await listQueue(desk.second, filter())).rows[0]?.claimedBy?.name).toBe('reviewer')
    await move(itemId, 'lease_until', -1)
    // Nobody took it meanwhile: who comes back goes on.
    await renewClaim(reviewer, itemId)
    await move(itemId, 'lease_until', -1)
    expect((await claimNext(desk.second, filter()))?.itemId).toBe(itemId)
    await expect(renewClaim(reviewer, itemId)).rejects.toEqual(refused('conflict', /^Noor is working on this/))
    await releaseClaim(reviewer, itemId)
    expect((await itemOf(db(), itemId)).claimedBy).toBe(desk.second.userId)
    await releaseClaim(desk.second, itemId)
    expect((await itemOf(db(), itemId)).claimedBy).toBeNull()
  })

  test('is taken over by who manages reviews alone, and that is written down', async () => {
    const { itemId } = await waits()
    await claimReview(reviewer, itemId)
    await expect(claimReview(desk.second, itemId, { takeOver: true })).rejects.toMatchObject({ code: 'not-found' })
    await claimReview(desk.viewers.admin, itemId, { takeOver: true })
    const lines = await db().select().from(auditLog).where(eq(auditLog.objectId, itemId)).orderBy(auditLog.id)
    expect(lines.map(({ event, details }) => [event, details])).toEqual([
      ['review.claimed', {}],
      ['review.claimed', { takenFrom: reviewer.userId }],
    ])
  })

  test('of the next item goes to one person each, what is assigned first, and to nobody more than five', async () => {
    for (let at = 0; at < 7; at += 1) await waits({ slaMinutes: 10 + at })
    const mine = await waits({ slaMinutes: 500 })
    await handOn(desk.viewers.admin, mine.itemId, reviewer.userId)
    expect((await claimNext(reviewer, filter()))?.itemId).toBe(mine.itemId)
    const taken = await Promise.all(
      [reviewer, desk.second, reviewer, desk.second, desk.viewers.admin].map((person) => claimNext(person, filter())),
    )
    expect(new Set(taken.map((claim) => claim?.itemId)).size).toBe(5)
    await claimNext(reviewer, filter())
    await claimNext(reviewer, filter())
    await expect(claimNext(reviewer, filter())).rejects.toEqual(refused('conflict', /5 answers taken up/))
    await releaseClaim(reviewer, mine.itemId)
    // It is still theirs by turn, so another is not given it.
    expect(await claimNext(desk.second, filter())).toBeNull()
  })

  test('of the next item goes by the order of the list, and none of those that were passed over', async () => {
    const calm = await waits({
      kind: 'sampled',
      slaMinutes: 10,
      reasons: [{ kind: 'sampled', words: 'Taken at random.' }],
    })
    const risky = await waits({ slaMinutes: 90, reasons: [{ kind: 'injection', words: 'An order.' }] })
    const mine = await waits({ slaMinutes: 50 })
    await handOn(desk.viewers.admin, mine.itemId, reviewer.userId)
    await move(risky.itemId, 'created_at', -5)
    const next = async (rest: Partial<ReviewFilter>, except: string[]) => {
      const claim = await claimNext(reviewer, filter(rest), { except })
      if (claim) await releaseClaim(reviewer, claim.itemId)
      return claim?.itemId
    }
    expect(await next({ order: 'risk' }, [])).toBe(mine.itemId)
    expect(await next({ order: 'risk' }, [mine.itemId])).toBe(risky.itemId)
    expect(await next({ order: 'due' }, [mine.itemId])).toBe(calm.itemId)
    expect(await next({ order: 'age' }, [mine.itemId])).toBe(risky.itemId)
    expect(await next({ order: 'risk' }, [mine.itemId, risky.itemId])).toBe(calm.itemId)
    expect(await next({}, [mine.itemId, risky.itemId, calm.itemId])).toBeUndefined()
  })

  test('names at most fifty that were passed over, by their ids', () => {
    const ids = Array.from({ length: 50 }, () => newId())
    expect(reviewExceptSchema.parse(ids.join(','))).toEqual(ids)
    expect(reviewExceptSchema.parse('')).toEqual([])
    for (const wrong of [[...ids, newId()].join(','), 'x', `${ids[0]};${ids[1]}`])
      expect(reviewExceptSchema.safeParse(wrong).success).toBe(false)
  })

  test('passes over what draws from a document that was closed since: it is neither taken up nor in the way', async () => {
    const shut: Waiting[] = []
    for (let at = 0; at < 6; at += 1) shut.push(await waits({ slaMinutes: 10 + at }))
    for (const { itemId } of shut.slice(0, 5)) await claimReview(reviewer, itemId)
    // Of a document that is gone nothing is shut.
    const open = await waits({ slaMinutes: 100 })
    const [keys, backups] = desk.sources
    const rest = {
      ...open.content,
      citations: [],
      sources: [
        { documentId: backups.documentId, versionId: backups.versionId },
        { documentId: newId(), versionId: newId() },
      ],
    }
    await db().update(reviewItems).set({ content: rest }).where(eq(reviewItems.id, open.itemId))
    await db().update(documents).set({ collectionId: desk.closedId }).where(eq(documents.id, keys.documentId))
    expect((await claimNext(reviewer, filter()))?.itemId).toBe(open.itemId)
    expect(await claimNext(reviewer, filter())).toBeNull()
    expect((await itemOf(db(), shut[5]?.itemId ?? '')).claimedBy).toBeNull()
    await grant(db(), desk.second, desk.closedId)
    expect((await claimNext(desk.second, filter()))?.itemId).toBe(shut[5]?.itemId)
  })

  test('of what is assigned to another and late is anybody’s', async () => {
    const { itemId } = await waits()
    await handOn(desk.viewers.admin, itemId, reviewer.userId)
    expect(await claimNext(desk.second, filter())).toBeNull()
    await move(itemId, 'escalated_at', -1)
    expect((await claimNext(desk.second, filter()))?.itemId).toBe(itemId)
  })

  test('of two at the same moment is one', async () => {
    const { itemId } = await waits()
    const ends = await Promise.allSettled([claimReview(reviewer, itemId), claimReview(desk.second, itemId)])
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })
})

describe('an item', () => {
  test('shows the answer beside its passages, what was said before, and nothing that the model says of itself', async () => {
    const waiting = await waits()
    const said = async (
      text: string,
      collectionIds: string[],
      status: 'complete' | 'held',
      role: 'user' | 'assistant',
    ) =>
      db()
        .insert(messages)
        .values({
          id: newId(),
          chatId: waiting.chatId,
          role,
          text,
          status,
          metadata: { collectionIds },
          createdAt: sql`now() - interval '1 hour' + make_interval(secs => ${text.length}::int)`,
        })
    await said('Hello?', [], 'complete', 'user')
    await said('An open answer. [^1]', [desk.collectionId], 'complete', 'assistant')
    await said('An answer from what is closed.', [desk.closedId], 'complete', 'assistant')
    await said('A held answer that nobody has decided on yet.', [desk.collectionId], 'held', 'assistant')
    const before = await waits({ question: 'How are the keys rotated today?' })
    await decide(desk.second, before, 'reject')
    const detail = await loadReview(reviewer, waiting.itemId)
    expect(detail.conversation.map(({ text }) => text)).toEqual([
      'Hello?',
      'An open answer.',
      'An earlier answer, from documents that you cannot open.',
    ])
    expect(detail.citations.map(({ quote, removed }) => [quote, removed])).toEqual([
      [rotation, false],
      [backup, false],
    ])
    expect(detail.similar).toMatchObject([{ id: before.itemId, state: 'rejected', by: 'Noor' }])
    expect(detail).toMatchObject({ text: waiting.content.text, cannot: null, cannotApprove: null, traceId: null })
    expect(JSON.stringify(detail)).not.toContain('I am sure')
    expect(JSON.stringify(detail)).not.toContain('seed')
    await db().delete(documents).where(eq(documents.id, desk.sources[0].documentId))
    expect((await loadReview(reviewer, waiting.itemId)).citations[0]).toMatchObject({ quote: '', removed: true })
  })

  test('is handed on, talked about and asked about among those who may review it', async () => {
    const waiting = await waits({ by: desk.second })
    const stranger = await addReviewer(db(), (await openDesk(database.current())).workspaceId, 'Stranger')
    expect((await listReviewers(reviewer, waiting.itemId)).map(({ name }) => name)).toEqual([
      'admin',
      'owner',
      'reviewer',
    ])
    for (const userId of [desk.viewers.member.userId, desk.second.userId, stranger.userId]) {
      await expect(handOn(reviewer, waiting.itemId, userId)).rejects.toEqual(refused('bad-request', /may not decide/))
      await expect(commentReview(reviewer, waiting.itemId, 'You?', [userId])).rejects.toMatchObject({
        code: 'bad-request',
      })
    }
    await claimReview(reviewer, waiting.itemId)
    await askExpert(reviewer, waiting.itemId, desk.viewers.owner.userId, 'Is this the old rule?')
    await commentReview(desk.viewers.owner, waiting.itemId, 'It is.', [reviewer.userId])
    expect(await itemOf(db(), waiting.itemId)).toMatchObject({ assignedTo: desk.viewers.owner.userId, claimedBy: null })
    expect((await loadReview(reviewer, waiting.itemId)).comments.map(({ author, text }) => [author, text])).toEqual([
      ['reviewer', 'Is this the old rule?'],
      ['owner', 'It is.'],
    ])
    expect(await told(desk.viewers.owner)).toMatchObject([
      { kind: 'review.assigned', link: `/review/${waiting.itemId}` },
    ])
    expect(await told(reviewer)).toMatchObject([{ kind: 'review.mentioned' }])
    await expect(commentReview(reviewer, waiting.itemId, '  ')).rejects.toMatchObject({ code: 'bad-request' })
    await expect(commentReview(desk.second, waiting.itemId, 'Mine')).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('time', () => {
  test.each([
    ['refuse', 0],
    ['sources', 2],
  ] as const)(
    'gives up what nobody decided on, with what the policy promised: %s',
    async (fallback, documentsShown) => {
      await setReviewPolicy(db(), desk.workspaceId, { fallback })
      const [late, early] = [await waits(), await waits()]
      await move(late.itemId, 'expires_at', -1)
      await sweepReviews()
      const { text, status, metadata } = await messageOf(db(), late.messageId)
      expect([status, metadata.review?.state, metadata.nearest?.length ?? 0]).toEqual([
        'complete',
        'expired',
        documentsShown,
      ])
      expect(metadata.withheld).toEqual([text])
      expect(text).not.toContain('rotated')
      expect((await messageOf(db(), early.messageId)).status).toBe('held')
      await expect(decide(reviewer, late, 'approve')).rejects.toEqual(refused('conflict', /Nobody decided in time/))
      expect(await told(desk.viewers.member)).toMatchObject([
        { words: 'Nobody could check an answer of yours in time.' },
      ])
    },
  )

  test('and a decision at once end in one of the two', async () => {
    const waiting = await waits()
    await move(waiting.itemId, 'expires_at', -1)
    const [, decided] = await Promise.allSettled([sweepReviews(), decide(reviewer, waiting, 'approve')])
    const { metadata } = await messageOf(db(), waiting.messageId)
    expect(metadata.review?.state).toBe(decided.status === 'fulfilled' ? 'approved' : 'expired')
  })

  test('frees what is assigned to a reviewer who was suspended, and forgets drafts of what was asked for again', async () => {
    const [handed, again] = [await waits(), await waits()]
    await handOn(desk.viewers.admin, handed.itemId, reviewer.userId)
    await saveReviewDraft(reviewer, again.itemId, { text: 'Half a sentence', note: '' })
    await db().update(memberships).set({ suspendedAt: new Date() }).where(eq(memberships.userId, reviewer.userId))
    await db().update(messages).set({ supersededAt: new Date() }).where(eq(messages.id, again.messageId))
    expect(await claimNext(desk.second, filter())).toBeNull()
    await sweepReviews()
    expect((await claimNext(desk.second, filter()))?.itemId).toBe(handed.itemId)
    expect(await db().select().from(reviewDrafts)).toEqual([])
  })

  test('raises what is late once, to who manages reviews', async () => {
    const [one, other] = [await waits(), await waits()]
    for (const { itemId } of [one, other]) await move(itemId, 'due_at', -1)
    await sweepReviews()
    await sweepReviews()
    expect(await told(desk.viewers.admin)).toMatchObject([
      { kind: 'review.escalated', words: '2 answers wait longer for their review than was promised.' },
    ])
    expect(await told(reviewer)).toEqual([])
    expect((await listQueue(reviewer, filter())).rows.every(({ escalated }) => escalated)).toBe(true)
  })
})

describe('a known error', () => {
  test('is mixed in unseen, kept from who approved its original, counted when it is found, and shown to no asker', async () => {
    const { admin, member } = desk.viewers
    await setReviewPolicy(db(), desk.workspaceId, { seedShare: 0.3 })
    const original = await waits({ kind: 'sampled' })
    await decide(reviewer, original, 'approve')
    await expect(seedReviews(reviewer, 1)).rejects.toMatchObject({ code: 'not-found' })
    expect(await seedReviews(admin, 5, () => 0)).toBe(1)
    expect(await seedReviews(admin, 5, () => 0)).toBe(0)
    const real = await waits({ kind: 'sampled', slaMinutes: 1 })
    expect(await idsOf(reviewer)).toEqual([real.itemId])
    const claimed = await claimNext(desk.second, filter(), { random: () => 0.2 })
    const [seed] = await db()
      .select()
      .from(reviewItems)
      .where(eq(reviewItems.seeded, true))
      .orderBy(sql`created_at desc`)
      .limit(1)
    expect(claimed?.itemId).toBe(seed?.id)
    expect((await claimNext(admin, filter(), { random: () => 0.9 }))?.itemId).toBe(real.itemId)
    const detail = await loadReview(desk.second, claimed?.itemId ?? '')
    expect(JSON.stringify(detail)).not.toMatch(/seed|known/i)
    expect(detail.asker).toBe('member')
    const waiting = { itemId: detail.id, contentHash: detail.contentHash }
    expect(await decide(desk.second, waiting, 'reject')).toMatchObject({
      seed: { caught: true, words: expect.any(String) },
    })
    expect(await told(member)).toEqual([])
    const metrics = await reviewMetrics(admin, 1)
    expect(metrics).toMatchObject({
      backlog: { open: 1 },
      decisions: { approved: 1, rejected: 0 },
      seeds: { open: 0, decided: 1, caught: 1 },
      overturnRate: 0,
    })
    expect(metrics.reviewers).toMatchObject([
      { name: 'Noor', decisions: 0, seeds: 1, caught: 1 },
      { name: 'reviewer', decisions: 1, seeds: 0 },
    ])
    expect(await reviewMetrics(reviewer, 1)).toMatchObject({ reviewers: null, seeds: { open: null, decided: 1 } })
  })

  test('goes with the conversation that it was made of', async () => {
    const original = await waits({ kind: 'sampled' })
    await decide(reviewer, original, 'approve')
    await seedReviews(desk.viewers.admin, 1)
    await deleteChat(db(), desk.viewers.member, original.chatId)
    await sweepReviews()
    const left = await db().select().from(reviewItems).where(eq(reviewItems.workspaceId, desk.workspaceId))
    expect(left).toHaveLength(2)
    expect(JSON.stringify(left)).not.toContain('otated')
    expect(await db().select().from(chats).where(eq(chats.id, original.chatId))).toEqual([])
  })
})

describe('figures', () => {
  test('tell how long decisions on held answers take, from five of them on', async () => {
    for (let at = 0; at < 5; at += 1) {
      expect(await usualDecisionMs(desk.workspaceId)).toBeNull()
      const waiting = await waits()
      await move(waiting.itemId, 'created_at', -(at + 1) * 10)
      await decide(reviewer, waiting, at === 0 ? 'reject' : 'approve')
    }
    const usually = (await usualDecisionMs(desk.workspaceId)) ?? 0
    expect(Math.round(usually / 60_000)).toBe(30)
    const metrics = await reviewMetrics(desk.viewers.admin)
    expect(metrics.overturnRate).toBe(0.2)
    expect(Math.round((metrics.timeToDecision?.p90Ms ?? 0) / 60_000)).toBe(46)
    expect(metrics.days).toHaveLength(30)
    expect(metrics.days.reduce((sum, { decided }) => sum + decided, 0)).toBe(5)
  })

  test('tell how often two people agree on one answer', async () => {
    const one = await waits({ kind: 'queued' })
    await decide(reviewer, one, 'approve')
    const { itemId } = one
    const again = newId()
    await db().execute(sql`insert into review_items (id, workspace_id, kind, message_id, chat_id, asker_id, question, content, content_hash, reasons, reason, risk, held, due_at)
      select ${again}::uuid, workspace_id, 'feedback', message_id, chat_id, asker_id, question, content, content_hash, reasons, reason, risk, held, due_at
      from review_items where id = ${itemId}`)
    await decide(desk.second, { itemId: again, contentHash: one.contentHash }, 'reject')
    expect((await reviewMetrics(desk.viewers.admin)).agreement).toEqual({ pairs: 1, agreed: 0 })
  })
})
