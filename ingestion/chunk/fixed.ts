/** Passages of one size: sentences in order until the size is reached, whatever the outline says. Headings are text. */
import type { ParsedDocument } from '../parse/parsed-document.ts'
import { createBreather } from './breather.ts'
import type { ChunkSpan } from './chunk-draft.ts'
import { packPieces } from './pack.ts'
import { sentencePieces } from './sentence-pieces.ts'
import type { ChunkSizes } from './sizes.ts'

export const chunkFixed = async ({ text, blocks }: ParsedDocument, sizes: ChunkSizes): Promise<ChunkSpan[]> => {
  const pieces = await sentencePieces(text, blocks, sizes.tokensMax, createBreather())
  return packPieces(pieces, sizes).map(({ start, end }) => ({ start, end, headingPath: [], context: '' }))
}
