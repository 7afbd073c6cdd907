/** `ingest`: files and folders in, each followed until it is ready or has failed with a reason. */
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { type Connection, Refused } from './connect.ts'

const uploadsAtOnce = 4
const pollMs = 400
const watchMs = 2_000
/** Tries of one upload that was refused for being one too many. */
const triesMax = 20

export type IngestOptions = { collection?: string; watch?: boolean; json?: boolean }

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
type Known = { mtimeMs: number; documentId: string | null }

const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** The files under `path`, sorted; what starts with a dot is somebody's own business. */
const listFiles = async (path: string): Promise<string[]> => {
  if ((await stat(path)).isFile()) return [path]
  const entries = await readdir(path, { withFileTypes: true })
  const nested = entries
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((entry) => (entry.isDirectory() || entry.isFile() ? listFiles(join(path, entry.name)) : Promise.resolve([])))
  return (await Promise.all(nested)).flat()
}

export const ingest = async (
  connection: Connection,
  paths: string[],
  { collection, watch, json }: IngestOptions,
): Promise<number> => {
  const startedMs = performance.now()
  const tally: Tally = { documents: 0, ready: 0, failed: 0, unchanged: 0, deleted: 0, pages: 0, chunks: 0 }
  const failures: Failure[] = []
  const known = new Map<string, Known>()

  const fail = (path: string, code: string, reason: string): void => {
    tally.failed += 1
    failures.push({ path, code, reason })
    say(`failed     ${path}: ${reason}`)
  }

  const upload = async (path: string): Promise<DocumentRow | null> => {
    for (let tries = 1; ; tries += 1) {
      try {
        const result = await connection.upload({ name: basename(path), path, collection })
        if (result.outcome !== 'already-there') return result.document
        const settled = result.document.stage === 'ready' || result.document.stage === 'failed'
        if (!settled) return result.document
        tally.unchanged += 1
        known.set(path, { mtimeMs: known.get(path)?.mtimeMs ?? 0, documentId: result.document.id })
        say(`unchanged  ${path}`)
        return null
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        if (error.code !== 'rate-limited' || tries === triesMax) {
          fail(path, error.code, error.message)
          return null
        }
        await new Promise((resolve) => setTimeout(resolve, (error.retryAfterSeconds ?? 1) * 1_000))
      }
    }
  }

  /** Follows what was uploaded until each has ended. */
  const follow = async (waiting: Map<string, string>): Promise<void> => {
    while (waiting.size > 0) {
      const rows = new Map((await connection.listDocuments()).map((row) => [row.id, row]))
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
      if (waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }

  const bring = async (files: readonly string[]): Promise<void> => {
    const waiting = new Map<string, string>()
    const queue = [...files]
    tally.documents += files.length
    const lane = async (): Promise<void> => {
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        known.set(path, { mtimeMs: (await stat(path)).mtimeMs, documentId: known.get(path)?.documentId ?? null })
        const row = await upload(path)
        if (!row) continue
        known.set(path, { mtimeMs: known.get(path)?.mtimeMs ?? 0, documentId: row.id })
        waiting.set(row.id, path)
      }
    }
    await Promise.all(Array.from({ length: uploadsAtOnce }, lane))
    await follow(waiting)
  }

  const listAll = async (): Promise<string[]> => (await Promise.all(paths.map(listFiles))).flat()

  /** Brings what is new or changed since the last look, and takes away what is gone. */
  const look = async (): Promise<void> => {
    // A folder that cannot be read right now says nothing about what was deleted.
    const files = await listAll().catch(() => null)
    if (!files) return
    const changed: string[] = []
    for (const path of files) {
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }))
      if (mtimeMs > 0 && known.get(path)?.mtimeMs !== mtimeMs) changed.push(path)
    }
    for (const [path, { documentId }] of known) {
      if (files.includes(path)) continue
      known.delete(path)
      if (!documentId) continue
      await connection.deleteDocument(documentId)
      tally.deleted += 1
      say(`deleted    ${path}`)
    }
    if (changed.length > 0) await bring(changed)
  }

  await bring(await listAll())
  if (watch) {
    const stopped = Promise.withResolvers<void>()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve())
    say('Watching for changes. Stop with Ctrl-C.')
    let watching = true
    void stopped.promise.then(() => {
      watching = false
    })
    while (watching) {
      await Promise.race([stopped.promise, new Promise((resolve) => setTimeout(resolve, watchMs))])
      if (watching) await look()
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
