import { describe, expect, it } from 'vitest'
import { setBreaker } from '#db/queries/breakers.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { insertModelCalls } from '#db/queries/model-calls.ts'
import { listAlerts } from '#db/reports/alerts.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { type AlertFigures, checkAlerts, rulesMet, type SendAlert } from './alerts.ts'
import { defaultGatewaySettings, gatewaySettingsSchema } from './shared/gateway-settings.ts'
import { newId } from './shared/ids.ts'

const test = withDatabase()

const quiet: AlertFigures = { totals: { calls: 0, failed: 0, total: null }, budgets: [], breakers: [] }
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
})
