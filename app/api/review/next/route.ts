import { route } from '#lib/auth/index.ts'
import { claimNext, loadReview } from '#lib/review/index.ts'
import { AppError } from '#lib/shared/errors.ts'
import { reviewExceptSchema, reviewFilterSchema } from '#lib/shared/review-contract.ts'

/** Takes up the next answer for who asks, none of `?except=ID,ID`, and hands it over whole; nothing (204) when none waits. */
export const POST = route(
  { permission: 'review.decide', limit: 'write', body: reviewFilterSchema, repetition: 'own' },
  async ({ viewer, body, request }) => {
    const except = reviewExceptSchema.safeParse(new URL(request.url).searchParams.get('except') ?? '')
    if (!except.success) throw new AppError('bad-request')
    const claim = await claimNext(viewer, body, { except: except.data })
    if (!claim) return new Response(null, { status: 204 })
    return { item: await loadReview(viewer, claim.itemId), now: new Date().toISOString() }
  },
)
