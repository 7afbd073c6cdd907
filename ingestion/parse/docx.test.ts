import { strToU8 } from 'fflate'
import { describe, expect, it } from 'vitest'
import { makeDocx, makeRawDocx } from '../fixtures/docx.ts'
import { parseDocx } from './docx.ts'

describe('docx', () => {
  it('reads headings, lists and tables, a row on each line', async () => {
    const { title, text, blocks } = await parseDocx(await makeDocx())
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

  it('says that there are no words in it', async () =>
    await expect(parseDocx(makeRawDocx('<w:p/>'))).rejects.toMatchObject({ code: 'no-text' }))

  it('reads what Word for the web saves', async () => {
    const { strFromU8, unzipSync, zipSync } = await import('fflate')
    const entries = unzipSync(makeRawDocx('<w:p><w:r><w:t>Saved in a browser</w:t></w:r></w:p>'))
    const renamed = (words: string): string => words.replaceAll('word/document.xml', 'word/document2.xml')
    const archive = zipSync(
      Object.fromEntries(
        Object.entries(entries).map(([name, data]) => [renamed(name), strToU8(renamed(strFromU8(data)))]),
      ),
    )
    expect((await parseDocx(Buffer.from(archive))).text).toBe('Saved in a browser')
  })

  it('refuses an archive that is no Word file', async () => {
    const { zipSync } = await import('fflate')
    const archive = Buffer.from(zipSync({ 'notes.txt': strToU8('hello') }))
    await expect(parseDocx(archive)).rejects.toMatchObject({ code: 'wrong-type' })
  })
})
