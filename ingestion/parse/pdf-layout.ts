/** From the runs of a page to lines, cells and rows, in the order in which they are read. Pure geometry. */
import type { Box } from './pdf-geometry.ts'
import { cellGap, type Run, wordGap } from './pdf-runs.ts'

type Cell = { lines: Run[][] }
/** One line of a page, or one row of a table with all lines of its cells. */
export type Row = { cells: Cell[] }

/** Text with, for each stretch of it, the run it comes from. */
export type Placed = { text: string; boxes: [start: number, end: number, run: Run][] }

/** Lines further apart than this many times the type size are different paragraphs. */
export const lineGap = 1.65
/** How many lines back the first cell of a row can begin, when cells are drawn one after the other. */
const rowsBackMax = 10
/** Baselines closer than this many times the type size are one line. */
const baselineSlack = 0.35

export const firstRun = (row: Row): Run | undefined => row.cells[0]?.lines[0]?.[0]
export const runsOf = (row: Row): Run[] => row.cells.flatMap(({ lines }) => lines.flat())
export const topOf = (row: Row): number => firstRun(row)?.y ?? 0
const rightOf = (row: Row): number => Math.max(...runsOf(row).map(({ x, width }) => x + width))
const baselineOf = ({ y, height }: Box): number => y + height

const joinRuns = (line: readonly Run[]): Placed => {
  let text = ''
  const boxes: Placed['boxes'] = []
  let previous: Run | null = null
  for (const run of line) {
    const apart = previous && run.x - (previous.x + previous.width) > run.height * wordGap
    if (text && apart && !text.endsWith(' ') && !run.text.startsWith(' ')) text += ' '
    const piece = text === '' || text.endsWith(' ') ? run.text.trimStart() : run.text
    boxes.push([text.length, text.length + piece.trimEnd().length, run])
    text += piece
    previous = run
  }
  return { text: text.trimEnd(), boxes }
}

/** Parts one after the other with `glue` between; a word that was divided at a line end is one word again. */
export const joinPlaced = (parts: readonly Placed[], glue: string): Placed => {
  let text = ''
  const boxes: Placed['boxes'] = []
  for (const part of parts) {
    if (!part.text) continue
    if (text && glue === ' ' && /\p{L}-$/u.test(text) && /^\p{Ll}/u.test(part.text)) text = text.slice(0, -1)
    else if (text) text += glue
    const offset = text.length
    for (const [start, end, run] of part.boxes) boxes.push([offset + start, offset + end, run])
    text += part.text
  }
  return { text, boxes: boxes.map(([start, end, run]) => [start, Math.min(end, text.length), run]) }
}

const opensAmount = /^(?:[A-Z]{0,3}[$€£¥]|[([])+$/
const isAmount = /^[$€£¥([]*[\d—–.-]/
const closesAmount = /^[)\]%]+$/

/** The cells of a row as text. Statements set the sign of a currency, brackets and percent apart: they go with their number. */
export const cellsOf = (row: Row): Placed[] => {
  const cells: Placed[] = []
  for (const { lines } of row.cells) {
    const cell = joinPlaced(lines.map(joinRuns), ' ')
    const last = cells.at(-1)
    const belongs =
      last !== undefined &&
      ((closesAmount.test(cell.text) && isAmount.test(last.text)) ||
        (opensAmount.test(last.text) && isAmount.test(cell.text)))
    if (belongs) cells.splice(-1, 1, joinPlaced([last, cell], ''))
    else cells.push(cell)
  }
  return cells
}

export const rowText = (row: Row): string =>
  cellsOf(row)
    .map(({ text }) => text)
    .join(' | ')

/** Lines and table rows in the order in which the page was written, which is the reading order of columns. */
export const toRows = (runs: readonly Run[]): Row[] => {
  const rows: Row[] = []
  for (const run of runs) {
    const row = rows.at(-1)
    const cell = row?.cells.at(-1)
    const line = cell?.lines.at(-1)
    const previous = line?.at(-1)
    if (!row || !cell || !line || !previous) {
      rows.push({ cells: [{ lines: [[run]] }] })
      continue
    }
    const size = Math.max(run.height, previous.height)
    const sameLine = Math.abs(baselineOf(run) - baselineOf(previous)) <= size * baselineSlack
    const gap = run.x - (previous.x + previous.width)
    if (sameLine && gap > -size && gap < size * cellGap) {
      line.push(run)
      continue
    }
    // A step to the right at the height where the row, or one of the lines just before, began: the next cell.
    const at = rows.findLastIndex((candidate, index) => {
      if (index < rows.length - rowsBackMax) return false
      return (
        Math.abs(topOf(candidate) - run.y) <= size * baselineSlack &&
        rows.slice(index).every((later) => rightOf(later) <= run.x + size * 0.5)
      )
    })
    const began = rows[at]
    if (began) {
      const wrapped = rows.splice(at + 1)
      began.cells.at(-1)?.lines.push(...wrapped.flatMap(({ cells }) => cells.flatMap(({ lines }) => lines)))
      began.cells.push({ lines: [[run]] })
      continue
    }
    const start = cell.lines[0]?.[0]
    const goesOn =
      row.cells.length > 1 &&
      start &&
      Math.abs(run.x - start.x) <= size * 0.3 &&
      run.y > previous.y &&
      run.y - previous.y <= size * lineGap
    if (goesOn) cell.lines.push([run])
    else rows.push({ cells: [{ lines: [[run]] }] })
  }
  return rows
}

/** A page of fewer lines in a column is a table or a letterhead. */
const columnLinesMin = 6
const gutterPointsMin = 8
/** Prose fills its column with words, without gaps; cells of a table do not. */
const columnFillMin = 0.6
const columnCharsMin = 25
const letterShareMin = 0.6
const unbrokenShareMin = 0.8
/** This share of the lines may cross the gutter: headings and pictures over both columns. */
const crossingShareMax = 0.35
const binPoints = 2

type Line = { left: number; right: number; y: number; runs: Run[] }

const linesOf = (runs: readonly Run[]): Line[] => {
  const lines: Line[] = []
  for (const run of [...runs].sort((one, other) => baselineOf(one) - baselineOf(other) || one.x - other.x)) {
    const last = lines.at(-1)
    const sameLine = last && baselineOf(run) - last.y <= run.height * baselineSlack
    if (sameLine) {
      last.runs.push(run)
      last.left = Math.min(last.left, run.x)
      last.right = Math.max(last.right, run.x + run.width)
    } else lines.push({ left: run.x, right: run.x + run.width, y: baselineOf(run), runs: [run] })
  }
  return lines
}

/** The middle of the strip in the middle part of the page that the fewest lines cross; null when too many do. */
const gutterOf = (lines: readonly Line[], width: number): number | null => {
  const crossing = new Uint32Array(Math.ceil(width / binPoints) + 1)
  for (const { runs } of lines)
    for (const { x, width: runWidth } of runs)
      for (let bin = Math.max(0, Math.floor(x / binPoints)); bin <= (x + runWidth) / binPoints; bin += 1)
        if (bin < crossing.length) crossing[bin] = (crossing[bin] ?? 0) + 1
  const from = Math.floor((width * 0.35) / binPoints)
  const to = Math.ceil((width * 0.65) / binPoints)
  const few = Math.min(...crossing.subarray(from, to))
  if (few > lines.length * crossingShareMax) return null
  let best = { start: 0, length: 0 }
  for (let bin = from, start = from; bin <= to; bin += 1) {
    if (bin < to && (crossing[bin] ?? 0) <= few) continue
    if (bin - start > best.length) best = { start, length: bin - start }
    start = bin + 1
  }
  return best.length * binPoints >= gutterPointsMin ? (best.start + best.length / 2) * binPoints : null
}

const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0

const isUnbroken = ({ runs }: Line): boolean =>
  runs.every((run, index) => {
    const previous = runs[index - 1]
    return !previous || run.x - (previous.x + previous.width) < run.height * cellGap * 2
  })

/** Lines of one column that are set like prose. */
const isProse = (lines: readonly Line[]): boolean => {
  if (lines.length < columnLinesMin) return false
  const left = Math.min(...lines.map((line) => line.left))
  const right = Math.max(...lines.map((line) => line.right))
  const fill = median(lines.map((line) => line.right - line.left)) / Math.max(1, right - left)
  const texts = lines.map(({ runs }) => runs.map(({ text }) => text).join(''))
  const characters = median(texts.map(({ length }) => length))
  const letters = median(texts.map((text) => text.replace(/[^\p{L}]/gu, '').length / text.length))
  const unbroken = lines.filter(isUnbroken).length / lines.length
  return (
    fill >= columnFillMin && characters >= columnCharsMin && letters >= letterShareMin && unbroken >= unbrokenShareMin
  )
}

/**
 * The runs in stretches that are read one after the other. Two columns of prose that a program wrote line by line across the page
 * become a stretch each. Everything else stays in the order in which it was written: most programs write columns one after the
 * other, and tables row by row.
 */
export const readingStretches = (runs: readonly Run[], width: number): readonly (readonly Run[])[] => {
  if (runs.length < columnLinesMin * 2 || runs.some(({ upright }) => !upright)) return [runs]
  const gutter = gutterOf(linesOf(runs), width)
  if (gutter === null) return [runs]
  const sideOf = ({ x, width: runWidth }: Run): 'left' | 'right' | 'both' =>
    x + runWidth <= gutter ? 'left' : x >= gutter ? 'right' : 'both'
  const left = runs.filter((run) => sideOf(run) === 'left')
  const right = runs.filter((run) => sideOf(run) === 'right')
  const sides = runs.map(sideOf).filter((side) => side !== 'both')
  const switches = sides.filter((side, index) => index > 0 && side !== sides[index - 1]).length
  const leftLines = linesOf(left)
  const rightLines = linesOf(right)
  if (switches < Math.min(leftLines.length, rightLines.length) * 0.5) return [runs]
  if (!isProse(leftLines) || !isProse(rightLines)) return [runs]
  // Bands between what stands across both columns.
  const bands: { y: number; left: Run[]; right: Run[]; across: Run[] }[] = [
    { y: -Infinity, left: [], right: [], across: [] },
  ]
  for (const line of linesOf(runs.filter((run) => sideOf(run) === 'both')))
    bands.push({ y: line.y, left: [], right: [], across: line.runs })
  for (const run of [...leftLines, ...rightLines].flatMap((line) => line.runs)) {
    const band = bands.findLast(({ y }) => baselineOf(run) >= y - run.height * baselineSlack) ?? bands[0]
    const side = sideOf(run)
    if (band && side !== 'both') band[side].push(run)
  }
  return bands.flatMap((band) => [band.across, band.left, band.right])
}
