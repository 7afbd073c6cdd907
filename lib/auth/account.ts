/** Signing in and out, and one's own account, as pages ask for it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { headers } from 'next/headers'
import { database } from '#db/client.ts'
import { revokeSessionsOf } from '#db/queries/people.ts'
import { endSession, getOwnAccount, listIdentities, listSessions } from '#db/queries/sign-in.ts'
import { audit } from '#lib/audit.ts'
import { env } from '#lib/env.ts'
import { withRequest } from '#lib/request-context.ts'
import type { AccountData, SessionRow } from '#lib/shared/account-contract.ts'
import { type ActionResult, AppError, publicError, toAppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { demoEmail, type Role, roles, type Viewer } from '#lib/shared/viewer.ts'
import { clientAddress } from './address.ts'
import { listOwnKeys } from './api-keys.ts'
import { logFailure } from './doors.ts'
import { giveBackAtPlace, spendAtPlace } from './entry.ts'
import { assertSameOrigin } from './origin.ts'
import { changePassword, limitResets } from './password.ts'
import { CodeAsked, currentSession, signIn, signOut, TooManyTries } from './session.ts'

/**
 * For forms that are open to all: what it does as a result in words, never a throw. They are no doors, because nobody is signed in
 * there; the place they are asked from is limited instead, and those that try secrets limit themselves more narrowly.
 */
export const openForm = async <Result>(
  name: string,
  run: (address: string | null) => Promise<Result>,
): Promise<ActionResult<Result>> => {
  const requestId = newId()
  const sent = await headers()
  const address = clientAddress(sent)
  return withRequest({ requestId, address }, async () => {
    try {
      assertSameOrigin(sent, env())
      await spendAtPlace('form.address', address)
      const value = await run(address)
      // What succeeds costs nothing: a whole office may share a place.
      await giveBackAtPlace('form.address', address)
      return { ok: true, value }
    } catch (thrown) {
      const error = toAppError(thrown)
      logFailure(error, { requestId, door: name })
      return { ok: false, error: publicError(error, requestId) }
    }
  })
}

/** What Auth.js throws, as an error of ours. */
const entering = async (provider: 'credentials' | 'code', given: Record<string, string>, wrong: AppError) => {
  try {
    await signIn(provider, { ...given, redirect: false })
    return 'entered'
  } catch (thrown) {
    if (thrown instanceof CodeAsked) return 'code-asked'
    if (thrown instanceof TooManyTries)
      throw new AppError('rate-limited', { retryAfterSeconds: thrown.retryAfterSeconds })
    if (thrown instanceof Error && 'type' in thrown && thrown.type === 'CredentialsSignin') throw wrong
    throw thrown
  }
}

/** Signs in by e-mail and password; the same answer for an unknown address and a wrong password. */
export const signInWithPassword = (credentials: {
  email: string
  password: string
}): Promise<ActionResult<'entered' | 'code-asked'>> =>
  openForm('sign-in', () => entering('credentials', credentials, new AppError('wrong-credentials')))

/** Signs in with the code that a right password has asked for. */
export const signInWithCode = (code: string): Promise<ActionResult<'entered' | 'code-asked'>> =>
  openForm('sign-in code', () => entering('code', { code }, new AppError('wrong-code')))

/** The address at the provider to send the browser to; what it comes back with is checked by Auth.js and `oidc.ts`. */
export const providerSignIn = (from: string): Promise<ActionResult<string>> =>
  openForm('sign-in provider', async (address) => {
    if (!env().oidc) throw new AppError('not-found')
    // Each asks the provider something, so that it costs a point although it succeeds.
    await spendAtPlace('form.address', address)
    return String(await signIn('oidc', { redirect: false, redirectTo: from }))
  })

/** What the provider is called on the sign-in page; null for none. */
export const providerName = (): string | null => env().oidc?.name ?? null

/** Ends this session on the server and clears the cookie. */
export const signOutHere = async (): Promise<void> => {
  await signOut({ redirect: false })
}

/** Ends every session of the viewer, here and on other devices. */
export const signOutEverywhere = async (): Promise<void> => {
  const session = await currentSession()
  if (session) await endSessions(session.viewer, null)
  await signOut({ redirect: false })
}

const endSessions = (viewer: Viewer, exceptIdHash: string | null): Promise<number> =>
  database().db.transaction(async (tx) => {
    const ended = await revokeSessionsOf(tx, viewer.userId, exceptIdHash ?? undefined)
    await audit(tx, { actor: viewer, event: 'session.revoked', objectId: viewer.userId, details: { ended } })
    return ended
  })

/** The session that asks. Throws `unauthenticated` for what came another way. */
const ownSession = async (): Promise<string> => {
  const session = await currentSession()
  if (!session) throw new AppError('unauthenticated')
  return session.sessionIdHash
}

export const endOtherSessions = async (viewer: Viewer): Promise<number> => endSessions(viewer, await ownSession())

/** Ends one session of the viewer's own. Throws `not-found`. */
export const endOwnSession = (viewer: Viewer, idHash: string): Promise<void> =>
  database().db.transaction(async (tx) => {
    if (!(await endSession(tx, viewer.userId, idHash))) throw new AppError('not-found')
    await audit(tx, { actor: viewer, event: 'session.revoked', objectId: viewer.userId, details: { ended: 1 } })
  })

export const changeOwnPassword = async (
  viewer: Viewer,
  passwords: { current: string; next: string },
): Promise<{ ended: number }> => changePassword(viewer, await ownSession(), passwords)

/** Where links are asked for: throws `rate-limited` for a place that asks too often, whatever it asks for. */
export const askForReset = (): Promise<ActionResult<void>> => openForm('forgot', limitResets)

/** Everything that the account page shows. */
export const accountData = async (viewer: Viewer): Promise<AccountData> => {
  const { db } = database()
  const current = (await currentSession())?.sessionIdHash
  const own = await getOwnAccount(db, viewer)
  if (!own) throw new AppError('not-found')
  const sessions = (await listSessions(db, viewer.userId)).map(
    ({ lastSeenAt, createdAt, ...row }): SessionRow => ({
      ...row,
      lastSeenAt: lastSeenAt.toISOString(),
      createdAt: createdAt.toISOString(),
      current: row.id === current,
    }),
  )
  return {
    name: viewer.name,
    email: viewer.email,
    workspace: own.workspace,
    hasPassword: own.hasPassword,
    passwordChangedAt: own.passwordChangedAt?.toISOString() ?? null,
    secondStep: { on: own.secondStep, recoveryLeft: own.recoveryLeft },
    identities: (await listIdentities(db, viewer.userId)).map(({ issuer, lastUsedAt }) => ({
      issuer,
      lastUsedAt: lastUsedAt.toISOString(),
    })),
    sessions,
    keys: await listOwnKeys(viewer),
  }
}

export type DemoAccounts = {
  password: string
  accounts: { email: string; role: Role }[]
  /** On a server others may reach it, and the page says what that means. */
  onServer: boolean
}

/** The demo sign-ins to offer on the sign-in page; null unless this installation is a demo. */
export const demoAccounts = async (): Promise<DemoAccounts | null> => {
  const { demo, dataDir, databaseUrl } = env()
  if (!demo) return null
  const password = await readFile(join(dataDir, 'demo-password'), 'utf8').catch(() => null)
  return password
    ? {
        password: password.trim(),
        accounts: roles.map((role) => ({ email: demoEmail(role), role })),
        onServer: databaseUrl !== undefined,
      }
    : null
}
