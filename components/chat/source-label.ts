/** A source in words: where in its document the passage stands. */
import type { Citation } from '#lib/shared/chat-contract.ts'
import { type NumberedPlace, pageInWords, shortPageInWords } from '#lib/shared/page-unit.ts'
import { shownName } from '#lib/shared/shown-name.ts'

type Place = NumberedPlace & Pick<Citation, 'headingPath'>

/** `page 14`, `slide 3 of 12`, else the nearest heading, else nothing. */
export const placeOf = (place: Place, pages: number | null = null): string =>
  pageInWords(place, pages) || (place.headingPath.at(-1) ?? '')

/** For a card: `p. 14`. */
export const shortPlaceOf = (place: Place): string => shortPageInWords(place) || (place.headingPath.at(-1) ?? '')

/** As it stands at the beginning of a line. */
export const capitalised = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`

/** What became of a document that cannot be opened any more. */
export const goneInWords = ({ closed }: Pick<Citation, 'closed'>): string =>
  closed ? 'no longer open to you' : 'document deleted'

/** The name of a chip: what is behind the number, and what is wrong with it if anything is. */
export const chipLabel = (citation: Citation): string => {
  const place = placeOf(citation)
  const state = citation.removed ? `, ${goneInWords(citation)}` : citation.supported ? '' : ', not supported as written'
  return `Source ${citation.n}: ${shownName(citation.title)}${place ? `, ${place}` : ''}${state}`
}

/** `Supported 5 of 5`, or what is not. */
export const supportInWords = ({ total, supported }: { total: number; supported: number }): string =>
  supported === total ? `Supported ${supported} of ${total}` : `${total - supported} of ${total} not supported`
