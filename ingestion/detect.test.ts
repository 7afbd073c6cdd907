import { describe, expect, it } from 'vitest'
import { kindOf } from './detect.ts'
import { makeRawDocx } from './fixtures/docx.ts'
import { makeLongPdf } from './fixtures/pdf.ts'

const codeOf = (bytes: Buffer, name: string): Promise<string> =>
  kindOf(bytes, name).catch((error: { code: string }) => error.code)

const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex')
const compound = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])
const locked = Buffer.concat([compound, Buffer.from('EncryptedPackage', 'utf16le')])

describe('kind of a file', () => {
  it.each([
    ['notes.txt', 'plain words', 'text'],
    ['notes.md', '# Words', 'markdown'],
    ['notes.MARKDOWN', '# Words', 'markdown'],
    ['page.htm', '<p>words</p>', 'html'],
    ['page.html', '<!doctype html><p>words</p>', 'html'],
    ['list.csv', 'a,b\n1,2', 'csv'],
  ])('%s by its text', async (name, text, kind) => expect(await codeOf(Buffer.from(text), name)).toBe(kind))

  it.each<[string, string, Buffer, string]>([
    ['a PDF', 'a.pdf', makeLongPdf(1), 'pdf'],
    ['a Word file', 'a.docx', makeRawDocx('<w:p/>'), 'docx'],
    ['a PDF that is called text', 'a.txt', makeLongPdf(1), 'wrong-type'],
    ['a Word file that is called PDF', 'a.pdf', makeRawDocx('<w:p/>'), 'wrong-type'],
    ['a PDF that is called Word', 'a.docx', makeLongPdf(1), 'wrong-type'],
    ['a picture that is called CSV', 'a.csv', png, 'wrong-type'],
    [
      'random bytes that are called text',
      'a.txt',
      Buffer.from(Uint8Array.from({ length: 900 }, (_, i) => (i * 73) % 256)),
      'wrong-type',
    ],
    ['a Word file with a password', 'a.docx', locked, 'encrypted'],
    ['a Word file of the old kind', 'a.docx', compound, 'wrong-type'],
    ['text that begins like a bitmap', 'a.txt', Buffer.from('BMW: oil every two years'), 'text'],
    ['text that begins like a model', 'a.md', Buffer.from('solid advice'), 'markdown'],
    ['text about PDF', 'a.md', Buffer.from('# PDF\n\nSuch a file begins with %PDF-1.7.'), 'markdown'],
    ['nothing', 'a.pdf', Buffer.alloc(0), 'empty'],
    ['a type that is not read', 'a.xlsx', Buffer.from('x'), 'unsupported'],
  ])('%s', async (_, name, bytes, outcome) => expect(await codeOf(bytes, name)).toBe(outcome))
})
