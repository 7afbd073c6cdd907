/** Bytes to text: by the byte order mark, else UTF-8, else Windows-1252, which is what "Latin-1" files are. */

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

/** UTF-16 without a mark: every other byte of Western text is zero. */
const looksUtf16 = (bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null => {
  const sample = bytes.subarray(0, 1_000)
  if (sample.length < 4) return null
  let even = 0
  let odd = 0
  sample.forEach((byte, index) => {
    if (byte !== 0) return
    if (index % 2 === 0) even += 1
    else odd += 1
  })
  if (odd > sample.length * 0.3 && even < sample.length * 0.05) return 'utf-16le'
  if (even > sample.length * 0.3 && odd < sample.length * 0.05) return 'utf-16be'
  return null
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
    return new TextDecoder('windows-1252').decode(bytes)
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
