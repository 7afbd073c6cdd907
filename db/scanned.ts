/** Which files may be handed out where a virus scanner is set: what `ingestion/virus-scan.ts` is for those that are read. */
import { type SQL, sql } from 'drizzle-orm'
import { env } from '#lib/env.ts'
import type { IngestFailureCode } from '#lib/shared/admin-contract.ts'
import { documentVersions } from './schema/index.ts'

/** Ends of an attempt that say nothing for the file: it did not pass, or nobody knows whether it was scanned. */
const unscannedFailures: readonly IngestFailureCode[] = ['infected', 'not-scanned', 'too-large-to-scan', 'internal']

/**
 * Whether the bytes of a row of `document_versions` have passed the scanner; always where none is set (CLAMD_ADDRESS). The stage of the
 * row alone does not say it: an attempt begins before its scan, and a file that is read anew begins again. A file has passed when some
 * version of it was read, since none is before. What was read before there was a scanner counts as well.
 */
export const isScanned = (): SQL<boolean> =>
  env().clamdAddress === undefined
    ? sql<boolean>`true`
    : sql<boolean>`(${documentVersions.stage} = 'ready' or exists (select from document_versions s
        where s.document_id = ${documentVersions.documentId} and s.blob_key = ${documentVersions.blobKey}
          and (s.text is not null or s.picture_pages is not null
            or s.stage = 'failed' and s.failure_code not in (${sql.join(
              unscannedFailures.map((code) => sql`${code}`),
              sql`, `,
            )}))))`
