/** Two searches for one question, stage by stage: what each found, and where they differ. */
import type { RetrievalSettings } from '#lib/shared/gateway-settings.ts'
import { type NumberedPlace, pageInWords } from '#lib/shared/page-unit.ts'
import {
  type RetrievalReport,
  type StageCandidate,
  type StageName,
  type StageReport,
  stageNames,
} from '#lib/shared/retrieval-contract.ts'
import { settingNames } from './retrieval-address.ts'

export const stageWords: Record<StageName, string> = {
  rewrite: 'Rewrite the question',
  lexical: 'Search by words',
  vector: 'Search by meaning',
  graph: 'Search by the graph',
  fuse: 'Mix',
  rerank: 'Rerank',
  diversify: 'Spread over documents',
  expand: 'Bring neighbours',
  pack: 'Evidence',
}

export const settingWords: Record<keyof RetrievalSettings, string> = {
  rewrite: 'Rewrite',
  lexical: 'Search by words',
  vector: 'Search by meaning',
  graph: 'Search by the graph',
  vectorWeight: 'Share of meaning in the mix',
  rerank: 'Reranker',
  rerankMs: 'Time for reranking',
  expand: 'Bring neighbours',
  perDocumentMax: 'Passages of one document',
  efSearch: 'Candidates of the vector index',
}

export const valueInWords = (value: RetrievalSettings[keyof RetrievalSettings]): string => {
  if (value === null) return 'as calibrated'
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
}

/** What the second configuration changes, in words. */
export const changesInWords = (own: RetrievalSettings, second: RetrievalSettings): string[] =>
  settingNames
    .filter((name) => own[name] !== second[name])
    .map((name) => `${settingWords[name]}: ${valueInWords(second[name])}, not ${valueInWords(own[name])}`)

export type StagePair = {
  stage: StageName
  first: StageReport | undefined
  second: StageReport | undefined
  /** True when both put the same passages in the same order. */
  same: boolean
}

const order = (report: StageReport | undefined): string =>
  report?.candidates.map(({ chunkId }) => chunkId).join(' ') ?? ''

/** The stages that either search went through, in their order. */
export const pairStages = (first: RetrievalReport, second: RetrievalReport | null): StagePair[] =>
  stageNames.flatMap((stage) => {
    const [one, other] = [first, second].map((report) => report?.stages.find((found) => found.stage === stage))
    return one || other ? [{ stage, first: one, second: other, same: order(one) === order(other) }] : []
  })

/** Where the other search has this candidate: its rank, or null when it is not there. */
export const rankIn = (other: StageReport | undefined, chunkId: string): number | null =>
  other?.candidates.find((candidate) => candidate.chunkId === chunkId)?.rank ?? null

/** Stages that begin a ranking: nothing has moved there yet. */
const beginnings: readonly StageName[] = ['rewrite', 'lexical', 'vector', 'graph']

/** How far a candidate moved: a sign for the eye and words for the ear; null where that has no meaning. */
export const movement = (
  stage: StageName,
  { moved }: Pick<StageCandidate, 'moved'>,
): { sign: string; words: string } | null => {
  if (beginnings.includes(stage)) return null
  if (moved === null) return { sign: 'new', words: 'was not there before' }
  if (moved === 0) return { sign: '=', words: 'as before' }
  return moved > 0
    ? { sign: `↑${moved}`, words: `moved up by ${moved}` }
    : { sign: `↓${-moved}`, words: `moved down by ${-moved}` }
}

/** Scores are of any size: BM25 runs to dozens, a cosine stays below 1. */
export const formatScore = (score: number): string => {
  if (Number.isInteger(score)) return String(score)
  return Math.abs(score) >= 10 ? score.toFixed(1) : score.toFixed(3)
}

/** Page and headings of a passage, as far as it has them. */
export const placeInWords = (place: NumberedPlace & { headingPath: readonly string[] }): string =>
  [pageInWords(place), place.headingPath.join(' › ')].filter(Boolean).join(' · ')
