/** Why an answer says what it says: in short for who asked, in full for admins. */
import type { Trace } from './admin-contract.ts'
import type { MessageMetadata, MessageStatus } from './chat-contract.ts'
import type { ReviewState } from './review-contract.ts'

/** A passage that was read for the answer, or stood high enough in a search to be looked at. */
export type ExplainedPassage = {
  chunkId: string
  documentId: string | null
  /** Null, as all that its document says, when this person may not read it or it is gone. */
  title: string | null
  page: number | null
  mediaType: string | null
  /** The number by which the prompt named it; null: it was not read. */
  n: number | null
  /** What it says; null as for `title`. */
  text: string | null
  /** The sentences that the answer cites of it. */
  quotes: string[]
  score: number | null
  lexical: { rank: number; score: number } | null
  vector: { rank: number; score: number } | null
  /** Why it was not read, in words; null when it was. */
  dropped: string | null
}

/** A judgement on the way: what it was about, and what came of it. */
export type ExplainedCheck = { name: string; words: string; passed: boolean }

export type Explanation = {
  messageId: string
  chatId: string
  /** Whether the reader asked it. */
  own: boolean
  askedAt: string
  question: string
  /** Without its words where it rests on documents that the reader may not open and somebody else asked. */
  answer: string | null
  status: MessageStatus
  /** What was searched for: the question, or what it stands for in the conversation; and where, in words. */
  searched: { text: string; where: string[] } | null
  /** What was read, in the order of the prompt. */
  passages: ExplainedPassage[]
  /** What was left out and why, in words. */
  leftOut: string[]
  /** What the policy says of the answer. */
  warnings: string[]
  model: MessageMetadata['model'] | null
  /** How the answer came: by a search, from those given before, at once, or not at all, in words. */
  route: string
  kept: MessageMetadata['cache'] | null
  confidence: MessageMetadata['confidence'] | null
  policyVersion: number | null
  /** What a person decided on it; null: nobody did. Who, for admins. */
  reviewer: { state: ReviewState; at: string; by: string | null } | null
  checks: ExplainedCheck[]
  /** For admins. */
  full: {
    askedBy: { id: string; name: string | null }
    versions: MessageMetadata['versions'] | null
    /** Found and not read, best first. */
    candidates: ExplainedPassage[]
    costMicros: number | null
    tokens: MessageMetadata['tokens'] | null
    /** With the prompts, the calls and everything that was set down on the way; null when no trace was kept. */
    trace: Trace | null
  } | null
}
