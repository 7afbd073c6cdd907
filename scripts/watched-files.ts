/**
 * What `ingest` has brought from which file, kept in DATA_DIR from run to run: so that a restart uploads nothing again, a file that was
 * deleted meanwhile takes its document along, and only documents that this command brought are ever deleted.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { otherNamesOf } from '#lib/shared/sources-contract.ts'

const statsAtOnce = 16

const fileSchema = z.object({
  /** Under which it was uploaded; two files of one name have different ones. */
  name: z.string(),
  /** Size and times: while they are the same, the file is. */
  stamp: z.string(),
  /** SHA-256 of the bytes, in hex. */
  hash: z.string(),
  documentId: z.string(),
  /** Whether the document came by this command, and was not there before. */
  brought: z.boolean(),
})
const memorySchema = z.record(z.string(), fileSchema)
export type WatchedFile = z.output<typeof fileSchema>
/** By whole path. */
export type WatchedFiles = Map<string, WatchedFile>

/** Where the memory of these paths lies. The same paths into the same collection have the same one. */
export const memoryPath = (dataDir: string, paths: readonly string[], collection: string | undefined): string => {
  const key = JSON.stringify([[...paths].map((path) => resolve(path)).sort(), collection ?? null])
  return join(dataDir, 'watch', `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`)
}

/** What was remembered; nothing when there is no memory or it cannot be read, which costs uploads and loses nothing. */
export const recall = async (path: string): Promise<WatchedFiles> => {
  try {
    return new Map(Object.entries(memorySchema.parse(JSON.parse(await readFile(path, 'utf8')))))
  } catch {
    return new Map()
  }
}

/** Whole or not at all. */
export const remember = async (path: string, files: WatchedFiles): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.part`, JSON.stringify(Object.fromEntries(files)), { mode: 0o600 })
  await rename(`${path}.part`, path)
}

/** The whole paths of the files under `path`, sorted, one folder after the other; what starts with a dot is somebody's own business. */
const listFiles = async (path: string): Promise<string[]> => {
  if ((await stat(path)).isFile()) return [path]
  const entries = await readdir(path, { withFileTypes: true })
  const files: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const below = join(path, entry.name)
    if (entry.isDirectory()) files.push(...(await listFiles(below)))
    else if (entry.isFile()) files.push(below)
  }
  return files
}

export type SeenFile = {
  path: string
  /** From the folder that was named: what tells files of one name apart. */
  below: string
  stamp: string
}

/** The files as they are now, each once. Throws when a folder cannot be read: that says nothing about what was deleted. */
export const lookAt = async (paths: readonly string[]): Promise<SeenFile[]> => {
  const below = new Map<string, string>()
  for (const named of paths) {
    const root = resolve(named)
    for (const path of await listFiles(root)) below.set(path, relative(root, path) || basename(path))
  }
  const seen: SeenFile[] = []
  const queue = [...below]
  const lane = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [path, place] = next
      // Gone since it was listed: the next look knows.
      const found = await stat(path).catch(() => null)
      if (found) seen.push({ path, below: place, stamp: `${found.size}-${found.mtimeMs}-${found.ctimeMs}` })
    }
  }
  await Promise.all(Array.from({ length: statsAtOnce }, lane))
  return seen.sort((a, b) => (a.path < b.path ? -1 : 1))
}

export const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece)
  return hash.digest('hex')
}

/** A name for each file: the one it has, or where several have that, one that tells where it lies. */
export const nameFiles = (
  seen: readonly SeenFile[],
  known: ReadonlyMap<string, { name: string }>,
): Map<string, string> => {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  const give = (path: string, name: string): void => {
    names.set(path, name)
    taken.add(name)
  }
  // Names that are in use stay with their files.
  for (const { path } of seen) {
    const name = known.get(path)?.name
    if (name !== undefined && !taken.has(name)) give(path, name)
  }
  const depth = ({ below }: SeenFile): number => below.split(sep).length
  for (const { path, below } of [...seen].sort((a, b) => depth(a) - depth(b))) {
    if (names.has(path)) continue
    const own = basename(path)
    const free = [own, ...otherNamesOf(own, below), ...otherNamesOf(own, path)].find((name) => !taken.has(name))
    give(path, free ?? own)
  }
  return names
}
