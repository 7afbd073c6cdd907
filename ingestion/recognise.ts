/**
 * Text recognition: pages that are pictures become text, after everything else of their document is ready.
 *
 * Guarantees: a page is read once, whatever happens to the worker: what was read is kept by the bytes it was read from; a document
 * that also has text answers with that text meanwhile; each page is read in a process with bounded memory and time, without a
 * network; a page that cannot be read is empty and says so in the log, and the others are read.
 */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { database } from '#db/client.ts'
import { insertReindexVersions } from '#db/queries/documents.ts'
import {
  getRecognisable,
  insertRecognisedPage,
  listRecognisedPages,
  type Recognisable,
  setRecognising,
} from '#db/queries/recognition.ts'
import type { RecognisedWord } from '#db/schema/index.ts'
import { enqueue } from '#lib/jobs.ts'
import { log } from '#lib/log.ts'
import { newId } from '#lib/shared/ids.ts'
import { blobFilePath } from '#lib/storage.ts'
import { cageArguments, residentMb } from './sandbox.ts'

export type RecogniseRequest = { path: string; picture: boolean; pages: number[] }
export type RecogniseMessage =
  | { type: 'page'; page: number; words: RecognisedWord[]; confidence: number; fault?: string }
  | { type: 'end' }

type Page = Extract<RecogniseMessage, { type: 'page' }>

const heapMb = 512
/** The drawn page and the recogniser's own memory lie outside the heap. */
const residentMbMax = 1_536
const watchMs = 200
const pageMsDefault = 60_000
/** Pages a process: what it leaks goes with it. */
const pagesEach = 20

/** Reads pages in one process; gives each as it comes. Throws when the process ends before its work is done. */
export const recognisePages = async function* (
  { path, picture, pages }: RecogniseRequest,
  { signal, pageMs = pageMsDefault }: { signal: AbortSignal; pageMs?: number },
): AsyncGenerator<Page> {
  signal.throwIfAborted()
  const child = fork(join(import.meta.dirname, 'recognise-child.ts'), [], {
    execArgv: [...(await cageArguments(path, heapMb)), '--allow-addons', '--allow-worker'],
    env: { NODE_ENV: 'production', NODE_OPTIONS: '' },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let lastWords = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2_000)
  })
  const arrived: RecogniseMessage[] = []
  let ended: Error | null = null
  let wake = Promise.withResolvers<void>()
  const tell = (error: Error | null): void => {
    ended ??= error
    wake.resolve()
  }
  child.on('message', (message: RecogniseMessage) => {
    arrived.push(message)
    wake.resolve()
  })
  child.on('error', tell)
  child.on('close', (code) => tell(new Error(`the reader of pictures ended with ${code}: ${lastWords}`)))
  const onAbort = (): void => tell(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const watch = setInterval(() => {
    if (child.pid)
      void residentMb(child.pid).then((megabytes) => {
        if (megabytes > residentMbMax) tell(new Error(`the reader of pictures took ${Math.round(megabytes)} MB`))
      })
  }, watchMs)
  let clock: NodeJS.Timeout | undefined
  const restart = (): void => {
    clearTimeout(clock)
    clock = setTimeout(() => tell(new Error('a page took too long to read')), pageMs)
  }
  try {
    restart()
    child.send({ path, picture, pages } satisfies RecogniseRequest)
    for (;;) {
      for (let next = arrived.shift(); next; next = arrived.shift()) {
        if (next.type === 'end') return
        restart()
        yield next
      }
      if (ended) throw ended
      await wake.promise
      wake = Promise.withResolvers()
    }
  } finally {
    clearTimeout(clock)
    clearInterval(watch)
    signal.removeEventListener('abort', onAbort)
    child.kill('SIGKILL')
  }
}

/** Reads what of the version's pages is not read yet, and has the version, or a new one beside it, ingested with their text. */
export const recogniseVersion = async (
  versionId: string,
  signal: AbortSignal,
  options: { pageMs?: number } = {},
): Promise<void> => {
  const { db } = database()
  const found = await getRecognisable(db, versionId)
  if (!found) return
  const { workspaceId, contentHash } = found
  const known = await listRecognisedPages(db, found)
  const missing = found.pages.filter((page) => !known.some((one) => one.page === page))
  let done = found.pages.length - missing.length
  await setRecognising(db, versionId, { done, total: found.pages.length })
  for (let rest = missing; rest.length > 0; ) {
    const batch = rest.slice(0, pagesEach)
    const read = new Set<number>()
    try {
      const request = { path: blobFilePath(found.blobKey), picture: found.isPicture, pages: batch }
      for await (const { page, words, confidence, fault } of recognisePages(request, { signal, ...options })) {
        if (fault) log.warn({ event: 'recognition.page-failed', versionId, page, reason: fault }, 'a page was not read')
        await insertRecognisedPage(db, { workspaceId, contentHash, page, words, confidence })
        read.add(page)
        done += 1
        await setRecognising(db, versionId, { done, total: found.pages.length })
      }
    } catch (error) {
      if (signal.aborted) throw error
      // The page that ended the process would end it again.
      const [culprit] = batch.filter((page) => !read.has(page))
      if (culprit === undefined) throw error
      log.warn({ err: error, event: 'recognition.page-failed', versionId, page: culprit }, 'a page was not read')
      await insertRecognisedPage(db, { workspaceId, contentHash, page: culprit, words: [], confidence: 0 })
      read.add(culprit)
      done += 1
    }
    rest = rest.filter((page) => !read.has(page))
  }
  await finish(found)
}

const finish = (found: Recognisable): Promise<void> =>
  database().db.transaction(async (tx) => {
    const { versionId, documentId, isReady, workspaceId } = found
    // A version that nobody can read yet goes on itself; one that answers is replaced when its successor is ready.
    const versions = isReady
      ? await insertReindexVersions(tx, { workspaceId }, { documentIds: [documentId], cause: 'recognition', newId })
      : [versionId]
    for (const next of versions) await enqueue(tx, 'document.ingest', { versionId: next })
  })
