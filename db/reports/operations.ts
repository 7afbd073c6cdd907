/**
 * How model calls are doing. Every statement is bound to the viewer's workspace, adds up in the database and writes nothing.
 * Percentiles are of calls that a model answered: a failure that is quick must not make things look fast.
 */
import { and, asc, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm'
import {
  type BreakerRow,
  bucketStarts,
  type CallFilter,
  type FailureRow,
  type HealthGroup,
  type HealthTotals,
  type LatencyBucket,
  type LatencyRow,
  type Percentiles,
  type Period,
  type UnansweredQuestion,
} from '#lib/shared/operations-contract.ts'
import { breakers, modelCalls, modelProviders, traces, users } from '../schema/index.ts'
import {
  bucketSeconds,
  callsOf,
  groupKeys,
  type Insider,
  isCall,
  isFailure,
  number,
  percentiles,
  type Stretch,
} from './calls.ts'
import type { Reader } from './reader.ts'

const rowsMax = 50
const breakersMax = 200
const questionsMax = 10

const answered = sql`${isCall} and ${modelCalls.outcome} = 'ok'`
const failed = number(sql`count(*) filter (where ${isCall} and ${isFailure})`)
const called = number(sql`count(*) filter (where ${isCall})`)
const total = percentiles(sql`${modelCalls.totalMs}`, answered)
const firstToken = percentiles(sql`${modelCalls.firstTokenMs}`, answered)

/** Calls, failures, cache answers and percentiles of a stretch of time. */
export const getHealthTotals = async (
  db: Reader,
  viewer: Insider,
  stretch: Stretch,
  filter: CallFilter = {},
): Promise<HealthTotals> => {
  const [found] = await db
    .select({
      calls: called,
      exact: number(sql`count(*) filter (where ${modelCalls.cache} = 'exact')`),
      semantic: number(sql`count(*) filter (where ${modelCalls.cache} = 'semantic')`),
      failed,
      total,
      firstToken,
    })
    .from(modelCalls)
    .where(callsOf(viewer, stretch, filter))
  const [busiest] = await db
    .select({ count: number(sql`count(*)`) })
    .from(modelCalls)
    .where(callsOf(viewer, stretch, filter))
    .groupBy(sql`date_trunc('minute', ${modelCalls.at})`)
    .orderBy(sql`1 desc`)
    .limit(1)
  return {
    calls: found?.calls ?? 0,
    cacheHits: { exact: found?.exact ?? 0, semantic: found?.semantic ?? 0 },
    failed: found?.failed ?? 0,
    busiestMinute: busiest?.count ?? 0,
    total: found?.total ?? null,
    firstToken: found?.firstToken ?? null,
  }
}

/** A row for each model, task, feature or route; the 50 that are called most. */
export const listLatencies = (
  db: Reader,
  viewer: Insider,
  stretch: Stretch,
  by: HealthGroup,
  filter: CallFilter = {},
): Promise<LatencyRow[]> =>
  db
    .select({
      key: sql<string | null>`${groupKeys[by]}`,
      served: sql<string | null>`max(${modelCalls.servedModel})`,
      calls: called,
      failed,
      total,
      firstToken,
    })
    .from(modelCalls)
    .where(and(callsOf(viewer, stretch, filter), isCall))
    .groupBy(sql`1`)
    .orderBy(sql`3 desc`, sql`1`)
    .limit(rowsMax)

/** Whole questions, from the request to the last token, as their traces timed them; those that were answered. */
export const getQuestionLatency = async (
  db: Reader,
  viewer: Insider,
  { from, to }: Stretch,
  filter: Pick<CallFilter, 'user'> = {},
): Promise<{ questions: number; total: Percentiles | null; firstToken: Percentiles | null }> => {
  const complete = sql`${traces.status} = 'complete'`
  const [found] = await db
    .select({
      questions: number(sql`count(*)`),
      total: percentiles(sql`${traces.totalMs}`, complete),
      firstToken: percentiles(sql`${traces.firstTokenMs}`, complete),
    })
    .from(traces)
    .where(
      and(
        eq(traces.workspaceId, viewer.workspaceId),
        gte(traces.startedAt, from),
        lt(traces.startedAt, to),
        filter.user ? eq(traces.userId, filter.user) : undefined,
      ),
    )
  return found ?? { questions: 0, total: null, firstToken: null }
}

/** Percentiles of every hour or day, also of those in which nothing was called. */
export const getLatencySeries = async (
  db: Reader,
  viewer: Insider,
  period: Period,
  filter: CallFilter = {},
): Promise<LatencyBucket[]> => {
  const found = await db
    .select({ atSeconds: bucketSeconds[period.bucket], calls: called, total })
    .from(modelCalls)
    .where(callsOf(viewer, period, filter))
    .groupBy(sql`1`)
  const byBucket = new Map(found.map(({ atSeconds, ...rest }) => [atSeconds * 1_000, rest]))
  return bucketStarts(period).map((at) => ({
    at: at.toISOString(),
    ...(byBucket.get(at.getTime()) ?? { calls: 0, total: null }),
  }))
}

/** Failures by class and model, task, feature or route, the most frequent first; `of` is how often that one was called. */
export const listFailures = async (
  db: Reader,
  viewer: Insider,
  stretch: Stretch,
  by: HealthGroup,
  filter: CallFilter = {},
): Promise<FailureRow[]> => {
  const { status: _, ...others } = filter
  const key = groupKeys[by]
  const all = db
    .select({
      outcome: sql<string>`${modelCalls.outcome}`.as('outcome'),
      key: sql<string | null>`${key}`.as('key'),
      served: sql<string | null>`max(${modelCalls.servedModel})`.as('served'),
      calls: sql<number>`count(*)::float8`.mapWith(Number).as('calls'),
      // Over all outcomes of the same one: a share of its calls, not of its failures.
      of: sql<number>`(sum(count(*)) over (partition by ${key}))::float8`.mapWith(Number).as('of_calls'),
    })
    .from(modelCalls)
    .where(and(callsOf(viewer, stretch, others), isCall))
    .groupBy(sql`1`, sql`2`)
    .as('every_outcome')
  return db
    .select({ outcome: all.outcome, key: all.key, served: all.served, calls: all.calls, of: all.of })
    .from(all)
    .where(
      and(
        sql`${all.outcome} not in ('ok', 'refused', 'stopped')`,
        filter.status && filter.status !== 'failed' ? eq(all.outcome, filter.status) : undefined,
      ),
    )
    .orderBy(desc(all.calls), asc(all.outcome), asc(all.key))
    .limit(rowsMax)
}

const uuidPrefix = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/'

const breakerRows = (db: Reader, where: SQL | undefined): Promise<BreakerRow[]> =>
  db
    .select({
      key: breakers.key,
      // A provider of ours goes by its name; the environment's by the key it has.
      name: sql<string>`coalesce(${modelProviders.name} || substr(${breakers.key}, 37), ${breakers.key})`,
      state: breakers.state,
      reason: breakers.reason,
      retryAt: breakers.retryAt,
      changedAt: breakers.changedAt,
    })
    .from(breakers)
    .leftJoin(modelProviders, sql`starts_with(${breakers.key}, ${modelProviders.id}::text || '/')`)
    .where(where)
    .orderBy(sql`case ${breakers.state} when 'open' then 0 when 'half-open' then 1 else 2 end`, breakers.key)
    .limit(breakersMax)
    .then((found) =>
      found.map((row) => ({
        ...row,
        retryAt: row.retryAt?.toISOString() ?? null,
        changedAt: row.changedAt.toISOString(),
      })),
    )

/**
 * The breakers of the workspace's own providers and of those that the environment names, open ones first. A key starts with its
 * provider's id (or, for the environment's, its name): one that belongs to another workspace, or to nobody any more, is left out.
 */
export const listBreakers = (db: Reader, viewer: Insider): Promise<BreakerRow[]> =>
  breakerRows(
    db,
    sql`(${modelProviders.workspaceId} = ${viewer.workspaceId} or (${modelProviders.id} is null and ${breakers.key} !~ ${uuidPrefix}))`,
  )

/** Every breaker of the installation, for whoever runs it. */
export const listEveryBreaker = (db: Reader): Promise<BreakerRow[]> => breakerRows(db, undefined)

/** The last ten questions for which nothing was found. */
export const listUnanswered = async (
  db: Reader,
  viewer: Insider,
  { from, to }: Stretch,
  filter: Pick<CallFilter, 'user'> = {},
): Promise<UnansweredQuestion[]> => {
  const found = await db
    .select({
      traceId: traces.id,
      question: traces.question,
      user: sql<string>`coalesce(${users.name}, 'a person who is gone')`,
      at: traces.startedAt,
    })
    .from(traces)
    .leftJoin(users, eq(users.id, traces.userId))
    .where(
      and(
        eq(traces.workspaceId, viewer.workspaceId),
        eq(traces.status, 'no-source'),
        gte(traces.startedAt, from),
        lt(traces.startedAt, to),
        filter.user ? eq(traces.userId, filter.user) : undefined,
      ),
    )
    .orderBy(desc(traces.startedAt), desc(traces.id))
    .limit(questionsMax)
  return found.map(({ at, ...rest }) => ({ ...rest, at: at.toISOString() }))
}
