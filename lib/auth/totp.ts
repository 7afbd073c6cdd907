/**
 * The second step: codes of an authenticator app (RFC 6238), and ten recovery codes for when it is lost. The secret is sealed, the
 * recovery codes are hashed; a code opens once, and after it no earlier one.
 */
import { createHash, randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import { database } from '#db/client.ts'
import {
  clearSecondStep,
  confirmSecondStep,
  getPasswordHash,
  getSecondStep,
  offerSecondStep,
  takeRecoveryCode,
  takeTimeStep,
} from '#db/queries/sign-in.ts'
import { audit } from '#lib/audit.ts'
import { release, spend } from '#lib/limits.ts'
import { log } from '#lib/log.ts'
import { verifyPassword } from '#lib/passwords.ts'
import { sealing } from '#lib/sealing.ts'
import { codeSchema, type SecondStepOffer } from '#lib/shared/account-contract.ts'
import { AppError } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

const issuer = 'Footnote'
const periodSeconds = 30
/** So many steps before and after now are taken: clocks of phones are not exact. */
const windowSteps = 1
const recoveryCodes = 10
const base32 = 'abcdefghijklmnopqrstuvwxyz234567'

type Person = Pick<Viewer, 'userId' | 'workspaceId' | 'email'>

const boundTo = (userId: string): string => `second step of ${userId}`
const appOf = (secret: string, email: string): TOTP =>
  new TOTP({ issuer, label: email, secret: Secret.fromBase32(secret), period: periodSeconds })

const hashCode = (code: string): string => createHash('sha256').update(`recovery ${code}`).digest('hex')

/** Twelve letters and digits, 60 random bits: too many to guess, also from the hashes. */
const newRecoveryCode = (): string => Array.from(randomBytes(12), (byte) => base32[byte & 31]).join('')

/** The time step that `code` belongs to; null when it is none of about now. */
const stepOf = (app: TOTP, code: string, nowMs: number): number | null => {
  const delta = app.validate({ token: code, timestamp: nowMs, window: windowSteps })
  return delta === null ? null : Math.floor(nowMs / 1_000 / periodSeconds) + delta
}

/** A secret for the person's app; the second step is off until a code of it has come back. Throws `conflict` when it is on. */
export const beginSecondStep = async (person: Person): Promise<SecondStepOffer> => {
  const secret = new Secret({ size: 20 }).base32
  const sealed = sealing().seal(secret, boundTo(person.userId))
  const offered = await database().db.transaction((tx) => offerSecondStep(tx, person.userId, sealed))
  if (!offered) throw new AppError('conflict', { message: 'The second step is on already. Switch it off first.' })
  return { secret, uri: appOf(secret, person.email).toString() }
}

/**
 * Switches the second step on with a code of the app. Returns the recovery codes, which nobody can see again. Throws `wrong-code` and
 * `rate-limited`.
 */
export const confirmBegunStep = async (person: Person, given: unknown, nowMs = Date.now()): Promise<string[]> => {
  await spend('sign-in.code', person.userId)
  const { sealed, on } = await getSecondStep(database().db, person.userId)
  if (!sealed || on) throw new AppError('conflict')
  const code = codeSchema.safeParse(given)
  const app = appOf(sealing().open(sealed, boundTo(person.userId)), person.email)
  const step = code.success ? stepOf(app, code.data, nowMs) : null
  if (step === null) throw new AppError('wrong-code')
  const codes = Array.from({ length: recoveryCodes }, newRecoveryCode)
  await database().db.transaction(async (tx) => {
    if (!(await confirmSecondStep(tx, person.userId, { sealed, step, recoveryHashes: codes.map(hashCode) })))
      throw new AppError('conflict')
    await audit(tx, { actor: person, event: 'totp.enabled', objectId: person.userId })
  })
  await release('sign-in.code', person.userId)
  return codes
}

const takeRecovery = (person: Person, code: string): Promise<boolean> =>
  database().db.transaction(async (tx) => {
    const left = await takeRecoveryCode(tx, person.userId, hashCode(code))
    if (left === undefined) return false
    await audit(tx, { actor: person, event: 'recovery-code.used', objectId: person.userId, details: { left } })
    return true
  })

/** Whether the code opens, now and never again. The caller limits the tries. */
export const takeCode = async (person: Person, given: unknown, nowMs = Date.now()): Promise<boolean> => {
  const code = codeSchema.safeParse(given)
  if (!code.success) return false
  const { sealed, on } = await getSecondStep(database().db, person.userId)
  if (!sealed || !on) return false
  if (code.data.length > 6) return takeRecovery(person, code.data)
  let secret: string
  try {
    secret = sealing().open(sealed, boundTo(person.userId))
  } catch (error) {
    // AUTH_SECRET has changed. No code of the app can be right any more; the recovery codes still open.
    log.error({ err: error }, 'the secret of a second step cannot be read')
    return false
  }
  const step = stepOf(appOf(secret, person.email), code.data, nowMs)
  return step !== null && database().db.transaction((tx) => takeTimeStep(tx, person.userId, step))
}

/**
 * Switches the second step off. The person shows who they are once more: by the password, or where they have none by a code. Throws
 * `wrong-password`, `wrong-code` and `rate-limited`.
 */
export const endSecondStep = async (person: Person, proof: string): Promise<void> => {
  await spend('sign-in.code', person.userId)
  const passwordHash = await getPasswordHash(database().db, person.userId)
  if (passwordHash) {
    if (!(await verifyPassword(passwordHash, proof))) throw new AppError('wrong-password')
  } else if (!(await takeCode(person, proof))) throw new AppError('wrong-code')
  await database().db.transaction(async (tx) => {
    if (!(await clearSecondStep(tx, person.userId))) throw new AppError('conflict')
    await audit(tx, { actor: person, event: 'totp.disabled', objectId: person.userId })
  })
  await release('sign-in.code', person.userId)
}
