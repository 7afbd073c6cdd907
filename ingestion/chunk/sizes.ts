/**
 * How large a passage is. The encoder was trained on 128 to 256 of its own tokens and takes 512; a passage must also be short
 * enough that several fit a prompt and that a reader sees at once why it was cited. Estimated tokens, see `estimateTokens`.
 * `npm run bench:chunking -- DIR --sizes 120,180,260` compares sizes.
 */
export type ChunkSizes = {
  /** A passage ends with the piece that reaches this. */
  targetTokens: number
  tokensMax: number
}

/** Running text may be this much larger than it is meant to be before a paragraph is cut. */
const maxShare = 1.54
/** What belongs together (a table, a fence, a clause, a function, a slide) may be larger, up to what the encoder reads well. */
const wholeShare = 3
const wholeTokensMax = 400
/** Rows are dense: fewer of them, or one row drowns among its neighbours. */
const rowsTokensMax = 160

export const proseSizes = (targetTokens: number): ChunkSizes => ({
  targetTokens,
  tokensMax: Math.round(targetTokens * maxShare),
})

/** Of what is cut only when it must be; small neighbours still share passages of the wanted size. */
export const wholeSizes = (targetTokens: number): ChunkSizes => ({
  targetTokens,
  tokensMax: Math.max(proseSizes(targetTokens).tokensMax, Math.min(wholeTokensMax, targetTokens * wholeShare)),
})

export const rowSizes = (targetTokens: number): ChunkSizes => ({
  ...wholeSizes(targetTokens),
  targetTokens: Math.min(rowsTokensMax, targetTokens),
})
