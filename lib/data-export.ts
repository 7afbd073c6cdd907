/**
 * Everything that is kept about a person, as one archive for them: a JSON file a table, and the files that they uploaded. Complete
 * against the inventory of tables (db/inventory.ts); without keys, and without what they may not read any more.
 *
 * It is written to a file first, so that a slow reader holds no connection and a fault is told instead of cutting the archive off. The
 * file goes when it was read, when nobody comes for it, and with the person.
 */
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { database } from '#db/client.ts'
import { inventory } from '#db/inventory.ts'
import { listReaders, listUploadedFiles, readPersonRows } from '#db/queries/data-export.ts'
import { writeArchive } from './archive.ts'
import { audit } from './audit.ts'
import { env } from './env.ts'
import { log } from './log.ts'
import { AppError } from './shared/errors.ts'
import { infectedFile, whyHeld } from './shared/held-file.ts'
import { newId } from './shared/ids.ts'
import type { Viewer } from './shared/viewer.ts'
import { blobFilePath, findLockedBlob } from './storage.ts'

const charsAtOnce = 4_000_000

const folder = (): string => join(env().dataDir, 'exports')

/** Names of files in the archive are made of ids; of a person's own name for it only letters that no system trips over are kept. */
const fileName = (name: string): string => name.replace(/[^\p{L}\p{N}._ ()-]/gu, '_').slice(-120)

type LeftOut = { documentId: string; version: number; name: string; why: string }

const about = (leftOut: readonly LeftOut[]): string =>
  JSON.stringify(
    {
      what: 'Everything that Footnote keeps about you. Each file in data/ is a table, files/ holds what you uploaded.',
      ...(leftOut.length > 0 ? { filesNotIncluded: leftOut } : {}),
      tables: Object.fromEntries(
        Object.entries(inventory).map(([name, { purpose, ofPerson }]) => [
          name,
          typeof ofPerson === 'string' ? { purpose, notIncluded: ofPerson } : { purpose, file: `data/${name}` },
        ]),
      ),
    },
    null,
    2,
  )

export type DataExport = { name: string; bytes: number; stream: ReadableStream<Uint8Array> }

/** Makes the archive of the viewer's own data. Throws `storage-full` when there is no room for it. */
export const exportData = async (viewer: Viewer): Promise<DataExport> => {
  const { userId, workspaceId } = viewer
  await mkdir(folder(), { recursive: true, mode: 0o700 })
  const path = join(folder(), `${workspaceId}_${userId}_${newId()}.tar`)
  try {
    const count = await writeExport(viewer, path)
    await database().db.transaction((tx) =>
      audit(tx, { actor: viewer, event: 'data.exported', objectId: userId, details: { ...count, what: 'own-data' } }),
    )
    const { size } = await stat(path)
    const file = createReadStream(path)
    file.once('close', () => {
      rm(path, { force: true }).catch((error: unknown) => log.warn({ err: error }, 'an export was not removed'))
    })
    const day = new Date().toISOString().slice(0, 10)
    return { name: `footnote-${day}.tar`, bytes: size, stream: Readable.toWeb(file) as ReadableStream<Uint8Array> }
  } catch (error) {
    await rm(path, { force: true })
    const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC'
    throw full ? new AppError('storage-full', { cause: error }) : error
  }
}

/** Locked by a later look of the virus scanner, or deleted since the rows were read. */
const whyMissing = async (blobKey: string): Promise<string> =>
  (await findLockedBlob(blobKey)) ? infectedFile().publicMessage : 'The file is not there any more.'

const writeExport = async ({ userId }: Viewer, path: string): Promise<{ rows: number; files: number }> =>
  writeArchive(path, async (archive) => {
    let rows = 0
    const uploaded = await database().db.transaction(
      async (tx) => {
        const person = { userId, readers: await listReaders(tx, userId) }
        const parts = new Map<string, { lines: string[]; chars: number; written: number }>()
        const flush = async (table: string): Promise<void> => {
          const part = parts.get(table)
          if (!part) return
          const name = part.written === 0 ? `data/${table}.json` : `data/${table}-${part.written + 1}.json`
          await archive.add(name, Buffer.from(`[\n${part.lines.join(',\n')}\n]\n`))
          parts.set(table, { lines: [], chars: 0, written: part.written + 1 })
        }
        let last = ''
        await readPersonRows(tx, person, async (table, lines) => {
          if (last && last !== table) await flush(last)
          last = table
          const part = parts.get(table) ?? { lines: [], chars: 0, written: 0 }
          part.lines.push(...lines)
          part.chars += lines.reduce((sum, line) => sum + line.length, 0)
          parts.set(table, part)
          rows += lines.length
          if (part.chars >= charsAtOnce) await flush(table)
        })
        if (last) await flush(last)
        return listUploadedFiles(tx, person)
      },
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
    )
    let files = 0
    const leftOut: LeftOut[] = []
    for (const file of uploaded) {
      const { documentId, number, name, blobKey } = file
      const path = `files/${documentId}/${number}-${fileName(name)}`
      const held = whyHeld(file)
      if (!held && (await archive.addFile(path, blobFilePath(blobKey)))) files += 1
      else leftOut.push({ documentId, version: number, name, why: held ?? (await whyMissing(blobKey)) })
    }
    await archive.add('about.json', Buffer.from(about(leftOut)))
    return { rows, files }
  })

/** Removes archives that nobody came for: of a workspace those made before, or all of a person. Returns how many. */
export const deleteExports = async (
  which: { workspaceId: string; before: Date } | { userId: string },
): Promise<number> => {
  const names = await readdir(folder()).catch(() => [])
  let gone = 0
  for (const name of names) {
    const path = join(folder(), name)
    const old = async (before: Date): Promise<boolean> =>
      ((await stat(path).catch(() => null))?.mtime ?? before) < before
    const meant =
      'userId' in which
        ? name.includes(`_${which.userId}_`)
        : name.startsWith(`${which.workspaceId}_`) && (await old(which.before))
    if (!meant) continue
    await rm(path, { force: true })
    gone += 1
  }
  return gone
}
