/**
 * One database type over two engines: PGlite in this process (embedded), or a PostgreSQL server (`DATABASE_URL`).
 *
 * Promises: one open database a process, also across hot reload and separately bundled modules; `closeDatabase` leaves it
 * clean. PGlite is one connection: inside `transaction` use only the handle it gives.
 */
import type { PGlite } from '@electric-sql/pglite'
import { type SQL, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type * as schema from './schema/index.ts'

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

/** For the queue, which joins our transactions through it; everything else that speaks SQL lives in `db`. */
export { sql }

/** Rows of a hand-written statement; the engines disagree about the shape of a raw result. Name the columns in the statement. */
export const rows = async <Row>(executor: Executor, statement: SQL): Promise<Row[]> => {
  const result: unknown = await executor.execute(statement)
  return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as Row[]
}

type Held = { footnoteDatabase?: Database | undefined }
const held = globalThis as typeof globalThis & Held

/** Makes `database` the one this process uses. */
export const holdDatabase = (database: Database): Database => {
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
