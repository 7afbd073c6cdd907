import type { ChunkStrategy } from './gateway-settings.ts'

/** Counts the changes of how passages are cut: raised when the same document would be cut in another way. */
const chunkerVersion = 3

/** The way documents are cut, in short, stored with each version: another one is a reason to index a document again. */
export const chunkerId = ({ strategy, targetTokens }: { strategy: ChunkStrategy; targetTokens: number }): string =>
  `${strategy}/${targetTokens}/${chunkerVersion}`
