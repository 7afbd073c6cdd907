/**
 * The local encoders' threads: one session each, at most one a core at work over all models together, and one more for a query whose
 * model has a thread that is free. A query passes waiting passages. Threads start with the first text and hold no process open while
 * nothing is asked of them; those that nobody needs give their memory back. When a model is missing or damaged every call of it
 * throws `EncoderUnavailable`; whoever searches then goes on with words alone.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { env } from '#lib/env.ts'
import { log } from '#lib/log.ts'
import { builtInEncoder, type EmbedPurpose, type EncoderModel, EncoderUnavailable } from './encoder-model.ts'
import type { EncoderReply, EncoderRequest } from './encoder-worker.ts'
import { createModelStore, type FindOptions, type FoundModel, type ModelStore } from './model-store.ts'

const threadsMax = Math.min(4, availableParallelism())
/** One more is kept for a model that only answers questions while another one does bulk work. */
const threadsHeldMax = threadsMax + 1
/** After this long without work all threads of a model but one end, and after the next span the last one: not the built-in's. */
const idleMs = 15_000
const unusedMs = 300_000
/** What a thread takes at once: a query waits for at most one such slice. */
const sliceTexts = 8
const sliceChars = 4_800
/** Threads that may end by themselves, for want of memory say, before the encoder counts as broken. */
const lostMax = 3
/** A broken one is tried again after so long: somebody may have mended it. */
const faultMs = 60_000
/** A question waits so long for a model that is not loaded or not even here, then does without. */
const queryPatienceMs = 4_000

type Task = {
  pool: Pool
  texts: string[]
  resolve: (vectors: Float32Array) => void
  reject: (error: Error) => void
}
type Thread = { worker: Worker; pool: Pool; task: Task | null; taskId: number }

/** The threads of one model. */
type Pool = {
  found: FoundModel
  threads: Thread[]
  /** Why the model cannot be used, and since when; null while it can. */
  fault: { reason: string; atMs: number } | null
  /** Threads that ended by themselves. */
  lost: number
  usedMs: number
  idle: NodeJS.Timeout | undefined
}

type Encoders = {
  store: ModelStore
  /** By name. */
  found: Map<string, Promise<FoundModel>>
  /** Those that were not found, and when: a hub that is not there is not asked with every question. */
  missed: Map<string, { error: EncoderUnavailable; atMs: number }>
  /** By the model's id. */
  pools: Map<string, Pool>
  queries: Task[]
  passages: Task[]
  closed: boolean
}

type Held = { footnoteEncoders?: Encoders | undefined }
const held = globalThis as typeof globalThis & Held

const encoders = (): Encoders => {
  held.footnoteEncoders ??= {
    store: createModelStore({ modelsDir: env().modelsDir, dataDir: env().dataDir, endpoint: env().hubEndpoint }),
    found: new Map(),
    missed: new Map(),
    pools: new Map(),
    queries: [],
    passages: [],
    closed: false,
  }
  return held.footnoteEncoders
}

/** After what it runs now: killing a thread in the middle of a run aborts the whole process. Resolves when it has ended. */
const end = (thread: Thread): Promise<void> =>
  new Promise((resolve) => {
    const { worker } = thread
    if (worker.threadId < 0) return resolve()
    // Its last reply is for nobody and must not let the process go before the thread has ended.
    thread.task = null
    worker.once('exit', () => resolve())
    worker.ref()
    worker.postMessage({ end: true } satisfies EncoderRequest)
  })

const retire = (thread: Thread): void => {
  const { threads } = thread.pool
  threads.splice(threads.indexOf(thread), 1)
  void end(thread)
}

/** By its name: a process may have loaded this file more than once. */
const isBuiltIn = ({ found }: Pool): boolean => found.model.name === builtInEncoder.name

const allThreads = ({ pools }: Encoders): Thread[] => [...pools.values()].flatMap(({ threads }) => threads)

const rejectAll = (all: Encoders, error: Error, pool?: Pool): void => {
  const isMeant = (task: Task): boolean => pool === undefined || task.pool === pool
  const waiting = [...all.queries, ...all.passages].filter(isMeant)
  const running = allThreads(all).flatMap(({ task }) => (task && isMeant(task) ? [task] : []))
  all.queries = all.queries.filter((task) => !isMeant(task))
  all.passages = all.passages.filter((task) => !isMeant(task))
  for (const { reject } of [...waiting, ...running]) reject(error)
}

const fail = (all: Encoders, pool: Pool, reason: string): void => {
  if (!pool.fault) {
    const { id } = pool.found.model
    log.error(
      { event: 'encoder.unavailable', encoder: id, reason },
      'an encoder cannot be used: words alone are searched',
    )
  }
  pool.fault = { reason, atMs: Date.now() }
  // Looked for anew by then: what came from a hub is looked at again, and fetched where it is damaged.
  all.found.delete(pool.found.model.name)
  rejectAll(all, new EncoderUnavailable(reason), pool)
  for (const thread of pool.threads.splice(0)) void end(thread)
  dispatch(all)
}

/** A thread ended by itself: another takes its texts. Too often is a fault. */
const lose = (all: Encoders, thread: Thread, reason: string): void => {
  const { pool, task } = thread
  const at = pool.threads.indexOf(thread)
  if (all.closed || at < 0) return
  pool.threads.splice(at, 1)
  pool.lost += 1
  log.warn({ event: 'encoder.thread-lost', reason }, 'an encoder thread ended by itself')
  if (task) all.queries.unshift(task)
  if (pool.lost >= lostMax) fail(all, pool, reason)
  else dispatch(all)
}

/** Ends the threads that only bulk work needs; the one that stays answers queries at once, and goes when nobody asks any. */
const retireWhenIdle = (pool: Pool, afterMs = idleMs): void => {
  clearTimeout(pool.idle)
  pool.idle = setTimeout(() => {
    if (pool.threads.some(({ task }) => task !== null)) return retireWhenIdle(pool)
    const last = afterMs === unusedMs
    for (const thread of pool.threads.slice(last ? 0 : 1)) retire(thread)
    if (!last && !isBuiltIn(pool)) retireWhenIdle(pool, unusedMs)
  }, afterMs).unref()
}

const startThread = (all: Encoders, pool: Pool): Thread => {
  const held = allThreads(all)
  if (held.length >= threadsHeldMax) {
    // Room is made by a thread that is free, of the model that was used longest ago; the built-in's last one stays.
    const [free] = held
      .filter(({ task, pool: other }) => !task && (!isBuiltIn(other) || other.threads.length > 1))
      .sort((a, b) => a.pool.usedMs - b.pool.usedMs)
    if (free) retire(free)
  }
  const worker = new Worker(new URL('./encoder-worker.ts', import.meta.url), { workerData: pool.found })
  const thread: Thread = { worker, pool, task: null, taskId: 0 }
  worker.on('message', (reply: EncoderReply) => {
    if ('ready' in reply) {
      if (!reply.ready && pool.threads.includes(thread)) fail(all, pool, reply.error)
      return
    }
    const { task } = thread
    if (!task || reply.id !== thread.taskId) return
    thread.task = null
    worker.unref()
    if ('error' in reply) task.reject(new Error(`encoding failed: ${reply.error}`))
    else task.resolve(reply.vectors)
    dispatch(all)
  })
  worker.on('error', (error) => lose(all, thread, error.message))
  worker.on('exit', () => lose(all, thread, 'an encoder thread ended'))
  pool.threads.push(thread)
  return thread
}

const dispatch = (all: Encoders): void => {
  const freeOf = (pool: Pool): Thread | undefined => pool.threads.find(({ task }) => task === null)
  for (;;) {
    const atWork = allThreads(all).filter(({ task }) => task !== null).length
    const task =
      atWork < threadsMax
        ? (all.queries.shift() ?? all.passages.shift())
        : atWork < threadsHeldMax
          ? all.queries.find(({ pool }) => freeOf(pool))
          : undefined
    if (!task) return
    all.queries = all.queries.filter((other) => other !== task)
    const thread = freeOf(task.pool) ?? startThread(all, task.pool)
    task.pool.usedMs = Date.now()
    retireWhenIdle(task.pool)
    thread.task = task
    thread.taskId += 1
    thread.worker.ref()
    thread.worker.postMessage({ id: thread.taskId, texts: task.texts } satisfies EncoderRequest)
  }
}

const findModel = (all: Encoders, name: string, options: FindOptions = {}): Promise<FoundModel> => {
  const known = all.found.get(name)
  if (known) return known
  const found = all.store.find(name, options)
  found.then(
    () => {
      all.found.set(name, found)
      all.missed.delete(name)
    },
    (error: unknown) => {
      if (error instanceof EncoderUnavailable) all.missed.set(name, { error, atMs: Date.now() })
    },
  )
  return found
}

/** For a question, which does not wait for a hub: the fetch goes on for the next ones. */
const findSoon = async (all: Encoders, name: string): Promise<FoundModel> => {
  const missed = all.missed.get(name)
  if (missed && Date.now() - missed.atMs < faultMs) throw missed.error
  const found = findModel(all, name)
  found.catch(() => undefined)
  if (all.store.isFetching(name)) throw new EncoderUnavailable(`${name} is being fetched`)
  return withinPatience(name, found)
}

const poolOf = (all: Encoders, found: FoundModel): Pool => {
  const { id } = found.model
  let pool = all.pools.get(id)
  if (!pool) {
    pool = { found, threads: [], fault: null, lost: 0, usedMs: Date.now(), idle: undefined }
    all.pools.set(id, pool)
  }
  if (pool.fault && Date.now() - pool.fault.atMs >= faultMs) {
    Object.assign(pool, { found, fault: null, lost: 0 } satisfies Partial<Pool>)
  }
  return pool
}

const encodeSlice = (
  all: Encoders,
  { pool, texts, purpose }: { pool: Pool; texts: string[]; purpose: EmbedPurpose },
  signal: AbortSignal | undefined,
): Promise<Float32Array> =>
  new Promise((resolve, reject) => {
    if (pool.fault) return reject(new EncoderUnavailable(pool.fault.reason))
    const place = purpose === 'query' ? 'queries' : 'passages'
    const stopped = (): void => {
      all[place] = all[place].filter((other) => other !== task)
      task.reject(signal?.reason)
    }
    const settled = (): void => signal?.removeEventListener('abort', stopped)
    const task: Task = {
      pool,
      texts,
      resolve: (vectors) => {
        settled()
        resolve(vectors)
      },
      reject: (error) => {
        settled()
        reject(error)
      },
    }
    signal?.addEventListener('abort', stopped, { once: true })
    all[place].push(task)
    dispatch(all)
  })

/** Places of texts, shortest first, in slices that a thread takes at once. */
const slicesOf = (texts: readonly string[]): number[][] => {
  const lengthOf = (index: number): number => texts[index]?.length ?? 0
  const slices: number[][] = []
  let chars = 0
  for (const index of texts.map((_, at) => at).sort((a, b) => lengthOf(a) - lengthOf(b))) {
    const last = slices.at(-1)
    chars += lengthOf(index)
    if (last && last.length < sliceTexts && chars <= sliceChars) last.push(index)
    else {
      slices.push([index])
      chars = lengthOf(index)
    }
  }
  return slices
}

/** A promise, or a refusal when it takes longer than a question may wait. */
const withinPatience = async <Value>(name: string, waited: Promise<Value>): Promise<Value> => {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new EncoderUnavailable(`${name} is being fetched or loaded`)), queryPatienceMs)
  waited.catch(() => undefined)
  try {
    return await Promise.race([waited, late])
  } finally {
    clearTimeout(timer)
  }
}

export type EncodeCall = {
  purpose: EmbedPurpose
  /** A name; the built-in encoder's when left out. */
  model?: string | undefined
  signal?: AbortSignal | undefined
}

/**
 * Unit vectors of `texts`, in their order, and the model that made them. A model that is nowhere is fetched first. Throws
 * `EncoderUnavailable` when there is no model to run; a query also when that takes too long.
 */
export const encode = async (
  texts: readonly string[],
  { purpose, model: name = builtInEncoder.name, signal }: EncodeCall,
): Promise<{ model: EncoderModel; vectors: Float32Array[] }> => {
  signal?.throwIfAborted()
  const all = encoders()
  const isQuery = purpose === 'query'
  const pool = poolOf(all, await (isQuery ? findSoon(all, name) : findModel(all, name, { signal })))
  signal?.throwIfAborted()
  if (all.closed) throw closedError()
  const { model } = pool.found
  const vectors: Float32Array[] = new Array(texts.length)
  const done = Promise.all(
    slicesOf(texts).map(async (slice) => {
      const prefixed = slice.map((index) => model.prefix[purpose] + (texts[index] ?? ''))
      const joined = await encodeSlice(all, { pool, texts: prefixed, purpose }, signal)
      slice.forEach((index, row) => {
        vectors[index] = joined.subarray(row * model.dimensions, (row + 1) * model.dimensions)
      })
    }),
  )
  await (isQuery && !isBuiltIn(pool) ? withinPatience(name, done) : done)
  return { model, vectors }
}

/** Brings a model's files here. Throws as `encode`. */
export const fetchLocalEncoder = async (name: string, options: FindOptions = {}): Promise<void> => {
  await findModel(encoders(), name, options)
}

/** What is known of a model without looking for it; undefined before it was found in this process. */
export const loadedEncoder = (name: string): EncoderModel | undefined =>
  [...encoders().pools.values()].find(({ found }) => found.model.name === name)?.found.model

/** Names of the encoders that are here, the built-in one first. */
export const listEncoders = (): Promise<string[]> => encoders().store.list()

/** Why an encoder cannot be used; null while it can, as far as was tried. */
export const encoderFault = (id: string = builtInEncoder.id): string | null =>
  encoders().pools.get(id)?.fault?.reason ?? null

/** Not `EncoderUnavailable`: a job that is stopped is done again, it does not go on without vectors. */
const closedError = (): Error => new Error('the encoder was closed')

/** Ends the threads, refusing what they still had to do; the next call starts new ones. */
export const closeEncoder = async (): Promise<void> => {
  const open = held.footnoteEncoders
  held.footnoteEncoders = undefined
  if (!open) return
  open.closed = true
  rejectAll(open, closedError())
  for (const { idle } of open.pools.values()) clearTimeout(idle)
  await Promise.all([...open.pools.values()].flatMap(({ threads }) => threads.splice(0).map(end)))
}
