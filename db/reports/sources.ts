/** Sources as the screen shows them: how their last run went, what failed, and when the next one is. */
import { and, asc, eq, isNotNull, lte, sql } from 'drizzle-orm'
import type { SourceRow } from '#lib/shared/sources-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { collections, documents, memberships, sourceItems, sources, users } from '../schema/index.ts'
import { collectionOpenTo, visibleTo } from '../visibility.ts'
import type { Reader } from './reader.ts'

const failuresShown = 20

/** The sources of the collections that the viewer reads by name, each with its first failures. */
export const listSources = async (db: Reader, viewer: Viewer): Promise<SourceRow[]> => {
  const inWorkspace = eq(sources.workspaceId, viewer.workspaceId)
  const ranked = db
    .select({
      sourceId: sourceItems.sourceId,
      uri: sourceItems.uri,
      failure: sourceItems.failure,
      rank: sql<number>`row_number() over (partition by ${sourceItems.sourceId} order by ${sourceItems.uri})`.as(
        'rank',
      ),
      total: sql<number>`(count(*) over (partition by ${sourceItems.sourceId}))::int`.as('total'),
    })
    .from(sourceItems)
    .innerJoin(sources, and(eq(sources.id, sourceItems.sourceId), inWorkspace))
    .where(isNotNull(sourceItems.failure))
    .as('ranked')
  const [found, failures, counts] = await Promise.all([
    db
      .select({
        source: sources,
        collection: collections.name,
        maker: users.name,
        // A schedule that is over goes with the next look of the worker.
        nextRunAt: sql<string | null>`to_char((coalesce(${sources.lastStartedAt}, ${sources.createdAt})
          + make_interval(mins => ${sources.everyMinutes})) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
      })
      .from(sources)
      .innerJoin(collections, eq(collections.id, sources.collectionId))
      .leftJoin(
        memberships,
        and(eq(memberships.userId, sources.createdBy), eq(memberships.workspaceId, sources.workspaceId)),
      )
      .leftJoin(users, eq(users.id, memberships.userId))
      .where(and(inWorkspace, collectionOpenTo(viewer)))
      .orderBy(asc(sources.name)),
    db.select().from(ranked).where(lte(ranked.rank, failuresShown)).orderBy(ranked.sourceId, ranked.rank),
    db
      .select({ sourceId: documents.sourceId, documents: sql<number>`count(*)::int` })
      .from(documents)
      .where(and(visibleTo(viewer), isNotNull(documents.sourceId)))
      .groupBy(documents.sourceId),
  ])
  const documentsOf = new Map(counts.map(({ sourceId, documents: count }) => [sourceId, count]))
  return found.map(({ source, collection, maker, nextRunAt }) => {
    const failed = failures.filter(({ sourceId }) => sourceId === source.id)
    return {
      id: source.id,
      name: source.name,
      kind: source.kind,
      config: source.config,
      collection,
      everyMinutes: source.everyMinutes,
      state: source.state,
      progress: { done: source.progressDone, total: source.progressTotal },
      failure: source.failure,
      tally: source.tally,
      lastEndedAt: source.lastEndedAt?.toISOString() ?? null,
      nextRunAt,
      documents: documentsOf.get(source.id) ?? 0,
      failures: failed.map(({ uri, failure }) => ({ uri, reason: failure ?? '' })),
      failuresTotal: failed[0]?.total ?? 0,
      maker,
    }
  })
}
