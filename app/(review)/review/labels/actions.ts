'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import {
  addLabelItems,
  adjudicate as adjudicateStored,
  labelProgress,
  nextToLabel,
  saveLabel as saveStored,
  saveRubric as saveStoredRubric,
} from '#lib/review/index.ts'
import { addLabelItemsSchema, adjudicateSchema, saveLabelSchema } from '#lib/shared/label-contract.ts'
import { rubricSchema } from '#lib/shared/review-contract.ts'

/** How many a rater may pass over in one sitting. */
const passedMax = 500

export const nextLabel = action(
  z.strictObject({ except: z.array(z.uuid()).max(passedMax) }),
  'review.decide',
  ({ except }, viewer) => nextToLabel(viewer, except),
)

export const saveLabel = action(saveLabelSchema, 'review.decide', async (label, viewer) => {
  await saveStored(viewer, label)
  return labelProgress(viewer)
})

export const addLabels = action(addLabelItemsSchema, 'review.decide', ({ answers }, viewer) =>
  addLabelItems(viewer, answers),
)

export const adjudicate = action(adjudicateSchema, 'review.decide', async (decided, viewer) => {
  await adjudicateStored(viewer, decided)
  return null
})

export const saveRubric = action(
  z.strictObject({ version: z.int32().min(0), rubric: rubricSchema }),
  'review.manage',
  ({ version, rubric }, viewer) => saveStoredRubric(viewer, version, rubric),
)
