/**
 * Breakers: a model that fails too often is not asked for a while, then by one probe. What one instance finds out all know within
 * about a second, through the database. Trouble with the database fails open, to what this instance saw itself: a breaker protects,
 * it must not stop an answer.
 */
import { database } from '#db/client.ts'
import { claimProbe, getBreakers, type SharedBreaker, setBreaker } from '#db/queries/breakers.ts'
import { log } from '#lib/log.ts'
import type { FailureClass } from './call.ts'

/** Half of at least ten calls in thirty seconds open it. */
const windowMs = 30_000
const callsMin = 10
const failureShareMax = 0.5
/** So do five failures in a row; more are needed while it has answered others of late, since chance alone brings five. */
const inRowMax = 5
const inRowMaxBusy = 12
/** Doubled by every probe that fails. */
const openMsMin = 1_000
const openMsMax = 60_000
/** A probe is decided by its first words; one that is not heard of for so long is given to another. */
const probeMs = 30_000
/** What the database says is read at most this often, and waited for no longer than that. */
const freshMs = 1_000
const databaseMsMax = 300

/** Calls and failures of the last half minute, a second each. */
const createSample = () => {
  let seconds: { atMs: number; calls: number; failures: number }[] = []
  let inRow = 0
  let answeredMs = Number.NEGATIVE_INFINITY
  return {
    /** True when it is enough. */
    add: (failed: boolean): boolean => {
      const nowMs = performance.now()
      const atMs = Math.floor(nowMs / 1_000) * 1_000
      seconds = seconds.filter((second) => second.atMs > nowMs - windowMs)
      let last = seconds.at(-1)
      if (last?.atMs !== atMs) {
        last = { atMs, calls: 0, failures: 0 }
        seconds.push(last)
      }
      last.calls += 1
      if (!failed) {
        inRow = 0
        answeredMs = nowMs
        return false
      }
      last.failures += 1
      inRow += 1
      if (inRow >= (nowMs - answeredMs < windowMs ? inRowMaxBusy : inRowMax)) return true
      const calls = seconds.reduce((sum, second) => sum + second.calls, 0)
      const failures = seconds.reduce((sum, second) => sum + second.failures, 0)
      return calls >= callsMin && failures >= calls * failureShareMax
    },
  }
}

/** What the database says, or what `late` says when that takes too long. */
const within = async <Value>(asked: Promise<Value>, late: () => Value): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<Value>((resolve) => {
    timer = setTimeout(() => resolve(late()), databaseMsMax)
  })
  try {
    return await Promise.race([asked, waited])
  } finally {
    clearTimeout(timer)
  }
}

const claim = async (key: string): Promise<boolean> => {
  try {
    return await claimProbe(database().db, key, probeMs)
  } catch (error) {
    log.warn({ err: error, model: key }, 'a probe was not claimed')
    return true
  }
}

type Entry = {
  state: 'closed' | 'open' | 'half-open'
  retryAtMs: number
  openMs: number
  reason: string | null
  sample: ReturnType<typeof createSample>
  /** When this instance last changed it: what was read before is older. */
  changedMs: number
  /** The database knows. */
  shared: boolean
}

/** A call that a breaker let through; what came of it is told once. */
export type Ticket = {
  /** The first words are there: enough for a probe. */
  answering(): void
  succeeded(): void
  failed(failure: FailureClass): void
  /** The call ended and says nothing about the model: a probe may be given to another. */
  left(): void
}

export type Breakers = {
  /** Milliseconds until it is worth asking the model; 0: now, perhaps as a probe. Nothing is claimed. */
  openFor(key: string): Promise<number>
  /** A ticket, or in how many milliseconds it is worth coming again. Takes milliseconds. */
  enter(key: string): Promise<Ticket | { retryInMs: number }>
  /** Those that are not closed, as this instance knows them. */
  list(): Promise<{ key: string; state: 'open' | 'half-open'; reason: string | null; retryInMs: number }[]>
  /** When what has changed so far is in the database, or could not be brought there. */
  settled(): Promise<void>
}

/** The breakers of one instance, all closed. */
export const createBreakers = (): Breakers => {
  const entries = new Map<string, Entry>()
  let readMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  let writing: Promise<void> = Promise.resolve()

  const entryOf = (key: string): Entry => {
    let entry = entries.get(key)
    if (!entry) {
      entry = {
        state: 'closed',
        retryAtMs: 0,
        openMs: openMsMin,
        reason: null,
        sample: createSample(),
        changedMs: Number.NEGATIVE_INFINITY,
        shared: true,
      }
      entries.set(key, entry)
    }
    return entry
  }

  /** Writes in the order of the changes; nobody waits for it. */
  const share = (key: string, entry: Entry): void => {
    entry.changedMs = performance.now()
    entry.shared = false
    const { changedMs, reason, openMs } = entry
    const change =
      entry.state === 'open'
        ? ({ state: 'open', retryInMs: Math.max(0, entry.retryAtMs - changedMs) } as const)
        : ({ state: 'closed' } as const)
    writing = writing
      .then(() => setBreaker(database().db, { key, reason: change.state === 'open' ? reason : null, ...change }))
      .then(() => {
        if (entry.changedMs === changedMs) entry.shared = true
      })
      .catch((error: unknown) => log.warn({ err: error, model: key, openMs }, 'a breaker was not shared'))
  }

  const adopt = (found: readonly SharedBreaker[], askedMs: number): void => {
    const nowMs = performance.now()
    const open = new Map(found.map((one) => [one.key, one]))
    for (const { key } of found) entryOf(key)
    for (const [key, entry] of entries) {
      // What happened here since the question was asked, or is not in the database yet, is newer.
      if (entry.changedMs >= askedMs || !entry.shared) continue
      const known = open.get(key)
      if (known) {
        entry.state = known.state
        entry.retryAtMs = nowMs + known.retryInMs
        entry.reason = known.reason
        if (known.state === 'open') entry.openMs = Math.min(openMsMax, Math.max(openMsMin, known.openForMs))
      } else if (entry.state !== 'closed') {
        entry.state = 'closed'
        entry.openMs = openMsMin
        entry.sample = createSample()
      }
    }
  }

  const read = async (): Promise<void> => {
    const askedMs = performance.now()
    try {
      adopt(await getBreakers(database().db), askedMs)
    } catch (error) {
      // Fails open: this instance goes by what it saw itself.
      log.warn({ err: error }, 'breakers were not read')
    }
    readMs = performance.now()
  }

  const refresh = async (): Promise<void> => {
    if (performance.now() - readMs < freshMs) return
    reading ??= read().finally(() => {
      reading = undefined
    })
    // A database that is slow is asked again in a second; until then this instance goes by what it knows.
    await within(reading, () => {
      readMs = performance.now()
    })
  }

  const open = (key: string, entry: Entry, openMs: number, reason: string | null): void => {
    entry.state = 'open'
    entry.openMs = openMs
    entry.retryAtMs = performance.now() + openMs
    entry.reason = reason
    entry.sample = createSample()
    share(key, entry)
    log.warn({ model: key, reason, openMs }, 'breaker opened')
  }

  const close = (key: string, entry: Entry): void => {
    entry.state = 'closed'
    entry.openMs = openMsMin
    entry.reason = null
    entry.sample = createSample()
    share(key, entry)
    log.info({ model: key }, 'breaker closed')
  }

  const ticketOf = (key: string, entry: Entry, asProbe: boolean): Ticket => {
    let probe = asProbe
    let told = false
    const tell = (outcome: () => void) => (): void => {
      if (told) return
      told = true
      outcome()
    }
    const answering = (): void => {
      if (!probe) return
      probe = false
      close(key, entry)
    }
    return {
      answering,
      succeeded: tell(() => {
        answering()
        // A call from before it opened closes nothing.
        if (entry.state === 'closed') entry.sample.add(false)
      }),
      failed: (failure) =>
        tell(() => {
          if (probe) open(key, entry, Math.min(openMsMax, entry.openMs * 2), failure)
          else if (entry.state === 'closed' && entry.sample.add(true)) open(key, entry, openMsMin, failure)
        })(),
      left: tell(() => {
        if (!probe) return
        entry.state = 'open'
        entry.retryAtMs = performance.now()
        share(key, entry)
      }),
    }
  }

  return {
    openFor: async (key) => {
      await refresh()
      const { state, retryAtMs } = entryOf(key)
      return state === 'closed' ? 0 : Math.max(0, retryAtMs - performance.now())
    },
    enter: async (key) => {
      await refresh()
      const entry = entryOf(key)
      if (entry.state === 'closed') return ticketOf(key, entry, false)
      const inMs = entry.retryAtMs - performance.now()
      if (inMs > 0) return { retryInMs: inMs }
      // Taken here first, so that of many calls in this instance one asks.
      entry.state = 'half-open'
      entry.retryAtMs = performance.now() + probeMs
      entry.changedMs = performance.now()
      if (entry.shared) {
        // Fails open: without the database this instance probes by itself.
        const claimed = await within(claim(key), () => true)
        if (!claimed) {
          // Another instance has it, or has closed it: the next read tells.
          entry.changedMs = Number.NEGATIVE_INFINITY
          readMs = Number.NEGATIVE_INFINITY
          return { retryInMs: freshMs }
        }
      }
      return ticketOf(key, entry, true)
    },
    list: async () => {
      await refresh()
      return [...entries].flatMap(([key, { state, reason, retryAtMs }]) =>
        state === 'closed' ? [] : [{ key, state, reason, retryInMs: Math.max(0, retryAtMs - performance.now()) }],
      )
    },
    settled: () => writing,
  }
}
