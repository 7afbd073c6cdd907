/**
 * PDF: text with its geometry. Lines become paragraphs, rows of tables stay rows with their wrapped cells whole, larger type makes
 * headings, what repeats at the edges of pages is dropped. Every run of text keeps its place on the page, so that any stretch of
 * the text can be shown where it stands.
 */
import { getDocumentProxy } from 'unpdf'
import type { PageBox } from '#db/schema/index.ts'
import { createTextBuilder } from './builder.ts'
import type { BlockKind, ParsedDocument, ParsedPage } from './parsed-document.ts'
import { Refusal } from './refusal.ts'

export const pagesMax = 5_000

type Box = { x: number; y: number; width: number; height: number }
/**
 * A run of text on a page: left, top, width and height in points, as its reader sees it who turns the page until the run is
 * upright. `box` is where it stands on the page as it is shown, origin top left.
 */
type Run = Box & { text: string; upright: boolean; box: Box }
type Cell = { lines: Run[][] }
/** One line of a page, or one row of a table with all lines of its cells. */
type Row = { cells: Cell[] }
type Page = { number: number; width: number; height: number; rows: Row[] }
type Proxy = Awaited<ReturnType<typeof getDocumentProxy>>

const first = (row: Row): Run | undefined => row.cells[0]?.lines[0]?.[0]
const runsOf = (row: Row): Run[] => row.cells.flatMap(({ lines }) => lines.flat())
const topOf = (row: Row): number => first(row)?.y ?? 0
const rightOf = (row: Row): number => Math.max(...runsOf(row).map(({ x, width }) => x + width))
const sizeOf = (row: Row): number => Math.max(...runsOf(row).map(({ height }) => height))
const lineText = (line: readonly Run[]): string => joinRuns(line).text
const rowText = (row: Row): string => row.cells.map(({ lines }) => lines.map(lineText).join(' ')).join(' | ')

/** A gap wider than this many times the type size is a step to the next cell. */
const cellGap = 0.8
/** Lines further apart than this many times the type size are different paragraphs. */
const lineGap = 1.65
/** How many lines back the first cell of a row can begin, when cells are drawn one after the other. */
const rowsBackMax = 10

const readRuns = async (
  page: Awaited<ReturnType<Proxy['getPage']>>,
): Promise<{ runs: Run[]; width: number; height: number }> => {
  const viewport = page.getViewport({ scale: 1 })
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = viewport.transform as number[]
  const { items } = await page.getTextContent()
  const runs = items.flatMap((item): Run[] => {
    if (!('str' in item)) return []
    const text = item.str.replace(/[\s\u00a0]+/g, ' ').replace(/\p{Cc}/gu, '')
    if (!text.trim()) return []
    const [ta = 1, tb = 0, tc = 0, td = 1, x0 = 0, y0 = 0] = item.transform as number[]
    const scale = Math.hypot(a, b)
    const height = scale * (Math.hypot(tc, td) || Math.hypot(ta, tb) || 1)
    const width = scale * item.width
    const baseline = { x: a * x0 + c * y0 + e, y: b * x0 + d * y0 + f }
    // The direction of writing on the shown page; the page may be turned, and so may the words on it.
    const along = { x: a * ta + c * tb, y: b * ta + d * tb }
    const norm = Math.hypot(along.x, along.y) || 1
    const u = { x: along.x / norm, y: along.y / norm }
    const rise = height * 0.8
    const corner = { x: baseline.x + u.y * rise, y: baseline.y - u.x * rise }
    const across = { x: u.x * width - u.y * height, y: u.y * width + u.x * height }
    const far = { x: corner.x + across.x, y: corner.y + across.y }
    const upright = u.x > 0.99
    return [
      {
        text,
        upright,
        x: baseline.x * u.x + baseline.y * u.y,
        y: baseline.y * u.x - baseline.x * u.y - rise,
        width,
        height,
        box: {
          x: Math.min(corner.x, far.x),
          y: Math.min(corner.y, far.y),
          width: Math.abs(across.x),
          height: Math.abs(across.y),
        },
      },
    ]
  })
  page.cleanup()
  return { runs, width: viewport.width, height: viewport.height }
}

/** Lines and table rows in the order in which the page was written, which is the reading order of columns. */
const toRows = (runs: readonly Run[]): Row[] => {
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
    const sameLine = Math.abs(run.y + run.height - (previous.y + previous.height)) <= size * 0.35
    const gap = run.x - (previous.x + previous.width)
    if (sameLine && gap > -size && gap < size * cellGap) {
      line.push(run)
      continue
    }
    // A step to the right at the height where the row, or one of the lines just before, began: the next cell.
    const at = rows.findLastIndex((candidate, index) => {
      if (index < rows.length - rowsBackMax) return false
      return (
        Math.abs(topOf(candidate) - run.y) <= size * 0.35 &&
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

/**
 * Text repeated at the top or bottom edge of pages: running heads and page numbers. In body type and smaller, numbers are taken as
 * equal; larger type has to be the same to the letter, since "Chapter 3" at the top of a page is a heading.
 */
const edgeShare = 0.09
const runningKey = (row: Row, body: number): string =>
  isLarge(row, body) ? rowText(row) : withoutNumbers(rowText(row))
const findRunningTexts = (pages: readonly Page[], body: number): ReadonlySet<string> => {
  const seen = new Map<string, number>()
  for (const page of pages) {
    const texts = new Set(page.rows.filter((row) => isAtEdge(row, page)).map((row) => runningKey(row, body)))
    for (const text of texts) seen.set(text, (seen.get(text) ?? 0) + 1)
  }
  const often = Math.max(3, pages.length * 0.4)
  return new Set([...seen].filter(([, count]) => count >= often).map(([text]) => text))
}
const isAtEdge = (row: Row, page: Page): boolean =>
  first(row)?.upright === true && (topOf(row) < page.height * edgeShare || topOf(row) > page.height * (1 - edgeShare))
const withoutNumbers = (text: string): string => text.replace(/\d+/g, '#').replace(/\s+/g, ' ').trim()

/** The type size in which most of the text is set. */
const bodySizeOf = (pages: readonly Page[]): number => {
  const characters = new Map<number, number>()
  for (const { rows } of pages)
    for (const run of rows.flatMap(runsOf)) {
      const size = Math.round(run.height * 2) / 2
      characters.set(size, (characters.get(size) ?? 0) + run.text.length)
    }
  return [...characters].sort((one, other) => other[1] - one[1])[0]?.[0] ?? 10
}

const isLarge = (row: Row, body: number): boolean => sizeOf(row) > body * 1.12

const headingCharsMax = 160
const headingSizes = (pages: readonly Page[], body: number): number[] => {
  const sizes = new Set<number>()
  for (const { rows } of pages)
    for (const row of rows)
      if (row.cells.length === 1 && isLarge(row, body) && rowText(row).length <= headingCharsMax)
        sizes.add(Math.round(sizeOf(row) * 2) / 2)
  return [...sizes].sort((one, other) => other - one)
}

type Placed = { text: string; boxes: [start: number, end: number, run: Run][] }

const joinRuns = (line: readonly Run[]): Placed => {
  let text = ''
  const boxes: Placed['boxes'] = []
  let previous: Run | null = null
  for (const run of line) {
    const apart = previous && run.x - (previous.x + previous.width) > run.height * 0.12
    if (text && apart && !text.endsWith(' ') && !run.text.startsWith(' ')) text += ' '
    const piece = text === '' || text.endsWith(' ') ? run.text.trimStart() : run.text
    boxes.push([text.length, text.length + piece.trimEnd().length, run])
    text += piece
    previous = run
  }
  return { text: text.trimEnd(), boxes }
}

/** Parts one after the other with `glue` between; a word that was divided at a line end is one word again. */
const joinPlaced = (parts: readonly Placed[], glue: string): Placed => {
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

type DraftBlock = { kind: BlockKind; level?: number; placed: Placed }

const bullet = /^(?:[•·▪◦‣●–—-]|\(?\d{1,2}[.)]|[a-z][.)])$/
const startsItem = /^(?:[•·▪◦‣●]\s|[-–—]\s|\d{1,2}[.)]\s)/

type Style = { body: number; sizes: number[]; running: ReadonlySet<string> }

const toBlocks = (page: Page, { body, sizes, running }: Style): DraftBlock[] => {
  const blocks: DraftBlock[] = []
  let open: { kind: BlockKind; level?: number; lines: Placed[]; last: Row } | null = null
  const close = (): void => {
    if (open)
      blocks.push({
        kind: open.kind,
        ...(open.level === undefined ? {} : { level: open.level }),
        placed: joinPlaced(open.lines, ' '),
      })
    open = null
  }
  for (const row of page.rows) {
    if (isAtEdge(row, page) && running.has(runningKey(row, body))) continue
    const cells = row.cells.map(({ lines }) => joinPlaced(lines.map(joinRuns), ' '))
    const [lead] = cells
    if (cells.length > 1) {
      close()
      const isItem = cells.length === 2 && bullet.test(lead?.text ?? '')
      if (isItem) open = { kind: 'list', lines: [joinPlaced(cells, ' ')], last: row }
      else
        blocks.push({
          kind: 'row',
          placed: joinPlaced(
            cells.map(({ text, boxes }) => ({ text: text.replaceAll('|', '/'), boxes })),
            ' | ',
          ),
        })
      continue
    }
    if (!lead) continue
    const size = Math.round(sizeOf(row) * 2) / 2
    const rank = sizes.indexOf(size)
    const heading = rank >= 0 && lead.text.length <= headingCharsMax && /\p{L}/u.test(lead.text)
    const kind: BlockKind = heading ? 'heading' : startsItem.test(lead.text) ? 'list' : 'paragraph'
    const gap: number = open ? topOf(row) - Math.max(...runsOf(open.last).map(({ y }) => y)) : Number.POSITIVE_INFINITY
    const joins: boolean =
      open !== null &&
      gap > 0 &&
      gap <= size * lineGap &&
      Math.abs(sizeOf(open.last) - sizeOf(row)) <= 0.6 &&
      (heading ? open.kind === 'heading' : open.kind !== 'heading' && kind !== 'list')
    if (open && joins) {
      open.lines.push(lead)
      open.last = row
    } else {
      close()
      open = { kind, ...(heading ? { level: Math.min(rank + 1, 6) } : {}), lines: [lead], last: row }
    }
  }
  close()
  return blocks
}

const round = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000

const openPdf = async (bytes: Buffer): Promise<Proxy> => {
  try {
    return await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0, useSystemFonts: false, stopAtErrors: false })
  } catch (error) {
    const name = error instanceof Error ? error.name : ''
    throw new Refusal(name === 'PasswordException' ? 'encrypted' : 'damaged', name)
  }
}

export const parsePdf = async (
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
): Promise<ParsedDocument> => {
  const pdf = await openPdf(bytes)
  if (pdf.numPages > pagesMax) throw new Refusal('too-many-pages', `${pdf.numPages} pages`)
  const pages: Page[] = []
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const { runs, width, height } = await readRuns(await pdf.getPage(number))
    pages.push({ number, width, height, rows: toRows(runs) })
    onProgress(number, pdf.numPages)
  }
  if (pages.length === 0) throw new Refusal('damaged', 'no pages')
  if (pages.every(({ rows }) => rows.length === 0)) throw new Refusal('image-only')

  const body = bodySizeOf(pages)
  const style: Style = { body, sizes: headingSizes(pages, body), running: findRunningTexts(pages, body) }
  const builder = createTextBuilder()
  const parsedPages: ParsedPage[] = []
  let title: { text: string; size: number } | null = null
  for (const page of pages) {
    const boxes: PageBox[] = []
    const charStart = builder.length()
    for (const { kind, level, placed } of toBlocks(page, style)) {
      const added = builder.add(kind, placed.text, level)
      if (!added) continue
      if (page.number === 1 && kind === 'heading' && (!title || (level ?? 9) < title.size))
        title = { text: placed.text, size: level ?? 9 }
      const lead = placed.text.length - placed.text.trimStart().length
      for (const [start, end, { box }] of placed.boxes)
        if (end > start)
          boxes.push([
            added.start + start - lead,
            added.start + end - lead,
            round(box.x / page.width),
            round(box.y / page.height),
            round(box.width / page.width),
            round((box.height * 1.1) / page.height),
          ])
    }
    parsedPages.push({ page: page.number, charStart, charEnd: builder.length(), boxes })
  }
  const info = (await pdf.getMetadata().catch(() => null))?.info as { Title?: unknown } | undefined
  const named = typeof info?.Title === 'string' && info.Title.trim().length > 3 ? info.Title.trim() : null
  return { kind: 'pdf', title: named ?? title?.text ?? null, ...builder.build(), pages: parsedPages }
}
