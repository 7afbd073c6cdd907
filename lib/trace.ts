/**
 * A trace: what happened on the way from a question to its answer, as spans on one time axis. Collected in memory and written
 * once, best effort: losing a trace never fails a question. Attributes carry ids, counts, scores and settings.
 */
import { database } from '#db/client.ts'
import { upsertTrace } from '#db/queries/traces.ts'
import { log } from './log.ts'
import type { Span, SpanStatus } from './shared/admin-contract.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'

/** A bound on one trace's memory; a turn has about ten spans. */
const spansMax = 200

export type SpanHandle = {
  /** Adds what became known; may be called often. */
  set(attributes: Record<string, unknown>): void
  label(text: string): void
  cost(micros: number | null): void
  end(status?: SpanStatus): void
}

export type Tracer = {
  readonly traceId: string
  /** Opens a span; close it with `end`. */
  open(name: string, label?: string): SpanHandle
  /** Runs `work` inside a span; spans opened through the tracer it gets are children. A throw ends the span as failed. */
  run<T>(name: string, work: (span: SpanHandle, child: Tracer) => Promise<T>): Promise<T>
}

export type TraceSummaryFields = {
  status: string
  model?: string | null
  totalMs?: number | null
  firstTokenMs?: number | null
  tokensIn?: number | null
  tokensOut?: number | null
  costMicros?: number | null
}

export type TraceRecord = Tracer & { finish(summary: TraceSummaryFields): Promise<void> }

export type TraceStart = { viewer: Viewer; question: string; chatId?: string; messageId?: string; now?: () => number }

export const startTrace = ({
  viewer,
  question,
  chatId,
  messageId,
  now = () => performance.now(),
}: TraceStart): TraceRecord => {
  const traceId = newId()
  const startedAt = new Date()
  const origin = now()
  const spans: Span[] = []

  const tracer = (parentId: string | null): Tracer => ({
    traceId,
    open: (name, label = name) => openSpan(parentId, name, label),
    run: async (name, work) => {
      const span = openSpan(parentId, name, name)
      try {
        const result = await work(span, tracer(span.id))
        span.end()
        return result
      } catch (error) {
        span.set({ error: error instanceof Error ? error.message : String(error) })
        span.end('failed')
        throw error
      }
    },
  })

  const openSpan = (parentId: string | null, name: string, label: string): SpanHandle & { id: string } => {
    const span: Span = {
      id: newId(),
      parentId,
      name,
      label,
      startMs: now() - origin,
      durationMs: 0,
      status: 'ok',
      costMicros: null,
      attributes: {},
    }
    if (spans.length < spansMax) spans.push(span)
    let open = true
    return {
      id: span.id,
      set: (attributes) => Object.assign(span.attributes, attributes),
      label: (text) => {
        span.label = text
      },
      cost: (micros) => {
        span.costMicros = micros
      },
      end: (status = 'ok') => {
        if (!open) return
        open = false
        span.durationMs = now() - origin - span.startMs
        span.status = status
      },
    }
  }

  return {
    ...tracer(null),
    finish: async (summary) => {
      try {
        await upsertTrace(database().db, {
          id: traceId,
          workspaceId: viewer.workspaceId,
          userId: viewer.userId,
          chatId: chatId ?? null,
          messageId: messageId ?? null,
          question,
          startedAt,
          ...summary,
          spans,
        })
      } catch (error) {
        // Fails open: an answer is worth more than the record of it.
        log.warn({ err: error, traceId }, 'trace not stored')
      }
    },
  }
}
