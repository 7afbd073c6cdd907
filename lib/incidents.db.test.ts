import { desc, eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createScratchDocument } from '#db/queries/evaluation.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import { insertSwitch } from '#db/queries/incidents.ts'
import { claimVersion } from '#db/queries/ingest.ts'
import { createSession, getSessionOwner } from '#db/queries/people.ts'
import { auditLog, collectionGrants, incidentSwitches, memberships } from '#db/schema/index.ts'
import { addTestModel, createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { type MockProvider, startMockProvider } from '#e2e/mock-provider.ts'
import { indexParsed } from '#ingestion/pipeline.ts'
import type { ChatMessage } from '#lib/shared/chat-contract.ts'
import { gatewaySettingsSchema } from '#lib/shared/gateway-settings.ts'
import type { SwitchKind } from '#lib/shared/records-contract.ts'
import { type ChatChunk, loadChat, respond } from './chat/index.ts'
import { findTargets, liftSwitch, listIncidents, noticesFor, throwSwitch } from './incidents.ts'
import { retrieve } from './rag/index.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'
import { assertAnswersOn, forgetSwitches, switchWords } from './switches.ts'

const database = withDatabase()
let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
})
afterAll(() => vendor.close())
beforeEach(() => {
  vendor.requests.length = 0
  vendor.script({})
})

const text = 'Signing keys are rotated every 90 days by the platform team.'
const question = 'How often are signing keys rotated?'

const addDocument = async ({ viewers, collectionId }: TestWorkspace, name: string): Promise<string> => {
  const claim = await claimVersion(
    database.current().db,
    await createScratchDocument(database.current().db, viewers.admin, { collectionId, name }),
  )
  if (!claim) throw new Error('no claim')
  const blocks = [{ kind: 'paragraph' as const, start: 0, end: text.length }]
  const parsed = { kind: 'text' as const, title: 'Policy', text, blocks, pages: [] }
  await indexParsed(claim, parsed, new AbortController().signal)
  return claim.documentId
}

type World = TestWorkspace & { documentId: string; providerId: string; modelKey: string }

/** A workspace with a document, and a provider of ours that is asked about it. */
const makeWorld = async (): Promise<World> => {
  const { db } = database.current()
  const made = await createTestWorkspace(database.current())
  const { workspaceId } = made
  const documentId = await addDocument(made, 'policy.txt')
  const providerId = await addTestModel(db, { workspaceId, baseUrl: vendor.url })
  await storeGatewaySettings(db, workspaceId, 0, gatewaySettingsSchema.parse({ routing: { localFirst: false } }))
  return { ...made, documentId, providerId, modelKey: `${providerId}/mock-1` }
}

const open = async (viewer: Viewer, words = question) => {
  const chatId = newId()
  const request = { chatId, messageId: newId(), text: words, trigger: 'submit' as const, collectionIds: [] }
  const stream = await respond(request, viewer)
  const ended = (async (): Promise<ChatChunk[]> => {
    const chunks: ChatChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return chunks
  })()
  return { chatId, ended }
}
const answerIn = async (viewer: Viewer, chatId: string): Promise<ChatMessage | undefined> =>
  (await loadChat(viewer, chatId))?.messages[1]
const ask = async (viewer: Viewer, words = question): Promise<ChatMessage | undefined> => {
  const { chatId, ended } = await open(viewer, words)
  await ended
  return answerIn(viewer, chatId)
}
const wordsOf = (message: ChatMessage | undefined): string =>
  (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')

const targetOf = (world: World, kind: SwitchKind): string =>
  ({
    generation: world.workspaceId,
    provider: world.providerId,
    model: world.modelKey,
    collection: world.collectionId,
    document: world.documentId,
    person: world.viewers.member.userId,
  })[kind]

/** As another replica does it: this process is not told. */
const throwElsewhere = async (world: World, kind: SwitchKind): Promise<void> => {
  const { db } = database.current()
  const { workspaceId } = world
  const thrown = { id: newId(), workspaceId, kind, targetId: targetOf(world, kind), label: 'it', reason: 'A leak.' }
  await db.transaction((tx) => insertSwitch(tx, thrown))
}

const codeOf = async (done: Promise<unknown>): Promise<unknown> =>
  done.then(
    () => 'done',
    (error: { code?: string }) => error.code ?? error,
  )

describe('what is switched off', () => {
  test('under load stops every open answer that uses it within five seconds, and says why', {
    timeout: 60_000,
  }, async () => {
    vendor.script({ endless: true, tokenDelayMs: 100 })
    const kinds: SwitchKind[] = ['generation', 'provider', 'model', 'collection', 'document']
    const worlds = await Promise.all(kinds.map(makeWorld))
    // Twenty streams, four of each kind, and one that is none of their business.
    const beside = await makeWorld()
    const other = await open(beside.viewers.member)
    const streams = await Promise.all(
      worlds.flatMap((world, at) =>
        Array.from({ length: 4 }, async () => ({
          world,
          kind: kinds[at] as SwitchKind,
          ...(await open(world.viewers.member)),
        })),
      ),
    )
    await expect
      .poll(() => vendor.requests.filter(({ tokensSent }) => tokensSent > 2).length, { timeout: 30_000 })
      .toBe(21)
    const thrownMs = performance.now()
    await Promise.all(worlds.map((world, at) => throwElsewhere(world, kinds[at] as SwitchKind)))
    await Promise.all(streams.map(({ ended }) => ended))
    expect(performance.now() - thrownMs).toBeLessThan(5_000)
    for (const { world, kind, chatId } of streams) {
      const answer = await answerIn(world.viewers.member, chatId)
      expect(answer?.metadata, kind).toMatchObject({ status: 'stopped' })
      expect(answer?.metadata?.warnings?.[0], kind).toMatch(/switched off since \d\d:\d\d UTC.*: A leak\.$/)
      expect(wordsOf(answer), kind).not.toBe('')
    }
    await expect.poll(() => vendor.requests.filter(({ aborted }) => aborted).length).toBe(20)
    expect((await loadChat(beside.viewers.member, other.chatId))?.streaming).toBe(true)
    const personMs = performance.now()
    await throwElsewhere(beside, 'person')
    await other.ended
    expect(performance.now() - personMs).toBeLessThan(5_000)
  })

  test('is asked no more while the others are, and is asked again once it is lifted', { timeout: 30_000 }, async () => {
    for (const kind of ['provider', 'model'] as const) {
      const world = await makeWorld()
      const { admin, member } = world.viewers
      const { id } = await throwSwitch(admin, { kind, targetId: targetOf(world, kind), reason: 'It makes things up' })
      const before = vendor.requests.length
      const answer = await ask(member)
      expect(answer?.metadata).toMatchObject({ status: 'complete', model: { kind: 'built-in' } })
      expect(vendor.requests.length).toBe(before)
      await liftSwitch(admin, id, 'Mended')
      expect((await ask(member))?.metadata).toMatchObject({ status: 'complete', model: { kind: 'provider' } })
    }
  })

  test('when it is all answers leaves searching, and the asker reads since when and why', {
    timeout: 30_000,
  }, async () => {
    const world = await makeWorld()
    const { admin, member } = world.viewers
    // One that is kept would cost nothing to give, and is not given either.
    await ask(member)
    const asked = vendor.requests.length
    const { id } = await throwSwitch(admin, { kind: 'generation', targetId: '', reason: 'Wrong doses were given' })
    for (const words of [question, 'Hello!']) {
      const refused = await ask(member, words)
      expect(refused?.metadata?.status).toBe('failed')
      expect(refused?.metadata?.error).toMatchObject({
        code: 'switched-off',
        message: expect.stringMatching(/^Answers are switched off since \d\d:\d\d UTC: Wrong doses were given\.$/),
      })
      expect(wordsOf(refused)).toBe('')
    }
    expect(vendor.requests.length).toBe(asked)
    expect((await retrieve(question, member, { tokensMax: 1_000 })).found).toBe(true)
    await liftSwitch(admin, id, 'Mended')
    expect((await ask(member))?.metadata).toMatchObject({ status: 'complete' })
  })

  test('when it is a collection or a document is found, cited and given from what was kept no more', {
    timeout: 30_000,
  }, async () => {
    for (const kind of ['collection', 'document'] as const) {
      const world = await makeWorld()
      const { admin, member } = world.viewers
      expect((await ask(member))?.metadata?.route).toBe('retrieval')
      expect((await ask(member))?.metadata?.route).toBe('cache')
      const asked = vendor.requests.length
      const { id } = await throwSwitch(admin, { kind, targetId: targetOf(world, kind), reason: 'A leak' })
      const answer = await ask(member)
      expect(answer?.metadata).toMatchObject({ status: 'no-source' })
      expect(JSON.stringify(answer)).not.toMatch(/90 days|policy\.txt/)
      expect(vendor.requests.length).toBe(asked)
      await liftSwitch(admin, id, 'Cleaned')
      expect((await ask(member))?.metadata).toMatchObject({ status: 'complete' })
    }
  })

  test('when it is a person is out like one who is suspended, and in again when it is lifted', async () => {
    const world = await makeWorld()
    const { db } = database.current()
    const { admin, member } = world.viewers
    const idHash = newId()
    await createSession(db, {
      idHash,
      userId: member.userId,
      workspaceId: world.workspaceId,
      userAgent: null,
      address: null,
      expiresAt: new Date(Date.now() + 60_000),
    })
    expect((await getSessionOwner(db, idHash))?.viewer.userId).toBe(member.userId)
    const { id } = await throwSwitch(admin, { kind: 'person', targetId: member.userId, reason: 'A stolen laptop' })
    expect(await getSessionOwner(db, idHash)).toBeUndefined()
    expect((await retrieve(question, member, { tokensMax: 1_000 })).found).toBe(false)
    await liftSwitch(admin, id, 'Found again')
    expect((await getSessionOwner(db, idHash))?.viewer.userId).toBe(member.userId)
  })

  test('stays off while it cannot be read what is', async () => {
    const failing = 'no workspace at all'
    forgetSwitches(failing)
    expect(await codeOf(assertAnswersOn(failing))).toBe('not-ready')
  })
})

describe('throwing and lifting', () => {
  test('is audited with ids and the reason, in the transaction that does it', async () => {
    const world = await makeWorld()
    const { db } = database.current()
    const { admin, member } = world.viewers
    const { id } = await throwSwitch(admin, { kind: 'person', targetId: member.userId, reason: 'A stolen laptop' })
    await liftSwitch(admin, id, 'Found again.')
    const lines = await db.select().from(auditLog).where(eq(auditLog.objectId, id)).orderBy(desc(auditLog.id))
    expect(lines.map(({ event, actorId, details }) => ({ event, actorId, details }))).toEqual([
      {
        event: 'switch.lifted',
        actorId: admin.userId,
        details: { kind: 'person', target: member.userId, reason: 'Found again.' },
      },
      {
        event: 'switch.thrown',
        actorId: admin.userId,
        details: { kind: 'person', target: member.userId, reason: 'A stolen laptop.' },
      },
    ])
    expect(await listIncidents(admin)).toMatchObject([
      { id, kind: 'person', label: 'member', by: 'admin', liftedBy: 'admin', reason: 'A stolen laptop.' },
    ])
  })

  test('refuses what is not there, what is off, strangers, oneself, and owners to who is none', async () => {
    const world = await makeWorld()
    const stranger = (await makeWorld()).viewers.admin
    const { admin, owner } = world.viewers
    const reason = 'Because'
    const off = (viewer: Viewer, kind: SwitchKind, targetId: string) =>
      codeOf(throwSwitch(viewer, { kind, targetId, reason }))
    for (const kind of ['provider', 'model', 'collection', 'person', 'document'] as const) {
      expect(await off(admin, kind, newId()), kind).toBe('not-found')
      expect(await off(admin, kind, "' or true --"), kind).toBe('not-found')
      expect(await off(stranger, kind, targetOf(world, kind)), kind).toBe('not-found')
    }
    expect(await off(admin, 'person', admin.userId)).toBe('bad-request')
    expect(await off(admin, 'person', owner.userId)).toBe('bad-request')
    const { id } = await throwSwitch(admin, { kind: 'generation', targetId: '', reason })
    expect(await off(admin, 'generation', '')).toBe('conflict')
    expect(await codeOf(liftSwitch(stranger, id, reason))).toBe('not-found')
    await liftSwitch(admin, id, reason)
    expect(await codeOf(liftSwitch(admin, id, reason))).toBe('not-found')
  })

  test('of two owners who switch each other off at once leaves one', async () => {
    const { workspaceId, viewers } = await makeWorld()
    const { db } = database.current()
    const second: Viewer = { ...viewers.admin, role: 'owner' }
    await db.update(memberships).set({ role: 'owner' }).where(eq(memberships.userId, second.userId))
    const off = (by: Viewer, whom: Viewer) =>
      codeOf(throwSwitch(by, { kind: 'person', targetId: whom.userId, reason: 'Because' }))
    const done = await Promise.all([off(viewers.owner, second), off(second, viewers.owner)])
    expect(done.toSorted()).toEqual(['done', 'not-found'])
    const left = await db.select().from(incidentSwitches).where(eq(incidentSwitches.workspaceId, workspaceId))
    expect(left).toHaveLength(1)
  })

  test('offers what there is, and of documents what the admin reads', async () => {
    const world = await makeWorld()
    const { db } = database.current()
    const { admin } = world.viewers
    const found = async (kind: Exclude<SwitchKind, 'generation'>, q = '') =>
      (await findTargets(admin, { kind, q })).map(({ id }) => id)
    expect(await found('provider')).toContain(world.providerId)
    expect(await found('model', 'MOCK')).toEqual([world.modelKey])
    expect(await found('collection')).toEqual([world.collectionId])
    expect(await found('person', 'member')).toEqual([world.viewers.member.userId])
    expect(await found('document', '100%')).toEqual([])
    expect(await found('document', 'policy')).toEqual([world.documentId])
    const { id } = await throwSwitch(world.viewers.owner, { kind: 'document', targetId: world.documentId, reason: 'x' })
    expect(await listIncidents(admin)).toMatchObject([{ id, label: 'policy.txt' }])
    await db.delete(collectionGrants).where(eq(collectionGrants.workspaceId, world.workspaceId))
    expect(await found('document', 'policy')).toEqual([])
    // Nor does the list give its name away.
    expect(await listIncidents(admin)).toMatchObject([{ id, label: null }])
  })
})

describe('the notice on every page', () => {
  test('is for those whom it concerns, and its tag changes when it does', async () => {
    const world = await makeWorld()
    const { db } = database.current()
    const { admin, member } = world.viewers
    const kindsFor = async (viewer: Viewer) =>
      (await noticesFor(viewer)).notices.map(({ words }) => words.split(' ')[0])
    const quiet = await noticesFor(member)
    expect(quiet.notices).toEqual([])
    for (const kind of ['generation', 'provider', 'document', 'collection'] as const)
      await throwSwitch(admin, { kind, targetId: targetOf(world, kind), reason: 'Because' })
    expect((await noticesFor(admin)).notices.map(({ words }) => words)).toEqual([
      expect.stringMatching(/^Answers are switched off since/),
      expect.stringMatching(/^The provider mock is switched off since/),
      expect.stringMatching(/^The document policy.txt is switched off since/),
      expect.stringMatching(/^The collection General is switched off since/),
    ])
    expect(await kindsFor(member)).toEqual(['Answers', 'The', 'The'])
    expect((await noticesFor(member)).tag).not.toBe(quiet.tag)
    expect((await noticesFor(member)).tag).toBe((await noticesFor(member)).tag)
    await db.delete(collectionGrants).where(eq(collectionGrants.workspaceId, world.workspaceId))
    expect(await kindsFor(member)).toEqual(['Answers'])
  })

  test('names the day where it is not today', () => {
    const off = {
      id: '',
      kind: 'generation' as const,
      targetId: '',
      label: '',
      reason: 'Why.',
      since: new Date('2026-05-04T14:02:59Z'),
    }
    expect(switchWords(off, new Date('2026-05-04T23:00:00Z'))).toBe('Answers are switched off since 14:02 UTC: Why.')
    expect(switchWords(off, new Date('2026-05-05T01:00:00Z'))).toBe(
      'Answers are switched off since 14:02 UTC on 2026-05-04: Why.',
    )
  })
})
