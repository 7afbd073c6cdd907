import { sql } from 'drizzle-orm'
import {
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import type { MessageMetadata, MessageStatus, PageRect } from '#lib/shared/chat-contract.ts'
import { users, workspaces } from './people.ts'

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

export const chats = pgTable(
  'chats',
  {
    /** Made by the client that opens the chat. */
    id: uuid().primaryKey(),
    workspaceId: uuid('workspace_id')
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [index('chats_user').on(table.userId, table.updatedAt)],
)

export const messages = pgTable(
  'messages',
  {
    id: uuid().primaryKey(),
    chatId: uuid('chat_id')
      .notNull()
      .references(() => chats.id, { onDelete: 'cascade' }),
    role: text().$type<'user' | 'assistant'>().notNull(),
    /** A user's question, or an answer with its `[^ORDINAL]` markers as far as it has been written. */
    text: text().notNull().default(''),
    status: text().$type<MessageStatus>().notNull(),
    metadata: jsonb().$type<MessageMetadata>().notNull().default({}),
    /** The question that an answer answers; null on questions. */
    questionId: uuid('question_id'),
    /** Set when another answer to the same question replaced this one. */
    supersededAt: moment('superseded_at'),
    /** Set by Stop; the writer sees it with its next flush. */
    stopRequestedAt: moment('stop_requested_at'),
    /** Renewed by the writer; a streaming message whose beat is old has lost its writer. */
    beatAt: moment('beat_at'),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('messages_chat').on(table.chatId, table.createdAt),
    // Two tabs that send at once: one is told that an answer is being written.
    uniqueIndex('messages_one_streaming').on(table.chatId).where(sql`status = 'streaming'`),
  ],
)

/** What a generation has sent, in order, so that any reader on any replica can replay and follow it. Deleted when it ends. */
export const streamEvents = pgTable(
  'stream_events',
  {
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id, { onDelete: 'cascade' }),
    seq: integer().notNull(),
    chunks: jsonb().$type<unknown[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.messageId, table.seq] })],
)

export const citations = pgTable(
  'citations',
  {
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id, { onDelete: 'cascade' }),
    ordinal: integer().notNull(),
    n: integer().notNull(),
    /** Not references: a citation outlives its document and then says so. */
    documentId: uuid('document_id').notNull(),
    versionId: uuid('version_id').notNull(),
    chunkId: text('chunk_id').notNull(),
    title: text().notNull(),
    collection: text().notNull(),
    mediaType: text('media_type').notNull(),
    page: integer(),
    pages: integer(),
    headingPath: text('heading_path').array().notNull(),
    quote: text().notNull(),
    charStart: integer('char_start').notNull(),
    charEnd: integer('char_end').notNull(),
    rects: jsonb().$type<PageRect[]>().notNull(),
    claim: text().notNull(),
    supported: boolean().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.messageId, table.ordinal] }),
    index('citations_document').on(table.documentId),
  ],
)

export const traces = pgTable(
  'traces',
  {
    id: uuid().primaryKey(),
    workspaceId: uuid('workspace_id').notNull(),
    userId: uuid('user_id').notNull(),
    chatId: uuid('chat_id'),
    messageId: uuid('message_id'),
    /** The version of the workspace's rules it was answered under. */
    policyVersion: integer('policy_version'),
    question: text().notNull(),
    status: text().notNull(),
    model: text(),
    startedAt: moment('started_at').notNull(),
    totalMs: integer('total_ms'),
    firstTokenMs: integer('first_token_ms'),
    tokensIn: integer('tokens_in'),
    tokensOut: integer('tokens_out'),
    /** Micro-dollars; null when the price is not known. */
    costMicros: integer('cost_micros'),
    spans: jsonb().$type<unknown[]>().notNull(),
  },
  (table) => [
    index('traces_workspace').on(table.workspaceId, table.startedAt),
    uniqueIndex('traces_message').on(table.messageId),
  ],
)

/** One fixed window a limit and key; see lib/limits.ts. */
export const rateLimits = pgTable('rate_limits', {
  key: text().primaryKey(),
  points: integer().notNull(),
  resetsAt: moment('resets_at').notNull(),
})
