import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { loadReview } from '#lib/review/index.ts'

/** One answer as the desk shows it, and the time by this clock: claims and deadlines are told by it. */
export const GET = route(
  { permission: 'review.decide', limit: 'read', params: z.strictObject({ itemId: z.uuid() }) },
  async ({ viewer, params }) => ({ item: await loadReview(viewer, params.itemId), now: new Date().toISOString() }),
)
