import { describe, expect, it } from 'vitest'
import { makeOdt } from '../fixtures/office.ts'
import { parseOdt } from './odt.ts'

const read = (...given: Parameters<typeof makeOdt>) => parseOdt(makeOdt(...given))
const cell = (text: string): string => `<table:table-cell><text:p>${text}</text:p></table:table-cell>`

describe('odt', () => {
  it('reads headings, lists and tables', () => {
    const { title, text, blocks, meta } = read(
      [
        '<text:p text:style-name="P1">Handbook</text:p>',
        '<text:list><text:list-item><text:h text:outline-level="2">Leave</text:h></text:list-item></text:list>',
        '<text:p>Thirty<text:s text:c="3"/>days &amp; more.<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>In full.</text:p></text:note-body></text:note></text:p>',
        '<text:list text:style-name="L1"><text:list-item><text:p>Ask</text:p><text:list><text:list-item><text:p>by mail</text:p></text:list-item></text:list></text:list-item></text:list>',
        `<table:table><table:table-header-rows><table:table-row>${cell('Country')}${cell('Days')}</table:table-row></table:table-header-rows><table:table-row>${cell('France')}${cell('32')}</table:table-row></table:table>`,
      ].join(''),
    )
    expect(title).toBe('Handbook')
    expect(text).toBe(
      'Handbook\n\nLeave\n\nThirty days & more. (In full.)\n\n1. Ask\n- by mail\n\nCountry | Days\nFrance | 32',
    )
    expect(blocks.map(({ level }) => level).filter(Boolean)).toEqual([1, 2])
    expect(meta).toEqual({ author: 'Ada Halden', date: '2026-02-03' })
  })

  it('leaves out what was deleted and what was remarked', () =>
    expect(
      read(
        '<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:p>kept<office:annotation><text:p>why?</text:p></office:annotation></text:p>',
      ).text,
    ).toBe('kept'))

  it('refuses a protected document', () =>
    expect(() =>
      read('<text:p>x</text:p>', {
        'META-INF/manifest.xml':
          '<manifest:manifest xmlns:manifest="m"><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>',
      }),
    ).toThrow(expect.objectContaining({ code: 'encrypted' })))

  it('says that there are no words in it', () =>
    expect(() => read('<text:p/>')).toThrow(expect.objectContaining({ code: 'no-text' })))
})
