/**
 * Passwords: changed by who knows the old one, reset by who holds a link that works once, and the first owner's. A new password ends
 * the person's other sessions. Nothing here tells whether an address has an account.
 */

import type { z } from 'zod'
import { database, type Tx } from '#db/client.ts'
import { lockStandings } from '#db/queries/identities.ts'
import { insertMembership } from '#db/queries/members.ts'
import { createWorkspace, revokeSessionsOf } from '#db/queries/people.ts'
import {
  getEntrant,
  getPasswordHash,
  hasOwner,
  insertUser,
  issueToken,
  isTokenOpen,
  listStandings,
  lockPasswordHash,
  lockSetup,
  setPassword,
  takeToken,
} from '#db/queries/sign-in.ts'
import { audit } from '#lib/audit.ts'
import { env } from '#lib/env.ts'
import { spend } from '#lib/limits.ts'
import { isMailSet, publicAddress, queueMail } from '#lib/mail.ts'
import { hashPassword } from '#lib/passwords.ts'
import { emailSchema, linkTokenSchema, type resetSchema, type setupSchema } from '#lib/shared/account-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import { newId } from '#lib/shared/ids.ts'
import { can, isAtLeast, type Viewer } from '#lib/shared/viewer.ts'
import { confirmPassword, mayEnter, spendAtPlace } from './entry.ts'

/** Throws `wrong-password`, `rate-limited`, and `conflict` for who has none. The session that asks goes on. */
export const changePassword = async (
  viewer: Viewer,
  sessionIdHash: string,
  { current, next }: { current: string; next: string },
): Promise<{ ended: number }> => {
  const kept = await getPasswordHash(database().db, viewer.userId)
  if (!kept) throw new AppError('conflict', { message: 'You sign in without a password, so there is none to change.' })
  await confirmPassword(viewer, kept, current)
  const passwordHash = await hashPassword(next)
  return database().db.transaction(async (tx) => {
    // Comparing and hashing take long: a reset that came between was made by who knew that the old one is out.
    if ((await lockPasswordHash(tx, viewer.userId)) !== kept) throw new AppError('wrong-password')
    await setPassword(tx, viewer.userId, passwordHash)
    const ended = await revokeSessionsOf(tx, viewer.userId, sessionIdHash)
    await audit(tx, { actor: viewer, event: 'password.changed', objectId: viewer.userId, details: { ended } })
    return { ended }
  })
}

const resetPath = (token: string): string => `/reset?token=${token}`

/**
 * Sends the link for a new password to the person of an address, where there is one with a password. The caller answers before this
 * is done, so that neither words nor time tell whether there is. Never throws for an address.
 */
export const sendResetLink = async (given: unknown): Promise<void> => {
  const email = emailSchema.safeParse(given)
  if (!email.success || !isMailSet()) return
  if (!(await isWithin('reset.account', email.data))) return
  const person = await getEntrant(database().db, { email: email.data })
  if (!person?.passwordHash || !mayEnter(person)) return
  await database().db.transaction(async (tx) => {
    const token = await issueToken(tx, { purpose: 'password-reset', userId: person.userId })
    await queueMail(tx, {
      to: person.email,
      subject: 'A new password for Footnote',
      text: [
        `Somebody has asked for a new password for ${person.email}. If that was you, choose one here within the hour:`,
        publicAddress(resetPath(token)),
        'The link works once. If it was not you, do nothing: your password stays as it is.',
      ].join('\n\n'),
    })
    await audit(tx, { actor: person, event: 'password.reset-asked', objectId: person.userId, details: { by: 'mail' } })
  })
}

const isWithin = async (name: 'reset.account', key: string): Promise<boolean> =>
  spend(name, key).then(
    () => true,
    (error: unknown) => {
      if (error instanceof AppError && error.code === 'rate-limited') return false
      throw error
    },
  )

/** Lets a place ask for links only so often. Throws `rate-limited`, whatever address was asked for. */
export const limitResets = (address: string | null): Promise<void> => spendAtPlace('reset.address', address)

/**
 * A link for an admin to hand over. A password opens every workspace of its person, so whoever resets it must be an admin, and stand
 * at least as high, in each of them. Throws `not-found` for who is none of the viewer's workspace, `forbidden` in words otherwise.
 */
export const makeResetLink = async (viewer: Viewer, userId: string): Promise<{ path: string }> => {
  if (!can(viewer, 'member.manage')) throw new AppError('forbidden')
  return database().db.transaction(async (tx) => {
    await assertMayReset(tx, viewer, userId)
    const token = await issueToken(tx, { purpose: 'password-reset', userId })
    await audit(tx, { actor: viewer, event: 'password.reset-asked', objectId: userId, details: { by: 'admin' } })
    return { path: resetPath(token) }
  })
}

const assertMayReset = async (tx: Tx, viewer: Viewer, userId: string): Promise<void> => {
  // Held until the link is there: whoever makes more of the person meanwhile waits, and then ends it.
  await lockStandings(tx, userId)
  const standings = await listStandings(tx, { of: userId, beside: viewer.userId })
  const here = standings.find(({ workspaceId }) => workspaceId === viewer.workspaceId)
  if (!here) throw new AppError('not-found')
  if (here.role === 'owner' && here.besideRole !== 'owner')
    throw new AppError('forbidden', { message: "Only an owner may hand over a link for an owner's password." })
  const mayEverywhere = standings.every(
    ({ role, besideRole }) => besideRole !== null && isAtLeast(besideRole, 'admin') && isAtLeast(besideRole, role),
  )
  if (!mayEverywhere)
    throw new AppError('forbidden', {
      message: "This person's password is not this workspace's alone. They can ask for a new one on the sign-in page.",
    })
}

/** Whether a link still opens its page. What is no token is none. */
export const isLinkOpen = async (purpose: 'setup' | 'password-reset', given: unknown): Promise<boolean> => {
  const token = linkTokenSchema.safeParse(given)
  if (!token.success) return false
  const { db } = database()
  if (purpose === 'setup' && (await hasOwner(db, env()))) return false
  return isTokenOpen(db, purpose, token.data)
}

/** Sets the password of who holds the link, once; all their sessions end. Throws `link-over`. */
export const resetPassword = async ({ token, password }: z.output<typeof resetSchema>): Promise<void> => {
  // Before the costly hash: strangers may send anything.
  if (!(await isLinkOpen('password-reset', token))) throw new AppError('link-over')
  const passwordHash = await hashPassword(password)
  await database().db.transaction(async (tx) => {
    const taken = await takeToken(tx, 'password-reset', token)
    if (!taken?.userId) throw new AppError('link-over')
    const { userId } = taken
    await setPassword(tx, userId, passwordHash)
    const ended = await revokeSessionsOf(tx, userId)
    const workspaceId = (await getEntrant(tx, { userId }))?.workspaceId ?? null
    await audit(tx, { actor: { userId, workspaceId }, event: 'password.reset', objectId: userId, details: { ended } })
  })
}

/** Makes the workspace and its first owner, once: the link dies with use, and every such link once there is an owner. */
export const completeSetup = async (input: z.output<typeof setupSchema>): Promise<void> => {
  if (!(await isLinkOpen('setup', input.token))) throw new AppError('link-over')
  const passwordHash = await hashPassword(input.password)
  await database().db.transaction(async (tx) => {
    await lockSetup(tx)
    if ((await hasOwner(tx, env())) || !(await takeToken(tx, 'setup', input.token))) throw new AppError('link-over')
    const userId = await insertUser(tx, { id: newId(), email: input.email, name: input.name, passwordHash })
    if (!userId)
      throw new AppError('conflict', { message: 'There is an account with this address already. Use another address.' })
    const workspaceId = newId()
    await createWorkspace(tx, { id: workspaceId, name: input.workspace })
    await insertMembership(tx, { workspaceId, userId, role: 'owner' })
    await audit(tx, { actor: { userId, workspaceId }, event: 'setup.completed', objectId: workspaceId })
  })
}
