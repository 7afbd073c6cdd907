import { route } from '#lib/auth/index.ts'
import { claimNext, loadReview } from '#lib/review/index.ts'
import { reviewFilterSchema } from '#lib/shared/review-contract.ts'

/** Takes up the next answer for who asks, and hands it over whole; nothing (204) when none waits. */
export const POST = route(
  { permission: 'review.decide', limit: 'write', body: reviewFilterSchema, repetition: 'own' },
  async ({ viewer, body }) => {
    const claim = await claimNext(viewer, body)
    if (!claim) return new Response(null, { status: 204 })
    return { item: await loadReview(viewer, claim.itemId), now: new Date().toISOString() }
  },
)
