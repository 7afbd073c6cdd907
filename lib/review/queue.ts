/** The queue: what waits for this reviewer, whose turn it is, and who has it now. */
import { z } from 'zod'
import { database, type Executor, type Tx } from '#db/client.ts'
import { insertNotifications } from '#db/queries/notifications.ts'
import {
  assignItem,
  claimItem,
  claimNextItem,
  countClaims,
  insertComment,
  listActiveReviewers,
  listNamesOfCollections,
  listOpenGroups,
  listOpenToEach,
  lockClaims,
  releaseItem,
  saveDraft,
} from '#db/queries/reviews.ts'
import { countOpenReviews, listReviewRows, type QueuePlace } from '#db/reports/reviews.ts'
import { audit } from '#lib/audit.ts'
import { AppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import {
  editCharsMax,
  noteCharsMax,
  type ReviewFilter,
  type ReviewPage,
  type ReviewPerson,
  type UnreachableReviews,
} from '#lib/shared/review-contract.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'
import { reviewPolicyOf } from './in-force.ts'
import { conflict, holderWords, openItem, refusal, reviewableItem } from './standing.ts'

const pageSize = 50
/** Who takes up more than they work on keeps them from others. */
const claimsMax = 5

const momentPattern = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d$/
const isMoment = (text: string): boolean =>
  momentPattern.test(text) && !Number.isNaN(Date.parse(`${text.replace(' ', 'T')}:00`))
const cursorSchema = z.tuple([z.enum(['due', 'risk', 'age']), z.string(), z.uuid()])

const cursorOf = (order: ReviewFilter['order'], { value, id }: QueuePlace): string =>
  Buffer.from(JSON.stringify([order, value, id])).toString('base64url')

const placeOf = ({ order, after }: ReviewFilter): QueuePlace | null => {
  if (after === undefined) return null
  try {
    const [by, value, id] = cursorSchema.parse(JSON.parse(Buffer.from(after, 'base64url').toString()))
    if (by === order && (order === 'risk' ? /^\d{1,3}$/.test(value) : isMoment(value))) return { value, id }
  } catch {
    // Refused below like any other.
  }
  throw refusal('That place in the list is none. Begin at the top again.')
}

/** A page of the open items that the viewer may decide on. Throws `bad-request` for a cursor that is none. */
export const listQueue = async (viewer: Viewer, filter: ReviewFilter): Promise<ReviewPage> => {
  const place = placeOf(filter)
  const { next, ...page } = await listReviewRows(database().db, viewer, filter, { place, limit: pageSize })
  return { ...page, next: next && cursorOf(filter.order, next) }
}

/** How many answers wait for this viewer, counted up to `reviewTotalMax`: `total` of the whole queue without reading its rows. */
export const countOpen = (viewer: Viewer): Promise<number> => countOpenReviews(database().db, viewer)

const reviewersOf = async (db: Executor, { workspaceId }: Pick<Viewer, 'workspaceId'>) => {
  const people = await listActiveReviewers(db, workspaceId)
  const open = await listOpenToEach(db, workspaceId, people)
  return (asked: { collectionIds: readonly string[]; askerId: string | null }): ReviewPerson[] =>
    people.flatMap(({ id, name }) =>
      id !== asked.askerId && asked.collectionIds.every((collection) => open.get(id)?.has(collection))
        ? [{ id, name }]
        : [],
    )
}

/** Open items that no reviewer may open. For `review.manage`; others get `not-found`. */
export const listUnreachable = async (viewer: Viewer): Promise<UnreachableReviews> => {
  if (!can(viewer, 'review.manage')) throw new AppError('not-found')
  const { db } = database()
  const [groups, who] = await Promise.all([listOpenGroups(db, viewer.workspaceId), reviewersOf(db, viewer)])
  const stuck = groups.filter((group) => who(group).length === 0)
  const names = await listNamesOfCollections(db, viewer.workspaceId, [
    ...new Set(stuck.flatMap(({ collectionIds }) => collectionIds)),
  ])
  const named = stuck.map(({ collectionIds, items, held, oldest }) => ({
    collections: collectionIds.map((id) => names.get(id) ?? 'a collection that was deleted').sort(),
    items,
    held,
    oldest: oldest.toISOString(),
  }))
  return { total: named.reduce((sum, { items }) => sum + items, 0), groups: named }
}

/** A hold on one item for ten minutes by the database's clock. */
export type Claim = { itemId: string; until: string }

const tooMany = () =>
  conflict(`You have ${claimsMax} answers taken up already. Decide on one of them or put one back, and take the next.`)

const claimIn = async (tx: Tx, viewer: Viewer, itemId: string, takeOver: boolean): Promise<Claim> => {
  await lockClaims(tx, viewer)
  const before = await openItem(tx, viewer, itemId)
  const others = holderWords(before, viewer)
  if (others && !takeOver) throw conflict(others)
  if ((await countClaims(tx, viewer, itemId)) >= claimsMax) throw tooMany()
  const claimed = await claimItem(tx, viewer, itemId, { evenFromOthers: takeOver })
  if (!claimed) {
    // Another was faster, between the look and the claim.
    const now = await openItem(tx, viewer, itemId)
    throw conflict(holderWords(now, viewer) ?? 'Somebody else took this up at the same moment.')
  }
  const isNew = !before.claimed || before.item.claimedBy !== viewer.userId
  if (isNew)
    await audit(tx, {
      actor: viewer,
      event: 'review.claimed',
      objectId: itemId,
      details: others ? { takenFrom: before.item.claimedBy } : {},
    })
  return { itemId, until: claimed.until.toISOString() }
}

/**
 * Takes an item up. `takeOver` (review.manage) takes it from who has it. Throws `not-found`, `forbidden` for the viewer's own
 * question, `conflict` when another has it (who, until when), when it is decided, or over five claims at once.
 */
export const claimReview = async (
  viewer: Viewer,
  itemId: string,
  { takeOver = false }: { takeOver?: boolean } = {},
): Promise<Claim> => {
  if (takeOver && !can(viewer, 'review.manage')) throw new AppError('not-found')
  return database().db.transaction((tx) => claimIn(tx, viewer, itemId, takeOver))
}

/**
 * Takes up the next free item that the filter meets, in its order and without those of `except`; null: there is none. Known errors are
 * mixed in by the policy's share, while there are any. Throws `conflict` over five claims at once.
 */
export const claimNext = async (
  viewer: Viewer,
  filter: ReviewFilter,
  { except = [], random = Math.random }: { except?: readonly string[]; random?: () => number } = {},
): Promise<Claim | null> => {
  const { seedShare } = await reviewPolicyOf(viewer.workspaceId)
  return database().db.transaction(async (tx) => {
    await lockClaims(tx, viewer)
    if ((await countClaims(tx, viewer)) >= claimsMax) throw tooMany()
    const claimed = await claimNextItem(tx, viewer, { filter, seeded: random() < seedShare, except })
    if (!claimed) return null
    await audit(tx, { actor: viewer, event: 'review.claimed', objectId: claimed.id })
    return { itemId: claimed.id, until: claimed.until.toISOString() }
  })
}

/** Another ten minutes. Throws `conflict` when another has it by now, or it is decided. */
export const renewClaim = async (viewer: Viewer, itemId: string): Promise<Claim> =>
  database().db.transaction(async (tx) => {
    const state = await openItem(tx, viewer, itemId)
    const claimed = state.item.claimedBy === viewer.userId ? await claimItem(tx, viewer, itemId) : undefined
    if (!claimed)
      throw conflict(
        holderWords(state, viewer) ??
          'You do not have this taken up any more. What you wrote is kept: take it up again.',
      )
    return { itemId, until: claimed.until.toISOString() }
  })

/** Lets go of it; twice is once. */
export const releaseClaim = (viewer: Viewer, itemId: string): Promise<void> =>
  releaseItem(database().db, viewer, itemId)

/** Who may review this item: for a hand-over, an expert's view, a mention. Throws as `loadReview`. */
export const listReviewers = async (viewer: Viewer, itemId: string): Promise<ReviewPerson[]> => {
  const { db } = database()
  const { item } = await reviewableItem(db, viewer, itemId)
  return (await reviewersOf(db, viewer))(item)
}

const linkTo = (itemId: string): string => `/review/${itemId}`

const checked = (text: string, charsMax: number, what: string): string => {
  const said = text.normalize('NFC').trim()
  if (!said) throw refusal(`${what} is empty. Type at least one character.`)
  if (said.length > charsMax)
    throw refusal(`${what} is too long. Shorten it to ${charsMax.toLocaleString('en')} characters.`)
  return said
}

const commentIn = async (
  tx: Tx,
  viewer: Viewer,
  { itemId, text, mentions }: { itemId: string; text: string; mentions: readonly string[] },
): Promise<string> => {
  const { userId, workspaceId } = viewer
  const id = newId()
  await insertComment(tx, { id, workspaceId, itemId, authorId: userId, text, mentions: [...mentions] })
  await audit(tx, { actor: viewer, event: 'review.commented', objectId: itemId, details: { commentId: id, mentions } })
  return id
}

/** Adds a comment; who is mentioned is told. Throws as `loadReview`, and `bad-request` when a mentioned person may not review it. */
export const commentReview = async (
  viewer: Viewer,
  itemId: string,
  text: string,
  mentions: readonly string[] = [],
): Promise<{ id: string }> => {
  const said = checked(text, noteCharsMax, 'The comment')
  const wanted = [...new Set(mentions)]
  return database().db.transaction(async (tx) => {
    const { item } = await reviewableItem(tx, viewer, itemId)
    const may = new Set(wanted.length > 0 ? (await reviewersOf(tx, viewer))(item).map(({ id }) => id) : [])
    if (!wanted.every((id) => may.has(id)))
      throw refusal(
        'Somebody whom you mention may not review this answer: mention people who read its collections and decide on answers.',
      )
    const id = await commentIn(tx, viewer, { itemId, text: said, mentions: wanted })
    await insertNotifications(
      tx,
      wanted.flatMap((userId) =>
        userId === viewer.userId
          ? []
          : [
              {
                workspaceId: viewer.workspaceId,
                userId,
                kind: 'review.mentioned',
                words: `${viewer.name} mentions you beside an answer under review.`,
                link: linkTo(itemId),
              },
            ],
      ),
    )
    return { id }
  })
}

const handOnIn = async (
  tx: Tx,
  viewer: Viewer,
  { itemId, userId, words }: { itemId: string; userId: string; words: string },
): Promise<void> => {
  const state = await openItem(tx, viewer, itemId)
  const others = holderWords(state, viewer)
  if (others && !can(viewer, 'review.manage')) throw conflict(others)
  const to = (await reviewersOf(tx, viewer))(state.item).find(({ id }) => id === userId)
  if (!to)
    throw refusal(
      'That person may not decide on this answer: it takes a reviewer who reads its collections and did not ask it.',
    )
  if (!(await assignItem(tx, itemId, userId))) throw conflict('This was decided a moment ago.')
  await audit(tx, { actor: viewer, event: 'review.handed-on', objectId: itemId, details: { to: userId } })
  const { workspaceId } = viewer
  await insertNotifications(tx, [{ workspaceId, userId, kind: 'review.assigned', words, link: linkTo(itemId) }])
}

/** Gives the item to another reviewer, who is told. Throws as `claimReview`, and `bad-request` when that person may not decide on it. */
export const handOn = (viewer: Viewer, itemId: string, userId: string): Promise<void> =>
  database().db.transaction((tx) =>
    handOnIn(tx, viewer, { itemId, userId, words: `${viewer.name} hands you an answer to decide on.` }),
  )

/** The same with a question, which stays as a comment. An expert is somebody who decides on answers: make them a reviewer first. */
export const askExpert = (viewer: Viewer, itemId: string, userId: string, words: string): Promise<void> => {
  const text = checked(words, noteCharsMax, 'The question')
  return database().db.transaction(async (tx) => {
    await handOnIn(tx, viewer, {
      itemId,
      userId,
      words: `${viewer.name} asks what you think of an answer under review.`,
    })
    await commentIn(tx, viewer, { itemId, text, mentions: [userId] })
  })
}

/** Keeps what the viewer is writing; it outlives their session and their claim, and goes with the decision. Throws as `claimReview`. */
export const saveReviewDraft = async (
  viewer: Viewer,
  itemId: string,
  { text, note }: { text: string; note: string },
): Promise<{ updatedAt: string }> => {
  if (text.length > editCharsMax || note.length > noteCharsMax)
    throw refusal(`That is too long to keep. Shorten the answer to ${editCharsMax.toLocaleString('en')} characters.`)
  return database().db.transaction(async (tx) => {
    await openItem(tx, viewer, itemId)
    const updatedAt = await saveDraft(tx, { itemId, userId: viewer.userId, text, note })
    if (!updatedAt) throw conflict('This was decided a moment ago.')
    return { updatedAt: updatedAt.toISOString() }
  })
}
