/** Documents as they are cut, and what searches can be narrowed to. Every statement carries `visibleTo`; none writes. */
import { and, asc, eq, isNotNull, sql } from 'drizzle-orm'
import type { FilterChoices, PassageDocument } from '#lib/shared/knowledge-contract.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { chunks, collections, documents, documentVersions } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import type { Reader } from './reader.ts'

/** The published version of a document with its cutting in figures; undefined when there is none that the viewer may see. */
export const getPassageDocument = async (
  db: Reader,
  viewer: Viewer,
  documentId: string,
): Promise<PassageDocument | undefined> => {
  const [found] = await db
    .select({
      documentId: documents.id,
      name: documents.name,
      title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
      collection: collections.name,
      mediaType: documents.mediaType,
      versionId: documentVersions.id,
      version: documentVersions.number,
      newerVersion: sql<boolean>`${documents.latestVersionId} <> ${documentVersions.id}`,
      pages: documentVersions.pages,
      language: documentVersions.language,
      chunker: documentVersions.chunker,
    })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.publishedVersionId))
    .innerJoin(collections, eq(collections.id, documents.collectionId))
    .where(and(visibleTo(viewer), eq(documents.id, documentId)))
  if (!found) return undefined
  const [figures] = await db
    .select({
      passages: sql<number>`count(*)::int`,
      meanTokens: sql<number>`coalesce(avg(${chunks.tokens}), 0)::float8`,
      maxTokens: sql<number>`coalesce(max(${chunks.tokens}), 0)::int`,
    })
    .from(chunks)
    .innerJoin(documents, eq(documents.id, chunks.documentId))
    .where(and(visibleTo(viewer), eq(chunks.versionId, found.versionId)))
  return { ...found, figures: figures ?? { passages: 0, meanTokens: 0, maxTokens: 0 } }
}

/** The ordinal of a passage within the published version of `documentId`; undefined when it is not of it, or not to be seen. */
export const getPassageOrdinal = async (
  db: Reader,
  viewer: Viewer,
  { documentId, chunkId }: { documentId: string; chunkId: number },
): Promise<number | undefined> => {
  const [found] = await db
    .select({ ordinal: chunks.ordinal })
    .from(chunks)
    .innerJoin(documents, and(eq(documents.id, chunks.documentId), eq(documents.publishedVersionId, chunks.versionId)))
    .where(and(visibleTo(viewer), eq(documents.id, documentId), eq(chunks.id, chunkId)))
  return found?.ordinal
}

/** More of a kind than a list can offer are left out. */
const choicesMax = 200

/** What the documents that the viewer may see say of themselves, each list in order. */
export const listFilterChoices = async (db: Reader, viewer: Viewer): Promise<FilterChoices> => {
  const version = eq(documentVersions.id, documents.publishedVersionId)
  const distinct = async (value: ReturnType<typeof sql<string>>): Promise<string[]> => {
    const rows = await db
      .selectDistinct({ value })
      .from(documents)
      .innerJoin(documentVersions, version)
      .where(and(visibleTo(viewer), isNotNull(value)))
      .orderBy(asc(value))
      .limit(choicesMax)
    return rows.map((row) => row.value)
  }
  const tags = async (): Promise<string[]> => {
    const rows = await db
      .select({ tags: sql<string[]>`${documents.tags} || coalesce(${documentVersions.tags}, '{}')` })
      .from(documents)
      .innerJoin(documentVersions, version)
      .where(visibleTo(viewer))
    return [...new Set(rows.flatMap((row) => row.tags))].sort().slice(0, choicesMax)
  }
  const [languages, mediaTypes, authors, allTags] = await Promise.all([
    distinct(sql<string>`${documentVersions.language}`),
    distinct(sql<string>`${documents.mediaType}`),
    distinct(sql<string>`${documentVersions.author}`),
    tags(),
  ])
  return { languages, mediaTypes, authors, tags: allTags }
}
