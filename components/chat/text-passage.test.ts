import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Piece, piecesOf, readableBlocks, type TextBlock, textFormatOf, windowAround } from './text-passage.ts'

const all = (text: string) => ({ start: 0, end: text.length })
const range = (text: string, part: string) => {
  const start = text.indexOf(part)
  return { start, end: start + part.length }
}
const piecesIn = (block: TextBlock): Piece[] =>
  'rows' in block ? block.rows.flatMap(({ cells }) => cells.flatMap(({ pieces }) => pieces)) : block.pieces
const marked = (blocks: TextBlock[]): string =>
  blocks
    .flatMap(piecesIn)
    .filter((piece) => piece.marked)
    .map((piece) => piece.text)
    .join('')

describe('the marked range', () => {
  it('is exact inside a paragraph', () => {
    const text = 'Leave accrues at 2.5 days. Part months do not count.'
    expect(piecesOf(text, all(text), range(text, 'Part months do not count.'))).toEqual([
      { text: 'Leave accrues at 2.5 days. ', marked: false },
      { text: 'Part months do not count.', marked: true },
    ])
  })

  it('keeps every character, wherever it lies', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(60), fc.nat(60), (text, a, b) => {
        const pieces = piecesOf(text, all(text), { start: Math.min(a, b), end: Math.max(a, b) })
        expect(pieces.map((piece) => piece.text).join('')).toBe(text)
        expect(
          pieces
            .filter((piece) => piece.marked)
            .map((piece) => piece.text)
            .join(''),
        ).toBe(text.slice(Math.min(a, b), Math.max(a, b)))
      }),
    )
  })

  it('runs over the lines of a paragraph', () => {
    const text = 'Q: Is a photograph enough?\nA: Yes. Keep the paper.'
    expect(marked(readableBlocks(text, all(text), range(text, 'enough?\nA: Yes.')))).toBe('enough?\nA: Yes.')
  })

  it('marks table cells, list items and fields', () => {
    const text = 'Item | Price\nBolt | 2 EUR\n\n- first\n2. second'
    expect(marked(readableBlocks(text, all(text), range(text, 'Bolt | 2 EUR')))).toBe('Bolt2 EUR')
    expect(marked(readableBlocks(text, all(text), range(text, 'second')))).toBe('second')
    const csv = 'sku: H-10; region: Brazil; price: 78550'
    expect(marked(readableBlocks(csv, all(csv), range(csv, 'region: Brazil'), 'records'))).toBe('Brazil')
  })
})

describe('readable blocks', () => {
  const kindsOf = (text: string) => readableBlocks(text, all(text), { start: 0, end: 0 }).map(({ kind }) => kind)

  it('tell headings, paragraphs, items and tables apart', () => {
    const text = '4 Leave\n\nThirty days in a full year.\n\n- one\n- two\n\na | b\n1 | 2'
    expect(kindsOf(text)).toEqual(['heading', 'paragraph', 'item', 'item', 'table'])
    const table = readableBlocks(text, all(text), { start: 0, end: 0 })[4]
    expect(table?.kind === 'table' && table.rows.map(({ cells }) => cells.length)).toEqual([2, 2])
  })

  it('take a sentence for a sentence, however short', () => {
    expect(kindsOf('Keep it dry.')).toEqual(['paragraph'])
    expect(kindsOf('Street 1\nTown')).toEqual(['paragraph'])
  })

  it('know how deep a numbered heading is', () => {
    const [block] = readableBlocks('4.2 First year', { start: 0, end: 14 }, { start: 0, end: 0 })
    expect(block).toMatchObject({ kind: 'heading', level: 2 })
  })

  it('keep code as it stands, with its blank lines, bars and signs', () => {
    const text = 'def area(r):\n\n    # a | b\n    - 1; x: 2\n    return r * r'
    const blocks = readableBlocks(text, all(text), range(text, 'return r * r'), 'code')
    expect(blocks.map(({ kind }) => kind)).toEqual(['code'])
    expect(blocks.flatMap(piecesIn).map((piece) => piece.text)).toEqual([text.slice(0, -12), 'return r * r'])
  })

  it('are read by what the file is', () => {
    const format = (mediaType: string, name: string) => textFormatOf({ mediaType, name })
    expect(format('text/plain', 'pump.py')).toBe('code')
    expect(format('text/plain', 'Notes.TXT')).toBe('other')
    expect(format('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'prices.xlsx')).toBe('records')
    expect(format('message/rfc822', 'offer.eml')).toBe('other')
  })

  it('show a sheet as its name and its rows, whatever the row says', () => {
    const text = 'Prices 2026\n\nsku: H-10; price: 2\nsku: H-40; price: 3 | 4\n\nRates\n\nrate: 3'
    const blocks = readableBlocks(text, all(text), range(text, 'sku: H-40; price: 3 | 4'), 'records')
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'records', 'heading', 'records'])
    expect(marked(blocks)).toBe('H-403 | 4')
  })

  it('name the columns of a record, and keep a semicolon inside a value', () => {
    const text = 'sku: H-10; note: dry; cool; price: 2'
    const [block] = readableBlocks(text, all(text), { start: 0, end: 0 }, 'records')
    expect(block?.kind === 'records' && block.rows[0]?.cells.map(({ label }) => label)).toEqual([
      'sku',
      'note',
      'price',
    ])
  })
})

describe('a window on a long text', () => {
  it('begins and ends with whole lines and holds the mark', () => {
    const text = Array.from({ length: 200 }, (_, i) => `Line number ${i}`).join('\n')
    const mark = range(text, 'Line number 100')
    const { start, end } = windowAround(text, mark, 60)
    expect(text.slice(start, end)).toMatch(/^Line number \d+\n[\s\S]*\nLine number \d+$/)
    expect(start).toBeLessThan(mark.start)
    expect(end).toBeGreaterThan(mark.end)
  })

  it('is the whole of a short text', () => {
    expect(windowAround('short', { start: 1, end: 2 }, 100)).toEqual({ start: 0, end: 5 })
  })
})
