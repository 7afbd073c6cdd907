/** Where to go after sign-in: a path of this site as it was asked for, otherwise the start page. Never another origin. */
export const returnPath = (from: unknown): string => {
  if (typeof from !== 'string' || !/^\/(?![/\\])/.test(from)) return '/'
  const base = 'http://footnote.invalid'
  if (!URL.canParse(from, base)) return '/'
  const url = new URL(from, base)
  if (url.origin !== base || url.pathname.startsWith('/sign-in')) return '/'
  return url.pathname + url.search + url.hash
}
