/**
 * A thread that runs the cross-encoder: question and passage in one text, one number out. Pairs run sorted by length in small batches,
 * and one request is dropped between batches when nobody waits for it any more.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { Tokenizer } from '@huggingface/tokenizers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { CrossEncoder, CrossReply, CrossRequest } from './cross-encoder.ts'

const batchTokensMax = 1_024

const { folder, weights, tokensMax } = workerData as CrossEncoder
const port = parentPort
if (!port) throw new Error('The cross-encoder runs in a worker thread')

type Pair = { at: number; ids: number[]; types: number[] }

const load = async () => {
  const [graph, tokenizerJson] = await Promise.all([
    readFile(join(folder, weights)),
    readFile(join(folder, 'tokenizer.json'), 'utf8'),
  ])
  const session = await InferenceSession.create(graph, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  return { tokenizer: new Tokenizer(JSON.parse(tokenizerJson), {}), session }
}
const loaded = load()

/** Cut to the model's length at the end of the passage, the closing special token kept. */
const cut = (all: readonly number[]): number[] =>
  all.length <= tokensMax ? [...all] : [...all.slice(0, tokensMax - 1), ...all.slice(-1)]

const fills: Record<string, (pair: Pair, at: number) => number> = {
  input_ids: ({ ids }, at) => ids[at] ?? 0,
  attention_mask: ({ ids }, at) => (at < ids.length ? 1 : 0),
  token_type_ids: ({ types }, at) => types[at] ?? 0,
}

const run = async (session: InferenceSession, batch: readonly Pair[]): Promise<Float32Array> => {
  const length = Math.max(...batch.map(({ ids }) => ids.length))
  const feeds = Object.fromEntries(
    session.inputNames.map((name) => {
      const fill = fills[name]
      if (!fill) throw new Error(`the model wants ${name}, which is not known here`)
      const values = batch.flatMap((pair) => Array.from({ length }, (_, at) => BigInt(fill(pair, at))))
      return [name, new Tensor('int64', BigInt64Array.from(values), [batch.length, length])]
    }),
  )
  const outputs = await session.run(feeds)
  const output = outputs.logits ?? outputs[session.outputNames[0] ?? '']
  if (output?.type !== 'float32') throw new Error('the model gives no numbers')
  const data = output.data as Float32Array
  const width = data.length / batch.length
  // One number, or one for "no" and one for "yes".
  if (width !== 1 && width !== 2) throw new Error(`the model gives ${width} numbers a pair`)
  return Float32Array.from(batch, (_, row) =>
    width === 1 ? (data[row] ?? 0) : (data[row * 2 + 1] ?? 0) - (data[row * 2] ?? 0),
  )
}

const dropped = new Set<number>()

const score = async ({ id, question, passages }: { id: number; question: string; passages: string[] }) => {
  const { tokenizer, session } = await loaded
  const pairs = passages
    .map((text, at): Pair => {
      const { ids, token_type_ids: types } = tokenizer.encode(question, {
        text_pair: text,
        return_token_type_ids: true,
      })
      return { at, ids: cut(ids), types: cut(types) }
    })
    .sort((a, b) => a.ids.length - b.ids.length)
  const scores = new Float32Array(passages.length)
  for (let from = 0; from < pairs.length; ) {
    // A turn of the loop, so that word of a drop can come in.
    await new Promise((resolve) => setImmediate(resolve))
    if (dropped.delete(id)) throw new Error('dropped')
    let to = from + 1
    while (to < pairs.length && (pairs[to]?.ids.length ?? 0) * (to - from + 1) <= batchTokensMax) to += 1
    const batch = pairs.slice(from, to)
    const found = await run(session, batch)
    batch.forEach(({ at }, row) => {
      scores[at] = found[row] ?? 0
    })
    from = to
  }
  return scores
}

const reply = (message: CrossReply): void => port.postMessage(message)
const words = (error: unknown): string => (error instanceof Error ? error.message : String(error))

port.on('message', (request: CrossRequest) => {
  if ('end' in request) return port.close()
  if ('drop' in request) {
    dropped.add(request.drop)
    return
  }
  score(request)
    .then(
      (scores) => reply({ id: request.id, scores }),
      (error: unknown) => reply({ id: request.id, error: words(error) }),
    )
    .finally(() => dropped.delete(request.id))
})
