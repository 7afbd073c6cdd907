'use client'
import { type FormEvent, useState } from 'react'
import { Figure, Figures, ReportSection } from '#components/admin/figures.tsx'
import { attempt } from '#components/admin/models-form.ts'
import { Button } from '#components/ui/button.tsx'
import { Input, Label } from '#components/ui/input.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import { type LabelDispute, type LabelOverview, type LabelTask, labelItemsMax } from '#lib/shared/label-contract.ts'
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

const AddForm = ({ addLabels, onAdded }: { addLabels: AddLabels; onAdded: (count: number) => void }) => {
  const [pending, setPending] = useState(false)
  const [outcome, setOutcome] = useState<string | null>(null)
  const send = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault()
    const answers = Number(new FormData(event.currentTarget).get('answers'))
    if (pending) return
    if (!Number.isInteger(answers) || answers < 1 || answers > labelItemsMax)
      return setOutcome(`Type a number from 1 to ${labelItemsMax}.`)
    setPending(true)
    const done = await attempt(addLabels({ answers }))
    setPending(false)
    if ('error' in done) return setOutcome(done.error)
    setOutcome(
      done.value > 0
        ? `${formatCount(done.value)} added, taken at random.`
        : 'None was added: there is no further answer of the last 90 days that you may read and did not ask for.',
    )
    onAdded(done.value)
  }
  return (
    <form onSubmit={send} noValidate className="flex flex-wrap items-end gap-2 px-5 max-sm:px-4">
      <div>
        <Label htmlFor="label-answers">How many answers</Label>
        <Input id="label-answers" name="answers" type="number" min={1} max={labelItemsMax} defaultValue={20} />
      </div>
      <Button type="submit" aria-disabled={pending}>
        {pending ? 'Adding…' : 'Add at random'}
      </Button>
      <p role="status" className="min-h-5 basis-full text-[13px] text-muted-foreground">
        {outcome}
      </p>
    </form>
  )
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
        <AddForm
          addLabels={actions.addLabels}
          onAdded={(count) => {
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
