import type { LanguageModelV4 } from '@ai-sdk/provider'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultGatewaySettings, type GatewaySettings, type Tier } from '#lib/shared/gateway-settings.ts'
import type { Candidate } from './call.ts'
import shippedWeights from './local/route-weights.json' with { type: 'json' }
import {
  chooseTier,
  type DifficultyInput,
  difficultyOf,
  evidenceSpreadOf,
  localAnswerSuffices,
  orderCandidates,
  promptDifficulty,
  promptFeatures,
} from './route.ts'

const model: LanguageModelV4 = {
  specificationVersion: 'v4',
  provider: 'none',
  modelId: 'none',
  supportedUrls: {},
  doGenerate: () => Promise.reject(new Error('never called')),
  doStream: () => Promise.reject(new Error('never called')),
}

const candidate = (key: string, tier: Tier, place: 'local' | 'hosted' | 'built-in' = 'hosted'): Candidate => ({
  key,
  provider: {
    id: key,
    name: key,
    kind: place === 'built-in' ? 'built-in' : 'compatible',
    local: place !== 'hosted',
    baseUrl: undefined,
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
  },
  modelId: key,
  tier,
  model,
  contextTokensMax: 8_000,
  price: undefined,
})

const routing = (change: Partial<GatewaySettings['routing']> = {}): GatewaySettings['routing'] => ({
  ...defaultGatewaySettings.routing,
  ...change,
})
const plain: DifficultyInput = {
  question: 'What is the hotel limit per night in Portugal?',
  historyTokens: 0,
  passages: 8,
  evidenceSpread: 0.4,
  evidenceTokens: 900,
}
const keys = (found: readonly Candidate[]): string[] => found.map(({ key }) => key)

describe('difficultyOf', () => {
  it('leaves a plain question below the default for the standard tier', () => {
    const { difficulty, reasons } = difficultyOf(plain)
    expect(difficulty).toBeLessThan(defaultGatewaySettings.routing.standardFrom)
    expect(reasons.length).toBeGreaterThan(0)
  })

  it.each<[string, Partial<DifficultyInput>, string]>([
    ['a comparison', { question: 'Compare the hotel limit per night in Portugal and Spain' }, 'asks to compare'],
    ['a second question', { question: 'What is the hotel limit in Portugal? And in Spain?' }, 'several questions'],
    ['spread evidence', { evidenceSpread: 1 }, 'spread over several documents'],
    ['much evidence', { evidenceTokens: 6_000 }, 'much evidence'],
    ['a long conversation', { historyTokens: 4_000 }, 'a long conversation'],
  ])('finds %s harder and says so', (_, change, reason) => {
    const { difficulty, reasons } = difficultyOf({ ...plain, ...change })
    expect(difficulty).toBeGreaterThan(difficultyOf(plain).difficulty)
    expect(reasons.join('; ')).toContain(reason)
  })

  it('is nothing for what needs no model', () => {
    expect(difficultyOf({ ...plain, intent: 'greeting' })).toEqual({ difficulty: 0, reasons: ['needs no model'] })
  })

  it('stays between 0 and 1 for any input', () => {
    const amount = fc.double()
    fc.assert(
      fc.property(fc.string(), amount, amount, amount, (question, historyTokens, evidenceSpread, evidenceTokens) => {
        const { difficulty } = difficultyOf({ ...plain, question, historyTokens, evidenceSpread, evidenceTokens })
        expect(difficulty).toBeGreaterThanOrEqual(0)
        expect(difficulty).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('promptDifficulty', () => {
  const [first = 0] = promptFeatures('abc')
  const weights = { rows: [[0], [0], [1]], bias: [0, 0, -first], quantiles: [-0.5, 0, 0.5] }

  it('is the place among the questions that were trained on', () => {
    // Equal odds of all three outcomes: no benefit, the middle of the quantiles.
    expect(promptDifficulty('abc', weights)).toBeCloseTo(0.5)
    expect(promptDifficulty('a', weights)).toBeLessThan(0.5)
    expect(promptDifficulty('a longer question', weights)).toBeGreaterThan(0.5)
    expect(promptDifficulty('a'.repeat(6_000), { ...weights, quantiles: [-0.5, 0] })).toBe(1)
    expect(promptDifficulty('', { ...weights, quantiles: [0, 0.5] })).toBe(0)
  })

  it('judges the beginning of what is very long', () => {
    expect(promptFeatures('7 '.repeat(500_000))).toEqual(promptFeatures('7 '.repeat(3_000)))
  })

  it('has a weight for every feature', () => {
    const features = promptFeatures('What?')
    expect(shippedWeights.rows).toHaveLength(3)
    for (const row of shippedWeights.rows) expect(row, 'run the benchmark with --write').toHaveLength(features.length)
  })

  it('finds a long question with conditions harder than a short one', () => {
    const long = `If 3 of the following statements are not true, which is? ${'It is said, in turn, that … '.repeat(40)}`
    expect(promptDifficulty('Where is the canteen?')).toBeLessThan(promptDifficulty(long))
  })
})

describe('evidenceSpreadOf', () => {
  const of = (documentId: string, score: number) => ({ documentId, score })

  it('is 0 where one passage stands out or there is only one', () => {
    expect(evidenceSpreadOf([])).toBe(0)
    expect(evidenceSpreadOf([of('a', 1)])).toBe(0)
    expect(evidenceSpreadOf([of('a', 1), of('a', 0), of('a', 0)])).toBe(0)
  })

  it('is 1 where every passage is of another document and scored alike', () => {
    expect(evidenceSpreadOf([of('a', 0.5), of('b', 0.5), of('c', 0.5)])).toBeCloseTo(1)
  })

  it('rises with documents and with equal scores', () => {
    const one = evidenceSpreadOf([of('a', 1), of('a', 0.5), of('a', 0.2)])
    expect(evidenceSpreadOf([of('a', 1), of('b', 0.5), of('a', 0.2)])).toBeGreaterThan(one)
    expect(evidenceSpreadOf([of('a', 1), of('a', 0.9), of('a', 0.9)])).toBeGreaterThan(one)
  })
})

describe('chooseTier', () => {
  const choose = (difficulty: number | undefined, change: Partial<GatewaySettings['routing']> = {}, taskModels = {}) =>
    chooseTier({ task: 'answer', difficulty, taskTier: 'standard', settings: { routing: routing(change), taskModels } })

  it('follows the difficulty, with the limits included', () => {
    expect(choose(0.34).tier).toBe('fast')
    expect(choose(0.35).tier).toBe('standard')
    expect(choose(0.75).tier).toBe('flagship')
  })

  it('standardFrom and flagshipFrom move the limits', () => {
    expect(choose(0.34, { standardFrom: 0.3 }).tier).toBe('standard')
    expect(choose(0.5, { flagshipFrom: 0.5 }).tier).toBe('flagship')
    expect(choose(0.99, { standardFrom: 1, flagshipFrom: 1 }).tier).toBe('fast')
    expect(choose(0.2, { standardFrom: 0.9, flagshipFrom: 0.1 }).tier).toBe('flagship')
  })

  it('takes the tier of the task where there is no difficulty', () => {
    expect(choose(undefined)).toMatchObject({ tier: 'standard', modelKey: undefined })
  })

  it('taskModels names the model of a task and no other', () => {
    const taskModels = { answer: 'ours/large' }
    expect(choose(0.1, {}, taskModels)).toEqual({
      tier: 'fast',
      modelKey: 'ours/large',
      reason: 'ours/large is set for answer',
    })
    expect(
      chooseTier({
        task: 'title',
        difficulty: undefined,
        taskTier: 'fast',
        settings: { routing: routing(), taskModels },
      }).modelKey,
    ).toBeUndefined()
    expect(
      chooseTier({
        task: 'constructor',
        difficulty: undefined,
        taskTier: 'fast',
        settings: { routing: routing(), taskModels },
      }).modelKey,
    ).toBeUndefined()
  })

  it('says why in words', () => {
    expect(choose(0.4).reason).toBe('standard: difficulty 0.40 is at least 0.35')
    expect(choose(0.1).reason).toBe('fast: difficulty 0.10 is below 0.35')
  })
})

describe('orderCandidates', () => {
  const all = [
    candidate('built-in', 'fast', 'built-in'),
    candidate('hosted-fast', 'fast'),
    candidate('hosted-standard', 'standard'),
    candidate('hosted-standard-2', 'standard'),
    candidate('hosted-flagship', 'flagship'),
    candidate('local-fast', 'fast', 'local'),
    candidate('local-standard', 'standard', 'local'),
  ]
  const order = (
    tier: Tier,
    change: Partial<GatewaySettings['routing']> = {},
    providers: GatewaySettings['providers'] = 'any',
    modelKey?: string,
  ): string[] => keys(orderCandidates(all, { tier, modelKey, settings: { routing: routing(change), providers } }))

  it('asks the wanted tier in its order, then the better neighbour, then the worse', () => {
    const hosted = all.filter(({ key }) => key.startsWith('hosted'))
    const settings = { routing: routing(), providers: 'any' as const }
    expect(keys(orderCandidates(hosted, { tier: 'standard', modelKey: undefined, settings }))).toEqual([
      'hosted-standard',
      'hosted-standard-2',
      'hosted-flagship',
      'hosted-fast',
    ])
    expect(keys(orderCandidates(hosted, { tier: 'flagship', modelKey: undefined, settings }))).toEqual([
      'hosted-flagship',
      'hosted-standard',
      'hosted-standard-2',
      'hosted-fast',
    ])
  })

  it('localFirst puts local models before hosted ones of a better tier', () => {
    expect(order('standard').slice(0, 3)).toEqual(['local-standard', 'local-fast', 'hosted-standard'])
    expect(order('standard', { localFirst: false }).slice(0, 3)).toEqual([
      'hosted-standard',
      'hosted-standard-2',
      'local-standard',
    ])
  })

  it('the local policy leaves no hosted candidate, not even for fallback or as the model of a task', () => {
    expect(order('flagship', {}, 'local', 'hosted-flagship')).toEqual(['local-standard', 'local-fast', 'built-in'])
    expect(order('flagship', { localFirst: false }, 'local').some((key) => key.startsWith('hosted'))).toBe(false)
  })

  it('the model of the task is asked first', () => {
    expect(order('fast', {}, 'any', 'hosted-flagship')[0]).toBe('hosted-flagship')
    expect(order('fast', {}, 'any', 'built-in')[0]).toBe('built-in')
  })

  it('the built-in model is the last resort', () => {
    expect(order('fast').at(-1)).toBe('built-in')
  })

  it('loses and invents no candidate, and leaves the input as it was', () => {
    const before = keys(all)
    expect(order('fast').toSorted()).toEqual(before.toSorted())
    expect(keys(all)).toEqual(before)
  })
})

it('localConfidenceMin decides whether a local answer stands', () => {
  expect(localAnswerSuffices(0.5, routing())).toBe(true)
  expect(localAnswerSuffices(0.49, routing())).toBe(false)
  expect(localAnswerSuffices(0.49, routing({ localConfidenceMin: 0.4 }))).toBe(true)
  expect(localAnswerSuffices(Number.NaN, routing({ localConfidenceMin: 0 }))).toBe(false)
})
