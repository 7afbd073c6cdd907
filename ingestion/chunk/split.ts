/** Cuts one block that is too large at the best place there is: paragraphs, lines, sentences, words, and only then characters. */
import { setImmediate } from 'node:timers/promises'
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters'
import { estimateTokens, type Span } from '#lib/shared/text.ts'

const separators = ['\n\n', '\n', '. ', '! ', '? ', '。', '; ', ', ', ' ', '']

/** The splitter gets no more than this at once: it does not yield, and a single line may be the whole file. */
const stretchChars = 8_000
/** How far back from there a better place to cut is looked for. */
const lookBackChars = 2_000

/** An offset at or after `at` that does not divide a character outside the Basic Multilingual Plane. */
const wholeCharacter = (text: string, at: number): number => ((text.codePointAt(at - 1) ?? 0) > 0xffff ? at + 1 : at)

/** Stretches that together are `text`, each small enough to be worked on without letting others wait. */
export const stretchesOf = (text: string): Span[] => {
  const stretches: Span[] = []
  let start = 0
  while (text.length - start > stretchChars) {
    const window = text.slice(start + stretchChars - lookBackChars, start + stretchChars)
    const best = separators.slice(0, -1).find((separator) => window.includes(separator))
    const end = best
      ? start + stretchChars - lookBackChars + window.lastIndexOf(best) + best.length
      : wholeCharacter(text, start + stretchChars)
    stretches.push({ start, end })
    start = end
  }
  stretches.push({ start, end: text.length })
  return stretches
}

const splitStretch = async (text: string, splitter: RecursiveCharacterTextSplitter): Promise<Span[]> => {
  const pieces: Span[] = []
  let from = 0
  let searched = 0
  for (const piece of await splitter.splitText(text)) {
    // The splitter trims and may join pieces with a separator of its own: what it gives is looked for, and taken to its end.
    const found = text.indexOf(piece, searched)
    if (found < 0) continue
    if (/\S/.test(text.slice(from, found))) pieces.push({ start: from, end: found })
    searched = found + piece.length
    const end = wholeCharacter(text, searched)
    pieces.push({ start: Math.max(found, from), end })
    from = end
  }
  if (/\S/.test(text.slice(from))) pieces.push({ start: from, end: text.length })
  return pieces
}

/** Pieces of `text` of at most `tokensMax` tokens each, as offsets; together they hold all of it but white space. */
export const splitOversize = async (text: string, tokensMax: number): Promise<Span[]> => {
  if (text.length <= stretchChars && estimateTokens(text) <= tokensMax) return [{ start: 0, end: text.length }]
  const splitter = new RecursiveCharacterTextSplitter({
    chunkSize: tokensMax,
    chunkOverlap: 0,
    lengthFunction: estimateTokens,
    separators,
  })
  const pieces: Span[] = []
  for (const { start, end } of stretchesOf(text)) {
    if (pieces.length > 0) await setImmediate()
    for (const piece of await splitStretch(text.slice(start, end), splitter))
      pieces.push({ start: start + piece.start, end: start + piece.end })
  }
  return pieces
}
