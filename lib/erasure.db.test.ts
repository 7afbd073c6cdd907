import '#ingestion/fixtures/scratch.ts'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { closeDatabase, type Database, database, holdDatabase, rows } from '#db/client.ts'
import { openEmbeddedDatabase } from '#db/open.ts'
import { storeGatewaySettings } from '#db/queries/gateway-settings.ts'
import {
  answerCache,
  answerCacheSources,
  apiKeys,
  auditLog,
  chats,
  chunks,
  citations,
  collectionGrants,
  collections,
  correctionSources,
  curatedAnswers,
  documentNotes,
  documents,
  documentVersions,
  erasures,
  feedback,
  goldenQuestions,
  idempotentResults,
  identities,
  incidentSwitches,
  invitations,
  labelItems,
  labels,
  legalHolds,
  memberships,
  messages,
  notifications,
  passageReleases,
  policyDrafts,
  rateLimits,
  recognisedPages,
  reviewComments,
  reviewDrafts,
  reviewItems,
  sessions,
  singleUseTokens,
  sourceItems,
  sources,
  streamEvents,
  taskResults,
  taskRuns,
  traces,
  users,
} from '#db/schema/index.ts'
import { createTestWorkspace, type TestWorkspace, withDatabase } from '#db/testing.ts'
import { extractGraph } from '#ingestion/graph/index.ts'
import { ingestVersion } from '#ingestion/pipeline.ts'
import { loadChat, respond } from './chat/index.ts'
import { setTags, uploadDocument } from './documents.ts'
import { env } from './env.ts'
import { planErasure, readErasureList, reapplyErasures, requestErasure, runErasure } from './erasure.ts'
import { closeGateway } from './gateway/index.ts'
import { closeQueue, enqueue, openQueue } from './jobs.ts'
import { listHolds, placeHold, releaseHold } from './legal-holds.ts'
import { log } from './log.ts'
import { gatewaySettingsSchema } from './shared/gateway-settings.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'

const onServer = process.env.TEST_ENGINE === 'postgres'
// Embedded on disk, since its files are looked at too.
const test = onServer ? withDatabase() : { current: database }
const logged: string[] = []

beforeAll(async () => {
  if (!onServer) holdDatabase(await openEmbeddedDatabase(env().dataDir))
  await openQueue()
  log.level = 'debug'
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    logged.push(String(line))
    return true
  })
}, 60_000)
afterAll(async () => {
  vi.restoreAllMocks()
  await closeQueue(0)
  await closeGateway()
  if (!onServer) await closeDatabase()
})

const pace = { wait: async () => undefined, openAnswersMs: 0, afterglowMs: 0 }
const never = new AbortController().signal

/** A word that stands nowhere else; of letters alone, so that it is one word to every reader. */
const plant = (): string =>
  `zq${newId()
    .replaceAll('-', '')
    .slice(14)
    .replace(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit)))}`

/** Every table of the product and of its queue that a word stands in, in any column, and what the planner knows of them. */
const tablesWith = async ({ db }: Database, words: readonly string[]): Promise<Map<string, string[]>> => {
  const tables = await rows<{ schema: string; name: string }>(
    db,
    sql`select table_schema as schema, table_name as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') or table_name = 'pg_stats'`,
  )
  const found = new Map<string, string[]>()
  for (const { schema, name } of tables) {
    const there = await rows<{ word: string }>(
      db,
      sql`select w.value as word from jsonb_array_elements_text(${JSON.stringify(words)}::jsonb) w where exists (
        select from ${sql.identifier(schema)}.${sql.identifier(name)} t where strpos(lower(t::text), w.value) > 0)`,
    )
    if (there.length > 0)
      found.set(
        name,
        there.map(({ word }) => word),
      )
  }
  return found
}

/** Every file under DATA_DIR that one of the words stands in. */
const filesWith = async (words: readonly string[]): Promise<string[]> => {
  const all = await readdir(env().dataDir, { recursive: true, withFileTypes: true })
  const found: string[] = []
  for (const entry of all) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = await readFile(path)
    if (words.some((word) => bytes.includes(word) || bytes.includes(word.replace('z', 'Z')))) found.push(path)
  }
  return found
}

/** Uploads and reads a text as a worker would. */
const upload = async (
  workspace: TestWorkspace,
  name: string,
  text: string,
): Promise<{ id: string; versionId: string }> => {
  const { document } = await uploadDocument(workspace.viewers.admin, {
    name,
    collectionId: workspace.collectionId,
    source: (async function* () {
      yield Buffer.from(text)
    })(),
  })
  await ingestVersion(document.versionId, never)
  return { id: document.id, versionId: document.versionId }
}

const ask = async (viewer: Viewer, text: string): Promise<{ chatId: string; questionId: string }> => {
  const chatId = newId()
  const messageId = newId()
  const stream = await respond({ chatId, messageId, text, trigger: 'submit', collectionIds: [] }, viewer)
  for await (const _chunk of stream);
  // The trace is written after the answer has ended.
  await expect
    .poll(async () => (await test.current().db.select().from(traces).where(eq(traces.chatId, chatId))).length)
    .toBe(1)
  return { chatId, questionId: messageId }
}

describe('erasing a person', () => {
  it('leaves no word of theirs in any table, file or log line, and their audit lines under a number', async () => {
    const { db } = test.current()
    const workspace = await createTestWorkspace(test.current())
    const { workspaceId, viewers } = workspace
    const { member, admin } = workspace.viewers
    const other = viewers.reviewer
    await upload(workspace, 'keys.txt', 'Signing keys are rotated every 90 days by the platform team.')

    const [name, mail, question, title, device, place, key, subject, task, answer, kept, question2] = Array.from(
      { length: 12 },
      plant,
    )
    const words = [name, mail, question, title, device, place, key, subject, task, answer, kept, question2].map(String)
    const email = `${mail}@example.com`
    const person = { ...member, email, name: `Ada ${name}` }
    await db
      .update(users)
      .set({ email, name: person.name, totpSealed: `v1.${key}`, recoveryHashes: [String(key)] })
      .where(eq(users.id, person.userId))

    const { chatId, questionId } = await ask(person, `How often are signing keys rotated, ${question}?`)
    const own = { workspaceId, userId: person.userId }
    const soon = new Date(Date.now() + 3_600_000)
    await db
      .update(chats)
      .set({ title: `On ${title}` })
      .where(eq(chats.id, chatId))
    await db.insert(streamEvents).values({ messageId: questionId, seq: 1, chunks: [{ delta: answer }] })
    await db.insert(sessions).values({ ...own, idHash: newId(), userAgent: device, address: place, expiresAt: soon })
    await db
      .insert(apiKeys)
      .values({ ...own, id: newId(), name: String(key), prefix: 'fn_', hash: newId(), scopes: [], expiresAt: soon })
    await db
      .insert(identities)
      .values({ issuer: 'https://id.example.com', subject: String(subject), userId: person.userId })
    await db
      .insert(singleUseTokens)
      .values({ hash: newId(), purpose: 'password-reset', userId: person.userId, expiresAt: soon })
    await db.insert(taskRuns).values({ ...own, id: newId(), feature: 'selection.summary', subject: { text: task } })
    await db
      .insert(taskResults)
      .values({ workspaceId, task: 'rewrite', inputHash: newId(), output: { text: question2 } })
    await db
      .insert(idempotentResults)
      .values({ ...own, key: newId(), requestHash: newId(), result: { status: 200, body: answer } })
    await db
      .insert(invitations)
      .values({ id: newId(), workspaceId, email, role: 'member', tokenHash: newId(), expiresAt: soon })
    await db.insert(rateLimits).values({ key: `sign-in.account:${email}`, points: 1, resetsAt: soon })
    await db
      .insert(goldenQuestions)
      .values({ id: newId(), workspaceId, question: `Why ${question2}?`, expected: [], createdBy: person.userId })
    // What others wrote about them.
    await db.insert(legalHolds).values({
      id: newId(),
      workspaceId,
      kind: 'person',
      objectId: person.userId,
      label: person.name,
      reason: `A claim against ${person.name}, ${email.toUpperCase()}.`,
      createdBy: admin.userId,
      releasedAt: new Date(),
    })
    await db.insert(incidentSwitches).values({
      id: newId(),
      workspaceId,
      kind: 'person',
      targetId: person.userId,
      label: person.name,
      reason: 'A lost laptop',
    })
    await db.insert(policyDrafts).values({
      id: newId(),
      workspaceId,
      basedOn: 1,
      policy: { note: `Asked for by "${person.name}"` },
      reason: `For ${email}`,
    })
    await db.insert(answerCache).values({
      id: newId(),
      workspaceId,
      recipe: newId(),
      question: `How often ${kept}?`,
      questionHash: newId(),
      answer: String(kept),
      citations: [],
      model: 'm',
      tokensIn: 1,
      tokensOut: 1,
      costMicros: 1,
      expiresAt: soon,
    })
    await db.transaction((tx) => enqueue(tx, 'mail.send', { sealed: `to ${email}`, invitationId: null }))

    // Otherwise their absence afterwards would prove nothing.
    const before = await tablesWith(test.current(), words)
    expect(new Set([...before.values()].flat())).toEqual(new Set(words))
    expect([...before.keys()]).toEqual(
      expect.arrayContaining(['chats', 'messages', 'traces', 'users', 'policy_drafts', 'answer_cache', 'rate_limits']),
    )
    if (!onServer) expect((await filesWith(words)).length).toBeGreaterThan(0)

    const plan = await planErasure(admin, { kind: 'person', id: person.userId })
    expect(plan).toMatchObject({
      label: email,
      refusal: null,
      counts: { conversations: 1, keys: 1, sessions: 1, traces: 1 },
    })
    const { id } = await requestErasure(admin, { kind: 'person', id: person.userId }, email.toUpperCase())
    // Locked out with the request, before the job has run.
    expect(await db.select().from(sessions).where(eq(sessions.userId, person.userId))).toEqual([])
    expect(await db.select().from(memberships).where(eq(memberships.userId, person.userId))).toEqual([])
    await runErasure(id, pace)

    expect(await tablesWith(test.current(), words)).toEqual(new Map())
    expect(await filesWith(words)).toEqual([])
    expect(logged.filter((line) => words.some((word) => line.includes(word)))).toEqual([])
    const [user] = await db.select().from(users).where(eq(users.id, person.userId))
    expect(user).toMatchObject({ name: 'erased person', passwordHash: null, erasedAt: expect.any(Date) })
    const [done] = await db.select().from(erasures).where(eq(erasures.id, id))
    expect(done).toMatchObject({ doneAt: expect.any(Date), report: { conversations: 1, traces: 1, jobs: 1 } })
    const lines = await db.select().from(auditLog).where(eq(auditLog.objectId, person.userId))
    expect(lines.map(({ event, details }) => ({ event, details }))).toEqual([
      { event: 'person.erased', details: { erasure: id } },
    ])
    // What is the workspace's stays, and so does everybody else's.
    expect(await loadChat(person, chatId)).toBeNull()
    expect((await db.select().from(documents).where(eq(documents.workspaceId, workspaceId))).length).toBe(1)
    expect(await planErasure(admin, { kind: 'person', id: other.userId })).toMatchObject({ refusal: null })
  })

  it('takes a name out of the workspaces of its person alone, and out of the texts in JSON, not out of its form', async () => {
    const { db } = test.current()
    const [here, elsewhere] = [await createTestWorkspace(test.current()), await createTestWorkspace(test.current())]
    const [ledger, quoted] = [here.viewers.member, here.viewers.reviewer]
    const rename = (userId: string, name: string) => db.update(users).set({ name }).where(eq(users.id, userId))
    await rename(ledger.userId, 'General Ledger')
    await rename(quoted.userId, 'apples", "pears')
    for (const { collectionId } of [here, elsewhere])
      await db.update(collections).set({ name: 'General Ledger' }).where(eq(collections.id, collectionId))
    const policy = { words: ['apples', 'pears'], note: 'General Ledger said "apples", "pears"' }
    const draft = { id: newId(), workspaceId: here.workspaceId, basedOn: 1, policy, reason: '' }
    await db.insert(policyDrafts).values(draft)
    for (const { userId, email } of [ledger, quoted]) {
      const { id } = await requestErasure(here.viewers.admin, { kind: 'person', id: userId }, email)
      await runErasure(id, pace)
    }
    const nameOf = async (id: string) => (await db.select().from(collections).where(eq(collections.id, id)))[0]?.name
    expect(await nameOf(elsewhere.collectionId)).toBe('General Ledger')
    expect(await nameOf(here.collectionId)).toBe('erased person')
    const [kept] = await db.select().from(policyDrafts).where(eq(policyDrafts.id, draft.id))
    expect(kept?.policy).toEqual({ words: ['apples', 'pears'], note: 'erased person said "erased person"' })
  })

  it('asks open answers to stop, waits for them, and erases what their end still writes; killed, it is done again', async () => {
    const { db } = test.current()
    const { workspaceId, viewers } = await createTestWorkspace(test.current())
    const { member, admin } = viewers
    const [chatId, messageId, word] = [newId(), newId(), plant()]
    await db.insert(chats).values({ id: chatId, workspaceId, userId: member.userId, title: word })
    await db
      .insert(messages)
      .values({ id: messageId, chatId, role: 'assistant', status: 'streaming', beatAt: new Date(), text: word })
    const { id } = await requestErasure(admin, { kind: 'person', id: member.userId }, member.email)
    const killed = async () => {
      throw new Error('killed')
    }
    await expect(runErasure(id, { wait: killed, openAnswersMs: 10_000, afterglowMs: 0 })).rejects.toThrow('killed')
    const steps: string[] = []
    const wait = async (ms: number): Promise<void> => {
      const [open] = await db.select().from(messages).where(eq(messages.id, messageId))
      steps.push(open?.stopRequestedAt ? `stop asked, ${open.status}` : `gone, ${ms} ms`)
      if (open) await db.update(messages).set({ status: 'stopped' }).where(eq(messages.id, messageId))
      else {
        const trace = { id: newId(), workspaceId, userId: member.userId, question: word, startedAt: new Date() }
        await db.insert(traces).values({ ...trace, status: 'stopped', spans: [{ word }] })
      }
    }
    await runErasure(id, { wait, openAnswersMs: 10_000, afterglowMs: 7 })
    expect(steps).toEqual(['stop asked, streaming', 'gone, 7 ms'])
    expect(await tablesWith(test.current(), [word])).toEqual(new Map())
    const [done] = await db.select().from(erasures).where(eq(erasures.id, id))
    expect(done?.doneAt).not.toBeNull()
  })

  it('is refused while they are on hold, the last owner, an owner to an admin, elsewhere too, oneself, or not confirmed', async () => {
    const { db } = test.current()
    const { viewers } = await createTestWorkspace(test.current())
    const elsewhere = await createTestWorkspace(test.current())
    const { admin, owner, member, reviewer } = viewers
    const refusalOf = async (viewer: Viewer, id: string) => (await planErasure(viewer, { kind: 'person', id })).refusal
    expect(await refusalOf(admin, owner.userId)).toContain('Only an owner')
    await db.update(memberships).set({ role: 'owner' }).where(eq(memberships.userId, reviewer.userId))
    expect(await refusalOf({ ...reviewer, role: 'owner' }, owner.userId)).toBeNull()
    await db
      .update(memberships)
      .set({ role: 'member', suspendedAt: null })
      .where(eq(memberships.userId, reviewer.userId))
    expect(await refusalOf({ ...admin, role: 'owner' }, owner.userId)).toContain('last owner')
    expect(await refusalOf(admin, admin.userId)).toContain('own account')

    await placeHold(admin, { kind: 'person', objectId: member.userId, reason: 'A claim is open' })
    expect(await refusalOf(admin, member.userId)).toMatch(
      /on legal hold since \d{4}-\d\d-\d\d, because: A claim is open\./,
    )
    await expect(requestErasure(admin, { kind: 'person', id: member.userId }, member.email)).rejects.toMatchObject({
      code: 'conflict',
    })
    const [hold] = await listHolds(admin)
    await releaseHold(admin, hold?.id ?? '')
    await expect(requestErasure(admin, { kind: 'person', id: member.userId }, 'somebody')).rejects.toMatchObject({
      code: 'bad-request',
    })
    await db.insert(memberships).values({ workspaceId: elsewhere.workspaceId, userId: member.userId, role: 'member' })
    expect(await refusalOf(admin, member.userId)).toContain('other workspaces')
    await expect(planErasure(elsewhere.viewers.admin, { kind: 'person', id: reviewer.userId })).rejects.toMatchObject({
      code: 'not-found',
    })
    expect((await db.select().from(erasures).where(eq(erasures.workspaceId, admin.workspaceId))).length).toBe(0)
  })
})

describe('erasing a document', () => {
  it('leaves no word of it in any table, file or log line, and withdraws what was answered from it', async () => {
    const { db } = test.current()
    const workspace = await createTestWorkspace(test.current())
    const { workspaceId, collectionId, viewers } = workspace
    const { admin, member } = viewers
    await storeGatewaySettings(db, workspaceId, 0, gatewaySettingsSchema.parse({ graph: { extract: 'patterns' } }))

    const [name, fact, heading, tag, summary, author, scanned, thing, uri, kept, near] = Array.from(
      { length: 11 },
      plant,
    )
    const words = [name, fact, heading, tag, summary, author, scanned, thing, uri, kept, near].map(String)
    const named = String(thing).replace('z', 'Z')
    const text = `# Rotation ${heading}\n\nSigning keys called ${fact} are rotated every 90 days. Maria ${named} Keller leads Acme Corporation. Maria ${named} Keller wrote the rule for Acme Corporation.\n`
    const document = await upload(workspace, `${name}.md`, text)
    const stays = await upload(
      workspace,
      'laptops.md',
      '# Laptops\n\nA lost laptop is reported to Acme Corporation within four hours.\n',
    )
    for (const { versionId } of [document, stays]) await extractGraph(versionId, never)
    const [version] = await db.select().from(documentVersions).where(eq(documentVersions.id, document.versionId))
    const contentHash = version?.contentHash ?? ''
    await setTags(admin, document.id, [String(tag)])
    await db
      .update(documentVersions)
      .set({ summary, author, tags: [String(summary)] })
      .where(eq(documentVersions.id, document.versionId))
    await db
      .insert(recognisedPages)
      .values({ workspaceId, contentHash, page: 1, words: [[String(scanned), 0, 0, 1, 1, 0]], confidence: 1 })
    const [chunk] = await db.select().from(chunks).where(eq(chunks.documentId, document.id))
    await db
      .insert(passageReleases)
      .values({ workspaceId, contentHash: chunk?.contentHash ?? '', releasedBy: admin.userId })
    const sourceId = newId()
    await db
      .insert(sources)
      .values({ id: sourceId, workspaceId, collectionId, kind: 'folder', name: 'Folder', config: {} })
    await db.insert(sourceItems).values({ sourceId, uri: String(uri), documentId: document.id, seenAttempt: 1 })
    await db.insert(goldenQuestions).values({
      id: newId(),
      workspaceId,
      question: 'Which keys?',
      expected: [{ documentId: document.id, quote: String(fact) }],
    })
    await db
      .insert(taskResults)
      .values({ workspaceId, task: 'describe', inputHash: newId(), output: { text: summary } })

    const { chatId } = await ask(member, 'How often are signing keys rotated?')
    const cited = await db.select().from(citations).where(eq(citations.documentId, document.id))
    expect(cited.some(({ quote }) => quote.includes(String(fact)))).toBe(true)
    const untouched = await ask(member, 'When is a lost laptop reported?')
    // One that has it among what was near, and one that broke off before it could be said what it rests on.
    const [answer] = await db.select().from(messages).where(sql`chat_id = ${untouched.chatId} and role = 'assistant'`)
    const nearest = [
      {
        documentId: document.id,
        versionId: document.versionId,
        title: String(near),
        page: null,
        charStart: 0,
        charEnd: 1,
      },
    ]
    await db
      .update(messages)
      .set({ metadata: { ...answer?.metadata, nearest } })
      .where(eq(messages.id, answer?.id ?? ''))
    const broken = newId()
    await db.insert(messages).values({
      id: broken,
      chatId: untouched.chatId,
      role: 'assistant',
      text: `Keys ${fact} [^1]`,
      status: 'interrupted',
    })
    const answerId = newId()
    await db.insert(answerCache).values({
      id: answerId,
      workspaceId,
      recipe: newId(),
      question: 'How often?',
      questionHash: newId(),
      answer: `Every 90 days, ${kept}`,
      citations: [],
      model: 'm',
      tokensIn: 1,
      tokensOut: 1,
      costMicros: 1,
      expiresAt: new Date(Date.now() + 3_600_000),
    })
    await db.insert(answerCacheSources).values({ answerId, documentId: document.id })

    const before = await tablesWith(test.current(), words)
    expect(new Set([...before.values()].flat())).toEqual(new Set(words))
    expect([...before.keys()]).toEqual(
      expect.arrayContaining(['chunks', 'postings', 'messages', 'citations', 'traces', 'entities']),
    )
    const vectorsLeft = () =>
      rows<{ n: number }>(db, sql`select count(*)::int as n from chunk_vectors where document_id = ${document.id}`)
    expect((await vectorsLeft())[0]?.n).toBeGreaterThan(0)

    const plan = await planErasure(admin, { kind: 'document', id: document.id })
    expect(plan).toMatchObject({
      label: `${name}.md`,
      refusal: null,
      counts: { documents: 1, answers: 1, 'golden questions': 1 },
    })
    const { id } = await requestErasure(admin, { kind: 'document', id: document.id }, plan.label)
    await runErasure(id, pace)

    expect(await tablesWith(test.current(), words)).toEqual(new Map())
    expect(await filesWith(words)).toEqual([])
    expect(logged.filter((line) => words.some((word) => line.includes(word)))).toEqual([])
    expect((await vectorsLeft())[0]?.n).toBe(0)
    const withdrawn = (await loadChat(member, chatId))?.messages[1]
    expect(JSON.stringify(withdrawn)).toContain('This answer was withdrawn')
    // What another document says is still known, by its name, and the other answer stands.
    const left = JSON.stringify((await loadChat(member, untouched.chatId))?.messages[1])
    expect(left).toContain('four hours')
    expect(
      await rows(db, sql`select alias from entity_aliases where workspace_id = ${workspaceId} and alias like '%acme%'`),
    ).not.toEqual([])
    const [found] = await db.select().from(documents).where(eq(documents.workspaceId, workspaceId))
    expect(found?.id).toBe(stays.id)
  })

  it('withdraws what answers that were being written say of it at their end', async () => {
    const { db } = test.current()
    const workspace = await createTestWorkspace(test.current())
    const { workspaceId, viewers } = workspace
    const word = plant()
    const { id: documentId, versionId } = await upload(workspace, 'late.txt', `A rule about ${word}.`)
    const [chatId, messageId] = [newId(), newId()]
    await db.insert(chats).values({ id: chatId, workspaceId, userId: viewers.member.userId, title: 'Late' })
    const answer = { id: messageId, chatId, role: 'assistant' as const, text: '', beatAt: new Date() }
    await db.insert(messages).values({ ...answer, status: 'streaming' })
    const { id } = await requestErasure(viewers.admin, { kind: 'document', id: documentId }, 'late.txt')
    const wait = async (): Promise<void> => {
      const ended = await db
        .update(messages)
        .set({ status: 'complete', text: `It is ${word} [^1]` })
        .where(sql`id = ${messageId} and status = 'streaming'`)
        .returning()
      if (ended.length === 0) return
      const place = { page: null, pages: null, headingPath: [], charStart: 0, charEnd: 1, rects: [] }
      const named = { title: 'late.txt', collection: 'General', mediaType: 'text/plain', quote: word, claim: word }
      await db.insert(citations).values({
        messageId,
        ordinal: 1,
        n: 1,
        documentId,
        versionId,
        chunkId: '1',
        ...named,
        ...place,
        supported: true,
      })
    }
    await runErasure(id, { wait, openAnswersMs: 10_000, afterglowMs: 0 })
    expect(await tablesWith(test.current(), [word, 'late.txt'])).toEqual(new Map())
    const [left] = await db.select().from(messages).where(eq(messages.id, messageId))
    expect(left?.text).toContain('withdrawn')
  })

  it('is refused while it or its collection is on hold', async () => {
    const workspace = await createTestWorkspace(test.current())
    const { viewers, collectionId } = workspace
    const { id } = await upload(workspace, 'held.txt', 'A contract that somebody claims under.')
    await placeHold(viewers.admin, { kind: 'collection', objectId: collectionId, reason: 'An audit' })
    const plan = await planErasure(viewers.admin, { kind: 'document', id })
    expect(plan.refusal).toContain('The collection “General” is on legal hold')
    await expect(requestErasure(viewers.admin, { kind: 'document', id }, 'held.txt')).rejects.toMatchObject({
      code: 'conflict',
    })
  })

  it('stands on a list beside the database, by ids alone, and is done again from it', async () => {
    const { db } = test.current()
    const workspace = await createTestWorkspace(test.current())
    const { workspaceId, viewers } = workspace
    const word = plant()
    const { id: documentId } = await upload(workspace, `${word}.txt`, `A rule about ${word}.`)
    // As after the restore of a backup from before: the rows are there, and nothing says that they were erased.
    const lines = [
      { id: newId(), workspaceId, kind: 'document' as const, objectId: documentId },
      { id: newId(), workspaceId, kind: 'person' as const, objectId: viewers.member.userId },
    ]
    expect(await reapplyErasures(lines)).toBeGreaterThanOrEqual(2)
    // No names: the file outlives what it speaks of.
    expect(await readErasureList()).toEqual(expect.arrayContaining(lines))
    expect(await tablesWith(test.current(), [word, viewers.member.email])).toEqual(new Map())
    expect(
      await db.select().from(collectionGrants).where(eq(collectionGrants.subjectId, viewers.member.userId)),
    ).toEqual([])
  })
})

describe('what reviews leave', () => {
  /** An answer of a person's chat with its review, which says what it is told. */
  const reviewed = async (
    { workspaceId, userId }: Viewer,
    over: Partial<typeof reviewItems.$inferInsert> & { text?: string; status?: 'held' | 'complete' },
  ) => {
    const { db } = test.current()
    const { text = '', status = 'complete', ...item } = over
    const [chatId, questionId, messageId, id] = [newId(), newId(), newId(), newId()]
    await db.insert(chats).values({ id: chatId, workspaceId, userId, title: 'A chat' })
    await db
      .insert(messages)
      .values({ id: questionId, chatId, role: 'user', text: item.question ?? '', status: 'complete' })
    await db.insert(messages).values({
      ...{ id: messageId, chatId, questionId, role: 'assistant' as const, status },
      ...{ text: status === 'held' ? '' : text, metadata: { review: { state: 'waiting', reasons: [], since: '' } } },
    })
    await db.insert(reviewItems).values({
      ...{ id, workspaceId, messageId, chatId, askerId: userId, kind: 'held', question: '', contentHash: newId() },
      ...{ content: { text, citations: [], claims: [], metadata: {}, sources: [] }, reasons: [], reason: 'confidence' },
      ...{ risk: 50, held: status === 'held', dueAt: new Date(), ...item },
    })
    return { id, messageId }
  }
  const plants = (count: number): string[] => Array.from({ length: count }, plant)

  it('of a person’s questions and words goes with them, also what others keep of it; what they decided stays', async () => {
    const { db } = test.current()
    const { workspaceId, viewers } = await createTestWorkspace(test.current())
    const [person, other] = [viewers.reviewer, viewers.member]
    const words = plants(13)
    const [asked, answer, seeded, told, draft, comment, thought, label, noted, golden, why, mail, because] = words
    const reasons = [{ kind: 'asked' as const, words: `A person was asked to answer this: “For ${because}”` }]
    await db
      .update(users)
      .set({ email: `${mail}@example.com` })
      .where(eq(users.id, person.userId))
    const question = `What of ${asked}?`
    const own = await reviewed(person, { question, reasons, text: `It is ${answer}.`, state: 'approved' })
    const kept = { workspaceId, itemId: own.id, question, createdBy: other.userId }
    const curatedId = newId()
    await db
      .insert(curatedAnswers)
      .values({ ...kept, id: curatedId, questionHash: newId(), answer: `It is ${answer}.`, citations: [] })
    await db
      .insert(correctionSources)
      .values({ correctionId: curatedId, kind: 'curated', documentId: newId(), versionId: newId() })
    await db.insert(goldenQuestions).values({ ...kept, id: newId(), answer: String(golden), expected: [] })
    const tell = (userId: string, said: string) =>
      db
        .insert(notifications)
        .values({ id: newId(), workspaceId, userId, kind: 'correction.fell', words: said, link: '/' })
    await tell(other.userId, `Your checked answer to “What of ${asked}?” is no longer given.`)
    await tell(person.userId, `Somebody hands you ${told}.`)
    const seedId = newId()
    await db.insert(reviewItems).values({
      ...{ id: seedId, workspaceId, kind: 'sampled', question, contentHash: newId(), seeded: true },
      content: {
        ...{ text: `It is not ${seeded}.`, citations: [], claims: [], metadata: {}, sources: [] },
        seed: { itemId: own.id, decidedBy: null, flaw: 'negation', words: 'A “not” too many.' },
      },
      ...{ reasons, reason: 'asked', risk: 10, held: false, dueAt: new Date() },
    })
    const theirs = await reviewed(other, {
      ...{ question: 'And?', text: `Withdrawn.\n\n${why}`, state: 'rejected', decidedBy: person.userId },
      content: { text: 'An answer.', citations: [], claims: [], metadata: {}, sources: [] },
      decision: { act: 'reject', contentHash: '', reason: 'wrong', note: String(why) },
    })
    await db
      .update(messages)
      .set({
        metadata: {
          withheld: ['Withdrawn.', String(why)],
          review: { state: 'rejected', reasons: [], since: '', note: String(why) },
        },
      })
      .where(eq(messages.id, theirs.messageId))
    await db.insert(reviewDrafts).values({ itemId: theirs.id, userId: person.userId, text: String(draft) })
    await db
      .insert(reviewComments)
      .values({ id: newId(), workspaceId, itemId: theirs.id, authorId: person.userId, text: String(comment) })
    const said = { workspaceId, messageId: theirs.messageId }
    await db
      .insert(feedback)
      .values({ ...said, id: newId(), userId: person.userId, value: -1, comment: String(thought) })
    await db.insert(labelItems).values({ ...said, rubricVersion: 1 })
    const scores = { correct: 2, grounded: 2, relevant: 2, tone: 2 }
    await db.insert(labels).values({ ...said, raterId: person.userId, scores, note: String(label) })
    const documentId = newId()
    await db.insert(documents).values({
      ...{ id: documentId, workspaceId, name: 'a.txt', mediaType: 'text/plain', latestVersionId: newId() },
      collectionId: (await db.select().from(collections).where(eq(collections.workspaceId, workspaceId)))[0]?.id ?? '',
    })
    await db.insert(documentNotes).values({
      id: newId(),
      workspaceId,
      documentId,
      versionId: newId(),
      text: String(noted),
      createdBy: person.userId,
    })

    expect(new Set([...(await tablesWith(test.current(), words)).values()].flat())).toEqual(new Set(words))
    const { id } = await requestErasure(viewers.admin, { kind: 'person', id: person.userId }, `${mail}@example.com`)
    await runErasure(id, pace)
    expect(await tablesWith(test.current(), words)).toEqual(new Map())
    expect(await db.select().from(correctionSources).where(eq(correctionSources.correctionId, curatedId))).toEqual([])
    const [decided] = await db.select().from(reviewItems).where(eq(reviewItems.id, theirs.id))
    expect(decided).toMatchObject({ state: 'rejected', decidedBy: person.userId, decision: { reason: 'wrong' } })
    // That they asked a person stays, without what they said to them.
    for (const emptied of [own.id, seedId])
      expect(await db.select().from(reviewItems).where(eq(reviewItems.id, emptied))).toMatchObject([
        { question: '', reasons: [{ kind: 'asked', words: '' }] },
      ])
    const [left] = await db.select().from(messages).where(eq(messages.id, theirs.messageId))
    expect(left).toMatchObject({ text: 'Withdrawn.', metadata: { withheld: ['Withdrawn.'] } })
  })

  it('of a document goes with it: held text that nobody can approve any more, checked answers, cases, notes', async () => {
    const { db } = test.current()
    const workspace = await createTestWorkspace(test.current())
    const { workspaceId, viewers } = workspace
    const { member, reviewer, admin } = viewers
    const words = plants(11)
    const [name, fact, held, quoted, golden, told, draft, comment, noted, thumb, shown] = words
    const { id: documentId, versionId } = await upload(workspace, `${name}.txt`, `Keys are rotated, says ${fact}.`)
    const content = {
      text: `It is ${held}.`,
      citations: [],
      claims: [],
      metadata: {},
      sources: [{ documentId, versionId }],
    }
    const item = await reviewed(member, { question: 'How?', content, status: 'held', text: `It is ${held}.` })
    const reasons = [{ kind: 'feedback' as const, words: `Thumb down: “It says ${thumb}.”.` }]
    const disliked = await reviewed(member, { question: 'Is it?', content, reasons, kind: 'feedback', text: 'It is.' })
    await db
      .update(messages)
      .set({ metadata: { review: { state: 'approved', reasons: [`Thumb down: “It says ${shown}.”.`], since: '' } } })
      .where(eq(messages.id, disliked.messageId))
    await db.insert(reviewDrafts).values({ itemId: item.id, userId: reviewer.userId, text: String(draft) })
    await db
      .insert(reviewComments)
      .values({ id: newId(), workspaceId, itemId: item.id, authorId: reviewer.userId, text: String(comment) })
    const [curatedId, goldenId] = [newId(), newId()]
    await db.insert(curatedAnswers).values({
      ...{ id: curatedId, workspaceId, question: 'How?', questionHash: newId(), answer: String(quoted), citations: [] },
      ...{ createdBy: reviewer.userId, fellAt: new Date(), fellBecause: `“${name}.txt” has changed.` },
    })
    await db
      .insert(goldenQuestions)
      .values({ id: goldenId, workspaceId, question: 'And how?', answer: String(golden), expected: [] })
    const rests = { documentId, versionId }
    await db.insert(correctionSources).values([
      { ...rests, correctionId: curatedId, kind: 'curated' },
      { ...rests, correctionId: goldenId, kind: 'golden' },
    ])
    await db.insert(notifications).values({
      ...{ id: newId(), workspaceId, userId: reviewer.userId, kind: 'correction.fell', link: '/review/corrections' },
      words: `${told}: “${name}.txt” has changed.`,
    })
    await db
      .insert(documentNotes)
      .values({ ...rests, id: newId(), workspaceId, text: String(noted), createdBy: reviewer.userId })

    expect(new Set([...(await tablesWith(test.current(), words)).values()].flat())).toEqual(new Set(words))
    const plan = await planErasure(admin, { kind: 'document', id: documentId })
    expect(plan.counts).toMatchObject({ 'checked answers': 1, notes: 1 })
    const { id } = await requestErasure(admin, { kind: 'document', id: documentId }, plan.label)
    await runErasure(id, pace)
    expect(await tablesWith(test.current(), words)).toEqual(new Map())
    const [emptied] = await db.select().from(reviewItems).where(eq(reviewItems.id, item.id))
    expect(emptied).toMatchObject({ state: 'withdrawn', question: 'How?', content: { text: '', sources: [] } })
    const [thumbed] = await db.select().from(reviewItems).where(eq(reviewItems.id, disliked.id))
    expect(thumbed?.reasons).toEqual([{ kind: 'feedback', words: '' }])
    const [message] = await db.select().from(messages).where(eq(messages.id, item.messageId))
    expect(message).toMatchObject({ status: 'complete', text: expect.stringContaining('was erased') })
    expect(message?.metadata.review).toBeUndefined()
    expect(await db.select().from(notifications).where(eq(notifications.workspaceId, workspaceId))).toEqual([])
  })
})
