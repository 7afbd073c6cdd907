import { describe, expect, it } from 'vitest'
import { parseText } from './text.ts'

describe('text', () => {
  it('joins lines that a program wrapped and keeps those that a person ended', () => {
    const wrapped = [
      'The claim has to be handed in within thirty days from the end of',
      'the trip. Later claims are only paid when the manager has said in',
      'writing why they are late.',
    ]
    const address = 'Halden Instruments\nQuay 4\nGraz'
    const { text } = parseText(Buffer.from(`${wrapped.join('\n')}\n\n${address}\n`))
    expect(text).toBe(`${wrapped.join(' ')}\n\n${address}`)
  })

  it('takes a first line by itself for the title and numbered lines for headings', () => {
    const { title, text, blocks } = parseText(
      Buffer.from('Notes of the board\n\nGraz, in March.\n\n1 Budget\n\nIt is agreed.\n'),
    )
    expect(title).toBe('Notes of the board')
    expect(blocks.map(({ kind, start, end }) => [kind, text.slice(start, end)])).toEqual([
      ['heading', 'Notes of the board'],
      ['paragraph', 'Graz, in March.'],
      ['heading', '1 Budget'],
      ['paragraph', 'It is agreed.'],
    ])
  })

  it('takes a first line in capitals for the title of what is below it', () => {
    const { title, text } = parseText(Buffer.from('EXPENSES\nFinance, 2026\n\nHand claims in early.\n'))
    expect(title).toBe('EXPENSES')
    expect(text).toBe('EXPENSES\n\nFinance, 2026\n\nHand claims in early.')
  })

  it.each([
    ['UTF-8', Buffer.from('Grüße aus Graz, 20 €')],
    ['UTF-8 with a mark', Buffer.from('\ufeffGrüße aus Graz, 20 €')],
    ['UTF-16 little endian', Buffer.from('\ufeffGrüße aus Graz, 20 €', 'utf16le')],
    ['UTF-16 big endian', Buffer.from('\ufeffGrüße aus Graz, 20 €', 'utf16le').swap16()],
    ['Windows-1252', Buffer.concat([Buffer.from('Grüße aus Graz, 20 ', 'latin1'), Buffer.from([0x80])])],
  ])('reads %s', (_, bytes) => expect(parseText(bytes).text).toBe('Grüße aus Graz, 20 €'))

  it('reads a log of two hundred thousand lines', () => {
    const log = Array.from({ length: 200_000 }, (_, line) => `line ${line} ok`).join('\n')
    expect(parseText(Buffer.from(log)).text).toBe(log)
  })

  it('refuses more text than can be indexed', () =>
    expect(() => parseText(Buffer.alloc(20_000_001, 'x'))).toThrow(/characters/))

  it('says that there are no words in it', () => expect(() => parseText(Buffer.from(' \n\t\n'))).toThrow('no-text'))
})
