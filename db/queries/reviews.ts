/** Review items: answers that wait for a person. */
import { sql } from 'drizzle-orm'
import type { Tx } from '../client.ts'
import { reviewItems } from '../schema/index.ts'

type Stored = typeof reviewItems.$inferInsert

/** Times are the database's: minutes from now, whatever the clock of who asks says. */
export type NewReviewItem = Omit<
  Stored,
  'state' | 'dueAt' | 'expiresAt' | 'claimedBy' | 'leaseUntil' | 'escalatedAt' | 'createdAt' | 'decidedAt' | 'decidedBy'
> & { slaMinutes: number; holdMinutes: number | null }

const inMinutes = (minutes: number) => sql`now() + make_interval(mins => ${minutes}::int)`

/** Opens an item, in the transaction that stores its answer. A message that has an open item keeps that one: false. */
export const insertReviewItem = async (
  tx: Tx,
  { slaMinutes, holdMinutes, ...item }: NewReviewItem,
): Promise<boolean> => {
  const made = await tx
    .insert(reviewItems)
    .values({
      ...item,
      dueAt: inMinutes(slaMinutes),
      expiresAt: holdMinutes === null ? null : inMinutes(holdMinutes),
    })
    .onConflictDoNothing()
    .returning({ id: reviewItems.id })
  return made.length > 0
}
