/** The wire of the Costs and Health screens, and what their addresses may say. Money is micro-dollars; null is a price nobody knows. */
export const ranges = ['24h', '7d', '30d'] as const
export type Range = (typeof ranges)[number]

/** A stretch of time, `to` left out, and the same stretch before it. */
export type Period = {
  from: Date
  to: Date
  previousFrom: Date
  previousTo: Date
  bucket: 'hour' | 'day'
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const shapes: Record<Range, { bucket: Period['bucket']; buckets: number }> = {
  '24h': { bucket: 'hour', buckets: 24 },
  '7d': { bucket: 'day', buckets: 7 },
  '30d': { bucket: 'day', buckets: 30 },
}

/**
 * Whole hours or days of UTC up to `now`, as budgets count them; the last is not over yet. The previous period ends as far into its
 * last hour or day, so that the two can be compared.
 */
export const periodOf = (range: Range, now: Date): Period => {
  const { bucket, buckets } = shapes[range]
  const stepMs = bucket === 'hour' ? hourMs : dayMs
  const lengthMs = buckets * stepMs
  const from = Math.floor(now.getTime() / stepMs) * stepMs - (buckets - 1) * stepMs
  return {
    from: new Date(from),
    to: now,
    previousFrom: new Date(from - lengthMs),
    previousTo: new Date(now.getTime() - lengthMs),
    bucket,
  }
}

/** The starts of a period's hours or days, oldest first. */
export const bucketStarts = ({ from, to, bucket }: Period): Date[] => {
  const stepMs = bucket === 'hour' ? hourMs : dayMs
  const count = Math.ceil((to.getTime() - from.getTime()) / stepMs)
  return Array.from({ length: count }, (_, at) => new Date(from.getTime() + at * stepMs))
}

/** Which calls are looked at; `status` is an outcome, or `failed` for every failure. */
export type CallFilter = {
  model?: string | undefined
  task?: string | undefined
  user?: string | undefined
  feature?: string | undefined
  status?: string | undefined
}

/** What a filter can be set to: what the workspace has used. */
export type CallFilterChoices = {
  models: string[]
  tasks: string[]
  features: string[]
  statuses: string[]
  users: { id: string; name: string }[]
}

export const costGroups = ['model', 'user', 'task', 'feature', 'conversation'] as const
export type CostGroup = (typeof costGroups)[number]
export const healthGroups = ['model', 'task', 'feature', 'route'] as const
export type HealthGroup = (typeof healthGroups)[number]

export const costSorts = ['label', 'calls', 'tokensIn', 'tokensOut', 'savedMicros', 'costMicros'] as const
export type CostSort = (typeof costSorts)[number]

export type CostTotals = {
  /** Calls of a model and answers from a cache together. */
  calls: number
  cacheHits: number
  tokensIn: number
  tokensOut: number
  /** What is known; null when all that is known is that something of unknown price was called. */
  costMicros: number | null
  /** Calls of a model whose price is not known: they are in no sum. */
  unpricedCalls: number
  savedMicros: number
  savedTokens: number
}

export type CostRow = CostTotals & {
  /** Null: calls that belong to no person, conversation or model. */
  key: string | null
  label: string | null
  /** What tells two of one name apart, and what the list of traces can be asked for. */
  detail: string | null
}

export type CostSeries = {
  /** The dearest of the breakdown, then what is left of it. */
  parts: { id: string; label: string | null }[]
  buckets: { at: string; values: Record<string, number> }[]
}

/** What saved: a cache, by its level; a model below the flagship; a prompt that was made shorter. `calls` are those it helped. */
export type Saving = {
  kind: 'exact' | 'semantic' | 'route' | 'context'
  calls: number
  savedMicros: number
  /** Null where no token was saved, only a price. */
  savedTokens: number | null
}

/** What one tier and model gave for its price, over the calls that ended with an answer. */
export type RouteRow = {
  /** Null: calls that were not routed. */
  tier: string | null
  model: string | null
  calls: number
  /** Of the calls whose price is known; null when none is. */
  costMicrosPerCall: number | null
  unpricedCalls: number
  /** The mean share of an answer's sentences that a cited passage supports, 0 to 1, and over how many answers; null: looked at in none. */
  quality: number | null
  judgedCalls: number
  /** The median; null where none was measured. */
  firstTokenMs: number | null
}

export type BudgetUse = {
  scope: 'workspace' | 'user'
  name: string
  window: 'minute' | 'day' | 'month'
  spentMicros: number
  reservedMicros: number
  limitMicros: number | null
  resetsAt: string | null
}

export type Percentiles = { p50: number; p95: number; p99: number }

export type LatencyRow = {
  key: string | null
  /** One of the names under which the model answered, for the list of traces. */
  served: string | null
  calls: number
  failed: number
  total: Percentiles | null
  firstToken: Percentiles | null
}

export type HealthTotals = {
  calls: number
  cacheHits: { exact: number; semantic: number }
  failed: number
  /** The most calls and cache answers in one minute. */
  busiestMinute: number
  total: Percentiles | null
  firstToken: Percentiles | null
}

export type LatencyBucket = { at: string; calls: number; total: Percentiles | null }

export type FailureRow = { outcome: string; key: string | null; served: string | null; calls: number; of: number }

export type BreakerRow = {
  key: string
  name: string
  state: 'closed' | 'open' | 'half-open'
  reason: string | null
  retryAt: string | null
  changedAt: string
}

export type AlertRow = {
  id: string
  rule: string
  detail: string
  startedAt: string
  /** Null while the rule is met. */
  endedAt: string | null
  /** A webhook took it. */
  delivered: boolean
}

export type UnansweredQuestion = { traceId: string; question: string; user: string; at: string }
