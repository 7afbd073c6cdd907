'use client'
import { X } from 'lucide-react'
import type { Route } from 'next'
import { usePathname, useRouter, useSearchParams } from 'next/navigation'
import { useEffect, useRef, useState, useTransition } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input } from '#components/ui/input.tsx'
import {
  type TraceCacheKind,
  type TraceChoices,
  type TraceFilter,
  traceCacheKinds,
} from '#lib/shared/admin-contract.ts'
import { type Range, ranges } from '#lib/shared/operations-contract.ts'
import { taskWords } from './models-words.ts'
import { outcomeWords } from './outcome-words.ts'
import { LinkSwitch } from './report-filters.tsx'
import { Select } from './select.tsx'
import { traceStatuses, traceStatusWords } from './trace-status.tsx'

const typingMs = 300

const rangeWords: Record<Range, string> = { '24h': '24 hours', '7d': '7 days', '30d': '30 days' }

const cacheWords: Record<TraceCacheKind, string> = {
  any: 'From the cache',
  exact: 'Same question before',
  semantic: 'Like question before',
  none: 'Not from the cache',
}

type Option = { value: string; label: string }

/** What is chosen in the list of a trace's facts and not here: shown while it is set, and taken away by a press. */
const factWords: Partial<Record<keyof TraceFilter, (value: string) => string>> = {
  provider: (value) => `provider ${value}`,
  route: (value) => `route ${value}`,
  outcome: (value) => `a call: ${outcomeWords(value).toLowerCase()}`,
  feature: (value) => `feature ${value}`,
  flag: (value) => `flag ${value}`,
  fingerprint: (value) => `fingerprint ${value}`,
  prompt: (value) => `prompt ${value}`,
  policy: (value) => `policy version ${value}`,
}

/** What the address says is always to be chosen, also when nothing lately is like it. */
const withChosen = (options: Option[], chosen: string): Option[] =>
  !chosen || options.some(({ value }) => value === chosen) ? options : [...options, { value: chosen, label: chosen }]

type Props = { range: Range | undefined; filter: TraceFilter; choices: TraceChoices }

/** Filters live in the address and are applied by the server; changing one starts again at the newest. */
export const TraceFilters = ({ range, filter, choices }: Props) => {
  const router = useRouter()
  const pathname = usePathname()
  const params = useSearchParams()
  const asked = filter.q ?? ''
  const [text, setText] = useState(asked)
  const [pending, startTransition] = useTransition()
  /** Only what a person types is applied: a field that is emptied with the other filters must not bring them back. */
  const typed = useRef(false)

  const apply = (changes: Record<string, string | null>) => {
    const next = new URLSearchParams(params)
    next.delete('before')
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value)
      else next.delete(name)
    }
    const query = next.toString()
    startTransition(() => router.replace(`${pathname}${query ? `?${query}` : ''}` as Route, { scroll: false }))
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing starts the wait
  useEffect(() => {
    if (!typed.current || text.trim() === asked) return
    const timer = setTimeout(() => apply({ q: text.trim() }), typingMs)
    return () => clearTimeout(timer)
  }, [text])

  const plain = (values: string[]): Option[] => values.map((value) => ({ value, label: value }))
  const fields: { name: keyof TraceFilter; label: string; any: string; options: Option[] }[] = [
    {
      name: 'status',
      label: 'Outcome',
      any: 'Any outcome',
      options: traceStatuses.map((value) => ({ value, label: traceStatusWords(value) })),
    },
    { name: 'model', label: 'Model', any: 'Any model', options: plain(choices.models) },
    {
      name: 'task',
      label: 'Task',
      any: 'Any task',
      options: choices.tasks.map((value) => ({ value, label: taskWords(value) })),
    },
    {
      name: 'tier',
      label: 'Tier',
      any: 'Any tier',
      options: choices.tiers.map((value) => ({ value, label: taskWords(value) })),
    },
    {
      name: 'cache',
      label: 'Cache',
      any: 'Cache or not',
      options: traceCacheKinds.map((value) => ({ value, label: cacheWords[value] })),
    },
    {
      name: 'user',
      label: 'Person',
      any: 'Anybody',
      options: choices.users.map(({ id, name }) => ({ value: id, label: name })),
    },
  ]
  const names = Object.keys(filter) as (keyof TraceFilter)[]
  const facts = names.flatMap((name) => {
    const words = factWords[name]
    const value = filter[name]
    return words && value !== undefined ? [{ name, label: words(String(value)) }] : []
  })
  return (
    <search aria-busy={pending} className="flex flex-wrap items-center gap-2 px-5 py-3 max-sm:px-4">
      <LinkSwitch
        label="Time"
        name="range"
        value={range ?? ''}
        options={[{ value: '', label: 'Any time' }, ...ranges.map((value) => ({ value, label: rangeWords[value] }))]}
      />
      <Input
        type="search"
        className="w-64 max-sm:w-full"
        aria-label="Find in questions and people"
        placeholder="Find in questions and people"
        value={text}
        onChange={(event) => {
          typed.current = true
          setText(event.target.value)
        }}
      />
      {fields.map(({ name, label, any, options }) => {
        const chosen = String(filter[name] ?? '')
        return (
          <Select
            key={name}
            aria-label={label}
            className="max-w-40 max-sm:max-w-none max-sm:min-w-[calc(50%-4px)] max-sm:flex-1"
            value={chosen}
            onChange={(event) => apply({ [name]: event.target.value })}
          >
            <option value="">{any}</option>
            {withChosen(options, chosen).map((option) => (
              <option key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </Select>
        )
      })}
      {facts.map(({ name, label }) => (
        <Button
          key={name}
          size="sm"
          className="max-w-full"
          aria-label={`Take away: ${label}`}
          onClick={() => apply({ [name]: null })}
        >
          <span className="truncate">{label}</span>
          <X />
        </Button>
      ))}
      {names.some((name) => filter[name] !== undefined) && (
        <Button
          variant="quiet"
          size="sm"
          onClick={() => {
            typed.current = false
            setText('')
            apply(Object.fromEntries(names.map((name) => [name, null])))
          }}
        >
          Clear filters
        </Button>
      )}
    </search>
  )
}
