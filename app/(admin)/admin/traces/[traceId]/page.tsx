import type { Metadata, Route } from 'next'
import { notFound, redirect } from 'next/navigation'
import { z } from 'zod'
import { TraceScreen } from '#components/admin/trace-screen.tsx'
import { reader } from '#db/reports/reader.ts'
import { getTrace, getTraceOfMessage } from '#db/reports/traces.ts'
import { page } from '#lib/auth/index.ts'

export const metadata: Metadata = { title: 'Trace' }

/** The id of a trace, or of an answer, which leads to its trace. */
export default async function TracePage({ params }: { params: Promise<{ traceId: string }> }) {
  const viewer = await page('trace.read')
  const id = z.uuid().safeParse((await params).traceId)
  if (!id.success) notFound()
  const trace = await getTrace(reader(), viewer, id.data)
  if (trace) return <TraceScreen trace={trace} />
  const ofMessage = await getTraceOfMessage(reader(), viewer, id.data)
  if (!ofMessage) notFound()
  redirect(`/admin/traces/${ofMessage.id}` as Route)
}
