/** Documents as the screens show them. Every statement carries `visibleTo` or `collectionOpenTo`; none writes. */
import { and, asc, desc, eq, type GetColumnData, inArray, isNotNull, type SQL, sql } from 'drizzle-orm'
import { type AnyPgColumn, alias } from 'drizzle-orm/pg-core'
import { type DocumentRow, ingestFailures, type Stage } from '#lib/shared/admin-contract.ts'
import { type FileState, whyHeld } from '#lib/shared/held-file.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { isScanned } from '../scanned.ts'
import { auditLog, chunks, citations, collections, documents, documentVersions, sources } from '../schema/index.ts'
import { changeableBy, collectionOpenTo, visibleTo } from '../visibility.ts'
import type { Reader } from './reader.ts'

const progressUnit: Partial<Record<Stage, 'pages' | 'passages'>> = {
  parsing: 'pages',
  recognising: 'pages',
  embedding: 'passages',
}

/** The version that answers: what it says of itself stands while a newer one is still being read. */
const published = alias(documentVersions, 'published')

const rowFields = {
  id: documents.id,
  name: documents.name,
  collectionId: collections.id,
  collection: collections.name,
  mediaType: documents.mediaType,
  bytes: documentVersions.bytes,
  stage: documentVersions.stage,
  progressDone: documentVersions.progressDone,
  progressTotal: documentVersions.progressTotal,
  failureCode: documentVersions.failureCode,
  publishedVersionId: documents.publishedVersionId,
  versionId: documentVersions.id,
  number: documentVersions.number,
  pages: documentVersions.pages,
  chunks: documentVersions.chunks,
  chunksReused: documentVersions.chunksReused,
  summary: documentVersions.summary,
  describedTags: documentVersions.tags,
  cause: documentVersions.cause,
  language: sql<string | null>`coalesce(${published.language}, ${documentVersions.language})`,
  author: sql<string | null>`coalesce(${published.author}, ${documentVersions.author})`,
  dated: sql<string | null>`coalesce(${published.dated}, ${documentVersions.dated})`,
  tags: documents.tags,
  publishedTags: sql<string[] | null>`${published.tags}`,
  sourceId: sql<string | null>`${sources.id}`,
  sourceName: sql<string | null>`${sources.name}`,
  sourceUri: documents.sourceUri,
  parentId: documents.parentId,
  describedDone: documentVersions.describedDone,
  describedTotal: documentVersions.describedTotal,
  /** In ISO 8601, to the microsecond. */
  updatedAt: sql<string>`${documents.updatedAt}`,
}

type RowFields = typeof rowFields
type FoundRow = {
  [Name in keyof RowFields]: RowFields[Name] extends SQL<infer Value>
    ? Value
    : RowFields[Name] extends AnyPgColumn
      ? GetColumnData<RowFields[Name]>
      : never
}

/** A row travels as one value: the whole list is shown, and 31 values of each document took longer to read than to find. */
const rowAsJson = sql<FoundRow>`json_build_object(${sql.join(
  Object.entries(rowFields).map(([name, field]) => sql`${name}::text, ${field}`),
  sql`, `,
)})`

const selectRows = async (db: Reader, condition: SQL | undefined): Promise<UncitedRow[]> => {
  const found = await db
    .select({ row: rowAsJson, isScanned: isScanned() })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.latestVersionId))
    .innerJoin(collections, eq(collections.id, documents.collectionId))
    .leftJoin(published, eq(published.id, documents.publishedVersionId))
    .leftJoin(sources, and(eq(sources.id, documents.sourceId), eq(sources.workspaceId, documents.workspaceId)))
    .where(condition)
    .orderBy(desc(documents.updatedAt), asc(documents.name))
  return found.map((one) => toRow(one.row, one.isScanned))
}

type UncitedRow = Omit<DocumentRow, 'citedBy'>

const toRow = (found: FoundRow, isScanned: boolean): UncitedRow => {
  const unit = progressUnit[found.stage]
  return {
    id: found.id,
    name: found.name,
    collection: { id: found.collectionId, name: found.collection },
    mediaType: found.mediaType,
    bytes: found.bytes,
    stage: found.stage,
    progress: unit && found.progressTotal > 0 ? { done: found.progressDone, total: found.progressTotal, unit } : null,
    failure: found.failureCode ? { code: found.failureCode, ...ingestFailures[found.failureCode] } : null,
    fileHeld: whyHeld({ ...found, isScanned }),
    earlierVersionServes: found.publishedVersionId !== null && found.publishedVersionId !== found.versionId,
    version: found.number,
    versionId: found.versionId,
    cause: found.cause,
    language: found.language,
    author: found.author,
    dated: found.dated,
    tags: found.tags,
    extractedTags: found.publishedTags ?? found.describedTags ?? [],
    source:
      found.sourceId === null || found.sourceName === null
        ? null
        : { id: found.sourceId, name: found.sourceName, uri: found.sourceUri },
    parentId: found.parentId,
    pages: found.pages,
    chunks: found.chunks,
    chunksReused: found.chunksReused,
    description: found.summary === null ? null : { summary: found.summary, tags: found.describedTags ?? [] },
    describing: found.describedTotal === null ? null : { done: found.describedDone ?? 0, total: found.describedTotal },
    changedAt: new Date(found.updatedAt).toISOString(),
  }
}

/** All documents that the viewer may see, last changed first, each with the state of its newest version. */
export const listDocuments = (db: Reader, viewer: Viewer): Promise<UncitedRow[]> => selectRows(db, visibleTo(viewer))

/** Of these, those that the viewer may change. */
export const listChangeableDocuments = (db: Reader, viewer: Viewer): Promise<UncitedRow[]> =>
  selectRows(db, changeableBy(viewer))

/** With how many answers cite each; apart from the rest, for the role that reads documents reads no conversations. */
export const withCitedBy = async (
  db: Reader,
  viewer: Viewer,
  listed: readonly UncitedRow[],
  documentId?: string,
): Promise<DocumentRow[]> => {
  const counted = await db
    .select({ id: documents.id, answers: sql<number>`count(distinct ${citations.messageId})::int` })
    .from(citations)
    .innerJoin(documents, eq(documents.id, citations.documentId))
    .where(and(visibleTo(viewer), documentId ? eq(documents.id, documentId) : undefined))
    .groupBy(documents.id)
  const answers = new Map(counted.map((one) => [one.id, one.answers]))
  return listed.map((row) => ({ ...row, citedBy: answers.get(row.id) ?? 0 }))
}

/**
 * With the name of the virus in the words of each in whose file one was found. It stands in the audit log alone, which the role that
 * reads documents does not read; for whoever may change them.
 */
export const withViruses = async (
  db: Reader,
  { workspaceId }: Viewer,
  listed: readonly DocumentRow[],
): Promise<DocumentRow[]> => {
  const infected = listed.filter(({ failure }) => failure?.code === 'infected')
  if (infected.length === 0) return [...listed]
  const found = await db
    .select({
      versionId: sql<string>`${auditLog.details} ->> 'versionId'`,
      virus: sql<string>`${auditLog.details} ->> 'virus'`,
    })
    .from(auditLog)
    .where(
      and(
        eq(auditLog.workspaceId, workspaceId),
        eq(auditLog.event, 'document.infected'),
        inArray(
          auditLog.objectId,
          infected.map(({ id }) => id),
        ),
      ),
    )
    .orderBy(asc(auditLog.id))
  // A file that was scanned again has the name of the last time.
  const viruses = new Map(found.map(({ versionId, virus }) => [versionId, virus]))
  return listed.map((row) => {
    const virus = row.failure?.code === 'infected' && viruses.get(row.versionId)
    return row.failure && virus
      ? { ...row, failure: { ...row.failure, reason: `A virus was found in the file: ${virus}` } }
      : row
  })
}

export const getDocumentRow = async (
  db: Reader,
  viewer: Viewer,
  documentId: string,
): Promise<DocumentRow | undefined> => {
  const found = await selectRows(db, and(visibleTo(viewer), eq(documents.id, documentId)))
  const [row] = await withCitedBy(db, viewer, found, documentId)
  return row
}

export type CollectionRow = { id: string; name: string; documents: number }

/** The collections that the viewer reads, by name, with how many documents in each can answer questions. */
export const listCollections = (db: Reader, viewer: Viewer): Promise<CollectionRow[]> =>
  db
    .select({
      id: collections.id,
      name: collections.name,
      documents: sql<number>`count(${documents.publishedVersionId})::int`,
    })
    .from(collections)
    .leftJoin(documents, and(eq(documents.collectionId, collections.id), visibleTo(viewer)))
    .where(collectionOpenTo(viewer))
    .groupBy(collections.id, collections.name)
    .orderBy(asc(collections.name))

export type ChangeableCollection = { id: string; name: string; mayDelete: boolean }

/** The collections that the viewer may add to, by name, and whether what is in them is theirs to delete. */
export const listChangeableCollections = (db: Reader, viewer: Viewer): Promise<ChangeableCollection[]> =>
  db
    .select({
      id: collections.id,
      name: collections.name,
      mayDelete: sql<boolean>`(${collectionOpenTo(viewer, 'manage')})`,
    })
    .from(collections)
    .where(collectionOpenTo(viewer, 'contribute'))
    .orderBy(asc(collections.name))

/** Documents that answer questions, last changed first, each with a heading from its middle to ask about; of these collections, none: of all. */
export const listDocumentHeadings = (
  db: Reader,
  viewer: Viewer,
  collectionIds: readonly string[] = [],
): Promise<{ name: string; title: string; heading: string | null }[]> =>
  db
    .select({
      name: documents.name,
      title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
      heading: sql<string | null>`(select ${chunks.headingPath}[cardinality(${chunks.headingPath})] from ${chunks}
        where ${chunks.versionId} = ${documentVersions.id} and cardinality(${chunks.headingPath}) > 0
        order by abs(${chunks.ordinal} - ${documentVersions.chunks} / 2) limit 1)`,
    })
    .from(documents)
    .innerJoin(documentVersions, eq(documentVersions.id, documents.publishedVersionId))
    .where(visibleTo(viewer, collectionIds))
    .orderBy(desc(documents.updatedAt))
    .limit(20)

export type VersionFile = FileState & { name: string; blobKey: string; contentHash: string }

/** Where the bytes of a version lie, when the viewer may read its document; whether they are handed out `assertHandedOut` says. */
export const getVersionFile = async (
  db: Reader,
  viewer: Viewer,
  versionId: string,
): Promise<VersionFile | undefined> => {
  const [found] = await db
    .select({
      name: documents.name,
      blobKey: documentVersions.blobKey,
      contentHash: documentVersions.contentHash,
      stage: documentVersions.stage,
      failureCode: documentVersions.failureCode,
      isScanned: isScanned(),
    })
    .from(documentVersions)
    .innerJoin(documents, and(eq(documents.id, documentVersions.documentId), visibleTo(viewer)))
    .where(eq(documentVersions.id, versionId))
  return found
}

export type VersionText = {
  title: string
  name: string
  mediaType: string
  text: string
  pages: number | null
  collection: string
  changedAt: string
}

/** The extracted text of a version, when the viewer may read its document and it has been read. */
export const getVersionText = async (
  db: Reader,
  viewer: Viewer,
  versionId: string,
): Promise<VersionText | undefined> => {
  const [found] = await db
    .select({
      title: sql<string>`coalesce(nullif(${documentVersions.title}, ''), ${documents.name})`,
      name: documents.name,
      mediaType: documents.mediaType,
      text: sql<string>`${documentVersions.text}`,
      pages: documentVersions.pages,
      collection: collections.name,
      createdAt: documentVersions.createdAt,
    })
    .from(documentVersions)
    .innerJoin(documents, and(eq(documents.id, documentVersions.documentId), visibleTo(viewer)))
    .innerJoin(collections, eq(collections.id, documents.collectionId))
    .where(and(eq(documentVersions.id, versionId), isNotNull(documentVersions.text)))
  if (!found) return undefined
  const { createdAt, ...rest } = found
  return { ...rest, changedAt: createdAt.toISOString() }
}
