import { strToU8, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { makeDocx, makeRawDocx, makeZipBomb, withDeclaredSize } from './fixtures/docx.ts'
import { guardZip } from './zip-guard.ts'

/** No round number: its bytes must be found again in the archive, and only there. */
const bombBytes = 12_345_678

const codeOf = (bytes: Buffer): string => {
  try {
    guardZip(bytes)
    return 'passed'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('zip guard', () => {
  it('lets a Word file pass', async () => expect(codeOf(await makeDocx())).toBe('passed'))

  it('refuses a bomb by what it declares', () => expect(codeOf(makeZipBomb(bombBytes))).toBe('unpacks-too-large'))

  it('refuses a bomb that declares less than it holds', () => {
    expect(codeOf(withDeclaredSize(makeZipBomb(bombBytes), bombBytes, 1_000))).toBe('unpacks-too-large')
  })

  it('refuses a bomb that hides behind something that does not shrink', () => {
    const padding = new Uint8Array(400_000)
    const bomb = makeRawDocx('<w:p/>', {
      'word/media/padding.bin': [padding, { level: 0 }],
      'word/media/image1.bin': new Uint8Array(bombBytes),
    })
    expect(codeOf(bomb)).toBe('unpacks-too-large')
    expect(codeOf(withDeclaredSize(bomb, bombBytes, 1_000))).toBe('unpacks-too-large')
  })

  it('refuses more entries than a document has', () => {
    const many = Object.fromEntries(Array.from({ length: 5_001 }, (_, index) => [`e/${index}`, new Uint8Array(0)]))
    expect(codeOf(makeRawDocx('', many))).toBe('unpacks-too-large')
  })

  it('refuses an archive in the archive', () =>
    expect(codeOf(makeRawDocx('', { 'word/inner.zip': strToU8('x') }))).toBe('unpacks-too-large'))

  it('refuses one under another name, but not the sheet behind a chart', () => {
    const inner = zipSync({ 'a.txt': strToU8('a') })
    expect(codeOf(makeRawDocx('', { 'word/media/picture.png': inner }))).toBe('unpacks-too-large')
    expect(codeOf(makeRawDocx('', { 'word/embeddings/oleObject1.bin': inner, 'word/sheet1.xlsx': inner }))).toBe(
      'passed',
    )
  })

  it('refuses a symbolic link and an entry with a password', () => {
    const link = zipSync({ link: [strToU8('/etc/passwd'), { os: 3, attrs: (0o120777 << 16) >>> 0 }] })
    expect(codeOf(Buffer.from(link))).toBe('damaged')
    const locked = Buffer.from(zipSync({ 'a.xml': strToU8('x') }))
    const at = locked.lastIndexOf(Buffer.from('PK\u0001\u0002', 'latin1'))
    locked.writeUInt16LE(1, at + 8)
    expect(codeOf(locked)).toBe('encrypted')
  })

  it('lets an empty drawing pass that shrinks more than a hundredfold', async () => {
    const noise = Uint8Array.from({ length: 60_000 }, (_, at) => (at * at * 31) % 251)
    expect(
      codeOf(
        makeRawDocx('', { 'word/media/a.emf': new Uint8Array(1_500_000), 'word/media/b.bin': [noise, { level: 0 }] }),
      ),
    ).toBe('passed')
  })

  it.each(['../outside.xml', '/etc/passwd', 'word/../../outside', 'C:\\outside'])(
    'refuses an entry called %s',
    (name) => expect(codeOf(Buffer.from(zipSync({ [name]: strToU8('x') })))).toBe('damaged'),
  )

  it('says that an archive without its end is damaged', async () => {
    const whole = await makeDocx()
    expect(codeOf(whole.subarray(0, whole.length / 2))).toBe('damaged')
  })
})
