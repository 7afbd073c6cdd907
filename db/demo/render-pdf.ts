import { PDFDocument, type PDFFont, type PDFPage, type RGB, rgb, StandardFonts } from 'pdf-lib'
import { shareColumns } from './columns.ts'
import type { Block, SourceText } from './markup.ts'

const PAGE = { width: 595.28, height: 841.89 }
const MARGIN = { side: 68, top: 72, bottom: 80 }
const TEXT_WIDTH = PAGE.width - 2 * MARGIN.side
const BODY = 11
const CELL = { size: 9.5, leading: 12.5, padX: 5, padY: 4 }
const INK = rgb(0.12, 0.14, 0.16)
const ACCENT = rgb(0.12, 0.23, 0.27)
const MUTED = rgb(0.4, 0.45, 0.48)
const RULE = rgb(0.6, 0.65, 0.67)
const SHADE = rgb(0.91, 0.93, 0.94)
const NOTE_COLOURS: Record<string, RGB> = {
  Warning: rgb(0.75, 0.15, 0.12),
  Caution: rgb(0.82, 0.52, 0.05),
  Note: rgb(0.2, 0.42, 0.6),
}

type Fonts = { regular: PDFFont; bold: PDFFont; serif: PDFFont }
type ContentsEntry = { text: string; page: number }
type TextStyle = { font: PDFFont; size: number; leading: number; color?: RGB; indent?: number }

const GLUE = '\u00a0'

/** A number and its unit stay on one line. The no-break space serves the wrapping only and is drawn as a space. */
function glueUnits(text: string): string {
  return text.replace(/(\d) (?=(?:N·m|N|mm|kg|mA|mV|V|W|°C|%|g)(?![\w·]))/g, `$1${GLUE}`)
}

function wrap(text: string, font: PDFFont, size: number, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of glueUnits(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && font.widthOfTextAtSize(longer, size) > width) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  lines.push(line)
  return lines.map((filled) => filled.replaceAll(GLUE, ' '))
}

/** Fills pages from top to bottom. `y` is the baseline area still free, measured from the foot of the page. */
class Layout {
  readonly contents: ContentsEntry[] = []
  private readonly document: PDFDocument
  private readonly fonts: Fonts
  private page: PDFPage
  private y = 0

  constructor(document: PDFDocument, fonts: Fonts) {
    this.document = document
    this.fonts = fonts
    this.page = this.addPage()
  }

  addPage(): PDFPage {
    this.page = this.document.addPage([PAGE.width, PAGE.height])
    this.y = PAGE.height - MARGIN.top
    return this.page
  }

  private need(height: number): void {
    if (this.y - height < MARGIN.bottom) this.addPage()
  }

  private lines(lines: readonly string[], style: TextStyle): void {
    for (const line of lines) {
      this.need(style.leading)
      this.y -= style.leading
      this.page.drawText(line, {
        x: MARGIN.side + (style.indent ?? 0),
        y: this.y + style.leading * 0.25,
        font: style.font,
        size: style.size,
        color: style.color ?? INK,
      })
    }
  }

  private paragraph(text: string, style: TextStyle): void {
    const lines = wrap(text, style.font, style.size, TEXT_WIDTH - (style.indent ?? 0))
    // A paragraph of two or three lines stays together, and a longer one shows at least two lines on each side.
    const left = Math.floor((this.y - MARGIN.bottom) / style.leading)
    const isSplitBadly = lines.length > left && (lines.length < 4 || left < 2 || lines.length - left < 2)
    if (isSplitBadly && left < 6) this.addPage()
    this.lines(lines, style)
  }

  private get body(): TextStyle {
    return { font: this.fonts.serif, size: BODY, leading: 15.5 }
  }

  titlePage(source: SourceText): void {
    this.page.drawRectangle({ x: 0, y: PAGE.height - 250, width: PAGE.width, height: 250, color: ACCENT })
    const white = rgb(1, 1, 1)
    const draw = (text: string, y: number, size: number, font: PDFFont, color: RGB) =>
      this.page.drawText(text, { x: MARGIN.side, y, size, font, color })
    draw('Halden Instruments', PAGE.height - 90, 14, this.fonts.regular, white)
    draw(source.title, PAGE.height - 165, 30, this.fonts.bold, white)
    draw(source.subtitle, PAGE.height - 205, 20, this.fonts.regular, white)
    this.y = PAGE.height - 290
    this.lines([source.edition, source.owner], { ...this.body, font: this.fonts.regular, leading: 18 })
  }

  contentsPage(entries: readonly ContentsEntry[]): void {
    this.addPage()
    this.lines(['Contents'], { font: this.fonts.bold, size: 18, leading: 28, color: ACCENT })
    this.y -= 8
    for (const entry of entries) {
      this.lines([entry.text], { ...this.body, leading: 21 })
      const number = String(entry.page)
      const x = PAGE.width - MARGIN.side - this.fonts.serif.widthOfTextAtSize(number, BODY)
      this.page.drawText(number, { x, y: this.y + 21 * 0.25, font: this.fonts.serif, size: BODY, color: INK })
      this.page.drawLine({
        start: { x: MARGIN.side, y: this.y },
        end: { x: PAGE.width - MARGIN.side, y: this.y },
        thickness: 0.3,
        color: RULE,
      })
    }
  }

  block(block: Block, next: Block | undefined): void {
    switch (block.kind) {
      case 'heading':
        this.heading(block.level, block.text, next)
        break
      case 'paragraph':
        this.paragraph(block.text, this.body)
        this.y -= 7
        break
      case 'bullets':
        this.list(block.items, () => '\u2022')
        break
      case 'steps':
        this.list(block.items, (index) => `${index + 1}.`)
        break
      case 'table':
        this.table(block.header, block.rows)
        break
      case 'note':
        this.note(block.label, block.text)
        break
      case 'figure':
        this.figure(block.name)
        break
    }
  }

  private heading(level: 1 | 2, text: string, next: Block | undefined): void {
    // A chapter heading is followed by a section heading, and both must stay with the text below them.
    const company = level === 1 ? 130 : next?.kind === 'table' ? 110 : 75
    const isAtTop = this.y > PAGE.height - MARGIN.top - 1
    if (!isAtTop) this.y -= level === 1 ? 20 : 10
    this.need(company)
    if (level === 1) this.contents.push({ text, page: this.document.getPageCount() })
    const style = level === 1 ? { size: 17, leading: 24 } : { size: 12.5, leading: 19 }
    this.lines([text], { font: this.fonts.bold, color: ACCENT, ...style })
    this.y -= level === 1 ? 6 : 3
  }

  private list(items: readonly string[], marker: (index: number) => string): void {
    for (const [index, item] of items.entries()) {
      const style = { ...this.body, indent: 20 }
      const lines = wrap(item, style.font, style.size, TEXT_WIDTH - style.indent)
      this.need(lines.length * style.leading)
      this.page.drawText(marker(index), {
        x: MARGIN.side + 2,
        y: this.y - style.leading * 0.75,
        font: style.font,
        size: style.size,
        color: INK,
      })
      this.lines(lines, style)
      this.y -= 3
    }
    this.y -= 5
  }

  private note(label: string, text: string): void {
    const style = { ...this.body, font: this.fonts.regular, size: 10, leading: 14, indent: 14 }
    const lines = wrap(text, style.font, style.size, TEXT_WIDTH - 28)
    const height = (lines.length + 1) * style.leading + 14
    this.need(height + 8)
    const color = NOTE_COLOURS[label] ?? MUTED
    const top = this.y
    this.page.drawRectangle({ x: MARGIN.side, y: top - height, width: TEXT_WIDTH, height, color: SHADE })
    this.page.drawRectangle({ x: MARGIN.side, y: top - height, width: 3.5, height, color })
    this.y -= 6
    this.lines([label], { ...style, font: this.fonts.bold, color })
    this.lines(lines, style)
    this.y = top - height - 10
  }

  private table(header: string[], rows: string[][]): void {
    const { regular, bold } = this.fonts
    const widths = shareColumns(
      [header, ...rows].map((row) => row.map(glueUnits)),
      TEXT_WIDTH,
      // Measured in bold for safety: a header must fit its column too.
      (text) => bold.widthOfTextAtSize(text, CELL.size) + 2 * CELL.padX + 1,
    )
    const measureRow = (cells: string[], font: PDFFont) => {
      const lines = cells.map((cell, i) => wrap(cell, font, CELL.size, (widths[i] ?? 0) - 2 * CELL.padX))
      return { lines, height: Math.max(...lines.map((cell) => cell.length)) * CELL.leading + 2 * CELL.padY }
    }
    const drawRow = (row: ReturnType<typeof measureRow>, font: PDFFont, isHeader: boolean) => {
      const bottom = this.y - row.height
      let x = MARGIN.side
      for (const [index, lines] of row.lines.entries()) {
        const width = widths[index] ?? 0
        this.page.drawRectangle({
          x,
          y: bottom,
          width,
          height: row.height,
          borderColor: RULE,
          borderWidth: 0.6,
          ...(isHeader ? { color: SHADE } : {}),
        })
        for (const [lineIndex, line] of lines.entries()) {
          const y = this.y - CELL.padY - (lineIndex + 0.78) * CELL.leading
          this.page.drawText(line, { x: x + CELL.padX, y, font, size: CELL.size, color: INK })
        }
        x += width
      }
      this.y = bottom
    }
    const head = measureRow(header, bold)
    const body = rows.map((row) => measureRow(row, regular))
    const whole = body.reduce((sum, row) => sum + row.height, head.height)
    // A short table moves to the next page as a whole; a long one is broken between rows and repeats its header.
    this.need(whole < 190 ? whole : head.height + (body[0]?.height ?? 0) + (body[1]?.height ?? 0))
    drawRow(head, bold, true)
    for (const row of body) {
      if (this.y - row.height < MARGIN.bottom) {
        this.addPage()
        drawRow(head, bold, true)
      }
      drawRow(row, regular, false)
    }
    this.y -= 12
  }

  private figure(name: string): void {
    if (name !== 'overview') throw new Error(`There is no figure called ${name}`)
    const height = 176
    this.need(height + 28)
    const left = MARGIN.side + 60
    const foot = this.y - height
    const box = (x: number, y: number, width: number, boxHeight: number, color?: RGB) =>
      this.page.drawRectangle({
        x: left + x,
        y: foot + y,
        width,
        height: boxHeight,
        borderColor: ACCENT,
        borderWidth: 1.2,
        ...(color ? { color } : {}),
      })
    const callout = (number: string, from: [number, number], to: [number, number]) => {
      const [fromX, fromY] = [left + from[0], foot + from[1]]
      this.page.drawLine({
        start: { x: fromX, y: fromY },
        end: { x: left + to[0], y: foot + to[1] },
        thickness: 0.6,
        color: MUTED,
      })
      this.page.drawCircle({ x: fromX, y: fromY, size: 9, color: rgb(1, 1, 1), borderColor: ACCENT, borderWidth: 1 })
      this.page.drawText(number, { x: fromX - 3, y: fromY - 3.6, font: this.fonts.bold, size: 10, color: ACCENT })
    }
    box(0, 8, 310, 34, SHADE)
    box(22, 42, 82, 62)
    box(104, 62, 26, 22)
    box(150, 42, 62, 44)
    box(164, 86, 34, 30, SHADE)
    box(136, 42, 92, 106)
    box(262, 42, 8, 56)
    box(236, 98, 66, 50, SHADE)
    callout('1', [345, 18], [300, 22])
    callout('2', [-30, 92], [30, 84])
    callout('3', [-30, 50], [158, 52])
    callout('4', [90, 150], [172, 104])
    callout('5', [182, 168], [182, 148])
    callout('6', [345, 132], [296, 126])
    this.y = foot
    const caption = 'Figure 1: front view, simplified. Numbers as in the text below.'
    this.lines([caption], { font: this.fonts.regular, size: 9, leading: 14, color: MUTED })
    this.y -= 10
  }
}

function drawFooters(document: PDFDocument, footer: string, font: PDFFont): void {
  const pages = document.getPages()
  for (const [index, page] of pages.entries()) {
    if (index === 0) continue
    const y = 44
    page.drawLine({
      start: { x: MARGIN.side, y: y + 14 },
      end: { x: PAGE.width - MARGIN.side, y: y + 14 },
      thickness: 0.5,
      color: RULE,
    })
    page.drawText(footer, { x: MARGIN.side, y, size: 9, font, color: MUTED })
    const number = `Page ${index + 1} of ${pages.length}`
    page.drawText(number, {
      x: PAGE.width - MARGIN.side - font.widthOfTextAtSize(number, 9),
      y,
      size: 9,
      font,
      color: MUTED,
    })
  }
}

async function layOut(source: SourceText, date: Date, contents: readonly ContentsEntry[]) {
  const document = await PDFDocument.create({ updateMetadata: false })
  document.setTitle(`${source.title}: ${source.subtitle.toLowerCase()}`)
  document.setAuthor('Halden Instruments')
  document.setCreator('Halden Instruments')
  document.setProducer('pdf-lib')
  document.setCreationDate(date)
  document.setModificationDate(date)
  const fonts: Fonts = {
    regular: await document.embedFont(StandardFonts.Helvetica),
    bold: await document.embedFont(StandardFonts.HelveticaBold),
    serif: await document.embedFont(StandardFonts.TimesRoman),
  }
  const layout = new Layout(document, fonts)
  layout.titlePage(source)
  layout.contentsPage(contents)
  layout.addPage()
  for (const [index, block] of source.blocks.entries()) layout.block(block, source.blocks[index + 1])
  drawFooters(document, source.footer, fonts.regular)
  return { document, contents: layout.contents }
}

export async function renderPdf(source: SourceText, date: Date): Promise<Uint8Array> {
  // The contents come before the chapters but need their page numbers, so the first pass only counts.
  const placeholder = source.blocks.flatMap((block) =>
    block.kind === 'heading' && block.level === 1 ? [{ text: block.text, page: 0 }] : [],
  )
  const { contents } = await layOut(source, date, placeholder)
  const { document } = await layOut(source, date, contents)
  return document.save()
}
