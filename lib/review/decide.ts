/**
 * The decision on an answer: one transaction in which the message, its item and the sources stand still. It holds for exactly the
 * content that was decided on, and it is the one way by which held text becomes a message.
 */
import { database, type Tx } from '#db/client.ts'
import {
  annotateMessage,
  closeItem,
  forgetKeptAnswer,
  type ItemState,
  type LockedMessage,
  listBulkReasons,
  listSourceStates,
  lockForDecision,
  mayReview,
  rewriteMessage,
} from '#db/queries/reviews.ts'
import { audit } from '#lib/audit.ts'
import type { AuditEvent } from '#lib/shared/audit-events.ts'
import type { Citation, MessageMetadata, MessageReview } from '#lib/shared/chat-contract.ts'
import { AppError, toAppError } from '#lib/shared/errors.ts'
import type { ReviewPolicy } from '#lib/shared/policy-contract.ts'
import {
  type BulkResult,
  type ReviewBulk,
  type ReviewClaim,
  type ReviewContent,
  type ReviewDecision,
  type ReviewDecisionRequest,
  type ReviewResult,
  rejectReasons,
} from '#lib/shared/review-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { endOverturned } from './corrections.ts'
import { tellAsker } from './deliver.ts'
import { reviewPolicyOf } from './in-force.ts'
import { contentHash } from './open.ts'
import { recite } from './recite.ts'
import { closedSources, conflict, endWords, holderWords, refusal, refuseOwn } from './standing.ts'

type Locked = ItemState & { message: LockedMessage | null }
type Ended = 'approved' | 'edited' | 'rejected'
const states = { approve: 'approved', edit: 'edited', reject: 'rejected' } as const
const events = {
  approved: 'review.approved',
  edited: 'review.edited',
  rejected: 'review.rejected',
} as const satisfies Record<Ended, AuditEvent>

const changed = 'The answer is not the one that you looked at any more. Open it again and decide on what is there now.'

const resultOf = ({ item, decidedBy }: ItemState, name: string | null = decidedBy): ReviewResult => ({
  itemId: item.id,
  state: item.state,
  decidedAt: (item.decidedAt ?? new Date(0)).toISOString(),
  by: name ?? 'Somebody who has left',
  seed: item.content.seed ? { caught: item.state !== 'approved', words: item.content.seed.words } : null,
})

/** Ordinals of the sources that have to be opened before an approval: those behind sentences that were found doubtful. */
const ordinalsToOpen = ({ claims, citations }: Pick<ReviewContent, 'claims' | 'citations'>): number[] => {
  const there = new Set(citations.map(({ ordinal }) => ordinal))
  const doubtful = claims.filter((one) => one.claims && !one.supported)
  return [...new Set(doubtful.flatMap(({ ordinals }) => ordinals))].filter((ordinal) => there.has(ordinal))
}

const refuseUnread = (content: ReviewContent, seen: readonly number[]): void => {
  const unread = ordinalsToOpen(content).filter((ordinal) => !seen.includes(ordinal))
  if (unread.length === 0) return
  const chips = [
    ...new Set(unread.map((ordinal) => content.citations.find((one) => one.ordinal === ordinal)?.n ?? ordinal)),
  ]
  throw refusal(
    `Open the sources of the marked sentences before you approve: ${chips.map((chip) => `[${chip}]`).join(', ')}. They may not say what the answer says.`,
  )
}

/** What the decision leaves of the answer: its text and citations, and what the asker is told of a rejection. */
type Left = { text: string; citations: Citation[]; claims: ReviewClaim[] } | { words: string[] }

const leftOf = async (tx: Tx, viewer: Viewer, { item }: Locked, { decision }: ReviewDecisionRequest): Promise<Left> => {
  if (decision.act === 'reject') {
    const why = rejectReasons[decision.reason]
    return {
      words: [`A person has checked this answer and withdrawn it. ${why}`, ...(decision.note ? [decision.note] : [])],
    }
  }
  const { content, seeded, askerId } = item
  const documentIds = [...content.sources, ...content.citations].map(({ documentId }) => documentId)
  // They stay open until the answer is shown.
  const sources = await listSourceStates(tx, viewer, { documentIds, askerId, lock: true })
  const closed = closedSources(sources, { citations: content.citations, seeded })
  if (decision.act === 'approve') {
    const [first] = closed
    if (first)
      throw conflict(
        `${first.words} The answer rests on it, so it cannot be approved. Reject it, or edit it so that nothing of that document is left.`,
      )
    refuseUnread(content, decision.seen)
    return content
  }
  const edited = await recite(tx, viewer, content, decision.text)
  if (edited.problems.length > 0) throw refusal(edited.problems.join(' '))
  const cited = new Set(edited.citations.map(({ documentId }) => documentId))
  const [first] = closed.filter(({ documentId }) => cited.has(documentId))
  if (first) throw conflict(`${first.words} Take out what cites it, or reject the answer.`)
  return edited
}

/** Writes onto the message what its asker reads from now on. */
const showDecision = async (
  tx: Tx,
  { item, message }: Locked,
  left: Left,
  review: MessageReview & { state: Ended },
): Promise<void> => {
  if (!message) return
  const { content, held } = item
  const shown: MessageMetadata = held ? { ...message.metadata, ...content.metadata } : message.metadata
  if ('words' in left) {
    // Nothing that was found out about what is not shown.
    const { claims: _, confidence: __, warnings: ___, curated: ____, ...rest } = message.metadata
    await rewriteMessage(tx, message.id, {
      text: left.words.join('\n\n'),
      metadata: { ...rest, withheld: left.words, review },
      cited: [],
    })
  } else if (review.state === 'approved' && !held) {
    await annotateMessage(tx, message.id, { ...shown, review })
  } else if (review.state === 'approved') {
    await rewriteMessage(tx, message.id, { text: left.text, metadata: { ...shown, review }, cited: left.citations })
  } else {
    // How sure the checks were of the text before says nothing of this one: a person answers for it.
    const { confidence: _, withheld: __, nearest: ___, choices: ____, curated: _____, ...rest } = shown
    const made = left.claims.filter((one) => one.claims)
    await rewriteMessage(tx, message.id, {
      text: left.text,
      metadata: {
        ...rest,
        claims: { total: made.length, supported: made.filter(({ supported }) => supported).length },
        review,
      },
      cited: left.citations,
    })
  }
}

/** Refuses what may not be decided by this person, now, on this content. */
const refuseOtherwise = (locked: Locked, viewer: Viewer, request: ReviewDecisionRequest): void => {
  const { item, message } = locked
  refuseOwn(locked, viewer)
  const stands = endWords(locked) ?? holderWords(locked, viewer)
  if (stands) throw conflict(stands)
  const asStored = item.contentHash === contentHash(item.content)
  // What was shown already has to be what is decided on, and what is held must still wait.
  const asShown = item.held ? message?.status === 'held' : message?.text === item.content.text
  if (request.contentHash !== item.contentHash || !asStored || !(asShown || item.seeded)) throw conflict(changed)
}

const decideIn = async (
  tx: Tx,
  viewer: Viewer,
  request: ReviewDecisionRequest,
  policy: ReviewPolicy,
): Promise<ReviewResult> => {
  const locked = await lockForDecision(tx, viewer, request.itemId)
  if (!locked) throw new AppError('not-found')
  const { item } = locked
  if (item.decision?.decisionId === request.decisionId && item.decidedBy === viewer.userId) return resultOf(locked)
  if (!(await mayReview(tx, viewer, item.id))) throw new AppError('not-found')
  refuseOtherwise(locked, viewer, request)

  const left = await leftOf(tx, viewer, locked, request)
  const { decision, decisionId } = request
  const state = states[decision.act]
  const { note, ...said } = decision
  const kept: ReviewDecision = {
    ...said,
    ...(note ? { note } : {}),
    ...(decision.act === 'edit' && 'text' in left ? { text: left.text } : {}),
    contentHash: item.contentHash,
    decisionId,
  }
  const decidedAt = await closeItem(tx, item.id, { state, by: viewer.userId, decision: kept })
  await showDecision(tx, locked, left, {
    state,
    reasons: item.reasons.map(({ words }) => words),
    since: item.createdAt.toISOString(),
    decidedAt: decidedAt.toISOString(),
    ...(note ? { note } : {}),
  })
  if (state !== 'approved' && item.content.text && !item.seeded) {
    await forgetKeptAnswer(tx, viewer, item.content.text)
    await endOverturned(tx, viewer, item.content.text, state)
  }
  await audit(tx, {
    actor: viewer,
    event: events[state],
    objectId: item.id,
    details: {
      messageId: item.messageId,
      kind: item.kind,
      contentHash: item.contentHash,
      ...(decision.act === 'reject' ? { reason: decision.reason } : {}),
    },
    before: { text: item.content.text, citations: item.content.citations },
    after: 'words' in left ? { words: left.words } : { text: left.text, citations: left.citations },
  })
  await tellAsker(tx, item, state, policy)
  return resultOf({ ...locked, item: { ...item, state, decidedAt } }, viewer.name)
}

const decideWith = (policy: ReviewPolicy, viewer: Viewer, request: ReviewDecisionRequest): Promise<ReviewResult> =>
  database().db.transaction((tx) => decideIn(tx, viewer, request, policy))

/**
 * Decides on an answer. Throws `not-found` (not the viewer's to review, or no reviewer any more), `forbidden` for their own question,
 * `conflict` in words when another decided or has it, when the content is not what was looked at or a source is gone or closed, and
 * `bad-request` for an edit that breaks a citation or an approval without the sources of doubtful sentences opened.
 */
export const decideReview = async (viewer: Viewer, request: ReviewDecisionRequest): Promise<ReviewResult> =>
  decideWith(await reviewPolicyOf(viewer.workspaceId), viewer, request)

const bulkKinds: readonly string[] = ['sampled', 'queued']

/**
 * Approves several answers that were shown already and are here for one and the same reason; each is decided, refused and audited by
 * itself, and all are told of. Throws `bad-request` when their reasons differ.
 */
export const decideMany = async (viewer: Viewer, { items, note }: ReviewBulk): Promise<BulkResult[]> => {
  const known = await listBulkReasons(
    database().db,
    viewer,
    items.map(({ itemId }) => itemId),
  )
  if (new Set([...known.values()].map(({ reason }) => reason)).size > 1)
    throw refusal('These are here for different reasons. Choose answers with one reason, and approve those together.')
  const policy = await reviewPolicyOf(viewer.workspaceId)
  const results: BulkResult[] = []
  for (const { itemId, contentHash: hash, decisionId } of items) {
    const kind = known.get(itemId)?.kind
    try {
      if (kind && !bulkKinds.includes(kind))
        throw refusal(
          'This one has to be decided by itself: only answers that were shown and taken as a sample or queued are approved together.',
        )
      const decision = { act: 'approve' as const, seen: [], ...(note ? { note } : {}) }
      const result = await decideWith(policy, viewer, { itemId, contentHash: hash, decisionId, decision })
      results.push({ itemId, result, refused: null })
    } catch (thrown) {
      const error = toAppError(thrown)
      // What is our own fault is no answer to one line of a list.
      if (error.code === 'internal') throw thrown
      results.push({ itemId, result: null, refused: error.publicMessage })
    }
  }
  return results
}
