/**
 * The whole database as lines of JSON, table by table, and back: what a backup is made of. Works on the tables as the database has
 * them, at any migration, so that a backup of an older release needs no code of that release.
 */
import { sql } from 'drizzle-orm'
import { type Database, type Executor, rows, type Tx } from './client.ts'
import { ensureVectorIndex, getVectorGraph } from './queries/embedding-indexes.ts'

export type DumpedTable = { name: string; columns: string[]; rows: number }
export type DumpedVectors = { model: string; dimensions: number; graph: { m: number; efConstruction: number } }

/** Rows written at a time, and how much of rows is held. */
const rowsAtOnce = 500
const charsAtOnce = 4_000_000

/** The product's tables with their columns, by name. The queue's are left out: what waits there is found again from the state of things. */
export const listTables = (db: Executor): Promise<{ name: string; columns: string[] }[]> =>
  rows(
    db,
    sql`select t.table_name as name, jsonb_agg(c.column_name order by c.ordinal_position) as columns
      from information_schema.tables t join information_schema.columns c using (table_schema, table_name)
      where t.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
      group by 1 order by 1`,
  )

/** The newest migration that a database has had: when it was made. Null before the first. */
export const getMigration = async (db: Executor): Promise<number | null> => {
  const [table] = await rows<{ name: string | null }>(
    db,
    sql`select to_regclass('drizzle.__drizzle_migrations')::text as name`,
  )
  if (!table?.name) return null
  const [newest] = await rows<{ at: string | number | null }>(
    db,
    sql`select max(created_at) as at from drizzle.__drizzle_migrations`,
  )
  return newest?.at == null ? null : Number(newest.at)
}

/** Whether nobody has put anything into a database yet; one without tables is empty too. */
export const isEmpty = async (db: Executor): Promise<boolean> => {
  const [table] = await rows<{ name: string | null }>(db, sql`select to_regclass('public.workspaces')::text as name`)
  if (!table?.name) return true
  const [found] = await rows<{ there: boolean }>(
    db,
    sql`select exists (select from workspaces) or exists (select from users) or exists (select from audit_log) as there`,
  )
  return !found?.there
}

/** The graphs over vectors; they are not rows, and a restored database makes them anew. */
const listVectorIndexes = async (db: Executor): Promise<DumpedVectors[]> => {
  const [table] = await rows<{ name: string | null }>(db, sql`select to_regclass('public.chunk_vectors')::text as name`)
  if (!table?.name) return []
  const models = await rows<{ model: string; dimensions: number }>(
    db,
    sql`select model, min(vector_dims(embedding))::int as dimensions from chunk_vectors group by model order by model`,
  )
  const found: DumpedVectors[] = []
  for (const { model, dimensions } of models) {
    const graph = await getVectorGraph(db, model)
    if (graph) found.push({ model, dimensions, graph })
  }
  return found
}

export type Dump = { migration: number | null; tables: DumpedTable[]; vectors: DumpedVectors[]; blobKeys: string[] }

/**
 * Reads every table as it is at one moment, and hands its rows to `sink` as lines of JSON, some thousands of characters at a time.
 * Servers go on working meanwhile. Memory does not grow with the size of a table.
 */
export const dumpTables = async (
  { db }: Database,
  sink: (table: string, lines: string) => Promise<void>,
): Promise<Dump> =>
  db.transaction(
    async (tx) => {
      const tables: DumpedTable[] = []
      for (const { name, columns } of await listTables(tx)) {
        // `json` keeps what `jsonb` would round or reorder nothing of: numbers stand as the column prints them.
        await tx.execute(
          sql`declare dumped no scroll cursor for select row_to_json(t)::text as line from ${sql.identifier(name)} t`,
        )
        let count = 0
        let pending = ''
        let atOnce = 20
        for (;;) {
          const wanted = atOnce
          const some = await rows<{ line: string }>(tx, sql.raw(`fetch ${wanted} from dumped`))
          count += some.length
          const chars = some.reduce((sum, { line }) => sum + line.length, 0)
          // A posting is a hundred characters, a document's text may be millions.
          atOnce = Math.max(5, Math.min(2_000, Math.floor((charsAtOnce * some.length) / (2 * Math.max(1, chars)))))
          for (const { line } of some) {
            pending += `${line}\n`
            if (pending.length < charsAtOnce) continue
            await sink(name, pending)
            pending = ''
          }
          if (some.length < wanted) break
        }
        if (pending) await sink(name, pending)
        await tx.execute(sql.raw('close dumped'))
        tables.push({ name, columns, rows: count })
      }
      const blobs = await rows<{ key: string }>(
        tx,
        sql`select distinct blob_key as key from document_versions order by 1`,
      )
      return {
        migration: await getMigration(tx),
        tables,
        vectors: await listVectorIndexes(tx),
        blobKeys: blobs.map(({ key }) => key),
      }
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  )

/** Foreign keys, taken off so that tables come in any order; put back, they are checked against every row. */
const takeOffKeys = async (tx: Tx): Promise<() => Promise<void>> => {
  const keys = await rows<{ table: string; name: string; definition: string }>(
    tx,
    sql`select conrelid::regclass::text as "table", quote_ident(conname) as name, pg_get_constraintdef(oid) as definition
      from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`,
  )
  for (const { table, name } of keys) await tx.execute(sql.raw(`alter table ${table} drop constraint ${name}`))
  return async () => {
    for (const { table, name, definition } of keys)
      await tx.execute(sql.raw(`alter table ${table} add constraint ${name} ${definition}`))
  }
}

/** Triggers do what the rows already show: a line of the audit log is chained, a kept answer forgotten. */
const switchTriggers = async (tx: Tx, tables: readonly string[], how: 'disable' | 'enable'): Promise<void> => {
  for (const name of tables) await tx.execute(sql`alter table ${sql.identifier(name)} ${sql.raw(how)} trigger user`)
}

/** Numbers that tables count by go on after the highest that is there. */
const setSequences = async (tx: Tx): Promise<void> => {
  const counted = await rows<{ table: string; column: string; sequence: string }>(
    tx,
    sql`select table_name as "table", column_name as "column",
        pg_get_serial_sequence(quote_ident(table_schema) || '.' || quote_ident(table_name), column_name) as sequence
      from information_schema.columns where table_schema = 'public' and column_default like 'nextval(%'`,
  )
  for (const { table, column, sequence } of counted)
    await tx.execute(
      sql`select setval(${sequence}::regclass, coalesce((select max(${sql.identifier(column)}) from ${sql.identifier(table)}), 1),
        exists (select from ${sql.identifier(table)}))::text as at`,
    )
}

/** Writes lines of JSON as rows. */
const insertLines = async (tx: Tx, table: string, columns: readonly string[], lines: string): Promise<number> => {
  const at = sql.identifier(table)
  const names = sql.join(
    columns.map((column) => sql.identifier(column)),
    sql`, `,
  )
  const all = lines.split('\n').filter(Boolean)
  for (let from = 0; from < all.length; from += rowsAtOnce) {
    const some = `[${all.slice(from, from + rowsAtOnce).join(',')}]`
    await tx.execute(
      sql`insert into ${at} (${names}) select ${names} from json_populate_recordset(null::${at}, ${some}::text::json)`,
    )
  }
  return all.length
}

/**
 * Fills an empty database, all or nothing. `read` hands over every part; tables and columns must be those of the present schema.
 * Throws in words when a part does not fit, and when a row names another that is not there.
 */
export const loadTables = async (
  { db }: Database,
  tables: readonly Omit<DumpedTable, 'rows'>[],
  read: (load: (table: string, lines: string) => Promise<void>) => Promise<void>,
): Promise<Map<string, number>> =>
  db.transaction(async (tx) => {
    if (!(await isEmpty(tx))) throw new Error('The database is not empty')
    const here = new Map((await listTables(tx)).map(({ name, columns }) => [name, new Set(columns)]))
    for (const { name, columns } of tables) {
      const unknown = columns.find((column) => !here.get(name)?.has(column))
      if (unknown) throw new Error(`The backup has ${name}.${unknown}, which this release does not know`)
    }
    const columnsOf = new Map(tables.map(({ name, columns }) => [name, columns]))
    const loaded = new Map<string, number>()
    const putBack = await takeOffKeys(tx)
    await switchTriggers(tx, [...here.keys()], 'disable')
    await read(async (table, lines) => {
      const columns = columnsOf.get(table)
      if (!columns) throw new Error(`The backup's list does not name the table ${table}`)
      loaded.set(table, (loaded.get(table) ?? 0) + (await insertLines(tx, table, columns, lines)))
    })
    await switchTriggers(tx, [...here.keys()], 'enable')
    await putBack()
    await setSequences(tx)
    return loaded
  })

/**
 * After a restore, once the schema is this release's: makes the graphs over vectors, puts work that was under way when the backup was
 * made back to where it starts from, and ends sessions and links. Returns the versions of documents that wait to be read.
 */
export const settleRestored = async ({ db }: Database, vectors: readonly DumpedVectors[]): Promise<string[]> => {
  for (const { model, dimensions, graph } of vectors) await ensureVectorIndex(db, model, dimensions, graph)
  return db.transaction(async (tx) => {
    await tx.execute(sql`update document_versions set graph_state = null where graph_state = 'queued'`)
    await tx.execute(
      sql`update document_versions set described_done = null, described_total = null where described_done is not null`,
    )
    await tx.execute(sql`update sources set state = 'idle' where state not in ('idle', 'failed')`)
    await tx.execute(
      sql`update embedding_indexes set state = 'failed', failure = 'It was under way when a backup was made. Choose the encoder again.' where state = 'building'`,
    )
    await tx.execute(sql`delete from budget_reservations`)
    await tx.execute(sql`delete from rate_limits`)
    // What was ended since the backup was made must not open again: everybody signs in anew.
    await tx.execute(sql`update sessions set revoked_at = now() where revoked_at is null`)
    await tx.execute(sql`update single_use_tokens set used_at = now() where used_at is null`)
    const waiting = await rows<{ id: string }>(
      tx,
      sql`select id from document_versions where stage not in ('ready', 'failed') order by created_at`,
    )
    return waiting.map(({ id }) => id)
  })
}

/** Tells the planner what was loaded. Not for use in a transaction. */
export const analyzeAll = async ({ db }: Database): Promise<void> => {
  await db.execute(sql`analyze`)
}
