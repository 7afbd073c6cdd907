/** The parts of a document that is a zip archive, read after the guard has looked at it. */
import { posix } from 'node:path'
import { unzipSync } from 'fflate'
import { guardZip } from '../zip-guard.ts'
import { decodeText } from './decode.ts'
import { Refusal } from './refusal.ts'

export type Archive = {
  /** All names, of parts that were not unpacked as well. */
  names: readonly string[]
  /** The text of a part; null when it is not there, was not wanted, or is no text. */
  text(name: string): string | null
}

/** Unpacks the parts that are `wanted` and no others: pictures stay packed. Throws `Refusal` as `guardZip` does. */
export const openArchive = (bytes: Buffer, wanted: RegExp): Archive => {
  const names = guardZip(bytes)
  let parts: Record<string, Uint8Array>
  try {
    parts = unzipSync(bytes, { filter: ({ name }) => wanted.test(name) })
  } catch (error) {
    throw new Refusal('damaged', error instanceof Error ? error.message : 'broken archive')
  }
  return {
    names,
    text: (name) => {
      const part = Object.hasOwn(parts, name) ? parts[name] : undefined
      return part ? decodeText(part) : null
    },
  }
}

/** The name of the part that `target` means when it is written in the part `from`; null when it leads out of the archive. */
export const partName = (from: string, target: string): string | null => {
  if (/^[a-z][a-z\d+.-]*:/i.test(target)) return null
  const path = posix.normalize(posix.join(target.startsWith('/') ? '/' : posix.dirname(`/${from}`), target))
  return path.startsWith('/..') ? null : path.slice(1)
}
