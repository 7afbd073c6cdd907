/**
 * What a file is, by what is in it. The name only has to agree: a PDF called notes.txt is refused, not guessed at, and so is a file
 * that is two things at once.
 */
import { unzipSync } from 'fflate'
import { fileTypeFromBuffer } from 'file-type'
import { codeLanguages } from './parse/code.ts'
import { decodeText, isCleanUtf8 } from './parse/decode.ts'
import type { DocumentKind } from './parse/parsed-document.ts'
import { Refusal } from './parse/refusal.ts'
import { readZipNames } from './zip-guard.ts'

export const kindsByExtension: Readonly<Record<string, DocumentKind>> = {
  pdf: 'pdf',
  docx: 'docx',
  pptx: 'pptx',
  xlsx: 'xlsx',
  odt: 'odt',
  epub: 'epub',
  rtf: 'rtf',
  md: 'markdown',
  markdown: 'markdown',
  html: 'html',
  htm: 'html',
  txt: 'text',
  log: 'text',
  csv: 'csv',
  tsv: 'csv',
  json: 'json',
  jsonl: 'json',
  ndjson: 'json',
  xml: 'xml',
  eml: 'eml',
  mbox: 'eml',
  png: 'image',
  jpg: 'image',
  jpeg: 'image',
  webp: 'image',
  ...Object.fromEntries(Object.keys(codeLanguages).map((extension) => [extension, 'code' as const])),
}

const signatureBytes = 4_100
/** Readers of PDF look for its mark this far (ISO 32000-1, implementation note 13). */
const pdfMarkBytes = 1_024
const compoundFile = Buffer.from('d0cf11e0a1b11ae1', 'hex')
const zipStart = Buffer.from('PK\u0003\u0004', 'latin1')
const pdfMark = Buffer.from('%PDF-')

type ZipKind = 'docx' | 'pptx' | 'xlsx' | 'odt' | 'epub'
const zipKinds: ReadonlySet<string> = new Set<ZipKind>(['docx', 'pptx', 'xlsx', 'odt', 'epub'])
const isZipKind = (kind: DocumentKind): kind is ZipKind => zipKinds.has(kind)

const startsWith = (bytes: Buffer, mark: Buffer): boolean => bytes.subarray(0, mark.length).equals(mark)

/** The directory of a zip archive that reaches to the last byte: readers of zip take such a file for theirs, whatever it begins with. */
const endsAsZip = (bytes: Buffer): boolean => {
  const mark = Buffer.from('PK\u0005\u0006', 'latin1')
  for (
    let at = bytes.lastIndexOf(mark);
    at >= Math.max(0, bytes.length - 65_557);
    at = bytes.lastIndexOf(mark, at - 1)
  ) {
    if (at + 22 <= bytes.length && at + 22 + bytes.readUInt16LE(at + 20) === bytes.length) return true
    if (at === 0) break
  }
  return false
}

const mimetypeBytesMax = 200

const readMimetype = (bytes: Buffer): Uint8Array => {
  try {
    return (
      unzipSync(bytes, { filter: ({ name, originalSize }) => name === 'mimetype' && originalSize <= mimetypeBytesMax })
        .mimetype ?? new Uint8Array()
    )
  } catch {
    return new Uint8Array()
  }
}

/** What an archive says that it is: OpenDocument and EPUB in an entry of its own, Office by the main part of the package. */
const kindOfZip = (bytes: Buffer): ZipKind | 'other' => {
  const names = new Set(readZipNames(bytes))
  if (names.has('mimetype')) {
    const declared = Buffer.from(readMimetype(bytes)).toString('latin1').trim()
    if (declared === 'application/epub+zip') return 'epub'
    return declared === 'application/vnd.oasis.opendocument.text' ? 'odt' : 'other'
  }
  if (!names.has('[Content_Types].xml')) return 'other'
  const folders = new Set([...names].map((name) => name.replace(/^\//, '').split('/', 1)[0]))
  const found = (['word', 'ppt', 'xl'] as const).filter((folder) => folders.has(folder))
  const [only] = found
  // A package with two main parts is two documents.
  return found.length === 1 && only ? ({ word: 'docx', ppt: 'pptx', xl: 'xlsx' } as const)[only] : 'other'
}

const refuseCompoundFile = (bytes: Buffer): never => {
  // Office keeps password-protected files in its old container format.
  if (bytes.includes(Buffer.from('EncryptedPackage', 'utf16le'))) throw new Refusal('encrypted', 'compound file')
  throw new Refusal('unsupported', 'an Office file of the old kind')
}

const kindOfArchive = (bytes: Buffer, named: ZipKind): ZipKind => {
  if (startsWith(bytes, compoundFile)) return refuseCompoundFile(bytes)
  if (!startsWith(bytes, zipStart)) throw new Refusal('wrong-type', 'not a zip archive')
  if (bytes.subarray(0, pdfMarkBytes).includes(pdfMark)) throw new Refusal('wrong-type', 'a PDF as well')
  const kind = kindOfZip(bytes)
  if (kind !== named) throw new Refusal('wrong-type', `a package of the kind ${kind}`)
  return kind
}

const refuseUnlessPdf = async (bytes: Buffer): Promise<void> => {
  const at = bytes.subarray(0, pdfMarkBytes).indexOf(pdfMark)
  if (at < 0) throw new Refusal('wrong-type', 'no PDF header')
  if (at === 0) return
  // Stray bytes before the mark are allowed; another file before it is not.
  const other = await fileTypeFromBuffer(bytes.subarray(0, signatureBytes))
  if (
    (other && other.mime !== 'application/pdf') ||
    /^\s*<(?:!doctype|html|\?xml)/i.test(bytes.toString('latin1', 0, at))
  )
    throw new Refusal('wrong-type', `${other?.mime ?? 'a page'} before the PDF`)
}

const pictureOfExtension: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
}

const refuseUnlessPicture = async (bytes: Buffer, extension: string): Promise<void> => {
  const found = await fileTypeFromBuffer(bytes.subarray(0, signatureBytes))
  if (found?.mime !== pictureOfExtension[extension]) throw new Refusal('wrong-type', found?.mime ?? 'no picture')
  if (bytes.subarray(0, pdfMarkBytes).includes(pdfMark)) throw new Refusal('wrong-type', 'a PDF in the picture')
}

/** What the first characters of a type have to be; types without a line here are any text. */
const opening: Partial<Record<DocumentKind, RegExp>> = {
  rtf: /^\s*\{\\rtf/,
  json: /^\s*(?:[[{"\-\d]|true|false|null)/,
  xml: /^\s*</,
  // A header field (RFC 5322, 2.2) or the first line of a box.
  eml: /^\s*(?:From \S|[!-9;-~]{1,70}:)/,
}

const refuseUnlessText = async (bytes: Buffer, named: DocumentKind): Promise<void> => {
  if (startsWith(bytes, zipStart) || startsWith(bytes, pdfMark)) throw new Refusal('wrong-type', 'pdf or zip')
  if (startsWith(bytes, compoundFile)) refuseCompoundFile(bytes)
  const sample = bytes.subarray(0, signatureBytes)
  // Two letters make a mark for some types: "BMW" begins like a bitmap. What is sound text is text, whatever it begins with.
  if (!isCleanUtf8(sample)) {
    const isPdf = bytes.subarray(0, pdfMarkBytes).includes(pdfMark)
    const binary = isPdf ? 'pdf' : (await fileTypeFromBuffer(sample))?.mime
    if (binary && !/^(text\/|application\/(xml|rtf|json|mbox|.*\+xml)|message\/)/.test(binary))
      throw new Refusal('wrong-type', binary)
  }
  const text = decodeText(sample)
  if (text === null) throw new Refusal('wrong-type', 'binary content')
  const expected = opening[named]
  if (expected && text.trim() && !expected.test(text)) throw new Refusal('wrong-type', `not ${named}`)
  if (named !== 'rtf' && /^\s*\{\\rtf1/.test(text)) throw new Refusal('wrong-type', 'RTF')
}

/** The kind that name and content agree on. Throws `Refusal`: empty, wrong-type, unsupported, encrypted, damaged. */
export const kindOf = async (bytes: Buffer, name: string): Promise<DocumentKind> => {
  if (bytes.length === 0) throw new Refusal('empty')
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  const named = Object.hasOwn(kindsByExtension, extension) ? kindsByExtension[extension] : undefined
  if (!named) throw new Refusal('unsupported', extension)
  if (isZipKind(named)) return kindOfArchive(bytes, named)
  if (named === 'pdf') await refuseUnlessPdf(bytes)
  else if (named === 'image') await refuseUnlessPicture(bytes, extension)
  else await refuseUnlessText(bytes, named)
  if (endsAsZip(bytes)) throw new Refusal('wrong-type', 'a zip archive as well')
  return named
}
