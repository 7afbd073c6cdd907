/** Joins neighbouring pieces to passages of the wanted size. */
import { estimateTokens } from '#lib/shared/text.ts'
import type { ChunkSizes } from './sizes.ts'

/** A stretch that is not cut any more. `context` is what a passage needs to be told when it begins with this piece. */
export type Piece = { start: number; end: number; tokens: number; context: string }

export const pieceOf = (text: string, start: number, end: number, context = ''): Piece => ({
  start,
  end,
  tokens: estimateTokens(text.slice(start, end)),
  context,
})

/** One passage from `pieces`, which are neighbours. */
const joined = (pieces: readonly [Piece, ...Piece[]]): Piece => ({
  start: pieces[0].start,
  end: (pieces.at(-1) ?? pieces[0]).end,
  tokens: pieces.reduce((sum, { tokens }) => sum + tokens, 0),
  context: pieces[0].context,
})

/** Passages in order; a short rest stays with the passage before it where it fits. `cutBefore` ends a passage early. */
export const packPieces = (
  pieces: readonly Piece[],
  { targetTokens, tokensMax }: ChunkSizes,
  cutBefore: (piece: Piece, tokens: number) => boolean = () => false,
): Piece[] => {
  const packed: Piece[] = []
  let open: Piece[] = []
  let tokens = 0
  const close = (): void => {
    const [first, ...others] = open
    if (first) packed.push(joined([first, ...others]))
    open = []
    tokens = 0
  }
  for (const piece of pieces) {
    if (open.length > 0 && (tokens >= targetTokens || tokens + piece.tokens > tokensMax || cutBefore(piece, tokens)))
      close()
    open.push(piece)
    tokens += piece.tokens
  }
  close()
  // A short rest says little by itself: it stays with what it follows.
  const rest = packed.at(-1)
  const before = packed.at(-2)
  if (rest && before && rest.tokens < targetTokens / 4 && before.tokens + rest.tokens <= tokensMax)
    packed.splice(-2, 2, joined([before, rest]))
  return packed
}
