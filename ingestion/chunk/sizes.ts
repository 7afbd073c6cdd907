/**
 * How large a passage is. The encoder was trained on 128 to 256 of its own tokens and takes 512; a passage must also be short
 * enough that several fit a prompt and that a reader sees at once why it was cited. Estimated tokens, see `estimateTokens`.
 */
export type ChunkSizes = { targetTokens: number; tokensMax: number }

export const proseSizes: ChunkSizes = { targetTokens: 260, tokensMax: 400 }
/** Rows are dense: fewer of them, or one row drowns among its neighbours. */
export const rowSizes: ChunkSizes = { targetTokens: 160, tokensMax: 400 }
