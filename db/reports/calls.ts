/** What the reports about calls share: which rows of the ledger are meant, and by what they are grouped. */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm'
import type {
  CallFilter,
  CallFilterChoices,
  CostGroup,
  HealthGroup,
  Percentiles,
  Period,
} from '#lib/shared/operations-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { modelCalls, users } from '../schema/index.ts'
import type { Reader } from './reader.ts'

export type Insider = Pick<Viewer, 'userId' | 'workspaceId'>
export type Stretch = { from: Date; to: Date }

/** The model that was asked, which is also what its breaker and its limits are named by; the vendor may have served another. */
const modelName = sql<string | null>`coalesce(${modelCalls.requestedModel}, ${modelCalls.servedModel})`

export const groupKeys: Record<CostGroup | HealthGroup, SQL<string | null>> = {
  model: modelName,
  user: sql<string | null>`${modelCalls.userId}::text`,
  task: sql<string | null>`${modelCalls.task}`,
  feature: sql<string | null>`${modelCalls.feature}`,
  conversation: sql<string | null>`${modelCalls.chatId}::text`,
  route: sql<string | null>`${modelCalls.route}`,
}

/** A model refusing and a person stopping are ends, not failures. */
export const isFailure = sql`${modelCalls.outcome} not in ('ok', 'refused', 'stopped')`
export const isCall = sql`${modelCalls.cache} is null`

/** The viewer's workspace, always; then the time and what else was asked for. */
export const callsOf = (viewer: Insider, { from, to }: Stretch, filter: CallFilter): SQL | undefined =>
  and(
    eq(modelCalls.workspaceId, viewer.workspaceId),
    gte(modelCalls.at, from),
    lt(modelCalls.at, to),
    filter.model ? sql`${modelName} = ${filter.model}` : undefined,
    filter.task ? eq(modelCalls.task, filter.task) : undefined,
    filter.user ? eq(modelCalls.userId, filter.user) : undefined,
    filter.feature ? eq(modelCalls.feature, filter.feature) : undefined,
    filter.status === 'failed' ? isFailure : filter.status ? eq(modelCalls.outcome, filter.status) : undefined,
  )

/** As a number in both engines, which give sums and counts as text or as bigints. */
export const number = (expression: SQL): SQL<number> => sql<number>`coalesce(${expression}, 0)::float8`.mapWith(Number)

/** The start of a call's hour or day in UTC, in seconds since 1970. */
export const bucketSeconds: Record<Period['bucket'], SQL<number>> = {
  hour: sql<number>`extract(epoch from date_trunc('hour', ${modelCalls.at}, 'UTC'))::float8`.mapWith(Number),
  day: sql<number>`extract(epoch from date_trunc('day', ${modelCalls.at}, 'UTC'))::float8`.mapWith(Number),
}

/** Milliseconds at the 50th, 95th and 99th percentile, interpolated; null where nothing was measured. */
export const percentiles = (of: SQL, where: SQL): SQL<Percentiles | null> =>
  sql<
    number[] | null
  >`percentile_cont(array[0.5, 0.95, 0.99]) within group (order by ${of}) filter (where ${where} and ${of} is not null)`.mapWith(
    (found: unknown): Percentiles | null => {
      const [p50, p95, p99] = (Array.isArray(found) ? found : []).map(Number)
      return p50 === undefined || p95 === undefined || p99 === undefined ? null : { p50, p95, p99 }
    },
  ) as SQL<Percentiles | null>

const choicesMax = 200

/** What the workspace's calls in this time can be narrowed to; of people the 200 who asked most. */
export const listCallFilterChoices = async (
  db: Reader,
  viewer: Insider,
  stretch: Stretch,
): Promise<CallFilterChoices> => {
  const names = (column: SQL) =>
    sql<string[] | null>`array_agg(distinct ${column}) filter (where ${column} is not null)`
  const [found] = await db
    .select({
      models: names(modelName),
      tasks: names(sql`${modelCalls.task}`),
      features: names(sql`${modelCalls.feature}`),
      statuses: names(sql`${modelCalls.outcome}`),
    })
    .from(modelCalls)
    .where(callsOf(viewer, stretch, {}))
  const people = await db
    .select({ id: users.id, name: users.name })
    .from(modelCalls)
    .innerJoin(users, eq(users.id, modelCalls.userId))
    .where(callsOf(viewer, stretch, {}))
    .groupBy(users.id, users.name)
    .orderBy(sql`count(*) desc`, users.name)
    .limit(choicesMax)
  return {
    models: found?.models ?? [],
    tasks: found?.tasks ?? [],
    features: found?.features ?? [],
    statuses: found?.statuses ?? [],
    users: people,
  }
}
