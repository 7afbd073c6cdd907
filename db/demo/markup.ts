/**
 * The source texts use a small part of Markdown: front matter, two levels of headings, paragraphs on one line, bullet
 * and numbered lists, tables, and quoted notes. Anything else is an error, so that a slip in a text stops the build.
 */

export type Block =
  | { kind: 'heading'; level: 1 | 2; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'bullets'; items: string[] }
  | { kind: 'steps'; items: string[] }
  | { kind: 'table'; header: string[]; rows: string[][] }
  | { kind: 'note'; label: string; text: string }
  | { kind: 'figure'; name: string }

export type SourceText = {
  title: string
  subtitle: string
  edition: string
  owner: string
  footer: string
  blocks: Block[]
}

function splitRow(line: string): string[] {
  return line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim())
}

function parseTable(lines: string[]): Block {
  const [headerLine = '', , ...rowLines] = lines
  const header = splitRow(headerLine)
  const rows = rowLines.map(splitRow)
  for (const row of rows) {
    if (row.length !== header.length) throw new Error(`Table row has ${row.length} cells: ${row.join(' | ')}`)
  }
  return { kind: 'table', header, rows }
}

function parseBlock(chunk: string): Block {
  const lines = chunk.split('\n')
  const first = lines[0] ?? ''
  if (lines.every((line) => line.startsWith('|'))) return parseTable(lines)
  if (lines.every((line) => line.startsWith('- '))) {
    return { kind: 'bullets', items: lines.map((line) => line.slice(2)) }
  }
  if (lines.every((line) => /^\d+\. /.test(line))) {
    return { kind: 'steps', items: lines.map((line) => line.replace(/^\d+\. /, '')) }
  }
  if (lines.length > 1) throw new Error(`A block mixes kinds of lines: ${first}`)
  if (first.startsWith('## ')) return { kind: 'heading', level: 2, text: first.slice(3) }
  if (first.startsWith('# ')) return { kind: 'heading', level: 1, text: first.slice(2) }
  if (first.startsWith('!figure ')) return { kind: 'figure', name: first.slice(8) }
  const note = /^> (\w+): (.+)$/.exec(first)
  if (note) return { kind: 'note', label: note[1] ?? '', text: note[2] ?? '' }
  return { kind: 'paragraph', text: first }
}

export function parseSource(source: string): SourceText {
  const match = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(source)
  if (!match) throw new Error('The source text has no front matter')
  const fields = new Map<string, string>()
  for (const line of (match[1] ?? '').split('\n')) {
    const colon = line.indexOf(': ')
    fields.set(line.slice(0, colon), line.slice(colon + 2))
  }
  const field = (name: string): string => {
    const value = fields.get(name)
    if (!value) throw new Error(`The front matter has no ${name}`)
    return value
  }
  const blocks = (match[2] ?? '')
    .split(/\n{2,}/)
    .map((chunk) => chunk.trim())
    .filter((chunk) => chunk !== '')
    .map(parseBlock)
  return {
    title: field('title'),
    subtitle: field('subtitle'),
    edition: field('edition'),
    owner: field('owner'),
    footer: field('footer'),
    blocks,
  }
}
