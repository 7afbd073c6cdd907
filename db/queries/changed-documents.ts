/**
 * Which published documents still have no summary, for the job that describes them by itself. One workspace at a time, and all of it:
 * a description is read by who may read its document.
 */
import { and, asc, count, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { type Executor, rows } from '../client.ts'
import { documents, documentVersions, gatewaySettings, memberships } from '../schema/index.ts'
import { everythingOf, visibleTo } from '../visibility.ts'

/** Workspaces whose rules say so; `batch`: through the provider's batch interface where it has one. */
export const listDescribingWorkspaces = (db: Executor): Promise<{ workspaceId: string; batch: boolean }[]> =>
  rows(
    db,
    sql`select workspace_id as "workspaceId",
        coalesce(settings -> 'summaries' ->> 'batch', 'false') = 'true' as batch
      from ${gatewaySettings} where settings -> 'summaries' ->> 'changedDocuments' = 'true' order by workspace_id`,
  )

/** Whether any document waits to be read or is being read; whoever uploads it wants to ask about it. */
export const isIngesting = async (db: Executor): Promise<boolean> => {
  const [one] = await db
    .select({ id: documentVersions.id })
    .from(documentVersions)
    .where(inArray(documentVersions.stage, ['queued', 'scanning', 'parsing', 'recognising', 'chunking', 'embedding']))
    .limit(1)
  return one !== undefined
}

export type UndescribedVersion = {
  versionId: string
  /** UTF-16 code units of its text, near enough to tell short from long. */
  chars: number
  /** On whose behalf: who uploaded it, else an admin of the workspace. */
  userId: string
}

/** Published versions without a summary that nobody describes, oldest first; of the collections `within`, null: of all. */
export const listUndescribed = async (
  db: Executor,
  workspaceId: string,
  limit: number,
  within: readonly string[] | null = null,
): Promise<UndescribedVersion[]> => {
  const admin = sql`(select ${memberships.userId} from ${memberships}
    where ${memberships.workspaceId} = ${workspaceId} and ${memberships.role} in ('admin', 'owner')
    order by ${memberships.createdAt}, ${memberships.userId} limit 1)`
  const userId = sql<string | null>`coalesce(${documents.createdBy}, ${admin})`
  const found = await db
    .select({ versionId: documentVersions.id, chars: sql<number>`length(${documentVersions.text})::int`, userId })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.publishedVersionId))
    .where(
      and(
        visibleTo(everythingOf(workspaceId)),
        within ? inArray(documents.collectionId, [...within]) : undefined,
        isNotNull(documentVersions.text),
        isNull(documentVersions.summary),
        isNull(documentVersions.describedDone),
      ),
    )
    .orderBy(asc(documentVersions.publishedAt), asc(documentVersions.id))
    .limit(limit)
  return found.flatMap(({ userId: onBehalfOf, ...version }) =>
    onBehalfOf === null ? [] : [{ ...version, userId: onBehalfOf }],
  )
}

/** Versions of the workspace that are being described right now. */
export const countBeingDescribed = async (db: Executor, workspaceId: string): Promise<number> => {
  const [found] = await db
    .select({ n: count() })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.documentId, documents.id))
    .where(and(visibleTo(everythingOf(workspaceId)), isNotNull(documentVersions.describedDone)))
  return found?.n ?? 0
}

/** Marks versions as being described; those that somebody else has marked since are left out. */
export const startDescriptions = async (
  db: Executor,
  workspaceId: string,
  versionIds: readonly string[],
): Promise<Set<string>> => {
  const own = db
    .select({ id: documents.id })
    .from(documents)
    .where(visibleTo(everythingOf(workspaceId)))
  const marked = await db
    .update(documentVersions)
    .set({ describedDone: 0, describedTotal: 1 })
    .where(
      and(
        inArray(documentVersions.id, [...versionIds]),
        inArray(documentVersions.documentId, own),
        isNull(documentVersions.summary),
        isNull(documentVersions.describedDone),
      ),
    )
    .returning({ id: documentVersions.id })
  return new Set(marked.map(({ id }) => id))
}

/** Takes the marks back: nobody describes these any more. By version alone, for jobs that were given up. */
export const stopDescriptions = async (db: Executor, versionIds: readonly string[]): Promise<void> => {
  if (versionIds.length === 0) return
  await db
    .update(documentVersions)
    .set({ describedDone: null, describedTotal: null })
    .where(inArray(documentVersions.id, [...versionIds]))
}
