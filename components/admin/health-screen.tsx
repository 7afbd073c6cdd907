'use client'
import type { Route } from 'next'
import Link from 'next/link'
import { useMemo } from 'react'
import { Badge, type BadgeProps } from '#components/ui/badge.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { formatCount, formatDuration } from '#lib/shared/format.ts'
import {
  type AlertRow,
  type BreakerRow,
  type CallFilter,
  type CallFilterChoices,
  type FailureRow,
  type HealthGroup,
  type HealthTotals,
  healthGroups,
  type LatencyBucket,
  type LatencyRow,
  type Percentiles,
  type Range,
  type UnansweredQuestion,
} from '#lib/shared/operations-contract.ts'
import type { AnswerQuality, QualityGroup } from '#lib/shared/quality-contract.ts'
import { AdminHeader, AdminTitle } from './admin-header.tsx'
import { LatencyChart } from './chart.tsx'
import { Figure, Figures, NothingHere, ReportSection } from './figures.tsx'
import { HealthQuality } from './health-quality.tsx'
import { outcomeWords } from './outcome-words.ts'
import { LinkSwitch, ReportFilters } from './report-filters.tsx'
import { tracesHref } from './report-link.ts'
import { type ReportColumn, ReportTable } from './report-table.tsx'
import { When } from './when.tsx'

const groupWords: Record<HealthGroup, string> = { model: 'Model', task: 'Task', feature: 'Feature', route: 'Route' }

const shareWords = (part: number, whole: number): string => {
  if (whole === 0) return '—'
  const percent = (part / whole) * 100
  return part > 0 && percent < 0.1 ? 'under 0.1 %' : `${percent.toFixed(percent < 10 && percent > 0 ? 1 : 0)} %`
}

const rateWords = (perMinute: number): string =>
  perMinute === 0 ? '0' : perMinute < 0.01 ? 'under 0.01' : perMinute.toFixed(perMinute < 10 ? 2 : 0)

const timeWords = (found: Percentiles | null, name: keyof Percentiles): string =>
  found ? formatDuration(found[name]) : '—'

const restWords = (found: Percentiles | null): string =>
  found ? `p95 ${formatDuration(found.p95)} · p99 ${formatDuration(found.p99)}` : 'Nothing was answered'

const uptimeWords = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1) return `${Math.floor(seconds)} s`
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}

/** A model's name leads to its questions; nothing else can be asked of the list of traces. */
const KeyName = ({ by, row }: { by: HealthGroup; row: Pick<LatencyRow, 'key' | 'served'> }) => {
  const name = row.key ?? (by === 'route' ? 'Without a route' : 'Unknown')
  if (by !== 'model' || !row.served)
    return (
      <span className="block truncate" title={name}>
        {name}
      </span>
    )
  return (
    <Link
      href={tracesHref({ model: row.served })}
      prefetch={false}
      className="block truncate font-medium hover:underline"
      title={name}
    >
      {name}
    </Link>
  )
}

type TimedRow = LatencyRow & { whole?: boolean }

const percentileNames = ['p50', 'p95', 'p99'] as const

const latencyColumns = (by: HealthGroup): ReportColumn<TimedRow>[] => [
  {
    id: 'key',
    title: groupWords[by],
    cell: (row) =>
      row.whole ? (
        <>
          Whole questions
          <span className="block text-muted-foreground text-xs">with search and checks, by their traces</span>
        </>
      ) : (
        <KeyName by={by} row={row} />
      ),
  },
  { id: 'calls', title: 'Calls', numeric: true, cell: ({ calls }) => formatCount(calls) },
  {
    id: 'failed',
    title: 'Failed',
    numeric: true,
    cell: ({ whole, failed, calls }) => (whole ? '—' : shareWords(failed, calls)),
  },
  ...percentileNames.map((name) => ({
    id: `first-${name}`,
    title: `First token ${name}`,
    numeric: true,
    cell: ({ firstToken }: TimedRow) => timeWords(firstToken, name),
  })),
  ...percentileNames.map((name) => ({
    id: `total-${name}`,
    title: `Total ${name}`,
    numeric: true,
    cell: ({ total }: TimedRow) => timeWords(total, name),
  })),
]

const failureColumns = (by: HealthGroup): ReportColumn<FailureRow>[] => [
  {
    id: 'outcome',
    title: 'What happened',
    cell: ({ outcome }) => (
      <Link href={tracesHref({ status: 'failed' })} prefetch={false} className="font-medium hover:underline">
        {outcomeWords(outcome)}
      </Link>
    ),
  },
  { id: 'key', title: groupWords[by], cell: (row) => <KeyName by={by} row={row} /> },
  { id: 'calls', title: 'Calls', numeric: true, cell: ({ calls }) => formatCount(calls) },
  { id: 'share', title: 'Of its calls', numeric: true, cell: ({ calls, of }) => shareWords(calls, of) },
]

const breakerLooks: Record<BreakerRow['state'], { words: string; variant: NonNullable<BadgeProps['variant']> }> = {
  closed: { words: 'Closed: calls go through', variant: 'success' },
  'half-open': { words: 'Half open: one call is tried', variant: 'warning' },
  open: { words: 'Open: no calls', variant: 'destructive' },
}

const probeWords = ({ state, retryAt }: BreakerRow, nowMs: number): string => {
  if (state === 'closed') return '—'
  if (state === 'half-open') return 'Now'
  if (retryAt === null) return 'Unknown'
  const waitMs = new Date(retryAt).getTime() - nowMs
  if (waitMs <= 0) return 'With the next call'
  return waitMs < 60_000 ? `In ${Math.ceil(waitMs / 1_000)} s` : `In ${Math.ceil(waitMs / 60_000)} min`
}

const breakerColumns = (nowMs: number): ReportColumn<BreakerRow>[] => [
  { id: 'name', title: 'Model', cell: ({ name }) => <span className="block truncate font-medium">{name}</span> },
  {
    id: 'state',
    title: 'State',
    cell: ({ state }) => <Badge variant={breakerLooks[state].variant}>{breakerLooks[state].words}</Badge>,
  },
  { id: 'reason', title: 'Reason', cell: ({ reason }) => (reason ? outcomeWords(reason) : '—') },
  { id: 'probe', title: 'Next probe', cell: (row) => probeWords(row, nowMs) },
  { id: 'since', title: 'Since', cell: ({ changedAt }) => <When iso={changedAt} className="whitespace-nowrap" /> },
]

const alertColumns: ReportColumn<AlertRow>[] = [
  { id: 'detail', title: 'What', cell: ({ detail }) => <span className="block truncate font-medium">{detail}</span> },
  {
    id: 'state',
    title: 'State',
    cell: ({ endedAt }) =>
      endedAt === null ? <Badge variant="destructive">Now</Badge> : <Badge variant="outline">Over</Badge>,
  },
  { id: 'told', title: 'Webhook', cell: ({ delivered }) => (delivered ? 'Took it' : 'Not told') },
  { id: 'since', title: 'Since', cell: ({ startedAt }) => <When iso={startedAt} className="whitespace-nowrap" /> },
]

const questionColumns: ReportColumn<UnansweredQuestion>[] = [
  {
    id: 'question',
    title: 'Question',
    cell: ({ traceId, question }) => (
      <Link
        href={`/admin/traces/${traceId}` as Route}
        prefetch={false}
        dir="auto"
        title={question}
        className="block truncate font-medium hover:underline"
      >
        {question}
      </Link>
    ),
  },
  { id: 'user', title: 'Person', cell: ({ user }) => user },
  { id: 'at', title: 'Time', cell: ({ at }) => <When iso={at} className="whitespace-nowrap" /> },
]

type HealthScreenProps = {
  range: Range
  bucket: 'hour' | 'day'
  /** Of the period so far. */
  minutes: number
  /** When the page was made: times to come are told from it, here and in the browser. */
  nowMs: number
  filter: CallFilter
  choices: CallFilterChoices
  totals: HealthTotals
  series: LatencyBucket[]
  by: HealthGroup
  latencies: LatencyRow[]
  /** Null where a filter is set that questions do not have. */
  questions: { questions: number; total: Percentiles | null; firstToken: Percentiles | null } | null
  failures: FailureRow[]
  breakers: BreakerRow[]
  unanswered: UnansweredQuestion[]
  alerts: AlertRow[]
  /** Null: it does not answer. */
  queue: { queued: number; active: number } | null
  uptimeSeconds: number
  /** Null: no answer from documents in this time. */
  quality: AnswerQuality | null
  qualityBy: QualityGroup
}

/** How models, caches, the queue and this process are doing. */
export const HealthScreen = ({
  range,
  bucket,
  minutes,
  nowMs,
  filter,
  choices,
  totals,
  series,
  by,
  latencies,
  questions,
  failures,
  breakers,
  unanswered,
  alerts,
  queue,
  uptimeSeconds,
  quality,
  qualityBy,
}: HealthScreenProps) => {
  const timed = useMemo(() => latencyColumns(by), [by])
  const failing = useMemo(() => failureColumns(by), [by])
  const breaking = useMemo(() => breakerColumns(nowMs), [nowMs])
  const timedRows = useMemo(
    (): TimedRow[] => [
      ...(questions && questions.questions > 0
        ? [{ ...questions, key: null, served: null, calls: questions.questions, failed: 0, whole: true }]
        : []),
      ...latencies,
    ],
    [questions, latencies],
  )
  const { exact, semantic } = totals.cacheHits
  const requests = totals.calls + exact + semantic
  const openBreakers = breakers.filter(({ state }) => state !== 'closed').length
  return (
    <>
      <AdminHeader>
        <AdminTitle>Health</AdminTitle>
        {openBreakers > 0 && (
          <Badge variant="destructive">
            {openBreakers} {openBreakers === 1 ? 'breaker' : 'breakers'} not closed
          </Badge>
        )}
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <ReportFilters range={range} filter={filter} choices={choices} />
        <Figures label="Totals">
          <Figure
            title="Requests a minute"
            value={rateWords(requests / minutes)}
            note={`${formatCount(requests)} in all, at most ${formatCount(totals.busiestMinute)} in a minute`}
            href={tracesHref({})}
          />
          <Figure
            title="Total, half took at most"
            value={timeWords(totals.total, 'p50')}
            note={restWords(totals.total)}
          />
          <Figure
            title="First token, half took at most"
            value={timeWords(totals.firstToken, 'p50')}
            note={restWords(totals.firstToken)}
          />
          <Figure
            title="Failed calls"
            value={shareWords(totals.failed, totals.calls)}
            note={`${formatCount(totals.failed)} of ${formatCount(totals.calls)} calls`}
            href={tracesHref({ status: 'failed' })}
          />
          <Figure
            title="From a cache"
            value={shareWords(exact + semantic, requests)}
            note={`the same ${shareWords(exact, requests)} · alike in meaning ${shareWords(semantic, requests)}`}
          />
          <Figure
            title="Jobs waiting"
            value={queue ? formatCount(queue.queued) : 'unknown'}
            note={
              queue ? `${formatCount(queue.active)} in work, in the whole installation` : 'The queue does not answer'
            }
            href={'/admin/documents' as Route}
          />
          <Figure
            title="Open breakers"
            value={formatCount(openBreakers)}
            note={`of ${formatCount(breakers.length)} models that were called`}
          />
          <Figure title="Up" value={uptimeWords(uptimeSeconds)} note="since this process started" />
        </Figures>
        {requests === 0 ? (
          <EmptyState title="No model was called in this time">
            {Object.values(filter).some(Boolean)
              ? 'Take a filter away, or look at a longer time.'
              : 'Every call of a model is timed here: how long it took, how it ended, and whether a cache spared it.'}
          </EmptyState>
        ) : (
          <>
            <ReportSection title="Time of calls" note="Of calls that a model answered; in UTC">
              {totals.total ? (
                <LatencyChart buckets={series} bucket={bucket} />
              ) : (
                <NothingHere>There is nothing to draw: no call was answered by a model.</NothingHere>
              )}
            </ReportSection>
            <ReportSection
              title="Percentiles"
              actions={
                <LinkSwitch
                  label="Group by"
                  name="by"
                  value={by}
                  options={healthGroups.map((value) => ({ value, label: groupWords[value] }))}
                />
              }
            >
              <ReportTable
                caption={`Times by ${groupWords[by].toLowerCase()}`}
                columns={timed}
                rows={timedRows}
                rowId={({ whole, key }) => (whole ? 'whole' : `of ${key ?? ''}`)}
              />
            </ReportSection>
            <ReportSection
              title="Failures"
              note={failures.length > 0 ? 'By class, the most frequent first' : undefined}
            >
              {failures.length > 0 ? (
                <ReportTable
                  caption="Failures by class"
                  columns={failing}
                  rows={failures}
                  rowId={({ outcome, key }) => `${outcome} ${key ?? ''}`}
                />
              ) : (
                <NothingHere>No call failed in this time.</NothingHere>
              )}
            </ReportSection>
          </>
        )}
        <HealthQuality quality={quality} by={qualityBy} />
        <ReportSection title="Alerts" note="Checked each minute; the rules are on the Models page">
          {alerts.length > 0 ? (
            <ReportTable caption="Alerts" columns={alertColumns} rows={alerts} rowId={({ id }) => id} />
          ) : (
            <NothingHere>No rule was met yet.</NothingHere>
          )}
        </ReportSection>
        <ReportSection title="Breakers" note="As they are now">
          {breakers.length > 0 ? (
            <ReportTable caption="Breakers" columns={breaking} rows={breakers} rowId={({ key }) => key} />
          ) : (
            <NothingHere>No breaker yet: each model gets one with its first call.</NothingHere>
          )}
        </ReportSection>
        <ReportSection
          title="Found nothing"
          note={
            unanswered.length > 0 && (
              <Link
                href={tracesHref({ status: 'no-source' })}
                prefetch={false}
                className="text-primary hover:underline"
              >
                All of any time
              </Link>
            )
          }
        >
          {unanswered.length > 0 ? (
            <ReportTable
              caption="The last questions that found nothing"
              columns={questionColumns}
              rows={unanswered}
              rowId={({ traceId }) => traceId}
            />
          ) : (
            <NothingHere>Every question in this time found something in the documents, or none was asked.</NothingHere>
          )}
        </ReportSection>
      </div>
    </>
  )
}
