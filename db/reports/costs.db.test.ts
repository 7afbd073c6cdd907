import { beforeAll, describe, expect, it } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { costGroups, periodOf } from '#lib/shared/operations-contract.ts'
import { budgetWindows, chats, gatewaySettings, modelCalls } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import { listCallFilterChoices } from './calls.ts'
import { getBudgetUse, getCostReport, getCostTotals, listRoutes } from './costs.ts'

const test = withDatabase()
const now = new Date('2026-11-21T10:30:00Z')
const period = periodOf('7d', now)

describe('cost reports', () => {
  let home: TestWorkspace
  let abroad: TestWorkspace
  const chatId = newId()

  type Made = Partial<typeof modelCalls.$inferInsert>
  const add = (workspace: TestWorkspace, ...made: Made[]) =>
    test
      .current()
      .db.insert(modelCalls)
      .values(
        made.map((one) => ({
          id: newId(),
          workspaceId: workspace.workspaceId,
          userId: workspace.viewers.member.userId,
          at: new Date('2026-11-20T12:00:00Z'),
          task: 'answer',
          feature: 'chat',
          outcome: 'ok',
          requestedModel: 'large',
          servedModel: 'large-2026',
          tokensIn: 1_000,
          tokensOut: 100,
          costMicros: 3_000,
          ...one,
        })),
      )

  beforeAll(async () => {
    home = await createTestWorkspace(test.current())
    abroad = await createTestWorkspace(test.current())
    const { db } = test.current()
    await db
      .insert(chats)
      .values({ id: chatId, workspaceId: home.workspaceId, userId: home.viewers.member.userId, title: 'Leave' })
    await add(
      home,
      { chatId },
      { at: new Date('2026-11-15T00:00:00Z'), userId: home.viewers.admin.userId },
      { requestedModel: 'small', servedModel: 'small', task: 'title', costMicros: 40, tokensIn: 50, tokensOut: 5 },
      // Of no known price.
      { requestedModel: 'homemade', servedModel: 'homemade', costMicros: null, userId: null },
      { cache: 'exact', costMicros: 0, savedMicros: 3_000, savedTokens: 1_100 },
      { cache: 'semantic', costMicros: 0, savedMicros: 2_000, savedTokens: 900 },
      { savedMicros: 500, savedTokens: 400, costMicros: 1_000, outcome: 'stopped' },
      { outcome: 'timeout', costMicros: 200, tokensIn: null, tokensOut: null },
      // The week before, and the hours of it that are not compared.
      { at: new Date('2026-11-13T12:00:00Z'), costMicros: 7_000 },
      { at: new Date('2026-11-14T12:00:00Z'), costMicros: 90_000 },
    )
    await add(abroad, { costMicros: 1_000_000, requestedModel: 'secret-model', feature: 'secret-feature' })
  })

  it('adds up what is known, counts what is not, and counts cache answers apart', async () => {
    expect(await getCostTotals(test.current().db, home.viewers.admin, period)).toEqual({
      calls: 8,
      cacheHits: 2,
      tokensIn: 4_050,
      tokensOut: 405,
      costMicros: 7_240,
      unpricedCalls: 1,
      savedMicros: 5_500,
      savedTokens: 2_400,
    })
  })

  it('says that a cost is unknown where no price is, and 0 only where nothing was called', async () => {
    const { db } = test.current()
    // A failure of the same model that certainly cost nothing does not make the rest free.
    const unpriced = await createTestWorkspace(test.current())
    await add(unpriced, { costMicros: null }, { costMicros: 0, outcome: 'network' })
    expect(await getCostTotals(db, unpriced.viewers.admin, period)).toMatchObject({
      costMicros: null,
      unpricedCalls: 1,
    })
    const unknown = await getCostTotals(db, home.viewers.admin, period, { model: 'homemade' })
    expect(unknown).toMatchObject({ calls: 1, costMicros: null, unpricedCalls: 1 })
    const none = await getCostTotals(db, home.viewers.admin, period, { model: 'never called' })
    expect(none).toMatchObject({ calls: 0, costMicros: 0, unpricedCalls: 0 })
  })

  it('compares with the same hours of the time before', async () => {
    const before = { from: period.previousFrom, to: period.previousTo }
    expect(await getCostTotals(test.current().db, home.viewers.admin, before)).toMatchObject({
      calls: 1,
      costMicros: 7_000,
    })
  })

  it.each([
    [{ model: 'small' }, 1],
    [{ task: 'title' }, 1],
    [{ feature: 'chat' }, 8],
    [{ status: 'failed' }, 1],
    [{ status: 'stopped' }, 1],
    [{ model: 'large', status: 'ok' }, 4],
    [{ feature: "x' or true --" }, 0],
  ])('narrows to %j', async (filter, calls) => {
    expect((await getCostTotals(test.current().db, home.viewers.admin, period, filter)).calls).toBe(calls)
  })

  it('breaks down by model, the dearest first, with the unknown price last', async () => {
    const { rows, more } = await getCostReport(test.current().db, home.viewers.admin, period, 'model')
    expect(rows.map(({ key, costMicros, unpricedCalls }) => [key, costMicros, unpricedCalls])).toEqual([
      ['large', 7_200, 0],
      ['small', 40, 0],
      ['homemade', null, 1],
    ])
    expect(rows[0]?.detail).toBe('large-2026')
    expect(more).toBe(false)
  })

  it('breaks down by person and by conversation, and keeps what belongs to none', async () => {
    const { db } = test.current()
    const people = await getCostReport(db, home.viewers.admin, period, 'user')
    expect(people.rows.map(({ label, calls }) => [label, calls])).toEqual([
      ['member', 6],
      ['admin', 1],
      [null, 1],
    ])
    const conversations = await getCostReport(db, home.viewers.admin, period, 'conversation')
    expect(conversations.rows.map(({ key, label, detail }) => [key, label, detail])).toEqual([
      [null, null, expect.any(String)],
      [chatId, 'Leave', 'member'],
    ])
  })

  it('breaks down by task and feature in the order asked for', async () => {
    const { db } = test.current()
    const upwards = { sort: 'costMicros', descending: false } as const
    const tasks = await getCostReport(db, home.viewers.admin, period, 'task', {}, upwards)
    expect(tasks.rows.map(({ key }) => key)).toEqual(['title', 'answer'])
    const named = await getCostReport(db, home.viewers.admin, period, 'model', {}, { sort: 'label', descending: false })
    expect(named.rows.map(({ key }) => key)).toEqual(['homemade', 'large', 'small'])
    expect((await getCostReport(db, home.viewers.admin, period, 'feature')).rows).toHaveLength(1)
  })

  it('has a bar for every day, whose parts add up to the total', async () => {
    const { series } = await getCostReport(test.current().db, home.viewers.admin, period, 'model')
    const { parts, buckets } = series
    expect(parts.map(({ label }) => label)).toEqual(['large', 'small'])
    expect(buckets).toHaveLength(7)
    expect(buckets[0]?.values).toEqual({ part0: 3_000 })
    expect(buckets[5]?.values).toMatchObject({ part0: 4_200, part1: 40 })
    const sum = buckets.flatMap(({ values }) => Object.values(values)).reduce((all, one) => all + one, 0)
    expect(sum).toBe(7_240)
  })

  it.each(costGroups)('is one sum, whole, by time and by %s', async (by) => {
    const { db } = test.current()
    const { totals, rows, series } = await getCostReport(db, home.viewers.admin, period, by)
    expect(totals).toEqual(await getCostTotals(db, home.viewers.admin, period))
    expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(8)
    const values = series.buckets.map((bucket) => Object.values(bucket.values).reduce((sum, one) => sum + one, 0))
    expect(values).toEqual([3_000, 0, 0, 0, 0, 4_240, 0])
  })

  it('stacks by hours within a day', async () => {
    const day = periodOf('24h', new Date('2026-11-20T12:30:00Z'))
    const { series } = await getCostReport(test.current().db, home.viewers.admin, day, 'task')
    const { buckets } = series
    expect(buckets).toHaveLength(24)
    expect(buckets.at(-1)?.values).toEqual({ part0: 4_200, part1: 40 })
  })

  it('puts what is beyond the five dearest into the rest', async () => {
    const many = await createTestWorkspace(test.current())
    await add(many, ...Array.from({ length: 7 }, (_, at) => ({ requestedModel: `m${at}`, costMicros: 100 - at })))
    const { series } = await getCostReport(test.current().db, many.viewers.admin, period, 'model')
    const { parts, buckets } = series
    expect(parts.map(({ label }) => label)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'Everything else'])
    expect(buckets[5]?.values.rest).toBe(95 + 94)
  })

  describe('savings', () => {
    it('are told apart: each cache, cheaper routes, shorter prompts, the most first', async () => {
      const saving = await createTestWorkspace(test.current())
      await add(
        saving,
        { cache: 'exact', costMicros: 0, savedMicros: 3_000, savedTokens: 1_100 },
        { cache: 'exact', costMicros: 0, savedMicros: 3_000, savedTokens: 1_100 },
        { cache: 'semantic', costMicros: 0, savedMicros: 2_000, savedTokens: 900 },
        // Both routed and shortened: in both lines with the part of each.
        { savedMicros: 9_500, routeSavedMicros: 9_000, contextSavedMicros: 500, savedTokens: 400 },
        { savedMicros: 1_000, routeSavedMicros: 1_000 },
        // A shorter prompt of a model without a price still saved its tokens.
        { savedTokens: 70, costMicros: null },
        {},
      )
      const { savings } = await getCostReport(test.current().db, saving.viewers.admin, period, 'user')
      expect(savings).toEqual([
        { kind: 'route', calls: 2, savedMicros: 10_000, savedTokens: null },
        { kind: 'exact', calls: 2, savedMicros: 6_000, savedTokens: 2_200 },
        { kind: 'semantic', calls: 1, savedMicros: 2_000, savedTokens: 900 },
        { kind: 'context', calls: 2, savedMicros: 500, savedTokens: 470 },
      ])
      const titles = await getCostReport(test.current().db, saving.viewers.admin, period, 'model', { task: 'title' })
      expect(titles.savings).toEqual([])
    })

    it('add up to the total', async () => {
      const { db } = test.current()
      const { savings, totals } = await getCostReport(db, home.viewers.admin, period, 'model')
      // One line of before the parts were told apart is in the total alone.
      expect(savings.reduce((sum, line) => sum + line.savedMicros, 0)).toBe(totals.savedMicros - 500)
    })
  })

  it('shows for each tier and model what an answer cost, how good it was and how soon it began', async () => {
    const routed = await createTestWorkspace(test.current())
    const small = { tier: 'fast', requestedModel: 'small', servedModel: 'small-2026' }
    const large = { tier: 'flagship', requestedModel: 'large', servedModel: 'large-2026' }
    await add(
      routed,
      { ...small, costMicros: 100, quality: 1, firstTokenMs: 200 },
      { ...small, costMicros: 300, quality: 0.5, firstTokenMs: 400 },
      // Neither judged nor measured: in no mean.
      { ...small, costMicros: 200 },
      { ...large, costMicros: null, quality: 1, firstTokenMs: 900 },
      // A failure and an answer from a cache are no answers of a model.
      { ...large, outcome: 'timeout', costMicros: 9_999, quality: 0 },
      { cache: 'exact', costMicros: 0, quality: 0 },
    )
    expect(await listRoutes(test.current().db, routed.viewers.admin, period)).toEqual([
      {
        tier: 'fast',
        model: 'small',
        calls: 3,
        costMicrosPerCall: 200,
        unpricedCalls: 0,
        quality: 0.75,
        judgedCalls: 2,
        firstTokenMs: 300,
      },
      {
        tier: 'flagship',
        model: 'large',
        calls: 1,
        costMicrosPerCall: null,
        unpricedCalls: 1,
        quality: 1,
        judgedCalls: 1,
        firstTokenMs: 900,
      },
    ])
    expect(await listRoutes(test.current().db, abroad.viewers.admin, period)).toMatchObject([{ model: 'secret-model' }])
  })

  it('offers as filters what the workspace has used, and nothing of others', async () => {
    const choices = await listCallFilterChoices(test.current().db, home.viewers.admin, period)
    expect(choices.models).toEqual(['homemade', 'large', 'small'])
    expect(choices.tasks).toEqual(['answer', 'title'])
    expect(choices.features).toEqual(['chat'])
    expect(choices.statuses).toEqual(['ok', 'stopped', 'timeout'])
    expect(choices.users.map(({ name }) => name)).toEqual(['member', 'admin'])
  })

  describe('budgets', () => {
    const window = (scope: string, name: string, spentMicros: number, resetsAt = '2026-11-22T00:00:00Z') => ({
      scope,
      window: name,
      spentMicros,
      reservedMicros: 5,
      resetsAt: new Date(resetsAt),
    })

    it('are shown without a limit where none is set, and nothing spent as nothing', async () => {
      const { budgets, settingsReadable } = await getBudgetUse(test.current().db, abroad.viewers.admin, now)
      expect(settingsReadable).toBe(true)
      expect(
        budgets.map(({ scope, window: name, spentMicros, limitMicros }) => [scope, name, spentMicros, limitMicros]),
      ).toEqual([
        ['workspace', 'day', 0, null],
        ['workspace', 'month', 0, null],
      ])
    })

    it('are what the open windows hold, beside the limits; other workspaces and past days are not there', async () => {
      const { db } = test.current()
      const { member: user, admin } = home.viewers
      await db.insert(gatewaySettings).values({
        workspaceId: home.workspaceId,
        settings: { budgets: { workspaceDayMicros: 10_000, workspaceMinuteMicros: 900, userDayMicros: 2_000 } },
      })
      await db
        .insert(budgetWindows)
        .values([
          window(`workspace:${home.workspaceId}`, 'day:2026-11-21', 4_000),
          window(`workspace:${home.workspaceId}`, 'day:2026-11-20', 9_999, '2026-11-21T00:00:00Z'),
          window(`user:${user.userId}`, 'day:2026-11-21', 1_000),
          window(`user:${admin.userId}`, 'day:2026-11-21', 1_500),
          window(`user:${abroad.viewers.member.userId}`, 'day:2026-11-21', 77),
          window(`workspace:${abroad.workspaceId}`, 'month:2026-11', 88),
        ])
      const { budgets } = await getBudgetUse(db, home.viewers.admin, now)
      expect(
        budgets.map((one) => [one.name, one.window, one.spentMicros, one.reservedMicros, one.limitMicros]),
      ).toEqual([
        ['The workspace', 'minute', 0, 0, 900],
        ['The workspace', 'day', 4_000, 5, 10_000],
        ['The workspace', 'month', 0, 0, null],
        ['admin', 'day', 1_500, 5, 2_000],
        ['member', 'day', 1_000, 5, 2_000],
      ])
    })

    it('say so when the settings cannot be read, and show no limit that might be wrong', async () => {
      const broken = await createTestWorkspace(test.current())
      await test
        .current()
        .db.insert(gatewaySettings)
        .values({ workspaceId: broken.workspaceId, settings: { budgets: { workspaceDayMicros: -1 } } })
      const { budgets, settingsReadable } = await getBudgetUse(test.current().db, broken.viewers.admin, now)
      expect(settingsReadable).toBe(false)
      expect(budgets.every(({ limitMicros }) => limitMicros === null)).toBe(true)
    })
  })
})
