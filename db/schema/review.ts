/** People over answers: what waits for a decision, what was decided, what people said of answers, and what came of it. */
import { sql } from 'drizzle-orm'
import {
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
  vector,
} from 'drizzle-orm/pg-core'
import type { Citation } from '#lib/shared/chat-contract.ts'
import type {
  CorrectionKind,
  LabelScores,
  ReviewContent,
  ReviewDecision,
  ReviewKind,
  ReviewReason,
  ReviewState,
  Rubric,
} from '#lib/shared/review-contract.ts'
import { messages } from './conversation.ts'
import { documents } from './knowledge.ts'
import { ofWorkspace, users } from './people.ts'

/** Of the built-in encoder, like kept answers: see `answerCache`. */
const questionDimensions = 384

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const byPerson = (name: string) => uuid(name).references(() => users.id, { onDelete: 'set null' })

/**
 * An answer that a person is to look at. One open item a message (a unique index says so). When its message goes, a trigger ends it
 * and empties it (0009_review.sql). One that its asker waits for (`held`, `asked`) ends when the question is asked again.
 */
export const reviewItems = pgTable(
  'review_items',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    kind: text().$type<ReviewKind>().notNull(),
    /** Not a reference: the item outlives its message, emptied. Null for a seeded one, which has none. */
    messageId: uuid('message_id'),
    chatId: uuid('chat_id'),
    askerId: byPerson('asker_id'),
    traceId: uuid('trace_id'),
    question: text().notNull(),
    /** The answer as it would be shown, its citations and what was found out about it. Of a held one it stands nowhere else. */
    content: jsonb().$type<ReviewContent>().notNull(),
    /** SHA-256 over text and citations: a decision names it, and holds for nothing else. */
    contentHash: text('content_hash').notNull(),
    /** Why it is here, the weightiest first. */
    reasons: jsonb().$type<ReviewReason[]>().notNull(),
    /** The kind of the first reason: what is filtered and decided in bulk by. */
    reason: text().notNull(),
    /** 0 to 100. */
    risk: smallint().notNull(),
    /** 0 to 1; null: not known. */
    confidence: real(),
    /** All of these have to be open to who reviews it. */
    collectionIds: uuid('collection_ids').array().notNull().default([]),
    /** Nothing of it is shown before the decision. */
    held: boolean().notNull(),
    /** Known to be wrong, to see whether it is found. Never told to who reviews before the decision. */
    seeded: boolean().notNull().default(false),
    state: text().$type<ReviewState>().notNull().default('open'),
    /** The end of its SLA. */
    dueAt: moment('due_at').notNull(),
    /** When a held one is given up and the policy's fallback is shown; null for what is shown already. */
    expiresAt: moment('expires_at'),
    claimedBy: byPerson('claimed_by'),
    /** A claim is good until then, by the database's clock. */
    leaseUntil: moment('lease_until'),
    /** Whose turn it is: who it was handed on to. Null, or late: anybody's. */
    assignedTo: byPerson('assigned_to'),
    /** Set when it passed its SLA and was raised. */
    escalatedAt: moment('escalated_at'),
    policyVersion: integer('policy_version'),
    createdAt: moment('created_at').notNull().defaultNow(),
    decidedAt: moment('decided_at'),
    decidedBy: byPerson('decided_by'),
    decision: jsonb().$type<ReviewDecision>(),
  },
  (table) => [
    index('review_items_open').on(table.workspaceId, table.dueAt, table.id).where(sql`state = 'open'`),
    index('review_items_risk')
      .on(table.workspaceId, table.risk.desc().nullsFirst(), table.id)
      .where(sql`state = 'open'`),
    index('review_items_assigned').on(table.assignedTo).where(sql`state = 'open' and assigned_to is not null`),
    index('review_items_claimed').on(table.claimedBy).where(sql`state = 'open' and claimed_by is not null`),
    index('review_items_decided').on(table.workspaceId, table.decidedAt),
    index('review_items_created').on(table.workspaceId, table.createdAt),
    uniqueIndex('review_items_message').on(table.messageId).where(sql`state = 'open'`),
    index('review_items_of_message').on(table.messageId),
    // By what they were made of.
    index('review_items_seeds').on(sql`(content #>> '{seed,itemId}')`).where(sql`seeded`),
  ],
)

/** What a reviewer is writing; it survives the end of a session and of a claim. */
export const reviewDrafts = pgTable(
  'review_drafts',
  {
    itemId: uuid('item_id')
      .notNull()
      .references(() => reviewItems.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    text: text().notNull(),
    note: text().notNull().default(''),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.itemId, table.userId] })],
)

export const reviewComments = pgTable(
  'review_comments',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    itemId: uuid('item_id')
      .notNull()
      .references(() => reviewItems.id, { onDelete: 'cascade' }),
    authorId: byPerson('author_id'),
    text: text().notNull(),
    /** Who is told of it. */
    mentions: uuid().array().notNull().default([]),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [index('review_comments_item').on(table.itemId, table.createdAt)],
)

/** What one person thinks of one answer. */
export const feedback = pgTable(
  'feedback',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    traceId: uuid('trace_id'),
    /** 1 or -1. */
    value: smallint().notNull(),
    reasons: text().array().notNull().default([]),
    comment: text().notNull().default(''),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('feedback_once').on(table.messageId, table.userId),
    index('feedback_workspace').on(table.workspaceId, table.createdAt),
  ],
)

/** What raters go by; a version is never changed. */
export const rubrics = pgTable(
  'rubrics',
  {
    workspaceId: ofWorkspace(),
    version: integer().notNull(),
    rubric: jsonb().$type<Rubric>().notNull(),
    createdBy: byPerson('created_by'),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.version] })],
)

/** An answer that is to be labelled by two people who do not see each other's labels. */
export const labelItems = pgTable(
  'label_items',
  {
    messageId: uuid('message_id')
      .primaryKey()
      .references(() => messages.id, { onDelete: 'cascade' }),
    workspaceId: ofWorkspace(),
    rubricVersion: integer('rubric_version').notNull(),
    /** What two raters could not agree on, decided by a third. */
    adjudicated: jsonb().$type<LabelScores>(),
    adjudicatedBy: byPerson('adjudicated_by'),
    adjudicatedAt: moment('adjudicated_at'),
    createdBy: byPerson('created_by'),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [index('label_items_workspace').on(table.workspaceId, table.createdAt)],
)

export const labels = pgTable(
  'labels',
  {
    messageId: uuid('message_id')
      .notNull()
      .references(() => labelItems.messageId, { onDelete: 'cascade' }),
    raterId: uuid('rater_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    workspaceId: ofWorkspace(),
    scores: jsonb().$type<LabelScores>().notNull(),
    note: text().notNull().default(''),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.messageId, table.raterId] })],
)

/** Whether a passage that was found helps with the question: what live retrieval accuracy is told from. */
export const passageLabels = pgTable(
  'passage_labels',
  {
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id, { onDelete: 'cascade' }),
    chunkId: text('chunk_id').notNull(),
    raterId: uuid('rater_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    workspaceId: ofWorkspace(),
    /** Its place among what was found, from 1. */
    rank: smallint().notNull(),
    relevant: boolean().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.messageId, table.chunkId, table.raterId] }),
    index('passage_labels_workspace').on(table.workspaceId, table.createdAt),
  ],
)

/** An answer that a person has checked, given before any other to the same question. Falls with the documents it rests on. */
export const curatedAnswers = pgTable(
  'curated_answers',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    itemId: uuid('item_id'),
    question: text().notNull(),
    /** SHA-256 of the normalised question. */
    questionHash: text('question_hash').notNull(),
    embedding: vector({ dimensions: questionDimensions }),
    answer: text().notNull(),
    citations: jsonb().$type<Citation[]>().notNull(),
    createdBy: byPerson('created_by'),
    createdAt: moment('created_at').notNull().defaultNow(),
    fellAt: moment('fell_at'),
    /** Why, in words. */
    fellBecause: text('fell_because'),
  },
  (table) => [
    uniqueIndex('curated_answers_question').on(table.workspaceId, table.questionHash).where(sql`fell_at is null`),
    index('curated_answers_workspace').on(table.workspaceId, table.createdAt),
  ],
)

/** The versions that a correction rests on: when one of them is no longer what its document says, the correction falls. */
export const correctionSources = pgTable(
  'correction_sources',
  {
    /** A row of `golden_questions` or `curated_answers`. */
    correctionId: uuid('correction_id').notNull(),
    kind: text().$type<CorrectionKind>().notNull(),
    documentId: uuid('document_id').notNull(),
    versionId: uuid('version_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.correctionId, table.documentId] }),
    index('correction_sources_document').on(table.documentId),
  ],
)

/** What a reviewer tells those who keep a document. */
export const documentNotes = pgTable(
  'document_notes',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    documentId: uuid('document_id')
      .notNull()
      .references(() => documents.id, { onDelete: 'cascade' }),
    versionId: uuid('version_id').notNull(),
    itemId: uuid('item_id'),
    quote: text().notNull().default(''),
    text: text().notNull(),
    createdBy: byPerson('created_by'),
    createdAt: moment('created_at').notNull().defaultNow(),
    resolvedBy: byPerson('resolved_by'),
    resolvedAt: moment('resolved_at'),
  },
  (table) => [index('document_notes_document').on(table.documentId, table.createdAt)],
)

/** Something one person should know; shown in the product, whatever else carries it. */
export const notifications = pgTable(
  'notifications',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** `review.decided`, `review.mentioned`, `review.assigned`, `review.escalated`, `correction.fell`, `document.noted`. */
    kind: text().notNull(),
    words: text().notNull(),
    /** A path within the product. */
    link: text().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    readAt: moment('read_at'),
  },
  (table) => [index('notifications_user').on(table.userId, table.workspaceId, table.createdAt)],
)

/** How confidence is brought in line with what people decided; the newest holds. */
export const confidenceFits = pgTable(
  'confidence_fits',
  {
    workspaceId: ofWorkspace(),
    version: integer().notNull(),
    /** Of the logit: `slope * logit(confidence) + intercept`. */
    slope: real().notNull(),
    intercept: real().notNull(),
    decisions: integer().notNull(),
    /** Expected calibration error before and after, over these decisions. */
    eceBefore: real('ece_before').notNull(),
    eceAfter: real('ece_after').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.version] })],
)
