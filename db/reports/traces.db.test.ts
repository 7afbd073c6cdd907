import { beforeAll, describe, expect, it } from 'vitest'
import type { Span } from '#lib/shared/admin-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { chats, traces } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import { getTrace, getTraceOfMessage, listTraceModels, listTraces } from './traces.ts'

const test = withDatabase()

const span: Span = {
  id: 's1',
  parentId: null,
  name: 'answer',
  label: 'answer: quotes',
  startMs: 1,
  durationMs: 2,
  status: 'ok',
  costMicros: null,
  attributes: { passages: [{ rank: 1 }] },
}

type Made = { question: string; startedAt: Date; status?: string; model?: string }

describe('trace reports', () => {
  let home: TestWorkspace
  let abroad: TestWorkspace
  const ids: string[] = []
  const messageId = newId()
  const chatId = newId()

  const add = async ({ workspaceId, viewers }: TestWorkspace, made: Made, extra: object = {}): Promise<string> => {
    const id = newId()
    await test
      .current()
      .db.insert(traces)
      .values({ id, workspaceId, userId: viewers.user.userId, status: 'complete', spans: [span], ...made, ...extra })
    return id
  }

  beforeAll(async () => {
    home = await createTestWorkspace(test.current())
    abroad = await createTestWorkspace(test.current())
    await test.current().db.insert(chats).values({
      id: chatId,
      workspaceId: home.workspaceId,
      userId: home.viewers.user.userId,
      title: 'Leave',
    })
    const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 10, minute))
    ids.push(await add(home, { question: 'How much leave?', startedAt: at(1), model: 'quotes' }, { chatId, messageId }))
    ids.push(await add(home, { question: '100% sure?', startedAt: at(2), model: 'other', status: 'failed' }))
    // Two of the same moment: paging must neither skip nor repeat one.
    const together = [
      await add(home, { question: 'Torque of the H-40', startedAt: at(3), model: 'quotes' }),
      await add(home, { question: 'Torque of the H-50', startedAt: at(3), model: 'quotes' }),
    ]
    // Ids of one millisecond are in no order; the list goes by id where the moment is the same.
    ids.push(...together.sort())
    await add(abroad, { question: 'A secret', startedAt: at(4), model: 'secret-model' })
  })

  it('lists the newest first, without spans and without other workspaces', async () => {
    const { traces: listed, more } = await listTraces(test.current().db, home.viewers.admin)
    expect(listed.map(({ id }) => id)).toEqual([...ids].reverse())
    expect(more).toBe(false)
    expect(listed[0]).not.toHaveProperty('spans')
    expect(listed.at(-1)).toMatchObject({ question: 'How much leave?', user: 'user', messageId })
  })

  it('pages through every trace once', async () => {
    const { db } = test.current()
    const seen: string[] = []
    let before: string | undefined
    for (;;) {
      const page = await listTraces(db, home.viewers.admin, { limit: 1, ...(before ? { before } : {}) })
      seen.push(...page.traces.map(({ id }) => id))
      before = seen.at(-1)
      if (!page.more) break
    }
    expect(seen).toEqual([...ids].reverse())
  })

  it('filters by state, model and text, and takes wildcards for what they are', async () => {
    const { db } = test.current()
    const questions = async (filter: Parameters<typeof listTraces>[2]) =>
      (await listTraces(db, home.viewers.admin, filter)).traces.map(({ question }) => question)
    expect(await questions({ status: 'failed' })).toEqual(['100% sure?'])
    expect(await questions({ model: 'other' })).toEqual(['100% sure?'])
    expect(await questions({ text: 'torque of the h-40' })).toEqual(['Torque of the H-40'])
    expect(await questions({ text: '%' })).toEqual(['100% sure?'])
    expect(await questions({ text: home.viewers.user.email })).toHaveLength(4)
    expect(await listTraceModels(db, home.viewers.admin)).toEqual(['other', 'quotes'])
  })

  it('gives a trace with its spans by its id or by its answer, and only inside its workspace', async () => {
    const { db } = test.current()
    expect(await getTrace(db, home.viewers.admin, ids[0] ?? '')).toMatchObject({ id: ids[0], spans: [span] })
    expect(await getTraceOfMessage(db, home.viewers.admin, messageId)).toMatchObject({ id: ids[0] })
    expect(await getTrace(db, abroad.viewers.admin, ids[0] ?? '')).toBeNull()
    expect(await getTraceOfMessage(db, abroad.viewers.admin, messageId)).toBeNull()
  })

  it('names the conversation only to the person whose it is', async () => {
    const { db } = test.current()
    expect((await getTrace(db, home.viewers.user, ids[0] ?? ''))?.chatId).toBe(chatId)
    expect((await getTrace(db, home.viewers.admin, ids[0] ?? ''))?.chatId).toBeNull()
  })
})
