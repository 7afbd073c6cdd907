/** Files that were made to break a reader. Each ends in a state with a name, within the limits of the cage, and nothing is fetched. */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8 } from 'fflate'
import { PDFDocument, PDFName } from 'pdf-lib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeRawDocx, makeZipBomb } from './fixtures/docx.ts'
import { makeEncryptedPdf, makeLongPdf, makePdf, makePicturePdf, paragraphLines } from './fixtures/pdf.ts'
import type { ParsedDocument } from './parse/parsed-document.ts'
import { ParseRefused, parseFile } from './sandbox.ts'

const megabytesMax = 512
const stallMsMax = 200

let folder = ''
let server: Server
let address = ''
const asked: string[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'footnote-hostile-'))
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('fetched')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  address = `http://127.0.0.1:${bound && typeof bound === 'object' ? bound.port : 0}`
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

/** The longest time this thread worked without a pause, in milliseconds: how long a request would have waited for it. */
const watchOwnWork = () => {
  let longestMs = 0
  let at = process.threadCpuUsage()
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(at)
    longestMs = Math.max(longestMs, (user + system) / 1_000)
    at = process.threadCpuUsage()
  }, 5)
  return () => {
    clearInterval(timer)
    return longestMs
  }
}

type Ending = { state: string; document: ParsedDocument | null }

/** Reads the file in the cage and holds it to the limits. */
const read = async (name: string, bytes: Buffer | string, wallMs = 20_000): Promise<Ending> => {
  const path = join(folder, name)
  await writeFile(path, bytes)
  let peakMb = 0
  const stop = watchOwnWork()
  const ending = await parseFile({ path, name }, { wallMs, onUsage: (usage) => (peakMb = usage.peakMb) }).then(
    (document): Ending => ({ state: 'read', document }),
    (error: unknown): Ending => ({
      state: error instanceof ParseRefused ? error.code : `unexpected: ${String(error)}`,
      document: null,
    }),
  )
  expect(stop()).toBeLessThan(stallMsMax)
  expect(peakMb).toBeLessThan(megabytesMax)
  return ending
}
const stateOf = async (name: string, bytes: Buffer | string, wallMs?: number): Promise<string> =>
  (await read(name, bytes, wallMs)).state

const words = [paragraphLines(['Words on a page'], 700)]

/** A page tree whose only branch leads back to its root. */
const circularPdf = async (): Promise<Buffer> => {
  const pdf = await PDFDocument.create()
  pdf.addPage([600, 800])
  const pages = pdf.catalog.Pages()
  const root = pdf.catalog.get(PDFName.of('Pages'))
  if (root) pages.set(PDFName.of('Kids'), pdf.context.obj([root]))
  return Buffer.from(await pdf.save({ useObjectStreams: false }))
}

describe('hostile PDF', () => {
  it('ends in a named state: truncated, encrypted, empty, circular, too long', async () => {
    const whole = await makePdf(words)
    expect(await stateOf('truncated.pdf', whole.subarray(0, 60))).toBe('damaged')
    expect(await stateOf('encrypted.pdf', makeEncryptedPdf())).toBe('encrypted')
    expect(await stateOf('empty.pdf', '')).toBe('empty')
    expect(await stateOf('circular.pdf', await circularPdf())).toMatch(/^(damaged|no-text)$/)
    expect(await stateOf('long.pdf', makeLongPdf(20_000))).toBe('too-many-pages')
  })

  it('reads what is there when the end is missing', async () => {
    const whole = await makePdf([...words, ...words])
    expect(await stateOf('half.pdf', whole.subarray(0, whole.length - 200))).toMatch(/^(read|damaged)$/)
  })

  it('hands over the pages when all of them are pictures', async () => {
    const { state, document } = await read('pictures.pdf', await makePicturePdf())
    expect(state).toBe('read')
    expect(document).toMatchObject({ text: '', picturePages: [1] })
  })
})

describe('hostile Word files', () => {
  it('ends in a named state: a million paragraphs in 100 KB, a zip bomb', async () => {
    const million = makeRawDocx('<w:p/>'.repeat(1_000_000))
    expect(million.length).toBeLessThan(100_000)
    expect(await stateOf('million.docx', million)).toBe('unpacks-too-large')
    expect(await stateOf('bomb.docx', makeZipBomb(30 * 1_048_576))).toBe('unpacks-too-large')
  })

  it('reads many paragraphs in time', async () => {
    const body = Array.from({ length: 20_000 }, (_, at) => `<w:p><w:r><w:t>Paragraph ${at}</w:t></w:r></w:p>`).join('')
    const { state, document } = await read('many.docx', makeRawDocx(body))
    expect(state).toBe('read')
    expect(document?.blocks).toHaveLength(20_000)
  })

  it('asks nobody: external entities, links, templates, pictures, parts', async () => {
    const relation = (id: string, type: string, target: string, mode = ' TargetMode="External"'): string =>
      `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${target}"${mode}/>`
    const relations = strToU8(
      `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${relation('r1', 'image', `${address}/image`)}${relation('r2', 'attachedTemplate', `${address}/template`)}${relation('r3', 'aFChunk', `${address}/chunk.html`)}${relation('r4', 'aFChunk', '../../../../etc/passwd', '')}</Relationships>`,
    )
    const body =
      '<w:p><w:r><w:t>Seen</w:t></w:r></w:p><w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData><pic:pic><pic:blipFill><a:blip r:link="r1"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p><w:altChunk r:id="r3"/><w:altChunk r:id="r4"/>'
    const linked = await read('linked.docx', makeRawDocx(body, { 'word/_rels/document.xml.rels': relations }))
    expect(linked.document?.text).toBe('Seen')
    const entities = strToU8(
      `<!DOCTYPE w:document [<!ENTITY x SYSTEM "${address}/entity"><!ENTITY y SYSTEM "file:///etc/passwd">]><w:document><w:body><w:p><w:r><w:t>&x;&y;</w:t></w:r></w:p></w:body></w:document>`,
    )
    expect(await stateOf('entity.docx', makeRawDocx('', { 'word/document.xml': entities }))).toBe('wrong-type')
    const page = `<link rel="stylesheet" href="${address}/css"><script src="${address}/js"></script><img src="${address}/img"><iframe src="${address}/frame"></iframe><p>Seen</p>`
    expect((await read('linked.html', page)).document?.text).toContain('Seen')
    expect(asked).toEqual([])
  })
})

describe('hostile text', () => {
  it('ends in a named state: wrong extension, two things at once, binary, deep, a gigabyte', async () => {
    const pdf = await makePdf(words)
    const docx = makeRawDocx('<w:p><w:r><w:t>Words</w:t></w:r></w:p>')
    expect(await stateOf('renamed.txt', pdf)).toBe('wrong-type')
    expect(await stateOf('renamed.pdf', docx)).toBe('wrong-type')
    expect(await stateOf('both.pdf', Buffer.concat([pdf, docx]))).toBe('wrong-type')
    expect(await stateOf('binary.txt', Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7) % 256)))).toBe(
      'wrong-type',
    )
    expect(await stateOf('deep.html', `${'<div>'.repeat(20_000)}deep`)).toBe('damaged')
    const path = join(folder, 'gigabyte.txt')
    await writeFile(path, 'one line ')
    await truncate(path, 2 ** 30)
    await expect(parseFile({ path, name: 'gigabyte.txt' })).rejects.toMatchObject({ code: 'too-large' })
  })

  it('reads a table of a hundred thousand columns, or says why not', async () => {
    const columns = Array.from({ length: 100_000 }, (_, at) => `c${at}`).join(',')
    expect(await stateOf('wide.csv', `${columns}\n${columns}\n`)).toMatch(/^(read|too-much-text|timeout)$/)
  })

  it('hands over twenty million characters without holding up whoever asked', async () => {
    const line = `${'Seventy characters of text that go on and on to the end of this line.'}\n`
    const { state, document } = await read('whole.txt', line.repeat(19_000_000 / line.length))
    expect(state).toBe('read')
    expect(document?.text.length).toBeGreaterThan(18_900_000)
  })

  it('ends what never ends', async () => expect(await stateOf('slow.pdf', makeLongPdf(4_900), 300)).toBe('timeout'))
})
