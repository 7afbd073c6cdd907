/**
 * XLSX: a heading for each sheet, and each row on a line that names its columns. Nothing is computed: formulas give the value that
 * was saved with them, links and connections are not followed.
 */
import { type CellObject, type DenseWorkSheet, type Range, read } from '@e965/xlsx'
import { guardZip } from '../zip-guard.ts'
import { createTextBuilder, type TextBuilder } from './builder.ts'
import { oneLine } from './clean-text.ts'
import { rowLine } from './csv.ts'
import { cleanLine, metaOf } from './meta.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'

const rowsMax = 200_000
const cellsMax = 2_000_000
/** Nobody sets more tables side by side; a sheet with more gaps is one table. */
const regionsMax = 20
/** More columns under one name are a decoration. */
const mergedMax = 100

/** `columns`: how many it is merged over. */
type Cell = { text: string; isWord: boolean; columns: number }
type Row = Map<number, Cell>

const pad = (value: number): string => String(value).padStart(2, '0')

/** A day as 2026-11-21, with the time when there is one; a mere time of day as the sheet shows it. */
const dateText = (date: Date, shown: string | undefined): string => {
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1901) return shown ?? ''
  const iso = date.toISOString()
  const midnight = date.getUTCHours() + date.getUTCMinutes() + date.getUTCSeconds() === 0
  return midnight ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`
}

/** What a reader of the sheet sees, but with all digits where the sheet would round to fit. */
const cellText = ({ t: type, v: value, w: shown, z: format }: CellObject): string => {
  if (value === undefined || type === 'z') return ''
  if (value instanceof Date) return dateText(value, shown)
  if (type === 'n' && (format === undefined || format === 'General')) return String(value)
  return oneLine(shown ?? String(value))
}

const rowsOf = (sheet: DenseWorkSheet): Row[] => {
  const ranges: readonly Range[] = sheet['!merges'] ?? []
  const merged = new Map(
    ranges.map(({ s: from, e: to }) => [`${from.r},${from.c}`, Math.min(to.c - from.c + 1, mergedMax)]),
  )
  return Array.from(sheet['!data'] ?? [], (cells, at) => {
    const row: Row = new Map()
    // By keys: one cell far to the right must not cost as much as all the empty ones before it.
    for (const key of Object.keys(cells ?? [])) {
      const column = Number(key)
      const cell = cells?.[column]
      const text = cell ? cellText(cell) : ''
      if (text) row.set(column, { text, isWord: cell?.t === 's', columns: merged.get(`${at},${column}`) ?? 1 })
    }
    return row
  })
}

type Names = ReadonlyMap<number, string>

/** A row with the names of those columns that have a value in it. */
const lineOf = (row: Row, names: Names | null): string =>
  rowLine(
    Array.from(row.values(), ({ text }) => text),
    names && Array.from(row.keys(), (column) => names.get(column) ?? `column ${column + 1}`),
  )

/** A row of words, each another, over more rows. */
const isHeader = (row: Row): boolean =>
  row.size > 1 &&
  [...row.values()].every(({ isWord }) => isWord) &&
  new Set([...row.values()].map(({ text }) => text)).size === row.size

/** A name over several columns is the name of each. */
const namesOf = (row: Row): Names =>
  new Map(
    Array.from(row).flatMap(([column, { text, columns }]) =>
      Array.from({ length: columns }, (_, offset) => [column + offset, text] as const),
    ),
  )

const within = (row: Row, names: Names): boolean => [...row.keys()].every((column) => names.has(column))

/** Rows between two empty ones. A title above the table is a paragraph; a stretch without a header goes on under the one before. */
const addStretch = (rows: readonly Row[], before: Names | null, builder: TextBuilder): Names | null => {
  const wide = rows.findIndex(({ size }) => size > 1)
  // A single column: a few lines are notes, more are a list.
  const lead = wide >= 0 ? wide : rows.length > 2 ? 0 : rows.length
  for (const row of rows.slice(0, lead)) builder.add('paragraph', lineOf(row, null))
  const table = rows.slice(lead)
  const [first, second] = table
  if (!first) return before
  if (!second && !before && isHeader(first)) {
    // Names may stand apart from what they name.
    builder.add('row', lineOf(first, null))
    return namesOf(first)
  }
  // Where all is words, a row of words says nothing: under the same columns the table goes on.
  const goesOn = before !== null && within(first, before) && (!second || isHeader(second))
  const hasHeader = !goesOn && second !== undefined && isHeader(first)
  const kept = before !== null && table.every((row) => within(row, before)) ? before : null
  const names = hasHeader ? namesOf(first) : kept
  for (const row of hasHeader ? table.slice(1) : table) builder.add('row', lineOf(row, names))
  return names
}

/** Rows without an empty one between them. One that shares no column with the row above begins another table. */
const stretchesOf = (rows: readonly Row[]): Row[][] => {
  const stretches: Row[][] = []
  let above: Row = new Map()
  for (const row of rows) {
    const goesOn = above.size > 0 && (row.size < 2 || [...row.keys()].some((column) => above.has(column)))
    if (row.size > 0 && goesOn) stretches.at(-1)?.push(row)
    else if (row.size > 0) stretches.push([row])
    above = row
  }
  return stretches
}

/** Tables side by side: runs of columns with empty ones between them that do not begin and end in the same rows. */
const regionsOf = (rows: readonly Row[]): Row[][] => {
  const used = new Set(rows.flatMap((row) => [...row.keys()]))
  const runs: Set<number>[] = []
  for (const column of [...used].sort((a, b) => a - b)) {
    if (used.has(column - 1)) runs.at(-1)?.add(column)
    else runs.push(new Set([column]))
  }
  if (runs.length === 1 || runs.length > regionsMax) return [[...rows]]
  const parts = runs.map((run) => rows.map((row): Row => new Map([...row].filter(([column]) => run.has(column)))))
  const isFilled = ({ size }: Row): boolean => size > 0
  const extents = new Set(parts.map((part) => `${part.findIndex(isFilled)}-${part.findLastIndex(isFilled)}`))
  return extents.size === 1 ? [[...rows]] : parts.map((part) => part.filter(isFilled))
}

const addComments = (sheet: DenseWorkSheet, builder: TextBuilder): void => {
  for (const cells of sheet['!data'] ?? [])
    for (const cell of Object.values(cells ?? []))
      for (const { a: author, t: text } of cell?.c ?? []) {
        const words = oneLine(text ?? '')
        // Excel sets the name of the writer before the words as well.
        const own = author && words.startsWith(`${author}:`) ? words.slice(author.length + 1).trim() : words
        if (own) builder.add('paragraph', `Comment${author ? ` by ${oneLine(author)}` : ''}: ${own}`)
      }
}

/** Reads every sheet. Throws `Refusal`: those of the archive, `encrypted`, `wrong-type`, `no-text`, `too-much-text`. */
export const parseXlsx = (bytes: Buffer, onProgress: (done: number, total: number) => void): ParsedDocument => {
  if (!guardZip(bytes).some((name) => /^\/?xl\/workbook\d*\.xml$/i.test(name)))
    throw new Refusal('wrong-type', 'no workbook')
  const workbook = read(bytes, {
    dense: true,
    cellDates: true,
    UTC: true,
    cellNF: true,
    cellFormula: false,
    cellHTML: false,
    sheetRows: rowsMax + 1,
  })
  const builder = createTextBuilder()
  const hidden: { start: number; end: number }[] = []
  let cells = 0
  let words = 0
  workbook.SheetNames.forEach((name, index) => {
    const sheet = workbook.Sheets[name] as DenseWorkSheet | undefined
    const rows = sheet ? rowsOf(sheet) : []
    cells += rows.reduce((sum, { size }) => sum + size, 0)
    if (rows.findLastIndex(({ size }) => size > 0) >= rowsMax || cells > cellsMax)
      throw new Refusal('too-much-text', `${rows.length} rows, ${cells} cells`)
    if (sheet && rows.some(({ size }) => size > 0)) {
      words += 1
      const heading = builder.add('heading', oneLine(name), 1)
      let names: Names | null = null
      for (const stretch of stretchesOf(rows)) {
        const regions = regionsOf(stretch)
        for (const region of regions) names = addStretch(region, regions.length > 1 ? null : names, builder)
      }
      addComments(sheet, builder)
      if (heading && workbook.Workbook?.Sheets?.[index]?.Hidden)
        hidden.push({ start: heading.start, end: builder.length() })
    }
    onProgress(index + 1, workbook.SheetNames.length)
  })
  if (words === 0) throw new Refusal('no-text')
  const { Title: title, Author: author, ModifiedDate: changed, CreatedDate: created } = workbook.Props ?? {}
  const date = changed ?? created
  return {
    kind: 'xlsx',
    title: cleanLine(title),
    ...builder.build(),
    pages: [],
    ...metaOf({ author, date: date instanceof Date && !Number.isNaN(date.getTime()) ? date.toISOString() : null }),
    ...(hidden.length > 0 ? { hidden } : {}),
  }
}
