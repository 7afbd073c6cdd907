import { route } from '#lib/auth/index.ts'
import { decideReview } from '#lib/review/index.ts'
import { reviewDecisionSchema } from '#lib/shared/review-contract.ts'

/** A decision; its id says whether it is a repetition. A page that is being left still sends it. */
export const POST = route(
  {
    permission: 'review.decide',
    limit: 'write',
    params: reviewDecisionSchema.pick({ itemId: true }),
    body: reviewDecisionSchema.omit({ itemId: true }),
    repetition: 'own',
  },
  ({ viewer, params, body }) => decideReview(viewer, { ...body, ...params }),
)
