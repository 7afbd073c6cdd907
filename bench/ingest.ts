/**
 * Ingestion end to end: upload, queue, cage, chunks, built-in encoder, both indexes, publication, on the embedded database in this
 * process. PDF first and each of its parts by itself; then the same words in other formats, the same files once more, one changed
 * paragraph, everything cut anew, and how long a job waits in an idle queue.
 */
import './scratch.ts'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { PDFDocument, StandardFonts } from 'pdf-lib'
import { closeDatabase, database, holdDatabase, rows as queryRows } from '#db/client.ts'
import { openEmbeddedDatabase } from '#db/open.ts'
import { insertReindexVersions } from '#db/queries/documents.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { chunkDocument } from '#ingestion/chunk/index.ts'
import { embeddedText } from '#ingestion/embedded-text.ts'
import { makeRawDocx } from '#ingestion/fixtures/docx.ts'
import { makePptx, paragraph, shape } from '#ingestion/fixtures/office.ts'
import type { ParsedDocument } from '#ingestion/parse/parsed-document.ts'
import { parseFile } from '#ingestion/sandbox.ts'
import { startWorker } from '#ingestion/worker.ts'
import { listDocuments, uploadDocument } from '#lib/documents.ts'
import { env } from '#lib/env.ts'
import { percentile } from '#lib/evals/index.ts'
import { closeGateway, embed, warmGateway } from '#lib/gateway/index.ts'
import { closeQueue, enqueue, openQueue } from '#lib/jobs.ts'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import { sentences } from '#lib/shared/text.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { printMachine, printRows, type Row, residentMegabytes } from './report.ts'

const documentCount = Number(process.env.BENCH_DOCUMENTS ?? 10)
const pagesPerDocument = 20
const wordsPerPage = 450
const pollMs = 100

/** A linear congruential generator (Numerical Recipes): the same corpus on every run. */
const random = (() => {
  let state = 7
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
})()

const knownSentences = async (): Promise<string[]> => {
  const files = ['security-policy.md', 'expenses-faq.txt', 'source/handbook.md', 'source/manual.md']
  const texts = await Promise.all(files.map((file) => readFile(join(import.meta.dirname, '../db/demo', file), 'utf8')))
  return (
    texts
      .flatMap((text) => sentences(text).map(({ start, end }) => text.slice(start, end)))
      // The standard fonts of PDF have the letters of Windows-1252 only.
      .filter((sentence) => sentence.length > 40 && /^[\x20-\x7e]+$/.test(sentence) && !/\||\s{2}/.test(sentence))
  )
}

const makePdf = async (known: readonly string[], number: number): Promise<Buffer> => {
  const pdf = await PDFDocument.create()
  const font = await pdf.embedFont(StandardFonts.TimesRoman)
  for (let at = 1; at <= pagesPerDocument; at += 1) {
    const page = pdf.addPage([595, 842])
    page.drawText(`Chapter ${number}.${at}`, { x: 60, y: 790, size: 15, font })
    const words: string[] = []
    while (words.length < wordsPerPage) words.push(...(known[random(known.length)] ?? '').split(' '))
    let line = ''
    let y = 765
    for (const word of [...words.slice(0, wordsPerPage), '']) {
      const longer = line ? `${line} ${word}` : word
      if (word && font.widthOfTextAtSize(longer, 10) < 475) {
        line = longer
        continue
      }
      page.drawText(line, { x: 60, y, size: 10, font })
      line = word
      y -= 13
    }
  }
  return Buffer.from(await pdf.save())
}

/** Processor time of this process with its threads and of the children that have ended; NaN where there is no /proc. */
const processorSeconds = (): number => {
  const stat = existsSync('/proc/self/stat') ? readFileSync('/proc/self/stat', 'utf8') : ''
  // Fields 14 to 17 (proc(5)), counted after the name in brackets, in ticks of 10 ms.
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
  return ticks.length === 4 ? ticks.reduce((sum, tick) => sum + Number(tick), 0) / 100 : Number.NaN
}

type Timed<T> = { ms: number; processor: number; result: T }

const timed = async <T>(work: () => Promise<T>): Promise<Timed<T>> => {
  const startedMs = performance.now()
  const before = processorSeconds()
  const result = await work()
  return { ms: performance.now() - startedMs, processor: processorSeconds() - before, result }
}

const part = (name: string, { ms, processor }: Timed<unknown>, pages: number): Row => ({
  part: name,
  seconds: (ms / 1_000).toFixed(2),
  'pages/s': (pages / (ms / 1_000)).toFixed(1),
  'processor s': processor.toFixed(1),
  'cores used': (processor / (ms / 1_000)).toFixed(2),
})

const known = await knownSentences()
const files: Buffer[] = []
for (let number = 1; number <= documentCount; number += 1) files.push(await makePdf(known, number))
const pages = documentCount * pagesPerDocument

holdDatabase(await openEmbeddedDatabase(env().dataDir))
await openQueue()
const viewer: Viewer = {
  userId: newId(),
  workspaceId: newId(),
  role: 'admin',
  name: 'Bench',
  email: 'bench@scratch.local',
}
await createWorkspace(database().db, { id: viewer.workspaceId, name: 'Bench' })
await upsertAccount(database().db, { ...viewer, passwordHash: '' })
await warmGateway()

// How long the event loop was held at a stretch: embedded, it serves people meanwhile.
const heldMs: number[] = []
let beatMs = performance.now()
const beat = setInterval(() => {
  heldMs.push(performance.now() - beatMs - 10)
  beatMs = performance.now()
}, 10)

let residentMax = residentMegabytes()
type NamedFile = { name: string; bytes: Buffer }

/** Until every document is ready; throws when one fails. */
const settle = async (): Promise<DocumentRow[]> => {
  for (;;) {
    const { documents } = await listDocuments(viewer)
    const failed = documents.find(({ stage }) => stage === 'failed')
    if (failed) throw new Error(`${failed.name}: ${failed.failure?.reason}`)
    residentMax = Math.max(residentMax, residentMegabytes())
    if (documents.every(({ stage }) => stage === 'ready')) return documents
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

const takeIn = async (taken: readonly NamedFile[]): Promise<DocumentRow[]> => {
  for (const { name, bytes } of taken) {
    const source = (async function* () {
      yield bytes
    })()
    await uploadDocument(viewer, { name, collectionId: null, source })
  }
  return settle()
}

const pdfFiles = files.map((bytes, index): NamedFile => ({ name: `document-${index + 1}.pdf`, bytes }))
const worker = await startWorker()
const endToEnd = await timed(() => takeIn(pdfFiles))
const chunks = endToEnd.result.reduce((sum, document) => sum + (document.chunks ?? 0), 0)
clearInterval(beat)
heldMs.sort((one, other) => one - other)

const parsed: ParsedDocument[] = []
const parsing = await timed(async () => {
  for (const [index, bytes] of files.entries()) {
    const path = join(env().dataDir, `part-${index}.pdf`)
    await writeFile(path, bytes)
    parsed.push(await parseFile({ path, name: 'part.pdf' }))
  }
})
const chunking = await timed(async () => (await Promise.all(parsed.map((one) => chunkDocument(one)))).flat())
const embedding = await timed(() => embed(chunking.result.map(embeddedText), { purpose: 'passage' }))

printMachine(['@electric-sql/pglite', 'onnxruntime-node', 'unpdf'])
const megabytes = files.reduce((sum, { length }) => sum + length, 0) / 1e6
console.log(
  `${documentCount} PDF files of ${pagesPerDocument} pages and ${wordsPerPage} words a page, ${megabytes.toFixed(1)} MB, ${chunks} passages; at most ${residentMax} MB resident`,
)
console.log(
  `event loop held, at a stretch: p99 ${heldMs[Math.floor(heldMs.length * 0.99)]?.toFixed(0)} ms, longest ${heldMs.at(-1)?.toFixed(0)} ms`,
)
printRows([
  part('end to end', endToEnd, pages),
  part('parsing alone, in the cage', parsing, pages),
  part('chunking alone', chunking, pages),
  part('embedding alone', embedding, pages),
])

console.log(
  `Of the encoder's own throughput ${((100 * embedding.ms) / endToEnd.ms).toFixed(0)} % were reached; it had ${((100 * embedding.processor) / endToEnd.processor).toFixed(0)} % of the processor's time`,
)

/** As many words as the PDF files have, in headed sections of one page each, as plain lines. */
const sectionsOf = (number: number): { heading: string; paragraphs: string[] }[] =>
  Array.from({ length: pagesPerDocument }, (_, at) => {
    const paragraphs: string[] = []
    let words = 0
    while (words < wordsPerPage) {
      const paragraph = Array.from({ length: 4 }, () => known[random(known.length)] ?? '').join(' ')
      words += paragraph.split(' ').length
      paragraphs.push(paragraph)
    }
    return { heading: `Chapter ${number}.${at + 1}`, paragraphs }
  })

type Sections = ReturnType<typeof sectionsOf>
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const formats: Record<string, (sections: Sections) => Buffer | Promise<Buffer>> = {
  md: (sections) =>
    Buffer.from(sections.map(({ heading, paragraphs }) => `# ${heading}\n\n${paragraphs.join('\n\n')}`).join('\n\n')),
  txt: (sections) =>
    Buffer.from(sections.map(({ heading, paragraphs }) => `${heading}\n\n${paragraphs.join('\n\n')}`).join('\n\n')),
  html: (sections) =>
    Buffer.from(
      `<html><body>${sections.map(({ heading, paragraphs }) => `<h1>${heading}</h1>${paragraphs.map((one) => `<p>${escaped(one)}</p>`).join('')}`).join('')}</body></html>`,
    ),
  docx: (sections) =>
    makeRawDocx(
      sections
        .flatMap(({ heading, paragraphs }) => [heading, ...paragraphs])
        .map((one) => `<w:p><w:r><w:t xml:space="preserve">${escaped(one)}</w:t></w:r></w:p>`)
        .join(''),
    ),
  csv: (sections) =>
    Buffer.from(
      `chapter,text\n${sections.flatMap(({ heading, paragraphs }) => paragraphs.map((one) => `${heading},"${one.replaceAll('"', '""')}"`)).join('\n')}`,
    ),
  pptx: (sections) =>
    makePptx(
      sections.map(({ heading, paragraphs }) => ({
        shapes:
          shape('title', paragraph(escaped(heading))) +
          shape('body', paragraphs.map((one) => paragraph(escaped(one))).join('')),
      })),
    ),
}
const formatDocuments = Math.max(1, Math.round(documentCount / 3))
const formatRows: Row[] = []
for (const [extension, write] of Object.entries(formats)) {
  const taken: NamedFile[] = []
  for (let number = 1; number <= formatDocuments; number += 1)
    taken.push({ name: `${extension}-${number}.${extension}`, bytes: await write(sectionsOf(number)) })
  formatRows.push(part(extension, await timed(() => takeIn(taken)), formatDocuments * pagesPerDocument))
}
console.log(`\nOther formats, ${formatDocuments} documents of ${pagesPerDocument} pages of ${wordsPerPage} words each`)
printRows(formatRows)

const again = await timed(() => takeIn(pdfFiles))
console.log(
  `\nThe same ${documentCount} PDF files again: ${again.ms.toFixed(0)} ms, ${(endToEnd.ms / again.ms).toFixed(0)} times as fast; nothing is read or embedded`,
)
const changed = sectionsOf(1)
const first = changed[7]?.paragraphs
const writeMd = formats.md
if (first && writeMd) {
  await takeIn([{ name: 'changing.md', bytes: await writeMd(changed) }])
  first[1] = 'This one paragraph was written anew after the first reading.'
  const rows = await takeIn([{ name: 'changing.md', bytes: await writeMd(changed) }])
  const row = rows.find(({ name }) => name === 'changing.md')
  console.log(
    `One changed paragraph: ${(row?.chunks ?? 0) - (row?.chunksReused ?? 0)} of ${row?.chunks} passages embedded again`,
  )
}
const reindexed = await timed(async () => {
  const { documents } = await listDocuments(viewer)
  const documentIds = documents.filter(({ name }) => name.endsWith('.pdf')).map(({ id }) => id)
  await database().db.transaction(async (tx) => {
    for (const versionId of await insertReindexVersions(tx, viewer, { documentIds, cause: 'reindex', newId }))
      await enqueue(tx, 'document.ingest', { versionId })
  })
  return settle()
})
const reused = reindexed.result.filter(({ name }) => /^document-\d+\.pdf$/.test(name))
console.log(
  `Read and cut anew without a change: ${(reindexed.ms / 1_000).toFixed(2)} s, ${reused.reduce((sum, row) => sum + (row.chunks ?? 0) - (row.chunksReused ?? 0), 0)} passages embedded`,
)

/** One after the other, each into an idle queue. */
const waits: number[] = []
for (let at = 0; at < 20; at += 1) {
  await takeIn([{ name: `waiting-${at}.txt`, bytes: Buffer.from(`Notice ${at}\n\nIt says nothing else than ${at}.`) }])
  const [job] = await queryRows<{ ms: number }>(
    database().db,
    sql`select extract(epoch from started_on - created_on)::float8 * 1000 as ms from pgboss.job
      where name = 'document.ingest' and started_on is not null order by created_on desc limit 1`,
  )
  if (job) waits.push(job.ms)
}
console.log(
  `A job in an idle queue is picked up after p50 ${percentile(waits, 0.5).toFixed(1)} ms, p95 ${percentile(waits, 0.95).toFixed(1)} ms`,
)
await worker.stop()
await closeQueue()
await closeGateway()
await closeDatabase()
