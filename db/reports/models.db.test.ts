import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { localShareOf, type RouteRow, type RouteSort } from '#lib/shared/models-contract.ts'
import { periodOf } from '#lib/shared/operations-contract.ts'
import { modelCalls, modelCanaries, modelProviders } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import { getModelUse, listCanaries, listRoutes } from './models.ts'

const test = withDatabase()
const now = new Date('2026-11-21T10:30:00Z')
const month = periodOf('30d', now)
const environment = [
  { provider: 'openai (environment)', local: false },
  { provider: 'compatible (environment)', local: true },
]

type Made = Partial<typeof modelCalls.$inferInsert>
const add = ({ workspaceId, viewers }: TestWorkspace, ...made: Made[]) =>
  test
    .current()
    .db.insert(modelCalls)
    .values(
      made.map((one) => ({
        id: newId(),
        workspaceId,
        userId: viewers.member.userId,
        at: new Date('2026-11-20T12:00:00Z'),
        task: 'answer',
        feature: 'chat',
        route: 'fast',
        tier: 'fast',
        provider: 'Ollama',
        requestedModel: 'small',
        servedModel: 'small',
        outcome: 'ok',
        ...one,
      })),
    )
const withProviders = async (): Promise<TestWorkspace> => {
  const workspace = await createTestWorkspace(test.current())
  await test
    .current()
    .db.insert(modelProviders)
    .values(
      [
        { name: 'Ollama', local: true },
        { name: 'OpenAI', local: false },
      ].map((one) => ({ id: newId(), workspaceId: workspace.workspaceId, kind: 'compatible' as const, ...one })),
    )
  return workspace
}
const useOf = (workspace: TestWorkspace, named = environment) =>
  getModelUse(test.current().db, workspace.viewers.admin, now, named)
const hosted = { provider: 'OpenAI', requestedModel: 'large', servedModel: 'large-2026' } satisfies Made

describe('the local share', () => {
  it('is of what models took: failures, caches, canaries, the encoder and the built-in answerer are not in it', async () => {
    const home = await withProviders()
    const abroad = await withProviders()
    await add(
      home,
      {},
      { task: 'title' },
      { task: 'rewrite', outcome: 'refused' },
      hosted,
      { ...hosted, outcome: 'timeout' },
      { outcome: 'network' },
      { cache: 'exact', provider: null },
      { task: 'embed' },
      { flags: ['canary'] },
      { feature: 'canary', task: 'canary' },
      { provider: 'built-in', requestedModel: 'built-in-extractive-1' },
    )
    await add(abroad, hosted, hosted, hosted)
    const { '7d': use } = await useOf(home)
    expect(use.places.local).toMatchObject({ calls: 4, failed: 1, taken: 3 })
    expect(use.places.hosted).toMatchObject({ calls: 2, failed: 1, taken: 1 })
    expect(use.places['built-in']).toMatchObject({ calls: 1, taken: 1 })
    expect(localShareOf(use)).toBe(0.75)
    expect(use.tasks).toEqual([
      { task: 'answer', local: 1, others: 1, builtIn: 1 },
      { task: 'rewrite', local: 1, others: 0, builtIn: 0 },
      { task: 'title', local: 1, others: 0, builtIn: 0 },
    ])
  })

  it('counts a question that a local model was not sure of as the hosted one’s', async () => {
    const home = await withProviders()
    const messageId = newId()
    const later = new Date('2026-11-20T12:00:04Z')
    await add(home, { messageId }, { ...hosted, messageId, at: later }, { messageId, task: 'title' })
    // Written in one transaction, which has one time.
    const together = newId()
    await add(home, { ...hosted, messageId: together }, { messageId: together })
    // Here the local one came in for a hosted one that failed.
    const rescued = newId()
    await add(home, { ...hosted, messageId: rescued, outcome: 'server' }, { messageId: rescued, at: later })
    const { '7d': use } = await useOf(home)
    expect(use.tasks).toEqual([
      { task: 'answer', local: 1, others: 2, builtIn: 0 },
      { task: 'title', local: 1, others: 0, builtIn: 0 },
    ])
    expect(use.places.local).toMatchObject({ calls: 4, taken: 2 })
    expect(localShareOf(use)).toBe(0.5)
  })

  it('has 7 and 30 days, whole ones, and nothing older', async () => {
    const home = await withProviders()
    await add(
      home,
      { at: new Date('2026-11-15T00:00:00Z') },
      { at: new Date('2026-11-14T23:59:59Z'), ...hosted },
      { at: new Date('2026-10-23T00:00:00Z'), ...hosted },
      { at: new Date('2026-10-22T23:59:59Z'), ...hosted },
    )
    const use = await useOf(home)
    expect([use['7d'], use['30d']].map(localShareOf)).toEqual([1, 1 / 3])
  })

  it('is none where no model took anything, not nought', async () => {
    const home = await withProviders()
    await add(home, { provider: 'built-in' }, { outcome: 'network' })
    const { '30d': use } = await useOf(home)
    expect(localShareOf(use)).toBeNull()
    expect(use.places.hosted).toEqual({
      calls: 0,
      failed: 0,
      taken: 0,
      quality: null,
      judged: 0,
      firstTokenP50Ms: null,
    })
  })

  it('has the quality and first token of answers alone, for each place', async () => {
    const home = await withProviders()
    await add(
      home,
      { quality: 0.5, firstTokenMs: 100 },
      { quality: 1, firstTokenMs: 300 },
      { quality: null, firstTokenMs: 500 },
      { task: 'title', quality: 0, firstTokenMs: 9_000 },
      { outcome: 'timeout', firstTokenMs: 9_000 },
      { ...hosted, quality: 0.75 },
    )
    const { '7d': use } = await useOf(home)
    expect(use.places.local).toMatchObject({ quality: 0.75, judged: 2, firstTokenP50Ms: 300 })
    expect(use.places.hosted).toMatchObject({ quality: 0.75, judged: 1, firstTokenP50Ms: null })
  })

  it('knows the environment’s providers, and says of a provider that is gone that it is', async () => {
    const home = await withProviders()
    await add(
      home,
      { provider: 'compatible (environment)' },
      { provider: 'openai (environment)' },
      { provider: 'Deleted' },
      { provider: null, outcome: 'network' },
    )
    const { '7d': use } = await useOf(home)
    expect(Object.entries(use.places).map(([place, { calls }]) => [place, calls])).toEqual([
      ['local', 1],
      ['hosted', 1],
      ['built-in', 0],
      ['gone', 2],
    ])
    const { '7d': unnamed } = await useOf(home, [])
    expect(unnamed.places.gone).toMatchObject({ calls: 4, taken: 3 })
  })
})

describe('routes', () => {
  let home: TestWorkspace
  const list = (order?: { sort: RouteSort; descending: boolean }) =>
    listRoutes(test.current().db, home.viewers.admin, month, environment, order)
  const namesOf = (rows: readonly RouteRow[]) => rows.map(({ route, model }) => `${route} ${model}`)

  beforeAll(async () => {
    home = await withProviders()
    const abroad = await withProviders()
    const flagship = { ...hosted, route: 'flagship', tier: 'flagship' }
    await add(
      home,
      { costMicros: 0, tokensIn: 100, tokensOut: 10, totalMs: 100, quality: 0.5 },
      { costMicros: 0, tokensIn: 200, tokensOut: 20, totalMs: 300, quality: 1 },
      { task: 'title', costMicros: 0, totalMs: 200 },
      { ...flagship, costMicros: 3_000, totalMs: 1_000, quality: 1 },
      { ...flagship, costMicros: null, totalMs: 3_000 },
      { ...flagship, costMicros: 1_000, outcome: 'timeout', totalMs: 60_000 },
      { ...hosted, route: 'task model', tier: 'standard', costMicros: null },
      { ...hosted, feature: 'canary', flags: ['canary'], costMicros: 5 },
      { cache: 'exact', route: 'cache', provider: null, costMicros: 0 },
      { at: new Date('2026-10-01T00:00:00Z'), route: 'of another time' },
    )
    await add(abroad, { ...hosted, route: 'of another workspace' })
  })

  it('have a row for each tier and model, with cost a call, quality, failures and times', async () => {
    const { rows, more } = await list()
    expect(more).toBe(false)
    expect(namesOf(rows)).toEqual(['fast small', 'flagship large', 'canary large', 'task model large'])
    expect(rows[0]).toEqual({
      route: 'fast',
      tier: 'fast',
      provider: 'Ollama',
      model: 'small',
      served: 'small',
      place: 'local',
      calls: 3,
      failed: 0,
      costMicrosPerCall: 0,
      unpricedCalls: 0,
      tokensIn: 300,
      tokensOut: 30,
      quality: 0.75,
      judged: 2,
      totalP50Ms: 200,
      totalP95Ms: 290,
    })
    // A failure is in the money and not in the times; a price that nobody knows is in no mean.
    expect(rows[1]).toMatchObject({
      place: 'hosted',
      served: 'large-2026',
      calls: 3,
      failed: 1,
      costMicrosPerCall: 2_000,
      unpricedCalls: 1,
      quality: 1,
      totalP50Ms: 2_000,
      totalP95Ms: 2_900,
    })
    expect(rows.at(-1)).toMatchObject({ costMicrosPerCall: null, unpricedCalls: 1, quality: null, totalP50Ms: null })
  })

  it.each([
    [{ sort: 'cost', descending: true }, ['flagship large', 'canary large', 'fast small', 'task model large']],
    [{ sort: 'cost', descending: false }, ['fast small', 'canary large', 'flagship large', 'task model large']],
    [{ sort: 'quality', descending: true }, ['flagship large', 'fast small', 'canary large', 'task model large']],
    [{ sort: 'failed', descending: true }, ['flagship large', 'fast small', 'canary large', 'task model large']],
    [{ sort: 'p95', descending: false }, ['fast small', 'flagship large', 'canary large', 'task model large']],
  ] as const)('sort by %j, what is not known last', async (order, names) => {
    expect(namesOf((await list(order)).rows)).toEqual(names)
  })
})

describe('canaries', () => {
  it('are those of the workspace, by the key of their model', async () => {
    const home = await createTestWorkspace(test.current())
    const abroad = await createTestWorkspace(test.current())
    const { db } = test.current()
    const checkedAt = new Date('2026-11-21T09:00:00Z')
    const row = { key: 'p/m', state: 'dropped' as const, score: 0.5, baselineScore: 1, detail: 'JSON', checkedAt }
    await db.insert(modelCanaries).values({ workspaceId: home.workspaceId, ...row, changedAt: checkedAt })
    await db.insert(modelCanaries).values({ workspaceId: abroad.workspaceId, ...row, key: 'p/other' })
    expect(Object.fromEntries(await listCanaries(db, home.viewers.admin))).toEqual({
      'p/m': {
        state: 'dropped',
        score: 0.5,
        baselineScore: 1,
        servedModel: null,
        baselineServed: null,
        fingerprint: null,
        baselineFingerprint: null,
        detail: 'JSON',
        checkedAt: '2026-11-21T09:00:00.000Z',
        changedAt: '2026-11-21T09:00:00.000Z',
      },
    })
  })
})
