/** Opening and closing everything a process of the product needs, in the right order: database, queue, demo; worker and models. */
import { closeDatabase, type Database, holdDatabase } from '#db/client.ts'
import { DirectoryInUse } from '#db/lock.ts'
import { openEmbeddedDatabase, openServerDatabase } from '#db/open.ts'
import { env } from '#lib/env.ts'
import { closeGateway } from '#lib/gateway/index.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { closeOtel, openOtel } from '#lib/otel.ts'
import { deleteAddress, getAddress } from './home.ts'

const ownerWaitMs = 30_000

/** Waits for an owner that only passes through (a command, a server that stops); one that serves is never waited for. */
const openOwnDatabase = async (): Promise<Database> => {
  const { dataDir } = env()
  const deadlineMs = performance.now() + ownerWaitMs
  let told = false
  for (;;) {
    try {
      return await openEmbeddedDatabase(dataDir)
    } catch (error) {
      const serves = (await getAddress(env())) !== null
      if (!(error instanceof DirectoryInUse) || serves || performance.now() > deadlineMs) throw error
      if (!told) process.stderr.write(`Process ${error.pid} still uses ${dataDir}; waiting for it to end …\n`)
      told = true
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

/** Opens and migrates the database of the settings and starts its queue. Throws `DirectoryInUse` when another process owns it. */
export const openProduct = async (): Promise<Database> => {
  const { databaseUrl } = env()
  const opened = holdDatabase(databaseUrl ? await openServerDatabase(databaseUrl) : await openOwnDatabase())
  // Left behind by a server that was killed.
  if (!databaseUrl) await deleteAddress(env())
  await openQueue()
  // Now, since loading it holds the process for a moment.
  await openOtel()
  return opened
}

export type RunningWorker = { stop(): Promise<void> }

/** Lets jobs in work end, then closes queue, models and database. */
export const closeProduct = async (worker?: RunningWorker): Promise<void> => {
  await worker?.stop()
  await closeQueue()
  await closeGateway()
  await closeOtel()
  await closeDatabase()
}
