/**
 * Secrets at rest: AES-256-GCM under a key derived from the installation's secret. What is sealed can only be opened by the same
 * installation, unchanged, and for the purpose it was sealed for.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { env } from './env.ts'
import { AppError } from './shared/errors.ts'

const version = 'v1'
const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

type Sealing = {
  /** `boundTo` says what the secret is for; it is not kept, and the same words open it again. */
  seal(plain: string, boundTo: string): string
  /** Throws `model-misconfigured`, which says what to do, when the secret was altered, moved or sealed by another installation. */
  open(sealed: string, boundTo: string): string
}

/** A sealing under `secret`; the label keeps this key apart from every other that is derived from the same secret. */
export const createSealing = (secret: string): Sealing => {
  const key = Buffer.from(hkdfSync('sha256', secret, 'footnote', 'footnote sealed settings v1', 32))
  return {
    seal: (plain, boundTo) => {
      const nonce = randomBytes(nonceBytes)
      const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
      sealing.setAAD(Buffer.from(boundTo))
      const hidden = Buffer.concat([sealing.update(plain, 'utf8'), sealing.final()])
      return `${version}.${Buffer.concat([nonce, hidden, sealing.getAuthTag()]).toString('base64url')}`
    },
    open: (sealed, boundTo) => {
      const [name, body = '', ...rest] = sealed.split('.')
      const bytes = Buffer.from(body, 'base64url')
      if (name !== version || rest.length > 0 || bytes.length < nonceBytes + tagBytes) throw unreadable()
      try {
        const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
        opening.setAAD(Buffer.from(boundTo))
        opening.setAuthTag(bytes.subarray(-tagBytes))
        const hidden = bytes.subarray(nonceBytes, -tagBytes)
        return Buffer.concat([opening.update(hidden), opening.final()]).toString('utf8')
      } catch {
        throw unreadable()
      }
    },
  }
}

/** Without a cause: nothing of the secret may travel with the error. */
const unreadable = (): AppError =>
  new AppError('model-misconfigured', {
    message: 'The stored key cannot be read: AUTH_SECRET has changed, or the row was altered. Enter the key again.',
    context: { reason: 'a sealed secret does not open' },
  })

/** AUTH_SECRET, or in embedded mode the secret that the first start left in DATA_DIR: worker and command line run without the former. */
const installationSecret = (): string => {
  const { authSecret, databaseUrl, dataDir } = env()
  if (authSecret) return authSecret
  try {
    const kept = databaseUrl ? '' : readFileSync(join(dataDir, 'secret'), 'utf8').trim()
    if (kept) return kept
  } catch {
    // Told below, like a missing setting.
  }
  throw new AppError('model-misconfigured', {
    message: 'Keys cannot be kept or read without AUTH_SECRET. Set it, then start Footnote again.',
    context: { reason: 'AUTH_SECRET is not set' },
  })
}

let held: Sealing | undefined

/** The installation's sealing. Throws `model-misconfigured` where there is no secret to seal with. */
export const sealing = (): Sealing => {
  held ??= createSealing(installationSecret())
  return held
}
