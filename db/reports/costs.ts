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
import { bucketSeconds, callsOf, groupKeys, type Insider, isCall, number, type Stretch } from './calls.ts'
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
  tokensIn: sql`tokens_in`,
  tokensOut: sql`tokens_out`,
  savedMicros: sql`saved_micros`,
  costMicros: sql`known_micros`,
}

const labels: Record<CostGroup, { label: SQL<string | null>; detail: SQL<string | null> }> = {
  model: {
    label: groupKeys.model,
    detail: sql<string | null>`max(${modelCalls.servedModel})`,
  },
  user: { label: sql<string | null>`max(${users.name})`, detail: sql<string | null>`max(${users.email})` },
  task: { label: groupKeys.task, detail: sql<string | null>`null::text` },
  feature: { label: groupKeys.feature, detail: sql<string | null>`null::text` },
  conversation: { label: sql<string | null>`max(${chats.title})`, detail: sql<string | null>`max(${users.name})` },
}

export type CostBreakdown = { rows: CostRow[]; more: boolean }

/** A row for each model, person, task, feature or conversation; the first 100 in the order asked for. */
export const listCosts = async (
  db: Reader,
  viewer: Insider,
  stretch: Stretch,
  by: CostGroup,
  filter: CallFilter = {},
  order: { sort: CostSort; descending: boolean } = { sort: 'costMicros', descending: true },
): Promise<CostBreakdown> => {
  const { label, detail } = labels[by]
  const grouped = db
    .select({
      key: sql<string | null>`${groupKeys[by]}`.as('key'),
      label: sql<string | null>`${label}`.as('label'),
      detail: sql<string | null>`${detail}`.as('detail'),
      calls: sums.calls.as('calls'),
      cacheHits: sums.cacheHits.as('cache_hits'),
      tokensIn: sums.tokensIn.as('tokens_in'),
      tokensOut: sums.tokensOut.as('tokens_out'),
      knownMicros: sums.knownMicros.as('known_micros'),
      unpricedCalls: sums.unpricedCalls.as('unpriced_calls'),
      savedMicros: sums.savedMicros.as('saved_micros'),
      savedTokens: sums.savedTokens.as('saved_tokens'),
    })
    .from(modelCalls)
    .leftJoin(users, eq(users.id, modelCalls.userId))
    .leftJoin(chats, and(eq(chats.id, modelCalls.chatId), eq(chats.workspaceId, modelCalls.workspaceId)))
    .where(callsOf(viewer, stretch, filter))
    .groupBy(sql`1`)
    // The key settles what the sort leaves open, or a reload could show other rows.
    .orderBy(
      order.descending ? sql`${sortKeys[order.sort]} desc nulls last` : sql`${sortKeys[order.sort]} asc nulls last`,
      sql`calls desc`,
      sql`key`,
    )
    .limit(rowsMax + 1)
  const found = await grouped
  return { rows: found.slice(0, rowsMax).map((row) => totalsOf(row)), more: found.length > rowsMax }
}

/** What was spent in each hour or day, stacked by the five dearest of the breakdown and the rest. Unknown prices are not in it. */
export const getCostSeries = async (
  db: Reader,
  viewer: Insider,
  period: Period,
  by: CostGroup,
  filter: CallFilter = {},
): Promise<CostSeries> => {
  const { rows } = await listCosts(db, viewer, period, by, filter)
  const dearest = rows.filter(({ key, costMicros }) => key !== null && (costMicros ?? 0) > 0).slice(0, partsMax)
  const keys = dearest.flatMap(({ key }) => (key === null ? [] : [key]))
  const part =
    keys.length > 0 ? sql`case when ${inArray(groupKeys[by], keys)} then ${groupKeys[by]} end` : sql`null::text`
  const found = await db
    .select({
      atSeconds: bucketSeconds[period.bucket],
      key: sql<string | null>`${part}`,
      micros: number(sql`sum(${modelCalls.costMicros})`),
    })
    .from(modelCalls)
    .where(and(callsOf(viewer, period, filter), isCall))
    .groupBy(sql`1`, sql`2`)
  // Short ids: a key may be any text, and the chart reads paths out of names.
  const idOf = (key: string | null): string => (key === null ? 'rest' : `part${keys.indexOf(key)}`)
  const parts = dearest.map(({ key, label }) => ({ id: idOf(key), label }))
  const hasRest = found.some(({ key, micros }) => key === null && micros > 0)
  const byBucket = new Map<number, Record<string, number>>()
  for (const { atSeconds, key, micros } of found) {
    const values = byBucket.get(atSeconds * 1_000) ?? {}
    values[idOf(key)] = micros
    byBucket.set(atSeconds * 1_000, values)
  }
  return {
    parts: hasRest ? [...parts, { id: 'rest', label: 'Everything else' }] : parts,
    buckets: bucketStarts(period).map((at) => ({ at: at.toISOString(), values: byBucket.get(at.getTime()) ?? {} })),
  }
}

/**
 * What was saved, and by what, the most first; only kinds that saved something or answered at all. A call that was both routed and
 * given a shorter prompt is in both lines with the part that is each one's.
 */
export const listSavings = async (
  db: Reader,
  viewer: Insider,
  stretch: Stretch,
  filter: CallFilter = {},
): Promise<Saving[]> => {
  const { cache, routeSavedMicros, contextSavedMicros, savedMicros, savedTokens } = modelCalls
  const count = (which: SQL) => number(sql`count(*) filter (where ${which})`)
  const sum = (what: SQL, which: SQL) => number(sql`sum(${what}) filter (where ${which})`)
  const exact = sql`${cache} = 'exact'`
  const semantic = sql`${cache} = 'semantic'`
  const routed = sql`${isCall} and ${routeSavedMicros} > 0`
  const shortened = sql`${isCall} and (${contextSavedMicros} > 0 or ${savedTokens} > 0)`
  // A cache's part is what is left of the whole.
  const byCache = sql`${savedMicros} - ${routeSavedMicros} - ${contextSavedMicros}`
  const [found] = await db
    .select({
      exactCalls: count(exact),
      exactMicros: sum(byCache, exact),
      exactTokens: sum(sql`${savedTokens}`, exact),
      semanticCalls: count(semantic),
      semanticMicros: sum(byCache, semantic),
      semanticTokens: sum(sql`${savedTokens}`, semantic),
      routeCalls: count(routed),
      routeMicros: sum(sql`${routeSavedMicros}`, routed),
      contextCalls: count(shortened),
      contextMicros: sum(sql`${contextSavedMicros}`, shortened),
      contextTokens: sum(sql`${savedTokens}`, shortened),
    })
    .from(modelCalls)
    .where(callsOf(viewer, stretch, filter))
  if (!found) return []
  const all: Saving[] = [
    { kind: 'exact', calls: found.exactCalls, savedMicros: found.exactMicros, savedTokens: found.exactTokens },
    {
      kind: 'semantic',
      calls: found.semanticCalls,
      savedMicros: found.semanticMicros,
      savedTokens: found.semanticTokens,
    },
    { kind: 'route', calls: found.routeCalls, savedMicros: found.routeMicros, savedTokens: null },
    { kind: 'context', calls: found.contextCalls, savedMicros: found.contextMicros, savedTokens: found.contextTokens },
  ]
  return all
    .filter(({ calls }) => calls > 0)
    .sort((a, b) => b.savedMicros - a.savedMicros || a.kind.localeCompare(b.kind))
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
