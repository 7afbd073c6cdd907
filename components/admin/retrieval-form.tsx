'use client'
import { ChevronRight, Columns2, X } from 'lucide-react'
import { type FormEvent, type KeyboardEvent, type ReactNode, useId, useState } from 'react'
import { type ScopeCollection, ScopePicker } from '#components/chat/scope-picker.tsx'
import { Button } from '#components/ui/button.tsx'
import { fieldClasses, Input } from '#components/ui/input.tsx'
import { cn } from '#lib/shared/cn.ts'
import { languageName } from '#lib/shared/document-words.ts'
import { type RetrievalSettings, rerankers, retrievalSettingsSchema } from '#lib/shared/gateway-settings.ts'
import type { FilterChoices } from '#lib/shared/knowledge-contract.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import { rerankerWords } from './knowledge-words.ts'
import { ChoiceField, TextField, TickField } from './models-field.tsx'
import { type BenchQuestion, settingNames } from './retrieval-address.ts'
import { changesInWords, settingWords, valueInWords } from './retrieval-compare.ts'
import { Select } from './select.tsx'

const rewriteWords = [
  ['off', 'as it was asked'],
  ['decompose', 'part by part as well'],
] as const

type NumberName = 'vectorWeight' | 'rerankMs' | 'perDocumentMax' | 'efSearch'

/** A number as it is typed; it counts from the moment on at which it is one that the setting takes. */
const NumberSetting = ({
  name,
  value,
  onChange,
  hint,
  unit,
}: {
  name: NumberName
  value: number | null
  onChange: (value: number | null) => void
  hint: string
  unit?: string
}) => {
  const [typed, setTyped] = useState<string | null>(null)
  const parse = (text: string) =>
    retrievalSettingsSchema.shape[name].safeParse(text.trim() ? Number(text.replace(',', '.')) : null)
  const wrong = typed !== null && !parse(typed).success
  return (
    <TextField
      name={name}
      label={settingWords[name]}
      hint={hint}
      {...(unit ? { unit } : {})}
      inputMode="decimal"
      value={typed ?? (value === null ? '' : String(value))}
      aria-invalid={wrong}
      onChange={(event) => {
        setTyped(event.target.value)
        const parsed = parse(event.target.value)
        if (parsed.success) onChange(parsed.data)
      }}
      onBlur={() => setTyped(null)}
    />
  )
}

type ConfigurationProps = { value: RetrievalSettings; onChange: (value: RetrievalSettings) => void }

/** Every switch of a search. */
const ConfigurationFields = ({ value, onChange }: ConfigurationProps) => {
  const set = (change: Partial<RetrievalSettings>) => onChange({ ...value, ...change })
  const tick = (name: 'lexical' | 'vector' | 'graph' | 'expand') => (
    <TickField
      name={name}
      label={settingWords[name]}
      checked={value[name]}
      onChange={(event) => set({ [name]: event.target.checked })}
    />
  )
  return (
    <div className="grid gap-x-6 gap-y-3 sm:grid-cols-2 xl:grid-cols-4">
      <div className="flex flex-col gap-2">
        {tick('lexical')}
        {tick('vector')}
        {tick('graph')}
        {tick('expand')}
      </div>
      <div className="flex flex-col gap-3">
        <ChoiceField
          name="rewrite"
          label={settingWords.rewrite}
          options={rewriteWords}
          value={value.rewrite}
          onChange={(event) => set({ rewrite: event.target.value === 'decompose' ? 'decompose' : 'off' })}
        />
        <ChoiceField
          name="rerank"
          label={settingWords.rerank}
          options={rerankers.map((one) => [one, rerankerWords[one]] as const)}
          value={value.rerank}
          onChange={(event) => set({ rerank: rerankers.find((one) => one === event.target.value) ?? value.rerank })}
        />
      </div>
      <div className="flex flex-col gap-3">
        <NumberSetting
          name="vectorWeight"
          value={value.vectorWeight}
          onChange={(vectorWeight) => set({ vectorWeight })}
          hint="0 to 1; empty: as calibrated for the encoder"
        />
        <NumberSetting
          name="rerankMs"
          value={value.rerankMs}
          onChange={(rerankMs) => rerankMs !== null && set({ rerankMs })}
          hint="20 to 10,000; after it the mix stands"
          unit="ms"
        />
      </div>
      <div className="flex flex-col gap-3">
        <NumberSetting
          name="perDocumentMax"
          value={value.perDocumentMax}
          onChange={(perDocumentMax) => perDocumentMax !== null && set({ perDocumentMax })}
          hint="0 to 20; 0: as many as come"
        />
        <NumberSetting
          name="efSearch"
          value={value.efSearch}
          onChange={(efSearch) => set({ efSearch })}
          hint="10 to 1,000; empty: as measured for the size of the index"
        />
      </div>
    </div>
  )
}

type FilterProps = { filter: DocumentFilter; choices: FilterChoices; onChange: (filter: DocumentFilter) => void }

const lists = [
  { name: 'languages', label: 'Language', any: 'Any language' },
  { name: 'mediaTypes', label: 'Type', any: 'Any type' },
  { name: 'tags', label: 'Tag', any: 'Any tag' },
  { name: 'authors', label: 'Author', any: 'Any author' },
] as const
const days = [
  { name: 'datedFrom', label: 'Dated from' },
  { name: 'datedTo', label: 'Dated to' },
] as const

/** What the search is narrowed to. A value from the address is shown even when no document has it any more. */
const FilterFields = ({ filter, choices, onChange }: FilterProps) => {
  const id = useId()
  const change = (name: keyof DocumentFilter, value: string[] | string | undefined) => {
    const { [name]: _, ...rest } = filter
    onChange(value?.length ? { ...rest, [name]: value } : rest)
  }
  return (
    <div className="flex flex-wrap items-end gap-2">
      {lists.map(({ name, label, any }) => {
        const chosen = filter[name]?.[0] ?? ''
        const offered = [...new Set([...choices[name], ...(chosen ? [chosen] : [])])]
        return (
          <Select
            key={name}
            aria-label={label}
            className="max-w-52 max-sm:max-w-none max-sm:min-w-[calc(50%-4px)] max-sm:flex-1"
            value={chosen}
            onChange={(event) => change(name, event.target.value ? [event.target.value] : undefined)}
          >
            <option value="">{any}</option>
            {offered.map((value) => (
              <option key={value} value={value}>
                {name === 'languages' ? languageName(value) : value}
              </option>
            ))}
          </Select>
        )
      })}
      {days.map(({ name, label }) => (
        <div key={name} className="max-sm:min-w-[calc(50%-4px)] max-sm:flex-1">
          <label htmlFor={`${id}-${name}`} className="mr-1.5 text-[13px] text-muted-foreground">
            {label}
          </label>
          <Input
            id={`${id}-${name}`}
            type="date"
            className="w-auto max-sm:w-full"
            value={filter[name] ?? ''}
            onChange={(event) => change(name, event.target.value || undefined)}
          />
        </div>
      ))}
      {Object.keys(filter).length > 0 && (
        <Button variant="quiet" size="sm" onClick={() => onChange({})}>
          Clear filters
        </Button>
      )}
    </div>
  )
}

type FoldProps = { title: string; said: string; begin?: boolean; children: ReactNode }

/** A part of the form that opens; what is set in it is said while it is closed. */
const Fold = ({ title, said, begin = false, children }: FoldProps) => {
  const [open, setOpen] = useState(begin)
  return (
    <details
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      className="group rounded-md border bg-card"
    >
      <summary className="flex cursor-pointer list-none items-center gap-2 rounded-md px-3 py-2 text-[13px] touch:min-h-11 [&::-webkit-details-marker]:hidden">
        <ChevronRight
          aria-hidden
          className="size-4 shrink-0 text-muted-foreground transition-transform duration-120 group-open:rotate-90 motion-reduce:transition-none"
        />
        <span className="shrink-0 font-medium">{title}</span>
        <span className="min-w-0 truncate text-muted-foreground">{said}</span>
      </summary>
      <div className="border-t px-3 py-3">{children}</div>
    </details>
  )
}

const configurationInWords = (own: RetrievalSettings): string =>
  settingNames.map((name) => `${settingWords[name]}: ${valueInWords(own[name])}`).join(' · ')

type RetrievalFormProps = {
  /** As the address has it. */
  asked: BenchQuestion
  own: RetrievalSettings
  collections: readonly ScopeCollection[]
  choices: FilterChoices
  busy: boolean
  onAsk: (question: BenchQuestion) => void
}

/** What is asked, where, and with which configurations. Enter asks; Shift and Enter begin a line. */
export const RetrievalForm = ({ asked, own, collections, choices, busy, onAsk }: RetrievalFormProps) => {
  const [draft, setDraft] = useState(asked)
  const key = JSON.stringify(asked)
  const [seen, setSeen] = useState(key)
  // Back and a click on a saved question change what is asked from outside.
  if (seen !== key) {
    setSeen(key)
    setDraft(asked)
  }
  const set = (change: Partial<BenchQuestion>) => setDraft({ ...draft, ...change })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (draft.question.trim()) onAsk({ ...draft, question: draft.question.trim() })
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    event.currentTarget.form?.requestSubmit()
  }
  const filters = Object.keys(draft.filter).length
  const changes = draft.second ? changesInWords(own, draft.second) : []
  return (
    <form aria-label="Search" className="flex flex-col gap-2.5 px-5 py-4 max-sm:px-4" onSubmit={submit}>
      <div className="flex items-start gap-2 max-sm:flex-col">
        <textarea
          aria-label="Question"
          placeholder="Ask as people ask"
          rows={2}
          maxLength={2_000}
          dir="auto"
          className={cn(fieldClasses, 'min-h-8 flex-1 resize-y py-1.5 max-sm:w-full touch:text-base')}
          value={draft.question}
          onChange={(event) => set({ question: event.target.value })}
          onKeyDown={onKeyDown}
        />
        <Button type="submit" variant="primary" disabled={busy || !draft.question.trim()} className="max-sm:w-full">
          Search
        </Button>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <ScopePicker
          collections={collections}
          chosen={draft.collectionIds}
          onChange={(collectionIds) => set({ collectionIds })}
        />
        <Button size="sm" onClick={() => set({ second: draft.second ? null : own })}>
          {draft.second ? <X /> : <Columns2 />}
          {draft.second ? 'Stop comparing' : 'Compare with another configuration'}
        </Button>
      </div>
      <Fold title="Filters" said={filters === 0 ? 'none' : `${filters} set`} begin={filters > 0}>
        <FilterFields filter={draft.filter} choices={choices} onChange={(filter) => set({ filter })} />
      </Fold>
      <Fold title="The workspace’s configuration" said={configurationInWords(own)}>
        <ul className="grid gap-x-6 gap-y-1 text-[13px] sm:grid-cols-2 xl:grid-cols-4">
          {settingNames.map((name) => (
            <li key={name}>
              <span className="text-muted-foreground">{settingWords[name]}:</span> {valueInWords(own[name])}
            </li>
          ))}
        </ul>
      </Fold>
      {draft.second && (
        <fieldset className="min-w-0 rounded-md border bg-card px-3 pt-1 pb-3">
          <legend className="px-1 font-medium text-[13px]">The other configuration</legend>
          <p className="mb-3 text-[12.5px] text-muted-foreground">
            {changes.length === 0
              ? 'As the workspace’s so far. Change something, then search.'
              : `Changed: ${changes.join('; ')}.`}
          </p>
          <ConfigurationFields value={draft.second} onChange={(second) => set({ second })} />
        </fieldset>
      )}
    </form>
  )
}
