/** What a provider's group claim gives: groups, a place in their workspaces, a role there. Pure. */
import { isAtLeast, type Role } from '#lib/shared/viewer.ts'

type ClaimGroup = { groupId: string; workspaceId: string; claimRole: Role | null }
type Standing = { workspaceId: string; role: Role; suspended: boolean; invited: boolean }

export type ClaimChanges = {
  join: { workspaceId: string; role: Role }[]
  leave: string[]
  roles: { workspaceId: string; from: Role; to: Role }[]
  addTo: string[]
  removeFrom: string[]
}

/** The highest role that groups give in a workspace. A claim never makes an owner: owners are made by owners. */
const given = (groups: readonly ClaimGroup[], workspaceId: string): Role | null => {
  let highest: Role | null = null
  for (const group of groups) {
    if (group.workspaceId !== workspaceId || !group.claimRole) continue
    const role = group.claimRole === 'owner' ? 'admin' : group.claimRole
    if (highest === null || isAtLeast(role, highest)) highest = role
  }
  return highest
}

/**
 * What must change so that the person stands as the provider says now (`wanted`) and no longer as it said before (`held`). A role that
 * a claim gave goes with it; one that people gave stays unless a claim gives more. Who has no group left and no invitation leaves the
 * workspace. Owners keep their place and role, and a suspension outlasts every claim.
 */
export const claimChanges = (
  wanted: readonly ClaimGroup[],
  held: readonly ClaimGroup[],
  standings: readonly Standing[],
): ClaimChanges => {
  const wantedIds = new Set(wanted.map(({ groupId }) => groupId))
  const heldIds = new Set(held.map(({ groupId }) => groupId))
  const removeFrom = held.filter(({ groupId }) => !wantedIds.has(groupId)).map(({ groupId }) => groupId)
  const addTo = wanted.filter(({ groupId }) => !heldIds.has(groupId)).map(({ groupId }) => groupId)
  const at = new Map(standings.map((standing) => [standing.workspaceId, standing]))
  const changes: ClaimChanges = { join: [], leave: [], roles: [], addTo, removeFrom }

  for (const workspaceId of new Set([...wanted, ...held].map((group) => group.workspaceId))) {
    const standing = at.get(workspaceId)
    const isWanted = wanted.some((group) => group.workspaceId === workspaceId)
    const now = given(wanted, workspaceId)
    if (!standing) {
      if (isWanted) changes.join.push({ workspaceId, role: now ?? 'member' })
      continue
    }
    if (standing.role === 'owner') continue
    if (!isWanted && !standing.invited && !standing.suspended) {
      changes.leave.push(workspaceId)
      continue
    }
    const before = given(held, workspaceId)
    const byClaim = before !== null && before === standing.role
    const to = byClaim ? (now ?? 'member') : now && isAtLeast(now, standing.role) ? now : standing.role
    if (to !== standing.role) changes.roles.push({ workspaceId, from: standing.role, to })
  }
  return changes
}
