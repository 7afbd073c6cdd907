import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { csvLine } from './csv.ts'

test('what is written is read again as it was, quotes, commas and line ends too', () => {
  const cells = ['plain', 'a "quoted" word', 'one, two', 'line\r\nend', '', ' blanks ', 'ünïcode']
  expect(parse(csvLine(cells))).toEqual([cells])
  expect(csvLine(['a', null, 7, -7])).toBe('a,,7,-7\r\n')
})

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '=HYPERLINK("http://x","y")'])(
  'a cell that begins as %j is no formula',
  (text) => {
    const [[cell]] = parse(csvLine([text])) as [[string]]
    expect(cell).toBe(`'${text}`)
  },
)
