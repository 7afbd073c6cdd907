/**
 * One database type over two engines: PGlite in this process (embedded), or a PostgreSQL server (`DATABASE_URL`).
 *
 * Promises: one open database a process, also across hot reload and separately bundled modules; an embedded directory has one
 * owner (`lock.ts`); `closeDatabase` leaves it clean. PGlite is one connection: inside `transaction` use only the handle it gives.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import type { SQL } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { lockDirectory } from './lock.ts'
import { migrate } from './migrate.ts'
import * as schema from './schema/index.ts'

export type Schema = typeof schema
export type Db = PgDatabase<PgQueryResultHKT, Schema>
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0]
/** Anything a query can run on. */
export type Executor = Db | Tx

export type Database = {
  readonly mode: 'embedded' | 'server'
  readonly db: Db
  /** What the queue needs to share the engine. */
  readonly engine: { kind: 'pglite'; pglite: PGlite } | { kind: 'postgres'; url: string }
  close(): Promise<void>
}

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

/** Rows of a hand-written statement; the engines disagree about the shape of a raw result. Name the columns in the statement. */
export const rows = async <Row>(executor: Executor, statement: SQL): Promise<Row[]> => {
  const result: unknown = await executor.execute(statement)
  return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as Row[]
}

type Held = { footnoteDatabase?: Database | undefined }
const held = globalThis as typeof globalThis & Held

/** Makes `database` the one this process uses. */
export const useDatabase = (database: Database): Database => {
  held.footnoteDatabase = database
  return database
}

/** The process's open database; opening is the business of whoever starts the process. */
export const database = (): Database => {
  if (!held.footnoteDatabase) throw new Error('No database is open in this process')
  return held.footnoteDatabase
}

export const closeDatabase = async (): Promise<void> => {
  const open = held.footnoteDatabase
  held.footnoteDatabase = undefined
  await open?.close()
}
