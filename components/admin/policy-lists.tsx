'use client'
import { Plus } from 'lucide-react'
import { Button } from '#components/ui/button.tsx'
import { CheckList } from '#components/ui/check-list.tsx'
import { type Policy, policyFeatures, type QuietJob, quietJobs } from '#lib/shared/policy-contract.ts'
import type { PolicyChoice } from '#lib/shared/policy-draft.ts'
import { featureWords, quietJobWords } from '#lib/shared/policy-words.ts'
import { TextField } from './models-field.tsx'
import { Pair, RuleSection } from './rule-section.tsx'
import { Select } from './select.tsx'

type Change<Value> = (value: Value) => void

/** Which collections each feature may use. */
export const FeatureLists = ({
  features,
  collections,
  onChange,
}: {
  features: Policy['features']
  collections: readonly PolicyChoice[]
  onChange: Change<Policy['features']>
}) => (
  <RuleSection title="Collections" note="What each part of the product may use, of what the person may read.">
    {policyFeatures.map((feature) => {
      const chosen = features[feature]
      return (
        <div key={feature} className="min-w-0">
          <div className="mb-1 flex flex-wrap items-center gap-2 font-medium text-[13px]">
            <span aria-hidden>{featureWords[feature]} may use</span>
            <Select
              aria-label={`${featureWords[feature]} may use`}
              value={chosen === null ? 'all' : 'some'}
              onChange={({ target }) => onChange({ ...features, [feature]: target.value === 'all' ? null : [] })}
            >
              <option value="all">every collection</option>
              <option value="some">only some of them</option>
            </Select>
          </div>
          {chosen !== null && (
            <CheckList
              legend={`Collections for ${featureWords[feature].toLowerCase()}`}
              choices={collections}
              chosen={chosen}
              onChange={(ids) => onChange({ ...features, [feature]: ids })}
            />
          )}
          {chosen?.length === 0 && (
            <p className="mt-1 text-[12.5px] text-warning">
              None is chosen: {featureWords[feature].toLowerCase()} would find nothing.
            </p>
          )}
        </div>
      )
    })}
  </RuleSection>
)

type Exposure = Policy['exposure'][number]
const modeOf = ({ to }: Exposure): 'local' | 'none' | 'named' =>
  to === 'local' ? 'local' : to.length === 0 ? 'none' : 'named'

/** Which models may read which collections. */
export const ExposureList = ({
  exposure,
  collections,
  models,
  onChange,
}: {
  exposure: Policy['exposure']
  collections: readonly PolicyChoice[]
  models: readonly PolicyChoice[]
  onChange: Change<Policy['exposure']>
}) => {
  const free = collections.filter(({ value }) => !exposure.some(({ collectionId }) => collectionId === value))
  const [next] = free
  const put = (at: number, to: Exposure['to']) =>
    onChange(exposure.map((one, place) => (place === at ? { ...one, to } : one)))
  return (
    <RuleSection
      title="Who reads what"
      note="A collection that is not named here may be read by every model that is set. Where none is left that may read what was found, its sentences are quoted."
    >
      {exposure.map((one, at) => {
        const name = collections.find(({ value }) => value === one.collectionId)?.label ?? 'A collection that is gone'
        const mode = modeOf(one)
        const first = models[0]?.value
        return (
          <div key={one.collectionId} className="min-w-0 rounded-md border p-3">
            <div className="flex flex-wrap items-center gap-2">
              <span dir="auto" className="min-w-0 flex-1 truncate font-medium text-[13px]">
                {name}
              </span>
              <Button
                variant="quiet"
                size="sm"
                aria-label={`Take out the rule for ${name}`}
                onClick={() => onChange(exposure.filter((_, place) => place !== at))}
              >
                Take out
              </Button>
            </div>
            <div className="mt-1 flex flex-wrap items-center gap-2 text-[13px]">
              <span aria-hidden>may be read by</span>
              <Select
                aria-label={`${name} may be read by`}
                value={mode}
                onChange={({ target }) =>
                  put(at, target.value === 'local' ? 'local' : target.value === 'none' || !first ? [] : [first])
                }
              >
                <option value="local">models on our own machines</option>
                <option value="none">no model</option>
                {models.length > 0 && <option value="named">only these</option>}
              </Select>
            </div>
            {mode === 'named' && one.to !== 'local' && (
              <div className="mt-2">
                <CheckList
                  legend={`Models that may read ${name}`}
                  legendHidden
                  choices={models}
                  chosen={one.to}
                  onChange={(to) => put(at, to)}
                />
              </div>
            )}
          </div>
        )
      })}
      {next ? (
        <div className="flex flex-wrap items-center gap-2 text-[13px]">
          <Plus aria-hidden className="size-4" />
          <Select
            aria-label="Add a rule for a collection"
            value=""
            onChange={({ target }) =>
              target.value && onChange([...exposure, { collectionId: target.value, to: 'local' }])
            }
          >
            <option value="">Add a rule for…</option>
            {free.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        </div>
      ) : (
        collections.length === 0 && <p className="text-[13px] text-muted-foreground">There is no collection yet.</p>
      )}
    </RuleSection>
  )
}

/** When background work waits. The times are fields of the form, so that a wrong one is shown where it stands. */
export const QuietFields = ({
  quiet,
  jobs,
  onJobs,
  on,
  onToggle,
}: {
  quiet: Policy['quietHours']
  jobs: readonly QuietJob[]
  onJobs: Change<QuietJob[]>
  on: boolean
  onToggle: Change<boolean>
}) => (
  <RuleSection title="Quiet hours" note="Background work that waits for a time of the day. Nobody’s question waits.">
    <label className="flex items-center gap-2 font-medium text-[13px]">
      <input
        type="checkbox"
        className="size-4 accent-primary touch:size-5"
        checked={on}
        onChange={({ target }) => onToggle(target.checked)}
      />
      There are quiet hours
    </label>
    {on && (
      <>
        <Pair>
          <TextField name="quietFrom" label="From" type="time" defaultValue={quiet?.from ?? '08:00'} />
          <TextField name="quietTo" label="To" type="time" defaultValue={quiet?.to ?? '18:00'} />
          <TextField
            name="timeZone"
            label="Time zone"
            defaultValue={quiet?.timeZone ?? 'UTC'}
            hint="As Europe/Berlin or UTC."
          />
        </Pair>
        <CheckList
          legend="What waits"
          choices={quietJobs.map((job) => ({ value: job, label: quietJobWords[job] }))}
          chosen={jobs}
          onChange={(chosen) => onJobs(quietJobs.filter((job) => chosen.includes(job)))}
        />
      </>
    )}
  </RuleSection>
)
