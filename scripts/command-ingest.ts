/** `ingest`: files and folders in, each followed until it is ready or has failed with a reason; with `--watch` also what happens next. */
import { env } from '#lib/env.ts'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { type Connection, Refused } from './connect.ts'
import {
  hashOf,
  lookAt,
  memoryPath,
  nameFiles,
  recall,
  remember,
  type SeenFile,
  type WatchedFile,
  type WatchedFiles,
} from './watched-files.ts'

const uploadsAtOnce = 4
const pollMs = 400
const watchMs = 1_000
/** A look at many files takes its time: it is at most a tenth of the time that passes. */
const lookShare = 10
/** Tries of one upload that was refused for being one too many. */
const triesMax = 20

export type IngestOptions = { collection?: string; watch?: boolean; json?: boolean }

/** What the command needs of the product. */
type Store = Pick<Connection, 'upload' | 'listDocuments' | 'deleteDocument'>

type Failure = { path: string; code: string; reason: string }
type Tally = {
  documents: number
  ready: number
  failed: number
  unchanged: number
  deleted: number
  pages: number
  chunks: number
}
type Change = SeenFile & { name: string; hash: string }

const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Brings files in and keeps what it brought in step with them. `known` is what earlier looks and earlier runs have brought. */
export const createIngest = (store: Store, collection: string | undefined, known: WatchedFiles) => {
  const tally: Tally = { documents: 0, ready: 0, failed: 0, unchanged: 0, deleted: 0, pages: 0, chunks: 0 }
  const failures: Failure[] = []
  /** Files that failed as they are: tried again when they change. */
  const given = new Map<string, string>()

  const fail = (path: string, code: string, reason: string): void => {
    tally.failed += 1
    failures.push({ path, code, reason })
    say(`failed     ${path}: ${reason}`)
  }

  const holdersOf = (documentId: string, but: string) =>
    [...known].filter(([path, file]) => path !== but && file.documentId === documentId)

  /** Deletes what a file no longer stands for, if it came by this command and no other file stands for it. */
  const release = async (path: string, { documentId, brought }: WatchedFile): Promise<void> => {
    if (!brought) return
    const [heir] = holdersOf(documentId, path)
    if (heir) {
      known.set(heir[0], { ...heir[1], brought: true })
      return
    }
    await store.deleteDocument(documentId).catch((error: unknown) => {
      if (!(error instanceof Refused && error.code === 'not-found')) throw error
    })
    tally.deleted += 1
    say(`deleted    ${path}`)
  }

  /** The document to follow, or null when there is nothing to wait for. */
  const upload = async ({ path, name, stamp, hash }: Change): Promise<DocumentRow | null> => {
    for (let tries = 1; ; tries += 1) {
      try {
        const { outcome, document } = await store.upload({ name, path, collection })
        const before = known.get(path)
        const brought = outcome !== 'already-there' || (before?.brought === true && before.documentId === document.id)
        known.set(path, { name, stamp, hash, documentId: document.id, brought })
        if (before && before.documentId !== document.id) await release(path, before)
        // The document had the bytes of another file, too: that one is brought anew with the next look.
        else if (outcome === 'new-version')
          for (const [other, file] of holdersOf(document.id, path)) known.set(other, { ...file, stamp: '', hash: '' })
        if (outcome !== 'already-there') return document
        if (document.stage !== 'ready' && document.stage !== 'failed') return document
        tally.unchanged += 1
        say(`unchanged  ${path}`)
        return null
      } catch (error) {
        // A file that is gone again, or cannot be read: the next look sees it, and the others go on.
        const code = error instanceof Error && 'code' in error ? String(error.code) : ''
        if (!(error instanceof Refused) && code !== 'ENOENT' && code !== 'EACCES') throw error
        if (code !== 'rate-limited' || tries === triesMax) {
          given.set(path, stamp)
          fail(path, code, error instanceof Refused ? error.message : 'The file cannot be read.')
          return null
        }
        await sleep((error instanceof Refused ? (error.retryAfterSeconds ?? 1) : 1) * 1_000)
      }
    }
  }

  /** Follows what was uploaded until each has ended. */
  const follow = async (waiting: Map<string, string>): Promise<void> => {
    while (waiting.size > 0) {
      const askedAtMs = performance.now()
      const rows = new Map((await store.listDocuments()).map((row) => [row.id, row]))
      const tookMs = performance.now() - askedAtMs
      for (const [id, path] of waiting) {
        const row = rows.get(id)
        if (row && row.stage !== 'ready' && row.stage !== 'failed') continue
        waiting.delete(id)
        if (!row) fail(path, 'not-found', 'The document was deleted while it was read.')
        else if (row.failure) fail(path, row.failure.code, `${row.failure.reason}. ${row.failure.act}`)
        else {
          tally.ready += 1
          tally.pages += row.pages ?? 0
          tally.chunks += row.chunks ?? 0
          say(`ready      ${path}: ${row.chunks ?? 0} passages`)
        }
      }
      // A long list is asked for less often: the server has better things to do.
      if (waiting.size > 0) await sleep(Math.max(pollMs, tookMs * 4))
    }
  }

  const bring = async (changes: readonly Change[]): Promise<void> => {
    const waiting = new Map<string, string>()
    const queue = [...changes]
    tally.documents += changes.length
    const lane = async (): Promise<void> => {
      for (let change = queue.shift(); change; change = queue.shift()) {
        const hash = change.hash || (await hashOf(change.path).catch(() => ''))
        const row = await upload({ ...change, hash })
        if (row) waiting.set(row.id, change.path)
      }
    }
    await Promise.all(Array.from({ length: uploadsAtOnce }, lane))
    await follow(waiting)
  }

  /** Forgets documents that somebody has deleted on the server: their files are brought again. */
  const checkServer = async (): Promise<void> => {
    if (known.size === 0) return
    const there = new Set((await store.listDocuments()).map(({ id }) => id))
    for (const [path, { documentId }] of known) if (!there.has(documentId)) known.delete(path)
  }

  /** Which of the files are new or have other bytes than they had. */
  const changesIn = async (seen: readonly SeenFile[]): Promise<Change[]> => {
    const names = nameFiles(seen, known)
    const changes: Change[] = []
    for (const file of seen) {
      const before = known.get(file.path)
      if (before?.stamp === file.stamp || given.get(file.path) === file.stamp) continue
      const hash = await hashOf(file.path).catch(() => '')
      if (before && before.hash === hash) known.set(file.path, { ...before, stamp: file.stamp })
      else changes.push({ ...file, name: names.get(file.path) ?? '', hash })
    }
    return changes
  }

  return {
    tally,
    failures,
    checkServer,
    /** Brings every file, whatever is known of it: the server says what is already there. */
    bringAll: async (seen: readonly SeenFile[]): Promise<void> => {
      const names = nameFiles(seen, known)
      await bring(seen.map((file) => ({ ...file, name: names.get(file.path) ?? '', hash: '' })))
    },
    /** Takes away what is gone and brings what is new or changed. True when anything was. */
    keepUp: async (seen: readonly SeenFile[]): Promise<boolean> => {
      const there = new Set(seen.map(({ path }) => path))
      const gone = [...known.keys()].filter((path) => !there.has(path))
      // First what goes: a file that was renamed is its old one gone and its new one here, with the same bytes.
      for (const path of gone) {
        const file = known.get(path)
        known.delete(path)
        if (file) await release(path, file)
      }
      const changes = await changesIn(seen)
      await bring(changes)
      return gone.length + changes.length > 0
    },
  }
}

export const ingest = async (
  connection: Connection,
  paths: string[],
  { collection, watch, json }: IngestOptions,
): Promise<number> => {
  const startedMs = performance.now()
  const memory = memoryPath(env().dataDir, paths, collection)
  const known = await recall(memory)
  const { tally, failures, checkServer, bringAll, keepUp } = createIngest(connection, collection, known)

  if (!watch) {
    await bringAll(await lookAt(paths))
    await remember(memory, known)
  } else {
    const stopped = Promise.withResolvers<void>()
    let watching = true
    const stop = (): void => {
      watching = false
      stopped.resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
    await checkServer()
    await keepUp(await lookAt(paths))
    await remember(memory, known)
    say('Watching for changes. Stop with Ctrl-C.')
    let tookMs = 0
    while (watching) {
      await Promise.race([stopped.promise, sleep(Math.max(watchMs, tookMs * lookShare))])
      if (!watching) break
      const lookedAtMs = performance.now()
      // A folder that cannot be read right now says nothing about what was deleted.
      const seen = await lookAt(paths).catch(() => null)
      tookMs = performance.now() - lookedAtMs
      if (seen && (await keepUp(seen))) await remember(memory, known)
    }
  }
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  const { documents, ready, failed, unchanged, deleted, pages, chunks } = tally
  if (json)
    process.stdout.write(
      `${JSON.stringify({ documents, ready, failed, unchanged, deleted, pages, chunks, seconds, failures })}\n`,
    )
  else
    process.stdout.write(
      `${documents} files in ${seconds} s: ${ready} ready (${pages} pages, ${chunks} passages), ${unchanged} unchanged, ${failed} failed\n`,
    )
  return failed > 0 ? 1 : 0
}
