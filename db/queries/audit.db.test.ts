import { sql } from 'drizzle-orm'
import { beforeEach, expect, test } from 'vitest'
import { audit } from '#lib/audit.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { rows, type Tx } from '../client.ts'
import { createTestWorkspace, withDatabase } from '../testing.ts'
import { compareAuditHead, listAuditChains, verifyAuditChain } from './audit.ts'

const { current } = withDatabase()
let viewer: Viewer

const write = (tx: Tx, objectId: string) =>
  audit(tx, { actor: viewer, event: 'document.tagged', objectId, details: { tags: 1 } })
const verify = () => verifyAuditChain(current().db, { workspaceId: viewer.workspaceId, name: 'Test' })

/** What the owner of the tables can do, and nobody else. */
const asOwner = (...statements: ReturnType<typeof sql>[]) =>
  current().db.transaction(async (tx) => {
    await tx.execute(sql`alter table audit_log disable trigger user`)
    for (const statement of statements) await tx.execute(statement)
    await tx.execute(sql`alter table audit_log enable trigger user`)
  })
const at = (place: number) => sql`workspace_id = ${viewer.workspaceId} and place = ${place}`

beforeEach(async () => {
  viewer = (await createTestWorkspace(current())).viewers.admin
  for (let line = 1; line <= 6; line += 1) await current().db.transaction((tx) => write(tx, `object ${line}`))
})

test('a chain that nobody touched verifies, and says where it ends', async () => {
  const verdict = await verify()
  expect(verdict).toMatchObject({ lines: 6, firstPlace: 1, broken: null, head: { place: 6 } })
  const chains = await listAuditChains(current().db, viewer.workspaceId)
  expect(chains).toEqual([{ workspaceId: viewer.workspaceId, name: 'Test' }])
})

test('lines of one transaction and of twenty at once are one chain', async () => {
  await current().db.transaction(async (tx) => {
    for (const objectId of ['a', 'b', 'c']) await write(tx, objectId)
  })
  await Promise.all(
    Array.from({ length: 20 }, (_, each) =>
      current().db.transaction(async (tx) => {
        await write(tx, `first of ${each}`)
        await write(tx, `second of ${each}`)
      }),
    ),
  )
  expect(await verify()).toMatchObject({ lines: 49, broken: null, head: { place: 49 } })
})

test.each([
  ['update', sql`update audit_log set object_id = 'other'`],
  ['update of place and hash', sql`update audit_log set place = place + 1000, hash = 'x'`],
  ['delete', sql`delete from audit_log`],
  ['truncate', sql`truncate audit_log`],
])('%s is refused', async (_, statement) => {
  await expect(current().db.execute(statement)).rejects.toMatchObject({
    cause: { message: expect.stringContaining('append-only') },
  })
  expect((await verify()).broken).toBeNull()
})

test.each(['at', 'actor_id', 'event', 'object_id', 'details', 'before_hash', 'after_hash', 'address', 'request_id'])(
  'a changed %s is found at its line',
  async (column) => {
    const values: Record<string, ReturnType<typeof sql>> = {
      at: sql`at + interval '1 microsecond'`,
      actor_id: sql`${newId()}::uuid`,
      details: sql`'{"tags": 2}'::jsonb`,
      request_id: sql`${newId()}::uuid`,
    }
    await asOwner(
      sql`update audit_log set ${sql.identifier(column)} = ${values[column] ?? sql`'other'`} where ${at(3)}`,
    )
    expect((await verify()).broken).toMatchObject({ fault: 'changed', place: 3 })
  },
)

test('a changed line with a hash that fits it is found at the next one', async () => {
  await asOwner(
    sql`update audit_log set object_id = 'other' where ${at(3)}`,
    sql`update audit_log l set hash = audit_line_hash((select b.hash from audit_log b where b.workspace_id = l.workspace_id and b.place = 2), l)
      where ${at(3)}`,
  )
  expect((await verify()).broken).toMatchObject({ fault: 'changed', place: 4 })
})

test('removed lines are found, first, in the middle and last', async () => {
  await asOwner(sql`delete from audit_log where ${at(6)}`)
  expect((await verify()).broken).toMatchObject({ fault: 'cut-off', place: 6 })
  await asOwner(sql`delete from audit_log where ${at(4)}`)
  expect((await verify()).broken).toMatchObject({ fault: 'missing', place: 5 })
  await asOwner(sql`delete from audit_log where ${at(1)}`)
  expect((await verify()).broken).toMatchObject({ fault: 'missing', place: 2 })
})

test('a removed line whose followers moved up is found', async () => {
  await asOwner(
    sql`delete from audit_log where ${at(3)}`,
    ...[4, 5, 6].map((place) => sql`update audit_log set place = ${place - 1} where ${at(place)}`),
    sql`update audit_heads set place = 5 where chain = ${viewer.workspaceId}`,
  )
  expect((await verify()).broken).toMatchObject({ fault: 'changed', place: 3 })
})

test('lines that changed places are found', async () => {
  await asOwner(
    sql`update audit_log set place = -1 where ${at(3)}`,
    sql`update audit_log set place = 3 where ${at(4)}`,
    sql`update audit_log set place = 4 where ${at(-1)}`,
  )
  expect((await verify()).broken).toMatchObject({ fault: 'changed', place: 3 })
})

test('an inserted line is found wherever it stands', async () => {
  const insert = (place: number | null) =>
    sql`insert into audit_log (workspace_id, event, object_id, place, hash) values (${viewer.workspaceId}, 'denied', 'x', ${place}, 'x')`
  await asOwner(insert(null))
  expect((await verify()).broken).toMatchObject({ fault: 'inserted', lineId: expect.any(Number) })
  await asOwner(insert(7))
  expect((await verify()).broken).toMatchObject({ fault: 'changed', place: 7 })
  await asOwner(insert(0))
  expect((await verify()).broken).toMatchObject({ fault: 'inserted', place: 0 })
})

test('a head that was set back or taken away does not hide what was cut off', async () => {
  await asOwner(
    sql`update audit_heads set place = 4, hash = (select hash from audit_log where ${at(4)}) where chain = ${viewer.workspaceId}`,
  )
  expect((await verify()).broken).toMatchObject({ fault: 'head', place: 5 })
  await asOwner(sql`delete from audit_heads where chain = ${viewer.workspaceId}`)
  expect((await verify()).broken).toMatchObject({ fault: 'head' })
  expect(await listAuditChains(current().db, viewer.workspaceId)).toHaveLength(1)
})

test('a chain that was rewritten as a whole is told by a head that was kept elsewhere', async () => {
  const { head } = await verify()
  if (!head) throw new Error('no head')
  const compare = () => compareAuditHead(current().db, viewer.workspaceId, head)
  expect(await compare()).toBe('matches')
  await asOwner(
    sql`update audit_log set details = '{}' where ${at(2)}`,
    ...[2, 3, 4, 5, 6].map(
      (place) => sql`update audit_log l set hash = audit_line_hash(
        (select b.hash from audit_log b where b.workspace_id = l.workspace_id and b.place = ${place - 1}), l) where ${at(place)}`,
    ),
    sql`update audit_heads set hash = (select hash from audit_log where ${at(6)}) where chain = ${viewer.workspaceId}`,
  )
  expect((await verify()).broken).toBeNull()
  expect(await compare()).toBe('differs')
  await asOwner(
    sql`delete from audit_log where ${at(6)}`,
    sql`update audit_heads set place = 5, hash = (select hash from audit_log where ${at(5)}) where chain = ${viewer.workspaceId}`,
  )
  expect((await verify()).broken).toBeNull()
  expect(await compare()).toBe('missing')
})

test('the oldest lines may be gone only where retention left the hash of the last of them', async () => {
  const { db } = current()
  const [last] = await rows<{ hash: string }>(db, sql`select hash from audit_log where ${at(2)}`)
  const [first] = await rows<{ hash: string }>(db, sql`select hash from audit_log where ${at(1)}`)
  await asOwner(sql`delete from audit_log where workspace_id = ${viewer.workspaceId} and place <= 2`)
  expect((await verify()).broken).toMatchObject({ fault: 'missing', place: 3 })
  const purge = (hash: string | undefined) =>
    db.transaction((tx) =>
      audit(tx, {
        actor: { ...viewer, userId: null },
        event: 'audit.purged',
        objectId: viewer.workspaceId,
        details: { place: 2, hash },
      }),
    )
  await purge('of another line')
  expect((await verify()).broken).toMatchObject({ place: 3 })
  await purge(last?.hash)
  expect(await verify()).toMatchObject({ broken: null, firstPlace: 3, lines: 6 })
  expect(await compareAuditHead(db, viewer.workspaceId, { place: 1, hash: first?.hash ?? '' })).toBe('deleted')
  // A line more than was said is missing.
  await asOwner(sql`delete from audit_log where ${at(3)}`)
  expect((await verify()).broken).toMatchObject({ fault: 'missing', place: 4 })
})
