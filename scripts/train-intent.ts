/**
 * Trains the head that tells what a message wants: `node scripts/train-intent.ts`. Reads lib/gateway/local/intents.jsonl and writes
 * lib/gateway/local/intent-head.json; the same examples and encoder give the same file. The threshold is chosen on examples that the
 * head did not see (five folds of the training part); the held-out part has no say and is for `eval-intents.ts`. Format the file
 * afterwards (`npm run format`).
 */
import './env-file.ts'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { closeGateway } from '#lib/gateway/index.ts'
import { createIntentJudge, foldedWords, type IntentHead, intents } from '#lib/gateway/intent.ts'
import { type Example, embedded, partOf, readExamples } from './intent-examples.ts'
import { meanDirections, trainSoftmax } from './softmax.ts'

/** At most this share of questions may be taken for something else. */
const misroutesMax = 0.005
const thresholdMin = 0.45
const folds = 5
const strength = 10

const names: readonly string[] = intents
const rounded = (value: number): number => Number(value.toFixed(4))

const trainHead = (examples: readonly Example[], encoder: string): Omit<IntentHead, 'threshold'> => {
  const samples = examples.map(({ vector, intent }) => ({
    features: vector,
    label: names.indexOf(intent),
  }))
  const { weights, bias } = trainSoftmax(samples, {
    classes: intents.length,
    l2: 1 / (strength * examples.length),
    epochs: 60,
    seed: 1,
  })
  const wordsOf = (intent: string): string =>
    [...new Set(examples.filter((one) => one.intent === intent).flatMap(({ text }) => foldedWords(text)))]
      .toSorted()
      .join(' ')
  return {
    encoder,
    classes: intents,
    weights: weights.map((row) => Array.from(row, rounded)),
    bias: Array.from(bias, rounded),
    means: meanDirections(samples, intents.length).map((row) => Array.from(row, rounded)),
    // Refusals go by their own words, and what is looked up by none.
    words: Object.fromEntries(
      intents.filter((name) => name !== 'knowledge' && name !== 'refuse').map((name) => [name, wordsOf(name)]),
    ),
  }
}

/** How sure an unseen question was taken for something else, the surest first. */
const misrouteConfidences = (training: readonly Example[], encoder: string): number[] =>
  Array.from({ length: folds }, (_, fold) => {
    const judge = createIntentJudge({
      ...trainHead(
        training.filter((_, at) => at % folds !== fold),
        encoder,
      ),
      threshold: 0,
    })
    return training
      .filter(({ intent }, at) => at % folds === fold && intent === 'knowledge')
      .map(({ text, vector }) => judge(text, vector, encoder))
      .filter(({ intent }) => intent !== 'knowledge')
      .map(({ confidence }) => confidence)
  })
    .flat()
    .toSorted((a, b) => b - a)

const { model, examples } = await embedded(await readExamples())
const training = examples.filter((example) => partOf(example.text) === 'training')
const questions = training.filter(({ intent }) => intent === 'knowledge').length
const confidences = misrouteConfidences(training, model)
// The surest misroute that is one too many must stay below.
const firstTooMany = confidences[Math.floor(misroutesMax * questions)] ?? 0
const threshold = Math.max(thresholdMin, Math.ceil(firstTooMany * 100 + 1) / 100)
const head: IntentHead = { ...trainHead(training, model), threshold }
await writeFile(
  join(import.meta.dirname, '../lib/gateway/local/intent-head.json'),
  `${JSON.stringify(head, null, 2)}\n`,
)
console.log(
  `${training.length} of ${examples.length} examples, ${questions} of them questions; unseen questions taken for something else at any confidence: ${confidences.length}; threshold ${threshold}`,
)
await closeGateway()
