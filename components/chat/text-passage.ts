/**
 * A document's canonical text as blocks a person can read, with one exact range marked. Offsets are those of the text; only what
 * is shown of a line changes (a `#` or a list sign is drawn instead of written).
 */
export type Range = { start: number; end: number }
export type Piece = { text: string; marked: boolean }
export type TextBlock =
  | { kind: 'heading'; level: number; start: number; pieces: Piece[] }
  | { kind: 'paragraph' | 'item'; start: number; pieces: Piece[] }
  | { kind: 'table'; start: number; rows: { start: number; cells: { start: number; pieces: Piece[] }[] }[] }

/** A line this long was wrapped by a program; a shorter one was ended by its author. */
const wrappedLineChars = 50

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

const headingSign = /^(#{1,6})\s+/
const itemSign = /^\s*[-*•]\s+/
const tableRow = /^\s*\|.*\|\s*$/
const tableRule = /^[\s|:-]+$/

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

const cellsOf = (text: string, line: Line, mark: Range): { start: number; pieces: Piece[] }[] => {
  const bars = [...line.text.matchAll(/(?<!\\)\|/g)].map(({ index }) => line.start + index)
  return bars.slice(0, -1).map((bar, i) => {
    const end = bars[i + 1] ?? line.end
    return { start: bar + 1, pieces: piecesOf(text, { start: bar + 1, end }, mark) }
  })
}

/** The blocks of one window of the text. */
export const readableBlocks = (text: string, window: Range, mark: Range): TextBlock[] => {
  const blocks: TextBlock[] = []
  let paragraph: Range | null = null
  const close = (): void => {
    if (!paragraph) return
    const unwrapped = text.slice(paragraph.start, paragraph.end).replace(/[^\n]+\n/g, (line) =>
      // Of the same length, so that the mark stays where it is.
      line.length > wrappedLineChars ? `${line.slice(0, -1)} ` : line,
    )
    const shifted = { start: mark.start - paragraph.start, end: mark.end - paragraph.start }
    const pieces = piecesOf(unwrapped, { start: 0, end: unwrapped.length }, shifted)
    blocks.push({ kind: 'paragraph', start: paragraph.start, pieces })
    paragraph = null
  }
  for (const line of linesOf(text, window)) {
    const sign = headingSign.exec(line.text) ?? itemSign.exec(line.text)
    if (!line.text.trim()) close()
    else if (tableRow.test(line.text)) {
      close()
      if (tableRule.test(line.text)) continue
      const row = { start: line.start, cells: cellsOf(text, line, mark) }
      const last = blocks.at(-1)
      if (last?.kind === 'table') last.rows.push(row)
      else blocks.push({ kind: 'table', start: line.start, rows: [row] })
    } else if (sign) {
      close()
      const pieces = piecesOf(text, { start: line.start + sign[0].length, end: line.end }, mark)
      const level = sign[1]?.length
      blocks.push(
        level ? { kind: 'heading', level, start: line.start, pieces } : { kind: 'item', start: line.start, pieces },
      )
    } else paragraph = { start: (paragraph as Range | null)?.start ?? line.start, end: line.end }
  }
  close()
  return blocks
}
