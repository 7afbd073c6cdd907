import { ShownName } from '#components/shell/shown-name.tsx'
import { Button } from '#components/ui/button.tsx'
import { type SwitchRow, switchKindWords } from '#lib/shared/incidents-contract.ts'
import { targetWords } from './incident-sheets.tsx'
import { type ReportColumn, ReportTable } from './report-table.tsx'
import { When } from './when.tsx'

const gone = 'a person who is gone'

const what: ReportColumn<SwitchRow> = {
  id: 'what',
  title: 'Switched off',
  cell: (row) => (
    <>
      <ShownName name={targetWords(row)} className="block font-medium" />
      {row.kind !== 'generation' && (
        <span className="block text-[12.5px] text-muted-foreground">{switchKindWords[row.kind]}</span>
      )}
    </>
  ),
}
const why: ReportColumn<SwitchRow> = {
  id: 'why',
  title: 'Because',
  cell: ({ reason }) => <bdi className="break-words">{reason}</bdi>,
}
const since: ReportColumn<SwitchRow> = {
  id: 'since',
  title: 'Since',
  cell: ({ since: moment, by }) => (
    <>
      <When iso={moment} /> by <bdi>{by ?? gone}</bdi>
    </>
  ),
}

/** What is off now, each with the way back. */
export const SwitchesOn = ({
  switches,
  onLift,
}: {
  switches: readonly SwitchRow[]
  onLift: (row: SwitchRow) => void
}) => (
  <ReportTable
    caption="What is switched off"
    columns={[
      what,
      why,
      since,
      {
        id: 'acts',
        title: 'Actions',
        numeric: true,
        cell: (row) => (
          <Button size="sm" aria-label={`Switch on again: ${targetWords(row)}`} onClick={() => onLift(row)}>
            Switch on again
          </Button>
        ),
      },
    ]}
    rows={switches}
    rowId={({ id }) => id}
  />
)

/** What was off before, the newest first. */
export const SwitchHistory = ({ switches }: { switches: readonly SwitchRow[] }) => (
  <section aria-labelledby="switch-history" className="border-t">
    <h2 id="switch-history" className="px-5 pt-5 pb-1 font-semibold text-[14px] max-sm:px-4">
      History
    </h2>
    <ReportTable
      caption="What was switched off before"
      columns={[
        what,
        why,
        since,
        {
          id: 'until',
          title: 'On again',
          cell: ({ liftedAt, liftedBy }) =>
            liftedAt && (
              <>
                <When iso={liftedAt} /> by <bdi>{liftedBy ?? gone}</bdi>
              </>
            ),
        },
      ]}
      rows={switches}
      rowId={({ id }) => id}
    />
  </section>
)
