'use client'
import type { Route } from 'next'
import { useRouter } from 'next/navigation'
import { Figure, Figures, NothingHere, ReportSection } from '#components/admin/figures.tsx'
import { type ReportColumn, ReportTable } from '#components/admin/report-table.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import type { ReviewerFigures, ReviewMetrics } from '#lib/shared/review-contract.ts'
import { CountForm } from './count-form.tsx'
import type { FigureDays } from './desk-contract.ts'
import { DaysSwitch, ReviewPage } from './review-page.tsx'
import { spanInWords } from './review-words.ts'

/** `62 %`, or that there is nothing to tell it from. */
const shareOf = (part: number, whole: number): string => (whole ? `${Math.round((part / whole) * 100)} %` : '—')

const spanOr = (ms: number | null): string => (ms === null ? '—' : spanInWords(ms))

type Day = ReviewMetrics['days'][number]
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const dayInWords = (day: string): string => dayFormat.format(new Date(`${day.slice(0, 10)}T00:00:00Z`))

const dayColumns: readonly ReportColumn<Day>[] = [
  { id: 'day', title: 'Day (UTC)', cell: ({ day }) => dayInWords(day) },
  { id: 'arrived', title: 'Arrived', numeric: true, cell: ({ arrived }) => formatCount(arrived) },
  { id: 'decided', title: 'Decided', numeric: true, cell: ({ decided }) => formatCount(decided) },
]

const bars = [
  { name: 'arrived', words: 'Arrived', fill: 'bg-warning/70' },
  { name: 'decided', words: 'Decided', fill: 'bg-primary' },
] as const

/** What came and what was decided, day by day. The drawing is for the eyes; the same numbers stand in the table under it. */
const Days = ({ days }: { days: readonly Day[] }) => {
  const most = Math.max(1, ...days.flatMap(({ arrived, decided }) => [arrived, decided]))
  return (
    <figure>
      <div aria-hidden className="flex h-36 items-end gap-px px-5 max-sm:px-4">
        {days.map((one) => (
          <div
            key={one.day}
            title={`${dayInWords(one.day)}: ${one.arrived} arrived, ${one.decided} decided`}
            className="flex h-full min-w-0 flex-1 items-end justify-center gap-px border-b hover:bg-muted"
          >
            {bars.map(({ name, fill }) => (
              <span
                key={name}
                className={cn('max-w-3 flex-1 rounded-t-[2px]', fill)}
                style={{ height: `${(one[name] / most) * 100}%` }}
              />
            ))}
          </div>
        ))}
      </div>
      <ul className="flex gap-x-4 px-5 pt-2 text-[12.5px] text-muted-foreground max-sm:px-4">
        {bars.map(({ name, words, fill }) => (
          <li key={name} className="flex items-center gap-1.5">
            <span aria-hidden className={cn('size-2.5 rounded-[2px]', fill)} />
            {words}
          </li>
        ))}
      </ul>
      <details className="mt-2">
        <summary className="ml-5 inline-block cursor-pointer rounded-sm text-[12.5px] text-muted-foreground hover:text-foreground max-sm:ml-4 touch:py-2">
          Show as a table
        </summary>
        <ReportTable caption="Answers by day" columns={dayColumns} rows={days} rowId={({ day }) => day} />
      </details>
    </figure>
  )
}

const reviewerColumns: readonly ReportColumn<ReviewerFigures>[] = [
  { id: 'name', title: 'Reviewer', cell: ({ name }) => <bdi className="font-medium">{name}</bdi> },
  { id: 'decisions', title: 'Decisions', numeric: true, cell: ({ decisions }) => formatCount(decisions) },
  {
    id: 'overturned',
    title: 'Edited or rejected',
    numeric: true,
    cell: ({ overturned, decisions }) => shareOf(overturned, decisions),
  },
  { id: 'median', title: 'Half took at most', numeric: true, cell: ({ medianMs }) => spanOr(medianMs) },
  {
    id: 'caught',
    title: 'Known errors found',
    numeric: true,
    cell: ({ caught, seeds }) => (seeds ? `${caught} of ${seeds}` : '—'),
  },
]

type Seed = (input: { count: number }) => Promise<ActionResult<number>>
const seedsMax = 50

/** How review goes: what waits, how soon it is decided, and whether decisions can be relied on. */
export const FiguresScreen = ({
  metrics,
  days,
  seed,
}: {
  metrics: ReviewMetrics
  days: FigureDays
  /** Null for who may not. */
  seed: Seed | null
}) => {
  const router = useRouter()
  const { backlog, decisions, timeToDecision, agreement, seeds, reviewers } = metrics
  const decided = metrics.days.reduce((sum, one) => sum + one.decided, 0)
  const arrived = metrics.days.reduce((sum, one) => sum + one.arrived, 0)
  return (
    <ReviewPage title="Figures" actions={<DaysSwitch days={days} />}>
      <Figures label="Now and over the chosen days">
        <Figure
          title="Waiting now"
          value={formatCount(backlog.open)}
          note={`${formatCount(backlog.held)} held, ${formatCount(backlog.late)} late${
            backlog.oldestMs === null ? '' : `, the oldest for ${spanInWords(backlog.oldestMs)}`
          }`}
          href={'/review' as Route}
        />
        <Figure
          title="Half are decided within"
          value={timeToDecision ? spanInWords(timeToDecision.p50Ms) : '—'}
          note={timeToDecision ? `9 of 10 within ${spanInWords(timeToDecision.p90Ms)}` : 'Nothing was decided'}
        />
        <Figure
          title="Edited or rejected"
          value={metrics.overturnRate === null ? '—' : `${Math.round(metrics.overturnRate * 100)} %`}
          note={`${formatCount(decisions.approved)} approved, ${formatCount(decisions.edited)} edited, ${formatCount(decisions.rejected)} rejected`}
        />
        <Figure
          title="Known errors found"
          value={shareOf(seeds.caught, seeds.decided)}
          note={`${seeds.caught} of ${seeds.decided} decided${seeds.open === null ? '' : `, ${seeds.open} wait`}`}
        />
      </Figures>
      <ReportSection
        title="What came and what was decided"
        note={`${formatCount(arrived)} arrived, ${formatCount(decided)} decided, ${formatCount(decisions.expired)} ran out of time, ${formatCount(decisions.withdrawn)} were withdrawn`}
      >
        {arrived + decided > 0 ? <Days days={metrics.days} /> : <NothingHere>Nothing came in this time.</NothingHere>}
      </ReportSection>
      <ReportSection title="Agreement" note="Of answers that two people decided on or labelled">
        <p className="num px-5 text-[13px] max-sm:px-4">
          {agreement.pairs
            ? `${agreement.agreed} of ${agreement.pairs} alike (${shareOf(agreement.agreed, agreement.pairs)})`
            : 'No answer has been seen by two people yet.'}
        </p>
      </ReportSection>
      {reviewers && (
        <ReportSection title="Reviewers" note="Only admins see this">
          {reviewers.length ? (
            <ReportTable
              caption="Decisions by reviewer"
              columns={reviewerColumns}
              rows={reviewers}
              rowId={({ id }) => id}
            />
          ) : (
            <NothingHere>Nobody has decided anything in this time.</NothingHere>
          )}
        </ReportSection>
      )}
      {seed && (
        <ReportSection
          title="Known errors"
          note="Answers made wrong on purpose, that nobody asked for and nobody is shown: who approves one has not looked"
        >
          <CountForm
            label="How many known errors"
            max={seedsMax}
            initial={5}
            send={(count) => seed({ count })}
            words={(made) =>
              made > 0
                ? `${formatCount(made)} made. Nobody is told which they are before the decision.`
                : 'None could be made: they are made of answers that were approved or shown with good support.'
            }
            // How many wait is among the figures above.
            onDone={() => router.refresh()}
            button="Put them in the queue"
            busy="Making them…"
          />
        </ReportSection>
      )}
    </ReviewPage>
  )
}
