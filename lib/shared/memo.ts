/**
 * A small memory in the process for what is cheap to keep and dear to make: the vector of a question, the result of a search.
 *
 * Promises: never more than `entriesMax` entries, the least recently used go first; nothing older than `ttlMs` is given; one making at
 * a time for a key; what failed is not kept. The key must hold everything that the value depends on: workspace, access, model and
 * index version. Values are shared: readers do not change them.
 */

export type MemoCounters = { hits: number; misses: number; entries: number }

export type Memo<Value> = {
  /** The kept value of `key`, or what `make` gives, which is then kept. Throws what `make` throws. */
  get(key: string, make: () => Promise<Value>): Promise<Value>
  /** Forgets the keys that begin so; without a beginning, all. What is being made meanwhile is not kept. */
  purge(beginning?: string): void
  counters(): MemoCounters
}

type Options = { entriesMax: number; ttlMs: number; nowMs?: () => number }

export const createMemo = <Value>({ entriesMax, ttlMs, nowMs = Date.now }: Options): Memo<Value> => {
  // A Map keeps the order of insertion: the first is the one used longest ago.
  const entries = new Map<string, { value: Promise<Value>; untilMs: number }>()
  let hits = 0
  let misses = 0
  return {
    get: (key, make) => {
      const found = entries.get(key)
      entries.delete(key)
      if (found && found.untilMs > nowMs()) {
        hits += 1
        entries.set(key, found)
        return found.value
      }
      misses += 1
      // What is only like a promise, as a query is, would be made anew for each that waits for it.
      const made = { value: Promise.resolve(make()), untilMs: nowMs() + ttlMs }
      entries.set(key, made)
      made.value.catch(() => {
        if (entries.get(key) === made) entries.delete(key)
      })
      for (const oldest of entries.keys()) {
        if (entries.size <= entriesMax) break
        entries.delete(oldest)
      }
      return made.value
    },
    purge: (beginning = '') => {
      for (const key of entries.keys()) if (key.startsWith(beginning)) entries.delete(key)
    },
    counters: () => ({ hits, misses, entries: entries.size }),
  }
}
