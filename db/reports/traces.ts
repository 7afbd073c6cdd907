/**
 * Traces as the admin screens show them. Every statement is bound to the viewer's workspace and none writes. Lists never read the
 * spans: they are most of a trace's bytes.
 */
import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import type { Span, Trace, TraceSummary } from '#lib/shared/admin-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { chats, traces, users } from '../schema/index.ts'
import type { Reader } from './reader.ts'

type Insider = Pick<Viewer, 'userId' | 'workspaceId'>

/** `text` is looked for in questions and in names and addresses of people. `before` is the id of the last trace already shown. */
export type TraceFilter = { text?: string; status?: string; model?: string; before?: string; limit?: number }

export type TraceList = { traces: TraceSummary[]; more: boolean }

const limitDefault = 50

const summaryColumns = {
  id: traces.id,
  question: traces.question,
  user: sql<string>`coalesce(${users.name}, 'a person who is gone')`,
  status: traces.status,
  model: traces.model,
  startedAt: traces.startedAt,
  totalMs: traces.totalMs,
  firstTokenMs: traces.firstTokenMs,
  tokensIn: traces.tokensIn,
  tokensOut: traces.tokensOut,
  costMicros: traces.costMicros,
  // The join is to the viewer's own conversations: a link to another person's would open nothing.
  chatId: chats.id,
  messageId: traces.messageId,
}

const selectTraces = <Extra extends Record<string, typeof traces.spans>>(
  db: Reader,
  viewer: Insider,
  where: SQL | undefined,
  extra: Extra,
) =>
  db
    .select({ ...summaryColumns, ...extra })
    .from(traces)
    .leftJoin(users, eq(users.id, traces.userId))
    .leftJoin(chats, and(eq(chats.id, traces.chatId), eq(chats.userId, viewer.userId)))
    .where(and(eq(traces.workspaceId, viewer.workspaceId), where))

const containing = (text: string): SQL => {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`
  return sql`(${traces.question} ilike ${pattern} or ${users.name} ilike ${pattern} or ${users.email} ilike ${pattern})`
}

/** Newest first, `limit` (50) at a time. A `before` that is not a trace of the workspace gives an empty list. */
export const listTraces = async (db: Reader, viewer: Insider, filter: TraceFilter = {}): Promise<TraceList> => {
  const { text, status, model, before, limit = limitDefault } = filter
  const found = await selectTraces(
    db,
    viewer,
    and(
      text ? containing(text) : undefined,
      status ? eq(traces.status, status) : undefined,
      model ? eq(traces.model, model) : undefined,
      before
        ? sql`(${traces.startedAt}, ${traces.id}) < (select t.started_at, t.id from traces t where t.id = ${before} and t.workspace_id = ${viewer.workspaceId})`
        : undefined,
    ),
    {},
  )
    .orderBy(desc(traces.startedAt), desc(traces.id))
    .limit(limit + 1)
  return {
    traces: found.slice(0, limit).map((row) => ({ ...row, startedAt: row.startedAt.toISOString() })),
    more: found.length > limit,
  }
}

/** The models that have answered in the workspace, for the filter. */
export const listTraceModels = async (db: Reader, viewer: Insider): Promise<string[]> => {
  const found = await db
    .selectDistinct({ model: traces.model })
    .from(traces)
    .where(eq(traces.workspaceId, viewer.workspaceId))
  return found.flatMap(({ model }) => (model ? [model] : [])).sort()
}

const oneTrace = async (db: Reader, viewer: Insider, where: SQL): Promise<Trace | null> => {
  const [found] = await selectTraces(db, viewer, where, { spans: traces.spans }).limit(1)
  if (!found) return null
  const { startedAt, spans, ...rest } = found
  // `lib/trace.ts` is the only writer of spans and writes them in this shape.
  return { ...rest, startedAt: startedAt.toISOString(), spans: spans as Span[] }
}

/** A trace with its spans; null when the workspace has none of that id. */
export const getTrace = (db: Reader, viewer: Insider, traceId: string): Promise<Trace | null> =>
  oneTrace(db, viewer, eq(traces.id, traceId))

/** The trace of an answer, by the id of its message. */
export const getTraceOfMessage = (db: Reader, viewer: Insider, messageId: string): Promise<Trace | null> =>
  oneTrace(db, viewer, eq(traces.messageId, messageId))
