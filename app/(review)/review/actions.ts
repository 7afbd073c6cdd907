'use server'

import { z } from 'zod'
import { action } from '#lib/auth/index.ts'
import {
  askExpert as askStored,
  checkEdit as checkStored,
  commentReview,
  decideMany as decideStored,
  handOn as handOnStored,
  listReviewers as listStored,
  saveReviewDraft,
  seedReviews,
} from '#lib/review/index.ts'
import { editCharsMax, noteCharsMax, reviewBulkSchema } from '#lib/shared/review-contract.ts'

const item = z.strictObject({ itemId: z.uuid() })
const words = z.string().trim().min(1).max(noteCharsMax)
const seedsMax = 50

export const saveDraft = action(
  item.extend({ text: z.string().max(editCharsMax), note: z.string().max(noteCharsMax) }),
  'review.decide',
  ({ itemId, ...draft }, viewer) => saveReviewDraft(viewer, itemId, draft),
)

export const checkEdit = action(
  item.extend({ text: z.string().trim().min(1).max(editCharsMax) }),
  'review.decide',
  ({ itemId, text }, viewer) => checkStored(viewer, itemId, text),
)

export const comment = action(
  item.extend({ text: words, mentions: z.array(z.uuid()).max(20) }),
  'review.decide',
  ({ itemId, text, mentions }, viewer) => commentReview(viewer, itemId, text, mentions),
)

export const listReviewers = action(item, 'review.decide', ({ itemId }, viewer) => listStored(viewer, itemId))

export const handOn = action(item.extend({ userId: z.uuid() }), 'review.decide', async ({ itemId, userId }, viewer) => {
  await handOnStored(viewer, itemId, userId)
  return null
})

export const askExpert = action(
  item.extend({ userId: z.uuid(), words }),
  'review.decide',
  async ({ itemId, userId, words: asked }, viewer) => {
    await askStored(viewer, itemId, userId, asked)
    return null
  },
)

export const decideMany = action(reviewBulkSchema, 'review.decide', (bulk, viewer) => decideStored(viewer, bulk))

export const seed = action(
  z.strictObject({ count: z.int().min(1).max(seedsMax) }),
  'review.manage',
  ({ count }, viewer) => seedReviews(viewer, count),
)
