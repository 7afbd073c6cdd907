/**
 * Durable work on pg-boss, in the same database as the facts that cause it: `enqueue(tx, …)` commits or rolls back with the
 * change. Handlers run at least once: they fence their writes. A dead worker's job is taken up again after its heartbeat is missed.
 */
import { fromDrizzle, fromPglite, type Job, PgBoss } from 'pg-boss'
import { z } from 'zod'
import { database, sql, type Tx } from '#db/client.ts'
import { log } from './log.ts'
import { newId } from './shared/ids.ts'

const queues = {
  'document.ingest': {
    payload: z.strictObject({
      versionId: z.uuid(),
      /** How many times in a row the virus scanner could not be asked; left out: not once. */
      scans: z.int().min(0).optional(),
    }),
    options: {
      retryLimit: 3,
      retryDelay: 2,
      retryBackoff: true,
      retryDelayMax: 60,
      expireInSeconds: 3_600,
      // A killed worker's document goes on elsewhere after this long.
      heartbeatSeconds: 10,
    },
    /** Jobs in work at once in a worker process; parsing and embedding use every core as it is. */
    concurrency: 2,
    deadLetter: 'document.given-up',
  },
  /** A summary and tags; people may wait for it, nothing else does. */
  'document.describe': {
    payload: z.strictObject({ versionId: z.uuid(), workspaceId: z.uuid(), userId: z.uuid() }),
    options: { retryLimit: 2, retryDelay: 5, retryBackoff: true, expireInSeconds: 1_800, heartbeatSeconds: 20 },
    concurrency: 1,
    deadLetter: 'description.given-up',
  },
  /** The same for several short documents, in one call. */
  'documents.describe': {
    payload: z.strictObject({ versionIds: z.array(z.uuid()).min(1).max(8), workspaceId: z.uuid(), userId: z.uuid() }),
    options: { retryLimit: 2, retryDelay: 5, retryBackoff: true, expireInSeconds: 1_800, heartbeatSeconds: 20 },
    concurrency: 1,
    deadLetter: 'description.given-up',
  },
  /** What a person asked for and waits for; its row tells how far it is. */
  'task.run': {
    payload: z.strictObject({ runId: z.uuid() }),
    options: { retryLimit: 2, retryDelay: 1, expireInSeconds: 600, heartbeatSeconds: 20 },
    concurrency: 4,
    deadLetter: undefined,
  },
  /** A description that the queue gave up: the document does not go on saying that it is being made. */
  'description.given-up': {
    payload: z.object({ versionId: z.uuid().optional(), versionIds: z.array(z.uuid()).optional() }),
    options: { retryLimit: 10, retryDelay: 5, retryBackoff: true, retryDelayMax: 300 },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** Passages that lack a vector of the encoder in use get one; again until there is an encoder. */
  'index.fill': {
    payload: z.strictObject({ workspaceId: z.uuid() }),
    options: {
      retryLimit: 20,
      retryDelay: 15,
      retryBackoff: true,
      retryDelayMax: 600,
      expireInSeconds: 3_600,
      heartbeatSeconds: 20,
    },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** The change to another encoder: its files, the vectors, the swap. */
  'index.build': {
    payload: z.strictObject({ indexId: z.uuid(), userId: z.uuid() }),
    options: {
      retryLimit: 5,
      retryDelay: 5,
      retryBackoff: true,
      retryDelayMax: 300,
      expireInSeconds: 86_400,
      heartbeatSeconds: 20,
    },
    concurrency: 1,
    deadLetter: 'index.given-up',
  },
  'index.given-up': {
    payload: z.strictObject({ indexId: z.uuid(), userId: z.uuid() }),
    options: { retryLimit: 10, retryDelay: 5, retryBackoff: true, retryDelayMax: 300 },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** Pages that are pictures, read as text. */
  'document.recognise': {
    payload: z.strictObject({ versionId: z.uuid() }),
    options: { retryLimit: 2, retryDelay: 5, retryBackoff: true, expireInSeconds: 7_200, heartbeatSeconds: 20 },
    concurrency: 1,
    deadLetter: 'document.given-up',
  },
  /** Things and relations drawn from a document that is ready. */
  'document.graph': {
    payload: z.strictObject({ versionId: z.uuid() }),
    options: { retryLimit: 3, retryDelay: 5, retryBackoff: true, expireInSeconds: 3_600, heartbeatSeconds: 20 },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** One run over a source; with `remove` its end, together with its documents. */
  'source.run': {
    payload: z.strictObject({
      sourceId: z.uuid(),
      remove: z.boolean().optional(),
      /** So many deletions a person has agreed to. */
      deletionsMax: z.int().min(0).optional(),
    }),
    options: { retryLimit: 3, retryDelay: 5, retryBackoff: true, expireInSeconds: 21_600, heartbeatSeconds: 20 },
    concurrency: 2,
    deadLetter: 'source.given-up',
  },
  'source.given-up': {
    payload: z.object({ sourceId: z.uuid() }),
    options: { retryLimit: 10, retryDelay: 5, retryBackoff: true, retryDelayMax: 300 },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** One mail, sealed; tried for about a day. */
  'mail.send': {
    payload: z.strictObject({ sealed: z.string(), invitationId: z.uuid().nullable() }),
    options: { retryLimit: 30, retryDelay: 15, retryBackoff: true, retryDelayMax: 3_600, expireInSeconds: 120 },
    concurrency: 2,
    deadLetter: 'mail.given-up',
  },
  'mail.given-up': {
    payload: z.object({ invitationId: z.uuid().nullable() }),
    options: { retryLimit: 10, retryDelay: 5, retryBackoff: true, retryDelayMax: 300 },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** That an answer was decided on, told to the policy's webhook; tried for about a day. */
  'review.notify': {
    payload: z.strictObject({ workspaceId: z.uuid(), itemId: z.uuid() }),
    options: { retryLimit: 30, retryDelay: 15, retryBackoff: true, retryDelayMax: 3_600, expireInSeconds: 60 },
    concurrency: 2,
    deadLetter: undefined,
  },
  /** Confidence is brought in line with what people decided, once a day. */
  'confidence.recalibrate': {
    payload: z.strictObject({ workspaceId: z.uuid() }),
    options: { retryLimit: 3, retryDelay: 60, retryBackoff: true, expireInSeconds: 600 },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** What is older than the policy's days goes, once a day. */
  'retention.run': {
    payload: z.strictObject({ workspaceId: z.uuid() }),
    options: { retryLimit: 3, retryDelay: 60, retryBackoff: true, expireInSeconds: 7_200, heartbeatSeconds: 20 },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** A person or a document is erased; begun anew after a crash, until it is done. */
  'erasure.run': {
    payload: z.strictObject({ erasureId: z.uuid() }),
    options: {
      retryLimit: 50,
      retryDelay: 5,
      retryBackoff: true,
      retryDelayMax: 600,
      expireInSeconds: 7_200,
      heartbeatSeconds: 60,
    },
    concurrency: 1,
    deadLetter: undefined,
  },
  /** What the queue gave up: the document says so instead of standing still. */
  'document.given-up': {
    payload: z.object({ versionId: z.uuid() }),
    options: { retryLimit: 10, retryDelay: 5, retryBackoff: true, retryDelayMax: 300 },
    concurrency: 1,
    deadLetter: undefined,
  },
} as const

export type JobName = keyof typeof queues
export type JobPayload<Name extends JobName> = z.infer<(typeof queues)[Name]['payload']>

type Held = { footnoteQueue?: Promise<PgBoss> | undefined }
const held = globalThis as typeof globalThis & Held

const startQueue = async (): Promise<PgBoss> => {
  const { engine } = database()
  const shared = { useListenNotify: true, monitorVacuum: false, reindex: false }
  const boss =
    engine.kind === 'pglite'
      ? new PgBoss({ ...shared, db: fromPglite(engine.pglite), backend: 'pglite' })
      : new PgBoss({ ...shared, connectionString: engine.url, max: 3 })
  boss.on('error', (error) => log.error({ err: error }, 'queue error'))
  await boss.start()
  // A dead letter queue must be there before the queue that names it.
  for (const [name, { options, deadLetter }] of Object.entries(queues).reverse()) {
    const settings = { ...options, notify: true, ...(deadLetter ? { deadLetter } : {}) }
    await boss.createQueue(name, settings)
    await boss.updateQueue(name, settings)
    // Reads the queue's settings into its cache now: read first by a `send` inside a transaction, on one connection they never come.
    await boss.findJobs(name, { id: newId() })
  }
  return boss
}

const queue = (): Promise<PgBoss> => {
  held.footnoteQueue ??= startQueue()
  return held.footnoteQueue
}

/** Starts the queue before anything is enqueued: its tables cannot be made inside a transaction that is already open. */
export const openQueue = async (): Promise<void> => {
  await queue()
}

/** Puts a job into the transaction that causes it, not to be begun before `startAfter`. `openQueue` must have run in this process. */
export const enqueue = async <Name extends JobName>(
  tx: Tx,
  name: Name,
  payload: JobPayload<Name>,
  { startAfter }: { startAfter?: Date } = {},
): Promise<void> => {
  const boss = await queue()
  const db = fromDrizzle(tx as Parameters<typeof fromDrizzle>[0], sql)
  await boss.send(name, payload, { db, ...(startAfter ? { startAfter } : {}) })
}

/** Runs `handler` for every job of `name` until the queue closes. A thrown error makes the job try again, later. */
export const work = async <Name extends JobName>(
  name: Name,
  handler: (payload: JobPayload<Name>, signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const boss = await queue()
  const { payload, concurrency } = queues[name]
  await boss.work(
    name,
    // A notification that comes while every worker is busy is lost; without a short second look the next job waits 30 seconds.
    { localConcurrency: concurrency, batchSize: 1, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 },
    async (jobs: Job<unknown>[]) => {
      for (const job of jobs) await handler(payload.parse(job.data) as JobPayload<Name>, job.signal)
    },
  )
}

export type QueueDepth = { queued: number; active: number }

export const getQueueDepth = async (): Promise<QueueDepth> => {
  const boss = await queue()
  const stats = await Promise.all(Object.keys(queues).map((name) => boss.getQueueStats(name)))
  return stats
    .flat()
    .reduce<QueueDepth>(
      (sum, one) => ({ queued: sum.queued + one.queuedCount, active: sum.active + one.activeCount }),
      { queued: 0, active: 0 },
    )
}

/** Lets jobs in work end for at most `graceMs`, then stops; what did not end is taken up again at the next start. */
export const closeQueue = async (graceMs = 10_000): Promise<void> => {
  const open = held.footnoteQueue
  held.footnoteQueue = undefined
  if (open) await (await open).stop({ graceful: true, timeout: graceMs })
}
