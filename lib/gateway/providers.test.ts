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
  it('streams token by token, with usage', async () => {
    const { text, pieces, usage } = await stream({})
    expect(text).toBe(
      'Every employee gets 25 days of annual leave [1]. Up to five days may be carried over into the next year [2].',
    )
    expect(pieces.length).toBeGreaterThan(10)
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
