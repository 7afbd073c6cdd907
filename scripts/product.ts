/** Opening and closing everything a process of the product needs, in the right order: database, queue, demo; worker and models. */
import { closeDatabase, type Database, useDatabase } from '#db/client.ts'
import { openEmbeddedDatabase, openServerDatabase } from '#db/open.ts'
import { env } from '#lib/env.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
import { whenThere } from './arriving.ts'

/** Opens and migrates the database of the settings and starts its queue. Throws `DirectoryInUse` when another process owns it. */
export const openProduct = async (): Promise<Database> => {
  const { databaseUrl, dataDir } = env()
  const opened = useDatabase(databaseUrl ? await openServerDatabase(databaseUrl) : await openEmbeddedDatabase(dataDir))
  await openQueue()
  return opened
}

export type RunningWorker = { stop(): Promise<void> }

/** Lets jobs in work end, then closes queue, models and database. */
export const closeProduct = async (worker?: RunningWorker): Promise<void> => {
  await worker?.stop()
  await closeQueue()
  const gateway = await whenThere(() => import('#lib/gateway/index.ts'))
  await gateway?.closeGateway()
  await closeDatabase()
}
