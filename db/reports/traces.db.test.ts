import { beforeAll, describe, expect, it } from 'vitest'
import type { Span, TraceFilter } from '#lib/shared/admin-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { chats, modelCalls, traces } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import { getTrace, getTraceOfMessage, listTraceChoices, listTraces, type TraceQuery } from './traces.ts'

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
      .values({ id, workspaceId, userId: viewers.member.userId, status: 'complete', spans: [span], ...made, ...extra })
    return id
  }

  beforeAll(async () => {
    home = await createTestWorkspace(test.current())
    abroad = await createTestWorkspace(test.current())
    await test.current().db.insert(chats).values({
      id: chatId,
      workspaceId: home.workspaceId,
      userId: home.viewers.member.userId,
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
    expect(listed.at(-1)).toMatchObject({ question: 'How much leave?', user: 'member', messageId })
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
    const questions = async (filter: TraceQuery) =>
      (await listTraces(db, home.viewers.admin, filter)).traces.map(({ question }) => question)
    expect(await questions({ status: 'failed' })).toEqual(['100% sure?'])
    expect(await questions({ model: 'other' })).toEqual(['100% sure?'])
    expect(await questions({ q: 'torque of the h-40' })).toEqual(['Torque of the H-40'])
    expect(await questions({ q: '%' })).toEqual(['100% sure?'])
    expect(await questions({ q: home.viewers.member.email })).toHaveLength(4)
    expect(await questions({ from: new Date(Date.UTC(2026, 0, 1, 10, 2)), status: 'complete' })).toHaveLength(2)
    expect(await questions({ user: home.viewers.member.userId })).toHaveLength(4)
    expect(await questions({ user: home.viewers.admin.userId })).toEqual([])
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
    expect((await getTrace(db, home.viewers.member, ids[0] ?? ''))?.chatId).toBe(chatId)
    expect((await getTrace(db, home.viewers.admin, ids[0] ?? ''))?.chatId).toBeNull()
  })
})

describe('the calls of a trace', () => {
  let home: TestWorkspace
  let abroad: TestWorkspace
  const answered = { id: newId(), messageId: newId() }
  const kept = { id: newId(), messageId: newId() }
  const foreign = { id: newId(), messageId: newId() }
  const at = new Date(Date.UTC(2026, 5, 1, 10))

  beforeAll(async () => {
    const { db } = test.current()
    home = await createTestWorkspace(test.current())
    abroad = await createTestWorkspace(test.current())
    const trace = ({ workspaceId, viewers }: TestWorkspace, made: { id: string; messageId: string }, more: object) =>
      db.insert(traces).values({
        ...made,
        workspaceId,
        userId: viewers.member.userId,
        question: 'x',
        status: 'complete',
        startedAt: at,
        spans: [],
        ...more,
      })
    await trace(home, answered, { question: 'answered', model: 'big-2026-01' })
    await trace(home, kept, { question: 'kept', model: 'big-2026-01', startedAt: new Date(at.getTime() + 1_000) })
    await trace(abroad, foreign, { question: 'foreign', model: 'big-2026-01' })
    const call = (workspaceId: string, made: { id: string; messageId: string }, more: object) => ({
      id: newId(),
      at,
      workspaceId,
      traceId: made.id,
      messageId: made.messageId,
      task: 'answer',
      feature: 'chat',
      tier: 'standard',
      outcome: 'ok',
      ...more,
    })
    await db.insert(modelCalls).values([
      call(home.workspaceId, answered, {
        requestedModel: 'big',
        servedModel: 'big-2026-01',
        provider: 'openai',
        fingerprint: 'fp_1',
        flags: ['masked'],
        promptHash: 'abc',
        policyVersion: 7,
        tokensReasoning: 12,
        costMicros: 900,
      }),
      call(home.workspaceId, answered, { requestedModel: 'small', outcome: 'timeout', tier: 'fast', costMicros: 0 }),
      call(home.workspaceId, kept, { cache: 'semantic', tier: null, savedMicros: 900 }),
      // Names a trace of another workspace: neither is that one found by it, nor does it show it.
      call(home.workspaceId, foreign, { task: 'judge', requestedModel: 'spy' }),
      call(abroad.workspaceId, foreign, { requestedModel: 'secret-model', task: 'plan' }),
    ])
  })

  const found = async (filter: TraceFilter, who = home) =>
    (await listTraces(test.current().db, who.viewers.admin, filter)).traces.map(({ question }) => question)

  it('narrow the list, each by what it says of itself', async () => {
    for (const filter of [
      { model: 'small' },
      { model: 'big' },
      { outcome: 'timeout' },
      { tier: 'fast' },
      { provider: 'openai' },
      { flag: 'masked' },
      { fingerprint: 'fp_1' },
      { prompt: 'abc' },
      { policy: 7 },
      { cache: 'none' },
    ] as const)
      expect([filter, await found(filter)]).toEqual([filter, ['answered']])
    for (const filter of [{ cache: 'any' }, { cache: 'semantic' }] as const)
      expect([filter, await found(filter)]).toEqual([filter, ['kept']])
    for (const filter of [{ cache: 'exact' }, { policy: 8 }, { flag: 'mask' }, { model: 'secret-model' }] as const)
      expect([filter, await found(filter)]).toEqual([filter, []])
    // What the trace itself was answered by is found too, from the cache or not.
    expect(await found({ model: 'big-2026-01' })).toEqual(['kept', 'answered'])
    expect(await found({ task: 'answer', feature: 'chat' })).toEqual(['kept', 'answered'])
  })

  it('are asked of one call: two things that are true of two calls are not true of one', async () => {
    expect(await found({ outcome: 'timeout', tier: 'fast', model: 'small' })).toEqual(['answered'])
    expect(await found({ outcome: 'timeout', tier: 'standard' })).toEqual([])
    expect(await found({ outcome: 'timeout', model: 'big' })).toEqual([])
  })

  it('stay in their workspace, also when a line names a trace of another', async () => {
    expect(await found({ task: 'judge' })).toEqual([])
    expect(await found({ task: 'judge' }, abroad)).toEqual([])
    expect(await found({ task: 'plan' }, abroad)).toEqual(['foreign'])
    const trace = await getTrace(test.current().db, abroad.viewers.admin, foreign.id)
    expect(trace?.calls.map(({ requestedModel }) => requestedModel)).toEqual(['secret-model'])
  })

  it('come with the trace, what failed before what came of it', async () => {
    const trace = await getTrace(test.current().db, home.viewers.admin, answered.id)
    expect(trace?.calls).toMatchObject([
      { requestedModel: 'small', outcome: 'timeout', flags: [], costMicros: 0 },
      { requestedModel: 'big', servedModel: 'big-2026-01', flags: ['masked'], tokensReasoning: 12, costMicros: 900 },
    ])
    expect((await getTraceOfMessage(test.current().db, home.viewers.admin, kept.messageId))?.calls).toMatchObject([
      { cache: 'semantic', savedMicros: 900, at: at.toISOString() },
    ])
  })

  it('are what the filters offer, with the people who asked, since a moment', async () => {
    const { db } = test.current()
    expect(await listTraceChoices(db, home.viewers.admin, new Date(at.getTime() - 1))).toEqual({
      models: ['big', 'big-2026-01', 'small', 'spy'],
      tasks: ['answer', 'judge'],
      tiers: ['fast', 'standard'],
      users: [{ id: home.viewers.member.userId, name: 'member' }],
    })
    expect(await listTraceChoices(db, home.viewers.admin, new Date(at.getTime() + 2_000))).toEqual({
      models: [],
      tasks: [],
      tiers: [],
      users: [],
    })
  })
})
