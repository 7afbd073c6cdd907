/** How often answers are wrong, as far as checks and people have found out. Types only. */
import type { Share } from './label-contract.ts'
import type { CallFilter } from './operations-contract.ts'

export const qualityGroups = ['model', 'prompt', 'collection'] as const
export type QualityGroup = (typeof qualityGroups)[number]

/** What of a report's filter an answer has: who wrote it and who asked. */
export type QualityFilter = Pick<CallFilter, 'model' | 'user'>

/** What can be wrong with an answer, each with what it is a share of. */
export const qualityFaults = {
  unsupported: 'Sentences that their source does not support',
  citations: 'Citations dropped, or not holding what they stand behind',
  abstained: 'Questions to which nothing was found',
  overturned: 'Decided answers that a reviewer edited or rejected',
  disliked: 'Rated answers with a thumb down',
  labelled: 'Labelled answers that are not wholly correct',
} as const
export type QualityFault = keyof typeof qualityFaults
export const qualityFaultNames = Object.keys(qualityFaults) as QualityFault[]

export type QualityCounts = {
  /** Null: the answers do not say. */
  key: string | null
  /** Of a collection; null when it is gone or closed to the viewer. */
  name: string | null
  answers: number
  faults: Record<QualityFault, { part: number; whole: number }>
}

/** With intervals of Wilson at 95 %. */
export type QualityRow = Omit<QualityCounts, 'faults'> & { faults: Record<QualityFault, Share> }
export type AnswerQuality = { all: QualityRow; rows: QualityRow[] }
