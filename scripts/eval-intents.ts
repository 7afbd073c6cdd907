/**
 * How well messages are told apart: `node scripts/eval-intents.ts [DIR]`. Always on the held-out examples that come with the product;
 * with DIR (train.jsonl and val.jsonl, lines of `{ text, intent }`, `out-of-scope` being none of them) also the method: the same
 * head trained on train.jsonl, its threshold chosen on train.jsonl alone. Vectors are computed afresh.
 */
import './env-file.ts'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { closeGateway, embed } from '#lib/gateway/index.ts'
import { classifyIntent, confidenceOf, intents } from '#lib/gateway/intent.ts'
import { type Example, embedded, partOf, readExamples } from './intent-examples.ts'
import {
  dot,
  meanDirections,
  type Sample,
  seededRandom,
  shuffledPositions,
  softmaxOf,
  trainSoftmax,
} from './softmax.ts'

const outOfScope = 'out-of-scope'
/** Where the held-out part of train.jsonl begins to be turned away: this share of it may be. */
const turnedAwayShare = 0.025
const share = (part: number, whole: number): string => (whole === 0 ? '-' : (part / whole).toFixed(3))

const percentile = (sorted: readonly number[], at: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0

const evaluateShipped = async (): Promise<void> => {
  const { model, examples } = await embedded((await readExamples()).filter(({ text }) => partOf(text) === 'held-out'))
  const judged = examples.map(({ text, vector, intent }) => ({
    text,
    wanted: intent,
    ...classifyIntent(text, vector, model),
  }))
  const right = judged.filter(({ intent, wanted }) => intent === wanted).length
  console.log(`held out: ${judged.length} examples, accuracy ${share(right, judged.length)}`)
  for (const name of intents) {
    const of = judged.filter(({ wanted }) => wanted === name)
    const kept = of.filter(({ intent }) => intent === name)
    const through = of.filter(({ intent }) => intent === 'knowledge' && name !== 'knowledge')
    console.log(
      `  ${name}: ${of.length}, right ${share(kept.length, of.length)}, looked up instead ${through.length}, misrouted ${of.length - kept.length - through.length}`,
    )
  }
  for (const { text, wanted, intent } of judged)
    if (intent !== wanted && intent !== 'knowledge')
      console.log(`  misrouted: "${text}" is ${wanted}, taken for ${intent}`)

  const times = { judgeMs: [] as number[], wholeMs: [] as number[] }
  for (const { text, vector } of examples) {
    const startMs = performance.now()
    const { vectors } = await embed([text], { purpose: 'query' })
    const encodedMs = performance.now()
    classifyIntent(text, vectors[0] ?? vector, model)
    const endMs = performance.now()
    times.judgeMs.push(endMs - encodedMs)
    times.wholeMs.push(endMs - startMs)
  }
  const line = (values: number[]): string => {
    const sorted = values.toSorted((a, b) => a - b)
    return `p50 ${percentile(sorted, 0.5).toFixed(2)} ms, p95 ${percentile(sorted, 0.95).toFixed(2)} ms`
  }
  console.log(`time: head ${line(times.judgeMs)}; with encoding ${line(times.wholeMs)}`)
}

const train = (
  examples: readonly Example[],
  classes: readonly string[],
): ((vector: Float32Array) => [string, number]) => {
  const samples: Sample[] = examples.map(({ vector, intent }) => ({ features: vector, label: classes.indexOf(intent) }))
  const model = trainSoftmax(samples, { classes: classes.length, l2: 1 / (10 * samples.length), epochs: 10, seed: 1 })
  const means = meanDirections(samples, classes.length)
  return (vector) => {
    const probabilities = softmaxOf(model, vector)
    const best = probabilities.indexOf(Math.max(...probabilities))
    const mean = means[best]
    return [classes[best] ?? '', confidenceOf(probabilities[best] ?? 0, mean ? dot(mean, vector) : 0)]
  }
}

const evaluateMethod = async (dir: string): Promise<void> => {
  const { examples: training } = await embedded(await readExamples(join(dir, 'train.jsonl')))
  const { examples: validation } = await embedded(await readExamples(join(dir, 'val.jsonl')))
  const inTraining = training.filter(({ intent }) => intent !== outOfScope)
  const classes = [...new Set(inTraining.map(({ intent }) => intent))]

  const order = [...shuffledPositions(inTraining.length, seededRandom(1))]
  const pick = (from: number, to: number) =>
    order.slice(from, to).flatMap((at) => (inTraining[at] ? [inTraining[at]] : []))
  const heldOutFrom = Math.floor(order.length * 0.8)
  const first = train(pick(0, heldOutFrom), classes)
  const heldOut = pick(heldOutFrom, order.length)
  const confidences = heldOut.map(({ vector }) => first(vector)[1]).toSorted((a, b) => a - b)
  const threshold = percentile(confidences, turnedAwayShare)

  const judge = train(inTraining, classes)
  const judged = validation.map(({ vector, intent }) => {
    const [best, confidence] = judge(vector)
    return { wanted: intent, best, taken: confidence >= threshold ? best : outOfScope }
  })
  const inside = judged.filter(({ wanted }) => wanted !== outOfScope)
  const outside = judged.filter(({ wanted }) => wanted === outOfScope)
  console.log(
    [
      `method on ${dir}: ${classes.length} classes, ${inTraining.length} to train on, threshold ${threshold.toFixed(3)}`,
      `  in scope ${share(inside.filter(({ best, wanted }) => best === wanted).length, inside.length)} without a threshold, ${share(inside.filter(({ taken, wanted }) => taken === wanted).length, inside.length)} with it`,
      `  out of scope: recall ${share(outside.filter(({ taken }) => taken === outOfScope).length, outside.length)}`,
    ].join('\n'),
  )
}

const dir = process.argv[2]
await evaluateShipped()
if (dir && ['train.jsonl', 'val.jsonl'].every((name) => existsSync(join(dir, name)))) await evaluateMethod(dir)
else
  console.log(dir ? `${dir}: train.jsonl and val.jsonl are not there` : 'no folder given: the method was not measured')
await closeGateway()
