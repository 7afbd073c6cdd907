/**
 * A local cross-encoder: it reads question and passage together and says how well the one answers the other. Any folder among the
 * models whose `footnote.json` says `"kind": "cross-encoder"` is one; the first by name is used. None comes with the product.
 * It runs in a thread of its own, which starts with the first question and ends when nobody asks.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { env } from '#lib/env.ts'
import { AppError } from '#lib/shared/errors.ts'

export type CrossEncoder = { name: string; folder: string; weights: string; tokensMax: number }
export type CrossRequest = { id: number; question: string; passages: string[] } | { drop: number } | { end: true }
export type CrossReply = { id: number; scores: Float32Array } | { id: number; error: string }

/** After so long without a question the thread gives its memory back. */
const idleMs = 300_000
/** A folder that was not there is looked for again after so long. */
const lookAgainMs = 60_000

const described = z.object({
  kind: z.literal('cross-encoder'),
  weights: z
    .string()
    .regex(/^[\w-]+(?:\/[\w-]+)*\.onnx$/)
    .default('onnx/model_quantized.onnx'),
  tokensMax: z.int().min(16).max(8_192).default(512),
})

const misconfigured = (reason: string): AppError => new AppError('model-misconfigured', { context: { reason } })

/** The first cross-encoder in the folders; null when there is none. */
export const findCrossEncoder = async (folders: readonly string[]): Promise<CrossEncoder | null> => {
  for (const home of folders)
    for (const name of (await readdir(home).catch(() => [])).sort()) {
      const folder = join(home, name)
      const text = await readFile(join(folder, 'footnote.json'), 'utf8').catch(() => null)
      if (text === null) continue
      try {
        const read = described.safeParse(JSON.parse(text))
        if (read.success) return { name, folder, weights: read.data.weights, tokensMax: read.data.tokensMax }
      } catch {
        // Somebody else's file of that name.
      }
    }
  return null
}

type Waiting = { resolve: (scores: number[]) => void; reject: (error: unknown) => void }
type Running = { worker: Worker; waiting: Map<number, Waiting>; nextId: number; idle: NodeJS.Timeout | undefined }

export type CrossRunner = {
  score(question: string, passages: readonly string[], signal: AbortSignal): Promise<number[]>
  close(): Promise<void>
}

/** Runs one cross-encoder. A thread that ends by itself fails what it had; the next question starts another. */
export const createCrossRunner = (model: CrossEncoder): CrossRunner => {
  let running: Running | undefined

  const end = async (one: Running): Promise<void> => {
    if (running === one) running = undefined
    clearTimeout(one.idle)
    if (one.worker.threadId < 0) return
    const ended = new Promise<void>((resolve) => one.worker.once('exit', () => resolve()))
    one.worker.ref()
    // It ends by itself: killing it in the middle of a run aborts the whole process.
    one.worker.postMessage({ end: true } satisfies CrossRequest)
    await ended
  }
  const fail = (one: Running, reason: string): void => {
    if (running === one) running = undefined
    for (const { reject } of one.waiting.values()) reject(misconfigured(`${model.name}: ${reason}`))
    one.waiting.clear()
  }
  const start = (): Running => {
    const worker = new Worker(new URL('./cross-encoder-worker.ts', import.meta.url), { workerData: model })
    const one: Running = { worker, waiting: new Map(), nextId: 0, idle: undefined }
    worker.on('message', (reply: CrossReply) => {
      const waiter = one.waiting.get(reply.id)
      one.waiting.delete(reply.id)
      if (one.waiting.size === 0) worker.unref()
      if ('scores' in reply) waiter?.resolve([...reply.scores])
      else waiter?.reject(misconfigured(`${model.name}: ${reply.error}`))
    })
    worker.on('error', (error) => fail(one, error.message))
    worker.on('exit', () => fail(one, 'its thread ended'))
    return one
  }

  return {
    score: (question, passages, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        running ??= start()
        const one = running
        const id = one.nextId
        one.nextId += 1
        const stopped = (): void => {
          one.worker.postMessage({ drop: id } satisfies CrossRequest)
          reject(signal.reason)
        }
        signal.addEventListener('abort', stopped, { once: true })
        const done = (): void => signal.removeEventListener('abort', stopped)
        one.waiting.set(id, {
          resolve: (scores) => {
            done()
            resolve(scores)
          },
          reject: (error) => {
            done()
            reject(error)
          },
        })
        clearTimeout(one.idle)
        one.idle = setTimeout(() => void end(one), idleMs).unref()
        one.worker.ref()
        one.worker.postMessage({ id, question, passages: [...passages] } satisfies CrossRequest)
      }),
    close: async () => {
      if (running) await end(running)
    },
  }
}

type Held = { footnoteCrossEncoder?: { runner: CrossRunner | null; foundMs: number } | undefined }
const held = globalThis as typeof globalThis & Held

const runnerOf = async (): Promise<CrossRunner> => {
  const known = held.footnoteCrossEncoder
  if (known?.runner) return known.runner
  if (!known || Date.now() - known.foundMs > lookAgainMs) {
    const { modelsDir, dataDir } = env()
    const found = await findCrossEncoder([modelsDir, join(dataDir, 'models')])
    // Another question may have found it meanwhile: there is one thread.
    if (!held.footnoteCrossEncoder?.runner)
      held.footnoteCrossEncoder = { runner: found && createCrossRunner(found), foundMs: Date.now() }
  }
  const { runner } = held.footnoteCrossEncoder ?? {}
  if (!runner) throw misconfigured('there is no cross-encoder among the models')
  return runner
}

/**
 * How well each passage answers the question, in their order; unbounded, the higher the better. Throws `model-misconfigured` when
 * there is no cross-encoder or it cannot be run, or the signal's reason.
 */
export const scorePairs = async (
  question: string,
  passages: readonly string[],
  signal: AbortSignal,
): Promise<number[]> => (await runnerOf()).score(question, passages, signal)

/** Ends the thread after what it runs now. */
export const closeCrossEncoder = async (): Promise<void> => {
  const open = held.footnoteCrossEncoder
  held.footnoteCrossEncoder = undefined
  await open?.runner?.close()
}
