/** The faults of finding and of taking in, one row each: a reranker, broken files, uploads that collide or break off, the encoder. */
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import type { RecordedRequest, Script } from '#e2e/mock-provider.ts'
import type { DocumentRow, UploadResult } from '#lib/shared/admin-contract.ts'
import { parseQuestion } from '#lib/shared/source-slot.ts'
import { check, type Fault, pause, seconds } from './chaos-fault.ts'
import type { Product, Remains, Told, World } from './chaos-world.ts'

/** So long the reranker of these worlds may take. */
const rerankMs = 300
/** What reading, sending and asking take beside it on a busy machine. */
const slackMs = 700
const readWithinMs = 60_000
/** Of a look at health on a machine whose cores all read and embed. */
const healthMs = 2_000
const partsWithinMs = 5_000
const uploadedAtOnce = 20

const answered = ({ status, citations }: Told): boolean => status === 'complete' && citations.length > 0

type Upload = { name: string; bytes: string | Buffer }

const upload = async (product: Product, { name, bytes }: Upload): Promise<UploadResult> => {
  const form = new FormData()
  form.set('file', new Blob([Buffer.from(bytes)]), name)
  const response = await product.asLocal('/api/documents', { method: 'POST', body: form })
  if (!response.ok) throw new Error(`${name} was refused with ${response.status}: ${await response.text()}`)
  return (await response.json()) as UploadResult
}

const listed = async (product: Product): Promise<DocumentRow[]> =>
  ((await (await product.asLocal('/api/documents')).json()) as { documents: DocumentRow[] }).documents

/** Texts of the passages that have the words. */
const found = async (product: Product, query: string): Promise<string[]> => {
  const body = JSON.stringify({ query, legs: 'lexical', k: 10 })
  const headers = { 'content-type': 'application/json' }
  const response = await product.asLocal('/api/search', { method: 'POST', body, headers })
  return ((await response.json()) as { passages: { text: string }[] }).passages.map(({ text }) => text)
}

/** Files that were begun and not finished. */
const partsIn = async ({ dataDir }: Product): Promise<string[]> =>
  (await readdir(join(dataDir, 'blobs'), { recursive: true })).filter((name) => name.endsWith('.part'))

/** The slowest look at health while `work` goes on, in milliseconds. */
const slowestHealth = async ({ url }: Product, work: Promise<unknown>): Promise<number> => {
  let slowestMs = 0
  let over = false
  const ended = work.finally(() => {
    over = true
  })
  while (!over) {
    const startMs = performance.now()
    await fetch(`${url}/api/health/ready`)
    slowestMs = Math.max(slowestMs, performance.now() - startMs)
    await pause(100)
  }
  await ended
  return slowestMs
}

type Reranking = {
  told: Told
  /** Calls of the reranker. */
  calls: number
  /** The first source of the prompt was the first or the last of what the reranker was given. */
  first: 'before' | 'reranked' | 'else'
  /** From the reranker's call to the model's. */
  waitedMs: number
}

/** Asks with a reranker that behaves as `script`; the provider whose order is asked need not be the one that writes. */
const askReranked = async (world: World, question: string, script: Script): Promise<Reranking> => {
  const vendors = [world.first, world.second]
  for (const vendor of vendors) vendor.script([{ ...script, for: 'ranks', times: 1_000 }, {}])
  const marks = vendors.map((vendor) => world.mark(vendor))
  const told = await world.ask(question)
  const calls = vendors.flatMap((vendor, at) => world.since(vendor, marks[at] ?? 0))
  const isRanking = ({ path }: RecordedRequest): boolean => path.endsWith('/rerank')
  const ranking = calls.find(isRanking)
  const writing = calls.find((call) => !isRanking(call))
  const { documents = [] } = (ranking?.body ?? {}) as { documents?: string[] }
  const { messages = [] } = (writing?.body ?? {}) as { messages?: { role: string; content: unknown }[] }
  const asked = messages.findLast(({ role }) => role === 'user')?.content
  const [source] = parseQuestion(typeof asked === 'string' ? asked : JSON.stringify(asked)).passages
  const isSource = (text: string | undefined): boolean =>
    source !== undefined && (text?.includes(source.text.slice(0, 60)) ?? false)
  return {
    told,
    calls: calls.filter(isRanking).length,
    first: isSource(documents[0]) ? 'before' : isSource(documents.at(-1)) ? 'reranked' : 'else',
    waitedMs: ranking && writing ? writing.atMs - ranking.atMs : Number.POSITIVE_INFINITY,
  }
}

const demoFile = (name: string): Promise<Buffer> => readFile(join(import.meta.dirname, '../db/demo', name))

/** A ZIP archive of a few entries, as PKWARE's APPNOTE.TXT has it: the entries, then their directory. */
const zipOf = (entries: Readonly<Record<string, string | Buffer>>): Buffer => {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(entries)) {
    const bytes = Buffer.from(content)
    const packed = deflateRawSync(bytes)
    // From the version that is needed to the length of the extra field: the same in both places.
    const about = Buffer.alloc(26)
    about.writeUInt16LE(20, 0)
    about.writeUInt16LE(8, 4)
    about.writeUInt32LE(crc32(bytes), 10)
    about.writeUInt32LE(packed.length, 14)
    about.writeUInt32LE(bytes.length, 18)
    about.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    const file = Buffer.concat([Buffer.from('PK\x03\x04'), about, Buffer.from(name), packed])
    files.push(file)
    directory.push(Buffer.from('PK\x01\x02\x14\0'), about, place, Buffer.from(name))
    offset += file.length
  }
  const end = Buffer.alloc(18)
  end.writeUInt16LE(files.length, 4)
  end.writeUInt16LE(files.length, 6)
  end.writeUInt32LE(Buffer.concat(directory).length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...files, ...directory, Buffer.from('PK\x05\x06'), end])
}

/** The smallest Word file, with this body and these other parts. */
const docxOf = (body: string, parts: Readonly<Record<string, Buffer>> = {}): Buffer =>
  zipOf({
    '[Content_Types].xml':
      '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    '_rels/.rels':
      '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    'word/document.xml': `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
    ...parts,
  })

/** Says that it is encrypted with a password (standard handler, revision 2) that nobody knows. */
const lockedPdf = (() => {
  const unknown = `<${'ab'.repeat(32)}>`
  const id = `<${'01'.repeat(16)}>`
  return [
    '%PDF-1.4',
    '1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj',
    '2 0 obj\n<< /Type /Pages /Count 1 /Kids [3 0 R] >>\nendobj',
    '3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] >>\nendobj',
    `4 0 obj\n<< /Filter /Standard /V 1 /R 2 /O ${unknown} /U ${unknown} /P -4 >>\nendobj`,
    `trailer\n<< /Size 5 /Root 1 0 R /Encrypt 4 0 R /ID [${id} ${id}] >>\n%%EOF\n`,
  ].join('\n')
})()

/** Files that break readers, each with the state that it must end in. */
const brokenFiles = async (): Promise<(Upload & { ends: string })[]> => {
  const pdf = await demoFile('h-40-service-manual.pdf')
  const said = (text: string): string => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`
  const docx = docxOf(said('The crane stands in Ulm.'))
  const bomb = docxOf(said('Tick.'), { 'word/media/image1.bin': Buffer.alloc(30 * 1_048_576) })
  const million = docxOf('<w:p/>'.repeat(1_000_000))
  return [
    { name: 'cut.pdf', bytes: pdf.subarray(0, 60), ends: 'damaged' },
    { name: 'locked.pdf', bytes: lockedPdf, ends: 'encrypted' },
    { name: 'empty.pdf', bytes: '', ends: 'empty' },
    { name: 'renamed.txt', bytes: pdf, ends: 'wrong-type' },
    { name: 'both.pdf', bytes: Buffer.concat([pdf, docx]), ends: 'wrong-type' },
    { name: 'sound.docx', bytes: docx, ends: 'ready' },
    { name: 'bomb.docx', bytes: bomb, ends: 'unpacks-too-large' },
    { name: 'million.docx', bytes: million, ends: 'unpacks-too-large' },
    { name: 'line.txt', bytes: 'one line '.repeat(20_000), ends: 'ready' },
    { name: 'utf16.txt', bytes: Buffer.from('\ufeffThe gate opens at seven.', 'utf16le'), ends: 'ready' },
    { name: 'columns.csv', bytes: Array.from({ length: 20_000 }, (_, at) => `c${at}`).join(','), ends: 'ready' },
  ]
}

/** A file's beginning over a connection that ends in its middle. */
const breakOff = async (product: Product, share: number): Promise<void> => {
  const token = (await readFile(join(product.dataDir, 'local-token'), 'utf8')).trim()
  const boundary = 'chaos-boundary'
  const file = Buffer.alloc(1_000_000, 'Half a document is no document. ')
  const opening = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="half-${share}.txt"\r\n\r\n`
  const closing = `\r\n--${boundary}--\r\n`
  const { hostname, port, host } = new URL(product.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(
    [
      'POST /api/documents HTTP/1.1',
      `host: ${host}`,
      `authorization: Bearer ${token}`,
      'x-footnote-user: admin@demo.local',
      `content-type: multipart/form-data; boundary=${boundary}`,
      `content-length: ${opening.length + file.length + closing.length}`,
      '',
      opening,
    ].join('\r\n'),
  )
  socket.write(file.subarray(0, Math.round(file.length * share)))
  await pause(500)
  socket.destroy()
}

/** The encoder's folder with one bit of its weights turned over. */
const damagedModels = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'footnote-chaos-models-'))
  const name = 'all-MiniLM-L6-v2'
  await cp(join(import.meta.dirname, '../models', name), join(folder, name), { recursive: true, dereference: true })
  const weights = join(folder, name, 'onnx/model_quantized.onnx')
  const bytes = await readFile(weights)
  const middle = bytes.length >> 1
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
  await writeFile(weights, bytes)
  return folder
}

const rerankNotes = ({ traces }: Remains): string[] =>
  traces.flatMap(
    ({ spans }) => JSON.stringify(spans).match(/provider (?:took longer|[^"]{0,200}): the mixed order stands/g) ?? [],
  )

export const knowledgeFaults: readonly Fault[] = [
  {
    id: 'F20',
    name: 'the reranker is down or slow',
    expected: `skipped after ${rerankMs} ms; the order before it stands, and the trace says so`,
    run: async ({ open }) => {
      const { world } = await open({ settings: { retrieval: { rerank: 'provider', rerankMs } } })
      // Different questions: the same one would be ranked as it was a moment ago.
      const well = await askReranked(world, 'What is the hotel limit per night in Portugal?', {})
      const down = await askReranked(world, 'How often are the firmware signing keys rotated?', { status: 503 })
      const slow = await askReranked(world, 'How quickly must a security incident be reported?', {
        firstDelayMs: 30_000,
      })
      const skipped = [down, slow]
      return [
        check(
          'a reranker that is well gives the order',
          well.first === 'reranked' && answered(well.told),
          `well: ${well.calls} call, its best first`,
        ),
        check(
          'answered from the order before it',
          skipped.every(({ told, first, calls }) => answered(told) && first === 'before' && calls > 0),
          `down: ${down.told.status}, order ${down.first}; slow: ${slow.told.status}, order ${slow.first}`,
        ),
        check(
          'nobody waits longer for it',
          skipped.every(({ waitedMs }) => waitedMs <= rerankMs + slackMs),
          `the model was asked ${seconds(down.waitedMs)} and ${seconds(slow.waitedMs)} after the reranker`,
        ),
      ]
    },
    after: ([remains]) => {
      const notes = remains ? rerankNotes(remains) : []
      return [
        check(
          'the trace says why',
          notes.length === 2 && notes.some((note) => note.includes(`longer than ${rerankMs} ms`)),
          `${notes.length} of 2 traces say that the order before stands`,
        ),
      ]
    },
  },
  {
    id: 'F39',
    name: 'files that are cut short, locked, empty, misnamed, endless, or bombs',
    expected: 'each read, or failed for a reason with a name, within 60 s; the rest of the product does not notice',
    run: async ({ open }) => {
      const { world } = await open()
      const { product } = world
      const files = await brokenFiles()
      const startMs = performance.now()
      const slowestMs = await slowestHealth(
        product,
        Promise.all(files.map((file) => upload(product, file))).then(() => product.settled()),
      )
      const tookMs = performance.now() - startMs
      const rows = await listed(product)
      const ends = files.map(({ name, ends }) => {
        const row = rows.find((one) => one.name === name)
        const end = row?.stage === 'failed' ? (row.failure?.code ?? 'failed') : (row?.stage ?? 'gone')
        return { name, end, good: end === ends }
      })
      world.first.script({})
      const told = await world.ask('What is the hotel limit per night in Portugal?')
      return [
        check(
          'each ends as it should',
          ends.every(({ good }) => good),
          ends.map(({ name, end }) => `${name} ${end}`).join(', '),
        ),
        check('within 60 s', tookMs <= readWithinMs, `all ${files.length} in ${seconds(tookMs)}`),
        check('the web does not notice', slowestMs <= healthMs, `slowest look at health ${seconds(slowestMs)}`),
        check('questions are answered', answered(told), told.status),
      ]
    },
  },
  {
    id: 'F40',
    name: 'the same file twenty times at once, and under another name',
    expected: 'one document with one stored file; the others learn that it is there',
    run: async ({ open }) => {
      const { world } = await open()
      const { product } = world
      const before = (await listed(product)).length
      const bytes = 'The canteen closes at half past two.'
      const results = await Promise.all(
        Array.from({ length: uploadedAtOnce }, () => upload(product, { name: 'canteen.txt', bytes })),
      )
      const renamed = await upload(product, { name: 'canteen (copy).txt', bytes })
      await product.settled()
      const made = results.filter(({ outcome }) => outcome === 'created').length
      const there = [...results, renamed].filter(({ outcome }) => outcome === 'already-there').length
      const more = (await listed(product)).length - before
      const passages = (await found(product, 'canteen closes half past two')).filter((text) =>
        text.includes('half past'),
      )
      return [
        check(
          'one is made, the others are there',
          made === 1 && there === uploadedAtOnce && more === 1,
          `${made} made, ${there} already there, ${more} more in the list`,
        ),
        check('found once', passages.length === 1, `${passages.length} passages found`),
      ]
    },
  },
  {
    id: 'F41',
    name: 'an upload that breaks off at 1 %, 50 % and 99 %',
    expected: 'no half document, nothing left on the disk',
    run: async ({ open }) => {
      const { world } = await open()
      const { product } = world
      const before = (await listed(product)).length
      await Promise.all([0.01, 0.5, 0.99].map((share) => breakOff(product, share)))
      const deadlineMs = performance.now() + partsWithinMs
      while ((await partsIn(product)).length > 0 && performance.now() < deadlineMs) await pause(100)
      const left = await partsIn(product)
      const more = (await listed(product)).length - before
      const whole = await upload(product, { name: 'whole.txt', bytes: 'A whole document.' })
      return [
        check('no half document', more === 0, `${more} documents of three halves`),
        check('nothing is left on the disk', left.length === 0, `${left.length} unfinished files`),
        check('the next one is taken', whole.outcome === 'created', whole.outcome),
      ]
    },
  },
  {
    id: 'F42',
    name: 'a document that is uploaded anew, or deleted, while it is read',
    expected: 'the newest version answers; what was deleted leaves no passage',
    run: async ({ open }) => {
      const { world } = await open()
      const { product } = world
      const long = (key: string): string =>
        Array.from({ length: 400 }, (_, at) => `Paragraph ${at} of the ${key} edition speaks of the crane.`).join(
          '\n\n',
        )
      const [first, doomed] = await Promise.all([
        upload(product, { name: 'crane.txt', bytes: long('obsolete') }),
        upload(product, { name: 'doomed.txt', bytes: long('doomed') }),
      ])
      const second = await upload(product, { name: 'crane.txt', bytes: long('valid') })
      const gone = await product.asLocal(`/api/documents/${doomed.document.id}`, { method: 'DELETE' })
      await product.settled()
      const rows = await listed(product)
      const crane = rows.find(({ id }) => id === first.document.id)
      const [old, fresh, deleted] = await Promise.all(
        ['obsolete', 'valid', 'doomed'].map(
          async (key) => (await found(product, `${key} edition crane`)).filter((text) => text.includes(key)).length,
        ),
      )
      return [
        check(
          'the newest version wins',
          second.outcome === 'new-version' && crane?.version === 2 && crane.stage === 'ready',
          `version ${crane?.version ?? 'none'}, ${crane?.stage ?? 'gone'}`,
        ),
        check(
          'only its passages are found',
          old === 0 && (fresh ?? 0) > 0,
          `${old} passages of the old, ${fresh} of the new`,
        ),
        check(
          'nothing of what was deleted',
          gone.status === 204 && deleted === 0 && !rows.some(({ name }) => name === 'doomed.txt'),
          `${deleted} passages of the deleted`,
        ),
      ]
    },
  },
  {
    id: 'F45',
    name: 'the encoder’s file is damaged at the start',
    expected: 'search by words with a notice, vectors of nothing else; documents are read and found by their words',
    run: async ({ open }) => {
      const models = await damagedModels()
      try {
        const { world } = await open({ env: { MODELS_DIR: models } })
        const { product } = world
        const told = await world.ask('hotel limit per night Portugal')
        await upload(product, { name: 'turnstile.txt', bytes: 'The turnstile is serviced in Augsburg.' })
        const [row] = (await product.settled()).filter(({ name }) => name === 'turnstile.txt')
        const passages = await found(product, 'turnstile Augsburg')
        return [
          check(
            'answered with a notice',
            answered(told) && Boolean(told.metadata.degraded),
            `${told.status}, ${told.metadata.degraded ? 'with a notice' : 'without a notice'}`,
          ),
          check(
            'a new document is found by its words',
            row?.stage === 'ready' && passages.some((text) => text.includes('Augsburg')),
            `${row?.stage ?? 'gone'}, ${passages.length} found`,
          ),
        ]
      } finally {
        // The server holds nothing open in it: what is damaged was refused.
        await rm(models, { recursive: true, force: true })
      }
    },
  },
]
