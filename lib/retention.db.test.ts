import { and, eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rows } from '#db/client.ts'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import {
  answerCache,
  auditLog,
  chats,
  citations,
  documents,
  messages,
  modelCalls,
  notifications,
  reviewItems,
  sessions,
  taskRuns,
  traces,
} from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { deleteChat } from './chat/index.ts'
import { deleteDocument } from './documents.ts'
import { closeQueue, openQueue } from './jobs.ts'
import { listHolds, placeHold, releaseHold } from './legal-holds.ts'
import { listRuns, previewRetention, queueDueRetention, runRetention } from './retention.ts'
import { gatewaySettingsSchema } from './shared/gateway-settings.ts'
import { newId } from './shared/ids.ts'
import { type RetentionKind, retentionKinds } from './shared/policy-contract.ts'

const test = withDatabase()
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))

const days: Record<RetentionKind, number> = { chats: 30, traces: 40, calls: 50, audit: 200, sessions: 10, exports: 3 }
const now = new Date()
const daysAgo = (count: number): Date => new Date(now.getTime() - count * 86_400_000)

let workspace: TestWorkspace
let own: { workspaceId: string; userId: string }
beforeEach(async () => {
  workspace = await createTestWorkspace(test.current())
  own = { workspaceId: workspace.workspaceId, userId: workspace.viewers.member.userId }
  const settings = gatewaySettingsSchema.parse({ policy: { retention: days } })
  await storeGatewaySettings(test.current().db, own.workspaceId, 0, settings)
})

/** Makes one record of a kind that is `age` days old. */
const make: Record<RetentionKind, (age: number) => Promise<string>> = {
  chats: async (age) => {
    const id = newId()
    await test
      .current()
      .db.insert(chats)
      .values({ id, ...own, title: 'Old', updatedAt: daysAgo(age) })
    await test.current().db.insert(messages).values({ id: newId(), chatId: id, role: 'user', status: 'complete' })
    return id
  },
  traces: async (age) => {
    const id = newId()
    await test
      .current()
      .db.insert(traces)
      .values({ id, ...own, question: '', status: 'ok', startedAt: daysAgo(age), spans: [] })
    return id
  },
  calls: async (age) => {
    const id = newId()
    await test
      .current()
      .db.insert(modelCalls)
      .values({ id, ...own, at: daysAgo(age), task: 'answer', feature: 'chat', outcome: 'ok' })
    return id
  },
  sessions: async (age) => {
    const id = newId()
    await test
      .current()
      .db.insert(sessions)
      .values({ ...own, idHash: id, expiresAt: daysAgo(age - 5), revokedAt: daysAgo(age) })
    return id
  },
  exports: async (age) => {
    const id = newId()
    await test
      .current()
      .db.insert(taskRuns)
      .values({ id, ...own, feature: 'chat.summary', subject: {}, endedAt: daysAgo(age) })
    return id
  },
  audit: async (age) => {
    const id = newId()
    const line = {
      workspaceId: own.workspaceId,
      actorId: own.userId,
      event: 'chat.deleted',
      objectId: id,
      at: daysAgo(age),
    }
    await test.current().db.insert(auditLog).values(line)
    return id
  },
}

const left: Record<RetentionKind, () => Promise<string[]>> = {
  chats: async () =>
    (await test.current().db.select().from(chats).where(eq(chats.workspaceId, own.workspaceId))).map(({ id }) => id),
  traces: async () =>
    (await test.current().db.select().from(traces).where(eq(traces.workspaceId, own.workspaceId))).map(({ id }) => id),
  calls: async () =>
    (await test.current().db.select().from(modelCalls).where(eq(modelCalls.workspaceId, own.workspaceId))).map(
      ({ id }) => id,
    ),
  sessions: async () =>
    (await test.current().db.select().from(sessions).where(eq(sessions.workspaceId, own.workspaceId))).map(
      ({ idHash }) => idHash,
    ),
  exports: async () =>
    (await test.current().db.select().from(taskRuns).where(eq(taskRuns.workspaceId, own.workspaceId))).map(
      ({ id }) => id,
    ),
  audit: async () =>
    (
      await test
        .current()
        .db.select()
        .from(auditLog)
        .where(and(eq(auditLog.workspaceId, own.workspaceId), eq(auditLog.event, 'chat.deleted')))
    ).map(({ objectId }) => String(objectId)),
}

describe('retention', () => {
  it.each(retentionKinds)('keeps %s to the day of the limit, and deletes them the day after', async (kind) => {
    const gone = await make[kind](days[kind] + 1)
    const stays = await make[kind](days[kind])
    const preview = await previewRetention(own, now)
    expect(preview.parts.find((part) => part.kind === kind)).toEqual({
      kind,
      days: days[kind],
      due: 1,
      held: 0,
      oldestDue: daysAgo(days[kind] + 1).toISOString(),
    })
    expect((await left[kind]()).sort()).toEqual([gone, stays].sort())
    expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({ [kind]: 1 })
    expect(await left[kind]()).toEqual([stays])
    expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({})
    expect((await listRuns(own)).map(({ deleted }) => deleted)).toEqual([{}, { [kind]: 1 }])
  })

  it('keeps everything where no days are set, and touches nobody else’s', async () => {
    const old = await make.chats(3_000)
    const stranger = await createTestWorkspace(test.current())
    expect((await runRetention(stranger.workspaceId, { now })).deleted).toEqual({})
    expect(await left.chats()).toEqual([old])
    const forEver = { chats: null, traces: null, calls: null, audit: null, sessions: null, exports: null }
    await storeGatewaySettings(
      test.current().db,
      own.workspaceId,
      1,
      gatewaySettingsSchema.parse({ policy: { retention: forEver } }),
    )
    expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({})
    expect(await left.chats()).toEqual([old])
  })

  it('takes messages and kept answers of the time along with conversations, many in several steps', async () => {
    const { db } = test.current()
    await db.execute(sql`insert into chats (id, workspace_id, user_id, title, updated_at)
      select gen_random_uuid(), ${own.workspaceId}, ${own.userId}, 'Old', ${daysAgo(31).toISOString()}::timestamptz from generate_series(1, 1201)`)
    const kept = { workspaceId: own.workspaceId, question: 'q', answer: 'a', citations: [], model: 'm' }
    const numbers = { tokensIn: 1, tokensOut: 1, costMicros: 1, expiresAt: daysAgo(-30), createdAt: daysAgo(31) }
    await db.insert(answerCache).values({ ...kept, ...numbers, id: newId(), recipe: newId(), questionHash: newId() })
    await make.chats(31)
    expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({ chats: 1_202 })
    expect(await db.select().from(answerCache).where(eq(answerCache.workspaceId, own.workspaceId))).toEqual([])
  })

  it('cuts the audit log at its beginning only, and leaves the hash that the rest is chained to', async () => {
    const { db } = test.current()
    for (const age of [210, 205, 190, 204]) await make.audit(age)
    const before = await db
      .select()
      .from(auditLog)
      .where(eq(auditLog.workspaceId, own.workspaceId))
      .orderBy(auditLog.place)
    expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({ audit: 2 })
    const after = await db
      .select()
      .from(auditLog)
      .where(eq(auditLog.workspaceId, own.workspaceId))
      .orderBy(auditLog.place)
    // The last is older than the limit, but stands behind one that is not.
    expect(after.slice(0, 2).map(({ id }) => id)).toEqual(before.slice(2).map(({ id }) => id))
    const purged = after.find(({ event }) => event === 'audit.purged')
    expect(purged?.details).toEqual({ lines: 2, place: before[1]?.place, hash: before[1]?.hash })
    const [first] = await rows<{ good: boolean }>(
      db,
      sql`select audit_line_hash(${before[1]?.hash}, l) = l.hash as good from audit_log l where l.id = ${after[0]?.id ?? 0}`,
    )
    expect(first?.good).toBe(true)
  })

  it('never cuts lines of the last half year, whatever the clock of the one who asks', async () => {
    await make.audit(100)
    expect((await runRetention(own.workspaceId, { now: daysAgo(-400) })).deleted).toEqual({})
    expect(await left.audit()).toHaveLength(1)
  })

  it('runs once a day for a workspace, however many workers ask', async () => {
    const { db } = test.current()
    const jobs = () =>
      rows(
        db,
        sql`select id from pgboss.job where name = 'retention.run' and data ->> 'workspaceId' = ${own.workspaceId}`,
      )
    await Promise.all([queueDueRetention(), queueDueRetention()])
    await queueDueRetention()
    expect(await jobs()).toHaveLength(1)
    await db.execute(
      sql`update rate_limits set resets_at = now() - interval '1 second' where key = ${`retention:${own.workspaceId}`}`,
    )
    await queueDueRetention()
    expect(await jobs()).toHaveLength(2)
  })
})

describe('a legal hold', () => {
  it.each(retentionKinds)('on a person keeps their %s, and gives them up when it is released', async (kind) => {
    const { admin } = workspace.viewers
    const record = await make[kind](days[kind] + 1)
    await placeHold(admin, { kind: 'person', objectId: own.userId, reason: 'A claim' })
    expect((await previewRetention(own, now)).parts.find((part) => part.kind === kind)).toMatchObject({
      due: 1,
      held: 1,
    })
    expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({})
    expect(await left[kind]()).toEqual([record])
    const [hold] = await listHolds(admin)
    await releaseHold(admin, hold?.id ?? '')
    expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({ [kind]: 1 })
  })

  it('on a document or its collection keeps it, and the conversations that cite it, from being deleted by anyone', async () => {
    const { db } = test.current()
    const { admin, member } = workspace.viewers
    const chatId = await make.chats(31)
    const answerId = newId()
    await createScratchDocument(db, admin, { collectionId: workspace.collectionId, name: 'contract.txt' })
    const [document] = await db.select().from(documents).where(eq(documents.workspaceId, own.workspaceId))
    const documentId = document?.id ?? ''
    await db.insert(messages).values({ id: answerId, chatId, role: 'assistant', status: 'complete' })
    await db.insert(citations).values({
      messageId: answerId,
      ordinal: 1,
      n: 1,
      documentId,
      versionId: newId(),
      chunkId: '1',
      title: 'Contract',
      collection: 'General',
      mediaType: 'text/plain',
      headingPath: [],
      quote: 'q',
      charStart: 0,
      charEnd: 1,
      rects: [],
      claim: 'c',
      supported: true,
    })
    for (const target of [
      { kind: 'document', objectId: documentId },
      { kind: 'collection', objectId: workspace.collectionId },
    ] as const) {
      const { id } = await placeHold(admin, { ...target, reason: 'An audit is under way' })
      await expect(placeHold(admin, { ...target, reason: 'Again' })).rejects.toMatchObject({ code: 'conflict' })
      expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({})
      const refusal = {
        code: 'conflict',
        publicMessage: expect.stringMatching(/since \d{4}-\d\d-\d\d, because: An audit is under way\./),
      }
      await expect(deleteChat(member, chatId)).rejects.toMatchObject(refusal)
      await expect(deleteDocument(admin, documentId)).rejects.toMatchObject(refusal)
      await releaseHold(admin, id)
    }
    // Of another workspace nothing can be held, and nothing released.
    const { viewers } = await createTestWorkspace(test.current())
    await expect(
      placeHold(viewers.admin, { kind: 'document', objectId: documentId, reason: 'Mine' }),
    ).rejects.toMatchObject({
      code: 'not-found',
    })
    await deleteDocument(admin, documentId)
    expect((await runRetention(own.workspaceId, { now })).deleted).toEqual({ chats: 1 })
  })
})

describe('what reviews leave', () => {
  it('loses its words with the conversation, and keeps how it ended; notifications go after 90 days', async () => {
    const { db } = test.current()
    const { workspaceId, userId } = own
    const chatId = await make.chats(31)
    const [question] = await db.select().from(messages).where(eq(messages.chatId, chatId))
    const item = (messageId: string) => ({
      ...{
        id: newId(),
        workspaceId,
        messageId,
        kind: 'held' as const,
        question: 'What of heliotrope?',
        contentHash: '',
      },
      ...{ content: { text: 'Heliotrope.', citations: [], claims: [], metadata: {}, sources: [] }, reasons: [] },
      ...{ reason: 'confidence', risk: 1, held: true, state: 'approved' as const, dueAt: now, decidedAt: now },
    })
    const [old, recent] = [item(question?.id ?? ''), item(newId())]
    await db.insert(reviewItems).values([old, recent])
    const tell = (age: number) => ({
      ...{ id: newId(), workspaceId, userId, kind: 'review.decided', words: 'Checked.', link: '/' },
      createdAt: daysAgo(age),
    })
    const kept = tell(89)
    await db.insert(notifications).values([tell(91), kept])
    await runRetention(workspaceId, { now })
    const left = await db.select().from(reviewItems).where(eq(reviewItems.workspaceId, workspaceId))
    expect(left.find(({ id }) => id === old.id)).toMatchObject({
      state: 'approved',
      question: '',
      content: { text: '' },
    })
    expect(left.find(({ id }) => id === recent.id)).toMatchObject({ question: 'What of heliotrope?' })
    const told = await db.select().from(notifications).where(eq(notifications.workspaceId, workspaceId))
    expect(told.map(({ id }) => id)).toEqual([kept.id])
  })
})
