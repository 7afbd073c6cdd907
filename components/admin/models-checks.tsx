'use client'
import { useRef } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import type { CanaryRow } from '#lib/shared/models-contract.ts'
import { ReportSection } from './figures.tsx'
import { canaryLook, canaryWords, scheduleWords } from './models-words.ts'
import { When } from './when.tsx'

/** What a person asked of a model's check: it runs, or why it did not. */
export type CheckRun = 'checking' | 'accepting' | { error: string }

export type CheckedModel = { key: string; name: string; at: string; canary: CanaryRow | null }

type CheckItemProps = {
  model: CheckedModel
  run: CheckRun | undefined
  check: (key: string) => void
  accept: (key: string) => void
}

const runWords = (run: CheckRun | undefined): string =>
  run === 'checking' ? 'Asking a few short questions…' : run === 'accepting' ? 'Accepting…' : ''

const CheckItem = ({ model: { key, name, at, canary }, run, check, accept }: CheckItemProps) => {
  const checkButton = useRef<HTMLButtonElement>(null)
  const look = canaryLook(canary)
  const busy = run === 'checking' || run === 'accepting'
  // A check with an answer that is not as the first one was.
  const acceptable =
    canary !== null && canary.score !== null && (canary.state === 'dropped' || canary.state === 'changed')
  const words = canary ? canaryWords(canary) : ''
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 border-t px-5 py-3 first:border-t-0 max-sm:px-4">
      <div className="min-w-0 flex-1 basis-72">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span dir="auto" className="min-w-0 break-all font-medium text-[13.5px]">
            {name}
          </span>
          <span dir="auto" className="text-[13px] text-muted-foreground">
            {at}
          </span>
          <Badge variant={look.variant}>{look.words}</Badge>
          {canary && (
            <span className="text-[12.5px] text-muted-foreground">
              checked <When iso={canary.checkedAt} />
            </span>
          )}
        </p>
        {words && <p className="mt-0.5 break-words text-[12.5px] text-muted-foreground">{words}</p>}
        {canary?.detail && (
          <p className="mt-0.5 break-words text-[12.5px]">
            {canary.state !== 'unreachable' && <span className="font-medium">What failed: </span>}
            {canary.detail}
          </p>
        )}
      </div>
      <div className="flex flex-wrap gap-1">
        <Button ref={checkButton} size="sm" aria-disabled={busy} onClick={() => check(key)}>
          {run === 'checking' ? 'Checking…' : 'Check now'}
          <span className="sr-only">whether {name} changed</span>
        </Button>
        {acceptable && (
          <Button
            variant="ghost"
            size="sm"
            aria-disabled={busy}
            onClick={() => {
              // This button goes with what it accepts, and would take the focus along.
              checkButton.current?.focus()
              accept(key)
            }}
          >
            Accept as the new baseline <span className="sr-only">of {name}</span>
          </Button>
        )}
      </div>
      <p role="status" className="basis-full text-[13px] text-muted-foreground empty:hidden">
        {runWords(run)}
      </p>
      <p role="alert" className="basis-full text-[13px] text-destructive empty:hidden">
        {typeof run === 'object' ? run.error : ''}
      </p>
    </li>
  )
}

type ModelChecksProps = {
  models: readonly CheckedModel[]
  everyHours: number
  runs: Readonly<Record<string, CheckRun>>
  check: (key: string) => void
  accept: (key: string) => void
}

/** Whether each model still does what it did when it was first asked. */
export const ModelChecks = ({ models, everyHours, runs, check, accept }: ModelChecksProps) => (
  <ReportSection title="Silent changes" note={scheduleWords(everyHours)}>
    <ul aria-label="Checks of models">
      {models.map((model) => (
        <CheckItem key={model.key} model={model} run={runs[model.key]} check={check} accept={accept} />
      ))}
    </ul>
  </ReportSection>
)
