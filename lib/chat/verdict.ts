/**
 * What becomes of a finished answer: it is judged by the rules of now, whether it was written now or kept from before, and then shown,
 * shown and looked at by a person, held until a person has decided, withheld, or taken back. `conclude` is the one place where that
 * happens. What is held stands in its review item and nowhere else.
 */
import { database } from '#db/client.ts'
import { openDocuments } from '#db/queries/chats.ts'
import type { NewReviewItem } from '#db/queries/reviews.ts'
import { isSampled, type KnownBefore, type LedgerLine } from '#lib/gateway/index.ts'
import type { Evidence } from '#lib/rag/index.ts'
import { claimsFrom, reviewOf, usualDecisionMs } from '#lib/review/index.ts'
import type { MessageMetadata, MessageReview } from '#lib/shared/chat-contract.ts'
import type { ReviewKind, ReviewReason } from '#lib/shared/review-contract.ts'
import type { Verification } from '#lib/trust/index.ts'
import { confidenceOf, factsOf } from './check.ts'
import type { GenerationWriter } from './generation.ts'
import type { Draft } from './held-answer.ts'
import type { AnswerJudgement, TurnJudge } from './judge.ts'
import type { Outcome } from './outcome.ts'
import type { Turn } from './turn.ts'

/** `withdraw` takes back what was streamed already; `withhold` is only said of what nobody has seen. */
export type Verdict = AnswerJudgement | { act: 'withdraw'; words: string[] }

const accessGone =
  'Your access to a document that this answer was written from ended while it was being written, so the answer is not shown. Ask again to have it written from what you can read now.'

export type Finished = {
  turn: Turn
  judge: TurnJudge
  evidence: Evidence
  known: KnownBefore
  draft: Draft
  checked: Verification
  /** A person has approved it before. */
  approved: boolean
  traceId: string
  policyVersion: number | null
}

/** What the policy says of an answer as it would be shown. Rights may go while an answer is written from them. */
export const judgeDraft = async ({
  turn,
  judge,
  evidence,
  known,
  draft,
  checked,
  approved,
}: Finished): Promise<Verdict> => {
  const read = new Set(evidence.passages.map(({ documentId }) => documentId))
  const open = await openDocuments(database().db, turn.viewer, [...read])
  if (open.size < read.size) return { act: 'withdraw', words: [accessGone] }
  return judge.answer(
    factsOf(turn.question, known, { text: draft.text(), citations: draft.citations().length, approved }, checked),
  )
}

/** The asker reads why, and nothing of what was withheld. */
export const withhold = (writer: GenerationWriter, words: string[], metadata: MessageMetadata): Outcome => {
  writer.write(words.join('\n\n'))
  return { status: 'complete', metadata: { ...metadata, withheld: words } }
}

/** What the checks found, for whoever sorts and reads the queue. The asker is not told: it may tell what the answer says. */
const foundIn = ({ claims, contradictions }: Verification): ReviewReason[] => [
  ...(contradictions.length > 0 ? [{ kind: 'contradiction', words: 'Its sources disagree.' } as const] : []),
  ...(claims.supported < claims.total
    ? [{ kind: 'unsupported', words: 'Not every sentence is supported by what it cites.' } as const]
    : []),
]

/** The answer as its reviewer gets it. */
const itemOf = (
  { turn, judge, evidence, known, draft, checked, traceId, policyVersion }: Finished,
  kind: ReviewKind,
  reasons: ReviewReason[],
  metadata: MessageMetadata,
): NewReviewItem =>
  reviewOf({
    viewer: turn.viewer,
    policy: judge.policy.review,
    kind,
    reasons: [...reasons, ...foundIn(checked)],
    messageId: turn.answerId,
    chatId: turn.chatId,
    traceId,
    question: turn.question,
    content: {
      text: draft.text(),
      citations: [...draft.citations()],
      claims: claimsFrom(checked),
      contradictions: checked.contradictions.map(({ kind, words, sides }) => ({
        kind,
        words,
        sides: sides.map(({ title, quote }) => ({ title, quote })),
      })),
      metadata,
      sources: evidence.passages.map(({ documentId, versionId }) => ({ documentId, versionId })),
    },
    collectionIds: known.collectionIds,
    policyVersion,
  })

const sampled: ReviewReason = { kind: 'sampled', words: 'Taken at random.' }

type Concluded = Finished & {
  writer: GenerationWriter
  verdict: Verdict
  metadata: MessageMetadata
  calls: LedgerLine[]
}

/** Does with a finished answer what its verdict says; the end of the turn. */
export const conclude = async ({ writer, verdict, metadata, calls, ...finished }: Concluded): Promise<Outcome> => {
  const { turn, judge, draft, checked, approved } = finished
  const warnings = judge.warnings()
  const shown: MessageMetadata = {
    ...metadata,
    confidence: confidenceOf(checked),
    claims: checked.claims,
    ...(warnings.length > 0 ? { warnings } : {}),
  }
  const looks = (state: MessageReview['state'], reasons: ReviewReason[]): MessageReview => ({
    state,
    reasons: [...new Set(reasons.map(({ words }) => words))],
    since: new Date().toISOString(),
  })
  switch (verdict.act) {
    case 'withdraw':
      writer.startOver()
      return { ...withhold(writer, verdict.words, metadata), calls }
    case 'withhold':
      return { ...withhold(writer, verdict.words, { ...metadata, confidence: confidenceOf(checked) }), calls }
    case 'hold': {
      // Open: how long it takes is a courtesy.
      const usuallyMs = await usualDecisionMs(turn.viewer.workspaceId).catch(() => null)
      // Nothing that was found out about the answer, which may tell what it says, nor what belongs to an answer that is shown.
      const { cache: _, curated: __, ...known } = metadata
      return {
        status: 'held',
        metadata: { ...known, review: { ...looks('waiting', verdict.reasons), usuallyMs } },
        calls,
        review: itemOf(finished, 'held', verdict.reasons, shown),
      }
    }
    case 'queue': {
      const review = itemOf(finished, 'queued', verdict.reasons, shown)
      draft.release()
      return { status: 'complete', metadata: { ...shown, review: looks('queued', verdict.reasons) }, calls, review }
    }
    case 'show': {
      const taken = !approved && isSampled(turn.answerId, judge.policy.review.sampleShare)
      const review = taken ? { review: itemOf(finished, 'sampled', [sampled], shown) } : {}
      draft.release()
      return { status: 'complete', metadata: shown, calls, ...review }
    }
  }
}
