import { parse } from 'csv-parse/sync'
import { eq, sql } from 'drizzle-orm'
import { beforeAll, expect, test } from 'vitest'
import { audit } from '#lib/audit.ts'
import { exportAuditLog, readAuditLog, verifyOwnAudit } from '#lib/audit-log.ts'
import { withRequest } from '#lib/request-context.ts'
import { readAuditAddress } from '#lib/shared/audit-address.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { rows } from '../client.ts'
import { memberships } from '../schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '../testing.ts'
import { listAuditLines } from './audit.ts'

const { current } = withDatabase()
let workspace: TestWorkspace
let admin: Viewer
const requestId = newId()

beforeAll(async () => {
  workspace = await createTestWorkspace(current())
  admin = workspace.viewers.admin
  const { collectionId, viewers } = workspace
  await withRequest({ requestId, address: '192.0.2.7' }, () =>
    current().db.transaction(async (tx) => {
      await audit(tx, {
        actor: viewers.owner,
        event: 'grant.given',
        objectId: collectionId,
        details: { level: 'read' },
      })
      await audit(tx, { actor: viewers.owner, event: 'grant.taken', objectId: collectionId })
    }),
  )
  await current().db.transaction((tx) =>
    audit(tx, { actor: { userId: null, workspaceId: admin.workspaceId }, event: 'sign-in.refused', objectId: '=1+1' }),
  )
  const other = await createTestWorkspace(current())
  await current().db.transaction((tx) =>
    audit(tx, { actor: other.viewers.admin, event: 'grant.given', objectId: collectionId }),
  )
})

const find = async (filter: Parameters<typeof listAuditLines>[2]) =>
  (await listAuditLines(current().db, admin, filter)).lines.map(({ event }) => event)

test('lines are found by person, event, object, request and time, and none of another workspace', async () => {
  expect(await find({})).toEqual(['sign-in.refused', 'grant.taken', 'grant.given'])
  expect(await find({ actor: workspace.viewers.owner.email.toUpperCase() })).toEqual(['grant.taken', 'grant.given'])
  expect(await find({ actor: workspace.viewers.owner.userId })).toHaveLength(2)
  expect(await find({ actor: '%' })).toEqual([])
  expect(await find({ event: 'grant' })).toHaveLength(2)
  expect(await find({ event: 'grant.taken' })).toEqual(['grant.taken'])
  expect(await find({ object: workspace.collectionId })).toHaveLength(2)
  expect(await find({ request: requestId })).toHaveLength(2)
  expect(await find({ request: "' or 1=1" })).toEqual([])
  expect(await find({ to: new Date(Date.now() - 60_000).toISOString() })).toEqual([])
  expect(await find({ from: new Date(Date.now() - 60_000).toISOString() })).toHaveLength(3)
})

test('a line says who, what it is called today, from where and in which request', async () => {
  const [line] = (await listAuditLines(current().db, admin, { event: 'grant.given' })).lines
  expect(line).toMatchObject({
    actor: { id: workspace.viewers.owner.userId, name: 'owner' },
    objectName: 'General',
    address: '192.0.2.7',
    requestId,
    details: { level: 'read' },
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
})

test('pages follow each other without a gap, also where lines are of one moment', async () => {
  const seen: number[] = []
  let before: number | undefined
  for (let more = true; more; ) {
    const page = await listAuditLines(current().db, admin, { before, limit: 1 })
    seen.push(...page.lines.map(({ id }) => id))
    before = page.lines.at(-1)?.id
    more = page.more
  }
  expect(seen).toEqual((await listAuditLines(current().db, admin)).lines.map(({ id }) => id))
})

test('reading is a line of the log once an hour; an export is one, has every line and no formula', async () => {
  await readAuditLog(admin, {})
  const { lines } = await readAuditLog(admin, {})
  expect(lines.filter(({ event }) => event === 'audit.read')).toHaveLength(1)
  const csv = await new Response(await exportAuditLog(admin, {})).text()
  const [head = [], ...body] = parse(csv, { bom: true }) as string[][]
  expect(head.slice(0, 3)).toEqual(['line', 'at', 'event'])
  expect(body.map((cells) => cells[2])).toEqual([
    ...['data.exported', 'audit.read', 'sign-in.refused', 'grant.taken', 'grant.given'],
  ])
  expect(body[2]?.[6]).toBe("'=1+1")
  expect(await verifyOwnAudit(admin)).toMatchObject({ broken: null, lines: 5, workspace: 'Test' })
})

test('an export ends when whoever asked may read no longer', async () => {
  const { db } = current()
  const { admin: reader } = (await createTestWorkspace(current())).viewers
  await rows(
    db,
    sql`insert into audit_log (workspace_id, actor_id, event, object_id, details)
      select ${reader.workspaceId}, ${reader.userId}, 'grant.given', 'x', '{}' from generate_series(1, 2500) returning id`,
  )
  const sent = (await exportAuditLog(reader, {})).getReader()
  expect((await sent.read()).done).toBe(false)
  await db.update(memberships).set({ suspendedAt: new Date() }).where(eq(memberships.userId, reader.userId))
  const rest = async () => {
    while (!(await sent.read()).done);
  }
  await expect(rest()).rejects.toMatchObject({ code: 'forbidden' })
})

test('days that no calendar of the database has are as if they were not there', async () => {
  const { filter } = readAuditAddress({ from: '0000-01-01', to: '9999-12-31' })
  expect(filter).toEqual({})
  expect(await find(readAuditAddress({ from: '1970-01-01', to: '9998-12-31' }).filter)).not.toEqual([])
})

test('who may not read a document does not learn its name here', async () => {
  const { db } = current()
  const documentId = newId()
  await db.execute(sql`insert into documents (id, workspace_id, collection_id, name, media_type, latest_version_id)
    values (${documentId}, ${admin.workspaceId}, ${workspace.collectionId}, 'secret plan.txt', 'text/plain', ${newId()})`)
  await db.transaction((tx) => audit(tx, { actor: admin, event: 'document.tagged', objectId: documentId }))
  const nameOf = async () => (await listAuditLines(db, admin, { object: documentId })).lines[0]?.objectName
  expect(await nameOf()).toBe('secret plan.txt')
  await rows(db, sql`delete from collection_grants where workspace_id = ${admin.workspaceId} returning id`)
  expect(await nameOf()).toBeNull()
})
