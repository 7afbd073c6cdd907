/**
 * Whether answers that are being written may go on. It is asked for all that a process writes, again and again, so that who is
 * suspended, removed or switched off is no longer answered within seconds, on every replica.
 */
import { database } from '#db/client.ts'
import { type Barred, listBarredAnswers } from '#db/queries/members.ts'

/** Those of the answers that must end now, with why; the others may go on. One statement for all of them. */
export const generationMayGoOn = async (messageIds: readonly string[]): Promise<Map<string, Barred['because']>> => {
  if (messageIds.length === 0) return new Map()
  const barred = await listBarredAnswers(database().db, messageIds)
  return new Map(barred.map(({ messageId, because }) => [messageId, because]))
}
