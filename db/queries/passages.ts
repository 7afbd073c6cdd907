/**
 * The passages of a document's published version as an admin reads them: held ones too, marked. Nothing here goes to a model.
 * Every statement carries `visibleTo`.
 */
import { and, asc, between, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { ShownPassage } from '#lib/shared/knowledge-contract.ts'
import type { Reader } from '#lib/shared/viewer.ts'
import type { Executor } from '../client.ts'
import { chunks, documents } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'
import { isHeld } from './passage-releases.ts'

/** Of the version that answers questions. */
const published = and(eq(documents.id, chunks.documentId), eq(documents.publishedVersionId, chunks.versionId))

/** `count` passages of the version from ordinal `from`, in order; none when another version answers meanwhile. */
export const listPassages = async (
  db: Executor,
  viewer: Reader,
  { versionId, from, count }: { versionId: string; from: number; count: number },
): Promise<ShownPassage[]> => {
  const rows = await db
    .select({
      chunkId: chunks.id,
      ordinal: chunks.ordinal,
      start: chunks.charStart,
      end: chunks.charEnd,
      headingPath: chunks.headingPath,
      context: chunks.context,
      text: chunks.text,
      page: chunks.pageFrom,
      pageTo: chunks.pageTo,
      tokens: chunks.tokens,
      language: chunks.language,
      flags: chunks.flags,
      injectionScore: chunks.injectionScore,
      contentHash: chunks.contentHash,
      held: isHeld(viewer),
    })
    .from(chunks)
    .innerJoin(documents, published)
    .where(and(visibleTo(viewer), eq(chunks.versionId, versionId), between(chunks.ordinal, from, from + count - 1)))
    .orderBy(asc(chunks.ordinal))
  return rows.map(({ chunkId, ...row }) => ({ ...row, chunkId: String(chunkId) }))
}

/** A person's words as a pattern of LIKE that finds exactly them. */
const holding = (words: string): SQL =>
  sql`${chunks.text} ilike ${`%${words.replace(/[\\%_]/g, (special) => `\\${special}`)}%`}`

/** Ordinals of the version's passages that hold `words`, in any case, in order. */
export const findPassages = async (
  db: Executor,
  viewer: Reader,
  { versionId, words, limit }: { versionId: string; words: string; limit: number },
): Promise<number[]> => {
  const rows = await db
    .select({ ordinal: chunks.ordinal })
    .from(chunks)
    .innerJoin(documents, published)
    .where(and(visibleTo(viewer), eq(chunks.versionId, versionId), holding(words)))
    .orderBy(asc(chunks.ordinal))
    .limit(limit)
  return rows.map(({ ordinal }) => ordinal)
}

/** Where the passages of a version begin, in order; empty when the viewer may not read its document. */
export const listPassageStarts = async (db: Executor, viewer: Reader, versionId: string): Promise<number[]> => {
  const rows = await db
    .select({ start: chunks.charStart })
    .from(chunks)
    .innerJoin(documents, eq(documents.id, chunks.documentId))
    .where(and(visibleTo(viewer), eq(chunks.versionId, versionId)))
    .orderBy(asc(chunks.ordinal))
  return rows.map(({ start }) => start)
}

export type PassageWords = { chunkId: string; documentId: string; text: string }

/** The whole words of passages that a search named, by their ids, in no order. */
export const getPassageWords = async (
  db: Executor,
  viewer: Reader,
  chunkIds: readonly string[],
): Promise<PassageWords[]> => {
  if (chunkIds.length === 0) return []
  const rows = await db
    .select({ chunkId: chunks.id, documentId: chunks.documentId, text: chunks.text })
    .from(chunks)
    .innerJoin(documents, published)
    .where(and(visibleTo(viewer), inArray(chunks.id, chunkIds.map(Number))))
  return rows.map(({ chunkId, ...row }) => ({ ...row, chunkId: String(chunkId) }))
}
