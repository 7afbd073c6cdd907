/**
 * What the Models screen shows: providers and models (the sealed key is not among it), how each model's last check went, and what
 * they did, where and at what price. Every statement is bound to the viewer's workspace and writes nothing.
 */
import { and, asc, eq, inArray, type SQL, sql } from 'drizzle-orm'
import {
  type CanaryRow,
  type ModelUse,
  type Place,
  type PlaceUse,
  places,
  type RouteRow,
  type RouteSort,
  type TaskUse,
  type UseRange,
} from '#lib/shared/models-contract.ts'
import { type Period, periodOf } from '#lib/shared/operations-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { modelCalls, modelCanaries, modelProviders, models } from '../schema/index.ts'
import { callsOf, groupKeys, isCall, isFailure, number } from './calls.ts'
import type { Reader } from './reader.ts'

type Insider = Pick<Viewer, 'workspaceId'>

type ProviderFacts = Omit<typeof modelProviders.$inferSelect, 'sealedKey' | 'workspaceId' | 'createdAt' | 'updatedAt'>
type ModelFacts = Omit<typeof models.$inferSelect, 'workspaceId' | 'createdAt'>

/** Providers in the order in which they were made. */
export const listProviders = (db: Reader, viewer: Insider): Promise<ProviderFacts[]> =>
  db
    .select({
      id: modelProviders.id,
      name: modelProviders.name,
      kind: modelProviders.kind,
      baseUrl: modelProviders.baseUrl,
      keyHint: modelProviders.keyHint,
      local: modelProviders.local,
      enabled: modelProviders.enabled,
      requestsPerMinute: modelProviders.requestsPerMinute,
      tokensPerMinute: modelProviders.tokensPerMinute,
    })
    .from(modelProviders)
    .where(eq(modelProviders.workspaceId, viewer.workspaceId))
    .orderBy(asc(modelProviders.createdAt), asc(modelProviders.id))

/** All models, by tier and then in the order in which they are asked. */
export const listModels = (db: Reader, viewer: Insider): Promise<ModelFacts[]> =>
  db
    .select({
      id: models.id,
      providerId: models.providerId,
      modelId: models.modelId,
      tier: models.tier,
      position: models.position,
      contextTokensMax: models.contextTokensMax,
      inputMicrosPerMillion: models.inputMicrosPerMillion,
      outputMicrosPerMillion: models.outputMicrosPerMillion,
      cachedMicrosPerMillion: models.cachedMicrosPerMillion,
      enabled: models.enabled,
    })
    .from(models)
    .where(eq(models.workspaceId, viewer.workspaceId))
    .orderBy(
      sql`case ${models.tier} when 'fast' then 0 when 'standard' then 1 else 2 end`,
      asc(models.position),
      asc(models.createdAt),
      asc(models.id),
    )

/** The last canary of each model, by the model's key. */
export const listCanaries = async (db: Reader, viewer: Insider): Promise<Map<string, CanaryRow>> => {
  const found = await db.select().from(modelCanaries).where(eq(modelCanaries.workspaceId, viewer.workspaceId))
  return new Map(
    found.map(({ workspaceId: _, key, checkedAt, changedAt, ...row }) => [
      key,
      { ...row, checkedAt: checkedAt.toISOString(), changedAt: changedAt.toISOString() },
    ]),
  )
}

/** A provider that the environment names, as the ledger calls it. */
type EnvironmentProvider = { provider: string; local: boolean }

/**
 * Where a call went, by the name of its provider: what it is now, not what it was then. Saving a provider refuses the names that are
 * not an admin's to give.
 */
const placeOf = (environment: readonly EnvironmentProvider[]): SQL<Place> => {
  const named = (wanted: boolean): SQL => {
    const names = environment.filter(({ local }) => local === wanted).map(({ provider }) => provider)
    return names.length > 0 ? inArray(modelCalls.provider, names) : sql`false`
  }
  return sql<Place>`case
    when ${modelCalls.provider} = 'built-in' then 'built-in'
    when ${modelProviders.local} then 'local'
    when not ${modelProviders.local} then 'hosted'
    when ${named(true)} then 'local'
    when ${named(false)} then 'hosted'
    else 'gone' end`
}

const ofProvider = and(
  eq(modelProviders.workspaceId, modelCalls.workspaceId),
  eq(modelProviders.name, modelCalls.provider),
)

const isCanary = sql`('canary' = any(${modelCalls.flags}) or ${modelCalls.feature} = 'canary')`

const nullable = (expression: SQL): SQL<number | null> =>
  sql<number | null>`${expression}`.mapWith((found: unknown) => (found === null ? null : Number(found))) as SQL<
    number | null
  >

const noUse: PlaceUse = { calls: 0, failed: 0, taken: 0, quality: null, judged: 0, firstTokenP50Ms: null }

/**
 * What local and hosted models took in the last 7 and 30 days, and how well. A question that two models ended (a local one that was
 * not sure enough, then a hosted one) counts once, for the last of them.
 */
export const getModelUse = async (
  db: Reader,
  viewer: Viewer,
  now: Date,
  environment: readonly EnvironmentProvider[],
): Promise<Record<UseRange, ModelUse>> => {
  const week = periodOf('7d', now)
  const month = periodOf('30d', now)
  const place = placeOf(environment)
  const calls = db
    .select({
      inWeek: sql<boolean>`${modelCalls.at} >= ${week.from.toISOString()}::timestamptz`.as('in_week'),
      place: sql<Place>`${place}`.as('place'),
      task: sql<string>`${modelCalls.task}`.as('task_name'),
      failed: sql<boolean>`${isFailure}`.as('failed'),
      // In one transaction all rows have one time: there the hosted model is the one that was asked second.
      last: sql<boolean>`not ${isFailure} and row_number() over (
          partition by ${modelCalls.task}, coalesce(${modelCalls.messageId}, ${modelCalls.id}), ${isFailure}
          order by ${modelCalls.at} desc, ${place} = 'hosted' desc, ${modelCalls.id} desc) = 1`.as('last_of_question'),
      quality: sql<number | null>`case when ${modelCalls.task} = 'answer' then ${modelCalls.quality} end`.as(
        'supported',
      ),
      firstTokenMs: sql<
        number | null
      >`case when ${modelCalls.task} = 'answer' and ${modelCalls.outcome} = 'ok' then ${modelCalls.firstTokenMs} end`.as(
        'first_ms',
      ),
    })
    .from(modelCalls)
    .leftJoin(modelProviders, ofProvider)
    // The built-in encoder and checks of models are nobody's questions.
    .where(and(callsOf(viewer, month, {}), isCall, sql`not ${isCanary}`, sql`${modelCalls.task} <> 'embed'`))
    .as('calls')
  const figures = (within: SQL) => ({
    calls: number(sql`count(*) filter (where ${within})`),
    failed: number(sql`count(*) filter (where ${within} and ${calls.failed})`),
    taken: number(sql`count(*) filter (where ${within} and ${calls.last})`),
    quality: nullable(sql`avg(${calls.quality}) filter (where ${within})`),
    judged: number(sql`count(${calls.quality}) filter (where ${within})`),
    firstTokenP50Ms: nullable(
      sql`percentile_cont(0.5) within group (order by ${calls.firstTokenMs}) filter (where ${within} and ${calls.firstTokenMs} is not null)`,
    ),
  })
  const found = await db
    .select({
      place: calls.place,
      // Null: all tasks of the place together.
      task: sql<string | null>`${calls.task}`,
      week: figures(sql`${calls.inWeek}`),
      month: figures(sql`true`),
    })
    .from(calls)
    .groupBy(sql`grouping sets ((${calls.place}), (${calls.place}, ${calls.task}))`)
  const summed = (range: 'week' | 'month'): ModelUse => {
    const all = Object.fromEntries(
      places.map((one) => [one, found.find((row) => row.place === one && row.task === null)?.[range] ?? noUse]),
    ) as Record<Place, PlaceUse>
    const tasks = new Map<string, TaskUse>()
    for (const row of found) {
      const { taken } = row[range]
      if (row.task === null || taken === 0) continue
      const use = tasks.get(row.task) ?? { task: row.task, local: 0, others: 0, builtIn: 0 }
      const column = row.place === 'local' ? 'local' : row.place === 'built-in' ? 'builtIn' : 'others'
      tasks.set(row.task, { ...use, [column]: use[column] + taken })
    }
    const sizeOf = ({ local, others, builtIn }: TaskUse): number => local + others + builtIn
    return {
      places: all,
      tasks: [...tasks.values()].sort((a, b) => sizeOf(b) - sizeOf(a) || a.task.localeCompare(b.task)),
    }
  }
  return { '7d': summed('week'), '30d': summed('month') }
}

const routesMax = 100

const sortKeys: Record<RouteSort, SQL> = {
  calls: sql`calls`,
  cost: sql`cost_per_call`,
  quality: sql`mean_quality`,
  failed: sql`failed_share`,
  p50: sql`p50`,
  p95: sql`p95`,
}

/**
 * A row for each route, tier and model; the first 100 in the order asked for. Answers from a cache are no calls. Times are of calls
 * that a model answered, a cost is of calls whose price is known, and canaries are a route of their own.
 */
export const listRoutes = async (
  db: Reader,
  viewer: Viewer,
  period: Period,
  environment: readonly EnvironmentProvider[],
  order: { sort: RouteSort; descending: boolean } = { sort: 'calls', descending: true },
): Promise<{ rows: RouteRow[]; more: boolean }> => {
  const timed = (at: number): SQL<number | null> =>
    nullable(
      sql`percentile_cont(${at}::float8) within group (order by ${modelCalls.totalMs}) filter (where ${modelCalls.outcome} = 'ok' and ${modelCalls.totalMs} is not null)`,
    )
  const found = await db
    .select({
      route: sql<string | null>`case when ${isCanary} then 'canary' else ${groupKeys.route} end`.as('route_name'),
      tier: modelCalls.tier,
      provider: modelCalls.provider,
      model: sql<string | null>`${groupKeys.model}`.as('model_name'),
      place: sql<Place>`${placeOf(environment)}`.as('place'),
      served: sql<string | null>`max(${modelCalls.servedModel})`,
      calls: number(sql`count(*)`).as('calls'),
      failed: number(sql`count(*) filter (where ${isFailure})`),
      failedShare: number(sql`avg((${isFailure})::int)`).as('failed_share'),
      costMicrosPerCall: nullable(sql`avg(${modelCalls.costMicros})::float8`).as('cost_per_call'),
      unpricedCalls: number(sql`count(*) filter (where ${modelCalls.costMicros} is null)`),
      tokensIn: number(sql`sum(${modelCalls.tokensIn})`),
      tokensOut: number(sql`sum(${modelCalls.tokensOut})`),
      quality: nullable(sql`avg(${modelCalls.quality}) filter (where ${modelCalls.task} = 'answer')`).as(
        'mean_quality',
      ),
      judged: number(sql`count(${modelCalls.quality}) filter (where ${modelCalls.task} = 'answer')`),
      totalP50Ms: timed(0.5).as('p50'),
      totalP95Ms: timed(0.95).as('p95'),
    })
    .from(modelCalls)
    .leftJoin(modelProviders, ofProvider)
    .where(and(callsOf(viewer, period, {}), isCall))
    .groupBy(sql`1`, sql`2`, sql`3`, sql`4`, sql`5`)
    // The names settle what the sort leaves open, or a reload could show other rows.
    .orderBy(
      order.descending ? sql`${sortKeys[order.sort]} desc nulls last` : sql`${sortKeys[order.sort]} asc nulls last`,
      sql`calls desc`,
      sql`route_name`,
      sql`model_name`,
      sql`2`,
      sql`3`,
    )
    .limit(routesMax + 1)
  return {
    rows: found.slice(0, routesMax).map(({ failedShare: _, ...row }) => row),
    more: found.length > routesMax,
  }
}
