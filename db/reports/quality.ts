/** How often answers are wrong: counts of what checks, reviewers, askers and raters have found, of the viewer's workspace. */
import { type SQL, sql } from 'drizzle-orm'
import type { QualityCounts, QualityFilter, QualityGroup } from '#lib/shared/quality-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { collections } from '../schema/index.ts'
import { collectionOpenTo } from '../visibility.ts'
import { number, type Stretch } from './calls.ts'
import type { Reader } from './reader.ts'

const rowsMax = 50

/** By what an answer is counted; one that was written from several collections counts for each. */
const keys: Record<QualityGroup, { key: SQL; from: SQL }> = {
  model: { key: sql`m.metadata #>> '{model,id}'`, from: sql`` },
  prompt: { key: sql`m.metadata #>> '{versions,prompt}'`, from: sql`` },
  collection: {
    key: sql`of_collection.id`,
    from: sql`left join lateral jsonb_array_elements_text(
      case when jsonb_typeof(m.metadata -> 'collectionIds') = 'array' then m.metadata -> 'collectionIds' end) of_collection(id) on true`,
  },
}
const everything = { key: sql`null::text`, from: sql`` }

/**
 * The answer as the checks judged it: what its first review opened with, where there is one, for a decision writes another text over
 * it, or none. What a person says in its place is no model's.
 */
const asMade = sql`left join lateral (select i.kind, i.content from review_items i
      where i.message_id = m.id and not i.seeded and i.content ->> 'text' <> '' order by i.created_at, i.id limit 1) original on true
    cross join lateral (select coalesce(original.content -> 'metadata', m.metadata) as metadata) made`
const citationsMade = sql`select (cited ->> 'supported')::boolean as supported
        from jsonb_array_elements(original.content -> 'citations') cited
      union all select supported from citations where message_id = m.id and original.content is null`

/**
 * One line an answer that was searched for: what is said of it. Small talk and what the policy refused at once are none. An abstention
 * that a person was asked about was no wrong answer, whatever they wrote, and stays an abstention.
 */
const answersOf = (
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  { from, to }: Stretch,
  { model, user }: QualityFilter,
  by: { key: SQL; from: SQL },
) =>
  sql`(select ${by.key} as key,
      m.status = 'no-source' or coalesce(original.kind = 'asked' and not made.metadata ? 'withheld', false) as abstained,
      coalesce((made.metadata #>> '{claims,total}')::int, 0) as claims,
      coalesce((made.metadata #>> '{claims,supported}')::int, 0) as supported,
      coalesce((made.metadata ->> 'droppedCitations')::int, 0) as dropped,
      cited.*, reviewed.*, rated.*, labelled.*
    from messages m join chats c on c.id = m.chat_id ${by.from} ${asMade}
    left join lateral (select count(*)::int as citations, (count(*) filter (where not supported))::int as doubtful
      from (${citationsMade}) citations) cited on true
    left join lateral (select bool_or(state in ('edited', 'rejected')) as overturned
      from review_items where message_id = m.id and not seeded and kind <> 'asked'
        and state in ('approved', 'edited', 'rejected')) reviewed on true
    left join lateral (select bool_or(value < 0) as disliked from feedback where message_id = m.id) rated on true
    left join lateral (select coalesce((i.adjudicated ->> 'correct')::int, (select min((l.scores ->> 'correct')::int)
        from labels l where l.message_id = m.id)) as correct
      from label_items i where i.message_id = m.id) labelled on true
    where c.workspace_id = ${workspaceId} and m.role = 'assistant' and m.status in ('complete', 'no-source')
      and m.metadata ? 'read'
      and m.created_at >= ${from.toISOString()}::timestamptz and m.created_at < ${to.toISOString()}::timestamptz
      ${model ? sql`and m.metadata #>> '{model,id}' = ${model}` : sql``}
      ${user ? sql`and c.user_id = ${user}` : sql``}) answers`

const sum = (expression: SQL) => number(sql`sum(${expression})`)
const count = (condition: SQL) => number(sql`count(*) filter (where ${condition})`)

/** A row for each model, prompt version or collection, the 50 with most answers; `by` null: one row of all. */
export const listQuality = async (
  db: Reader,
  viewer: Viewer,
  stretch: Stretch,
  { by, filter }: { by: QualityGroup | null; filter: QualityFilter },
): Promise<QualityCounts[]> => {
  const name =
    by === 'collection'
      ? sql<
          string | null
        >`(select ${collections.name} from ${collections} where ${collections.id}::text = answers.key and ${collectionOpenTo(viewer)})`
      : sql<string | null>`null::text`
  const found = await db
    .select({
      key: sql<string | null>`answers.key`,
      name,
      answers: number(sql`count(*)`),
      claims: sum(sql`claims`),
      supported: sum(sql`supported`),
      citations: sum(sql`citations + dropped`),
      doubtful: sum(sql`doubtful + dropped`),
      abstained: count(sql`abstained`),
      decided: count(sql`overturned is not null`),
      overturned: count(sql`overturned`),
      rated: count(sql`disliked is not null`),
      disliked: count(sql`disliked`),
      labelled: count(sql`correct is not null`),
      wrong: count(sql`correct < 2`),
    })
    .from(answersOf(viewer, stretch, filter, by ? keys[by] : everything))
    .groupBy(sql`answers.key`)
    .orderBy(sql`count(*) desc, answers.key`)
    .limit(rowsMax)
  return found.map(({ key, name: named, answers, ...counts }) => ({
    key,
    name: named,
    answers,
    faults: {
      unsupported: { part: counts.claims - counts.supported, whole: counts.claims },
      citations: { part: counts.doubtful, whole: counts.citations },
      abstained: { part: counts.abstained, whole: answers },
      overturned: { part: counts.overturned, whole: counts.decided },
      disliked: { part: counts.disliked, whole: counts.rated },
      labelled: { part: counts.wrong, whole: counts.labelled },
    },
  }))
}
