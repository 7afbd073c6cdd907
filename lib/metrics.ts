/**
 * What this process has done, for Prometheus. Labels come from short lists that are written here (and from the names of configured
 * models), so that no label names a person or a text and the number of series has a bound. Counts start again with the process.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Everything else that is counted as an outcome is `other`. */
const outcomes = [
  'ok',
  'refused',
  'stopped',
  'no-source',
  'rate-limited',
  'server',
  'timeout',
  'network',
  'bad-output',
  'misconfigured',
  'model-gone',
  'too-long',
  'breaker-open',
  'busy',
  'budget',
  'blocked',
] as const

const breakerLevels = { closed: 0, 'half-open': 1, open: 2 } as const
const breakersMax = 200

const latencySeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120]

const createMeters = () => {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    requests: new Counter({
      name: 'rag_requests_total',
      help: 'Calls of a model and answers from a cache, by how they ended.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    firstToken: new Histogram({
      name: 'rag_ttft_seconds',
      help: 'Time to the first token of calls that had one.',
      buckets: latencySeconds,
      registers,
    }),
    duration: new Histogram({
      name: 'rag_request_seconds',
      help: 'Time of a whole call, with its retries and fallbacks.',
      buckets: latencySeconds,
      registers,
    }),
    tokens: new Counter({
      name: 'rag_tokens_total',
      help: 'Tokens sent to models and received from them.',
      labelNames: ['direction'] as const,
      registers,
    }),
    cost: new Counter({
      name: 'rag_cost_usd_total',
      help: 'Dollars of calls whose price is known; the others are in rag_unpriced_calls_total.',
      registers,
    }),
    unpriced: new Counter({
      name: 'rag_unpriced_calls_total',
      help: 'Calls of a model whose price is not known.',
      registers,
    }),
    cacheHits: new Counter({
      name: 'rag_cache_hits_total',
      help: 'Answers from a cache, by its level.',
      labelNames: ['level'] as const,
      registers,
    }),
    retrievals: new Counter({
      name: 'rag_retrievals_total',
      help: 'Searches for a question: made, or kept from a moment ago.',
      labelNames: ['kept'] as const,
      registers,
    }),
    queueDepth: new Gauge({ name: 'rag_queue_depth', help: 'Jobs that wait for a worker.', registers }),
    breakers: new Gauge({
      name: 'rag_breaker_state',
      help: 'Breaker of a model: 0 closed, 1 half open, 2 open.',
      labelNames: ['model'] as const,
      registers,
    }),
  }
}

// Next.js bundles its own copy of this module into the process: the meters are one a process all the same.
type Held = { footnoteMeters?: ReturnType<typeof createMeters> }
const held = globalThis as typeof globalThis & Held
const meters = () => {
  held.footnoteMeters ??= createMeters()
  return held.footnoteMeters
}

/** One line of the ledger, as far as it is counted. Times in milliseconds, money in micro-dollars. */
export type CountedCall = {
  outcome: string
  /** Null when a model was called. */
  cache: 'exact' | 'semantic' | null
  firstTokenMs: number | null
  totalMs: number | null
  tokensIn: number | null
  tokensOut: number | null
  /** Null: the price is not known. */
  costMicros: number | null
}

const isAmount = (value: number | null): value is number => value !== null && Number.isFinite(value) && value >= 0

/** Counts a call that has ended. Never throws: what is not a sensible number is left out. */
export const countCall = (call: CountedCall): void => {
  const { requests, firstToken, duration, tokens, cost, unpriced, cacheHits } = meters()
  requests.inc({ outcome: outcomes.find((one) => one === call.outcome) ?? 'other' })
  if (isAmount(call.firstTokenMs)) firstToken.observe(call.firstTokenMs / 1_000)
  if (isAmount(call.totalMs)) duration.observe(call.totalMs / 1_000)
  if (call.cache !== null) {
    // What a cache answered was neither sent nor paid again.
    cacheHits.inc({ level: call.cache === 'exact' ? 'exact' : 'semantic' })
    return
  }
  if (isAmount(call.tokensIn)) tokens.inc({ direction: 'in' }, call.tokensIn)
  if (isAmount(call.tokensOut)) tokens.inc({ direction: 'out' }, call.tokensOut)
  if (isAmount(call.costMicros)) cost.inc(call.costMicros / 1_000_000)
  else unpriced.inc()
}

/** Counts a search for a question; `kept`: the ranking of a moment ago was used again. */
export const countRetrieval = (kept: boolean): void => meters().retrievals.inc({ kept: String(kept) })

/** What others know at the moment of the look. */
export type Readings = {
  /** Null: the queue does not answer, and its gauge is left out rather than shown as empty. */
  queued: number | null
  breakers: readonly { name: string; state: 'closed' | 'half-open' | 'open' }[]
}

/** The text that Prometheus reads, and its content type. Gauges show only this look's readings. */
export const renderMetrics = async ({ queued, breakers }: Readings): Promise<{ text: string; contentType: string }> => {
  const { registry, queueDepth, breakers: breakerStates } = meters()
  breakerStates.reset()
  const levels = new Map<string, number>()
  // Two workspaces may call a provider alike: the worse state is the one to hear of.
  for (const { name, state } of breakers.slice(0, breakersMax))
    levels.set(name, Math.max(levels.get(name) ?? 0, breakerLevels[state]))
  for (const [model, level] of levels) breakerStates.set({ model }, level)
  if (queued === null) queueDepth.remove()
  else queueDepth.set(queued)
  return { text: await registry.metrics(), contentType: registry.contentType }
}
