/**
 * What a person says of an answer to them: a thumb with reasons and words, which may bring the answer before a reviewer, and the way to
 * a person where no answer was given. Only of the viewer's own answers.
 */
import { database, type Tx } from '#db/client.ts'
import {
  addAsked,
  deleteFeedback,
  listAllCollections,
  listOwnFeedback,
  listStoredCitations,
  lockOwnAnswer,
  type OwnAnswer,
  renewFeedbackReasons,
  saveFeedback,
  withdrawFeedbackItem,
} from '#db/queries/feedback.ts'
import {
  annotateMessage,
  insertReviewItem,
  listActiveReviewers,
  listCitedPassages,
  type NewReviewItem,
} from '#db/queries/reviews.ts'
import { audit } from '#lib/audit.ts'
import type { MessageReview } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { ReviewPolicy } from '#lib/shared/policy-contract.ts'
import {
  type Feedback,
  type FeedbackInput,
  feedbackReasons,
  feedbackReasonWords,
  mayAskPerson,
  type ReviewKind,
  type ReviewReason,
} from '#lib/shared/review-contract.ts'
import { truncate } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { usualDecisionMs } from './figures.ts'
import { reviewPolicyOf } from './in-force.ts'
import { reviewOf } from './open.ts'
import { claimsOf, passagesOf } from './recite.ts'
import { conflict, refusal } from './standing.ts'

/** Of what a person wrote so much stands in the queue; all of it is in the feedback. */
const quotedCharsMax = 300

const quoted = (words: string): string => `“${truncate(words.replace(/\s+/g, ' '), quotedCharsMax)}”`

const thumbDown = ({ reasons, comment }: Pick<Feedback, 'reasons' | 'comment'>): ReviewReason => {
  const said = [
    ...reasons.map((reason) => feedbackReasonWords[reason] ?? reason),
    ...(comment ? [quoted(comment)] : []),
  ]
  return {
    kind: 'feedback',
    words: said.length > 0 ? `Thumb down: ${said.join(', ')}.` : 'Thumb down, without a reason.',
  }
}

/** An answer that was shown, as its reviewer gets it: from what is stored of it, its sentences held against their passages again. */
const itemOf = async (
  tx: Tx,
  viewer: Viewer,
  { id: messageId, chatId, text, metadata, question }: OwnAnswer,
  { kind, reason, policy }: { kind: ReviewKind; reason: ReviewReason; policy: ReviewPolicy },
): Promise<NewReviewItem> => {
  const citations = await listStoredCitations(tx, messageId)
  const passages = passagesOf(citations, await listCitedPassages(tx, viewer, citations))
  const { review: _, ...carried } = metadata
  return reviewOf({
    viewer,
    policy,
    kind,
    messageId,
    chatId,
    traceId: metadata.traceId ?? null,
    question,
    content: {
      text,
      citations,
      // Words of our own, where nothing was found or shown, claim nothing.
      claims: citations.length > 0 ? await claimsOf(text, citations, passages) : [],
      metadata: carried,
      sources: [...new Map(citations.map((one) => [one.versionId, one])).values()].map(({ documentId, versionId }) => ({
        documentId,
        versionId,
      })),
    },
    reasons: [reason],
    // Closed: an old answer that does not say what it was written from is for who may read everything.
    collectionIds: metadata.collectionIds ?? (await listAllCollections(tx, viewer.workspaceId)),
    policyVersion: metadata.policyVersion ?? null,
  })
}

const finished: readonly OwnAnswer['status'][] = ['complete', 'no-source', 'stopped', 'interrupted']

const sameWords = (before: Feedback | undefined, said: Feedback): boolean =>
  before !== undefined &&
  before.value === said.value &&
  before.comment === said.comment &&
  before.reasons.join() === said.reasons.join()

/** A thumb down opens an item with the first click, and what is said after it is told to who looks. */
const bringToReviewer = async (
  tx: Tx,
  viewer: Viewer,
  answer: OwnAnswer,
  { said, before, policy }: { said: Feedback; before: Feedback | undefined; policy: ReviewPolicy },
): Promise<void> => {
  const reason = thumbDown(said)
  if (before?.value === -1) return renewFeedbackReasons(tx, answer.id, [reason])
  if (!policy.feedback) return
  const item = await itemOf(tx, viewer, answer, { kind: 'feedback', reason, policy })
  if (await insertReviewItem(tx, item))
    await audit(tx, {
      actor: viewer,
      event: 'review.opened',
      objectId: item.id,
      details: { kind: 'feedback', messageId: answer.id },
    })
}

/**
 * Keeps what the viewer says of an answer to them; said again it is replaced, and 0 takes it back. What is stored afterwards, or null.
 * Throws `not-found` for another person's answer or one that was asked for again, `conflict` while there is nothing to judge yet.
 */
export const giveFeedback = async (
  viewer: Viewer,
  { messageId, value, ...input }: FeedbackInput,
): Promise<Feedback | null> => {
  const known: readonly string[] = value === 1 ? feedbackReasons.up : feedbackReasons.down
  const reasons = [...new Set(input.reasons)]
  if (value !== 0 && !reasons.every((reason) => known.includes(reason)))
    throw refusal('These reasons do not go with this thumb. Choose again.')
  const policy = await reviewPolicyOf(viewer.workspaceId)
  return database().db.transaction(async (tx) => {
    const answer = await lockOwnAnswer(tx, viewer, messageId)
    if (!answer) throw new AppError('not-found')
    if (!finished.includes(answer.status))
      throw conflict('There is no answer to judge yet. Say what you think of it once it is there.')
    const before = (await listOwnFeedback(tx, viewer, [messageId])).get(messageId)
    const said: Feedback | null = value === 0 ? null : { value, reasons, comment: input.comment }
    if (said ? sameWords(before, said) : !before) return said

    if (said) await saveFeedback(tx, viewer, { ...said, messageId, traceId: answer.metadata.traceId ?? null })
    else await deleteFeedback(tx, viewer, messageId)
    if (said?.value === -1) await bringToReviewer(tx, viewer, answer, { said, before, policy })
    else if (before?.value === -1) await withdrawFeedbackItem(tx, messageId)
    // Not the words: the log is read by others.
    await audit(tx, { actor: viewer, event: 'feedback.given', objectId: messageId, details: { value, reasons } })
    return said
  })
}

/** What the viewer has said of these answers, by the id of the message. */
export const feedbackOf = async (viewer: Viewer, messageIds: readonly string[]): Promise<Record<string, Feedback>> =>
  Object.fromEntries(await listOwnFeedback(database().db, viewer, messageIds))

/** Whether anybody but the viewer decides on answers in their workspace: without one there is nobody to ask. */
export const hasReviewer = async ({ workspaceId, userId }: Pick<Viewer, 'workspaceId' | 'userId'>): Promise<boolean> =>
  (await listActiveReviewers(database().db, workspaceId)).some(({ id }) => id !== userId)

/**
 * Brings a question that got no answer before a person, with the words of who asks. Asked twice it is once. Returns what the message
 * then says of it. Throws `not-found`, and `conflict` in words where an answer was given, a person has looked, or nobody is there to.
 */
export const askPerson = async (viewer: Viewer, messageId: string, words: string): Promise<MessageReview> => {
  const [policy, somebody, usuallyMs] = await Promise.all([
    reviewPolicyOf(viewer.workspaceId),
    hasReviewer(viewer),
    // Open: how long it takes is a courtesy.
    usualDecisionMs(viewer.workspaceId).catch(() => null),
  ])
  return database().db.transaction(async (tx) => {
    const answer = await lockOwnAnswer(tx, viewer, messageId)
    if (!answer) throw new AppError('not-found')
    const { metadata, status } = answer
    if (metadata.review && ['queued', 'waiting'].includes(metadata.review.state)) return metadata.review
    if (!mayAskPerson({ ...metadata, status }))
      throw conflict(
        'A person is asked about questions that got no answer. Use the thumbs to say what is wrong with this one.',
      )
    if (!somebody) throw conflict('Nobody but you checks answers here. Ask an admin to name a reviewer.')
    const asked = words.trim()
    const reason: ReviewReason = {
      kind: 'asked',
      words: asked ? `A person was asked to answer this: ${quoted(asked)}` : 'A person was asked to answer this.',
    }
    const item = await itemOf(tx, viewer, answer, { kind: 'asked', reason, policy })
    const opened = await insertReviewItem(tx, item)
    // A thumb down was there before: taking that back does not take this back.
    if (!opened) await addAsked(tx, messageId, reason)
    const review: MessageReview = {
      state: 'queued',
      reasons: [reason.words],
      since: new Date().toISOString(),
      usuallyMs,
    }
    await annotateMessage(tx, messageId, { ...metadata, review })
    if (opened)
      await audit(tx, {
        actor: viewer,
        event: 'review.opened',
        objectId: item.id,
        details: { kind: 'asked', messageId },
      })
    return review
  })
}
