import { openAsBlob } from 'node:fs'
import { sql } from 'drizzle-orm'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import type { GrantLevel, GrantSubject } from '#lib/shared/access-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Reader, Viewer } from '#lib/shared/viewer.ts'
import { type Database, type Executor, rows } from './client.ts'
import { openMemoryDatabase } from './open.ts'
import { createScratchDocument } from './queries/evaluation.ts'
import { claimVersion, insertChunks, publishVersion } from './queries/ingest.ts'
import { getChunks, searchLexical, searchVector, toVectorLiteral } from './queries/search.ts'
import {
  collectionGrants,
  collections,
  documents,
  groupMembers,
  groups,
  incidentSwitches,
  memberships,
} from './schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from './testing.ts'
import { accessFingerprint, everythingOf, readAs, readAsRole, rowSecurity, visibleTo } from './visibility.ts'

const test = withDatabase()
const db = () => test.current().db

const newCollection = async ({ workspaceId }: TestWorkspace): Promise<string> => {
  const id = newId()
  await db().insert(collections).values({ id, workspaceId, name: id })
  return id
}

const give = async (
  { workspaceId }: TestWorkspace,
  collectionId: string,
  subject: GrantSubject,
  subjectId: string,
  level: GrantLevel = 'read',
): Promise<string> => {
  const id = newId()
  await db().insert(collectionGrants).values({ id, workspaceId, collectionId, subject, subjectId, level })
  return id
}

/** The one passage of a new document. */
const plant = async ({ viewers }: TestWorkspace, collectionId: string, text: string): Promise<string> => {
  const versionId = await createScratchDocument(db(), viewers.admin, { collectionId, name: newId() })
  const claim = await claimVersion(db(), versionId)
  if (!claim) throw new Error('no claim')
  const vector = new Float32Array(384)
  vector[0] = 1
  const chunk = { ordinal: 0, text, charStart: 0, charEnd: text.length, headingPath: [], context: '', tokens: 9 }
  const rest = { pageFrom: null, pageTo: null, contentHash: newId(), vector: toVectorLiteral(vector) }
  await insertChunks(db(), claim, 'test-encoder@1', [{ ...chunk, ...rest }])
  await publishVersion(db(), claim, { chunks: 1, reused: 0 })
  return claim.documentId
}

const readable = async (reader: Reader, executor: Executor = db()): Promise<string[]> =>
  (await executor.select({ id: documents.id }).from(documents).where(visibleTo(reader))).map(({ id }) => id)

describe('what a person reads', () => {
  let home: TestWorkspace
  let closed: string
  let documentId: string
  beforeAll(async () => {
    home = await createTestWorkspace(test.current())
    closed = await newCollection(home)
    documentId = await plant(home, closed, 'The torque of the wheel is 42 newton metres.')
  })

  it('is nothing of a collection without a grant, for an owner either', async () => {
    for (const viewer of Object.values(home.viewers)) expect(await readable(viewer)).toEqual([])
  })

  it.each([
    ['a grant to the person', 'person', (viewer: Viewer) => viewer.userId],
    ['a grant to the whole workspace', 'workspace', (viewer: Viewer) => viewer.workspaceId],
  ] as const)('begins with %s and ends with it', async (_, subject, subjectOf) => {
    const grantId = await give(home, closed, subject, subjectOf(home.viewers.member))
    const before = await accessFingerprint(db(), home.viewers.member)
    expect(await readable(home.viewers.member)).toEqual([documentId])
    await db().execute(sql`delete from collection_grants where id = ${grantId}`)
    expect(await readable(home.viewers.member)).toEqual([])
    expect(await accessFingerprint(db(), home.viewers.member)).not.toBe(before)
  })

  it('begins and ends with being of a group', async () => {
    const groupId = newId()
    await db().insert(groups).values({ id: groupId, workspaceId: home.workspaceId, name: 'Spindles' })
    const grantId = await give(home, closed, 'group', groupId)
    const { member, reviewer } = home.viewers
    expect(await readable(member)).toEqual([])
    await db().insert(groupMembers).values({ groupId, userId: member.userId })
    expect(await readable(member)).toEqual([documentId])
    expect(await readable(reviewer)).toEqual([])
    await db().execute(sql`delete from group_members where group_id = ${groupId}`)
    expect(await readable(member)).toEqual([])
    await db().execute(sql`delete from collection_grants where id = ${grantId}`)
  })

  it('is nothing while suspended, switched off, or a member of another workspace alone', async () => {
    const { member } = home.viewers
    const { workspaceId } = home
    const grantId = await give(home, closed, 'workspace', workspaceId)
    const stranger = await createTestWorkspace(test.current())
    expect(await readable({ workspaceId, userId: stranger.viewers.owner.userId })).toEqual([])
    const suspended = (at: Date | null) =>
      db()
        .update(memberships)
        .set({ suspendedAt: at })
        .where(sql`workspace_id = ${workspaceId} and user_id = ${member.userId}`)
    await suspended(new Date())
    expect(await readable(member)).toEqual([])
    await suspended(null)
    for (const [kind, targetId] of [
      ['person', member.userId],
      ['collection', closed],
      ['document', documentId],
    ] as const) {
      const id = newId()
      await db().insert(incidentSwitches).values({ id, workspaceId, kind, targetId, label: 'it', reason: 'leak' })
      expect(await readable(member)).toEqual([])
      expect(await readable(home.viewers.reviewer)).toEqual(kind === 'person' ? [documentId] : [])
      await db().execute(sql`update incident_switches set lifted_at = now() where id = ${id}`)
      expect(await readable(member)).toEqual([documentId])
    }
    await db().execute(sql`delete from collection_grants where id = ${grantId}`)
  })

  it('is asked of the grants once a statement, however many rows there are', async () => {
    const plan = await rows<{ 'QUERY PLAN': string }>(
      db(),
      sql`explain select count(*) from chunks c where (select true from documents
        where documents.id = c.document_id and ${visibleTo(home.viewers.member)})`,
    )
    const text = plan.map((line) => line['QUERY PLAN']).join('\n')
    const before = text.slice(0, text.indexOf('on collection_grants'))
    expect(before.match(/(Init|Sub)Plan/g)?.at(-1)).toBe('InitPlan')
  })

  it('is everything for what works for the workspace, and nothing of another', async () => {
    const all = await db()
      .select({ id: documents.id })
      .from(documents)
      .where(visibleTo(everythingOf(home.workspaceId)))
    expect(all).toEqual([{ id: documentId }])
  })
})

describe('row-level security', () => {
  let mine: TestWorkspace
  let theirs: TestWorkspace
  let own: string
  const question = 'torque of the spindle'
  beforeAll(async () => {
    mine = await createTestWorkspace(test.current())
    theirs = await createTestWorkspace(test.current())
    own = await plant(mine, mine.collectionId, 'The torque of the spindle is 11 newton metres.')
    await plant(mine, await newCollection(mine), 'The secret torque of the spindle is 42 newton metres.')
    await plant(theirs, theirs.collectionId, 'Their torque of the spindle is 43 newton metres.')
  })

  /** What a search would be whose author forgot the filter. */
  const unfiltered = (executor: Executor) =>
    rows<{ text: string; documentId: string }>(
      executor,
      sql`select c.text, documents.id as "documentId" from postings p
        join chunks c on c.id = p.chunk_id
        join documents on documents.id = c.document_id and documents.published_version_id = c.version_id
        join document_versions v on v.id = c.version_id
        where p.term = any(select term from terms('en', 'spindle')) order by 1`,
    )

  it('gives a statement that forgot the filter nothing of another workspace or an unreadable collection', async () => {
    expect(await unfiltered(db())).toHaveLength(3)
    const found = await readAsRole(db(), mine.viewers.member, unfiltered)
    expect(found.map(({ documentId }) => documentId)).toEqual([own])
    const owner = await readAsRole(db(), mine.viewers.owner, unfiltered)
    expect(owner.map(({ documentId }) => documentId)).toEqual([own])
  })

  it('gives nothing at all to who is suspended, and to who is of another workspace', async () => {
    const suspended = await createTestWorkspace(test.current())
    const { member } = suspended.viewers
    await plant(suspended, suspended.collectionId, 'Its torque of the spindle is 44 newton metres.')
    expect(await readAsRole(db(), member, unfiltered)).toHaveLength(1)
    await db().execute(sql`update memberships set suspended_at = now() where user_id = ${member.userId}`)
    expect(await readAsRole(db(), member, unfiltered)).toEqual([])
    const stranger = { workspaceId: mine.workspaceId, userId: theirs.viewers.owner.userId }
    expect(await readAsRole(db(), stranger, unfiltered)).toEqual([])
  })

  it('lets every leg and the reading of passages through, and writes nothing', async () => {
    const vector = new Float32Array(384)
    vector[0] = 1
    const found = await readAsRole(db(), mine.viewers.member, async (executor, viewer) => {
      const scope = { viewer, collectionIds: [], limit: 10 }
      const words = await searchLexical(executor, question, scope)
      const near = await searchVector(executor, { ...scope, vector, model: 'test-encoder@1', efSearch: 40 })
      const read = await getChunks(
        executor,
        viewer,
        [...words, ...near].map(({ chunkId }) => chunkId),
      )
      return { words: words.length, near: near.length, read: read.map(({ documentId }) => documentId) }
    })
    expect(found).toEqual({ words: 1, near: 1, read: [own] })
    await expect(
      readAsRole(db(), mine.viewers.member, (executor) => executor.execute(sql`delete from documents`)),
    ).rejects.toThrow()
    expect(await readable(mine.viewers.member)).toEqual([own])
  })

  it('ends with its transaction: the connection is the application’s again', async () => {
    await readAsRole(db(), mine.viewers.member, unfiltered)
    const [who] = await rows<{ role: string; workspace: string | null }>(
      db(),
      sql`select current_setting('role') as role, nullif(current_setting('app.workspace', true), '') as workspace`,
    )
    expect(who).toEqual({ role: 'none', workspace: null })
  })

  it('is told of where the role is missing, and reading goes on by the filter', async () => {
    // Of its own, for a role is the whole cluster's.
    const dump = inject('migratedDump')
    const opened = await openMemoryDatabase(dump ? await openAsBlob(dump) : undefined)
    try {
      const server: Database = { ...opened, mode: 'server' }
      expect(await rowSecurity(server)).toMatchObject({ on: true })
      const { viewers } = await createTestWorkspace(opened)
      await opened.db.execute(sql`drop owned by footnote_reader`)
      await opened.db.execute(sql`drop role footnote_reader`)
      // Looked at once a process: another handle is another look.
      const without: Database = { ...opened, mode: 'server' }
      const state = await rowSecurity(without)
      expect(state).toMatchObject({ on: false })
      expect(state.detail).toContain('footnote_reader is missing')
      expect(await rowSecurity(without)).toBe(state)
      const counted = await readAs(without, viewers.member, (executor, viewer) =>
        executor.select({ id: documents.id }).from(documents).where(visibleTo(viewer)),
      )
      expect(counted).toEqual([])
      await expect(readAsRole(without.db, viewers.member, async () => 1)).rejects.toThrow()
    } finally {
      await opened.close()
    }
  })
})
