/**
 * Routing by the wording of the question: `node bench/routing.ts [DIR] [--write]`. DIR/mmlu.jsonl holds questions with whether a weak
 * and a strong model got them right. Printed: the share of questions that must go to the strong model to keep 95 % of its quality,
 * for questions in random order, by length and by the product's scorer, trained in five folds and judged on the fold it did not see.
 * With `--write` the scorer is then trained on all questions and its weights are written for the product.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import {
  difficultyOf,
  type PromptWeights,
  promptBenefit,
  promptDifficulty,
  promptFeatures,
} from '#lib/gateway/route.ts'
import { seededRandom, shuffledPositions, trainSoftmax } from '../scripts/softmax.ts'
import { printMachine, printRows } from './report.ts'

const recordSchema = z.object({ prompt: z.string(), weak: z.boolean(), strong: z.boolean() })
type Question = z.output<typeof recordSchema>

const folds = 5
/** Each deals the questions into folds anew: the spread between them is the noise of the figure. */
const seeds = [1, 2, 3, 4, 5]
const qualityKept = 0.95
const quantileSteps = 50

const percentile = (sorted: readonly number[], at: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0

const train = (questions: readonly Question[]): PromptWeights => {
  const features = questions.map(({ prompt }) => promptFeatures(prompt))
  const width = features[0]?.length ?? 0
  const columns = Array.from({ length: width }, (_, at) => features.map((row) => row[at] ?? 0))
  const means = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / column.length)
  const spreads = columns.map((column, at) => {
    const mean = means[at] ?? 0
    return Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length) || 1
  })
  const { weights, bias } = trainSoftmax(
    features.map((row, at) => {
      const { weak, strong } = questions[at] ?? { weak: false, strong: false }
      return {
        features: Float32Array.from(row, (value, feature) => (value - (means[feature] ?? 0)) / (spreads[feature] ?? 1)),
        label: weak === strong ? 1 : strong ? 2 : 0,
      }
    }),
    { classes: 3, l2: 100 / questions.length, epochs: 8, seed: 1 },
  )
  // The scaling goes into the weights, so that the product multiplies once.
  const rows = weights.map((row) => Array.from(row, (value, at) => value / (spreads[at] ?? 1)))
  const scorer: PromptWeights = {
    rows,
    bias: rows.map((row, label) => row.reduce((sum, value, at) => sum - value * (means[at] ?? 0), bias[label] ?? 0)),
    quantiles: [],
  }
  const benefits = questions.map(({ prompt }) => promptBenefit(prompt, scorer)).toSorted((a, b) => a - b)
  return {
    ...scorer,
    quantiles: Array.from({ length: quantileSteps + 1 }, (_, step) => percentile(benefits, step / quantileSteps)),
  }
}

/** The share of the questions, hardest first, that the strong model must get until the quality is kept. */
const strongShare = (questions: readonly Question[], score: (at: number) => number): number => {
  const order = questions
    .map((_, at) => ({ at, value: score(at) }))
    .toSorted((a, b) => b.value - a.value || a.at - b.at)
  const wanted = qualityKept * questions.filter(({ strong }) => strong).length
  let right = questions.filter(({ weak }) => weak).length
  for (const [given, { at }] of order.entries()) {
    if (right >= wanted) return given / questions.length
    right += Number(questions[at]?.strong ?? false) - Number(questions[at]?.weak ?? false)
  }
  return 1
}

/** Every question scored by weights that were trained without it. */
const crossValidated = (questions: readonly Question[], seed: number): Float64Array => {
  const scores = new Float64Array(questions.length)
  const order = [...shuffledPositions(questions.length, seededRandom(seed))]
  for (let fold = 0; fold < folds; fold += 1) {
    const inside = (rank: number): boolean => rank % folds === fold
    const pick = (at: number): Question[] => (questions[at] ? [questions[at]] : [])
    const weights = train(order.flatMap((at, rank) => (inside(rank) ? [] : pick(at))))
    for (const [rank, at] of order.entries())
      if (inside(rank)) scores[at] = promptDifficulty(questions[at]?.prompt ?? '', weights)
  }
  return scores
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const decisionTimes = (questions: readonly Question[]): { p50Us: number; p99Us: number } => {
  const times: number[] = []
  for (let round = 0; round < 3; round += 1)
    for (const { prompt } of questions) {
      const startMs = performance.now()
      difficultyOf({ question: prompt, historyTokens: 500, passages: 8, evidenceSpread: 0.5, evidenceTokens: 2_000 })
      // The first round warms the compiler.
      if (round > 0) times.push((performance.now() - startMs) * 1_000)
    }
  const sorted = times.toSorted((a, b) => a - b)
  return { p50Us: percentile(sorted, 0.5), p99Us: percentile(sorted, 0.99) }
}

const measure = async (file: string): Promise<void> => {
  const questions = (await readFile(file, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => recordSchema.parse(JSON.parse(line)))
  const quality = (model: 'weak' | 'strong') => mean(questions.map((question) => Number(question[model])))
  printMachine([])
  console.log(
    `${questions.length} questions; right: weak ${quality('weak').toFixed(3)}, strong ${quality('strong').toFixed(3)}; kept: ${qualityKept * 100} % of the strong one's`,
  )
  // In random order the quality rises in a straight line, so the share can be told without drawing one.
  const random = (qualityKept * quality('strong') - quality('weak')) / (quality('strong') - quality('weak'))
  const ours = seeds.map((seed) => {
    const scores = crossValidated(questions, seed)
    return strongShare(questions, (at) => scores[at] ?? 0)
  })
  const length = strongShare(questions, (at) => questions[at]?.prompt.length ?? 0)
  const oracle = strongShare(
    questions,
    (at) => Number(questions[at]?.strong ?? false) - Number(questions[at]?.weak ?? false),
  )
  const row = (order: string, share: number, spread = '') => ({
    order,
    'strong calls': `${(share * 100).toFixed(1)} %`,
    spread,
    'of random': (share / random).toFixed(3),
  })
  printRows([
    row('random', random),
    row('prompt length', length),
    row(
      'this scorer',
      mean(ours),
      `${(Math.min(...ours) * 100).toFixed(1)} to ${(Math.max(...ours) * 100).toFixed(1)} %`,
    ),
    row('oracle', oracle),
  ])
  const { p50Us, p99Us } = decisionTimes(questions)
  console.log(`a decision: p50 ${p50Us.toFixed(0)} µs, p99 ${p99Us.toFixed(0)} µs`)

  if (!process.argv.includes('--write')) return
  const { rows, bias, quantiles } = train(questions)
  const rounded = (value: number): number => Number(value.toFixed(5))
  const written = {
    rows: rows.map((one) => one.map(rounded)),
    bias: bias.map(rounded),
    quantiles: quantiles.map(rounded),
  }
  const target = join(import.meta.dirname, '../lib/gateway/local/route-weights.json')
  await writeFile(target, `${JSON.stringify(written, null, 2)}\n`)
  console.log(`written: ${target}; format it`)
}

const dir = process.argv.slice(2).find((argument) => !argument.startsWith('--'))
const file = dir ? join(dir, 'mmlu.jsonl') : undefined
if (file && existsSync(file)) await measure(file)
else console.log(file ? `${file} is not there` : 'usage: node bench/routing.ts DIR, a folder with mmlu.jsonl')
