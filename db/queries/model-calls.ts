/** The ledger of calls to models. Rows are facts: written once, never changed. */
import type { Viewer } from '#lib/shared/viewer.ts'
import { type Executor, rows, sql } from '../client.ts'
import { modelCalls } from '../schema/index.ts'

export type ModelCallValues = typeof modelCalls.$inferInsert

/** Writes lines of the ledger; the same id again changes nothing, so that an end that is stored twice is paid once. */
export const insertModelCalls = async (db: Executor, values: readonly ModelCallValues[]): Promise<void> => {
  if (values.length > 0)
    await db
      .insert(modelCalls)
      .values([...values])
      .onConflictDoNothing({ target: modelCalls.id })
}

export type UsageOfPerson = {
  questionsToday: number
  questionsMonth: number
  /** Micro-dollars; null when the price of a call in the time is not known. */
  costDayMicros: number | null
  costMonthMicros: number | null
}

/** What the viewer has asked and spent in their workspace, in days and months of UTC. */
export const getUsageOf = async (
  db: Executor,
  { userId, workspaceId }: Pick<Viewer, 'userId' | 'workspaceId'>,
): Promise<UsageOfPerson> => {
  const [used] = await rows<UsageOfPerson>(
    db,
    sql`
    with now_utc as (select now() at time zone 'utc' as moment),
    times as (
      select date_trunc('day', moment) at time zone 'utc' as day, date_trunc('month', moment) at time zone 'utc' as month from now_utc
    ), asked as (
      select count(*) filter (where m.created_at >= times.day) as today, count(*) as month
      from times join messages m on m.created_at >= times.month
      join chats c on c.id = m.chat_id
      where m.role = 'user' and c.user_id = ${userId} and c.workspace_id = ${workspaceId}
    ), paid as (
      select sum(cost_micros) filter (where at >= times.day) as today, sum(cost_micros) as month,
        count(*) filter (where at >= times.day and cost_micros is null) as unknown_today,
        count(*) filter (where cost_micros is null) as unknown_month
      from times join model_calls on at >= times.month
      where user_id = ${userId} and workspace_id = ${workspaceId}
    )
    select asked.today::int as "questionsToday", asked.month::int as "questionsMonth",
      case when paid.unknown_today > 0 then null else coalesce(paid.today, 0)::float8 end as "costDayMicros",
      case when paid.unknown_month > 0 then null else coalesce(paid.month, 0)::float8 end as "costMonthMicros"
    from asked cross join paid`,
  )
  if (!used) throw new Error('a count without a row')
  return used
}
