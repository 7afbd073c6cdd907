import { NothingHere, ReportSection } from '#components/admin/figures.tsx'
import { type ReportColumn, ReportTable } from '#components/admin/report-table.tsx'
import { ShareWords } from '#components/admin/share-words.tsx'
import { formatCount } from '#lib/shared/format.ts'
import { type Agreement, criterionWords, type RetrievalAccuracy } from '#lib/shared/label-contract.ts'

const agreementColumns: readonly ReportColumn<Agreement>[] = [
  { id: 'criterion', title: 'Criterion', cell: ({ criterion }) => criterionWords[criterion] },
  { id: 'pairs', title: 'Answers', numeric: true, cell: ({ pairs }) => formatCount(pairs) },
  {
    id: 'same',
    title: 'Say the same',
    numeric: true,
    cell: ({ same }) => (same === null ? '—' : `${Math.round(same * 100)} %`),
  },
  { id: 'kappa', title: 'Kappa', numeric: true, cell: ({ kappa }) => (kappa === null ? '—' : kappa.toFixed(2)) },
]

type AtRank = RetrievalAccuracy[number]
const retrievalColumns: readonly ReportColumn<AtRank>[] = [
  { id: 'k', title: 'Among the first', cell: ({ k }) => k },
  {
    id: 'precision',
    title: 'Passages that help',
    numeric: true,
    cell: ({ precision }) => <ShareWords {...precision} />,
  },
  { id: 'helped', title: 'Questions with one', numeric: true, cell: ({ helped }) => <ShareWords {...helped} /> },
]

/** How far raters agree, and how good search is by what they marked. */
export const LabelFigures = ({
  agreement,
  retrieval,
}: {
  agreement: readonly Agreement[]
  retrieval: RetrievalAccuracy
}) => (
  <>
    <ReportSection
      title="Agreement"
      note="Cohen’s kappa with quadratic weights: 1 is full agreement, 0 is chance; — where all say the same"
    >
      {agreement.some(({ pairs }) => pairs > 0) ? (
        <ReportTable
          caption="Agreement by criterion"
          columns={agreementColumns}
          rows={agreement}
          rowId={({ criterion }) => criterion}
        />
      ) : (
        <NothingHere>No answer has two labels yet.</NothingHere>
      )}
    </ReportSection>
    <ReportSection title="Search on real questions" note="By passages that raters marked; 95 % intervals (Wilson)">
      {retrieval.length > 0 ? (
        <ReportTable
          caption="Retrieval accuracy"
          columns={retrievalColumns}
          rows={retrieval}
          rowId={({ k }) => String(k)}
        />
      ) : (
        <NothingHere>No passage has been marked yet.</NothingHere>
      )}
    </ReportSection>
  </>
)
