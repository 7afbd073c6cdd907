/** What retrieval hands to whoever answers: the passages in order of worth, and an honest word on how they were found. */
import type { NearestDocument } from '#lib/shared/chat-contract.ts'
import type { AnswerSignals } from './answerable.ts'

/** Where one leg put a chunk: 1 is best. The score is the leg's own: BM25, or cosine. */
export type LegRank = { rank: number; score: number }

export type Passage = {
  /** The number by which the prompt and the model's markers name it, from 1. */
  n: number
  chunkId: string
  documentId: string
  versionId: string
  title: string
  collectionId: string
  collection: string
  mediaType: string
  /** First and last page; null for formats without pages. */
  page: number | null
  pageTo: number | null
  /** Pages of the whole document. */
  pages: number | null
  headingPath: string[]
  /** What the text does not say itself: a table's header row, for one. */
  context: string
  /** Exactly the version's text from charStart to charEnd. */
  text: string
  charStart: number
  charEnd: number
  /** After fusion, 0 to 1 within one question. */
  score: number
  lexical: LegRank | null
  vector: LegRank | null
  tokens: number
}

export type Evidence = {
  question: string
  /** False: nothing here answers the question, and no model is to be called. */
  found: boolean
  passages: Passage[]
  /**
   * How well the best of what was found fits the question: in meaning (null without an encoder), and in its words; and from both the
   * chance that an answer is in it (`answerable.ts`). 0 to 1 each.
   */
  relevance: { near: number | null; coverage: number; answerable: number }
  /** What that chance is made of; null when nothing was found at all. */
  signals: AnswerSignals | null
  /** Why nothing was searched, in words, where the workspace's policy leaves nothing to search. */
  closed: string | null
  /** The nearest documents, for an honest refusal. */
  nearest: NearestDocument[]
  /** What it was found by: the encoder, and the fingerprint of the index; null where none was taken. */
  foundBy: { encoder: string; index: string | null }
  /** Passages that would have been read and were left out: they read like orders to a model, and nobody has released them. */
  heldBack: number
  /** Words for a banner when a leg was missing or passages were left out; null when everything found could be read. */
  degraded: string | null
}
