/** Runs in the cage: reads one file, parses it, sends the result and waits for its end. It must never be imported by anything else. */
import dns from 'node:dns'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { kindOf } from './detect.ts'
import { parse } from './parse/index.ts'
import type { ParsedDocument } from './parse/parsed-document.ts'
import { Refusal } from './parse/refusal.ts'
import type { ChildMessage, DocumentPart, DocumentRest, ParseInput } from './sandbox.ts'

const refuseNetwork = (): never => {
  throw new Error('A parser has no network')
}
// Node's permissions do not cover the network everywhere: its doors are shut by hand before a parser is loaded.
net.Socket.prototype.connect = refuseNetwork as typeof net.Socket.prototype.connect
dns.lookup = refuseNetwork as unknown as typeof dns.lookup
globalThis.fetch = refuseNetwork

type OperatorMessage = { chunk: { fnArray: number[]; argsArray: unknown[] } }
const isOperatorMessage = (value: unknown): value is OperatorMessage => {
  const chunk = (value as { chunk?: Partial<OperatorMessage['chunk']> } | null)?.chunk
  return Array.isArray(chunk?.fnArray) && Array.isArray(chunk.argsArray)
}
// pdf.js copies all that a page draws, letter by letter, for a worker that is this very thread, and then empties its two lists:
// a tenth of the time of a long report. Here nobody changes what is in them.
const clone = globalThis.structuredClone
globalThis.structuredClone = <T>(value: T, options?: StructuredSerializeOptions): T => {
  if (!isOperatorMessage(value)) return clone(value, options)
  const { chunk } = value
  return { ...value, chunk: { ...chunk, fnArray: [...chunk.fnArray], argsArray: [...chunk.argsArray] } }
}

const send = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve())
  })

const textCharsEach = 250_000
const itemsEach = 4_000

function* slices<T>(items: readonly T[]): Generator<T[]> {
  for (let from = 0; from < items.length; from += itemsEach) yield items.slice(from, from + itemsEach)
}

/** The document in parts that take the other side some milliseconds each. */
function* partsOf({ text, blocks, pages, hidden, attachments }: ParsedDocument): Generator<DocumentPart> {
  for (let from = 0; from < text.length; from += textCharsEach)
    yield { type: 'text', text: text.slice(from, from + textCharsEach) }
  for (const some of slices(blocks)) yield { type: 'blocks', blocks: some }
  for (const { boxes, ...page } of pages) {
    yield { type: 'page', page: { ...page, boxes: [] } }
    for (const some of slices(boxes)) yield { type: 'boxes', boxes: some }
  }
  for (const some of slices(hidden ?? [])) yield { type: 'hidden', hidden: some }
  for (const attachment of attachments ?? []) yield { type: 'attachment', attachment }
}

const sendDocument = async (document: ParsedDocument): Promise<void> => {
  // One after the other has left: what waits in the pipe is bounded, and the reader takes a breath in between.
  for (const part of partsOf(document)) await send({ type: 'part', part })
  const { text: _text, blocks: _blocks, pages: _pages, hidden: _hidden, attachments: _attachments, ...rest } = document
  await send({ type: 'parsed', rest: rest satisfies DocumentRest })
}

// Nobody waits any more.
process.once('disconnect', () => process.exit())

process.once('message', async ({ path, name, recognised = [] }: ParseInput) => {
  try {
    const bytes = await readFile(path)
    const kind = await kindOf(bytes, name)
    const document = await parse(kind, bytes, (done, total) => void send({ type: 'progress', done, total }), {
      name,
      recognised,
    })
    await sendDocument(document)
  } catch (error) {
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    await send({
      type: 'refused',
      code: error instanceof Refusal ? error.code : 'damaged',
      detail: detail.slice(0, 500),
    })
  }
  // It waits to be ended: until then its memory can be read.
})
