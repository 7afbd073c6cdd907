/**
 * Traces hold what went into prompts, so that an answer can be replayed. Who may see traces may not read every document: what a trace
 * says of passages that they cannot open is left out of it, and so are its prompts and what models wrote from them.
 */
import { and, eq, inArray, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Span } from '#lib/shared/admin-contract.ts'
import type { Reader as Person } from '#lib/shared/viewer.ts'
import { chats, citations, documents, messages } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import type { Reader } from './reader.ts'

const withheld = 'Left out: it holds words of documents that you may not read, or that are gone.'

/** Attributes that hold texts of passages, or what was written from them. */
const textual = ['prompt', 'rawOutput', 'received'] as const

type Named = { chunkId?: unknown; documentId?: unknown; title?: unknown }

const passagesOf = ({ attributes }: Span): Named[] =>
  Array.isArray(attributes.passages)
    ? attributes.passages.filter((one): one is Named => typeof one === 'object' && one !== null)
    : []

const isUuid = (id: unknown): id is string => z.uuid().safeParse(id).success

/** Those of the named documents that the viewer may open. */
const listOpenDocuments = async (db: Reader, viewer: Person, named: readonly Named[]): Promise<Set<unknown>> => {
  const ids = [...new Set(named.map(({ documentId }) => documentId).filter(isUuid))]
  if (ids.length === 0) return new Set()
  const found = await db
    .select({ id: documents.id })
    .from(documents)
    .where(and(inArray(documents.id, ids), visibleTo(viewer)))
  return new Set(found.map(({ id }) => id))
}

/** Whether an answer of the conversation cites what the viewer cannot open: its earlier turns are in the prompts of the later ones. */
const citesClosed = async (db: Reader, viewer: Person, chatId: string): Promise<boolean> => {
  const [found] = await db
    .select({ documentId: citations.documentId })
    .from(citations)
    .innerJoin(messages, eq(messages.id, citations.messageId))
    .innerJoin(chats, and(eq(chats.id, messages.chatId), eq(chats.workspaceId, viewer.workspaceId)))
    .leftJoin(documents, and(eq(documents.id, citations.documentId), visibleTo(viewer)))
    .where(and(eq(chats.id, chatId), sql`${documents.id} is null`))
    .limit(1)
  return found !== undefined
}

/** The spans as this person may see them. */
export const asReadableSpans = async (
  db: Reader,
  viewer: Person,
  { spans, chatId }: { spans: readonly Span[]; chatId: string | null },
): Promise<Span[]> => {
  const named = spans.flatMap(passagesOf)
  const open = await listOpenDocuments(db, viewer, named)
  // One that does not say its document is closed.
  const closed =
    named.some(({ documentId }) => !open.has(documentId)) ||
    (chatId !== null && (await citesClosed(db, viewer, chatId)))
  if (!closed) return [...spans]
  return spans.map((span) => {
    const attributes = { ...span.attributes }
    for (const name of textual) if (name in attributes) attributes[name] = withheld
    if (Array.isArray(attributes.passages))
      attributes.passages = passagesOf(span).map((one) =>
        open.has(one.documentId) ? one : { ...one, title: withheld },
      )
    return { ...span, attributes }
  })
}
