import { z } from 'zod'
import { route } from '#lib/auth/index.ts'
import { claimReview, releaseClaim, renewClaim } from '#lib/review/index.ts'

const door = { permission: 'review.decide', limit: 'write', params: z.strictObject({ itemId: z.uuid() }) } as const

/** Takes the item up, or over from who has it. */
export const PUT = route(
  { ...door, body: z.strictObject({ takeOver: z.boolean().default(false) }), repetition: 'own' },
  async ({ viewer, params, body }) => ({
    ...(await claimReview(viewer, params.itemId, body)),
    now: new Date().toISOString(),
  }),
)

/** Keeps it while one works. */
export const POST = route({ ...door, repetition: 'own' }, async ({ viewer, params }) => ({
  ...(await renewClaim(viewer, params.itemId)),
  now: new Date().toISOString(),
}))

/** Lets go of it. */
export const DELETE = route({ ...door, repetition: 'own' }, async ({ viewer, params }) => {
  await releaseClaim(viewer, params.itemId)
  return new Response(null, { status: 204 })
})
