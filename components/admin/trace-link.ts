import type { Route } from 'next'
import type { TraceFilter } from '#lib/shared/admin-contract.ts'

/** The list of traces, narrowed to what is like this. */
export const tracesLike = (filter: TraceFilter): Route =>
  `/admin/traces?${new URLSearchParams(
    Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )}` as Route
