import { utils, type WorkBook, write } from '@e965/xlsx'
import { describe, expect, it } from 'vitest'
import { makeRawXlsx } from '../fixtures/office.ts'
import { parseXlsx } from './xlsx.ts'

const book = (sheets: Readonly<Record<string, unknown[][]>>): WorkBook => {
  const made = utils.book_new()
  for (const [name, rows] of Object.entries(sheets))
    utils.book_append_sheet(made, utils.aoa_to_sheet(rows, { UTC: true }), name)
  return made
}
const read = (made: WorkBook) =>
  parseXlsx(write(made, { type: 'buffer', bookType: 'xlsx', compression: true, cellStyles: true }), () => {})

describe('xlsx', () => {
  it('reads every sheet under its name, each row with the names of its columns', () => {
    const { text, blocks } = read(
      book({
        Prices: [
          ['Part', 'Price'],
          ['Belt', 12.5],
          ['Guard', 9],
        ],
        Staff: [
          ['Name', 'Since'],
          ['Ada', 2019],
          ['Bo', 2021],
        ],
      }),
    )
    expect(text).toBe(
      'Prices\n\nPart: Belt; Price: 12.5\nPart: Guard; Price: 9\n\nStaff\n\nName: Ada; Since: 2019\nName: Bo; Since: 2021',
    )
    expect(blocks.filter(({ kind }) => kind === 'heading').map(({ level }) => level)).toEqual([1, 1])
  })

  it('gives days as days, percentages as shown, and all digits of long numbers', () => {
    const made = book({
      S: [
        ['When', 'Share', 'Number'],
        [new Date(Date.UTC(2026, 10, 21)), 0.125, 123_456_789_012_345],
      ],
    })
    const share = made.Sheets.S?.B2
    if (share) share.z = '0.0%'
    expect(read(made).text).toBe('S\n\nWhen: 2026-11-21; Share: 12.5%; Number: 123456789012345')
  })

  it('takes a line above a table for a paragraph and goes on under the same names after an empty row', () =>
    expect(
      read(book({ S: [['Prices of May'], ['Part', 'Price'], ['Belt', 1], [], ['Guard', 2], ['Bolt', 3]] })).text,
    ).toBe('S\n\nPrices of May\n\nPart: Belt; Price: 1\nPart: Guard; Price: 2\nPart: Bolt; Price: 3'))

  it('tells tables side by side apart', () =>
    expect(
      read(
        book({
          S: [
            ['A', 'B'],
            [1, 2, null, 'X', 'Y'],
            [3, 4, null, 7, 8],
          ],
        }),
      ).text,
    ).toBe('S\n\nA: 1; B: 2\nA: 3; B: 4\nX: 7; Y: 8'))

  it('gives a merged cell once, and a merged name to each of its columns', () => {
    const made = book({
      S: [
        ['Year', 'Sold', null],
        [2024, 3, 4],
        [2025, 5, null],
      ],
    })
    const sheet = made.Sheets.S
    if (sheet) sheet['!merges'] = [utils.decode_range('B1:C1'), utils.decode_range('B3:C3')]
    expect(read(made).text).toBe('S\n\nYear: 2024; Sold: 3; Sold: 4\nYear: 2025; Sold: 5')
  })

  it('marks hidden sheets', () => {
    const made = book({ Open: [['a']], Secret: [['b']] })
    made.Workbook = { Sheets: [{ Hidden: 0 }, { Hidden: 2 }] }
    const { text, hidden } = read(made)
    expect(hidden?.map(({ start, end }) => text.slice(start, end))).toEqual(['Secret\n\nb'])
  })

  it('does not pay for the empty columns before a far cell', () => {
    const rows = Array.from(
      { length: 5_000 },
      (_, at) => `<row r="${at + 1}"><c r="XFD${at + 1}"><v>${at}</v></c></row>`,
    )
    const started = performance.now()
    const { text } = parseXlsx(makeRawXlsx(rows.join('')), () => {})
    expect(text.endsWith('4999')).toBe(true)
    // Looking at every column takes more than twenty seconds.
    expect(performance.now() - started).toBeLessThan(8_000)
  })

  it('refuses a sheet of more rows than can be indexed', () =>
    expect(() => parseXlsx(makeRawXlsx('<row r="200001"><c r="A200001"><v>1</v></c></row>'), () => {})).toThrow(
      expect.objectContaining({ code: 'too-much-text' }),
    ))

  it('says that there is nothing in it', () =>
    expect(() => read(book({ Empty: [[]] }))).toThrow(expect.objectContaining({ code: 'no-text' })))
})
