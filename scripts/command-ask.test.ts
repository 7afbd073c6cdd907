import { expect, test } from 'vitest'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { readAnswer } from './command-ask.ts'
import type { AnswerChunk } from './connect.ts'

const citation = (ordinal: number, n: number): Citation => ({
  ordinal,
  n,
  documentId: 'd',
  versionId: 'v',
  chunkId: '1',
  title: 'Handbook',
  collection: 'General',
  mediaType: 'text/plain',
  page: null,
  pages: null,
  headingPath: [],
  quote: 'Thirty days.',
  charStart: 0,
  charEnd: 12,
  rects: [],
  claim: 'Thirty days.',
  supported: true,
  removed: false,
})
const cited = (ordinal: number, n: number): AnswerChunk => ({
  type: 'data-citation',
  id: `c${ordinal}`,
  data: citation(ordinal, n),
})
const text = (delta: string): AnswerChunk => ({ type: 'text-delta', id: 'answer', delta })

const read = async (chunks: readonly AnswerChunk[]) => {
  const printed: string[] = []
  const stream = new ReadableStream<AnswerChunk>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  const answered = await readAnswer(stream, { print: (piece) => printed.push(piece), status: () => undefined })
  return { printed, answered }
}

test('prints words as they come and a marker once its citation is known, by the number of the source', async () => {
  const { printed } = await read([text('Thirty '), text('days[^1'), text('].'), cited(1, 4), text(' More.')])
  expect(printed[0]).toBe('Thirty ')
  expect(printed.join('')).toBe('Thirty days[4]. More.')
})

test('a marker whose citation never comes leaves nothing behind', async () => {
  const { printed } = await read([text('Thirty days[^9].')])
  expect(printed.join('')).toBe('Thirty days.')
})

test('a bracket that is no marker is printed as it is', async () => {
  const { printed } = await read([text('See [appendix'), text('] and a['), text('0].')])
  expect(printed.join('')).toBe('See [appendix] and a[0].')
})

test('keeps what the start said about the answer, and what its end adds', async () => {
  const { answered } = await read([
    { type: 'start', messageMetadata: { traceId: 't', status: 'streaming' } },
    { type: 'finish', messageMetadata: { status: 'complete', totalMs: 5 } },
  ])
  expect(answered.metadata).toEqual({ traceId: 't', status: 'complete', totalMs: 5 })
})
