import { and, eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { getTraceOfMessage } from '#db/reports/traces.ts'
import {
  answerCache,
  collectionGrants,
  collections,
  groupMembers,
  groups,
  memberships,
  users,
} from '#db/schema/index.ts'
import { addTestModel, createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { indexParsed } from '#ingestion/pipeline.ts'
import { getVersionText, openVersionFile } from '#lib/documents.ts'
import { retrieve } from '#lib/rag/index.ts'
import type { ChatMessage, ChatRequest } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { type ChatChunk, describeKnowledge, listScopeFacets, loadChat, respond, resume } from './index.ts'

const test = withDatabase()
const db = () => test.current().db
const missing = { code: 'not-found' }
const question = 'How often are signing keys rotated?'
const words = 'Signing keys are rotated every 90 days by the platform team.'
const said = 'Signing keys are rotated every 90 days by the platform team [1].'

let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
})
afterAll(() => vendor.close())
beforeEach(() => {
  vendor.requests.length = 0
  vendor.script({ text: said })
})

const addModel = async (workspaceId: string): Promise<void> => {
  await addTestModel(db(), { workspaceId, baseUrl: vendor.url })
}

type World = TestWorkspace & { closed: string; documentId: string; versionId: string; take(): Promise<void> }

/** A document that the member and the reviewer read, through a group that is theirs. */
const withClosed = async (): Promise<World> => {
  const workspace = await createTestWorkspace(test.current())
  const { workspaceId, viewers } = workspace
  const [closed, groupId] = [newId(), newId()]
  await db().insert(collections).values({ id: closed, workspaceId, name: 'Closed' })
  await db().insert(groups).values({ id: groupId, workspaceId, name: 'Readers' })
  await db()
    .insert(groupMembers)
    .values([viewers.member, viewers.reviewer].map(({ userId }) => ({ groupId, userId })))
  await db()
    .insert(collectionGrants)
    .values({ id: newId(), workspaceId, collectionId: closed, subject: 'group', subjectId: groupId, level: 'read' })
  const versionId = await createScratchDocument(db(), viewers.admin, { collectionId: closed, name: 'policy.txt' })
  const claim = await claimVersion(db(), versionId)
  if (!claim) throw new Error('no claim')
  const blocks = [{ kind: 'paragraph' as const, start: 0, end: words.length }]
  await indexParsed(
    claim,
    { kind: 'text', title: 'Policy', text: words, blocks, pages: [] },
    AbortSignal.timeout(60_000),
  )
  await addModel(workspaceId)
  const ofMember = and(eq(groupMembers.groupId, groupId), eq(groupMembers.userId, viewers.member.userId))
  const take = async (): Promise<void> => {
    await db().delete(groupMembers).where(ofMember)
  }
  return { ...workspace, closed, documentId: claim.documentId, versionId, take }
}

const ask = (rest: Partial<ChatRequest> = {}): ChatRequest => ({
  chatId: newId(),
  messageId: newId(),
  text: question,
  trigger: 'submit',
  collectionIds: [],
  ...rest,
})

const readAll = async (stream: ReadableStream<ChatChunk> | null): Promise<ChatChunk[]> => {
  const chunks: ChatChunk[] = []
  for await (const chunk of stream ?? []) chunks.push(chunk)
  return chunks
}

const answered = async (viewer: Viewer, request = ask()) => {
  const chunks = await readAll(await respond(request, viewer))
  return { chunks, request, answer: await lastOf(viewer, request) }
}
const lastOf = async (viewer: Viewer, { chatId }: ChatRequest): Promise<ChatMessage | undefined> =>
  (await loadChat(viewer, chatId))?.messages.at(-1)
const citationsOf = (message: ChatMessage | undefined) =>
  (message?.parts ?? []).flatMap((part) => (part.type === 'data-citation' ? [part.data] : []))
const keptIn = (workspaceId: string) => db().select().from(answerCache).where(eq(answerCache.workspaceId, workspaceId))

describe('a person whose grant was just taken', () => {
  it('reads the old answer without its quotes, and opens neither page, text nor file', async () => {
    const { viewers, versionId, take } = await withClosed()
    const { request, answer } = await answered(viewers.member)
    expect(citationsOf(answer)).toMatchObject([{ removed: false, quote: expect.stringContaining('90 days') }])
    expect(await getVersionText(viewers.member, versionId)).toMatchObject({ text: words })
    await take()
    const [citation] = citationsOf(await lastOf(viewers.member, request))
    expect(citation).toMatchObject({ removed: true, closed: true, quote: '', rects: [], headingPath: [] })
    await expect(getVersionText(viewers.member, versionId)).rejects.toMatchObject(missing)
    await expect(openVersionFile(viewers.member, versionId)).rejects.toMatchObject(missing)
    // Sent once more, as a client does that lost the answer.
    const again = await readAll(await respond(request, viewers.member))
    const resent = again.flatMap((chunk) => (chunk.type === 'data-citation' ? [chunk.data] : []))
    expect(resent).toMatchObject([{ removed: true, quote: '' }])
  })

  it('is given nothing that was kept, by answer or by ranking, and keeps nothing', async () => {
    const { viewers, workspaceId, take } = await withClosed()
    await answered(viewers.member)
    expect((await answered(viewers.member)).answer?.metadata).toMatchObject({ route: 'cache' })
    const kept = await keptIn(workspaceId)
    expect(kept).toHaveLength(1)
    await take()
    const after = await answered(viewers.member)
    expect(after.answer?.metadata).toMatchObject({ status: 'no-source' })
    expect(after.answer?.metadata?.nearest ?? []).toEqual([])
    expect(JSON.stringify(after)).not.toContain('90 days')
    expect(vendor.requests).toHaveLength(1)
    expect(await keptIn(workspaceId)).toEqual(kept)
    // To who still may read it, it is kept.
    const { answer } = await answered(viewers.reviewer)
    expect(citationsOf(answer)).toMatchObject([{ removed: false }])
  })

  it('is given no kept answer of who reads more, though each passage that it cites could be read', async () => {
    const { viewers, workspaceId, collectionId, documentId } = await withClosed()
    const { member } = viewers
    const other: Viewer = { ...member, userId: newId(), email: `${newId()}@test.local` }
    await db().insert(users).values({ id: other.userId, email: other.email, name: 'Other' })
    await db().insert(memberships).values({ workspaceId, userId: other.userId, role: 'member' })
    // The document is open to all from now on; the member is of a group that reads one collection more.
    await db().execute(sql`update documents set collection_id = ${collectionId} where id = ${documentId}`)
    const routes = []
    for (const viewer of [member, member, other, other]) routes.push((await answered(viewer)).answer?.metadata?.route)
    expect(routes).toEqual(['retrieval', 'cache', 'retrieval', 'cache'])
  })

  it('has the answer taken back that is being written, and reads no quote in a stream begun anew', async () => {
    const { viewers, workspaceId, take } = await withClosed()
    vendor.script({ text: `${said} ${said}`, tokenDelayMs: 25 })
    const request = ask()
    const reader = (await respond(request, viewers.member)).getReader()
    for (let seen = ''; seen !== 'data-citation'; ) seen = (await reader.read()).value?.type ?? 'data-citation'
    await take()
    const resumed = await readAll(await resume(viewers.member, request.chatId))
    const cited = resumed.flatMap((chunk) => (chunk.type === 'data-citation' ? [chunk.data] : []))
    expect(cited.length).toBeGreaterThan(0)
    for (const citation of cited) expect(citation).toMatchObject({ removed: true, quote: '' })
    const answer = await lastOf(viewers.member, request)
    expect(JSON.stringify(answer)).not.toContain('90 days')
    expect(JSON.stringify(answer?.parts)).toContain('Your access to a document')
    expect(await keptIn(workspaceId)).toEqual([])
  })

  it('is suggested, counted and told of nothing of it', async () => {
    const { viewers, closed, take } = await withClosed()
    const about = async (viewer: Viewer) => ({
      knowledge: await describeKnowledge(viewer),
      facets: await listScopeFacets(viewer),
      evidence: await retrieve(question, viewer, { collectionIds: [closed] }),
    })
    expect((await about(viewers.member)).knowledge).toMatchObject({ documents: 1 })
    await take()
    const after = await about(viewers.member)
    expect(after.knowledge).toMatchObject({ documents: 0, suggestions: [] })
    expect(JSON.stringify(after)).not.toMatch(/Policy|Closed|90 days/)
    expect(after.facets.mediaTypes).toEqual([])
  })
})

describe('a trace', () => {
  it('shows what went into its prompt to who may read that, and to an admin who may not that it is left out', async () => {
    const { viewers, closed, workspaceId } = await withClosed()
    const { answer } = await answered(viewers.member)
    const read = async (viewer: Viewer) => JSON.stringify(await getTraceOfMessage(db(), viewer, answer?.id ?? ''))
    await expect.poll(() => read(viewers.admin)).toContain('"pack"')
    const asAdmin = await read(viewers.admin)
    expect(asAdmin).toContain('you may not read')
    expect(asAdmin).not.toMatch(/90 days|Policy/)
    const grant = { id: newId(), workspaceId, collectionId: closed, level: 'read' as const }
    await db()
      .insert(collectionGrants)
      .values({ ...grant, subject: 'person', subjectId: viewers.admin.userId })
    expect(await read(viewers.admin)).toMatch(/90 days/)
  })
})
