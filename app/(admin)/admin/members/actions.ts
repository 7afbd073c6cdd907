'use server'

import { z } from 'zod'
import { action, makeResetLink } from '#lib/auth/index.ts'
import {
  addToGroup as addStored,
  changeRole as changeStoredRole,
  createWorkspace as createStored,
  deleteGroup as deleteStored,
  inviteMany as inviteList,
  invite as inviteOne,
  removeFromGroup as removeStored,
  removeMember as removeStoredMember,
  restore as restoreStored,
  revokeInvitation as revokeStored,
  saveGroup as saveStored,
  suspend as suspendStored,
} from '#lib/people.ts'
import { groupSchema, inviteManySchema, inviteSchema } from '#lib/shared/people-contract.ts'
import { roles } from '#lib/shared/viewer.ts'

const person = z.strictObject({ userId: z.uuid() })
const one = z.strictObject({ id: z.uuid() })
const nothing = async (done: Promise<void>): Promise<null> => {
  await done
  return null
}

export const changeRole = action(person.extend({ role: z.enum(roles) }), 'member.manage', ({ userId, role }, viewer) =>
  nothing(changeStoredRole(viewer, userId, role)),
)

export const suspendMember = action(person, 'member.manage', ({ userId }, viewer) =>
  nothing(suspendStored(viewer, userId)),
)

export const restoreMember = action(person, 'member.manage', ({ userId }, viewer) =>
  nothing(restoreStored(viewer, userId)),
)

export const removeMember = action(person, 'member.manage', ({ userId }, viewer) =>
  nothing(removeStoredMember(viewer, userId)),
)

/** A way to a new password, to be handed over; shown once. */
export const makePasswordLink = action(person, 'member.manage', ({ userId }, viewer) => makeResetLink(viewer, userId))

export const saveGroup = action(groupSchema, 'member.manage', (input, viewer) => saveStored(viewer, input))

export const deleteGroup = action(one, 'member.manage', ({ id }, viewer) => nothing(deleteStored(viewer, id)))

export const setInGroup = action(
  person.extend({ groupId: z.uuid(), inGroup: z.boolean() }),
  'member.manage',
  ({ userId, groupId, inGroup }, viewer) =>
    nothing(inGroup ? addStored(viewer, groupId, [userId]) : removeStored(viewer, groupId, userId)),
)

export const invite = action(inviteSchema, 'member.manage', (input, viewer) => inviteOne(viewer, input))

export const inviteMany = action(inviteManySchema, 'member.manage', ({ csv, role }, viewer) =>
  inviteList(viewer, csv, role),
)

export const revokeInvitation = action(one, 'member.manage', ({ id }, viewer) => nothing(revokeStored(viewer, id)))

/** From the menu of the shell, wherever it is. */
export const createWorkspace = action(
  z.strictObject({ name: z.string().max(400) }),
  'workspace.own',
  ({ name }, viewer) => createStored(viewer, name),
)
