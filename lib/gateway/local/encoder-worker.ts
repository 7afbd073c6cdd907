/**
 * A thread that runs one encoder. `session.run` blocks the thread it runs on, so it never runs on the main one; one single-threaded
 * session a thread beats one session with two. Files are checked against their hashes before they are used.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { Tokenizer } from '@huggingface/tokenizers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { type EncoderFile, type EncoderModel, encoderFiles } from './encoder-model.ts'

/** Texts to encode, or the end: a thread ends by itself, because killing it in the middle of a run aborts the whole process. */
export type EncoderRequest = { id: number; texts: string[] } | { end: true }
export type EncoderReply =
  | { id: number; vectors: Float32Array; tokens: number }
  | { id: number; error: string }
  | { ready: true }
  | { ready: false; error: string }

/** Tokens a run. Small runs stay in the processor's cache: 256 is a fifth faster than 1,024 and holds half of its memory. */
const batchTokensMax = 256

const { model, folder } = workerData as { model: EncoderModel; folder: string }
const port = parentPort
if (!port) throw new Error('The encoder runs in a worker thread')

const readChecked = async (file: EncoderFile): Promise<Buffer> => {
  const bytes = await readFile(join(folder, file)).catch(() => {
    throw new Error(`${file} is missing in ${folder}`)
  })
  if (createHash('sha256').update(bytes).digest('hex') !== model.files[file])
    throw new Error(`${file} in ${folder} is damaged: its hash is not the known one`)
  return bytes
}

const load = async () => {
  const [weights, tokenizerJson] = await Promise.all([
    readChecked(encoderFiles.weights),
    readChecked(encoderFiles.tokenizer),
  ])
  const tokenizer = new Tokenizer(JSON.parse(tokenizerJson.toString('utf8')), {})
  // Runs are small, so the arena that keeps the largest of them is small as well.
  const session = await InferenceSession.create(weights, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableCpuMemArena: true,
    graphOptimizationLevel: 'all',
  })
  const unknown = session.inputNames.filter((name) => !fills.has(name))
  if (unknown.length > 0) throw new Error(`the model wants ${unknown.join(', ')}, which no sentence encoder needs`)
  return { tokenizer, session }
}

/** What goes into each place of a batch: the token's id, whether there is a token, and which of two texts it belongs to. */
const fills = new Map<string, (id: number | undefined) => bigint>([
  ['input_ids', (id) => BigInt(id ?? 0)],
  ['attention_mask', (id) => (id === undefined ? 0n : 1n)],
  ['token_type_ids', () => 0n],
])

const loaded = load()

/** Token ids cut to the model's length, the closing special token kept. */
const tokenize = (tokenizer: Tokenizer, text: string): number[] => {
  const { ids } = tokenizer.encode(text)
  const last = ids.at(-1)
  return ids.length <= model.tokensMax || last === undefined ? ids : [...ids.slice(0, model.tokensMax - 1), last]
}

/** The vector of one text out of those of its tokens, of unit length. */
const pool = (hidden: Float32Array, from: number, tokens: number): Float32Array => {
  const { dimensions, pooling } = model
  const vector = hidden.slice(from, from + dimensions)
  // Only its direction counts, so a sum does for a mean.
  for (let token = 1; pooling === 'mean' && token < tokens; token += 1)
    for (let at = 0; at < dimensions; at += 1)
      vector[at] = (vector[at] ?? 0) + (hidden[from + token * dimensions + at] ?? 0)
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  if (!(length > 0)) throw new Error('the model gave no direction')
  return vector.map((value) => value / length)
}

const run = async (
  session: InferenceSession,
  batch: readonly number[][],
  write: (row: number, vector: Float32Array) => void,
): Promise<void> => {
  const length = Math.max(...batch.map((ids) => ids.length))
  const dims = [batch.length, length]
  const feeds: Record<string, Tensor> = {}
  for (const name of session.inputNames) {
    const fill = fills.get(name)
    const values = new BigInt64Array(batch.length * length)
    if (fill)
      for (let at = 0; at < values.length; at += 1) values[at] = fill(batch[Math.floor(at / length)]?.[at % length])
    feeds[name] = new Tensor('int64', values, dims)
  }
  const outputs = await session.run(feeds)
  const output = outputs.last_hidden_state ?? outputs[session.outputNames[0] ?? '']
  if (output?.type !== 'float32' || output.dims.length !== 3 || output.dims[2] !== model.dimensions)
    throw new Error(`the model gives ${output?.dims.join(' × ')}, not ${model.dimensions} numbers a token`)
  const hidden = output.data as Float32Array
  batch.forEach((ids, row) => {
    write(row, pool(hidden, row * length * model.dimensions, ids.length))
  })
}

/** Vectors in the order of the texts. Texts are run sorted by length, so that little of a batch is padding. */
const encode = async (texts: readonly string[]): Promise<{ vectors: Float32Array; tokens: number }> => {
  const { tokenizer, session } = await loaded
  const rows = texts
    .map((text, index) => ({ index, ids: tokenize(tokenizer, text) }))
    .sort((a, b) => a.ids.length - b.ids.length)
  const vectors = new Float32Array(texts.length * model.dimensions)
  let tokens = 0
  for (let from = 0; from < rows.length; ) {
    let to = from + 1
    while (to < rows.length && (rows[to]?.ids.length ?? 0) * (to - from + 1) <= batchTokensMax) to += 1
    const batch = rows.slice(from, to)
    await run(
      session,
      batch.map(({ ids }) => ids),
      (row, vector) => vectors.set(vector, (batch[row]?.index ?? 0) * model.dimensions),
    )
    tokens += batch.reduce((sum, { ids }) => sum + ids.length, 0)
    from = to
  }
  return { vectors, tokens }
}

const reply = (message: EncoderReply): void => port.postMessage(message)
const words = (error: unknown): string => (error instanceof Error ? error.message : String(error))

loaded.then(
  () => reply({ ready: true }),
  (error: unknown) => reply({ ready: false, error: words(error) }),
)
port.on('message', (request: EncoderRequest) => {
  if ('end' in request) return port.close()
  const { id, texts } = request
  encode(texts).then(
    ({ vectors, tokens }) =>
      port.postMessage({ id, vectors, tokens } satisfies EncoderReply, [vectors.buffer as ArrayBuffer]),
    (error: unknown) => reply({ id, error: words(error) }),
  )
})
