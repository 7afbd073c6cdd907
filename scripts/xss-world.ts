/**
 * A workspace with markup in every field that a person or a document can fill: `node scripts/xss-world.ts` fills the empty data
 * directory of the settings with the payloads of e2e/xss-payloads.ts and prints who signs in and where to look.
 */
import { createHash } from 'node:crypto'
import type { Database } from '#db/client.ts'
import {
  auditLog,
  chats,
  citations,
  collectionGrants,
  collections,
  goldenQuestions,
  groupMembers,
  groups,
  incidentSwitches,
  invitations,
  legalHolds,
  memberships,
  messages,
  modelProviders,
  models,
  sources,
  traces,
  users,
  workspaces,
} from '#db/schema/index.ts'
import { xssPayloads } from '#e2e/xss-payloads.ts'
import { hashPassword } from '#lib/passwords.ts'
import { newId } from '#lib/shared/ids.ts'
import { closeProduct, openProduct } from './product.ts'
import { addReadyDocument, type ReadyDocument } from './ready-document.ts'

type XssWorld = {
  email: string
  password: string
  chatId: string
  documentId: string
  traceId: string
  messageId: string
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
/** What a list shows a page at a time stands on its first page: three in each row. */
const byThree: readonly string[] = Array.from({ length: 50 }, (_, at) =>
  xssPayloads.slice(at * 3, at * 3 + 3).join(' '),
)

type Maker = { workspaceId: string; userId: string }

/** A conversation in which everything is markup: questions, answers, warnings, failures and sources. */
const addChat = async (
  { db }: Database,
  { workspaceId, userId }: Maker,
  cited: ReadyDocument,
): Promise<{ chatId: string; messageId: string }> => {
  const chatId = newId()
  await db.insert(chats).values(
    [chatId, ...byThree.map(() => newId())].map((id, at) => ({
      id,
      workspaceId,
      userId,
      title: byThree[at % 50] ?? '',
    })),
  )
  const began = Date.now() - 3_600_000
  const turns = xssPayloads.map((payload, at) => ({ payload, at, questionId: newId(), answerId: newId() }))
  await db.insert(messages).values(
    turns.flatMap(({ payload, at, questionId, answerId }) => [
      {
        id: questionId,
        chatId,
        role: 'user' as const,
        text: payload,
        status: 'complete' as const,
        createdAt: new Date(began + at * 2_000),
      },
      {
        id: answerId,
        chatId,
        role: 'assistant' as const,
        // Every tenth has failed, with the markup in what it says of that.
        text: at % 10 === 9 ? '' : `${payload}\n\nSo it stands.[^1]`,
        status: at % 10 === 9 ? ('failed' as const) : ('complete' as const),
        metadata: {
          model: { id: payload, kind: 'provider' as const },
          warnings: [payload],
          degraded: payload,
          ...(at % 10 === 9 ? { error: { code: 'internal' as const, message: payload, retryable: true } } : {}),
        },
        questionId,
        createdAt: new Date(began + at * 2_000 + 1_000),
      },
    ]),
  )
  await db.insert(citations).values(
    turns.map(({ payload, answerId }) => ({
      messageId: answerId,
      ordinal: 1,
      n: 1,
      documentId: cited.documentId,
      versionId: cited.versionId,
      chunkId: '1',
      title: payload,
      said: payload,
      sourceUri: 'javascript:alert(1)',
      collection: payload,
      mediaType: 'text/plain',
      page: null,
      pages: null,
      headingPath: [payload],
      quote: payload,
      charStart: 0,
      charEnd: 10,
      rects: [],
      claim: payload,
      supported: true,
    })),
  )
  return { chatId, messageId: turns[0]?.answerId ?? '' }
}

const addTraces = async ({ db }: Database, { workspaceId, userId }: Maker): Promise<string> => {
  const traceId = newId()
  const span = (payload: string, at: number) => ({
    id: newId(),
    parentId: null,
    name: payload,
    label: payload,
    startMs: at,
    durationMs: 1,
    status: 'ok',
    costMicros: null,
    attributes: {
      [payload]: payload,
      prompt: [{ role: payload, content: payload }],
      rawOutput: payload,
      model: payload,
    },
  })
  await db.insert(traces).values(
    byThree.map((question, at) => ({
      id: at === 0 ? traceId : newId(),
      workspaceId,
      userId,
      question,
      status: 'complete',
      model: question,
      totalMs: 200,
      startedAt: new Date(Date.now() - at * 1_000),
      spans: at === 0 ? xssPayloads.map(span) : [],
    })),
  )
  return traceId
}

const addPeople = async ({ db }: Database, { workspaceId, userId }: Maker): Promise<void> => {
  const people = byThree.map((name) => ({ id: newId(), email: `${newId()}"<b>@xss.local`, name }))
  await db.insert(users).values(people)
  await db.insert(memberships).values(people.map(({ id }) => ({ workspaceId, userId: id, role: 'member' as const })))
  const made = xssPayloads.map((payload) => ({ id: newId(), workspaceId, name: payload }))
  await db.insert(groups).values(made)
  await db.insert(groupMembers).values(made.map(({ id }) => ({ groupId: id, userId })))
  await db.insert(invitations).values(
    byThree.map((payload) => ({
      id: newId(),
      workspaceId,
      email: payload,
      role: 'member' as const,
      tokenHash: sha256(payload),
      invitedBy: people[0]?.id ?? null,
      expiresAt: new Date(Date.now() + 86_400_000),
    })),
  )
}

/** What admins name and write down, and what is written down about them. */
const addRecords = async ({ db }: Database, { workspaceId, userId }: Maker, held: ReadyDocument): Promise<void> => {
  const { collectionId, documentId } = held
  await db.insert(sources).values(
    xssPayloads.map((payload) => ({
      id: newId(),
      workspaceId,
      collectionId,
      kind: 'url',
      name: payload,
      config: { url: `https://docs.example/${payload}` },
    })),
  )
  const providerIds = xssPayloads.map(() => newId())
  const off = { kind: 'compatible' as const, baseUrl: 'https://models.example/v1', enabled: false }
  await db
    .insert(modelProviders)
    .values(xssPayloads.map((payload, at) => ({ ...off, id: providerIds[at] ?? '', workspaceId, name: payload })))
  await db.insert(models).values(
    xssPayloads.map((payload, at) => ({
      id: newId(),
      workspaceId,
      providerId: providerIds[at] ?? '',
      modelId: payload,
      tier: 'fast' as const,
      enabled: false,
    })),
  )
  await db.insert(goldenQuestions).values(
    xssPayloads.map((question) => ({
      id: newId(),
      workspaceId,
      question,
      expected: [{ documentId, quote: question }],
    })),
  )
  const told = (payload: string) => ({ id: newId(), workspaceId, label: payload, reason: payload })
  await db.insert(incidentSwitches).values(
    xssPayloads.map((payload, at) => ({
      ...told(payload),
      kind: at % 2 ? ('model' as const) : ('person' as const),
      targetId: newId(),
    })),
  )
  await db
    .insert(legalHolds)
    .values(xssPayloads.map((payload) => ({ ...told(payload), kind: 'document' as const, objectId: newId() })))
  await db.insert(auditLog).values(
    byThree.map((payload) => ({
      workspaceId,
      actorId: userId,
      event: payload.slice(0, 40) as 'denied',
      objectId: payload,
      details: { [payload]: payload, reason: payload, list: [payload] },
    })),
  )
}

const makeWorld = async (opened: Database): Promise<XssWorld> => {
  const { db } = opened
  const password = `a password for ${newId()}`
  const [workspaceId, userId, email] = [newId(), newId(), 'admin@xss.local']
  const maker = { workspaceId, userId }
  await db.insert(workspaces).values({ id: workspaceId, name: byThree[0] ?? '' })
  const named = { id: userId, email, name: byThree[0] ?? '' }
  await db.insert(users).values({ ...named, passwordHash: await hashPassword(password) })
  await db.insert(memberships).values({ workspaceId, userId, role: 'admin' })
  const collectionIds = xssPayloads.map(() => newId())
  const open = { subject: 'workspace' as const, subjectId: workspaceId, level: 'manage' as const }
  await db
    .insert(collections)
    .values(xssPayloads.map((payload, at) => ({ id: collectionIds[at] ?? '', workspaceId, name: payload })))
  await db
    .insert(collectionGrants)
    .values(collectionIds.map((collectionId) => ({ ...open, id: newId(), workspaceId, collectionId })))
  const all = await addReadyDocument(opened, maker, {
    name: 'everything.txt',
    collectionId: collectionIds[0] ?? '',
    title: byThree.join(' ').slice(0, 400),
    said: byThree.join(' ').slice(0, 400),
    sourceUri: 'javascript:alert(1)',
    texts: xssPayloads,
  })
  for (const [at, payload] of xssPayloads.entries())
    await addReadyDocument(opened, maker, {
      name: payload,
      collectionId: collectionIds[at] ?? '',
      title: payload,
      texts: [payload],
    })
  const { chatId, messageId } = await addChat(opened, maker, all)
  const traceId = await addTraces(opened, maker)
  await addPeople(opened, maker)
  await addRecords(opened, maker, all)
  return { email, password, chatId, documentId: all.documentId, traceId, messageId }
}

const opened = await openProduct()
try {
  process.stdout.write(`${JSON.stringify(await makeWorld(opened))}\n`)
} finally {
  await closeProduct()
}
