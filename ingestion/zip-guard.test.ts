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

  it.each(['../outside.xml', '/etc/passwd', 'word/../../outside', 'C:\\outside'])(
    'refuses an entry called %s',
    (name) => expect(codeOf(Buffer.from(zipSync({ [name]: strToU8('x') })))).toBe('damaged'),
  )

  it('says that an archive without its end is damaged', async () => {
    const whole = await makeDocx()
    expect(codeOf(whole.subarray(0, whole.length / 2))).toBe('damaged')
  })
})
