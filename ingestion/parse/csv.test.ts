import { describe, expect, it } from 'vitest'
import { parseCsv } from './csv.ts'

const linesOf = (source: string): string[] => parseCsv(Buffer.from(source)).text.split('\n')

describe('csv', () => {
  it('makes each row a line that names its columns', () => {
    const { text, context } = parseCsv(Buffer.from('Part,Price\r\nBelt,12.50\r\n"Guard, long","1\n200"\r\n'))
    expect(text).toBe('Part: Belt; Price: 12.50\nPart: Guard, long; Price: 1 200')
    expect(context).toBe('Part, Price')
  })

  it.each([';', '\t', '|'])('finds out that %j divides the cells', (mark) =>
    expect(linesOf(`Part${mark}Price\nBelt${mark}12,50\nGuard${mark}9,00\n`)).toEqual([
      'Part: Belt; Price: 12,50',
      'Part: Guard; Price: 9,00',
    ]),
  )

  it('takes rows that are too short or too long, and quotes in the middle of a cell', () =>
    expect(linesOf('A,B\n1\n1,2,3\nx "y" z,2\n')).toEqual(['A: 1', 'A: 1; B: 2; column 3: 3', 'A: x "y" z; B: 2']))

  it('reads a single row as it stands', () => expect(linesOf('alpha,beta\n')).toEqual(['alpha; beta']))
})
