/** Answers that are known to be wrong, put among the others to see whether they are found. */
import { database } from '#db/client.ts'
import { insertReviewItem, listCitedPassages, listSeedable, type ReviewItem } from '#db/queries/reviews.ts'
import { audit } from '#lib/audit.ts'
import { citationMarker } from '#lib/shared/chat-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import type { ReviewContent } from '#lib/shared/review-contract.ts'
import { can, type Viewer } from '#lib/shared/viewer.ts'
import { reviewPolicyOf } from './in-force.ts'
import { contentHash } from './open.ts'
import { claimsOf, passagesOf } from './recite.ts'

const seedsMax = 50
/** Looked through for answers in which something can be made wrong. */
const originalsMax = 200

type Flawed = Pick<ReviewContent, 'text' | 'citations'> & Pick<NonNullable<ReviewContent['seed']>, 'flaw' | 'words'>
type Original = Pick<ReviewContent, 'text' | 'citations'>

const pick = <One>(from: readonly One[], random: () => number): One | undefined =>
  from[Math.min(from.length - 1, Math.floor(random() * from.length))]

const replaceAt = (text: string, at: number, length: number, by: string): string =>
  text.slice(0, at) + by + text.slice(at + length)

/** Another number of the same length, so that it does not catch the eye. */
const otherNumber = (digits: string, random: () => number): string => {
  const at = digits.length === 1 ? 0 : Math.floor(random() * digits.length)
  const was = Number(digits[at])
  const step = 1 + Math.floor(random() * 8)
  const least = at === 0 ? 1 : 0
  return replaceAt(digits, at, 1, String(((was - least + step) % (10 - least)) + least))
}

const wrongNumber = ({ text, citations }: Original, random: () => number): Flawed | null => {
  const found = pick([...text.matchAll(/(?<![\d^[.])\d{1,9}(?![\d\]])/g)], random)
  if (!found) return null
  const [digits] = found
  const other = otherNumber(digits, random)
  return {
    text: replaceAt(text, found.index, digits.length, other),
    citations,
    flaw: 'number',
    words: `It said ${other} where the source says ${digits}.`,
  }
}

const turned = ({ text, citations }: Original, random: () => number): Flawed | null => {
  const denied = [...text.matchAll(/\b(is|are|was|were|must|may|can|shall|should|will|has|have) not\b/gi)]
  const said = [...text.matchAll(/\b(is|are|must|may|can|shall|should|will)\b(?! not|n['’]t)(?= \p{Ll})/giu)]
  const found = pick(denied.length > 0 ? denied : said, random)
  if (!found) return null
  const [whole, verb = whole] = found
  const now = denied.length > 0 ? verb : `${verb} not`
  return {
    text: replaceAt(text, found.index, whole.length, now),
    citations,
    flaw: 'negation',
    words: `It said “${now}” where the source says “${whole}”.`,
  }
}

/** Two citations of different passages change places: each then stands behind what the other says. */
const swapped = ({ text, citations }: Original): Flawed | null => {
  const used = [...text.matchAll(citationMarker)].map((marker) => Number(marker[1]))
  const [one, other] = used
    .flatMap((ordinal) => citations.find((citation) => citation.ordinal === ordinal) ?? [])
    .filter(({ chunkId }, at, all) => all.findIndex((citation) => citation.chunkId === chunkId) === at)
  if (!one || !other) return null
  const change = new Map([
    [one.ordinal, other.ordinal],
    [other.ordinal, one.ordinal],
  ])
  return {
    text: text.replace(citationMarker, (marker, ordinal: string) => {
      const now = change.get(Number(ordinal))
      return now ? `[^${now}]` : marker
    }),
    citations: citations.map((citation) => {
      const claim = citation === one ? other.claim : citation === other ? one.claim : citation.claim
      return { ...citation, claim }
    }),
    flaw: 'citation',
    words: `The sources [${one.n}] and [${other.n}] had changed places.`,
  }
}

/** Something wrong that a careful reader finds; null when the answer offers nothing to get wrong. Pure but for `random`. */
export const flawedCopy = (original: Original, random: () => number = Math.random): Flawed | null => {
  const ways = [wrongNumber, turned, swapped]
  const first = Math.floor(random() * ways.length)
  for (let i = 0; i < ways.length; i++) {
    const flawed = ways[(first + i) % ways.length]?.(original, random)
    if (flawed && flawed.text !== original.text) return flawed
  }
  return null
}

/**
 * Puts up to `count` (50) known errors among the reviews, made of answers that people have approved; how many were made. They have no
 * message and no asker sees them. For `review.manage`; others get `not-found`.
 */
export const seedReviews = async (
  viewer: Viewer,
  count: number,
  random: () => number = Math.random,
): Promise<number> => {
  if (!can(viewer, 'review.manage')) throw new AppError('not-found')
  const { slaMinutes, holdMinutes } = await reviewPolicyOf(viewer.workspaceId)
  return database().db.transaction(async (tx) => {
    const made: { original: ReviewItem; flawed: Flawed }[] = []
    for (const original of await listSeedable(tx, viewer, originalsMax)) {
      if (made.length >= Math.min(count, seedsMax)) break
      const flawed = flawedCopy(original.content, random)
      if (flawed) made.push({ original, flawed })
    }
    const cited = await listCitedPassages(
      tx,
      viewer,
      made.flatMap(({ flawed }) => flawed.citations),
    )
    for (const { original, flawed } of made) {
      const { text, citations, flaw } = flawed
      const item = seedOf(original, flawed, await claimsOf(text, citations, passagesOf(citations, cited)))
      await insertReviewItem(tx, { ...item, slaMinutes, holdMinutes })
      await audit(tx, { actor: viewer, event: 'review.seeded', objectId: item.id, details: { flaw } })
    }
    return made.length
  })
}

/** Like any other item, but for its message. */
const seedOf = (original: ReviewItem, flawed: Flawed, claims: ReviewContent['claims']) => {
  const { content, decidedBy } = original
  const { text, citations, flaw, words } = flawed
  return {
    id: newId(),
    workspaceId: original.workspaceId,
    kind: original.kind,
    messageId: null,
    chatId: original.chatId,
    askerId: original.askerId,
    traceId: original.traceId,
    question: original.question,
    content: { ...content, text, citations, claims, seed: { itemId: original.id, decidedBy, flaw, words } },
    contentHash: contentHash({ text, citations }),
    reasons: original.reasons,
    reason: original.reason,
    risk: original.risk,
    confidence: original.confidence,
    collectionIds: original.collectionIds,
    held: original.held,
    seeded: true,
    policyVersion: original.policyVersion,
  }
}
