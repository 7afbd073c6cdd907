import { and, eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { saveCuratedAnswer } from '#db/queries/corrections.ts'
import {
  auditLog,
  collectionGrants,
  curatedAnswers,
  documentNotes,
  documents,
  goldenQuestions,
  notifications,
  reviewItems,
} from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { findChecked } from '#lib/gateway/index.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { listGoldenQuestions, measureGolden } from '#lib/knowledge.ts'
import { newId } from '#lib/shared/ids.ts'
import { feedbackSchema, type ReviewDecisionRequest } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import {
  type Asked,
  ask,
  backup,
  type Desk,
  grant,
  messageOf,
  openDesk,
  rotation,
  type Waiting,
} from './fixtures/desk.ts'
import {
  decideReview,
  giveFeedback,
  listCorrections,
  listNotifications,
  markRead,
  noteDocument,
  notesOn,
  resolveNote,
  retireCurated,
  saveCurated,
  saveGolden,
  seedReviews,
} from './index.ts'

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
const decided = async (asked: Asked = {}, decision: Decision = approve): Promise<Waiting> => {
  const waiting = await ask(db(), desk, asked)
  const { itemId, contentHash } = waiting
  await decideReview(desk.viewers.reviewer, { itemId, contentHash, decisionId: newId(), decision })
  return waiting
}
const find = (viewer: Viewer, question = 'How are keys rotated?', collectionIds: string[] = []) =>
  findChecked({ viewer, question, collectionIds })
const refused = (code: string, words: RegExp) =>
  expect.objectContaining({ code, publicMessage: expect.stringMatching(words) })
const publish = (documentId: string) =>
  db().update(documents).set({ publishedVersionId: newId() }).where(eq(documents.id, documentId))
const told = async ({ userId }: Viewer, kind: string) =>
  (
    await db()
      .select()
      .from(notifications)
      .where(and(eq(notifications.userId, userId), eq(notifications.kind, kind)))
  ).map(({ words }) => words)

describe('an approved answer', () => {
  test('becomes a checked answer once, found word for word by everybody who may read all of it, and is audited', async () => {
    const { reviewer, member } = desk.viewers
    const { itemId, content } = await decided()
    expect(await find(member)).toBeNull()
    const [one, two] = await Promise.all([saveCurated(reviewer, { itemId }), saveCurated(desk.second, { itemId })])
    expect(one.id).toBe(two.id)
    expect([one.made, two.made].sort()).toEqual([false, true])
    expect(await find(member, ' how are keys ROTATED ')).toMatchObject({
      level: 'exact',
      answer: { answer: content.text, citations: content.citations },
    })
    expect(await find(member, 'How are keys not rotated?')).toBeNull()
    const lines = await db().select().from(auditLog).where(eq(auditLog.objectId, one.id)).orderBy(auditLog.id)
    expect(lines.map(({ event }) => event)).toEqual(['curated-answer.saved'])
    expect((await listCorrections(reviewer)).corrections).toEqual([
      expect.objectContaining({
        kind: 'curated',
        answer: `${rotation} ${backup}`,
        documents: ['Backups', 'Keys'],
        fell: null,
      }),
    ])
  })

  test('is not found by who cannot read a document that it was written from, cited or not, nor in another part', async () => {
    const { reviewer, member } = desk.viewers
    // Cites the first document and was written from both.
    const { itemId } = await decided({}, { act: 'edit', text: `${rotation} [^1]` })
    await saveCurated(reviewer, { itemId })
    expect(await find(member)).not.toBeNull()
    expect(await find(member, undefined, [desk.closedId])).toBeNull()
    const [, second] = desk.sources
    await db().update(documents).set({ collectionId: desk.closedId }).where(eq(documents.id, second.documentId))
    expect(await find(member)).toBeNull()
    expect((await listCorrections(desk.second)).corrections).toEqual([])
    // Who made it still sees that it is there, and no word of it.
    expect((await listCorrections(reviewer)).corrections).toMatchObject([
      { answer: null, documents: ['Keys'], fell: null },
    ])
  })

  test('becomes a golden case with what should be found, replaces the one to its question, and is measured', async () => {
    const { reviewer, admin } = desk.viewers
    const { itemId } = await decided()
    const { workspaceId } = desk
    await db()
      .insert(goldenQuestions)
      .values({ id: newId(), workspaceId, question: 'How are keys rotated?', expected: [] })
    const saved = await saveGolden(reviewer, { itemId })
    expect(await saveGolden(reviewer, { itemId })).toEqual({ id: saved.id, made: false })
    const stored = await db().select().from(goldenQuestions).where(eq(goldenQuestions.workspaceId, workspaceId))
    expect(stored).toEqual([
      expect.objectContaining({
        id: saved.id,
        itemId,
        answer: `${rotation} ${backup}`,
        expected: desk.sources.map(({ documentId, text }) => ({ documentId, quote: text })),
      }),
    ])
    const nothing = { found: false, stages: [] } as never
    const measure = () => measureGolden(admin, { ids: [saved.id] }, async () => nothing)
    expect(await measure()).toHaveLength(1)
    await publish(desk.sources[0].documentId)
    expect(await measure()).toEqual([])
    expect(await listGoldenQuestions(admin)).toEqual([expect.objectContaining({ fell: '“Keys” has changed.' })])
  })

  test.each(['changed', 'deleted'])('falls with a document that is %s, and its maker is told', async (how) => {
    const { reviewer, member } = desk.viewers
    const { itemId } = await decided()
    await saveCurated(reviewer, { itemId })
    await saveGolden(desk.second, { itemId })
    const { documentId } = desk.sources[1]
    if (how === 'changed') await publish(documentId)
    else await db().delete(documents).where(eq(documents.id, documentId))
    expect(await find(member)).toBeNull()
    const because = how === 'changed' ? '“Backups” has changed.' : '“Backups” was deleted.'
    expect(await told(reviewer, 'correction.fell')).toEqual([expect.stringContaining(because)])
    expect(await told(desk.second, 'correction.fell')).toEqual([expect.stringContaining('golden case')])
    expect((await listCorrections(reviewer)).corrections.find(({ kind }) => kind === 'curated')?.fell?.because).toBe(
      because,
    )
    // What fell is not made again of the same answer.
    await expect(saveCurated(reviewer, { itemId })).rejects.toThrow(refused('conflict', /changed since|was deleted/))
  })

  test('is kept by nobody who may not decide, of nothing that changed, is open, rejected or names no source', async () => {
    const { reviewer, member } = desk.viewers
    const open = await ask(db(), desk, { kind: 'queued', question: 'What of backups?' })
    await expect(saveCurated(reviewer, open)).rejects.toThrow(refused('conflict', /approved or edited/))
    const rejected = await decided({ question: 'Why?' }, { act: 'reject', reason: 'wrong' })
    await expect(saveGolden(reviewer, rejected)).rejects.toThrow(refused('conflict', /approved or edited/))
    const { itemId } = await decided()
    await expect(saveCurated(member, { itemId })).rejects.toMatchObject({ code: 'not-found' })
    const own = await decided({ by: desk.second })
    await expect(saveCurated(desk.second, own)).rejects.toMatchObject({ code: 'forbidden' })
    await publish(desk.sources[0].documentId)
    await expect(saveCurated(reviewer, { itemId })).rejects.toThrow(refused('conflict', /has changed/))
  })

  test('that was asked in the middle of a conversation needs its question worded, and is found by those words', async () => {
    const { reviewer, member } = desk.viewers
    const waiting = await decided({ question: 'And for managers?' })
    const first = newId()
    await db().execute(sql`insert into messages (id, chat_id, role, text, status, created_at)
      values (${first}, ${waiting.chatId}, 'user', 'How long is leave?', 'complete', now() - interval '1 minute')`)
    await expect(saveCurated(reviewer, waiting)).rejects.toThrow(refused('bad-request', /as it stands by itself/))
    await saveCurated(reviewer, { itemId: waiting.itemId, question: 'How long is leave for managers?' })
    expect(await find(member, 'How long is leave for managers?')).not.toBeNull()
    expect(await find(member, 'And for managers?')).toBeNull()
  })

  test('that was edited is kept as it was edited, and as long as it stands so', async () => {
    const { reviewer, member } = desk.viewers
    const waiting = await decided({}, { act: 'edit', text: `${backup} [^2]` })
    await saveCurated(reviewer, waiting)
    expect(await find(member)).toMatchObject({
      answer: { answer: `${backup} [^1]`, citations: [{ title: 'Backups' }] },
    })
    const other = await decided({ question: 'How long?' }, { act: 'edit', text: `${backup} [^2]` })
    await db().execute(sql`update messages set text = 'Something else.' where id = ${other.messageId}`)
    await expect(saveCurated(reviewer, other)).rejects.toThrow(refused('conflict', /not there any more/))
  })
})

describe('an answer that was overturned', () => {
  test.each(['reject', 'edit'] as const)(
    'is given to nobody as checked any more, whoever was given it: %s',
    async (act) => {
      const { reviewer, member, admin } = desk.viewers
      await saveCurated(reviewer, await decided({ question: 'What else?' }, { act: 'edit', text: `${backup} [^2]` }))
      const item = await decided()
      const { id } = await saveCurated(reviewer, item)
      await saveGolden(reviewer, item)
      // Given to another person, who says that it is wrong.
      const given = await ask(db(), desk, { kind: 'feedback', by: admin })
      const { itemId, contentHash, messageId } = given
      await db().execute(
        sql`update messages set metadata = metadata || '{"curated":{"checkedAt":"2026-01-01T00:00:00.000Z"}}' where id = ${messageId}`,
      )
      const decision: Decision = act === 'reject' ? { act, reason: 'outdated' } : { act, text: `${rotation} [^1]` }
      await decideReview(desk.second, { itemId, contentHash, decisionId: newId(), decision })
      expect(await find(member)).toBeNull()
      expect(await find(member, 'What else?')).not.toBeNull()
      const did = act === 'reject' ? 'a reviewer has withdrawn it.' : 'a reviewer has corrected it.'
      expect(await told(reviewer, 'correction.fell')).toEqual([
        expect.stringMatching(`checked answer.*${did}`),
        expect.stringMatching(`golden case.*${did}`),
      ])
      const lines = await db().select().from(auditLog).where(eq(auditLog.objectId, id)).orderBy(auditLog.id)
      expect(lines.map(({ event }) => event)).toEqual(['curated-answer.saved', 'curated-answer.retired'])
      // Nor does it go on wearing the seal itself.
      expect((await messageOf(db(), messageId)).metadata.curated).toBeUndefined()
    },
  )

  test('is not kept by what was decided before, nor made a known error', async () => {
    const { reviewer, admin, member } = desk.viewers
    const first = await decided({ kind: 'sampled' })
    const { messageId } = first
    await giveFeedback(member, feedbackSchema.parse({ messageId, value: -1 }))
    const [again] = await db()
      .select()
      .from(reviewItems)
      .where(and(eq(reviewItems.messageId, messageId), eq(reviewItems.state, 'open')))
    // It does not say what it was written from.
    await grant(db(), desk.second, desk.closedId)
    const { id: itemId, contentHash } = again ?? { id: '', contentHash: '' }
    const decision: Decision = { act: 'reject', reason: 'wrong' }
    await decideReview(desk.second, { itemId, contentHash, decisionId: newId(), decision })
    await expect(saveCurated(reviewer, first)).rejects.toThrow(refused('conflict', /not there any more/))
    await expect(saveGolden(reviewer, first)).rejects.toThrow(refused('conflict', /not there any more/))
    expect(await seedReviews(admin, 1, () => 0)).toBe(0)
  })
})

describe('a checked answer', () => {
  test('is not made of what a collection shaped of which it keeps no source', async () => {
    const { reviewer } = desk.viewers
    await grant(db(), reviewer, desk.closedId)
    const waiting = await decided({ collectionIds: [desk.collectionId, desk.closedId] })
    await expect(saveCurated(reviewer, waiting)).rejects.toThrow(refused('conflict', /keeps no source/))
  })

  test('is taken back by another reviewer: it is given no more, and its maker is told', async () => {
    const { reviewer, member } = desk.viewers
    const { id } = await saveCurated(reviewer, await decided())
    await expect(retireCurated(member, id)).rejects.toMatchObject({ code: 'not-found' })
    await retireCurated(desk.second, id)
    await retireCurated(desk.second, id)
    expect(await find(member)).toBeNull()
    expect(await told(reviewer, 'correction.fell')).toEqual([expect.stringContaining('taken it back')])
  })

  test('makes room for a newer one to the same question', async () => {
    const { reviewer, member } = desk.viewers
    await saveCurated(reviewer, await decided())
    await saveCurated(reviewer, await decided({}, { act: 'edit', text: `${rotation} [^1]` }))
    expect(await find(member)).toMatchObject({ answer: { answer: `${rotation} [^1]` } })
    const stored = await db().select().from(curatedAnswers).where(eq(curatedAnswers.workspaceId, desk.workspaceId))
    expect(stored.filter(({ fellAt }) => fellAt === null)).toHaveLength(1)
    expect(await told(reviewer, 'correction.fell')).toEqual([])
  })

  test('of several to one question, kept at the same moment, is the last of them', async () => {
    const { workspaceId, sources } = desk
    const keep = (answer: string) =>
      db().transaction((tx) =>
        saveCuratedAnswer(
          tx,
          { id: newId(), workspaceId, question: 'Why?', questionHash: 'why', answer, citations: [], embedding: null },
          sources,
        ),
      )
    await Promise.all(['One.', 'Two.', 'Three.'].map(keep))
    const stored = await db().select().from(curatedAnswers).where(eq(curatedAnswers.workspaceId, workspaceId))
    expect(stored.map(({ fellAt }) => fellAt === null).sort()).toEqual([false, false, true])
  })
})

describe('a note', () => {
  test('reaches who keeps the document, is read and resolved there, and once is enough', async () => {
    const { reviewer, member, admin } = desk.viewers
    const { documentId } = desk.sources[0]
    const { workspaceId, collectionId } = desk
    const waiting = await decided({}, { act: 'reject', reason: 'outdated' })
    const note = { itemId: waiting.itemId, documentId, text: 'It is 60 days by now.' }
    // Nobody keeps it: who administers documents is told.
    const { id } = await noteDocument(reviewer, note)
    expect(await told(admin, 'document.noted')).toEqual(['A reviewer has left a note on “Keys”.'])
    expect(await noteDocument(reviewer, note)).toEqual({ id, made: false })
    await expect(notesOn(member, documentId)).rejects.toMatchObject({ code: 'not-found' })
    await expect(resolveNote(member, id)).rejects.toMatchObject({ code: 'not-found' })
    await db()
      .insert(collectionGrants)
      .values({ id: newId(), workspaceId, collectionId, subject: 'person', subjectId: member.userId, level: 'manage' })
    await noteDocument(reviewer, { ...note, text: 'See the wiki.' })
    expect(await told(member, 'document.noted')).toHaveLength(1)
    expect(await told(admin, 'document.noted')).toHaveLength(1)
    expect(await notesOn(member, documentId)).toMatchObject([
      { text: 'See the wiki.', mayResolve: true },
      { text: note.text, quote: rotation, by: 'reviewer', resolved: null },
    ])
    await resolveNote(member, id)
    await resolveNote(member, id)
    expect((await listCorrections(reviewer)).notes.map(({ resolved }) => resolved?.by)).toEqual([undefined, 'member'])
    const lines = await db().select().from(auditLog).where(eq(auditLog.objectId, documentId)).orderBy(auditLog.id)
    expect(lines.map(({ event }) => event)).toEqual(['document.noted', 'document.noted', 'document-note.resolved'])
    await expect(noteDocument(reviewer, { ...note, documentId: newId() })).rejects.toMatchObject({ code: 'not-found' })
    await db().delete(documents).where(eq(documents.id, documentId))
    expect(await db().select().from(documentNotes).where(eq(documentNotes.documentId, documentId))).toEqual([])
  })
})

test('notifications are a person’s own: listed newest first, counted, and marked as read by nobody else', async () => {
  const { reviewer, member } = desk.viewers
  await decided()
  await decided({ question: 'Again?' })
  const { unread, rows } = await listNotifications(member)
  expect([unread, rows.length]).toEqual([2, 2])
  const ids = rows.map(({ id }) => id)
  await markRead(reviewer, { ids })
  expect((await listNotifications(member)).unread).toBe(2)
  await markRead(member, { ids: ids.slice(0, 1) })
  expect(await listNotifications(member)).toMatchObject({ unread: 1, rows: [{ read: true }, { read: false }] })
  await markRead(member, { until: new Date(rows[0]?.createdAt ?? 0) })
  expect((await listNotifications(member)).unread).toBe(0)
})
