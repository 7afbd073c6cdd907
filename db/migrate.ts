/** Brings a database to this release's schema: forward only, one migrator at a time, and refuses a database from a newer release. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator'
import { migrate as migratePostgres } from 'drizzle-orm/postgres-js/migrator'
import type { Database } from './client.ts'
import { rows } from './client.ts'

const migrationsFolder = join(process.cwd(), 'db/migrations')
/** Any number will do as long as every replica uses the same. */
const migrationLock = 7_120_419

const knownMigrations = (): { newest: number; count: number } => {
  const journal = JSON.parse(readFileSync(join(migrationsFolder, 'meta/_journal.json'), 'utf8')) as {
    entries: { when: number }[]
  }
  return { newest: Math.max(...journal.entries.map((entry) => entry.when)), count: journal.entries.length }
}

const refuseNewer = async (database: Database): Promise<void> => {
  const [table] = await rows<{ name: string | null }>(
    database.db,
    sql`select to_regclass('drizzle.__drizzle_migrations')::text as name`,
  )
  if (!table?.name) return
  const [newest] = await rows<{ at: string | number | null }>(
    database.db,
    sql`select max(created_at) as at from drizzle.__drizzle_migrations`,
  )
  if (Number(newest?.at ?? 0) > knownMigrations().newest)
    throw new Error(
      'This database was made by a newer release of Footnote. Start that release, or restore a backup made by this one.',
    )
}

export const migrate = async (database: Database): Promise<void> => {
  await refuseNewer(database)
  if (database.engine.kind === 'pglite') {
    await migratePglite(database.db as unknown as Parameters<typeof migratePglite>[0], { migrationsFolder })
    return
  }
  const { default: postgres } = await import('postgres')
  const { drizzle } = await import('drizzle-orm/postgres-js')
  // A session lock needs one connection that stays: not one of the pool's.
  const client = postgres(database.engine.url, { max: 1, onnotice: () => undefined })
  try {
    await client`select pg_advisory_lock(${migrationLock})`
    await migratePostgres(drizzle(client), { migrationsFolder })
  } finally {
    await client.end({ timeout: 5 })
  }
}
