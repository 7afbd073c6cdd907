import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { rows } from './client.ts'
import { createTestWorkspace, withDatabase } from './testing.ts'

const test = withDatabase()

describe('database', () => {
  it('migrates and answers a hand-written statement with rows', async () => {
    const workspace = await createTestWorkspace(test.current())
    const found = await rows<{ name: string }>(
      test.current().db,
      sql`select name from workspaces where id = ${workspace.workspaceId}`,
    )
    expect(found).toEqual([{ name: 'Test' }])
  })

  it('rolls a transaction back whole', async () => {
    const before = await rows<{ count: number }>(test.current().db, sql`select count(*)::int as count from workspaces`)
    await expect(
      test.current().db.transaction(async (tx) => {
        await tx.execute(sql`insert into workspaces (id, name) values (gen_random_uuid(), 'gone')`)
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await rows(test.current().db, sql`select count(*)::int as count from workspaces`)).toEqual(before)
  })
})
