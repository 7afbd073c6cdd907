/**
 * Which model is asked: how hard a question is, which tier that calls for, and in which order the candidates are tried. Pure: rules
 * with a reason in words for each step, and one learned part, the wording of the question (`bench/routing.ts` trains and measures it).
 */
import { type GatewaySettings, type Tier, tiers } from '#lib/shared/gateway-settings.ts'
import type { Candidate } from './call.ts'
import type { Intent } from './intent.ts'
import shippedWeights from './local/route-weights.json' with { type: 'json' }

/** What `bench/routing.ts --write` writes. */
export type PromptWeights = {
  /** Rows for: only a weak model gets it right, no difference, only a strong one does. */
  rows: readonly (readonly number[])[]
  bias: readonly number[]
  /** What the questions that it was trained on scored, from the lowest to the highest, at equal steps. */
  quantiles: readonly number[]
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
const flag = (text: string, pattern: RegExp): number => (pattern.test(text) ? 1 : 0)
/** What is longer is cut for judging: beyond it length says nothing more, and a megabyte must not take a second. */
const judgedCharsMax = 6_000

/** What is seen of a question's wording; the order is that of the weights. */
export const promptFeatures = (whole: string): number[] => {
  const text = whole.slice(0, judgedCharsMax)
  const chars = Math.max(1, text.length)
  const words = Math.max(1, count(text, /[\p{L}\p{N}]+/gu))
  return [
    Math.log(chars),
    Math.log(chars) ** 2 / 10,
    Math.min(chars, 2_500) / 500,
    chars / words,
    (10 * count(text, /\d/g)) / chars,
    Math.log1p(count(text, /\d+/g)),
    Math.log1p(count(text, /[=+*^<>|\\/{}()]/g)),
    (10 * count(text, /\p{Lu}/gu)) / chars,
    Math.log1p(count(text, /\n/g)),
    Math.log1p(count(text, /[.;,]/g)),
    flag(text, /which of the following/i),
    flag(text, /\b(not|except|false|incorrect|least|unlikely)\b/i),
    flag(text, /\bstatements?\b/i),
    flag(text, /\b(how (many|much)|what is the|find|calculate|compute)\b/i),
    flag(text, /[“”"']/),
    flag(text, /\?/),
    flag(text, /\b(if|suppose|assume|given)\b/i),
  ]
}

const benefitOf = ({ rows, bias }: PromptWeights, features: readonly number[]): number => {
  const raised = rows.map((row, at) =>
    Math.exp(features.reduce((sum, value, feature) => sum + value * (row[feature] ?? 0), bias[at] ?? 0)),
  )
  const total = raised.reduce((sum, value) => sum + value, 0)
  return ((raised[2] ?? 0) - (raised[0] ?? 0)) / total
}

/**
 * How much a strong model is likely to gain over a weak one by the wording alone, for ranking: the chance that only the strong one
 * is right, less the chance that only the weak one is. -1 to 1.
 */
export const promptBenefit = (question: string, weights: PromptWeights = shippedWeights): number =>
  benefitOf(weights, promptFeatures(question))

/** The same as the share of the questions trained on that gain less: 0 to 1. */
export const promptDifficulty = (question: string, weights: PromptWeights = shippedWeights): number => {
  const benefit = promptBenefit(question, weights)
  const { quantiles } = weights
  const above = quantiles.findIndex((quantile) => quantile > benefit)
  if (above === 0 || quantiles.length < 2) return 0
  if (above < 0) return 1
  const low = quantiles[above - 1] ?? 0
  const high = quantiles[above] ?? low
  return (above - 1 + (high > low ? (benefit - low) / (high - low) : 0)) / (quantiles.length - 1)
}

const synthesis =
  /\b(compare|comparison|contrast|differ|differs|difference|differences|versus|vs|summari[sz]e|summary|overview|explain|why|analy[sz]e|evaluate|assess|pros and cons|trade-?offs?|implications?|recommend|vergleich\w*|unterschied\w*|warum|zusammenfass\w*|erkl[äa]r\w*|compara|diferencias?|por qu[ée]|resume|explica|compare[rz]?|diff[ée]rences?|pourquoi|r[ée]sume[rz]?|expliqu\w*)\b/i

const clamp = (value: number): number => (Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0)

/**
 * How widely the evidence is spread, 0 (one passage stands out) to 1 (as many documents as passages, all scored alike). Half is the
 * share of distinct documents, half how near the mean score comes to the best.
 */
export const evidenceSpreadOf = (passages: readonly { documentId: string; score: number }[]): number => {
  if (passages.length < 2) return 0
  const documents = new Set(passages.map(({ documentId }) => documentId)).size
  const scores = passages.map(({ score }) => Math.max(0, score))
  const best = Math.max(...scores)
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length
  // One standing out among n with nothing has a mean of best / n: that is no spread at all.
  const floor = 1 / scores.length
  const flatness = best > 0 ? (mean / best - floor) / (1 - floor) : 1
  return clamp((documents - 1) / (passages.length - 1)) / 2 + clamp(flatness) / 2
}

export type DifficultyInput = {
  /** As it stands alone. */
  question: string
  intent?: Intent
  historyTokens: number
  passages: number
  /** From `evidenceSpreadOf`. */
  evidenceSpread: number
  evidenceTokens: number
}

/** What each part may add. A plain question over a few passages stays below the default for the standard tier. */
const parts = { wording: 0.5, synthesis: 0.2, severalQuestions: 0.1, spread: 0.2, evidence: 0.15, history: 0.1 }
const evidenceTokensFull = 6_000
const historyTokensFull = 4_000
/** A part that adds less is not worth a word. */
const namedFrom = 0.05

/** How hard a question is, 0 to 1, and why: what adds most comes first. */
export const difficultyOf = ({
  question,
  intent = 'knowledge',
  historyTokens,
  passages,
  evidenceSpread,
  evidenceTokens,
}: DifficultyInput): { difficulty: number; reasons: string[] } => {
  if (intent !== 'knowledge') return { difficulty: 0, reasons: ['needs no model'] }
  const added: [number, string][] = [
    [parts.wording * promptDifficulty(question), 'worded like questions that take a stronger model'],
    [synthesis.test(question) ? parts.synthesis : 0, 'asks to compare, sum up or explain'],
    [count(question, /\?/g) > 1 ? parts.severalQuestions : 0, 'several questions at once'],
    [passages > 1 ? parts.spread * clamp(evidenceSpread) : 0, 'evidence spread over several documents'],
    [parts.evidence * clamp(evidenceTokens / evidenceTokensFull), 'much evidence to read'],
    [parts.history * clamp(historyTokens / historyTokensFull), 'a long conversation before it'],
  ]
  const reasons = added
    .filter(([value]) => value >= namedFrom)
    .toSorted(([a], [b]) => b - a)
    .map(([, reason]) => reason)
  return {
    difficulty: clamp(added.reduce((sum, [value]) => sum + value, 0)),
    reasons: reasons.length > 0 ? reasons : ['a short, plain question'],
  }
}

export type TierChoice = {
  tier: Tier
  /** The model that an admin chose for this task; asked first. */
  modelKey: string | undefined
  /** In words, for the trace and the ledger. */
  reason: string
}

type TierInput = {
  task: string
  /** From `difficultyOf`; undefined for a task that is not routed by difficulty. */
  difficulty: number | undefined
  /** The tier of the task's contract, where there is no difficulty. */
  taskTier: Tier
  settings: Pick<GatewaySettings, 'routing' | 'taskModels'>
}

const tierByDifficulty = (
  difficulty: number,
  { standardFrom, flagshipFrom }: GatewaySettings['routing'],
): { tier: Tier; why: string } => {
  const at = difficulty.toFixed(2)
  if (difficulty >= flagshipFrom) return { tier: 'flagship', why: `difficulty ${at} is at least ${flagshipFrom}` }
  if (difficulty >= standardFrom) return { tier: 'standard', why: `difficulty ${at} is at least ${standardFrom}` }
  return { tier: 'fast', why: `difficulty ${at} is below ${Math.min(standardFrom, flagshipFrom)}` }
}

/** The tier to ask, and the model an admin set for the task where there is one. Pure. */
export const chooseTier = ({ task, difficulty, taskTier, settings }: TierInput): TierChoice => {
  const { tier, why } =
    difficulty === undefined
      ? { tier: taskTier, why: `${task} is a task for this tier` }
      : tierByDifficulty(difficulty, settings.routing)
  const modelKey = Object.hasOwn(settings.taskModels, task) ? settings.taskModels[task] : undefined
  return { tier, modelKey, reason: modelKey === undefined ? `${tier}: ${why}` : `${modelKey} is set for ${task}` }
}

/** A better neighbour before a worse one: falling back should not cost quality first. */
const distance = (wanted: Tier, tier: Tier): number => {
  const steps = tiers.indexOf(tier) - tiers.indexOf(wanted)
  return steps >= 0 ? 2 * steps : -2 * steps + 1
}

type OrderInput = Pick<TierChoice, 'tier' | 'modelKey'> & {
  settings: Pick<GatewaySettings, 'routing' | 'providers'>
}

/**
 * The candidates in the order in which they are tried, each of them allowed: under `providers: 'local'` no hosted one is left, for
 * fallback either. First the task's own model; then local ones where `localFirst` says so; then by tier, nearest to the wanted one
 * first; then as they came (their position). The built-in model, which can only quote, is the last resort. Pure; the input stays.
 */
export const orderCandidates = (
  candidates: readonly Candidate[],
  { tier, modelKey, settings }: OrderInput,
): Candidate[] => {
  const rank = ({ key, provider, tier: own }: Candidate): [number, number, number, number] => [
    key === modelKey ? 0 : 1,
    provider.kind === 'built-in' ? 1 : 0,
    settings.routing.localFirst && !provider.local ? 1 : 0,
    distance(tier, own),
  ]
  return (
    candidates
      // Fail closed: what is not known to be local is hosted.
      .filter(({ provider }) => settings.providers === 'any' || provider.local)
      .map((candidate) => ({ candidate, ranks: rank(candidate) }))
      .toSorted((a, b) => a.ranks.reduce((order, value, at) => order || value - (b.ranks[at] ?? 0), 0))
      .map(({ candidate }) => candidate)
  )
}

/** Whether a local model's answer stands, or a hosted one is asked. A confidence that is no number never suffices. */
export const localAnswerSuffices = (confidence: number, { localConfidenceMin }: GatewaySettings['routing']): boolean =>
  confidence >= localConfidenceMin
