import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Piece, piecesOf, readableBlocks, type TextBlock, windowAround } from './text-passage.ts'

const all = (text: string) => ({ start: 0, end: text.length })
const range = (text: string, part: string) => {
  const start = text.indexOf(part)
  return { start, end: start + part.length }
}
const piecesIn = (block: TextBlock): Piece[] =>
  block.kind === 'table' ? block.rows.flatMap(({ cells }) => cells.flatMap(({ pieces }) => pieces)) : block.pieces
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

  it('runs over a wrapped line without losing its place', () => {
    const text = `${'A sentence that a program has wrapped at this very'} word\nand that ends here. The next one.`
    expect(marked(readableBlocks(text, all(text), range(text, 'word\nand that ends here.')))).toBe(
      'word and that ends here.',
    )
  })

  it('marks a table cell and a list item', () => {
    const text = '| Item | Price |\n|---|---|\n| Bolt | 2 EUR |\n\n- first\n- second'
    expect(marked(readableBlocks(text, all(text), range(text, '2 EUR')))).toBe('2 EUR')
    expect(marked(readableBlocks(text, all(text), range(text, 'second')))).toBe('second')
  })
})

describe('readable blocks', () => {
  it('draw headings, lists and tables instead of their signs', () => {
    const text = '## Leave\nThirty days.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |'
    const blocks = readableBlocks(text, all(text), { start: 0, end: 0 })
    expect(blocks.map(({ kind }) => kind)).toEqual(['heading', 'paragraph', 'item', 'item', 'table'])
    expect(piecesIn(blocks[0] as TextBlock)[0]?.text).toBe('Leave')
    const table = blocks[4]
    expect(table?.kind === 'table' && table.rows.length).toBe(2)
  })

  it('keep the breaks of short lines', () => {
    const text = 'Street 1\nTown'
    expect(readableBlocks(text, all(text), { start: 0, end: 0 })).toHaveLength(1)
    expect(piecesIn(readableBlocks(text, all(text), { start: 0, end: 0 })[0] as TextBlock)[0]?.text).toBe(text)
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
