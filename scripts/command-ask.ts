/** `ask`: the whole chat path on the terminal. */
import { type Citation, citationMarker, type MessageMetadata, withPlainMarkers } from '#lib/shared/chat-contract.ts'
import { pageInWords } from '#lib/shared/page-unit.ts'
import type { AnswerChunk, Connection } from './connect.ts'

export type Answered = { text: string; citations: Citation[]; metadata: MessageMetadata }

/** Writes text as it comes; a marker waits until its citation is known, so that it can be shown by its number. */
const markerPrinter = (print: (text: string) => void, citations: readonly Citation[]) => {
  let held = ''
  return {
    push: (text: string): void => {
      held += text
      const shown = withPlainMarkers(held, citations)
      const unknown = [...held.matchAll(citationMarker)].some(
        ([, ordinal]) => !citations.some((citation) => citation.ordinal === Number(ordinal)),
      )
      if (unknown || /\[\^?\d*$/.test(held)) return
      held = ''
      print(shown)
    },
    end: (): void => print(withPlainMarkers(held, citations)),
  }
}

/** Reads an answer to its end, handing its words to `print` as they come. */
export const readAnswer = async (
  stream: ReadableStream<AnswerChunk>,
  { print, status }: { print: (text: string) => void; status: (text: string) => void },
): Promise<Answered> => {
  const citations: Citation[] = []
  let text = ''
  let metadata: MessageMetadata = {}
  const printer = markerPrinter(print, citations)
  for await (const chunk of stream) {
    switch (chunk.type) {
      case 'start':
        metadata = { ...metadata, ...chunk.messageMetadata }
        break
      case 'data-status':
        status(chunk.data.text)
        break
      case 'data-citation':
        citations.push(chunk.data)
        printer.push('')
        break
      case 'reset-step':
        // Another model writes the answer anew: what was printed cannot be taken back, so it is said.
        if (text) print('\n\n(that model broke off; another one begins anew)\n\n')
        text = ''
        citations.length = 0
        break
      case 'text-delta':
        text += chunk.delta
        printer.push(chunk.delta)
        break
      case 'finish':
        metadata = { ...metadata, ...chunk.messageMetadata }
        break
    }
  }
  printer.end()
  return { text, citations, metadata }
}

/** How an answer was let out, in the words that scripts rely on. */
const decisions = {
  streaming: 'interrupted',
  complete: 'show',
  held: 'hold',
  'no-source': 'no-source',
  stopped: 'stopped',
  failed: 'failed',
  interrupted: 'interrupted',
} as const

const toJson = ({ text, citations, metadata }: Answered) => {
  const { status = 'interrupted', claims, model, tokens, costMicros, totalMs, firstTokenMs, traceId } = metadata
  return {
    answer: withPlainMarkers(text, citations),
    citations: citations.map(({ n, documentId, title, page, quote }) => ({ n, documentId, title, page, quote })),
    /** Share of the answer's claims that a passage supports. */
    confidence: claims && claims.total > 0 ? claims.supported / claims.total : null,
    decision: decisions[status],
    model: model?.id ?? null,
    route: status === 'no-source' ? 'none' : (metadata.route ?? 'retrieval'),
    cache: metadata.cache?.level ?? 'none',
    tokens: tokens ?? { in: 0, out: 0 },
    costMicros: costMicros ?? null,
    ms: { total: totalMs ?? null, firstToken: firstTokenMs ?? null },
    traceId: traceId ?? null,
  }
}

export type AskOptions = { collection?: string; json?: boolean }

/** Asks and prints; resolves to the exit status. */
export const ask = async (
  connection: Connection,
  question: string,
  { collection, json }: AskOptions,
): Promise<number> => {
  const status = (text: string): void => {
    process.stderr.write(`${text} …\n`)
  }
  const print = (text: string): void => {
    if (!json) process.stdout.write(text)
  }
  const answered = await readAnswer(await connection.ask(question, collection), { print, status })
  const { citations, metadata } = answered
  if (json) process.stdout.write(`${JSON.stringify(toJson(answered))}\n`)
  else {
    const sources = new Map(citations.map((citation) => [citation.n, citation]))
    const lines = [...sources.values()]
      .sort((a, b) => a.n - b.n)
      .map((citation) => {
        const { n, title, quote } = citation
        return `[${n}] ${[title, pageInWords(citation)].filter(Boolean).join(', ')}: “${quote}”`
      })
    process.stdout.write(`\n${lines.length > 0 ? `\n${lines.join('\n')}\n` : ''}`)
  }
  if (metadata.error) process.stderr.write(`${metadata.error.message}\n`)
  return metadata.status === 'complete' || metadata.status === 'no-source' ? 0 : 1
}
