/** The wire of what admins measure and look at in their knowledge: golden questions, passages a page at a time, cuttings tried out. */
import { z } from 'zod'
import { retrievalSettingsSchema } from './gateway-settings.ts'
import { type ChunkPreview, chunkPreviewSchema, type PassageRow } from './retrieval-contract.ts'

/** A set larger than this is not measured while somebody waits. */
export const goldenMax = 200
/** Questions that one request measures, so that progress is told in real counts. */
export const goldenBatchMax = 4
/** What counts as found stands within so many passages. */
export const recallDepth = 8
export const quoteCharsMax = 1_000
/** Passages that one question expects. */
export const expectedMax = 20

export const goldenInputSchema = z.strictObject({
  question: z.string().trim().min(1).max(2_000),
  /** What answers it: a document, and the words in it that do. */
  expected: z
    .array(z.strictObject({ documentId: z.uuid(), quote: z.string().trim().min(1).max(quoteCharsMax) }))
    .min(1)
    .max(expectedMax),
})
export type GoldenInput = z.output<typeof goldenInputSchema>
export type ExpectedPassage = GoldenInput['expected'][number]

export type GoldenQuestion = {
  id: string
  question: string
  /** `name` is null when the document is gone. */
  expected: (ExpectedPassage & { name: string | null })[]
  /** Why it no longer counts, in words: a document that its answer rests on has changed. */
  fell?: string
}

export const goldenRunSchema = z.strictObject({
  ids: z.array(z.uuid()).min(1).max(goldenBatchMax),
  /** Instead of the workspace's own. */
  configuration: retrievalSettingsSchema.optional(),
})

/** What one configuration made of one golden question. */
export type GoldenResult = {
  id: string
  /** Share of what was expected that is among the first passages. */
  recall: number
  /** 1 over the place of the first passage that was expected; 0 when there is none. */
  reciprocalRank: number
}

/** What a search can be narrowed to: what the workspace's documents say of themselves. */
export type FilterChoices = { tags: string[]; languages: string[]; mediaTypes: string[]; authors: string[] }

export const passagesPerPage = 50
/** Places that one search within a document leads to. */
export const findsMax = 500

/** How a document is cut, in figures; sizes in estimated tokens. */
export type CuttingFigures = { passages: number; meanTokens: number; maxTokens: number }

/** The published version of a document as the viewer shows it. */
export type PassageDocument = {
  documentId: string
  name: string
  title: string
  collection: string
  mediaType: string
  versionId: string
  version: number
  /** A newer version is in work or has failed, and is not shown. */
  newerVersion: boolean
  pages: number | null
  language: string | null
  /** The way it was cut. */
  chunker: string | null
  figures: CuttingFigures
}

/** A passage with its words; `text` is exactly the version's text from `start` to `end`. */
export type ShownPassage = PassageRow & { text: string; contentHash: string }

/** Passages in their order from ordinal `from`. */
export type PassagePage = { from: number; passages: ShownPassage[] }

export type ChunkPreviewInput = z.output<typeof chunkPreviewSchema>
/** Names the task run of a preview. */
export const chunkPreviewFeature = 'chunks.preview'
/** Passages of a preview that are kept to be shown; the figures count all of them. */
export const previewPassagesMax = 2_000

export const chunkPreviewResultSchema = z.object({
  strategy: chunkPreviewSchema.shape.strategy,
  targetTokens: chunkPreviewSchema.shape.targetTokens,
  passages: z.array(
    z.object({
      start: z.int(),
      end: z.int(),
      headingPath: z.array(z.string()),
      context: z.string(),
      tokens: z.int(),
    }),
  ),
  figures: z.object({ passages: z.int(), meanTokens: z.number(), maxTokens: z.int() }),
  /** Passages that begin where a stored one begins. */
  sameBorders: z.int(),
}) satisfies z.ZodType<ChunkPreview>
export type ChunkPreviewResult = z.output<typeof chunkPreviewResultSchema>

/** A preview that is made or has been; `total` is 0 until it is known. */
export type ChunkPreviewRun = {
  id: string
  state: 'running' | 'done' | 'failed'
  done: number
  total: number
  result: ChunkPreviewResult | null
  /** Why it failed, in words. */
  failure: string | null
}
