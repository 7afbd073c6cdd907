'use client'
import { TriangleAlert } from 'lucide-react'
import Link from 'next/link'
import { useMemo } from 'react'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { formatCost, formatCount, formatDuration } from '#lib/shared/format.ts'
import {
  type BudgetUse,
  type CallFilter,
  type CallFilterChoices,
  type CostGroup,
  type CostRow,
  type CostSeries,
  type CostSort,
  type CostTotals,
  costGroups,
  type Range,
  type RouteRow,
  type Saving,
} from '#lib/shared/operations-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { BudgetTable } from './budget-table.tsx'
import { CostChart } from './chart.tsx'
import { Figure, Figures, NothingHere, ReportSection } from './figures.tsx'
import { LinkSwitch, ReportFilters } from './report-filters.tsx'
import { tracesHref, useReportLink } from './report-link.ts'
import { type ReportColumn, ReportTable } from './report-table.tsx'

const groupWords: Record<CostGroup, string> = {
  model: 'Model',
  user: 'Person',
  task: 'Task',
  feature: 'Feature',
  conversation: 'Conversation',
}

/** What a row is called that belongs to none, or to one that was deleted. */
const nobodyWords: Record<CostGroup, { none: string; gone: string }> = {
  model: { none: 'No model', gone: 'No model' },
  user: { none: 'The system itself', gone: 'A person who is gone' },
  task: { none: 'No task', gone: 'No task' },
  feature: { none: 'No feature', gone: 'No feature' },
  conversation: { none: 'Outside a conversation', gone: 'A conversation that is gone' },
}

const beforeWords: Record<Range, string> = {
  '24h': 'in the 24 hours before',
  '7d': 'in the same time a week before',
  '30d': 'in the same time 30 days before',
}

const priceWords = (micros: number | null): string => (micros === null ? 'price unknown' : formatCost(micros))

const calls = (count: number): string => `${formatCount(count)} ${count === 1 ? 'call' : 'calls'}`

const CostCell = ({ row: { costMicros, unpricedCalls } }: { row: CostRow }) => (
  <>
    {costMicros === null ? <span className="text-warning">price unknown</span> : formatCost(costMicros)}
    {costMicros !== null && unpricedCalls > 0 && (
      <span className="block text-warning text-xs">and {calls(unpricedCalls)} of unknown price</span>
    )}
  </>
)

const savingWords: Record<Saving['kind'], { title: string; rests: string }> = {
  exact: {
    title: 'Cache, the same question',
    rests: 'What the answer had cost when a model wrote it',
  },
  semantic: {
    title: 'Cache, a question that means the same',
    rests: 'What the answer had cost when a model wrote it',
  },
  route: {
    title: 'Cheaper models',
    rests: 'What the same tokens cost at the dearest flagship model that could have been asked, less what they cost',
  },
  context: {
    title: 'Shorter prompts',
    rests:
      'Earlier turns, repeated passages and sentences that were left out, at the input price of the model that answered',
  },
}

const savingColumns: ReportColumn<Saving>[] = [
  {
    id: 'kind',
    title: 'By',
    cell: ({ kind }) => (
      <>
        {savingWords[kind].title}
        <span className="block text-muted-foreground text-xs">{savingWords[kind].rests}</span>
      </>
    ),
  },
  { id: 'calls', title: 'Calls', numeric: true, cell: (row) => formatCount(row.calls) },
  {
    id: 'tokens',
    title: 'Tokens saved',
    numeric: true,
    cell: ({ savedTokens }) => (savedTokens === null ? '–' : formatCount(savedTokens)),
  },
  { id: 'saved', title: 'Saved', numeric: true, cell: ({ savedMicros }) => formatCost(savedMicros) },
]

const tierWords: Record<string, string> = { fast: 'Fast', standard: 'Standard', flagship: 'Flagship' }

const routeColumns: ReportColumn<RouteRow>[] = [
  {
    id: 'route',
    title: 'Route',
    cell: ({ tier, model }) => (
      <>
        {tier === null ? 'Not routed' : (tierWords[tier] ?? tier)}
        <span dir="auto" className="block truncate text-muted-foreground text-xs" title={model ?? undefined}>
          {model ?? 'No model'}
        </span>
      </>
    ),
  },
  { id: 'calls', title: 'Answered calls', numeric: true, cell: (row) => formatCount(row.calls) },
  {
    id: 'cost',
    title: 'Cost a call',
    numeric: true,
    cell: ({ costMicrosPerCall, unpricedCalls }) => (
      <>
        {costMicrosPerCall === null ? (
          <span className="text-warning">price unknown</span>
        ) : (
          formatCost(Math.round(costMicrosPerCall))
        )}
        {costMicrosPerCall !== null && unpricedCalls > 0 && (
          <span className="block text-warning text-xs">without {calls(unpricedCalls)} of unknown price</span>
        )}
      </>
    ),
  },
  {
    id: 'quality',
    title: 'Supported sentences',
    numeric: true,
    cell: ({ quality, judgedCalls }) =>
      quality === null ? (
        'not looked at'
      ) : (
        <>
          {(100 * quality).toFixed(1)} %
          <span className="block text-muted-foreground text-xs">
            of {formatCount(judgedCalls)} {judgedCalls === 1 ? 'answer' : 'answers'}
          </span>
        </>
      ),
  },
  {
    id: 'firstToken',
    title: 'First token, p50',
    numeric: true,
    cell: ({ firstTokenMs }) => (firstTokenMs === null ? '–' : formatDuration(firstTokenMs)),
  },
]

/** What a row is of: leads to the same report about it alone, where there is such a report. */
const RowName = ({ row, by }: { row: CostRow; by: CostGroup }) => {
  const linkTo = useReportLink()
  const name = row.label ?? (row.key === null ? nobodyWords[by].none : nobodyWords[by].gone)
  const detail = by === 'user' || (by === 'conversation' && row.key !== null) ? row.detail : null
  const words = (
    <span dir="auto" className="block truncate" title={name}>
      {name}
    </span>
  )
  return (
    <>
      {row.key === null || by === 'conversation' ? (
        words
      ) : (
        <Link href={linkTo({ [by]: row.key })} prefetch={false} className="block font-medium hover:underline">
          {words}
        </Link>
      )}
      {detail && <span className="block truncate text-muted-foreground text-xs">{detail}</span>}
    </>
  )
}

const TracesLink = ({ row, by }: { row: CostRow; by: CostGroup }) => {
  const filter = by === 'model' ? { model: row.detail } : by === 'user' ? { q: row.detail } : null
  const value = filter && Object.values(filter)[0]
  if (!filter || !value) return null
  return (
    <Link
      href={tracesHref(by === 'model' ? { model: value } : { q: value })}
      prefetch={false}
      className="text-primary hover:underline"
    >
      Traces<span className="sr-only"> of {row.label ?? value}</span>
    </Link>
  )
}

const breakdownColumns = (by: CostGroup): ReportColumn<CostRow>[] => [
  { id: 'label', title: groupWords[by], sorts: 'asc', cell: (row) => <RowName row={row} by={by} /> },
  {
    id: 'calls',
    title: 'Calls',
    numeric: true,
    sorts: 'desc',
    cell: (row) => (
      <>
        {formatCount(row.calls)}
        {row.cacheHits > 0 && (
          <span className="block text-muted-foreground text-xs">{formatCount(row.cacheHits)} from cache</span>
        )}
      </>
    ),
  },
  { id: 'tokensIn', title: 'Tokens in', numeric: true, sorts: 'desc', cell: (row) => formatCount(row.tokensIn) },
  { id: 'tokensOut', title: 'Tokens out', numeric: true, sorts: 'desc', cell: (row) => formatCount(row.tokensOut) },
  { id: 'savedMicros', title: 'Saved', numeric: true, sorts: 'desc', cell: (row) => formatCost(row.savedMicros) },
  { id: 'costMicros', title: 'Cost', numeric: true, sorts: 'desc', cell: (row) => <CostCell row={row} /> },
  ...(by === 'model' || by === 'user'
    ? [{ id: 'traces', title: 'Any time', cell: (row: CostRow) => <TracesLink row={row} by={by} /> }]
    : []),
]

type CostsScreenProps = {
  range: Range
  bucket: 'hour' | 'day'
  filter: CallFilter
  choices: CallFilterChoices
  totals: CostTotals
  previous: CostTotals
  series: CostSeries
  by: CostGroup
  rows: CostRow[]
  more: boolean
  sort: { id: CostSort; descending: boolean }
  savings: Saving[]
  routes: RouteRow[]
  budgets: BudgetUse[]
  settingsReadable: boolean
}

/** What calls of models cost and what they did not have to. */
export const CostsScreen = ({
  range,
  bucket,
  filter,
  choices,
  totals,
  previous,
  series,
  by,
  rows,
  more,
  sort,
  savings,
  routes,
  budgets,
  settingsReadable,
}: CostsScreenProps) => {
  const columns = useMemo(() => breakdownColumns(by), [by])
  const before = beforeWords[range]
  const filtered = Object.values(filter).some(Boolean)
  return (
    <>
      <AdminHeader>
        <AdminTitle>Costs</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <ReportFilters range={range} filter={filter} choices={choices} />
        <Figures label="Totals">
          <Figure
            title="Cost"
            value={priceWords(totals.costMicros)}
            note={`${priceWords(previous.costMicros)} ${before}`}
          />
          <Figure
            title="Saved"
            value={formatCost(totals.savedMicros)}
            note={`${formatCost(previous.savedMicros)} ${before}`}
          />
          <Figure
            title="Tokens in / out"
            value={`${formatCount(totals.tokensIn)} / ${formatCount(totals.tokensOut)}`}
            note={`${formatCount(previous.tokensIn)} / ${formatCount(previous.tokensOut)} ${before}`}
          />
          <Figure
            title="Calls"
            value={formatCount(totals.calls)}
            note={`${formatCount(totals.cacheHits)} of them from a cache; ${formatCount(previous.calls)} ${before}`}
          />
        </Figures>
        {totals.unpricedCalls > 0 && (
          <p className="flex gap-2 border-b px-5 py-2.5 text-[13px] text-warning max-sm:px-4">
            <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
            <span>
              The price of {calls(totals.unpricedCalls)} is unknown. They are counted, but they are in no sum of money
              on this page: what was really spent is more.
            </span>
          </p>
        )}
        {totals.calls === 0 ? (
          <EmptyState title="No model was called in this time">
            {filtered
              ? 'Take a filter away, or look at a longer time.'
              : 'Every question that a model answers is counted here, with its tokens and its price.'}
          </EmptyState>
        ) : (
          <>
            <ReportSection
              title={bucket === 'hour' ? 'By hour' : 'By day'}
              note={`Stacked by ${groupWords[by].toLowerCase()}; in UTC, as budgets are`}
            >
              {series.parts.length > 0 ? (
                <CostChart series={series} bucket={bucket} goneWords={nobodyWords[by].gone} />
              ) : (
                <NothingHere>
                  {totals.costMicros === null
                    ? 'There is nothing to draw: no price of any of these calls is known.'
                    : 'There is nothing to draw: none of these calls cost anything.'}
                </NothingHere>
              )}
            </ReportSection>
            <ReportSection
              title="Breakdown"
              actions={
                <LinkSwitch
                  label="Break down by"
                  name="by"
                  value={by}
                  options={costGroups.map((value) => ({ value, label: groupWords[value] }))}
                />
              }
            >
              <ReportTable
                caption={`Costs by ${groupWords[by].toLowerCase()}`}
                columns={columns}
                rows={rows}
                rowId={({ key }) => key ?? ''}
                sorting={sort}
              />
              {more && <NothingHere>The first {rows.length} are shown. Narrow the report to see others.</NothingHere>}
            </ReportSection>
            <ReportSection
              title="Savings"
              note="Against what the same questions would have cost without them, at known prices"
            >
              {savings.length > 0 ? (
                <ReportTable caption="Savings" columns={savingColumns} rows={savings} rowId={({ kind }) => kind} />
              ) : (
                <NothingHere>
                  Nothing was answered from a cache, by a cheaper model or from a shorter prompt in this time.
                </NothingHere>
              )}
            </ReportSection>
            <ReportSection
              title="Cost and quality by route"
              note="Calls that a model answered; quality is the share of an answer’s sentences that a cited passage supports"
            >
              {routes.length > 0 ? (
                <ReportTable
                  caption="Cost and quality by route"
                  columns={routeColumns}
                  rows={routes}
                  rowId={({ tier, model }) => JSON.stringify([tier, model])}
                />
              ) : (
                <NothingHere>No model answered in this time.</NothingHere>
              )}
            </ReportSection>
          </>
        )}
        <ReportSection title="Budgets" note="What is open now, whatever time and filters are chosen above">
          {!settingsReadable && (
            <p className="px-5 pb-2 text-[13px] text-destructive max-sm:px-4">
              The stored limits cannot be read, so none is shown. Save them again under Models.
            </p>
          )}
          <BudgetTable budgets={budgets} />
        </ReportSection>
      </div>
    </>
  )
}
