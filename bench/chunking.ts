/**
 * How well a chunker keeps together what answers a question: `npm run bench:chunking -- DIR`, where DIR holds corpora and
 * `questions.jsonl` in the layout of chunking_evaluation (Chroma, 2024). All corpora are one index; chunks and questions are
 * embedded with the built-in encoder and the nearest chunks are compared with the gold excerpts, character by character:
 *
 * recall: share of the excerpts' characters that were found; precision: share of the characters found that belong to an excerpt;
 * IoU: what was found of the excerpts over all that was retrieved or missed. Overlapping chunks count each time they are retrieved.
 */
import './scratch.ts'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Tokenizer } from '@huggingface/tokenizers'
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters'
import { chunkDocument } from '#ingestion/chunk/index.ts'
import type { Block, ParsedDocument } from '#ingestion/parse/parsed-document.ts'
import { mean } from '#lib/evals/metrics.ts'
import { closeGateway, embed } from '#lib/gateway/index.ts'
import type { ChunkStrategy } from '#lib/shared/gateway-settings.ts'
import type { Span } from '#lib/shared/text.ts'
import { printMachine, printRows, type Row } from './report.ts'

type Question = { text: string; references: (Span & { corpus: string })[] }
type Corpus = { name: string; text: string }
/** `embedded` is what the encoder reads; the rest is what counts as found. */
type Chunk = Span & { corpus: string; embedded: string }
type Splitter = (corpus: Corpus) => Promise<Chunk[]>

const retrieved = [5, 10] as const
/** About what five chunks of 200 tokens hold: every splitter gets as much text to find the excerpts in. */
const budgetsChars = [4_000, 8_000] as const
const depthOfFailures = 20

const readFolder = (folder: string): { corpora: Corpus[]; questions: Question[] } => {
  const corpora = readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .map((file) => ({ name: file.slice(0, -3), text: readFileSync(join(folder, file), 'utf8') }))
  type Line = { corpus: string; question: string; references: { start_index: number; end_index: number }[] }
  const questions = readFileSync(join(folder, 'questions.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
    .map(({ corpus, question, references }) => ({
      text: question,
      references: references.map(({ start_index, end_index }) => ({ corpus, start: start_index, end: end_index })),
    }))
  return { corpora, questions }
}

/** WikiText writes its headings as ` = = Gameplay = = `; every other line is a paragraph. Offsets are the file's own. */
const parsedOf = ({ text }: Corpus): ParsedDocument => {
  const blocks: Block[] = []
  for (const { 0: line, index } of text.matchAll(/[^\n]*\S[^\n]*/g)) {
    const marks = /^ ((?:= )+)\S.* = $/.exec(line)?.[1]
    const end = index + line.length
    blocks.push(
      marks
        ? { kind: 'heading', level: marks.length / 2, start: index, end }
        : { kind: 'paragraph', start: index, end },
    )
  }
  return { kind: 'html', title: null, text, blocks, pages: [] }
}

/** What stands before a chunk when it is embedded. The title of a corpus is the name of its file. */
const prefixOf = (name: string, headingPath: readonly string[], prefix: 'none' | 'headings' | 'title'): string =>
  prefix === 'none'
    ? ''
    : [...(prefix === 'title' ? [name.replaceAll('_', ' ')] : []), ...headingPath]
        .map((heading) => heading.replace(/^[= ]+|[= ]+$/g, ''))
        .join(' > ')

const ours =
  (
    strategy: ChunkStrategy,
    { targetTokens, prefix = 'headings' }: { targetTokens?: number; prefix?: 'none' | 'headings' | 'title' } = {},
  ): Splitter =>
  async (corpus) => {
    const drafts = await chunkDocument(parsedOf(corpus), {
      strategy,
      ...(targetTokens ? { targetTokens } : {}),
      embed: async (texts) => (await embed(texts, { purpose: 'passage' })).vectors,
    })
    return drafts.map(({ start, end, text, headingPath, context }) => ({
      corpus: corpus.name,
      start,
      end,
      embedded: [prefixOf(corpus.name, headingPath, prefix), context, text].filter(Boolean).join('\n'),
    }))
  }

const langChain =
  (options: { chunkSize?: number; chunkOverlap?: number; lengthFunction?: (text: string) => number }): Splitter =>
  async ({ name, text }) => {
    const chunks: Chunk[] = []
    let from = 0
    for (const piece of await new RecursiveCharacterTextSplitter(options).splitText(text)) {
      const start = text.indexOf(piece, from)
      if (start < 0) throw new Error(`not in the text: ${piece.slice(0, 80)}`)
      from = start + 1
      chunks.push({ corpus: name, start, end: start + piece.length, embedded: piece })
    }
    return chunks
  }

/** In steps: a call's texts are sorted by length, and one that ends late holds all of its results. */
const embedAll = async (texts: readonly string[], purpose: 'query' | 'passage'): Promise<Float32Array[]> => {
  const vectors: Float32Array[] = []
  for (let from = 0; from < texts.length; from += 64)
    vectors.push(...(await embed(texts.slice(from, from + 64), { purpose })).vectors)
  return vectors
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

const rankAll = (chunks: readonly Chunk[], vectors: readonly Float32Array[], question: Float32Array): Chunk[] =>
  chunks
    .map((chunk, at) => ({ chunk, score: dot(question, vectors[at] ?? new Float32Array()) }))
    .sort((a, b) => b.score - a.score)
    .map(({ chunk }) => chunk)

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { start, end }) => sum + end - start, 0)

/** What of the excerpts lies in the chunks, each character once. */
const found = (references: Question['references'], chunks: readonly Chunk[]): Span[] =>
  references.flatMap((reference) => {
    const parts: Span[] = []
    let from = reference.start
    for (const chunk of chunks.filter(({ corpus }) => corpus === reference.corpus).sort((a, b) => a.start - b.start)) {
      const start = Math.max(from, chunk.start)
      const end = Math.min(reference.end, chunk.end)
      if (end <= start) continue
      parts.push({ start, end })
      from = end
    }
    return parts
  })

const firstChars = (chunks: readonly Chunk[], charsMax: number): Chunk[] => {
  let left = charsMax
  return chunks.flatMap((chunk) => {
    const end = Math.min(chunk.end, chunk.start + left)
    left -= end - chunk.start
    return end > chunk.start ? [{ ...chunk, end }] : []
  })
}

const scores = ({ references }: Question, chunks: readonly Chunk[]) => {
  const hit = lengthOf(found(references, chunks))
  const wanted = lengthOf(references)
  const read = lengthOf(chunks)
  return { recall: hit / wanted, precision: hit / read, iou: hit / (read + wanted - hit) }
}

const percent = (share: number): string => (share * 100).toFixed(1)

const measure = async (
  { corpora, questions }: { corpora: readonly Corpus[]; questions: readonly Question[] },
  asked: readonly Float32Array[],
  name: string,
  splitter: Splitter,
): Promise<Row> => {
  const chunks = (await Promise.all(corpora.map(splitter))).flat()
  const vectors = await embedAll(
    chunks.map(({ embedded }) => embedded),
    'passage',
  )
  const rankings = questions.map((question, at) => ({
    question,
    ranked: rankAll(chunks, vectors, asked[at] ?? new Float32Array()),
  }))
  const row: Row = {
    chunker: name,
    chunks: chunks.length,
    'mean chars': Math.round(lengthOf(chunks) / chunks.length),
  }
  const add = (label: string, take: (ranked: readonly Chunk[]) => Chunk[]): void => {
    const all = rankings.map(({ question, ranked }) => scores(question, take(ranked)))
    row[`recall ${label}`] = percent(mean(all.map(({ recall }) => recall)))
    row[`prec ${label}`] = percent(mean(all.map(({ precision }) => precision)))
    row[`IoU ${label}`] = percent(mean(all.map(({ iou }) => iou)))
  }
  for (const count of retrieved) add(`@${count}`, (ranked) => ranked.slice(0, count))
  for (const chars of budgetsChars) add(`${chars / 1_000}k`, (ranked) => firstChars(ranked, chars))
  // A question fails when less than half of one of its excerpts is among the chunks that would be looked at.
  for (const depth of [5, 10, depthOfFailures]) {
    const failed = rankings.filter(({ question, ranked }) =>
      question.references.some((reference) => {
        const hit = lengthOf(found([reference], ranked.slice(0, depth)))
        return hit < (reference.end - reference.start) / 2
      }),
    )
    row[`failed@${depth}`] = percent(failed.length / questions.length)
  }
  return row
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, sizes: { type: 'string' } },
})
const [folder] = positionals
if (!folder || !existsSync(join(folder, 'questions.jsonl'))) {
  console.error(folder ? `${folder}: not there` : 'usage: npm run bench:chunking -- DIR [--sizes 120,180,260] [--json]')
  process.exit(folder ? 1 : 2)
}
const set = readFolder(folder)
const readModel = (file: string): object =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../models/all-MiniLM-L6-v2', file), 'utf8')) as object
const tokenizer = new Tokenizer(readModel('tokenizer.json'), {})
const lengthFunction = (text: string): number => tokenizer.encode(text).ids.length
const asked = await embedAll(
  set.questions.map(({ text }) => text),
  'query',
)
const rows: Row[] = []
const sizes = values.sizes?.split(',').map(Number) ?? []
const runs: [string, Splitter][] = sizes.length
  ? sizes.flatMap((targetTokens): [string, Splitter][] => [
      [`auto, ${targetTokens}`, ours('auto', { targetTokens })],
      [`auto, ${targetTokens}, no headings`, ours('auto', { targetTokens, prefix: 'none' })],
      [`auto, ${targetTokens}, title`, ours('auto', { targetTokens, prefix: 'title' })],
    ])
  : [
      ['Footnote, auto', ours('auto')],
      ['Footnote, auto, no headings', ours('auto', { prefix: 'none' })],
      ['Footnote, semantic', ours('semantic')],
      ['Footnote, fixed', ours('fixed')],
      ['recursive, 200 tokens', langChain({ chunkSize: 200, chunkOverlap: 0, lengthFunction })],
      ['recursive, its defaults', langChain({})],
    ]
for (const [name, splitter] of runs) {
  rows.push(await measure(set, asked, name, splitter))
  process.stderr.write(`${name}\n`)
}
printMachine(['@langchain/textsplitters', 'onnxruntime-node'])
console.log(`${set.questions.length} questions over ${set.corpora.length} corpora; shares in percent`)
printRows(rows)
await closeGateway()
