/**
 * Looks at a zip archive before a parser may: what its directory declares, and then what really comes out. A file of 445 KB may
 * declare little and unpack to 400 MB. Limits: 5,000 entries, 200 MB unpacked, 100:1 for the whole and for each entry, no path out
 * of the archive, no symbolic link, no password, and no archive in it but the Office files that slides and charts carry along.
 */
import { Unzip, UnzipInflate } from 'fflate'
import { Refusal } from './parse/refusal.ts'

const entriesMax = 5_000
const unpackedBytesMax = 200 * 1_048_576
const ratioMax = 100
/** What is small may well shrink more than a hundredfold and does no harm: an empty drawing of one megabyte is a common sight. */
const ratioFromBytes = 1_048_576
const entryRatioFromBytes = 8 * ratioFromBytes

const endOfDirectory = 0x06054b50
const directoryEntry = 0x02014b50
const encryptedFlag = 1
/** What made the entry, and in its attributes then: the kinds of file of Unix. */
const madeByUnix = 3
const fileKindMask = 0xf000
const symbolicLink = 0xa000

/** Nobody unpacks these here: they are the data of a chart, or a file that was put into a slide. */
const carriedAlong = /(?:^|\/)embeddings\/|\.(?:docx|xlsx|xlsm|pptx|odt|ods|odp)$/i
const archiveName = /\.(?:zip|jar|7z|rar|gz|bz2|xz|tar)$/i
const isZipStart = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04

type Entry = { name: string; packed: number; unpacked: number; encrypted: boolean; linked: boolean }

/** What the central directory declares. Throws `damaged` when there is none. */
const readDirectory = (bytes: Buffer): Entry[] => {
  let end = bytes.length - 22
  const lowest = Math.max(0, bytes.length - 22 - 65_535)
  while (end >= lowest && bytes.readUInt32LE(end) !== endOfDirectory) end -= 1
  if (end < lowest || end < 0) throw new Refusal('damaged', 'no central directory')
  const count = bytes.readUInt16LE(end + 10)
  if (count > entriesMax) throw new Refusal('unpacks-too-large', `${count} entries`)
  const entries: Entry[] = []
  let at = bytes.readUInt32LE(end + 16)
  for (let index = 0; index < count; index += 1) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== directoryEntry)
      throw new Refusal('damaged', 'broken central directory')
    const nameLength = bytes.readUInt16LE(at + 28)
    entries.push({
      packed: bytes.readUInt32LE(at + 20),
      unpacked: bytes.readUInt32LE(at + 24),
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
      encrypted: (bytes.readUInt16LE(at + 8) & encryptedFlag) !== 0,
      linked: bytes[at + 5] === madeByUnix && (bytes.readUInt16LE(at + 40) & fileKindMask) === symbolicLink,
    })
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return entries
}

const refuseTooLarge = (unpacked: number, packed: number, fromBytes: number): void => {
  if (unpacked > unpackedBytesMax || (unpacked > fromBytes && unpacked > packed * ratioMax))
    throw new Refusal('unpacks-too-large', `${packed} bytes unpack to ${unpacked}`)
}

/** The names of an archive's entries as its directory declares them. Throws `Refusal`: `damaged`, `unpacks-too-large`. */
export const readZipNames = (bytes: Buffer): string[] => readDirectory(bytes).map(({ name }) => name)

const refuseArchiveWithin = (): never => {
  throw new Refusal('unpacks-too-large', 'an archive in the archive')
}

/** Throws `Refusal` when the archive is damaged or would unpack to too much; returns the names of its entries. */
export const guardZip = (bytes: Buffer): string[] => {
  const entries = readDirectory(bytes)
  for (const { name, packed, unpacked, encrypted, linked } of entries) {
    refuseTooLarge(unpacked, packed, entryRatioFromBytes)
    if (/(^|[\\/])\.\.([\\/]|$)|^[\\/]|^[a-z]:/i.test(name)) throw new Refusal('damaged', 'an entry leaves the archive')
    if (linked) throw new Refusal('damaged', 'an entry is a link')
    if (encrypted) throw new Refusal('encrypted', 'an entry has a password')
    if (archiveName.test(name)) refuseArchiveWithin()
  }
  refuseTooLarge(
    entries.reduce((sum, { unpacked }) => sum + unpacked, 0),
    bytes.length,
    ratioFromBytes,
  )
  // What is declared may be a lie: inflate once, keep nothing, stop at the limit.
  let unpacked = 0
  const packedOf = new Map(entries.map(({ name, packed }) => [name, packed]))
  const unzip = new Unzip((file) => {
    const packed = packedOf.get(file.name) ?? 0
    let own = 0
    file.ondata = (error, chunk) => {
      // What is thrown below comes back here as an error of the inflating.
      if (error) throw (error as Error) instanceof Refusal ? error : new Refusal('damaged', error.message)
      if (own === 0 && isZipStart(chunk) && !carriedAlong.test(file.name)) refuseArchiveWithin()
      unpacked += chunk.length
      own += chunk.length
      refuseTooLarge(unpacked, bytes.length, ratioFromBytes)
      refuseTooLarge(own, packed, entryRatioFromBytes)
    }
    file.start()
  })
  unzip.register(UnzipInflate)
  const step = 65_536
  try {
    for (let from = 0; from < bytes.length; from += step)
      unzip.push(bytes.subarray(from, from + step), from + step >= bytes.length)
  } catch (error) {
    throw error instanceof Refusal
      ? error
      : new Refusal('damaged', error instanceof Error ? error.message : 'broken archive')
  }
  return entries.map(({ name }) => name)
}
