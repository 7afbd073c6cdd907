/**
 * Sign-in and sessions through Auth.js. The cookie is a signed token that holds a random session id; the row of that id in the
 * database decides on every request, so a revoked session is over at once and a changed role counts at once.
 */
import { createHash, randomBytes } from 'node:crypto'
import NextAuth, { CredentialsSignin, type NextAuthConfig } from 'next-auth'
import Credentials from 'next-auth/providers/credentials'
import { z } from 'zod'
import { database } from '#db/client.ts'
import { createSession, getSessionViewer, getSignInAccount, revokeSession } from '#db/queries/people.ts'
import { audit } from '#lib/audit.ts'
import { env } from '#lib/env.ts'
import { release, spend } from '#lib/limits.ts'
import { log } from '#lib/log.ts'
import { verifyPassword } from '#lib/passwords.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

const sessionSeconds = 30 * 24 * 3_600

/** What `authorize` hands on and the token keeps; never sent to the browser in the clear. */
type SignedIn = { id: string; sessionId: string }

export class TooManyTries extends CredentialsSignin {
  override code = 'rate-limited'
}

const hashSessionId = (sessionId: string): string => createHash('sha256').update(sessionId).digest('hex')

/** One address, trimmed, NFKC, lower case; anything that could be read as two addresses or a header is refused. */
export const emailSchema = z
  .string()
  .max(254)
  .transform((value) => value.normalize('NFKC').trim().toLowerCase())
  .pipe(z.email())

const credentialsSchema = z.object({ email: emailSchema, password: z.string().min(1).max(1_024) })

const authorize = async (input: unknown, request: Request): Promise<SignedIn | null> => {
  const parsed = credentialsSchema.safeParse(input)
  if (!parsed.success) return null
  const { email, password } = parsed.data
  try {
    await spend('sign-in.account', email)
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate-limited') throw new TooManyTries()
    throw error
  }
  const account = await getSignInAccount(database().db, email)
  if (!(await verifyPassword(account?.passwordHash, password)) || !account) {
    log.info({ event: 'sign-in.refused' }, 'sign-in refused')
    return null
  }
  const sessionId = randomBytes(32).toString('base64url')
  await database().db.transaction(async (tx) => {
    await createSession(tx, {
      idHash: hashSessionId(sessionId),
      userId: account.userId,
      workspaceId: account.workspaceId,
      userAgent: request.headers.get('user-agent')?.slice(0, 300) ?? null,
      expiresAt: new Date(Date.now() + sessionSeconds * 1_000),
    })
    await audit(tx, { actor: account, event: 'session.created', objectId: account.userId })
  })
  await release('sign-in.account', email)
  return { id: account.userId, sessionId }
}

const isSecure = (): boolean => env().authUrl?.startsWith('https:') ?? false

const signingSecret = (): string => {
  const { authSecret } = env()
  if (!authSecret) throw new Error('AUTH_SECRET is not set: sessions cannot be signed')
  return authSecret
}

/** Read at each use: the secret is made by the process that starts the server. */
export const { handlers, auth, signIn, signOut } = NextAuth(
  (): NextAuthConfig => ({
    secret: signingSecret(),
    trustHost: true,
    session: { strategy: 'jwt' as const, maxAge: sessionSeconds },
    pages: { signIn: '/sign-in', error: '/sign-in' },
    cookies: {
      sessionToken: {
        name: isSecure() ? '__Host-footnote.session' : 'footnote.session',
        options: { httpOnly: true, sameSite: 'lax' as const, path: '/', secure: isSecure() },
      },
    },
    logger: {
      error: (error: Error) =>
        error instanceof CredentialsSignin ? undefined : log.error({ err: error }, 'sign-in error'),
      warn: () => undefined,
    },
    providers: [Credentials({ credentials: { email: {}, password: {} }, authorize })],
    callbacks: {
      jwt: ({ token, user }) => {
        if (user) token.sessionId = (user as SignedIn).sessionId
        return typeof token.sessionId === 'string' ? token : null
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
  }),
)

export type CurrentSession = { viewer: Viewer; sessionIdHash: string }

/** The session of the request being served, or null. One look at the database. */
export const currentSession = async (): Promise<CurrentSession | null> => {
  const session = (await auth()) as { sessionIdHash?: unknown } | null
  if (typeof session?.sessionIdHash !== 'string') return null
  const viewer = await getSessionViewer(database().db, session.sessionIdHash)
  return viewer ? { viewer, sessionIdHash: session.sessionIdHash } : null
}
