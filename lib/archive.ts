/** Writing a tar file part by part: in memory at most one part or one piece of a file, and a full disk ends it with its own error. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { pack } from 'tar-stream'

export type ArchivePart = { name: string; bytes: number; sha256: string }
export type Archive = {
  add(name: string, bytes: Uint8Array): Promise<ArchivePart>
  /** Null when there is no such file. */
  addFile(name: string, path: string): Promise<ArchivePart | null>
}

const mode = 0o600

/** Writes what `fill` adds to `path`, readable by its owner alone; the file is there when it is whole, and not at all when `fill` throws. */
export const writeArchive = async <Result>(
  path: string,
  fill: (archive: Archive) => Promise<Result>,
): Promise<Result> => {
  const temporary = `${path}.part`
  const tar = pack()
  const file = createWriteStream(temporary, { mode })
  const source = Readable.from(tar as AsyncIterable<Uint8Array>)
  source.on('error', (error) => file.destroy(error))
  const written = finished(source.pipe(file))
  // Whoever adds waits for the file; when that has failed nothing would ever go on.
  const fault = new Promise<never>((_, reject) => {
    written.catch(reject)
  })
  fault.catch(() => undefined)

  const archive: Archive = {
    add: async (name, bytes) => {
      const added = new Promise<void>((resolve, reject) => {
        const done = (error?: Error | null): void => (error ? reject(error) : resolve())
        tar.entry({ name, size: bytes.byteLength, mode }, Buffer.from(bytes), done)
      })
      await Promise.race([added, fault])
      return { name, bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') }
    },
    addFile: async (name, from) => {
      const size = (await stat(from).catch(() => null))?.size
      if (size === undefined) return null
      const hash = createHash('sha256')
      const copy = async (): Promise<void> => {
        const entry = tar.entry({ name, size, mode }) as unknown as NodeJS.WritableStream
        const closed = finished(entry)
        for await (const piece of createReadStream(from) as AsyncIterable<Buffer>) {
          hash.update(piece)
          if (!entry.write(piece)) await once(entry, 'drain')
        }
        entry.end()
        await closed
      }
      await Promise.race([copy(), fault])
      return { name, bytes: size, sha256: hash.digest('hex') }
    },
  }
  try {
    const result = await fill(archive)
    tar.finalize()
    await written
    await rename(temporary, path)
    return result
  } catch (error) {
    tar.destroy()
    file.destroy()
    await rm(temporary, { force: true })
    throw error
  }
}
