/**
 * Ingestion of plain text PDF, end to end: upload, queue, cage, chunks, built-in encoder, both indexes, publication, on the
 * embedded database in this process. Then each part by itself, one document after the other.
 */
import './scratch.ts'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PDFDocument, StandardFonts } from 'pdf-lib'
import { closeDatabase, database, holdDatabase } from '#db/client.ts'
import { openEmbeddedDatabase } from '#db/open.ts'
import { createWorkspace, upsertAccount } from '#db/queries/people.ts'
import { chunkDocument } from '#ingestion/chunk/index.ts'
import type { ParsedDocument } from '#ingestion/parse/parsed-document.ts'
import { embeddedText } from '#ingestion/pipeline.ts'
import { parseFile } from '#ingestion/sandbox.ts'
import { startWorker } from '#ingestion/worker.ts'
import { listDocuments, uploadDocument } from '#lib/documents.ts'
import { env } from '#lib/env.ts'
import { closeGateway, embed, warmGateway } from '#lib/gateway/index.ts'
import { closeQueue, openQueue } from '#lib/jobs.ts'
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

let chunks = 0
let residentMax = residentMegabytes()
const endToEnd = await timed(async () => {
  const worker = await startWorker()
  for (const [index, bytes] of files.entries()) {
    const source = (async function* () {
      yield bytes
    })()
    await uploadDocument(viewer, { name: `document-${index + 1}.pdf`, collectionId: null, source })
  }
  for (;;) {
    const { documents } = await listDocuments(viewer)
    const failed = documents.find(({ stage }) => stage === 'failed')
    if (failed) throw new Error(`${failed.name}: ${failed.failure?.reason}`)
    residentMax = Math.max(residentMax, residentMegabytes())
    chunks = documents.reduce((sum, document) => sum + (document.chunks ?? 0), 0)
    if (documents.length === documentCount && documents.every(({ stage }) => stage === 'ready')) break
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  await worker.stop()
})
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
const chunking = await timed(async () => (await Promise.all(parsed.map(chunkDocument))).flat())
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
await closeQueue()
await closeGateway()
await closeDatabase()
