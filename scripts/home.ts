/**
 * What a process keeps in DATA_DIR beside the database: the generated signing secret, the local command line's token, the demo
 * password and the address of the server that runs. Files are for their owner only.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Env } from '#lib/env.ts'

const ownerOnly = { mode: 0o600 }

/** The file's content, made by `create` when it is not there. */
const readOrCreate = async (path: string, create: () => string): Promise<string> => {
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim()
  if (kept) return kept
  const made = create()
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
  await writeFile(path, `${made}\n`, ownerOnly)
  return made
}

/** The secret that signs session cookies: AUTH_SECRET, or one made for this DATA_DIR. Throws in words when a server has none. */
export const signingSecret = async ({ authSecret, databaseUrl, dataDir }: Env): Promise<string> => {
  if (authSecret) return authSecret
  if (databaseUrl)
    throw new Error(
      'AUTH_SECRET is not set. With DATABASE_URL every replica must sign sessions with the same secret: ' +
        'set it to at least 32 random characters, for example from `openssl rand -base64 33`.',
    )
  return readOrCreate(join(dataDir, 'secret'), () => randomBytes(33).toString('base64url'))
}

/** One password for the three demo accounts, made once for this DATA_DIR and printed at every start. */
export const demoPassword = ({ dataDir }: Env): Promise<string> =>
  readOrCreate(join(dataDir, 'demo-password'), () => randomBytes(9).toString('base64url'))

/** A new token for the command line of this machine's user; the old one is over. */
export const renewLocalToken = async ({ dataDir }: Env): Promise<void> => {
  await writeFile(join(dataDir, 'local-token'), `local_${randomBytes(32).toString('base64url')}\n`, ownerOnly)
}

export const getLocalToken = async ({ dataDir }: Env): Promise<string> =>
  (await readFile(join(dataDir, 'local-token'), 'utf8')).trim()

/** Where the server that owns DATA_DIR listens; null until it is ready. */
export const getAddress = async ({ dataDir }: Env): Promise<string | null> =>
  (await readFile(join(dataDir, 'address'), 'utf8').catch(() => '')).trim() || null

export const setAddress = ({ dataDir }: Env, address: string): Promise<void> =>
  writeFile(join(dataDir, 'address'), `${address}\n`, ownerOnly)

export const deleteAddress = ({ dataDir }: Env): Promise<void> => rm(join(dataDir, 'address'), { force: true })
