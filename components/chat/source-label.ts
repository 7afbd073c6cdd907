/** A source in words: where in its document the passage stands. */
import type { Citation } from '#lib/shared/chat-contract.ts'

type Place = Pick<Citation, 'page' | 'headingPath'>

/** `page 14`, else the nearest heading, else nothing. */
export const placeOf = ({ page, headingPath }: Place): string =>
  page === null ? (headingPath.at(-1) ?? '') : `page ${page}`

/** For a card: `p. 14`. */
export const shortPlaceOf = ({ page, headingPath }: Place): string =>
  page === null ? (headingPath.at(-1) ?? '') : `p. ${page}`

/** The name of a chip: what is behind the number, and what is wrong with it if anything is. */
export const chipLabel = (citation: Citation): string => {
  const place = placeOf(citation)
  const state = citation.removed ? ', document deleted' : citation.supported ? '' : ', not supported as written'
  return `Source ${citation.n}: ${citation.title}${place ? `, ${place}` : ''}${state}`
}

/** `Supported 5 of 5`, or what is not. */
export const supportInWords = ({ total, supported }: { total: number; supported: number }): string =>
  supported === total ? `Supported ${supported} of ${total}` : `${total - supported} of ${total} not supported`
