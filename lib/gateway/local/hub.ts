/**
 * Files from a model hub, by its layout of addresses: `/{repository}/resolve/{revision}/{file}`. Its address comes from the
 * environment, so it is the operator's word; where it redirects to is not, and is followed only to https, or on the same machine.
 *
 * Promises: a connection that breaks off is taken up where it broke, also by the next process; what is asked again waits longer each
 * time; a file stands at its place only when all of it is there.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { checkAddress, RefusedAddress } from '#lib/safe-fetch.ts'
import { EncoderUnavailable, type HubSource } from './encoder-model.ts'

const redirectsMax = 5
const redirectStatus = new Set([301, 302, 303, 307, 308])
/** From the request to its headers, and between two pieces of a body. */
const silenceMs = 30_000
/** Tries in a row that bring nothing; those that bring something are counted apart. */
const fruitlessMax = 6
const triesMax = 200
const backoffMsMax = 30_000
/** No encoder is larger, and no disk should be filled by a hub. */
const bytesMost = 4 * 2 ** 30

/** What a hub says of a file before it sends it. */
export type HubFile = {
  url: string
  /** Undefined where the hub does not say. */
  bytes: number | undefined
  /** Tells this content of the file from another; a hub that says nothing has one for all. */
  tag: string
  /** Hubs name their large files by their hash. */
  sha256: string | undefined
}

type Answer = { response: Response; told: Headers[] }

/** A failure that may pass. */
class Passing extends Error {
  readonly waitMs: number | undefined
  constructor(message: string, waitMs?: number) {
    super(message)
    this.waitMs = waitMs
  }
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.size ?? 0

const hashName = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

export type HubOptions = {
  /** As `https://huggingface.co`. */
  endpoint: string
  /** How long to wait before the try after so many fruitless ones. */
  backoffMs?: (fruitless: number) => number
}

const doubling = (fruitless: number): number => Math.min(backoffMsMax, 500 * 2 ** fruitless) * (0.5 + Math.random() / 2)

export const createHub = ({ endpoint, backoffMs = doubling }: HubOptions) => {
  const home = new URL(endpoint)
  const addressOf = ({ repository, revision }: HubSource, file: string): string =>
    [endpoint.replace(/\/+$/, ''), ...repository.split('/').map(encodeURIComponent), 'resolve']
      .concat(encodeURIComponent(revision), file.split('/').map(encodeURIComponent))
      .join('/')

  const checkedRedirect = (location: string, from: URL): URL => {
    if (!URL.canParse(location, from)) throw new EncoderUnavailable('the hub redirects to what is no web address')
    const next = new URL(location, from)
    try {
      checkAddress(next, { local: true })
    } catch (error) {
      if (error instanceof RefusedAddress) throw new EncoderUnavailable(`the hub redirects astray: ${error.message}`)
      throw error
    }
    const sameMachine = home.protocol === 'http:' && next.hostname === home.hostname
    if (next.protocol !== 'https:' && !sameMachine)
      throw new EncoderUnavailable(`the hub redirects to ${next.origin}, which is neither https nor its own address`)
    return next
  }

  /** One request through its redirects. Throws `Passing` for what may pass. */
  const ask = async (url: string, init: RequestInit & { signal: AbortSignal }): Promise<Answer> => {
    const told: Headers[] = []
    for (let at = new URL(url), redirects = 0; ; redirects += 1) {
      const response = await fetch(at, { ...init, redirect: 'manual' }).catch((cause: unknown) => {
        throw new Passing(`${home.origin} cannot be reached: ${reasonOf(cause)}`)
      })
      told.push(response.headers)
      const location = redirectStatus.has(response.status) ? response.headers.get('location') : null
      if (location === null) return { response, told }
      await response.body?.cancel()
      if (redirects === redirectsMax) throw new EncoderUnavailable(`the hub redirects more than ${redirectsMax} times`)
      at = checkedRedirect(location, at)
    }
  }

  /** Whether to go on with an answer: false for a file that is not there. Throws what its status means otherwise. */
  const isThere = async ({ response }: Answer, url: string): Promise<boolean> => {
    const { status, ok, headers } = response
    if (ok || status === 416) return true
    await response.body?.cancel()
    if (status === 404 || status === 410) return false
    const waitSeconds = Number(headers.get('retry-after'))
    if (status === 408 || status === 429 || status >= 500)
      throw new Passing(`${url} answers ${status}`, waitSeconds > 0 ? waitSeconds * 1_000 : undefined)
    const words = status === 401 || status === 403 ? ': it is not there, or not for everybody' : ''
    throw new EncoderUnavailable(`${url} is refused (${status})${words}`)
  }

  /** Tries until it is done, or until nothing has come for too long. `attempt` says whether it brought something. */
  const persistently = async <Value>(
    signal: AbortSignal,
    attempt: (signal: AbortSignal, heard: () => void) => Promise<{ done: Value } | { brought: boolean }>,
  ): Promise<Value> => {
    let fruitless = 0
    let reason = 'the connection breaks off'
    for (let tries = 0; tries < triesMax && fruitless < fruitlessMax; tries += 1) {
      signal.throwIfAborted()
      const silence = new AbortController()
      const timer = setTimeout(() => silence.abort(new Passing('the hub says nothing')), silenceMs)
      let waitMs: number | undefined
      try {
        const outcome = await attempt(AbortSignal.any([signal, silence.signal]), () => timer.refresh())
        if ('done' in outcome) return outcome.done
        fruitless = outcome.brought ? 0 : fruitless + 1
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof Passing)) throw error
        reason = error.message
        waitMs = error.waitMs
        fruitless += 1
      } finally {
        clearTimeout(timer)
      }
      await pause(Math.min(backoffMsMax, waitMs ?? backoffMs(fruitless)), undefined, { signal }).catch(() =>
        signal.throwIfAborted(),
      )
    }
    throw new EncoderUnavailable(`${reason}; given up after ${fruitlessMax} tries that brought nothing`)
  }

  return {
    /** What the hub says of a file; null when it is not there. Throws `EncoderUnavailable`, or the signal's reason. */
    look: (source: HubSource, file: string, signal: AbortSignal): Promise<HubFile | null> => {
      const url = addressOf(source, file)
      return persistently(signal, async (within) => {
        const answer = await ask(url, { method: 'HEAD', headers: { 'accept-encoding': 'identity' }, signal: within })
        const { status } = answer.response
        // A server that knows no HEAD says at the download what there is.
        if (status === 405 || status === 501)
          return { done: { url, bytes: undefined, tag: hashName(''), sha256: undefined } }
        if (!(await isThere(answer, url))) return { done: null }
        // What stands for the content is on the hub's own answer, before it redirects to where the bytes are.
        const named = (...names: string[]): string | undefined =>
          names.flatMap((name) => answer.told.map((headers) => headers.get(name))).find((found) => found !== null) ??
          undefined
        const etag = (named('x-linked-etag', 'etag') ?? '').replace(/^W\//, '').replaceAll('"', '')
        const bytes = Number(named('x-linked-size') ?? answer.response.headers.get('content-length') ?? Number.NaN)
        if (bytes > bytesMost) throw new EncoderUnavailable(`${url} is larger than any encoder: ${bytes} bytes`)
        return {
          done: {
            url,
            bytes: Number.isSafeInteger(bytes) ? bytes : undefined,
            tag: hashName(etag),
            sha256: /^[0-9a-f]{64}$/.test(etag) ? etag : undefined,
          },
        }
      })
    },

    /**
     * Brings a file to `path`; `onBytes` is told how many of it are there, those of an earlier try counted. Throws as `look`, and
     * what the disk throws.
     */
    download: async (
      { url, bytes, tag }: HubFile,
      path: string,
      { signal, onBytes }: { signal: AbortSignal; onBytes: (bytes: number) => void },
    ): Promise<void> => {
      await mkdir(dirname(path), { recursive: true })
      const part = `${path}.${tag}.part`
      let whole = bytes
      await persistently(signal, async (within, heard) => {
        let have = await sizeOf(part)
        if (whole !== undefined && have > whole) {
          await rm(part, { force: true })
          have = 0
        }
        if (have > 0 && have === whole) return { done: undefined }
        const headers = { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) }
        const answer = await ask(url, { headers, signal: within })
        if (!(await isThere(answer, url))) throw new EncoderUnavailable(`${url} is not there any more`)
        const { response } = answer
        const [, from, all] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? []
        const follows = response.status === 206 && Number(from) === have
        if (response.status === 416 || (response.status === 206 && !follows)) {
          // What is here is no beginning of what is there.
          await response.body?.cancel()
          await rm(part, { force: true })
          return { brought: false }
        }
        const began = have
        if (!follows) have = 0
        const told = follows ? all : response.headers.get('content-length')
        if (told !== null && told !== undefined) whole = Number(told)
        const file = await open(part, follows ? 'a' : 'w')
        let ended = false
        try {
          for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
            heard()
            have += piece.byteLength
            if (have > (whole ?? bytesMost)) throw new EncoderUnavailable(`${url} sends more than it said`)
            await file.write(piece)
            onBytes(have)
          }
          ended = true
          await file.sync()
        } catch (error) {
          // The connection's errors may pass, the disk's do not.
          if (ended || error instanceof EncoderUnavailable || isOfDisk(error)) throw error
        } finally {
          await file.close()
        }
        const complete = whole === undefined ? ended : have === whole
        return complete ? { done: undefined } : { brought: have > began }
      })
      await rename(part, path)
      // Beginnings of other contents of this file.
      for (const other of await readdir(dirname(path)))
        if (other.startsWith(`${basename(path)}.`) && other.endsWith('.part'))
          await rm(join(dirname(path), other), { force: true })
    },
  }
}

const isOfDisk = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && ['write', 'open', 'fsync'].includes(String(error.syscall))

const reasonOf = (thrown: unknown): string => {
  const inner = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  const { code } = inner as { code?: unknown }
  return typeof code === 'string' ? code : inner instanceof Error ? inner.message : String(inner)
}
