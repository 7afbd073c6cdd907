/** Brings a database to this release's schema: forward only, one migrator at a time, and refuses a database from a newer release. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator'
import { migrate as migratePostgres } from 'drizzle-orm/postgres-js/migrator'
import type { Database } from './client.ts'
import { rows } from './client.ts'

const migrationsFolder = join(process.cwd(), 'db/migrations')
/** Any number will do as long as every replica uses the same. */
const migrationLock = 7_120_419

type Journal = { entries: { when: number; tag: string }[] }
const readJournal = (): Journal => JSON.parse(readFileSync(join(migrationsFolder, 'meta/_journal.json'), 'utf8'))

/** When this release's migrations were made, oldest first: what a database or a backup says of how far it is. */
export const knownMigrations = (): number[] => readJournal().entries.map((entry) => entry.when)

/** Runs `work` with a folder that holds the migrations up to one of them only: the schema of an older release. */
const withMigrationsUpTo = async (newest: number, work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'footnote-migrations-'))
  try {
    const journal = readJournal()
    const entries = journal.entries.filter(({ when }) => when <= newest)
    for (const { tag } of entries) copyFileSync(join(migrationsFolder, `${tag}.sql`), join(folder, `${tag}.sql`))
    mkdirSync(join(folder, 'meta'))
    writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ ...journal, entries }))
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
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
  if (Number(newest?.at ?? 0) > Math.max(...knownMigrations()))
    throw new Error(
      'This database was made by a newer release of Footnote. Start that release, or restore a backup made by this one.',
    )
}

/** Runs the migrations that are missing; with `upTo` only those made until then, for a backup of an older release to be loaded into. */
export const migrate = async (database: Database, upTo?: number): Promise<void> => {
  await refuseNewer(database)
  if (upTo !== undefined) return withMigrationsUpTo(upTo, (folder) => migrateFrom(database, folder))
  await migrateFrom(database, migrationsFolder)
}

const migrateFrom = async (database: Database, folder: string): Promise<void> => {
  if (database.engine.kind === 'pglite') {
    await migratePglite(database.db as unknown as Parameters<typeof migratePglite>[0], {
      migrationsFolder: folder,
    })
    return
  }
  const { default: postgres } = await import('postgres')
  const { drizzle } = await import('drizzle-orm/postgres-js')
  // A session lock needs one connection that stays: not one of the pool's.
  const client = postgres(database.engine.url, { max: 1, onnotice: () => undefined })
  try {
    await client`select pg_advisory_lock(${migrationLock})`
    await migratePostgres(drizzle(client), { migrationsFolder: folder })
  } finally {
    await client.end({ timeout: 5 })
  }
}
