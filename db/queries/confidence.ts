/** What people found of answers beside how sure those were, and the fits that are made of it. */
import { desc, eq, sql } from 'drizzle-orm'
import { type Executor, rows, type Tx } from '../client.ts'
import { confidenceFits } from '../schema/index.ts'

export type ConfidenceFit = typeof confidenceFits.$inferSelect

/** How an answer came to be looked at; `shown`: by chance, among those that nothing was against. */
export type Stratum = 'held' | 'queued' | 'feedback' | 'shown'

export type JudgedAnswer = {
  stratum: Stratum
  /** As it was shown, 0 to 1. */
  confidence: number
  right: boolean
  /** The fit that was in force when it was said: `slope * logit + intercept`. */
  slope: number
  intercept: number
}

type Since = { workspaceId: string; since: Date }

// Known errors are not what is asked for, and who asked a person had got no answer.
const byRule = sql`i.kind in ('held', 'queued', 'feedback') and not i.seeded`
const decided = sql`i.state in ('approved', 'edited', 'rejected') and not i.seeded and i.kind <> 'asked' and i.confidence is not null`
const judgedMax = 20_000

/**
 * Answers that people have judged since then, each once: by a decision, or by labels that a third has settled or two raters agree in.
 * Approved is right, and so is what is labelled fully correct and grounded.
 */
export const listJudged = (db: Executor, { workspaceId, since }: Since): Promise<JudgedAnswer[]> =>
  rows<JudgedAnswer>(
    db,
    sql`with decisions as (
        select distinct on (coalesce(i.message_id, i.id)) coalesce(i.message_id, i.id) as id, i.confidence, i.state = 'approved' as is_right,
          -- Of a thumb down the item is younger than what was said.
          coalesce(m.created_at, i.created_at) as said_at, i.decided_at as at
        from review_items i left join messages m on m.id = i.message_id where i.workspace_id = ${workspaceId} and i.decided_at >= ${since.toISOString()}::timestamptz and ${decided}
        order by coalesce(i.message_id, i.id), i.decided_at desc),
      ratings as (
        select l.message_id as id, coalesce(l.adjudicated_at, max(r.created_at)) as at,
          case when l.adjudicated is not null then array[(l.adjudicated ->> 'correct')::int = 2 and (l.adjudicated ->> 'grounded')::int = 2]
            else array_agg(distinct (r.scores ->> 'correct')::int = 2 and (r.scores ->> 'grounded')::int = 2) end as says,
          count(r.rater_id) as raters, l.adjudicated is not null as settled
        from label_items l left join labels r on r.message_id = l.message_id
        where l.workspace_id = ${workspaceId} group by l.message_id),
      labelled as (
        select m.id, (m.metadata #>> '{confidence,value}')::real as confidence, says[1] as is_right, m.created_at as said_at, ratings.at
        from ratings join messages m on m.id = ratings.id
        where ratings.at >= ${since.toISOString()}::timestamptz and cardinality(says) = 1 and (settled or raters >= 2)
          and jsonb_typeof(m.metadata #> '{confidence,value}') = 'number' and m.id not in (select id from decisions)),
      judged as (select * from decisions union all select * from labelled order by at desc limit ${judgedMax})
      select coalesce((select min(i.kind) from review_items i where i.message_id = judged.id and ${byRule}), 'shown') as stratum,
        confidence::float8, is_right as right, coalesce(f.slope, 1)::float8 as slope, coalesce(f.intercept, 0)::float8 as intercept
      from judged left join lateral (select slope, intercept from confidence_fits f
        where f.workspace_id = ${workspaceId} and f.created_at <= judged.said_at order by f.version desc limit 1) f on true
      order by judged.at, judged.id`,
  )

/** How many answers there were of each kind since then, judged or not. */
export const countStrata = async (
  db: Executor,
  { workspaceId, since }: Since,
): Promise<Partial<Record<Stratum, number>>> => {
  const from = sql`${since.toISOString()}::timestamptz`
  const found = await rows<{ stratum: Stratum; answers: number }>(
    db,
    sql`select stratum, count(*)::int as answers from (
        select min(i.kind) as stratum from review_items i
          where i.workspace_id = ${workspaceId} and i.created_at >= ${from} and ${byRule} and i.confidence is not null
          group by coalesce(i.message_id, i.id)
        union all
        select 'shown' from messages m join chats c on c.id = m.chat_id
          where c.workspace_id = ${workspaceId} and m.role = 'assistant' and m.status = 'complete' and m.created_at >= ${from}
            and jsonb_typeof(m.metadata #> '{confidence,value}') = 'number'
            and not exists (select from review_items i where i.message_id = m.id and ${byRule})
      ) answers group by stratum`,
  )
  return Object.fromEntries(found.map(({ stratum, answers }) => [stratum, answers]))
}

/** Of decisions: how many, and how far confidence was from them (expected calibration error over ten bins); null: there are none. */
export type ConfidenceDrift = { decisions: number; error: number | null }

/** Without what came by a thumb down: who looks for errors finds them, however sure the answers were. */
export const getConfidenceDrift = async (db: Executor, workspaceId: string, since: Date): Promise<ConfidenceDrift> => {
  const [found] = await rows<ConfidenceDrift>(
    db,
    sql`select coalesce(sum(n), 0)::int as decisions, (sum(n * abs(said - is_right)) / nullif(sum(n), 0))::float8 as error from (
        select count(*) as n, avg(i.confidence) as said, avg((i.state = 'approved')::int) as is_right from review_items i
        where i.workspace_id = ${workspaceId} and i.decided_at >= ${since.toISOString()}::timestamptz and ${decided} and i.kind <> 'feedback'
        group by least(9, floor(i.confidence * 10))) bins`,
  )
  return found ?? { decisions: 0, error: null }
}

/** Newest first. */
export const listFits = (db: Executor, workspaceId: string, limit: number): Promise<ConfidenceFit[]> =>
  db
    .select()
    .from(confidenceFits)
    .where(eq(confidenceFits.workspaceId, workspaceId))
    .orderBy(desc(confidenceFits.version))
    .limit(limit)

/** Stores the next version. One at a time: the job runs once, and a second writer's version is taken. */
export const insertFit = async (tx: Tx, fit: Omit<ConfidenceFit, 'createdAt'>): Promise<void> => {
  await tx.insert(confidenceFits).values(fit)
}

/** Workspaces with judgements since their last fit whose day is over; `recalibrate:ID` marks the day among the limits. */
export const listRecalibrationDue = async (db: Executor, limit: number): Promise<string[]> =>
  (
    await rows<{ id: string }>(
      db,
      sql`select w.id from workspaces w where not exists (
          select from rate_limits r where r.key = 'recalibrate:' || w.id::text and r.resets_at > now())
        and (exists (select from review_items i where i.workspace_id = w.id and ${decided}
            and i.decided_at > coalesce((select max(f.created_at) from confidence_fits f where f.workspace_id = w.id), '-infinity'))
          or exists (select from label_items l left join labels r on r.message_id = l.message_id where l.workspace_id = w.id
            and greatest(l.adjudicated_at, r.created_at) > coalesce((select max(f.created_at) from confidence_fits f where f.workspace_id = w.id), '-infinity')))
        order by w.id limit ${limit}`,
    )
  ).map(({ id }) => id)
