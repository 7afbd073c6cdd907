'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import {
  noteDocument as noteStored,
  resolveNote as resolveStored,
  retireCurated as retireStored,
  saveCurated as saveCuratedStored,
  saveGolden as saveGoldenStored,
} from '#lib/review/index.ts'
import { correctionSchema, documentNoteSchema } from '#lib/shared/review-contract.ts'

export const saveGolden = action(correctionSchema, 'review.decide', (input, viewer) => saveGoldenStored(viewer, input))

export const saveCurated = action(correctionSchema, 'review.decide', (input, viewer) =>
  saveCuratedStored(viewer, input),
)

export const noteDocument = action(documentNoteSchema, 'review.decide', (input, viewer) => noteStored(viewer, input))

export const retireCurated = action(z.strictObject({ id: z.uuid() }), 'review.decide', async ({ id }, viewer) => {
  await retireStored(viewer, id)
  return null
})

export const resolveNote = action(z.strictObject({ noteId: z.uuid() }), 'review.decide', async ({ noteId }, viewer) => {
  await resolveStored(viewer, noteId)
  return null
})
