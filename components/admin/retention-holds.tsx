'use client'
import { useState } from 'react'
import { Badge } from '#components/ui/badge.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import type { ActionResult } from '#lib/shared/errors.ts'
import type { HoldInput, HoldRow, KeepingTarget } from '#lib/shared/keeping-contract.ts'
import { type HoldKind, holdKinds } from '#lib/shared/records-contract.ts'
import { ChoiceField, TextField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { Unreadable } from './models-values.ts'
import { type ReportColumn, ReportTable } from './report-table.tsx'
import { type FindTargets, TargetFinder } from './retention-finder.tsx'
import { holdWords } from './retention-words.ts'
import { SheetForm } from './sheet-form.tsx'
import { When } from './when.tsx'

/** Every hold, those in force first. */
export const HoldList = ({
  holds,
  place,
  onRelease,
}: {
  holds: readonly HoldRow[]
  place: React.ReactNode
  onRelease: (hold: HoldRow) => void
}) => {
  const columns: ReportColumn<HoldRow>[] = [
    {
      id: 'label',
      title: 'Held',
      cell: ({ label, kind }) => (
        <>
          <bdi className="block break-words font-medium">{label}</bdi>
          <span className="block text-[12.5px] text-muted-foreground">{holdWords[kind]}</span>
        </>
      ),
    },
    { id: 'reason', title: 'Because', cell: ({ reason }) => <bdi className="break-words">{reason}</bdi> },
    {
      id: 'since',
      title: 'Since',
      cell: ({ since, by }) => (
        <>
          <When iso={since} /> by <bdi>{by ?? 'a person who is gone'}</bdi>
        </>
      ),
    },
    {
      id: 'state',
      title: 'State',
      cell: ({ releasedAt }) =>
        releasedAt ? (
          <>
            Released <When iso={releasedAt} />
          </>
        ) : (
          <Badge variant="warning">In force</Badge>
        ),
    },
    {
      id: 'acts',
      title: 'Actions',
      numeric: true,
      cell: (hold) =>
        hold.releasedAt ? null : (
          <Button variant="quiet" size="sm" aria-label={`Release ${hold.label}`} onClick={() => onRelease(hold)}>
            Release
          </Button>
        ),
    },
  ]
  if (holds.length === 0)
    return (
      <EmptyState title="Keep what must not be deleted" action={place}>
        A legal hold keeps a person’s conversations and records, or documents and the answers that cite them, whatever
        the policy’s days or an erasure say, until it is released.
      </EmptyState>
    )
  return <ReportTable caption="Legal holds" columns={columns} rows={holds} rowId={({ id }) => id} />
}

/** Places a hold: on what, and why. */
export const HoldSheet = ({
  find,
  save,
  onClose,
  onSaved,
}: {
  find: FindTargets
  save: (input: HoldInput) => Promise<ActionResult<{ id: string }>>
  onClose: () => void
  onSaved: (label: string) => void
}) => {
  const [kind, setKind] = useState<HoldKind>('person')
  const [target, setTarget] = useState<KeepingTarget | null>(null)
  const form = useSending<HoldInput, { id: string }>({
    read: ({ text }) => {
      if (!target) throw new Unreadable('kind', 'Choose what is to be held from the matches below.')
      const reason = text('reason').trim()
      if (!reason) throw new Unreadable('reason', 'Say why: whoever is refused a deletion reads it.')
      return { kind, objectId: target.id, reason }
    },
    send: save,
    onDone: () => onSaved(target?.label ?? ''),
  })
  return (
    <SheetForm
      title="Place a legal hold"
      note="Nothing of it is deleted by anybody until the hold is released."
      label="Place hold"
      form={form}
      onClose={onClose}
    >
      <ChoiceField
        name="kind"
        label="What is held"
        value={kind}
        onChange={(event) => {
          setKind(holdKinds.find((one) => one === event.target.value) ?? 'person')
          setTarget(null)
        }}
        options={holdKinds.map((one) => [one, holdWords[one]] as const)}
      />
      <TargetFinder
        key={kind}
        kind={kind}
        label={kind === 'person' ? 'Name or e-mail' : 'Name'}
        find={find}
        chosen={target}
        onChoose={setTarget}
      />
      <TextField name="reason" label="Because" maxLength={500} hint="Shown to whoever is refused a deletion." />
    </SheetForm>
  )
}
