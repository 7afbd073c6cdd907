import type { Executor } from '../client.ts'
import { traces } from '../schema/index.ts'

export type TraceValues = typeof traces.$inferInsert

/** Writes a trace; a second write of the same id replaces what the first said. */
export const upsertTrace = async (db: Executor, values: TraceValues): Promise<void> => {
  await db.insert(traces).values(values).onConflictDoUpdate({ target: traces.id, set: values })
}
