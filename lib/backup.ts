/**
 * One file with everything: tables and files, of either kind of database, for either kind.
 *
 * Guarantees: a backup is of one moment, also while servers work; every part of it is named with its hash in a list that has a hash
 * itself, and a restore looks at all of them before it writes anything; a restore goes into an empty instance only, whole or not at
 * all, from this release or an older one; what was erased since the backup was made is erased again. Secrets of the installation
 * (AUTH_SECRET, DATA_DIR/secret) are not in it: whoever finds the file opens no provider's account with it.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { promisify } from 'node:util'
import { gunzip as gunzipCallback, gzip as gzipCallback } from 'node:zlib'
import { extract } from 'tar-stream'
import { z } from 'zod'
import { type Database, holdDatabase } from '#db/client.ts'
import { analyzeAll, dumpTables, getMigration, isEmpty, loadTables, settleRestored } from '#db/dump.ts'
import { knownMigrations, migrate } from '#db/migrate.ts'
import { type ArchivePart, writeArchive } from './archive.ts'
import { audit } from './audit.ts'
import { type ErasureLine, readErasureList, reapplyErasures } from './erasure.ts'
import { enqueue, openQueue } from './jobs.ts'
import { sealing } from './sealing.ts'
import { blobFilePath, deleteBlob, putBlob } from './storage.ts'

const gzip = promisify(gzipCallback)
const gunzip = promisify(gunzipCallback)

const format = 1
const manifestName = 'manifest.json'
const manifestHashName = 'manifest.sha256'
/** A list of a million files; a part is a few megabytes of rows, or one row. */
const manifestBytesMax = 512 * 1_048_576
const partBytesMax = 1_024 * 1_048_576
/** What a string can hold. */
const unpackedBytesMax = 500 * 1_048_576

const name = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/)
const manifestSchema = z.strictObject({
  format: z.literal(format),
  product: z.literal('footnote'),
  release: z.string().max(40),
  madeAt: z.iso.datetime(),
  mode: z.enum(['embedded', 'server']),
  /** When the newest migration of its schema was made. */
  migration: z.int(),
  tables: z.array(z.strictObject({ name, columns: z.array(name).min(1), rows: z.int().min(0) })),
  vectors: z.array(
    z.strictObject({
      model: z.string().min(1).max(300),
      dimensions: z.int().min(1).max(16_000),
      graph: z.strictObject({ m: z.int().min(2).max(100), efConstruction: z.int().min(4).max(1_000) }),
    }),
  ),
  /** Files that rows name and that were not there. */
  missing: z.array(z.uuid()),
  /** Opens under the secret of the installation that made it, and no other. */
  sealed: z.string().nullable(),
  parts: z.array(z.strictObject({ name: z.string().max(200), bytes: z.int().min(0), sha256: z.string().length(64) })),
})
export type BackupManifest = z.infer<typeof manifestSchema>

/** A backup that cannot be used, in words that name the part. */
export class BackupUnusable extends Error {
  override name = 'BackupUnusable'
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Something sealed with the installation's secret; null where there is none. */
const sealedProof = (): string | null => {
  try {
    return sealing().seal('footnote', 'backup')
  } catch {
    return null
  }
}
const opensHere = (sealed: string): boolean => {
  try {
    return sealing().open(sealed, 'backup') === 'footnote'
  } catch {
    return false
  }
}

/** What names a backup in the audit log: the hash of its list. */
const idOf = (manifest: BackupManifest): string => sha256(Buffer.from(JSON.stringify(manifest)))

type Progress = (words: string) => void

type BackupOptions = { release: string; progress?: Progress; now?: () => Date }

/** Writes a backup of the open database and its files to `path`, readable by its owner alone. */
export const writeBackup = (
  database: Database,
  path: string,
  { release, progress = () => undefined, now = () => new Date() }: BackupOptions,
): Promise<BackupManifest> =>
  writeArchive(path, async (archive) => {
    const parts: ArchivePart[] = []
    let told = ''
    const dump = await dumpTables(database, async (table, lines) => {
      if (table !== told) progress(`Table ${table}`)
      told = table
      const name = `tables/${table}/${String(parts.length).padStart(6, '0')}.jsonl.gz`
      parts.push(await archive.add(name, await gzip(lines, { level: 4 })))
    })
    if (dump.migration === null)
      throw new BackupUnusable('There is nothing to back up: this database was never started.')
    progress(`Files: ${dump.blobKeys.length}`)
    const missing: string[] = []
    for (const key of dump.blobKeys) {
      const part = await archive.addFile(`blobs/${key}`, blobFilePath(key))
      if (part) parts.push(part)
      else missing.push(key)
    }
    const manifest: BackupManifest = {
      format,
      product: 'footnote',
      release,
      madeAt: now().toISOString(),
      mode: database.mode,
      migration: dump.migration,
      tables: dump.tables,
      vectors: dump.vectors,
      missing,
      sealed: sealedProof(),
      parts,
    }
    const { sha256: hash } = await archive.add(manifestName, Buffer.from(JSON.stringify(manifest)))
    await archive.add(manifestHashName, Buffer.from(hash))
    return manifest
  })

/** Writes a backup and says so in the audit log. */
export const makeBackup = async (database: Database, path: string, options: BackupOptions): Promise<BackupManifest> => {
  const manifest = await writeBackup(database, path, options)
  const { tables, missing, parts } = manifest
  await database.db.transaction((tx) =>
    audit(tx, {
      actor: { userId: null, workspaceId: null },
      event: 'backup.made',
      objectId: idOf(manifest),
      details: { tables: tables.length, parts: parts.length, missing: missing.length },
    }),
  )
  return manifest
}

type Part = { name: string; bytes: AsyncIterable<Uint8Array> }

/** Hands over every part of the file in its order. What a visitor leaves unread is passed over. */
const eachPart = async (path: string, visit: (part: Part) => Promise<void>): Promise<void> => {
  const tar = extract()
  const source = createReadStream(path)
  source.on('error', (error) => tar.destroy(error))
  let last = ''
  try {
    source.pipe(tar as unknown as NodeJS.WritableStream)
    for await (const entry of tar) {
      last = entry.header.name
      if (entry.header.type !== 'file') throw new BackupUnusable(`${last} in the backup is no file.`)
      await visit({ name: last, bytes: entry as AsyncIterable<Uint8Array> })
      entry.resume()
    }
  } catch (error) {
    if (error instanceof BackupUnusable) throw error
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new BackupUnusable(`There is no file ${path}.`)
    throw error instanceof Error && /tar|unexpected end/i.test(error.message)
      ? new BackupUnusable(
          `The backup is damaged ${last ? `after ${last}` : 'at its start, or it is no backup'}: ${error.message}.`,
        )
      : error
  } finally {
    source.destroy()
    tar.destroy()
  }
}

const collect = async ({ name: partName, bytes }: Part, bytesMax: number): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.byteLength
    if (size > bytesMax) throw new BackupUnusable(`${partName} in the backup is larger than any that was written.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const readManifest = (bytes: Buffer): BackupManifest => {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new BackupUnusable(`${manifestName} in the backup cannot be read.`)
  }
  const newer = z.object({ product: z.literal('footnote'), format: z.number().gt(format) }).safeParse(json)
  if (newer.success)
    throw new BackupUnusable('This backup was made by a newer release of Footnote. Restore it with that release.')
  const parsed = manifestSchema.safeParse(json)
  if (!parsed.success) throw new BackupUnusable(`${manifestName} in the backup is not one of Footnote’s.`)
  return parsed.data
}

/**
 * Looks at the whole of a backup and writes nothing: every part is there once, with its length and hash. Throws `BackupUnusable`, which
 * names the part that is damaged, missing or too many.
 */
export const checkBackup = async (path: string): Promise<BackupManifest> => {
  const seen = new Map<string, { bytes: number; sha256: string }>()
  let manifest: BackupManifest | undefined
  let manifestHash: string | undefined
  await eachPart(path, async (part) => {
    if (seen.has(part.name)) throw new BackupUnusable(`${part.name} is in the backup twice.`)
    if (part.name === manifestName) {
      const bytes = await collect(part, manifestBytesMax)
      seen.set(part.name, { bytes: bytes.byteLength, sha256: sha256(bytes) })
      // Told by its own hash first: a flipped byte must not read as a backup of something else.
      manifestHash = sha256(bytes)
      try {
        manifest = readManifest(bytes)
      } catch (error) {
        if (error instanceof BackupUnusable && /newer release/.test(error.message)) throw error
      }
      return
    }
    if (part.name === manifestHashName) {
      const stated = (await collect(part, 1_000)).toString('utf8')
      if (stated !== manifestHash) throw new BackupUnusable(`${manifestName} in the backup is damaged.`)
      seen.set(part.name, { bytes: 64, sha256: '' })
      return
    }
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of part.bytes) {
      hash.update(chunk)
      bytes += chunk.byteLength
    }
    seen.set(part.name, { bytes, sha256: hash.digest('hex') })
  })
  if (manifestHash !== undefined && !manifest) throw new BackupUnusable(`${manifestName} in the backup is damaged.`)
  if (!manifest || !seen.has(manifestHashName))
    throw new BackupUnusable('The backup ends before its list of parts: it was cut off, or is no backup of Footnote.')
  for (const part of manifest.parts) {
    const found = seen.get(part.name)
    if (!found) throw new BackupUnusable(`${part.name} is missing from the backup.`)
    if (found.bytes !== part.bytes || found.sha256 !== part.sha256)
      throw new BackupUnusable(`${part.name} in the backup is damaged: its hash is not the one that was written down.`)
  }
  if (seen.size !== manifest.parts.length + 2)
    throw new BackupUnusable('The backup holds parts that its list does not name.')
  if (manifest.migration > Math.max(...knownMigrations()))
    throw new BackupUnusable(
      `This backup was made by a newer release of Footnote (${manifest.release}). Restore it with that release.`,
    )
  if (!knownMigrations().includes(manifest.migration))
    throw new BackupUnusable('This backup was made by a release of Footnote that this one does not follow on.')
  return manifest
}

const tablePart = /^tables\/([a-z][a-z0-9_]{0,62})\/\d+\.jsonl\.gz$/
const blobPart = /^blobs\/([0-9a-f-]{36})$/

const restoreBlobs = async (path: string, manifest: BackupManifest): Promise<string[]> => {
  const stated = new Map(manifest.parts.map((part) => [part.name, part]))
  const made: string[] = []
  try {
    await eachPart(path, async (part) => {
      const key = blobPart.exec(part.name)?.[1]
      const expected = stated.get(part.name)
      if (!key || !expected) return
      made.push(key)
      const stored = await putBlob(key, part.bytes, expected.bytes)
      if (stored.sha256 !== expected.sha256) throw new BackupUnusable(`${part.name} changed while it was read.`)
    })
    return made
  } catch (error) {
    await Promise.all(made.map(deleteBlob))
    throw error
  }
}

const restoreTables = async (database: Database, path: string, manifest: BackupManifest): Promise<void> => {
  const stated = new Map(manifest.parts.map((part) => [part.name, part]))
  const loaded = await loadTables(database, manifest.tables, (load) =>
    eachPart(path, async (part) => {
      const table = tablePart.exec(part.name)?.[1]
      if (!table) return
      const bytes = await collect(part, partBytesMax)
      if (sha256(bytes) !== stated.get(part.name)?.sha256)
        throw new BackupUnusable(`${part.name} changed while it was read.`)
      await load(table, (await gunzip(bytes, { maxOutputLength: unpackedBytesMax })).toString('utf8'))
    }),
  )
  for (const { name: table, rows } of manifest.tables)
    if ((loaded.get(table) ?? 0) !== rows)
      throw new BackupUnusable(
        `The backup has ${loaded.get(table) ?? 0} rows of ${table}, and says that it has ${rows}.`,
      )
}

export type Restored = {
  manifest: BackupManifest
  /** Erasures that were done again. */
  erasures: number
  /** Documents that are read anew, since they were being read. */
  waiting: number
  /** Whether keys of providers and second factors can be opened here. */
  sealedOpens: boolean
}

/**
 * Restores a backup into the empty instance that `open` opens at the backup's own schema, brings it to this release and makes it the
 * process's database. Beside the list in DATA_DIR, `erasures` are done again. Throws `BackupUnusable` before anything is written; rows
 * and files come whole or not at all, and only what is done with them afterwards can be left half done by a fault.
 */
export const restoreBackup = async (
  path: string,
  {
    open,
    erasures = [],
    progress = () => undefined,
  }: { open: (migration: number) => Promise<Database>; erasures?: readonly ErasureLine[]; progress?: Progress },
): Promise<Restored> => {
  progress('Checking every part')
  const manifest = await checkBackup(path)
  const database = await open(manifest.migration)
  try {
    if (!(await isEmpty(database.db)))
      throw new BackupUnusable(
        'There are people or workspaces here already. A backup is restored into an empty instance only.',
      )
    if ((await getMigration(database.db)) !== manifest.migration)
      throw new BackupUnusable(
        'The instance here is empty, but was started by a newer release than the backup’s. Restore into one that was never started: another DATA_DIR, or another database.',
      )
    progress(`Files: ${manifest.parts.filter((part) => blobPart.test(part.name)).length}`)
    const blobs = await restoreBlobs(path, manifest)
    progress('Tables')
    await restoreTables(database, path, manifest).catch(async (error: unknown) => {
      await Promise.all(blobs.map(deleteBlob))
      throw error
    })
    await migrate(database)
    progress('Indexes')
    const waiting = await settleRestored(database, manifest.vectors)
    await analyzeAll(database)
    holdDatabase(database)
    await openQueue()
    await database.db.transaction(async (tx) => {
      for (const versionId of waiting) await enqueue(tx, 'document.ingest', { versionId })
      await audit(tx, {
        actor: { userId: null, workspaceId: null },
        event: 'backup.restored',
        objectId: idOf(manifest),
        details: { release: manifest.release, madeAt: manifest.madeAt },
      })
    })
    progress('Erasures')
    const done = await reapplyErasures([...(await readErasureList()), ...erasures])
    return {
      manifest,
      erasures: done,
      waiting: waiting.length,
      sealedOpens: manifest.sealed === null || opensHere(manifest.sealed),
    }
  } catch (error) {
    await database.close()
    throw error
  }
}
