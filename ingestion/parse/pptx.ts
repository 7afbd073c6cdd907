/**
 * PPTX: a page for each slide in the order of the show, with its tables, charts and speaker notes. Relations that lead out of the
 * archive are not followed.
 */
import { type Archive, openArchive, partName } from './archive.ts'
import { createTextBuilder, type TextBuilder } from './builder.ts'
import { oneLine } from './clean-text.ts'
import { rowLine } from './csv.ts'
import { readProperties } from './dublin-core.ts'
import type { ParsedDocument, ParsedPage } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { elementAt, elementsBelow, elementsOf, parseXmlTree, textOf, type XmlNode } from './xml-tree.ts'

/** Layouts, masters and themes hold prompts such as "Click to edit"; media and embedded files are not read. */
const wanted = /^(?!ppt\/(?:slideLayouts|slideMasters|notesMasters|theme|media|embeddings)\/).*\.(?:xml|rels)$/i
const slidesMax = 5_000

type Relation = { id: string; type: string; part: string }

/** What a part points at inside the archive. */
const relationsOf = (archive: Archive, part: string): Relation[] => {
  const at = part.lastIndexOf('/') + 1
  const source = archive.text(`${part.slice(0, at)}_rels/${part.slice(at)}.rels`)
  if (source === null) return []
  return elementsOf(parseXmlTree(source), 'Relationship').flatMap(({ attributes }) => {
    const { Id: id = '', Type: type = '', Target: target = '', TargetMode: mode } = attributes
    const name = mode === 'External' ? null : partName(part, target)
    return name ? [{ id, type: type.slice(type.lastIndexOf('/') + 1), part: name }] : []
  })
}

const treeOf = (archive: Archive, part: string): XmlNode | undefined => {
  const source = archive.text(part)
  return source === null ? undefined : parseXmlTree(source)
}

/** The id of a relation stands in an attribute with a prefix; an `id` without one is something else. */
const relationId = ({ attributes }: XmlNode): string | undefined =>
  Object.entries(attributes).find(([name]) => /:(?:id|dm)$/.test(name))?.[1]

const lineOf = (paragraph: XmlNode): string => {
  const words = (node: XmlNode): string =>
    node.name === 't' ? textOf(node) : node.name === 'br' ? ' ' : elementsOf(node).map(words).join('')
  return oneLine(words(paragraph))
}

const linesBelow = (node: XmlNode | undefined): string[] => elementsBelow(node, 'p').map(lineOf).filter(Boolean)

type Place = 'title' | 'body' | 'left out' | 'other'

/** What a shape is for. Dates, footers and numbers are the same on every slide. */
const placeOf = (shape: XmlNode): Place => {
  const [properties] = elementsOf(shape).filter(({ name }) => /^nv\w+Pr$/.test(name))
  const placeholder = elementAt(properties, 'nvPr', 'ph')
  if (!placeholder) return 'other'
  const type = placeholder.attributes.type ?? 'obj'
  if (type === 'title' || type === 'ctrTitle') return 'title'
  if (['dt', 'ftr', 'hdr', 'sldNum', 'sldImg'].includes(type)) return 'left out'
  return type === 'body' || type === 'obj' ? 'body' : 'other'
}

const addText = (shape: XmlNode, place: Place, builder: TextBuilder): void => {
  const paragraphs = elementsOf(elementAt(shape, 'txBody'), 'p').flatMap((paragraph) => {
    const line = lineOf(paragraph)
    return line ? [{ line, properties: elementAt(paragraph, 'pPr') }] : []
  })
  let number = 0
  for (const { line, properties } of paragraphs) {
    const numbered = elementAt(properties, 'buAutoNum')
    // The body of a slide has bullets by its layout; a single line in it is as often a sentence.
    const bulleted = elementAt(properties, 'buChar') ?? (place === 'body' && paragraphs.length > 1)
    number = numbered ? number + 1 : 0
    if (numbered) builder.add('list', `${number}. ${line}`)
    else if (bulleted && !elementAt(properties, 'buNone')) builder.add('list', `- ${line}`)
    else builder.add('paragraph', line)
  }
}

const addTable = (table: XmlNode, builder: TextBuilder): void => {
  for (const row of elementsOf(table, 'tr')) {
    const cells = elementsOf(row, 'tc').map((cell) => linesBelow(cell).join(' ').replaceAll('|', '/'))
    if (cells.some(Boolean)) builder.add('row', cells.join(' | '))
  }
}

/** The numbers behind a chart as the file caches them: a row for each category. */
const addChart = (chart: XmlNode | undefined, builder: TextBuilder): void => {
  builder.add('paragraph', linesBelow(elementAt(chart, 'chart', 'title')).join(' '))
  const points = (node: XmlNode | undefined): Map<string, string> =>
    new Map(elementsBelow(node, 'pt').map((point) => [point.attributes.idx ?? '', textOf(elementAt(point, 'v'))]))
  const series = elementsBelow(elementAt(chart, 'chart', 'plotArea'), 'ser').map((one) => ({
    name: oneLine([...points(elementAt(one, 'tx')).values()].join(' ')),
    categories: points(elementAt(one, 'cat') ?? elementAt(one, 'xVal')),
    values: points(elementAt(one, 'val') ?? elementAt(one, 'yVal')),
  }))
  const names = ['Category', ...series.map(({ name }, index) => name || `Series ${index + 1}`)]
  const keys = new Set(series.flatMap(({ values }) => [...values.keys()]))
  for (const key of keys) {
    const category = series.map(({ categories }) => categories.get(key)).find(Boolean) ?? ''
    builder.add('row', rowLine([category, ...series.map(({ values }) => values.get(key) ?? '')], names))
  }
}

const commentNames: ReadonlySet<string> = new Set(['commentAuthors', 'authors'])

const addComments = (
  comments: XmlNode | undefined,
  authors: ReadonlyMap<string, string>,
  builder: TextBuilder,
): void => {
  for (const comment of ['cm', 'reply'].flatMap((name) => elementsBelow(comments, name))) {
    const text = [oneLine(textOf(elementAt(comment, 'text'))), ...linesBelow(elementAt(comment, 'txBody'))].join(' ')
    const author = authors.get(comment.attributes.authorId ?? '')
    if (text.trim()) builder.add('paragraph', `Comment${author ? ` by ${author}` : ''}: ${text.trim()}`)
  }
}

/** Reads the slides. Throws `Refusal`: those of the archive and its XML, `wrong-type`, `no-text`, `too-many-pages`. */
export const parsePptx = (bytes: Buffer, onProgress: (done: number, total: number) => void): ParsedDocument => {
  const archive = openArchive(bytes, wanted)
  const main = relationsOf(archive, '').find(({ type }) => type === 'officeDocument')?.part ?? 'ppt/presentation.xml'
  const presentation = treeOf(archive, main)
  if (presentation?.name !== 'presentation') throw new Refusal('wrong-type', 'no presentation')
  const parts = relationsOf(archive, main)
  const authors = new Map(
    parts
      .filter(({ type }) => commentNames.has(type))
      .flatMap(({ part }) => elementsOf(treeOf(archive, part)))
      .map(({ attributes }) => [attributes.id ?? '', oneLine(attributes.name ?? '')]),
  )
  const slides = elementsOf(elementAt(presentation, 'sldIdLst'), 'sldId').flatMap(
    (entry) => parts.find(({ id }) => id === relationId(entry))?.part ?? [],
  )
  if (slides.length > slidesMax) throw new Refusal('too-many-pages', `${slides.length} slides`)

  const builder = createTextBuilder()
  const pages: ParsedPage[] = []
  const hidden: { start: number; end: number }[] = []
  let words = 0
  let firstTitle = ''

  for (const [index, part] of slides.entries()) {
    const slide = treeOf(archive, part)
    const relations = relationsOf(archive, part)
    const shapes = elementAt(slide, 'cSld', 'spTree')
    const titles = elementsBelow(shapes, 'sp').filter((shape) => placeOf(shape) === 'title')
    const title = titles.flatMap(linesBelow).join(' ')
    firstTitle ||= title
    const heading = builder.add('heading', title || `Slide ${index + 1}`, 1)
    const start = heading?.start ?? builder.length()
    const bare = builder.length()

    const linked = (node: XmlNode | undefined): XmlNode | undefined => {
      const relation = node && relations.find(({ id }) => id === relationId(node))
      return relation && treeOf(archive, relation.part)
    }
    // The order of the tree is the order in which screen readers read a slide; positions would mix its columns.
    const walk = (node: XmlNode | undefined): void => {
      for (const child of elementsOf(node)) {
        if (child.name === 'AlternateContent') {
          const choices = elementsOf(child)
          walk(choices.find((one) => linesBelow(one).length > 0) ?? choices[0])
        } else if (child.name === 'graphicData') {
          for (const table of elementsOf(child, 'tbl')) addTable(table, builder)
          addChart(linked(elementsOf(child, 'chart')[0]), builder)
          for (const line of linesBelow(linked(elementsOf(child, 'relIds')[0]))) builder.add('list', `- ${line}`)
        } else if (elementAt(child, 'txBody')) {
          const place = placeOf(child)
          if (place !== 'title' && place !== 'left out') addText(child, place, builder)
        } else walk(child)
      }
    }
    walk(shapes)
    for (const { type, part: other } of relations) {
      if (type === 'comments') addComments(treeOf(archive, other), authors, builder)
      if (type !== 'notesSlide') continue
      const notes = elementsBelow(treeOf(archive, other), 'sp')
        .filter((shape) => placeOf(shape) === 'body')
        .flatMap(linesBelow)
      if (notes.length > 0) builder.add('paragraph', `Notes: ${notes.join('\n')}`)
    }
    if (title || builder.length() > bare) words += 1
    const end = builder.length()
    pages.push({ page: index + 1, charStart: start, charEnd: end, boxes: [] })
    if (['0', 'false'].includes(slide?.attributes.show ?? '')) hidden.push({ start, end })
    onProgress(index + 1, slides.length)
  }
  if (words === 0) throw new Refusal('no-text')
  return {
    kind: 'pptx',
    ...readProperties(archive.text('docProps/core.xml')),
    ...(firstTitle ? { title: firstTitle } : {}),
    ...builder.build(),
    pages,
    ...(hidden.length > 0 ? { hidden } : {}),
  }
}
