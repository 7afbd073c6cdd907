'use client'
import { useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { Button } from '#components/ui/button.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { type Adjudicate, criterionWords, type LabelDispute, scoreWords } from '#lib/shared/label-contract.ts'
import { labelCriteria } from '#lib/shared/review-contract.ts'
import { LabelAnswer } from './labels-answer.tsx'
import { freshLabelling, type Labelling, scoresOf, withScore } from './labels-keys.ts'
import { LabelScoresForm } from './labels-scores.tsx'

export type DecideDispute = (input: Adjudicate) => Promise<ActionResult<null>>

/** Where both say the same it is that; the rest is to be decided. */
const begun = ({ labels: [one, other] }: LabelDispute): Labelling =>
  labelCriteria.reduce(
    (state, criterion) =>
      one && one.scores[criterion] === other?.scores[criterion]
        ? withScore(state, criterion, one.scores[criterion])
        : state,
    freshLabelling,
  )

const Dispute = ({
  dispute,
  decide,
  onDecided,
}: {
  dispute: LabelDispute
  decide: DecideDispute
  onDecided: () => void
}) => {
  const [state, setState] = useState(() => begun(dispute))
  const [pending, setPending] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const send = async (): Promise<void> => {
    const scores = scoresOf(state)
    if (pending) return
    if (!scores) return setProblem('Give each criterion a score first.')
    setPending(true)
    const done = await attempt(decide({ messageId: dispute.messageId, scores }))
    setPending(false)
    if ('error' in done) setProblem(done.error)
    else onDecided()
  }
  return (
    <details className="border-t px-5 py-3 max-sm:px-4">
      <summary dir="auto" className="cursor-pointer font-medium text-[14px] [overflow-wrap:anywhere]">
        {dispute.question}
      </summary>
      <div className="mt-3 grid grid-cols-[minmax(0,1fr)_minmax(300px,360px)] gap-6 max-lg:grid-cols-1">
        <LabelAnswer task={dispute} onMark={null} />
        <section aria-label="What the two say, and your decision">
          <table className="mb-3 w-full text-[13px]">
            <thead>
              <tr className="text-left text-muted-foreground">
                <th className="font-normal">Criterion</th>
                {dispute.labels.map((_, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the two have no names on purpose
                  <th key={at} className="font-normal">
                    {at === 0 ? 'One' : 'The other'}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {labelCriteria.map((criterion) => (
                <tr key={criterion} className="border-t">
                  <th scope="row" className="py-1 text-left font-normal">
                    {criterionWords[criterion]}
                  </th>
                  {dispute.labels.map(({ scores }, at) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: the two have no names on purpose
                    <td key={at}>{scoreWords[scores[criterion]]}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {dispute.labels.map(({ note }) =>
            note ? (
              <p key={note} dir="auto" className="mb-2 border-input border-l-[3px] pl-3 text-[13px]">
                {note}
              </p>
            ) : null,
          )}
          <LabelScoresForm
            state={state}
            rubric={dispute.rubric}
            onScore={(criterion, score) => setState((before) => withScore(before, criterion, score))}
          />
          <p role="alert" className="empty:hidden mt-2 font-medium text-[13px] text-warning">
            {problem}
          </p>
          <Button variant="primary" className="mt-2" aria-disabled={pending} onClick={() => void send()}>
            {pending ? 'Saving…' : 'Decide'}
          </Button>
        </section>
      </div>
    </details>
  )
}

/** Answers over which two raters differ, for a third person. */
export const LabelDisputes = ({
  disputes,
  decide,
  onDecided,
}: {
  disputes: readonly LabelDispute[]
  decide: DecideDispute
  onDecided: (messageId: string) => void
}) =>
  disputes.map((dispute) => (
    <Dispute key={dispute.messageId} dispute={dispute} decide={decide} onDecided={() => onDecided(dispute.messageId)} />
  ))
