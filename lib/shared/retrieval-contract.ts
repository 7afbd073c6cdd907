/** The wire of the retrieval bench and the passage viewer: what each stage of a search found, and how a document is cut. */
import { z } from 'zod'
import { chunkStrategies, retrievalSettingsSchema } from './gateway-settings.ts'

export const stageNames = [
  'rewrite',
  'lexical',
  'vector',
  'graph',
  'fuse',
  'rerank',
  'diversify',
  'expand',
  'pack',
] as const
export type StageName = (typeof stageNames)[number]

/** What a search is restricted to beside its collections; everything named must hold. */
export const documentFilterSchema = z.strictObject({
  tags: z.array(z.string().min(1).max(60)).max(20).optional(),
  languages: z.array(z.string().min(2).max(8)).max(20).optional(),
  /** Media types, as `application/pdf`. */
  mediaTypes: z.array(z.string().min(3).max(120)).max(20).optional(),
  authors: z.array(z.string().min(1).max(200)).max(20).optional(),
  /** Days, both ends counted, of what a document says its date is. */
  datedFrom: z.iso.date().optional(),
  datedTo: z.iso.date().optional(),
})
export type DocumentFilter = z.output<typeof documentFilterSchema>

export const retrievalQuestionSchema = z.strictObject({
  question: z.string().trim().min(1).max(2_000),
  collectionIds: z.array(z.uuid()).max(50).default([]),
  filter: documentFilterSchema.default({}),
  /** Instead of the workspace's own settings: what is compared with them. */
  configuration: retrievalSettingsSchema.optional(),
})
export type RetrievalQuestion = z.output<typeof retrievalQuestionSchema>

export type StageCandidate = {
  chunkId: string
  documentId: string
  versionId: string
  title: string
  mediaType: string
  page: number | null
  headingPath: string[]
  /** The beginning of the passage. */
  text: string
  rank: number
  score: number
  /** Places gained (above 0) or lost since the stage before; null when it was not there. */
  moved: number | null
  /** What the score is made of, by name. */
  parts: Record<string, number>
}

export type StageReport = {
  stage: StageName
  on: boolean
  ms: number
  /** In words: what was done, or why nothing was. */
  note: string
  candidates: StageCandidate[]
}

export type RetrievalReport = {
  question: string
  encoder: string
  configuration: z.output<typeof retrievalSettingsSchema>
  stages: StageReport[]
  /** Whether anything answers the question. */
  found: boolean
  ms: number
}

/** One passage as the viewer shows it. */
export type PassageRow = {
  chunkId: string
  ordinal: number
  start: number
  end: number
  headingPath: string[]
  context: string
  page: number | null
  pageTo: number | null
  tokens: number
  language: string
  flags: string[]
  injectionScore: number
  held: boolean
}

/** A way of cutting that is tried out and not stored. */
export const chunkPreviewSchema = z.strictObject({
  versionId: z.uuid(),
  strategy: z.enum(chunkStrategies),
  targetTokens: z.int().min(60).max(600),
})
export type ChunkPreview = {
  strategy: z.output<typeof chunkPreviewSchema>['strategy']
  passages: { start: number; end: number; headingPath: string[]; context: string; tokens: number }[]
}
