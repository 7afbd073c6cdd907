/** What the numbered parts of a document are called: pages of paper, slides of a show. A picture is one piece and counts nothing. */

type PageUnit = 'page' | 'slide'

/** Where a passage stands. `mediaType` is null when only the document is known; `page` counts from 1, `pageTo` is where it ends. */
export type NumberedPlace = { mediaType: string | null; page: number | null; pageTo?: number | null }

/** Null for what has no parts to count. */
const pageUnit = (mediaType: string | null): PageUnit | null => {
  if (mediaType?.startsWith('image/')) return null
  return mediaType?.endsWith('.presentation') ? 'slide' : 'page'
}

/**
 * `page 14`, `slide 3`, `pages 14 to 16`; of all of them where their number is known: `page 14 of 62`. Empty without a number to
 * name. Everything that names a page to a person goes through here.
 */
export const pageInWords = ({ mediaType, page, pageTo }: NumberedPlace, pages: number | null = null): string => {
  const unit = pageUnit(mediaType)
  if (unit === null || page === null) return ''
  const numbers = pageTo == null || pageTo === page ? `${unit} ${page}` : `${unit}s ${page} to ${pageTo}`
  return `${numbers}${pages ? ` of ${pages}` : ''}`
}

/** Where there is little room: `p. 14`, `slide 3`. */
export const shortPageInWords = (place: NumberedPlace): string => pageInWords(place).replace(/^page /, 'p. ')
