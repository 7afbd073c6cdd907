/** CSV: each row becomes one line that names its columns, so that any row can be understood, cited and quoted by itself. */
import { parse } from 'csv-parse/sync'
import { createTextBuilder } from './builder.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { readText } from './text.ts'

const delimiters = [',', ';', '\t', '|'] as const
const sampleLines = 20

/** The delimiter that cuts the first lines into the same, largest number of cells. */
const sniffDelimiter = (text: string): string => {
  const sample = text
    .split('\n', sampleLines + 1)
    .slice(0, sampleLines)
    .filter((line) => line.trim())
  let best: { delimiter: string; score: number } = { delimiter: ',', score: 0 }
  for (const delimiter of delimiters) {
    const counts = sample.map((line) => line.replace(/"[^"]*"/g, '').split(delimiter).length - 1)
    const usual = counts.filter((count) => count === counts[0]).length / Math.max(1, counts.length)
    const score = (counts[0] ?? 0) > 0 ? usual * 10 + Math.min(counts[0] ?? 0, 5) : 0
    if (score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}

const oneLine = (cell: string): string => cell.replace(/\s+/g, ' ').trim()

/** A row on one line: every value with the name of its column, empty cells left out. Without names, the values alone. */
export const rowLine = (row: readonly string[], names: readonly string[] | null): string =>
  row
    .flatMap((cell, index) => {
      const value = oneLine(cell)
      if (!value) return []
      return names ? [`${names[index] || `column ${index + 1}`}: ${value}`] : [value]
    })
    .join('; ')

export const parseCsv = (bytes: Uint8Array): ParsedDocument => {
  const source = readText(bytes)
  let records: string[][]
  try {
    records = parse(source, {
      delimiter: sniffDelimiter(source),
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
    }) as string[][]
  } catch (error) {
    throw new Refusal('damaged', error instanceof Error ? error.message : 'not CSV')
  }
  const [header = [], ...rows] = records
  const names = header.map((name, index) => oneLine(name) || `column ${index + 1}`)
  const builder = createTextBuilder()
  // One row is a list without a header.
  if (rows.length === 0) builder.add('row', rowLine(header, null))
  for (const row of rows) builder.add('row', rowLine(row, names))
  return { kind: 'csv', title: null, ...builder.build(), pages: [], context: names.join(', ') }
}
