/** Runs in a cage of its own: draws pages that are pictures and reads them as text. It must never be imported by anything else. */
import dns from 'node:dns'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCanvas, loadImage } from '@napi-rs/canvas'
import { createWorker } from 'tesseract.js'
import { getDocumentProxy, renderPageAsImage } from 'unpdf'
import type { RecognisedWord } from '#db/schema/index.ts'
import type { RecogniseMessage, RecogniseRequest } from './recognise.ts'

const refuseNetwork = (): never => {
  throw new Error('A reader of pictures has no network')
}
net.Socket.prototype.connect = refuseNetwork as typeof net.Socket.prototype.connect
dns.lookup = refuseNetwork as unknown as typeof dns.lookup
globalThis.fetch = refuseNetwork

/** The longer side of what is read, in pixels: an A4 page at about 220 dots an inch. Larger pictures are scaled down to it. */
const longSide = 2_600
/** Above this a picture is refused before it is drawn a second time. */
const pixelsMax = 80_000_000
/** Below this a word is a guess (0 to 100). */
const confidenceMin = 30

/** The language data is a package; nothing is fetched. It knows English, and what is written with the same letters less well. */
const language = 'eng'
const languageFolder = join(
  dirname(fileURLToPath(import.meta.resolve(`@tesseract.js-data/${language}`))),
  '4.0.0_best_int',
)

type Picture = { png: Buffer; width: number; height: number }

const scaled = async (bytes: Buffer): Promise<Picture> => {
  const image = await loadImage(bytes)
  if (image.width * image.height > pixelsMax) throw new Error(`${image.width} by ${image.height} pixels`)
  const factor = Math.min(1, longSide / Math.max(image.width, image.height))
  const [width, height] = [
    Math.max(1, Math.round(image.width * factor)),
    Math.max(1, Math.round(image.height * factor)),
  ]
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  // What is transparent is paper.
  context.fillStyle = '#fff'
  context.fillRect(0, 0, width, height)
  context.drawImage(image, 0, 0, width, height)
  return { png: canvas.toBuffer('image/png'), width, height }
}

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>

const drawPage = async (document: PdfDocument, page: number): Promise<Picture> => {
  const view = (await document.getPage(page)).getViewport({ scale: 1 })
  const scale = Math.min(4, longSide / Math.max(view.width, view.height, 1))
  const drawn = await renderPageAsImage(document, page, { canvasImport: () => import('@napi-rs/canvas'), scale })
  return scaled(Buffer.from(drawn))
}

const send = (message: RecogniseMessage): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve())
  })

process.once('disconnect', () => process.exit())

process.once('message', async ({ path, picture, pages }: RecogniseRequest) => {
  const bytes = await readFile(path)
  const reader = await createWorker(language, 1, { langPath: languageFolder, cacheMethod: 'none', gzip: true })
  const document = picture ? null : await getDocumentProxy(new Uint8Array(bytes))
  for (const page of pages) {
    try {
      const { png, width, height } = document ? await drawPage(document, page) : await scaled(bytes)
      const { data } = await reader.recognize(png, {}, { blocks: true, text: false })
      const lines = (data.blocks ?? []).flatMap(({ paragraphs }) => paragraphs.flatMap((paragraph) => paragraph.lines))
      const words = lines.flatMap((line, at) =>
        line.words
          .filter(({ confidence, text }) => confidence >= confidenceMin && text.trim() !== '')
          .map(
            ({ text, bbox: { x0, y0, x1, y1 } }): RecognisedWord => [
              text.trim(),
              x0 / width,
              y0 / height,
              (x1 - x0) / width,
              (y1 - y0) / height,
              at,
            ],
          ),
      )
      await send({ type: 'page', page, words, confidence: data.confidence / 100 })
    } catch (error) {
      // One page that cannot be drawn is an empty page; the others are read.
      await send({ type: 'page', page, words: [], confidence: 0, fault: String(error).slice(0, 300) })
    }
  }
  await send({ type: 'end' })
  process.exit()
})
