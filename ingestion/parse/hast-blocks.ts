/** Blocks out of an HTML tree: headings, paragraphs, list items, table rows, code. Shared by HTML and by DOCX, which becomes HTML first. */
import rehypeParse from 'rehype-parse'
import { unified } from 'unified'
import type { TextBuilder } from './builder.ts'

type Node = { type: string; tagName?: string; value?: string; children?: Node[]; properties?: Record<string, unknown> }

const blockTags = new Set(
  'address article aside blockquote body dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody td tfoot th thead tr ul'.split(
    ' ',
  ),
)
const silentTags = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'head',
  'svg',
  'iframe',
  'object',
  'button',
  'select',
  'input',
  'textarea',
  'nav',
])
/** Cells say that they reach further than any table does. */
const rowspanMax = 200
const colspanMax = 100
/** Trees this deep are not documents. */
const depthMax = 200

const parser = unified().use(rehypeParse, { fragment: true })

/** The words of a node on one line; line breaks and nested blocks become spaces. */
const lineOf = (node: Node, depth = 0): string => {
  if (node.type === 'text') return node.value ?? ''
  if (depth > depthMax || (node.tagName && silentTags.has(node.tagName))) return ''
  if (node.tagName === 'br') return ' '
  // What a picture says to those who do not see it.
  if (node.tagName === 'img') return typeof node.properties?.alt === 'string' ? ` ${node.properties.alt} ` : ''
  const inside = (node.children ?? []).map((child) => lineOf(child, depth + 1)).join('')
  return node.tagName && blockTags.has(node.tagName) ? ` ${inside} ` : inside
}
const oneLine = (node: Node): string => lineOf(node).replace(/\s+/g, ' ').trim()

const rawText = (node: Node): string =>
  node.type === 'text' ? (node.value ?? '') : (node.children ?? []).map(rawText).join('')

/** Asked again at each level of the tree; without a memory, deep pages would take time with the square of their depth. */
const knownToHaveBlock = new WeakMap<Node, boolean>()
const hasBlock = (node: Node): boolean => {
  const known = knownToHaveBlock.get(node)
  if (known !== undefined) return known
  const found = (node.children ?? []).some(
    (child) => child.tagName !== undefined && (blockTags.has(child.tagName) || hasBlock(child)),
  )
  knownToHaveBlock.set(node, found)
  return found
}

const elements = (node: Node, tag: string): Node[] =>
  (node.children ?? []).flatMap((child) =>
    child.tagName === tag ? [child] : child.tagName === 'table' ? [] : elements(child, tag),
  )

export const addHtml = (html: string, builder: TextBuilder): void => {
  const addTable = (table: Node): void => {
    for (const caption of elements(table, 'caption')) builder.add('paragraph', oneLine(caption))
    /** By column: cells that reach down into the next rows, each of which has to be understood by itself. */
    let reaching: { text: string; rows: number }[] = []
    for (const row of elements(table, 'tr')) {
      const own = (row.children ?? []).filter(({ tagName }) => tagName === 'td' || tagName === 'th')
      const cells: string[] = []
      const next: typeof reaching = []
      const take = (cell: { text: string; rows: number }): void => {
        if (cell.rows > 1) next[cells.length] = { text: cell.text, rows: cell.rows - 1 }
        cells.push(cell.text)
      }
      const takeReaching = (): void => {
        for (let above = reaching[cells.length]; above; above = reaching[cells.length]) take(above)
      }
      for (const cell of own) {
        takeReaching()
        take({ text: oneLine(cell), rows: Math.min(rowspanMax, Number(cell.properties?.rowSpan) || 1) })
        // A cell over many columns says its words once.
        const more = Math.min(colspanMax, Number(cell.properties?.colSpan) || 1) - 1
        for (let column = 0; column < more; column += 1) cells.push('')
      }
      takeReaching()
      reaching = next
      const filled = cells.filter(Boolean)
      if (filled.length > 0)
        builder.add(
          'row',
          filled.length === 1 && cells[0] ? cells[0] : cells.map((cell) => cell.replaceAll('|', '/')).join(' | '),
        )
    }
  }

  const addList = (list: Node, indent: number, depth: number): void => {
    let number = Number(list.properties?.start ?? 1)
    for (const item of list.children ?? []) {
      if (item.tagName !== 'li') {
        if (item.tagName) walk(item, depth + 1)
        continue
      }
      const nested = (item.children ?? []).filter(
        ({ tagName }) => tagName === 'ul' || tagName === 'ol' || tagName === 'table',
      )
      const own = oneLine({ ...item, children: (item.children ?? []).filter((child) => !nested.includes(child)) })
      const mark = list.tagName === 'ol' ? `${number}.` : '-'
      number += 1
      if (own) builder.add('list', `${mark} ${own}`)
      for (const child of nested) child.tagName === 'table' ? addTable(child) : addList(child, indent + 1, depth + 1)
    }
  }

  const walk = (node: Node, depth: number): void => {
    if (depth > depthMax) return
    let run: Node[] = []
    const closeRun = (): void => {
      builder.add('paragraph', oneLine({ type: 'element', children: run }))
      run = []
    }
    for (const child of node.children ?? []) {
      const tag = child.tagName
      if (tag && silentTags.has(tag)) continue
      if (!tag || !(blockTags.has(tag) || hasBlock(child))) {
        run.push(child)
        continue
      }
      closeRun()
      if (/^h[1-6]$/.test(tag)) builder.add('heading', oneLine(child), Number(tag.slice(1)))
      else if (tag === 'pre') builder.add('code', rawText(child))
      else if (tag === 'ul' || tag === 'ol') addList(child, 0, depth)
      else if (tag === 'table') addTable(child)
      else if (tag === 'dt') builder.add('paragraph', oneLine(child))
      else if (hasBlock(child)) walk(child, depth + 1)
      else builder.add('paragraph', oneLine(child))
    }
    closeRun()
  }
  walk(parser.parse(html) as Node, 0)
}
