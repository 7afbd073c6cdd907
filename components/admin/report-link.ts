'use client'
import type { Route } from 'next'
import { usePathname, useSearchParams } from 'next/navigation'

type Changes = Record<string, string | null>

/** Addresses of the same report with parts of its query changed; null takes one out. */
export const useReportLink = (): ((changes: Changes) => Route) => {
  const pathname = usePathname()
  const params = useSearchParams()
  return (changes) => {
    const next = new URLSearchParams(params)
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value)
      else next.delete(name)
    }
    const query = next.toString()
    return `${pathname}${query ? `?${query}` : ''}` as Route
  }
}

/** The list of traces, narrowed. */
export const tracesHref = (filter: { q?: string; model?: string; status?: string }): Route =>
  `/admin/traces?${new URLSearchParams(filter)}` as Route
