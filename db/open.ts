/**
 * Opening a database: in memory for tests and evaluations, embedded in a directory with one owner, or on a server. Each migrates
 * before anything else may use it.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import type { Database } from './client.ts'
import { lockDirectory } from './lock.ts'
import { migrate } from './migrate.ts'
import * as schema from './schema/index.ts'

/** Connections of the pool; a request uses one at a time and none while a model is called. */
const poolSize = 10
const connectTimeoutSeconds = 5

const fromPglite = (pglite: PGlite, afterClose: () => Promise<void> | void): Database => ({
  mode: 'embedded',
  db: drizzlePglite(pglite, { schema }),
  engine: { kind: 'pglite', pglite },
  close: async () => {
    await pglite.close()
    await afterClose()
  },
})

/** PGlite in memory, optionally from a dump of another: for tests, evaluations and benchmarks. Not migrated when from a dump. */
export const openMemoryDatabase = async (dump?: Blob): Promise<Database> => {
  const pglite = await PGlite.create({ extensions: { vector }, ...(dump ? { loadDataDir: dump } : {}) })
  const database = fromPglite(pglite, () => undefined)
  if (!dump) await migrate(database)
  return database
}

export const openEmbeddedDatabase = async (dataDir: string): Promise<Database> => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const unlock = await lockDirectory(dataDir)
  try {
    const pglite = await PGlite.create(join(dataDir, 'pgdata'), { extensions: { vector } })
    const database = fromPglite(pglite, unlock)
    await migrate(database)
    return database
  } catch (error) {
    await unlock()
    throw error
  }
}

export const openServerDatabase = async (url: string): Promise<Database> => {
  const client = postgres(url, { max: poolSize, connect_timeout: connectTimeoutSeconds, onnotice: () => undefined })
  const database: Database = {
    mode: 'server',
    db: drizzlePostgres(client, { schema }),
    engine: { kind: 'postgres', url },
    close: () => client.end({ timeout: 5 }),
  }
  try {
    await migrate(database)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}
