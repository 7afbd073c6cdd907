/**
 * Every encoder that is here (the built-in one, those in MODELS_DIR, those that were fetched), in one table: how fast, how large, which
 * languages, at what price; each in a process of its own. How well they find is measured by `npm run eval:retrieval`.
 *
 * npm run bench:encoders -- [BEIR_DIR...]   texts are from the folders' `corpus.jsonl`, or from the project's own words
 */
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { Tokenizer } from '@huggingface/tokenizers'
import { env } from '#lib/env.ts'
import { embed, embeddingModel, listEncoders } from '#lib/gateway/embedding.ts'
import { closeEncoder } from '#lib/gateway/local/encoder.ts'
import { encoderFileList, encoderFiles } from '#lib/gateway/local/encoder-model.ts'
import { createModelStore } from '#lib/gateway/local/model-store.ts'
import { printMachine, printRows, type Row, residentMegabytes } from './report.ts'

const oneFlag = '--one='
const bulk = { 128: 2_000, 256: 500 } as const
const queries = 200
/** What the delay of the event loop is measured against, and is part of each of its samples. */
const resolutionMs = 2

const folders = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const one = process.argv.find((argument) => argument.startsWith(oneFlag))?.slice(oneFlag.length)

/** Words of real texts, in their order. */
const readWords = async (): Promise<string[]> => {
  const texts: string[] = []
  for (const folder of folders) {
    const corpus = await readFile(join(folder, 'corpus.jsonl'), 'utf8').catch(() => null)
    if (corpus === null) {
      console.error(`${folder} is not there, or has no corpus.jsonl`)
      continue
    }
    for (const line of corpus.trimEnd().split('\n').slice(0, 3_000))
      texts.push((JSON.parse(line) as { text: string }).text)
  }
  if (texts.length === 0) texts.push(await readFile('ARCHITECTURE.md', 'utf8'))
  return texts.join(' ').split(/\s+/)
}

/** Texts of about so many tokens each, as the model counts them; no two begin at the same word while there are enough. */
const textsOf = (words: readonly string[], tokenizer: Tokenizer, tokens: number, count: number): string[] => {
  const sample = words.slice(0, 2_000).join(' ')
  const wordsEach = Math.max(
    1,
    Math.round((tokens * Math.min(2_000, words.length)) / tokenizer.encode(sample).ids.length),
  )
  return Array.from({ length: count }, (_, at) => {
    const from = (at * wordsEach + at) % Math.max(1, words.length - wordsEach)
    return words.slice(from, from + wordsEach).join(' ')
  })
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN

const measure = async (name: string): Promise<Row> => {
  const { modelsDir, dataDir, hubEndpoint: endpoint } = env()
  const { folder } = await createModelStore({ modelsDir, dataDir, endpoint }).find(name)
  const sizes = await Promise.all(encoderFileList.map(async (file) => (await stat(join(folder, file))).size))
  const loadMs = await timed(() => embed(['ready'], { purpose: 'passage', model: name }))
  const loadedMb = residentMegabytes()

  const tokenizer = new Tokenizer(JSON.parse(await readFile(join(folder, encoderFiles.tokenizer), 'utf8')), {})
  const words = await readWords()
  const call = { purpose: 'passage', model: name } as const
  await embed(textsOf(words, tokenizer, 128, 32), call)

  const queryMs: number[] = []
  for (const query of textsOf(words, tokenizer, 12, queries))
    queryMs.push(await timed(() => embed([query], { purpose: 'query', model: name })))

  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  const short = textsOf(words, tokenizer, 128, bulk[128])
  const long = textsOf(words, tokenizer, 256, bulk[256])
  delay.enable()
  const shortMs = await timed(() => embed(short, call))
  delay.disable()
  const longMs = await timed(() => embed(long, call))
  const { id, dimensions, languages } = embeddingModel(name)
  await closeEncoder()
  return {
    encoder: id,
    dimensions,
    languages: languages === null ? '?' : languages.length,
    'MB on disk': (sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(0),
    'load ms': loadMs.toFixed(0),
    'MB loaded': loadedMb,
    'MB busy': residentMegabytes(),
    'query ms p50': percentile(queryMs, 0.5).toFixed(1),
    'passages/s 128': ((bulk[128] / shortMs) * 1_000).toFixed(0),
    'passages/s 256': ((bulk[256] / longMs) * 1_000).toFixed(0),
    'loop delay ms p99': Math.max(0, delay.percentile(99) / 1e6 - resolutionMs).toFixed(1),
    max: Math.max(0, delay.max / 1e6 - resolutionMs).toFixed(1),
    '$ a million tokens': 0,
  }
}

if (one === undefined) {
  printMachine(['onnxruntime-node', '@huggingface/tokenizers'])
  const rows: Row[] = []
  for (const name of await listEncoders()) {
    const { stdout } = await promisify(execFile)(process.execPath, [
      import.meta.filename,
      `${oneFlag}${name}`,
      ...folders,
    ])
    rows.push(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as Row)
  }
  printRows(rows)
} else console.log(JSON.stringify(await measure(one)))
