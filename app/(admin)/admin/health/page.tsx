import type { Metadata } from 'next'
import { z } from 'zod'
import { HealthScreen } from '#components/admin/health-screen.tsx'
import { listAlerts } from '#db/reports/alerts.ts'
import { listCallFilterChoices } from '#db/reports/calls.ts'
import {
  getHealthTotals,
  getLatencySeries,
  getQuestionLatency,
  listBreakers,
  listFailures,
  listLatencies,
  listUnanswered,
} from '#db/reports/operations.ts'
import { reader } from '#db/reports/reader.ts'
import { page } from '#lib/auth/index.ts'
import { getQueueDepth } from '#lib/jobs.ts'
import { answerQuality } from '#lib/review/index.ts'
import { healthGroups, periodOf, ranges } from '#lib/shared/operations-contract.ts'
import { qualityGroups } from '#lib/shared/quality-contract.ts'
import { reportFilterShape } from '../report-filter.ts'

export const metadata: Metadata = { title: 'Health' }

/** Parts of the address that make no sense are as if they were not there. */
const searchSchema = z.object({
  range: z.enum(ranges).catch('24h'),
  by: z.enum(healthGroups).catch('model'),
  quality: z.enum(qualityGroups).catch('model'),
  ...reportFilterShape,
})

export default async function HealthPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('health.read')
  const { range, by, quality: qualityBy, ...filter } = searchSchema.parse(await searchParams)
  const now = new Date()
  const period = periodOf(range, now)
  const db = reader()
  const byCall = filter.model || filter.task || filter.feature || filter.status
  const person = { user: filter.user }
  const [choices, totals, series, latencies, questions, failures, breakers, unanswered, alerts, quality, queue] =
    await Promise.all([
      listCallFilterChoices(db, viewer, period),
      getHealthTotals(db, viewer, period, filter),
      getLatencySeries(db, viewer, period, filter),
      listLatencies(db, viewer, period, by, filter),
      byCall ? null : getQuestionLatency(db, viewer, period, person),
      listFailures(db, viewer, period, by, filter),
      listBreakers(db, viewer),
      listUnanswered(db, viewer, period, person),
      listAlerts(db, viewer),
      answerQuality(viewer, period, qualityBy, { model: filter.model, ...person }),
      // Fails open: a queue that does not answer is what this page is there to say.
      getQueueDepth().catch(() => null),
    ])
  return (
    <HealthScreen
      range={range}
      bucket={period.bucket}
      minutes={(now.getTime() - period.from.getTime()) / 60_000}
      nowMs={now.getTime()}
      filter={filter}
      choices={choices}
      totals={totals}
      series={series}
      by={by}
      latencies={latencies}
      questions={questions}
      failures={failures}
      breakers={breakers}
      unanswered={unanswered}
      alerts={alerts}
      queue={queue}
      uptimeSeconds={process.uptime()}
      quality={quality}
      qualityBy={qualityBy}
    />
  )
}
