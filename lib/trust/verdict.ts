/** What a check of an answer takes, and what it says. */
import type { CiteEvent, Evidence } from '#lib/rag/index.ts'

/** A sentence of the answer and what stands behind it, for a judge. */
export type JudgedPair = { claim: string; passage: string }

/** `null` for a pair that the judge could not be asked about. A judge that throws was not there. */
export type Judge = (pair: JudgedPair) => Promise<{ supported: boolean; reason: string } | null>

/** An encoder to compare meanings with. */
export type Meaning = {
  /** Unit vectors of texts in their order; throws where there is no encoder. */
  encode: (texts: readonly string[]) => Promise<readonly (Float32Array | null)[]>
  /** Its cosine between texts that have nothing to do with each other. */
  unlike: number
}

export type VerifierCall = {
  /** As it was searched: a follow-up with what it stands for. */
  question: string
  evidence: { passages: Evidence['passages']; relevance: Pick<Evidence['relevance'], 'near' | 'coverage'> }
  /** Null or left out: meaning is not compared, words alone are. See `createMeaning`. */
  meaning?: Meaning | null
  /** Null or left out: no model is asked. */
  judge?: Judge | null
}

/** One sentence of the answer. */
export type SentenceVerdict = {
  /** Without markers and Markdown. */
  text: string
  /** In the answer as it is stored, markers included. */
  start: number
  end: number
  /** Ordinals of the citations that stand behind it, as in `[^3]`. */
  citations: number[]
  /** False for a heading, a lead-in, a question, the remark that the sources do not say: it needs no source. */
  claims: boolean
  supported: boolean
  /** The chance, 0 to 1, that what it cites supports it; null where it claims nothing. */
  score: number | null
  /** Why not, or why only just, in words. Empty when there is nothing against it. */
  reasons: string[]
}

/** Two passages that say different things of one matter. */
export type Contradiction = {
  kind: 'number' | 'date' | 'negation' | 'opposite'
  /** What they disagree on, as a sentence with both titles. */
  words: string
  sides: readonly [ContradictingSide, ContradictingSide]
}
export type ContradictingSide = {
  /** Number of the passage in the evidence. */
  n: number
  documentId: string
  chunkId: string
  title: string
  quote: string
}

export type Verification = {
  sentences: SentenceVerdict[]
  /** Sentences that claim something, and those that what they cite supports. */
  claims: { total: number; supported: number }
  contradictions: Contradiction[]
  /** How well the answer fits the question, 0 to 1: in meaning, or without an encoder in words. */
  fit: number
  /** It only says that the sources do not say: there is nothing to check. */
  abstains: boolean
  /** The chance, 0 to 1, that the answer is right and supported; null: it could not be checked, which is to be treated as low. */
  confidence: number | null
  /** In words, the gravest first; at least one. */
  reasons: string[]
  /** What took part in the check. */
  by: { encoder: boolean; judge: 'off' | 'asked' | 'failed' }
}

export type Verifier = {
  /** What the citer gave, in its order. Returns at once; checks run while the model goes on writing. Never throws. */
  push(events: readonly CiteEvent[]): void
  /** After the last event. Never rejects. Calling it again gives the same. */
  finish(): Promise<Verification>
}
