/** `backup` and `restore`: everything in one file, and back into an empty instance. While no server owns the embedded database. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { openEmbeddedDatabase, openServerDatabase } from '#db/open.ts'
import { BackupUnusable, makeBackup, restoreBackup } from '#lib/backup.ts'
import { env } from '#lib/env.ts'
import { readErasureList } from '#lib/erasure.ts'
import { Refused, WrongUse } from './connect.ts'
import { closeProduct, openProduct } from './product.ts'

export type BackupOptions = { json?: boolean }
export type RestoreOptions = BackupOptions & { erasures?: string }

const say = (words: string): void => {
  process.stderr.write(`${words}\n`)
}
const print = (json: boolean | undefined, object: Record<string, unknown>, words: string): void => {
  process.stdout.write(`${json ? JSON.stringify(object) : words}\n`)
}
const releaseOf = (): string => (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version

export const backup = async (file: string, { json }: BackupOptions): Promise<number> => {
  const path = resolve(file)
  if (existsSync(path)) throw new WrongUse(`there is a file ${path} already: name a new one`)
  const database = await openProduct()
  try {
    const manifest = await makeBackup(database, path, { release: releaseOf(), progress: say })
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
    const files = manifest.parts.filter(({ name }) => name.startsWith('blobs/')).length
    if (manifest.missing.length > 0)
      say(`${manifest.missing.length} files of documents were not there and are not in it.`)
    print(
      json,
      { file: path, rows, files, missing: manifest.missing.length, madeAt: manifest.madeAt },
      [
        `${path}: ${rows} rows and ${files} files.`,
        `It opens no provider’s key and no second factor: keep ${env().authSecret ? 'AUTH_SECRET' : `${env().dataDir}/secret`} in another safe place.`,
      ].join('\n'),
    )
    return 0
  } finally {
    await closeProduct()
  }
}

export const restore = async (file: string, { json, erasures }: RestoreOptions): Promise<number> => {
  const path = resolve(file)
  if (erasures !== undefined && !existsSync(erasures)) throw new WrongUse(`there is no file ${erasures}`)
  const { databaseUrl, dataDir } = env()
  try {
    const done = await restoreBackup(path, {
      open: (migration) =>
        databaseUrl ? openServerDatabase(databaseUrl, migration) : openEmbeddedDatabase(dataDir, migration),
      erasures: erasures ? await readErasureList(erasures) : [],
      progress: say,
    })
    await closeProduct()
    const rows = done.manifest.tables.reduce((sum, table) => sum + table.rows, 0)
    if (!done.sealedOpens)
      say(
        'Keys of providers and second factors were sealed with another secret. Put the AUTH_SECRET, or the file DATA_DIR/secret, of the instance that made the backup in place before you start, or enter them anew.',
      )
    print(
      json,
      {
        rows,
        erasures: done.erasures,
        waiting: done.waiting,
        sealedOpens: done.sealedOpens,
        madeAt: done.manifest.madeAt,
      },
      `Restored ${rows} rows of ${done.manifest.madeAt}. ${done.erasures} erasures were done again, ${done.waiting} documents are read when Footnote starts.`,
    )
    return 0
  } catch (error) {
    throw error instanceof BackupUnusable ? new Refused({ code: 'backup', message: error.message }) : error
  }
}
