/**
 * Sign-in and sessions through Auth.js. The cookie is a signed token that holds a random session id; the row of that id in the
 * database decides on every request, so a revoked session is over at once and a changed role counts at once.
 */

import { createHash } from 'node:crypto'
import { cookies, headers } from 'next/headers'
import type { NextRequest } from 'next/server'
import NextAuth, { CredentialsSignin, type NextAuthConfig } from 'next-auth'
import { decode, encode, getToken } from 'next-auth/jwt'
import Credentials from 'next-auth/providers/credentials'
import { database } from '#db/client.ts'
import { getSessionOwner, revokeSession } from '#db/queries/people.ts'
import { noteSessionSeen } from '#db/queries/sign-in.ts'
import { env } from '#lib/env.ts'
import { log } from '#lib/log.ts'
import { withRequest } from '#lib/request-context.ts'
import { AppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { createMemo } from '#lib/shared/memo.ts'
import { sitePath } from '#lib/shared/return-path.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { clientAddress } from './address.ts'
import {
  type Caller,
  type Entered,
  enterByCode,
  enterByPassword,
  type FirstStep,
  hashSessionId,
  mayEnter,
  sessionSeconds,
  type Waiting,
} from './entry.ts'
import { oidcProvider, signInWithTokens } from './oidc.ts'

/** How long a sign-in waits for its code. */
const waitingSeconds = 300

export class TooManyTries extends CredentialsSignin {
  override code = 'rate-limited'
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super()
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The password was right; the code is asked for now. */
export class CodeAsked extends CredentialsSignin {
  override code = 'code-asked'
}

const isSecure = (): boolean => env().authUrl?.startsWith('https:') ?? false
const cookieName = (name: string): string => (isSecure() ? `__Host-footnote.${name}` : `footnote.${name}`)
const cookieOptions = () => ({ httpOnly: true, sameSite: 'lax' as const, path: '/', secure: isSecure() })

const signingSecret = (): string => {
  const { authSecret } = env()
  if (!authSecret) throw new Error('AUTH_SECRET is not set: sessions cannot be signed')
  return authSecret
}

// The first step of a sign-in that waits for its code: an encrypted token in a cookie of its own, good for five minutes.

const waitingCookie = (): string => cookieName('waiting')

/** `sinceMs`: when the first step began. A password that was changed while it was compared was changed after it. */
const askCode = async (userId: string, sinceMs: number): Promise<void> => {
  const name = waitingCookie()
  const token = { userId, sinceMs } satisfies Waiting
  const value = await encode({ token, secret: signingSecret(), salt: name, maxAge: waitingSeconds })
  const jar = await cookies()
  jar.set(name, value, { ...cookieOptions(), maxAge: waitingSeconds })
}

/** Who waits for a code in this browser; null when nobody does or it has taken too long. */
export const waitingHere = async (): Promise<Waiting | null> => {
  const name = waitingCookie()
  const token = (await cookies()).get(name)?.value
  if (!token) return null
  try {
    const waiting = await decode({ token, secret: signingSecret(), salt: name })
    const { userId, sinceMs } = waiting ?? {}
    return typeof userId === 'string' && typeof sinceMs === 'number' ? { userId, sinceMs } : null
  } catch {
    // Somebody else's cookie, or an old one: nobody waits.
    return null
  }
}

const endWaiting = async (): Promise<void> => {
  const jar = await cookies()
  jar.delete({ name: waitingCookie(), ...cookieOptions() })
}

// Sessions.

/**
 * Cookies that were found to be ours a moment ago, by their hashes: opening a token costs more than all else at a door. Whether the
 * session is still good is asked of its row every time. What is not ours is not kept.
 */
const opened = createMemo<string>({ entriesMax: 5_000, ttlMs: 60_000 })

/** The hash of the session id in the cookies; throws without one that we signed. */
const openToken = async (cookie: string): Promise<string> => {
  const name = cookieName('session')
  // Of the request only its cookies: the library would take the same token as a bearer's, too.
  const req = { headers: new Headers({ cookie }) }
  const token = await getToken({ req, secret: signingSecret(), cookieName: name, salt: name })
  if (typeof token?.sessionId !== 'string') throw new AppError('unauthenticated')
  return hashSessionId(token.sessionId)
}

/** The hash of the session id in the request's cookie; null without one that we signed. Says nothing about its row. */
const sessionIdHashOf = async (sent: Headers): Promise<string | null> => {
  const cookie = sent.get('cookie')
  if (!cookie) return null
  const key = createHash('sha256').update(cookie).digest('base64')
  // A cookie that cannot be read is none.
  return opened.get(key, () => openToken(cookie)).catch(() => null)
}

const callerOf = async (sent: Headers): Promise<Caller> => ({
  address: clientAddress(sent),
  userAgent: sent.get('user-agent'),
  sessionIdHash: await sessionIdHashOf(sent),
})

export type CurrentSession = { viewer: Viewer; sessionIdHash: string }

/** The session of the request being served, or null. One look at the database. */
export const currentSession = async (): Promise<CurrentSession | null> => {
  const sessionIdHash = await sessionIdHashOf(await headers())
  if (!sessionIdHash) return null
  const { db } = database()
  const owner = await getSessionOwner(db, sessionIdHash)
  if (!owner || !mayEnter(owner.viewer)) return null
  // Fails open: only the list of sessions is less exact.
  if (owner.unseen)
    await noteSessionSeen(db, sessionIdHash).catch((error: unknown) => log.warn({ err: error }, 'use not noted'))
  return { viewer: owner.viewer, sessionIdHash }
}

// Auth.js.

/** What `authorize` hands on and the token keeps; never sent to the browser in the clear. */
type SignedIn = { id: string; sessionId: string }

/** Auth.js swallows what it does not know; what stops a sign-in must come out as one of its own errors. */
const orTooMany = async <Step>(step: Promise<Step>): Promise<Step> => {
  try {
    return await step
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate-limited')
      throw new TooManyTries(error.retryAfterSeconds ?? 60)
    throw error
  }
}

const signedIn = ({ userId, sessionId }: Entered): SignedIn => ({ id: userId, sessionId })

const afterFirst = async (step: FirstStep, sinceMs: number): Promise<SignedIn | null> => {
  if (!step) return null
  if ('sessionId' in step) return signedIn(step)
  await askCode(step.asks, sinceMs)
  throw new CodeAsked()
}

const byPassword = Credentials({
  credentials: { email: {}, password: {} },
  authorize: async (given, request) => {
    const sinceMs = Date.now()
    return afterFirst(await orTooMany(enterByPassword(given, await callerOf(request.headers))), sinceMs)
  },
})

const byCode = Credentials({
  id: 'code',
  credentials: { code: {} },
  authorize: async ({ code }, request) => {
    const waiting = await waitingHere()
    if (!waiting) return null
    const entered = await orTooMany(enterByCode(waiting, code, await callerOf(request.headers)))
    if (!entered) return null
    await endWaiting()
    return signedIn(entered)
  },
})

/** Where Auth.js may send people: a path of ours, whatever it was asked for. */
const redirectWithin = ({ url, baseUrl }: { url: string; baseUrl: string }): string =>
  baseUrl + sitePath(url.startsWith(`${baseUrl}/`) ? url.slice(baseUrl.length) : url)

const configure = (request: NextRequest | undefined): NextAuthConfig => {
  const { oidc } = env()
  return {
    secret: signingSecret(),
    trustHost: true,
    session: { strategy: 'jwt', maxAge: sessionSeconds },
    pages: { signIn: '/sign-in', error: '/sign-in' },
    cookies: { sessionToken: { name: cookieName('session'), options: cookieOptions() } },
    logger: {
      error: (error: Error) =>
        error instanceof CredentialsSignin ? undefined : log.warn({ err: error }, 'sign-in error'),
      warn: () => undefined,
    },
    providers: [byPassword, byCode, ...(oidc ? [oidcProvider(oidc)] : [])],
    callbacks: {
      redirect: redirectWithin,
      signIn: async ({ account, user }) => {
        if (account?.type !== 'oidc') return true
        if (!oidc || !request) return false
        const step = await signInWithTokens(oidc, account, await callerOf(request.headers))
        if ('refused' in step) return `/sign-in?error=${step.refused}`
        if ('asks' in step) {
          await askCode(step.asks, Date.now())
          return '/sign-in/code'
        }
        // The one object that Auth.js hands on to `jwt`.
        Object.assign(user, { sessionId: step.sessionId })
        return true
      },
      // Nothing of the provider's profile is kept in the cookie.
      jwt: ({ token, user }) => {
        const sessionId = user ? (user as SignedIn).sessionId : token.sessionId
        return typeof sessionId === 'string' ? { sessionId } : null
      },
      // The browser can read this at /api/auth/session: the hash names the row and opens nothing.
      session: ({ session, token }) =>
        ({ expires: session.expires, sessionIdHash: hashSessionId(String(token.sessionId)) }) as never,
    },
    events: {
      signOut: async (message) => {
        const sessionId = 'token' in message ? message.token?.sessionId : undefined
        if (typeof sessionId === 'string') await revokeSession(database().db, hashSessionId(sessionId))
      },
    },
  }
}

/** Read at each use: the secret is made by the process that starts the server. */
const nextAuth = NextAuth(configure)
export const { signIn, signOut } = nextAuth

/**
 * A redirect to our own pages as a path. Without AUTH_URL Auth.js takes the host from a request that Next.js has rewritten to
 * `localhost`; whoever came by another name would be sent to where their cookies are not.
 */
const onSameHost = (response: Response, request: NextRequest): Response => {
  const { origin } = request.nextUrl
  const to = response.headers.get('location')
  if (!to?.startsWith(`${origin}/`)) return response
  // The headers of a redirect cannot be written to.
  const headers = new Headers(response.headers)
  headers.set('location', to.slice(origin.length))
  return new Response(response.body, { status: response.status, headers })
}

/** Auth.js's own routes. Its sign-ins are written down like any other request. */
const handled =
  (handler: (request: NextRequest) => Promise<Response>) =>
  (request: NextRequest): Promise<Response> =>
    withRequest({ requestId: newId(), address: clientAddress(request.headers) }, async () =>
      onSameHost(await handler(request), request),
    )
export const handlers = { GET: handled(nextAuth.handlers.GET), POST: handled(nextAuth.handlers.POST) }
