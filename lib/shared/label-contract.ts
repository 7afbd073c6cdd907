/** The wire of labelling: what a rater gets, what two raters said, and how far they agree. Types and schemas only. */
import { z } from 'zod'
import type { Citation } from './chat-contract.ts'
import {
  type LabelCriterion,
  type LabelScores,
  labelScoresSchema,
  noteCharsMax,
  type Rubric,
} from './review-contract.ts'

export const ratersPerAnswer = 2
export const labelItemsMax = 200
const passagesMax = 100

export const criterionWords: Record<LabelCriterion, string> = {
  correct: 'Correct',
  grounded: 'Grounded',
  relevant: 'Relevant',
  tone: 'Tone',
}
export const scoreWords = ['No', 'In part', 'Yes'] as const

/** What raters go by until an admin writes another. Version 0. */
export const defaultRubric: Rubric = {
  correct:
    'Yes: all that it says is true, as far as the sources and your own knowledge go. In part: the main point is right, a detail is wrong or missing. No: the main point is wrong, or somebody who acts on it comes to harm.',
  grounded:
    'Yes: each statement stands in the passage that it cites. In part: a side statement does not. No: the main point is not in the sources, or a source says otherwise. Truth does not count here.',
  relevant:
    'Yes: it answers what was asked, all of it and little else. In part: a part of the question is left open, or what matters is buried. No: it answers another question.',
  tone: 'Yes: plain, polite, as sure as its sources allow. In part: wordy, stiff, or surer than it may be. No: rude, preaching, or confusing.',
}

/** A passage that was found for the question; `rank` 1 stood first. */
export type FoundPassage = { chunkId: string; rank: number; title: string; page: number | null; text: string }

export type LabelTask = {
  messageId: string
  question: string
  /** As which it was searched, when it leaned on the conversation; null: as it was asked. */
  searched: string | null
  text: string
  citations: Citation[]
  passages: FoundPassage[]
  rubric: Rubric
  rubricVersion: number
}

export type LabelProgress = {
  /** Answers that were put up for labelling, those with two labels or a third person's word, and those that wait for one. */
  total: number
  finished: number
  disputed: number
  /** By the viewer. */
  mine: number
  /** Those that the viewer can still label. */
  waiting: number
}

/** Two labels that differ, without whose they are. */
export type LabelDispute = LabelTask & { labels: { scores: LabelScores; note: string }[] }

export type Agreement = {
  criterion: LabelCriterion
  /** Answers with two labels. */
  pairs: number
  /** Share in which both say the same. */
  same: number | null
  /** Null: fewer than two pairs, or everybody always says the same and there is nothing to tell chance from. */
  kappa: number | null
}

export type Share = { part: number; whole: number; low: number; high: number }

/** How good search is on real questions, from what raters said of the passages it found. */
export type RetrievalAccuracy = {
  k: number
  /** Of the passages among the first k, those that help. */
  precision: Share
  /** Of the questions, those with a passage that helps among the first k. */
  helped: Share
}[]

export type LabelOverview = {
  progress: LabelProgress
  rubric: { version: number; rubric: Rubric }
  agreement: Agreement[]
  retrieval: RetrievalAccuracy
}

export const saveLabelSchema = z.strictObject({
  messageId: z.uuid(),
  scores: labelScoresSchema,
  note: z.string().trim().max(noteCharsMax).default(''),
  /** Passages that were looked at: whether each helps with the question. */
  passages: z
    .array(z.strictObject({ chunkId: z.string().regex(/^\d{1,18}$/), relevant: z.boolean() }))
    .max(passagesMax)
    .default([]),
})
export type SaveLabel = z.output<typeof saveLabelSchema>

export const adjudicateSchema = z.strictObject({ messageId: z.uuid(), scores: labelScoresSchema })
export type Adjudicate = z.output<typeof adjudicateSchema>

export const addLabelItemsSchema = z.strictObject({
  answers: z.union([z.int().min(1).max(labelItemsMax), z.array(z.uuid()).min(1).max(labelItemsMax)]),
})
