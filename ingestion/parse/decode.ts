/** Bytes to text: by the byte order mark, else UTF-16 or UTF-8 if they are valid in it, else the older encoding that they read like. */
import { legacyEncodingOf } from './legacy-encoding.ts'

/** Control characters that no text has; a few may slip in, many mean that the bytes are no text. */
const controls = /(?!\s)\p{Cc}/gu
const controlShareMax = 0.02

const decoderFor = (bytes: Uint8Array): { encoding: string; from: number } | null => {
  const [a, b, c] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', from: 3 }
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', from: 2 }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', from: 2 }
  return null
}

/** Characters that part words and sentences in every language. */
const partings = /[ \n\r\t\u3000\u3001\u3002\uff0c]/g
const partingShareMin = 0.01

/** UTF-16 without a mark: bytes that no other text has, valid, and parted into words the one way and not the other. */
const looksUtf16 = (bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null => {
  const sample = bytes.subarray(0, 4_096)
  // The space and the end of a line are a zero and something, whatever the language.
  if (sample.length < 4 || !sample.includes(0)) return null
  const counts = (['utf-16le', 'utf-16be'] as const).map((encoding) => {
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(sample, { stream: true })
      // What is binary has zeros and controls of sixteen bits as well.
      if ((text.match(controls)?.length ?? 0) > text.length * controlShareMax) return { encoding, share: 0 }
      return { encoding, share: (text.match(partings)?.length ?? 0) / Math.max(1, text.length) }
    } catch {
      return { encoding, share: 0 }
    }
  })
  const [best] = counts.sort((one, other) => other.share - one.share)
  return best && best.share >= partingShareMin ? best.encoding : null
}

const decode = (bytes: Uint8Array): string => {
  const marked = decoderFor(bytes)
  if (marked) return new TextDecoder(marked.encoding).decode(bytes.subarray(marked.from))
  const wide = looksUtf16(bytes)
  if (wide) return new TextDecoder(wide).decode(bytes)
  try {
    // A cut-off character at the end of a sample is no fault.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
  } catch {
    return new TextDecoder(legacyEncodingOf(bytes)).decode(bytes)
  }
}

/** UTF-8 without one control character: no binary format looks like this. A character cut off at the end is no fault. */
export const isCleanUtf8 = (bytes: Uint8Array): boolean => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true }).search(controls) < 0
  } catch {
    return false
  }
}

/** The text with line ends as `\n` and without control characters; null when the bytes are no text. */
export const decodeText = (bytes: Uint8Array): string | null => {
  const text = decode(bytes)
  const strange = text.match(controls)?.length ?? 0
  if (strange > Math.max(4, text.length * controlShareMax)) return null
  return text.replace(controls, '').replace(/\r\n?/g, '\n')
}
