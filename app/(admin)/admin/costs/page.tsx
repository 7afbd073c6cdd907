import type { Metadata } from 'next'
import { z } from 'zod'
import { CostsScreen } from '#components/admin/costs-screen.tsx'
import { listCallFilterChoices } from '#db/reports/calls.ts'
import { getBudgetUse, getCostReport, getCostTotals, listRoutes } from '#db/reports/costs.ts'
import { reader } from '#db/reports/reader.ts'
import { page } from '#lib/auth/index.ts'
import { costGroups, costSorts, periodOf, ranges } from '#lib/shared/operations-contract.ts'
import { reportFilterShape } from '../report-filter.ts'

export const metadata: Metadata = { title: 'Costs' }

/** Parts of the address that make no sense are as if they were not there. */
const searchSchema = z.object({
  range: z.enum(ranges).catch('7d'),
  by: z.enum(costGroups).catch('model'),
  sort: z.enum(costSorts).catch('costMicros'),
  dir: z.enum(['asc', 'desc']).catch('desc'),
  ...reportFilterShape,
})

export default async function CostsPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('cost.read')
  const { range, by, sort, dir, ...filter } = searchSchema.parse(await searchParams)
  const now = new Date()
  const period = periodOf(range, now)
  const db = reader()
  const descending = dir === 'desc'
  const [choices, report, previous, routes, budgets] = await Promise.all([
    listCallFilterChoices(db, viewer, period),
    getCostReport(db, viewer, period, by, filter, { sort, descending }),
    getCostTotals(db, viewer, { from: period.previousFrom, to: period.previousTo }, filter),
    listRoutes(db, viewer, period, filter),
    getBudgetUse(db, viewer, now),
  ])
  return (
    <CostsScreen
      range={range}
      bucket={period.bucket}
      filter={filter}
      choices={choices}
      {...report}
      previous={previous}
      by={by}
      sort={{ id: sort, descending }}
      routes={routes}
      {...budgets}
    />
  )
}
