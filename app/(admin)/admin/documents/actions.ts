'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import {
  deleteDocument as deleteStored,
  describeDocument as describeStored,
  retryDocument as retryStored,
} from '#lib/documents.ts'

const one = z.strictObject({ documentId: z.uuid() })

export const retryDocument = action(one, 'document.manage', async ({ documentId }, viewer) => {
  await retryStored(viewer, documentId)
  return null
})

export const deleteDocument = action(one, 'document.manage', async ({ documentId }, viewer) => {
  await deleteStored(viewer, documentId)
  return null
})

export const describeDocument = action(one, 'document.manage', async ({ documentId }, viewer) => {
  await describeStored(viewer, documentId)
  return null
})
