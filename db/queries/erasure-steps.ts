/** What an erasure would meet and what it met: counts by name, of statements that run one after the other. */
import { sql } from 'drizzle-orm'
import type { Counts } from '#lib/shared/keeping-contract.ts'
import { type Executor, rows, type Tx } from '../client.ts'

/** How many rows each `from` part holds; what is none is left out. */
export const countsOf = async (db: Executor, parts: Record<string, ReturnType<typeof sql>>): Promise<Counts> => {
  const [found] = await rows<Counts>(
    db,
    sql`select ${sql.join(
      Object.entries(parts).map(([name, from]) => sql`(select count(*) from ${from})::int as ${sql.identifier(name)}`),
      sql`, `,
    )}`,
  )
  return Object.fromEntries(Object.entries(found ?? {}).filter(([, count]) => count > 0))
}

/** Runs a deletion or change and says how many rows it met. */
export const met = async (tx: Tx, statement: ReturnType<typeof sql>): Promise<number> => {
  const [found] = await rows<{ n: number }>(
    tx,
    sql`with met as (${statement} returning 1) select count(*)::int as n from met`,
  )
  return found?.n ?? 0
}

/** What corrections rested on that are gone. */
export const sweptSources = sql`delete from correction_sources s where not exists (select from curated_answers a where a.id = s.correction_id)
  and not exists (select from golden_questions g where g.id = s.correction_id)`

/** Runs the steps in their order; steps of one name count together. */
export const runSteps = async (
  tx: Tx,
  steps: readonly (readonly [name: string, statement: ReturnType<typeof sql>])[],
): Promise<Counts> => {
  const report: Counts = {}
  for (const [name, statement] of steps) {
    const n = await met(tx, statement)
    if (n > 0) report[name] = (report[name] ?? 0) + n
  }
  return report
}
