import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, it } from 'vitest'
import { closeEncoder, encode as encodeWith } from './encoder.ts'
import type { EmbedPurpose } from './encoder-model.ts'

const encode = async (texts: readonly string[], purpose: EmbedPurpose, signal?: AbortSignal): Promise<Float32Array[]> =>
  (await encodeWith(texts, { purpose, signal })).vectors

const cosine = (a: Float32Array | undefined, b: Float32Array | undefined): number =>
  a?.reduce((sum, value, at) => sum + value * (b?.[at] ?? 0), 0) ?? Number.NaN

type Held = { footnoteEncoders?: { pools: Map<string, { threads: { worker: Worker }[] }> } }

describe('the built-in encoder', () => {
  afterAll(() => closeEncoder())

  it('puts what means the same near, in unit vectors of 384 numbers', async () => {
    const [asked, answer, other] = await encode(
      ['How long is parental leave?', 'New parents stay at home for sixteen weeks.', 'The pump runs at 240 volts.'],
      'passage',
    )
    expect(asked).toHaveLength(384)
    expect(cosine(asked, asked)).toBeCloseTo(1, 5)
    expect(cosine(asked, answer)).toBeGreaterThan(cosine(asked, other) + 0.2)
  })

  it('gives vectors in the order of the texts, and nearly the same alone as in a batch', async () => {
    const texts = Array.from(
      { length: 40 },
      (_, at) => `Part ${at} ${'is stored in hall four, '.repeat((at * 7) % 11)}`,
    )
    const together = await encode(texts, 'passage')
    for (const at of [0, 5, 17, 39]) {
      const [alone] = await encode([texts[at] ?? ''], 'query')
      // Activations are quantised over the batch, so that the last digits depend on the neighbours.
      expect(cosine(alone, together[at])).toBeGreaterThan(0.98)
    }
  })

  it('reads the beginning of a text without end, and makes something of an empty one', async () => {
    const start = 'Belts are tightened to 35 newton metres. '.repeat(100)
    const [long, longer, empty] = await encode([start, start + 'Lunch is at noon. '.repeat(5_000), ''], 'passage')
    expect(cosine(long, longer)).toBeGreaterThan(0.98)
    expect(cosine(empty, empty)).toBeCloseTo(1, 5)
  })

  it('answers a query before the passages that came earlier', async () => {
    const order: string[] = []
    const bulk = encode(
      Array.from({ length: 200 }, (_, at) => `Passage ${at} about the warranty of drive belts.`),
      'passage',
    ).then(() => order.push('passages'))
    await encode(['warranty'], 'query')
    order.push('query')
    await bulk
    expect(order).toEqual(['query', 'passages'])
  })

  it('takes back texts that nobody waits for', async () => {
    const gone = new AbortController()
    const waiting = encode(
      Array.from({ length: 100 }, () => 'text'),
      'passage',
      gone.signal,
    )
    gone.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    await expect(encode(['after'], 'query')).resolves.toHaveLength(1)
  })

  it('outlives the loss of a thread', async () => {
    await encode(['before'], 'query')
    const [threads = []] = [...((globalThis as Held).footnoteEncoders?.pools.values() ?? [])].map(
      (pool) => pool.threads,
    )
    expect(threads.length).toBeGreaterThan(0)
    await Promise.all(
      threads.map(({ worker }) => {
        const ended = once(worker, 'exit')
        worker.postMessage({ end: true })
        return ended
      }),
    )
    expect(threads).toEqual([])
    const [vector] = await encode(['after'], 'query')
    expect(vector).toHaveLength(384)
  })
  it('leaves nobody waiting when it is closed, and starts again', async () => {
    const waiting = encode(
      Array.from({ length: 100 }, () => 'text'),
      'passage',
    )
    const refused = expect(waiting).rejects.toThrow('closed')
    await closeEncoder()
    await refused
    await expect(encode(['after'], 'query')).resolves.toHaveLength(1)
  })
})
