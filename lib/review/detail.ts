/** One item as the desk shows it: the claims beside their passages, what was said before, what others thought of it. */
import { database } from '#db/client.ts'
import { asReadable } from '#db/queries/chats.ts'
import { listSourceStates, type ReviewItem } from '#db/queries/reviews.ts'
import {
  type DecidedQuestion,
  type EarlierMessage,
  getReview,
  getReviewDraft,
  listDecidedQuestions,
  listEarlier,
  listOpenCollections,
  listReviewComments,
} from '#db/reports/reviews.ts'
import { citationMarker, withPlainMarkers } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import {
  type EditCheck,
  type ReviewDetail,
  type ReviewReasonKind,
  type ReviewTurn,
  type SimilarDecision,
  shutReviewWords,
} from '#lib/shared/review-contract.ts'
import { contentWords } from '#lib/shared/text.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'
import { recite } from './recite.ts'
import { closedSources, endWords, holderWords, refuseOwn } from './standing.ts'

const turnsMax = 12
const decidedLookedAt = 400
const similarMax = 5
/** Share of words that two questions have in common, from which one helps with the other. */
const similarFrom = 0.34

const closedTurn = 'An earlier answer, from documents that you cannot open.'

/** The turns as they were said; an answer from a collection that the reviewer cannot open, or that does not say from which, is not. */
const turnsOf = (earlier: readonly EarlierMessage[], open: ReadonlySet<string>): ReviewTurn[] =>
  earlier.flatMap(({ role, text, metadata }) => {
    const said = text.replace(citationMarker, '').trim()
    if (!said) return []
    const readable = role === 'user' || (metadata.collectionIds?.every((id) => open.has(id)) ?? false)
    return [{ role, text: readable ? said : closedTurn }]
  })

/** The decided questions that share most of their words with this one. */
const similarTo = (question: string, decided: readonly DecidedQuestion[]): SimilarDecision[] => {
  const asked = new Set(contentWords(question))
  return decided
    .map((one) => {
      const words = new Set(contentWords(one.question))
      const shared = [...words].filter((word) => asked.has(word)).length
      return { one, likeness: shared / Math.max(1, asked.size + words.size - shared) }
    })
    .filter(({ likeness }) => likeness >= similarFrom)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, similarMax)
    .map(({ one: { id, question: theirs, state, reason, decidedAt, by } }) => ({
      id,
      question: theirs,
      state,
      reason: reason as ReviewReasonKind,
      decidedAt: decidedAt?.toISOString() ?? '',
      by,
    }))
}

const sourceStatesOf = (viewer: Viewer, { content, askerId }: Pick<ReviewItem, 'content' | 'askerId'>) =>
  listSourceStates(database().db, viewer, {
    documentIds: [...content.sources, ...content.citations].map(({ documentId }) => documentId),
    askerId,
  })

const load = async (viewer: Viewer, itemId: string) => {
  const found = await getReview(database().db, viewer, itemId)
  if (!found) throw new AppError('not-found')
  const { row, item, decidedBy } = found
  const state = { item, decidedBy, holder: row.claimedBy?.name ?? null, claimed: row.claimedBy !== null }
  refuseOwn(state, viewer)
  const sources = await sourceStatesOf(viewer, item)
  // Moved or switched off since: what was written from it is not for this reviewer.
  const shut = sources.find(({ there, openToReviewer }) => there && !openToReviewer)
  if (shut) throw new AppError('forbidden', { message: shutReviewWords.source })
  return { row, state, sources }
}

/** Open or decided. Throws `not-found`; `forbidden` in words for an answer to the viewer's own question, or from what is closed to them. */
export const loadReview = async (viewer: Viewer, itemId: string): Promise<ReviewDetail> => {
  const { db } = database()
  const { row, state, sources } = await load(viewer, itemId)
  const { item, decidedBy } = state
  const { content, messageId, decidedAt, decision } = item
  // A known error has no message of its own: it shows what was said before the answer that it is made of.
  const [citations, earlier, open, comments, decided, draft] = await Promise.all([
    asReadable(db, viewer, content.citations),
    messageId
      ? listEarlier(db, messageId, turnsMax)
      : content.seed
        ? listEarlierOfSeed(viewer, content.seed.itemId)
        : [],
    listOpenCollections(db, viewer),
    listReviewComments(db, itemId),
    listDecidedQuestions(db, viewer, { except: content.seed?.itemId ?? itemId, limit: decidedLookedAt }),
    getReviewDraft(db, viewer, itemId),
  ])
  return {
    ...row,
    state: item.state,
    reasons: item.reasons,
    contentHash: item.contentHash,
    text: content.text,
    citations,
    claims: content.claims,
    // Their quotes stand in no citation, so that nothing else takes out those of a document that is gone.
    ...(content.contradictions && sources.every(({ there }) => there)
      ? { contradictions: content.contradictions }
      : {}),
    conversation: turnsOf(earlier, open),
    comments,
    similar: similarTo(item.question, decided),
    draft,
    traceId: can(viewer, 'trace.read') ? item.traceId : null,
    decided: decidedAt && decision ? { at: decidedAt.toISOString(), by: decidedBy, decision } : null,
    cannot: endWords(state) ?? holderWords(state, viewer),
    cannotApprove: closedSources(sources, { citations: content.citations, seeded: item.seeded })[0]?.words ?? null,
  }
}

const listEarlierOfSeed = async (viewer: Viewer, itemId: string): Promise<EarlierMessage[]> => {
  const { db } = database()
  const origin = await getReview(db, viewer, itemId)
  return origin?.item.messageId ? listEarlier(db, origin.item.messageId, turnsMax) : []
}

/** What an edit would become, for the desk's live check. Throws as `loadReview`. */
export const checkEdit = async (viewer: Viewer, itemId: string, text: string): Promise<EditCheck> => {
  const { db } = database()
  const {
    state: { item },
    sources,
  } = await load(viewer, itemId)
  const { content, seeded } = item
  const { problems, citations, ...edited } = await recite(db, viewer, content, text)
  const cited = new Set(citations.map(({ documentId }) => documentId))
  const closed = closedSources(sources, { citations: content.citations, seeded }).filter(({ documentId }) =>
    cited.has(documentId),
  )
  return {
    ...edited,
    citations: await asReadable(db, viewer, citations),
    problems: [...problems, ...closed.map(({ words }) => `${words} Take out what cites it.`)],
    before: withPlainMarkers(content.text, content.citations),
    after: withPlainMarkers(edited.text, citations),
  }
}
