/** The queue's address: its filters, in words that survive being sent to somebody. */
import { z } from 'zod'
import { type ReviewFilter, reviewFilterSchema } from './review-contract.ts'

const { kind, reason, collectionId, whose, order, after } = reviewFilterSchema.shape

/** Parts that make no sense are as if they were not there. */
const lenient = z.object({
  kind: kind.catch(undefined),
  reason: reason.catch(undefined),
  collectionId: collectionId.catch(undefined),
  whose: whose.catch('all'),
  order: order.catch('due'),
  after: after.catch(undefined),
})

/** The filter that an address asks for. */
export const readReviewAddress = (query: Record<string, unknown>): ReviewFilter =>
  Object.fromEntries(Object.entries(lenient.parse(query)).filter(([, value]) => value !== undefined)) as ReviewFilter

/** `?reason=topic&whose=mine`, or nothing where nothing is narrowed; without the place in the list. */
export const reviewQuery = ({ after: _, ...filter }: ReviewFilter): string => {
  const plain = readReviewAddress({})
  const set = Object.entries(filter).flatMap(([name, value]) =>
    value && value !== plain[name as keyof ReviewFilter] ? [[name, value]] : [],
  )
  return set.length ? `?${new URLSearchParams(set)}` : ''
}
