'use client'
import { useEffect, useRef, useState } from 'react'
import { Button } from '#components/ui/button.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { QuietJob } from '#lib/shared/policy-contract.ts'
import { type DraftInput, type PolicyDraft, type PolicyView, reasonCharsMax } from '#lib/shared/policy-draft.ts'
import { FormFaults, TextField, TickField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { Unreadable } from './models-values.ts'
import { AnswerRules, missingInAnswerRule, type TryRule } from './policy-answer-rules.tsx'
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
import { missingInReviewRule, ReviewFields, ReviewRules, readReview } from './policy-review.tsx'
import { cardIdOf } from './rule-cards.tsx'
import { RuleSection } from './rule-section.tsx'

/** What a draft is begun with: content of the policy or of a draft, and the version that it rests on. */
export type PolicyStart = Pick<PolicyDraft, 'content' | 'basedOn' | 'reason'>

/**
 * The draft of a policy as it is typed. What cannot be read stays in the form; what contradicts itself is kept and said. Who closes it
 * is told whether anything was typed that is not saved.
 */
export const PolicyForm = ({
  start,
  view,
  save,
  tryRule,
  onSaved,
  onClose,
}: {
  /** As it was when the form was opened: what changes afterwards must not mix with what is typed. */
  start: PolicyStart
  view: Pick<PolicyView, 'collections' | 'models' | 'tasks'>
  save: (input: DraftInput) => Promise<ActionResult<{ id: string }>>
  tryRule: TryRule
  onSaved: () => void
  onClose: (changed: boolean) => void
}) => {
  const { content, basedOn, reason } = start
  const { policy } = content
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
      for (const [rule, missing] of [
        ...rules.map((one) => [one, missingInAnswerRule(one)] as const),
        ...reviewRules.map((one) => [one, missingInReviewRule(one)] as const),
      ])
        if (missing) throw new Unreadable(cardIdOf(rule), missing)
      const { text, ticked } = fields
      return {
        basedOn,
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
  const form = useRef<HTMLFormElement>(null)
  const typed = (): string =>
    JSON.stringify([
      ...[features, exposure, rules, reviewRules, jobs, isQuiet],
      form.current && [...new FormData(form.current)],
    ])
  const latest = useRef(typed)
  latest.current = typed
  const isChanged = useRef((): boolean => false)
  useEffect(() => {
    const asOpened = latest.current()
    isChanged.current = () => latest.current() !== asOpened
    const warn = (event: BeforeUnloadEvent) => {
      if (isChanged.current()) event.preventDefault()
    }
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [])
  return (
    <form ref={form} onSubmit={onSubmit} noValidate aria-label="Draft of the policy">
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
        <Button onClick={() => onClose(isChanged.current())}>Close</Button>
        <p role="alert" className="min-w-0 text-[13px] text-destructive">
          {refusal?.message ?? (fault ? `One field cannot be read. ${fault.message}` : '')}
        </p>
      </div>
    </form>
  )
}
