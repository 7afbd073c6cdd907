import { log } from '#lib/log.ts'
import { countOpen } from '#lib/review/index.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'

/** How many answers wait for this person; 0 for who decides on none. A number beside a link: without it the page is still shown. */
export const openReviews = async (viewer: Viewer): Promise<number> => {
  if (!can(viewer, 'review.decide')) return 0
  try {
    return await countOpen(viewer)
  } catch (thrown) {
    log.warn({ err: thrown }, 'open reviews not counted')
    return 0
  }
}
