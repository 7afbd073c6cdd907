/**
 * Files on their way to the server: a few at a time, each with what has really been sent. It lives outside the screen that shows
 * it, so that looking at another page does not end an upload.
 */
import {
  type IngestFailureCode,
  ingestFailures,
  type UploadResult,
  uploadBytesMax,
  uploadExtensions,
} from '#lib/shared/admin-contract.ts'
import type { PublicError } from '#lib/shared/errors.ts'

/** An existing collection by its id, or one by name that is made when it is not there. */
export type UploadTarget = { collectionId: string } | { collection: string }

export type Upload = {
  key: string
  file: File
  target: UploadTarget
  /** What to call the target in the row. */
  collection: string
  state: 'waiting' | 'sending' | 'failed'
  sentBytes: number
  /** Why it failed and what to do about it. */
  failure: { reason: string; act: string; retryable: boolean } | null
}

export type SendFile = (
  upload: Pick<Upload, 'file' | 'target'>,
  call: { onProgress: (sentBytes: number) => void; signal: AbortSignal },
) => Promise<{ ok: true; value: UploadResult } | { ok: false; error: PublicError }>

export type UploadQueue = {
  subscribe(listener: () => void): () => void
  getUploads(): readonly Upload[]
  add(files: readonly File[], target: UploadTarget, collection: string): void
  retry(key: string): void
  /** Takes an upload out, ending it when it is being sent. */
  remove(key: string): void
  /** Calls `listener` with what the server answered for each file that arrived. */
  onArrival(listener: (result: UploadResult) => void): () => void
}

const parallelUploads = 3

const refusedAs = (code: IngestFailureCode): Upload['failure'] => ({ ...ingestFailures[code], retryable: false })

/** What is wrong with a file before a byte of it is sent; null when it may go. */
export const checkFile = (file: Pick<File, 'name' | 'size'>): Upload['failure'] => {
  const extension = /\.([^.]+)$/.exec(file.name)?.[1]?.toLowerCase()
  if (!uploadExtensions.some((known) => known === extension)) return refusedAs('unsupported')
  if (file.size > uploadBytesMax) return refusedAs('too-large')
  return null
}

/** Files that systems leave in folders and nobody means to upload. */
const isHiddenFile = (file: Pick<File, 'name'>): boolean =>
  file.name.startsWith('.') || /^(thumbs\.db|desktop\.ini)$/i.test(file.name)

export const createUploadQueue = (
  send: SendFile,
  later: (run: () => void, ms: number) => void = setTimeout,
): UploadQueue => {
  let uploads: readonly Upload[] = []
  let made = 0
  let pausedUntilMs = 0
  const listeners = new Set<() => void>()
  const arrivals = new Set<(result: UploadResult) => void>()
  const aborts = new Map<string, AbortController>()

  const set = (next: readonly Upload[]): void => {
    uploads = next
    for (const listener of listeners) listener()
  }
  const patch = (key: string, change: Partial<Upload>): void =>
    set(uploads.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)))

  const pump = (): void => {
    if (Date.now() < pausedUntilMs) return
    const free = parallelUploads - uploads.filter(({ state }) => state === 'sending').length
    for (const upload of uploads.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, free)))
      void start(upload)
  }

  const start = async (upload: Upload): Promise<void> => {
    const { key } = upload
    const abort = new AbortController()
    aborts.set(key, abort)
    patch(key, { state: 'sending', sentBytes: 0, failure: null })
    const result = await send(upload, {
      signal: abort.signal,
      onProgress: (sentBytes) => patch(key, { sentBytes }),
    })
    aborts.delete(key)
    if (abort.signal.aborted) pump()
    else if (result.ok) {
      set(uploads.filter((one) => one.key !== key))
      for (const listener of arrivals) listener(result.value)
    } else if (result.error.code === 'rate-limited') {
      const waitMs = (result.error.retryAfterSeconds ?? 5) * 1_000
      pausedUntilMs = Date.now() + waitMs
      patch(key, { state: 'waiting', sentBytes: 0 })
      later(() => {
        pausedUntilMs = 0
        pump()
      }, waitMs)
    } else {
      const { message, retryable, requestId, code } = result.error
      const act = code === 'internal' && requestId ? `${message} ${requestId}` : message
      patch(key, { state: 'failed', failure: { reason: 'Not uploaded', act, retryable } })
    }
    pump()
  }

  return {
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    getUploads: () => uploads,
    add: (files, target, collection) => {
      const added = files
        .filter((file) => !isHiddenFile(file))
        .map((file): Upload => {
          made += 1
          const failure = checkFile(file)
          return {
            key: `upload-${made}`,
            file,
            target,
            collection,
            state: failure ? 'failed' : 'waiting',
            sentBytes: 0,
            failure,
          }
        })
      set([...uploads, ...added])
      pump()
    },
    retry: (key) => {
      patch(key, { state: 'waiting', failure: null, sentBytes: 0 })
      pump()
    },
    remove: (key) => {
      set(uploads.filter((upload) => upload.key !== key))
      aborts.get(key)?.abort()
    },
    onArrival: (listener) => {
      arrivals.add(listener)
      return () => arrivals.delete(listener)
    },
  }
}
