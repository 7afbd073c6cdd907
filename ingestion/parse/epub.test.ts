import { describe, expect, it } from 'vitest'
import { makeEpub } from '../fixtures/office.ts'
import { parseEpub } from './epub.ts'

const read = (...given: Parameters<typeof makeEpub>) => parseEpub(makeEpub(...given), () => {})
const protection = (algorithm: string): Record<string, string> => ({
  'META-INF/encryption.xml': `<encryption><enc:EncryptedData xmlns:enc="e"><enc:EncryptionMethod Algorithm="${algorithm}"/></enc:EncryptedData></encryption>`,
})

describe('epub', () => {
  it('reads the chapters in the order of the book, with what it says of itself', () => {
    const { title, text, meta } = read(
      ['<h1>Second</h1><p>Two<a id="x"/> words.</p>', '<h1>First</h1><ul><li>One</li></ul>'],
      [1, 0],
    )
    expect(text).toBe('First\n\n- One\n\nSecond\n\nTwo words.')
    expect(title).toBe('Field guide')
    expect(meta).toEqual({ author: 'Ada Halden', date: '2024-05-06' })
  })

  it('refuses a protected book', () =>
    expect(() => read(['<p>x</p>'], [0], protection('http://www.w3.org/2001/04/xmlenc#aes128-cbc'))).toThrow(
      expect.objectContaining({ code: 'encrypted' }),
    ))

  it('reads a book of which only the fonts are obscured', () =>
    expect(read(['<p>Words</p>'], [0], protection('http://www.idpf.org/2008/embedding')).text).toBe('Words'))

  it('says that there are no words in it', () =>
    expect(() => read(['<img src="a.png"/>'])).toThrow(expect.objectContaining({ code: 'no-text' })))
})
