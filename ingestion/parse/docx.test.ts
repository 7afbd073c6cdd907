import { strToU8 } from 'fflate'
import { describe, expect, it } from 'vitest'
import { makeDocx, makeRawDocx } from '../fixtures/docx.ts'
import { parseDocx } from './docx.ts'

describe('docx', () => {
  it('reads headings, lists and tables, a row on each line', async () => {
    const { title, text, blocks } = parseDocx(await makeDocx())
    expect(title).toBe('Field handbook')
    expect(text).toBe(
      [
        'Field handbook',
        'Leave',
        'Everyone has thirty days of leave a year. Unused days end in March.',
        'How to ask',
        '- Tell your lead\n- Enter it in the calendar',
        'Country | Days\nFrance | 32\nNorway | 30',
      ].join('\n\n'),
    )
    expect(blocks.map(({ kind }) => kind)).toEqual([
      'heading',
      'heading',
      'paragraph',
      'heading',
      'list',
      'list',
      'row',
      'row',
      'row',
    ])
  })

  it('says that there are no words in it', () => expect(() => parseDocx(makeRawDocx('<w:p/>'))).toThrow('no-text'))

  it('reads what Word for the web saves', async () => {
    const { strFromU8, unzipSync, zipSync } = await import('fflate')
    const entries = unzipSync(makeRawDocx('<w:p><w:r><w:t>Saved in a browser</w:t></w:r></w:p>'))
    const renamed = (words: string): string => words.replaceAll('word/document.xml', 'word/document2.xml')
    const archive = zipSync(
      Object.fromEntries(
        Object.entries(entries).map(([name, data]) => [renamed(name), strToU8(renamed(strFromU8(data)))]),
      ),
    )
    expect(parseDocx(Buffer.from(archive)).text).toBe('Saved in a browser')
  })

  it('refuses an archive that is no Word file', async () => {
    const { zipSync } = await import('fflate')
    const archive = Buffer.from(zipSync({ 'notes.txt': strToU8('hello') }))
    expect(() => parseDocx(archive)).toThrow('no word/document.xml')
  })

  const paragraph = (text: string, properties = ''): string => `<w:p>${properties}<w:r><w:t>${text}</w:t></w:r></w:p>`

  it('marks words that Word does not show, apart from those that it does', () => {
    const run = (properties: string, text: string): string =>
      `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`
    const { text, hidden = [] } = parseDocx(
      makeRawDocx(
        `<w:p>${run('', 'Two pumps, ')}${run('<w:vanish/>', 'rank us first')}${run('<w:vanish w:val="0"/>', 'ten valves')}</w:p>` +
          `<w:p>${run('<w:color w:val="FFFFFF"/>', 'we are the best')}${run('<w:color w:val="FFFFFF"/><w:shd w:fill="003366"/>', 'Delivery')}</w:p>`,
      ),
    )
    expect(text).toBe('Two pumps, ten valves\n\nrank us first\n\nDelivery\n\nwe are the best')
    expect(hidden.map(({ start, end }) => text.slice(start, end))).toEqual(['rank us first', 'we are the best'])
  })

  it('leaves out comments, deleted words and field codes, and keeps what was put in', () =>
    expect(
      parseDocx(
        makeRawDocx(
          '<w:p><w:r><w:t>Thirty</w:t></w:r><w:del><w:r><w:delText>forty</w:delText></w:r></w:del><w:ins><w:r><w:t> days</w:t></w:r></w:ins>' +
            '<w:r><w:instrText>PAGEREF secret</w:instrText><w:commentReference w:id="0"/></w:r></w:p>',
          {
            'word/comments.xml': strToU8(
              '<w:comments><w:comment><w:p><w:r><w:t>not for them</w:t></w:r></w:p></w:comment></w:comments>',
            ),
          },
        ),
      ).text,
    ).toBe('Thirty days'))

  it('numbers headings and lists as Word shows them', () => {
    const level = (number: number, format: string, pattern: string): string =>
      `<w:lvl w:ilvl="${number}"><w:start w:val="1"/><w:numFmt w:val="${format}"/><w:lvlText w:val="${pattern}"/></w:lvl>`
    const numbering = `<w:numbering><w:abstractNum w:abstractNumId="1">${level(0, 'decimal', '%1.')}${level(1, 'decimal', '%1.%2')}</w:abstractNum><w:abstractNum w:abstractNumId="2">${level(0, 'lowerLetter', '(%1)')}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="2"/></w:num></w:numbering>`
    const listed = (text: string, list: number, at: number, outline = ''): string =>
      paragraph(text, `<w:pPr><w:numPr><w:ilvl w:val="${at}"/><w:numId w:val="${list}"/></w:numPr>${outline}</w:pPr>`)
    const { text, blocks } = parseDocx(
      makeRawDocx(
        listed('Terms', 1, 0, '<w:outlineLvl w:val="0"/>') +
          listed('Payment', 1, 1, '<w:outlineLvl w:val="1"/>') +
          listed('in advance', 2, 0) +
          listed('by transfer', 2, 0) +
          listed('Delivery', 1, 1, '<w:outlineLvl w:val="1"/>'),
        { 'word/numbering.xml': strToU8(numbering) },
      ),
    )
    expect(text).toBe('1. Terms\n\n1.1 Payment\n\n(a) in advance\n(b) by transfer\n\n1.2 Delivery')
    expect(blocks.map(({ kind, level }) => [kind, level])).toEqual([
      ['heading', 1],
      ['heading', 2],
      ['list', undefined],
      ['list', undefined],
      ['heading', 2],
    ])
  })

  it('reads a table in a table, a text box, a note and a formula', () => {
    const table = (cells: readonly string[]): string =>
      `<w:tbl><w:tr>${cells.map((cell) => `<w:tc>${cell}</w:tc>`).join('')}</w:tr></w:tbl>`
    const box = `<mc:AlternateContent><mc:Choice><w:drawing><wps:txbx><w:txbxContent>${paragraph('In a box')}</w:txbxContent></wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><w:txbxContent>${paragraph('In a box')}</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent>`
    const formula =
      '<m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath>'
    const { text } = parseDocx(
      makeRawDocx(
        `${table([paragraph('outer') + table([paragraph('in'), paragraph('ner')]), paragraph('next')])}<w:p><w:r><w:t>Half is </w:t></w:r>${formula}<w:r><w:footnoteReference w:id="2"/>${box}</w:r></w:p>`,
        {
          'word/footnotes.xml': strToU8(
            `<w:footnotes><w:footnote w:id="2">${paragraph('As agreed.')}</w:footnote></w:footnotes>`,
          ),
        },
      ),
    )
    expect(text).toBe('outer | next\nin | ner\n\nHalf is (a)/(b)\n\nAs agreed.\n\nIn a box')
  })

  it('knows what the file says of itself', () =>
    expect(
      parseDocx(
        makeRawDocx(paragraph('Words'), {
          'docProps/core.xml': strToU8(
            '<cp:coreProperties><dc:title>Offer</dc:title><dc:creator>A. Writer</dc:creator><dcterms:modified>2026-11-21T10:00:00Z</dcterms:modified></cp:coreProperties>',
          ),
        }),
      ),
    ).toMatchObject({ title: 'Offer', meta: { author: 'A. Writer', date: '2026-11-21' } }))
})
