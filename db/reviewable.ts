/** Who may review what: asked inside each statement about review items, as `visibleTo` is inside each about documents. */
import { and, asc, desc, eq, type SQL, sql } from 'drizzle-orm'
import type { ReviewFilter } from '#lib/shared/review-contract.ts'
import { can, roles, type Viewer } from '#lib/shared/viewer.ts'
import { collections, documents, reviewItems } from './schema/index.ts'
import { collectionOpenTo, visibleTo } from './visibility.ts'

const reviewingRoles = roles.filter((role) => can({ role }, 'review.decide'))

/** Whether somebody decides on answers in a workspace at this moment; both as ids in SQL. */
export const decidesIn = (workspaceId: SQL, userId: SQL): SQL =>
  sql`exists (select from memberships m
      where m.workspace_id = ${workspaceId} and m.user_id = ${userId} and m.suspended_at is null
        and m.role in (${sql.join(
          reviewingRoles.map((role) => sql`${role}`),
          sql`, `,
        )}))
    and not exists (select from incident_switches s
      where s.workspace_id = ${workspaceId} and s.kind = 'person' and s.target_id = ${userId}::text and s.lifted_at is null)`

/** The person decides on answers in this workspace, whatever their session still says. */
export const isReviewer = ({ workspaceId, userId }: Pick<Viewer, 'workspaceId' | 'userId'>): SQL =>
  decidesIn(sql`${workspaceId}::uuid`, sql`${userId}::uuid`)

/** Ids of the collections that are open to the person; asks once a statement. */
export const openCollectionIds = (viewer: Viewer): SQL =>
  sql`array(select ${collections.id} from ${collections} where ${collectionOpenTo(viewer)})`

/**
 * Items whose every collection is open to the person. A known error is kept from who decided on what it was made of: they would know
 * it again. Whether the person asked it themselves is for `decidableBy`. What an array holds is asked within a case: of the bare
 * operator the planner thinks that it lets next to nothing through, and then sorts 10,000 items where it could read the first 50.
 */
export const reviewableBy = (viewer: Viewer): SQL =>
  sql`${reviewItems.workspaceId} = ${viewer.workspaceId}
    and case when ${reviewItems.collectionIds} <@ ${openCollectionIds(viewer)} then true else false end
    and ${isReviewer(viewer)}
    and case when ${reviewItems.seeded} then ${reviewItems.content} #>> '{seed,decidedBy}' is distinct from ${viewer.userId} else true end`

/** Items that the person may decide on: never an answer to their own question. */
export const decidableBy = (viewer: Viewer): SQL =>
  sql`${reviewableBy(viewer)} and ${reviewItems.askerId} is distinct from ${viewer.userId}`

/**
 * Items of which no document was moved or switched off to where the person cannot read it; one that was deleted shuts nothing. Asked
 * within a case, so that it is looked at last and row by row: it reads the whole answer.
 */
export const sourcesOpenTo = (viewer: Viewer): SQL =>
  sql`case when exists (select from ${documents}
    where ${documents.workspaceId} = ${viewer.workspaceId} and not (${visibleTo(viewer)}) and ${documents.id} in (
      select (source ->> 'documentId')::uuid
      from jsonb_array_elements((${reviewItems.content} -> 'sources') || (${reviewItems.content} -> 'citations')) source))
    then false else true end`

/** How the queue is read, and what comes next of it. */
export const reviewOrders = {
  due: [asc(reviewItems.dueAt), asc(reviewItems.id)],
  risk: [desc(reviewItems.risk), asc(reviewItems.id)],
  age: [asc(reviewItems.createdAt), asc(reviewItems.id)],
} as const satisfies Record<ReviewFilter['order'], readonly SQL[]>

/** A claim counts until its lease is over, by the database's clock. */
export const isClaimed = sql<boolean>`coalesce(${reviewItems.leaseUntil} > now(), false)`

/** What a filter asks of open items, beside access. */
export const meetsFilter = ({ userId }: Viewer, { kind, reason, collectionId, whose }: ReviewFilter): SQL | undefined =>
  and(
    eq(reviewItems.state, 'open'),
    kind ? eq(reviewItems.kind, kind) : undefined,
    reason ? eq(reviewItems.reason, reason) : undefined,
    collectionId ? sql`${collectionId}::uuid = any(${reviewItems.collectionIds})` : undefined,
    whose === 'mine'
      ? sql`(${reviewItems.assignedTo} = ${userId} or ${reviewItems.claimedBy} = ${userId} and ${isClaimed})`
      : undefined,
    whose === 'free' ? sql`${reviewItems.assignedTo} is null and not ${isClaimed}` : undefined,
    whose === 'late' ? sql`${reviewItems.dueAt} < now()` : undefined,
  )
