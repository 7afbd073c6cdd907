/** How an item stands, in words, and whether this person may act on it. */
import type { Executor } from '#db/client.ts'
import { getItemState, type ItemState, type SourceState } from '#db/queries/reviews.ts'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { shutReviewWords } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

const clock = (at: Date | null): string => (at ? `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC` : 'some time')

export const conflict = (message: string): AppError => new AppError('conflict', { message })
export const refusal = (message: string): AppError => new AppError('bad-request', { message })

/** Who decided on it and when, or why there is nothing to decide any more; null while it is open. */
export const endWords = ({ item, decidedBy }: ItemState): string | null => {
  const at = clock(item.decidedAt)
  switch (item.state) {
    case 'open':
      return null
    case 'expired':
      return `Nobody decided in time, and the asker was told so at ${at}.`
    case 'withdrawn':
      // Of a deleted one nothing is left; what a thumb brought here may go with the thumb.
      return item.kind === 'feedback' && item.question
        ? `There is nothing left to decide: the thumb down was taken back at ${at}.`
        : `There is nothing left to decide: the answer was deleted or asked for again at ${at}.`
    default: {
      const did = { approved: 'approved', edited: 'edited', rejected: 'rejected' }[item.state]
      return `${decidedBy ?? 'Somebody who has left'} ${did} this at ${at}.`
    }
  }
}

/** Who else has it and until when; null: nobody. */
export const holderWords = ({ item, holder, claimed }: ItemState, { userId }: Viewer): string | null =>
  claimed && item.claimedBy !== userId
    ? `${holder ?? 'Somebody'} is working on this until ${clock(item.leaseUntil)}.`
    : null

export const refuseOwn = ({ item }: ItemState, { userId }: Viewer): void => {
  if (item.askerId === userId) throw new AppError('forbidden', { message: shutReviewWords.own })
}

/** An item that the viewer may review. Throws `not-found`, and `forbidden` for an answer to their own question. */
export const reviewableItem = async (db: Executor, viewer: Viewer, itemId: string): Promise<ItemState> => {
  const state = await getItemState(db, viewer, itemId)
  if (!state) throw new AppError('not-found')
  refuseOwn(state, viewer)
  return state
}

/** The same, still to be decided. Throws `conflict` in words when it is not. */
export const openItem = async (db: Executor, viewer: Viewer, itemId: string): Promise<ItemState> => {
  const state = await reviewableItem(db, viewer, itemId)
  const ended = endWords(state)
  if (ended) throw conflict(ended)
  return state
}

/** Which sources stand against showing an answer, in words; a known error is shown to nobody who asked. */
export const closedSources = (
  states: readonly SourceState[],
  { citations, seeded }: { citations: readonly Pick<Citation, 'documentId' | 'title'>[]; seeded: boolean },
): { documentId: string; words: string }[] =>
  states.flatMap(({ documentId, name, there, openToReviewer, openToAsker }) => {
    if (openToReviewer && (seeded || openToAsker)) return []
    const title = name ?? citations.find((one) => one.documentId === documentId)?.title
    const why = there ? (openToReviewer ? 'is closed to who asked' : 'is closed to you') : 'was deleted'
    return [{ documentId, words: `${title ? `“${title}”` : 'A document that it draws from'} ${why}.` }]
  })
