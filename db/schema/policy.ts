/** Who may read what, what the rules were and are, and what was done: the records that access and audit rest on. */
import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
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
import type { GrantLevel, GrantSubject } from '#lib/shared/access-contract.ts'
import type { DraftState } from '#lib/shared/policy-contract.ts'
import type { HoldKind, SwitchKind } from '#lib/shared/records-contract.ts'
import { collections } from './knowledge.ts'
import { ofWorkspace, users } from './people.ts'

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const byPerson = (name: string) => uuid(name).references(() => users.id, { onDelete: 'set null' })

/** Without a row nobody reads a collection: no grant never means all. */
export const collectionGrants = pgTable(
  'collection_grants',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    collectionId: uuid('collection_id')
      .notNull()
      .references(() => collections.id, { onDelete: 'cascade' }),
    subject: text().$type<GrantSubject>().notNull(),
    /** A person, a group, or the workspace itself. */
    subjectId: uuid('subject_id').notNull(),
    /** Each holds what stands before it: read, contribute, manage. */
    level: text().$type<GrantLevel>().notNull(),
    createdBy: byPerson('created_by'),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('collection_grants_once').on(table.collectionId, table.subject, table.subjectId),
    index('collection_grants_subject').on(table.workspaceId, table.subjectId),
  ],
)

/** Every version that a workspace's rules have had: the change, who made it, who else agreed, and why. */
export const settingsVersions = pgTable(
  'settings_versions',
  {
    workspaceId: ofWorkspace(),
    version: integer().notNull(),
    settings: jsonb().$type<Record<string, unknown>>().notNull(),
    savedBy: byPerson('saved_by'),
    approvedBy: byPerson('approved_by'),
    /** In the words of who made the change. */
    reason: text().notNull().default(''),
    at: moment('at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.version] })],
)

/** A change of the policy that is being thought about; one open draft a person. */
export const policyDrafts = pgTable(
  'policy_drafts',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    /** The version it was made from. */
    basedOn: integer('based_on').notNull(),
    policy: jsonb().$type<Record<string, unknown>>().notNull(),
    reason: text().notNull().default(''),
    state: text().$type<DraftState>().notNull().default('open'),
    createdBy: byPerson('created_by'),
    decidedBy: byPerson('decided_by'),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow(),
    decidedAt: moment('decided_at'),
  },
  (table) => [
    index('policy_drafts_workspace').on(table.workspaceId, table.createdAt),
    uniqueIndex('policy_drafts_open').on(table.workspaceId, table.createdBy).where(sql`state in ('open', 'proposed')`),
  ],
)

/** Something turned off in an emergency; in force while `liftedAt` is null. */
export const incidentSwitches = pgTable(
  'incident_switches',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    kind: text().$type<SwitchKind>().notNull(),
    /** What is off: a provider's id, a model's key, a collection, person or document; the workspace for all generation. */
    targetId: text('target_id').notNull(),
    /** As it was called when it was switched off. */
    label: text().notNull(),
    reason: text().notNull(),
    thrownBy: byPerson('thrown_by'),
    thrownAt: moment('thrown_at').notNull().defaultNow(),
    liftedBy: byPerson('lifted_by'),
    liftedAt: moment('lifted_at'),
  },
  (table) => [
    uniqueIndex('incident_switches_on').on(table.workspaceId, table.kind, table.targetId).where(sql`lifted_at is null`),
  ],
)

/** What must be kept whatever the policy's days say. */
export const legalHolds = pgTable(
  'legal_holds',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    kind: text().$type<HoldKind>().notNull(),
    objectId: uuid('object_id').notNull(),
    label: text().notNull(),
    reason: text().notNull(),
    createdBy: byPerson('created_by'),
    createdAt: moment('created_at').notNull().defaultNow(),
    releasedAt: moment('released_at'),
  },
  (table) => [
    uniqueIndex('legal_holds_on').on(table.workspaceId, table.kind, table.objectId).where(sql`released_at is null`),
  ],
)

/** What was erased, so that a restored backup forgets it again. Holds no name. */
export const erasures = pgTable(
  'erasures',
  {
    id: uuid().primaryKey(),
    workspaceId: uuid('workspace_id').notNull(),
    kind: text().$type<'person' | 'document'>().notNull(),
    objectId: uuid('object_id').notNull(),
    requestedBy: uuid('requested_by'),
    requestedAt: moment('requested_at').notNull().defaultNow(),
    doneAt: moment('done_at'),
    /** Rows and files that went, by table. */
    report: jsonb().$type<Record<string, number>>().notNull().default({}),
  },
  (table) => [uniqueIndex('erasures_object').on(table.kind, table.objectId)],
)

/**
 * One line a change, in the transaction of the change. Nothing updates or deletes a line (a trigger refuses), and at commit each line
 * is chained to the one before it by its hash: see 0008_records.sql.
 */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    at: moment('at').notNull().defaultNow(),
    /** Null: the installation itself. */
    workspaceId: uuid('workspace_id'),
    /** Not a reference: the line outlives the person. Null: the system itself. */
    actorId: uuid('actor_id'),
    /** Noun and verb: `document.uploaded`. */
    event: text().notNull(),
    objectId: text('object_id'),
    details: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    /** SHA-256 of the object before and after the change, where there is one. */
    beforeHash: text('before_hash'),
    afterHash: text('after_hash'),
    address: text(),
    requestId: uuid('request_id'),
    /** The line's place in its workspace's chain and its hash over its content and the one before; set at commit. */
    place: bigint({ mode: 'number' }),
    hash: text(),
  },
  (table) => [
    index('audit_log_workspace').on(table.workspaceId, table.at),
    index('audit_log_object').on(table.workspaceId, table.objectId),
    index('audit_log_request').on(table.workspaceId, table.requestId),
    uniqueIndex('audit_log_place').on(table.workspaceId, table.place),
  ],
)

/** The last link of each chain: a line cut off at the end is missed too. */
export const auditHeads = pgTable('audit_heads', {
  /** The nil UUID for the installation's own chain. */
  chain: uuid().primaryKey(),
  place: bigint({ mode: 'number' }).notNull(),
  hash: text().notNull(),
})

/** What a request was answered with, so that its repetition does nothing twice. Kept for a day. */
export const idempotentResults = pgTable(
  'idempotent_results',
  {
    workspaceId: ofWorkspace(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    key: text().notNull(),
    /** SHA-256 of door and body: the same key for another request is refused. */
    requestHash: text('request_hash').notNull(),
    /** Null while the first is still at work. */
    result: jsonb().$type<{ status: number; body: unknown }>(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.key] }),
    index('idempotent_results_created').on(table.createdAt),
  ],
)
