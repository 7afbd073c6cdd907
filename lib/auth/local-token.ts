/**
 * The command line's way in while a server owns an embedded data directory: a token in a file that only the directory's owner
 * can read. Whoever can read it can read the database itself, so it may speak for any account. Never there in server mode.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { database } from '#db/client.ts'
import { getEntrant } from '#db/queries/sign-in.ts'
import { env } from '#lib/env.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export const localViewer = async (headers: Headers): Promise<Viewer | null> => {
  const sent = /^Bearer (local_[\w-]{20,})$/.exec(headers.get('authorization') ?? '')?.[1]
  const email = headers.get('x-footnote-user')
  if (!sent || !email || database().mode !== 'embedded') return null
  const kept = await readFile(join(env().dataDir, 'local-token'), 'utf8').catch(() => null)
  if (!kept || !timingSafeEqual(digest(sent), digest(kept.trim()))) return null
  const person = await getEntrant(database().db, { email: email.toLowerCase() })
  if (!person) return null
  const { userId, workspaceId, role, name } = person
  return { userId, workspaceId, role, name, email: person.email }
}
