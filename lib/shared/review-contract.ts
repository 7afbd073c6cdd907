/** The wire of review: why an answer meets a person, what the person may decide, and what comes of it. Types and schemas only. */
import { z } from 'zod'
import type { Citation, MessageMetadata } from './chat-contract.ts'

/**
 * How it came: `held` before it was shown, `queued` and `sampled` after, `feedback` by a thumb down, `asked` by a person who got no answer.
 */
export const reviewKinds = ['held', 'queued', 'sampled', 'feedback', 'asked'] as const
export type ReviewKind = (typeof reviewKinds)[number]

/** All but `open` are ends. `expired`: nobody decided in time. `withdrawn`: the asker deleted it, or asked again. */
export const reviewStates = ['open', 'approved', 'edited', 'rejected', 'expired', 'withdrawn'] as const
export type ReviewState = (typeof reviewStates)[number]

export const reviewReasonKinds = [
  'confidence',
  'topic',
  'collection',
  'role',
  'personal-data',
  'injection',
  'unsupported',
  'contradiction',
  'rule',
  'unchecked',
  'feedback',
  'asked',
  'sampled',
] as const
export type ReviewReasonKind = (typeof reviewReasonKinds)[number]

export type ReviewReason = {
  kind: ReviewReasonKind
  /** The policy's rule that asked for it, where one did. */
  ruleId?: string
  /** What the asker may read. */
  words: string
}

/** One sentence of an answer and what was found out about it. Offsets are in the text without markers. */
export type ReviewClaim = {
  text: string
  start: number
  end: number
  /** Of the citations that stand behind it. */
  ordinals: number[]
  /** False for a heading or a lead-in, which claims nothing. */
  claims: boolean
  supported: boolean
  /** 0 to 1. */
  score: number
  /** Why it is not supported, in words. */
  reasons: string[]
}

export type ReviewContent = {
  text: string
  citations: Citation[]
  claims: ReviewClaim[]
  /** What the message is to carry when it is shown. */
  metadata: MessageMetadata
  /** Everything that stood in the prompt: an approval needs all of it to be open to the asker still. */
  sources: { documentId: string; versionId: string }[]
}

/** Canned reasons of a rejection, with the words that the asker reads. */
export const rejectReasons = {
  wrong: 'It says something that is not true.',
  unsupported: 'The sources do not say what it says.',
  outdated: 'It rests on a source that is out of date.',
  incomplete: 'It leaves out what matters.',
  unsafe: 'It could do harm.',
  confidential: 'It tells what should not be told here.',
  'off-topic': 'It does not answer the question.',
} as const
export type RejectReason = keyof typeof rejectReasons
export const rejectReasonNames = Object.keys(rejectReasons) as [RejectReason, ...RejectReason[]]

export type ReviewDecision = {
  act: 'approve' | 'edit' | 'reject'
  /** The content that was decided on. */
  contentHash: string
  reason?: RejectReason
  /** What the asker reads beside it. */
  note?: string
  /** Text of an edited answer, with its markers. */
  text?: string
}

export const noteCharsMax = 2_000
export const editCharsMax = 40_000

export const reviewDecisionSchema = z.strictObject({
  itemId: z.uuid(),
  contentHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Made by the client: the same decision posted twice is one. */
  decisionId: z.uuid(),
  decision: z.discriminatedUnion('act', [
    z.strictObject({ act: z.literal('approve'), note: z.string().max(noteCharsMax).optional() }),
    z.strictObject({
      act: z.literal('edit'),
      text: z.string().trim().min(1).max(editCharsMax),
      note: z.string().max(noteCharsMax).optional(),
    }),
    z.strictObject({
      act: z.literal('reject'),
      reason: z.enum(rejectReasonNames),
      note: z.string().max(noteCharsMax).optional(),
    }),
  ]),
})
export type ReviewDecisionRequest = z.output<typeof reviewDecisionSchema>

/** A line of the queue. */
export type ReviewRow = {
  id: string
  kind: ReviewKind
  question: string
  asker: string | null
  reason: ReviewReasonKind
  words: string
  risk: number
  confidence: number | null
  collections: string[]
  held: boolean
  createdAt: string
  dueAt: string
  escalated: boolean
  /** Who has it now; null: nobody. */
  claimedBy: { id: string; name: string; until: string } | null
  assignedTo: { id: string; name: string } | null
}

export const reviewFilterSchema = z.strictObject({
  kind: z.enum(reviewKinds).optional(),
  reason: z.enum(reviewReasonKinds).optional(),
  collectionId: z.uuid().optional(),
  /** `mine`: claimed by or assigned to the viewer; `free`: nobody's; `late`: past its SLA. */
  whose: z.enum(['all', 'mine', 'free', 'late']).default('all'),
  order: z.enum(['due', 'risk', 'age']).default('due'),
  after: z.string().max(200).optional(),
})
export type ReviewFilter = z.output<typeof reviewFilterSchema>
export type ReviewPage = { rows: ReviewRow[]; total: number; next: string | null }

export type ReviewTurn = { role: 'user' | 'assistant'; text: string }
export type ReviewComment = { id: string; author: string; text: string; createdAt: string }
export type SimilarDecision = {
  id: string
  question: string
  state: ReviewState
  reason: ReviewReasonKind
  decidedAt: string
  by: string | null
}

/** All that the desk shows of one item. Citations are as the reviewer may read them. */
export type ReviewDetail = ReviewRow & {
  state: ReviewState
  reasons: ReviewReason[]
  contentHash: string
  text: string
  citations: Citation[]
  claims: ReviewClaim[]
  conversation: ReviewTurn[]
  comments: ReviewComment[]
  similar: SimilarDecision[]
  draft: { text: string; note: string; updatedAt: string } | null
  traceId: string | null
  /** Set when it is decided. */
  decided: { at: string; by: string | null; decision: ReviewDecision } | null
  /** Why this viewer cannot decide it, in words; null: they can. */
  cannot: string | null
}

/** What stands in a message's metadata about its review. */
export type MessageReview = {
  state: 'waiting' | 'queued' | 'approved' | 'edited' | 'rejected' | 'expired'
  /** Why a person looks at it, in words. */
  reasons: string[]
  since: string
  /** How long it usually takes, from real decisions; null: not known yet. */
  usuallyMs?: number | null
  decidedAt?: string
  /** In the reviewer's words. */
  note?: string
}

export const feedbackReasons = {
  up: ['correct', 'clear', 'good-sources'],
  down: ['wrong', 'not-supported', 'outdated', 'incomplete', 'off-topic', 'harmful', 'bad-tone'],
} as const
export const feedbackReasonWords: Record<string, string> = {
  correct: 'Correct',
  clear: 'Clear',
  'good-sources': 'Good sources',
  wrong: 'Wrong',
  'not-supported': 'Not in the sources',
  outdated: 'Out of date',
  incomplete: 'Something is missing',
  'off-topic': 'Not what I asked',
  harmful: 'Could do harm',
  'bad-tone': 'Tone',
}
export const feedbackSchema = z.strictObject({
  messageId: z.uuid(),
  /** 0 takes it back. */
  value: z.union([z.literal(1), z.literal(-1), z.literal(0)]),
  reasons: z
    .array(z.enum([...feedbackReasons.up, ...feedbackReasons.down]))
    .max(10)
    .default([]),
  comment: z.string().trim().max(noteCharsMax).default(''),
})
export type FeedbackInput = z.output<typeof feedbackSchema>
export type Feedback = { value: 1 | -1; reasons: string[]; comment: string }

export const labelCriteria = ['correct', 'grounded', 'relevant', 'tone'] as const
export type LabelCriterion = (typeof labelCriteria)[number]
/** 0 no, 1 in part, 2 yes. */
export const labelScoresSchema = z.strictObject({
  correct: z.int().min(0).max(2),
  grounded: z.int().min(0).max(2),
  relevant: z.int().min(0).max(2),
  tone: z.int().min(0).max(2),
} satisfies Record<LabelCriterion, unknown>)
export type LabelScores = z.output<typeof labelScoresSchema>
export const rubricSchema = z.strictObject({
  correct: z.string().trim().min(1).max(1_000),
  grounded: z.string().trim().min(1).max(1_000),
  relevant: z.string().trim().min(1).max(1_000),
  tone: z.string().trim().min(1).max(1_000),
} satisfies Record<LabelCriterion, unknown>)
export type Rubric = z.output<typeof rubricSchema>

export const correctionKinds = ['golden', 'curated'] as const
export type CorrectionKind = (typeof correctionKinds)[number]

export type NotificationRow = { id: string; kind: string; words: string; link: string; createdAt: string; read: boolean }
