import { describe, expect, it } from 'vitest'
import { attachmentHeaders } from './attachment.ts'
import { csvLine } from './csv.ts'
import { hostileNames } from './fixtures/hostile-names.ts'
import { mayDeceive, shownName } from './shown-name.ts'

const turning = /[\p{Cc}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u

it('are sixty names, each another', () => {
  expect(new Set(hostileNames).size).toBe(60)
})

describe('a name that somebody chose', () => {
  it('hides nothing and turns nothing around it, and two that look alike do not', () => {
    for (const name of hostileNames) expect(shownName(name), name).not.toMatch(turning)
    expect(shownName('invoice\u202efdp.exe')).toBe('invoice⟨202E⟩fdp.exe')
    expect(shownName('in\u200bvoice.txt')).not.toBe(shownName('invoice.txt'))
    expect(shownName('a\u{e0041}b')).toBe('a⟨E0041⟩b')
    expect(shownName('pass\u200dword')).toBe('pass⟨200D⟩word')
    expect(shownName('\ud800lone')).toBe('⟨D800⟩lone')
  })

  it('stays as it is where every character of it shows', () => {
    const plain = [
      'Handbook (2026).pdf',
      'Übergröße – Straße',
      'دفتر راهنما.pdf',
      'می\u200cخواهم',
      '👩\u200d🔧 Werkstatt',
      'क्\u200dष',
      '東京 手引き',
    ]
    for (const name of plain) expect(shownName(name)).toBe(name)
  })

  it('is marked when a word of it is written to look like another, and not for being foreign', () => {
    for (const name of ['pаypal.txt', 'Аdmin', 'ｉnvoice.txt', 'Gοοgle', '𝐀dmin', 'my_раyroll.pdf', 'Ωmega-3'])
      expect(mayDeceive(name), name).toBe(true)
    for (const name of [
      'paypal.txt',
      'Отчёт 2026.pdf',
      'Отчёт Q3.pdf',
      'α-Test',
      'µm gauge',
      'Ελλάδα Report',
      'Größe',
      '東京 report',
    ])
      expect(mayDeceive(name), name).toBe(false)
  })
})

/** What a browser makes of the header's name (RFC 8187). */
const savedAs = (header: string): string => decodeURIComponent(/filename\*=UTF-8''([^;]*)$/.exec(header)?.[1] ?? '')

describe('a download', () => {
  it('is an attachment in a sandbox under its own name, whatever the name is', () => {
    for (const name of hostileNames) {
      const headers = new Headers(attachmentHeaders(name))
      const disposition = headers.get('content-disposition') ?? ''
      // One line of ASCII with one name: nothing of it is a quote, a second parameter or another header.
      expect(disposition, name).toMatch(/^attachment; filename\*=UTF-8''[\w!#$&+.^`|~%-]+$/)
      expect(savedAs(disposition), name).toBe(name.toWellFormed())
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toMatch(/^sandbox;/)
      expect([...headers.keys()]).toHaveLength(4)
    }
  })
})

describe('a table of them', () => {
  it('has one line for each, and no cell that a spreadsheet takes for a formula', () => {
    for (const name of hostileNames) {
      const line = csvLine([name, 1])
      const cell = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*)),1\r\n$/.exec(line)
      expect(cell, JSON.stringify(line)).not.toBeNull()
      expect(cell?.[1] ?? cell?.[2] ?? '').not.toMatch(/^\s*[=+\-@\uff1d]/)
    }
  })
})
