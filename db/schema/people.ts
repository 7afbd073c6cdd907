import { sql } from 'drizzle-orm'
import { index, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { ApiScope, Role } from '#lib/shared/viewer.ts'

const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

export const workspaces = pgTable('workspaces', {
  id: uuid().primaryKey(),
  name: text().notNull(),
  createdAt: moment('created_at').notNull().defaultNow(),
})

/** The column of what belongs to a workspace and goes with it. */
export const ofWorkspace = () =>
  uuid('workspace_id')
    .notNull()
    .references(() => workspaces.id, { onDelete: 'cascade' })

export const users = pgTable('users', {
  id: uuid().primaryKey(),
  /** Lower case; one account an address. */
  email: text().notNull().unique(),
  name: text().notNull(),
  /** argon2id in PHC string format; null: cannot sign in with a password. */
  passwordHash: text('password_hash'),
  passwordChangedAt: moment('password_changed_at'),
  /** The shared secret of time-based codes (RFC 6238), sealed; asked for at sign-in once `totpConfirmedAt` is set. */
  totpSealed: text('totp_sealed'),
  totpConfirmedAt: moment('totp_confirmed_at'),
  /** The time step of the last code that was taken: a code opens once. */
  totpLastStep: text('totp_last_step'),
  /** SHA-256 of each recovery code that is left. */
  recoveryHashes: text('recovery_hashes').array().notNull().default([]),
  createdAt: moment('created_at').notNull().defaultNow(),
  /** Set by erasure: the row stays as a pseudonym, without name, address or a way in. */
  erasedAt: moment('erased_at'),
})

/** A person as an OpenID provider knows them: issuer and subject, never the address alone. */
export const identities = pgTable(
  'identities',
  {
    issuer: text().notNull(),
    subject: text().notNull(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    lastUsedAt: moment('last_used_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.issuer, table.subject] }), index('identities_user').on(table.userId)],
)

export const memberships = pgTable(
  'memberships',
  {
    workspaceId: ofWorkspace(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text().$type<Role>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    /** While set, nothing of the person's opens anything here. */
    suspendedAt: moment('suspended_at'),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.userId] }), index('memberships_user').on(table.userId)],
)

export const groups = pgTable(
  'groups',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    name: text().notNull(),
    /** The value of the OpenID provider's group claim that stands for it; null: kept by hand. */
    claim: text(),
    /** A role that the claim gives; null: none. */
    claimRole: text('claim_role').$type<Role>(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('groups_name').on(table.workspaceId, table.name)],
)

export const groupMembers = pgTable(
  'group_members',
  {
    groupId: uuid('group_id')
      .notNull()
      .references(() => groups.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** `claim`: given and taken away with each sign-in through the provider. */
    via: text().$type<'hand' | 'claim'>().notNull().default('hand'),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.userId] }), index('group_members_user').on(table.userId)],
)

/** A way into a workspace for one address, once, until it expires. */
export const invitations = pgTable(
  'invitations',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    /** Lower case. */
    email: text().notNull(),
    role: text().$type<Role>().notNull(),
    groupIds: uuid('group_ids').array().notNull().default([]),
    /** SHA-256 of the token in the link. */
    tokenHash: text('token_hash').notNull().unique(),
    invitedBy: uuid('invited_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    acceptedAt: moment('accepted_at'),
    revokedAt: moment('revoked_at'),
    /** Why the e-mail was not sent, in words; null when it was or none was wanted. */
    mailFailure: text('mail_failure'),
  },
  (table) => [
    // One open invitation an address.
    uniqueIndex('invitations_open')
      .on(table.workspaceId, table.email)
      .where(sql`accepted_at is null and revoked_at is null`),
  ],
)

/** Links that work once: the first owner's, and those that set a new password. */
export const singleUseTokens = pgTable(
  'single_use_tokens',
  {
    /** SHA-256 of the token in the link. */
    hash: text().primaryKey(),
    purpose: text().$type<'setup' | 'password-reset'>().notNull(),
    /** Null for the setup link. */
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    usedAt: moment('used_at'),
  },
  (table) => [index('single_use_tokens_user').on(table.userId)],
)

/** Keys of programs; each acts as its owner in one workspace, within its scopes. */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid().primaryKey(),
    workspaceId: ofWorkspace(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    /** The part that may be seen: `fn_` and the first characters. */
    prefix: text().notNull(),
    /** SHA-256 of the whole key (256 random bits). */
    hash: text().notNull().unique(),
    scopes: text().array().$type<ApiScope[]>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    lastUsedAt: moment('last_used_at'),
    revokedAt: moment('revoked_at'),
  },
  (table) => [index('api_keys_user').on(table.workspaceId, table.userId)],
)

export const sessions = pgTable(
  'sessions',
  {
    /** SHA-256 of the session id in the signed cookie, so that a leaked table opens nothing. */
    idHash: text('id_hash').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    workspaceId: ofWorkspace(),
    userAgent: text('user_agent'),
    /** Where it was opened from, as far as the proxy in front can be trusted. */
    address: text(),
    lastSeenAt: moment('last_seen_at').notNull().defaultNow(),
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    /** Null while the session is good. */
    revokedAt: moment('revoked_at'),
  },
  (table) => [index('sessions_user').on(table.userId)],
)
