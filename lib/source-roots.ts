/** Which folders of this machine may be read as sources: none but those that the operator has opened with SOURCE_ROOTS. */
import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, relative, sep } from 'node:path'

/** The folder is not one that may be read. `message` is in words for an admin, and tells nothing of what lies outside the roots. */
export class RefusedFolder extends Error {
  override name = 'RefusedFolder'
}

/** Whether `path` is `folder` or lies in it. Both without links. */
export const liesIn = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
}

/** The real path of a folder inside one of `roots`, all links followed. Throws `RefusedFolder`. */
export const openSourceFolder = async (path: string, roots: readonly string[]): Promise<string> => {
  if (roots.length === 0)
    throw new RefusedFolder(
      'No folder of this server is open as a source. The operator opens one with the setting SOURCE_ROOTS.',
    )
  if (!isAbsolute(path) || path.includes('\0')) throw new RefusedFolder('Type the whole path of the folder.')
  const real = await realpath(path).catch(() => null)
  const opened = await Promise.all(roots.map((root) => realpath(root).catch(() => null)))
  const inside = real !== null && opened.some((root) => root !== null && liesIn(real, root))
  // One answer for what is missing and what is elsewhere: paths outside the roots are nobody's business.
  if (
    !inside ||
    !(await stat(real)
      .then((found) => found.isDirectory())
      .catch(() => false))
  )
    throw new RefusedFolder('There is no such folder in the ones that the operator has opened with SOURCE_ROOTS.')
  return real
}
