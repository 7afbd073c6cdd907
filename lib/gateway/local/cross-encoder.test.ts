import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CrossRunner, createCrossRunner, findCrossEncoder } from './cross-encoder.ts'

/** Just enough of protocol buffers to write a graph: a field is its number and a number, a text, or a message of fields. */
type Field = [number: number, value: number | string | Field[]]

const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) + 128, ...varint(value >> 7)])
const encode = (fields: readonly Field[]): number[] =>
  fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return [...varint(number << 3), ...varint(value)]
    const bytes = typeof value === 'string' ? [...Buffer.from(value)] : encode(value)
    return [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes]
  })

const floats = 1
const integers = 7
const tensor = (name: string, type: number, dims: readonly string[]): Field[] => [
  [1, name],
  [
    2,
    [
      [
        1,
        [
          [1, type],
          [2, dims.map((dim): Field => [1, dim === '1' ? [[1, 1]] : [[2, dim]]])],
        ],
      ],
    ],
  ],
]
const node = (op: string, from: string, to: string, attributes: readonly Field[][]): Field[] => [
  [1, from],
  [2, to],
  [4, op],
  ...attributes.map((attribute): Field => [5, attribute]),
]
const whole = (name: string, value: number): Field[] => [
  [1, name],
  [3, value],
  [20, 2],
]
const wholes = (name: string, values: readonly number[]): Field[] => [
  [1, name],
  ...values.map((value): Field => [8, value]),
  [20, 7],
]

/** A model whose score of a pair is the largest of its tokens' numbers. */
const largestToken = Uint8Array.from(
  encode([
    [1, 8],
    [
      8,
      [
        [1, ''],
        [2, 13],
      ],
    ],
    [
      7,
      [
        [1, node('Cast', 'input_ids', 'numbers', [whole('to', floats)])],
        [1, node('ReduceMax', 'numbers', 'logits', [wholes('axes', [1]), whole('keepdims', 1)])],
        [2, 'largest'],
        [11, tensor('input_ids', integers, ['pairs', 'tokens'])],
        [12, tensor('logits', floats, ['pairs', '1'])],
      ],
    ],
  ]),
)

const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } })
const tokenizer = {
  version: '1.0',
  added_tokens: [],
  normalizer: { type: 'Lowercase' },
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]'), sequence('A', 0), special('[SEP]')],
    pair: [special('[CLS]'), sequence('A', 0), special('[SEP]'), sequence('B', 1), special('[SEP]')],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [2], tokens: ['[SEP]'] },
    },
  },
  decoder: null,
  model: {
    type: 'WordLevel',
    vocab: { '[UNK]': 0, '[CLS]': 1, '[SEP]': 2, fair: 10, good: 20, better: 30, best: 40 },
    unk_token: '[UNK]',
  },
}

let home: string
const running: CrossRunner[] = []
const never = new AbortController().signal

const write = async (name: string, own: unknown, graph: Uint8Array = largestToken): Promise<void> => {
  await mkdir(join(home, name, 'onnx'), { recursive: true })
  await writeFile(join(home, name, 'onnx/model_quantized.onnx'), graph)
  await writeFile(join(home, name, 'tokenizer.json'), JSON.stringify(tokenizer))
  await writeFile(join(home, name, 'footnote.json'), typeof own === 'string' ? own : JSON.stringify(own))
}
const start = async (folder = home): Promise<CrossRunner> => {
  const found = await findCrossEncoder([folder])
  if (!found) throw new Error('no cross-encoder was found')
  const runner = createCrossRunner(found)
  running.push(runner)
  return runner
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'footnote-cross-'))
})
afterAll(async () => {
  await Promise.all(running.map((runner) => runner.close()))
  await rm(home, { recursive: true, force: true })
})

describe('a cross-encoder', () => {
  it('is the folder that says so; others, and what cannot be read, are passed over', async () => {
    expect(await findCrossEncoder([join(home, 'nowhere')])).toBeNull()
    await write('a-encoder', { queryPrefix: 'query: ' })
    await write('b-broken', '{')
    await write('c-outside', { kind: 'cross-encoder', weights: '../../secret.onnx' })
    expect(await findCrossEncoder([home])).toBeNull()
    await write('d-reranker', { kind: 'cross-encoder', tokensMax: 16 })
    expect(await findCrossEncoder([join(home, 'nowhere'), home])).toMatchObject({ name: 'd-reranker', tokensMax: 16 })
  })

  it('scores each passage with the question, in their order, whatever their lengths', async () => {
    const runner = await start()
    const passages = ['good', 'best of all', 'fair '.repeat(8), '', 'a better one']
    expect(await runner.score('fair?', passages, never)).toEqual([20, 40, 10, 10, 30])
    // Cut at the end of the passage: the best word is beyond what the model reads.
    expect(await runner.score('fair?', [`${'good '.repeat(40)} best`], never)).toEqual([20])
    const both = await Promise.all([runner.score('fair', ['good'], never), runner.score('best', ['good'], never)])
    expect(both).toEqual([[20], [40]])
  })

  it('hears when nobody waits any more, and answers the next question', async () => {
    const runner = await start()
    const stop = new AbortController()
    const long = runner.score(
      'fair?',
      Array.from({ length: 3_000 }, () => 'good'),
      stop.signal,
    )
    stop.abort(new Error('late'))
    await expect(long).rejects.toThrow('late')
    expect(await runner.score('fair?', ['best'], never)).toEqual([40])
  })

  it('that cannot be loaded says so to every question', async () => {
    const other = await mkdtemp(join(home, 'other-'))
    await mkdir(join(other, 'broken/onnx'), { recursive: true })
    await writeFile(join(other, 'broken/onnx/model_quantized.onnx'), 'no graph')
    await writeFile(join(other, 'broken/tokenizer.json'), JSON.stringify(tokenizer))
    await writeFile(join(other, 'broken/footnote.json'), '{"kind":"cross-encoder"}')
    const runner = await start(other)
    for (const question of ['one', 'two'])
      await expect(runner.score(question, ['good'], never)).rejects.toMatchObject({ code: 'model-misconfigured' })
  })
})
