/** Who is asking, and what they may do. Pure: the session layer makes a `Viewer`, everything below takes one. */

/** From the least to the most; each may do what those before it may. */
export const roles = ['member', 'reviewer', 'admin', 'owner'] as const
export type Role = (typeof roles)[number]

/** What a program's key may be used for. */
export const apiScopes = ['ask', 'search', 'ingest'] as const
export type ApiScope = (typeof apiScopes)[number]

export type Viewer = {
  readonly userId: string
  readonly workspaceId: string
  readonly role: Role
  readonly name: string
  readonly email: string
}

/** What access to documents is decided by; see `visibleTo`. */
export type Reader = Pick<Viewer, 'workspaceId' | 'userId'>

/** The least role that holds each permission. */
const permissionRoles = {
  'chat.use': 'member',
  'document.read': 'member',
  /** One's own name, password, sessions, keys and data. */
  'account.manage': 'member',
  /** Deciding on answers, labelling them, and correcting what came of them. */
  'review.decide': 'reviewer',
  'document.manage': 'admin',
  /** Seeded items, figures of each reviewer, the rubric, taking an item from somebody. */
  'review.manage': 'admin',
  'trace.read': 'admin',
  'cost.read': 'admin',
  'health.read': 'admin',
  'model.manage': 'admin',
  'member.manage': 'admin',
  'access.manage': 'admin',
  'policy.manage': 'admin',
  'audit.read': 'admin',
  'incident.manage': 'admin',
  'record.manage': 'admin',
  /** Making and unmaking owners, and what ends the workspace. */
  'workspace.own': 'owner',
} as const satisfies Record<string, Role>

export type Permission = keyof typeof permissionRoles

/** Whether `role` stands at or above `least`. */
export const isAtLeast = (role: Role, least: Role): boolean => roles.indexOf(role) >= roles.indexOf(least)

export const can = (viewer: Pick<Viewer, 'role'>, permission: Permission): boolean =>
  isAtLeast(viewer.role, permissionRoles[permission])

/** The address of a demo account; a demo's members are called users. */
export const demoEmail = (role: Role): string => `${role === 'member' ? 'user' : role}@demo.local`
