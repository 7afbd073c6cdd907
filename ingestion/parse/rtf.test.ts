import { describe, expect, it } from 'vitest'
import { parseRtf } from './rtf.ts'

const read = (body: string) => parseRtf(Buffer.from(`{\\rtf1\\ansi\\ansicpg1252\\deff0 ${body}}`, 'latin1'))

describe('rtf', () => {
  it('reads headings, paragraphs, list items and table rows', () => {
    const { title, text, blocks, meta } = read(
      [
        '{\\fonttbl{\\f0 Arial;}}{\\stylesheet{\\s0 Normal;}{\\s1\\outlinelevel0 heading 1;}}',
        '{\\info{\\title Manual}{\\author Ada}{\\creatim\\yr2026\\mo11\\dy21\\hr9}}',
        '\\pard\\s1 Heat\\par\\pard Below 40\\~degrees.\\line Always.\\par',
        '\\pard{\\listtext\\bullet\\tab}Ask\\par\\pard{\\pntext 2.\\tab}Wait\\par',
        '\\trowd\\intbl Part\\cell Price\\cell\\row\\trowd\\intbl Belt\\par wide\\cell 12\\cell\\row\\pard',
        ' End',
      ].join('\n'),
    )
    expect(title).toBe('Manual')
    expect(meta).toEqual({ author: 'Ada', date: '2026-11-21' })
    expect(text).toBe('Heat\n\nBelow 40 degrees.\nAlways.\n\n- Ask\n2. Wait\n\nPart | Price\nBelt wide | 12\n\nEnd')
    expect(blocks[0]).toMatchObject({ kind: 'heading', level: 1 })
  })

  it.each([
    ['the code page of the file', "caf\\'e9", 'café'],
    ['the code page of its font', "{\\fonttbl{\\f3\\fcharset204 Arial Cyr;}}{\\f3\\'cc\\'e8\\'f0} ok", 'Мир ok'],
    ['two bytes for one sign', "{\\fonttbl{\\f1\\fcharset128 Mincho;}}{\\f1\\'82\\'b1\\'83\\'5c}", 'こソ'],
    ['a number with what stands for it', '\\uc1 na\\u239?ve \\u-10179?\\u-8704?', 'naïve 😀'],
    ['a number with two signs that stand for it', '\\uc2\\u8364 EU!', '€!'],
    ['quotation marks and hyphens that are words', '\\ldblquote so\\rdblquote\\emdash x\\_y\\-z', '“so”—x-yz'],
    ['braces and backslashes', '\\{a\\\\b\\}', '{a\\b}'],
  ])('reads %s', (_, body, text) => expect(read(body).text).toBe(text))

  it('skips pictures, instructions, headers and hidden words, and keeps what a field shows', () =>
    expect(
      read(
        '{\\header Page}{\\pict\\bin3 }}\\ 89ab}{\\*\\generator W}{\\field{\\*\\fldinst HYPERLINK "http://x"}{\\fldrslt here}}{\\v secret} now{\\footnote A note.}',
      ).text,
    ).toBe('here now (A note.)'))

  it.each([
    ['groups in groups without end', '{'.repeat(100_000), 'too-nested'],
    ['no words', '\\par\\par', 'no-text'],
  ])('refuses %s', (_, body, code) => expect(() => read(body)).toThrow(expect.objectContaining({ code })))

  it('reads what is cut short as far as it goes', () =>
    expect(parseRtf(Buffer.from('{\\rtf1 {\\b Words\\u')).text).toBe('Words'))
})
