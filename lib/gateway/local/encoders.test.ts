import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { embed, embeddingModel, loadEmbeddingModel } from '../embedding.ts'
import { closeEncoder } from './encoder.ts'
import { builtInEncoder, EncoderUnavailable } from './encoder-model.ts'

// Settings are read once, when the first module asks for them.
const { scratch, hub } = await vi.hoisted(async () => {
  const folder = `${process.env.TMPDIR ?? '/tmp'}/footnote-encoders-${process.pid}-${Date.now()}`
  const { startHubServer } = await import('./hub-server.fixture.ts')
  const server = await startHubServer(`${folder}/hub`)
  Object.assign(process.env, { MODELS_DIR: `${folder}/models`, DATA_DIR: `${folder}/data`, HF_ENDPOINT: server.url })
  return { scratch: folder, hub: server }
})

beforeAll(async () => {
  const builtIn = resolve('models', builtInEncoder.name)
  await mkdir(join(scratch, 'models'), { recursive: true })
  await symlink(builtIn, join(scratch, 'models', builtInEncoder.name))
  await cp(builtIn, join(scratch, 'models/e5-like'), { recursive: true })
  await cp(builtIn, join(scratch, 'hub/far/away'), { recursive: true })
})
afterAll(async () => {
  await closeEncoder()
  await hub.close()
  await rm(scratch, { recursive: true, force: true })
})

type Held = { footnoteEncoders?: { pools: Map<string, { threads: unknown[] }> } }
const threads = (): number =>
  [...((globalThis as Held).footnoteEncoders?.pools.values() ?? [])].reduce((sum, pool) => sum + pool.threads.length, 0)

const passages = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `Passage ${at} about drive belts.`)

describe('several encoders', () => {
  it('each has its own id, and its prefix before every text', async () => {
    const like = await loadEmbeddingModel('e5-like')
    expect(like).toMatchObject({ name: 'e5-like', dimensions: 384, id: embeddingModel('e5-like').id })
    expect(like.id).toMatch(/^e5-like@[0-9a-f]{8}$/)
    const [prefixed, written] = await Promise.all([
      embed(['belts'], { purpose: 'passage', model: 'e5-like' }),
      embed(['passage: belts'], { purpose: 'passage' }),
    ])
    expect(prefixed.model).toBe(like.id)
    expect(written.model).toBe(builtInEncoder.id)
    expect(prefixed.vectors).toEqual(written.vectors)
    const asked = await embed(['belts'], { purpose: 'query', model: 'e5-like' })
    expect(asked.vectors).not.toEqual(prefixed.vectors)
  })

  it('a question to one is answered before the passages of another, with a bounded number of threads', async () => {
    await embed(['warm'], { purpose: 'query' })
    const order: string[] = []
    const bulk = embed(passages(60), { purpose: 'passage', model: 'e5-like' }).then(() => order.push('passages'))
    const also = embed(passages(60), { purpose: 'passage' }).then(() => order.push('passages'))
    await embed(['which belt?'], { purpose: 'query' })
    order.push('query')
    expect(threads()).toBeLessThanOrEqual(5)
    await Promise.all([bulk, also])
    expect(order[0]).toBe('query')
  })

  it('one that is nowhere is fetched for passages; a question does without it meanwhile', async () => {
    hub.manners.breakAfterBytes = 12_000_000
    const fetching = embed(['passage'], { purpose: 'passage', model: 'far/away' })
    await vi.waitFor(() => expect(hub.asked.length).toBeGreaterThan(0), { interval: 5 })
    await expect(embed(['question'], { purpose: 'query', model: 'far/away' })).rejects.toThrow(/is being fetched/)
    expect((await fetching).vectors[0]).toHaveLength(384)
    expect((await embed(['question'], { purpose: 'query', model: 'far/away' })).model).toMatch(/^far\/away@/)
  })

  it('a damaged one is refused with the file, and the others go on', async () => {
    const weights = join(scratch, 'models/e5-like/onnx/model_quantized.onnx')
    await closeEncoder()
    const bytes = await readFile(weights)
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
    await writeFile(weights, bytes)
    const refused = embed(['text'], { purpose: 'passage', model: 'e5-like' })
    await expect(refused).rejects.toThrow(/onnx\/model_quantized\.onnx in .* is damaged/)
    await expect(refused).rejects.toBeInstanceOf(EncoderUnavailable)
    expect((await embed(['text'], { purpose: 'passage' })).vectors).toHaveLength(1)

    await rm(dirname(weights), { recursive: true })
    await closeEncoder()
    await expect(embed(['text'], { purpose: 'query', model: 'e5-like' })).rejects.toThrow(
      /model_quantized\.onnx is missing/,
    )
    await expect(embed(['text'], { purpose: 'query', model: 'no/where' })).rejects.toThrow(
      /has no config\.json of no\/where/,
    )
  })
})
