/** From the sentences of an answer to one chance that it is right, and the reasons in words. Pure. */
import { applyLogistic, logit, sigmoid } from './calibrate.ts'
import { fitted } from './fitted.ts'
import type { Finding } from './support.ts'
import type { Contradiction, SentenceVerdict } from './verdict.ts'

/** An answer's scores as one: half of it the mean of its sentences, half the worst, which may undo the others. */
export const answerFeatures = (scores: readonly number[]): number[] => {
  const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length)
  return [logit((mean + Math.min(1, ...scores)) / 2)]
}

/** The calibrated chance that sentences with these scores are all supported. */
export const chanceOf = (scores: readonly number[], answer = fitted.answer): number =>
  applyLogistic(answer, answerFeatures(scores))

/**
 * What lowers a confidence beside its sentences, on the scale of log odds. There is no labelled set to fit these on, so they
 * only ever lower it, and what a workspace's reviewers decide corrects them: see `recalibrate`.
 */
const caution = {
  /** The best passage is nearer to nothing than to the question. */
  weakMatchBelow: 0.5,
  weakMatch: 2,
  /** The answer speaks of something else than the question. */
  offTopicBelow: 0.3,
  offTopic: 2,
  /** Two passages say different things of what the answer says. */
  disagreement: 1.5,
  /** A model that was asked says the contrary of the words, or the same. */
  judge: 2,
} as const
/** An answer that cites nothing. */
const citesNothing = 0.1

/** A chance with a judge's verdict mixed in. */
export const withJudge = (chance: number, verdict: { supported: boolean } | null): number =>
  verdict === null ? chance : sigmoid(logit(chance) + (verdict.supported ? caution.judge : -caution.judge))

const named = 'no one two three four five six seven eight nine ten eleven twelve'.split(' ')
const inWords = (count: number): string => named[count] ?? String(count)
const sentencesOf = (count: number): string => `${inWords(count)} ${count === 1 ? 'sentence' : 'sentences'}`
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** What is against a sentence, as a person reads it. */
export const wordsOf = (finding: Finding): string => {
  switch (finding.kind) {
    case 'no-source':
      return 'It names no source.'
    case 'number':
      return `The number ${finding.words} is not in what it cites.`
    case 'date':
      return `The date ${finding.words} is not in what it cites.`
    case 'name':
      return `The name ${finding.words} is not in what it cites.`
    case 'words':
      if (finding.found === 0) return 'None of its words are in what it cites.'
      return `Only ${inWords(finding.found)} of its ${inWords(finding.of)} words are in what it cites.`
    case 'negation':
      return finding.side === 'sentence'
        ? 'It says that something is not so, and what it cites does not.'
        : 'What it cites says that it is not so.'
    case 'opposite':
      return 'It seems to say the opposite of what it cites.'
    case 'doubt':
      return 'What it cites says something else, or says it less surely.'
  }
}

export type Known = {
  sentences: readonly SentenceVerdict[]
  contradictions: readonly Contradiction[]
  /** How well the best passage fits the question, and the answer the question, 0 to 1. */
  match: number
  fit: number
}

/** The chance that the answer is right and supported, and why, the gravest first. */
export const confidenceOf = ({
  sentences,
  contradictions,
  match,
  fit,
}: Known): { confidence: number; reasons: string[] } => {
  const claims = sentences.filter((sentence) => sentence.claims)
  const bare = claims.filter(({ supported }) => !supported).length
  const reasons: string[] = []
  let odds: number
  if (claims.every(({ citations }) => citations.length === 0)) {
    odds = logit(citesNothing)
    reasons.push(claims.length === 0 ? 'It says nothing that could be checked.' : 'It cites nothing.')
  } else {
    // What the sentences' own chances are made of is undone, so that each judge's verdict counts too.
    odds = logit(chanceOf(claims.map(({ score }) => scoreOfChance(score ?? 0))))
    if (bare > 0)
      reasons.push(
        bare === claims.length
          ? 'No sentence has support in what it cites.'
          : `${capital(inWords(bare))} of ${sentencesOf(claims.length)} ${bare === 1 ? 'has' : 'have'} no support.`,
      )
  }
  if (contradictions.length > 0) {
    odds -= caution.disagreement
    const kinds = new Set(contradictions.map(({ kind }) => kind))
    for (const [kind, words] of disagreements) if (kinds.has(kind)) reasons.push(words)
  }
  if (match < caution.weakMatchBelow) {
    odds -= caution.weakMatch * (1 - Math.max(0, match) / caution.weakMatchBelow)
    reasons.push('The best passage is a weak match.')
  }
  if (claims.length > 0 && fit < caution.offTopicBelow) {
    odds -= caution.offTopic * (1 - Math.max(0, fit) / caution.offTopicBelow)
    reasons.push('The answer says little about what was asked.')
  }
  if (reasons.length === 0)
    reasons.push(
      claims.length === 1
        ? 'Its sentence is supported by what it cites.'
        : `All ${sentencesOf(claims.length)} are supported by what they cite.`,
    )
  return { confidence: Math.round(sigmoid(odds) * 1000) / 1000, reasons }
}

/** The score that alone would have this chance. */
const scoreOfChance = (chance: number): number => {
  const { bias, weights } = fitted.answer
  return sigmoid((logit(chance) - bias) / (weights.reduce((sum, weight) => sum + weight, 0) || 1))
}

const disagreements: readonly [Contradiction['kind'], string][] = [
  ['number', 'The sources disagree on a number.'],
  ['date', 'The sources disagree on the date.'],
  ['negation', 'The sources disagree on whether it is so.'],
  ['opposite', 'The sources say opposite things.'],
]
