/** Text as the product cuts it: sentences with offsets, content words, a token estimate. Pure and the same in browser and server. */

export type Span = { start: number; end: number }

const abbreviations =
  /(?:^|[\s(])(?:Dr|Mr|Mrs|Ms|Prof|St|No|Nos|Fig|Figs|Art|Sec|vs|etc|approx|e\.g|i\.e|cf|p|pp|ca|incl|max|min|Inc|Ltd|Co|Jr|Sr)\.\s*$/i

/** Ends of sentences inside one paragraph; `Intl.Segmenter` breaks after "Dr." and "e.g.", so such pieces are joined again. */
const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

/** Sentences of `text` with their offsets; line breaks that separate blocks always end one. Surrounding space is not included. */
export const sentences = (text: string): Span[] => {
  const found: Span[] = []
  for (const line of text.matchAll(/[^\n]+/g)) {
    let open: Span | null = null
    for (const { segment, index } of segmenter.segment(line[0])) {
      const start = line.index + index
      open = open ? { start: open.start, end: start + segment.length } : { start, end: start + segment.length }
      const soFar = text.slice(open.start, open.end)
      if (abbreviations.test(soFar)) continue
      found.push(open)
      open = null
    }
    if (open) found.push(open)
  }
  return found.flatMap(({ start, end }) => {
    const raw = text.slice(start, end)
    const trimmed = raw.trim()
    if (!trimmed) return []
    const lead = raw.indexOf(trimmed)
    return [{ start: start + lead, end: start + lead + trimmed.length }]
  })
}

const stopWords = new Set(
  'a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it its may me my no not of on or our she should so such than that the their them then there these they this those to up us was we were what when where which while who whom why will with would you your'.split(
    ' ',
  ),
)

/** What a person typed, as it is kept: normalised and trimmed, without the NUL that PostgreSQL refuses. */
export const storable = (text: string): string => text.replaceAll('\0', '').normalize('NFC').trim()

/** Lower-case words and numbers that carry meaning; a light plural fold so that "days" meets "day". */
export const contentWords = (text: string): string[] =>
  (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+(?:[.,'’-][\p{L}\p{N}]+)*/gu) ?? []
  )
    .filter((word) => !stopWords.has(word))
    .map((word) => (word.length > 3 && word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word))

/** About how many model tokens a text has: four characters each in Latin script, one each in scripts without spaces. Errs high. */
export const estimateTokens = (text: string): number => {
  const dense =
    text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu)?.length ?? 0
  return Math.ceil((text.length - dense) / 3.6 + dense)
}

/** Cuts at a word, with an ellipsis, so that the result has at most `charsMax` characters. */
export const truncate = (text: string, charsMax: number): string => {
  if (text.length <= charsMax) return text
  const cut = text.slice(0, charsMax - 1)
  const space = cut.lastIndexOf(' ')
  return `${(space > charsMax * 0.6 ? cut.slice(0, space) : cut).trimEnd()}…`
}
