/** Denials of people who are signed in: who tried which door. Strangers have no name to write down; their tries are in the log. */
import { database } from '#db/client.ts'
import { audit } from '#lib/audit.ts'
import { isFirst } from '#lib/limits.ts'
import { log } from '#lib/log.ts'
import type { AppError, ErrorCode } from '#lib/shared/errors.ts'
import type { Viewer } from '#lib/shared/viewer.ts'

/** What is missing and what is somebody else's are one to us: both are written down. */
const denials: ReadonlySet<ErrorCode> = new Set(['forbidden', 'not-found', 'foreign-origin'])
const partCharsMax = 100

/** At most one line a minute for a person and a door, and thirty for a person, so that nobody can fill the log. Other errors are no denials. */
export const recordDenial = async (
  viewer: Viewer,
  door: string,
  { code }: AppError,
  parts: Record<string, unknown> = {},
): Promise<void> => {
  if (!denials.has(code)) return
  const details = Object.fromEntries(
    Object.entries(parts).map(([name, at]) => [name, String(at).slice(0, partCharsMax)]),
  )
  try {
    if (!(await isFirst('denial', `${viewer.userId}:${door}`)) || !(await isFirst('denials', viewer.userId))) return
    await database().db.transaction((tx) =>
      audit(tx, { actor: viewer, event: 'denied', objectId: door, details: { code, ...details } }),
    )
  } catch (error) {
    // Fails open: the denial itself stands, whether or not it could be written down.
    log.warn({ err: error, door }, 'denial not recorded')
  }
}
