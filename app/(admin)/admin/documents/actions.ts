'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import {
  deleteDocument as deleteStored,
  describeDocument as describeStored,
  retryDocument as retryStored,
  setTags,
} from '#lib/documents.ts'
import { heldPassages, releaseHeld } from '#lib/rag/index.ts'

const one = z.strictObject({ documentId: z.uuid() })

// Who may change or delete a document is said by grants, inside the statement.
export const retryDocument = action(one, 'document.read', async ({ documentId }, viewer) => {
  await retryStored(viewer, documentId)
  return null
})

export const deleteDocument = action(one, 'document.read', async ({ documentId }, viewer) => {
  await deleteStored(viewer, documentId)
  return null
})

export const describeDocument = action(one, 'document.manage', async ({ documentId }, viewer) => {
  await describeStored(viewer, documentId)
  return null
})

/** How many and how long they may be is checked where it can be refused in words. */
export const tagDocument = action(
  one.extend({ tags: z.array(z.string().max(1_000)).max(100) }),
  'document.read',
  ({ documentId, tags }, viewer) => setTags(viewer, documentId, tags),
)

/** What was held back of the document's passages, with the reasons; it only reads. */
export const listHeldPassages = action(one, 'document.manage', ({ documentId }, viewer) =>
  heldPassages(viewer, documentId),
)

export const releasePassage = action(
  one.extend({ contentHash: z.string().max(64) }),
  'document.manage',
  async (passage, viewer) => {
    await releaseHeld(viewer, passage)
    return null
  },
)
