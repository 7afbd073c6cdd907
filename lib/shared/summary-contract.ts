/** The wire of summaries that a person asks for: what is asked, and how far it is. */
import type { PublicError } from './errors.ts'

/** More than this is a document: it is uploaded and summarised there. */
export const selectionCharsMax = 40_000
/** Below this there is nothing to shorten. */
export const selectionCharsMin = 40

export type SummaryOf = 'chat' | 'selection'

export type SummaryRun = {
  id: string
  of: SummaryOf
  state: 'running' | 'done' | 'failed'
  /** Parts read, of `total`; 0 of 0 until somebody has begun. */
  done: number
  total: number
  summary: string | null
  /** Null: made of the text's own sentences, without a language model. */
  model: string | null
  /** The same text was summarised before, and nothing was paid this time. */
  cached: boolean
  /** Why there is none, in words that say what to do. */
  error: PublicError | null
}
