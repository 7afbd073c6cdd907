/**
 * A document's canonical text as blocks a person can read, with one exact range marked. In it blocks stand apart by a blank line,
 * a line is a row when it has cells (`a | b`), an item when it has a sign (`-`, `2.`), and a short line alone is a heading.
 * Offsets are those of the text; only signs are drawn instead of written.
 */
export type Range = { start: number; end: number }
export type Piece = { text: string; marked: boolean }
type Cell = { start: number; label: string | null; pieces: Piece[] }
type Row = { start: number; cells: Cell[] }
export type TextBlock =
  | { kind: 'heading'; level: number; start: number; pieces: Piece[] }
  | { kind: 'paragraph' | 'code'; start: number; pieces: Piece[] }
  | { kind: 'item'; sign: string; start: number; pieces: Piece[] }
  | { kind: 'table' | 'records'; start: number; rows: Row[] }

/** The pieces of `text` from `start` to `end`, cut where the mark begins and ends. Empty pieces are left out. */
export const piecesOf = (text: string, { start, end }: Range, mark: Range): Piece[] => {
  const cuts = [start, Math.min(Math.max(mark.start, start), end), Math.max(Math.min(mark.end, end), start), end]
  return [0, 1, 2].flatMap((i) => {
    const from = cuts[i] ?? end
    const to = cuts[i + 1] ?? end
    return from < to ? [{ text: text.slice(from, to), marked: i === 1 }] : []
  })
}

/** The part of a long text to show around a range, widened to whole lines. */
export const windowAround = (text: string, mark: Range, chars: number): Range => {
  const from = Math.max(0, mark.start - chars)
  const to = Math.min(text.length, mark.end + chars)
  const start = from === 0 ? 0 : text.lastIndexOf('\n', from) + 1
  const lineEnd = text.indexOf('\n', to)
  return { start, end: lineEnd === -1 ? text.length : lineEnd }
}

const headingCharsMax = 90
const itemSign = /^\s*([-*•–]|\d{1,3}[.)])\s+/
const cellEnd = / \| /g
const fieldEnd = /; (?=[^:;]{1,60}: )/g
const fieldName = /^([^:;]{1,60}): /
const numbering = /^(\d+(?:\.\d+)*)\.?\s/

type Line = Range & { text: string }

const linesOf = (text: string, { start, end }: Range): Line[] => {
  const lines: Line[] = []
  let from = start
  while (from <= end) {
    const newline = text.indexOf('\n', from)
    const to = newline === -1 || newline > end ? end : newline
    lines.push({ start: from, end: to, text: text.slice(from, to) })
    from = to + 1
  }
  return lines
}

/** `2.1 Roles` is two deep; a heading without a number is taken for one in the middle. */
const headingLevel = (line: string): number => numbering.exec(line)?.[1]?.split('.').length ?? 2

const isHeading = (line: string): boolean =>
  line.length <= headingCharsMax && /\p{L}/u.test(line) && !/[.!?;:,…]$/.test(line.trim())

const cutLine = (line: Line, at: RegExp): Range[] => {
  const cells: Range[] = []
  let from = 0
  for (const match of line.text.matchAll(at)) {
    cells.push({ start: line.start + from, end: line.start + match.index })
    from = match.index + match[0].length
  }
  return [...cells, { start: line.start + from, end: line.end }]
}

/** How the text of a format is read: the rows of a sheet name their columns, code is kept as it stands. */
export type TextFormat = 'records' | 'code' | 'other'

const recordTypes: ReadonlySet<string> = new Set([
  'text/csv',
  'text/tab-separated-values',
  'application/json',
  'application/jsonl',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
])

/** Source code is plain text by its type; its name says what it is. */
export const textFormatOf = ({ mediaType, name }: { mediaType: string; name: string }): TextFormat => {
  if (recordTypes.has(mediaType)) return 'records'
  return mediaType === 'text/plain' && !/\.(?:txt|log)$/i.test(name) ? 'code' : 'other'
}

/** The blocks of one window of the text. */
export const readableBlocks = (text: string, window: Range, mark: Range, format: TextFormat = 'other'): TextBlock[] => {
  if (format === 'code') return [{ kind: 'code', start: window.start, pieces: piecesOf(text, window, mark) }]
  const blocks: TextBlock[] = []
  let paragraph: Range | null = null
  const close = (): void => {
    if (!paragraph) return
    const { start, end } = paragraph
    const line = text.slice(start, end)
    const pieces = piecesOf(text, paragraph, mark)
    if (!line.includes('\n') && isHeading(line))
      blocks.push({ kind: 'heading', level: headingLevel(line), start, pieces })
    else blocks.push({ kind: 'paragraph', start, pieces })
    paragraph = null
  }
  const addRow = (kind: 'table' | 'records', row: Row): void => {
    const last = blocks.at(-1)
    if (last?.kind === kind) last.rows.push(row)
    else blocks.push({ kind, start: row.start, rows: [row] })
  }
  for (const line of linesOf(text, window)) {
    const sign = itemSign.exec(line.text)
    if (!line.text.trim()) close()
    else if (format === 'records' && fieldName.test(line.text)) {
      close()
      const cells = cutLine(line, fieldEnd).map((cell): Cell => {
        const label = fieldName.exec(text.slice(cell.start, cell.end))
        const start = cell.start + (label?.[0].length ?? 0)
        return { start, label: label?.[1] ?? null, pieces: piecesOf(text, { start, end: cell.end }, mark) }
      })
      addRow('records', { start: line.start, cells })
    } else if (line.text.includes(' | ')) {
      close()
      const cells = cutLine(line, cellEnd).map((cell) => ({
        start: cell.start,
        label: null,
        pieces: piecesOf(text, cell, mark),
      }))
      addRow('table', { start: line.start, cells })
    } else if (sign) {
      close()
      const pieces = piecesOf(text, { start: line.start + sign[0].length, end: line.end }, mark)
      const drawn = /\d/.test(sign[1] ?? '') ? (sign[1] ?? '') : '•'
      blocks.push({ kind: 'item', sign: drawn, start: line.start, pieces })
    } else paragraph = { start: (paragraph as Range | null)?.start ?? line.start, end: line.end }
  }
  close()
  return blocks
}
