/** Passwords: argon2id with the OWASP parameters (19 MiB, 2 passes, 1 lane). */
import { hash, verify } from '@node-rs/argon2'

const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export const hashPassword = (password: string): Promise<string> => hash(password, parameters)

/** Made at first use and compared against when there is no account, so that unknown and wrong take the same time. */
let nobody: Promise<string> | undefined

export const verifyPassword = async (passwordHash: string | null | undefined, password: string): Promise<boolean> => {
  nobody ??= hashPassword(crypto.randomUUID())
  const matches = await verify(passwordHash ?? (await nobody), password).catch(() => false)
  return matches && passwordHash != null
}
