/** Who is asking, and what they may do. Pure: the session layer makes a `Viewer`, everything below takes one. */

export const roles = ['user', 'reviewer', 'admin'] as const
export type Role = (typeof roles)[number]

export type Viewer = {
  readonly userId: string
  readonly workspaceId: string
  readonly role: Role
  readonly name: string
  readonly email: string
}

const permissionRoles = {
  'chat.use': ['user', 'reviewer', 'admin'],
  'document.read': ['user', 'reviewer', 'admin'],
  'document.manage': ['admin'],
  'trace.read': ['admin'],
  'cost.read': ['admin'],
  'health.read': ['admin'],
  'model.manage': ['admin'],
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof permissionRoles

export const can = (viewer: Pick<Viewer, 'role'>, permission: Permission): boolean =>
  (permissionRoles[permission] as readonly Role[]).includes(viewer.role)
