/**
 * Passages that read like orders to a model, and what an admin has released of them. Held is what scored at least the workspace's
 * `injection.quarantineFrom` and has no release by its content. The rule is read inside the statement, so no caller can forget it.
 */
import { and, asc, eq, type SQL, sql } from 'drizzle-orm'
import { defaultGatewaySettings } from '#lib/shared/gateway-settings.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import type { Executor, Tx } from '../client.ts'
import { auditLog, chunks, documents, gatewaySettings, passageReleases } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'

type Marked = { score: SQL; hash: SQL }

/**
 * True for a row of chunks that may go to no model. The threshold is rounded to the width of the stored score, or a score that is
 * exactly on it could slip below. A setting that is no number fails the statement: closed, not open.
 */
export const isHeld = (
  { workspaceId }: Pick<Viewer, 'workspaceId'>,
  { score, hash }: Marked = { score: sql`${chunks.injectionScore}`, hash: sql`${chunks.contentHash}` },
): SQL<boolean> => {
  const from = sql`coalesce((select (settings #>> '{injection,quarantineFrom}')::real from ${gatewaySettings} where workspace_id = ${workspaceId}), ${defaultGatewaySettings.injection.quarantineFrom}::real)`
  return sql<boolean>`(${score} > 0 and ${from} < 1 and ${score} >= ${from} and not exists (
    select from ${passageReleases} released where released.workspace_id = ${workspaceId} and released.content_hash = ${hash}))`
}

export type HeldPassage = {
  chunkId: number
  ordinal: number
  headingPath: string[]
  context: string
  text: string
  /** 1-based; null for formats without pages. */
  page: number | null
  score: number
  /** A reader of the original does not see it. */
  hidden: boolean
  contentHash: string
}

/** More than these are read by nobody at one sitting; releasing some shows the next. */
const heldMax = 50

/** The held passages of a document's published version, in its order. */
export const listHeldPassages = (db: Executor, viewer: Viewer, documentId: string): Promise<HeldPassage[]> =>
  db
    .select({
      chunkId: chunks.id,
      ordinal: chunks.ordinal,
      headingPath: chunks.headingPath,
      context: chunks.context,
      text: chunks.text,
      page: chunks.pageFrom,
      score: chunks.injectionScore,
      hidden: sql<boolean>`'hidden' = any(${chunks.flags})`,
      contentHash: chunks.contentHash,
    })
    .from(chunks)
    .innerJoin(documents, and(eq(documents.id, chunks.documentId), eq(documents.publishedVersionId, chunks.versionId)))
    .where(and(eq(documents.id, documentId), visibleTo(viewer), isHeld(viewer)))
    .orderBy(asc(chunks.ordinal))
    .limit(heldMax)

/**
 * Releases what a held passage of the document says, wherever it stands and after every new reading, with its line in the audit
 * log; false when the document has no such passage that is held.
 */
export const releasePassage = async (
  tx: Tx,
  viewer: Viewer,
  { documentId, contentHash }: { documentId: string; contentHash: string },
): Promise<boolean> => {
  const [held] = await tx
    .select({ score: chunks.injectionScore })
    .from(chunks)
    .innerJoin(documents, eq(documents.id, chunks.documentId))
    .where(and(eq(documents.id, documentId), eq(chunks.contentHash, contentHash), visibleTo(viewer), isHeld(viewer)))
    .limit(1)
  if (!held) return false
  const { workspaceId, userId } = viewer
  const released = await tx
    .insert(passageReleases)
    .values({ workspaceId, contentHash, releasedBy: userId })
    .onConflictDoNothing()
    .returning({ contentHash: passageReleases.contentHash })
  // Two admins at once: one of them released it, and one line says so.
  if (released.length === 0) return true
  await tx.insert(auditLog).values({
    workspaceId,
    actorId: userId,
    event: 'passage.released',
    objectId: documentId,
    details: { contentHash, score: held.score },
  })
  return true
}
