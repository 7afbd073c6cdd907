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

/**
 * How pgvector searches its graph, for every session: 100 candidates, and on with the scan when a filter took too many of them
 * away, so that what a person may not see cannot starve what they may.
 */
const searchSettings = { 'hnsw.ef_search': '100', 'hnsw.iterative_scan': 'strict_order' }

/**
 * A server compiles statements that it takes for dear before it runs them; ours are many and short, and the compiling took five times
 * as long as a narrow search itself.
 */
const serverSettings = { ...searchSettings, jit: 'off' }

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

const applySearchSettings = async (pglite: PGlite): Promise<void> => {
  for (const [name, value] of Object.entries(searchSettings))
    await pglite.query('select set_config($1, $2, false)', [name, value])
}

/** PGlite in memory, optionally from a dump of another: for tests, evaluations and benchmarks. Not migrated when from a dump. */
export const openMemoryDatabase = async (dump?: Blob, upTo?: number): Promise<Database> => {
  const pglite = await PGlite.create({ extensions: { vector }, ...(dump ? { loadDataDir: dump } : {}) })
  const database = fromPglite(pglite, () => undefined)
  if (!dump) await migrate(database, upTo)
  await applySearchSettings(pglite)
  return database
}

/** `upTo`: as `migrate` takes it. */
export const openEmbeddedDatabase = async (dataDir: string, upTo?: number): Promise<Database> => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const unlock = await lockDirectory(dataDir)
  try {
    const pglite = await PGlite.create(join(dataDir, 'pgdata'), { extensions: { vector } })
    const database = fromPglite(pglite, unlock)
    await migrate(database, upTo)
    await applySearchSettings(pglite)
    return database
  } catch (error) {
    await unlock()
    throw error
  }
}

/** `upTo`: as `migrate` takes it. */
export const openServerDatabase = async (url: string, upTo?: number): Promise<Database> => {
  const client = postgres(url, {
    max: poolSize,
    connect_timeout: connectTimeoutSeconds,
    onnotice: () => undefined,
    connection: serverSettings,
  })
  const database: Database = {
    mode: 'server',
    db: drizzlePostgres(client, { schema }),
    engine: { kind: 'postgres', url },
    close: () => client.end({ timeout: 5 }),
  }
  try {
    await migrate(database, upTo)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}
