'use client'
import type { ReactNode } from 'react'
import { CheckList } from '#components/ui/check-list.tsx'
import { roleWords } from '#lib/shared/people-contract.ts'
import {
  policyTopics,
  type ReviewAct,
  type ReviewPolicy,
  type ReviewRule,
  reviewFallbacks,
} from '#lib/shared/policy-contract.ts'
import type { PolicyChoice } from '#lib/shared/policy-draft.ts'
import { reviewRuleWords, topicWords } from '#lib/shared/policy-words.ts'
import { roles } from '#lib/shared/viewer.ts'
import { ChoiceField, TextField, TickField } from './models-field.tsx'
import { formatPercent, type readForm, Unreadable } from './models-values.ts'
import { NumberInput, RuleChoice, RuleText } from './policy-rule-parts.tsx'
import { RuleCards } from './rule-cards.tsx'
import { Pair, RuleSection } from './rule-section.tsx'

type When = ReviewRule['when']
type Condition = keyof When

const conditionWords: Record<Condition, string> = {
  collectionIds: 'It draws from any of these collections',
  topics: 'It is about any of these',
  roles: 'It was asked for by',
  confidenceBelow: 'It is not sure enough',
  personalData: 'It holds personal data or secrets',
  injectionFrom: 'It was written over text that tries to give orders',
}
const conditions = Object.keys(conditionWords) as Condition[]

/** As short as a list on a phone is wide; the sentence below says it whole. */
const actOptions = [
  ['warn', 'is shown with a warning'],
  ['queue', 'is shown and looked at'],
  ['hold', 'is held for a person'],
] as const satisfies readonly (readonly [ReviewAct, string])[]

/** What a condition asks for when it is ticked. */
const asTicked = {
  collectionIds: [],
  topics: [],
  roles: [],
  confidenceBelow: 0.6,
  personalData: true,
  injectionFrom: 0.3,
} as const satisfies { [Name in Condition]-?: unknown }

/** What a rule needs before it can be kept; null: nothing. What is in it may still be wrong. */
export const missingInReviewRule = ({ name, when }: ReviewRule): string | null => {
  if (name.trim() === '') return 'A review rule needs a name.'
  const empty = (['collectionIds', 'topics', 'roles'] as const).find((list) => when[list]?.length === 0)
  if (empty)
    return `The review rule “${name}” names nothing under “${conditionWords[empty]}”. Choose something, or take the tick out.`
  return [when.confidenceBelow, when.injectionFrom].some(Number.isNaN)
    ? `The review rule “${name}” has a number that cannot be taken.`
    : null
}

const NumberBeside = ({ before, after, children }: { before: string; after: string; children: ReactNode }) => (
  <div className="flex flex-wrap items-center gap-x-2 text-[13px]">
    <span aria-hidden>{before}</span>
    {children}
    <span aria-hidden className="text-muted-foreground">
      {after}
    </span>
  </div>
)

/** What a ticked condition asks for. */
const ConditionValue = ({
  of,
  when,
  collections,
  onChange,
}: {
  of: Condition
  when: When
  collections: readonly PolicyChoice[]
  onChange: (when: When) => void
}) => {
  switch (of) {
    case 'collectionIds':
      return (
        <CheckList
          legend="Collections"
          legendHidden
          choices={collections}
          chosen={when.collectionIds ?? []}
          onChange={(collectionIds) => onChange({ ...when, collectionIds })}
        />
      )
    case 'topics':
      return (
        <CheckList
          legend="Topics"
          legendHidden
          choices={policyTopics.map((topic) => ({ value: topic, label: topicWords[topic] }))}
          chosen={when.topics ?? []}
          onChange={(chosen) => onChange({ ...when, topics: policyTopics.filter((topic) => chosen.includes(topic)) })}
        />
      )
    case 'roles':
      return (
        <CheckList
          legend="Roles"
          legendHidden
          choices={roles.map((role) => ({ value: role, label: roleWords[role] }))}
          chosen={when.roles ?? []}
          onChange={(chosen) => onChange({ ...when, roles: roles.filter((role) => chosen.includes(role)) })}
        />
      )
    case 'confidenceBelow':
      return (
        <NumberBeside before="Less than" after="% sure, or not checked">
          <NumberInput
            aria-label="Less sure than, in percent"
            min={1}
            max={100}
            value={Number(formatPercent(when.confidenceBelow ?? asTicked.confidenceBelow))}
            onChange={(percent) => onChange({ ...when, confidenceBelow: percent / 100 })}
          />
        </NumberBeside>
      )
    case 'injectionFrom':
      return (
        <NumberBeside before="From a score of" after="from 0 to 1">
          <NumberInput
            aria-label="Score of text that tries to give orders, from 0 to 1"
            min={0.01}
            max={1}
            step={0.01}
            value={when.injectionFrom ?? asTicked.injectionFrom}
            onChange={(injectionFrom) => onChange({ ...when, injectionFrom })}
          />
        </NumberBeside>
      )
    case 'personalData':
      return null
  }
}

/** What a rule asks of an answer: a tick for each condition, and what it asks for beside it. */
const Conditions = ({
  when,
  collections,
  onChange,
}: {
  when: When
  collections: readonly PolicyChoice[]
  onChange: (when: When) => void
}) => {
  const toggle = (name: Condition, on: boolean): void => {
    const { [name]: _, ...others } = when
    const { [name]: value } = asTicked
    onChange(on ? { ...others, [name]: value } : others)
  }
  return (
    <fieldset className="mt-3 min-w-0">
      <legend className="font-medium text-[13px]">It meets an answer when</legend>
      <p className="mt-0.5 mb-1 text-[12.5px] text-muted-foreground">
        All that is ticked has to be so. Nothing ticked: it meets every answer.
      </p>
      {conditions.map((name) => {
        const isOn = when[name] !== undefined
        return (
          <div key={name} className="min-w-0">
            <label className="flex min-h-7 cursor-default items-center gap-2 text-[13px] touch:min-h-11">
              <input
                type="checkbox"
                className="size-4 shrink-0 accent-primary touch:size-5"
                checked={isOn}
                onChange={({ target }) => toggle(name, target.checked)}
              />
              {conditionWords[name]}
            </label>
            {isOn && name !== 'personalData' && (
              <div className="mt-0.5 mb-2 ml-6 min-w-0">
                <ConditionValue of={name} when={when} collections={collections} onChange={onChange} />
              </div>
            )}
          </div>
        )
      })}
    </fieldset>
  )
}

/** Which answers a person looks at, one card a rule. */
export const ReviewRules = ({
  rules,
  collections,
  onChange,
}: {
  rules: readonly ReviewRule[]
  collections: readonly PolicyChoice[]
  onChange: (rules: ReviewRule[]) => void
}) => {
  const names = { collections: Object.fromEntries(collections.map(({ value, label }) => [value, label])) }
  return (
    <RuleCards
      title="What a person looks at"
      note="Rules over finished answers. Their order does not matter: of all that an answer meets the strongest holds, and to hold is stronger than to look afterwards, which is stronger than to warn. Answers that a person has checked and kept meet only those about topics and personal data."
      kind="review rule"
      rules={rules}
      fresh={(): ReviewRule => ({ id: crypto.randomUUID(), name: '', when: {}, act: 'queue', words: '' })}
      missing={missingInReviewRule}
      words={(rule) => reviewRuleWords(rule, names)}
      onChange={onChange}
      card={({ rule, onChange: change }) => (
        <>
          <Pair>
            <RuleText
              label="Name of the review rule"
              max={80}
              value={rule.name}
              onChange={(name) => change({ ...rule, name })}
            />
            <RuleChoice
              label="An answer that meets it"
              value={rule.act}
              options={actOptions}
              onChange={(act) => change({ ...rule, act })}
            />
          </Pair>
          <Conditions when={rule.when} collections={collections} onChange={(when) => change({ ...rule, when })} />
          <div className="mt-3">
            <RuleText
              label="What the asker reads as the reason"
              max={300}
              placeholder="Made from what was met"
              value={rule.words}
              onChange={(words) => change({ ...rule, words })}
            />
          </div>
        </>
      )}
    />
  )
}

type Fields = ReturnType<typeof readForm>
const minutesMax = 43_200

const readHours = ({ scaled }: Fields, name: string): number => {
  const minutes = Math.round(scaled(name, 60))
  if (minutes < 1 || minutes > minutesMax)
    throw new Unreadable(name, 'Write hours between a minute (0.02) and 30 days (720).')
  return minutes
}

const readShare = ({ share }: Fields, name: string, max: number): number => {
  const read = share(name)
  if (read < 0 || read > max) throw new Unreadable(name, `Write a share between 0 and ${max * 100} percent.`)
  return read
}

const formatHours = (minutes: number): string => String(Number((minutes / 60).toFixed(4)))

/** All of review but its rules. Throws `Unreadable`. */
export const readReview = (fields: Fields): Omit<ReviewPolicy, 'rules'> => {
  const { text, ticked } = fields
  return {
    sampleShare: readShare(fields, 'review.sampleShare', 1),
    feedback: ticked('review.feedback'),
    slaMinutes: readHours(fields, 'review.slaMinutes'),
    holdMinutes: readHours(fields, 'review.holdMinutes'),
    fallback: reviewFallbacks.find((one) => one === text('review.fallback')) ?? 'refuse',
    seedShare: readShare(fields, 'review.seedShare', 0.5),
    notifyByMail: ticked('review.notifyByMail'),
    webhookUrl: text('review.webhookUrl').trim(),
  }
}

export const ReviewFields = ({ review }: { review: ReviewPolicy }) => (
  <RuleSection title="Review" note="How soon people decide, what else they are given, and who is told.">
    <Pair>
      <TextField
        name="review.slaMinutes"
        label="A decision is owed within"
        unit="hours"
        inputMode="decimal"
        defaultValue={formatHours(review.slaMinutes)}
        hint="What is older is marked as late, and admins are told."
      />
      <TextField
        name="review.holdMinutes"
        label="A held answer is given up after"
        unit="hours"
        inputMode="decimal"
        defaultValue={formatHours(review.holdMinutes)}
        hint="At least as long as a decision may take."
      />
    </Pair>
    <ChoiceField
      name="review.fallback"
      label="When it is given up, the asker gets"
      options={[
        ['refuse', 'words alone'],
        ['sources', 'words and which documents were read'],
      ]}
      defaultValue={review.fallback}
      hint="Never the answer itself: nobody has checked it."
    />
    <Pair>
      <TextField
        name="review.sampleShare"
        label="Looked at by chance"
        unit="percent"
        inputMode="decimal"
        defaultValue={formatPercent(review.sampleShare)}
        hint="Of the answers that are shown without a review. 0 takes none."
      />
      <TextField
        name="review.seedShare"
        label="Known to be wrong"
        unit="percent"
        inputMode="decimal"
        defaultValue={formatPercent(review.seedShare)}
        hint="Of what reviewers are given, to see whether they find it. At most 50; it needs seeded items."
      />
    </Pair>
    <TickField
      name="review.feedback"
      label="A thumb down asks a person to look"
      defaultChecked={review.feedback}
      hint="Without it a thumb down is only counted."
    />
    <TickField
      name="review.notifyByMail"
      label="Tell the asker by e-mail when a held answer is decided"
      defaultChecked={review.notifyByMail}
      hint="That it is decided, never what it says. It needs a mail server (SMTP_URL)."
    />
    <TextField
      name="review.webhookUrl"
      label="Tell another system"
      type="url"
      inputMode="url"
      placeholder="https://"
      defaultValue={review.webhookUrl}
      hint="A public address that takes a POST of JSON for each such decision, without the text. Empty: none."
    />
  </RuleSection>
)
