import { Readable } from 'node:stream'
import { and, asc, eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rows } from '#db/client.ts'
import {
  auditLog,
  collectionGrants,
  collections,
  documents,
  documentVersions,
  groupMembers,
  groups,
  incidentSwitches,
  sources,
} from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { visibleTo } from '#db/visibility.ts'
import {
  createCollection,
  deleteCollection,
  findPeopleForAccess,
  grant,
  listCollectionsForAccess,
  planCollectionDeletion,
  renameCollection,
  revoke,
  whatCanRead,
  whoCanRead,
} from './access.ts'
import { deleteDocument, describeDocument, listDocuments, retryDocument, setTags, uploadDocument } from './documents.ts'
import { closeQueue, openQueue } from './jobs.ts'
import { placeHold, releaseHold } from './legal-holds.ts'
import type { GrantLevel, GrantSubject } from './shared/access-contract.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'
import { streamBlob } from './storage.ts'

const test = withDatabase()
const db = () => test.current().db
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))
const missing = { code: 'not-found' }

const put = async (viewer: Viewer, collectionId: string, name = `${newId()}.txt`): Promise<string> => {
  const source = Readable.from([Buffer.from(`Something new: ${newId()}`)])
  return (await uploadDocument(viewer, { name, collectionId, source })).document.id
}

const own = async (workspace: TestWorkspace): Promise<string> =>
  (await createCollection(workspace.viewers.admin, { name: newId(), openTo: 'me' })).id

const give = (viewer: Viewer, collectionId: string, [subject, subjectId]: [GrantSubject, string], level: GrantLevel) =>
  grant(viewer, { collectionId, subject, subjectId, level })

const grantsOf = (collectionId: string) =>
  db().select().from(collectionGrants).where(eq(collectionGrants.collectionId, collectionId))

const linesOf = (workspaceId: string, objectId: string) =>
  db()
    .select()
    .from(auditLog)
    .where(and(eq(auditLog.workspaceId, workspaceId), eq(auditLog.objectId, objectId)))
    .orderBy(asc(auditLog.id))

describe('a collection', () => {
  it('is made for its workspace or for its maker alone, with a line of audit, under a name that is free', async () => {
    const { viewers, workspaceId } = await createTestWorkspace(test.current())
    const { id } = await createCollection(viewers.admin, { name: ' Personnel\u202e  files ', openTo: 'me' })
    expect(await grantsOf(id)).toMatchObject([{ subject: 'person', subjectId: viewers.admin.userId, level: 'manage' }])
    const shared = await createCollection(viewers.admin, { name: 'Handbook', openTo: 'workspace' })
    expect(await grantsOf(shared.id)).toMatchObject([{ subject: 'workspace', subjectId: workspaceId, level: 'read' }])
    await expect(createCollection(viewers.owner, { name: 'Personnel files', openTo: 'me' })).rejects.toMatchObject({
      code: 'bad-request',
      publicMessage: expect.stringContaining('Another collection has that name'),
    })
    await renameCollection(viewers.admin, { collectionId: id, name: 'People' })
    await expect(renameCollection(viewers.admin, { collectionId: id, name: 'Handbook' })).rejects.toMatchObject({
      code: 'bad-request',
    })
    const lines = await linesOf(workspaceId, id)
    expect(lines.map(({ event }) => event)).toEqual(['collection.created', 'collection.renamed'])
    expect(lines[1]).toMatchObject({ beforeHash: expect.any(String), afterHash: expect.any(String) })
  })

  it('shows its grants to who governs access and to who manages it, and its documents to neither by that', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin, owner, member, reviewer } = workspace.viewers
    const collectionId = await own(workspace)
    await put(admin, collectionId)
    await give(admin, collectionId, ['person', member.userId], 'manage')
    const seen = async (viewer: Viewer) =>
      (await listCollectionsForAccess(viewer)).find(({ id }) => id === collectionId)
    expect(await seen(owner)).toMatchObject({
      documents: 1,
      grants: [
        { subject: 'person', name: 'admin', level: 'manage', by: 'admin' },
        { subject: 'person', name: 'member', level: 'manage', by: 'admin' },
      ],
    })
    expect((await listDocuments(owner)).collections.map(({ id }) => id)).not.toContain(collectionId)
    expect((await listCollectionsForAccess(member)).map(({ id }) => id)).toEqual([collectionId])
    expect(await listCollectionsForAccess(reviewer)).toEqual([])
  })
})

describe('a grant', () => {
  it('is given, changed and taken with one line each, and the same again is nothing', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin, member } = workspace.viewers
    const collectionId = await own(workspace)
    const to: [GrantSubject, string] = ['person', member.userId]
    for (const level of ['read', 'read', 'contribute'] as const) await give(admin, collectionId, to, level)
    const [given] = (await grantsOf(collectionId)).filter(({ subjectId }) => subjectId === member.userId)
    expect(given?.level).toBe('contribute')
    await revoke(admin, given?.id ?? '')
    await expect(revoke(admin, given?.id ?? '')).rejects.toMatchObject(missing)
    const lines = (await linesOf(workspace.workspaceId, collectionId)).slice(1)
    expect(lines.map(({ event, details }) => [event, details.level, details.before])).toEqual([
      ['grant.given', 'read', undefined],
      ['grant.given', 'contribute', 'read'],
      ['grant.taken', 'contribute', undefined],
    ])
    expect(lines.map(({ beforeHash, afterHash }) => [beforeHash !== null, afterHash !== null])).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ])
    // Names and addresses are not in what outlives a person.
    expect(JSON.stringify(lines)).not.toContain(member.email)
  })

  it('is one row, also when twenty admins give it at once', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin, member } = workspace.viewers
    const collectionId = await own(workspace)
    await Promise.all(Array.from({ length: 20 }, () => give(admin, collectionId, ['person', member.userId], 'read')))
    expect(await grantsOf(collectionId)).toHaveLength(2)
    expect(await linesOf(workspace.workspaceId, collectionId)).toHaveLength(2)
  })

  it('is neither given nor taken where it is none of the viewer’s business, and nothing is written', async () => {
    const workspace = await createTestWorkspace(test.current())
    const stranger = await createTestWorkspace(test.current())
    const { admin, member, reviewer } = workspace.viewers
    const collectionId = await own(workspace)
    await give(admin, collectionId, ['person', member.userId], 'contribute')
    const foreignGroup = newId()
    await db().insert(groups).values({ id: foreignGroup, workspaceId: stranger.workspaceId, name: 'Theirs' })
    const before = await grantsOf(collectionId)
    const refused: [Viewer, string, [GrantSubject, string]][] = [
      [stranger.viewers.owner, collectionId, ['person', stranger.viewers.owner.userId]],
      [reviewer, collectionId, ['person', reviewer.userId]],
      // Contributing is not managing.
      [member, collectionId, ['person', reviewer.userId]],
      [admin, newId(), ['person', member.userId]],
      [admin, collectionId, ['person', stranger.viewers.member.userId]],
      [admin, collectionId, ['group', foreignGroup]],
      [admin, collectionId, ['workspace', stranger.workspaceId]],
    ]
    for (const [viewer, id, to] of refused) await expect(give(viewer, id, to, 'manage')).rejects.toMatchObject(missing)
    for (const { id } of before)
      for (const viewer of [stranger.viewers.owner, reviewer, member])
        await expect(revoke(viewer, id)).rejects.toMatchObject(missing)
    expect(await grantsOf(collectionId)).toEqual(before)
  })
})

describe('what a level lets one do', () => {
  it.each([
    ['member', 'read', { put: false, tag: false, drop: false }],
    ['member', 'contribute', { put: true, tag: true, drop: false }],
    ['member', 'manage', { put: true, tag: true, drop: true }],
    ['reviewer', 'read', { put: false, tag: false, drop: false }],
    ['admin', 'read', { put: true, tag: true, drop: true }],
    ['owner', null, { put: false, tag: false, drop: false }],
  ] as const)('for a %s with %s', async (role, level, may) => {
    const workspace = await createTestWorkspace(test.current())
    const { owner } = workspace.viewers
    const viewer = workspace.viewers[role]
    const { id: collectionId } = await createCollection(owner, { name: newId(), openTo: 'me' })
    const documentId = await put(owner, collectionId)
    await db().execute(sql`delete from collection_grants where collection_id = ${collectionId}`)
    if (level) await give(owner, collectionId, ['person', viewer.userId], level)
    const outcome = (act: Promise<unknown>): Promise<unknown> =>
      act.then(
        () => true,
        (error: { code?: string }) => (error.code === 'not-found' ? false : error.code),
      )
    expect(await outcome(put(viewer, collectionId))).toBe(may.put)
    expect(await outcome(setTags(viewer, documentId, ['one']))).toBe(may.tag)
    // What has no text yet cannot be described: there, but not now. To who may only read it says the same.
    expect(await outcome(describeDocument(viewer, documentId))).toBe(level ? 'conflict' : false)
    expect(await outcome(retryDocument(viewer, documentId))).toBe(may.tag)
    expect(await outcome(deleteDocument(viewer, documentId))).toBe(may.drop)
  })
})

describe('who can read what', () => {
  /** People, groups and collections tied at random, always in the same way. */
  const tangle = async () => {
    const workspace = await createTestWorkspace(test.current())
    const { workspaceId, viewers, collectionId } = workspace
    const everyone = Object.values(viewers)
    const ids = await Promise.all(
      ['A', 'B'].map(async (name, at) => {
        const id = newId()
        await db().insert(groups).values({ id, workspaceId, name })
        const members = everyone.slice(at, at + 2)
        await db()
          .insert(groupMembers)
          .values(members.map(({ userId }) => ({ groupId: id, userId })))
        return id
      }),
    )
    const [groupA = '', groupB = ''] = ids
    const { admin, member, reviewer, owner } = viewers
    const closed = await own(workspace)
    const shared = await own(workspace)
    await put(admin, closed)
    await put(admin, shared)
    await put(admin, shared)
    await put(admin, collectionId)
    await give(admin, shared, ['group', groupA], 'contribute')
    await give(admin, shared, ['group', groupB], 'read')
    await give(admin, shared, ['person', owner.userId], 'read')
    await db().execute(sql`update memberships set suspended_at = now() where user_id = ${owner.userId}`)
    return { workspace, collections: [collectionId, closed, shared], closed, shared, everyone, member, reviewer, owner }
  }

  it('is told alike from both sides, and as the filter decides for each person', async () => {
    const { workspace, collections, everyone, shared, closed } = await tangle()
    const { admin } = workspace.viewers
    const off = { id: newId(), workspaceId: workspace.workspaceId, label: 'it', reason: 'a leak' }
    await db()
      .insert(incidentSwitches)
      .values({ ...off, kind: 'collection', targetId: closed })
    for (const viewer of everyone) {
      const told = await whatCanRead(admin, viewer.userId)
      for (const collectionId of collections) {
        const seen = await db()
          .select({ id: documents.id })
          .from(documents)
          .where(visibleTo(viewer, [collectionId]))
        const one = told.collections.find(({ id }) => id === collectionId)
        expect(one?.documents ?? 0).toBe(seen.length)
        const { people, switchedOff } = await whoCanRead(admin, { collectionId })
        const among = people.some(({ id }) => id === viewer.userId) && switchedOff === null
        expect(among).toBe(seen.length > 0)
      }
    }
    expect((await whatCanRead(admin, workspace.viewers.owner.userId)).stopped).toBe('suspended')
    expect((await whoCanRead(admin, { collectionId: closed })).switchedOff).toBe('a leak')
    const { people, total } = await whoCanRead(admin, { collectionId: shared })
    expect(total).toBe(people.length)
    // Of two groups: each way is named, and the most that any gives counts.
    expect(people.find(({ id }) => id === workspace.viewers.reviewer.userId)).toMatchObject({
      level: 'contribute',
      ways: [
        { subject: 'group', name: 'A', level: 'contribute' },
        { subject: 'group', name: 'B', level: 'read' },
      ],
    })
  })

  it('is told of a document that the viewer reads, and of nobody to who may not ask', async () => {
    const { workspace, shared, member, reviewer } = await tangle()
    const { admin } = workspace.viewers
    const stranger = await createTestWorkspace(test.current())
    const [document] = await db()
      .select()
      .from(documents)
      .where(visibleTo(admin, [shared]))
    const documentId = document?.id ?? ''
    expect(await whoCanRead(admin, { documentId })).toMatchObject({
      document: { id: documentId },
      collection: { id: shared },
    })
    await expect(whoCanRead(member, { documentId })).rejects.toMatchObject(missing)
    await expect(whoCanRead(reviewer, { collectionId: shared })).rejects.toMatchObject(missing)
    await expect(whoCanRead(stranger.viewers.owner, { collectionId: shared })).rejects.toMatchObject(missing)
    await expect(whoCanRead(stranger.viewers.owner, { documentId })).rejects.toMatchObject(missing)
    await expect(whatCanRead(stranger.viewers.owner, member.userId)).rejects.toMatchObject(missing)
    await db().execute(sql`delete from collection_grants where collection_id = ${shared}`)
    await expect(whoCanRead(admin, { documentId })).rejects.toMatchObject(missing)
  })

  it('finds people by name and address, as they are typed', async () => {
    const { workspace, shared } = await tangle()
    const { admin, member } = workspace.viewers
    expect((await whoCanRead(admin, { collectionId: shared }, '%')).people).toEqual([])
    expect(await findPeopleForAccess(admin, member.email.toUpperCase())).toMatchObject([{ id: member.userId }])
    expect(await findPeopleForAccess(admin, '')).toHaveLength(4)
    expect(await findPeopleForAccess(admin, '_')).toEqual([])
  })
})

describe('a collection that cannot be read', () => {
  it('has no name that can be added to, and its documents no count', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { admin, owner } = workspace.viewers
    const collectionId = await own(workspace)
    await put(admin, collectionId, 'secret.txt')
    const { collections, documents: listed } = await listDocuments(owner)
    expect(collections.map(({ id }) => id)).toEqual([workspace.collectionId])
    expect(listed).toEqual([])
    await expect(put(owner, collectionId)).rejects.toMatchObject(missing)
    const [counted] = await rows<{ n: number }>(
      db(),
      sql`select count(*)::int as n from documents where collection_id = ${collectionId}`,
    )
    expect(counted?.n).toBe(1)
  })
})

describe('deleting a collection', () => {
  /** A collection of the owner's with two documents. */
  const filled = async () => {
    const workspace = await createTestWorkspace(test.current())
    const { owner } = workspace.viewers
    const { id: collectionId } = await createCollection(owner, { name: newId(), openTo: 'me' })
    const documentIds = [await put(owner, collectionId), await put(owner, collectionId)]
    return { workspace, collectionId, documentIds, documentId: documentIds[0] ?? '', ...workspace.viewers }
  }
  const left = (collectionId: string) => db().select().from(documents).where(eq(documents.collectionId, collectionId))
  const refused = (words: string) => ({ code: 'conflict', publicMessage: expect.stringContaining(words) })

  it('takes its documents, their files and its grants for who manages it, with a line for each', async () => {
    const { workspace, collectionId, documentIds, owner, member } = await filled()
    await give(owner, collectionId, ['person', member.userId], 'manage')
    const versions = await db().select().from(documentVersions)
    const blobs = versions.filter(({ documentId }) => documentIds.includes(documentId)).map(({ blobKey }) => blobKey)
    expect(blobs).toHaveLength(2)
    expect(await planCollectionDeletion(member, collectionId)).toEqual({ documents: 2, answers: 0, refusal: null })
    await deleteCollection(member, { collectionId, documents: 2 })
    expect(await left(collectionId)).toEqual([])
    expect(await grantsOf(collectionId)).toEqual([])
    expect(await db().select().from(collections).where(eq(collections.id, collectionId))).toEqual([])
    for (const blob of blobs) await expect(streamBlob(blob)).rejects.toThrow()
    expect((await linesOf(workspace.workspaceId, collectionId)).at(-1)).toMatchObject({
      event: 'collection.deleted',
      actorId: member.userId,
      details: { documents: 2 },
    })
    for (const id of documentIds)
      expect((await linesOf(workspace.workspaceId, id)).at(-1)).toMatchObject({
        event: 'document.deleted',
        beforeHash: expect.any(String),
      })
    await expect(deleteCollection(member, { collectionId, documents: 2 })).rejects.toMatchObject(missing)
  })

  it('is nobody’s who only adds to it, reads it, or is of another workspace', async () => {
    const { collectionId, owner, member, reviewer } = await filled()
    const stranger = await createTestWorkspace(test.current())
    await give(owner, collectionId, ['person', member.userId], 'contribute')
    await give(owner, collectionId, ['person', reviewer.userId], 'read')
    for (const viewer of [member, reviewer, stranger.viewers.owner]) {
      await expect(planCollectionDeletion(viewer, collectionId)).rejects.toMatchObject(missing)
      await expect(deleteCollection(viewer, { collectionId, documents: 2 })).rejects.toMatchObject(missing)
    }
    expect(await left(collectionId)).toHaveLength(2)
  })

  it('is an admin’s who reads it; one who does not is told to take access first, unless it is empty', async () => {
    const { workspace, collectionId, owner, admin } = await filled()
    const words = refused('Give yourself access first')
    await expect(deleteCollection(admin, { collectionId, documents: 2 })).rejects.toMatchObject(words)
    await give(admin, collectionId, ['person', admin.userId], 'read')
    await deleteCollection(admin, { collectionId, documents: 2 })
    const { id: empty } = await createCollection(owner, { name: newId(), openTo: 'me' })
    await deleteCollection(admin, { collectionId: empty, documents: 0 })
    expect((await listCollectionsForAccess(admin)).map(({ id }) => id)).toEqual([workspace.collectionId])
  })

  it('waits for legal holds on it and in it, for incident switches and for sources, and says for which', async () => {
    const { workspace, collectionId, documentId, owner } = await filled()
    const { workspaceId } = workspace
    const attempt = () => deleteCollection(owner, { collectionId, documents: 2 })
    for (const [kind, objectId, words] of [
      ['collection', collectionId, 'is on legal hold since'],
      ['document', documentId, 'A document in it is on legal hold since'],
    ] as const) {
      const hold = await placeHold(owner, { kind, objectId, reason: 'A case' })
      await expect(attempt()).rejects.toMatchObject(refused(words))
      expect((await planCollectionDeletion(owner, collectionId)).refusal).toContain(words)
      await releaseHold(owner, hold.id)
    }
    const off = { id: newId(), workspaceId, kind: 'collection' as const, targetId: collectionId, label: 'it' }
    await db()
      .insert(incidentSwitches)
      .values({ ...off, reason: 'A leak.' })
    await expect(attempt()).rejects.toMatchObject(refused('because: A leak.'))
    await db().delete(incidentSwitches).where(eq(incidentSwitches.id, off.id))
    const source = { id: newId(), workspaceId, collectionId, kind: 'url', name: 'Docs', config: {} }
    await db().insert(sources).values(source)
    await expect(attempt()).rejects.toMatchObject(refused('A source brings documents into it'))
    await db().delete(sources).where(eq(sources.id, source.id))
    expect(await left(collectionId)).toHaveLength(2)
    await attempt()
  })

  it('takes no more than was agreed to, and of two at once one says that it is gone', async () => {
    const { collectionId, owner } = await filled()
    await put(owner, collectionId)
    await expect(deleteCollection(owner, { collectionId, documents: 2 })).rejects.toMatchObject(
      refused('It holds 3 documents by now, not 2'),
    )
    const both = await Promise.allSettled([1, 2].map(() => deleteCollection(owner, { collectionId, documents: 3 })))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('of the one that uploads without a place go to makes it anew with the next of these', async () => {
    const { workspace, admin } = await filled()
    await deleteCollection(admin, { collectionId: workspace.collectionId, documents: 0 })
    const source = Readable.from([Buffer.from('Without a place.')])
    const { document } = await uploadDocument(admin, { name: 'a.txt', collectionId: null, source })
    expect(document.collection.name).toBe('General')
    expect(document.collection.id).not.toBe(workspace.collectionId)
  })
})
