import {
  bigint,
  bigserial,
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
  vector,
} from 'drizzle-orm/pg-core'
import type { IngestFailureCode, Stage } from '#lib/shared/admin-contract.ts'
import { users, workspaces } from './people.ts'

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/** Width of every stored vector; both supported encoders have it. */
export const embeddingDimensions = 384

export const collections = pgTable(
  'collections',
  {
    id: uuid().primaryKey(),
    workspaceId: uuid('workspace_id')
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('collections_name').on(table.workspaceId, table.name)],
)

export const documents = pgTable(
  'documents',
  {
    id: uuid().primaryKey(),
    workspaceId: uuid('workspace_id')
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
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
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('documents_name').on(table.collectionId, table.name),
    index('documents_workspace').on(table.workspaceId),
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
    /**
     * Unit length; null when the encoder was not there: such a chunk is found by its words. Four bytes a number and not two: the
     * embedded database has no instruction for half floats, and building the graph with them took four times as long.
     */
    embedding: vector({ dimensions: embeddingDimensions }),
    /** Name and version of the model that made the vector; vectors of different models are never compared. */
    embeddingModel: text('embedding_model'),
  },
  (table) => [
    uniqueIndex('chunks_ordinal').on(table.versionId, table.ordinal),
    index('chunks_document').on(table.documentId),
    index('chunks_hash').on(table.contentHash),
    // m and ef_construction are pgvector's defaults; recall at 10,000 chunks was complete with them.
    index('chunks_embedding')
      .using('hnsw', table.embedding.op('vector_cosine_ops'))
      .with({ m: 16, ef_construction: 64 }),
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
})
