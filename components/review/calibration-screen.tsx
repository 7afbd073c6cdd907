'use client'
import { Figure, Figures, NothingHere, ReportSection } from '#components/admin/figures.tsx'
import { type ReportColumn, ReportTable } from '#components/admin/report-table.tsx'
import { When } from '#components/admin/when.tsx'
import { formatCount } from '#lib/shared/format.ts'
import type { CalibrationReport } from '#lib/shared/review-contract.ts'
import { ReliabilityDiagram } from './calibration-diagram.tsx'
import type { FigureDays } from './desk-contract.ts'
import { DaysSwitch, ReviewPage } from './review-page.tsx'

type Bin = CalibrationReport['bins'][number]
type Fit = CalibrationReport['fits'][number]

const share = (value: number): string => `${Math.round(value * 100)} %`
const error = (value: number): string => value.toFixed(3)

const binColumns: readonly ReportColumn<Bin>[] = [
  { id: 'bin', title: 'Said', cell: ({ from, to }) => `${share(from)} to ${share(to)}` },
  { id: 'count', title: 'Decisions', numeric: true, cell: ({ count }) => formatCount(count) },
  { id: 'said', title: 'Said on average', numeric: true, cell: ({ count, said }) => (count ? share(said) : '—') },
  { id: 'right', title: 'Found right', numeric: true, cell: ({ count, right }) => (count ? share(right) : '—') },
  {
    id: 'interval',
    title: 'With 95 % certainty',
    numeric: true,
    cell: ({ count, low, high }) => (count ? `${share(low)} to ${share(high)}` : '—'),
  },
]

const fitColumns: readonly ReportColumn<Fit>[] = [
  {
    id: 'version',
    title: 'Fit',
    cell: ({ version, at }) => (
      <>
        {version}, <When iso={at} />
      </>
    ),
  },
  { id: 'decisions', title: 'Judged answers', numeric: true, cell: ({ decisions }) => formatCount(decisions) },
  { id: 'before', title: 'Error before', numeric: true, cell: ({ errorBefore }) => error(errorBefore) },
  { id: 'after', title: 'After', numeric: true, cell: ({ errorAfter }) => error(errorAfter) },
  { id: 'slope', title: 'Slope', numeric: true, wideOnly: true, cell: ({ slope }) => slope.toFixed(2) },
  { id: 'shift', title: 'Shift', numeric: true, wideOnly: true, cell: ({ intercept }) => intercept.toFixed(2) },
]

/** Whether confidence means what it says: what was said beside what people found. */
export const CalibrationScreen = ({ report, days }: { report: CalibrationReport; days: FigureDays }) => {
  const { bins, decisions, fits } = report
  const [fit] = fits
  return (
    <ReviewPage title="Calibration" actions={<DaysSwitch days={days} />}>
      <Figures label="Over the chosen days">
        <Figure
          title="Expected calibration error"
          value={report.error === null ? '—' : error(report.error)}
          note="0: of answers that say 80 %, people find 80 % right"
        />
        <Figure title="Judged answers" value={formatCount(decisions)} note="Decisions, and labels that stand" />
        <Figure
          title="Fit in force"
          value={fit ? String(fit.version) : '—'}
          note={fit ? <When iso={fit.at} /> : 'None yet'}
        />
        <Figure
          title="Error before and after it"
          value={fit ? `${error(fit.errorBefore)} → ${error(fit.errorAfter)}` : '—'}
          note="After: on answers that it was not fitted to"
        />
      </Figures>
      <ReportSection
        title="Reliability"
        note="Each kind of answer counts as often as it was given, however many of it were looked at"
      >
        {decisions === 0 ? (
          <NothingHere>
            Nobody has judged an answer in this time. Every decision under Review, and every settled label, shows here.
          </NothingHere>
        ) : (
          <>
            <ReliabilityDiagram bins={bins} />
            <ReportTable
              caption="Reliability by confidence"
              columns={binColumns}
              rows={bins}
              rowId={({ from }) => String(from)}
            />
          </>
        )}
      </ReportSection>
      <ReportSection
        title="Fits"
        note="Made once a day from what people judged; few decisions leave confidence nearly as it is"
      >
        {fits.length === 0 ? (
          <NothingHere>There is none yet: confidence is shown as the checks make it.</NothingHere>
        ) : (
          <ReportTable
            caption="Fits of confidence"
            columns={fitColumns}
            rows={fits}
            rowId={({ version }) => String(version)}
          />
        )}
      </ReportSection>
    </ReviewPage>
  )
}
