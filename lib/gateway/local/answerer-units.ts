/** The evidence cut into what can be quoted: sentences, bullets, and rows of tables with the names of their columns. */

import type { SourcePassage } from '#lib/shared/source-slot.ts'
import { supportWords, textUnits } from '#lib/shared/support.ts'

export type Cell = { label: string; value: string }

export type Unit = {
  /** The source's number, as it is cited. */
  n: number
  /** Position of the source and of the unit in it: document order. */
  source: number
  index: number
  /** What would be quoted, without bullet or numbering. */
  text: string
  /** Set for a row of a table. */
  cells: Cell[] | null
  isQuestion: boolean
  isListItem: boolean
  words: string[]
  /** Words that hold for it without standing in it: title, headings, the question it answers, the line that leads its list. */
  around: Set<string>
  /** Title and headings as they are written, for identifiers. */
  place: string
  /** What the encoder reads: the unit with its last heading or lead. */
  readable: string
}

const unitCharsMax = 600

const unmarked = (text: string): string =>
  text
    .replace(/^\s*(?:[-*+•–]\s+|#{1,6}\s+|>\s+|[AQ]:\s+)+/, '')
    .replace(/\s+/g, ' ')
    .trim()

const splitBar = (line: string): string[] =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim())

/** A row with bars, whether or not they also stand at its ends. */
const isBar = (line: string): boolean => splitBar(line).length > 1 && /^\s*\|.*\|\s*$|\S \| /.test(line)
const isRule = (line: string): boolean => /^\s*\|?[\s:|-]+\|?\s*$/.test(line) && line.includes('-')

/** "a: b; c: d", the way tables are written out for search. */
const namedCells = (line: string): Cell[] | null => {
  const parts = line
    .replace(/^\s*[-*•]\s+/, '')
    .replace(/\.$/, '')
    .split(/;\s+(?=[^:;]{1,60}:\s)/)
  if (parts.length < 2) return null
  const cells: Cell[] = []
  for (const part of parts) {
    const [, label, value] = part.match(/^([^:;]{1,60}):\s+(.*)$/s) ?? []
    if (!label || value === undefined) return null
    cells.push({ label: label.trim(), value: value.trim() })
  }
  return cells
}

const cellsOf = (line: string, header: readonly string[] | null): Cell[] | null => {
  if (isBar(line)) return splitBar(line).map((value, i) => ({ label: header?.[i] ?? '', value }))
  return namedCells(line)
}

const rowText = (cells: readonly Cell[]): string =>
  cells.map(({ label, value }) => (label ? `${label}: ${value}` : value)).join('; ')

/** The column names a table's part carries along with it when it was cut off from its first row. */
const headerFrom = (context: string): string[] | null => {
  const line = context.split('\n').find(isBar)
  return line ? splitBar(line) : null
}

/** Everything in the sources that can be quoted, in document order. */
export const unitsOf = (passages: readonly SourcePassage[]): Unit[] =>
  passages.flatMap((passage, source) => {
    const place = [passage.title, ...passage.headingPath].join('\n')
    const above = new Set(supportWords(place))
    const heading = passage.headingPath.at(-1) ?? passage.title
    const units: Unit[] = []
    const carried = headerFrom(passage.context)
    let header = carried
    let inTable = false
    let lead = ''
    let leadKind: 'none' | 'question' | 'list' = 'none'
    const spans = textUnits(passage.text)
    for (const [index, { start, end }] of spans.entries()) {
      const raw = passage.text.slice(start, end)
      if (isRule(raw)) continue
      if (!isBar(raw)) inTable = false
      else if (!inTable) {
        inTable = true
        // The first row of a table names its columns, unless the table began in the passage before.
        const next = spans[index + 1]
        const goesOn = next && isBar(passage.text.slice(next.start, next.end))
        if (index > 0 || !carried) header = goesOn ? splitBar(raw) : null
        if (header && (index > 0 || !carried)) continue
      }
      // Units come without their bullets and numbers, which stand before them.
      const before = passage.text.slice(Math.max(0, start - 8), start)
      const isListItem = /(?:^|\n)\s*(?:[-*+•–]|\d{1,3}[.)])\s+$/.test(before)
      if (!isListItem && leadKind === 'list' && /(?:^|\n)\s*$/.test(before)) leadKind = 'none'
      const cells = cellsOf(raw, header)
      const text = cells ? rowText(cells) : unmarked(raw)
      if (!text || (/^#/.test(raw.trim()) && !cells)) {
        if (text) [lead, leadKind] = [text, 'question']
        continue
      }
      const cut =
        text.length > unitCharsMax
          ? `${text.slice(0, text.lastIndexOf(' ', unitCharsMax) + 1 || unitCharsMax).trim()} …`
          : text
      const isQuestion = /\?["”)]?$/.test(text) || /^\s*Q:/.test(raw)
      units.push({
        n: passage.n,
        source,
        index,
        text: cut,
        cells,
        isQuestion,
        isListItem,
        words: supportWords(cut),
        place,
        around: leadKind === 'none' ? above : new Set([...above, ...supportWords(lead)]),
        readable: `${leadKind === 'none' ? heading : lead}: ${cut}`,
      })
      if (isQuestion) {
        // Questions in a row belong together: "I lost a receipt. What now?" is both.
        const before = units.at(-2)
        lead = leadKind === 'question' && before?.isQuestion ? `${lead} ${text}` : text
        leadKind = 'question'
      } else if (text.endsWith(':')) [lead, leadKind] = [text, 'list']
    }
    return units
  })
