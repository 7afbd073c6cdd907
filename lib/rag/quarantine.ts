/** What an admin reads and does about passages that were held back: each with the reason in words, and its release. */
import { database } from '#db/client.ts'
import { listHeldPassages, releasePassage } from '#db/queries/passage-releases.ts'
import { inspect } from '#lib/gateway/index.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

export type HeldForReview = {
  contentHash: string
  /** Where it stands: 1-based page, and the headings above it. */
  page: number | null
  headingPath: string[]
  text: string
  /** 0 to 1, as it was when the document was read. */
  score: number
  reasons: string[]
}

/** Held whatever it says: that is where orders are hidden. */
const hiddenReason = 'is hidden from who reads the original'

/** The document's held passages as they would have gone to a model, in its order; at most 50. */
export const heldPassages = async (viewer: Viewer, documentId: string): Promise<HeldForReview[]> => {
  const held = await listHeldPassages(database().db, viewer, documentId)
  const inspected = await inspect(
    held.map(({ headingPath, context, text }) => [headingPath.join(' > '), context, text].filter(Boolean).join('\n')),
    viewer,
  )
  return held.map(({ contentHash, page, headingPath, context, text, score, hidden }, at) => ({
    contentHash,
    page,
    headingPath,
    text: [context, text].filter(Boolean).join('\n'),
    score,
    reasons: [...(hidden ? [hiddenReason] : []), ...(inspected[at]?.signals ?? [])],
  }))
}

/**
 * Lets a passage into prompts from the next question on, in every document of the workspace that says the same, with an audit line.
 * Throws `not-found` when the document has no such held passage.
 */
export const releaseHeld = async (
  viewer: Viewer,
  passage: { documentId: string; contentHash: string },
): Promise<void> => {
  const released = await database().db.transaction((tx) => releasePassage(tx, viewer, passage))
  if (!released) throw new AppError('not-found')
}
