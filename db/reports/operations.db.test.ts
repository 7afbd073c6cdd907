import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { periodOf } from '#lib/shared/operations-contract.ts'
import { breakers, modelCalls, modelProviders, traces } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import {
  getHealthTotals,
  getLatencySeries,
  getQuestionLatency,
  listBreakers,
  listEveryBreaker,
  listFailures,
  listLatencies,
  listUnanswered,
} from './operations.ts'

const test = withDatabase()
const now = new Date('2026-11-21T10:30:00Z')
const period = periodOf('7d', now)

describe('health reports', () => {
  let home: TestWorkspace
  let abroad: TestWorkspace

  type Made = Partial<typeof modelCalls.$inferInsert>
  const add = (workspace: TestWorkspace, made: Made[]) =>
    test
      .current()
      .db.insert(modelCalls)
      .values(
        made.map((one, at) => ({
          id: newId(),
          workspaceId: workspace.workspaceId,
          userId: workspace.viewers.member.userId,
          // A minute each, but for those that say when.
          at: new Date(Date.UTC(2026, 10, 20, 12, at)),
          task: 'answer',
          feature: 'chat',
          outcome: 'ok',
          requestedModel: 'large',
          servedModel: 'large-2026',
          ...one,
        })),
      )
  const addTrace = async ({ workspaceId, viewers }: TestWorkspace, made: Partial<typeof traces.$inferInsert>) => {
    const id = newId()
    await test
      .current()
      .db.insert(traces)
      .values({
        id,
        workspaceId,
        userId: viewers.member.userId,
        question: 'Anything?',
        status: 'complete',
        startedAt: new Date('2026-11-20T12:00:00Z'),
        spans: [],
        ...made,
      })
    return id
  }

  beforeAll(async () => {
    home = await createTestWorkspace(test.current())
    abroad = await createTestWorkspace(test.current())
    // 1 to 100: the percentiles are known.
    await add(
      home,
      Array.from({ length: 100 }, (_, at) => ({
        totalMs: (at + 1) * 10,
        firstTokenMs: at + 1,
        at: new Date(Date.UTC(2026, 10, 19, 8, at % 50)),
      })),
    )
    await add(home, [
      { requestedModel: 'small', servedModel: 'small', totalMs: 50, firstTokenMs: null, task: 'title' },
      { requestedModel: 'small', servedModel: null, totalMs: 1, outcome: 'timeout' },
      { requestedModel: 'small', servedModel: null, totalMs: 1, outcome: 'timeout' },
      { requestedModel: 'small', servedModel: null, totalMs: 1, outcome: 'server', route: 'short question' },
      { totalMs: 2, outcome: 'stopped' },
      { totalMs: 3, outcome: 'refused' },
      { cache: 'exact', totalMs: 1 },
      { cache: 'semantic', totalMs: 1 },
      { cache: 'semantic', totalMs: 1 },
    ])
    await add(abroad, [{ requestedModel: 'secret-model', outcome: 'server', totalMs: 99_999 }])
  })

  it('interpolates percentiles over calls that were answered: failures and cache answers are quick and not in them', async () => {
    const totals = await getHealthTotals(test.current().db, home.viewers.admin, period, { model: 'large' })
    expect(totals.total?.p50).toBeCloseTo(505)
    expect(totals.total?.p95).toBeCloseTo(950.5)
    expect(totals.total?.p99).toBeCloseTo(990.1)
    expect(totals.firstToken?.p50).toBeCloseTo(50.5)
  })

  it('counts calls, failures, each level of cache and the busiest minute', async () => {
    const totals = await getHealthTotals(test.current().db, home.viewers.admin, period)
    expect(totals).toMatchObject({ calls: 106, failed: 3, cacheHits: { exact: 1, semantic: 2 }, busiestMinute: 2 })
  })

  it('has nothing to say of a time without calls', async () => {
    const empty = await getHealthTotals(test.current().db, home.viewers.admin, {
      from: new Date('2020-01-01'),
      to: new Date('2020-01-02'),
    })
    expect(empty).toEqual({
      calls: 0,
      cacheHits: { exact: 0, semantic: 0 },
      failed: 0,
      busiestMinute: 0,
      total: null,
      firstToken: null,
    })
  })

  it('times each model apart, also one that has no first token', async () => {
    const found = await listLatencies(test.current().db, home.viewers.admin, period, 'model')
    expect(found.map(({ key, served, calls, failed }) => [key, served, calls, failed])).toEqual([
      ['large', 'large-2026', 102, 0],
      ['small', 'small', 4, 3],
    ])
    expect(found[1]).toMatchObject({ total: { p50: 50, p95: 50, p99: 50 }, firstToken: null })
  })

  it('groups by task and by route as well', async () => {
    const { db } = test.current()
    const tasks = await listLatencies(db, home.viewers.admin, period, 'task')
    expect(tasks.map(({ key, calls }) => [key, calls])).toEqual([
      ['answer', 105],
      ['title', 1],
    ])
    const routes = await listLatencies(db, home.viewers.admin, period, 'route')
    expect(routes.map(({ key, calls }) => [key, calls])).toEqual([
      [null, 105],
      ['short question', 1],
    ])
  })

  it('has percentiles of every day, and none on days without a call', async () => {
    const buckets = await getLatencySeries(test.current().db, home.viewers.admin, period, { model: 'large' })
    expect(buckets).toHaveLength(7)
    expect(buckets.map(({ calls }) => calls)).toEqual([0, 0, 0, 0, 100, 2, 0])
    expect(buckets[4]?.total?.p50).toBeCloseTo(505)
    // Two calls, neither of them answered.
    expect(buckets[5]?.total).toBeNull()
    expect(buckets[0]?.total).toBeNull()
  })

  it('lists failures by class, as a share of all calls of the same model', async () => {
    const found = await listFailures(test.current().db, home.viewers.admin, period, 'model')
    expect(found.map(({ outcome, key, calls, of }) => [outcome, key, calls, of])).toEqual([
      ['timeout', 'small', 2, 4],
      ['server', 'small', 1, 4],
    ])
  })

  it('narrows failures to a class without changing what they are a share of', async () => {
    const { db } = test.current()
    const only = await listFailures(db, home.viewers.admin, period, 'model', { status: 'server' })
    expect(only.map(({ outcome, calls, of }) => [outcome, calls, of])).toEqual([['server', 1, 4]])
    expect(await listFailures(db, home.viewers.admin, period, 'model', { status: 'failed' })).toHaveLength(2)
    expect(await listFailures(db, home.viewers.admin, period, 'model', { status: 'ok' })).toEqual([])
  })

  it('times whole questions by their traces', async () => {
    await addTrace(home, { totalMs: 1_000, firstTokenMs: 300 })
    await addTrace(home, { totalMs: 3_000, firstTokenMs: 500 })
    await addTrace(home, { totalMs: 9, status: 'failed' })
    await addTrace(abroad, { totalMs: 99_999 })
    const found = await getQuestionLatency(test.current().db, home.viewers.admin, period)
    expect(found).toMatchObject({ questions: 3, total: { p50: 2_000 }, firstToken: { p50: 400 } })
    const nobodys = await getQuestionLatency(test.current().db, home.viewers.admin, period, { user: newId() })
    expect(nobodys).toEqual({ questions: 0, total: null, firstToken: null })
  })

  it('lists the last ten questions that found nothing', async () => {
    const ids = []
    for (let at = 0; at < 12; at++)
      ids.push(
        await addTrace(home, {
          status: 'no-source',
          question: `Q${at}`,
          startedAt: new Date(Date.UTC(2026, 10, 21, 1, at)),
        }),
      )
    await addTrace(abroad, { status: 'no-source', question: 'A secret' })
    const found = await listUnanswered(test.current().db, home.viewers.admin, period)
    expect(found.map(({ traceId }) => traceId)).toEqual(ids.reverse().slice(0, 10))
    expect(found[0]).toMatchObject({ question: 'Q11', user: 'member', at: '2026-11-21T01:11:00.000Z' })
  })

  it('shows breakers of our own and the environment’s providers, open ones first, and no other workspace’s', async () => {
    const { db } = test.current()
    const ours = newId()
    const theirs = newId()
    const provider = { kind: 'compatible', name: 'Our server' } as const
    await db.insert(modelProviders).values([
      { id: ours, workspaceId: home.workspaceId, ...provider },
      { id: theirs, workspaceId: abroad.workspaceId, ...provider, name: 'Their server' },
    ])
    await db.insert(breakers).values([
      { key: 'openai/gpt', state: 'closed' },
      { key: `${ours}/org/phi`, state: 'open', reason: 'timeout', retryAt: new Date('2026-11-21T10:31:00Z') },
      { key: `${theirs}/phi`, state: 'open' },
      // Of a provider that is gone.
      { key: `${newId()}/phi`, state: 'half-open' },
    ])
    const found = await listBreakers(db, home.viewers.admin)
    expect(found).toMatchObject([
      { name: 'Our server/org/phi', state: 'open', reason: 'timeout', retryAt: '2026-11-21T10:31:00.000Z' },
      { name: 'openai/gpt', state: 'closed', reason: null, retryAt: null },
    ])
    expect(found).toHaveLength(2)
    expect(await listEveryBreaker(db)).toHaveLength(4)
  })
})
