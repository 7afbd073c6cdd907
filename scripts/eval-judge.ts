/** A model's verdicts beside the checks' own, on a seeded sample of each set. Models are those of the environment. */
import { candidatesFor } from '#lib/gateway/recipe.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { calibrationError } from '#lib/trust/calibrate.ts'
import { createJudge, type Judge, type Meaning } from '#lib/trust/index.ts'
import { aucMetric, column, type Scored, shareMetric, shown, type TrustReport } from './eval-metric.ts'
import type { Pair } from './eval-pairs.ts'
import { verifyPair } from './eval-shown.ts'
import { seededRandom, shuffledPositions } from './softmax.ts'

type JudgeCall = { viewer: Viewer; meaning: Meaning | null; sample: number; progress?: (line: string) => void }

const asksAtOnce = 4

/** `said`: whether the judge found all its sentences supported; null where it could not be asked about one of them. */
type Asked = { right: boolean; said: boolean | null; alone: number; together: number }

const ask = async (pair: Pair, judge: Judge, meaning: Meaning | null): Promise<Asked> => {
  const verdicts: (boolean | null)[] = []
  const noted: Judge = async (one) => {
    const verdict = await judge(one).catch(() => null)
    verdicts.push(verdict?.supported ?? null)
    return verdict
  }
  const [alone, together] = [await verifyPair(pair, { meaning }), await verifyPair(pair, { meaning, judge: noted })]
  return {
    right: pair.supports,
    // A verdict that came too late for the check counts as none here, too.
    said: together.by.judge === 'asked' && !verdicts.includes(null) ? verdicts.every((verdict) => verdict) : null,
    alone: alone.confidence ?? 0,
    together: together.confidence ?? 0,
  }
}

const askAll = async (pairs: readonly Pair[], judge: Judge, meaning: Meaning | null): Promise<Asked[]> => {
  const asked: Asked[] = []
  const waiting = pairs.values()
  const work = async (): Promise<void> => {
    for (const pair of waiting) asked.push(await ask(pair, judge, meaning))
  }
  await Promise.all(Array.from({ length: asksAtOnce }, work))
  return asked
}

const scored = (asked: readonly Asked[], by: 'alone' | 'together'): Scored[] =>
  asked.map((one) => ({ right: one.right, score: one[by] }))
const errorOf = (asked: readonly Asked[], by: 'alone' | 'together'): number =>
  calibrationError(asked.map((one) => ({ right: one.right, probability: one[by] })))

/** Figures of what the judge could be asked about; nothing is demanded of a model that is not ours. */
export const evaluateJudge = async (
  pairs: readonly Pair[],
  { viewer, meaning, sample, progress = () => undefined }: JudgeCall,
): Promise<TrustReport> => {
  const models = await candidatesFor(viewer)
  if (models.length === 0)
    return { metrics: {}, lines: ['With a judge: no model is configured (see .env.example), none was asked'] }
  const judge = createJudge({ viewer, feature: 'eval.judge', collectionIds: [] })
  const metrics: TrustReport['metrics'] = {}
  const lines = [
    `With a judge (${models.map(({ modelId, provider }) => `${modelId} of ${provider.name}`).join(', ')}), at most ${sample} drawn by seed from each set: its own verdicts, and the confidence without and with them`,
    `${'set'.padEnd(12)} ${['asked', 'no word', 'correct', 'low', 'high', 'auc', 'checks', 'both', 'low', 'high'].map((name) => name.padStart(8)).join('')}`,
  ]
  const all: Asked[] = []
  for (const set of new Set(pairs.map((pair) => pair.set))) {
    const own = pairs.filter((pair) => pair.set === set)
    const drawn = [...shuffledPositions(own.length, seededRandom(1)).slice(0, sample)].flatMap((at) => own[at] ?? [])
    const asked = await askAll(drawn, judge, meaning)
    const answered = asked.filter(({ said }) => said !== null)
    progress(`${set}: judge asked about ${asked.length}`)
    all.push(...answered)
    const none = String(asked.length - answered.length)
    if (answered.length === 0) {
      lines.push(`${set.padEnd(12)} ${column(String(asked.length), 8)}${column(none, 8)}`)
      continue
    }
    const correct = answered.filter(({ said, right }) => said === right).length
    const accuracy = shareMetric(correct / answered.length, answered.length)
    metrics[`judge.accuracy.${set}`] = accuracy
    const cells = [String(asked.length), none, accuracy.value, accuracy.low, accuracy.high]
    // Between right ones alone, or wrong ones alone, there is nothing to tell apart.
    if (new Set(answered.map(({ right }) => right)).size === 2) {
      const verdict = aucMetric(answered.map(({ said, right }) => ({ right, score: said ? 1 : 0 })))
      const alone = aucMetric(scored(answered, 'alone'))
      const both = aucMetric(scored(answered, 'together'), { baseline: alone.value })
      metrics[`judge.auc.${set}`] = { ...verdict, baseline: alone.value }
      metrics[`judge.with-checks.auc.${set}`] = both
      cells.push(verdict.value, alone.value, both.value, both.low, both.high)
    }
    lines.push(`${set.padEnd(12)} ${cells.map((cell) => column(cell, 8)).join('')}`)
  }
  if (all.length > 0)
    lines.push(
      `calibration error over these ${all.length}: without the judge ${shown(errorOf(all, 'alone'))}, with it ${shown(errorOf(all, 'together'))}`,
    )
  return { metrics, lines }
}
