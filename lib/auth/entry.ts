/**
 * Coming in: who somebody is has been shown, or is shown here; then a session is opened. Knows nothing of Next.js or Auth.js.
 *
 * Guarantees: the answer and the time are the same for an address that nobody has and for a wrong password; a try costs the account
 * and the place it comes from a point before anything is looked up; the session's id is new at every entrance and the browser's
 * earlier session is over; every entrance and every refusal is in the audit log, a refused address only as a hash; a password that is
 * changed, or a suspension, while somebody comes in leaves no session behind.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type Db, database, type Tx } from '#db/client.ts'
import { createSession, revokeSession } from '#db/queries/people.ts'
import { type Entrant, getEntrant, lockEntrant } from '#db/queries/sign-in.ts'
import { audit } from '#lib/audit.ts'
import { env } from '#lib/env.ts'
import { giveBack, release, spend } from '#lib/limits.ts'
import { log } from '#lib/log.ts'
import { verifyPassword } from '#lib/passwords.ts'
import { emailSchema, givenPasswordSchema } from '#lib/shared/account-contract.ts'
import { addressBlock } from '#lib/shared/client-address.ts'
import { AppError } from '#lib/shared/errors.ts'
import { takeCode } from './totp.ts'

export const sessionSeconds = 30 * 24 * 3_600

/** Who is at the door, as the request says. */
export type Caller = {
  address: string | null
  userAgent: string | null
  /** The session that this browser has had. */
  sessionIdHash: string | null
}

/** A session that was opened; the id goes into the signed cookie and nowhere else. */
export type Entered = { userId: string; sessionId: string }
/** `asks`: the first step was right, and this person's code is asked for now. */
export type FirstStep = Entered | { asks: string } | null

export const hashSessionId = (sessionId: string): string => createHash('sha256').update(sessionId).digest('hex')

/** What stands in the audit log for a name that may be anybody's. */
export const nameHash = (name: string): string => createHash('sha256').update(name).digest('hex')

/** Demo accounts, whose password anybody may know, are none where there is no demo; whatever the database holds. */
const isOfDemo = ({ email }: { email: string }): boolean => email.endsWith('@demo.local')
export const mayEnter = (person: { email: string }): boolean => env().demo || !isOfDemo(person)

const entrantOf = async (db: Db | Tx, by: { email: string } | { userId: string }): Promise<Entrant | undefined> => {
  const entrant = await getEntrant(db, by)
  return entrant && mayEnter(entrant) ? entrant : undefined
}

type PlaceLimit = 'form.address' | 'sign-in.address' | 'reset.address'
const placeOf = (address: string | null): string => addressBlock(address ?? 'unknown')

/** Takes a point of the place that a try comes from. Throws `rate-limited`. */
export const spendAtPlace = (name: PlaceLimit, address: string | null): Promise<void> => spend(name, placeOf(address))

/** Gives it back after a success. */
export const giveBackAtPlace = (name: PlaceLimit, address: string | null): Promise<void> =>
  giveBack(name, placeOf(address))

type Refused = { objectId: string; workspaceId: string | null; step: 'password' | 'code' | 'identity'; reason?: string }

export const recordRefusal = async ({ objectId, workspaceId, ...details }: Refused): Promise<void> => {
  log.info({ event: 'sign-in.refused', step: details.step }, 'sign-in refused')
  await database().db.transaction((tx) =>
    audit(tx, { actor: { userId: null, workspaceId }, event: 'sign-in.refused', objectId, details }),
  )
}

/**
 * Opens a session for somebody who has shown who they are, in the transaction that writes it down. Null when that is no longer enough:
 * comparing a password takes long, and whoever has changed it meanwhile did so because this one is out.
 */
const openSession = (entrant: Entrant, caller: Caller, by: 'password' | 'code' | 'identity'): Promise<Entered | null> =>
  database().db.transaction(async (tx) => {
    if (!(await lockEntrant(tx, entrant))) return null
    const sessionId = randomBytes(32).toString('base64url')
    if (caller.sessionIdHash) await revokeSession(tx, caller.sessionIdHash)
    await createSession(tx, {
      idHash: hashSessionId(sessionId),
      userId: entrant.userId,
      workspaceId: entrant.workspaceId,
      userAgent: caller.userAgent?.slice(0, 300) ?? null,
      address: caller.address,
      expiresAt: new Date(Date.now() + sessionSeconds * 1_000),
    })
    await audit(tx, { actor: entrant, event: 'session.created', objectId: entrant.userId, details: { by } })
    return { userId: entrant.userId, sessionId }
  })

/** The next step of somebody whose first one was right: their code where they have asked for that, a session otherwise. */
const goOn = async (entrant: Entrant, caller: Caller, by: 'password' | 'identity'): Promise<FirstStep> =>
  entrant.secondStep ? { asks: entrant.userId } : openSession(entrant, caller, by)

/** By e-mail and password; null for what is not right. Throws `rate-limited`. */
export const enterByPassword = async (
  given: { email?: unknown; password?: unknown },
  caller: Caller,
): Promise<FirstStep> => {
  await spendAtPlace('sign-in.address', caller.address)
  const email = emailSchema.safeParse(given.email)
  const password = givenPasswordSchema.safeParse(given.password)
  if (!email.success || !password.success) return null
  await spend('sign-in.account', email.data)
  const entrant = await entrantOf(database().db, { email: email.data })
  // Always compared, with a hash of nobody's where there is no account.
  const matches = await verifyPassword(entrant?.passwordHash, password.data)
  if (!entrant || !matches) {
    await recordRefusal({
      objectId: nameHash(email.data),
      workspaceId: entrant?.workspaceId ?? null,
      step: 'password',
    })
    return null
  }
  await release('sign-in.account', email.data)
  await giveBackAtPlace('sign-in.address', caller.address)
  return goOn(entrant, caller, 'password')
}

/** By a provider's word, which was checked before; null when the person may enter nowhere. */
export const enterByIdentity = async (userId: string, caller: Caller): Promise<FirstStep> => {
  const entrant = await entrantOf(database().db, { userId })
  return entrant ? goOn(entrant, caller, 'identity') : null
}

/** The first step of a sign-in that waits for its code. */
export type Waiting = { userId: string; sinceMs: number }

/** By the code that a right first step has asked for; null for what is not right. Throws `rate-limited`. */
export const enterByCode = async (waiting: Waiting, code: unknown, caller: Caller): Promise<Entered | null> => {
  await spendAtPlace('sign-in.address', caller.address)
  await spend('sign-in.code', waiting.userId)
  const entrant = await entrantOf(database().db, { userId: waiting.userId })
  // A password that was changed meanwhile was changed by somebody who knew that this one is out.
  const current = entrant && (entrant.passwordChangedAt?.getTime() ?? 0) <= waiting.sinceMs
  if (!current || !(await takeCode(entrant, code))) {
    await recordRefusal({
      objectId: nameHash(entrant?.email ?? waiting.userId),
      workspaceId: entrant?.workspaceId ?? null,
      step: 'code',
    })
    return null
  }
  await release('sign-in.code', waiting.userId)
  await giveBackAtPlace('sign-in.address', caller.address)
  return openSession(entrant, caller, 'code')
}

/** The person's own password, asked for again before something grave. Throws `wrong-password` and `rate-limited`. */
export const confirmPassword = async (
  { email }: { email: string },
  passwordHash: string | null,
  password: string,
): Promise<void> => {
  await spend('sign-in.account', email)
  if (!(await verifyPassword(passwordHash, password))) throw new AppError('wrong-password')
  await release('sign-in.account', email)
}
