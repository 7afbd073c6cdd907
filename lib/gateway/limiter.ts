/**
 * How many calls a provider holds at once and how many a minute a model takes, before it has to say so itself. Chat goes first;
 * ingestion, evaluation and batch wait in this order. In memory, for one process: what others use is learned from the headers.
 */
import { type Candidate, type Lane, lanes } from './call.ts'

const inFlightMax = 32
/** Background work holds its places for minutes; these are kept from it. */
const inFlightForChat = 8
const minuteMs = 60_000
const bucketMs = 1_000
/** What a provider says about its own limits is believed up to here, so that a wrong header shuts nobody out for long. */
const pauseMsMax = 300_000

export type Pass = {
  /** The call has ended; with the tokens it really took, where they are known. Once. */
  leave(tokens?: number): void
}

type Wanted = {
  candidate: Pick<Candidate, 'key' | 'provider'>
  lane: Lane
  /** What the call may take, prompt and answer. */
  tokens: number
  /** The longest wait; whoever would have to wait longer is told at once. */
  waitMsMax: number
  signal: AbortSignal
}

export type Limiter = {
  /** A pass, or in how many milliseconds to come again. Throws the signal's reason. */
  enter(wanted: Wanted): Promise<Pass | { retryInMs: number }>
  /** Reads what an answer's headers say about requests and tokens that are left. */
  learn(key: string, headers: Record<string, string> | undefined): void
  /** Nobody is let through for so long: the provider asked for it. */
  pause(key: string, ms: number): void
}

type Waiter = { rank: number; need: number; deadlineMs: number; done: (waited: true | number) => void }

/**
 * A line before a door. `tryPass` takes a place and returns 0, or says how long it takes until it is worth trying again (Infinity:
 * until somebody leaves). One timer for all who wait, none when nobody does.
 */
const createLine = (tryPass: (rank: number, need: number) => number) => {
  const waiting: Waiter[] = []
  let timer: NodeJS.Timeout | undefined
  const serve = (): void => {
    clearTimeout(timer)
    timer = undefined
    for (let first = waiting[0]; first; first = waiting[0]) {
      const inMs = tryPass(first.rank, first.need)
      const nowMs = performance.now()
      if (inMs === 0 || first.deadlineMs <= nowMs) {
        waiting.shift()
        first.done(inMs === 0 || inMs)
        continue
      }
      const nextMs = Math.min(nowMs + inMs, ...waiting.map(({ deadlineMs }) => deadlineMs))
      if (Number.isFinite(nextMs)) timer = setTimeout(serve, Math.max(1, nextMs - nowMs))
      // Behind one who can wait there may be one who cannot.
      for (const late of waiting.filter(({ deadlineMs }) => deadlineMs <= nowMs)) {
        waiting.splice(waiting.indexOf(late), 1)
        late.done(inMs)
      }
      return
    }
  }
  return {
    serve,
    /** True, or the milliseconds after which it is worth coming again. */
    pass: ({ lane, need, waitMsMax, signal }: { lane: Lane; need: number; waitMsMax: number; signal: AbortSignal }) => {
      const rank = lanes.indexOf(lane)
      const ahead = waiting.some((other) => other.rank <= rank)
      const inMs = ahead ? 1 : tryPass(rank, need)
      if (inMs === 0) return true
      if (Number.isFinite(inMs) && inMs > waitMsMax) return inMs
      return new Promise<true | number>((resolve, reject) => {
        const waiter: Waiter = {
          rank,
          need,
          deadlineMs: performance.now() + waitMsMax,
          done: (outcome) => {
            signal.removeEventListener('abort', left)
            resolve(outcome)
          },
        }
        const left = (): void => {
          waiting.splice(waiting.indexOf(waiter), 1)
          reject(signal.reason)
          serve()
        }
        signal.addEventListener('abort', left, { once: true })
        const behind = waiting.findIndex((other) => other.rank > rank)
        waiting.splice(behind < 0 ? waiting.length : behind, 0, waiter)
        serve()
      })
    },
  }
}

/** Places at a provider. */
const createBulkhead = () => {
  let inFlight = 0
  const line = createLine((rank) => {
    if (inFlight >= (rank === 0 ? inFlightMax : inFlightMax - inFlightForChat)) return Number.POSITIVE_INFINITY
    inFlight += 1
    return 0
  })
  return {
    pass: line.pass,
    leave: () => {
      inFlight -= 1
      line.serve()
    },
  }
}

type Dimension = 'requests' | 'tokens'
/** What a provider said is left; it fills up evenly to `limit` at `fullAtMs`. */
type Told = { limit: number; left: number; atMs: number; fullAtMs: number }
type Bucket = { atMs: number; requests: number; tokens: number }

/** What a model takes a minute: by the settings or its own headers, over any sixty seconds. */
const createRate = () => {
  let limits: Record<Dimension, number> = { requests: Number.POSITIVE_INFINITY, tokens: Number.POSITIVE_INFINITY }
  const heard: Partial<Record<Dimension, number>> = {}
  const told: Partial<Record<Dimension, Told>> = {}
  let used: Bucket[] = []
  let pausedUntilMs = 0

  /** Until the last minute has room again. */
  const windowWaitMs = (dimension: Dimension, need: number, nowMs: number): number => {
    const limit = Math.min(limits[dimension], heard[dimension] ?? Number.POSITIVE_INFINITY)
    let over = used.reduce((sum, bucket) => sum + bucket[dimension], 0) + Math.min(need, limit) - limit
    if (over <= 0) return 0
    for (const bucket of used) {
      over -= bucket[dimension]
      if (over <= 0) return bucket.atMs + bucketMs + minuteMs - nowMs
    }
    return 0
  }
  /** Until the provider, as it said, has enough left. */
  const toldWaitMs = (dimension: Dimension, need: number, nowMs: number): number => {
    const known = told[dimension]
    if (!known || nowMs >= known.fullAtMs) return 0
    const perMs = Math.max(0, known.limit - known.left) / (known.fullAtMs - known.atMs)
    const missing = Math.min(need, known.limit) - known.left - perMs * (nowMs - known.atMs)
    if (missing <= 0) return 0
    return Math.min(perMs > 0 ? missing / perMs : Number.POSITIVE_INFINITY, known.fullAtMs - nowMs)
  }
  const tryPass = (_rank: number, tokens: number): number => {
    const nowMs = performance.now()
    used = used.filter(({ atMs }) => atMs + bucketMs + minuteMs > nowMs)
    const waitMs = Math.max(
      pausedUntilMs - nowMs,
      windowWaitMs('requests', 1, nowMs),
      windowWaitMs('tokens', tokens, nowMs),
      toldWaitMs('requests', 1, nowMs),
      toldWaitMs('tokens', tokens, nowMs),
    )
    if (waitMs > 0) return waitMs
    const atMs = Math.floor(nowMs / bucketMs) * bucketMs
    let last = used.at(-1)
    if (last?.atMs !== atMs) {
      last = { atMs, requests: 0, tokens: 0 }
      used.push(last)
    }
    last.requests += 1
    last.tokens += tokens
    if (told.requests) told.requests.left -= 1
    if (told.tokens) told.tokens.left -= tokens
    return 0
  }
  const line = createLine(tryPass)
  return {
    pass: line.pass,
    setLimits: (requests: number | undefined, tokens: number | undefined) => {
      limits = { requests: requests ?? Number.POSITIVE_INFINITY, tokens: tokens ?? Number.POSITIVE_INFINITY }
    },
    /** Puts right what was taken for a call that took less, or was not made. */
    correct: (change: { requests: number; tokens: number }) => {
      const last = used.at(-1)
      if (last) {
        last.requests = Math.max(0, last.requests + change.requests)
        last.tokens = Math.max(0, last.tokens + change.tokens)
      }
      line.serve()
    },
    learn: (
      dimension: Dimension,
      said: { limit: number | undefined; left: number | undefined; resetMs: number | undefined },
    ) => {
      if (said.limit !== undefined && said.limit > 0) heard[dimension] = said.limit
      const limit = said.limit ?? heard[dimension]
      if (said.left === undefined || said.resetMs === undefined) return
      const atMs = performance.now()
      const fullAtMs = atMs + Math.min(said.resetMs, pauseMsMax)
      told[dimension] = { limit: limit ?? Math.max(1, said.left), left: said.left, atMs, fullAtMs }
      line.serve()
    },
    pause: (ms: number) => {
      pausedUntilMs = Math.max(pausedUntilMs, performance.now() + Math.min(ms, pauseMsMax))
    },
  }
}

const unitsMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `1s`, `6m0s`, `120ms`, seconds as a number (OpenAI and those who follow it), or a moment (Anthropic). */
const resetMsOf = (header: string | undefined, now: Date): number | undefined => {
  if (!header) return undefined
  const seconds = Number(header)
  if (!Number.isNaN(seconds)) return Math.max(0, seconds * 1_000)
  const parts = [...header.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)]
  if (parts.length > 0 && parts.map(([all]) => all).join('') === header)
    return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? 0), 0)
  const moment = Date.parse(header)
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - now.getTime())
}

const countOf = (header: string | undefined): number | undefined => {
  const count = header ? Number(header) : Number.NaN
  return Number.isFinite(count) && count >= 0 ? count : undefined
}

const headersOf: Record<Dimension, readonly ((part: 'limit' | 'remaining' | 'reset') => string)[]> = {
  requests: [(part) => `x-ratelimit-${part}-requests`, (part) => `anthropic-ratelimit-requests-${part}`],
  tokens: [(part) => `x-ratelimit-${part}-tokens`, (part) => `anthropic-ratelimit-tokens-${part}`],
}

const entryOf = <Value>(map: Map<string, Value>, key: string, create: () => Value): Value => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = create()
  map.set(key, made)
  return made
}

export const createLimiter = (): Limiter => {
  const bulkheads = new Map<string, ReturnType<typeof createBulkhead>>()
  const rates = new Map<string, ReturnType<typeof createRate>>()
  return {
    enter: async ({ candidate: { key, provider }, lane, tokens, waitMsMax, signal }) => {
      const rate = entryOf(rates, key, createRate)
      rate.setLimits(provider.requestsPerMinute, provider.tokensPerMinute)
      const beganMs = performance.now()
      // The rate first: who waits for it needs no place yet.
      const inRate = await rate.pass({ lane, need: tokens, waitMsMax, signal })
      if (inRate !== true) return { retryInMs: inRate }
      const bulkhead = entryOf(bulkheads, provider.id, createBulkhead)
      let placed: true | number = 0
      try {
        placed = await bulkhead.pass({ lane, need: 1, waitMsMax: waitMsMax - (performance.now() - beganMs), signal })
      } finally {
        if (placed !== true) rate.correct({ requests: -1, tokens: -tokens })
      }
      if (placed !== true) return { retryInMs: Number.isFinite(placed) ? placed : bucketMs }
      let inside = true
      return {
        leave: (taken) => {
          if (!inside) return
          inside = false
          bulkhead.leave()
          if (taken !== undefined) rate.correct({ requests: 0, tokens: taken - tokens })
        },
      }
    },
    learn: (key, headers) => {
      if (!headers) return
      const now = new Date()
      for (const dimension of ['requests', 'tokens'] as const)
        for (const name of headersOf[dimension]) {
          const limit = countOf(headers[name('limit')])
          const left = countOf(headers[name('remaining')])
          if (limit === undefined && left === undefined) continue
          entryOf(rates, key, createRate).learn(dimension, {
            limit,
            left,
            resetMs: resetMsOf(headers[name('reset')], now),
          })
        }
    },
    pause: (key, ms) => entryOf(rates, key, createRate).pause(ms),
  }
}
