import { matchesGlob } from 'node:path'

/** Whether a path is wanted: matched by one of `include` (none: by all), and by none of `exclude`. A folder's name means all in it. */
export const createGlobFilter = ({
  include,
  exclude,
}: {
  include: readonly string[]
  exclude: readonly string[]
}): ((path: string) => boolean) => {
  const matches = (path: string, patterns: readonly string[]): boolean =>
    patterns.some((pattern) => {
      const bare = pattern.replace(/^\.?\//, '').replace(/\/+$/, '')
      return matchesGlob(path, bare) || matchesGlob(path, `${bare}/**`)
    })
  return (path) => (include.length === 0 || matches(path, include)) && !matches(path, exclude)
}
