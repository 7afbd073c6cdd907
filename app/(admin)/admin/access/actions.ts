'use server'

import { z } from 'zod'
import {
  createCollection as createStored,
  deleteCollection as deleteStored,
  findPeopleForAccess,
  grant,
  planCollectionDeletion as planDeletion,
  renameCollection as renameStored,
  revoke,
} from '#lib/access.ts'
import { action } from '#lib/auth/index.ts'
import { collectionNameSchema, grantSchema, openings } from '#lib/shared/access-contract.ts'

export const createCollection = action(
  z.strictObject({ name: collectionNameSchema, openTo: z.enum(openings) }),
  'access.manage',
  (input, viewer) => createStored(viewer, input),
)

export const renameCollection = action(
  z.strictObject({ collectionId: z.uuid(), name: collectionNameSchema }),
  'access.manage',
  async (input, viewer) => {
    await renameStored(viewer, input)
    return null
  },
)

// Who may delete a collection is said by grants too: also whoever manages it and administers nothing.
/** It only reads. */
export const planCollectionDeletion = action(
  z.strictObject({ collectionId: z.uuid() }),
  'document.read',
  ({ collectionId }, viewer) => planDeletion(viewer, collectionId),
)

export const deleteCollection = action(
  z.strictObject({ collectionId: z.uuid(), documents: z.int().min(0).max(10_000_000) }),
  'document.read',
  async (input, viewer) => {
    await deleteStored(viewer, input)
    return null
  },
)

export const giveGrant = action(grantSchema, 'access.manage', async (input, viewer) => {
  await grant(viewer, input)
  return null
})

export const takeGrant = action(z.strictObject({ grantId: z.uuid() }), 'access.manage', async ({ grantId }, viewer) => {
  await revoke(viewer, grantId)
  return null
})

export const findPeople = action(
  z.strictObject({ kind: z.literal('person'), q: z.string().max(200) }),
  'access.manage',
  async ({ q }, viewer) =>
    (await findPeopleForAccess(viewer, q)).map(({ id, name, email }) => ({ id, label: name, note: email })),
)
