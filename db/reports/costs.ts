/**
 * What model calls cost. Every statement is bound to the viewer's workspace, adds up in the database and writes nothing. A call
 * whose price is not known is counted and in no sum; it is never a call that cost nothing.
 */
import { and, eq, gt, inArray, like, or, type SQL, sql } from 'drizzle-orm'
import { defaultGatewaySettings, type GatewaySettings, gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import {
  type BudgetUse,
  bucketStarts,
  type CallFilter,
  type CostGroup,
  type CostRow,
  type CostSeries,
  type CostSort,
  type CostTotals,
  type Period,
  type RouteRow,
  type Saving,
} from '#lib/shared/operations-contract.ts'
import { budgetWindows, chats, gatewaySettings, memberships, modelCalls, users } from '../schema/index.ts'
import { callsOf, groupKeys, type Insider, isCall, number, type Stretch } from './calls.ts'
import type { Reader } from './reader.ts'

const rowsMax = 100
const partsMax = 5
const peopleMax = 10
const routesMax = 50

/** A mean or a median; null, and not 0, where nothing was measured. */
const measured = (of: SQL): SQL<number | null> =>
  sql<number | null>`(${of})::float8`.mapWith((value: unknown) => (value === null ? null : Number(value))) as SQL<
    number | null
  >

const sums = {
  calls: number(sql`count(*)`),
  cacheHits: number(sql`count(*) filter (where not ${isCall})`),
  tokensIn: number(sql`sum(${modelCalls.tokensIn}) filter (where ${isCall})`),
  tokensOut: number(sql`sum(${modelCalls.tokensOut}) filter (where ${isCall})`),
  knownMicros: number(sql`sum(${modelCalls.costMicros}) filter (where ${isCall})`),
  unpricedCalls: number(sql`count(*) filter (where ${isCall} and ${modelCalls.costMicros} is null)`),
  savedMicros: number(sql`sum(${modelCalls.savedMicros})`),
  savedTokens: number(sql`sum(${modelCalls.savedTokens})`),
}

type Sums = { [Name in keyof typeof sums]: number }

const totalsOf = <Extra extends object>({ knownMicros, ...rest }: Sums & Extra) => ({
  ...rest,
  // Nothing known beside something unknown is not nothing: failures that cost nothing must not turn it into a sum of 0.
  costMicros: knownMicros === 0 && rest.unpricedCalls > 0 ? null : knownMicros,
})

const noSums: Sums = {
  calls: 0,
  cacheHits: 0,
  tokensIn: 0,
  tokensOut: 0,
  knownMicros: 0,
  unpricedCalls: 0,
  savedMicros: 0,
  savedTokens: 0,
}

/** Everything of a stretch of time in one row. */
export const getCostTotals = async (
  db: Reader,
  viewer: Insider,
  stretch: Stretch,
  filter: CallFilter = {},
): Promise<CostTotals> => {
  const [found] = await db
    .select(sums)
    .from(modelCalls)
    .where(callsOf(viewer, stretch, filter))
  return totalsOf(found ?? noSums)
}

const sortKeys: Record<CostSort, SQL> = {
  label: sql`label`,
  calls: sql`calls`,
  tokensIn: sql`"tokensIn"`,
  tokensOut: sql`"tokensOut"`,
  savedMicros: sql`"savedMicros"`,
  costMicros: sql`"knownMicros"`,
}

type Breakdown = {
  key: SQL
  /** Whose calls: asked for where a name is shown. */
  person: SQL
  label: SQL
  detail: SQL
  joins: SQL
  /** As many keys as people: to tell them apart in each hour would be as much work as to list the calls. */
  isWide: boolean
}

const joinsPerson = sql`left join ${users} on ${users.id} = cells.person`
const nobody = sql`null::uuid`
const byKey = (key: SQL): Breakdown => ({
  key,
  person: nobody,
  label: sql`cells.key`,
  detail: sql`null::text`,
  joins: sql.empty(),
  isWide: false,
})

/** Names are joined to sums and not to calls, and ids are compared as what they are: there are far fewer sums, and text is slow. */
const breakdowns: Record<CostGroup, (viewer: Insider) => Breakdown> = {
  model: () => ({ ...byKey(groupKeys.model), detail: sql`max(cells.served)` }),
  user: () => ({
    key: sql`${modelCalls.userId}`,
    person: sql`${modelCalls.userId}`,
    label: sql`max(${users.name})`,
    detail: sql`max(${users.email})`,
    joins: joinsPerson,
    isWide: true,
  }),
  task: () => byKey(groupKeys.task),
  feature: () => byKey(groupKeys.feature),
  conversation: ({ workspaceId }) => ({
    key: sql`${modelCalls.chatId}`,
    person: sql`${modelCalls.userId}`,
    label: sql`max(${chats.title})`,
    detail: sql`max(${users.name})`,
    joins: sql`${joinsPerson} left join ${chats} on ${chats.id} = cells.key and ${chats.workspaceId} = ${workspaceId}`,
    isWide: true,
  }),
}

const bucketSteps: Record<Period['bucket'], SQL> = {
  hour: sql`interval '1 hour'`,
  // Not a day: that has 23 hours once a year where the session's clock does.
  day: sql`interval '24 hours'`,
}

const routed = sql`${isCall} and ${modelCalls.routeSavedMicros} > 0`
const shortened = sql`${isCall} and (${modelCalls.contextSavedMicros} > 0 or ${modelCalls.savedTokens} > 0)`

/** The hours or days, each from `start` to before `stop`. */
const bucketsOf = ({ from, to, bucket }: Period): SQL =>
  sql`(select start, start + ${bucketSteps[bucket]} as stop
    from generate_series(${from.toISOString()}::timestamptz, ${to.toISOString()}::timestamptz, ${bucketSteps[bucket]}) as start) bucket`

const wholeOf = ({ from, to }: Period): SQL =>
  sql`(select ${from.toISOString()}::timestamptz as start, ${to.toISOString()}::timestamptz as stop) bucket`

const within = sql`${modelCalls.at} >= bucket.start and ${modelCalls.at} < bucket.stop`

/**
 * The sums by key of each hour or day, or of the whole period where keys are many: everything else is made of them, so that each call
 * is looked at once. A bucket is a range of the index and has few keys; a group by the time of calls would be guessed to have as many
 * as there are calls, and sorted.
 */
const cellsOf = (viewer: Insider, period: Period, { key, person, isWide }: Breakdown, filter: CallFilter): SQL => {
  const { cache, tokensIn, tokensOut, costMicros, savedMicros, savedTokens } = modelCalls
  const { routeSavedMicros, contextSavedMicros, servedModel } = modelCalls
  return sql`select bucket.start, cell.*
    from ${isWide ? wholeOf(period) : bucketsOf(period)}
    cross join lateral (
      select ${key} as key, ${person} as person, ${cache} as cache, max(${servedModel}) as served, count(*) as calls,
        sum(${tokensIn}) as tokens_in, sum(${tokensOut}) as tokens_out, sum(${costMicros})::bigint as micros,
        count(*) - count(${costMicros}) as unpriced, sum(${savedMicros})::bigint as saved_micros, sum(${savedTokens}) as saved_tokens,
        sum(${savedMicros} - ${routeSavedMicros} - ${contextSavedMicros}) filter (where not ${isCall})::bigint as cache_micros,
        count(*) filter (where ${routed}) as routed, sum(${routeSavedMicros}) filter (where ${routed})::bigint as route_micros,
        count(*) filter (where ${shortened}) as shortened,
        sum(${contextSavedMicros}) filter (where ${shortened})::bigint as context_micros,
        sum(${savedTokens}) filter (where ${shortened}) as context_tokens
      from ${modelCalls} where ${callsOf(viewer, period, filter)} and ${within}
      group by 1, 2, 3
    ) as cell`
}

/** What was spent in each hour or day on each of the dearest, and on the rest. */
const spentOf = (viewer: Insider, period: Period, { key, isWide }: Breakdown, filter: CallFilter): SQL =>
  isWide
    ? sql`select bucket.start, part.key, part.micros
        from ${bucketsOf(period)} cross join lateral (
          select dearest.key, sum(${modelCalls.costMicros}) as micros
          from ${modelCalls} left join dearest on dearest.id = ${key}
          where ${callsOf(viewer, period, filter)} and ${within} and ${isCall}
          group by 1
        ) part`
    : sql`select start, dearest.key, sum(micros) as micros from cells left join dearest on dearest.id = cells.key
        where cache is null group by 1, 2`

/** Sums of cells, under the names of the fields: what a cache answered has tokens and a price of 0, which are no call's. */
const sumsOfCells = sql`coalesce(sum(calls), 0) as "calls",
  coalesce(sum(calls) filter (where cache is not null), 0) as "cacheHits",
  coalesce(sum(tokens_in) filter (where cache is null), 0) as "tokensIn",
  coalesce(sum(tokens_out) filter (where cache is null), 0) as "tokensOut",
  coalesce(sum(micros) filter (where cache is null), 0) as "knownMicros",
  coalesce(sum(unpriced) filter (where cache is null), 0) as "unpricedCalls",
  coalesce(sum(saved_micros), 0) as "savedMicros", coalesce(sum(saved_tokens), 0) as "savedTokens"`

/** Of sums by cache, which are three lines at most. */
const savingsOfCaches = sql`select kind, calls, coalesce(micros, 0) as "savedMicros", case when kind <> 'route' then coalesce(tokens, 0) end as "savedTokens"
  from (
    select cache as kind, calls, cache_micros as micros, saved_tokens as tokens from caches where cache is not null
    union all select 'route', sum(routed), sum(route_micros), null from caches
    union all select 'context', sum(shortened), sum(context_micros), sum(context_tokens) from caches
  ) kinds where calls > 0 order by "savedMicros" desc, kind`

type KeyedSums = Sums & Pick<CostRow, 'key' | 'label' | 'detail'>

type FoundReport = {
  totals: Sums
  rows: KeyedSums[]
  dearest: { key: string; label: string | null }[]
  buckets: { atSeconds: number; key: string | null; micros: number }[]
  savings: Saving[]
}

export type CostReport = {
  totals: CostTotals
  /** What was spent in each hour or day, stacked by the five dearest of the breakdown and the rest. Unknown prices are not in it. */
  series: CostSeries
  /** A row for each model, person, task, feature or conversation; the first 100 in the order asked for. */
  rows: CostRow[]
  more: boolean
  /**
   * What was saved, and by what, the most first; only kinds that saved something or answered at all. A call that was both routed and
   * given a shorter prompt is in both lines with the part that is each one's.
   */
  savings: Saving[]
}

const seriesOf = (period: Period, { dearest, buckets }: FoundReport): CostSeries => {
  const keys = dearest.map(({ key }) => key)
  // Short ids: a key may be any text, and the chart reads paths out of names.
  const idOf = (key: string | null): string => (key === null ? 'rest' : `part${keys.indexOf(key)}`)
  const parts = dearest.map(({ key, label }) => ({ id: idOf(key), label }))
  const hasRest = buckets.some(({ key, micros }) => key === null && micros > 0)
  const byBucket = new Map<number, Record<string, number>>()
  for (const { atSeconds, key, micros } of buckets) {
    const values = byBucket.get(atSeconds * 1_000) ?? {}
    values[idOf(key)] = micros
    byBucket.set(atSeconds * 1_000, values)
  }
  return {
    parts: hasRest ? [...parts, { id: 'rest', label: 'Everything else' }] : parts,
    buckets: bucketStarts(period).map((at) => ({ at: at.toISOString(), values: byBucket.get(at.getTime()) ?? {} })),
  }
}

/** Everything of a period, whole, by time, by `by` and by what saved, from one look at its calls. */
export const getCostReport = async (
  db: Reader,
  viewer: Insider,
  period: Period,
  by: CostGroup,
  filter: CallFilter = {},
  order: { sort: CostSort; descending: boolean } = { sort: 'costMicros', descending: true },
): Promise<CostReport> => {
  const breakdown = breakdowns[by](viewer)
  const direction = order.descending ? sql`desc nulls last` : sql`asc nulls last`
  const report = sql`(with cells as materialized (${cellsOf(viewer, period, breakdown, filter)}),
    caches as materialized (
      select cache, sum(calls) as calls, sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out, sum(micros) as micros,
        sum(unpriced) as unpriced, sum(saved_micros) as saved_micros, sum(saved_tokens) as saved_tokens,
        sum(cache_micros) as cache_micros, sum(routed) as routed, sum(route_micros) as route_micros,
        sum(shortened) as shortened, sum(context_micros) as context_micros, sum(context_tokens) as context_tokens
      from cells group by cache
    ),
    keyed as materialized (
      select cells.key as id, cells.key::text as key, ${breakdown.label} as label, ${breakdown.detail} as detail, ${sumsOfCells}
      from cells ${breakdown.joins} group by cells.key
    ),
    dearest as materialized (
      select id, key, label from keyed where id is not null and "knownMicros" > 0
      order by "knownMicros" desc, calls desc, id limit ${partsMax}
    ),
    listed as (
      select key, label, detail, ${sql.join(
        Object.keys(sums).map((name) => sql.identifier(name)),
        sql`, `,
      )}
      from keyed
      -- The key settles what the sort leaves open, or a reload could show other rows.
      order by ${sortKeys[order.sort]} ${direction}, calls desc, id limit ${rowsMax + 1}
    ),
    spent as (${spentOf(viewer, period, breakdown, filter)})
    select json_build_object(
      'totals', (select to_json(t) from (select ${sumsOfCells} from caches) t),
      'rows', (select coalesce(json_agg(l), '[]') from listed l),
      'dearest', (select coalesce(json_agg(d), '[]') from dearest d),
      'buckets', (select coalesce(json_agg(b), '[]')
        from (select date_part('epoch', start) as "atSeconds", key, coalesce(micros, 0) as micros from spent) b),
      'savings', (select coalesce(json_agg(s), '[]') from (${savingsOfCaches}) s)
    ) as found) report`
  const [made] = await db.select({ found: sql<FoundReport>`found` }).from(report)
  if (!made) throw new Error('a statement without a row')
  const { found } = made
  return {
    totals: totalsOf(found.totals),
    series: seriesOf(period, found),
    rows: found.rows.slice(0, rowsMax).map((row) => totalsOf(row)),
    more: found.rows.length > rowsMax,
    savings: found.savings,
  }
}

/**
 * What each tier and model cost and gave, the most asked first: of calls that ended with an answer, because a failure has neither
 * quality nor a price that could be compared.
 */
export const listRoutes = async (
  db: Reader,
  viewer: Insider,
  stretch: Stretch,
  filter: CallFilter = {},
): Promise<RouteRow[]> =>
  db
    .select({
      tier: modelCalls.tier,
      model: groupKeys.model,
      calls: number(sql`count(*)`),
      costMicrosPerCall: measured(sql`avg(${modelCalls.costMicros})`),
      unpricedCalls: number(sql`count(*) filter (where ${modelCalls.costMicros} is null)`),
      quality: measured(sql`avg(${modelCalls.quality})`),
      judgedCalls: number(sql`count(${modelCalls.quality})`),
      firstTokenMs: measured(sql`percentile_cont(0.5) within group (order by ${modelCalls.firstTokenMs})`),
    })
    .from(modelCalls)
    .where(and(callsOf(viewer, stretch, filter), isCall, eq(modelCalls.outcome, 'ok')))
    .groupBy(modelCalls.tier, groupKeys.model)
    .orderBy(sql`count(*) desc`, sql`1 nulls last`, sql`2 nulls last`)
    .limit(routesMax)

export type BudgetReport = {
  budgets: BudgetUse[]
  /** False: what is stored cannot be read, and the limits shown are unknown. */
  settingsReadable: boolean
}

const settingsOf = async (db: Reader, viewer: Insider): Promise<GatewaySettings | null> => {
  const [found] = await db
    .select({ settings: gatewaySettings.settings })
    .from(gatewaySettings)
    .where(eq(gatewaySettings.workspaceId, viewer.workspaceId))
  if (!found) return defaultGatewaySettings
  const parsed = gatewaySettingsSchema.safeParse(found.settings)
  return parsed.success ? parsed.data : null
}

const windowNames = (now: Date) => {
  const iso = now.toISOString()
  return { minute: `minute:${iso.slice(0, 16)}`, day: `day:${iso.slice(0, 10)}`, month: `month:${iso.slice(0, 7)}` }
}

/**
 * What the workspace and those of its people who spent most have spent and hold reserved in the windows that are open at `now`,
 * beside their limits. The workspace's day and month are always there, its minute where it has a limit.
 */
export const getBudgetUse = async (db: Reader, viewer: Insider, now: Date): Promise<BudgetReport> => {
  const settings = await settingsOf(db, viewer)
  const budgets = settings?.budgets
  const names = windowNames(now)
  const workspaceScope = `workspace:${viewer.workspaceId}`
  const spent = await db
    .select({
      window: budgetWindows.window,
      spentMicros: budgetWindows.spentMicros,
      reservedMicros: budgetWindows.reservedMicros,
      resetsAt: budgetWindows.resetsAt,
    })
    .from(budgetWindows)
    .where(
      and(
        eq(budgetWindows.scope, workspaceScope),
        gt(budgetWindows.resetsAt, now),
        // The name of a minute is the limiter's business: whichever is open is the one.
        or(inArray(budgetWindows.window, [names.day, names.month]), like(budgetWindows.window, 'minute:%')),
      ),
    )
  const workspaceLimits = {
    minute: budgets?.workspaceMinuteMicros ?? null,
    day: budgets?.workspaceDayMicros ?? null,
    month: budgets?.workspaceMonthMicros ?? null,
  }
  const ofWorkspace = (['minute', 'day', 'month'] as const)
    .filter((window) => window !== 'minute' || workspaceLimits.minute !== null)
    .map((window): BudgetUse => {
      const found = spent.find((one) => one.window.startsWith(`${window}:`))
      return {
        scope: 'workspace',
        name: 'The workspace',
        window,
        spentMicros: found?.spentMicros ?? 0,
        reservedMicros: found?.reservedMicros ?? 0,
        limitMicros: workspaceLimits[window],
        resetsAt: found?.resetsAt.toISOString() ?? null,
      }
    })
  const userLimits = { day: budgets?.userDayMicros ?? null, month: budgets?.userMonthMicros ?? null }
  // Membership binds a person's window to the workspace: its scope names only the person.
  const ofPeople = await Promise.all(
    (['day', 'month'] as const).map(async (window) => {
      const found = await db
        .select({
          name: users.name,
          spentMicros: budgetWindows.spentMicros,
          reservedMicros: budgetWindows.reservedMicros,
          resetsAt: budgetWindows.resetsAt,
        })
        .from(memberships)
        .innerJoin(users, eq(users.id, memberships.userId))
        .innerJoin(budgetWindows, sql`${budgetWindows.scope} = 'user:' || ${users.id}::text`)
        .where(
          and(
            eq(memberships.workspaceId, viewer.workspaceId),
            eq(budgetWindows.window, names[window]),
            sql`${budgetWindows.spentMicros} + ${budgetWindows.reservedMicros} > 0`,
          ),
        )
        .orderBy(sql`${budgetWindows.spentMicros} + ${budgetWindows.reservedMicros} desc`, users.name)
        .limit(peopleMax)
      return found.map(
        (row): BudgetUse => ({
          scope: 'user',
          window,
          limitMicros: userLimits[window],
          ...row,
          resetsAt: row.resetsAt.toISOString(),
        }),
      )
    }),
  )
  return { budgets: [...ofWorkspace, ...ofPeople.flat()], settingsReadable: settings !== null }
}
