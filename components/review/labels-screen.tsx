'use client'
import { useState } from 'react'
import { Figure, Figures, ReportSection } from '#components/admin/figures.tsx'
import { Button } from '#components/ui/button.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import { type LabelDispute, type LabelOverview, type LabelTask, labelItemsMax } from '#lib/shared/label-contract.ts'
import { CountForm } from './count-form.tsx'
import { type DecideDispute, LabelDisputes } from './labels-disputes.tsx'
import { LabelFigures } from './labels-figures.tsx'
import { RubricButton, type SaveRubric } from './labels-rubric.tsx'
import { LabelWork, type LabelWorkActions } from './labels-work.tsx'
import { ReviewPage } from './review-page.tsx'

type AddLabels = (input: { answers: number }) => Promise<ActionResult<number>>
type LabelActions = LabelWorkActions & {
  addLabels: AddLabels
  adjudicate: DecideDispute
  saveRubric: SaveRubric
}

/** Labelling: the answer at hand, what raters differ over, how far they agree, and what it says of search. */
export const LabelsScreen = ({
  overview,
  task,
  disputes,
  mayManage,
  actions,
}: {
  overview: LabelOverview
  task: LabelTask | null
  disputes: readonly LabelDispute[]
  /** May take labels out and change the rubric. */
  mayManage: boolean
  actions: LabelActions
}) => {
  const [progress, setProgress] = useState(overview.progress)
  const [rubric, setRubric] = useState(overview.rubric)
  const [added, setAdded] = useState(0)
  const [decided, setDecided] = useState<ReadonlySet<string>>(new Set())
  const differing = disputes.filter(({ messageId }) => !decided.has(messageId))
  return (
    <ReviewPage
      title="Labels"
      actions={
        mayManage && (
          <>
            <RubricButton key={rubric.version} current={rubric} saveRubric={actions.saveRubric} onSaved={setRubric} />
            <Button variant="quiet" asChild>
              <a href="/api/review/labels" download>
                Export
              </a>
            </Button>
          </>
        )
      }
    >
      <Figures label="Progress">
        <Figure
          title="Finished"
          value={`${formatCount(progress.finished)} of ${formatCount(progress.total)}`}
          note="two labels each"
        />
        <Figure title="Wait for you" value={formatCount(progress.waiting)} />
        <Figure title="Labelled by you" value={formatCount(progress.mine)} />
        <Figure title="Two differ" value={formatCount(progress.disputed)} note="a third person decides" />
      </Figures>
      <LabelWork initial={task} added={added} actions={actions} onProgress={setProgress} />
      {differing.length > 0 && (
        <ReportSection title="Two raters differ" note="You have labelled none of these, so you can decide">
          <LabelDisputes
            disputes={differing}
            decide={actions.adjudicate}
            onDecided={(messageId) => {
              setDecided((before) => new Set([...before, messageId]))
              setProgress((before) => ({
                ...before,
                disputed: Math.max(0, before.disputed - 1),
                finished: before.finished + 1,
              }))
              toast('It is decided.')
            }}
          />
        </ReportSection>
      )}
      <LabelFigures agreement={overview.agreement} retrieval={overview.retrieval} />
      <ReportSection title="Add answers" note="Of the last 90 days, of what you may read, never to your own questions">
        <CountForm
          label="How many answers"
          max={labelItemsMax}
          initial={20}
          send={(answers) => actions.addLabels({ answers })}
          words={(count) =>
            count > 0
              ? `${formatCount(count)} added, taken at random.`
              : 'None was added: there is no further answer of the last 90 days that you may read and did not ask for.'
          }
          button="Add at random"
          busy="Adding…"
          onDone={(count) => {
            setAdded((before) => before + count)
            setProgress((before) => ({
              ...before,
              total: before.total + count,
              waiting: before.waiting + count,
            }))
          }}
        />
      </ReportSection>
    </ReviewPage>
  )
}
