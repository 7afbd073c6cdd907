'use client'
import { cn } from '#lib/shared/cn.ts'
import { formatCost } from '#lib/shared/format.ts'
import type { BudgetUse } from '#lib/shared/operations-contract.ts'
import { type ReportColumn, ReportTable } from './report-table.tsx'

/** From this share of a limit on the bar warns; at all of it nothing more goes through. */
const warnFrom = 0.8

const windowWords: Record<BudgetUse['window'], string> = { minute: 'this minute', day: 'today', month: 'this month' }

const Use = ({ spentMicros, reservedMicros, limitMicros }: BudgetUse) => {
  if (limitMicros === null) return <span className="text-muted-foreground">No limit</span>
  const usedMicros = spentMicros + reservedMicros
  // A limit of nothing is used up from the start.
  const share = limitMicros === 0 ? 1 : usedMicros / limitMicros
  const look = share >= 1 ? 'bg-destructive' : share >= warnFrom ? 'bg-warning' : 'bg-primary'
  return (
    <div className="flex min-w-44 items-center gap-2.5">
      <span aria-hidden className="h-1.5 w-28 shrink-0 overflow-hidden rounded-full bg-muted">
        <span className={cn('block h-full rounded-full', look)} style={{ width: `${Math.min(100, share * 100)}%` }} />
      </span>
      <span className="num whitespace-nowrap">
        {Math.floor(share * 100)} %{share >= 1 && <span className="text-destructive"> used up</span>}
      </span>
    </div>
  )
}

const columns: ReportColumn<BudgetUse>[] = [
  {
    id: 'scope',
    title: 'Whose',
    cell: ({ name, window }) => (
      <>
        <span dir="auto">{name}</span>, <span className="text-muted-foreground">{windowWords[window]}</span>
      </>
    ),
  },
  { id: 'use', title: 'Used', cell: (row) => <Use {...row} /> },
  { id: 'spent', title: 'Spent', numeric: true, cell: ({ spentMicros }) => formatCost(spentMicros) },
  {
    id: 'reserved',
    title: 'Held for open calls',
    numeric: true,
    cell: ({ reservedMicros }) => formatCost(reservedMicros),
  },
  {
    id: 'limit',
    title: 'Limit',
    numeric: true,
    cell: ({ limitMicros }) => (limitMicros === null ? '—' : formatCost(limitMicros)),
  },
]

/** Budgets beside what has been used of them. */
export const BudgetTable = ({ budgets }: { budgets: readonly BudgetUse[] }) => (
  <ReportTable
    caption="Budgets"
    columns={columns}
    rows={budgets}
    rowId={({ scope, name, window }) => `${scope} ${window} ${name}`}
  />
)
