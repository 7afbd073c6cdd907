import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { createCollection, grant } from './access.ts'
import { changesDocuments, deleteDocument, listChangeable, setTags, uploadDocument } from './documents.ts'
import { closeQueue, openQueue } from './jobs.ts'
import type { GrantLevel } from './shared/access-contract.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'

const test = withDatabase()
beforeAll(() => openQueue())
afterAll(() => closeQueue(0))

const put = async (viewer: Viewer, collectionId: string, name: string): Promise<string> => {
  const source = Readable.from([Buffer.from(`Something new: ${newId()}`)])
  return (await uploadDocument(viewer, { name, collectionId, source })).document.id
}

/** Collections of the owner's with a document each, and the member's level on each but the last. */
const shelves = async () => {
  const { viewers } = await createTestWorkspace(test.current())
  const { owner, member } = viewers
  const made = await Promise.all(
    (['read', 'contribute', 'manage', null] as const).map(async (level: GrantLevel | null) => {
      const name = level ?? 'closed'
      const { id } = await createCollection(owner, { name, openTo: 'me' })
      const documentId = await put(owner, id, `${name}.txt`)
      const to = { collectionId: id, subject: 'person', subjectId: member.userId } as const
      if (level) await grant(owner, { ...to, level })
      return { name, id, documentId }
    }),
  )
  return {
    viewers,
    owner,
    member,
    at: (name: string) => made.find((one) => one.name === name) ?? { id: '', documentId: '' },
  }
}

it('who was given collections to look after is shown these and no others, and what they may delete', async () => {
  const { viewers, member, at } = await shelves()
  expect(await changesDocuments(member)).toBe(true)
  const { documents, collections } = await listChangeable(member)
  expect(documents.map(({ name }) => name).sort()).toEqual(['contribute.txt', 'manage.txt'])
  expect(collections).toEqual([
    { id: at('contribute').id, name: 'contribute', mayDelete: false },
    { id: at('manage').id, name: 'manage', mayDelete: true },
  ])
  // Reading alone opens nothing here, whatever the role below an admin.
  expect(await changesDocuments(viewers.reviewer)).toBe(false)
  await expect(listChangeable(viewers.reviewer)).rejects.toMatchObject({ code: 'not-found' })
  // Whoever administers changes what they read, and finds the page also where that is nothing.
  expect(await changesDocuments(viewers.admin)).toBe(true)
  expect((await listChangeable(viewers.admin)).collections).toMatchObject([{ name: 'General', mayDelete: true }])
})

it('what is switched off is not among them', async () => {
  const { member, at } = await shelves()
  const { id, documentId } = at('manage')
  await test.current().db.execute(sql`insert into incident_switches (id, workspace_id, kind, target_id, label, reason)
    values (${newId()}, ${member.workspaceId}, 'document', ${documentId}, 'it', 'A leak.'),
      (${newId()}, ${member.workspaceId}, 'collection', ${at('contribute').id}, 'it', 'A leak.')`)
  const { documents, collections } = await listChangeable(member)
  expect(documents).toEqual([])
  expect(collections.map((one) => one.id)).toEqual([id])
})

it('a grant that is taken away counts with the next thing that is done, which says so', async () => {
  const { owner, member, at } = await shelves()
  const { id, documentId } = at('manage')
  await test.current().db.execute(sql`delete from collection_grants where subject_id = ${member.userId}`)
  const refused = (words: string) => ({ code: 'not-found', publicMessage: expect.stringContaining(words) })
  await expect(put(member, id, 'late.txt')).rejects.toMatchObject(
    refused('You may not add to that collection any more'),
  )
  for (const done of [() => setTags(member, documentId, ['late']), () => deleteDocument(member, documentId)])
    await expect(done()).rejects.toMatchObject(refused('you may not do this with it any more'))
  await expect(listChangeable(member)).rejects.toMatchObject(refused('or not any more'))
  // The same words as of what never was, so that they tell nobody what there is.
  await expect(put(member, newId(), 'late.txt')).rejects.toMatchObject(refused('You may not add to that collection'))
  expect((await listChangeable(owner)).documents.find((one) => one.id === documentId)?.tags).toEqual([])
})
