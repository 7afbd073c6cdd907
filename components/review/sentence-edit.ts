/** An answer as its sentences, so that one can be edited alone. Pure. */
import { type Citation, citationMarker } from '#lib/shared/chat-contract.ts'
import type { ReviewClaim } from '#lib/shared/review-contract.ts'
import { wordDiff } from './word-diff.ts'

/** `sentences[i]` belongs to the claim at `i`, with the markers that follow it; `gaps` stand before, between and after them. */
export type SentenceCut = { sentences: string[]; gaps: string[] }

/** Cuts the text with its markers at the claims; nothing of it is lost: gaps and sentences make it up again. */
export const cutSentences = (text: string, claims: readonly Pick<ReviewClaim, 'start' | 'end'>[]): SentenceCut => {
  const sentences: string[] = []
  const gaps: string[] = []
  let at = 0
  for (const { start, end } of claims) {
    const from = Math.min(Math.max(at, start), text.length)
    const named = text.slice(0, Math.max(from, end))
    const to = named.length + (/^(?:[^\S\n]*\[\^\d{1,4}\])*/.exec(text.slice(named.length))?.[0].length ?? 0)
    gaps.push(text.slice(at, from))
    sentences.push(text.slice(from, to))
    at = to
  }
  gaps.push(text.slice(at))
  return { sentences, gaps }
}

/** The whole text with `sentences` in their places; a sentence that is empty takes the space before it along. */
export const joinSentences = (gaps: readonly string[], sentences: readonly string[]): string =>
  gaps.reduce((text, gap, at) => {
    const sentence = sentences[at]
    if (sentence === undefined) return `${text}${gap}`
    return sentence === '' ? `${text}${gap.trimEnd()}` : `${text}${gap}${sentence}`
  }, '')

/**
 * The sentences of a draft that was kept as one text, found by what differs; null where it cannot be told which sentence a change
 * belongs to, so that the draft is edited as a whole.
 */
export const sentencesOfDraft = ({ sentences, gaps }: SentenceCut, draft: string): string[] | null => {
  const original = joinSentences(gaps, sentences)
  const bounds: { from: number; to: number }[] = []
  let at = 0
  sentences.forEach((sentence, i) => {
    at += gaps[i]?.length ?? 0
    bounds.push({ from: at, to: at + sentence.length })
    at += sentence.length
  })
  const edited = sentences.map(() => '')
  let place = 0
  for (const { kind, text } of wordDiff(original, draft)) {
    if (kind === 'added') {
      const owner = bounds.findLastIndex(({ from }) => from <= place)
      if (owner < 0) return null
      edited[owner] += text
      continue
    }
    if (kind === 'same')
      bounds.forEach(({ from, to }, i) => {
        const [start, end] = [Math.max(from, place), Math.min(to, place + text.length)]
        if (start < end) edited[i] += original.slice(start, end)
      })
    place += text.length
  }
  return joinSentences(gaps, edited) === draft ? edited : null
}

type TextPiece = { text: string } | { ordinal: number }

const listMark = /^\s*(?:[-*+•]|\d{1,3}[.)])(?=\s|$)\s*/

/** Without the mark that makes it an entry of a list, for showing it alone. */
export const withoutListMark = (text: string): string => text.replace(listMark, '')

/** Without the marks of its sources, for who reads them elsewhere. */
export const withoutMarkers = (text: string): string => text.replace(citationMarker, '')

/** What stands between two sentences and says something; empty where it is only marks and space. */
export const wordsOfGap = (gap: string): string => {
  const said = withoutMarkers(gap).split('\n').map(withoutListMark).join(' ').replace(/\s+/g, ' ').trim()
  return /[\p{L}\p{N}]{2}/u.test(said) ? said : ''
}

/** `[^3] is source 2`: what the markers in `text` are called on their chips, where that is another number; empty where none is. */
export const markerLegend = (text: string, citations: ReadonlyMap<number, Pick<Citation, 'n'>>): string => {
  const ordinals = new Set([...text.matchAll(citationMarker)].map(([, ordinal]) => Number(ordinal)))
  return [...ordinals]
    .flatMap((ordinal) => {
      const n = citations.get(ordinal)?.n
      return n === undefined || n === ordinal ? [] : [`[^${ordinal}] is source ${n}`]
    })
    .join(', ')
}

/** A sentence as words and markers in turn, for drawing. */
export const piecesOfSentence = (text: string): TextPiece[] => {
  const pieces: TextPiece[] = []
  let at = 0
  for (const match of text.matchAll(citationMarker)) {
    if (match.index > at) pieces.push({ text: text.slice(at, match.index) })
    pieces.push({ ordinal: Number(match[1]) })
    at = match.index + match[0].length
  }
  if (at < text.length) pieces.push({ text: text.slice(at) })
  return pieces
}
