/**
 * Blobs: the bytes of uploaded files, under names made from generated ids only, so that no user's string reaches the file system.
 * Writes go to a temporary file that is renamed when whole; a crash leaves no half blob.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { env } from './env.ts'
import { AppError } from './shared/errors.ts'
import { infectedFile } from './shared/held-file.ts'

const keyPattern = /^[0-9a-f-]{36}$/

const blobPath = (key: string): string => {
  if (!keyPattern.test(key)) throw new AppError('not-found', { context: { key } })
  return join(env().dataDir, 'blobs', key.slice(-2), key)
}

export type StoredBlob = { bytes: number; sha256: string }

/** Streams `source` into the blob `key` (a uuid); refuses as soon as more than `bytesMax` arrived. Resolves when it is whole on disk. */
export const putBlob = async (
  key: string,
  source: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<StoredBlob> => {
  const target = blobPath(key)
  const temporary = `${target}.part`
  await mkdir(dirname(target), { recursive: true })
  const hash = createHash('sha256')
  let bytes = 0
  const counted = async function* () {
    for await (const chunk of source) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) throw new AppError('file-too-large')
      hash.update(chunk)
      yield chunk
    }
  }
  const file = createWriteStream(temporary)
  try {
    await pipeline(Readable.from(counted()), file)
    await rename(temporary, target)
  } catch (error) {
    // A source that fails at once ends before the file is opened, which would make it after it was removed.
    if (!file.destroyed) file.destroy()
    if (!file.closed) await once(file, 'close').catch(() => undefined)
    await rm(temporary, { force: true })
    const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC'
    throw full ? new AppError('storage-full', { cause: error }) : error
  }
  return { bytes, sha256: hash.digest('hex') }
}

export const blobFilePath = (key: string): string => blobPath(key)

/** The blob as a web stream with its size. Throws `not-found` when it is gone, `conflict` when it is locked away. */
export const streamBlob = async (key: string): Promise<{ stream: ReadableStream<Uint8Array>; bytes: number }> => {
  const path = blobPath(key)
  const info = await stat(path).catch(async (cause: unknown) => {
    throw (await findLockedBlob(key)) ? infectedFile() : new AppError('not-found', { cause })
  })
  return { stream: Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, bytes: info.size }
}

const lockedPath = (key: string): string => `${blobPath(key)}.locked`

const renameIfThere = async (from: string, to: string): Promise<void> => {
  try {
    await rename(from, to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

/** Takes a blob that does harm out of reach: until `unlockBlob` it is not there for whoever reads, exports or backs up. */
export const lockBlob = (key: string): Promise<void> => renameIfThere(blobPath(key), lockedPath(key))

export const unlockBlob = (key: string): Promise<void> => renameIfThere(lockedPath(key), blobPath(key))

/** Where a locked blob lies, for who judges it again; undefined when it is not locked. */
export const findLockedBlob = async (key: string): Promise<string | undefined> => {
  const path = lockedPath(key)
  return (await stat(path).catch(() => undefined)) && path
}

/** Deletes a blob, locked or not. */
export const deleteBlob = async (key: string): Promise<void> => {
  await rm(blobPath(key), { force: true })
  await rm(lockedPath(key), { force: true })
}
