'use client'
import { type ReactNode, useMemo } from 'react'
import {
  Area,
  Bar,
  BarChart,
  CartesianGrid,
  ComposedChart,
  Line,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts'
import { formatCost, formatDuration } from '#lib/shared/format.ts'
import type { CostSeries, LatencyBucket } from '#lib/shared/operations-contract.ts'
import { type ReportColumn, ReportTable } from './report-table.tsx'

const heightPx = 220
/** Taken until the browser has measured: the server draws it too, and the page does not jump. */
const firstSize = { width: 960, height: heightPx }

/** Told apart by lightness as well as by hue, in both themes; the rest is grey. */
const partColors = [
  'light-dark(oklch(42% 0.14 268), oklch(72% 0.12 268))',
  'light-dark(oklch(66% 0.11 205), oklch(84% 0.09 205))',
  'light-dark(oklch(56% 0.12 55), oklch(66% 0.12 55))',
  'light-dark(oklch(75% 0.1 330), oklch(56% 0.12 330))',
  'light-dark(oklch(50% 0.09 145), oklch(76% 0.1 145))',
]
const restColor = 'light-dark(oklch(80% 0.006 85), oklch(42% 0.01 265))'

const axis = {
  tick: { fill: 'var(--muted-foreground)', fontSize: 12 },
  tickLine: false,
  axisLine: { stroke: 'var(--border)' },
} as const

const hourFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })

type Bucket = 'hour' | 'day'
const formatBucket = (iso: string, bucket: Bucket): string =>
  (bucket === 'hour' ? hourFormat : dayFormat).format(new Date(iso))

type Entry = { id: string; label: string; value: string; color: string }

const Swatch = ({ color }: { color: string }) => (
  <span aria-hidden className="inline-block size-2.5 shrink-0 rounded-[2px]" style={{ background: color }} />
)

const Legend = ({ entries }: { entries: readonly Omit<Entry, 'value'>[] }) => (
  <ul className="flex flex-wrap gap-x-4 gap-y-1 px-5 pt-1 text-[12.5px] text-muted-foreground max-sm:px-4">
    {entries.map(({ id, label, color }) => (
      <li key={id} className="flex min-w-0 items-center gap-1.5">
        <Swatch color={color} />
        <span className="max-w-60 truncate">{label}</span>
      </li>
    ))}
  </ul>
)

const Hint = ({ title, entries }: { title: string; entries: readonly Entry[] }) => (
  <div className="min-w-40 rounded-lg border bg-popover px-3 py-2 text-[12.5px] shadow-float">
    <p className="mb-1 font-medium">{title}</p>
    {entries.length === 0 && <p className="text-muted-foreground">Nothing</p>}
    {entries.map(({ id, label, value, color }) => (
      <p key={id} className="flex items-center gap-2">
        <Swatch color={color} />
        <span className="max-w-48 flex-1 truncate text-muted-foreground">{label}</span>
        <span className="num">{value}</span>
      </p>
    ))}
  </div>
)

/** A drawing is for the eyes alone; the same numbers stand in the table under it, for everybody. */
const ChartFrame = ({ legend, table, children }: { legend: ReactNode; table: ReactNode; children: ReactNode }) => (
  <figure>
    <div aria-hidden className="px-3 max-sm:px-1" style={{ height: heightPx }}>
      {children}
    </div>
    {legend}
    <details className="mt-2">
      <summary className="ml-5 inline-block cursor-pointer rounded-sm text-[12.5px] text-muted-foreground hover:text-foreground max-sm:ml-4 touch:py-2">
        Show as a table
      </summary>
      {table}
    </details>
  </figure>
)

/** What recharts hands to the content of a hint, as far as it is read. */
type HintProps = { active?: boolean; label?: string | number | undefined }

/** One unit for a whole axis. */
const costTick =
  (mostMicros: number) =>
  (micros: number): string => {
    if (micros === 0) return '0'
    const [unit, words] = mostMicros >= 500_000 ? [1_000_000, 'USD'] : [10_000, 'ct']
    const amount = micros / unit
    return `${amount.toFixed(amount < 0.1 ? 3 : amount < 10 ? 2 : 0)} ${words}`
  }

type CostChartProps = {
  series: CostSeries
  bucket: Bucket
  /** What a part is called whose person or conversation is gone. */
  goneWords: string
}

/** Costs of every hour or day, stacked. */
export const CostChart = ({ series, bucket, goneWords }: CostChartProps) => {
  const parts = useMemo(
    () =>
      series.parts.map((part, at) => ({
        ...part,
        label: part.label ?? goneWords,
        color: part.id === 'rest' ? restColor : (partColors[at] ?? restColor),
      })),
    [series.parts, goneWords],
  )
  const data = useMemo(() => series.buckets.map(({ at, values }) => ({ at, ...values })), [series.buckets])
  const columns = useMemo(
    (): ReportColumn<CostSeries['buckets'][number]>[] => [
      { id: 'at', title: bucket === 'hour' ? 'Hour (UTC)' : 'Day (UTC)', cell: ({ at }) => formatBucket(at, bucket) },
      ...parts.map(({ id, label }) => ({
        id,
        title: label,
        numeric: true,
        cell: ({ values }: CostSeries['buckets'][number]) => formatCost(values[id] ?? 0),
      })),
    ],
    [parts, bucket],
  )
  const mostMicros = Math.max(
    ...series.buckets.map(({ values }) => Object.values(values).reduce((sum, one) => sum + one, 0)),
  )
  const hint = ({ active, label }: HintProps): ReactNode => {
    const found = series.buckets.find(({ at }) => at === label)
    if (!active || !found) return null
    const entries = parts
      .map(({ id, label: name, color }) => ({ id, label: name, color, micros: found.values[id] ?? 0 }))
      .filter(({ micros }) => micros > 0)
      .reverse()
      .map(({ micros, ...rest }) => ({ ...rest, value: formatCost(micros) }))
    return <Hint title={formatBucket(found.at, bucket)} entries={entries} />
  }
  return (
    <ChartFrame
      legend={<Legend entries={parts} />}
      table={<ReportTable caption="Costs over time" columns={columns} rows={series.buckets} rowId={({ at }) => at} />}
    >
      <ResponsiveContainer width="100%" height="100%" initialDimension={firstSize}>
        <BarChart data={data} accessibilityLayer={false} margin={{ top: 12, right: 8, bottom: 0, left: 0 }}>
          <CartesianGrid vertical={false} stroke="var(--border)" />
          <XAxis dataKey="at" tickFormatter={(at: string) => formatBucket(at, bucket)} minTickGap={24} {...axis} />
          <YAxis tickFormatter={costTick(mostMicros)} width={72} {...axis} axisLine={false} />
          <Tooltip content={hint} cursor={{ fill: 'var(--muted)' }} isAnimationActive={false} />
          {parts.map(({ id, label, color }) => (
            <Bar
              key={id}
              dataKey={id}
              name={label}
              stackId="cost"
              fill={color}
              stroke="var(--background)"
              strokeWidth={1}
              maxBarSize={44}
              isAnimationActive={false}
            />
          ))}
        </BarChart>
      </ResponsiveContainer>
    </ChartFrame>
  )
}

const bandColors = { p50: 'var(--primary)', p95: partColors[1] ?? restColor, p99: 'var(--muted-foreground)' }
const bandWords = { p50: 'Half took at most (p50)', p95: '19 of 20 (p95)', p99: '99 of 100 (p99)' }
const bandNames = ['p50', 'p95', 'p99'] as const

/** Percentiles of every hour or day, as bands from the median up; a gap where nothing was answered. */
export const LatencyChart = ({ buckets, bucket }: { buckets: readonly LatencyBucket[]; bucket: Bucket }) => {
  const data = useMemo(
    () =>
      buckets.map(({ at, total }) => ({
        at,
        ...(total ? { p50: total.p50, to95: [total.p50, total.p95], to99: [total.p95, total.p99] } : {}),
      })),
    [buckets],
  )
  const columns = useMemo(
    (): ReportColumn<LatencyBucket>[] => [
      { id: 'at', title: bucket === 'hour' ? 'Hour (UTC)' : 'Day (UTC)', cell: ({ at }) => formatBucket(at, bucket) },
      { id: 'calls', title: 'Calls', numeric: true, cell: ({ calls }) => calls },
      ...bandNames.map((name) => ({
        id: name,
        title: name,
        numeric: true,
        cell: ({ total }: LatencyBucket) => (total ? formatDuration(total[name]) : '—'),
      })),
    ],
    [bucket],
  )
  const hint = ({ active, label }: HintProps): ReactNode => {
    const found = buckets.find(({ at }) => at === label)
    if (!active || !found) return null
    const { total } = found
    const entries = total
      ? [...bandNames].reverse().map((name) => ({
          id: name,
          label: bandWords[name],
          color: bandColors[name],
          value: formatDuration(total[name]),
        }))
      : []
    return <Hint title={formatBucket(found.at, bucket)} entries={entries} />
  }
  const dots = (name: (typeof bandNames)[number]) => ({ r: 2.5, fill: bandColors[name], strokeWidth: 0 })
  return (
    <ChartFrame
      legend={
        <Legend entries={bandNames.map((name) => ({ id: name, label: bandWords[name], color: bandColors[name] }))} />
      }
      table={<ReportTable caption="Time of calls over time" columns={columns} rows={buckets} rowId={({ at }) => at} />}
    >
      <ResponsiveContainer width="100%" height="100%" initialDimension={firstSize}>
        <ComposedChart data={data} accessibilityLayer={false} margin={{ top: 12, right: 8, bottom: 0, left: 0 }}>
          <CartesianGrid vertical={false} stroke="var(--border)" />
          <XAxis dataKey="at" tickFormatter={(at: string) => formatBucket(at, bucket)} minTickGap={24} {...axis} />
          <YAxis tickFormatter={formatDuration} width={72} {...axis} axisLine={false} />
          <Tooltip content={hint} cursor={{ stroke: 'var(--input)' }} isAnimationActive={false} />
          <Area
            dataKey="to99"
            stroke={bandColors.p99}
            fill={bandColors.p99}
            fillOpacity={0.2}
            dot={dots('p99')}
            isAnimationActive={false}
          />
          <Area
            dataKey="to95"
            stroke={bandColors.p95}
            fill={bandColors.p95}
            fillOpacity={0.35}
            dot={dots('p95')}
            isAnimationActive={false}
          />
          <Line dataKey="p50" stroke={bandColors.p50} strokeWidth={2} dot={dots('p50')} isAnimationActive={false} />
        </ComposedChart>
      </ResponsiveContainer>
    </ChartFrame>
  )
}
