/** ODT: headings, paragraphs, lists and tables, read by way of HTML. Deleted text, scripts and embedded objects are left out. */
import { openArchive } from './archive.ts'
import { createTextBuilder } from './builder.ts'
import { readProperties } from './dublin-core.ts'
import { addHtml } from './hast-blocks.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { elementAt, elementsBelow, elementsOf, parseXmlTree, type XmlNode } from './xml-tree.ts'

const silent = new Set([
  'tracked-changes',
  'sequence-decls',
  'forms',
  'scripts',
  'event-listeners',
  'annotation',
  'bookmark',
  'alphabetical-index-mark',
])
/** A cell that is repeated more often is empty space. */
const repeatsMax = 100

const escapeHtml = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)

const repeated = (html: string, times: string | undefined): string =>
  html.repeat(Math.min(repeatsMax, Math.max(1, Number(times) || 1)))

type Styles = { titles: ReadonlySet<string>; numbered: ReadonlySet<string> }

/** Which styles are those of a title, and which number their lists. */
const stylesOf = (roots: readonly (XmlNode | undefined)[]): Styles => {
  const all = (name: string): XmlNode[] => roots.flatMap((root) => elementsBelow(root, name))
  const named = (nodes: readonly XmlNode[]): string[] =>
    nodes.flatMap(({ attributes }) => attributes['style:name'] ?? [])
  return {
    titles: new Set([
      'Title',
      ...named(all('style').filter(({ attributes }) => attributes['style:parent-style-name'] === 'Title')),
    ]),
    numbered: new Set(
      named(
        all('list-style').filter((style) => {
          const [first] = elementsOf(style)
          return first?.name === 'list-level-style-number' && Boolean(first.attributes['style:num-format'])
        }),
      ),
    ),
  }
}

const toHtml = (root: XmlNode, { titles, numbered }: Styles): string => {
  const inside = (node: XmlNode): string => node.children.map(walk).join('')
  const walk = (node: XmlNode | string): string => {
    if (typeof node === 'string') return escapeHtml(node)
    const { name, attributes } = node
    if (silent.has(name)) return ''
    switch (name) {
      case 'h': {
        const tag = `h${Math.min(6, Math.max(1, Math.trunc(Number(attributes['text:outline-level'])) || 1))}`
        return `<${tag}>${inside(node)}</${tag}>`
      }
      case 'p':
        return titles.has(attributes['text:style-name'] ?? '')
          ? `<h1>${inside(node)}</h1>`
          : `<div>${inside(node)}</div>`
      case 's':
      case 'tab':
      case 'line-break':
        return ' '
      case 'list': {
        // Numbered headings stand in lists.
        if (elementsBelow(node, 'h').length > 0) return elementsOf(node).map(inside).join('')
        const tag = numbered.has(attributes['text:style-name'] ?? '') ? 'ol' : 'ul'
        return `<${tag}>${inside(node)}</${tag}>`
      }
      case 'list-item':
      case 'list-header':
        return `<li>${inside(node)}</li>`
      case 'table':
        return `<table>${inside(node)}</table>`
      case 'table-row':
        return `<tr>${inside(node)}</tr>`
      case 'table-cell':
        return repeated(`<td>${inside(node)}</td>`, attributes['table:number-columns-repeated'])
      case 'covered-table-cell':
        return repeated('<td></td>', attributes['table:number-columns-repeated'])
      // What a picture shows, for those who do not see it.
      case 'title':
      case 'desc':
        return ` ${inside(node)} `
      case 'note':
        return ` (${elementsOf(elementAt(node, 'note-body')).map(inside).join(' ')})`
      default:
        return inside(node)
    }
  }
  return walk(root)
}

/** Reads a text document. Throws `Refusal`: those of the archive and its XML, `encrypted`, `wrong-type`, `no-text`. */
export const parseOdt = (bytes: Buffer): ParsedDocument => {
  const archive = openArchive(bytes, /^(?:content|styles|meta|META-INF\/manifest)\.xml$/)
  // Checked first: the parts of a protected file are not even compressed text.
  const manifest = archive.text('META-INF/manifest.xml')
  if (manifest && elementsBelow(parseXmlTree(manifest), 'encryption-data').length > 0) throw new Refusal('encrypted')
  const source = archive.text('content.xml')
  if (source === null) throw new Refusal('wrong-type', 'no content.xml')
  const content = parseXmlTree(source)
  const body = elementAt(content, 'body', 'text')
  if (!body) throw new Refusal('wrong-type', 'no text document')
  const styles = archive.text('styles.xml')
  const builder = createTextBuilder()
  addHtml(toHtml(body, stylesOf([content, styles ? parseXmlTree(styles) : undefined])), builder)
  const { text, blocks } = builder.build()
  if (!text) throw new Refusal('no-text')
  const { title, ...properties } = readProperties(archive.text('meta.xml'))
  const first = blocks.find(({ kind }) => kind === 'heading')
  return {
    kind: 'odt',
    title: title ?? (first ? text.slice(first.start, first.end) : null),
    text,
    blocks,
    pages: [],
    ...properties,
  }
}
