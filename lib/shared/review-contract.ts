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

/** One sentence of an answer and what was found out about it. Offsets are in the text as it is stored, markers included. */
export type ReviewClaim = {
  text: string
  start: number
  end: number
  /** Of the citations that stand behind it. */
  ordinals: number[]
  /** False for a heading or a lead-in, which claims nothing. */
  claims: boolean
  supported: boolean
  /** The chance, 0 to 1, that what it cites supports it; null where it claims nothing. */
  score: number | null
  /** Why it is not supported, in words. */
  reasons: string[]
}

/** Two sources that say different things of one matter, in their own words. */
export type ShownContradiction = {
  kind: 'number' | 'date' | 'negation' | 'opposite'
  /** What they disagree on, as a sentence with both titles. */
  words: string
  sides: { title: string; quote: string }[]
}

export type ReviewContent = {
  text: string
  citations: Citation[]
  claims: ReviewClaim[]
  /** What the message is to carry when it is shown. */
  metadata: MessageMetadata
  /** Where the sources that stood in the prompt disagree. */
  contradictions?: ShownContradiction[]
  /** Everything that stood in the prompt: an approval needs all of it to be open to the asker still. */
  sources: { documentId: string; versionId: string }[]
  /** What is wrong with a seeded one, and what it was made of. Never told to who reviews. */
  seed?: { itemId: string; decidedBy: string | null; flaw: 'number' | 'negation' | 'citation'; words: string }
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
  /** Ordinals of the citations whose sources were opened before an approval. */
  seen?: number[]
  /** Made by the client: the same decision posted twice is one. */
  decisionId?: string
}

export const noteCharsMax = 2_000
export const editCharsMax = 40_000

export const reviewDecisionSchema = z.strictObject({
  itemId: z.uuid(),
  contentHash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Made by the client: the same decision posted twice is one. */
  decisionId: z.uuid(),
  decision: z.discriminatedUnion('act', [
    z.strictObject({
      act: z.literal('approve'),
      note: z.string().max(noteCharsMax).optional(),
      /** Ordinals of the citations whose sources were opened: those of a doubtful sentence have to be. */
      seen: z.array(z.int().min(1).max(9_999)).max(1_000).default([]),
    }),
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

/** What became of a decision. Posted twice it is the same. */
export type ReviewResult = {
  itemId: string
  state: ReviewState
  decidedAt: string
  by: string
  /** Set when it was a known error: whether it was found, and what was wrong. Told after the decision, to who made it. */
  seed: { caught: boolean; words: string } | null
}

export const bulkItemsMax = 100
/** Answers that were shown already and are here for one and the same reason, approved together; each is decided and audited by itself. */
export const reviewBulkSchema = z.strictObject({
  items: z
    .array(reviewDecisionSchema.pick({ itemId: true, contentHash: true, decisionId: true }))
    .min(1)
    .max(bulkItemsMax),
  note: z.string().max(noteCharsMax).optional(),
})
export type ReviewBulk = z.output<typeof reviewBulkSchema>
export type BulkResult = {
  itemId: string
  result: ReviewResult | null /** Why not, in words. */
  refused: string | null
}

/** An edited answer as it would be stored, checked again, before anything is decided. */
export type EditCheck = {
  text: string
  citations: Citation[]
  claims: ReviewClaim[]
  /** What keeps it from being decided, in words; empty: nothing does. */
  problems: string[]
  /** The answer before and after as a person reads it, chips as `[1]`: what a diff is made of. */
  before: string
  after: string
}

/** Somebody who may review an item: for a hand-over, an expert's view, a mention. */
export type ReviewPerson = { id: string; name: string }

/** Open items that no reviewer may open, by what closes them. For who gives access. */
export type UnreachableReviews = {
  total: number
  groups: { collections: string[]; items: number; held: number; oldest: string }[]
}

export type ReviewerFigures = {
  id: string
  name: string
  decisions: number
  /** Edited or rejected. */
  overturned: number
  /** From the opening of the item to the decision; null: none. */
  medianMs: number | null
  seeds: number
  caught: number
}

/**
 * Of a stretch of days. What waits, and what came and went each day, counts seeded items too: left out, they could be told from the
 * queue. Of what was decided they count in their catch rate alone.
 */
export type ReviewMetrics = {
  backlog: { open: number; held: number; late: number; oldestMs: number | null }
  days: { day: string; arrived: number; decided: number }[]
  decisions: { approved: number; edited: number; rejected: number; expired: number; withdrawn: number }
  /** Null: nothing was decided. */
  timeToDecision: { p50Ms: number; p90Ms: number } | null
  overturnRate: number | null
  /** Of answers that two people decided on as they stood, or labelled: the share in which they agree. */
  agreement: { pairs: number; agreed: number }
  /** Of items that were known to be wrong: decided, and rejected or edited. How many wait is only for who may manage reviews. */
  seeds: { open: number | null; decided: number; caught: number }
  /** Null for who may not see it. */
  reviewers: ReviewerFigures[] | null
}

/** A line of the queue. */
export type ReviewRow = {
  id: string
  /** What a decision names, also one on many rows. */
  contentHash: string
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
/** What is not to come next, as it stands in an address: `except=ID,ID`. */
export const reviewExceptSchema = z
  .string()
  .transform((ids) => ids.split(',').filter(Boolean))
  .pipe(z.array(z.uuid()).max(50))
/** `total` is counted up to `reviewTotalMax` (open-reviews.ts). */
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

/** Why an answer under review is not this reviewer's to look at; the page that says so titles each in its own way. */
export const shutReviewWords = {
  own: 'This answers your own question, so another person has to decide on it.',
  source: 'This answer draws from a document that you cannot open any more.',
} as const

/** All that the desk shows of one item. Citations are as the reviewer may read them. */
export type ReviewDetail = ReviewRow & {
  state: ReviewState
  reasons: ReviewReason[]
  text: string
  citations: Citation[]
  claims: ReviewClaim[]
  /** None where one of its sources is gone. */
  contradictions?: ShownContradiction[]
  conversation: ReviewTurn[]
  comments: ReviewComment[]
  similar: SimilarDecision[]
  draft: { text: string; note: string; updatedAt: string } | null
  traceId: string | null
  /** Set when it is decided. */
  decided: { at: string; by: string | null; decision: ReviewDecision } | null
  /** Why this viewer cannot decide it, in words; null: they can. */
  cannot: string | null
  /** Why it cannot be approved as it stands, in words: a source is gone, or closed to who asked. Rejecting is always possible. */
  cannotApprove: string | null
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

/** Nothing was found, nothing may be shown, or nobody checked it in time: then a person may be asked, unless one has decided already. */
export const mayAskPerson = ({ status, withheld, review }: MessageMetadata): boolean =>
  (status === 'no-source' || Boolean(withheld?.length)) && (review === undefined || review.state === 'expired')

export const askPersonSchema = z.strictObject({
  messageId: z.uuid(),
  /** What the person should know beside the question. */
  words: z.string().trim().max(noteCharsMax).default(''),
})

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

/** A golden case or a checked answer that came of a review, and whether it still holds. */
export type CorrectionRow = {
  id: string
  kind: CorrectionKind
  itemId: string | null
  question: string
  /** Without markers; null where not everything that it rests on is there and open to who reads this. */
  answer: string | null
  /** Names of the documents that it rests on, as far as they are there and open. */
  documents: string[]
  by: string | null
  createdAt: string
  /** Null: it holds. */
  fell: { at: string; because: string } | null
}

/** What a reviewer told those who keep a document. */
export type DocumentNoteRow = {
  id: string
  documentId: string
  document: string
  quote: string
  text: string
  by: string | null
  createdAt: string
  /** The document has another version by now than the one that was read. */
  changedSince: boolean
  resolved: { at: string; by: string | null } | null
  mayResolve: boolean
}

export type Corrections = { corrections: CorrectionRow[]; notes: DocumentNoteRow[] }

export const questionCharsKept = 500
/** Why a correction is refused until its question is worded anew: the one refusal that who makes it can mend on the spot. */
export const questionWanted = 'It was asked in the middle of a conversation. Word the question as it stands by itself.'
/** What a correction is made of; `question` as it stands by itself, where it was asked in the middle of a conversation. */
export const correctionSchema = z.strictObject({
  itemId: z.uuid(),
  question: z.string().trim().min(1).max(questionCharsKept).optional(),
})
export type CorrectionInput = z.output<typeof correctionSchema>
export const documentNoteSchema = z.strictObject({
  itemId: z.uuid(),
  documentId: z.uuid(),
  text: z.string().trim().min(1).max(noteCharsMax),
})
export type DocumentNoteInput = z.output<typeof documentNoteSchema>

/** What was said beside what people decided, in bins; and how confidence was bent by it. */
export type CalibrationReport = {
  days: number
  decisions: number
  /** Expected calibration error of these decisions against the confidence that was shown; null: there are none. */
  error: number | null
  bins: { from: number; to: number; count: number; said: number; right: number; low: number; high: number }[]
  /** Newest first. */
  fits: {
    version: number
    at: string
    slope: number
    intercept: number
    decisions: number
    errorBefore: number
    errorAfter: number
  }[]
}

export type NotificationRow = {
  id: string
  kind: string
  words: string
  link: string
  createdAt: string
  read: boolean
}

/** The newest of a person's notifications, and how many of all are unread. */
export type Notifications = { unread: number; rows: NotificationRow[] }
