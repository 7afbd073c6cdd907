/** What the numbered parts of a document are called: pages of paper, slides of a show. A picture is one piece and counts nothing. */

type PageUnit = 'page' | 'slide'

/** Where a passage stands. `mediaType` is null when only the document is known; `page` counts from 1. */
export type NumberedPlace = { mediaType: string | null; page: number | null }

/** Null for what has no parts to count. */
const pageUnit = (mediaType: string | null): PageUnit | null => {
  if (mediaType?.startsWith('image/')) return null
  return mediaType?.endsWith('.presentation') ? 'slide' : 'page'
}

/** `page 14`, `slide 3`; of all of them where their number is known: `page 14 of 62`. Empty without a number to name. */
export const pageInWords = ({ mediaType, page }: NumberedPlace, pages: number | null = null): string => {
  const unit = pageUnit(mediaType)
  return unit === null || page === null ? '' : `${unit} ${page}${pages ? ` of ${pages}` : ''}`
}

/** Where there is little room: `p. 14`, `slide 3`. */
export const shortPageInWords = (place: NumberedPlace): string => pageInWords(place).replace(/^page /, 'p. ')
