'use client'
import { useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { QuietJob } from '#lib/shared/policy-contract.ts'
import { type DraftInput, type Governed, type PolicyView, reasonCharsMax } from '#lib/shared/policy-draft.ts'
import { FormFaults, TextField, TickField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { Unreadable } from './models-values.ts'
import { AnswerRules, isWhole, type TryRule } from './policy-answer-rules.tsx'
import {
  KeepingFields,
  LeavingFields,
  MoneyFields,
  readKeeping,
  readLeaving,
  readMoney,
  readSaying,
  SayingFields,
} from './policy-fields.tsx'
import { ExposureList, FeatureLists, QuietFields } from './policy-lists.tsx'
import { missingIn, ReviewFields, ReviewRules, readReview } from './policy-review.tsx'
import { RuleSection } from './rule-section.tsx'

/** The draft of a policy as it is typed. What cannot be read stays in the form; what contradicts itself is kept and said. */
export const PolicyForm = ({
  content,
  basedOn,
  reason,
  view,
  save,
  tryRule,
  onSaved,
  onClose,
}: {
  content: Governed
  basedOn: number
  reason: string
  view: Pick<PolicyView, 'collections' | 'models' | 'tasks'>
  save: (input: DraftInput) => Promise<ActionResult<{ id: string }>>
  tryRule: TryRule
  onSaved: () => void
  onClose: () => void
}) => {
  const { policy } = content
  // As it was when the form was opened: a page that is refreshed under it must not make old content look new.
  const [from] = useState(basedOn)
  const [features, setFeatures] = useState(policy.features)
  const [exposure, setExposure] = useState(policy.exposure)
  const [rules, setRules] = useState(policy.rules)
  const [reviewRules, setReviewRules] = useState(policy.review.rules)
  const [jobs, setJobs] = useState<QuietJob[]>(
    policy.quietHours?.jobs ?? ['sources', 'graph', 'recognition', 'encoders'],
  )
  const [isQuiet, setIsQuiet] = useState(policy.quietHours !== null)
  const { pending, fault, refusal, onSubmit } = useSending({
    read: (fields): DraftInput => {
      const halfDone = rules.find((rule) => !isWhole(rule))
      if (halfDone)
        throw new Unreadable(
          'rules',
          `The rule ${halfDone.name ? `“${halfDone.name}”` : 'without a name'} needs a name and a pattern.`,
        )
      for (const rule of reviewRules) {
        const missing = missingIn(rule)
        if (missing) throw new Unreadable('review', missing)
      }
      const { text, ticked } = fields
      return {
        basedOn: from,
        reason: text('reason'),
        content: {
          ...readMoney(fields),
          ...readLeaving(fields),
          policy: {
            features,
            exposure,
            rules,
            ...readSaying(fields),
            review: { rules: reviewRules, ...readReview(fields) },
            retention: readKeeping(fields),
            quietHours: isQuiet
              ? { from: text('quietFrom'), to: text('quietTo'), timeZone: text('timeZone').trim(), jobs }
              : null,
            secondApprover: ticked('secondApprover'),
          },
        },
      }
    },
    send: save,
    onDone: onSaved,
  })
  return (
    <form onSubmit={onSubmit} noValidate aria-label="Draft of the policy">
      <FormFaults value={fault}>
        <FeatureLists features={features} collections={view.collections} onChange={setFeatures} />
        <ExposureList exposure={exposure} collections={view.collections} models={view.models} onChange={setExposure} />
        <LeavingFields {...content} />
        <SayingFields {...policy} />
        <AnswerRules rules={rules} tasks={view.tasks} tryRule={tryRule} onChange={setRules} />
        <ReviewRules rules={reviewRules} collections={view.collections} onChange={setReviewRules} />
        <ReviewFields review={policy.review} />
        <KeepingFields retention={policy.retention} />
        <QuietFields quiet={policy.quietHours} jobs={jobs} onJobs={setJobs} on={isQuiet} onToggle={setIsQuiet} />
        <MoneyFields {...content} />
        <RuleSection title="Change" note="How this policy is changed from now on, and why it is changed now.">
          <TickField
            name="secondApprover"
            label="A change waits for a second admin"
            defaultChecked={policy.secondApprover}
            hint="The author of a change cannot apply it alone, nor switch this off alone."
          />
          <TextField
            name="reason"
            label="Why this change"
            maxLength={reasonCharsMax}
            defaultValue={reason}
            hint="Kept with the version."
          />
        </RuleSection>
      </FormFaults>
      <div className="sticky bottom-0 flex flex-wrap items-center gap-x-3 gap-y-2 border-t bg-background px-5 py-3 max-sm:px-4">
        <Button type="submit" variant="primary" aria-disabled={pending}>
          {pending ? 'Saving…' : 'Save draft'}
        </Button>
        <Button onClick={onClose}>Close</Button>
        <p role="alert" className="min-w-0 text-[13px] text-destructive">
          {refusal?.message ?? (fault ? `One field cannot be read. ${fault.message}` : '')}
        </p>
      </div>
    </form>
  )
}
