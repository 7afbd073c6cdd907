'use client'
import type { Route } from 'next'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { Button } from '#components/ui/button.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { GatewaySettingsInput } from '#lib/shared/gateway-settings.ts'
import type { ModelSetup } from '#lib/shared/models-contract.ts'
import { ChoiceField, FormFaults, TextField, TickField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { formatPercent, type readForm } from './models-values.ts'
import { taskWords } from './models-words.ts'
import { Pair, RuleSection } from './rule-section.tsx'

const readRules = (
  { text, number, required, share, scaled, ticked }: ReturnType<typeof readForm>,
  tasks: readonly string[],
): GatewaySettingsInput => ({
  tokenLimits: { userMinute: number('userMinute'), workspaceMinute: number('workspaceMinute') },
  cache: {
    exact: ticked('exact'),
    semantic: ticked('semantic'),
    wrongHitsMax: share('wrongHitsMax'),
    ttlSeconds: scaled('ttlMinutes', 60),
  },
  routing: {
    localFirst: ticked('localFirst'),
    localConfidenceMin: required('localConfidenceMin'),
    localShareTarget: share('localShareTarget'),
    standardFrom: required('standardFrom'),
    flagshipFrom: required('flagshipFrom'),
  },
  taskModels: Object.fromEntries(
    tasks.map((task) => [task, text(`task.${task}`)] as const).filter(([, key]) => key !== ''),
  ),
  canary: {
    everyHours: required('everyHours'),
    alsoLocal: ticked('canaryAlsoLocal'),
    dropFrom: share('dropFrom'),
    act: text('canaryAct') === 'fall-back' ? 'fall-back' : 'alert',
  },
  summaries: { changedDocuments: ticked('changedDocuments'), batch: ticked('batch') },
  alerts: {
    webhookUrl: text('webhookUrl').trim() || null,
    errorShareFrom: share('errorShareFrom'),
    p95MsFrom: scaled('p95SecondsFrom', 1_000),
    budgetShareFrom: share('budgetShareFrom'),
  },
})

/** Models by the keys that rules name them by, and those that rules still name though they are gone. */
const taskChoices = ({ providers, environment, settings }: ModelSetup) => {
  const known = [
    ...providers.flatMap(({ name, models }) =>
      models.map(({ key, modelId }) => [key, `${modelId} at ${name}`] as const),
    ),
    ...environment.map(({ key, modelId }) => [key, `${modelId} from the environment`] as const),
  ]
  const keys = new Set(known.map(([key]) => key))
  const gone = [...new Set(Object.values(settings.taskModels))]
    .filter((key) => !keys.has(key))
    .map((key) => [key, 'A model that is gone'] as const)
  return { any: known.length + gone.length > 0, options: [['', 'As routing says'], ...known, ...gone] as const }
}

type RulesProps = {
  setup: ModelSetup
  save: (input: { version: number; settings: GatewaySettingsInput }) => Promise<ActionResult<number>>
}

/** What holds for every call of a model in this workspace. */
export const ModelRules = ({ setup, save }: RulesProps) => {
  const router = useRouter()
  const { settings, version, tasks } = setup
  const { tokenLimits, cache, routing, canary, summaries, alerts } = settings
  const choices = taskChoices(setup)
  const { pending, fault, refusal, onSubmit } = useSending({
    read: (fields) => ({ version, settings: readRules(fields, tasks) }),
    send: save,
    onDone: () => {
      toast('The rules were saved', { description: 'They hold from the next question on.' })
      router.refresh()
    },
  })
  return (
    <form onSubmit={onSubmit} noValidate aria-label="Rules">
      <FormFaults value={fault}>
        <RuleSection
          title="Limits"
          note={
            <>
              Budgets, masking and what may leave are part of the{' '}
              <Link href={'/admin/policy' as Route} className="underline underline-offset-4">
                policy
              </Link>
              .
            </>
          }
        >
          <Pair>
            <TextField
              name="userMinute"
              label="Text of a person a minute"
              unit="tokens"
              inputMode="numeric"
              defaultValue={tokenLimits.userMinute ?? ''}
            />
            <TextField
              name="workspaceMinute"
              label="Text of the workspace a minute"
              unit="tokens"
              inputMode="numeric"
              defaultValue={tokenLimits.workspaceMinute ?? ''}
            />
          </Pair>
        </RuleSection>
        <RuleSection title="Cache" note="Answers that are given again instead of being written again.">
          <TickField
            name="exact"
            label="For the same question"
            defaultChecked={cache.exact}
            hint="An answer is dropped as soon as a document it rests on changes."
          />
          <TickField name="semantic" label="For a question that means the same" defaultChecked={cache.semantic} />
          <Pair>
            <TextField
              name="wrongHitsMax"
              label="Wrong answers put up with"
              unit="percent"
              inputMode="decimal"
              defaultValue={formatPercent(cache.wrongHitsMax)}
              hint="Of those for a like question. Where it cannot be kept, the model is asked."
            />
            <TextField
              name="ttlMinutes"
              label="Kept for"
              unit="minutes"
              inputMode="decimal"
              defaultValue={cache.ttlSeconds / 60}
            />
          </Pair>
        </RuleSection>
        <RuleSection title="Routing" note="Which model is asked first. Difficulty and confidence run from 0 to 1.">
          <TickField
            name="localFirst"
            label="Ask our own machines first"
            defaultChecked={routing.localFirst}
            hint="A hosted model is asked when the local one is not sure enough, before the first word is shown."
          />
          <Pair>
            <TextField
              name="localConfidenceMin"
              label="Sure enough from"
              unit="confidence"
              inputMode="decimal"
              defaultValue={routing.localConfidenceMin}
            />
            <TextField
              name="localShareTarget"
              label="Our own machines should take"
              unit="percent"
              inputMode="decimal"
              defaultValue={formatPercent(routing.localShareTarget)}
              hint="Of what models do. How far that is reached stands above."
            />
            <TextField
              name="standardFrom"
              label="Standard models from"
              unit="difficulty"
              inputMode="decimal"
              defaultValue={routing.standardFrom}
            />
            <TextField
              name="flagshipFrom"
              label="Flagship models from"
              unit="difficulty"
              inputMode="decimal"
              defaultValue={routing.flagshipFrom}
            />
          </Pair>
          {choices.any ? (
            <div>
              <p className="mb-2.5 font-medium text-[13px]">A model of its own for a task</p>
              <Pair>
                {tasks.map((task) => (
                  <ChoiceField
                    key={task}
                    name={`task.${task}`}
                    label={taskWords(task)}
                    options={choices.options}
                    defaultValue={settings.taskModels[task] ?? ''}
                  />
                ))}
              </Pair>
            </div>
          ) : (
            <p className="text-[12.5px] text-muted-foreground">
              A task may have a model of its own once there is a model.
            </p>
          )}
        </RuleSection>
        <RuleSection
          title="Silent changes"
          note="A model can change behind its name. It is asked a few fixed questions, and what it answers is checked."
        >
          <Pair>
            <TextField
              name="everyHours"
              label="Check each model every"
              unit="hours"
              inputMode="numeric"
              defaultValue={canary.everyHours}
              hint="And whenever it answers under another name. 0: only then, and when somebody asks for it."
            />
            <TextField
              name="dropFrom"
              label="Worse from a fall of"
              unit="percent"
              inputMode="decimal"
              defaultValue={formatPercent(canary.dropFrom)}
              hint="Of its checks that held when it was first asked."
            />
          </Pair>
          <TickField
            name="canaryAlsoLocal"
            label="Check models on our own machines too"
            defaultChecked={canary.alsoLocal}
            hint="Without it they are checked when somebody asks for it, and from then on when they answer under another name."
          />
          <ChoiceField
            name="canaryAct"
            label="When a model is worse"
            options={[
              ['alert', 'say so under Alerts'],
              ['fall-back', 'say so, and ask it last'],
            ]}
            defaultValue={canary.act}
          />
        </RuleSection>
        <RuleSection
          title="Summaries"
          note="What models write about documents in the background. It counts in the budgets."
        >
          <TickField
            name="changedDocuments"
            label="Describe new and changed documents"
            defaultChecked={summaries.changedDocuments}
            hint="A summary and tags for each. Without it, when somebody asks for them."
          />
          <TickField
            name="batch"
            label="Use the provider’s batch interface"
            defaultChecked={summaries.batch}
            hint="Cheaper, but it may take a day. Providers that have none are asked as ever."
          />
        </RuleSection>
        <RuleSection title="Alerts" note="What is worth a message. Each alert is sent once, when it begins.">
          <TextField
            name="webhookUrl"
            label="Send to"
            type="url"
            inputMode="url"
            placeholder="https://"
            defaultValue={alerts.webhookUrl ?? ''}
            hint="A public address that takes a POST of JSON. Empty: alerts are shown under Health only."
          />
          <Pair>
            <TextField
              name="errorShareFrom"
              label="Failed calls from"
              unit="percent"
              inputMode="decimal"
              defaultValue={formatPercent(alerts.errorShareFrom)}
            />
            <TextField
              name="p95SecondsFrom"
              label="The slowest in twenty from"
              unit="seconds"
              inputMode="decimal"
              defaultValue={alerts.p95MsFrom / 1_000}
            />
            <TextField
              name="budgetShareFrom"
              label="Used of a budget from"
              unit="percent"
              inputMode="decimal"
              defaultValue={formatPercent(alerts.budgetShareFrom)}
            />
          </Pair>
        </RuleSection>
      </FormFaults>
      <div className="sticky bottom-0 flex flex-wrap items-center gap-x-3 gap-y-2 border-t bg-background px-5 py-3 max-sm:px-4">
        <Button type="submit" variant="primary" aria-disabled={pending}>
          {pending ? 'Saving…' : 'Save rules'}
        </Button>
        {refusal?.conflict && (
          <Button onClick={() => router.refresh()} variant="outline">
            Load the newer rules
          </Button>
        )}
        <p role="alert" className="min-w-0 text-[13px] text-destructive">
          {refusal?.message ?? (fault ? `One field cannot be read. ${fault.message}` : '')}
        </p>
      </div>
    </form>
  )
}
