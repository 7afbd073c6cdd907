'use client'
import type { Route } from 'next'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { Button } from '#components/ui/button.tsx'
import { cn } from '#lib/shared/cn.ts'
import { formatCost, formatCount, formatDuration } from '#lib/shared/format.ts'
import {
  localShareOf,
  type ModelUse,
  type Place,
  type PlaceUse,
  places,
  type RouteRow,
  type RouteSort,
  type TaskUse,
  type UseRange,
  useRanges,
} from '#lib/shared/models-contract.ts'
import { NothingHere, ReportSection } from './figures.tsx'
import { shareText } from './models-values.ts'
import { placeWords, routeWords, targetWords, taskWords, useRangeWords } from './models-words.ts'
import { LinkSwitch } from './report-filters.tsx'
import { tracesHref } from './report-link.ts'
import { type ReportColumn, ReportTable } from './report-table.tsx'

const percentOf = (share: number): string => `${Math.min(100, Math.max(0, share * 100))}%`

/** How far the target is reached. The words beside it say the same, so the drawing is for the eyes alone. */
const ShareBar = ({ range, use, target }: { range: UseRange; use: ModelUse; target: number }) => {
  const share = localShareOf(use)
  const reached = share !== null && share >= target
  return (
    <div className="grid min-w-0 grid-cols-[5rem_minmax(0,1fr)] items-center gap-x-3 gap-y-1">
      <dt className="text-[13px] text-muted-foreground">{useRangeWords[range]}</dt>
      <dd className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1">
        <span aria-hidden className="relative block h-2.5 w-full max-w-80">
          <span className="absolute inset-0 overflow-hidden rounded-full bg-muted">
            {share !== null && (
              <span
                className={cn('block h-full', reached ? 'bg-success' : 'bg-warning')}
                style={{ width: percentOf(share) }}
              />
            )}
          </span>
          <span
            className="absolute -inset-y-1 w-0.5 -translate-x-1/2 rounded-full bg-foreground"
            style={{ left: percentOf(target) }}
          />
        </span>
        <span className="num text-[13px]">{targetWords(use, target)}</span>
      </dd>
    </div>
  )
}

type PlaceRow = PlaceUse & { place: Place }

const qualityCell = ({ quality, judged }: { quality: number | null; judged: number }): ReactNode => (
  <>
    {shareText(quality)}
    {quality !== null && (
      <span className="block text-muted-foreground text-xs">
        of {formatCount(judged)} {judged === 1 ? 'answer' : 'answers'}
      </span>
    )}
  </>
)

const placeColumns: ReportColumn<PlaceRow>[] = [
  {
    id: 'place',
    title: 'Where',
    cell: ({ place }) => (
      <>
        <span className="font-medium">{placeWords[place].title}</span>
        <span className="block text-muted-foreground text-xs">{placeWords[place].note}</span>
      </>
    ),
  },
  { id: 'taken', title: 'Taken', numeric: true, cell: ({ taken }) => formatCount(taken) },
  { id: 'calls', title: 'Calls', numeric: true, cell: ({ calls }) => formatCount(calls) },
  {
    id: 'failed',
    title: 'Failed',
    numeric: true,
    cell: ({ failed, calls }) => shareText(calls === 0 ? null : failed / calls),
  },
  { id: 'quality', title: 'Supported', numeric: true, cell: qualityCell },
  {
    id: 'first',
    title: 'First token p50',
    numeric: true,
    cell: ({ firstTokenP50Ms }) => (firstTokenP50Ms === null ? '—' : formatDuration(firstTokenP50Ms)),
  },
]

const taskColumns: ReportColumn<TaskUse>[] = [
  { id: 'task', title: 'Task', cell: ({ task }) => taskWords(task) },
  { id: 'local', title: 'Local', numeric: true, cell: ({ local }) => formatCount(local) },
  { id: 'others', title: 'Others', numeric: true, cell: ({ others }) => formatCount(others) },
  { id: 'builtIn', title: 'Built-in', numeric: true, cell: ({ builtIn }) => formatCount(builtIn) },
  {
    id: 'share',
    title: 'Local share',
    numeric: true,
    cell: ({ local, others }) => shareText(local + others === 0 ? null : local / (local + others)),
  },
]

const RangeSwitch = ({ range }: { range: UseRange }) => (
  <LinkSwitch
    label="Time"
    name="range"
    value={range}
    options={useRanges.map((value) => ({ value, label: useRangeWords[value] }))}
  />
)

type LocalShareProps = {
  use: Record<UseRange, ModelUse>
  range: UseRange
  target: number
  /** A model runs on our own machines and may be asked. */
  hasLocal: boolean
  addOllama: () => void
}

/** How much local models take, against what they are to take, and how well they and the others do. */
export const LocalShare = ({ use, range, target, hasLocal, addOllama }: LocalShareProps) => {
  const shown = use[range]
  const rows = places
    .map((place) => ({ place, ...shown.places[place] }))
    .filter(({ place, calls }) => place === 'local' || place === 'hosted' || calls > 0)
  const called = rows.some(({ calls }) => calls > 0)
  return (
    <ReportSection
      title="Local share"
      note="What our own machines take of what models do"
      actions={<RangeSwitch range={range} />}
    >
      {!hasLocal && (
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-2 max-sm:px-4">
          <p className="min-w-0 max-w-2xl flex-1 basis-72 text-[13px] text-muted-foreground">
            No model runs on our own machines. Start Ollama on this machine, take a model (
            <code className="font-mono text-xs">ollama pull qwen3:8b</code>), add it here, and it is asked first: it
            costs nothing and nothing leaves.
          </p>
          <Button onClick={addOllama}>Add Ollama</Button>
        </div>
      )}
      {(hasLocal || called) && (
        <dl aria-label="Local share against its target" className="flex flex-col gap-3 px-5 py-2 max-sm:px-4">
          {useRanges.map((one) => (
            <ShareBar key={one} range={one} use={use[one]} target={target} />
          ))}
        </dl>
      )}
      {called ? (
        <>
          <ReportTable
            caption={`Local and hosted models in ${useRangeWords[range]}`}
            columns={placeColumns}
            rows={rows}
            rowId={({ place }) => place}
          />
          <p className="px-5 pt-2 text-[12.5px] text-muted-foreground max-sm:px-4">
            Supported: the share of an answer’s sentences that a cited passage bears out. A question for which a second
            model was asked is taken by the second. Failed calls, answers from a cache and checks are not taken by
            anybody.
          </p>
          {shown.tasks.length > 0 && (
            <details className="mt-2">
              <summary className="ml-5 inline-block cursor-pointer rounded-sm text-[12.5px] text-muted-foreground hover:text-foreground max-sm:ml-4 touch:py-2">
                Show by task
              </summary>
              <ReportTable
                caption="Local share by task"
                columns={taskColumns}
                rows={shown.tasks}
                rowId={({ task }) => task}
              />
            </details>
          )}
        </>
      ) : (
        <NothingHere>No model was called in {useRangeWords[range]}.</NothingHere>
      )}
    </ReportSection>
  )
}

const RouteName = ({ row }: { row: RouteRow }) => {
  const { title, note } = routeWords(row)
  return (
    <>
      <span className="block truncate font-medium" title={title}>
        {title}
      </span>
      {note && <span className="block text-muted-foreground text-xs">{note}</span>}
    </>
  )
}

const ModelName = ({ row: { model, provider, place } }: { row: RouteRow }) => (
  <span className="block min-w-36 max-w-72 max-sm:max-w-52">
    <span dir="auto" className="block truncate" title={model ?? undefined}>
      {model ?? 'a model that gave no name'}
    </span>
    {place !== 'built-in' && (
      <span dir="auto" className="block truncate text-muted-foreground text-xs">
        {place === 'gone' ? `${provider ?? 'a provider'}, which is gone` : `at ${provider}`}
        {place === 'local' && ', local'}
      </span>
    )}
  </span>
)

const CostCell = ({ row: { costMicrosPerCall, unpricedCalls } }: { row: RouteRow }) => (
  <>
    {costMicrosPerCall === null ? <span className="text-warning">price unknown</span> : formatCost(costMicrosPerCall)}
    {costMicrosPerCall !== null && unpricedCalls > 0 && (
      <span className="block text-warning text-xs">{formatCount(unpricedCalls)} of unknown price</span>
    )}
  </>
)

const each = (sum: number, calls: number): string => formatCount(Math.round(sum / Math.max(1, calls)))

const RouteLinks = ({ row: { model, served }, range }: { row: RouteRow; range: UseRange }) => (
  <span className="flex gap-3 whitespace-nowrap">
    {served && (
      <Link href={tracesHref({ model: served })} prefetch={false} className="text-primary hover:underline">
        Traces<span className="sr-only"> of {served}</span>
      </Link>
    )}
    {model && (
      <Link
        href={`/admin/costs?${new URLSearchParams({ range, model })}` as Route}
        prefetch={false}
        className="text-primary hover:underline"
      >
        Costs<span className="sr-only"> of {model}</span>
      </Link>
    )}
  </span>
)

const timeText = (ms: number | null): string => (ms === null ? '—' : formatDuration(ms))

const routeColumns: Record<UseRange, ReportColumn<RouteRow>[]> = Object.fromEntries(
  useRanges.map((range): [UseRange, ReportColumn<RouteRow>[]] => [
    range,
    [
      { id: 'route', title: 'Route', cell: (row) => <RouteName row={row} /> },
      { id: 'model', title: 'Model', cell: (row) => <ModelName row={row} /> },
      { id: 'calls', title: 'Calls', numeric: true, sorts: 'desc', cell: ({ calls }) => formatCount(calls) },
      { id: 'cost', title: 'Cost a call', numeric: true, sorts: 'desc', cell: (row) => <CostCell row={row} /> },
      {
        id: 'tokens',
        title: 'Tokens a call, in / out',
        numeric: true,
        cell: ({ tokensIn, tokensOut, calls }) => `${each(tokensIn, calls)} / ${each(tokensOut, calls)}`,
      },
      { id: 'quality', title: 'Supported', numeric: true, sorts: 'desc', cell: qualityCell },
      {
        id: 'failed',
        title: 'Failed',
        numeric: true,
        sorts: 'desc',
        cell: ({ failed, calls }) => shareText(calls === 0 ? null : failed / calls),
      },
      { id: 'p50', title: 'Total p50', numeric: true, sorts: 'desc', cell: ({ totalP50Ms }) => timeText(totalP50Ms) },
      { id: 'p95', title: 'Total p95', numeric: true, sorts: 'desc', cell: ({ totalP95Ms }) => timeText(totalP95Ms) },
      { id: 'links', title: 'Look closer', cell: (row) => <RouteLinks row={row} range={range} /> },
    ],
  ]),
) as Record<UseRange, ReportColumn<RouteRow>[]>

type RouteTableProps = {
  rows: readonly RouteRow[]
  more: boolean
  range: UseRange
  sort: { id: RouteSort; descending: boolean }
}

/** What each model did and cost on each route. */
export const RouteTable = ({ rows, more, range, sort }: RouteTableProps) => (
  <ReportSection title="Routes" note={`Cost and quality of each route and model in ${useRangeWords[range]}`}>
    {rows.length > 0 ? (
      <ReportTable
        caption="Cost and quality by route"
        columns={routeColumns[range]}
        rows={rows}
        rowId={({ route, tier, provider, model }) => JSON.stringify([route, tier, provider, model])}
        sorting={sort}
      />
    ) : (
      <NothingHere>No model was called in {useRangeWords[range]}.</NothingHere>
    )}
    {more && <NothingHere>The first {rows.length} are shown.</NothingHere>}
  </ReportSection>
)
