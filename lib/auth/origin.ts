/** Whether a request that rides on a cookie comes from our own pages (OWASP CSRF: verify the origin). */
import { AppError } from '#lib/shared/errors.ts'

export type Surroundings = {
  /** Where people reach us, when the settings say so. */
  authUrl: string | undefined
  /** How many proxies of ours stand in front; what they forward is believed, and nothing else is. */
  trustedProxies: number
}

const hostOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).host : undefined)

/** The hosts that are ours for this request. A forwarded host is a claim of whoever sent it, unless a proxy of ours wrote it. */
const ownHosts = (headers: Headers, { authUrl, trustedProxies }: Surroundings): (string | undefined)[] => [
  authUrl && hostOf(authUrl),
  headers.get('host')?.toLowerCase(),
  trustedProxies > 0
    ? headers.get('x-forwarded-host')?.split(',').at(-trustedProxies)?.trim().toLowerCase()
    : undefined,
]

/** Throws `foreign-origin` unless the browser says that one of our own pages sent the request. No origin is a foreign one. */
export const assertSameOrigin = (headers: Headers, surroundings: Surroundings): void => {
  const origin = hostOf(headers.get('origin') ?? '')
  if (!origin || !ownHosts(headers, surroundings).includes(origin)) throw new AppError('foreign-origin')
}
