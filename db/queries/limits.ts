import { sql } from 'drizzle-orm'
import { type Executor, rows } from '../client.ts'

export type UsedPoints = { points: number; waitSeconds: number }

/** Takes `count` points of a fixed window, by the database's clock, in one statement: calls at once cannot pass each other. */
export const takePoint = async (db: Executor, key: string, windowSeconds: number, count = 1): Promise<UsedPoints> => {
  const [used] = await rows<UsedPoints>(
    db,
    sql`insert into rate_limits (key, points, resets_at) values (${key}, ${count}::int, now() + make_interval(secs => ${windowSeconds}))
        on conflict (key) do update set
          points = case when rate_limits.resets_at <= now() then excluded.points else rate_limits.points + excluded.points end,
          resets_at = case when rate_limits.resets_at <= now() then excluded.resets_at else rate_limits.resets_at end
        returning points, greatest(1, ceil(extract(epoch from resets_at - now())))::int as "waitSeconds"`,
  )
  return used ?? { points: Number.POSITIVE_INFINITY, waitSeconds: windowSeconds }
}

export const returnPoints = async (db: Executor, key: string): Promise<void> => {
  await db.execute(sql`delete from rate_limits where key = ${key}`)
}

export const returnPoint = async (db: Executor, key: string): Promise<void> => {
  await db.execute(sql`update rate_limits set points = points - 1 where key = ${key} and points > 0`)
}

export const deleteExpiredPoints = async (db: Executor): Promise<void> => {
  await db.execute(sql`delete from rate_limits where resets_at < now()`)
}
