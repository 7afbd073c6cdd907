import { strToU8, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { uploadExtensions } from '#lib/shared/admin-contract.ts'
import { kindOf, kindsByExtension } from './detect.ts'
import { makeRawDocx } from './fixtures/docx.ts'
import { makeEpub, makeOdt, makePptx, makeRawXlsx } from './fixtures/office.ts'
import { makeLongPdf } from './fixtures/pdf.ts'

const codeOf = (bytes: Buffer, name: string): Promise<string> =>
  kindOf(bytes, name).catch((error: { code: string }) => error.code)

const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010806000000', 'hex')
const compound = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)])
const locked = Buffer.concat([compound, Buffer.from('EncryptedPackage', 'utf16le')])

const pdf = makeLongPdf(1)
const word = makeRawDocx('<w:p/>')
const zip = Buffer.from(zipSync({ 'a.txt': strToU8('a') }))
/** A zip archive in whose comment another file ends: readers of both take it for theirs. */
const zipEndingAs = (first: Buffer, comment: Buffer): Buffer => {
  const directory = Buffer.from(zip)
  directory.writeUInt16LE(comment.length, directory.length - 2)
  return Buffer.concat([first, directory, comment])
}
const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex')

describe('kind of a file', () => {
  it('knows every type that may be uploaded, and no other', () =>
    expect(Object.keys(kindsByExtension).sort()).toEqual([...uploadExtensions].sort()))

  it.each([
    ['notes.txt', 'plain words', 'text'],
    ['notes.md', '# Words', 'markdown'],
    ['notes.MARKDOWN', '# Words', 'markdown'],
    ['page.htm', '<p>words</p>', 'html'],
    ['page.html', '<!doctype html><p>words</p>', 'html'],
    ['list.csv', 'a,b\n1,2', 'csv'],
    ['list.tsv', 'a\tb\n1\t2', 'csv'],
    ['data.json', ' {"a": 1}', 'json'],
    ['data.jsonl', '{"a": 1}\n{"a": 2}', 'json'],
    ['data.xml', '<?xml version="1.0"?><a/>', 'xml'],
    ['mail.eml', 'x-store-info:1\nFrom: a@b.c\n\nHi', 'eml'],
    ['mail.mbox', 'From a@b.c Sat Nov 21 10:00:00 2026\n\nHi', 'eml'],
    ['text.rtf', '{\\rtf1 Hi}', 'rtf'],
    ['guard.py', 'limit = 40', 'code'],
    ['data.json', 'limit = 40', 'wrong-type'],
    ['data.xml', 'limit = 40', 'wrong-type'],
    ['mail.eml', '<p>Hi</p>', 'wrong-type'],
    ['text.rtf', 'Hi', 'wrong-type'],
    ['notes.txt', '{\\rtf1 Hi}', 'wrong-type'],
  ])('%s by its text', async (name, text, kind) => expect(await codeOf(Buffer.from(text), name)).toBe(kind))

  it.each<[string, string, Buffer, string]>([
    ['a PDF', 'a.pdf', pdf, 'pdf'],
    ['a PDF after stray bytes', 'a.pdf', Buffer.concat([Buffer.from('\n\n'), pdf]), 'pdf'],
    ['a Word file', 'a.docx', word, 'docx'],
    ['slides', 'a.pptx', makePptx([]), 'pptx'],
    ['a workbook', 'a.xlsx', makeRawXlsx(''), 'xlsx'],
    ['a text document', 'a.odt', makeOdt(''), 'odt'],
    ['a book', 'a.epub', makeEpub([]), 'epub'],
    ['a picture', 'a.png', png, 'image'],
    ['a photograph', 'a.jpeg', jpeg, 'image'],
    ['a picture of another kind', 'a.jpg', png, 'wrong-type'],
    ['slides that are called a workbook', 'a.xlsx', makePptx([]), 'wrong-type'],
    ['a book that is called a text document', 'a.odt', makeEpub([]), 'wrong-type'],
    ['any archive that is called Word', 'a.docx', zip, 'wrong-type'],
    ['half of a Word file', 'a.docx', word.subarray(0, word.length / 2), 'damaged'],
    ['a PDF and an archive at once', 'a.pdf', zipEndingAs(pdf, Buffer.from('%%EOF')), 'wrong-type'],
    ['an archive and a PDF at once', 'a.docx', Buffer.concat([word.subarray(0, 60), pdf, word]), 'wrong-type'],
    ['a picture and an archive at once', 'a.png', zipEndingAs(png, Buffer.alloc(0)), 'wrong-type'],
    ['a photograph and a PDF at once', 'a.jpg', Buffer.concat([jpeg, pdf]), 'wrong-type'],
    ['a photograph and a PDF at once', 'a.pdf', Buffer.concat([jpeg, pdf]), 'wrong-type'],
    ['a page and a PDF at once', 'a.pdf', Buffer.concat([Buffer.from('<html>'), pdf]), 'wrong-type'],
    [
      'text and an archive at once',
      'a.md',
      zipEndingAs(Buffer.from('words '.repeat(999)), Buffer.alloc(0)),
      'wrong-type',
    ],
    ['a workbook with a password', 'a.xlsx', locked, 'encrypted'],
    ['a PDF that is called text', 'a.txt', pdf, 'wrong-type'],
    ['a Word file that is called PDF', 'a.pdf', word, 'wrong-type'],
    ['a PDF that is called Word', 'a.docx', pdf, 'wrong-type'],
    ['a picture that is called CSV', 'a.csv', png, 'wrong-type'],
    [
      'random bytes that are called text',
      'a.txt',
      Buffer.from(Uint8Array.from({ length: 900 }, (_, i) => (i * 73) % 256)),
      'wrong-type',
    ],
    ['a Word file with a password', 'a.docx', locked, 'encrypted'],
    ['a Word file of the old kind', 'a.docx', compound, 'unsupported'],
    ['a Word file of the old kind that is called text', 'a.txt', compound, 'unsupported'],
    ['a message from Outlook', 'a.msg', compound, 'unsupported'],
    ['text that begins like a bitmap', 'a.txt', Buffer.from('BMW: oil every two years'), 'text'],
    ['text that begins like a model', 'a.md', Buffer.from('solid advice'), 'markdown'],
    ['text about PDF', 'a.md', Buffer.from('# PDF\n\nSuch a file begins with %PDF-1.7.'), 'markdown'],
    ['nothing', 'a.pdf', Buffer.alloc(0), 'empty'],
    ['a type that is not read', 'a.xls', Buffer.from('x'), 'unsupported'],
    ['a name like a property', 'a.constructor', Buffer.from('x'), 'unsupported'],
  ])('%s', async (_, name, bytes, outcome) => expect(await codeOf(bytes, name)).toBe(outcome))
})
