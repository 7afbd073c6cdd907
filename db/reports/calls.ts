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
  // Ways to call are few, and people are counted before they get their names: both in one look at the calls, and nothing is sorted.
  const asked = sql`select ${modelName} as model, ${modelCalls.task} as task, ${modelCalls.feature} as feature,
      ${modelCalls.outcome} as status, ${modelCalls.userId} as user_id, grouping(${modelCalls.userId}) = 0 as is_person, count(*) as calls
    from ${modelCalls} where ${callsOf(viewer, stretch, {})}
    group by grouping sets ((1, 2, 3, 4), (${modelCalls.userId}))`
  const names = (column: SQL) =>
    sql`array(select distinct ${column} from asked where not is_person and ${column} is not null order by 1)`
  const [made] = await db.select({ found: sql<CallFilterChoices>`found` }).from(
    sql`(with asked as materialized (${asked}),
      people as (
        select ${users.id} as id, ${users.name} as name from asked join ${users} on ${users.id} = asked.user_id
        where is_person order by asked.calls desc, ${users.name} limit ${choicesMax}
      )
      select json_build_object(
        'models', ${names(sql`model`)},
        'tasks', ${names(sql`task`)},
        'features', ${names(sql`feature`)},
        'statuses', ${names(sql`status`)},
        'users', (select coalesce(json_agg(p), '[]') from people p)
      ) as found) choices`,
  )
  if (!made) throw new Error('a statement without a row')
  return made.found
}
