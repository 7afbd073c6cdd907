/** Blocks as sentences: what the chunkers that may cut anywhere put together. */
import { sentences } from '#lib/shared/text.ts'
import type { Block } from '../parse/parsed-document.ts'
import type { Breather } from './breather.ts'
import { type Piece, pieceOf } from './pack.ts'
import { splitOversize, stretchesOf } from './split.ts'

/** Sentences of running text; rows and code as they are; whatever is larger than `tokensMax` in parts. */
export const sentencePieces = async (
  text: string,
  blocks: readonly Block[],
  tokensMax: number,
  breathe: Breather,
): Promise<Piece[]> => {
  const pieces: Piece[] = []
  // A block may be the whole file on one line.
  for (const block of blocks)
    for (const stretch of stretchesOf(text.slice(block.start, block.end))) {
      await breathe()
      const from = block.start + stretch.start
      const said = text.slice(from, block.start + stretch.end)
      const whole = block.kind === 'row' || block.kind === 'code'
      for (const { start, end } of whole ? [{ start: 0, end: said.length }] : sentences(said))
        for (const part of await splitOversize(said.slice(start, end), tokensMax))
          pieces.push(pieceOf(text, from + start + part.start, from + start + part.end))
    }
  return pieces
}
