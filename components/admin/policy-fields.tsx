'use client'
import {
  type GatewaySettingsInput,
  type RedactionAct,
  redactionActs,
  type SensitiveKind,
  sensitiveKinds,
} from '#lib/shared/gateway-settings.ts'
import { type AnswerAct, answerActs, auditDaysMin, policyTopics, retentionKinds } from '#lib/shared/policy-contract.ts'
import { type Governed, retentionWords } from '#lib/shared/policy-draft.ts'
import { redactionOptions, sensitiveWords, topicWords } from '#lib/shared/policy-words.ts'
import { ChoiceField, TextField, TickField } from './models-field.tsx'
import { formatDollars, type readForm } from './models-values.ts'
import { Pair, RuleSection } from './rule-section.tsx'

type Fields = ReturnType<typeof readForm>

const budgetFields = [
  ['userDayMicros', 'A person a day'],
  ['userMonthMicros', 'A person a month'],
  ['workspaceDayMicros', 'The workspace a day'],
  ['workspaceMonthMicros', 'The workspace a month'],
] as const

export const readMoney = ({ text, micros }: Fields) => ({
  budgets: {
    userDayMicros: micros('userDayMicros'),
    userMonthMicros: micros('userMonthMicros'),
    workspaceDayMicros: micros('workspaceDayMicros'),
    workspaceMonthMicros: micros('workspaceMonthMicros'),
    workspaceMinuteMicros: micros('workspaceMinuteMicros'),
  },
  unknownPrice: text('unknownPrice') === 'refuse' ? ('refuse' as const) : ('worst-case' as const),
})

export const MoneyFields = ({ budgets, unknownPrice }: Pick<Governed, 'budgets' | 'unknownPrice'>) => (
  <RuleSection
    title="Budgets"
    note="What calls may cost, reserved before each call. Days and months are in UTC. Empty: no limit."
  >
    <Pair>
      {budgetFields.map(([name, label]) => (
        <TextField
          key={name}
          name={name}
          label={label}
          unit="dollars"
          inputMode="decimal"
          defaultValue={formatDollars(budgets[name])}
        />
      ))}
      <TextField
        name="workspaceMinuteMicros"
        label="The workspace in one minute"
        unit="dollars"
        inputMode="decimal"
        defaultValue={formatDollars(budgets.workspaceMinuteMicros)}
        hint="So much at once is a fault, not use: calls stop until the minute is over."
      />
    </Pair>
    <ChoiceField
      name="unknownPrice"
      label="A model whose price nobody knows"
      options={[
        ['worst-case', 'is counted at the dearest price'],
        ['refuse', 'is not asked'],
      ]}
      defaultValue={unknownPrice}
    />
  </RuleSection>
)

export const readLeaving = ({ text, required, ticked }: Fields) =>
  ({
    redaction: {
      acts: Object.fromEntries(
        sensitiveKinds.map((kind) => [kind, redactionActs.find((act) => act === text(`act.${kind}`)) ?? 'mask']),
      ) as Record<SensitiveKind, RedactionAct>,
      alsoLocal: ticked('alsoLocal'),
      restore: ticked('restore'),
    },
    providers: text('providers') === 'local' ? 'local' : 'any',
    injection: { flagFrom: required('flagFrom'), quarantineFrom: required('quarantineFrom') },
  }) satisfies GatewaySettingsInput

export const LeavingFields = ({
  providers,
  redaction,
  injection,
}: Pick<Governed, 'providers' | 'redaction' | 'injection'>) => (
  <RuleSection title="Data" note="What may leave, and to whom. It holds for every model and every fallback.">
    <ChoiceField
      name="providers"
      label="Text may go to"
      options={[
        ['any', 'every provider that is set'],
        ['local', 'our own machines only'],
      ]}
      defaultValue={providers}
    />
    <div>
      <p className="font-medium text-[13px]">Before text leaves</p>
      <p className="mt-0.5 mb-2.5 text-[12.5px] text-muted-foreground">
        Masked: a stand-in is sent instead. Kept inside: text with it goes to our own machines or to none.
      </p>
      <Pair>
        {sensitiveKinds.map((kind) => (
          <ChoiceField
            key={kind}
            name={`act.${kind}`}
            label={sensitiveWords[kind]}
            options={redactionOptions}
            defaultValue={redaction.acts[kind]}
          />
        ))}
      </Pair>
    </div>
    <TickField
      name="alsoLocal"
      label="Mask for models on our own machines too"
      defaultChecked={redaction.alsoLocal}
      hint="Without it only what leaves our machines is masked."
    />
    <TickField
      name="restore"
      label="Put masked values back into the answer"
      defaultChecked={redaction.restore}
      hint="For the person who asked. Keys and passwords never come back."
    />
    <Pair>
      <TextField
        name="flagFrom"
        label="Mark text that tries to give orders"
        unit="from 0 to 1"
        inputMode="decimal"
        defaultValue={injection.flagFrom}
        hint="What is answered over a question or passage with this score or more carries a warning, and a person looks at it."
      />
      <TextField
        name="quarantineFrom"
        label="Hold a passage back from models"
        unit="from 0 to 1"
        inputMode="decimal"
        defaultValue={injection.quarantineFrom}
        hint="With this score or more it goes to no model until an admin has read and released it. 1 holds nothing back."
      />
    </Pair>
  </RuleSection>
)

const topicOptions: readonly (readonly [AnswerAct, string])[] = [
  ['allow', 'are shown as they are'],
  ['warn', 'are shown with a warning'],
  ['withhold', 'are withheld'],
]

const capital = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}`

export const readSaying = ({ text, required, ticked }: Fields): Pick<Governed['policy'], 'topics' | 'confidence'> => ({
  topics: Object.fromEntries(
    policyTopics.map((topic) => [topic, answerActs.find((act) => act === text(`topic.${topic}`)) ?? 'allow']),
  ) as Governed['policy']['topics'],
  confidence: { warnBelow: required('warnBelow'), withholdBelow: required('withholdBelow'), judge: ticked('judge') },
})

export const SayingFields = ({ topics, confidence }: Pick<Governed['policy'], 'topics' | 'confidence'>) => (
  <>
    <RuleSection
      title="Topics"
      note="What questions and answers are about, told by their words. A question that is withheld reaches no model."
    >
      <Pair>
        {policyTopics.map((topic) => (
          <ChoiceField
            key={topic}
            name={`topic.${topic}`}
            label={capital(topicWords[topic])}
            options={topicOptions}
            defaultValue={topics[topic]}
          />
        ))}
      </Pair>
    </RuleSection>
    <RuleSection
      title="Confidence"
      note="How well an answer is supported by what it cites. Where answers may be withheld, each is shown once it is whole."
    >
      <Pair>
        <TextField
          name="warnBelow"
          label="Warn below"
          unit="from 0 to 1"
          inputMode="decimal"
          defaultValue={confidence.warnBelow}
          hint="0 warns never."
        />
        <TextField
          name="withholdBelow"
          label="Withhold below"
          unit="from 0 to 1"
          inputMode="decimal"
          defaultValue={confidence.withholdBelow}
          hint="0 withholds never."
        />
      </Pair>
      <TickField
        name="judge"
        label="Ask a model, too"
        defaultChecked={confidence.judge}
        hint="Whether what a sentence cites supports it: one more call for each cited sentence, which counts in the budgets."
      />
    </RuleSection>
  </>
)

export const readKeeping = ({ number }: Fields): Governed['policy']['retention'] =>
  Object.fromEntries(
    retentionKinds.map((kind) => [kind, number(`retention.${kind}`)]),
  ) as Governed['policy']['retention']

export const KeepingFields = ({ retention }: Pick<Governed['policy'], 'retention'>) => (
  <RuleSection title="Retention" note="How long records are kept. Empty: for ever. What is on legal hold stays.">
    <Pair>
      {retentionKinds.map((kind) => (
        <TextField
          key={kind}
          name={`retention.${kind}`}
          label={retentionWords[kind]}
          unit="days"
          inputMode="numeric"
          defaultValue={retention[kind] ?? ''}
          {...(kind === 'audit' ? { hint: `At least ${auditDaysMin}: half a year.` } : {})}
        />
      ))}
    </Pair>
  </RuleSection>
)
