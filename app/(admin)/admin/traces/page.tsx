import type { Metadata, Route } from 'next'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import { z } from 'zod'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { TraceFilters } from '#components/admin/trace-filters.tsx'
import { TraceTable } from '#components/admin/trace-table.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { reader } from '#db/reports/reader.ts'
import { listTraceChoices, listTraces } from '#db/reports/traces.ts'
import { page } from '#lib/auth/index.ts'
import { traceCacheKinds } from '#lib/shared/admin-contract.ts'
import { periodOf, ranges } from '#lib/shared/operations-contract.ts'

export const metadata: Metadata = { title: 'Traces' }

/** An empty part is one that is not there; a NUL is in no text of the database. */
const words = z
  .string()
  .max(300)
  .regex(/^[^\0]+$/)
  .optional()
  .catch(undefined)

/** Parts of the address that make no sense are as if they were not there. */
const filterSchema = z.object({
  q: words,
  status: words,
  model: words,
  task: words,
  tier: words,
  cache: z.enum(traceCacheKinds).optional().catch(undefined),
  user: z.uuid().optional().catch(undefined),
  provider: words,
  route: words,
  outcome: words,
  feature: words,
  flag: words,
  fingerprint: words,
  prompt: words,
  policy: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .optional()
    .catch(undefined),
})
const placeSchema = z.object({
  range: z.enum(ranges).optional().catch(undefined),
  before: z.uuid().optional().catch(undefined),
})

/** The lists of the filters offer what was used within this time, unless a time is chosen. */
const choicesDays = 90
const dayMs = 86_400_000

export default async function TracesPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('trace.read')
  const asked = await searchParams
  const filter = filterSchema.parse(asked)
  const { range, before } = placeSchema.parse(asked)
  const now = new Date()
  const from = range && periodOf(range, now).from
  const [{ traces, more }, choices] = await Promise.all([
    listTraces(reader(), viewer, { ...filter, ...(from ? { from } : {}), ...(before ? { before } : {}) }),
    listTraceChoices(reader(), viewer, from ?? new Date(now.getTime() - choicesDays * dayMs)),
  ])
  const set = Object.entries({ range, ...filter }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  )
  const pageHref = (beforeId?: string): Route => {
    const query = new URLSearchParams([...set, ...(beforeId ? [['before', beforeId]] : [])]).toString()
    return `/admin/traces${query ? `?${query}` : ''}` as Route
  }
  // The place in the list is of another time or filter, or gone: begin at the newest.
  if (before && traces.length === 0) redirect(pageHref())
  const last = traces.at(-1)

  return (
    <>
      <AdminHeader>
        <AdminTitle>Traces</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {(choices.users.length > 0 || traces.length > 0 || set.length > 0) && (
          <TraceFilters range={range} filter={filter} choices={choices} />
        )}
        {traces.length > 0 ? (
          <TraceTable traces={traces} />
        ) : set.length > 0 ? (
          <EmptyState
            title="No question is like that"
            action={
              <Button asChild>
                <Link href={'/admin/traces' as Route}>Show all</Link>
              </Button>
            }
          >
            Take a filter away, choose a longer time, or look for fewer words.
          </EmptyState>
        ) : (
          <EmptyState
            title="No questions yet"
            action={
              <Button variant="primary" asChild>
                <Link href="/">Ask a question</Link>
              </Button>
            }
          >
            Every question leaves a trace: what was searched, what was found, what the model was sent, how long it took
            and what it cost.
          </EmptyState>
        )}
        {(before || more) && (
          <nav aria-label="Pages" className="flex justify-between gap-2 px-5 py-4 max-sm:px-4">
            {before ? (
              <Button asChild>
                <Link href={pageHref()}>Show the newest</Link>
              </Button>
            ) : (
              <span />
            )}
            {more && last && (
              <Button asChild>
                <Link href={pageHref(last.id)}>Show older</Link>
              </Button>
            )}
          </nav>
        )}
      </div>
    </>
  )
}
