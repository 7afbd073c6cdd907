/** Where a sign-in may lead: a path of this site as it was asked for, never another origin (CVE-2022-31093). */

const base = 'http://footnote.invalid'

/** A path of this site, or `/` for everything else. Never throws. */
export const sitePath = (wanted: unknown): string => {
  if (typeof wanted !== 'string' || !/^\/(?![/\\])/.test(wanted)) return '/'
  if (!URL.canParse(wanted, base)) return '/'
  const url = new URL(wanted, base)
  // A path that begins with two slashes after parsing would name a host to the next who reads it.
  return url.origin === base && !url.pathname.startsWith('//') ? url.pathname + url.search + url.hash : '/'
}

/** The page to go on to after sign-in; never the sign-in page itself. */
export const returnPath = (from: unknown): string => {
  const path = sitePath(from)
  return path.startsWith('/sign-in') ? '/' : path
}
