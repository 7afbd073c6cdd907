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

  // Bytes as iconv writes them.
  it.each([
    ['Shift-JIS', '8dd593fa82cc93fc8cfb82cd93ec82cc96e582c582b78142', '祭日の入口は南の門です。'],
    [
      'EUC-KR',
      'b9aec0ba20c1a4b9aebfa120c0d6bdc0b4cfb4d92e20c0cfbfe4c0cfbfa1b4c220b4ddbdc0b4cfb4d92e',
      '문은 정문에 있습니다. 일요일에는 닫습니다.',
    ],
    ['GB 18030', 'd5e2b8f6c3c5d4dac4cfc3e6a3accec4bcfed4dac9cfc3e6a1a3', '这个门在南面，文件在上面。'],
    ['Big5', 'b36fadd3aaf9a662ab6eadb1a141a4e5a5f3a662a457adb1a143', '這個門在南面，文件在上面。'],
    ['KOI8-R', 'f7c8cfc420cec1c8cfc4c9d4d3d120d320c0c7c12c20dac120c4cfcdcfcd2e', 'Вход находится с юга, за домом.'],
    [
      'Windows-1251',
      'c2f5eee420ede0f5eee4e8f2f1ff20f120fee3e02c20e7e020e4eeeceeec2e',
      'Вход находится с юга, за домом.',
    ],
    [
      'Windows-1250',
      '57656a9c636965206f6420706fb375646e69612c209f72f364b36f20776f6479206a657374206f626f6b2e',
      'Wejście od południa, źródło wody jest obok.',
    ],
    ['UTF-16 without a mark', Buffer.from('Вход с юга, за домом', 'utf16le').toString('hex'), 'Вход с юга, за домом'],
  ] as const)('reads %s', (_, hex, expected) => {
    expect(parseText(Buffer.from(hex, 'hex')).text).toBe(expected)
  })

  it('reads past zero bytes', () =>
    expect(parseText(Buffer.from(`${'Words of a log. '.repeat(20)}\0\0end`)).text).toMatch(/log\. end$/))

  it('reads a log of two hundred thousand lines', () => {
    const log = Array.from({ length: 200_000 }, (_, line) => `line ${line} ok`).join('\n')
    expect(parseText(Buffer.from(log)).text).toBe(log)
  })

  it('refuses more text than can be indexed', () =>
    expect(() => parseText(Buffer.alloc(20_000_001, 'x'))).toThrow(/characters/))

  it('says that there are no words in it', () => expect(() => parseText(Buffer.from(' \n\t\n'))).toThrow('no-text'))
})
