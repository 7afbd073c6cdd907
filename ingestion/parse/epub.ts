/** EPUB: the chapters in the order in which they are read. Nothing outside the archive is loaded; protected books are refused. */
import { type Archive, openArchive, partName } from './archive.ts'
import { createTextBuilder } from './builder.ts'
import { readProperties } from './dublin-core.ts'
import { addHtml } from './hast-blocks.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { elementAt, elementsBelow, elementsOf, parseXmlTree, type XmlNode } from './xml-tree.ts'

const wanted = /\.(?:x?html?|xml|opf)$/i
/** Fonts are often obscured with these, which hides no words (EPUB 3.3, 4.2.6.2.5.4; Adobe's older way). */
const fontObscuring = /idpf\.org\/2008\/embedding|ns\.adobe\.com\/pdf\/enc#RC/
const voidTags = new Set('area base br col embed hr img input link meta source track wbr'.split(' '))

/** XHTML as HTML reads it: without its head, and with empty elements that end. `<a id="x"/>` would never end otherwise. */
const bodyOf = (xhtml: string): string =>
  xhtml
    .replace(/^[\s\S]*?<body\b[^>]*>|<\/body>[\s\S]*$/gi, '')
    .replace(/<([a-z][\w:-]*)([^<>]*)\/>/gi, (whole, tag: string, rest: string) =>
      voidTags.has(tag.toLowerCase()) ? whole : `<${tag}${rest}></${tag}>`,
    )

const isProtected = (archive: Archive): boolean => {
  const source = archive.text('META-INF/encryption.xml')
  if (source === null) return archive.names.includes('META-INF/encryption.xml')
  return elementsBelow(parseXmlTree(source), 'EncryptedData').some(
    (data) => !fontObscuring.test(elementAt(data, 'EncryptionMethod')?.attributes.Algorithm ?? ''),
  )
}

const decodeName = (href: string): string => {
  const [path = ''] = href.split('#')
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The names of the chapters in reading order. Entries that are marked as not linear (notes, answers) are read where they stand. */
const chaptersOf = (opf: XmlNode, opfName: string): string[] => {
  const items = new Map(
    elementsOf(elementAt(opf, 'manifest'), 'item').map(({ attributes }) => [attributes.id, attributes]),
  )
  return elementsOf(elementAt(opf, 'spine'), 'itemref').flatMap(({ attributes }) => {
    const item = items.get(attributes.idref ?? '')
    // A list of contents repeats every heading.
    if (!item?.href || item.properties?.split(/\s+/).includes('nav')) return []
    return partName(opfName, decodeName(item.href)) ?? []
  })
}

/** Reads a book. Throws `Refusal`: those of the archive and its XML, `encrypted`, `wrong-type`, `no-text`. */
export const parseEpub = (bytes: Buffer, onProgress: (done: number, total: number) => void): ParsedDocument => {
  const archive = openArchive(bytes, wanted)
  if (isProtected(archive)) throw new Refusal('encrypted', 'META-INF/encryption.xml')
  const container = archive.text('META-INF/container.xml')
  const opfName = container && elementsBelow(parseXmlTree(container), 'rootfile')[0]?.attributes['full-path']
  const source = opfName ? archive.text(opfName) : null
  if (!opfName || source === null) throw new Refusal('damaged', 'no package file')
  const builder = createTextBuilder()
  const chapters = chaptersOf(parseXmlTree(source), opfName)
  for (const [index, name] of chapters.entries()) {
    const chapter = archive.text(name)
    if (chapter) addHtml(bodyOf(chapter), builder)
    onProgress(index + 1, chapters.length)
  }
  if (builder.length() === 0) throw new Refusal('no-text')
  return { kind: 'epub', ...readProperties(source), ...builder.build(), pages: [] }
}
