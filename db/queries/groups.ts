/** Groups of people; grants to a group are grants to each of its members. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Role, Viewer } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { collectionGrants, groupMembers, groups, memberships } from '../schema/index.ts'

type InWorkspace = Pick<Viewer, 'workspaceId'>
export type GroupFields = { name: string; claim: string | null; claimRole: Role | null }

const own = ({ workspaceId }: InWorkspace, id: string) => and(eq(groups.id, id), eq(groups.workspaceId, workspaceId))

/** Null when the name is taken. */
export const insertGroup = async (
  tx: Tx,
  { workspaceId }: InWorkspace,
  group: GroupFields & { id: string },
): Promise<string | null> => {
  const [made] = await tx
    .insert(groups)
    .values({ ...group, workspaceId })
    .onConflictDoNothing()
    .returning({ id: groups.id })
  return made?.id ?? null
}

/** A group, locked until the transaction ends. */
export const lockGroup = async (tx: Tx, viewer: InWorkspace, id: string): Promise<GroupFields | undefined> => {
  const [group] = await tx
    .select({ name: groups.name, claim: groups.claim, claimRole: groups.claimRole })
    .from(groups)
    .where(own(viewer, id))
    .for('update')
  return group
}

/** Whether another group has the name. */
export const isGroupNameTaken = async (
  db: Executor,
  { workspaceId }: InWorkspace,
  name: string,
  exceptId: string,
): Promise<boolean> => {
  const [other] = await db
    .select({ id: groups.id })
    .from(groups)
    .where(and(eq(groups.workspaceId, workspaceId), eq(groups.name, name), sql`${groups.id} <> ${exceptId}`))
  return other !== undefined
}

export const updateGroup = async (tx: Tx, viewer: InWorkspace, id: string, group: GroupFields): Promise<void> => {
  await tx.update(groups).set(group).where(own(viewer, id))
}

/** Deletes a group with what it was granted. Returns how many were in it. */
export const deleteGroup = async (tx: Tx, viewer: InWorkspace, id: string): Promise<{ members: number }> => {
  const members = await tx
    .delete(groupMembers)
    .where(eq(groupMembers.groupId, id))
    .returning({ userId: groupMembers.userId })
  await tx
    .delete(collectionGrants)
    .where(
      and(
        eq(collectionGrants.workspaceId, viewer.workspaceId),
        eq(collectionGrants.subject, 'group'),
        eq(collectionGrants.subjectId, id),
      ),
    )
  await tx.delete(groups).where(own(viewer, id))
  return { members: members.length }
}

/** Puts members of the workspace into a group; others are left out. Returns who was not in it before. */
export const insertGroupMembers = async (
  tx: Tx,
  { workspaceId }: InWorkspace,
  groupId: string,
  userIds: readonly string[],
): Promise<string[]> => {
  const members = await tx
    .select({ userId: memberships.userId })
    .from(memberships)
    .where(and(eq(memberships.workspaceId, workspaceId), inArray(memberships.userId, [...userIds])))
  if (members.length === 0) return []
  const added = await tx
    .insert(groupMembers)
    .values(members.map(({ userId }) => ({ groupId, userId, via: 'hand' as const })))
    .onConflictDoNothing()
    .returning({ userId: groupMembers.userId })
  return added.map(({ userId }) => userId)
}

export const deleteGroupMember = async (tx: Tx, groupId: string, userId: string): Promise<boolean> => {
  const gone = await tx
    .delete(groupMembers)
    .where(and(eq(groupMembers.groupId, groupId), eq(groupMembers.userId, userId)))
    .returning({ userId: groupMembers.userId })
  return gone.length > 0
}

/** Which of these ids are groups of the workspace. */
export const listGroupIds = async (
  db: Executor,
  { workspaceId }: InWorkspace,
  ids: readonly string[],
): Promise<Set<string>> => {
  if (ids.length === 0) return new Set()
  const there = await db
    .select({ id: groups.id })
    .from(groups)
    .where(and(eq(groups.workspaceId, workspaceId), inArray(groups.id, [...ids])))
  return new Set(there.map(({ id }) => id))
}
