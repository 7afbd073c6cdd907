import type { Metadata, Route } from 'next'
import Link from 'next/link'
import { z } from 'zod'
import { AdminHeader, AdminTitle } from '#components/admin/admin-header.tsx'
import { TraceFilters } from '#components/admin/trace-filters.tsx'
import { TraceTable } from '#components/admin/trace-table.tsx'
import { Button } from '#components/ui/button.tsx'
import { EmptyState } from '#components/ui/empty-state.tsx'
import { reader } from '#db/reports/reader.ts'
import { listTraceModels, listTraces } from '#db/reports/traces.ts'
import { page } from '#lib/auth/index.ts'

export const metadata: Metadata = { title: 'Traces' }

/** Parts of the address that make no sense are as if they were not there. */
const searchSchema = z.object({
  q: z.string().max(200).optional().catch(undefined),
  status: z.string().max(40).optional().catch(undefined),
  model: z.string().max(200).optional().catch(undefined),
  before: z.uuid().optional().catch(undefined),
})

export default async function TracesPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const viewer = await page('trace.read')
  const { q, status, model, before } = searchSchema.parse(await searchParams)
  const [{ traces, more }, models] = await Promise.all([
    listTraces(reader(), viewer, {
      ...(q ? { text: q } : {}),
      ...(status ? { status } : {}),
      ...(model ? { model } : {}),
      ...(before ? { before } : {}),
    }),
    listTraceModels(reader(), viewer),
  ])
  const filters = Object.entries({ q, status, model }).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const pageHref = (beforeId?: string) =>
    `/admin/traces?${new URLSearchParams([...filters, ...(beforeId ? [['before', beforeId]] : [])])}` as Route
  const last = traces.at(-1)

  return (
    <>
      <AdminHeader>
        <AdminTitle>Traces</AdminTitle>
      </AdminHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        {(models.length > 0 || traces.length > 0 || filters.length > 0) && <TraceFilters models={models} />}
        {traces.length > 0 ? (
          <TraceTable traces={traces} />
        ) : filters.length > 0 || before ? (
          <EmptyState
            title="No question is like that"
            action={
              <Button asChild>
                <Link href={'/admin/traces' as Route}>Show all</Link>
              </Button>
            }
          >
            Take a filter away, or look for fewer words.
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
