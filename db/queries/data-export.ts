/** A person's own data, table by table, as the inventory says which rows are theirs and which columns they take along. */
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { FileState } from '#lib/shared/held-file.ts'
import { type Executor, rows, type Tx } from '../client.ts'
import { exportedTo, inventory } from '../inventory.ts'
import { isScanned } from '../scanned.ts'
import { documents, documentVersions, memberships } from '../schema/index.ts'
import { visibleTo } from '../visibility.ts'

const rowsAtOnce = 500

/** Documents that the person may read now, in any of their workspaces: of others not even a name is handed out. */
const readable = (readers: readonly { workspaceId: string; userId: string }[]): SQL =>
  readers.length === 0
    ? sql`(select null::uuid where false)`
    : sql`(select ${documents.id} from ${documents} where ${sql.join(
        readers.map((reader) => sql`(${visibleTo(reader)})`),
        sql` or `,
      )})`

/** By which column a table's rows speak of a document. */
const ofDocument: Readonly<Record<string, string>> = {
  documents: 'id',
  document_versions: 'document_id',
  citations: 'document_id',
}

type Reader = { workspaceId: string; userId: string }

export const listReaders = (db: Executor, userId: string): Promise<Reader[]> =>
  db
    .select({ workspaceId: memberships.workspaceId, userId: memberships.userId })
    .from(memberships)
    .where(eq(memberships.userId, userId))

/** Hands over the person's rows, some hundred at a time, as JSON texts; a table without any is handed over once, empty. */
export const readPersonRows = async (
  tx: Tx,
  { userId, readers }: { userId: string; readers: readonly Reader[] },
  sink: (table: string, lines: string[]) => Promise<void>,
): Promise<void> => {
  for (const [table, entry] of Object.entries(inventory)) {
    if (typeof entry.ofPerson === 'string') continue
    const person = sql`${userId}::uuid`
    const columns = exportedTo(entry, person)
    const column = ofDocument[table]
    const among = column ? sql` and ${sql.identifier(column)} in ${readable(readers)}` : sql``
    // A statement with parameters cannot be declared as a cursor on every driver: pages by place instead, of one snapshot.
    for (let offset = 0; ; offset += rowsAtOnce) {
      const some = await rows<{ line: string }>(
        tx,
        sql`select row_to_json(t)::text as line from (
          select ${columns} from ${sql.identifier(table)} where (${entry.ofPerson(person)})${among}
          order by ctid limit ${rowsAtOnce} offset ${offset}) t`,
      )
      if (some.length > 0 || offset === 0)
        await sink(
          table,
          some.map(({ line }) => line),
        )
      if (some.length < rowsAtOnce) break
    }
  }
}

export type UploadedFile = FileState & { documentId: string; number: number; name: string; blobKey: string }

/** The files that the person uploaded and may still read; whether they are handed out is for `whyHeld` to say. */
export const listUploadedFiles = async (
  db: Executor,
  { userId, readers }: { userId: string; readers: readonly Reader[] },
): Promise<UploadedFile[]> => {
  const found: UploadedFile[] = []
  for (const reader of readers)
    found.push(
      ...(await db
        .select({
          documentId: documents.id,
          number: documentVersions.number,
          name: documents.name,
          blobKey: documentVersions.blobKey,
          stage: documentVersions.stage,
          failureCode: documentVersions.failureCode,
          isScanned: isScanned(),
        })
        .from(documents)
        .innerJoin(documentVersions, eq(documentVersions.documentId, documents.id))
        // A file that was read anew is the same file.
        .where(and(eq(documents.createdBy, userId), eq(documentVersions.cause, 'upload'), visibleTo(reader)))
        .orderBy(documents.id, documentVersions.number)),
    )
  return found
}
