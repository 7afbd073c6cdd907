import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  bigserial,
  customType,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import type { IngestFailureCode, Stage } from '#lib/shared/admin-contract.ts'
import type { SourceState, SourceTally } from '#lib/shared/sources-contract.ts'
import { ofWorkspace, users, workspaces } from './people.ts'

/** A vector whose length its index knows. Written and read as `[1,2,3]`. */
const vectorOfAnyLength = customType<{ data: string }>({ dataType: () => 'vector' })

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

export const collections = pgTable(
  'collections',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    name: text().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('collections_name').on(table.workspaceId, table.name)],
)

export const documents = pgTable(
  'documents',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    collectionId: uuid('collection_id')
      .notNull()
      .references(() => collections.id),
    /** The file's name as uploaded, made safe to show; a second upload of the name in the collection is a new version. */
    name: text().notNull(),
    mediaType: text('media_type').notNull(),
    /** The version whose chunks are searched; null until the first one is ready. Publishing is the change of this one column. */
    publishedVersionId: uuid('published_version_id'),
    /** The newest version, whatever its stage. */
    latestVersionId: uuid('latest_version_id').notNull(),
    /** The document that this one was attached to. */
    parentId: uuid('parent_id').references((): AnyPgColumn => documents.id, { onDelete: 'cascade' }),
    /** Where it comes from and goes when it is gone there; null when a person uploaded it. */
    sourceId: uuid('source_id').references(() => sources.id, { onDelete: 'set null' }),
    /** Its address at the source, shown as a link when it is one. */
    sourceUri: text('source_uri'),
    /** Given by people; what was extracted stands with the version. */
    tags: text().array().notNull().default([]),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('documents_name').on(table.collectionId, table.name),
    index('documents_workspace').on(table.workspaceId),
    index('documents_parent').on(table.parentId),
    index('documents_source').on(table.sourceId),
  ],
)

/** Places that documents are fetched from again and again; `kind` names a connector. */
export const sources = pgTable(
  'sources',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    collectionId: uuid('collection_id')
      .notNull()
      .references(() => collections.id),
    kind: text().notNull(),
    name: text().notNull(),
    /** As the connector's own schema has it; holds no secret. */
    config: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Null: only when somebody asks for it. */
    everyMinutes: integer('every_minutes'),
    state: text().$type<SourceState>().notNull().default('idle'),
    progressDone: integer('progress_done').notNull().default(0),
    /** 0 while it is not known how many there are. */
    progressTotal: integer('progress_total').notNull().default(0),
    /** Counts the runs; a write of an older run changes nothing. */
    attempt: integer().notNull().default(0),
    /** In words for an admin. */
    failure: text(),
    tally: jsonb().$type<SourceTally>(),
    lastStartedAt: moment('last_started_at'),
    lastEndedAt: moment('last_ended_at'),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('sources_name').on(table.workspaceId, table.name)],
)

/** What a source was seen to hold: the way to tell added, changed and deleted apart without fetching everything. */
export const sourceItems = pgTable(
  'source_items',
  {
    sourceId: uuid('source_id')
      .notNull()
      .references(() => sources.id, { onDelete: 'cascade' }),
    uri: text().notNull(),
    documentId: uuid('document_id').references(() => documents.id, { onDelete: 'set null' }),
    /** What the connector compares: a hash, an ETag, a commit's blob id. */
    fingerprint: text(),
    /** Why it could not be fetched, in words; null when it could. */
    failure: text(),
    /** The run that saw it last. */
    seenAttempt: integer('seen_attempt').notNull(),
    seenAt: moment('seen_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.sourceId, table.uri] }),
    index('source_items_document').on(table.documentId),
  ],
)

export const documentVersions = pgTable(
  'document_versions',
  {
    id: uuid().primaryKey(),
    documentId: uuid('document_id')
      .notNull()
      .references(() => documents.id, { onDelete: 'cascade' }),
    /** 1, 2, 3 … within the document. */
    number: integer().notNull(),
    /** SHA-256 of the file's bytes, in hex. */
    contentHash: text('content_hash').notNull(),
    /** The blob's key in storage; not the version's id, so that a blob can be written before there is a row. */
    blobKey: uuid('blob_key').notNull(),
    bytes: bigint({ mode: 'number' }).notNull(),
    stage: text().$type<Stage>().notNull().default('queued'),
    progressDone: integer('progress_done').notNull().default(0),
    progressTotal: integer('progress_total').notNull().default(0),
    failureCode: text('failure_code').$type<IngestFailureCode>(),
    /** Counts the attempts to ingest; a write that carries an older attempt is refused, so a worker that wakes late changes nothing. */
    attempt: integer().notNull().default(0),
    /** The canonical extracted text; every offset in the product counts in it (UTF-16 code units). Null until parsed. */
    text: text(),
    title: text(),
    pages: integer(),
    chunks: integer(),
    chunksReused: integer('chunks_reused'),
    /** Why there is this version: a new file, or the same file read or cut anew. */
    cause: text().$type<VersionCause>().notNull().default('upload'),
    /** ISO 639-1, as `en`; null when it cannot be told. */
    language: text(),
    /** What the file says of itself. */
    author: text(),
    dated: date({ mode: 'string' }),
    /** The way it was cut, as ingestion/chunk names it; another one is a reason to index again. */
    chunker: text(),
    /** Pages that are pictures and wait to be recognised. */
    picturePages: integer('picture_pages').array(),
    /** How far things and relations were drawn from it; null when nobody asked for that. */
    graphState: text('graph_state').$type<'queued' | 'done' | 'failed'>(),
    /** What it says in short and what it is about, when somebody asked for that; made from the text, never searched. */
    summary: text(),
    tags: text().array(),
    /** Parts read while it is described; null when nobody does. */
    describedDone: integer('described_done'),
    describedTotal: integer('described_total'),
    createdAt: moment('created_at').notNull().defaultNow(),
    publishedAt: moment('published_at'),
  },
  (table) => [
    uniqueIndex('document_versions_number').on(table.documentId, table.number),
    index('document_versions_hash').on(table.contentHash),
  ],
)

export type VersionCause = 'upload' | 'reindex' | 'recognition'

/** A text run on a page: start and end in the version's text, then x, y, width, height as fractions of the page, origin top left. */
export type PageBox = [start: number, end: number, x: number, y: number, width: number, height: number]

export const documentPages = pgTable(
  'document_pages',
  {
    versionId: uuid('version_id')
      .notNull()
      .references(() => documentVersions.id, { onDelete: 'cascade' }),
    /** 1-based. */
    page: integer().notNull(),
    charStart: integer('char_start').notNull(),
    charEnd: integer('char_end').notNull(),
    boxes: jsonb().$type<PageBox[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.versionId, table.page] })],
)

export const chunks = pgTable(
  'chunks',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    workspaceId: uuid('workspace_id').notNull(),
    documentId: uuid('document_id')
      .notNull()
      .references(() => documents.id, { onDelete: 'cascade' }),
    versionId: uuid('version_id')
      .notNull()
      .references(() => documentVersions.id, { onDelete: 'cascade' }),
    ordinal: integer().notNull(),
    /** Exactly the version's text from char_start to char_end. */
    text: text().notNull(),
    charStart: integer('char_start').notNull(),
    charEnd: integer('char_end').notNull(),
    /** Headings above the chunk, outermost first; goes into both indexes before the text. */
    headingPath: text('heading_path').array().notNull(),
    /** What else the indexes need to know that is not in the text: a table's header row, for one. */
    context: text().notNull(),
    pageFrom: integer('page_from'),
    pageTo: integer('page_to'),
    tokens: integer().notNull(),
    /** SHA-256 of what is embedded; equal hashes share a vector. */
    contentHash: text('content_hash').notNull(),
    /** How much it reads like orders to a model (0 to 1), as lib/gateway/injection.ts saw it. */
    injectionScore: real('injection_score').notNull().default(0),
    /** ISO 639-1; `und` when it cannot be told. Decides how its words are stemmed. */
    language: text().notNull().default('en'),
    /** What a reader should know of it: `hidden` (not seen in the original), `recognised` (read from a picture). */
    flags: text().array().notNull().default([]),
  },
  (table) => [
    uniqueIndex('chunks_ordinal').on(table.versionId, table.ordinal),
    index('chunks_document').on(table.documentId),
    index('chunks_hash').on(table.contentHash),
  ],
)

/**
 * A passage's vector by one encoder; while another encoder's index is built a passage has two. A passage without one is found by
 * its words. Four bytes a number and not two: the embedded database has no instruction for half floats, and building the graph with
 * them took four times as long. The graph over each encoder's vectors is a partial index that `db/queries/embedding-indexes.ts` makes.
 */
export const chunkVectors = pgTable(
  'chunk_vectors',
  {
    chunkId: bigint('chunk_id', { mode: 'number' })
      .notNull()
      .references(() => chunks.id, { onDelete: 'cascade' }),
    /** Name and version of the encoder; vectors of different encoders are never compared. */
    model: text().notNull(),
    workspaceId: uuid('workspace_id').notNull(),
    documentId: uuid('document_id').notNull(),
    versionId: uuid('version_id').notNull(),
    /** Unit length. */
    embedding: vectorOfAnyLength().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.chunkId, table.model] }),
    index('chunk_vectors_version').on(table.versionId),
  ],
)

export type EmbeddingIndexState = 'building' | 'serving' | 'retired' | 'failed'

/**
 * Which encoder a workspace searches with (`serving`; none: the built-in one), and which is being prepared to take over. The swap is
 * one transaction.
 */
export const embeddingIndexes = pgTable(
  'embedding_indexes',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    /** As a person chose it: `multilingual-e5-small`, or `PROVIDER/MODEL`. */
    name: text().notNull(),
    /** The id that its vectors carry; null until the model was loaded or asked for the first time. */
    model: text(),
    dimensions: integer(),
    state: text().$type<EmbeddingIndexState>().notNull(),
    /** `fetch` counts bytes of the model's files, `embed` passages. */
    step: text().$type<'fetch' | 'embed'>().notNull().default('embed'),
    progressDone: bigint('progress_done', { mode: 'number' }).notNull().default(0),
    progressTotal: bigint('progress_total', { mode: 'number' }).notNull().default(0),
    /** In words for an admin. */
    failure: text(),
    createdAt: moment('created_at').notNull().defaultNow(),
    servedAt: moment('served_at'),
  },
  (table) => [
    uniqueIndex('embedding_indexes_serving').on(table.workspaceId).where(sql`state = 'serving'`),
    uniqueIndex('embedding_indexes_building').on(table.workspaceId).where(sql`state = 'building'`),
  ],
)

/** A word on a recognised page: its text and x, y, width, height as fractions of the page, origin top left. */
export type RecognisedWord = [text: string, x: number, y: number, width: number, height: number, line: number]

/** What text recognition read, kept by the bytes it was read from, so that no page is read twice. */
export const recognisedPages = pgTable(
  'recognised_pages',
  {
    workspaceId: ofWorkspace(),
    contentHash: text('content_hash').notNull(),
    page: integer().notNull(),
    words: jsonb().$type<RecognisedWord[]>().notNull(),
    /** 0 to 1, as the recogniser sees it. */
    confidence: real().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.contentHash, table.page] })],
)

/** Questions with what should be found for them, saved by admins. */
export const goldenQuestions = pgTable(
  'golden_questions',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    question: text().notNull(),
    /** Documents that answer it, with the words that do. */
    expected: jsonb().$type<{ documentId: string; quote: string }[]>().notNull(),
    /** What a reviewer approved as its answer; null: only what should be found is known. */
    answer: text(),
    /** The review that it came from. */
    itemId: uuid('item_id'),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** Set when a document that its answer rests on has changed, with why in words. */
    fellAt: moment('fell_at'),
    fellBecause: text('fell_because'),
  },
  (table) => [uniqueIndex('golden_questions_question').on(table.workspaceId, table.question)],
)

/** Things that documents speak of, one row a thing whatever it is called. */
export const entities = pgTable(
  'entities',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    workspaceId: ofWorkspace(),
    name: text().notNull(),
    /** `person`, `organisation`, `place`, `product`, `term`, `code` … */
    kind: text().notNull(),
  },
  (table) => [index('entities_workspace').on(table.workspaceId)],
)

/** Every name of a thing, folded; a name leads to one thing. */
export const entityAliases = pgTable(
  'entity_aliases',
  {
    workspaceId: uuid('workspace_id').notNull(),
    alias: text().notNull(),
    entityId: bigint('entity_id', { mode: 'number' })
      .notNull()
      .references(() => entities.id, { onDelete: 'cascade' }),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.alias] }),
    index('entity_aliases_entity').on(table.entityId),
  ],
)

/** Where a thing is spoken of; gone with its passage. */
export const entityMentions = pgTable(
  'entity_mentions',
  {
    entityId: bigint('entity_id', { mode: 'number' })
      .notNull()
      .references(() => entities.id, { onDelete: 'cascade' }),
    chunkId: bigint('chunk_id', { mode: 'number' })
      .notNull()
      .references(() => chunks.id, { onDelete: 'cascade' }),
    /** In the version's text. */
    charStart: integer('char_start').notNull(),
    charEnd: integer('char_end').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.entityId, table.chunkId, table.charStart] }),
    index('entity_mentions_chunk').on(table.chunkId),
  ],
)

/** That one thing stands to another in some way, and the passage that says so. */
export const entityRelations = pgTable(
  'entity_relations',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    workspaceId: uuid('workspace_id').notNull(),
    fromId: bigint('from_id', { mode: 'number' })
      .notNull()
      .references(() => entities.id, { onDelete: 'cascade' }),
    toId: bigint('to_id', { mode: 'number' })
      .notNull()
      .references(() => entities.id, { onDelete: 'cascade' }),
    /** As the text says it: `reports to`; `with` when they only stand together. */
    predicate: text().notNull(),
    chunkId: bigint('chunk_id', { mode: 'number' })
      .notNull()
      .references(() => chunks.id, { onDelete: 'cascade' }),
  },
  (table) => [
    uniqueIndex('entity_relations_once').on(table.fromId, table.toId, table.predicate, table.chunkId),
    index('entity_relations_to').on(table.toId),
    index('entity_relations_chunk').on(table.chunkId),
  ],
)

/**
 * The lexical index: one row a term and chunk. `weight` is the chunk's part of BM25, ready to be multiplied by the term's rarity,
 * so that a search adds up numbers and computes nothing else.
 */
export const postings = pgTable(
  'postings',
  {
    chunkId: bigint('chunk_id', { mode: 'number' })
      .notNull()
      .references(() => chunks.id, { onDelete: 'cascade' }),
    workspaceId: uuid('workspace_id').notNull(),
    /** A stemmed lexeme as `to_tsvector('english', …)` gives it. */
    term: text().notNull(),
    weight: real().notNull(),
  },
  (table) => [
    // Holds every column that a search reads: the table itself is not touched.
    index('postings_search').on(table.workspaceId, table.term, table.chunkId, table.weight),
    index('postings_chunk').on(table.chunkId),
  ],
)

/** How many chunks a workspace searches, for the rarity of terms. Kept by the transactions that publish and delete. */
export const lexicalStats = pgTable('lexical_stats', {
  workspaceId: uuid('workspace_id')
    .primaryKey()
    .references(() => workspaces.id, { onDelete: 'cascade' }),
  chunks: integer().notNull(),
  /** Passages by language: in which languages a question is to be understood. */
  languages: jsonb().$type<Record<string, number>>().notNull().default({}),
})
