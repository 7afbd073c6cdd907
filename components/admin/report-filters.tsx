'use client'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTransition } from 'react'
import { Button } from '#components/ui/button.tsx'
import { cn } from '#lib/shared/cn.ts'
import { type CallFilter, type CallFilterChoices, type Range, ranges } from '#lib/shared/operations-contract.ts'
import { outcomeWords } from './outcome-words.ts'
import { useReportLink } from './report-link.ts'
import { Select } from './select.tsx'

const rangeWords: Record<Range, string> = { '24h': '24 hours', '7d': '7 days', '30d': '30 days' }

type Option = { value: string; label: string }

/** A choice of a few as links: each is an address of its own, and the one that is shown says so. */
export const LinkSwitch = ({
  label,
  name,
  value,
  options,
  resets = ['before'],
}: {
  label: string
  name: string
  value: string
  options: readonly Option[]
  /** What of the address means nothing any more after another choice. */
  resets?: readonly string[]
}) => {
  const linkTo = useReportLink()
  const gone = Object.fromEntries(resets.map((one) => [one, null]))
  return (
    <nav
      aria-label={label}
      className="inline-flex max-w-full overflow-x-auto rounded-[7px] border border-input bg-card p-px"
    >
      {options.map((option) => (
        <Link
          key={option.value}
          href={linkTo({ ...gone, [name]: option.value })}
          replace
          scroll={false}
          prefetch={false}
          aria-current={option.value === value ? 'true' : undefined}
          className={cn(
            'flex h-7 shrink-0 items-center rounded-[5px] px-2.5 text-[13px] focus-visible:-outline-offset-2 touch:h-10',
            option.value === value
              ? 'bg-accent font-medium text-accent-foreground'
              : 'text-muted-foreground hover:bg-muted hover:text-foreground',
          )}
        >
          {option.label}
        </Link>
      ))}
    </nav>
  )
}

/** What the address says is always to be chosen, also when nothing in this time is like it. */
const withChosen = (options: Option[], chosen: string | undefined): Option[] =>
  !chosen || options.some(({ value }) => value === chosen)
    ? options
    : [...options, { value: chosen, label: outcomeWords(chosen) }]

/** Time and filters of a report. They live in the address and are applied by the server. */
export const ReportFilters = ({
  range,
  filter,
  choices,
}: {
  range: Range
  filter: CallFilter
  choices: CallFilterChoices
}) => {
  const router = useRouter()
  const linkTo = useReportLink()
  const [pending, startTransition] = useTransition()
  const plain = (values: string[]): Option[] => values.map((value) => ({ value, label: value }))
  const fields: { name: keyof CallFilter; label: string; any: string; options: Option[] }[] = [
    { name: 'model', label: 'Model', any: 'Any model', options: plain(choices.models) },
    { name: 'task', label: 'Task', any: 'Any task', options: plain(choices.tasks) },
    {
      name: 'user',
      label: 'Person',
      any: 'Anybody',
      options: choices.users.map(({ id, name }) => ({ value: id, label: name })),
    },
    { name: 'feature', label: 'Feature', any: 'Any feature', options: plain(choices.features) },
    {
      name: 'status',
      label: 'Outcome',
      any: 'Any outcome',
      options: [
        { value: 'failed', label: outcomeWords('failed') },
        ...choices.statuses.map((value) => ({ value, label: outcomeWords(value) })),
      ],
    },
  ]
  return (
    <search aria-busy={pending} className="flex flex-wrap items-center gap-2 px-5 py-3 max-sm:px-4">
      <LinkSwitch
        label="Time"
        name="range"
        value={range}
        options={ranges.map((value) => ({ value, label: rangeWords[value] }))}
      />
      {fields.map(({ name, label, any, options }) => (
        <Select
          key={name}
          aria-label={label}
          className="max-w-40 max-sm:max-w-none max-sm:min-w-[calc(50%-4px)] max-sm:flex-1"
          value={filter[name] ?? ''}
          onChange={(event) => {
            const { value } = event.target
            startTransition(() => router.replace(linkTo({ [name]: value || null }), { scroll: false }))
          }}
        >
          <option value="">{any}</option>
          {withChosen(options, filter[name]).map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </Select>
      ))}
      {Object.values(filter).some(Boolean) && (
        <Button variant="quiet" size="sm" asChild>
          <Link
            href={linkTo({ model: null, task: null, user: null, feature: null, status: null })}
            replace
            scroll={false}
            prefetch={false}
          >
            Clear filters
          </Link>
        </Button>
      )}
    </search>
  )
}
