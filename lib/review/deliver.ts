/** Telling who waits that something was decided: in the product always, by mail and webhook as the policy says. Never what it says. */
import { database, type Tx } from '#db/client.ts'
import { insertNotifications } from '#db/queries/notifications.ts'
import { getAddress, getDelivery, type ReviewItem } from '#db/queries/reviews.ts'
import { postToWebhook, type SendAlert } from '#lib/alerts.ts'
import { enqueue, type JobPayload } from '#lib/jobs.ts'
import { isMailSet, publicAddress, queueMail } from '#lib/mail.ts'
import type { ReviewPolicy } from '#lib/shared/policy-contract.ts'
import type { ReviewState } from '#lib/shared/review-contract.ts'
import { reviewPolicyOf } from './in-force.ts'

type Ending = Exclude<ReviewState, 'open' | 'withdrawn'>

const endings: Record<Ending, string> = {
  approved: 'A person has checked an answer of yours and found it right.',
  edited: 'A person has checked an answer of yours and corrected it.',
  rejected: 'A person has checked an answer of yours and withdrawn it.',
  expired: 'Nobody could check an answer of yours in time.',
}

/**
 * Puts what the asker is told into the transaction that decides. Somebody waits for what was held and for what they asked a person;
 * of the rest only a change is told.
 */
export const tellAsker = async (
  tx: Tx,
  item: Pick<ReviewItem, 'id' | 'workspaceId' | 'askerId' | 'chatId' | 'held' | 'kind' | 'seeded'>,
  state: Ending,
  policy: Pick<ReviewPolicy, 'notifyByMail' | 'webhookUrl'>,
): Promise<void> => {
  const { id: itemId, workspaceId, askerId, chatId, held, kind, seeded } = item
  if (seeded || !askerId || !chatId) return
  const waits = held || kind === 'asked'
  if (!waits && state === 'approved') return
  const link = `/c/${chatId}`
  await insertNotifications(tx, [{ workspaceId, userId: askerId, kind: 'review.decided', words: endings[state], link }])
  if (!waits) return
  if (policy.notifyByMail && isMailSet()) {
    const to = await getAddress(tx, askerId)
    if (to)
      await queueMail(tx, {
        to,
        subject: 'Your answer is there',
        text: `${endings[state]}\n\nRead it here: ${publicAddress(link)}\n`,
      })
  }
  if (policy.webhookUrl) await enqueue(tx, 'review.notify', { workspaceId, itemId })
}

/** The job `review.notify`: posts that an answer was decided, never what it says, to the policy's webhook. Throws to be tried again. */
export const deliverReview = async (
  { workspaceId, itemId }: JobPayload<'review.notify'>,
  send: SendAlert = postToWebhook,
): Promise<void> => {
  const { webhookUrl } = await reviewPolicyOf(workspaceId)
  const decided = webhookUrl ? await getDelivery(database().db, workspaceId, itemId) : undefined
  // Switched off, or gone with its workspace, since.
  if (!decided) return
  await send(webhookUrl, {
    event: 'footnote.review',
    ...decided,
    workspaceId,
    decidedAt: decided.decidedAt?.toISOString() ?? null,
  })
}
