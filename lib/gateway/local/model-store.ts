/**
 * Where encoders are found: in the operator's folder first, else among those that were fetched from a hub, once.
 *
 * Promises: what is handed out is whole. A known model's files have the known hashes; any other's have those they had when they
 * were first seen. A damaged file that came from a hub is fetched once more, then refused; one in the operator's folder is refused.
 * One process fetches a model at a time, for all who want it.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { log } from '#lib/log.ts'
import {
  builtInEncoder,
  describeEncoder,
  type EncoderFile,
  type EncoderModel,
  EncoderUnavailable,
  encoderFileList,
  encoderFiles,
  type HubSource,
  hashesOf,
  knownEncoder,
  type OwnWords,
  tokensMaxMost,
} from './encoder-model.ts'
import { createHub, type HubFile, type HubOptions } from './hub.ts'

/** A model that can be loaded, and the folder its files are in. */
export type FoundModel = { model: EncoderModel; folder: string }

/** How much of a model's files has come; `totalBytes` is 0 until it is known. */
export type FetchProgress = { doneBytes: number; totalBytes: number }

export type FindOptions = {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: FetchProgress) => void) | undefined
}

export type ModelStore = {
  /** The model of this name, fetched when it is nowhere. Throws `EncoderUnavailable`, or the signal's reason. */
  find(name: string, options?: FindOptions): Promise<FoundModel>
  /** Whether its files are on their way. */
  isFetching(name: string): boolean
  /** Names of the models that are here, the built-in one first. */
  list(): Promise<string[]>
}

export type StoreOptions = HubOptions & { modelsDir: string; dataDir: string }

type Hashes = EncoderModel['files']

/** `NAME`, or `OWNER/NAME` as hubs have it: no more than two plain steps down from a folder. */
const namePattern = /^[A-Za-z0-9][\w.-]{0,95}(?:\/[A-Za-z0-9][\w.-]{0,95})?$/
const lockStaleMs = 30_000
const lockBeatMs = 5_000
const lockLookMs = 500

/** `config.json` as far as it is read; both names of the width are in use. */
const configSchema = z
  .object({
    hidden_size: z.int().min(8).max(16_384).optional(),
    dim: z.int().min(8).max(16_384).optional(),
    max_position_embeddings: z.int().min(16).max(1_000_000).default(tokensMaxMost),
    model_type: z.string().default(''),
  })
  .transform(({ hidden_size, dim, max_position_embeddings: positions, model_type }, context) => {
    const dimensions = hidden_size ?? dim
    if (dimensions === undefined) {
      context.addIssue({ code: 'custom', message: 'hidden_size is missing' })
      return z.NEVER
    }
    // RoBERTa counts its positions from 2.
    return { dimensions, tokensMax: Math.min(positions - (/roberta/i.test(model_type) ? 2 : 0), tokensMaxMost) }
  })

/** What a folder says that it holds; an encoder says nothing. */
const kindSchema = z.object({ kind: z.string().optional() }).catch({})

const ownWordsSchema: z.ZodType<OwnWords> = z.strictObject({
  queryPrefix: z.string().max(500).optional(),
  passagePrefix: z.string().max(500).optional(),
  pooling: z.enum(['mean', 'cls']).optional(),
  tokensMax: z.int().min(8).max(8_192).optional(),
  vectorWeight: z.number().min(0).max(1).optional(),
  languages: z.array(z.string().min(2).max(8)).max(200).optional(),
})

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const seenSchema = z.object({
  'config.json': sha256,
  'tokenizer.json': sha256,
  'onnx/model_quantized.onnx': sha256,
}) satisfies z.ZodType<Hashes>

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

const sizeOf = async (path: string): Promise<number | null> => {
  const found = await stat(path).catch(() => null)
  return found?.isFile() ? found.size : null
}

const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(piece as Buffer)
  return hash.digest('hex')
}

const hashAll = async (folder: string): Promise<Hashes> => {
  const [config, tokenizer, weights] = await Promise.all([
    hashOf(join(folder, encoderFiles.config)),
    hashOf(join(folder, encoderFiles.tokenizer)),
    hashOf(join(folder, encoderFiles.weights)),
  ])
  return { 'config.json': config, 'tokenizer.json': tokenizer, 'onnx/model_quantized.onnx': weights }
}

/** What a JSON file says; undefined when there is none. Throws `EncoderUnavailable` when it cannot be read. */
const readJson = async <Value>(path: string, schema: z.ZodType<Value>): Promise<Value | undefined> => {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (isMissing(error)) return undefined
    const words = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw new EncoderUnavailable(`${path} cannot be read: ${words}`)
  }
}

/** Whole or not at all, also when the process ends in the middle. */
const writeJson = async (path: string, value: unknown): Promise<void> => {
  await mkdir(dirname(path), { recursive: true })
  const beside = `${path}.${process.pid}.new`
  await writeFile(beside, JSON.stringify(value, null, 2))
  await rename(beside, path)
}

const missingIn = async (folder: string): Promise<EncoderFile[]> => {
  const sizes = await Promise.all(encoderFileList.map((file) => sizeOf(join(folder, file))))
  return encoderFileList.filter((_, at) => sizes[at] === null)
}

/** Hashes that the files must have where they are a known build's: their sizes tell which, damaged or not. */
const knownHashes = async (name: string, folder: string): Promise<Hashes | undefined> => {
  const builds = knownEncoder(name)?.builds ?? []
  const bytes = await sizeOf(join(folder, encoderFiles.weights))
  const build = builds.find((one) => one[encoderFiles.weights].bytes === bytes)
  return build && hashesOf(build)
}

const readModel = async (name: string, folder: string, files: Hashes): Promise<FoundModel> => {
  const [config, ownWords] = await Promise.all([
    readJson(join(folder, encoderFiles.config), configSchema),
    readJson(join(folder, 'footnote.json'), ownWordsSchema),
  ])
  if (!config) throw new EncoderUnavailable(`${encoderFiles.config} is missing in ${folder}`)
  return { model: describeEncoder({ name, files, config, ownWords }), folder }
}

/** Holds a lock that other processes see, and that outlives its holder by half a minute at most. Resolves to its release. */
const lock = async (path: string, signal: AbortSignal): Promise<() => Promise<void>> => {
  await mkdir(dirname(path), { recursive: true })
  for (;;) {
    signal.throwIfAborted()
    try {
      await (await open(path, 'wx')).close()
      break
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const beaten = (await stat(path).catch(() => null))?.mtimeMs
    if (beaten !== undefined && Date.now() - beaten > lockStaleMs) await rm(path, { force: true })
    else await pause(lockLookMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), lockBeatMs).unref()
  return async () => {
    clearInterval(beat)
    await rm(path, { force: true })
  }
}

/** A fetch that is under way, for all who wait for it; ended when nobody does. */
type Fetching = {
  found: Promise<FoundModel>
  waiting: Set<FindOptions>
  stop: AbortController
  progress: FetchProgress
}

export const createModelStore = ({ modelsDir, dataDir, endpoint, backoffMs }: StoreOptions): ModelStore => {
  const hub = createHub({ endpoint, ...(backoffMs ? { backoffMs } : {}) })
  const fetchedDir = join(dataDir, 'models')
  const fetching = new Map<string, Fetching>()
  /** Not in the model's folder: the operator's may be read-only, and a fetched one is only what the hub sent. */
  const seenPath = (name: string, whose: 'own' | 'fetched'): string =>
    join(fetchedDir, '.seen', `${encodeURIComponent(name)}.${whose}.json`)

  /** In the operator's folder: known hashes, else those of the first time. The thread that loads the files compares them. */
  const findOwn = async (name: string): Promise<FoundModel | null> => {
    const folder = join(modelsDir, name)
    const missing = await missingIn(folder)
    if (missing.length === encoderFileList.length) return null
    if (missing.length > 0) throw new EncoderUnavailable(`${missing.join(', ')} is missing in ${folder}`)
    const known = await knownHashes(name, folder)
    if (known) return readModel(name, folder, known)
    const seen = await readJson(seenPath(name, 'own'), seenSchema)
    if (seen) return readModel(name, folder, seen)
    const files = await hashAll(folder)
    const found = await readModel(name, folder, files)
    // Fails open: without a place to write, damage between two starts is another id and not a refusal.
    await writeJson(seenPath(name, 'own'), files).catch((error: unknown) =>
      log.warn({ err: error, encoder: name }, 'what an encoder is made of was not written down'),
    )
    return found
  }

  /** As it was fetched, looked at again; null when something is missing or damaged, which is then gone. */
  const findFetched = async (name: string): Promise<FoundModel | null> => {
    const folder = join(fetchedDir, name)
    const seen = await readJson(seenPath(name, 'fetched'), seenSchema)
    if (!seen || (await missingIn(folder)).length > 0) return null
    const files = await hashAll(folder)
    const damaged = encoderFileList.filter((file) => files[file] !== seen[file])
    for (const file of damaged) {
      log.warn({ encoder: name, file }, 'a file of an encoder is damaged; it is fetched again')
      await rm(join(folder, file), { force: true })
    }
    return damaged.length > 0 ? null : readModel(name, folder, files)
  }

  /** The first place of a hub that has the model, with what it says of each file. */
  const lookAround = async (name: string, signal: AbortSignal): Promise<Map<EncoderFile, HubFile>> => {
    const sources: readonly HubSource[] = knownEncoder(name)?.sources ?? [{ repository: name, revision: 'main' }]
    let gone = ''
    for (const source of sources) {
      const files = new Map<EncoderFile, HubFile>()
      for (const file of encoderFileList) {
        const found = await hub.look(source, file, signal)
        if (!found) {
          gone ||= `${endpoint} has no ${file} of ${source.repository} (${source.revision})`
          break
        }
        files.set(file, found)
      }
      if (files.size === encoderFileList.length) return files
    }
    throw new EncoderUnavailable(gone || `${name} is in no hub`)
  }

  const download = async (
    name: string,
    { signal, report }: { signal: AbortSignal; report: (progress: FetchProgress) => void },
  ): Promise<FoundModel> => {
    const folder = join(fetchedDir, name)
    const release = await lock(join(fetchedDir, '.seen', `${encodeURIComponent(name)}.lock`), signal)
    try {
      // Another process may have brought it meanwhile.
      const there = await findFetched(name)
      if (there) return there
      const seen = await readJson(seenPath(name, 'fetched'), seenSchema)
      const files = await lookAround(name, signal)
      const known = knownEncoder(name)?.builds
      const build = known?.find((one) => encoderFileList.every((file) => files.get(file)?.bytes === one[file].bytes))
      const done = new Map<EncoderFile, number>()
      const totalBytes = [...files.values()].reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)
      const bring = async (file: EncoderFile, from: HubFile): Promise<string> => {
        const path = join(folder, file)
        const expected = build?.[file].sha256 ?? from.sha256
        // What an earlier fetch has finished is not fetched again.
        const before = expected ?? seen?.[file]
        if (before && (await sizeOf(path)) === from.bytes && (await hashOf(path)) === before) return before
        for (let tries = 0; ; tries += 1) {
          await hub.download(from, path, {
            signal,
            onBytes: (bytes) => {
              done.set(file, bytes)
              report({ doneBytes: [...done.values()].reduce((sum, one) => sum + one, 0), totalBytes })
            },
          })
          const hash = await hashOf(path)
          const right = expected === undefined || hash === expected
          if (right && (!known || known.some((one) => one[file].sha256 === hash))) return hash
          await rm(path, { force: true })
          if (tries > 0)
            throw new EncoderUnavailable(`${file} of ${name} came damaged, twice: its hash is not the known one`)
        }
      }
      const hashes: Partial<Record<EncoderFile, string>> = {}
      for (const [file, from] of files) {
        hashes[file] = await bring(file, from)
        done.set(file, (await sizeOf(join(folder, file))) ?? 0)
      }
      const whole = seenSchema.parse(hashes)
      const found = await readModel(name, folder, whole)
      await writeJson(seenPath(name, 'fetched'), whole)
      log.info({ encoder: found.model.id, from: endpoint }, 'an encoder was fetched')
      return found
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
        throw new EncoderUnavailable(`there is no room for ${name} in ${folder}`)
      throw error
    } finally {
      await release()
    }
  }

  /** Joins the fetch of a model, or begins it. */
  const fetchOnce = async (name: string, options: FindOptions): Promise<FoundModel> => {
    const { signal, onProgress } = options
    signal?.throwIfAborted()
    let current = fetching.get(name)
    if (!current) {
      const stop = new AbortController()
      const begun: Fetching = {
        waiting: new Set(),
        stop,
        progress: { doneBytes: 0, totalBytes: 0 },
        found: download(name, {
          signal: stop.signal,
          report: (progress) => {
            begun.progress = progress
            for (const one of begun.waiting) one.onProgress?.(progress)
          },
        }).finally(() => {
          if (fetching.get(name) === begun) fetching.delete(name)
        }),
      }
      begun.found.catch(() => undefined)
      fetching.set(name, begun)
      current = begun
    }
    const { waiting, stop, found, progress } = current
    waiting.add(options)
    onProgress?.(progress)
    const leave = (): void => {
      waiting.delete(options)
      if (waiting.size > 0) return
      if (fetching.get(name)?.stop === stop) fetching.delete(name)
      stop.abort(new EncoderUnavailable(`nobody waits for ${name} any more`))
    }
    const { promise: left, reject } = Promise.withResolvers<never>()
    const stopped = (): void => {
      leave()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', stopped, { once: true })
    try {
      return await Promise.race([found, left])
    } finally {
      signal?.removeEventListener('abort', stopped)
      waiting.delete(options)
    }
  }

  return {
    find: async (name, options = {}) => {
      if (name === builtInEncoder.name) return { model: builtInEncoder, folder: join(modelsDir, name) }
      if (!namePattern.test(name) || name.includes('..'))
        throw new EncoderUnavailable(`${JSON.stringify(name.slice(0, 100))} is no name of an encoder`)
      return (await findOwn(name)) ?? (await findFetched(name)) ?? (await fetchOnce(name, { ...options }))
    },
    isFetching: (name) => fetching.has(name),
    list: async () => {
      const here = await Promise.all([namesIn(modelsDir), namesIn(fetchedDir)])
      return [...new Set([builtInEncoder.name, ...here.flat().sort()])]
    },
  }
}

/** False for a model of another kind, such as a cross-encoder, which stands among the encoders in the same layout. */
const isEncoder = async (folder: string): Promise<boolean> => {
  const said = await readJson(join(folder, 'footnote.json'), kindSchema).catch(() => undefined)
  return said?.kind === undefined
}

/** Encoders that are whole in a folder: one or two steps down, as their names are. */
const namesIn = async (folder: string, owner = ''): Promise<string[]> => {
  const entries = await readdir(join(folder, owner), { withFileTypes: true }).catch(() => [])
  const names = entries
    .filter((entry) => !entry.isFile())
    .map((entry) => (owner ? `${owner}/${entry.name}` : entry.name))
  const found = await Promise.all(
    names
      .filter((name) => namePattern.test(name))
      .map(async (name) => {
        if ((await missingIn(join(folder, name))).length === 0)
          return (await isEncoder(join(folder, name))) ? [name] : []
        return owner ? [] : namesIn(folder, name)
      }),
  )
  return found.flat()
}
