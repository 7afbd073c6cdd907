/** The wire between the chat screen, the server and the command line. Types and schemas only; both sides import this file. */
import type { UIMessage } from 'ai'
import { z } from 'zod'
import type { ErrorCode } from './errors.ts'
import { type DocumentFilter, documentFilterSchema } from './retrieval-contract.ts'

export const questionCharsMax = 8_000

/** Text of a stored or streamed answer refers to its citations as `[^ORDINAL]`; the chip shows the citation's `n`. */
export const citationMarker = /\[\^(\d{1,4})\]/g

/** A rectangle on a rendered page, as fractions of its width and height, origin top left. */
export type PageRect = { x: number; y: number; width: number; height: number }

/** One use of one passage for one claim. Stored with the message; the same after a reload. */
export type Citation = {
  /** Position among the message's citations, from 1; what `[^ORDINAL]` in the text names. */
  ordinal: number
  /** The number on the chip: passages are numbered in order of first appearance, so two citations may share it. */
  n: number
  documentId: string
  versionId: string
  chunkId: string
  title: string
  collection: string
  mediaType: string
  /** 1-based page where the quote begins; null for formats without pages. */
  page: number | null
  pages: number | null
  headingPath: string[]
  /** The sentence or sentences of the passage that support the claim, and where they stand in the version's text. */
  quote: string
  charStart: number
  charEnd: number
  rects: PageRect[]
  /** The sentence of the answer that this citation stands behind. */
  claim: string
  supported: boolean
  /** True when the document can no longer be opened by who reads this; the quote is then empty. */
  removed: boolean
  /** Why, when it was not deleted: it is there, and this person's access to it is gone. */
  closed?: boolean
}

/**
 * Terminal states are all but `streaming`; every message reaches exactly one of them. A `held` one has no text: it waits for a person,
 * and becomes `complete` by their decision or when nobody decided in time.
 */
export const messageStatuses = [
  'streaming',
  'complete',
  'held',
  'no-source',
  'stopped',
  'failed',
  'interrupted',
] as const
export type MessageStatus = (typeof messageStatuses)[number]

export type NearestDocument = {
  documentId: string
  /** Absent in answers that were stored before it was told. */
  collectionId?: string
  versionId: string
  title: string
  /** Absent in answers that were stored before it was told. */
  mediaType?: string
  page: number | null
  charStart: number
  charEnd: number
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

/** Whether a person is still to decide. */
export const isPending = ({ state }: MessageReview): boolean => state === 'waiting' || state === 'queued'

export type MessageMetadata = {
  createdAt?: string
  status?: MessageStatus
  /** `built-in` answers quote sentences; a `provider` model writes. */
  model?: { id: string; kind: 'built-in' | 'provider' }
  traceId?: string
  totalMs?: number
  firstTokenMs?: number
  tokens?: { in: number; out: number }
  /** Null when the price of the model is not known. Only sent to those who may see costs. */
  costMicros?: number | null
  claims?: { total: number; supported: number }
  read?: { passages: number; documents: number }
  /** Markers that named no passage and were taken out. */
  droppedCitations?: number
  /** Set when the answer was made with less than the whole machinery; words for a banner. */
  degraded?: string
  nearest?: NearestDocument[]
  /** Nothing was found, and only a part of the documents was searched. */
  narrowed?: true
  /** Which way the answer came: `retrieval`, `cache`, or the intent that was answered at once. */
  route?: string
  /** Set on an answer that was given before and checked against the documents now. */
  cache?: { level: 'exact' | 'semantic'; answeredAt: string }
  error?: { code: ErrorCode; message: string; retryable: boolean }
  /** The version of the workspace's rules that it was answered under. */
  policyVersion?: number
  /** What it was made by, for a replay: the prompt by name, version and hash, the encoder, the state of the index. For admins. */
  versions?: { prompt?: string; encoder: string; index: string | null }
  /** The chance, 0 to 1, that it is right and supported, and why no more, in words; null: it could not be checked. */
  confidence?: { value: number | null; reasons: string[] }
  /** What the policy says of it, for a banner. */
  warnings?: string[]
  /** Why the answer is not shown, in words; its text is then what the asker is told instead. */
  withheld?: string[]
  /** What a person makes, or made, of it. */
  review?: MessageReview
  /** The person's decision that stands behind an answer which was given before. */
  curated?: { checkedAt: string }
  /** The highest score of what reads like an order to the model, in the question and among the passages, 0 to 1. */
  injection?: { question: number; passages: number }
  /** What the question could mean, each as a question of its own. */
  choices?: string[]
  /** Whose text stood in its prompt or beside it; absent in answers that were stored before it was told. Not sent to readers. */
  collectionIds?: string[]
}

/** The collections whose text a conversation may carry; `unknown` where an answer does not say. */
export const carriedCollections = (
  messages: readonly { role: 'user' | 'assistant'; text: string; metadata: MessageMetadata }[],
): string[] | 'unknown' => {
  const answers = messages.filter(({ role, text }) => role === 'assistant' && text !== '')
  const carried = answers.map(({ metadata }) => metadata.collectionIds)
  return carried.includes(undefined) ? 'unknown' : [...new Set(carried.flatMap((ids) => ids ?? []))]
}

export type ChatDataParts = {
  citation: Citation
  /** Transient: what is happening right now, in words. */
  status: { text: string }
}

export type ChatMessage = UIMessage<MessageMetadata, ChatDataParts>

export type ChatSummary = { id: string; title: string; updatedAt: string; snippet?: string }

/** `POST /api/chat`. The history is read on the server; a client sends only what is new. */
export const chatRequestSchema = z.strictObject({
  chatId: z.uuid(),
  /** Made by the client, so that sending twice is one message. */
  messageId: z.uuid(),
  text: z.string().max(questionCharsMax).default(''),
  trigger: z.enum(['submit', 'regenerate']).default('submit'),
  collectionIds: z.array(z.uuid()).max(50).default([]),
  /** What the search is narrowed to beside its collections. */
  filter: documentFilterSchema.optional(),
})
export type ChatRequest = z.infer<typeof chatRequestSchema>

/** Whether a filter leaves anything out. */
export const narrows = (filter: DocumentFilter): boolean => Object.values(filter).some((wanted) => wanted?.length)

type FacetValue = { value: string; count: number }

/** What a question can be narrowed to: what the documents that the viewer may ask say of themselves, most frequent first. */
export type ScopeFacets = {
  mediaTypes: FacetValue[]
  languages: FacetValue[]
  tags: FacetValue[]
  /** The first and the last day that a document is dated; null when none is. */
  dated: { from: string | null; to: string | null }
}

/** The answer's text with `[^ORDINAL]` replaced by the chip's number in brackets, as a person would copy it. */
export const withPlainMarkers = (text: string, citations: readonly Citation[]): string =>
  text.replace(citationMarker, (_, ordinal: string) => {
    const citation = citations.find((one) => one.ordinal === Number(ordinal))
    return citation ? `[${citation.n}]` : ''
  })
