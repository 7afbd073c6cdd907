/** Markdown by its syntax tree: what is read and cited are the words, not the marks. Fences and rows are never cut. */
import remarkGfm from 'remark-gfm'
import remarkParse from 'remark-parse'
import { unified } from 'unified'
import { createTextBuilder } from './builder.ts'
import { addHtml } from './hast-blocks.ts'
import { markdownStretches } from './markdown-stretches.ts'
import { metaOf } from './meta.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { readText } from './text.ts'

type Node = {
  type: string
  depth?: number
  value?: string
  alt?: string | null
  ordered?: boolean | null
  start?: number | null
  children?: Node[]
}

const parser = unified().use(remarkParse).use(remarkGfm)

const frontMatter = /^---\n([\s\S]{0,10000}?)\n---(?:\n|$)/
/** What the front matter says under a name. */
const fieldOf = (front: string, name: 'title' | 'author' | 'date'): string | null =>
  new RegExp(`^${name}:[ \\t]*["']?(.+?)["']?[ \\t]*$`, 'm').exec(front)?.[1] ?? null

const plain = (node: Node): string => {
  if (node.type === 'break') return ' '
  if (node.type === 'html') return ''
  if (node.value !== undefined) return node.value
  return node.alt ?? (node.children ?? []).map(plain).join('')
}
const oneLine = (node: Node): string => plain(node).replace(/\s+/g, ' ').trim()

export const parseMarkdown = (bytes: Uint8Array): ParsedDocument => {
  const raw = readText(bytes)
  const front = frontMatter.exec(raw)
  const source = front ? raw.slice(front[0].length) : raw
  const said = front?.[1] ?? ''
  let title = fieldOf(said, 'title')
  const builder = createTextBuilder()

  const addList = (list: Node): void => {
    let number = list.start ?? 1
    for (const item of list.children ?? []) {
      const nested = (item.children ?? []).filter(({ type }) => type === 'list')
      const others = (item.children ?? []).filter(({ type }) => type !== 'list')
      const mark = list.ordered ? `${number}.` : '-'
      number += 1
      builder.add('list', `${mark} ${others.map(oneLine).join(' ')}`)
      for (const child of nested) addList(child)
    }
  }
  const walk = (node: Node): void => {
    switch (node.type) {
      case 'heading':
        if (node.depth === 1) title ??= oneLine(node)
        builder.add('heading', oneLine(node), node.depth ?? 1)
        return
      case 'list':
        addList(node)
        return
      case 'table':
        for (const row of node.children ?? [])
          builder.add('row', (row.children ?? []).map((cell) => oneLine(cell).replaceAll('|', '/')).join(' | '))
        return
      case 'code':
        builder.add('code', node.value ?? '')
        return
      case 'html':
        addHtml(node.value ?? '', builder)
        return
      case 'blockquote':
      case 'root':
      case 'footnoteDefinition':
        for (const child of node.children ?? []) walk(child)
        return
      case 'definition':
      case 'thematicBreak':
        return
      default:
        builder.add('paragraph', oneLine(node))
    }
  }
  for (const stretch of markdownStretches(source)) walk(parser.parse(stretch) as Node)
  const built = builder.build()
  if (!built.text.trim()) throw new Refusal('no-text')
  return {
    kind: 'markdown',
    title,
    ...built,
    pages: [],
    ...metaOf({ author: fieldOf(said, 'author'), date: fieldOf(said, 'date') }),
  }
}
