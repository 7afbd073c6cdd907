/**
 * Alerts: what an admin wants to be told of, from figures that are in the database anyway. One line a rule, from when it is met to
 * when it no longer is; told once to the workspace's webhook, again each time nobody took it, for a day.
 */
import { database } from '#db/client.ts'
import {
  type Alert,
  endAlerts,
  listOpenAlerts,
  listUndelivered,
  listWorkspaceIds,
  markDelivered,
  startAlert,
} from '#db/queries/alerts.ts'
import { type DroppedModel, listDroppedModels } from '#db/queries/canaries.ts'
import { type ConfidenceDrift, getConfidenceDrift } from '#db/queries/confidence.ts'
import { findGatewaySettings } from '#db/queries/gateway-settings.ts'
import { getBudgetUse } from '#db/reports/costs.ts'
import { getHealthTotals, listBreakers } from '#db/reports/operations.ts'
import { log } from './log.ts'
import { createSafeFetch } from './safe-fetch.ts'
import { formatCost, formatDuration } from './shared/format.ts'
import type { GatewaySettings } from './shared/gateway-settings.ts'
import { newId } from './shared/ids.ts'
import type { BreakerRow, BudgetUse, HealthTotals } from './shared/operations-contract.ts'

/** Looked at together: shorter is noise, longer is late. */
const stretchMs = 15 * 60_000
/** Fewer calls say nothing about a share. */
const callsMin = 10
const deliverHours = 24
/** How far confidence may be from what people decide, as an expected calibration error, and of how many decisions that is told. */
const driftMax = 0.15
const driftDecisionsMin = 30
const driftDays = 30
const hourMs = 3_600_000
/** A model that the environment names is gone when no canary has looked at it for so many of its rounds, or for so many hours without rounds. */
const roundsMissedMax = 2
const hoursWithoutRounds = 168

export type AlertFigures = {
  totals: Pick<HealthTotals, 'calls' | 'failed' | 'total'>
  budgets: readonly BudgetUse[]
  breakers: readonly BreakerRow[]
  /** Models that do worse than they did. */
  dropped: readonly DroppedModel[]
  /** Confidence beside what people decided lately. */
  drift: ConfidenceDrift
}
type Met = { rule: string; value: number; detail: string }

const percent = (share: number | null): string => `${Math.round((share ?? 0) * 100)} %`

/** The rules that are met. Pure. */
export const rulesMet = (
  { totals, budgets, breakers, dropped, drift }: AlertFigures,
  rules: GatewaySettings['alerts'],
): Met[] => {
  const met: Met[] = []
  const share = totals.calls > 0 ? totals.failed / totals.calls : 0
  if (totals.calls >= callsMin && totals.failed > 0 && share >= rules.errorShareFrom)
    met.push({
      rule: 'errors',
      value: share,
      detail: `${totals.failed} of ${totals.calls} calls of a model failed in 15 minutes.`,
    })
  if (totals.calls >= callsMin && totals.total && totals.total.p95 >= rules.p95MsFrom)
    met.push({
      rule: 'latency',
      value: totals.total.p95,
      detail: `One call in twenty took ${formatDuration(totals.total.p95)} or more in 15 minutes.`,
    })
  for (const { scope, window, limitMicros, spentMicros, reservedMicros } of budgets) {
    if (scope !== 'workspace' || limitMicros === null) continue
    const used = limitMicros === 0 ? 1 : (spentMicros + reservedMicros) / limitMicros
    if (used >= rules.budgetShareFrom)
      met.push({
        rule: `budget-${window}`,
        value: used,
        detail: `${formatCost(spentMicros + reservedMicros)} of the ${window}’s ${formatCost(limitMicros)} are used.`,
      })
  }
  const open = breakers.filter(({ state }) => state !== 'closed')
  if (open.length > 0)
    met.push({
      rule: 'breaker',
      value: open.length,
      detail: `Not asked because they fail: ${open.map(({ name }) => name).join(', ')}.`,
    })
  if (dropped.length > 0)
    met.push({
      rule: 'canary',
      value: dropped.length,
      detail: dropped
        .map(
          ({ name, score, baselineScore, detail }) =>
            `${name} does worse than it did: ${percent(score)} of its checks hold, ${percent(baselineScore)} before. ${detail}`,
        )
        .join(' '),
    })
  if (drift.error !== null && drift.decisions >= driftDecisionsMin && drift.error > driftMax)
    met.push({
      rule: 'confidence-drift',
      value: drift.error,
      detail: `What answers say of how sure they are was off by ${percent(drift.error)} on average, over ${drift.decisions} decisions of ${driftDays} days. See Calibration under Review.`,
    })
  return met
}

/** Hands an alert to a webhook; throws when it was not taken. */
export type SendAlert = (url: string, body: Record<string, unknown>) => Promise<void>

const webhookFetch = createSafeFetch({ totalMs: 10_000, bytesMax: 64_000 })
/** Posts JSON to an address that an admin has set; throws when it was not taken. */
export const postToWebhook: SendAlert = async (url, body) => {
  const response = await webhookFetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`the webhook answered ${response.status}`)
}

const bodyOf = ({ id, rule, value, detail, startedAt, workspaceId }: Alert): Record<string, unknown> => ({
  event: 'footnote.alert',
  id,
  workspaceId,
  rule,
  value,
  detail,
  startedAt: startedAt.toISOString(),
})

const checkWorkspace = async (workspaceId: string, now: Date, send: SendAlert): Promise<void> => {
  const { db } = database()
  const { settings } = await findGatewaySettings(db, workspaceId)
  if (!settings) return
  // The reports ask who looks; a schedule looks at one workspace for nobody.
  const insider = { workspaceId, userId: '00000000-0000-0000-0000-000000000000' }
  const { everyHours } = settings.canary
  const hours = everyHours > 0 ? everyHours * roundsMissedMax : hoursWithoutRounds
  const [totals, budgets, breakers, dropped, drift, open] = await Promise.all([
    getHealthTotals(db, insider, { from: new Date(now.getTime() - stretchMs), to: now }),
    getBudgetUse(db, insider, now),
    listBreakers(db, insider),
    listDroppedModels(db, workspaceId, new Date(now.getTime() - hours * hourMs)),
    getConfidenceDrift(db, workspaceId, new Date(now.getTime() - driftDays * 24 * hourMs)),
    listOpenAlerts(db, workspaceId),
  ])
  const met = rulesMet({ totals, budgets: budgets.budgets, breakers, dropped, drift }, settings.alerts)
  const details = new Map(met.map(({ rule, detail }) => [rule, detail]))
  const goesOn = ({ rule, detail }: Alert): boolean =>
    // Another model that dropped meanwhile is told of too, in an alert of its own.
    rule === 'canary' ? details.get(rule) === detail : details.has(rule)
  await endAlerts(
    db,
    open.filter((alert) => !goesOn(alert)).map(({ id }) => id),
  )
  const known = new Set(open.filter(goesOn).map(({ rule }) => rule))
  for (const one of met) {
    if (known.has(one.rule)) continue
    await startAlert(db, { id: newId(), workspaceId, ...one })
    log.warn({ workspaceId, rule: one.rule, detail: one.detail }, 'an alert started')
  }

  const { webhookUrl } = settings.alerts
  if (!webhookUrl) return
  for (const alert of await listUndelivered(db, workspaceId, deliverHours)) {
    try {
      await send(webhookUrl, bodyOf(alert))
      await markDelivered(db, alert.id)
    } catch (error) {
      log.warn(
        { err: error, alertId: alert.id, rule: alert.rule },
        'the webhook did not take an alert; tried again later',
      )
    }
  }
}

/** Looks at every workspace; the worker calls it each minute. One workspace's trouble is not another's. */
export const checkAlerts = async (now = new Date(), send: SendAlert = postToWebhook): Promise<void> => {
  for (const workspaceId of await listWorkspaceIds(database().db))
    await checkWorkspace(workspaceId, now, send).catch((error: unknown) =>
      log.warn({ err: error, workspaceId }, 'alerts were not checked'),
    )
}
