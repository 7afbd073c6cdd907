'use client'
import { useState } from 'react'
import type { ActionResult } from '#lib/shared/errors.ts'
import {
  type FindTargets as FindInput,
  reasonCharsMax,
  type SwitchRow,
  type SwitchTarget,
  switchEffects,
  switchKindWords,
  type ThrowInput,
} from '#lib/shared/incidents-contract.ts'
import { switchKinds } from '#lib/shared/records-contract.ts'
import { ChoiceField, TextField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { Unreadable } from './models-values.ts'
import { type FindTargets, TargetFinder } from './retention-finder.tsx'
import { SheetForm } from './sheet-form.tsx'

type TargetKind = FindInput['kind']
type Lift = { id: string; reason: string }
export type IncidentActions = {
  throwSwitch: (input: ThrowInput) => Promise<ActionResult<{ id: string }>>
  liftSwitch: (input: Lift) => Promise<ActionResult<null>>
  findTargets: FindTargets<TargetKind>
}

/** What is to be switched off, before it is confirmed. */
export type Asked = { input: ThrowInput; label: string }

/** How what is off is called; the name of a document is for those who may read it. */
export const targetWords = ({ kind, label }: Pick<SwitchRow, 'kind' | 'label'>): string =>
  kind === 'generation' ? switchKindWords.generation : (label ?? 'A document that you cannot read, or that is gone')

const reasonOf = (text: string): string => {
  const reason = text.trim()
  if (!reason)
    throw new Unreadable('reason', 'Say why: whom it concerns reads it, and so does who looks into it later.')
  return reason
}

/** Chooses what is switched off, and why. What was typed stays until it is done. */
export const ThrowSheet = ({
  find,
  onAsk,
  onClose,
}: {
  find: FindTargets<TargetKind>
  onAsk: (asked: Asked) => void
  onClose: () => void
}) => {
  const [kind, setKind] = useState<ThrowInput['kind']>('generation')
  const [target, setTarget] = useState<SwitchTarget | null>(null)
  const form = useSending<Asked, null>({
    read: ({ text }) => {
      if (kind !== 'generation' && !target)
        throw new Unreadable('kind', 'Choose what is to be switched off from the matches below.')
      const input = { kind, targetId: target?.id ?? '', reason: reasonOf(text('reason')) }
      return { input, label: targetWords({ kind, label: target?.label ?? null }) }
    },
    send: async () => ({ ok: true, value: null }),
    onDone: (_, asked) => onAsk(asked),
  })
  return (
    <SheetForm
      title="Switch something off"
      note="For everybody, within seconds, until it is switched on again."
      label="Switch off…"
      form={form}
      onClose={onClose}
    >
      <ChoiceField
        name="kind"
        label="What"
        hint={switchEffects[kind]}
        value={kind}
        onChange={(event) => {
          setKind(switchKinds.find((one) => one === event.target.value) ?? 'generation')
          setTarget(null)
        }}
        options={switchKinds.map((one) => [one, switchKindWords[one]] as const)}
      />
      {kind !== 'generation' && (
        <TargetFinder
          key={kind}
          kind={kind}
          label={kind === 'person' ? 'Name or e-mail' : 'Name'}
          find={find}
          chosen={target}
          onChoose={setTarget}
        />
      )}
      <TextField
        name="reason"
        label="Because"
        dir="auto"
        maxLength={reasonCharsMax}
        hint="Shown on the pages of everybody whom it concerns. Name no secrets here."
      />
    </SheetForm>
  )
}

/** Switches on again what is off, with why it may be. */
export const LiftSheet = ({
  lifts,
  lift,
  onClose,
  onDone,
}: {
  lifts: SwitchRow
  lift: IncidentActions['liftSwitch']
  onClose: () => void
  onDone: () => void
}) => {
  const form = useSending<Lift, null>({
    read: ({ text }) => ({ id: lifts.id, reason: reasonOf(text('reason')) }),
    send: lift,
    onDone,
  })
  return (
    <SheetForm
      title={`Switch on again: ${targetWords(lifts)}`}
      note={`It was switched off because: ${lifts.reason}`}
      label="Switch on again"
      form={form}
      onClose={onClose}
    >
      <TextField
        name="reason"
        label="Why it may be on again"
        dir="auto"
        maxLength={reasonCharsMax}
        hint="Kept in the audit log."
      />
    </SheetForm>
  )
}
