'use client'
import { useRouter } from 'next/navigation'
import { useEffect, useId, useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { Input } from '#components/ui/input.tsx'
import { toast } from '#components/ui/toaster.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import { formatCount } from '#lib/shared/format.ts'
import {
  type ErasureKind,
  type ErasurePlan,
  type ErasureRow,
  erasureKinds,
  type KeepingTarget,
} from '#lib/shared/keeping-contract.ts'
import { attempt } from './models-form.ts'
import { type ReportColumn, ReportTable } from './report-table.tsx'
import { type FindTargets, TargetFinder } from './retention-finder.tsx'
import { confirms, countsWords, erasureWords, holdWords } from './retention-words.ts'
import { RuleSection } from './rule-section.tsx'
import { Select } from './select.tsx'
import { When } from './when.tsx'

const pollMs = 2_000

type Target = { kind: ErasureKind; id: string }
export type ErasureActions = {
  findTargets: FindTargets
  planErasure: (input: Target) => Promise<ActionResult<ErasurePlan>>
  requestErasure: (input: Target & { confirmation: string }) => Promise<ActionResult<{ id: string }>>
}

/** What an erasure would take, what to know before, and the name to type. */
export const ErasurePlanView = ({
  plan,
  typed,
  pending,
  onType,
  onErase,
}: {
  plan: ErasurePlan
  typed: string
  pending: boolean
  onType: (text: string) => void
  onErase: () => void
}) => {
  const id = useId()
  const counts = Object.entries(plan.counts)
  if (plan.refusal)
    return (
      <p role="alert" className="max-w-xl rounded-md border border-warning px-3 py-2 text-[13px] text-warning">
        {plan.refusal}
      </p>
    )
  return (
    <form
      className="flex max-w-xl flex-col gap-3 rounded-md border px-4 py-3"
      onSubmit={(event) => {
        event.preventDefault()
        onErase()
      }}
    >
      <h4 className="font-medium text-[13px]">What goes</h4>
      {counts.length === 0 ? (
        <p className="text-[13px] text-muted-foreground">Nothing but the name itself.</p>
      ) : (
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-[13px]">
          {counts.map(([what, count]) => (
            <div key={what} className="contents">
              <dt className="first-letter:uppercase">{what}</dt>
              <dd className="num">{formatCount(count)}</dd>
            </div>
          ))}
        </dl>
      )}
      {plan.warnings.length > 0 && (
        <ul className="flex list-disc flex-col gap-1 pl-4 text-[12.5px] text-muted-foreground">
          {plan.warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
      <label htmlFor={id} className="font-medium text-[13px]">
        To confirm, type <bdi className="break-all font-mono text-[12.5px]">{plan.label}</bdi>
      </label>
      <Input
        id={id}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => onType(event.target.value)}
      />
      <div>
        <Button type="submit" variant="destructive" disabled={pending || !confirms(typed, plan.label)}>
          {pending ? 'Asking…' : 'Erase for good'}
        </Button>
      </div>
    </form>
  )
}

/** Finds a person or a document, shows what would go, and erases it once its name was typed. */
export const ErasePanel = ({ erasures, actions }: { erasures: readonly ErasureRow[]; actions: ErasureActions }) => {
  const router = useRouter()
  const [kind, setKind] = useState<ErasureKind>('person')
  const [target, setTarget] = useState<KeepingTarget | null>(null)
  const [plan, setPlan] = useState<{ plan: ErasurePlan } | { fault: string } | null>(null)
  const [typed, setTyped] = useState('')
  const [pending, setPending] = useState(false)
  const working = erasures.some(({ doneAt }) => doneAt === null)

  useEffect(() => {
    if (!working) return
    const timer = setInterval(() => router.refresh(), pollMs)
    return () => clearInterval(timer)
  }, [working, router])

  const choose = async (chosen: KeepingTarget | null) => {
    setTarget(chosen)
    setPlan(null)
    setTyped('')
    if (!chosen) return
    const result = await attempt(actions.planErasure({ kind, id: chosen.id }))
    setPlan('value' in result ? { plan: result.value } : { fault: result.error })
  }
  const erase = async () => {
    if (!target || pending) return
    setPending(true)
    const result = await attempt(actions.requestErasure({ kind, id: target.id, confirmation: typed }))
    setPending(false)
    if ('error' in result) {
      toast.error('Nothing was erased', { description: result.error })
      return
    }
    toast('It is being erased')
    void choose(null)
    router.refresh()
  }

  const words = erasureWords[kind]
  return (
    <>
      <RuleSection title={words.title} note={words.note}>
        <Select
          aria-label="What to erase"
          value={kind}
          onChange={(event) => {
            setKind(erasureKinds.find((one) => one === event.target.value) ?? 'person')
            void choose(null)
          }}
        >
          {erasureKinds.map((one) => (
            <option key={one} value={one}>
              {holdWords[one]}
            </option>
          ))}
        </Select>
        <TargetFinder
          key={kind}
          kind={kind}
          label={words.find}
          find={actions.findTargets}
          chosen={target}
          onChoose={(chosen) => void choose(chosen)}
        />
        {plan && 'fault' in plan && (
          <p role="alert" className="text-[13px] text-destructive">
            {plan.fault}
          </p>
        )}
        {plan && 'plan' in plan && target?.id === plan.plan.id && (
          <ErasurePlanView
            plan={plan.plan}
            typed={typed}
            pending={pending}
            onType={setTyped}
            onErase={() => void erase()}
          />
        )}
      </RuleSection>
      <ErasureList erasures={erasures} />
    </>
  )
}

const columns: ReportColumn<ErasureRow>[] = [
  { id: 'kind', title: 'Erased', cell: ({ kind }) => holdWords[kind] },
  {
    id: 'id',
    title: 'Number',
    cell: ({ objectId }) => <span className="break-all font-mono text-xs">{objectId}</span>,
  },
  { id: 'asked', title: 'Asked for', cell: ({ requestedAt }) => <When iso={requestedAt} /> },
  {
    id: 'state',
    title: 'State',
    cell: ({ doneAt }) => (doneAt ? <When iso={doneAt} /> : <Badge variant="accent">Under way</Badge>),
  },
  {
    id: 'counts',
    title: 'What went',
    cell: ({ counts }) => <span className="text-[12.5px] text-muted-foreground">{countsWords(counts) || '—'}</span>,
  },
]

/** What was erased, by number alone: the names are gone. */
export const ErasureList = ({ erasures }: { erasures: readonly ErasureRow[] }) =>
  erasures.length === 0 ? (
    <EmptyState title="Nothing was erased yet">
      What is erased stands here by its number, and is erased again when an older backup is restored.
    </EmptyState>
  ) : (
    <div aria-live="polite">
      <ReportTable caption="Erasures" columns={columns} rows={erasures} rowId={({ id }) => id} />
    </div>
  )
