'use client'
import type { Route } from 'next'
import { usePathname, useRouter, useSearchParams } from 'next/navigation'
import { useEffect, useState, useTransition } from 'react'
import { Button } from '#components/ui/button.tsx'
import { Input } from '#components/ui/input.tsx'
import { Select } from './select.tsx'
import { traceStatuses, traceStatusWords } from './trace-status.tsx'

const typingMs = 300

/** Filters live in the address and are applied by the server; changing one starts again at the newest. */
export const TraceFilters = ({ models }: { models: readonly string[] }) => {
  const router = useRouter()
  const pathname = usePathname()
  const params = useSearchParams()
  const asked = params.get('q') ?? ''
  const [text, setText] = useState(asked)
  const [pending, startTransition] = useTransition()

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
    if (text.trim() === asked) return
    const timer = setTimeout(() => apply({ q: text.trim() }), typingMs)
    return () => clearTimeout(timer)
  }, [text])

  const status = params.get('status') ?? ''
  const model = params.get('model') ?? ''
  return (
    <search aria-busy={pending} className="flex flex-wrap items-center gap-2 px-5 py-3 max-sm:px-4">
      <Input
        type="search"
        className="w-64 max-sm:w-full"
        aria-label="Find in questions and people"
        placeholder="Find in questions and people"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Select
        aria-label="Outcome"
        className="max-sm:min-w-0 max-sm:flex-1"
        value={status}
        onChange={(event) => apply({ status: event.target.value })}
      >
        <option value="">Any outcome</option>
        {traceStatuses.map((one) => (
          <option key={one} value={one}>
            {traceStatusWords(one)}
          </option>
        ))}
      </Select>
      <Select
        aria-label="Model"
        className="max-sm:min-w-0 max-sm:flex-1"
        value={model}
        onChange={(event) => apply({ model: event.target.value })}
      >
        <option value="">Any model</option>
        {models.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </Select>
      {(asked || status || model) && (
        <Button
          variant="quiet"
          size="sm"
          onClick={() => {
            setText('')
            apply({ q: null, status: null, model: null })
          }}
        >
          Clear filters
        </Button>
      )}
    </search>
  )
}
