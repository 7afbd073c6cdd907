/** What a file says of itself, made fit to be shown: files say all kinds of things. */
import type { ParsedDocument } from './parsed-document.ts'

const charsMax = 200
const yearMin = 1_900
const yearMax = 2_200

/** One line without control characters, at most 200 characters; null when nothing is left. */
export const cleanLine = (value: unknown): string | null => {
  if (typeof value !== 'string') return null
  const line = value
    .slice(0, charsMax * 10)
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim()
    .slice(0, charsMax)
  return line.toWellFormed() || null
}

/** As 2026-11-21: of ISO dates, of PDF's `D:20261121…`, and of what JavaScript reads; null for what is no day. */
const dayOf = (value: unknown): string | null => {
  const line = cleanLine(value)
  if (!line) return null
  const [, year, month, day] = /^(?:D:)?(\d{4})-?(\d{2})-?(\d{2})/.exec(line) ?? []
  const time = year ? Date.UTC(Number(year), Number(month) - 1, Number(day)) : Date.parse(`${line} UTC`)
  if (!Number.isFinite(time)) return null
  const date = new Date(time)
  if (date.getUTCFullYear() < yearMin || date.getUTCFullYear() > yearMax) return null
  const iso = date.toISOString().slice(0, 10)
  // The thirtieth of February is the first of March to JavaScript and nothing to us.
  return year && iso !== `${year}-${month}-${day}` ? null : iso
}

/** To be spread into a parsed document: empty when the file says nothing of use. */
export const metaOf = (said: { author?: unknown; date?: unknown }): Pick<ParsedDocument, 'meta'> => {
  const author = cleanLine(said.author)
  const date = dayOf(said.date)
  return author || date ? { meta: { ...(author ? { author } : {}), ...(date ? { date } : {}) } } : {}
}
