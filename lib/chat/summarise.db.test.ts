import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { deleteChat, insertAnswer, insertQuestion } from '#db/queries/chats.ts'
import { insertModel, insertProvider } from '#db/queries/models.ts'
import { getOpenTaskRun, sweepTaskRuns } from '#db/queries/task-runs.ts'
import { chats, messages, modelCalls, taskRuns } from '#db/schema/index.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { runTaskRun } from '#ingestion/run-task.ts'
import { closeQueue, openQueue, work } from '#lib/jobs.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { openSummary, summariseChat, summariseSelection, summaryRun } from './summarise.ts'

const test = withDatabase()
let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
  await openQueue()
  await work('task.run', ({ runId }, signal) => runTaskRun(runId, signal))
})
afterAll(async () => {
  await vendor.close()
  await closeQueue(100)
})
beforeEach(() => {
  vendor.requests.length = 0
  vendor.script({ text: JSON.stringify({ summary: 'Leave is 25 days.' }) })
})

const workspace = async (withModel = true): Promise<Viewer> => {
  const { viewers } = await createTestWorkspace(test.current())
  const { workspaceId } = viewers.member
  const providerId = newId()
  const { db } = test.current()
  if (!withModel) return viewers.member
  const nothing = { sealedKey: null, keyHint: null, requestsPerMinute: null, tokensPerMinute: null }
  await insertProvider(db, {
    ...nothing,
    id: providerId,
    workspaceId,
    name: 'mock',
    kind: 'compatible',
    baseUrl: vendor.url,
    local: true,
    enabled: true,
  })
  await insertModel(db, {
    id: newId(),
    workspaceId,
    providerId,
    modelId: 'model-1',
    tier: 'fast',
    position: 0,
    contextTokensMax: null,
    inputMicrosPerMillion: null,
    outputMicrosPerMillion: null,
    cachedMicrosPerMillion: null,
    enabled: true,
  })
  return viewers.member
}

const answerText = 'Every employee gets 25 days of annual leave[^1]. They are planned with the team in the spring.'

const chatOf = async (viewer: Viewer, answer: string | null = answerText): Promise<string> => {
  const { db } = test.current()
  const chatId = newId()
  const questionId = newId()
  await db.insert(chats).values({ id: chatId, userId: viewer.userId, workspaceId: viewer.workspaceId, title: 'Leave' })
  await insertQuestion(db, { id: questionId, chatId, text: 'How many days of leave?' })
  if (answer === null) return chatId
  const id = newId()
  await insertAnswer(db, { id, chatId, questionId })
  await db.update(messages).set({ text: answer, status: 'complete' }).where(eq(messages.id, id))
  return chatId
}

const ended = async (viewer: Viewer, id: string) => {
  await expect.poll(async () => (await summaryRun(viewer, id)).state, { timeout: 20_000 }).not.toBe('running')
  return summaryRun(viewer, id)
}

const sent = (): string => JSON.stringify(vendor.requests.map(({ body }) => body))
const selection = (chatId: string, text: string) => ({ chatId, title: 'Handbook', text })

describe('the summary of a conversation', () => {
  it('is back at once when it is quick, made of questions and answers without their markers, and paid for by who asked', async () => {
    const viewer = await workspace()
    const run = await summariseChat(viewer, await chatOf(viewer))
    expect(run).toMatchObject({ of: 'chat', state: 'done', summary: 'Leave is 25 days.', cached: false, error: null })
    expect(sent()).toContain('How many days of leave?')
    expect(sent()).toContain('25 days of annual leave. They')
    const lines = await test.current().db.select().from(modelCalls).where(eq(modelCalls.userId, viewer.userId))
    expect(lines.map(({ task, feature }) => `${task} ${feature}`)).toEqual(['summarise chat.summary'])
  })

  it('is not paid for twice, and says that it is from before', async () => {
    const viewer = await workspace()
    const chatId = await chatOf(viewer)
    await summariseChat(viewer, chatId)
    const again = await summariseChat(viewer, chatId)
    expect(again).toMatchObject({ state: 'done', summary: 'Leave is 25 days.', cached: true })
    expect(vendor.requests).toHaveLength(1)
  })

  it('without a model is made of its own sentences and says so', async () => {
    const viewer = await workspace(false)
    const run = await summariseChat(viewer, await chatOf(viewer))
    expect(run).toMatchObject({ state: 'done', model: null })
    expect(run.summary).toContain('25 days of annual leave')
  })

  it('over two seconds is a job that tells how far it is, is found again and asked for twice is one', async () => {
    vendor.script({ text: JSON.stringify({ summary: 'A part.' }), firstDelayMs: 1_200 })
    const viewer = await workspace()
    const chatId = await chatOf(
      viewer,
      `${'Leave is planned with the team. '.repeat(600)}\n\n${'More. '.repeat(2_000)}`,
    )
    const startedMs = performance.now()
    const [run, twin] = await Promise.all([summariseChat(viewer, chatId), summariseChat(viewer, chatId)])
    expect(performance.now() - startedMs).toBeLessThan(3_500)
    expect(run.state).toBe('running')
    expect(twin.id).toBe(run.id)
    expect(run.total).toBe(3)
    expect(await openSummary(viewer, chatId)).toMatchObject({ id: run.id, state: 'running' })
    const end = await ended(viewer, run.id)
    expect(end).toMatchObject({ state: 'done', done: 3, total: 3, summary: 'A part.' })
    expect(await openSummary(viewer, chatId)).toBeNull()
    expect(vendor.requests).toHaveLength(3)
  })

  it('is refused in words when there is no answer yet', async () => {
    const viewer = await workspace()
    await expect(summariseChat(viewer, await chatOf(viewer, null))).rejects.toMatchObject({ code: 'bad-request' })
    expect(vendor.requests).toHaveLength(0)
  })

  it('is for its owner alone: others can neither ask for it nor read it', async () => {
    const viewer = await workspace()
    const stranger = await workspace()
    const chatId = await chatOf(viewer)
    await expect(summariseChat(stranger, chatId)).rejects.toMatchObject({ code: 'not-found' })
    await expect(summariseSelection(stranger, selection(chatId, answerText))).rejects.toMatchObject({
      code: 'not-found',
    })
    const { id } = await summariseChat(viewer, chatId)
    await expect(summaryRun(stranger, id)).rejects.toMatchObject({ code: 'not-found' })
    await expect(summaryRun({ ...stranger, workspaceId: viewer.workspaceId }, id)).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

describe('the summary of a selection', () => {
  it('is made of the marked text under its title, and the text is not kept', async () => {
    const viewer = await workspace()
    const run = await summariseSelection(viewer, selection(await chatOf(viewer), `${answerText} \0 The end.`))
    expect(run).toMatchObject({ of: 'selection', state: 'done', summary: 'Leave is 25 days.' })
    expect(sent()).toContain('Handbook')
    const [row] = await test.current().db.select().from(taskRuns).where(eq(taskRuns.id, run.id))
    expect(row?.subject).not.toHaveProperty('text')
  })

  it.each([
    ['empty', '   '],
    ['a word', 'leave'],
    ['more than a document', 'word '.repeat(9_000)],
  ])('is refused in words when it is %s', async (_, text) => {
    const viewer = await workspace()
    const refused = summariseSelection(viewer, selection(await chatOf(viewer), text))
    await expect(refused).rejects.toMatchObject({
      code: 'bad-request',
      publicMessage: expect.stringMatching(/select/i),
    })
  })
})

describe('a summary that does not come to its end', () => {
  it('goes back to the queue when the worker stops, and what was made is not made again', async () => {
    const viewer = await workspace()
    const { db } = test.current()
    const chatId = await chatOf(viewer)
    const id = newId()
    await db.insert(taskRuns).values({ id, ...viewer, feature: 'chat.summary', subject: { chatId } })
    await expect(runTaskRun(id, AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping')
    expect(await getOpenTaskRun(db, id)).toBeDefined()
    await runTaskRun(id, new AbortController().signal)
    expect(await summaryRun(viewer, id)).toMatchObject({ state: 'done' })
    await runTaskRun(id, new AbortController().signal)
    expect(vendor.requests).toHaveLength(1)
  })

  it('fails with words when its conversation is gone, and is forgotten with it', async () => {
    const viewer = await workspace()
    const { db } = test.current()
    const chatId = await chatOf(viewer)
    const id = newId()
    await db.insert(taskRuns).values({ id, ...viewer, feature: 'chat.summary', subject: { chatId } })
    await deleteChat(db, viewer, chatId)
    await runTaskRun(id, new AbortController().signal)
    expect(await summaryRun(viewer, id)).toMatchObject({ state: 'failed', error: { code: 'not-found' } })
    await sweepTaskRuns(db)
    await expect(summaryRun(viewer, id)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('is ended when the queue has given it up', async () => {
    const viewer = await workspace()
    const { db } = test.current()
    const chatId = await chatOf(viewer)
    const [id, young] = [newId(), newId()]
    const row = { ...viewer, feature: 'chat.summary', subject: { chatId } }
    await db.insert(taskRuns).values([
      { id, ...row, createdAt: sql`now() - interval '41 minutes'` as unknown as Date },
      { id: young, ...row },
    ])
    await sweepTaskRuns(db)
    expect(await summaryRun(viewer, id)).toMatchObject({
      state: 'failed',
      error: { code: 'internal', retryable: true },
    })
    expect(await summaryRun(viewer, young)).toMatchObject({ state: 'running' })
  })

  it('does not keep others waiting: a person has five at once', async () => {
    const viewer = await workspace()
    const { db } = test.current()
    const chatId = await chatOf(viewer)
    await db.insert(taskRuns).values(
      Array.from({ length: 5 }, () => ({
        id: newId(),
        ...viewer,
        feature: 'chat.summary',
        subject: { chatId: newId() },
      })),
    )
    await expect(summariseChat(viewer, chatId)).rejects.toMatchObject({ code: 'busy' })
  })
})
