/** DOCX through mammoth: headings, paragraphs, lists and tables. The archive is checked first; links and pictures are not followed. */
import mammoth from 'mammoth'
import { guardZip } from '../zip-guard.ts'
import { createTextBuilder } from './builder.ts'
import { addHtml } from './hast-blocks.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'

const styleMap = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"]

export const parseDocx = async (bytes: Buffer): Promise<ParsedDocument> => {
  const names = guardZip(bytes)
  // Word for the web calls it document2.xml.
  if (!names.some((name) => /^word\/document\d*\.xml$/.test(name)))
    throw new Refusal(names.includes('EncryptedPackage') ? 'encrypted' : 'wrong-type', 'no word/document.xml')
  const { value: html } = await mammoth.convertToHtml(
    { buffer: bytes },
    // Pictures carry no words, and a linked one would name a file or an address (CVE-2025-11849).
    { styleMap, externalFileAccess: false, convertImage: mammoth.images.imgElement(async () => ({ src: '' })) },
  )
  const builder = createTextBuilder()
  addHtml(html, builder)
  const { text, blocks } = builder.build()
  if (!text.trim()) throw new Refusal('no-text')
  const first = blocks.find(({ kind }) => kind === 'heading')
  return { kind: 'docx', title: first ? text.slice(first.start, first.end) : null, text, blocks, pages: [] }
}
