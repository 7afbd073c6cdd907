import { describe, expect, it } from 'vitest'
import { setBreaker } from '#db/queries/breakers.ts'
import { type Canary, storeCanary } from '#db/queries/canaries.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { insertModel, insertProvider } from '#db/queries/models.ts'
import { listAlerts } from '#db/reports/alerts.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { type AlertFigures, checkAlerts, rulesMet, type SendAlert } from './alerts.ts'
import { defaultGatewaySettings, gatewaySettingsSchema } from './shared/gateway-settings.ts'
import { newId } from './shared/ids.ts'

const test = withDatabase()

const quiet: AlertFigures = {
  totals: { calls: 0, failed: 0, total: null },
  budgets: [],
  breakers: [],
  dropped: [],
  drift: { decisions: 0, error: null },
}
const times = (p95: number) => ({ p50: p95 / 2, p95, p99: p95 })
const rules = defaultGatewaySettings.alerts
const day = {
  scope: 'workspace',
  name: 'The workspace',
  window: 'day',
  reservedMicros: 0,
  limitMicros: 1_000_000,
  resetsAt: null,
} as const

describe('the rules of alerts', () => {
  it.each<[string, Partial<AlertFigures>, string[]]>([
    ['nothing happens', {}, []],
    ['too few calls to tell', { totals: { calls: 9, failed: 9, total: null } }, []],
    ['a failure in five', { totals: { calls: 10, failed: 2, total: times(100) } }, ['errors']],
    ['less than one in five', { totals: { calls: 100, failed: 19, total: times(100) } }, []],
    ['slow answers', { totals: { calls: 10, failed: 0, total: times(30_000) } }, ['latency']],
    ['four fifths of a budget', { budgets: [{ ...day, spentMicros: 800_000 }] }, ['budget-day']],
    ['less than that', { budgets: [{ ...day, spentMicros: 799_999 }] }, []],
    ['no budget', { budgets: [{ ...day, spentMicros: 900_000, limitMicros: null }] }, []],
    [
      'an open breaker',
      { breakers: [{ key: 'a/b', name: 'b', state: 'open', reason: 'server', retryAt: null, changedAt: '' }] },
      ['breaker'],
    ],
    ['confidence that decisions do not bear out', { drift: { decisions: 30, error: 0.2 } }, ['confidence-drift']],
    ['the same of too few decisions', { drift: { decisions: 29, error: 0.2 } }, []],
    ['confidence within its bounds', { drift: { decisions: 30, error: 0.15 } }, []],
    ['a model that does worse', { dropped: [{ name: 'b', score: 0.5, baselineScore: 1, detail: '' }] }, ['canary']],
  ])('are met by %s', (_, figures, met) => {
    expect(rulesMet({ ...quiet, ...figures }, rules).map(({ rule }) => rule)).toEqual(met)
  })

  it('move with the settings', () => {
    const figures = { ...quiet, totals: { calls: 10, failed: 2, total: times(5_000) } }
    expect(rulesMet(figures, { ...rules, errorShareFrom: 0.3 })).toEqual([])
    expect(rulesMet(figures, { ...rules, p95MsFrom: 5_000, errorShareFrom: 1 }).map(({ rule }) => rule)).toEqual([
      'latency',
    ])
  })
})

describe('an alert', () => {
  const failing = async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const { db } = test.current()
    const { workspaceId } = viewers.admin
    const at = new Date()
    await insertModelCalls(
      db,
      Array.from({ length: 20 }, () => ({
        id: newId(),
        at,
        workspaceId,
        task: 'answer',
        feature: 'chat',
        outcome: 'server',
        requestedModel: 'm',
      })),
    )
    return { viewers, workspaceId, soon: new Date(at.getTime() + 1_000), later: new Date(at.getTime() + 3_600_000) }
  }

  it('starts once, ends when it is over, and is seen by its own workspace only', async () => {
    const { viewers, soon, later } = await failing()
    const { db } = test.current()
    await checkAlerts(soon)
    await checkAlerts(soon)
    expect(await listAlerts(db, viewers.admin)).toMatchObject([{ rule: 'errors', endedAt: null, delivered: false }])
    const stranger = (await createTestWorkspace(test.current())).viewers.admin
    expect(await listAlerts(db, stranger)).toEqual([])
    await checkAlerts(later)
    expect((await listAlerts(db, viewers.admin)).map(({ endedAt }) => endedAt === null)).toEqual([false])
  })

  it('is handed to the webhook once, and again when nobody took it', async () => {
    const { viewers, workspaceId, soon } = await failing()
    const { db } = test.current()
    await storeGatewaySettings(
      db,
      workspaceId,
      0,
      gatewaySettingsSchema.parse({ alerts: { webhookUrl: 'https://hooks.example.com/a' } }),
    )
    const sent: { url: string; body: Record<string, unknown> }[] = []
    const refuses: SendAlert = () => Promise.reject(new Error('503'))
    const takes: SendAlert = async (url, body) => {
      sent.push({ url, body })
    }
    await checkAlerts(soon, refuses)
    expect((await listAlerts(db, viewers.admin))[0]?.delivered).toBe(false)
    await checkAlerts(soon, takes)
    await checkAlerts(soon, takes)
    expect(sent).toMatchObject([
      { url: 'https://hooks.example.com/a', body: { event: 'footnote.alert', rule: 'errors', workspaceId } },
    ])
    expect((await listAlerts(db, viewers.admin))[0]?.delivered).toBe(true)
  })

  it('says which model is not asked while its breaker is open', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const { db } = test.current()
    await setBreaker(db, { key: 'env-openai/mock-9', state: 'open', retryInMs: 60_000, reason: 'server' })
    await checkAlerts(new Date())
    expect((await listAlerts(db, viewers.admin)).find(({ rule }) => rule === 'breaker')?.detail).toContain('mock-9')
    await setBreaker(db, { key: 'env-openai/mock-9', state: 'closed', reason: null })
    await checkAlerts(new Date())
    expect((await listAlerts(db, viewers.admin)).every(({ endedAt }) => endedAt !== null)).toBe(true)
  })

  const canaryOf = (workspaceId: string, key: string, over: Partial<Canary> = {}): Canary => ({
    workspaceId,
    key,
    baselineServed: 'm-1',
    baselineFingerprint: null,
    servedModel: 'm-2',
    fingerprint: null,
    baselineScore: 1,
    score: 0.5714,
    state: 'dropped',
    detail: 'Facts as JSON: a code fence or words stand around the JSON.',
    checkedAt: new Date(),
    changedAt: new Date(),
    ...over,
  })

  it('says which model does worse than it did and in what, tells of the next one too, and ends when they are well', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const { db } = test.current()
    const { workspaceId } = viewers.admin
    const open = async () =>
      (await listAlerts(db, viewers.admin)).filter(({ rule, endedAt }) => rule === 'canary' && endedAt === null)
    await storeCanary(db, canaryOf(workspaceId, 'env-openai/first'))
    await checkAlerts(new Date())
    const [told] = await open()
    expect(told?.detail).toBe(
      'env-openai/first does worse than it did: 57 % of its checks hold, 100 % before. Facts as JSON: a code fence or words stand around the JSON.',
    )
    await checkAlerts(new Date())
    expect((await open()).map(({ id }) => id)).toEqual([told?.id])
    await storeCanary(db, canaryOf(workspaceId, 'env-openai/second'))
    await checkAlerts(new Date())
    const both = await open()
    expect(both).toHaveLength(1)
    expect(both[0]?.detail).toContain('env-openai/second')
    for (const name of ['first', 'second'])
      await storeCanary(db, canaryOf(workspaceId, `env-openai/${name}`, { state: 'ok', score: 1 }))
    await checkAlerts(new Date())
    expect(await open()).toEqual([])
    expect((await listAlerts(db, viewers.admin)).length).toBe(2)
  })

  it('says nothing of a model that is no longer asked', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const { db } = test.current()
    const { workspaceId } = viewers.admin
    const on = newId()
    const off = newId()
    for (const [id, enabled] of [
      [on, true],
      [off, false],
    ] as const) {
      await insertProvider(db, {
        id,
        workspaceId,
        name: enabled ? 'Here' : 'Away',
        kind: 'compatible',
        baseUrl: 'http://127.0.0.1:9/v1',
        sealedKey: null,
        keyHint: null,
        local: true,
        enabled,
        requestsPerMinute: null,
        tokensPerMinute: null,
      })
      await insertModel(db, {
        id: newId(),
        workspaceId,
        providerId: id,
        modelId: 'qwen3:8b',
        tier: 'standard',
        position: 0,
        contextTokensMax: null,
        inputMicrosPerMillion: null,
        outputMicrosPerMillion: null,
        cachedMicrosPerMillion: null,
        enabled: true,
      })
      await storeCanary(db, canaryOf(workspaceId, `${id}/qwen3:8b`))
    }
    await storeCanary(db, canaryOf(workspaceId, `${newId()}/deleted`))
    await storeCanary(
      db,
      canaryOf(workspaceId, 'env-openai/gone', { checkedAt: new Date(Date.now() - 49 * 3_600_000) }),
    )
    await checkAlerts(new Date())
    const told = (await listAlerts(db, viewers.admin)).find(({ rule }) => rule === 'canary')
    expect(told?.detail.match(/\S+ does worse/g)).toEqual(['Here/qwen3:8b does worse'])
  })
})
