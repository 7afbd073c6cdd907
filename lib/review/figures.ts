/** Figures of review: how much waits, how fast it is decided, how often answers were wrong, and whether known errors are found. */
import { database } from '#db/client.ts'
import { getReviewMetrics, getUsualDecisionMs } from '#db/reports/reviews.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { ReviewMetrics } from '#lib/shared/review-contract.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'

const dayMs = 86_400_000
const daysMax = 366
/** Fewer decisions say nothing about the next one. */
const usual = { days: 30, least: 5 }

/** Of the last `days` UTC days (1 to 366), today among them. Each reviewer's own figures are for `review.manage`. */
export const reviewMetrics = async (viewer: Viewer, days = 30, now = new Date()): Promise<ReviewMetrics> => {
  if (!can(viewer, 'review.decide')) throw new AppError('not-found')
  const to = Math.floor(now.getTime() / dayMs + 1) * dayMs
  const length = Math.min(daysMax, Math.max(1, Math.floor(days)))
  return getReviewMetrics(database().db, viewer, {
    from: new Date(to - length * dayMs),
    to: new Date(to),
    people: can(viewer, 'review.manage'),
  })
}

/** How long a held answer usually waits, in ms: the median of real decisions of the last 30 days. Null under five of them. */
export const usualDecisionMs = (workspaceId: string): Promise<number | null> =>
  getUsualDecisionMs(database().db, workspaceId, usual)
