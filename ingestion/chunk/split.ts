/** Cuts one block that is too large at the best place there is: paragraphs, lines, sentences, words, and only then characters. */
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters'
import { estimateTokens } from '#lib/shared/text.ts'

const separators = ['\n\n', '\n', '. ', '! ', '? ', '。', '; ', ', ', ' ', '']

/** Pieces of `text` of at most `tokensMax` tokens each, as offsets; together they hold all of it but white space. */
export const splitOversize = async (text: string, tokensMax: number): Promise<{ start: number; end: number }[]> => {
  if (estimateTokens(text) <= tokensMax) return [{ start: 0, end: text.length }]
  const splitter = new RecursiveCharacterTextSplitter({
    chunkSize: tokensMax,
    chunkOverlap: 0,
    lengthFunction: estimateTokens,
    separators,
  })
  const pieces: { start: number; end: number }[] = []
  let from = 0
  for (const piece of await splitter.splitText(text)) {
    // The splitter trims and may join pieces with a separator of its own: what it gives is looked for, and taken to its end.
    const start = text.indexOf(piece, from)
    if (start < 0) continue
    if (/\S/.test(text.slice(from, start))) pieces.push({ start: from, end: start })
    pieces.push({ start, end: start + piece.length })
    from = start + piece.length
  }
  if (/\S/.test(text.slice(from))) pieces.push({ start: from, end: text.length })
  return pieces
}
