/**
 * PDF: text with its geometry. Lines become paragraphs, rows of tables stay rows with their wrapped cells whole, larger type and
 * bold lines make headings, what repeats at the edges of pages is dropped. Every run of text keeps its place on the page, so that
 * any stretch of the text can be shown where it stands. What a reader of the page does not see is kept apart and marked.
 */
import { getDocumentProxy, getResolvedPDFJS } from 'unpdf'
import type { PageBox } from '#db/schema/index.ts'
import type { Span } from '#lib/shared/text.ts'
import { createTextBuilder } from './builder.ts'
import { cleanLine, metaOf } from './meta.ts'
import type { BlockKind, ParsedDocument, ParsedPage } from './parsed-document.ts'
import {
  cellsOf,
  firstRun,
  joinPlaced,
  lineGap,
  type Placed,
  type Row,
  readingStretches,
  rowText,
  runsOf,
  topOf,
  toRows,
} from './pdf-layout.ts'
import { type Run, readRuns } from './pdf-runs.ts'
import { addRecognised, type RecognisedPage } from './recognised.ts'
import { Refusal } from './refusal.ts'

const pagesMax = 5_000

type Page = { number: number; width: number; height: number; rows: Row[]; hidden: Row[]; isPicture: boolean }
type Proxy = Awaited<ReturnType<typeof getDocumentProxy>>

const sizeOf = (row: Row): number => Math.max(...runsOf(row).map(({ height }) => height))
/** Type sizes to half a point. */
const roundedSize = (size: number): number => Math.round(size * 2) / 2

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
  firstRun(row)?.upright === true &&
  (topOf(row) < page.height * edgeShare || topOf(row) > page.height * (1 - edgeShare))
const withoutNumbers = (text: string): string => text.replace(/\d+/g, '#').replace(/\s+/g, ' ').trim()

/** The type size in which most of the text is set, and whether bold type is rare enough to mean something. */
const bodyOf = (pages: readonly Page[]): { body: number; isBoldRare: boolean } => {
  const characters = new Map<number, number>()
  let all = 0
  let bold = 0
  for (const { rows } of pages)
    for (const run of rows.flatMap(runsOf)) {
      const size = roundedSize(run.height)
      characters.set(size, (characters.get(size) ?? 0) + run.text.length)
      all += run.text.length
      if (run.bold) bold += run.text.length
    }
  const [most] = [...characters].sort((one, other) => other[1] - one[1])
  return { body: most?.[0] ?? 10, isBoldRare: bold < all * 0.25 }
}

const isLarge = (row: Row, body: number): boolean => sizeOf(row) > body * 1.12

const headingCharsMax = 160
const headingSizes = (pages: readonly Page[], body: number): number[] => {
  const sizes = new Set<number>()
  for (const { rows } of pages)
    for (const row of rows)
      if (row.cells.length === 1 && isLarge(row, body) && rowText(row).length <= headingCharsMax)
        sizes.add(roundedSize(sizeOf(row)))
  return [...sizes].sort((one, other) => other - one)
}

type DraftBlock = { kind: BlockKind; level?: number; placed: Placed }

const bullet = /^(?:[•·▪◦‣●–—-]|\(?\d{1,2}[.)]|[a-z][.)])$/
const startsItem = /^(?:[•·▪◦‣●]\s|[-–—]\s|\d{1,2}[.)]\s)/

type Style = { body: number; isBoldRare: boolean; sizes: number[]; running: ReadonlySet<string> }

const boldHeadingCharsMax = 100
const isCapitals = (text: string): boolean => text === text.toUpperCase()

/** A line by itself in bold, not smaller than the text, that is no sentence and no label between the rows of a table. */
const isBoldHeading = (rows: readonly Row[], index: number, text: string, { body, isBoldRare }: Style): boolean => {
  const row = rows[index]
  if (!row || !isBoldRare || text.length > boldHeadingCharsMax || /[.,;]$/.test(text)) return false
  if (sizeOf(row) < body * 0.95 || !runsOf(row).every(({ bold }) => bold)) return false
  const isTableRow = (other: Row | undefined): boolean => other !== undefined && other.cells.length > 1
  return !(isTableRow(rows[index - 1]) && isTableRow(rows[index + 1]))
}

const toBlocks = (page: Page, style: Style): DraftBlock[] => {
  const { body, sizes, running } = style
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
  const rows = page.rows.filter((row) => !(isAtEdge(row, page) && running.has(runningKey(row, body))))
  for (const [index, row] of rows.entries()) {
    const cells = cellsOf(row)
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
    const size = roundedSize(sizeOf(row))
    const hasLetters = /\p{L}/u.test(lead.text)
    const rank = lead.text.length <= headingCharsMax ? sizes.indexOf(size) : -1
    const level = !hasLetters
      ? null
      : rank >= 0
        ? rank + 1
        : isBoldHeading(rows, index, lead.text, style)
          ? sizes.length + (isCapitals(lead.text) ? 1 : 2)
          : null
    const kind: BlockKind = level !== null ? 'heading' : startsItem.test(lead.text) ? 'list' : 'paragraph'
    const gap: number = open ? topOf(row) - Math.max(...runsOf(open.last).map(({ y }) => y)) : Number.POSITIVE_INFINITY
    const joins: boolean =
      open !== null &&
      gap > 0 &&
      gap <= size * lineGap &&
      Math.abs(sizeOf(open.last) - sizeOf(row)) <= 0.6 &&
      (level !== null ? open.kind === 'heading' : open.kind !== 'heading' && kind !== 'list')
    if (open && joins) {
      open.lines.push(lead)
      open.last = row
    } else {
      close()
      open = { kind, ...(level === null ? {} : { level: Math.min(level, 6) }), lines: [lead], last: row }
    }
  }
  close()
  return blocks
}

const share = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000

const toPageBox = (start: number, end: number, { box }: Run, page: Page): PageBox => [
  start,
  end,
  share(box.x / page.width),
  share(box.y / page.height),
  share(box.width / page.width),
  share((box.height * 1.1) / page.height),
]

const openPdf = async (bytes: Buffer): Promise<Proxy> => {
  try {
    return await getDocumentProxy(new Uint8Array(bytes), {
      verbosity: 0,
      useSystemFonts: false,
      disableFontFace: false,
      stopAtErrors: false,
      // Pictures are taken out of the page before they are decoded.
      maxImageSize: 0,
    })
  } catch (error) {
    const name = error instanceof Error ? error.name : ''
    throw new Refusal(name === 'PasswordException' ? 'encrypted' : 'damaged', name)
  }
}

/** What programs write where nobody gave a title. */
const noTitle =
  /^(?:untitled|document\d*|slide \d+|powerpoint presentation|.*\.(?:docx?|pdf|indd|qxd|xlsx?|pptx?|od[tp]|tex|dvi|html?))$/i
const titleOf = (info: Record<string, unknown>): string | null => {
  const line = cleanLine(info.Title)?.replace(/^microsoft (?:word|powerpoint) - /i, '') ?? null
  return line && line.length > 3 && /\p{L}/u.test(line) && !noTitle.test(line) ? line : null
}

/** Reads a PDF; pages that are pictures have the words that were recognised, or are named. One of pictures alone has no text. Throws `Refusal`: encrypted, damaged, too-many-pages, no-text. */
export const parsePdf = async (
  bytes: Buffer,
  onProgress: (done: number, total: number) => void,
  { recognised = [] }: { recognised?: readonly RecognisedPage[] } = {},
): Promise<ParsedDocument> => {
  const pdf = await openPdf(bytes)
  if (pdf.numPages > pagesMax) throw new Refusal('too-many-pages', `${pdf.numPages} pages`)
  const { OPS } = await getResolvedPDFJS()
  const pages: Page[] = []
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const { runs, hidden, width, height, hasPicture } = await readRuns(await pdf.getPage(number), OPS)
    pages.push({
      number,
      width,
      height,
      rows: readingStretches(runs, width).flatMap(toRows),
      hidden: toRows(hidden),
      isPicture: runs.length === 0 && hasPicture,
    })
    onProgress(number, pdf.numPages)
  }
  if (pages.length === 0) throw new Refusal('damaged', 'no pages')
  const wordsOf = new Map(recognised.map(({ page, words }) => [page, words]))
  const picturePages = pages
    .filter(({ isPicture, number }) => isPicture && !wordsOf.has(number))
    .map(({ number }) => number)

  const { body, isBoldRare } = bodyOf(pages)
  const style: Style = { body, isBoldRare, sizes: headingSizes(pages, body), running: findRunningTexts(pages, body) }
  const builder = createTextBuilder()
  const parsedPages: ParsedPage[] = []
  const hidden: Span[] = []
  let heading: { text: string; level: number } | null = null
  for (const page of pages) {
    const boxes: PageBox[] = []
    const charStart = builder.length()
    for (const { kind, level, placed } of toBlocks(page, style)) {
      const added = builder.add(kind, placed.text, level)
      if (!added) continue
      if (page.number === 1 && kind === 'heading' && (!heading || (level ?? 9) < heading.level))
        heading = { text: placed.text, level: level ?? 9 }
      const lead = placed.text.length - placed.text.trimStart().length
      for (const [start, end, run] of placed.boxes)
        if (end > start) boxes.push(toPageBox(added.start + start - lead, added.start + end - lead, run, page))
    }
    const words = page.isPicture ? wordsOf.get(page.number) : undefined
    if (words) boxes.push(...addRecognised(builder, words))
    // After what is seen, and without a place: there is nothing to show.
    for (const row of page.hidden) {
      const added = builder.add('paragraph', rowText(row))
      if (added) hidden.push(added)
    }
    parsedPages.push({ page: page.number, charStart, charEnd: builder.length(), boxes })
  }
  const built = builder.build()
  if (!built.text && picturePages.length === 0) throw new Refusal('no-text')
  const info = ((await pdf.getMetadata().catch(() => null))?.info ?? {}) as Record<string, unknown>
  return {
    kind: 'pdf',
    title: titleOf(info) ?? heading?.text ?? null,
    ...built,
    pages: parsedPages,
    ...metaOf({ author: info.Author, date: info.CreationDate ?? info.ModDate }),
    ...(hidden.length > 0 ? { hidden } : {}),
    ...(picturePages.length > 0 ? { picturePages } : {}),
  }
}
