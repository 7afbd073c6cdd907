'use client'
import { useId, useState } from 'react'
import { fieldClasses } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import type { ActionResult } from '#lib/shared/errors.ts'
import {
  type SourceData,
  type SourceField,
  type SourceForm,
  type SourceInput,
  type SourceRow,
  schedules,
} from '#lib/shared/sources-contract.ts'
import { ChoiceField, TextField, TickField } from './models-field.tsx'
import { useSending } from './models-form.ts'
import { type readForm, Unreadable } from './models-values.ts'
import { SheetForm } from './sheet-form.tsx'
import { scheduleWords } from './source-words.ts'

const newCollection = 'new'
const defaultCollection = 'General'
const dailyMinutes = 1_440

/** A list with one entry a line. */
const LinesField = ({
  name,
  label,
  hint,
  initial,
}: {
  name: string
  label: string
  hint: string | null
  initial: string
}) => {
  const id = useId()
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-medium text-[13px]">
        {label}
      </label>
      <textarea
        id={id}
        name={name}
        rows={2}
        defaultValue={initial}
        spellCheck={false}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className={cn(fieldClasses, 'py-1.5 touch:text-base')}
      />
      {hint && (
        <p id={`${id}-hint`} className="text-[12.5px] text-muted-foreground">
          {hint}
        </p>
      )}
    </div>
  )
}

const FieldOfKind = ({ field, value }: { field: SourceField; value: unknown }) => {
  const { name, label, hint, shape } = field
  if (shape === 'tick') return <TickField name={name} label={label} hint={hint} defaultChecked={value === true} />
  if (shape === 'lines')
    return <LinesField name={name} label={label} hint={hint} initial={Array.isArray(value) ? value.join('\n') : ''} />
  const kind =
    shape === 'number'
      ? { inputMode: 'numeric' as const, className: 'max-w-36' }
      : shape === 'address'
        ? { type: 'url', inputMode: 'url' as const, placeholder: 'https://' }
        : {}
  return <TextField name={name} label={label} hint={hint} defaultValue={String(value ?? '')} {...kind} />
}

/** What was typed into the fields of a kind, as its schema wants it. What it may be is said by the server. */
const readConfig = (fields: readonly SourceField[], { text, required, ticked }: ReturnType<typeof readForm>) =>
  Object.fromEntries(
    fields.map(({ name, shape }) => {
      if (shape === 'tick') return [name, ticked(name)]
      if (shape === 'number') return [name, required(name)]
      if (shape !== 'lines') return [name, text(name).trim()]
      const lines = text(name)
        .split('\n')
        .map((line) => line.trim())
      return [name, lines.filter(Boolean)]
    }),
  )

type SourceSheetProps = {
  /** Null adds one. */
  source: SourceRow | null
  forms: readonly SourceForm[]
  collections: SourceData['collections']
  save: (input: SourceInput) => Promise<ActionResult<{ id: string }>>
  onSaved: (name: string) => void
  onClose: () => void
}

/** A source: what kind of place it is, where, what of it counts, and how often it is looked at. */
export const SourceSheet = ({ source, forms, collections, save, onSaved, onClose }: SourceSheetProps) => {
  const [kind, setKind] = useState<string>(source?.kind ?? forms[0]?.kind ?? '')
  const standard = collections.find(({ name }) => name === defaultCollection) ?? collections[0]
  const [collection, setCollection] = useState(standard?.id ?? newCollection)
  const chosen = forms.find((one) => one.kind === kind)
  const fields = chosen?.fields ?? []
  const everyMinutes = source ? source.everyMinutes : dailyMinutes
  const isKnown = schedules.some(([minutes]) => minutes === everyMinutes)
  const form = useSending({
    read: (typed): SourceInput => {
      const name = typed.text('name').trim()
      if (!name) throw new Unreadable('name', 'Type a name, to tell it from others.')
      return {
        id: source?.id ?? null,
        kind,
        name,
        collection:
          collection === newCollection
            ? { name: typed.text('collectionName').trim() || defaultCollection }
            : { id: collection },
        config: readConfig(fields, typed),
        everyMinutes: Number(typed.text('everyMinutes')) || null,
      }
    },
    send: save,
    onDone: (_, { name }) => onSaved(name),
  })
  return (
    <SheetForm
      title={source ? `Change ${source.name}` : 'Add a source'}
      note={chosen?.note ?? ''}
      label={source ? 'Save and run' : 'Add and run'}
      form={form}
      onClose={onClose}
    >
      {!source && (
        <ChoiceField
          name="kind"
          label="Kind"
          options={forms.map((one) => [one.kind, one.title] as const)}
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value)}
        />
      )}
      <TextField name="name" label="Name" defaultValue={source?.name ?? ''} maxLength={80} />
      {/* Another kind begins its fields anew. */}
      <div key={kind} className="contents">
        {fields.map((field) => (
          <FieldOfKind key={field.name} field={field} value={source ? source.config[field.name] : field.initial} />
        ))}
      </div>
      {!source && (
        <ChoiceField
          name="collection"
          label="Into"
          options={[...collections.map(({ id, name }) => [id, name] as const), [newCollection, 'New collection…']]}
          value={collection}
          onChange={(event) => setCollection(event.currentTarget.value)}
        />
      )}
      {!source && collection === newCollection && (
        <TextField
          name="collectionName"
          label="Name of the new collection"
          placeholder={defaultCollection}
          maxLength={80}
        />
      )}
      <ChoiceField
        name="everyMinutes"
        label="How often"
        options={[
          ...schedules.map(([minutes, words]) => [String(minutes ?? ''), words] as const),
          ...(isKnown ? [] : [[String(everyMinutes), scheduleWords(everyMinutes)] as const]),
        ]}
        defaultValue={String(everyMinutes ?? '')}
        hint="Only what has changed is fetched again. What is gone there is deleted here."
      />
    </SheetForm>
  )
}
