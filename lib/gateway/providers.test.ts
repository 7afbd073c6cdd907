import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateText, streamText } from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type MockProvider, type Script, startMockProvider } from '#e2e/mock-provider.ts'
import { renderQuestion } from '#lib/shared/source-slot.ts'
import { priceMicros } from './cost.ts'
import { toModelError } from './model-error.ts'
import { buildModel, defaultModels, environmentModels, readModelList, type VendorSettings } from './providers.ts'

const none = { apiKey: undefined, model: undefined }
const settings = (over: Partial<VendorSettings> = {}): VendorSettings => ({
  openai: { ...none, baseUrl: undefined },
  anthropic: none,
  google: none,
  ...over,
})

let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
})
afterAll(() => vendor.close())
beforeEach(() => {
  vendor.requests.length = 0
  vendor.script({})
})

const compatible = (model?: string, baseUrl = vendor.url) => {
  const [found] = environmentModels(settings({ openai: { apiKey: undefined, baseUrl, model } }))
  if (!found) throw new Error('no model for a base URL')
  return found
}

const prompt = renderQuestion({
  question: 'How much leave do I get?',
  boundary: 'test-boundary',
  passages: [
    {
      n: 1,
      title: 'Handbook',
      headingPath: [],
      page: null,
      context: '',
      text: 'Every employee gets 25 days of annual leave.',
    },
    {
      n: 2,
      title: 'Handbook',
      headingPath: [],
      page: null,
      context: '',
      text: 'Up to five days may be carried over into the next year.',
    },
  ],
})

const stream = async (script: Script, signal?: AbortSignal) => {
  vendor.script(script)
  const result = streamText({
    model: compatible('mock-1').model,
    prompt,
    maxRetries: 0,
    timeout: { totalMs: 5_000, firstChunkMs: 1_000, chunkMs: 400 },
    onError: () => undefined,
    ...(signal ? { abortSignal: signal } : {}),
  })
  let text = ''
  let failure: unknown
  const pieces: string[] = []
  try {
    for await (const part of result.stream) {
      if (part.type === 'text-delta') {
        pieces.push(part.text)
        text += part.text
      }
      if (part.type === 'error') failure = part.error
      if (part.type === 'abort') failure = new Error('aborted')
    }
  } catch (error) {
    failure = error
  }
  return { text, pieces, failure, usage: failure ? null : await result.usage }
}

describe('choice of a model', () => {
  it('is one of each vendor that is set, in the order of the settings, and none without one', () => {
    const key = { apiKey: 'k', model: undefined }
    const named = (over: Partial<VendorSettings>) =>
      environmentModels(settings(over)).map(({ provider, model }) => [provider, model.modelId])
    expect(named({})).toEqual([])
    expect(named({ google: key, anthropic: { apiKey: 'k', model: 'mine' } })).toEqual([
      ['anthropic', 'mine'],
      ['google', defaultModels.google],
    ])
    expect(named({ google: key, anthropic: key, openai: { ...key, baseUrl: undefined } })).toEqual([
      ['openai', defaultModels.openai],
      ['anthropic', defaultModels.anthropic],
      ['google', defaultModels.google],
    ])
    expect(named({ anthropic: key, openai: { ...none, baseUrl: vendor.url, model: 'm' } })).toEqual([
      ['compatible', 'm'],
      ['anthropic', defaultModels.anthropic],
    ])
  })

  it.each(['openai', 'anthropic', 'google', 'compatible'] as const)(
    'a provider of kind %s without a key sends none of the environment',
    async (kind) => {
      const secret = 'sk-of-the-environment'
      const names = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'GOOGLE_GENERATIVE_AI_API_KEY']
      const before = names.map((name) => process.env[name])
      for (const name of names) process.env[name] = secret
      process.env.OPENAI_BASE_URL = 'http://127.0.0.1:1/elsewhere'
      const sent: string[] = []
      const model = buildModel({
        kind,
        modelId: 'm',
        apiKey: undefined,
        baseUrl: 'http://set.example/v1',
        fetch: (url, init) => {
          sent.push(`${String(url)} ${JSON.stringify([...new Headers(init?.headers)])}`)
          return Promise.resolve(Response.json({}, { status: 401 }))
        },
      })
      await generateText({ model, prompt: 'Hello', maxRetries: 0 }).catch(() => undefined)
      names.forEach((name, at) => {
        if (before[at] === undefined) delete process.env[name]
        else process.env[name] = before[at]
      })
      delete process.env.OPENAI_BASE_URL
      expect(sent.join()).not.toContain(secret)
      expect(sent.join()).not.toContain('elsewhere')
    },
  )

  it('reads the lists of models that vendors give, and nothing else', () => {
    expect(readModelList({ object: 'list', data: [{ id: 'a' }, { id: 'b', owned_by: 'x' }] })).toEqual(['a', 'b'])
    expect(readModelList({ models: [{ name: 'models/gemini-3.5-flash' }] })).toEqual(['gemini-3.5-flash'])
    for (const other of [null, '<html>', [], {}, { data: 'a' }, { error: { message: 'no' } }])
      expect(readModelList(other)).toBeNull()
  })

  it('asks a server without a named model for its first, once', async () => {
    const { model } = compatible()
    await generateText({ model, prompt: 'Hello', maxRetries: 0 })
    await generateText({ model, prompt: 'Hello', maxRetries: 0 })
    expect(vendor.requests.map(({ body }) => (body as { model: string }).model)).toEqual(['mock-1', 'mock-1'])
    expect(model.modelId).toBe('mock-1')
  })

  it('lets no bare model name reach a hosted default', async () => {
    await expect(generateText({ model: 'openai/gpt-5' as never, prompt: 'Hello', maxRetries: 0 })).rejects.toThrow(
      /No such|no such|not found/i,
    )
  })
})

describe('a compatible server', () => {
  it('streams as it comes, with usage', async () => {
    const { text, pieces, usage } = await stream({ tokenDelayMs: 10 })
    expect(text).toBe(
      'Every employee gets 25 days of annual leave [1]. Up to five days may be carried over into the next year [2].',
    )
    expect(pieces.length).toBeGreaterThan(3)
    expect(usage?.outputTokens).toBeGreaterThan(10)
  })

  it('learns that the client hung up', async () => {
    const abort = new AbortController()
    const running = stream({ tokenDelayMs: 20 }, abort.signal)
    await expect.poll(() => vendor.requests[0]?.tokensSent ?? 0).toBeGreaterThan(2)
    abort.abort()
    await running
    await expect.poll(() => vendor.requests[0]?.aborted).toBe(true)
    expect(vendor.requests[0]?.finished).toBe(false)
  })

  it('that leaves out usage has an unknown cost, not none', async () => {
    const { usage, text } = await stream({ usage: false })
    expect(text).not.toBe('')
    expect(usage?.inputTokens).toBeUndefined()
    expect(
      priceMicros(
        { modelId: 'gpt-5.4-mini-2026-03-17', provider: 'openai' },
        { inputTokens: usage?.inputTokens, outputTokens: usage?.outputTokens },
      ),
    ).toBeNull()
  })

  it.each([
    [{ status: 401 }, 'model-misconfigured'],
    [{ status: 403 }, 'model-misconfigured'],
    [{ status: 404 }, 'model-misconfigured'],
    [{ status: 429, headers: { 'retry-after': '7' } }, 'model-failed'],
    [{ status: 500 }, 'model-failed'],
    [{ fault: 'garbage' }, 'model-failed'],
    [{ fault: 'reset' }, 'model-failed'],
    [{ fault: 'stall' }, 'model-failed'],
    [{ fault: 'stall', faultAfterTokens: 0 }, 'model-failed'],
  ] satisfies [Script, string][])('that does %j ends as %s', async (script, code) => {
    const { failure } = await stream(script)
    expect(failure).toBeDefined()
    const error = toModelError(failure)
    expect(error.code).toBe(code)
    expect(error.retryAfterSeconds).toBe('headers' in script ? 7 : undefined)
    expect(String(JSON.stringify(error.cause, Object.getOwnPropertyNames(error.cause ?? {})))).not.toContain(
      'annual leave',
    )
  })

  it('that cannot be reached ends as model-failed', async () => {
    const gone = await startMockProvider()
    await gone.close()
    const { model } = compatible(undefined, gone.url)
    const failure = await generateText({ model, prompt: 'Hello', maxRetries: 0 }).catch((error: unknown) => error)
    expect(toModelError(failure).code).toBe('model-failed')
  })
})

describe('what a provider sends is bounded while it is read', () => {
  /** A provider that sends pieces for as long as they are taken, and how many were. */
  const sends = (piece: (at: number) => string | undefined, init: ResponseInit = {}, apiKey = 'the-key') => {
    const sent = { pieces: 0, cancelled: false }
    const body = () =>
      new ReadableStream<Uint8Array>(
        {
          pull: (controller) => {
            const text = piece(sent.pieces)
            if (text === undefined) return controller.close()
            sent.pieces += 1
            controller.enqueue(Buffer.from(text))
          },
          cancel: () => {
            sent.cancelled = true
          },
        },
        { highWaterMark: 0 },
      )
    // What is asked for decides how it is read, not what the answer calls itself.
    const headers = { 'content-type': 'text/plain' }
    const model = buildModel({
      kind: 'compatible',
      modelId: 'm',
      apiKey,
      baseUrl: 'http://set.example/v1',
      fetch: () => Promise.resolve(new Response(body(), { headers, ...init })),
    })
    return { model, sent }
  }
  const asked = { prompt: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello' }] }] }
  /** The text of an answer and the words of every error in it. */
  const read = async ({ model }: ReturnType<typeof sends>) => {
    const told = { text: '', errors: [] as unknown[] }
    try {
      for await (const part of (await model.doStream(asked)).stream) {
        if (part.type === 'text-delta') told.text += part.delta
        if (part.type === 'error') told.errors.push(part.error)
      }
    } catch (error) {
      told.errors.push(error)
    }
    return told
  }
  const messagesIn = (thrown: unknown): string =>
    thrown instanceof Error ? `${thrown.message} ${messagesIn(thrown.cause)}` : ''
  const kb = (text: string) => text.repeat(Math.ceil(1_000 / text.length)).slice(0, 1_000)

  it('an event without an end is given up after 1 MB, in whatever pieces it comes', async () => {
    for (const [letter, pieceKb] of [
      ['x', 10],
      ['x', 333],
      [`data: ${'x'.repeat(1_993)}\n`, 10],
      [`${'x'.repeat(1_999)}\r`, 333],
      [`data: ${'x'.repeat(1_992)}\r\n`, 10],
    ] as const) {
      const provider = sends(() => letter.repeat((pieceKb * 1_000) / letter.length))
      const { errors } = await read(provider)
      expect(messagesIn(errors[0])).toContain('an event of over 1 MB')
      expect(provider.sent.cancelled).toBe(true)
      expect(provider.sent.pieces).toBeLessThanOrEqual(Math.ceil(1_000 / pieceKb) + 2)
    }
  })

  it.each(['\n', '\r\n', '\r'])('many events under 1 MB are read, with lines that end in %j', async (lineEnd) => {
    const event = `data: {"choices":[{"index":0,"delta":{"content":"${'y'.repeat(300_000)}"}}]}${lineEnd}${lineEnd}`
    // Cut at another place in every event, also between the two line ends.
    const last = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}${lineEnd}${lineEnd}`
    // After a lone CR the next byte tells whether the line is over.
    const whole = `${event.repeat(8)}${last}:\n\n`
    const size = event.length - lineEnd.length
    const { text, errors } = await read(sends((at) => whole.slice(at * size, (at + 1) * size) || undefined))
    expect(errors).toEqual([])
    expect(text.length).toBe(8 * 300_000)
  })

  it.each([
    ['x\n', 'an event of over 1000 lines', 3],
    [':\n\n', 'an answer of over 300000 lines', 155],
  ])('nothing but lines (%j) is given up soon', async (unit, words, piecesMax) => {
    const provider = sends(() => unit.repeat(1_000))
    const { errors } = await read(provider)
    expect(messagesIn(errors[0])).toContain(words)
    expect(provider.sent.pieces).toBeLessThanOrEqual(piecesMax)
  })

  it('an answer without an end is given up after 32 MB, however small its events', async () => {
    const provider = sends(() => `:${kb('keep-alive ').repeat(64)}\n\n`)
    const { errors } = await read(provider)
    expect(messagesIn(errors[0])).toContain('an answer of over 32 MB')
    expect(provider.sent.pieces).toBeLessThan((32 * 1_048_576) / 64_000 + 2)
    expect(provider.sent.cancelled).toBe(true)
  })

  it('so is a whole answer, which may be larger than an event', async () => {
    const headers = { 'content-type': 'application/json' }
    const provider = sends(() => kb('[').repeat(64), { headers })
    await expect(provider.model.doGenerate(asked)).rejects.toThrow('an answer of over 32 MB')
    const content = 'z'.repeat(2_000_000)
    const whole = JSON.stringify({ choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }] })
    const large = sends((at) => (at === 0 ? whole : undefined), { headers })
    expect((await large.model.doGenerate(asked)).content).toEqual([{ type: 'text', text: content }])
  })

  it('of an error 64 KB are read, and a page is kept to 2 KB, without the key', async () => {
    const failing = sends((at) => (at === 0 ? 'bad the-key ' : kb('x')), { status: 500 })
    const [error] = (await read(failing)).errors
    expect(failing.sent.pieces).toBeLessThan(70)
    expect(failing.sent.cancelled).toBe(true)
    expect(error).toMatchObject({ statusCode: 500, responseBody: expect.stringMatching(/^bad \[key\] x/) })
    const page = sends((at) => (at === 0 ? ' \n\ufeff<html>the-key' : kb('<p>')))
    const [refused] = (await read(page)).errors
    expect(page.sent.pieces).toBeLessThanOrEqual(4)
    expect(page.sent.cancelled).toBe(true)
    const kept = (refused as { cause?: { responseBody?: string } }).cause?.responseBody ?? ''
    expect(kept).toContain('<html>[key]<p>')
    expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(2_048)
  })

  it('a reader who goes away ends the connection, and nothing is read ahead of one who is slow', async () => {
    const event = 'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
    const provider = sends(() => event)
    const { stream: words } = await provider.model.doStream(asked)
    const reader = words.getReader()
    for (let parts = 0; parts < 3; parts += 1) await reader.read()
    await new Promise((resolve) => setTimeout(resolve, 60))
    const before = provider.sent.pieces
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(provider.sent.pieces).toBe(before)
    await reader.cancel()
    await expect.poll(() => provider.sent.cancelled).toBe(true)
  })

  it('the list of a server without a named model is bounded too', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end('<html>not a list</html>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { model } = compatible(undefined, `http://127.0.0.1:${port}/v1`)
    await expect(generateText({ model, prompt: 'Hello', maxRetries: 0 })).rejects.toMatchObject({
      code: 'model-misconfigured',
    })
    server.close()
  })
})
