/**
 * Traces as the admin screens show them. Every statement is bound to the viewer's workspace and none writes. Lists never read the
 * spans: they are most of a trace's bytes.
 */
import { and, asc, desc, eq, gte, isNotNull, not, or, type SQL, sql } from 'drizzle-orm'
import type { Span, Trace, TraceCall, TraceChoices, TraceFilter, TraceSummary } from '#lib/shared/admin-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { chats, modelCalls, traces, users } from '../schema/index.ts'
import { asReadableSpans } from './closed-spans.ts'
import type { Reader } from './reader.ts'

type Insider = Pick<Viewer, 'userId' | 'workspaceId'>

export type TraceQuery = TraceFilter & {
  /** The oldest moment; without it, all of them. */
  from?: Date
  /** The id of the last trace already shown. */
  before?: string
  limit?: number
}

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

const selectTraces = <
  Extra extends Record<string, typeof traces.spans | typeof traces.chatId | typeof traces.policyVersion>,
>(
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

/** Some call of the trace for which `what` is true. By message first: that is what the ledger is indexed by. */
const someCall = (viewer: Insider, what: SQL | undefined): SQL =>
  sql`exists (select 1 from ${modelCalls} where ${and(
    eq(modelCalls.messageId, traces.messageId),
    eq(modelCalls.traceId, traces.id),
    eq(modelCalls.workspaceId, viewer.workspaceId),
    what,
  )})`

const isCached = sql`${modelCalls.cache} is not null`

/** What the filter says of a call; undefined when it says nothing. */
const callLike = (filter: TraceFilter): SQL | undefined => {
  const { task, tier, cache, provider, route, outcome, feature, flag, fingerprint, prompt, policy } = filter
  return and(
    task ? eq(modelCalls.task, task) : undefined,
    tier ? eq(modelCalls.tier, tier) : undefined,
    cache === 'any' ? isCached : cache && cache !== 'none' ? eq(modelCalls.cache, cache) : undefined,
    provider ? eq(modelCalls.provider, provider) : undefined,
    route ? eq(modelCalls.route, route) : undefined,
    outcome ? eq(modelCalls.outcome, outcome) : undefined,
    feature ? eq(modelCalls.feature, feature) : undefined,
    flag ? sql`${flag} = any(${modelCalls.flags})` : undefined,
    fingerprint ? eq(modelCalls.fingerprint, fingerprint) : undefined,
    prompt ? eq(modelCalls.promptHash, prompt) : undefined,
    policy === undefined ? undefined : eq(modelCalls.policyVersion, policy),
  )
}

const withCalls = (viewer: Insider, filter: TraceFilter): SQL | undefined => {
  const { model, cache } = filter
  const like = callLike(filter)
  const ofModel = model ? or(eq(modelCalls.requestedModel, model), eq(modelCalls.servedModel, model)) : undefined
  return and(
    like ? someCall(viewer, and(like, ofModel)) : undefined,
    // By itself a model is also the one that the trace names: that outlives the ledger.
    model && !like ? or(eq(traces.model, model), someCall(viewer, ofModel)) : undefined,
    cache === 'none' ? not(someCall(viewer, isCached)) : undefined,
  )
}

/** Newest first, `limit` (50) at a time. A `before` that is not a trace of the workspace gives an empty list. */
export const listTraces = async (db: Reader, viewer: Insider, query: TraceQuery = {}): Promise<TraceList> => {
  const { q, status, user, from, before, limit = limitDefault } = query
  const found = await selectTraces(
    db,
    viewer,
    and(
      from ? gte(traces.startedAt, from) : undefined,
      q ? containing(q) : undefined,
      status ? eq(traces.status, status) : undefined,
      user ? eq(traces.userId, user) : undefined,
      withCalls(viewer, query),
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

const peopleMax = 2_000

const byName = new Intl.Collator()
const distinct = (names: readonly (string | null)[]): string[] =>
  [...new Set(names.flatMap((name) => name || []))].sort()

/** What the traces since `from` can be narrowed to; of people the 2,000 who asked most. */
export const listTraceChoices = async (db: Reader, viewer: Insider, from: Date): Promise<TraceChoices> => {
  const { requestedModel, servedModel, task, tier, traceId } = modelCalls
  const since = and(eq(traces.workspaceId, viewer.workspaceId), gte(traces.startedAt, from))
  // Few ways to call: grouped by all at once, for a list of each alone would sort the calls as often as there are lists.
  const called = db
    .selectDistinct({ requestedModel, servedModel, task, tier })
    .from(modelCalls)
    .where(and(eq(modelCalls.workspaceId, viewer.workspaceId), gte(modelCalls.at, from), isNotNull(traceId)))
  const named = db.selectDistinct({ model: traces.model }).from(traces).where(since)
  // Cut off before names are looked up: ids are cheap to sort.
  const asked = sql`(select ${traces.userId} as user_id from ${traces} where ${since}
    group by 1 order by count(*) desc, 1 limit ${peopleMax}) asked`
  const people = db
    .select({ id: users.id, name: users.name })
    .from(users)
    .innerJoin(asked, sql`asked.user_id = ${users.id}`)
  const [calls, names, choices] = await Promise.all([called, named, people])
  const models = [...names.map(({ model }) => model), ...calls.flatMap((one) => [one.requestedModel, one.servedModel])]
  return {
    models: distinct(models),
    tasks: distinct(calls.map((one) => one.task)),
    tiers: distinct(calls.map((one) => one.tier)),
    users: choices.sort((a, b) => byName.compare(a.name, b.name)),
  }
}

const callColumns = {
  id: modelCalls.id,
  at: modelCalls.at,
  task: modelCalls.task,
  feature: modelCalls.feature,
  tier: modelCalls.tier,
  route: modelCalls.route,
  provider: modelCalls.provider,
  requestedModel: modelCalls.requestedModel,
  servedModel: modelCalls.servedModel,
  fingerprint: modelCalls.fingerprint,
  outcome: modelCalls.outcome,
  cache: modelCalls.cache,
  attempts: modelCalls.attempts,
  tokensIn: modelCalls.tokensIn,
  tokensOut: modelCalls.tokensOut,
  tokensCached: modelCalls.tokensCached,
  tokensReasoning: modelCalls.tokensReasoning,
  usageEstimated: modelCalls.usageEstimated,
  costMicros: modelCalls.costMicros,
  savedMicros: modelCalls.savedMicros,
  savedTokens: modelCalls.savedTokens,
  flags: modelCalls.flags,
  firstTokenMs: modelCalls.firstTokenMs,
  totalMs: modelCalls.totalMs,
  promptName: modelCalls.promptName,
  promptVersion: modelCalls.promptVersion,
  promptHash: modelCalls.promptHash,
  policyVersion: modelCalls.policyVersion,
}

const callsMax = 100

/** The trace's lines of the ledger, in the order in which they were written. */
const listCallsOf = async (
  db: Reader,
  viewer: Insider,
  { id, messageId }: Pick<TraceSummary, 'id' | 'messageId'>,
): Promise<TraceCall[]> => {
  // The ledger is indexed by message, and every trace of a turn has one.
  if (messageId === null) return []
  const found = await db
    .select(callColumns)
    .from(modelCalls)
    .where(
      and(
        eq(modelCalls.messageId, messageId),
        eq(modelCalls.traceId, id),
        eq(modelCalls.workspaceId, viewer.workspaceId),
      ),
    )
    // A stored turn writes its lines at one moment, a failed try before what came of it; their ids rise with time.
    .orderBy(asc(modelCalls.at), sql`${modelCalls.outcome} = 'ok'`, asc(modelCalls.id))
    .limit(callsMax)
  return found.map((row) => ({ ...row, at: row.at.toISOString() }))
}

const oneTrace = async (db: Reader, viewer: Insider, where: SQL): Promise<Trace | null> => {
  const { spans: stored, chatId, policyVersion } = traces
  const [found] = await selectTraces(db, viewer, where, { spans: stored, conversation: chatId, policyVersion }).limit(1)
  if (!found) return null
  const { startedAt, spans, conversation, ...rest } = found
  // `lib/trace.ts` is the only writer of spans and writes them in this shape.
  return {
    ...rest,
    startedAt: startedAt.toISOString(),
    spans: await asReadableSpans(db, viewer, { spans: spans as Span[], chatId: conversation }),
    calls: await listCallsOf(db, viewer, rest),
  }
}

/** A trace with its spans, as far as the viewer may read what they are about, and calls; null when the workspace has none of that id. */
export const getTrace = (db: Reader, viewer: Insider, traceId: string): Promise<Trace | null> =>
  oneTrace(db, viewer, eq(traces.id, traceId))

/** The trace of an answer, by the id of its message. */
export const getTraceOfMessage = (db: Reader, viewer: Insider, messageId: string): Promise<Trace | null> =>
  oneTrace(db, viewer, eq(traces.messageId, messageId))
