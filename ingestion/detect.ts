/** What a file is, by what is in it. The name only has to agree: a PDF called notes.txt is refused, not guessed at. */
import { fileTypeFromBuffer } from 'file-type'
import { decodeText, isCleanUtf8 } from './parse/decode.ts'
import type { DocumentKind } from './parse/parsed-document.ts'
import { Refusal } from './parse/refusal.ts'

const kindsByExtension: Readonly<Record<string, DocumentKind>> = {
  pdf: 'pdf',
  docx: 'docx',
  md: 'markdown',
  markdown: 'markdown',
  html: 'html',
  htm: 'html',
  txt: 'text',
  csv: 'csv',
}

const signatureBytes = 4_100
const compoundFile = Buffer.from('d0cf11e0a1b11ae1', 'hex')

/** The kind that name and content agree on. Throws `Refusal`: empty, no-text, wrong-type, unsupported. */
export const kindOf = async (bytes: Buffer, name: string): Promise<DocumentKind> => {
  if (bytes.length === 0) throw new Refusal('empty')
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  const named = Object.hasOwn(kindsByExtension, extension) ? kindsByExtension[extension] : undefined
  if (!named) throw new Refusal('unsupported', extension)

  // A PDF may begin with other bytes; readers look for its mark in the first kilobyte (ISO 32000-1, implementation note 13).
  const isPdf = bytes.subarray(0, 1_024).includes('%PDF-')
  if (named === 'pdf') {
    if (!isPdf) throw new Refusal('wrong-type', 'no PDF header')
    return 'pdf'
  }
  const isZip = bytes.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1'))
  if (named === 'docx') {
    // Word keeps password-protected files in its old container format.
    if (bytes.subarray(0, 8).equals(compoundFile)) {
      const isEncrypted = bytes.includes(Buffer.from('EncryptedPackage', 'utf16le'))
      throw new Refusal(isEncrypted ? 'encrypted' : 'wrong-type', 'compound file')
    }
    if (!isZip) throw new Refusal('wrong-type', 'not a zip archive')
    return 'docx'
  }
  if (isZip || bytes.subarray(0, 5).equals(Buffer.from('%PDF-'))) throw new Refusal('wrong-type', 'pdf or zip')
  const sample = bytes.subarray(0, signatureBytes)
  // Two letters make a mark for some types: "BMW" begins like a bitmap. What is sound text is text, whatever it begins with.
  if (!isCleanUtf8(sample)) {
    const binary = isPdf ? 'pdf' : (await fileTypeFromBuffer(sample))?.mime
    if (binary && !/^(text\/|application\/(xml|rtf|json))/.test(binary)) throw new Refusal('wrong-type', binary)
    if (decodeText(sample) === null) throw new Refusal('wrong-type', 'binary content')
  }
  return named
}
