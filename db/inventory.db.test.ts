import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { rows } from './client.ts'
import { columnsOf, exportedColumns, inventory, isPersonal } from './inventory.ts'
import { withDatabase } from './testing.ts'

const test = withDatabase()

const stored = async (): Promise<Map<string, string[]>> => {
  const found = await rows<{ name: string; columns: string[] }>(
    test.current().db,
    sql`select table_name as name, jsonb_agg(column_name order by column_name) as columns
      from information_schema.columns join information_schema.tables using (table_schema, table_name)
      where table_schema = 'public' and table_type = 'BASE TABLE' group by 1`,
  )
  return new Map(found.map(({ name, columns }) => [name, columns.sort()]))
}

describe('the inventory of what is kept', () => {
  it('speaks of every table and of every column once, and of none that is not there', async () => {
    const told = new Map(Object.entries(inventory).map(([name, entry]) => [name, columnsOf(entry).sort()]))
    expect(Object.fromEntries([...told].sort())).toEqual(Object.fromEntries([...(await stored())].sort()))
  })

  it('knows every column that leads to a person, or is called after something about one', async () => {
    const references = await rows<{ table: string; column: string }>(
      test.current().db,
      sql`select c.conrelid::regclass::text as "table", a.attname as "column" from pg_constraint c
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
        where c.contype = 'f' and c.confrelid = 'users'::regclass`,
    )
    const called = [...(await stored())].flatMap(([table, columns]) =>
      columns
        .filter((column) => /(^|_)(user_id|actor_id|email|address|user_agent)$|_by$/.test(column))
        .map((column) => ({ table, column })),
    )
    expect(references.length).toBeGreaterThan(10)
    for (const { table, column } of [...references, ...called]) {
      const { person = '', words = '' } = inventory[table]?.columns ?? {}
      expect(`${person} ${words}`.split(' '), `${table}.${column}`).toContain(column)
    }
  })

  it('says of everything personal how a person’s rows are found, or why none are handed out', async () => {
    for (const [name, entry] of Object.entries(inventory).filter(([, one]) => isPersonal(one)))
      expect(entry.ofPerson, name).not.toBe('It holds nothing about people.')
  })

  it('hands out no hash, key or vector', () => {
    // A line of the audit log is hashed to be checked, which opens nothing.
    const handedOut = Object.entries(inventory).filter(
      ([name, one]) => typeof one.ofPerson !== 'string' && name !== 'audit_log',
    )
    for (const [, entry] of handedOut)
      for (const column of exportedColumns(entry))
        expect(column).not.toMatch(
          /^(hash|id_hash|token_hash|key_hash|password_hash|totp_sealed|recovery_hashes|sealed_key|embedding|spans)$/,
        )
  })
})
