/** What time does to reviews: late ones are raised, held ones that nobody decided on are given up with what the policy promised. */
import { database, type Executor } from '#db/client.ts'
import { insertNotifications } from '#db/queries/notifications.ts'
import {
  closeItem,
  deleteEndedDrafts,
  emptyOrphanSeeds,
  freeAbandoned,
  type LateItem,
  listExpired,
  listManagers,
  listSourceStates,
  lockExpired,
  type ReviewItem,
  raiseLate,
  rewriteMessage,
} from '#db/queries/reviews.ts'
import { audit } from '#lib/audit.ts'
import { log } from '#lib/log.ts'
import type { NearestDocument } from '#lib/shared/chat-contract.ts'
import type { ReviewPolicy } from '#lib/shared/policy-contract.ts'
import { tellAsker } from './deliver.ts'
import { reviewPolicyOf } from './in-force.ts'

/** A round handles so many; the next one comes in a minute. */
const roundMax = 200
const nearestMax = 3

const givenUp = 'Nobody could check this answer in time, so it is not shown. Ask again, or ask a person who knows.'
const givenUpWithSources =
  'Nobody could check this answer in time, so it is not shown. These are the documents it was to be written from.'

/** The documents that were read, for an asker who has to look for themselves; only those that are open to them. */
const nearestOf = async (db: Executor, { workspaceId, askerId, content }: ReviewItem): Promise<NearestDocument[]> => {
  if (!askerId) return []
  const asker = { userId: askerId, workspaceId, role: 'member', name: '', email: '' } as const
  const found = await listSourceStates(db, asker, {
    documentIds: [...content.citations, ...content.sources].map(({ documentId }) => documentId),
    askerId,
  })
  return found
    .flatMap(({ documentId, name, openToAsker }): NearestDocument[] => {
      const cited = content.citations.find((one) => one.documentId === documentId)
      const versionId = cited?.versionId ?? content.sources.find((one) => one.documentId === documentId)?.versionId
      if (!openToAsker || !versionId) return []
      return [
        {
          documentId,
          versionId,
          title: cited?.title ?? name ?? 'A document',
          ...(cited ? { mediaType: cited.mediaType } : {}),
          page: cited?.page ?? null,
          charStart: cited?.charStart ?? 0,
          charEnd: cited?.charEnd ?? 0,
        },
      ]
    })
    .slice(0, nearestMax)
}

const expire = (itemId: string, policy: ReviewPolicy): Promise<void> =>
  database().db.transaction(async (tx) => {
    const locked = await lockExpired(tx, itemId)
    if (!locked) return
    const { item, message } = locked
    if (item.seeded) {
      await closeItem(tx, itemId, { state: 'withdrawn', by: null, decision: null })
      return
    }
    const decidedAt = await closeItem(tx, itemId, { state: 'expired', by: null, decision: null })
    if (message?.status === 'held') {
      const nearest = policy.fallback === 'sources' ? await nearestOf(tx, item) : []
      const words = nearest.length > 0 ? givenUpWithSources : givenUp
      await rewriteMessage(tx, message.id, {
        text: words,
        metadata: {
          ...message.metadata,
          withheld: [words],
          ...(nearest.length > 0 ? { nearest } : {}),
          review: {
            state: 'expired',
            reasons: item.reasons.map((reason) => reason.words),
            since: item.createdAt.toISOString(),
            decidedAt: decidedAt.toISOString(),
          },
        },
        cited: [],
      })
    }
    await audit(tx, {
      actor: { userId: null, workspaceId: item.workspaceId },
      event: 'review.expired',
      objectId: itemId,
      details: { messageId: item.messageId, fallback: policy.fallback },
    })
    await tellAsker(tx, item, 'expired', policy)
  })

const lateWords = (count: number): string =>
  count === 1
    ? 'An answer waits longer for its review than was promised.'
    : `${count} answers wait longer for their review than was promised.`

/** Admins are told once of what became late since the last look, together. */
const escalate = (): Promise<LateItem[]> =>
  database().db.transaction(async (tx) => {
    const late = await raiseLate(tx, roundMax)
    const real = late.filter(({ seeded }) => !seeded)
    // In one order, like every change that writes lines for several workspaces.
    for (const workspaceId of [...new Set(real.map((one) => one.workspaceId))].sort()) {
      const items = real.filter((one) => one.workspaceId === workspaceId)
      for (const { id, held } of items)
        await audit(tx, {
          actor: { userId: null, workspaceId },
          event: 'review.escalated',
          objectId: id,
          details: { held },
        })
      await insertNotifications(
        tx,
        (await listManagers(tx, workspaceId)).map((userId) => ({
          workspaceId,
          userId,
          kind: 'review.escalated',
          words: lateWords(items.length),
          link: '/review?whose=late',
        })),
      )
    }
    return late
  })

/**
 * Raises what is late, gives up what nobody decided in time, empties known errors whose original is gone, and frees what is assigned
 * to who decides no longer. By the database's clock; the worker calls it each minute, and two that do so at once do it once. One
 * item's trouble is not another's: it is logged, and looked at again with the next round.
 */
export const sweepReviews = async (): Promise<void> => {
  const { db } = database()
  await emptyOrphanSeeds(db)
  await freeAbandoned(db)
  await deleteEndedDrafts(db)
  const policies = new Map<string, ReviewPolicy>()
  for (const { id, workspaceId } of await listExpired(db, roundMax)) {
    try {
      const policy = policies.get(workspaceId) ?? (await reviewPolicyOf(workspaceId))
      policies.set(workspaceId, policy)
      await expire(id, policy)
    } catch (error) {
      log.error({ err: error, itemId: id }, 'a held answer was not given up in time')
    }
  }
  const late = await escalate()
  if (late.length > 0) log.warn({ items: late.length }, 'reviews are late')
}
