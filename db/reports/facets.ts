/** What the documents that somebody may ask can be told apart by. Every statement carries `visibleTo`; none writes. */
import { and, isNotNull, sql } from 'drizzle-orm'
import type { ScopeFacets } from '#lib/shared/chat-contract.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { documents, documentVersions } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import type { Reader } from './reader.ts'

/** Values of one kind; the rarest beyond are left out. */
const valuesMax = 100

/**
 * Types, languages and tags of the published documents that the viewer may see, each with how many have it, most first, and the first
 * and last day that one is dated. A tag counts once a document, whether a person gave it or it was extracted.
 */
export const listFacets = async (db: Reader, viewer: Viewer): Promise<ScopeFacets> => {
  const counted = sql`(with seen as (
      select ${documents.mediaType} as media_type, ${documentVersions.language} as language,
        ${documentVersions.dated}::text as dated, ${documents.tags} || coalesce(${documentVersions.tags}, '{}') as tags
      from ${documents} join ${documentVersions} on ${documentVersions.id} = ${documents.publishedVersionId}
      where ${visibleTo(viewer)}
    ), counted as (
      select 'mediaTypes' as facet, media_type as value, count(*)::int as count from seen group by media_type
      union all
      select 'languages', language, count(*)::int from seen where language is not null group by language
      union all
      select 'tags', tag, count(*)::int
        from seen cross join lateral (select distinct unnest(seen.tags) as tag) each group by tag
      union all
      select 'from', min(dated), count(*)::int from seen having min(dated) is not null
      union all
      select 'to', max(dated), count(*)::int from seen having max(dated) is not null
    ), ranked as (
      select *, row_number() over (partition by facet order by count desc, value) as place from counted
    )
    select facet, value, count, place from ranked where place <= ${valuesMax}) facets`
  const found = await db
    .select({
      facet: sql<'mediaTypes' | 'languages' | 'tags' | 'from' | 'to'>`facet`,
      value: sql<string>`value`,
      count: sql<number>`count`,
    })
    .from(counted)
    .orderBy(sql`facet, place`)
  const of = (facet: (typeof found)[number]['facet']) =>
    found.flatMap((one) => (one.facet === facet ? [{ value: one.value, count: one.count }] : []))
  return {
    mediaTypes: of('mediaTypes'),
    languages: of('languages'),
    tags: of('tags'),
    dated: { from: of('from')[0]?.value ?? null, to: of('to')[0]?.value ?? null },
  }
}

/** How many documents a search of the viewer's within these bounds looks into. */
export const countInScope = async (
  db: Reader,
  viewer: Viewer,
  { collectionIds, filter }: { collectionIds: readonly string[]; filter: DocumentFilter },
): Promise<number> => {
  const [counted] = await db
    .select({ documents: sql<number>`count(*)::int` })
    .from(documents)
    .where(and(visibleTo(viewer, collectionIds, filter), isNotNull(documents.publishedVersionId)))
  return counted?.documents ?? 0
}
