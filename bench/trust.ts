/**
 * What checks add to a streamed answer: ten sentences, each with a citation, from eight passages, fed word by word as a model writes.
 * Measured: how long after the last word the verdict is there, the longest turn of the event loop, and the processor time of
 * all threads for one answer, with the encoder and without.
 *
 *   node bench/trust.ts [--json]        BENCH_ROUNDS=40 BENCH_WORD_MS=4
 */
import './scratch.ts'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from '#lib/evals/metrics.ts'
import { closeGateway, embed, warmGateway } from '#lib/gateway/index.ts'
import { createCiter, type Evidence } from '#lib/rag/index.ts'
import { createVerifier } from '#lib/trust/index.ts'
import { printMachine, printRows, type Row } from './report.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 40)
const wordEveryMs = Number(process.env.BENCH_WORD_MS ?? 4)
const sentenceCount = 10
const passageCount = 8

const subjects = [
  'pump',
  'belt drive',
  'control unit',
  'safety guard',
  'oil filter',
  'hoist',
  'coolant line',
  'door lock',
]
const parts = ['the front bearing', 'the relay', 'the outer seal', 'the fuse', 'the sensor', 'the spring', 'the valve']

/** About 250 words, as the chunker cuts them; `round` makes every answer's texts new to the encoder. */
const passage = (n: number, round: number): Evidence['passages'][number] => {
  const subject = subjects[n % subjects.length] ?? ''
  const text = Array.from({ length: 14 }, (_, at) => {
    const part = parts[(n + at) % parts.length] ?? ''
    return `In section ${round * 100 + at} the ${subject} has to be stopped and cooled before ${part} is changed after ${(at + 1) * 120} hours of work, and the date is written in the log.`
  }).join(' ')
  return {
    n: n + 1,
    chunkId: `chunk-${n}`,
    documentId: `document-${n}`,
    versionId: `version-${n}`,
    title: `Maintenance of the ${subject}`,
    collectionId: 'collection',
    collection: 'Workshop',
    mediaType: 'text/plain',
    page: null,
    pageTo: null,
    pages: null,
    headingPath: ['Intervals'],
    context: '',
    text,
    charStart: 0,
    charEnd: text.length,
    score: 1,
    lexical: null,
    vector: null,
    tokens: 300,
  }
}

const answerOf = (round: number): string =>
  Array.from({ length: sentenceCount }, (_, at) => {
    const n = at % passageCount
    return `Stop and cool the ${subjects[n]} before you change ${parts[(n + at) % parts.length]} after ${(at + 1) * 120} hours, as section ${round * 100 + at} says [${n + 1}].`
  }).join(' ')

type Meaning = NonNullable<Parameters<typeof createVerifier>[0]['meaning']>
type Round = { addedMs: number; processorMs: number; confidence: number }

const runOnce = async (round: number, meaning: Meaning | null): Promise<Round> => {
  const passages = Array.from({ length: passageCount }, (_, n) => passage(n, round))
  const evidence = { passages, relevance: { near: 0.7, coverage: 0.8 } }
  const citer = createCiter(evidence)
  const usage = process.cpuUsage()
  const verifier = createVerifier({ question: `When is a part changed, round ${round}?`, evidence, meaning })
  for (const word of answerOf(round).match(/\S+\s*/g) ?? []) {
    verifier.push(citer.push(word))
    await pause(wordEveryMs)
  }
  verifier.push(citer.end())
  const endedMs = performance.now()
  const { confidence } = await verifier.finish()
  const addedMs = performance.now() - endedMs
  const spent = process.cpuUsage(usage)
  return { addedMs, processorMs: (spent.user + spent.system) / 1_000, confidence: confidence ?? -1 }
}

/** The same stream and citer without a verifier: what the checks' processor time is beside. */
const runBare = async (round: number): Promise<number> => {
  const citer = createCiter({ passages: Array.from({ length: passageCount }, (_, n) => passage(n, round)) })
  const usage = process.cpuUsage()
  for (const word of answerOf(round).match(/\S+\s*/g) ?? []) {
    citer.push(word)
    await pause(wordEveryMs)
  }
  const spent = process.cpuUsage(usage)
  return (spent.user + spent.system) / 1_000
}

const median = (values: readonly number[]): number => percentile(values, 0.5)

const measure = async (name: string, meaning: Meaning | null): Promise<Row> => {
  // The first ones load the encoder and warm the code.
  for (const round of [1_000, 1_001, 1_002]) await runOnce(round, meaning)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const runs: Round[] = []
  for (let round = 0; round < rounds; round += 1) runs.push(await runOnce(round, meaning))
  delay.disable()
  const bare: number[] = []
  for (let round = 0; round < rounds; round += 1) bare.push(await runBare(round))
  const added = runs.map(({ addedMs }) => addedMs)
  const processorMs = median(runs.map((run) => run.processorMs))
  return {
    checks: name,
    'added p50 ms': median(added).toFixed(1),
    'added p95 ms': percentile(added, 0.95).toFixed(1),
    'longest turn p99 ms': (delay.percentile(99) / 1e6).toFixed(1),
    'processor ms': processorMs.toFixed(0),
    'of it without checks': median(bare).toFixed(0),
    confidence: median(runs.map((run) => run.confidence)).toFixed(2),
  }
}

printMachine(['onnxruntime-node'])
console.log(
  `${rounds} answers of ${sentenceCount} sentences from ${passageCount} passages, a word every ${wordEveryMs} ms; asked: p95 at most 30 ms on 2 cores`,
)
await warmGateway()
const meaning: Meaning = {
  encode: async (texts) => (await embed(texts, { purpose: 'query' })).vectors,
  unlike: 0,
}
const rows = [await measure('words', null), await measure('words and meaning', meaning)]
printRows(rows)
await closeGateway()
