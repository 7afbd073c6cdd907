/** Labelling by keys: which criterion is next, and what a press does to the scores. Pure. */
import { type LabelCriterion, type LabelScores, labelCriteria } from '#lib/shared/review-contract.ts'

export type Labelling = { scores: Partial<LabelScores>; at: LabelCriterion }

export const freshLabelling: Labelling = { scores: {}, at: labelCriteria[0] }

export const labelKeys = [
  { shown: '0', words: 'No' },
  { shown: '1', words: 'In part' },
  { shown: '2', words: 'Yes' },
  { shown: 'J', words: 'Next criterion' },
  { shown: 'K', words: 'Previous criterion' },
  { shown: 'Enter', words: 'Save and go on' },
  { shown: 'S', words: 'Pass over this answer' },
  { shown: '?', words: 'Show these keys' },
] as const

const stepFrom = (at: LabelCriterion, by: 1 | -1): LabelCriterion => {
  const to = labelCriteria.indexOf(at) + by
  return labelCriteria[Math.max(0, Math.min(labelCriteria.length - 1, to))] ?? at
}

/** A score for a criterion; the next one without a score is then at hand. */
export const withScore = ({ scores, at }: Labelling, criterion: LabelCriterion, score: number): Labelling => {
  const given = { ...scores, [criterion]: score }
  const from = labelCriteria.indexOf(criterion)
  const open = [...labelCriteria.slice(from + 1), ...labelCriteria.slice(0, from)].find(
    (one) => given[one] === undefined,
  )
  return { scores: given, at: open ?? (criterion === at ? at : criterion) }
}

/** What a press makes of it; undefined: it means nothing here. */
export const pressed = (state: Labelling, key: string): Labelling | undefined => {
  if (/^[012]$/.test(key)) return withScore(state, state.at, Number(key))
  if (key === 'j') return { ...state, at: stepFrom(state.at, 1) }
  if (key === 'k') return { ...state, at: stepFrom(state.at, -1) }
  return undefined
}

/** All scores, once each criterion has one. */
export const scoresOf = ({ scores: { correct, grounded, relevant, tone } }: Labelling): LabelScores | null =>
  correct === undefined || grounded === undefined || relevant === undefined || tone === undefined
    ? null
    : { correct, grounded, relevant, tone }
