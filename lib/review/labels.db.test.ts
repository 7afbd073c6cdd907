import { eq } from 'drizzle-orm'
import { beforeEach, describe, expect, test } from 'vitest'
import { auditLog, documents, memberships, messages, passageLabels, reviewItems } from '#db/schema/index.ts'
import { withDatabase } from '#db/testing.ts'
import { defaultRubric, type SaveLabel } from '#lib/shared/label-contract.ts'
import { feedbackSchema, type LabelScores } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { addAnswer } from './fixtures/answers.ts'
import { addReviewer, ask, backup, type Desk, openDesk, rotation } from './fixtures/desk.ts'
import {
  addLabelItems,
  adjudicate,
  answerQuality,
  askPerson,
  decideReview,
  exportLabels,
  giveFeedback,
  labelOverview,
  listDisputes,
  nextToLabel,
  saveLabel,
  saveRubric,
} from './index.ts'

const database = withDatabase()
const db = () => database.current().db
let desk: Desk
let third: Viewer
beforeEach(async () => {
  desk = await openDesk(database.current())
  third = await addReviewer(db(), desk.workspaceId, 'Ines')
})

const good: LabelScores = { correct: 2, grounded: 2, relevant: 2, tone: 2 }
const label = (messageId: string, scores: LabelScores, more: Partial<SaveLabel> = {}): SaveLabel => ({
  ...{ messageId, scores, note: '', passages: [] },
  ...more,
})
const upFor = async (...answers: { messageId: string }[]) =>
  addLabelItems(
    desk.viewers.reviewer,
    answers.map(({ messageId }) => messageId),
  )
const exported = async (viewer: Viewer): Promise<Record<string, unknown>[]> =>
  (await new Response(await exportLabels(viewer)).text())
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

describe('answers come up for labelling', () => {
  test('at random, each once, and never what the rater may not read, asked themselves, or was no answer', async () => {
    const { reviewer } = desk.viewers
    const plain = await addAnswer(db(), desk)
    const own = await addAnswer(db(), desk, { by: reviewer })
    const closed = await addAnswer(db(), desk, { metadata: { collectionIds: [desk.collectionId, desk.closedId] } })
    await addAnswer(db(), desk, { status: 'no-source', claims: [], text: 'Nothing.' })
    await addAnswer(db(), desk, { metadata: { withheld: ['No.'] } })
    expect(await addLabelItems(reviewer, 100)).toBe(1)
    expect(await addLabelItems(reviewer, 100)).toBe(0)
    expect((await nextToLabel(reviewer))?.messageId).toBe(plain.messageId)
    // Put up by who may read them, they come to nobody else.
    expect(await addLabelItems(desk.second, [own.messageId, closed.messageId])).toBe(1)
    expect((await nextToLabel(reviewer, [plain.messageId]))?.messageId).toBeUndefined()
    await expect(saveLabel(reviewer, label(own.messageId, good))).rejects.toMatchObject({ code: 'not-found' })
    await expect(saveLabel(reviewer, label(closed.messageId, good))).rejects.toMatchObject({ code: 'not-found' })
  })

  test('with the passages as search ranked them; those of a document that was closed since take the answer away', async () => {
    const [keys, backups] = desk.sources
    const one = await addAnswer(db(), desk, { found: [backups.chunkId, keys.chunkId] })
    await upFor(one)
    const task = await nextToLabel(desk.viewers.reviewer)
    expect(task).toMatchObject({
      question: 'How are keys rotated?',
      text: one.text,
      rubric: defaultRubric,
      passages: [
        { rank: 1, text: backup },
        { rank: 2, text: rotation },
      ],
    })
    await db().update(documents).set({ collectionId: desk.closedId }).where(eq(documents.id, keys.documentId))
    expect(await nextToLabel(desk.viewers.reviewer)).toBeNull()
  })

  test('to nobody who is no reviewer any more', async () => {
    await upFor(await addAnswer(db(), desk))
    const { userId } = desk.second
    await db().update(memberships).set({ suspendedAt: new Date() }).where(eq(memberships.userId, userId))
    expect(await nextToLabel(desk.second)).toBeNull()
  })
})

describe('two raters', () => {
  test('are blind to each other, and a third label is refused with words', async () => {
    const one = await addAnswer(db(), desk)
    await upFor(one)
    await saveLabel(desk.viewers.reviewer, label(one.messageId, good, { note: 'a secret remark' }))
    const seen = [
      await nextToLabel(desk.second),
      await listDisputes(desk.second),
      await exported(desk.viewers.admin),
      await db().select().from(auditLog).where(eq(auditLog.objectId, one.messageId)),
    ]
    expect(JSON.stringify(seen)).not.toMatch(/secret remark|"grounded":2/)
    // Their own can be changed until the other is there.
    await saveLabel(desk.viewers.reviewer, label(one.messageId, { ...good, tone: 1 }))
    await saveLabel(desk.second, label(one.messageId, { ...good, tone: 1 }))
    await saveLabel(desk.second, label(one.messageId, { ...good, tone: 1 }))
    for (const late of [third, desk.viewers.reviewer])
      await expect(saveLabel(late, label(one.messageId, good))).rejects.toMatchObject({ code: 'conflict' })
    expect(await nextToLabel(third)).toBeNull()
    expect((await labelOverview(third)).progress).toEqual({ total: 1, finished: 1, disputed: 0, mine: 0, waiting: 0 })
  })

  test('who differ are decided between by a third person, once', async () => {
    const one = await addAnswer(db(), desk)
    await upFor(one)
    await saveLabel(desk.viewers.reviewer, label(one.messageId, good))
    await saveLabel(desk.second, label(one.messageId, { ...good, correct: 0 }, { note: 'It is 60 days.' }))
    expect(await listDisputes(desk.second)).toEqual([])
    const [dispute] = await listDisputes(third)
    expect(dispute?.labels.map(({ scores }) => scores.correct).sort()).toEqual([0, 2])
    expect(JSON.stringify(dispute)).not.toContain(desk.second.userId)
    const { messageId } = one
    await expect(adjudicate(desk.second, { messageId, scores: good })).rejects.toMatchObject({ code: 'forbidden' })
    await adjudicate(third, { messageId, scores: { ...good, correct: 1 } })
    await adjudicate(third, { messageId, scores: { ...good, correct: 1 } })
    await expect(adjudicate(desk.viewers.admin, { messageId, scores: good })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect((await labelOverview(third)).progress).toMatchObject({ finished: 1, disputed: 0 })
  })

  test('agree by kappa, a criterion at a time', async () => {
    const answers = await Promise.all([0, 1, 2].map(() => addAnswer(db(), desk)))
    await upFor(...answers)
    const scores = [
      [0, 0],
      [2, 2],
      [2, 0],
    ] as const
    for (const [at, { messageId }] of answers.entries()) {
      const [one = 0, other = 0] = scores[at] ?? []
      await saveLabel(desk.viewers.reviewer, label(messageId, { ...good, correct: one }))
      await saveLabel(desk.second, label(messageId, { ...good, correct: other }))
    }
    const { agreement } = await labelOverview(third)
    // Two of three alike; by chance (2/3 * 2/3 + 1/3 * 1/3) would differ.
    expect(agreement[0]).toMatchObject({ criterion: 'correct', pairs: 3, same: 2 / 3 })
    expect(agreement[0]?.kappa).toBeCloseTo(1 - 1 / 3 / (5 / 9), 10)
    expect(agreement[3]).toMatchObject({ criterion: 'tone', same: 1, kappa: null })
  })
})

test('marks on passages tell how good search is; their places are those of the trace', async () => {
  const [keys, backups] = desk.sources
  const one = await addAnswer(db(), desk, { found: [backups.chunkId, keys.chunkId] })
  await upFor(one)
  const passages = [
    { chunkId: backups.chunkId, relevant: false },
    { chunkId: keys.chunkId, relevant: true },
    { chunkId: '999999999', relevant: true },
  ]
  await saveLabel(desk.viewers.reviewer, label(one.messageId, good, { passages }))
  await saveLabel(desk.viewers.reviewer, label(one.messageId, good, { passages }))
  expect((await db().select().from(passageLabels)).filter(({ messageId }) => messageId === one.messageId)).toHaveLength(
    2,
  )
  const { retrieval } = await labelOverview(desk.viewers.reviewer)
  expect(
    retrieval.map(({ k, precision, helped }) => [k, precision.part, precision.whole, helped.part, helped.whole]),
  ).toEqual([
    [1, 0, 1, 0, 1],
    [3, 1, 2, 1, 1],
    [5, 1, 2, 1, 1],
    [10, 1, 2, 1, 1],
  ])
})

test('a question that nothing helped with counts against search once all that was read for it was looked at', async () => {
  const [keys, backups] = desk.sources
  const found = [backups.chunkId, keys.chunkId]
  const [helped, failed, half] = [
    await addAnswer(db(), desk, { found }),
    await addAnswer(db(), desk, { found }),
    await addAnswer(db(), desk, { found }),
  ]
  await upFor(helped, failed, half)
  const mark = (messageId: string, ...marks: boolean[]) =>
    saveLabel(
      desk.viewers.reviewer,
      label(messageId, good, {
        passages: marks.map((relevant, at) => ({ chunkId: found[at] ?? '', relevant })),
      }),
    )
  await mark(helped.messageId, true, false)
  await mark(failed.messageId, false, false)
  // The other passage may help.
  await mark(half.messageId, false)
  const { retrieval } = await labelOverview(desk.viewers.reviewer)
  expect(retrieval.map(({ k, helped: { part, whole } }) => [k, part, whole])).toEqual([
    [1, 1, 3],
    [3, 1, 2],
    [5, 1, 2],
    [10, 1, 2],
  ])
})

test('the rubric has versions: an answer keeps the one that it was put up with', async () => {
  const { admin } = desk.viewers
  await upFor(await addAnswer(db(), desk))
  const rubric = { ...defaultRubric, tone: 'Polite.' }
  expect(await saveRubric(admin, 0, rubric)).toEqual({ version: 1 })
  expect(await saveRubric(admin, 0, rubric)).toEqual({ version: 1 })
  await expect(saveRubric(admin, 0, defaultRubric)).rejects.toMatchObject({ code: 'conflict' })
  expect(await nextToLabel(desk.second)).toMatchObject({ rubricVersion: 0, rubric: defaultRubric })
  expect((await labelOverview(admin)).rubric).toEqual({ version: 1, rubric })
})

test('finished labels go out as lines of JSON, with texts only of what the viewer may read', async () => {
  const [one, closed] = [await addAnswer(db(), desk), await addAnswer(db(), desk)]
  await upFor(one, closed)
  for (const { messageId } of [one, closed])
    for (const rater of [desk.viewers.reviewer, desk.second])
      await saveLabel(rater, label(messageId, good, { note: `about ${messageId}` }))
  const shut = { collectionIds: [desk.closedId], read: { passages: 1, documents: 1 } }
  await db().update(messages).set({ metadata: shut }).where(eq(messages.id, closed.messageId))
  const lines = await exported(desk.viewers.admin)
  expect(lines).toHaveLength(2)
  expect(lines.find(({ messageId }) => messageId === one.messageId)).toMatchObject({
    question: 'How are keys rotated?',
    answer: one.text,
    labels: [{ scores: good }, { scores: good }],
  })
  expect(lines.find(({ messageId }) => messageId === closed.messageId)).toMatchObject({ question: null, answer: null })
  expect(JSON.stringify(lines)).not.toContain(`about ${closed.messageId}`)
  expect(JSON.stringify(lines)).not.toContain(desk.second.userId)
})

test('disputes come together, each with its own passages, rubric and labels', async () => {
  const [keys, backups] = desk.sources
  const one = await addAnswer(db(), desk, { found: [keys.chunkId] })
  await upFor(one)
  await saveRubric(desk.viewers.admin, 0, { ...defaultRubric, tone: 'Polite.' })
  const other = await addAnswer(db(), desk, { found: [backups.chunkId, keys.chunkId] })
  await upFor(other)
  for (const [{ messageId }, tone] of [[one, 0] as const, [other, 1] as const]) {
    await saveLabel(desk.viewers.reviewer, label(messageId, good))
    await saveLabel(desk.second, label(messageId, { ...good, tone }))
  }
  const disputes = await listDisputes(third)
  expect(
    disputes.map(({ messageId, rubricVersion, rubric, passages, citations, labels }) => [
      ...[messageId, rubricVersion, rubric.tone === 'Polite.', passages.map(({ text }) => text), citations.length],
      labels.map(({ scores }) => scores.tone).sort(),
    ]),
  ).toEqual([
    [one.messageId, 0, false, [rotation], 2, [0, 2]],
    [other.messageId, 1, true, [backup, rotation], 2, [1, 2]],
  ])
})

test('how often answers are wrong is counted by model, prompt and collection, with intervals', async () => {
  const { admin, reviewer } = desk.viewers
  const stretch = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) }
  expect(await answerQuality(admin, stretch, 'model')).toBeNull()
  const prompt = { versions: { prompt: 'answer@3', encoder: 'built-in', index: null } }
  const bad = await addAnswer(db(), desk, {
    claims: [rotation, 'Backups are kept for 99 years.'],
    metadata: { ...prompt, collectionIds: [desk.collectionId, desk.closedId] },
  })
  const two = await addAnswer(db(), desk, { metadata: { ...prompt, model: { id: 'mock/two', kind: 'provider' } } })
  await addAnswer(db(), desk, { status: 'no-source', claims: [], text: 'Nothing.' })
  // Small talk is no answer from documents.
  await addAnswer(db(), desk, { claims: [], text: 'Hello!', metadata: { read: undefined } as never })
  await giveFeedback(desk.viewers.member, feedbackSchema.parse({ messageId: bad.messageId, value: -1 }))
  await upFor(two)
  await saveLabel(reviewer, label(two.messageId, { ...good, correct: 1 }))
  const decided = await ask(db(), desk, { kind: 'queued' })
  await db()
    .update(messages)
    .set({ metadata: { read: { passages: 2, documents: 2 }, collectionIds: [desk.collectionId] } })
    .where(eq(messages.id, decided.messageId))
  await decideReview(reviewer, {
    ...{ itemId: decided.itemId, contentHash: decided.contentHash, decisionId: crypto.randomUUID() },
    decision: { act: 'edit', text: 'Keys are rotated every 90 days. [^1]' },
  })

  const found = await answerQuality(admin, stretch, 'model')
  expect(found?.all).toMatchObject({
    answers: 4,
    faults: {
      unsupported: { part: 1 },
      abstained: { part: 1, whole: 4 },
      overturned: { part: 1, whole: 1 },
      disliked: { part: 1, whole: 1 },
      labelled: { part: 1, whole: 1 },
    },
  })
  expect(found?.all.faults.abstained.low).toBeCloseTo(0.0456, 3)
  const one = found?.rows.find(({ key }) => key === 'mock/one')
  expect(one?.faults.citations).toMatchObject({ part: 1, whole: 2 })
  const byPrompt = await answerQuality(admin, stretch, 'prompt')
  expect(byPrompt?.rows.map(({ key, answers }) => [key, answers])).toEqual(
    expect.arrayContaining([
      ['answer@3', 2],
      [null, 2],
    ]),
  )
  const byCollection = await answerQuality(admin, stretch, 'collection')
  expect(byCollection?.rows.map(({ key, name, answers }) => [key, name, answers])).toEqual([
    [desk.collectionId, 'General', 4],
    [desk.closedId, null, 1],
  ])
  const elsewhere = await openDesk(database.current())
  expect(await answerQuality(elsewhere.viewers.admin, stretch, 'model')).toBeNull()
})

test('an answer counts as its model made it, whatever a decision made of it since', async () => {
  const { admin, reviewer, member } = desk.viewers
  const stretch = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) }
  const bad = 'Backups are kept for 99 years.'
  const told = { read: { passages: 2, documents: 2 }, model: { id: 'mock/bad', kind: 'provider' as const } }
  const reject = ({ itemId, contentHash }: { itemId: string; contentHash: string }) =>
    decideReview(reviewer, {
      ...{ itemId, contentHash, decisionId: crypto.randomUUID() },
      decision: { act: 'reject', reason: 'unsupported' },
    })
  for (const kind of ['held', 'queued'] as const) {
    const one = await ask(db(), desk, { kind, claims: [rotation, bad] })
    const metadata = { ...told, claims: { total: 2, supported: 1 }, droppedCitations: 1 }
    await db()
      .update(reviewItems)
      .set({ content: { ...one.content, metadata } })
      .where(eq(reviewItems.id, one.itemId))
    await db().update(messages).set({ metadata: told }).where(eq(messages.id, one.messageId))
    await reject(one)
  }
  const disliked = await addAnswer(db(), desk, { claims: [rotation, bad], metadata: told })
  await giveFeedback(member, feedbackSchema.parse({ messageId: disliked.messageId, value: -1 }))
  const [thumbed] = await db().select().from(reviewItems).where(eq(reviewItems.messageId, disliked.messageId))
  await reject({ itemId: thumbed?.id ?? '', contentHash: thumbed?.contentHash ?? '' })
  // Of what a person writes where nothing was found the model has said none.
  const nothing = await addAnswer(db(), desk, { status: 'no-source', claims: [], text: 'Nothing.', metadata: told })
  await askPerson(member, nothing.messageId, '')
  const [asked] = await db().select().from(reviewItems).where(eq(reviewItems.messageId, nothing.messageId))
  await decideReview(reviewer, {
    ...{ itemId: asked?.id ?? '', contentHash: asked?.contentHash ?? '', decisionId: crypto.randomUUID() },
    decision: { act: 'edit', text: 'Every 90 days, by the platform team.' },
  })

  const found = await answerQuality(admin, stretch, 'model', { model: 'mock/bad' })
  expect(found?.rows).toMatchObject([
    {
      ...{ key: 'mock/bad', answers: 4 },
      faults: {
        unsupported: { part: 3, whole: 6 },
        // Each has a bad one of two; two of them had one dropped as well.
        citations: { part: 5, whole: 8 },
        abstained: { part: 1, whole: 4 },
        overturned: { part: 3, whole: 3 },
      },
    },
  ])
  // Narrowed to who wrote it and who asked.
  await addAnswer(db(), desk, { by: reviewer })
  const answersBy = async (filter: Parameters<typeof answerQuality>[3]) =>
    (await answerQuality(admin, stretch, 'model', filter))?.all.answers
  expect(await answersBy({})).toBe(5)
  expect(await answersBy({ user: reviewer.userId })).toBe(1)
  expect(await answersBy({ user: reviewer.userId, model: 'mock/bad' })).toBeUndefined()
})
