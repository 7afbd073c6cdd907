/**
 * What every adapter promises, whichever vendor is behind it, and the built-in models where it applies to them. The vendors are one
 * mock that speaks each one's own language; the call is the resilient one that the product makes.
 */
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type MockProvider, type Script, startMockProvider } from '#e2e/mock-provider.ts'
import type { AppError } from '#lib/shared/errors.ts'
import { renderQuestion } from '#lib/shared/source-slot.ts'
import type { CallOptions } from './attempt.ts'
import type { Attempt, Candidate, ModelEnd } from './call.ts'
import { embed, embeddingModel } from './embedding.ts'
import { builtInCandidate } from './models.ts'
import { baseUrlOf, buildModel } from './providers.ts'
import { fetchOf } from './registry.ts'
import { createGuards, runCandidates } from './resilience.ts'
import { type TaskInput, type TaskName, tasks } from './tasks.ts'

let vendor: MockProvider
beforeAll(async () => {
  vendor = await startMockProvider()
})
afterAll(() => vendor.close())
beforeEach(() => {
  vendor.requests.length = 0
  vendor.script({})
})

const key = 'a-key-of-no-known-shape'
type Adapter = {
  name: string
  kind: 'openai' | 'anthropic' | 'google' | 'compatible'
  modelId: string
  path: string
  /** How this vendor says that a prompt does not fit. */
  tooLong: NonNullable<Script['error']>
  hasFingerprint: boolean
}
const adapters: Adapter[] = [
  {
    name: 'openai',
    kind: 'openai',
    modelId: 'gpt-5.4-mini-2026-03-17',
    path: '/v1',
    tooLong: {
      message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
      code: 'context_length_exceeded',
    },
    hasFingerprint: true,
  },
  {
    name: 'anthropic',
    kind: 'anthropic',
    modelId: 'claude-haiku-4-5-20251001',
    path: '/v1',
    tooLong: { message: 'prompt is too long: 205000 tokens > 200000 maximum' },
    hasFingerprint: false,
  },
  {
    // Models before structured outputs are made to answer by the call of a tool.
    name: 'anthropic, an older model',
    kind: 'anthropic',
    modelId: 'claude-3-haiku-20240307',
    path: '/v1',
    tooLong: { message: 'input length and `max_tokens` exceed context limit: 197202 + 21333 > 200000' },
    hasFingerprint: false,
  },
  {
    name: 'google',
    kind: 'google',
    modelId: 'gemini-3.5-flash',
    path: '/v1beta',
    tooLong: { message: 'The input token count (1189806) exceeds the maximum number of tokens allowed (1048576).' },
    hasFingerprint: false,
  },
  {
    name: 'compatible',
    kind: 'compatible',
    modelId: 'qwen3:8b',
    path: '/v1',
    tooLong: { message: 'the request exceeds the available context size (8192 tokens), try increasing it' },
    hasFingerprint: true,
  },
]

/** Vendors have one address each, so what goes there is led to the mock; all else is as in the product. */
const candidateOf = (
  { kind, modelId, path }: Adapter,
  over: Partial<Parameters<typeof buildModel>[0]> = {},
): Candidate => {
  const { origin } = new URL(vendor.url)
  const baseUrl = kind === 'compatible' ? `${origin}${path}` : null
  const home = baseUrlOf(kind, baseUrl)
  return {
    key: `test/${modelId}`,
    provider: {
      id: 'test',
      name: 'Test',
      kind,
      local: false,
      baseUrl: baseUrl ?? undefined,
      requestsPerMinute: undefined,
      tokensPerMinute: undefined,
    },
    modelId,
    tier: 'standard',
    model: buildModel({
      kind,
      modelId,
      apiKey: key,
      baseUrl,
      fetch: (input, init) => fetch(String(input).replace(home, `${origin}${path}`), init),
      ...over,
    }),
    contextTokensMax: 8_000,
    price: undefined,
  }
}

const secret = 'The merger with Acme Holdings is planned for the ninth of May.'
const question = 'How much leave do I get?'
const passage = (n: number, text: string) => ({ n, title: 'Handbook', headingPath: [], page: null, context: '', text })
const leave = passage(1, 'Every employee gets 25 days of annual leave. Grüße from § 7 😀.')
const user = (text: string) => ({ role: 'user' as const, content: [{ type: 'text' as const, text }] })
const optionsOf = (prompt: string, over: Partial<CallOptions> = {}): CallOptions => ({
  prompt: [{ role: 'system', content: 'Answer from the sources.' }, user(prompt)],
  maxOutputTokens: 300,
  ...over,
})
const boundary = 'test-boundary'
const asked = optionsOf(renderQuestion({ question, boundary, passages: [leave, passage(2, secret)] }))

type Told = {
  text: string
  events: string[]
  end: ModelEnd | undefined
  error: AppError | undefined
  attempts: Attempt[]
  received: (string | undefined)[]
}
const call = async (
  candidate: Candidate,
  options: CallOptions = asked,
  signal = new AbortController().signal,
): Promise<Told> => {
  const told: Told = { text: '', events: [], end: undefined, error: undefined, attempts: [], received: [] }
  try {
    for await (const event of runCandidates({
      candidates: [candidate],
      options,
      lane: 'chat',
      signal,
      deadlines: { firstTokenMs: 2_000, idleMs: 1_000 },
      onAttempt: (attempt, received) => {
        told.attempts.push(attempt)
        told.received.push(received)
      },
      random: () => 0,
      guards: createGuards(),
    })) {
      told.events.push(event.type)
      if (event.type === 'text') told.text += event.text
      if (event.type === 'replace') told.text = ''
      if (event.type === 'end') told.end = event
    }
  } catch (error) {
    told.error = error as AppError
  }
  return told
}

/** Everything of a failure that may be logged, stored or shown. */
const wordsOf = ({ error, attempts }: Told): string => {
  const cause = error?.cause instanceof Error ? [error.cause.name, error.cause.message, error.cause.stack] : []
  return JSON.stringify([error?.message, error?.publicMessage, error?.context, ...cause, attempts])
}
const bodiesSent = (): string[] => vendor.requests.map(({ body }) => JSON.stringify(body))

const inputs: { [Name in TaskName]: TaskInput<Name> } = {
  answer: {
    question,
    history: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hi.' },
    ],
    passages: [leave],
  },
  rewrite: { question: 'And part-time?', history: [{ role: 'user', content: question }] },
  'classify-intent': { question, intents: ['smalltalk', 'retrieval'] },
  title: { text: leave.text },
  summarise: { title: 'Handbook', text: leave.text },
  // Short, since the mock makes tags of it: not every vendor takes the bounds of a schema.
  describe: { documents: [{ title: 'Leave', text: '25 days.' }] },
  extract: { title: 'Leave', text: '25 days.' },
  judge: { claim: 'There are 25 days.', passage: leave.text },
  plan: { question },
  rerank: { question, passages: [leave.text, secret] },
}

describe.each(adapters)('$name', (adapter) => {
  const { kind, modelId, tooLong, hasFingerprint } = adapter
  const ask = (script: Script, options?: CallOptions, signal?: AbortSignal): Promise<Told> => {
    vendor.script(script)
    return call(candidateOf(adapter), options, signal)
  }

  it('hands on the words in their order, and one end', async () => {
    const text = 'One two three four five six seven eight nine ten eleven twelve thirteen fourteen.'
    const told = await ask({ text, tokenDelayMs: 3 })
    expect(told.text).toBe(text)
    expect(told.events.slice(-2)).toEqual(['text', 'end'])
    expect(new Set(told.events.slice(0, -1))).toEqual(new Set(['text']))
    expect(vendor.requests).toHaveLength(1)
    expect(vendor.requests[0]?.authorization).toContain(key)
  })

  it('answers at once where no stream is asked for', async () => {
    vendor.script({ text: 'Yes.' })
    const { content, finishReason } = await candidateOf(adapter).model.doGenerate(asked)
    expect(content).toMatchObject([{ type: 'text', text: 'Yes.' }])
    expect(finishReason.unified).toBe('stop')
  })

  it('asks for JSON of a form, and hands it on as text that ends well', async () => {
    const schema = z.toJSONSchema(z.object({ title: z.string(), tags: z.array(z.string()), score: z.number() }))
    const json = { type: 'json', name: 'x', schema } as LanguageModelV4CallOptions['responseFormat'] & object
    // Not every compatible server takes a schema, so that instructions show the form as well.
    const form = 'Reply with one JSON object. Its form: {"title": "…", "tags": ["…"], "score": 1}.'
    const [, last] = asked.prompt
    const prompt = [{ role: 'system' as const, content: form }, ...(last ? [last] : [])]
    const told = await ask({}, { ...asked, prompt, responseFormat: json })
    expect(JSON.parse(told.text)).toEqual({ title: question, tags: [question], score: 1 })
    expect(told.end?.finish).toBe('stop')
    const parameters = {
      openai: 'json_schema',
      anthropic: 'schema',
      google: 'application/json',
      compatible: 'json_object',
    }
    expect(bodiesSent()[0]).toContain(parameters[kind])
  })

  it('reads what was used: in, out, from a cache, for thinking', async () => {
    const usage = {
      prompt_tokens: 90,
      completion_tokens: 30,
      total_tokens: 120,
      cached_tokens: 64,
      reasoning_tokens: 12,
    }
    const { end } = await ask({ text: 'Yes.', usage })
    expect(end?.usage).toEqual({ in: 90, out: 30, cached: 64, reasoning: 12, estimated: false })
  })

  it('counts for itself where usage is missing or cannot be', async () => {
    expect((await ask({ text: 'Yes.', usage: false })).end?.usage).toMatchObject({ estimated: true })
    const absurd = { prompt_tokens: 1e9, completion_tokens: -5 }
    const { end } = await ask({ text: 'Yes indeed.', usage: absurd })
    expect(end?.usage).toMatchObject({ estimated: true, out: 4 })
    expect(end?.usage.in).toBeLessThan(1_000)
  })

  it('tells the name it was served under, and the fingerprint where there is one', async () => {
    const { end } = await ask({ text: 'Yes.', model: 'served-2026-11', fingerprint: 'fp_9' })
    expect(end?.servedModel).toBe('served-2026-11')
    expect(end?.fingerprint).toBe(hasFingerprint ? 'fp_9' : undefined)
  })

  it.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['content_filter', 'refused'],
  ] as const)('an end for the reason %s is %s', async (finish, known) => {
    const told = await ask({ text: 'So far.', finish })
    expect(told).toMatchObject({ text: 'So far.', end: { finish: known } })
    expect(vendor.requests).toHaveLength(1)
  })

  it.each<[string, Script, Attempt['outcome'], AppError['code'], number]>([
    ['a wrong or revoked key', { status: 401 }, 'misconfigured', 'model-misconfigured', 1],
    ['a key without the right', { status: 403 }, 'misconfigured', 'model-misconfigured', 1],
    ['an unknown model', { status: 404 }, 'model-gone', 'model-misconfigured', 1],
    ['a request it does not take', { status: 400 }, 'misconfigured', 'model-misconfigured', 1],
    ['trouble', { status: 500 }, 'server', 'model-failed', 3],
    ['too much to do', { status: 529 }, 'server', 'model-failed', 3],
    ['trouble, as an event', { fault: 'error', faultAfterTokens: 0 }, 'server', 'model-failed', 3],
    ['a prompt that does not fit', { status: 400, error: tooLong }, 'too-long', 'model-failed', 1],
  ])('%s is known for what it is', async (_, script, outcome, code, times) => {
    const told = await ask(script, optionsOf(question))
    expect(told.attempts.map((attempt) => attempt.outcome)).toEqual(Array.from({ length: times }, () => outcome))
    expect(told.error?.code).toBe(code)
  })

  it('a key that is revoked while it runs is an error to mend, at once and without more calls', async () => {
    vendor.script([{ text: 'Yes.' }, { status: 401 }])
    const candidate = candidateOf(adapter)
    expect((await call(candidate)).end?.finish).toBe('stop')
    const told = await call(candidate)
    expect(told.error?.code).toBe('model-misconfigured')
    expect(vendor.requests).toHaveLength(2)
  })

  it('a rate limit is told with the time to wait', async () => {
    const told = await ask({ status: 429, headers: { 'retry-after': '40' } })
    expect(told.attempts).toMatchObject([{ outcome: 'rate-limited', statusCode: 429 }])
    expect(told.error).toMatchObject({ code: 'model-failed', retryAfterSeconds: 40 })
  })

  it('a prompt that does not fit is sent once more with less, and that is all', async () => {
    const history = [
      user('An earlier question.'),
      { role: 'assistant' as const, content: [{ type: 'text' as const, text: 'An earlier answer.' }] },
    ]
    const [system, last] = asked.prompt
    const long = { ...asked, prompt: [system, ...history, last].flatMap((one) => (one ? [one] : [])) }
    vendor.script([{ status: 400, error: tooLong }, { text: 'Yes.' }])
    const answered = await call(candidateOf(adapter), long)
    expect(answered.text).toBe('Yes.')
    const [before, after] = bodiesSent()
    expect(before).toContain('An earlier question.')
    expect(after).not.toContain('An earlier question.')
    expect(after).toContain(question)
    vendor.requests.length = 0
    const never = await ask({ status: 400, error: tooLong }, long)
    expect(never.attempts.map(({ outcome }) => outcome)).toEqual(['too-long', 'too-long'])
    expect(never.error?.context.reason).toBe('the prompt is too long for every model')
  })

  it('a caller who stops ends the request at the provider', async () => {
    const stop = new AbortController()
    const running = ask({ endless: true, tokenDelayMs: 2, text: 'and so on' }, undefined, stop.signal)
    await expect.poll(() => vendor.requests[0]?.tokensSent ?? 0).toBeGreaterThan(3)
    stop.abort(new Error('stopped'))
    expect((await running).error?.message).toBe('stopped')
    await expect.poll(() => vendor.requests[0]?.aborted).toBe(true)
  })

  it.each<Script>([{ writeBytes: 1 }, { writeBytes: 1, lineEnd: '\r\n' }, { lineEnd: '\r\n' }])(
    'characters and events that come in pieces (%j) are read whole',
    async (script) => {
      const text = 'Für Ärzte gilt § 7: 25 Tage 🏖️ im Jahr.'
      expect(await ask({ text, ...script })).toMatchObject({ text, attempts: [{ outcome: 'ok' }] })
    },
  )

  it('a stream that is cut off is no answer', async () => {
    const text = 'One two three four.'
    const told = await ask({ text, fault: 'end' })
    expect(told.end).toBeUndefined()
    expect(told.attempts.every(({ outcome }) => outcome === 'bad-output')).toBe(true)
    expect(told.error).toMatchObject({ code: 'model-failed' })
  })

  it('a field that nobody knows yet changes nothing', async () => {
    const told = await ask({ text: 'Yes indeed.', newFields: true })
    expect(told).toMatchObject({ text: 'Yes indeed.', end: { finish: 'stop', usage: { estimated: false } } })
  })

  it('an event of 5 MB ends the call while it comes', async () => {
    const told = await ask({ text: 'One two three four.', fault: 'huge', faultAfterTokens: 1 })
    expect(told.attempts[0]).toMatchObject({ outcome: 'bad-output', detail: 'an event of over 1 MB (200)' })
    await expect.poll(() => vendor.requests[0]?.aborted).toBe(true)
    expect(vendor.requests[0]?.finished).toBe(false)
  })

  it.each<[string, Script]>([
    ['as one', { contentType: 'text/html' }],
    ['as a stream', { contentType: 'text/event-stream' }],
    ['as JSON', { contentType: 'application/json' }],
  ])('a page with status 200 that comes %s is a failure, and its beginning is kept', async (_, script) => {
    const body = `\n<!doctype html><title>Sign in</title>${key}${'x'.repeat(9_000)}`
    const told = await ask({ ...script, body })
    expect(told.text).toBe('')
    expect(told.attempts[0]).toMatchObject({ outcome: 'bad-output', detail: 'a page came instead of an answer (200)' })
    expect(told.received[0]).toContain('<title>Sign in</title>[key]xxx')
    expect(told.received[0]?.length).toBeLessThanOrEqual(2_048)
    expect(wordsOf(told)).not.toContain('Sign in')
  })

  it('a body that only claims to be gzip is a failure', async () => {
    const told = await ask({ text: 'Yes.', headers: { 'content-encoding': 'gzip' } })
    expect(told.text).toBe('')
    expect(['network', 'bad-output']).toContain(told.attempts[0]?.outcome)
    expect(told.error?.code).toBe('model-failed')
  })

  it.each([400, 401, 404, 429, 500])('an error %i says neither the key nor what was sent', async (status) => {
    const message = `Refused: key ${key}, in your message "${secret}" of ${question}`
    const told = await ask({ status, error: { message } })
    expect(told.error).toBeDefined()
    const words = wordsOf(told)
    expect(words).not.toContain(key)
    expect(words).not.toMatch(/merger|Acme|ninth of May/)
    expect(told.received[0]).not.toContain(key)
  })

  it('an error in an event says neither', async () => {
    const told = await ask({ fault: 'error', faultAfterTokens: 0, error: { message: `key ${key} for "${secret}"` } })
    expect(told.error?.code).toBe('model-failed')
    expect(wordsOf(told)).not.toMatch(new RegExp(`${key}|merger|Acme`))
  })

  it('an address that the product does not call is an error to mend, and nothing is sent', async () => {
    const over = kind === 'compatible' ? { baseUrl: vendor.url } : {}
    const inside = fetchOf({ local: false })
    const led: typeof fetch = (input, init) =>
      inside(String(input).replace(baseUrlOf(kind, vendor.url), vendor.url), init)
    const told = await call(candidateOf(adapter, { ...over, fetch: led }))
    expect(told.attempts).toMatchObject([{ outcome: 'misconfigured' }])
    expect(told.attempts[0]?.detail).toContain('inside a private network or on this machine')
    expect(told.error?.code).toBe('model-misconfigured')
    expect(vendor.requests).toHaveLength(0)
  })

  it.each(Object.keys(tasks) as TaskName[])('the task %s is done within its contract', async (name) => {
    const { format, output, input, prompt, tokensOutMax } = tasks[name]
    const written = (
      prompt as (
        input: unknown,
        boundary: string,
      ) => { instructions: string; messages: { role: 'user' | 'assistant'; content: string }[] }
    )(input.parse(inputs[name]), boundary)
    const schema = z.toJSONSchema(output)
    const told = await ask(
      {},
      {
        prompt: [
          { role: 'system', content: written.instructions },
          ...written.messages.map(({ role, content }) => ({
            role,
            content: [{ type: 'text' as const, text: content }],
          })),
        ],
        maxOutputTokens: tokensOutMax,
        ...(format === 'json'
          ? { responseFormat: { type: 'json', name, schema } as LanguageModelV4CallOptions['responseFormat'] & object }
          : {}),
      },
    )
    expect(told.error).toBeUndefined()
    expect(told.end).toMatchObject({ finish: 'stop', usage: { estimated: false } })
    expect(() => output.parse(format === 'json' ? JSON.parse(told.text) : told.text)).not.toThrow()
    const [sent] = bodiesSent()
    expect(sent).toContain(JSON.stringify(written.instructions).slice(1, -1))
    // Google has the model in the address.
    expect(kind === 'google' ? vendor.requests[0]?.path : sent).toContain(modelId)
  })
})

describe('a compatible server', () => {
  const [compatible] = adapters.filter(({ kind }) => kind === 'compatible')
  if (!compatible) throw new Error('no compatible adapter')
  it.each([
    ['a wrong path', (url: string) => `${url}/nowhere`, 'model-misconfigured'],
    ['no address', () => 'nonsense', 'model-misconfigured'],
    ['another protocol', () => 'ftp://models.example/v1', 'model-misconfigured'],
  ])('at %s is an error to mend', async (_, baseUrl, code) => {
    const told = await call(candidateOf(compatible, { baseUrl: baseUrl(vendor.url), fetch: fetchOf({ local: true }) }))
    expect(told.error?.code).toBe(code)
    expect(told.attempts).toHaveLength(1)
  })
})

describe('the built-in models', () => {
  const answerer = () => builtInCandidate(embed)

  it('the answerer hands on words in order, cites, and ends once', async () => {
    const told = await call(answerer())
    expect(told.text).toMatch(/25 days of annual leave.*\[1\]/)
    expect(told.events.at(-1)).toBe('end')
    expect(told.end).toMatchObject({ finish: 'stop', servedModel: answerer().modelId })
    expect(told.end?.usage.out).toBeGreaterThan(0)
    expect(vendor.requests).toHaveLength(0)
  })

  it('the answerer says so when there is nothing to answer from', async () => {
    const told = await call(answerer(), optionsOf(renderQuestion({ question, boundary, passages: [] })))
    expect(told.end?.finish).toBe('stop')
    expect(told.text).not.toMatch(/\[\d+\]/)
  })

  it('the answerer stops when it is told to', async () => {
    const stop = new AbortController()
    stop.abort(new Error('stopped'))
    expect((await call(answerer(), asked, stop.signal)).error?.message).toBe('stopped')
  })

  it('the encoder gives unit vectors in the order of the texts, the same for the same text', async () => {
    const { model, vectors } = await embed(['leave', 'hotels', 'leave'], { purpose: 'passage' })
    expect(model).toBe(embeddingModel().id)
    expect(vectors.map((vector) => Math.hypot(...vector))).toEqual(vectors.map(() => expect.closeTo(1, 3)))
    expect(vectors[2]).toEqual(vectors[0])
    expect(vectors[1]).not.toEqual(vectors[0])
    expect((await embed([], { purpose: 'passage' })).vectors).toEqual([])
  })

  it('the encoder stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('stopped'))
    await expect(embed(['one', 'two'], { purpose: 'passage', signal })).rejects.toThrow('stopped')
  })

  it.each((Object.keys(tasks) as TaskName[]).filter((name) => tasks[name].local !== null))(
    'the task %s is done within its contract without a model',
    (name) => {
      const { input, local, output } = tasks[name]
      const done = (local as ((input: unknown) => unknown) | null)?.(input.parse(inputs[name]))
      expect(() => output.parse(done)).not.toThrow()
    },
  )
})
