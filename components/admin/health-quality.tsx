'use client'
import { formatCount } from '#lib/shared/format.ts'
import {
  type AnswerQuality,
  type QualityGroup,
  type QualityRow,
  qualityFaultNames,
  qualityFaults,
  qualityGroups,
} from '#lib/shared/quality-contract.ts'
import { NothingHere, ReportSection } from './figures.tsx'
import { LinkSwitch } from './report-filters.tsx'
import { type ReportColumn, ReportTable } from './report-table.tsx'
import { ShareChart } from './share-words.tsx'

const groupWords: Record<QualityGroup, string> = { model: 'Model', prompt: 'Prompt', collection: 'Collection' }

const titles: Record<keyof typeof qualityFaults, string> = {
  unsupported: 'Unsupported',
  citations: 'Bad citations',
  abstained: 'Nothing found',
  overturned: 'Overturned',
  disliked: 'Thumbs down',
  labelled: 'Labelled wrong',
}

type Row = QualityRow & { whole?: boolean }

const nameOf = (by: QualityGroup, { key, name, whole }: Row): string => {
  if (whole) return 'All answers'
  if (by !== 'collection') return key ?? (by === 'model' ? 'No model was asked' : 'Not said')
  return name ?? (key === null ? 'No collection' : 'A collection that is gone or closed to you')
}

const columnsOf = (by: QualityGroup, rows: readonly Row[]): ReportColumn<Row>[] => [
  {
    id: 'key',
    title: groupWords[by],
    cell: (row) => (
      <bdi className="block truncate font-medium" title={nameOf(by, row)}>
        {nameOf(by, row)}
      </bdi>
    ),
  },
  { id: 'answers', title: 'Answers', numeric: true, cell: ({ answers }) => formatCount(answers) },
  ...qualityFaultNames.map((fault) => {
    // One scale for a column, as long as its widest interval.
    const most = Math.max(0, ...rows.map(({ faults }) => (faults[fault].whole > 0 ? faults[fault].high : 0)))
    return {
      id: fault,
      title: titles[fault],
      numeric: true,
      cell: ({ faults }: Row) => <ShareChart {...faults[fault]} most={most} />,
    }
  }),
]

/** How often answers are wrong, as far as checks, reviewers, askers and raters have found out. */
export const HealthQuality = ({ quality, by }: { quality: AnswerQuality | null; by: QualityGroup }) => {
  const rows: Row[] = quality ? [{ ...quality.all, whole: true }, ...quality.rows] : []
  return (
    <ReportSection
      title="How often answers are wrong"
      note="With 95 % intervals, by model and person as filtered"
      actions={
        <LinkSwitch
          label="Group quality by"
          name="quality"
          value={by}
          options={qualityGroups.map((value) => ({ value, label: groupWords[value] }))}
        />
      }
    >
      {quality ? (
        <>
          <ReportTable
            caption={`Faults of answers by ${groupWords[by].toLowerCase()}`}
            columns={columnsOf(by, rows)}
            rows={rows}
            rowId={({ whole, key }: Row) => (whole ? 'whole' : `of ${key ?? ''}`)}
          />
          <details className="mt-2">
            <summary className="ml-5 inline-block cursor-pointer rounded-sm text-[12.5px] text-muted-foreground hover:text-foreground max-sm:ml-4 touch:py-2">
              What is counted
            </summary>
            <p className="px-5 pt-2 text-[13px] text-muted-foreground max-sm:px-4">
              The mark is the share, the bar where the true one is with 95 % certainty (Wilson), on one scale for a
              column. An answer counts for each collection that it draws from. Of the filters above, Model and Person
              count here.
            </p>
            <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 px-5 pt-2 text-[13px] max-sm:px-4">
              {qualityFaultNames.map((fault) => (
                <div key={fault} className="contents">
                  <dt className="text-muted-foreground">{titles[fault]}</dt>
                  <dd>{qualityFaults[fault]}</dd>
                </div>
              ))}
            </dl>
          </details>
        </>
      ) : (
        <NothingHere>No question was answered from documents in this time.</NothingHere>
      )}
    </ReportSection>
  )
}
