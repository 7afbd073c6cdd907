/**
 * DOCX: headings, paragraphs, lists with their numbers, tables, footnotes, text boxes and formulas, straight from the parts of the
 * package. Comments, deleted words and field codes are left out; nothing outside the archive is followed. Words that Word does not
 * show are kept apart and marked.
 */
import type { Span } from '#lib/shared/text.ts'
import { type Archive, openArchive, partName } from './archive.ts'
import { createTextBuilder } from './builder.ts'
import { type Numbering, readNumbering } from './docx-numbering.ts'
import { readProperties } from './dublin-core.ts'
import { addHtml } from './hast-blocks.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { elementAt, elementsOf, parseXmlTree, textOf, type XmlNode } from './xml-tree.ts'

/** What a style says, with what it takes over from the style it is based on. */
type Style = { level: number | null; isTitle: boolean; listId: string | null; listLevel: number; isHidden: boolean }

const plainStyle: Style = { level: null, isTitle: false, listId: null, listLevel: 0, isHidden: false }
const basedOnMax = 20
/** Type of a point and less cannot be read; Word counts in half points. */
const hiddenHalfPointsMax = 2

const valueIn = (node: XmlNode | undefined): string => node?.attributes['w:val'] ?? ''
/** `<w:vanish/>` and `<w:vanish w:val="true"/>`, not `<w:vanish w:val="0"/>`. */
const isOn = (node: XmlNode | undefined): boolean => node !== undefined && !/^(?:0|false|off|none)$/.test(valueIn(node))

const isHiddenBy = (properties: XmlNode | undefined): boolean => {
  const size = valueIn(elementAt(properties, 'sz'))
  return isOn(elementAt(properties, 'vanish')) || (size !== '' && Number(size) <= hiddenHalfPointsMax)
}
const isWhite = (properties: XmlNode | undefined): boolean =>
  /^f[a-f\d]f[a-f\d]f[a-f\d]$/i.test(valueIn(elementAt(properties, 'color'))) && !isShaded(properties)
const isShaded = (properties: XmlNode | undefined): boolean => {
  const fill = elementAt(properties, 'shd')?.attributes['w:fill'] ?? 'auto'
  return !/^(?:auto|f{6})$/i.test(fill) || elementAt(properties, 'highlight') !== undefined
}

const outlineLevel = (properties: XmlNode | undefined): number | null => {
  const outline = valueIn(elementAt(properties, 'outlineLvl'))
  return /^[0-5]$/.test(outline) ? Number(outline) + 1 : null
}

const readStyles = (root: XmlNode | null): ReadonlyMap<string, Style> => {
  const nodes = new Map(
    elementsOf(root ?? undefined, 'style').map((node) => [node.attributes['w:styleId'] ?? '', node]),
  )
  const styles = new Map<string, Style>()
  const read = (id: string, depth: number): Style => {
    const known = styles.get(id)
    const node = nodes.get(id)
    if (known || !node || depth > basedOnMax) return known ?? plainStyle
    const base = read(valueIn(elementAt(node, 'basedOn')), depth + 1)
    const name = valueIn(elementAt(node, 'name'))
    const properties = elementAt(node, 'pPr')
    const list = elementAt(properties, 'numPr')
    const isTitle = /^title$/i.test(name) || base.isTitle
    const named = /^heading ([1-6])$/i.exec(name)?.[1]
    const style: Style = {
      level: named ? Number(named) : (outlineLevel(properties) ?? (isTitle ? 1 : base.level)),
      isTitle,
      listId: valueIn(elementAt(list, 'numId')) || base.listId,
      listLevel: list ? Number(valueIn(elementAt(list, 'ilvl')) || base.listLevel) : base.listLevel,
      isHidden: isHiddenBy(elementAt(node, 'rPr')) || base.isHidden,
    }
    styles.set(id, style)
    return style
  }
  for (const id of nodes.keys()) read(id, 0)
  return styles
}

/** Left out with everything in it: what was deleted, what is said about the text, codes of fields, and older twins of drawings. */
const silent = new Set([
  'del',
  'moveFrom',
  'delText',
  'instrText',
  'commentReference',
  'annotationRef',
  'Fallback',
  'rPr',
  'pPr',
  'tblPr',
  'sectPr',
  'rt',
  'binData',
])

/** The words of a formula; signs stand where a line of text has no other way to say it. */
const formula = (node: XmlNode | undefined): string => {
  if (!node) return ''
  const part = (name: string): string => formula(elementAt(node, name))
  switch (node.name) {
    case 't':
      return textOf(node)
    case 'f':
      return `(${part('num')})/(${part('den')})`
    case 'sSup':
      return `${part('e')}^${part('sup')}`
    case 'sSub':
      return `${part('e')}_${part('sub')}`
    case 'rad':
      return `√(${part('e')})`
    default:
      return elementsOf(node).map(formula).join('')
  }
}

/** A paragraph's words, and what hangs on it: boxes with paragraphs of their own, notes, words that are not shown. */
type Line = { text: string; hidden: string; boxes: XmlNode[]; notes: string[] }

type Context = {
  styles: ReadonlyMap<string, Style>
  numbering: Numbering
  notes: ReadonlyMap<string, XmlNode>
}

const readLine = (paragraph: XmlNode, { styles }: Context, style: Style, isInTable: boolean): Line => {
  const line: Line = { text: '', hidden: '', boxes: [], notes: [] }
  const properties = elementAt(paragraph, 'pPr')
  const onPaper = !isInTable && !isShaded(properties)
  const walk = (node: XmlNode, isHidden: boolean): void => {
    const say = (text: string): void => {
      if (isHidden) line.hidden += text
      else line.text += text
    }
    for (const child of elementsOf(node)) {
      if (silent.has(child.name)) continue
      switch (child.name) {
        case 'r': {
          const own = elementAt(child, 'rPr')
          const named = styles.get(valueIn(elementAt(own, 'rStyle')))
          walk(child, isHidden || isHiddenBy(own) || named?.isHidden === true || (onPaper && isWhite(own)))
          break
        }
        case 't':
          say(textOf(child))
          break
        case 'tab':
        case 'br':
        case 'cr':
          say(' ')
          break
        case 'noBreakHyphen':
          say('-')
          break
        case 'oMath':
          say(` ${formula(child)} `)
          break
        case 'txbxContent':
          line.boxes.push(child)
          break
        case 'footnoteReference':
        case 'endnoteReference':
          line.notes.push(`${child.name.replace('Reference', '')}/${child.attributes['w:id'] ?? ''}`)
          break
        default:
          walk(child, isHidden)
      }
    }
  }
  walk(paragraph, style.isHidden)
  return line
}

/** Blocks in which others stand without being anything themselves. */
const wrappers = new Set(['sdt', 'sdtContent', 'customXml', 'smartTag', 'ins', 'moveTo', 'AlternateContent', 'Choice'])

const createReader = (context: Context, chunkHtml: (id: string) => string | null) => {
  const builder = createTextBuilder()
  const hidden: Span[] = []
  let title: string | null = null

  const after = ({ hidden: words, notes }: Pick<Line, 'hidden' | 'notes'>): void => {
    const added = words.trim() ? builder.add('paragraph', words.replace(/\s+/g, ' ')) : null
    if (added) hidden.push(added)
    for (const note of notes) {
      const body = context.notes.get(note)
      const text = body
        ? elementsOf(body, 'p')
            .map((line) => readLine(line, context, plainStyle, false).text)
            .join(' ')
        : ''
      builder.add('paragraph', text.replace(/\s+/g, ' '))
    }
  }

  const styleOf = (paragraph: XmlNode): Style => {
    const properties = elementAt(paragraph, 'pPr')
    const named = context.styles.get(valueIn(elementAt(properties, 'pStyle'))) ?? plainStyle
    const list = elementAt(properties, 'numPr')
    return {
      ...named,
      level: outlineLevel(properties) ?? named.level,
      listId: valueIn(elementAt(list, 'numId')) || named.listId,
      listLevel: Number(valueIn(elementAt(list, 'ilvl')) || named.listLevel),
    }
  }

  const addParagraph = (paragraph: XmlNode): void => {
    const style = styleOf(paragraph)
    const line = readLine(paragraph, context, style, false)
    const text = line.text.replace(/\s+/g, ' ').trim()
    if (text) {
      // List 0 takes a paragraph out of the list of its style.
      const isListed = style.listId !== null && style.listId !== '0'
      const mark = isListed && style.listId ? context.numbering.markOf(style.listId, style.listLevel) : ''
      const isHeading = style.level !== null
      const marked = mark && !(isHeading && mark === '-') ? `${mark} ${text}` : text
      builder.add(isHeading ? 'heading' : isListed ? 'list' : 'paragraph', marked, style.level ?? undefined)
      if (style.isTitle) title ??= text
    }
    after(line)
    for (const box of line.boxes) addBlocks(box)
  }

  const addTable = (table: XmlNode): void => {
    const rows = elementsOf(table).flatMap((child) => (wrappers.has(child.name) ? inWrappers(child) : [child]))
    const late: Line[] = []
    for (const row of rows) {
      if (row.name !== 'tr') continue
      const inner: XmlNode[] = []
      const cells = elementsOf(row)
        .flatMap((child) => (wrappers.has(child.name) ? inWrappers(child) : [child]))
        .filter(({ name }) => name === 'tc')
        .map((cell) => {
          const parts = elementsOf(cell).flatMap((child) => (wrappers.has(child.name) ? inWrappers(child) : [child]))
          inner.push(...parts.filter(({ name }) => name === 'tbl'))
          const lines = parts
            .filter(({ name }) => name === 'p')
            .map((paragraph) => readLine(paragraph, context, styleOf(paragraph), true))
          late.push(...lines)
          return lines
            .map(({ text }) => text)
            .join(' ')
            .replace(/\s+/g, ' ')
            .trim()
        })
      if (cells.some(Boolean))
        builder.add(
          'row',
          cells.length === 1 ? (cells[0] ?? '') : cells.map((cell) => cell.replaceAll('|', '/')).join(' | '),
        )
      for (const table of inner) addTable(table)
    }
    for (const line of late) {
      after(line)
      for (const box of line.boxes) addBlocks(box)
    }
  }

  const inWrappers = (node: XmlNode): XmlNode[] =>
    elementsOf(node).flatMap((child) => (wrappers.has(child.name) ? inWrappers(child) : [child]))

  const addBlocks = (node: XmlNode): void => {
    for (const child of inWrappers(node)) {
      if (child.name === 'p') addParagraph(child)
      else if (child.name === 'tbl') addTable(child)
      else if (child.name === 'altChunk') {
        const html = chunkHtml(child.attributes['r:id'] ?? '')
        if (html) addHtml(html, builder)
      }
    }
  }
  return { addBlocks, finish: () => ({ ...builder.build(), hidden, title }) }
}

/** Of footnotes and endnotes, by what refers to them. Those with a type are lines between text and notes. */
const readNotes = (archive: Archive): ReadonlyMap<string, XmlNode> =>
  new Map(
    (['footnote', 'endnote'] as const).flatMap((kind) => {
      const source = archive.text(`word/${kind}s.xml`)
      return elementsOf(source ? parseXmlTree(source) : undefined, kind)
        .filter(({ attributes }) => !attributes['w:type'])
        .map((node) => [`${kind}/${node.attributes['w:id'] ?? ''}`, node] as const)
    }),
  )

const wanted =
  /^(?:word\/(?:document\d*|styles\d*|numbering\d*|footnotes\d*|endnotes\d*)\.xml|word\/_rels\/document\d*\.xml\.rels|docProps\/core\.xml|.*\.x?html?)$/i

/** Reads a Word file. Throws `Refusal`: those of the archive and its XML, `encrypted`, `wrong-type`, `no-text`. */
export const parseDocx = (bytes: Buffer): ParsedDocument => {
  const archive = openArchive(bytes, wanted)
  // Word for the web calls it document2.xml.
  const main = archive.names.find((name) => /^word\/document\d*\.xml$/.test(name))
  const source = main ? archive.text(main) : null
  if (!main || source === null)
    throw new Refusal(archive.names.includes('EncryptedPackage') ? 'encrypted' : 'wrong-type', 'no word/document.xml')
  const part = (name: string): XmlNode | null => {
    const text = archive.text(name)
    return text ? parseXmlTree(text) : null
  }
  const relations = elementsOf(
    part(main.replace(/^word\//, 'word/_rels/').concat('.rels')) ?? undefined,
    'Relationship',
  )
  const chunkHtml = (id: string): string | null => {
    const target = relations.find(({ attributes }) => attributes.Id === id)?.attributes
    const name = target && target.TargetMode !== 'External' ? partName(main, target.Target ?? '') : null
    return name ? archive.text(name) : null
  }
  const reader = createReader(
    {
      styles: readStyles(part('word/styles.xml')),
      numbering: readNumbering(part('word/numbering.xml')),
      notes: readNotes(archive),
    },
    chunkHtml,
  )
  const body = elementAt(parseXmlTree(source), 'body')
  if (body) reader.addBlocks(body)
  const { text, blocks, hidden, title } = reader.finish()
  if (!text.trim()) throw new Refusal('no-text')
  const { title: said, ...properties } = readProperties(archive.text('docProps/core.xml'))
  const first = blocks.find(({ kind }) => kind === 'heading')
  return {
    kind: 'docx',
    title: title ?? said ?? (first ? text.slice(first.start, first.end) : null),
    text,
    blocks,
    pages: [],
    ...properties,
    ...(hidden.length > 0 ? { hidden } : {}),
  }
}
