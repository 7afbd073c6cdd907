import { and, eq, exists, gte, inArray, lte, type SQL, sql } from 'drizzle-orm'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { documents, documentVersions } from './schema/index.ts'

/** What the published version must say of itself, and people of the document; undefined when nothing is asked. */
const matching = ({ tags, languages, mediaTypes, authors, datedFrom, datedTo }: DocumentFilter): SQL | undefined => {
  const ofVersion = and(
    eq(documentVersions.id, documents.publishedVersionId),
    languages?.length ? inArray(documentVersions.language, languages) : undefined,
    authors?.length ? inArray(documentVersions.author, authors) : undefined,
    datedFrom ? gte(documentVersions.dated, datedFrom) : undefined,
    datedTo ? lte(documentVersions.dated, datedTo) : undefined,
    // Given by people or drawn from the text: all of them must be there.
    tags?.length
      ? sql`(${documents.tags} || coalesce(${documentVersions.tags}, '{}')) @> array[${sql.join(
          tags.map((tag) => sql`${tag}`),
          sql`, `,
        )}]::text[]`
      : undefined,
  )
  const asksVersion = [tags, languages, authors].some((one) => one?.length) || datedFrom || datedTo
  return and(
    mediaTypes?.length ? inArray(documents.mediaType, mediaTypes) : undefined,
    asksVersion ? exists(sql`(select 1 from ${documentVersions} where ${ofVersion})`) : undefined,
  )
}

/**
 * The one way to a row about a document. Every statement that reads documents, versions, pages or chunks joins `documents`
 * (unaliased) and carries this condition, so that what a person may not see is never counted, ranked or returned.
 */
export const visibleTo = (
  viewer: Pick<Viewer, 'workspaceId'>,
  collectionIds: readonly string[] = [],
  filter: DocumentFilter = {},
): SQL => {
  const condition = and(
    eq(documents.workspaceId, viewer.workspaceId),
    collectionIds.length > 0 ? inArray(documents.collectionId, [...collectionIds]) : undefined,
    matching(filter),
  )
  if (!condition) throw new Error('visibleTo made no condition')
  return condition
}
