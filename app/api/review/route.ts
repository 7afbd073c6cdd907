import { route } from '#lib/auth/index.ts'
import { listQueue } from '#lib/review/index.ts'
import { readReviewAddress } from '#lib/shared/review-address.ts'

/** A page of the queue; what the screen with the same address shows. */
export const GET = route({ permission: 'review.decide', limit: 'read' }, async ({ viewer, request }) => ({
  ...(await listQueue(viewer, readReviewAddress(Object.fromEntries(new URL(request.url).searchParams)))),
  now: new Date().toISOString(),
}))
