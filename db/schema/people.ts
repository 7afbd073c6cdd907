import { index, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { Role } from '#lib/shared/viewer.ts'

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
  createdAt: moment('created_at').notNull().defaultNow(),
})

export const memberships = pgTable(
  'memberships',
  {
    workspaceId: ofWorkspace(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text().$type<Role>().notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.userId] }), index('memberships_user').on(table.userId)],
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
    createdAt: moment('created_at').notNull().defaultNow(),
    expiresAt: moment('expires_at').notNull(),
    /** Null while the session is good. */
    revokedAt: moment('revoked_at'),
  },
  (table) => [index('sessions_user').on(table.userId)],
)
