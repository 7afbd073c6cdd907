/**
 * Files in a folder of the server. Only under roots that the operator has opened; links are not followed, neither when the folder is
 * listed nor when a file is opened, so that nothing outside can be reached by putting a link inside.
 */
import { constants } from 'node:fs'
import { lstat, open, opendir, realpath } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { env } from '#lib/env.ts'
import { uploadBytesMax, uploadExtensions } from '#lib/shared/admin-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { sourceKinds } from '#lib/shared/sources-contract.ts'
import { openSourceFolder } from '#lib/source-roots.ts'
import { type Connector, SourceFailure } from './connector.ts'
import { createGlobFilter } from './glob.ts'

export const readableExtensions = new Set<string>(uploadExtensions)

/** Whether a path is of a type that is read, and nobody's own business: neither it nor a folder above it starts with a dot. */
export const isReadable = (path: string): boolean =>
  readableExtensions.has(extname(path).slice(1).toLowerCase()) && !path.split('/').some((part) => part.startsWith('.'))

/**
 * Paths in an order that does not depend on how the system lists them: the same folder gets the same names everywhere, and of files of
 * one name the one that lies highest keeps it.
 */
export const highestFirst = (paths: readonly string[]): string[] => {
  const byDepth = Map.groupBy(paths, (path) => path.split('/').length)
  return [...byDepth.keys()].sort((a, b) => a - b).flatMap((depth) => byDepth.get(depth)?.sort() ?? [])
}

/** Paths of all files under `root`, relative to it. One directory is open at a time, and its entries come as they are read. */
const walk = async function* (root: string, below = ''): AsyncGenerator<string> {
  const folders: string[] = []
  const opened = await opendir(join(root, below), { bufferSize: 256 }).catch((error: NodeJS.ErrnoException) => {
    // Deleted since it was listed. Anything else leaves the list incomplete, and ends the run.
    if (below && error.code === 'ENOENT') return []
    throw new SourceFailure(`The folder ${below || root} cannot be read (${error.code}). Nothing was changed.`)
  })
  for await (const entry of opened) {
    if (entry.name.startsWith('.')) continue
    const path = below ? `${below}/${entry.name}` : entry.name
    if (entry.isDirectory()) folders.push(path)
    else if (entry.isFile()) yield path
  }
  for (const folder of folders) yield* walk(root, folder)
}

/** The bytes of a file at exactly this path. A link anywhere on the way, also one put there just now, is refused. */
const readFileAt = async (path: string): Promise<AsyncIterable<Uint8Array>> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const [opened, there] = [await file.stat(), await lstat(await realpath(path))]
    if ((await realpath(path)) !== path || opened.ino !== there.ino || opened.dev !== there.dev)
      throw new SourceFailure('The file moved while it was opened. The next run looks again.')
    if (opened.size > uploadBytesMax) throw new AppError('file-too-large')
    return file.createReadStream()
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Every file of a readable type in a folder and the folders in it. */
export const folder: Connector<'folder'> = {
  ...sourceKinds.folder,
  kind: 'folder',
  list: async function* ({ path, include, exclude }, { signal, expect }) {
    const root = await openSourceFolder(path, env().sourceRoots)
    const isWanted = createGlobFilter({ include, exclude })
    const files: string[] = []
    for await (const file of walk(root)) {
      signal.throwIfAborted()
      if (isReadable(file) && isWanted(file)) files.push(file)
    }
    expect(files.length)
    for (const file of highestFirst(files)) {
      const whole = join(root, file)
      const found = await lstat(whole).catch(() => null)
      // Gone since it was listed, or no file any more: the same as not there.
      if (!found?.isFile()) continue
      yield {
        uri: file,
        name: file.split('/').at(-1) ?? file,
        // The time of the last change of anything about it: a copy that keeps its dates is noticed, too.
        fingerprint: `${found.size}-${found.mtimeMs}-${found.ctimeMs}`,
        fetch: () => readFileAt(whole),
      }
    }
  },
}
