/**
 * Requests that may be sent twice. Whoever inserts the row of a key does the work; everybody else finds the row. Keys belong to a
 * person: two people with the same key never meet.
 */
import { and, eq, isNull, lt, type SQL, sql } from 'drizzle-orm'
import type { Reader } from '#lib/shared/viewer.ts'
import type { Executor } from '../client.ts'
import { idempotentResults } from '../schema/index.ts'

/** Longer than any request works: a claim this old belongs to a process that is gone, and may be taken over. */
const claimMinutes = 15

export type KeptResult = { status: number; body: unknown }
export type Claim = { key: string; takenAt: string }
type Found = { requestHash: string; result: KeptResult | null }

const ofKey = (person: Reader, key: string): SQL | undefined =>
  and(eq(idempotentResults.userId, person.userId), eq(idempotentResults.key, key))

/** Whose claim it still is: one that was taken over meanwhile changes nothing. */
const ofClaim = (person: Reader, { key, takenAt }: Claim): SQL | undefined =>
  and(ofKey(person, key), isNull(idempotentResults.result), sql`created_at = ${takenAt}::timestamptz`)

/** Takes `key` for this request, or says what is kept under it. One statement decides, so of many at once one gets the claim. */
export const claimKey = async (
  db: Executor,
  person: Reader,
  { key, requestHash }: { key: string; requestHash: string },
): Promise<{ claim: Claim } | { found: Found }> => {
  const [claimed] = await db
    .insert(idempotentResults)
    .values({ workspaceId: person.workspaceId, userId: person.userId, key, requestHash })
    .onConflictDoUpdate({
      target: [idempotentResults.userId, idempotentResults.key],
      set: { workspaceId: person.workspaceId, requestHash, createdAt: sql`clock_timestamp()` },
      setWhere: sql`${idempotentResults.result} is null
        and ${idempotentResults.createdAt} < now() - make_interval(mins => ${claimMinutes})`,
    })
    .returning({ takenAt: sql<string>`created_at::text` })
  if (claimed) return { claim: { key, takenAt: claimed.takenAt } }
  const [found] = await db
    .select({ requestHash: idempotentResults.requestHash, result: idempotentResults.result })
    .from(idempotentResults)
    .where(ofKey(person, key))
  // It was let go between the two statements: the next try gets it.
  return { found: found ?? { requestHash, result: null } }
}

/** Keeps the answer for those who send the request again. */
export const keepResult = async (db: Executor, person: Reader, claim: Claim, result: KeptResult): Promise<void> => {
  await db.update(idempotentResults).set({ result }).where(ofClaim(person, claim))
}

/** Lets the key go after a refusal or a failure: nothing was changed, so the request may be tried again. */
export const releaseKey = async (db: Executor, person: Reader, claim: Claim): Promise<void> => {
  await db.delete(idempotentResults).where(ofClaim(person, claim))
}

/** Forgets answers that are older than a day. */
export const deleteOldResults = async (db: Executor): Promise<void> => {
  await db.delete(idempotentResults).where(lt(idempotentResults.createdAt, sql`now() - interval '1 day'`))
}
