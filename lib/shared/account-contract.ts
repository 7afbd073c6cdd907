/** One's own account as its page speaks of it, and what sign-in takes. */
import { z } from 'zod'
import { passwordCharsMax, passwordCharsMin, personNameCharsMax, workspaceNameCharsMax } from './people-contract.ts'
import { type ApiScope, apiScopes } from './viewer.ts'

/**
 * One address, NFKC and in lower case. What could be read as two addresses, a name with an address or another line of a header is
 * refused, not mended (CVE-2022-35924): it would be somebody else's.
 */
export const emailSchema = z
  .string()
  .max(254)
  .regex(/^\P{C}*$/u)
  .transform((value) => value.normalize('NFKC').trim().toLowerCase())
  .pipe(z.email())

/** A password that somebody claims to have. A character may be two units of JavaScript's. */
export const givenPasswordSchema = z
  .string()
  .min(1)
  .max(passwordCharsMax * 2)

/** A new password: long enough and otherwise free (NIST SP 800-63B). */
export const newPasswordSchema = givenPasswordSchema.refine((value) => {
  const { length } = [...value]
  return length >= passwordCharsMin && length <= passwordCharsMax
})

const oneLine = (charsMax: number) =>
  z
    .string()
    .max(charsMax * 4)
    .transform((value) =>
      value
        .normalize('NFC')
        .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
        .trim(),
    )
    .pipe(z.string().min(1).max(charsMax))

/** A person's name: one line, without what steers the direction of text or cannot be seen. */
export const personNameSchema = oneLine(personNameCharsMax)

/** The token of a link that works once: 256 bits, base64url. Null, empty, arrays, objects and numbers are none (GHSA-f6hc). */
export const linkTokenSchema = z.string().regex(/^[\w-]{43}$/)

export const setupSchema = z.strictObject({
  token: linkTokenSchema,
  workspace: oneLine(workspaceNameCharsMax),
  name: personNameSchema,
  email: emailSchema,
  password: newPasswordSchema,
})

export const resetSchema = z.strictObject({ token: linkTokenSchema, password: newPasswordSchema })

/** Six digits of an app, or a recovery code; spaces and dashes do not count. */
export const codeSchema = z
  .string()
  .max(40)
  .transform((value) => value.replace(/[\s-]/g, '').toLowerCase())
  .pipe(z.string().regex(/^(\d{6}|[a-z2-7]{12})$/))

export const passwordChangeSchema = z.strictObject({ current: givenPasswordSchema, next: newPasswordSchema })

export const keyDaysMax = 365
export const keysMax = 20
export const newKeySchema = z.strictObject({
  name: oneLine(60),
  scopes: z.array(z.enum(apiScopes)).min(1).max(apiScopes.length),
  days: z.int().min(1).max(keyDaysMax),
})
export type NewKeyInput = z.input<typeof newKeySchema>

export type SessionRow = {
  /** Names the session and opens nothing. */
  id: string
  workspace: string
  userAgent: string | null
  address: string | null
  lastSeenAt: string
  createdAt: string
  /** The one that asks. */
  current: boolean
}

export type KeyRow = {
  id: string
  name: string
  /** The part that may be seen. */
  prefix: string
  scopes: ApiScope[]
  createdAt: string
  expiresAt: string
  lastUsedAt: string | null
  state: 'good' | 'expired' | 'revoked'
}

export type AccountData = {
  name: string
  email: string
  workspace: string
  /** Without one, the person signs in through the provider alone. */
  hasPassword: boolean
  passwordChangedAt: string | null
  secondStep: { on: boolean; recoveryLeft: number }
  /** Providers that vouch for the person. */
  identities: { issuer: string; lastUsedAt: string }[]
  sessions: SessionRow[]
  keys: KeyRow[]
}

/** What an authenticator app needs; shown until a code of it has come back. */
export type SecondStepOffer = { secret: string; uri: string }
