/**
 * XML of any vocabulary: what repeats becomes rows, what has a title becomes a section, words become paragraphs. Elements and their
 * names are all it goes by; a schema is not loaded.
 */
import { createTextBuilder } from './builder.ts'
import { oneLine } from './clean-text.ts'
import { rowLine } from './csv.ts'
import { cleanLine } from './meta.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { readText } from './text.ts'
import { elementsBelow, elementsOf, parseXmlTree, textOf, type XmlNode } from './xml-tree.ts'

const titleNames: ReadonlySet<string> = new Set(['title', 'head', 'heading', 'caption', 'name', 'label'])
/** Elements whose names say nothing of what is in them. */
const structural: ReadonlySet<string> = new Set(
  'body front back sec section div root data table thead tbody tfoot tgroup colgroup list group items'.split(' '),
)
const proseNames: ReadonlySet<string> = new Set('p para simpara li item text paragraph line entry td th'.split(' '))
const cellNames: ReadonlySet<string> = new Set(['td', 'th', 'cell', 'entry'])
/** Attributes that name things for programs. */
const technical = /^(?:xmlns|xml|xsi|xlink)(?::|$)|(?:^|[-_:.])(?:id|idref|ref|rid|href|src|class|style|uri|url)$|Id$/
const spoken: ReadonlySet<string> = new Set([
  'name',
  'title',
  'label',
  'value',
  'alt',
  'description',
  'summary',
  'text',
])
const levelMax = 6
const labelledCharsMax = 200
/** Where the end of the root element is looked for; comments may follow it. */
const endChars = 10_000
/** More words than this are a section by themselves, not a row. */
const recordCharsMax = 2_000

const lineOf = (node: XmlNode): string =>
  // A space where an element of its own line ends: "<td>a</td><td>b</td>" are two words.
  oneLine(
    (function words(one: XmlNode | string): string {
      if (typeof one === 'string') return one
      const inside = one.children.map(words).join('')
      return proseNames.has(one.name) || titleNames.has(one.name) ? ` ${inside} ` : inside
    })(node),
  )

const hasOwnText = (node: XmlNode): boolean =>
  node.children.some((child) => typeof child === 'string' && child.trim() !== '')

/** `given-names` and `unitPrice` as words. */
const wordsOf = (name: string): string =>
  name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/[-_.]+/g, ' ')
    .trim()

/** Attributes that say something: all of an element that has nothing else, else those with words for people. */
const fieldsOf = (node: XmlNode): [name: string, value: string][] => {
  const alone = node.children.length === 0
  return Object.entries(node.attributes).flatMap(([name, raw]) => {
    const value = oneLine(raw)
    const told = !technical.test(name) && (alone || spoken.has(name) || /\p{L}\s+\p{L}/u.test(value))
    return told && value ? [[wordsOf(name.slice(name.indexOf(':') + 1)), value] as [string, string]] : []
  })
}

/** Every value in a record with the name of its element; what comes more than once is listed. */
const recordLine = (record: XmlNode): string => {
  const values = new Map<string, string[]>()
  const put = (name: string, value: string): void => {
    values.set(name, [...(values.get(name) ?? []), value])
  }
  const collect = (node: XmlNode): void => {
    for (const [name, value] of fieldsOf(node)) put(name, value)
    for (const child of elementsOf(node)) {
      if (elementsOf(child).length > 0 && !hasOwnText(child)) {
        collect(child)
        continue
      }
      for (const [name, value] of fieldsOf(child)) put(name, value)
      const text = lineOf(child)
      if (text) put(wordsOf(child.name), text)
    }
  }
  collect(record)
  return rowLine(
    Array.from(values.values(), (some) => some.join(', ')),
    [...values.keys()],
  )
}

const heightOf = (node: XmlNode): number =>
  hasOwnText(node) ? 0 : Math.max(0, ...elementsOf(node).map((child) => 1 + heightOf(child)))

/** Among its children are records of one kind. */
const holdsRecords = (node: XmlNode): boolean =>
  [...Map.groupBy(elementsOf(node), ({ name }) => name).values()].some(
    (alike) => alike.length > 1 && alike.some((one) => elementsOf(one).length > 0 && !hasOwnText(one)),
  )

const isRecord = (node: XmlNode): boolean =>
  !hasOwnText(node) &&
  !holdsRecords(node) &&
  (elementsOf(node).length > 0 || fieldsOf(node).length > 1) &&
  !elementsOf(node).some(({ name }) => proseNames.has(name)) &&
  textOf(node).length <= recordCharsMax &&
  heightOf(node) <= 4

/** Those of the children that are the heading: a label and a title, as in "Figure 1. Growth". */
const titlesOf = (children: readonly XmlNode[]): XmlNode[] => {
  const some = children.filter(
    (child) => titleNames.has(child.name) && hasOwnText(child) && /[\p{L}\p{N}]/u.test(textOf(child)),
  )
  const label = some.find(({ name }) => name === 'label')
  const title = some.find(({ name }) => name !== 'label')
  return [label, title].filter((one) => one !== undefined)
}

const isTableRow = (node: XmlNode): boolean => {
  const cells = elementsOf(node)
  return cells.length > 0 && cells.every(({ name }) => cellNames.has(name))
}

/** Reads XML. Throws `Refusal`: `wrong-type` (a DOCTYPE with entities among them), `too-nested`, `damaged`, `no-text`, `too-much-text`. */
export const parseXml = (bytes: Uint8Array): ParsedDocument => {
  const source = readText(bytes)
  const root = parseXmlTree(source)
  // The parser does not ask whether all that was opened is closed.
  const last = /<\/\s*(?:[^<>\s:]+:)?([^<>\s:]+)\s*>\s*(?:<!--[\s\S]*?-->\s*)*$/.exec(source.slice(-endChars))
  if (root.children.length > 0 && last?.[1] !== root.name) throw new Refusal('damaged', 'cut short')
  const builder = createTextBuilder()

  const addFields = (node: XmlNode): void => {
    for (const [name, value] of fieldsOf(node)) builder.add('row', `${name}: ${value}`)
  }

  const walk = (children: readonly XmlNode[], titles: readonly XmlNode[], level: number): void => {
    const counts = Map.groupBy(children, ({ name }) => name)
    for (const child of children) {
      if (titles.includes(child)) continue
      const alike = counts.get(child.name)?.length ?? 0
      if (isTableRow(child)) {
        const cells = elementsOf(child).map((cell) => lineOf(cell).replaceAll('|', '/'))
        if (cells.some(Boolean)) builder.add('row', cells.join(' | '))
      } else if (hasOwnText(child)) {
        const line = lineOf(child)
        const labelled = line.length <= labelledCharsMax && !proseNames.has(child.name) && !titleNames.has(child.name)
        if (labelled) builder.add('row', `${wordsOf(child.name)}: ${line}`)
        else builder.add('paragraph', line)
      } else if ((alike > 1 || children.length === 1 || heightOf(child) < 2) && isRecord(child)) {
        builder.add('row', recordLine(child))
      } else addSection(child, level, alike)
    }
  }

  const addSection = (node: XmlNode, level: number, alike: number): void => {
    const children = elementsOf(node)
    const titles = titlesOf(children)
    const words = titles.map(lineOf).join(' ') || (node.attributes.title ?? node.attributes.name ?? '')
    // An element that only wraps another, or is one of many without a title, says nothing by its name.
    const named = children.length > 1 && alike === 1 && !structural.has(node.name)
    const heading = words || (named ? wordsOf(node.name) : '')
    if (heading) builder.add('heading', oneLine(heading), Math.min(level, levelMax))
    addFields(node)
    walk(children, titles, heading ? level + 1 : level)
  }

  addFields(root)
  walk(elementsOf(root), [], 1)
  if (builder.length() === 0) {
    const line = lineOf(root)
    if (!line) throw new Refusal('no-text')
    builder.add('paragraph', line)
  }
  const title =
    elementsOf(root).find(({ name }) => name === 'title') ??
    elementsBelow(root, 'article-title')[0] ??
    elementsBelow(root, 'title')[0]
  return {
    kind: 'xml',
    title: title ? cleanLine(lineOf(title)) : null,
    ...builder.build(),
    pages: [],
  }
}
