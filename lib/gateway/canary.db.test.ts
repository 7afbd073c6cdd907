import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Canary, claimCanary, listCanaries, storeCanary } from '#db/queries/canaries.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { listAlerts } from '#db/reports/alerts.ts'
import { auditLog, budgetReservations, modelCalls, workspaces } from '#db/schema/index.ts'
import { addTestModel, createTestWorkspace, withDatabase } from '#db/testing.ts'
import { type MockProvider, type Script, startMockProvider } from '#e2e/mock-provider.ts'
import { checkAlerts } from '#lib/alerts.ts'
import { type GatewaySettingsInput, gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { settleLeases } from './admit.ts'
import { acceptCanary, checkModel, droppedModels, sweepCanaries } from './canary.ts'
import { runTask } from './recipe.ts'

const test = withDatabase()

let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
})
afterAll(async () => {
  await settleLeases()
  await vendor.close()
})
beforeEach(async () => {
  vendor.requests.length = 0
  vendor.script(well())
  // A sweep looks at every workspace: those of other tests are not its business here.
  await test.current().db.delete(workspaces)
})

const forever = 1_000_000
const facts = '{"item": "blue chairs", "count": 12}'
const planet = '{"planet": "Mercury"}'
/** A model that does all it is asked; `over` for the answers in which it differs. */
const well = (over: { facts?: string; planet?: string; who?: Script } = {}): Script[] =>
  [
    { when: 'third floor', text: over.facts ?? facts },
    { when: 'nearest to the sun', text: over.planet ?? planet },
    { when: 'opposite of north', text: 'south' },
    { when: 'exactly three lines', text: 'red\ngreen\nblue' },
    { when: 'Fahrradraum', text: 'Es passen 48 Fahrräder in den Raum [1].' },
    { when: 'canteen', text: 'The canteen closes at 14:30 [1].' },
  ].map((script) => ({ ...script, ...over.who, times: forever }))
const fenced = (json: string): string => `Here you are:\n\`\`\`json\n${json}\n\`\`\`\nIs there more?`
const fencing = (who: Script = {}): Script[] => well({ facts: fenced(facts), planet: fenced(planet), who })

type Setup = { settings?: GatewaySettingsInput; baseUrl?: string; local?: boolean; price?: number }

const withModel = async ({
  settings = {},
  baseUrl = vendor.url,
  local = true,
  price,
}: Setup = {}): Promise<{
  viewer: Viewer
  key: string
  providerName: string
}> => {
  const { viewers } = await createTestWorkspace(test.current())
  const { db } = test.current()
  const viewer = viewers.admin
  const { workspaceId } = viewer
  const providerId = await addTestModel(db, {
    workspaceId,
    baseUrl,
    provider: { local },
    model: { modelId: 'model-1', inputMicrosPerMillion: price ?? null, outputMicrosPerMillion: price ?? null },
  })
  const rules = { ...settings, canary: { alsoLocal: true, ...settings.canary } }
  await storeGatewaySettings(db, workspaceId, 0, gatewaySettingsSchema.parse(rules))
  return { viewer, key: `${providerId}/model-1`, providerName: 'mock' }
}

const canaryOf = async ({ workspaceId }: Viewer): Promise<Canary> => {
  const [found] = await listCanaries(test.current().db, workspaceId)
  if (!found) throw new Error('no canary')
  return found
}
const ledgerOf = ({ workspaceId }: Viewer) =>
  test.current().db.select().from(modelCalls).where(eq(modelCalls.workspaceId, workspaceId))
const inHours = (hours: number): Date => new Date(Date.now() + hours * 3_600_000)

describe('a check of a model', () => {
  it('asks it six short questions, waits behind chat, and each is in the ledger as a canary', async () => {
    vendor.script(well({ who: { model: 'model-1-2026-11', fingerprint: 'fp_1' } }))
    const { viewer, key } = await withModel()
    const canary = await checkModel(viewer, key)
    expect(canary).toMatchObject({
      key,
      state: 'ok',
      score: 1,
      baselineScore: 1,
      servedModel: 'model-1-2026-11',
      baselineFingerprint: 'fp_1',
      detail: '',
    })
    expect(vendor.requests).toHaveLength(6)
    const lines = await ledgerOf(viewer)
    expect(lines).toHaveLength(6)
    for (const line of lines)
      expect(line).toMatchObject({
        userId: viewer.userId,
        task: 'canary',
        feature: 'canary',
        flags: ['canary'],
        route: 'canary',
        outcome: 'ok',
        requestedModel: 'model-1',
        servedModel: 'model-1-2026-11',
        fingerprint: 'fp_1',
        promptName: 'canary',
        policyVersion: 1,
      })
    expect(Math.max(...lines.map(({ tokensOut }) => tokensOut ?? 0))).toBeLessThanOrEqual(60)
  })

  it('is stored as it is handed back, and leaves no money held', async () => {
    const { viewer, key } = await withModel({ settings: { budgets: { workspaceDayMicros: 10_000_000 } } })
    const canary = await checkModel(viewer, key)
    expect(await canaryOf(viewer)).toEqual(canary)
    await settleLeases()
    expect(await test.current().db.select().from(budgetReservations)).toEqual([])
  })

  it('finds that bare JSON became fenced JSON with words around it, and keeps the baseline', async () => {
    const { viewer, key } = await withModel()
    await checkModel(viewer, key)
    vendor.script(fencing())
    const dropped = await checkModel(viewer, key)
    expect(dropped).toMatchObject({ state: 'dropped', baselineScore: 1 })
    expect(dropped.detail).toBe(
      'Facts as JSON: a code fence or words stand around the JSON. A word as JSON: a code fence or words stand around the JSON.',
    )
    expect(dropped.changedAt).toEqual(dropped.checkedAt)
    const still = await checkModel(viewer, key)
    expect(still).toMatchObject({ state: 'dropped', changedAt: dropped.changedAt })
    expect([...(await droppedModels(viewer.workspaceId))]).toEqual([key])
    vendor.script(well())
    expect((await checkModel(viewer, key)).state).toBe('ok')
    expect((await droppedModels(viewer.workspaceId)).size).toBe(0)
  })

  it('stops at the first question that gets no answer and keeps what is known', async () => {
    const { viewer, key } = await withModel()
    await checkModel(viewer, key)
    vendor.requests.length = 0
    vendor.script({ status: 401 })
    expect(await checkModel(viewer, key)).toMatchObject({ state: 'unreachable', score: 1, baselineScore: 1 })
    expect(vendor.requests).toHaveLength(1)
    expect((await ledgerOf(viewer)).filter(({ outcome }) => outcome === 'misconfigured')).toMatchObject([
      { flags: ['canary'], costMicros: 0 },
    ])
  })

  it('is one check when it is asked for twice at once', async () => {
    const { viewer, key } = await withModel()
    const [one, two] = await Promise.all([checkModel(viewer, key), checkModel(viewer, key)])
    expect(one).toEqual(two)
    expect(vendor.requests).toHaveLength(6)
  })

  it('is not made of a model of another workspace, nor of a hosted one where text stays inside', async () => {
    const { key } = await withModel()
    const other = await withModel({ settings: { providers: 'local' }, local: false })
    await expect(checkModel(other.viewer, key)).rejects.toMatchObject({ code: 'not-found' })
    await expect(checkModel(other.viewer, other.key)).rejects.toMatchObject({ code: 'bad-request' })
    expect(vendor.requests).toHaveLength(0)
  })

  it('is not made when it could pass the budget, and says so', async () => {
    const { viewer, key } = await withModel({
      local: false,
      baseUrl: 'https://models.example.com/v1',
      price: 1_000_000,
      settings: { budgets: { workspaceDayMicros: 100 } },
    })
    await expect(checkModel(viewer, key)).rejects.toMatchObject({ code: 'over-budget' })
    expect(await ledgerOf(viewer)).toEqual([])
  })
})

describe('the new behaviour of a model', () => {
  it('becomes the baseline when an admin accepts it, with a line in the log', async () => {
    const { viewer, key } = await withModel()
    await checkModel(viewer, key)
    vendor.script(fencing({ model: 'model-1b', fingerprint: 'fp_2' }))
    await checkModel(viewer, key)
    expect((await droppedModels(viewer.workspaceId)).has(key)).toBe(true)
    await acceptCanary(viewer, key)
    expect((await droppedModels(viewer.workspaceId)).has(key)).toBe(false)
    const accepted = await canaryOf(viewer)
    expect(accepted).toMatchObject({ state: 'ok', baselineServed: 'model-1b', baselineFingerprint: 'fp_2' })
    expect(accepted.baselineScore).toBe(accepted.score)
    const lines = await test.current().db.select().from(auditLog).where(eq(auditLog.workspaceId, viewer.workspaceId))
    expect(lines).toMatchObject([{ actorId: viewer.userId, objectId: key, details: { score: [1, accepted.score] } }])
    expect((await checkModel(viewer, key)).state).toBe('ok')
  })

  it('is not accepted where there is none, or of another workspace', async () => {
    const { viewer, key } = await withModel()
    await expect(acceptCanary(viewer, key)).rejects.toMatchObject({ code: 'not-found' })
    await checkModel(viewer, key)
    const stranger = (await createTestWorkspace(test.current())).viewers.admin
    await expect(acceptCanary(stranger, key)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('the sweep', () => {
  it('costs nothing where there is no model', async () => {
    await createTestWorkspace(test.current())
    expect(await sweepCanaries()).toBe(0)
    expect(vendor.requests).toHaveLength(0)
  })

  it('checks each model once in its hours, for nobody', async () => {
    const { viewer } = await withModel({ settings: { canary: { everyHours: 24 } } })
    expect(await sweepCanaries()).toBe(1)
    expect((await ledgerOf(viewer)).every(({ userId }) => userId === null)).toBe(true)
    expect(await sweepCanaries(inHours(1))).toBe(0)
    expect(await sweepCanaries(inHours(24.1))).toBe(1)
    expect(vendor.requests).toHaveLength(12)
    expect((await canaryOf(viewer)).state).toBe('ok')
  })

  it('leaves models alone where the schedule is off, local ones where it is not for them, and hosted ones where text stays inside', async () => {
    await withModel({ settings: { canary: { everyHours: 0 } } })
    await withModel({ settings: { canary: { alsoLocal: false } } })
    await withModel({ settings: { providers: 'local' }, local: false })
    expect(await sweepCanaries()).toBe(0)
    expect(vendor.requests).toHaveLength(0)
  })

  it('checks at once a model that answered somebody under another fingerprint, and renews the baseline when it does as well', async () => {
    vendor.script(well({ who: { fingerprint: 'fp_1' } }))
    const { viewer, providerName } = await withModel()
    await sweepCanaries()
    expect(await sweepCanaries()).toBe(0)
    const said = (fingerprint: string) =>
      insertModelCalls(test.current().db, [
        {
          id: newId(),
          at: new Date(Date.now() + 1_000),
          workspaceId: viewer.workspaceId,
          task: 'answer',
          feature: 'chat',
          outcome: 'ok',
          provider: providerName,
          requestedModel: 'model-1',
          servedModel: 'model-1',
          fingerprint,
        },
      ])
    await said('fp_1')
    expect(await sweepCanaries()).toBe(0)
    vendor.script(well({ who: { fingerprint: 'fp_2' } }))
    await said('fp_2')
    expect(await sweepCanaries()).toBe(1)
    expect(await canaryOf(viewer)).toMatchObject({ state: 'changed', baselineFingerprint: 'fp_2', fingerprint: 'fp_2' })
    expect(await sweepCanaries()).toBe(0)
  })

  it('does not ask a model for which there is no money, and goes on with the next', async () => {
    const broke = await withModel({
      local: false,
      baseUrl: 'https://models.example.com/v1',
      price: 1_000_000,
      settings: { budgets: { workspaceDayMicros: 100 } },
    })
    const rich = await withModel()
    expect(await sweepCanaries()).toBe(2)
    expect(await canaryOf(broke.viewer)).toMatchObject({ state: 'unreachable', score: null, baselineScore: null })
    expect(await canaryOf(rich.viewer)).toMatchObject({ state: 'ok', score: 1 })
  })

  it('ends with its worker, and stores nothing of what was broken off', async () => {
    vendor.script({ fault: 'stall', faultAfterTokens: 0 })
    const { viewer } = await withModel()
    const stopping = new AbortController()
    const sweep = sweepCanaries(new Date(), stopping.signal)
    await expect.poll(() => vendor.requests.length).toBe(1)
    stopping.abort(new Error('stopping'))
    await sweep
    expect(await canaryOf(viewer)).toMatchObject({ score: null, baselineScore: null })
    expect(await sweepCanaries(new Date(), stopping.signal)).toBe(0)
  })
})

describe('a run', () => {
  it('is given to one of many workers, the first and every later one', async () => {
    const { viewer, key } = await withModel()
    const { db } = test.current()
    const { workspaceId } = viewer
    const at = new Date()
    const all = (seenAt: Date | null, next: Date) =>
      Promise.all(Array.from({ length: 8 }, () => claimCanary(db, { workspaceId, key, seenAt, at: next })))
    expect((await all(null, at)).filter(Boolean)).toHaveLength(1)
    expect((await all(at, new Date(at.getTime() + 1))).filter(Boolean)).toHaveLength(1)
    expect((await all(at, new Date(at.getTime() + 2))).filter(Boolean)).toHaveLength(0)
  })
})

describe('which models have dropped', () => {
  it('is read once for many calls', async () => {
    const { viewer, key } = await withModel()
    const { db } = test.current()
    expect((await droppedModels(viewer.workspaceId)).size).toBe(0)
    await storeCanary(db, {
      workspaceId: viewer.workspaceId,
      key,
      baselineServed: null,
      baselineFingerprint: null,
      servedModel: null,
      fingerprint: null,
      baselineScore: 1,
      score: 0,
      state: 'dropped',
      detail: '',
      checkedAt: new Date(),
      changedAt: new Date(),
    })
    // Still what was read before: no query was made.
    expect((await droppedModels(viewer.workspaceId)).size).toBe(0)
  })
})

describe('a model that changes its format without a word', () => {
  it('is still read, found at the next look, and an alert says what changed', async () => {
    const { viewer } = await withModel({ settings: { canary: { everyHours: 1 } } })
    const { db } = test.current()
    await sweepCanaries()
    const title = '{"title": "Leave and how to ask for it"}'
    vendor.script([{ when: 'You give a text a title', text: fenced(title), times: forever }, ...fencing()])
    const call = { viewer, feature: 'chat' }
    const result = await runTask('title', { text: 'Leave is asked for in writing, a month ahead.' }, call)
    expect(result).toMatchObject({ output: { title: 'Leave and how to ask for it' }, repairs: 0 })
    // The same name and no fingerprint: only the schedule can find it.
    expect(await sweepCanaries()).toBe(0)
    expect(await sweepCanaries(inHours(1))).toBe(1)
    await checkAlerts(inHours(1))
    const [alert] = await listAlerts(db, viewer)
    expect(alert).toMatchObject({ rule: 'canary', endedAt: null })
    expect(alert?.detail).toMatch(/mock\/model-1 does worse than it did: 71 % .* a code fence or words stand around/)
    await acceptCanary(viewer, (await canaryOf(viewer)).key)
    await checkAlerts(inHours(1))
    expect((await listAlerts(db, viewer)).filter(({ endedAt }) => endedAt === null)).toEqual([])
  })
})
