/** What settings of cutting and searching are called on every screen. */
import type { ChunkStrategy, Reranker } from '#lib/shared/gateway-settings.ts'

export const strategyWords: Record<ChunkStrategy, string> = {
  auto: 'by the type of the document',
  outline: 'along headings and paragraphs',
  clauses: 'by numbered clauses',
  semantic: 'where the meaning changes',
  fixed: 'sentences up to the size',
}

export const rerankerWords: Record<Reranker, string> = {
  off: 'as fused',
  features: 'by words, places and sentences',
  'cross-encoder': 'by a cross-encoder on this machine',
  provider: 'by a provider’s reranker',
  model: 'by the answering model',
}
