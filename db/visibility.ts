import { and, eq, inArray, type SQL } from 'drizzle-orm'
import type { Viewer } from '#lib/shared/viewer.ts'
import { documents } from './schema/index.ts'

/**
 * The one way to a row about a document. Every statement that reads documents, versions, pages or chunks joins `documents`
 * (unaliased) and carries this condition, so that what a person may not see is never counted, ranked or returned.
 */
export const visibleTo = (viewer: Pick<Viewer, 'workspaceId'>, collectionIds: readonly string[] = []): SQL => {
  const condition = and(
    eq(documents.workspaceId, viewer.workspaceId),
    collectionIds.length > 0 ? inArray(documents.collectionId, [...collectionIds]) : undefined,
  )
  if (!condition) throw new Error('visibleTo made no condition')
  return condition
}
