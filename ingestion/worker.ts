/**
 * The worker: takes jobs from the queue until it is stopped. Embedded it lives in the server's process; with PostgreSQL any number
 * run as processes of their own (`npm run worker`), where this file is the program.
 */
import { closeDatabase, database, holdDatabase } from '#db/client.ts'
import { openServerDatabase } from '#db/open.ts'
import { stopDescriptions } from '#db/queries/changed-documents.ts'
import { failIndex } from '#db/queries/embedding-indexes.ts'
import { failVersion, listInterruptedVersions } from '#db/queries/ingest.ts'
import { deleteOldTaskResults } from '#db/queries/task-results.ts'
import { sweepTaskRuns } from '#db/queries/task-runs.ts'
import { checkAlerts } from '#lib/alerts.ts'
import { attachDocument, deleteDocument, uploadDocument } from '#lib/documents.ts'
import { env } from '#lib/env.ts'
import { runErasure } from '#lib/erasure.ts'
import { endOnFault } from '#lib/faults.ts'
import { closeGateway, sweepAnswers, sweepCanaries, sweepReservations, warmGateway } from '#lib/gateway/index.ts'
import { closeQueue, enqueue, openQueue, work } from '#lib/jobs.ts'
import { sweepLimits } from '#lib/limits.ts'
import { log } from '#lib/log.ts'
import { deliverMail, giveUpMail } from '#lib/mail.ts'
import { queueDueRetention, runRetention } from '#lib/retention.ts'
import { deliverReview, queueDueRecalibration, recalibrateConfidence, sweepReviews } from '#lib/review/index.ts'
import { describeVersion, describeVersions } from './describe.ts'
import { advanceDescriptions, describeInBatch } from './describe-batch.ts'
import { describeChanged } from './describe-changed.ts'
import { buildIndex, fillIndex } from './embedding-index.ts'
import { extractGraph, queueGraphs } from './graph/index.ts'
import { ingestVersion } from './pipeline.ts'
import { workOutsideQuietHours } from './quiet.ts'
import { recogniseVersion } from './recognise.ts'
import { runTaskRun } from './run-task.ts'
import { queueDueRuns, runGivenUp, runSource } from './sources/run.ts'

/** How a source's documents come and go: as if a person uploaded and deleted them. */
const intake = { upload: uploadDocument, remove: deleteDocument }

const sweepEveryMs = 60_000
const taskResultDays = 90
/** After a fault the process ends, whatever does not close by then. */
const faultGraceMs = 30_000

/** As the only worker of the database: whatever is in work was left by a process that died, and starts again at once. */
const restartInterrupted = async (): Promise<void> => {
  const { db } = database()
  const interrupted = await listInterruptedVersions(db)
  for (const versionId of interrupted) await db.transaction((tx) => enqueue(tx, 'document.ingest', { versionId }))
  if (interrupted.length > 0) log.info({ documents: interrupted.length }, 'documents taken up again')
}

/** Starts taking jobs. `stop` ends those in work, which go back to the queue; close the queue after it. */
export const startWorker = async (): Promise<{ stop(): Promise<void> }> => {
  await openQueue()
  // On a server another worker may be at it; a dead one's job comes back by its missed heartbeat.
  if (database().mode === 'embedded') await restartInterrupted()
  await work('document.given-up', ({ versionId }) => failVersion(database().db, versionId))
  const stopping = new AbortController()
  await work('document.ingest', ({ versionId, scans }, signal) =>
    ingestVersion(versionId, AbortSignal.any([signal, stopping.signal]), attachDocument, scans),
  )
  await workOutsideQuietHours('document.describe', (job, signal) =>
    describeVersion(job, AbortSignal.any([signal, stopping.signal])),
  )
  await workOutsideQuietHours('documents.describe', (job, signal) =>
    describeVersions(job, AbortSignal.any([signal, stopping.signal])),
  )
  await work('description.given-up', ({ versionId, versionIds = [] }) =>
    stopDescriptions(database().db, [...versionIds, ...(versionId ? [versionId] : [])]),
  )
  await workOutsideQuietHours('document.recognise', ({ versionId }, signal) =>
    recogniseVersion(versionId, AbortSignal.any([signal, stopping.signal])),
  )
  await workOutsideQuietHours('document.graph', ({ versionId }, signal) =>
    extractGraph(versionId, AbortSignal.any([signal, stopping.signal])),
  )
  await work('index.fill', ({ workspaceId }, signal) =>
    fillIndex(workspaceId, AbortSignal.any([signal, stopping.signal])),
  )
  await workOutsideQuietHours('index.build', (job, signal) =>
    buildIndex(job, AbortSignal.any([signal, stopping.signal])),
  )
  await work('index.given-up', ({ indexId }) =>
    failIndex(database().db, indexId, 'It was broken off several times by a fault of Footnote; the log says more.'),
  )
  await workOutsideQuietHours('source.run', (job, signal) =>
    runSource(job, intake, AbortSignal.any([signal, stopping.signal])),
  )
  await work('source.given-up', ({ sourceId }) => runGivenUp(sourceId))
  await work('mail.send', (job) => deliverMail(job))
  await work('mail.given-up', giveUpMail)
  await work('review.notify', (payload) => deliverReview(payload))
  await work('confidence.recalibrate', async (payload) => {
    await recalibrateConfidence(payload)
  })
  await work('task.run', ({ runId }, signal) => runTaskRun(runId, AbortSignal.any([signal, stopping.signal])))
  await work('retention.run', async ({ workspaceId }, signal) => {
    await runRetention(workspaceId, { signal: AbortSignal.any([signal, stopping.signal]) })
  })
  await work('erasure.run', ({ erasureId }) => runErasure(erasureId))
  const sweep = setInterval(() => {
    Promise.all([
      checkAlerts(),
      sweepLimits(),
      sweepReservations(),
      sweepAnswers(database().db),
      sweepCanaries(new Date(), stopping.signal),
      deleteOldTaskResults(database().db, taskResultDays),
      sweepTaskRuns(database().db),
      describeChanged(describeInBatch).then(() => advanceDescriptions()),
      queueDueRuns(),
      queueDueRetention(),
      queueDueRecalibration(),
      sweepReviews(),
      queueGraphs(),
    ]).catch((error: unknown) => log.warn({ err: error }, 'sweep failed'))
  }, sweepEveryMs)
  sweep.unref()
  return {
    stop: async () => {
      clearInterval(sweep)
      stopping.abort(new Error('The worker is stopping'))
    },
  }
}

const main = async (): Promise<void> => {
  const { databaseUrl } = env()
  if (!databaseUrl) {
    process.stderr.write(
      'npm run worker needs DATABASE_URL: the embedded database is worked by the server itself (npm start).\n',
    )
    process.exitCode = 2
    return
  }
  holdDatabase(await openServerDatabase(databaseUrl))
  const worker = await startWorker()
  await warmGateway()
  process.stdout.write('The worker takes jobs. Stop with Ctrl-C.\n')
  let draining: Promise<void> | undefined
  const drain = (): Promise<void> => {
    draining ??= (async () => {
      await worker.stop()
      await closeQueue()
      await closeGateway()
      await closeDatabase()
    })()
    return draining
  }
  const stop = (): void => {
    drain().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  // Jobs in work go back to the queue and are taken up again by whoever comes next.
  endOnFault(drain, faultGraceMs)
}

if (import.meta.main) await main()
