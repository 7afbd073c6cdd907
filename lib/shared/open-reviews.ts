/** How many answers wait for a decision, as it is counted and as it is said. */
import { formatCount } from './format.ts'

/** Counted up to here: so many stand for that many or more. The whole backlog is among the figures. */
export const reviewTotalMax = 1_000

/** `999`, or `1,000+` where nobody counted on. */
export const openReviewsWords = (total: number): string =>
  total < reviewTotalMax ? formatCount(total) : `${formatCount(reviewTotalMax)}+`
