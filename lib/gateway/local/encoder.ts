/**
 * The built-in encoder's pool: worker threads with one session each, at most one a core. A query passes waiting passages. Threads
 * start with the first text and hold no process open while nothing is asked of them. When the model is missing or damaged every
 * call throws `EncoderUnavailable`; whoever searches then goes on with words alone.
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { env } from '#lib/env.ts'
import { log } from '#lib/log.ts'
import { builtInEncoder, encoderId } from './encoder-model.ts'
import type { EncoderReply, EncoderRequest } from './encoder-worker.ts'

/** No encoder: the reason is for the log and the health page. */
export class EncoderUnavailable extends Error {
  override name = 'EncoderUnavailable'
}

export type EmbedPurpose = 'query' | 'passage'

const threadsMax = Math.min(4, availableParallelism())
/** After this long without work all threads but one end and give their memory back. */
const idleMs = 15_000
/** Texts a thread takes at once: a query waits for at most one such slice. */
const sliceTexts = 8
/** Threads that may end by themselves, for want of memory say, before the encoder counts as broken. */
const lostMax = 3

type Task = { texts: string[]; resolve: (vectors: Float32Array) => void; reject: (error: Error) => void }
type Thread = { worker: Worker; task: Task | null; taskId: number }

type Pool = {
  threads: Thread[]
  queries: Task[]
  passages: Task[]
  /** Why the model cannot be used; null while it can. */
  fault: string | null
  /** Threads that ended by themselves. */
  lost: number
  closed: boolean
  idle: NodeJS.Timeout | undefined
}

type Held = { footnoteEncoder?: Pool | undefined }
const held = globalThis as typeof globalThis & Held

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

const rejectAll = (pool: Pool, error: Error): void => {
  const running = pool.threads.flatMap(({ task }) => (task ? [task] : []))
  for (const { reject } of [...pool.queries.splice(0), ...pool.passages.splice(0), ...running]) reject(error)
}

const fail = (pool: Pool, reason: string): void => {
  if (!pool.fault)
    log.error({ event: 'encoder.unavailable', reason }, 'the encoder cannot be used: answers come from words alone')
  pool.fault = reason
  rejectAll(pool, new EncoderUnavailable(reason))
  for (const thread of pool.threads.splice(0)) void end(thread)
}

/** A thread ended by itself: another takes its texts. Too often is a fault. */
const lose = (pool: Pool, thread: Thread, reason: string): void => {
  const at = pool.threads.indexOf(thread)
  if (pool.closed || at < 0) return
  pool.threads.splice(at, 1)
  pool.lost += 1
  log.warn({ event: 'encoder.thread-lost', reason }, 'an encoder thread ended by itself')
  if (thread.task) pool.queries.unshift(thread.task)
  if (pool.lost >= lostMax) fail(pool, reason)
  else dispatch(pool)
}

/** Ends the threads that only bulk work needs; the one that stays answers queries at once. */
const retireWhenIdle = (pool: Pool): void => {
  clearTimeout(pool.idle)
  pool.idle = setTimeout(() => {
    if (pool.threads.some(({ task }) => task !== null)) return
    for (const thread of pool.threads.splice(1)) void end(thread)
  }, idleMs).unref()
}

const dispatch = (pool: Pool): void => {
  retireWhenIdle(pool)
  while (pool.queries.length + pool.passages.length > 0) {
    const idle =
      pool.threads.find(({ task }) => task === null) ??
      (pool.threads.length < threadsMax ? startThread(pool) : undefined)
    if (!idle) return
    const task = pool.queries.shift() ?? pool.passages.shift()
    if (!task) return
    idle.task = task
    idle.taskId += 1
    idle.worker.ref()
    idle.worker.postMessage({ id: idle.taskId, texts: task.texts } satisfies EncoderRequest)
  }
}

const startThread = (pool: Pool): Thread => {
  const folder = join(env().modelsDir, builtInEncoder.name)
  const worker = new Worker(new URL('./encoder-worker.ts', import.meta.url), {
    workerData: { model: builtInEncoder, folder },
  })
  const thread: Thread = { worker, task: null, taskId: 0 }
  worker.on('message', (reply: EncoderReply) => {
    if ('ready' in reply) {
      if (!reply.ready) fail(pool, reply.error)
      return
    }
    const { task } = thread
    if (!task || reply.id !== thread.taskId) return
    thread.task = null
    worker.unref()
    if ('error' in reply) task.reject(new Error(`encoding failed: ${reply.error}`))
    else task.resolve(reply.vectors)
    dispatch(pool)
  })
  worker.on('error', (error) => lose(pool, thread, error.message))
  worker.on('exit', () => lose(pool, thread, 'an encoder thread ended'))
  pool.threads.push(thread)
  return thread
}

const pool = (): Pool => {
  held.footnoteEncoder ??= {
    threads: [],
    queries: [],
    passages: [],
    fault: null,
    lost: 0,
    closed: false,
    idle: undefined,
  }
  return held.footnoteEncoder
}

const encodeSlice = (texts: string[], purpose: EmbedPurpose, signal: AbortSignal | undefined): Promise<Float32Array> =>
  new Promise((resolve, reject) => {
    const current = pool()
    if (current.fault) return reject(new EncoderUnavailable(current.fault))
    const task: Task = { texts, resolve, reject }
    const queue = purpose === 'query' ? current.queries : current.passages
    queue.push(task)
    signal?.addEventListener(
      'abort',
      () => {
        const at = queue.indexOf(task)
        if (at >= 0) queue.splice(at, 1)
        reject(signal.reason)
      },
      { once: true },
    )
    dispatch(current)
  })

/** Unit vectors of `texts`, in their order. Throws `EncoderUnavailable` when there is no model to run. */
export const encode = async (
  texts: readonly string[],
  purpose: EmbedPurpose,
  signal?: AbortSignal,
): Promise<Float32Array[]> => {
  signal?.throwIfAborted()
  const prefix = builtInEncoder.prefix[purpose]
  const order = texts.map((_, index) => index).sort((a, b) => (texts[a]?.length ?? 0) - (texts[b]?.length ?? 0))
  const vectors: Float32Array[] = new Array(texts.length)
  const slices: number[][] = []
  for (let from = 0; from < order.length; from += sliceTexts) slices.push(order.slice(from, from + sliceTexts))
  await Promise.all(
    slices.map(async (slice) => {
      const joined = await encodeSlice(
        slice.map((index) => prefix + (texts[index] ?? '')),
        purpose,
        signal,
      )
      slice.forEach((index, row) => {
        vectors[index] = joined.subarray(row * builtInEncoder.dimensions, (row + 1) * builtInEncoder.dimensions)
      })
    }),
  )
  return vectors
}

export const encoderFault = (): string | null => pool().fault

export const builtInEncoderId = encoderId(builtInEncoder)

/** Ends the threads, refusing what they still had to do; the next call starts new ones. */
export const closeEncoder = async (): Promise<void> => {
  const open = held.footnoteEncoder
  held.footnoteEncoder = undefined
  if (!open) return
  open.closed = true
  // Not `EncoderUnavailable`: a job that is stopped is done again, it does not go on without vectors.
  rejectAll(open, new Error('the encoder was closed'))
  await Promise.all(open.threads.splice(0).map(end))
}
