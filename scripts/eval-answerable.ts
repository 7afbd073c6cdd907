/**
 * How well the product tells questions that its documents answer from those that they do not: `node scripts/eval-answerable.ts DIR
 * [--json]`. DIR holds corpus.jsonl and conversations.jsonl (lines of `{ answerability, turns: [{ speaker, text }] }`); each last turn
 * is made standalone and searched for as in a chat. Two figures: of the coefficients as they come with the product, which were fitted on
 * MTRAG's questions and so are in sample there, and of the same signals fitted anew by cross-validation, out of sample. Intervals are
 * those of so many questions, 95 in 100.
 */
import './env-file.ts'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { standaloneQuestion } from '#lib/chat/follow-up.ts'
import { overCorpus } from '#lib/evals/index.ts'
import { closeGateway } from '#lib/gateway/index.ts'
import { answerability, answerableMin, answerFeatures } from '#lib/rag/answerable.ts'
import { retrieve } from '#lib/rag/index.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { applyLogistic, fitLogistic, type Sample } from '#lib/trust/calibrate.ts'
import {
  aucInterval,
  aucOf,
  type Scored,
  shareMetric,
  type TrustCall,
  type TrustReport,
  verdictOf,
} from './eval-metric.ts'
import { seededRandom, shuffledPositions } from './softmax.ts'

export type AnswerabilityReport = {
  answerable: number
  unanswerable: number
  /** Areas under the curve, answerable against unanswerable: of the score as it comes, and of single signals. */
  auc: number
  /** As it comes where there is no encoder. */
  aucWithoutEncoder: number
  aucOfCosine: number
  aucOfWords: number
  /** At the product's own line: answerable questions refused, unanswerable ones caught. */
  falseRefusals: number
  caught: number
  /** Of the score as it comes, where at most 5 in 100 answerable questions are refused. */
  caughtAtFive: number
  /** Fitted anew; means over repeated folds, and how far these are apart, which says nothing about other questions. */
  fitted: { auc: number; aucDeviation: number; aucLeast: number; caughtAtFive: number }
  /** Questions that are answered in part, and too vague ones, that go on to an answer. */
  partialFound: number
  underspecifiedFound: number
}

const needed = ['corpus.jsonl', 'conversations.jsonl']
const conversationSchema = z.object({
  answerability: z.string(),
  turns: z.array(z.object({ speaker: z.string(), text: z.string() })),
})

const falseRefusalsMost = 0.05
const folds = 5
const repeats = 20
/** Of half the squared coefficients of signals with mean 0 and deviation 1. */
const ridge = 10

type Asked = { label: string; found: boolean; score: number; scoreByWords: number; features: number[] }

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
const deviation = (values: readonly number[]): number => {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}
const shareOf = <T>(all: readonly T[], is: (one: T) => boolean): number => mean(all.map((one) => (is(one) ? 1 : 0)))

/** The share of the unanswerable below a line that at most `falseRefusalsMost` of the answerable are below. */
const caughtAtFive = (judged: readonly Scored[]): number => {
  const right = judged.flatMap((one) => (one.right ? [one.score] : [])).toSorted((a, b) => a - b)
  const line = right[Math.floor(right.length * falseRefusalsMost)] ?? 0
  return shareOf(
    judged.filter((one) => !one.right),
    ({ score }) => score < line,
  )
}

const ask = async (
  viewer: Viewer,
  { answerability: label, turns }: z.output<typeof conversationSchema>,
): Promise<Asked[]> => {
  const asked = turns.flatMap(({ speaker, text }) => (speaker === 'user' ? [text] : []))
  const last = asked.at(-1)
  if (!last) return []
  const { found, relevance, signals } = await retrieve(standaloneQuestion(last, asked.slice(0, -1)), viewer, {
    fresh: true,
  })
  // Nothing at all was found: nothing that could be fitted either.
  const features = signals ? answerFeatures(signals) : [0, 0, 0, 0]
  const scoreByWords = signals ? answerability({ ...signals, near: null }) : 0
  return [{ label, found, score: relevance.answerable, scoreByWords, features }]
}

/** Signals with the mean and the deviation that `samples` have. */
const scaledBy = (samples: readonly Sample[]): ((features: readonly number[]) => number[]) => {
  const width = samples[0]?.features.length ?? 0
  const columns = Array.from({ length: width }, (_, at) => samples.map(({ features }) => features[at] ?? 0))
  const [middles, spreads] = [columns.map(mean), columns.map(deviation)]
  return (features) => features.map((value, at) => (value - (middles[at] ?? 0)) / (spreads[at] || 1))
}

/** Every question scored by a fit on the folds that it is not in; each fold has its share of both kinds. */
const crossValidated = (samples: readonly Sample[], seed: number): Scored[] => {
  const random = seededRandom(seed)
  const foldOf = new Map<Sample, number>()
  for (const kind of [true, false]) {
    const ofKind = samples.filter(({ right }) => right === kind)
    for (const [at, position] of shuffledPositions(ofKind.length, random).entries()) {
      const sample = ofKind[position]
      if (sample) foldOf.set(sample, at % folds)
    }
  }
  return Array.from({ length: folds }, (_, fold) => {
    const training = samples.filter((sample) => foldOf.get(sample) !== fold)
    const scaled = scaledBy(training)
    const model = fitLogistic(
      training.map((sample) => ({ ...sample, features: scaled(sample.features) })),
      { l2: ridge },
    )
    return samples.flatMap((sample) =>
      foldOf.get(sample) === fold
        ? [{ right: sample.right, score: applyLogistic(model, scaled(sample.features)) }]
        : [],
    )
  }).flat()
}

const reportOf = (asked: readonly Asked[]): AnswerabilityReport => {
  const labelled = asked.filter(({ label }) => label === 'ANSWERABLE' || label === 'UNANSWERABLE')
  const samples = labelled.map((one) => ({ ...one, right: one.label === 'ANSWERABLE' }))
  const byFeature = (at: number): number =>
    aucOf(samples.map(({ right, features }) => ({ right, score: features[at] ?? 0 })))
  const rounds = Array.from({ length: repeats }, (_, at) => crossValidated(samples, at + 1))
  const areas = rounds.map(aucOf)
  const foundOf = (label: string): number =>
    shareOf(
      asked.filter((one) => one.label === label),
      ({ found }) => found,
    )
  return {
    answerable: samples.filter(({ right }) => right).length,
    unanswerable: samples.filter(({ right }) => !right).length,
    auc: aucOf(samples),
    aucWithoutEncoder: aucOf(samples.map(({ right, scoreByWords }) => ({ right, score: scoreByWords }))),
    aucOfCosine: byFeature(0),
    aucOfWords: byFeature(1),
    falseRefusals: 1 - foundOf('ANSWERABLE'),
    caught: 1 - foundOf('UNANSWERABLE'),
    caughtAtFive: caughtAtFive(samples),
    fitted: {
      auc: mean(areas),
      aucDeviation: deviation(areas),
      aucLeast: Math.min(...areas),
      caughtAtFive: mean(rounds.map(caughtAtFive)),
    },
    partialFound: foundOf('PARTIAL'),
    underspecifiedFound: foundOf('UNDERSPECIFIED'),
  }
}

/** Null when the folder or a file in it is not there. The process's database is a scratch one while this runs. */
export const answerabilitySuite = async (
  dir: string,
  onProgress: (line: string) => void = () => undefined,
): Promise<AnswerabilityReport | null> => {
  if (needed.some((name) => !existsSync(join(dir, name)))) return null
  const lines = (await readFile(join(dir, 'conversations.jsonl'), 'utf8')).split('\n').filter((line) => line.trim())
  const conversations = lines.map((line) => conversationSchema.parse(JSON.parse(line)))
  return overCorpus({ dir, onProgress }, async ({ viewer }) => {
    const asked: Asked[] = []
    for (const conversation of conversations) asked.push(...(await ask(viewer, conversation)))
    return reportOf(asked)
  })
}

/** AUC that is asked of it. */
const aucMin = 0.85

const metricsOf = (report: AnswerabilityReport) => {
  const { fitted, answerable, unanswerable } = report
  const area = (value: number) => ({
    value,
    ...aucInterval(value, answerable, unanswerable),
    baseline: report.aucOfCosine,
    pass: value >= aucMin,
  })
  return {
    'answerability AUC': area(fitted.auc),
    'answerability AUC, shipped': area(report.auc),
    'unanswerable caught at 5 % false refusals': shareMetric(fitted.caughtAtFive, unanswerable),
    'unanswerable caught at 5 % false refusals, shipped': shareMetric(report.caughtAtFive, unanswerable),
    "unanswerable caught at the product's line, shipped": shareMetric(report.caught, unanswerable),
    "answerable refused at the product's line, shipped": shareMetric(report.falseRefusals, answerable),
  }
}

/** A report as lines for people. */
export const answerabilityLines = (dir: string, report: AnswerabilityReport | null): string[] => {
  if (!report) return [`answerability: ${dir} is not there, or has no ${needed.join(' and ')}`]
  const { fitted } = report
  const metrics = metricsOf(report)
  const figure = (value: number): string => value.toFixed(3)
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
  const within = (name: keyof typeof metrics, say: (value: number) => string): string => {
    const { value, low, high } = metrics[name]
    return `${say(value)} (${say(low)} to ${say(high)})`
  }
  const area = (name: 'answerability AUC' | 'answerability AUC, shipped'): string =>
    `${within(name, figure)}, at least ${figure(aucMin)} asked: ${verdictOf(metrics[name].pass)}`
  return [
    `answerability: ${report.answerable} answerable and ${report.unanswerable} unanswerable questions; in brackets the interval of so many, 95 in 100`,
    `  AUC fitted anew, out of sample: ${area('answerability AUC')}; mean of ${repeats} times ${folds} folds, which are ${figure(fitted.aucDeviation)} apart, the least ${figure(fitted.aucLeast)}`,
    `  AUC shipped, fitted on these very questions where DIR is MTRAG's: ${area('answerability AUC, shipped')}; without an encoder ${figure(report.aucWithoutEncoder)}`,
    `  the best cosine alone ${figure(report.aucOfCosine)}, BM25's share alone ${figure(report.aucOfWords)}`,
    `  at 5 % false refusals caught: ${within('unanswerable caught at 5 % false refusals', percent)} fitted anew, ${within('unanswerable caught at 5 % false refusals, shipped', percent)} shipped`,
    `  at the product's line of ${answerableMin}: false refusals ${within("answerable refused at the product's line, shipped", percent)}, caught ${within("unanswerable caught at the product's line, shipped", percent)}`,
    `  goes on to an answer: ${percent(report.partialFound)} of those answered in part, ${percent(report.underspecifiedFound)} of the vague ones`,
  ]
}

/** As a part of `npm run eval -- trust`. */
export const evaluateAnswerability = async (dir: string, { fit, progress }: TrustCall): Promise<TrustReport> => {
  if (fit) return { metrics: {}, lines: [] }
  const report = await answerabilitySuite(dir, progress)
  return { metrics: report ? metricsOf(report) : {}, lines: answerabilityLines(dir, report) }
}

if (import.meta.main) {
  const args = process.argv.slice(2)
  const dir = args.find((arg) => !arg.startsWith('--'))
  if (!dir) {
    console.error('node scripts/eval-answerable.ts DIR [--json]')
    process.exitCode = 1
  } else {
    const report = await answerabilitySuite(dir, (line) => process.stderr.write(`${line}\n`))
    if (args.includes('--json')) console.log(JSON.stringify(report))
    else for (const line of answerabilityLines(dir, report)) console.log(line)
    await closeGateway()
  }
}
