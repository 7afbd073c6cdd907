import { describe, expect, it } from 'vitest'
import {
  createChat,
  getMessage,
  insertAnswer,
  insertQuestion,
  interruptSilentAnswers,
  listCitations,
  listStreamEvents,
  requestStop,
} from '#db/queries/chats.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { newId } from '#lib/shared/ids.ts'
import type { Viewer } from '#lib/shared/viewer.ts'
import { type ChatChunk, drainGenerations, followGeneration, openGeneration, StopRequested } from './generation.ts'

const test = withDatabase()

const openAnswer = async (): Promise<{ viewer: Viewer; chatId: string; answerId: string }> => {
  const { db } = test.current()
  const { viewers } = await createTestWorkspace(test.current())
  const viewer = viewers.member
  const chatId = newId()
  const questionId = newId()
  const answerId = newId()
  await createChat(db, viewer, { id: chatId, title: 'Leave' })
  await insertQuestion(db, { id: questionId, chatId, text: 'How much leave?' })
  await insertAnswer(db, { id: answerId, chatId, questionId })
  return { viewer, chatId, answerId }
}

const readAll = async (stream: ReadableStream<ChatChunk>): Promise<ChatChunk[]> => {
  const chunks: ChatChunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}
const textOf = (chunks: readonly ChatChunk[]): string =>
  chunks.map((chunk) => (chunk.type === 'text-delta' ? chunk.delta : '')).join('')

const storedChunks = async (messageId: string): Promise<ChatChunk[]> =>
  (await listStreamEvents(test.current().db, messageId, -1)).events.flatMap(({ chunks }) => chunks as ChatChunk[])

const start = (messageId: string) =>
  openGeneration({ messageId, metadata: { traceId: 't' }, show: ({ traceId: _, ...rest }) => rest })

const citation: Citation = {
  ordinal: 1,
  n: 1,
  documentId: newId(),
  versionId: newId(),
  chunkId: '7',
  title: 'Handbook',
  collection: 'General',
  mediaType: 'text/plain',
  page: null,
  pages: null,
  headingPath: ['Leave'],
  quote: 'Thirty days.',
  charStart: 0,
  charEnd: 12,
  rects: [],
  claim: 'You get thirty days.',
  supported: true,
  removed: false,
}

describe('generation', () => {
  it('brings every reader the whole answer, early or late, and stores it with its citations', async () => {
    const { answerId, viewer, chatId } = await openAnswer()
    const writer = start(answerId)
    const early = readAll(followGeneration(answerId))
    writer.status('Searching your documents')
    writer.write('You get thirty days.')
    writer.cite(citation)
    writer.write('[^1]')
    const late = readAll(followGeneration(answerId))
    await writer.end({ status: 'complete', metadata: { claims: { total: 1, supported: 1 } } })
    for (const chunks of [await early, await late, await readAll(followGeneration(answerId))]) {
      expect(textOf(chunks)).toBe('You get thirty days.[^1]')
      expect(chunks.at(0)).toMatchObject({ type: 'start', messageId: answerId })
      expect(chunks.at(-1)).toMatchObject({ type: 'finish', messageMetadata: { status: 'complete' } })
      expect(JSON.stringify(chunks)).not.toContain('traceId')
    }
    const stored = await getMessage(test.current().db, chatId, answerId)
    expect(stored).toMatchObject({
      text: 'You get thirty days.[^1]',
      status: 'complete',
      metadata: { traceId: 't', claims: { total: 1 } },
    })
    const cited = await listCitations(test.current().db, viewer, [answerId])
    // The document was never there: its words are withheld, the citation itself stays.
    expect(cited.get(answerId)).toMatchObject([{ ordinal: 1, title: 'Handbook', removed: true, quote: '' }])
  })

  it('asks once about all citations that are there, and shows none of the words of one that was not judged', async () => {
    const { answerId } = await openAnswer()
    const writer = start(answerId)
    writer.write('Thirty days.')
    writer.cite(citation)
    writer.cite({ ...citation, ordinal: 2 })
    const asked: number[] = []
    const reading = readAll(
      followGeneration(answerId, async (citations) => {
        asked.push(citations.length)
        return citations.slice(0, 1)
      }),
    )
    await writer.end({ status: 'complete', metadata: {} })
    const shown = (await reading).flatMap((chunk) => (chunk.type === 'data-citation' ? [chunk.data] : []))
    expect(asked).toEqual([2])
    expect(shown).toMatchObject([
      { ordinal: 1, quote: 'Thirty days.' },
      { ordinal: 2, quote: '', removed: true },
    ])
  })

  it('goes on when a reader leaves', async () => {
    const { answerId, chatId } = await openAnswer()
    const writer = start(answerId)
    const reader = followGeneration(answerId).getReader()
    await reader.read()
    await reader.cancel()
    writer.write('Still here.')
    await writer.end({ status: 'complete', metadata: {} })
    expect(await getMessage(test.current().db, chatId, answerId)).toMatchObject({
      text: 'Still here.',
      status: 'complete',
    })
  })

  it('keeps what was written while it is being written, and sees a stop that was asked for elsewhere', async () => {
    const { answerId, viewer, chatId } = await openAnswer()
    const writer = start(answerId)
    writer.write('Half an')
    const aborted = new Promise((resolve) =>
      writer.signal.addEventListener('abort', () => resolve(writer.signal.reason)),
    )
    expect(await requestStop(test.current().db, viewer, chatId)).toBe(answerId)
    expect(await aborted).toBeInstanceOf(StopRequested)
    expect(textOf(await storedChunks(answerId))).toBe('Half an')
    await writer.end({ status: 'stopped', metadata: {} })
    expect(await getMessage(test.current().db, chatId, answerId)).toMatchObject({ text: 'Half an', status: 'stopped' })
  })

  it('is kept beside others in one go, and one that cannot be kept holds up none of them', async () => {
    const opened = await Promise.all(Array.from({ length: 3 }, openAnswer))
    const writers = opened.map(({ answerId }) => start(answerId))
    writers[1]?.status('no database takes this: \0')
    for (const [at, writer] of writers.entries()) writer.write(`part ${at}`)
    const textOfAnswer = async (at: number) => textOf(await storedChunks(opened[at]?.answerId ?? ''))
    await expect.poll(() => textOfAnswer(0)).toBe('part 0')
    await expect.poll(() => textOfAnswer(2)).toBe('part 2')
    expect(await textOfAnswer(1)).toBe('')
    const ends = writers.map((writer) => writer.end({ status: 'complete', metadata: {} }))
    expect((await Promise.allSettled(ends)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('leaves out what no database takes and joins a character that came in halves', async () => {
    const { answerId, chatId } = await openAnswer()
    const writer = start(answerId)
    for (const piece of ['a\0b \ud83d', '\ude00 c\udc00 ', 'd\ud83d']) writer.write(piece)
    await writer.end({ status: 'complete', metadata: {} })
    expect((await getMessage(test.current().db, chatId, answerId))?.text).toBe('ab \ud83d\ude00 c\ufffd d')
  })

  it('does not let another person stop it', async () => {
    const { answerId, chatId } = await openAnswer()
    const stranger = (await createTestWorkspace(test.current())).viewers.admin
    const writer = start(answerId)
    expect(await requestStop(test.current().db, stranger, chatId)).toBeUndefined()
    await writer.end({ status: 'complete', metadata: {} })
  })

  it('is interrupted, once, when its writer is gone', async () => {
    const { answerId, chatId } = await openAnswer()
    expect(await interruptSilentAnswers(test.current().db, 3_600, { status: 'interrupted' })).not.toContain(answerId)
    expect(await interruptSilentAnswers(test.current().db, -1, { status: 'interrupted' })).toContain(answerId)
    expect(await getMessage(test.current().db, chatId, answerId)).toMatchObject({ status: 'interrupted' })
    expect((await readAll(followGeneration(answerId))).at(-1)).toMatchObject({
      type: 'finish',
      messageMetadata: { status: 'interrupted' },
    })
  })

  it('that was interrupted keeps what it had said since it last began anew', async () => {
    const { answerId, chatId } = await openAnswer()
    const writer = start(answerId)
    writer.write('The first model said this.')
    await expect.poll(async () => textOf(await storedChunks(answerId))).toContain('first')
    writer.startOver()
    for (const piece of ['Another ', 'said', ' that.']) writer.write(piece)
    await expect.poll(async () => textOf(await storedChunks(answerId))).toContain('that.')
    await interruptSilentAnswers(test.current().db, -1, { status: 'interrupted' })
    expect((await getMessage(test.current().db, chatId, answerId))?.text).toBe('Another said that.')
    await writer.end({ status: 'interrupted', metadata: {} })
  })

  it('ends before a shutdown goes on', async () => {
    const { answerId, chatId } = await openAnswer()
    const writer = start(answerId)
    writer.write('Cut')
    writer.signal.addEventListener('abort', () => void writer.end({ status: 'interrupted', metadata: {} }))
    await drainGenerations(1)
    expect(await getMessage(test.current().db, chatId, answerId)).toMatchObject({ text: 'Cut', status: 'interrupted' })
  })

  it('allows one answer at a time in a chat', async () => {
    const { chatId } = await openAnswer()
    const questionId = newId()
    await insertQuestion(test.current().db, { id: questionId, chatId, text: 'And?' })
    expect(await insertAnswer(test.current().db, { id: newId(), chatId, questionId })).toBe(false)
  })
})
