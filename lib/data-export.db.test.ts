import '#ingestion/fixtures/scratch.ts'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inventory } from '#db/inventory.ts'
import {
  apiKeys,
  auditLog,
  chats,
  collectionGrants,
  documents,
  memberships,
  messages,
  reviewItems,
  sessions,
  users,
} from '#db/schema/index.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { deleteExports, exportData } from './data-export.ts'
import { uploadDocument } from './documents.ts'
import { env } from './env.ts'
import { unpackOwnArchive as unpack } from './fixtures/own-archive.ts'
import { closeQueue, openQueue } from './jobs.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'

const test = withDatabase()
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))

const upload = (viewer: Viewer, collectionId: string, name: string, text: string) =>
  uploadDocument(viewer, {
    name,
    collectionId,
    source: (async function* () {
      yield Buffer.from(text)
    })(),
  })

describe('the export of one’s own data', () => {
  it('has a file for every table that the inventory finds a person in, with their rows and no secrets', async () => {
    const { db } = test.current()
    const { workspaceId, viewers } = await createTestWorkspace(test.current())
    const { member, admin } = viewers
    const [secret, mine, theirs] = [`secret-${newId()}`, `mine-${newId()}`, `theirs-${newId()}`]
    await db
      .update(users)
      .set({ passwordHash: secret, recoveryHashes: [secret] })
      .where(eq(users.id, member.userId))
    const soon = new Date(Date.now() + 3_600_000)
    for (const { userId, word } of [
      { userId: member.userId, word: mine },
      { userId: admin.userId, word: theirs },
    ]) {
      const chatId = newId()
      await db.insert(chats).values({ id: chatId, workspaceId, userId, title: word })
      await db.insert(messages).values({ id: newId(), chatId, role: 'user', status: 'complete', text: `${word} é\n"` })
      await db
        .insert(sessions)
        .values({ idHash: `${secret}-${word}`, userId, workspaceId, userAgent: word, expiresAt: soon })
      await db.insert(apiKeys).values({
        id: newId(),
        workspaceId,
        userId,
        name: word,
        prefix: 'fn_',
        hash: `${secret}${word}`,
        scopes: [],
        expiresAt: soon,
      })
    }
    // What they decided is theirs; what was asked is not.
    await db.insert(reviewItems).values({
      ...{
        id: newId(),
        workspaceId,
        kind: 'sampled',
        askerId: admin.userId,
        decidedBy: member.userId,
        contentHash: '',
      },
      ...{ question: theirs, reasons: [{ kind: 'asked', words: theirs }], reason: 'asked', risk: 1, held: false },
      ...{
        content: { text: '', citations: [], claims: [], metadata: {}, sources: [] },
        state: 'approved',
        dueAt: soon,
      },
    })
    const files = await unpack(member)
    const wanted = Object.entries(inventory).filter(([, { ofPerson }]) => typeof ofPerson !== 'string')
    expect([...files.keys()].filter((name) => name.startsWith('data/')).sort()).toEqual(
      wanted.map(([name]) => `data/${name}.json`).sort(),
    )
    const parsed = (name: string) => JSON.parse(files.get(`data/${name}.json`) ?? '') as Record<string, unknown>[]
    expect(parsed('users')).toMatchObject([{ id: member.userId, email: member.email }])
    expect(parsed('messages')).toMatchObject([{ text: `${mine} é\n"` }])
    expect(parsed('review_items')).toMatchObject([{ decided_by: member.userId, state: 'approved', question: null }])
    for (const table of ['chats', 'sessions', 'api_keys', 'memberships']) expect(parsed(table)).toHaveLength(1)
    const all = [...files.values()].join('\n')
    expect(all).not.toContain(secret)
    expect(all).not.toContain(theirs)
    expect(all).not.toContain(admin.email)
    // What is left out is said, and why.
    const about = JSON.parse(files.get('about.json') ?? '') as { tables: Record<string, { notIncluded?: string }> }
    expect(Object.keys(about.tables).sort()).toEqual(Object.keys(inventory).sort())
    expect(about.tables.rate_limits?.notIncluded).toContain('within minutes')
    const logged = await db.select().from(auditLog).where(eq(auditLog.event, 'data.exported'))
    expect(logged).toMatchObject([{ actorId: member.userId, objectId: member.userId }])
    await expect.poll(() => readdir(join(env().dataDir, 'exports'))).toEqual([])
  })

  it('has the files that they uploaded, and neither bytes nor names of what they may not read any more', async () => {
    const { db } = test.current()
    const { collectionId, viewers } = await createTestWorkspace(test.current())
    const { document } = await upload(viewers.admin, collectionId, '../a "b".txt', 'Mine to take along.')
    const stored = `files/${document.id}/1-a _b_.txt`
    const files = await unpack(viewers.admin)
    expect(files.get(stored)).toBe('Mine to take along.')
    expect([...(await unpack(viewers.member)).keys()].filter((name) => name.startsWith('files/'))).toEqual([])
    await db.delete(collectionGrants).where(eq(collectionGrants.collectionId, collectionId))
    const later = await unpack(viewers.admin)
    expect([...later.keys()].filter((name) => name.startsWith('files/'))).toEqual([])
    expect([...later.values()].join('\n')).not.toContain('a \\"b')
    // Nor of a workspace that they have left.
    await db.delete(memberships).where(eq(memberships.userId, viewers.admin.userId))
    expect(JSON.parse((await unpack(viewers.admin)).get('data/documents.json') ?? '')).toEqual([])
    expect((await db.select().from(documents).where(eq(documents.id, document.id))).length).toBe(1)
  })

  it('leaves no archive behind that nobody came for', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const { workspaceId, userId } = viewers.member
    const folder = join(env().dataDir, 'exports')
    await (await exportData(viewers.member)).stream.cancel()
    await expect.poll(() => readdir(folder)).toEqual([])
    // As a process leaves one that was killed.
    const leave = () => writeFile(join(folder, `${workspaceId}_${userId}_${newId()}.tar.gz`), 'half')
    await leave()
    expect(await deleteExports({ workspaceId, before: new Date(Date.now() - 60_000) })).toBe(0)
    expect(await deleteExports({ workspaceId: newId(), before: new Date(Date.now() + 60_000) })).toBe(0)
    expect(await deleteExports({ workspaceId, before: new Date(Date.now() + 60_000) })).toBe(1)
    await leave()
    expect(await deleteExports({ userId: newId() })).toBe(0)
    expect(await deleteExports({ userId })).toBe(1)
    expect(await readdir(folder)).toEqual([])
  })
})
