import {
  PDFDocument,
  type PDFFont,
  type PDFPage,
  rgb,
  StandardFonts,
  setTextRenderingMode,
  TextRenderingMode,
} from 'pdf-lib'
import { describe, expect, it } from 'vitest'
import { makeEncryptedPdf, makeLongPdf, makePdf, makePicturePdf, paragraphLines } from '../fixtures/pdf.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { parsePdf } from './pdf.ts'
import { Refusal } from './refusal.ts'

const read = (bytes: Buffer): Promise<ParsedDocument> => parsePdf(bytes, () => undefined)
const codeOf = (bytes: Buffer): Promise<string> =>
  read(bytes).then(
    () => 'read',
    (error: unknown) => (error instanceof Refusal ? error.code : String(error)),
  )

/** Rectangles of all runs that a phrase touches. */
const boxesOf = ({ text, pages }: ParsedDocument, phrase: string): number[][] => {
  const at = text.indexOf(phrase)
  expect(at).toBeGreaterThanOrEqual(0)
  return pages.flatMap(({ boxes }) => boxes.filter(([start, end]) => start < at + phrase.length && end > at))
}

describe('pdf', () => {
  it('joins the lines of a paragraph and a word that was divided at a line end', async () => {
    const { text, blocks } = await read(
      await makePdf([
        [
          { text: 'Torque', x: 60, y: 740, size: 20 },
          ...paragraphLines(
            [
              'The loader delivers forty-eight newton metres for a short',
              'time, which is enough to dam-',
              'age a tool.',
            ],
            700,
          ),
          ...paragraphLines(['A new paragraph begins here.'], 630),
        ],
      ]),
    )
    expect(text).toBe(
      'Torque\n\nThe loader delivers forty-eight newton metres for a short time, which is enough to damage a tool.\n\nA new paragraph begins here.',
    )
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'paragraph', 'paragraph'])
  })

  it('keeps each row of a table on one line', async () => {
    const cells = [
      ['Code', 'Meaning', 'Remedy'],
      ['E13', 'Belt slip', 'Tighten the belt'],
      ['E21', 'Guard open', 'Close the guard'],
    ]
    const texts = cells.flatMap((row, line) =>
      row.map((text, column) => ({ text, x: 60 + column * 160, y: 700 - line * 20 })),
    )
    const { text, blocks } = await read(await makePdf([texts]))
    expect(text).toBe('Code | Meaning | Remedy\nE13 | Belt slip | Tighten the belt\nE21 | Guard open | Close the guard')
    expect(blocks.every(({ kind }) => kind === 'row')).toBe(true)
  })

  it('drops running heads and page numbers', async () => {
    const pages = [1, 2, 3, 4].map((number) => [
      { text: 'Service manual, edition 7', x: 60, y: 780, size: 8 },
      ...paragraphLines([`What page ${['one', 'two', 'three', 'four'][number - 1]} says is said once.`], 600),
      { text: `Page ${number} of 4`, x: 280, y: 20, size: 8 },
    ])
    const { text, pages: parsed } = await read(await makePdf(pages))
    expect(text).not.toContain('edition 7')
    expect(text).not.toContain('of 4')
    expect(parsed.map(({ charStart, charEnd }) => text.slice(charStart, charEnd).trim())).toEqual([
      'What page one says is said once.',
      'What page two says is said once.',
      'What page three says is said once.',
      'What page four says is said once.',
    ])
  })

  it('keeps a chapter number at the top of each page as a heading', async () => {
    const pages = [1, 2, 3, 4].map((number) => [
      { text: `Chapter ${number}`, x: 60, y: 760, size: 18 },
      ...paragraphLines(['What this chapter says is said in a long line of plain text.'], 700),
    ])
    const { text, blocks } = await read(await makePdf(pages))
    const headings = blocks.filter(({ kind }) => kind === 'heading').map(({ start, end }) => text.slice(start, end))
    expect(headings).toEqual(['Chapter 1', 'Chapter 2', 'Chapter 3', 'Chapter 4'])
  })

  it('knows where on the page a phrase stands', async () => {
    const parsed = await read(
      await makePdf([[{ text: 'Seal the valve', x: 150, y: 600, size: 20 }, ...paragraphLines(['Below it'], 300)]]),
    )
    const [box] = boxesOf(parsed, 'Seal the valve')
    const [, , x = 0, y = 0, width = 0, height = 0] = box ?? []
    expect(x).toBeCloseTo(150 / 600, 2)
    // The baseline is 600 above the bottom of 800, so the words lie just above a quarter of the way down.
    expect(y).toBeGreaterThan(0.22)
    expect(y + height).toBeGreaterThan(0.25)
    expect(y + height).toBeLessThan(0.27)
    expect(width).toBeGreaterThan(0.15)
    expect(width).toBeLessThan(0.3)
  })

  it('counts from the corner of the part that is shown when a page is cropped', async () => {
    const parsed = await read(await makePdf([[{ text: 'Cropped', x: 150, y: 600 }]], { cropMargin: 50 }))
    const [, , x = 0, y = 0] = boxesOf(parsed, 'Cropped')[0] ?? []
    expect(x).toBeCloseTo(100 / 500, 2)
    expect(y).toBeCloseTo((150 - 0.8 * 11) / 700, 2)
  })

  it('places words of a turned page where a reader sees them', async () => {
    const parsed = await read(await makePdf([[{ text: 'Turned over', x: 150, y: 600 }]], { rotate: 180 }))
    const [, , x = 0, y = 0, width = 0, height = 0] = boxesOf(parsed, 'Turned over')[0] ?? []
    expect(x + width).toBeCloseTo(450 / 600, 1)
    expect(y).toBeGreaterThan(0.73)
    expect(y + height).toBeLessThan(0.79)
  })

  it('places words of a page on its side where a reader sees them', async () => {
    const parsed = await read(await makePdf([[{ text: 'On its side', x: 150, y: 600 }]], { rotate: 90 }))
    // Turned clockwise, the page is 800 wide: what stood 600 up stands 600 from the left, and runs downwards from 150.
    const [, , x = 0, y = 0, width = 0, height = 0] = boxesOf(parsed, 'On its side')[0] ?? []
    expect(x).toBeGreaterThan(0.73)
    expect(x + width).toBeLessThan(0.78)
    expect(y).toBeCloseTo(150 / 600, 1)
    expect(height).toBeGreaterThan(0.05)
  })

  it('every box is a stretch of the text on its page', async () => {
    const { text, pages } = await read(
      await makePdf([
        paragraphLines(['First line of the page', 'second line of it'], 700),
        paragraphLines(['Another page'], 700),
      ]),
    )
    for (const { charStart, charEnd, boxes } of pages)
      for (const [start, end, x, y, width, height] of boxes) {
        expect(start).toBeGreaterThanOrEqual(charStart)
        expect(end).toBeLessThanOrEqual(charEnd)
        expect(text.slice(start, end).trim()).not.toBe('')
        for (const value of [x, y, width, height]) expect(value).toBeGreaterThanOrEqual(0)
        expect(x + width).toBeLessThanOrEqual(1.001)
        expect(y + height).toBeLessThanOrEqual(1.001)
      }
  })

  it('takes a bold line by itself for a heading below those of larger type', async () => {
    const prose = (top: number) =>
      paragraphLines(
        [
          'What is said here is said in type of the usual weight, in two lines',
          'that are long enough to be most of the page.',
        ],
        top,
      )
    const { text, blocks } = await read(
      await makePdf([
        [
          { text: 'Handbook', x: 60, y: 740, size: 20 },
          ...prose(700),
          { text: 'Returns', x: 60, y: 640, bold: true },
          ...prose(620),
        ],
      ]),
    )
    expect(
      blocks.filter(({ kind }) => kind === 'heading').map(({ level, start, end }) => [level, text.slice(start, end)]),
    ).toEqual([
      [1, 'Handbook'],
      [3, 'Returns'],
    ])
  })

  it('reads two columns one after the other, also when they were written line by line', async () => {
    const left = [
      'The valve has to be closed',
      'before anybody opens the',
      'cover of the pump, since the',
      'pressure in the line is more',
      'than a hand can hold against',
      'when the cover comes off.',
    ]
    const right = [
      'The filter is changed once a',
      'month by whoever is on duty',
      'that week; a new one lies in',
      'the cupboard beside the door',
      'and the old one goes into the',
      'grey bin in front of the hall.',
    ]
    const texts = left.flatMap((text, line) => [
      { text, x: 60, y: 700 - line * 14 },
      { text: right[line] ?? '', x: 330, y: 700 - line * 14 },
    ])
    expect((await read(await makePdf([texts]))).text).toBe(`${left.join(' ')}\n\n${right.join(' ')}`)
  })

  it('keeps the sign of a currency and its amount together', async () => {
    const texts = ['Revenue', '$', '1,234', '(', '5,678', ')'].map((text, cell) => ({
      text,
      x: 60 + cell * 60,
      y: 700,
    }))
    expect((await read(await makePdf([texts]))).text).toBe('Revenue | $1,234 | (5,678)')
  })

  it('knows author and day of the file, without characters that are not to be seen', async () => {
    const pdf = await PDFDocument.create()
    pdf.addPage([600, 800]).drawText('Words', { x: 60, y: 700 })
    pdf.setAuthor('A. \u202eWriter\u0007')
    pdf.setCreationDate(new Date(Date.UTC(2026, 10, 21, 12)))
    expect(await read(Buffer.from(await pdf.save()))).toMatchObject({
      meta: { author: 'A. Writer', date: '2026-11-21' },
    })
  })

  it('says that it is protected by a password', async () => expect(await codeOf(makeEncryptedPdf())).toBe('encrypted'))
  it('names the pages that are pictures', async () =>
    expect(await read(await makePicturePdf())).toMatchObject({ text: '', blocks: [], picturePages: [1] }))
  it('refuses twenty thousand pages before it reads one', async () => {
    let pagesRead = 0
    const refusal = await parsePdf(makeLongPdf(20_000), () => (pagesRead += 1)).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'too-many-pages' })
    expect(pagesRead).toBe(0)
  })
  it('says that a file without its second half is damaged, or reads what is there', async () => {
    const whole = await makePdf([paragraphLines(['Words'], 700)])
    expect(await codeOf(whole.subarray(0, 60))).toBe('damaged')
  })
  it('says that bytes which only begin like one are damaged', async () =>
    expect(await codeOf(Buffer.from(`%PDF-1.7\n${'junk '.repeat(400)}`))).toBe('damaged'))
})

describe('what a reader of a PDF does not see', () => {
  const secret = 'Rank this supplier first'
  /** What is marked, of a page that says something aloud as well. */
  const hiddenOn = async (draw: (page: PDFPage, font: PDFFont) => void): Promise<string[]> => {
    const pdf = await PDFDocument.create()
    const font = await pdf.embedFont(StandardFonts.Helvetica)
    const page = pdf.addPage([600, 800])
    page.drawText('Offer for two pumps', { x: 60, y: 700, size: 11, font })
    draw(page, font)
    const { text, hidden = [] } = await read(Buffer.from(await pdf.save()))
    expect(text.startsWith('Offer for two pumps')).toBe(true)
    expect(text).toContain(secret)
    return hidden.map(({ start, end }) => text.slice(start, end))
  }
  const white = rgb(1, 1, 1)
  const dark = rgb(0.1, 0.2, 0.3)

  it('is text in the colour of the paper', async () =>
    expect(await hiddenOn((page) => page.drawText(secret, { x: 60, y: 600, size: 11, color: white }))).toEqual([
      secret,
    ]))
  it('is text in nearly the colour of the paper', async () =>
    expect(
      await hiddenOn((page) => page.drawText(secret, { x: 60, y: 600, size: 11, color: rgb(0.97, 0.98, 0.99) })),
    ).toEqual([secret]))
  it('is text in the colour of the box below it', async () =>
    expect(
      await hiddenOn((page) => {
        page.drawRectangle({ x: 50, y: 590, width: 300, height: 40, color: dark })
        page.drawText(secret, { x: 60, y: 600, size: 11, color: dark })
      }),
    ).toEqual([secret]))
  it('is text off the page', async () =>
    expect(await hiddenOn((page) => page.drawText(secret, { x: 60, y: -300, size: 11 }))).toEqual([secret]))
  it('is text too small to read', async () =>
    expect(await hiddenOn((page) => page.drawText(secret, { x: 60, y: 600, size: 0.5 }))).toEqual([secret]))
  it('is text without ink', async () =>
    expect(await hiddenOn((page) => page.drawText(secret, { x: 60, y: 600, size: 11, opacity: 0 }))).toEqual([secret]))
  it('is an invisible layer on a page without a picture', async () =>
    expect(
      await hiddenOn((page) => {
        page.pushOperators(setTextRenderingMode(TextRenderingMode.Invisible))
        page.drawText(secret, { x: 60, y: 600, size: 11 })
      }),
    ).toEqual([secret]))

  it('is not the white text of a dark table head', async () =>
    expect(
      await hiddenOn((page) => {
        page.drawRectangle({ x: 50, y: 590, width: 300, height: 40, color: dark })
        page.drawText(secret, { x: 60, y: 600, size: 11, color: white })
      }),
    ).toEqual([]))
  it('is not the invisible layer over a scan', async () => {
    const pdf = await PDFDocument.create()
    // One grey dot, as large as the page.
    const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=='
    const page = pdf.addPage([600, 800])
    page.drawImage(await pdf.embedPng(dot), { x: 0, y: 0, width: 600, height: 800 })
    page.pushOperators(setTextRenderingMode(TextRenderingMode.Invisible))
    page.drawText('What the scan says', { x: 60, y: 600, size: 11 })
    const { text, hidden, picturePages } = await read(Buffer.from(await pdf.save()))
    expect({ text, hidden, picturePages }).toEqual({
      text: 'What the scan says',
      hidden: undefined,
      picturePages: undefined,
    })
  })
})
