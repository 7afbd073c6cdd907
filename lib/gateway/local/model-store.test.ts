import { createHash, randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { builtInEncoder, EncoderUnavailable } from './encoder-model.ts'
import { type HubServer, startHubServer } from './hub-server.fixture.ts'
import { createModelStore, type FetchProgress } from './model-store.ts'

const name = 'some/e5-tiny'
const weightBytes = 300_000

let scratch: string
let hub: HubServer
let weights: Buffer
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'footnote-store-'))
  weights = randomBytes(weightBytes)
  await writeModel(join(scratch, 'hub', name))
  hub = await startHubServer(join(scratch, 'hub'))
})
afterAll(async () => {
  await hub.close()
  await rm(scratch, { recursive: true, force: true })
})
beforeEach(() => {
  hub.asked.length = 0
  for (const key of Object.keys(hub.manners)) delete hub.manners[key as keyof typeof hub.manners]
})

const writeModel = async (folder: string, config: object = { hidden_size: 32, max_position_embeddings: 128 }) => {
  await mkdir(join(folder, 'onnx'), { recursive: true })
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'tokenizer.json'), '{}')
  await writeFile(join(folder, 'onnx/model_quantized.onnx'), weights)
}

/** A store with folders of its own, or over those of another. */
const open = async (folders?: { modelsDir: string; dataDir: string }) => {
  const own = folders ?? {
    modelsDir: await mkdtemp(join(scratch, 'models-')),
    dataDir: await mkdtemp(join(scratch, 'data-')),
  }
  const store = createModelStore({ ...own, endpoint: hub.url, backoffMs: () => 1 })
  return { ...own, store, weightsAt: join(own.dataDir, 'models', name, 'onnx/model_quantized.onnx') }
}

const onlyWeights = (): number[] => hub.asked.filter(({ file }) => file.endsWith('.onnx')).map(({ from }) => from)

describe('the model store', () => {
  it('fetches a model once, tells how far it is, and knows its family by its name', async () => {
    const { store, weightsAt, modelsDir, dataDir } = await open()
    const seen: FetchProgress[] = []
    const { model, folder } = await store.find(name, { onProgress: (progress) => seen.push(progress) })
    expect(folder).toBe(join(dataDir, 'models', name))
    expect(await readFile(weightsAt)).toEqual(weights)
    expect(model).toMatchObject({
      name,
      dimensions: 32,
      tokensMax: 128,
      prefix: { query: 'query: ', passage: 'passage: ' },
      pooling: 'mean',
      languages: null,
    })
    expect(model.files['onnx/model_quantized.onnx']).toBe(createHash('sha256').update(weights).digest('hex'))
    expect(seen.at(-1)?.doneBytes).toBe(seen.at(-1)?.totalBytes)
    expect(seen.at(-1)?.totalBytes).toBeGreaterThan(weightBytes)

    hub.asked.length = 0
    const again = await (await open({ modelsDir, dataDir })).store.find(name)
    expect(again.model).toEqual(model)
    expect(hub.asked).toEqual([])
    // What else is kept beside the encoders is not offered as one.
    await cp(join(dataDir, 'models', name), join(modelsDir, 'a-reranker'), { recursive: true })
    await writeFile(join(modelsDir, 'a-reranker/footnote.json'), '{"kind":"cross-encoder"}')
    expect(await store.list()).toEqual([builtInEncoder.name, name])
  })

  it('takes up a file where the connection broke, also after the process has ended', async () => {
    hub.manners.breakAfterBytes = 70_000
    const { store, weightsAt, modelsDir, dataDir } = await open()
    const stop = new AbortController()
    const ended = store.find(name, {
      signal: stop.signal,
      onProgress: ({ doneBytes }) => {
        if (doneBytes > 100_000) stop.abort(new Error('the process ends'))
      },
    })
    await expect(ended).rejects.toThrow('the process ends')
    hub.asked.length = 0
    const { store: next } = await open({ modelsDir, dataDir })
    // The lock of the one that ended is let go as soon as it has noticed.
    await next.find(name)
    const [first, ...later] = onlyWeights()
    expect(first).toBeGreaterThanOrEqual(70_000)
    expect(later.length).toBeGreaterThan(0)
    expect(await readFile(weightsAt)).toEqual(weights)
    expect((await readdir(dirname(weightsAt))).filter((file) => file.endsWith('.part'))).toEqual([])
  })

  it('begins anew where a hub knows no ranges, hashes or lengths', async () => {
    Object.assign(hub.manners, { terse: true, ignoresRanges: true, unavailable: 2 })
    const { store, weightsAt } = await open()
    await store.find(name)
    expect(await readFile(weightsAt)).toEqual(weights)
  })

  it('fetches a damaged file once more, and refuses it when it is damaged again', async () => {
    const { store, weightsAt, modelsDir, dataDir } = await open()
    await store.find(name)
    const onDisk = Buffer.from(weights)
    onDisk.writeUInt8(onDisk.readUInt8(9) ^ 1, 9)
    await writeFile(weightsAt, onDisk)
    hub.asked.length = 0
    // The first answer is damaged as well.
    hub.manners.damaged = 1
    expect((await (await open({ modelsDir, dataDir })).store.find(name)).model.name).toBe(name)
    expect(onlyWeights()).toEqual([0, 0])
    expect(await readFile(weightsAt)).toEqual(weights)

    await rm(weightsAt)
    hub.manners.damaged = 20
    await expect((await open({ modelsDir, dataDir })).store.find(name)).rejects.toThrow(/damaged, twice/)
    await expect(readFile(weightsAt)).rejects.toThrow('ENOENT')
  })

  it('says which file is not there, and gives up a hub that cannot be reached', async () => {
    await writeModel(join(scratch, 'hub', 'bare'))
    await rm(join(scratch, 'hub', 'bare', 'tokenizer.json'))
    const { store, modelsDir, dataDir } = await open()
    await expect(store.find('bare')).rejects.toThrow(/has no tokenizer\.json of bare/)
    const gone = await startHubServer(scratch)
    await gone.close()
    const lost = createModelStore({ modelsDir, dataDir, endpoint: gone.url, backoffMs: () => 1 })
    await expect(lost.find(name)).rejects.toThrow(/cannot be reached: ECONNREFUSED; given up/)
    await expect(lost.find(name)).rejects.toBeInstanceOf(EncoderUnavailable)
  })

  it.each([
    ['http://elsewhere.example/weights', /neither https nor its own/],
    ['http://169.254.169.254/latest', /never called/],
    ['https://user:secret@cdn.example/weights', /name or a password/],
    ['file:///etc/passwd', /Only http and https/],
  ])('follows no redirect to %s', async (redirectTo, words) => {
    hub.manners.redirectTo = redirectTo
    const { store } = await open()
    await expect(store.find(name)).rejects.toThrow(words)
  })

  it.each(['../../etc', 'a/../b', '/etc/passwd', 'a/b/c', '', 'a b', '.hidden', 'a\0b'])(
    'takes %j for no name',
    async (odd) => {
      const { store } = await open()
      await expect(store.find(odd)).rejects.toThrow(/is no name of an encoder/)
      expect(hub.asked).toEqual([])
    },
  )

  it('one fetch serves all who ask, and ends when nobody waits any more', async () => {
    const { store } = await open()
    const stop = new AbortController()
    const left = store.find(name, {
      signal: stop.signal,
      onProgress: ({ doneBytes }) => {
        if (doneBytes > 0) stop.abort(new Error('left'))
      },
    })
    const stays = store.find(name)
    await expect(left).rejects.toThrow('left')
    expect((await stays).model.name).toBe(name)
    expect(onlyWeights()).toHaveLength(1)
  })

  it('the operator’s folder goes before the hub, with words of its own, and its files stay as first seen', async () => {
    const { store, modelsDir, dataDir } = await open()
    const folder = join(modelsDir, name)
    await writeModel(folder)
    const plain = (await store.find(name)).model
    await writeFile(
      join(folder, 'footnote.json'),
      JSON.stringify({
        queryPrefix: 'ask: ',
        passagePrefix: '',
        pooling: 'cls',
        vectorWeight: 0.65,
        languages: ['de'],
      }),
    )
    const { model } = await store.find(name)
    expect(hub.asked).toEqual([])
    expect(model).toMatchObject({ prefix: { query: 'ask: ', passage: '' }, pooling: 'cls', vectorWeight: 0.65 })
    // Used in another way, its vectors are others.
    expect(model.id).not.toBe(plain.id)

    await writeFile(join(folder, 'onnx/model_quantized.onnx'), randomBytes(weightBytes))
    const { model: damaged } = await (await open({ modelsDir, dataDir })).store.find(name)
    // The thread that loads it compares: these are the hashes of before.
    expect(damaged.files).toEqual(model.files)

    await writeFile(join(folder, 'footnote.json'), '{"prefix": 1}')
    await expect(store.find(name)).rejects.toThrow(/footnote\.json cannot be read/)
    await rm(join(folder, 'config.json'))
    await expect(store.find(name)).rejects.toThrow(/config\.json is missing/)
  })

  it('a known model has the hashes of its build, whatever its files have become', async () => {
    const { store, modelsDir } = await open()
    const folder = join(modelsDir, 'multilingual-e5-small')
    await writeModel(folder, { hidden_size: 384 })
    await writeFile(join(folder, 'onnx/model_quantized.onnx'), Buffer.alloc(82_580_298))
    const { model } = await store.find('multilingual-e5-small')
    expect(model.id).toBe('multilingual-e5-small@527e42d6')
    expect(model).toMatchObject({ dimensions: 384, tokensMax: 512, prefix: { query: 'query: ' } })
    expect(model.languages).toContain('de')
  })
})

describe('the built-in encoder', () => {
  it('is described by the files it comes with', async () => {
    const modelsDir = join(scratch, 'built-in')
    await cp(join('models', builtInEncoder.name), join(modelsDir, 'copy-of-it'), { recursive: true })
    const { store } = await open({ modelsDir, dataDir: await mkdtemp(join(scratch, 'data-')) })
    const { model } = await store.find('copy-of-it')
    expect(model.files).toEqual(builtInEncoder.files)
    expect(model.dimensions).toBe(builtInEncoder.dimensions)
    expect(builtInEncoder.id).toBe('all-MiniLM-L6-v2@1d4f5f95')
  })
})
