import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { joinText, withJoinedText } from './join-text.ts'

const chunk = (content: string, more: Record<string, unknown> = {}): string =>
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }] })}\n\n`

const bodyOf = (bytes: readonly Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const one of bytes) controller.enqueue(one)
      controller.close()
    },
  })
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const read = async (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text()

const contents = (text: string): string[] =>
  text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)).choices[0]?.delta?.content ?? '')

describe('joinText', () => {
  it('passes the first piece at once and joins what follows within the wait', async () => {
    let push: ReadableStreamDefaultController<Uint8Array> | undefined
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => {
        push = controller
      },
    })
    const reader = joinText(source, { joinMs: 20 }).getReader()
    const next = async (): Promise<string[]> => contents(new TextDecoder().decode((await reader.read()).value))
    push?.enqueue(encode(chunk('one ')))
    expect(await next()).toEqual(['one '])
    for (const word of ['two ', 'three ', 'four']) push?.enqueue(encode(chunk(word)))
    const startMs = performance.now()
    expect(await next()).toEqual(['two three four'])
    expect(performance.now() - startMs).toBeGreaterThan(5)
    push?.enqueue(encode(chunk('!')))
    push?.close()
    expect(await next()).toEqual(['!'])
    expect((await reader.read()).done).toBe(true)
  })

  it('changes no text and loses no other event, however the bytes are cut and lines end', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((content) => chunk(content)),
      fc.constantFrom(
        ': keep-alive\n\n',
        'data: {"choices":[],"usage":{"prompt_tokens":3}}\n\n',
        'event: note\ndata: {"a":1}\n\n',
        'data: not json "content"\n\n',
        chunk('', { finish_reason: 'stop' }),
        chunk('last', { finish_reason: 'length' }),
        'data: {"choices":[{"index":0,"delta":{"content":"x","tool_calls":[{}]}}]}\n\n',
        'data: {"choices":[{"index":1,"delta":{"content":"second"}}]}\n\n',
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.integer({ min: 1, max: 40 }),
        async (events, lineEnd, size) => {
          const text = `${events.join('')}data: [DONE]\n\n`
          const bytes = encode(text.replaceAll('\n', lineEnd))
          const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
            bytes.slice(at * size, (at + 1) * size),
          )
          const joined = await read(joinText(bodyOf(parts)))
          expect(contents(joined).join('')).toBe(contents(text).join(''))
          const others = (all: string) =>
            all.split('\n\n').filter((event) => !/^data: \{.*"content":"/.test(event) && !event.startsWith(':'))
          expect(others(joined)).toEqual(others(text))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('joins no text over an event that stands between', async () => {
    const text = `${chunk('a')}event: note\ndata: {}\n\n${chunk('b')}`
    const joined = await read(joinText(bodyOf([encode(text)])))
    expect(joined.split('\n\n').filter(Boolean)).toHaveLength(3)
    expect(joined.indexOf('note')).toBeGreaterThan(joined.indexOf('"a"'))
  })

  it('hands on the error of the body, after what came before it', async () => {
    let sent = 0
    const broken = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          sent += 1
          if (sent <= 3) controller.enqueue(encode(chunk(`${sent} `)))
          else controller.error(new Error('reset'))
        },
      },
      { highWaterMark: 0 },
    )
    const reader = joinText(broken).getReader()
    let text = ''
    const all = async () => {
      for (;;) text += contents(new TextDecoder().decode((await reader.read()).value)).join('')
    }
    await expect(all()).rejects.toThrow('reset')
    expect(text).toBe('1 2 3 ')
  })

  it('stops reading while nobody takes, and cancels the body when its reader goes', async () => {
    const cancelled = vi.fn()
    let sent = 0
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1
        controller.enqueue(encode('event: note\ndata: {}\n\n'))
      },
      cancel: cancelled,
    })
    const reader = joinText(source).getReader()
    await reader.read()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const before = sent
    expect(before).toBeLessThan(40)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(sent).toBe(before)
    await reader.cancel('gone')
    expect(cancelled).toHaveBeenCalledWith('gone')
  })
})

describe('withJoinedText', () => {
  it('leaves failures and whole answers alone', () => {
    const json = new Response('{}', { headers: { 'content-type': 'application/json' } })
    const failed = new Response('data: x', { status: 500, headers: { 'content-type': 'text/event-stream' } })
    expect(withJoinedText(json)).toBe(json)
    expect(withJoinedText(failed)).toBe(failed)
  })
})
