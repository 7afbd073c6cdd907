'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import { sourceInputSchema } from '#lib/shared/sources-contract.ts'
import {
  deleteSource as deleteStored,
  pauseSource as pauseStored,
  runSourceNow,
  saveSource as saveStored,
} from '#lib/sources.ts'

const one = z.strictObject({ id: z.uuid() })

export const saveSource = action(sourceInputSchema, 'document.manage', (input, viewer) => saveStored(viewer, input))

/** `deletionsMax`: how many documents the person has agreed to delete, as the page said it. */
export const runSource = action(
  one.extend({ deletionsMax: z.int32().min(0).optional() }),
  'document.manage',
  async ({ id, deletionsMax }, viewer) => {
    await runSourceNow(viewer, id, deletionsMax)
    return null
  },
)

export const pauseSource = action(one, 'document.manage', async ({ id }, viewer) => {
  await pauseStored(viewer, id)
  return null
})

export const deleteSource = action(
  one.extend({ documents: z.enum(['keep', 'delete']) }),
  'document.manage',
  async ({ id, documents }, viewer) => {
    await deleteStored(viewer, id, documents)
    return null
  },
)
