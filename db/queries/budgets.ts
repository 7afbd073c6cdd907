/**
 * Money and tokens that calls may use: reserved before a call, counted after it. Windows are in UTC, by the database's clock unless
 * a moment is given. Whoever locks several rows takes the reservation, then windows, then token counters, each by key: calls at
 * once wait for each other and never in a circle.
 */
import { sql } from 'drizzle-orm'
import { type Executor, rows } from '../client.ts'

export type BudgetPeriod = 'minute' | 'day' | 'month'

export type BudgetHold = {
  id: string
  micros: number
  /** Counted in each of these; a limit of null counts only. */
  budgets: readonly { scope: string; period: BudgetPeriod; limitMicros: number | null }[]
  tokens: number
  tokenLimits: readonly { key: string; limit: number; seconds: number }[]
  /** After so long a reservation that nobody settled is given back by the sweep. */
  expiresAfterSeconds: number
  at?: Date | undefined
}

/** A counter of tokens, and which of its windows was counted in. */
export type TokenHold = { key: string; resetsAt: string }

export type BudgetRefusal =
  | {
      by: 'budget'
      scope: string
      period: BudgetPeriod
      limitMicros: number
      spentMicros: number
      /** Held by other calls. */
      reservedMicros: number
      resetsAt: Date
      waitSeconds: number
    }
  | { by: 'tokens'; key: string; limit: number; usedTokens: number; waitSeconds: number }

/** `room`: what the tightest limits leave after it. */
export type BudgetAnswer =
  | { tokenHolds: TokenHold[]; room: { micros: number; tokens: number } }
  | { refused: BudgetRefusal }

/** Undoes the transaction and carries out of it why. */
class Refused extends Error {
  readonly refusal: BudgetRefusal

  constructor(refusal: BudgetRefusal) {
    super('refused')
    this.refusal = refusal
  }
}

const clock = (at: Date | undefined) => sql`coalesce(${at?.toISOString() ?? null}::timestamptz, now())`
const json = (value: unknown) => sql`${JSON.stringify(value)}::text::jsonb`
const tokensMost = sql.raw('2147483647')

type Counted = {
  by: 'budget' | 'tokens'
  name: string
  period: BudgetPeriod
  /** Null: counted only. */
  limit: number | null
  spent: number
  reserved: number
  /** To the microsecond: names the counter's window. */
  resetsAt: string
  resetsAtMs: number
  waitSeconds: number
  over: boolean
}

/**
 * Counts a call's reserve in all windows and counters at once, or in none of them and says which one refused (of several the one that
 * resets last). The rows it writes stay locked until it is decided, so that calls at once cannot pass each other.
 */
export const holdBudget = async (db: Executor, hold: BudgetHold): Promise<BudgetAnswer> => {
  const budgets = hold.budgets.map(({ scope, period, limitMicros }) => ({ scope, period, most: limitMicros }))
  const limits = hold.tokenLimits.map(({ key, limit, seconds }) => ({ key, most: limit, seconds }))
  try {
    return await db.transaction(async (tx) => {
      const counted = await rows<Counted>(
        tx,
        sql`with clock as (select ${clock(hold.at)} as at),
          budgets as (
            select b.scope, b.period, b.most,
              b.period || ':' || to_char(clock.at at time zone 'UTC', case b.period
                when 'month' then 'YYYY-MM' when 'day' then 'YYYY-MM-DD' else 'YYYY-MM-DD"T"HH24:MI' end) as "window",
              (date_trunc(b.period, clock.at at time zone 'UTC') + ('1 ' || b.period)::interval) at time zone 'UTC' as resets_at
            from clock, jsonb_to_recordset(${json(budgets)}) as b(scope text, period text, most bigint)
          ),
          windows as (
            insert into budget_windows (scope, "window", reserved_micros, resets_at)
            select scope, "window", ${hold.micros}::bigint, resets_at from budgets order by scope, "window"
            on conflict (scope, "window") do update
              set reserved_micros = budget_windows.reserved_micros + excluded.reserved_micros
            returning scope, "window", spent_micros, reserved_micros
          ),
          limits as (
            select l.key, l.most, clock.at + make_interval(secs => l.seconds) as resets_at
            from clock, jsonb_to_recordset(${json(limits)}) as l(key text, most bigint, seconds int)
            -- After the windows: the order of locks.
            where (select count(*) from windows) >= 0
          ),
          counters as (
            insert into rate_limits (key, points, resets_at)
            select key, ${hold.tokens}::int, resets_at from limits order by key
            on conflict (key) do update set
              points = case when rate_limits.resets_at <= (select at from clock) then excluded.points
                else least(${tokensMost}, rate_limits.points::bigint + excluded.points)::int end,
              resets_at = case when rate_limits.resets_at <= (select at from clock) then excluded.resets_at
                else rate_limits.resets_at end
            returning key, points, resets_at
          ),
          kept as (
            insert into budget_reservations (id, scopes, micros, expires_at)
            select ${hold.id}::uuid,
              (select coalesce(jsonb_agg(jsonb_build_object('scope', scope, 'window', "window")), '[]') from windows),
              ${hold.micros}::bigint, at + make_interval(secs => ${hold.expiresAfterSeconds}::int)
            from clock
          )
          select 'budget' as by, scope as name, period, most::float8 as "limit", spent_micros::float8 as spent,
            (reserved_micros - ${hold.micros}::bigint)::float8 as reserved, resets_at::text as "resetsAt",
            (extract(epoch from resets_at) * 1000)::float8 as "resetsAtMs",
            greatest(1, ceil(extract(epoch from resets_at - (select at from clock))))::int as "waitSeconds",
            coalesce(spent_micros + reserved_micros > most, false) as over
          from windows join budgets using (scope, "window")
          union all
          select 'tokens', key, 'minute', most::float8, (points - ${hold.tokens}::int)::float8, 0, counters.resets_at::text,
            (extract(epoch from counters.resets_at) * 1000)::float8,
            greatest(1, ceil(extract(epoch from counters.resets_at - (select at from clock))))::int,
            points > most
          from counters join limits using (key)`,
      )
      // Fail closed: a window that was not counted has not let anything through.
      if (counted.length !== budgets.length + limits.length) throw new Error('not every budget could be counted')
      const refusal = counted.filter(({ over }) => over).sort((a, b) => b.waitSeconds - a.waitSeconds)[0]
      if (refusal) throw new Refused(refusalOf(refusal))
      const roomOf = (kind: Counted['by'], held: number): number =>
        Math.min(
          Number.MAX_SAFE_INTEGER,
          ...counted.flatMap(({ by, limit, spent, reserved }) =>
            by === kind && limit !== null ? [limit - spent - reserved - held] : [],
          ),
        )
      return {
        room: { micros: roomOf('budget', hold.micros), tokens: roomOf('tokens', hold.tokens) },
        tokenHolds: counted.filter(({ by }) => by === 'tokens').map(({ name, resetsAt }) => ({ key: name, resetsAt })),
      }
    })
  } catch (error) {
    if (error instanceof Refused) return { refused: error.refusal }
    throw error
  }
}

const refusalOf = ({ by, name, period, limit, spent, reserved, resetsAtMs, waitSeconds }: Counted): BudgetRefusal =>
  by === 'tokens'
    ? { by, key: name, limit: limit ?? 0, usedTokens: spent, waitSeconds }
    : {
        by,
        scope: name,
        period,
        limitMicros: limit ?? 0,
        spentMicros: spent,
        reservedMicros: reserved,
        resetsAt: new Date(resetsAtMs),
        waitSeconds,
      }

export type BudgetSettlement = {
  id: string
  costMicros: number
  tokenHolds: readonly TokenHold[]
  /** Used beyond what was reserved; negative gives back. */
  moreTokens: number
}

/**
 * Turns a reservation into what was really spent, in the windows it was made in. Once: a second time changes nothing, and one that
 * was given back by the sweep in the meantime is still counted.
 */
export const settleBudget = async (db: Executor, settlement: BudgetSettlement): Promise<void> => {
  const { id, costMicros, tokenHolds, moreTokens } = settlement
  await db.execute(sql`with gone as (
      delete from budget_reservations where id = ${id}::uuid returning scopes, micros
    ),
    held as materialized (
      select w.scope, w."window", gone.micros
      from gone cross join jsonb_to_recordset(gone.scopes) as s(scope text, "window" text)
      join budget_windows w on w.scope = s.scope and w."window" = s."window"
      order by w.scope, w."window" for update of w
    ),
    counted as (
      update budget_windows w set
        spent_micros = w.spent_micros + ${costMicros}::bigint,
        reserved_micros = greatest(0, w.reserved_micros - held.micros)
      from held where w.scope = held.scope and w."window" = held."window"
      returning 1
    ),
    counters as materialized (
      select r.key, r.resets_at from rate_limits r
      join jsonb_to_recordset(${json(tokenHolds)}) as t(key text, "resetsAt" timestamptz)
        on t.key = r.key and t."resetsAt" = r.resets_at
      where exists (select 1 from gone) and (select count(*) from counted) >= 0
      order by r.key for update of r
    )
    update rate_limits r set points = greatest(0, least(${tokensMost}, r.points::bigint + ${moreTokens}::bigint))::int
    from counters c where c.key = r.key and c.resets_at = r.resets_at`)
}

/**
 * Gives back the reservations whose process did not come back for them, and forgets windows that are long over. Resolves to how many
 * were given back. A reservation stays for a day with nothing held, so that its settlement still counts when it comes late.
 */
export const sweepBudget = async (db: Executor, at?: Date): Promise<number> => {
  const [swept] = await rows<{ count: number }>(
    db,
    sql`with expired as materialized (
        select id, scopes, micros from budget_reservations
        where expires_at <= ${clock(at)} and micros > 0
        order by id limit 1000 for update skip locked
      ),
      emptied as (
        update budget_reservations r set micros = 0, expires_at = ${clock(at)} + interval '1 day'
        from expired where r.id = expired.id
      ),
      owed as (
        select s.scope, s."window", sum(expired.micros)::bigint as micros
        from expired cross join jsonb_to_recordset(expired.scopes) as s(scope text, "window" text)
        group by s.scope, s."window"
      ),
      held as materialized (
        select w.scope, w."window", owed.micros from owed
        join budget_windows w on w.scope = owed.scope and w."window" = owed."window"
        order by w.scope, w."window" for update of w
      ),
      given as (
        update budget_windows w set reserved_micros = greatest(0, w.reserved_micros - held.micros)
        from held where w.scope = held.scope and w."window" = held."window"
      )
      select count(*)::int as count from expired`,
  )
  await db.execute(sql`delete from budget_reservations where expires_at <= ${clock(at)} and micros = 0`)
  await db.execute(sql`delete from budget_windows where resets_at < ${clock(at)} - interval '2 days'`)
  return swept?.count ?? 0
}
