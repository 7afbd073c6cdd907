/** Conversations. Every statement names the owner: a chat of another person, or another workspace, is not there. */
import { and, asc, desc, eq, gt, inArray, isNull, lt, ne, sql } from 'drizzle-orm'
import type { Citation, MessageMetadata, MessageStatus } from '#lib/shared/chat-contract.ts'
import type { Reader, Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows } from '../client.ts'
import {
  chats,
  citations,
  documentPages,
  documents,
  documentVersions,
  messages,
  type PageBox,
  streamEvents,
} from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import { insertModelCalls, type ModelCallValues } from './model-calls.ts'
import { insertReviewItem, type NewReviewItem } from './reviews.ts'

type Owner = Pick<Viewer, 'userId' | 'workspaceId'>

const ownedBy = (viewer: Owner) => and(eq(chats.userId, viewer.userId), eq(chats.workspaceId, viewer.workspaceId))

export type ChatHead = { id: string; title: string; updatedAt: Date }

/** The viewer's chat, locked until the transaction ends when `lock` is set, so that two sends follow each other. */
export const getChat = async (
  db: Executor,
  viewer: Owner,
  chatId: string,
  lock = false,
): Promise<ChatHead | undefined> => {
  const query = db
    .select({ id: chats.id, title: chats.title, updatedAt: chats.updatedAt })
    .from(chats)
    .where(and(eq(chats.id, chatId), ownedBy(viewer)))
  const [chat] = await (lock ? query.for('update') : query)
  return chat
}

/** Makes the chat unless its id is taken, by anyone; whether it is the viewer's own is for `getChat` to say. */
export const createChat = async (db: Executor, viewer: Owner, chat: { id: string; title: string }): Promise<void> => {
  await db
    .insert(chats)
    .values({ ...chat, userId: viewer.userId, workspaceId: viewer.workspaceId })
    .onConflictDoNothing()
}

export const setChatTitle = async (db: Executor, viewer: Owner, chatId: string, title: string): Promise<boolean> => {
  const changed = await db
    .update(chats)
    .set({ title })
    .where(and(eq(chats.id, chatId), ownedBy(viewer)))
    .returning({ id: chats.id })
  return changed.length > 0
}

export const touchChat = async (db: Executor, chatId: string): Promise<void> => {
  await db.update(chats).set({ updatedAt: sql`now()` }).where(eq(chats.id, chatId))
}

export const deleteChat = async (db: Executor, viewer: Owner, chatId: string): Promise<boolean> => {
  const gone = await db
    .delete(chats)
    .where(and(eq(chats.id, chatId), ownedBy(viewer)))
    .returning({ id: chats.id })
  return gone.length > 0
}

/** Newest first; with `query`, those whose title or current messages contain it, with the first message that does. */
export const listChats = async (
  db: Executor,
  viewer: Owner,
  query: string,
  limit: number,
): Promise<(ChatHead & { match: string | null })[]> => {
  const pattern = `%${query.replace(/[\\%_]/g, '\\$&')}%`
  const match = query
    ? sql<
        string | null
      >`(select m.text from messages m where m.chat_id = chats.id and m.superseded_at is null and m.text ilike ${pattern} order by m.created_at limit 1)`
    : sql<string | null>`null::text`
  return db
    .select({ id: chats.id, title: chats.title, updatedAt: chats.updatedAt, match })
    .from(chats)
    .where(and(ownedBy(viewer), query ? sql`(${chats.title} ilike ${pattern} or ${match} is not null)` : undefined))
    .orderBy(desc(chats.updatedAt))
    .limit(limit)
}

export type StoredMessage = {
  id: string
  role: 'user' | 'assistant'
  text: string
  status: MessageStatus
  metadata: MessageMetadata
  questionId: string | null
  createdAt: Date
}

const messageColumns = {
  id: messages.id,
  role: messages.role,
  text: messages.text,
  status: messages.status,
  metadata: messages.metadata,
  questionId: messages.questionId,
  createdAt: messages.createdAt,
}

/** The current messages of a chat, oldest first; replaced answers are left out. The caller has checked whose chat it is. */
export const listMessages = (db: Executor, chatId: string): Promise<StoredMessage[]> =>
  db
    .select(messageColumns)
    .from(messages)
    .where(and(eq(messages.chatId, chatId), isNull(messages.supersededAt)))
    .orderBy(asc(messages.createdAt), asc(messages.id))

export const getMessage = async (
  db: Executor,
  chatId: string,
  messageId: string,
): Promise<StoredMessage | undefined> => {
  const [message] = await db
    .select(messageColumns)
    .from(messages)
    .where(and(eq(messages.chatId, chatId), eq(messages.id, messageId)))
  return message
}

/** A message of any of the viewer's chats; a replaced answer is not there. */
export const findOwnMessage = async (
  db: Executor,
  viewer: Owner,
  messageId: string,
): Promise<StoredMessage | undefined> => {
  const [message] = await db
    .select(messageColumns)
    .from(messages)
    .innerJoin(chats, and(eq(chats.id, messages.chatId), ownedBy(viewer)))
    .where(and(eq(messages.id, messageId), isNull(messages.supersededAt)))
  return message
}

/** Those of the messages that no person is about to decide on any more: decided on, replaced, or gone. */
export const listDecided = async (db: Executor, messageIds: readonly string[]): Promise<string[]> => {
  if (messageIds.length === 0) return []
  const open = await db
    .select({ id: messages.id })
    .from(messages)
    .where(
      and(
        inArray(messages.id, [...messageIds]),
        isNull(messages.supersededAt),
        sql`${messages.metadata} -> 'review' ->> 'state' in ('waiting', 'queued')`,
      ),
    )
  const waits = new Set(open.map(({ id }) => id))
  return messageIds.filter((id) => !waits.has(id))
}

export const getStreamingMessage = async (db: Executor, chatId: string): Promise<{ id: string } | undefined> => {
  const [message] = await db
    .select({ id: messages.id })
    .from(messages)
    .where(and(eq(messages.chatId, chatId), eq(messages.status, 'streaming')))
  return message
}

/** Adds a question; false when a message of that id is already there. */
export const insertQuestion = async (
  db: Executor,
  question: { id: string; chatId: string; text: string },
): Promise<boolean> => {
  const made = await db
    .insert(messages)
    .values({ ...question, role: 'user', status: 'complete' })
    .onConflictDoNothing()
    .returning({ id: messages.id })
  return made.length > 0
}

/** Opens an answer; false when the chat has one that is still being written. */
export const insertAnswer = async (
  db: Executor,
  answer: { id: string; chatId: string; questionId: string },
): Promise<boolean> => {
  const made = await db
    .insert(messages)
    .values({
      ...answer,
      role: 'assistant',
      status: 'streaming',
      beatAt: sql`now()`,
      createdAt: sql`clock_timestamp()`,
    })
    .onConflictDoNothing()
    .returning({ id: messages.id })
  return made.length > 0
}

export const supersedeAnswers = async (db: Executor, chatId: string, questionId: string): Promise<void> => {
  await db
    .update(messages)
    .set({ supersededAt: sql`now()` })
    .where(
      and(
        eq(messages.chatId, chatId),
        eq(messages.questionId, questionId),
        ne(messages.status, 'streaming'),
        isNull(messages.supersededAt),
      ),
    )
}

export type Flush = {
  messageId: string
  seq: number
  chunks: unknown[]
  /** Says that the writer lives: costs a new version of the row, so not each time. */
  beat: boolean
}

/**
 * Keeps what several answers have said since the last time, all or none of it, and says for each whether somebody asked to stop. An
 * answer that is not in the result is gone or no longer streaming.
 */
export const flushAnswers = async (
  db: Executor,
  flushes: readonly Flush[],
): Promise<Map<string, { stopRequested: boolean }>> => {
  const open = await rows<{ messageId: string; stopRequested: boolean }>(
    db,
    sql`with flushed as (
        select "messageId" as id, seq, chunks, beat
        from jsonb_to_recordset(${JSON.stringify(flushes)}::text::jsonb)
          as f("messageId" uuid, seq int, chunks jsonb, beat boolean)
      ),
      open as (
        select m.id, m.stop_requested_at is not null as stop_requested
        from messages m join flushed using (id) where m.status = 'streaming'
      ),
      -- In the order of their ids, so that two writers of several answers never wait for each other in a circle.
      locked as materialized (
        select m.id from messages m join flushed using (id)
        where flushed.beat and m.status = 'streaming' order by m.id for update of m
      ),
      beaten as (update messages m set beat_at = now() from locked where m.id = locked.id),
      kept as (
        insert into stream_events (message_id, seq, chunks)
        select id, seq, chunks from flushed join open using (id) where jsonb_array_length(chunks) > 0
      )
      select id as "messageId", stop_requested as "stopRequested" from open`,
  )
  return new Map(open.map(({ messageId, stopRequested }) => [messageId, { stopRequested }]))
}

export type FinishedAnswer = {
  messageId: string
  text: string
  status: MessageStatus
  metadata: MessageMetadata
  citations: Citation[]
  seq: number
  chunks: unknown[]
  /** What was paid for it; stored even when the answer had already ended, since it was paid. */
  calls: readonly ModelCallValues[]
  /** A person is to look at it. */
  review?: NewReviewItem
}

/** Ends an answer: text, state, citations, cost and last events in one transaction. False when it had already ended. */
export const finishAnswer = async (db: Executor, answer: FinishedAnswer): Promise<boolean> =>
  db.transaction(async (tx) => {
    await insertModelCalls(tx, answer.calls)
    const ended = await tx
      .update(messages)
      .set({ text: answer.text, status: answer.status, metadata: answer.metadata })
      .where(and(eq(messages.id, answer.messageId), eq(messages.status, 'streaming')))
      .returning({ id: messages.id })
    if (ended.length === 0) return false
    if (answer.citations.length > 0)
      await tx.insert(citations).values(
        answer.citations.map(({ removed: _, closed: __, ...citation }) => ({
          messageId: answer.messageId,
          ...citation,
        })),
      )
    if (answer.chunks.length > 0)
      await tx.insert(streamEvents).values({ messageId: answer.messageId, seq: answer.seq, chunks: answer.chunks })
    if (answer.review) await insertReviewItem(tx, answer.review)
    return true
  })

/** Asks the writer of the viewer's streaming answer to stop; returns its id, or undefined when nothing is being written. */
export const requestStop = async (db: Executor, viewer: Owner, chatId: string): Promise<string | undefined> => {
  const own = db
    .select({ id: chats.id })
    .from(chats)
    .where(and(eq(chats.id, chatId), ownedBy(viewer)))
  const [asked] = await db
    .update(messages)
    .set({ stopRequestedAt: sql`now()` })
    .where(and(inArray(messages.chatId, own), eq(messages.status, 'streaming')))
    .returning({ id: messages.id })
  return asked?.id
}

/** What a streaming answer sent after `afterSeq`, and whether more may come. */
export const listStreamEvents = async (
  db: Executor,
  messageId: string,
  afterSeq: number,
): Promise<{ status: MessageStatus | undefined; events: { seq: number; chunks: unknown[] }[] }> => {
  // The state first: what is read after it can only be newer, so an ended state means all events are there.
  const [message] = await db.select({ status: messages.status }).from(messages).where(eq(messages.id, messageId))
  const events = await db
    .select({ seq: streamEvents.seq, chunks: streamEvents.chunks })
    .from(streamEvents)
    .where(and(eq(streamEvents.messageId, messageId), gt(streamEvents.seq, afterSeq)))
    .orderBy(asc(streamEvents.seq))
  return { status: message?.status, events }
}

/** What the events of a message's stream say, from where it last began anew. */
const streamedText = sql<string>`(
  with parts as (
    select event.seq::bigint * 1000000 + part.place as place, part.chunk
    from stream_events event cross join jsonb_array_elements(event.chunks) with ordinality as part(chunk, place)
    where event.message_id = ${messages.id}
  )
  select coalesce(string_agg(chunk ->> 'delta', '' order by place), '') from parts
  where chunk ->> 'type' = 'text-delta'
    and place > coalesce((select max(place) from parts where chunk ->> 'type' = 'reset-step'), 0))`

/** Ends answers whose writer has not been heard of for `silentSeconds` (0: all that stream), with what they had said. Returns their ids. */
export const interruptSilentAnswers = async (
  db: Executor,
  silentSeconds: number,
  metadata: MessageMetadata,
): Promise<string[]> => {
  const ended = await db
    .update(messages)
    .set({
      status: 'interrupted',
      text: streamedText,
      metadata: sql`${messages.metadata} || ${JSON.stringify(metadata)}::jsonb`,
    })
    .where(
      and(eq(messages.status, 'streaming'), lt(messages.beatAt, sql`now() - make_interval(secs => ${silentSeconds})`)),
    )
    .returning({ id: messages.id })
  return ended.map(({ id }) => id)
}

/** Events are for those who watch; an hour after the end nobody does. */
export const deleteOldStreamEvents = async (db: Executor): Promise<void> => {
  await db.execute(
    sql`delete from stream_events using messages where messages.id = stream_events.message_id
        and messages.status <> 'streaming' and messages.created_at < now() - interval '1 hour'`,
  )
}

/** Which of the documents the viewer may open, and which are there and closed to them; the others are gone. */
const readabilityOf = async (
  db: Executor,
  viewer: Reader,
  documentIds: readonly string[],
): Promise<Map<string, 'open' | 'closed'>> => {
  if (documentIds.length === 0) return new Map()
  const found = await db
    .select({ id: documents.id, open: sql<boolean>`(${visibleTo(viewer)})` })
    .from(documents)
    .where(and(eq(documents.workspaceId, viewer.workspaceId), inArray(documents.id, [...new Set(documentIds)])))
  return new Map(found.map(({ id, open }) => [id, open ? 'open' : 'closed']))
}

/** Citations as the viewer may see them now: the words of a document that they cannot open any more are withheld. */
export const asReadable = async (db: Executor, viewer: Reader, cited: readonly Citation[]): Promise<Citation[]> => {
  const states = await readabilityOf(
    db,
    viewer,
    cited.map(({ documentId }) => documentId),
  )
  return cited.map((citation) => {
    const state = states.get(citation.documentId)
    if (state === 'open') return { ...citation, removed: false }
    const { quote: _, rects: __, ...rest } = citation
    return {
      ...rest,
      quote: '',
      rects: [],
      removed: true,
      ...(state === 'closed' ? { closed: true, headingPath: [] } : {}),
    }
  })
}

/** Those of the named documents that the viewer may open. */
export const openDocuments = async (
  db: Executor,
  viewer: Reader,
  documentIds: readonly string[],
): Promise<Set<string>> => {
  const states = await readabilityOf(db, viewer, documentIds)
  return new Set([...states].flatMap(([id, state]) => (state === 'open' ? [id] : [])))
}

/** The citations of messages as the viewer may see them now. */
export const listCitations = async (
  db: Executor,
  viewer: Viewer,
  messageIds: readonly string[],
): Promise<Map<string, Citation[]>> => {
  const found = new Map<string, Citation[]>()
  if (messageIds.length === 0) return found
  const stored = await db
    .select()
    .from(citations)
    .where(inArray(citations.messageId, [...messageIds]))
    .orderBy(asc(citations.messageId), asc(citations.ordinal))
  const shown = await asReadable(
    db,
    viewer,
    stored.map(({ messageId: _, ...citation }) => ({ ...citation, removed: false })),
  )
  for (const [at, { messageId }] of stored.entries()) {
    const citation = shown[at]
    if (citation) found.set(messageId, [...(found.get(messageId) ?? []), citation])
  }
  return found
}

export type PageBoxes = { versionId: string; page: number; charStart: number; charEnd: number; boxes: PageBox[] }

/** Where text stands on the pages of versions the viewer may see; `pages` names the pages wanted, by version. */
export const listPageBoxes = async (
  db: Executor,
  viewer: Viewer,
  pages: readonly { versionId: string; page: number }[],
): Promise<PageBoxes[]> => {
  if (pages.length === 0) return []
  return db
    .select({
      versionId: documentPages.versionId,
      page: documentPages.page,
      charStart: documentPages.charStart,
      charEnd: documentPages.charEnd,
      boxes: documentPages.boxes,
    })
    .from(documentPages)
    .innerJoin(documentVersions, eq(documentVersions.id, documentPages.versionId))
    .innerJoin(documents, and(eq(documents.id, documentVersions.documentId), visibleTo(viewer)))
    .where(
      sql`(${documentPages.versionId}, ${documentPages.page}) in (${sql.join(
        pages.map(({ versionId, page }) => sql`(${versionId}::uuid, ${page}::int)`),
        sql`, `,
      )})`,
    )
}
