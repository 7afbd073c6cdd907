/** An answer made ready for the queue: hashed, weighed, with what its reviewer needs. Pure but for its id. */
import { createHash } from 'node:crypto'
import type { NewReviewItem } from '#db/queries/reviews.ts'
import { newId } from '#lib/shared/ids.ts'
import type { ReviewPolicy } from '#lib/shared/policy-contract.ts'
import type {
  ReviewClaim,
  ReviewContent,
  ReviewKind,
  ReviewReason,
  ReviewReasonKind,
} from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Verification } from '#lib/trust/index.ts'

/** SHA-256 over what a reader would see: the text and the passages that it names. A decision holds for this and nothing else. */
export const contentHash = ({ text, citations }: Pick<ReviewContent, 'text' | 'citations'>): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        text,
        citations.map(({ ordinal, documentId, versionId, charStart, charEnd, quote }) => [
          ordinal,
          documentId,
          versionId,
          charStart,
          charEnd,
          quote,
        ]),
      ]),
    )
    .digest('hex')

/** The sentences of an answer as its reviewer sees them. */
export const claimsFrom = ({ sentences }: Pick<Verification, 'sentences'>): ReviewClaim[] =>
  sentences.map(({ citations, ...sentence }) => ({ ...sentence, ordinals: citations }))

/** How much harm each reason may stand for, 0 to 100; the queue is sorted by it. */
const weights: Record<ReviewReasonKind, number> = {
  injection: 80,
  'personal-data': 75,
  topic: 70,
  contradiction: 60,
  unchecked: 60,
  unsupported: 55,
  confidence: 50,
  feedback: 50,
  rule: 45,
  collection: 40,
  role: 35,
  asked: 30,
  sampled: 10,
}
/** Each further reason adds so much, and so does being held: somebody waits. */
const moreWeight = 5
const heldWeight = 10

export const riskOf = (reasons: readonly ReviewReason[], held: boolean): number =>
  Math.min(
    100,
    Math.max(0, ...reasons.map(({ kind }) => weights[kind])) +
      moreWeight * Math.max(0, reasons.length - 1) +
      (held ? heldWeight : 0),
  )

type Opening = {
  viewer: Pick<Viewer, 'workspaceId' | 'userId'>
  policy: Pick<ReviewPolicy, 'slaMinutes' | 'holdMinutes'>
  kind: ReviewKind
  messageId: string
  chatId: string
  traceId: string | null
  question: string
  content: ReviewContent
  reasons: readonly ReviewReason[]
  collectionIds: readonly string[]
  policyVersion: number | null
}

/** The row to insert with `insertReviewItem`, in the transaction that stores the answer. */
export const reviewOf = ({ viewer, policy, kind, reasons, ...asked }: Opening): NewReviewItem => {
  const held = kind === 'held'
  const sorted = [...reasons].sort((one, other) => weights[other.kind] - weights[one.kind])
  return {
    id: newId(),
    workspaceId: viewer.workspaceId,
    askerId: viewer.userId,
    kind,
    messageId: asked.messageId,
    chatId: asked.chatId,
    traceId: asked.traceId,
    question: asked.question,
    content: asked.content,
    contentHash: contentHash(asked.content),
    reasons: sorted,
    reason: sorted[0]?.kind ?? 'sampled',
    risk: riskOf(sorted, held),
    confidence: asked.content.metadata.confidence?.value ?? null,
    collectionIds: [...new Set(asked.collectionIds)],
    held,
    policyVersion: asked.policyVersion,
    slaMinutes: policy.slaMinutes,
    holdMinutes: held ? policy.holdMinutes : null,
  }
}
