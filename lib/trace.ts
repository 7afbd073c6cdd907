/**
 * A trace: what happened on the way from a question to its answer, as spans on one time axis. Collected in memory and written
 * once, best effort: losing a trace never fails a question. Attributes carry ids, counts, scores and settings.
 */
import { database } from '#db/client.ts'
import { upsertTrace } from '#db/queries/traces.ts'
import { log } from './log.ts'
import { exportTrace } from './otel.ts'
import { noteTrace } from './request-context.ts'
import type { Span, SpanStatus } from './shared/admin-contract.ts'
import { newId } from './shared/ids.ts'
import { messageOf, withoutSecrets } from './shared/scrub.ts'
import type { Viewer } from './shared/viewer.ts'

/** Bounds on one trace's memory; a turn has about ten spans, and the longest text in them is a prompt. */
const spansMax = 200
const textCharsMax = 60_000
const itemsMax = 500
const depthMax = 6

/** A value as it can be stored: no longer than the bound, without keys and passwords, and without what PostgreSQL takes in no JSON (NUL, half a character). */
const storable = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') {
    const whole = value.length <= textCharsMax ? value : `${value.slice(0, textCharsMax)}… (${value.length} characters)`
    return withoutSecrets(whole.replaceAll('\0', '').toWellFormed())
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth >= depthMax) return '…'
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((one) => storable(one, depth + 1))
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) return value
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, itemsMax)
      .map(([key, inner]) => [String(storable(key)), storable(inner, depth + 1)]),
  )
}

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
  /** The version of the workspace's rules that it was answered under. */
  policyVersion?: number | null
  model?: string | null
  totalMs?: number | null
  firstTokenMs?: number | null
  tokensIn?: number | null
  tokensOut?: number | null
  costMicros?: number | null
}

export type TraceRecord = Tracer & {
  /** Puts `words` in the place of an attribute, on spans of a name or on all: what nobody may read yet is not for a trace either. */
  cover(attribute: string, words: string, spanName?: string): void
  finish(summary: TraceSummaryFields): Promise<void>
}

export type TraceStart = { viewer: Viewer; question: string; chatId?: string; messageId?: string; now?: () => number }

export const startTrace = ({
  viewer,
  question,
  chatId,
  messageId,
  now = () => performance.now(),
}: TraceStart): TraceRecord => {
  const traceId = newId()
  noteTrace(traceId)
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
        span.set({ error: error instanceof Error ? messageOf(error) : String(error) })
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
      set: (attributes) => {
        Object.assign(span.attributes, storable(attributes))
      },
      label: (text) => {
        span.label = String(storable(text))
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
    cover: (attribute, words, spanName) => {
      for (const { name, attributes } of spans)
        if (attribute in attributes && (spanName ?? name) === name) attributes[attribute] = words
    },
    finish: async (summary) => {
      exportTrace({
        traceId,
        startedAt,
        endMs: now() - origin,
        workspaceId: viewer.workspaceId,
        userId: viewer.userId,
        chatId: chatId ?? null,
        messageId: messageId ?? null,
        status: summary.status,
        firstTokenMs: summary.firstTokenMs ?? null,
        tokensIn: summary.tokensIn ?? null,
        tokensOut: summary.tokensOut ?? null,
        costMicros: summary.costMicros ?? null,
        spans,
      })
      try {
        await upsertTrace(database().db, {
          id: traceId,
          workspaceId: viewer.workspaceId,
          userId: viewer.userId,
          chatId: chatId ?? null,
          messageId: messageId ?? null,
          question: withoutSecrets(question),
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
