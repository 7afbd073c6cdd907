/** What a search depends on besides the question, in one short text: it changes in the transaction that changes any of it. */
import { sql } from 'drizzle-orm'
import type { Reader } from '#lib/shared/viewer.ts'
import { type Executor, rows } from '../client.ts'
import { documents, gatewaySettings, passageReleases } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'

/**
 * Names the documents that the viewer may read in these collections, each in its published version and its place, the passages that
 * were released, and the version of the workspace's rules. Two searches with the same fingerprint run over the same passages;
 * publishing, moving, deleting, releasing, another rule, and for this person a grant or an incident switch change it, for every process at once. Reads one row a document.
 */
export const indexFingerprint = async (
  db: Executor,
  viewer: Reader,
  collectionIds: readonly string[] = [],
): Promise<string> => {
  const [found] = await rows<{ documents: string; releases: string; rules: string }>(
    db,
    // Sums of 64-bit hashes: no order is needed, and ids that the server draws cannot be chosen to collide.
    sql`select
      (select count(*) || ' ' || coalesce(sum(hashtextextended(documents.id::text || documents.published_version_id::text || documents.collection_id::text, 0)), 0)
        from ${documents} where documents.published_version_id is not null and ${visibleTo(viewer, collectionIds)}) as documents,
      (select count(*) || ' ' || coalesce(sum(hashtextextended(content_hash, 0)), 0)
        from ${passageReleases} where workspace_id = ${viewer.workspaceId}) as releases,
      coalesce((select version::text from ${gatewaySettings} where workspace_id = ${viewer.workspaceId}), '0') as rules`,
  )
  if (!found) throw new Error('a statement without a row')
  return `${found.documents}/${found.releases}/${found.rules}`
}
