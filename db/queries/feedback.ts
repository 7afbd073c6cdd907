/** What people think of answers to them, and the items that come of it. Every statement names the owner of the answer. */
import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Citation, MessageMetadata, MessageStatus } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Feedback, ReviewReason } from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { isClaimed } from '../reviewable.ts'
import { chats, citations, collections, feedback, messages, reviewItems } from '../schema/index.ts'

type Owner = Pick<Viewer, 'userId' | 'workspaceId'>

export type OwnAnswer = {
  id: string
  chatId: string
  text: string
  status: MessageStatus
  metadata: MessageMetadata
  question: string
}

/** An answer to the viewer, locked: its reviews are decided under the same lock. One that was asked for again is not there. */
export const lockOwnAnswer = async (tx: Tx, viewer: Owner, messageId: string): Promise<OwnAnswer | undefined> => {
  const asked = alias(messages, 'asked')
  const [found] = await tx
    .select({
      id: messages.id,
      chatId: messages.chatId,
      text: messages.text,
      status: messages.status,
      metadata: messages.metadata,
      question: sql<string>`coalesce((select ${asked.text} from ${messages} ${sql.identifier('asked')} where ${asked.id} = ${messages.questionId}), '')`,
    })
    .from(messages)
    .innerJoin(
      chats,
      and(eq(chats.id, messages.chatId), eq(chats.userId, viewer.userId), eq(chats.workspaceId, viewer.workspaceId)),
    )
    .where(and(eq(messages.id, messageId), eq(messages.role, 'assistant'), isNull(messages.supersededAt)))
    .for('update', { of: messages })
  return found
}

/** As they were stored, whoever may read them now: for the item of a reviewer, whose own rights are asked when it is read. */
export const listStoredCitations = async (db: Executor, messageId: string): Promise<Citation[]> => {
  const stored = await db
    .select()
    .from(citations)
    .where(eq(citations.messageId, messageId))
    .orderBy(asc(citations.ordinal))
  return stored.map(({ messageId: _, ...citation }) => ({ ...citation, removed: false }))
}

/** Every collection of the workspace: who may read all of them may read whatever an answer was written from. */
export const listAllCollections = async (db: Executor, workspaceId: string): Promise<string[]> =>
  (await db.select({ id: collections.id }).from(collections).where(eq(collections.workspaceId, workspaceId))).map(
    ({ id }) => id,
  )

const ofViewer = ({ userId, workspaceId }: Owner, messageIds: readonly string[]) =>
  and(eq(feedback.userId, userId), eq(feedback.workspaceId, workspaceId), inArray(feedback.messageId, [...messageIds]))

/** What the viewer has said of these answers; those of which they have said nothing are not in it. */
export const listOwnFeedback = async (
  db: Executor,
  viewer: Owner,
  messageIds: readonly string[],
): Promise<Map<string, Feedback>> => {
  if (messageIds.length === 0) return new Map()
  const found = await db
    .select({
      messageId: feedback.messageId,
      value: feedback.value,
      reasons: feedback.reasons,
      comment: feedback.comment,
    })
    .from(feedback)
    .where(ofViewer(viewer, messageIds))
  return new Map(
    found.map(({ messageId, value, ...said }): [string, Feedback] => [
      messageId,
      { value: value > 0 ? 1 : -1, ...said },
    ]),
  )
}

export const saveFeedback = async (
  tx: Tx,
  { userId, workspaceId }: Owner,
  { messageId, traceId, ...said }: Feedback & { messageId: string; traceId: string | null },
): Promise<void> => {
  await tx
    .insert(feedback)
    .values({ id: newId(), workspaceId, userId, messageId, traceId, ...said })
    .onConflictDoUpdate({
      target: [feedback.messageId, feedback.userId],
      set: { ...said, traceId, updatedAt: sql`now()` },
    })
}

export const deleteFeedback = async (tx: Tx, viewer: Owner, messageId: string): Promise<void> => {
  await tx.delete(feedback).where(ofViewer(viewer, [messageId]))
}

const openFeedbackItem = (messageId: string) =>
  and(eq(reviewItems.messageId, messageId), eq(reviewItems.state, 'open'), eq(reviewItems.kind, 'feedback'))

/** Ends the item that a thumb down opened, without what was said with it, unless somebody is at it. Its id, or undefined. */
export const withdrawFeedbackItem = async (tx: Tx, messageId: string): Promise<string | undefined> => {
  const [ended] = await tx
    .update(reviewItems)
    .set({
      ...{ state: 'withdrawn', decidedAt: sql`now()`, claimedBy: null, leaseUntil: null },
      reasons: sql`reasons_without_words(${reviewItems.reasons})`,
    })
    .where(and(openFeedbackItem(messageId), sql`not ${isClaimed}`))
    .returning({ id: reviewItems.id })
  return ended?.id
}

/** What its reviewer reads of why it is there; chosen after the thumb. */
export const renewFeedbackReasons = async (tx: Tx, messageId: string, reasons: ReviewReason[]): Promise<void> => {
  await tx.update(reviewItems).set({ reasons }).where(openFeedbackItem(messageId))
}

/** Makes the open item of a message one that its asker waits for. */
export const addAsked = async (tx: Tx, messageId: string, reason: ReviewReason): Promise<void> => {
  await tx
    .update(reviewItems)
    .set({ kind: 'asked', reasons: sql`${reviewItems.reasons} || ${JSON.stringify([reason])}::jsonb` })
    .where(and(eq(reviewItems.messageId, messageId), eq(reviewItems.state, 'open')))
}
