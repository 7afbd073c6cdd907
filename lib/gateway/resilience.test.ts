import {
  APICallError,
  type LanguageModelV4,
  type LanguageModelV4CallOptions,
  type LanguageModelV4FinishReason,
  type LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AppError } from '#lib/shared/errors.ts'
import { renderQuestion } from '#lib/shared/source-slot.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import type { Attempt, Candidate, Lane, ModelEnd } from './call.ts'
import { createGuards, type Guards, listBreakers, type ResilientCall, runCandidates } from './resilience.ts'

// Every timer and clock is a false one; no database is open, so that breakers go by what the process saw itself.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** What a scripted model does in one call: parts, pauses in milliseconds, and an error it breaks off with. */
type Step = string | number | Error | LanguageModelV4StreamPart
type Act = Error | { steps: Step[]; headers?: Record<string, string> }
type Asked = { options: LanguageModelV4CallOptions; atMs: number; aborted: boolean }

const tokens = (total: number | undefined, rest = {}) => ({ total, noCache: undefined, cacheRead: undefined, ...rest })
const finish = (
  unified: LanguageModelV4FinishReason['unified'] = 'stop',
  usage: { in?: number; out?: number } = {},
): LanguageModelV4StreamPart => ({
  type: 'finish',
  finishReason: { unified, raw: unified === 'other' ? undefined : unified },
  usage: {
    inputTokens: tokens(usage.in, { cacheWrite: undefined }) as never,
    outputTokens: { total: usage.out, text: undefined, reasoning: undefined },
  },
})
const says = (...steps: Step[]): Act => ({ steps: [...steps, finish()] })
const breaksOff = (...steps: Step[]): Act => ({ steps })
const status = (statusCode: number, more: { headers?: Record<string, string>; body?: string } = {}): Act =>
  new APICallError({
    message: `scripted ${statusCode}`,
    url: 'https://vendor.test',
    requestBodyValues: { prompt: 'the secret prompt' },
    statusCode,
    ...(more.headers ? { responseHeaders: more.headers } : {}),
    ...(more.body ? { responseBody: more.body } : {}),
  })
const unreachable = (): Act =>
  new APICallError({ message: 'Cannot connect to API', url: 'https://vendor.test', requestBodyValues: {} })

/** A model that acts by its script, the last act again and again; `act` may also decide by the number of the call. */
const scripted = (act: Act[] | ((call: number) => Act), over: Partial<Candidate['provider']> = {}, id = 'a') => {
  const asked: Asked[] = []
  const model: LanguageModelV4 = {
    specificationVersion: 'v4',
    provider: 'scripted',
    modelId: id,
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error('not asked')),
    doStream: async (options) => {
      const now = typeof act === 'function' ? act(asked.length) : act[Math.min(asked.length, act.length - 1)]
      const record: Asked = { options, atMs: performance.now(), aborted: false }
      asked.push(record)
      options.abortSignal?.addEventListener('abort', () => {
        record.aborted = true
      })
      if (now instanceof Error) throw now
      const parts = [...(now?.steps ?? [])]
      const stream = new ReadableStream<LanguageModelV4StreamPart>(
        {
          pull: async (controller) => {
            for (;;) {
              const step = parts.shift()
              if (step === undefined) return controller.close()
              if (typeof step === 'number') {
                await new Promise((resolve) => setTimeout(resolve, step))
                continue
              }
              if (step instanceof Error) return controller.error(step)
              return controller.enqueue(typeof step === 'string' ? { type: 'text-delta', id: '0', delta: step } : step)
            }
          },
        },
        { highWaterMark: 0 },
      )
      return { stream, ...(now?.headers ? { response: { headers: now.headers } } : {}) }
    },
  }
  const candidate: Candidate = {
    key: `test/${id}`,
    provider: {
      id: 'test',
      name: 'Test',
      kind: 'anthropic',
      local: false,
      baseUrl: undefined,
      requestsPerMinute: undefined,
      tokensPerMinute: undefined,
      ...over,
    },
    modelId: id,
    tier: 'standard',
    model,
    contextTokensMax: 8_000,
    price: undefined,
  }
  return { candidate, asked }
}

type Told = {
  text: string
  events: string[]
  end: ModelEnd | undefined
  error: AppError | undefined
  attempts: Attempt[]
  ms: number
}
let guards: Guards
beforeEach(() => {
  guards = createGuards()
})

/** The call as a reader has it: what stands there at last, and what came. Time goes on as fast as it is waited for. */
const start = (candidates: Candidate[], over: Partial<ResilientCall> = {}): Promise<Told> => {
  const told: Told = { text: '', events: [], end: undefined, error: undefined, attempts: [], ms: 0 }
  const read = async (): Promise<Told> => {
    const beganMs = performance.now()
    try {
      for await (const event of runCandidates({
        candidates,
        options: { prompt: [{ role: 'user', content: [{ type: 'text', text: 'How much leave do I get?' }] }] },
        lane: 'chat',
        signal: new AbortController().signal,
        onAttempt: (attempt) => told.attempts.push(attempt),
        random: () => 0.5,
        guards,
        ...over,
      })) {
        told.events.push(event.type)
        if (event.type === 'text') told.text += event.text
        if (event.type === 'replace') told.text = ''
        if (event.type === 'end') told.end = event
      }
    } catch (error) {
      told.error = error as AppError
    }
    told.ms = performance.now() - beganMs
    return told
  }
  return read()
}
const ask = async (candidates: Candidate[], over: Partial<ResilientCall> = {}): Promise<Told> => {
  const reading = start(candidates, over)
  await vi.runAllTimersAsync()
  return reading
}
const outcomes = ({ attempts }: Told): string[] => attempts.map(({ key, outcome }) => `${key.slice(5)} ${outcome}`)

const answer = () => says('Twenty-five ', 'days.')
const long =
  'Every employee gets twenty-five days of annual leave. Five of them may be carried over into the next year. '
const lastPrompt = (asked: Asked[]): string => JSON.stringify(asked.at(-1)?.options.prompt)

describe('an answer', () => {
  it('comes as the model says it, with one end that tells who gave it and what it took', async () => {
    const { candidate } = scripted([
      {
        steps: [
          { type: 'response-metadata', modelId: 'a-2026-01' },
          100,
          'Twenty-five ',
          'days.',
          {
            ...finish('stop', { in: 40, out: 9 }),
            providerMetadata: { vendor: { systemFingerprint: 'fp_1' } },
          } as LanguageModelV4StreamPart,
        ],
      },
    ])
    const told = await ask([candidate])
    expect(told).toMatchObject({ text: 'Twenty-five days.', events: ['text', 'text', 'end'], error: undefined })
    expect(told.end).toMatchObject({
      servedModel: 'a-2026-01',
      fingerprint: 'fp_1',
      finish: 'stop',
      usage: { in: 40, out: 9, estimated: false },
      firstTokenMs: 100,
    })
    expect(told.attempts).toMatchObject([{ key: 'test/a', outcome: 'ok', firstTokenMs: 100, startMs: 0 }])
  })

  it('finds the fingerprint in the raw events of those who have it only there', async () => {
    const { candidate, asked } = scripted([says({ type: 'raw', rawValue: { system_fingerprint: 'fp_2' } }, 'Yes.')], {
      kind: 'compatible',
    })
    expect((await ask([candidate])).end?.fingerprint).toBe('fp_2')
    expect(asked[0]?.options.includeRawChunks).toBe(true)
  })

  it('that is a refusal is an answer: nobody else is asked', async () => {
    const other = scripted([answer()], {}, 'b')
    const a = scripted([{ steps: ['I cannot help with that.', finish('content-filter')] }])
    const told = await ask([a.candidate, other.candidate])
    expect(told).toMatchObject({ text: 'I cannot help with that.', end: { finish: 'refused' } })
    const silent = scripted([{ steps: [finish('content-filter')] }])
    expect((await ask([silent.candidate, other.candidate])).end?.finish).toBe('refused')
    const byStatus = scripted([status(400, { body: '{"error":{"code":"content_filter"}}' })])
    expect(await ask([byStatus.candidate, other.candidate])).toMatchObject({
      text: '',
      end: { finish: 'refused' },
      error: undefined,
    })
    expect(other.asked).toHaveLength(0)
  })
})

describe('deadlines', () => {
  it('leave a model that says nothing for ten seconds, and stop its call', async () => {
    const a = scripted([says(60_000, 'Late.')])
    const b = scripted([answer()], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(outcomes(told)).toEqual(['a timeout', 'b ok'])
    expect(told.attempts[0]?.durationMs).toBe(10_000)
    expect(a.asked[0]?.aborted).toBe(true)
  })

  it('count content only: keep-alives and empty pieces are silence', async () => {
    const beats = Array.from({ length: 40 }, (_, beat): Step[] => [
      1_000,
      beat % 2 === 0 ? { type: 'ping' } : { type: 'text-delta', id: '0', delta: '' },
    ]).flat()
    const a = scripted([says('Well, ', ...beats, 'yes.')])
    const b = scripted([answer()], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(told.attempts[0]).toMatchObject({ outcome: 'timeout', durationMs: 15_000, firstTokenMs: 0 })
    expect(told.text).toBe('Twenty-five days.')
  })

  it('do not take a slow reader for a silent model', async () => {
    const { candidate } = scripted([says('One ', 'two ', 'three.')])
    const slow = async (): Promise<string> => {
      let text = ''
      for await (const event of runCandidates({
        candidates: [candidate],
        options: { prompt: [] },
        lane: 'chat',
        signal: new AbortController().signal,
        guards,
      })) {
        if (event.type === 'text') text += event.text
        await new Promise((resolve) => setTimeout(resolve, 20_000))
      }
      return text
    }
    const reading = slow()
    await vi.runAllTimersAsync()
    expect(await reading).toBe('One two three.')
  })

  it('end a call after two minutes of asking, with what was said so far as a part', async () => {
    const drip = Array.from({ length: 400 }, (): Step[] => [1_000, 'word '])
    const a = scripted([says(...drip.flat())])
    const b = scripted([answer()], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(told.ms).toBe(120_000)
    expect(told.error).toMatchObject({ code: 'model-failed', context: { partial: true } })
    expect(b.asked).toHaveLength(0)
  })

  it('can be shorter', async () => {
    const { candidate } = scripted([says(60_000, 'Late.')])
    const { attempts } = await ask([candidate], { deadlines: { firstTokenMs: 50 } })
    expect(attempts[0]).toMatchObject({ outcome: 'timeout', durationMs: 50 })
  })
})

describe('bounds', () => {
  it('cut an answer without end at about the tokens that were allowed', async () => {
    const { candidate, asked } = scripted([says(...Array.from({ length: 5_000 }, () => 'and again '))])
    const told = await ask([candidate], { options: { prompt: [], maxOutputTokens: 200 } })
    expect(told.end).toMatchObject({ finish: 'length', usage: { estimated: true } })
    expect(estimateTokens(told.text)).toBeGreaterThan(200)
    expect(estimateTokens(told.text)).toBeLessThan(400)
    expect(asked[0]?.aborted).toBe(true)
  })

  it('cut one without a limit at a quarter of a megabyte', async () => {
    const { candidate } = scripted([says(...Array.from({ length: 50 }, () => 'x'.repeat(10_000)))])
    const told = await ask([candidate])
    expect(told.text).toHaveLength(262_144)
    expect(told.end?.finish).toBe('length')
  })

  it('take an event of over a megabyte for a fault', async () => {
    const a = scripted([says('x'.repeat(1_000_001))])
    const b = scripted([answer()], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(told.text).toBe('Twenty-five days.')
    expect(told.attempts[0]).toMatchObject({ outcome: 'bad-output', detail: 'an event of over 1 MB' })
  })
})

describe('a failure', () => {
  it.each<[string, Act, string, number]>([
    ['a rate limit', status(429), 'rate-limited', 3],
    ['a fault of the server', status(500), 'server', 3],
    ['a gateway without a server', status(502), 'server', 3],
    ['an overload', status(529), 'server', 3],
    ['no connection', unreachable(), 'network', 3],
    ['a connection that breaks', breaksOff(new TypeError('terminated')), 'network', 3],
    ['a wrong request', status(400), 'misconfigured', 1],
    ['a wrong key', status(401), 'misconfigured', 1],
    ['no money', status(402), 'misconfigured', 1],
    ['a forbidden model', status(403), 'misconfigured', 1],
    ['a model that is gone', status(404), 'model-gone', 1],
    ['a model that is gone for good', status(410), 'model-gone', 1],
    [
      'a prompt that is too long (OpenAI)',
      status(400, { body: '{"error":{"code":"context_length_exceeded"}}' }),
      'too-long',
      1,
    ],
    [
      'a prompt that is too long (Anthropic)',
      status(400, { body: 'prompt is too long: 210000 tokens > 200000 maximum' }),
      'too-long',
      1,
    ],
    [
      'a prompt that is too long (Google)',
      status(400, { body: 'The input token count (9) exceeds the maximum number of tokens allowed (8)' }),
      'too-long',
      1,
    ],
    [
      'a prompt that is too long (vLLM)',
      status(400, { body: "This model's maximum context length is 8192 tokens." }),
      'too-long',
      1,
    ],
    ['a stream without an end', breaksOff(), 'bad-output', 3],
    ['a stream that says itself that it broke off', { steps: [finish('interrupted')] }, 'bad-output', 3],
    ['an end without a reason', { steps: [finish('other')] }, 'bad-output', 3],
    ['an empty answer', says(), 'bad-output', 3],
    ['blank space for an answer', says(' ', '\n'), 'bad-output', 1],
    [
      'a broken event',
      { steps: [{ type: 'error', error: new SyntaxError('Unexpected token < in JSON') }] },
      'bad-output',
      3,
    ],
    [
      'an overload as an event',
      { steps: [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }] },
      'server',
      3,
    ],
    [
      'a rate limit as an event',
      { steps: [{ type: 'error', error: { code: 'rate_limit_exceeded' } }] },
      'rate-limited',
      3,
    ],
    ['an error for an end', { steps: [finish('error')] }, 'server', 3],
  ])('by %s is sorted, asked again as often as it may be, and the next answers', async (_what, act, failure, times) => {
    const a = scripted([act])
    const b = scripted([answer()], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(outcomes(told)).toEqual([...Array.from({ length: times }, () => `a ${failure}`), 'b ok'])
    expect(told).toMatchObject({ text: 'Twenty-five days.', error: undefined })
    expect(told.events.filter((event) => event === 'end')).toHaveLength(1)
    expect(JSON.stringify(told.attempts)).not.toContain('secret prompt')
  })

  it('that passes is not seen', async () => {
    const { candidate } = scripted([status(503), answer()])
    const told = await ask([candidate])
    expect(outcomes(told)).toEqual(['a server', 'a ok'])
    expect(told.events).toEqual(['text', 'text', 'end'])
  })

  it('is followed by a pause of full jitter, and the next is reached within a second', async () => {
    for (const [random, gaps] of [
      [0, [0, 0]],
      [0.5, [50, 100]],
      [0.9999, [99, 199]],
    ] as const) {
      const a = scripted([unreachable()])
      const b = scripted([answer()], {}, 'b')
      const told = await ask([a.candidate, b.candidate], { random: () => random, guards: createGuards() })
      const at = a.asked.map(({ atMs }) => atMs)
      expect(at.slice(1).map((ms, i) => Math.round(ms - (at[i] ?? 0)))).toEqual(gaps)
      expect(told.ms).toBeLessThan(1_000)
    }
  })

  it('of every candidate is told with the most telling cause', async () => {
    const gone = scripted([status(404)])
    const wrong = scripted([status(401)], {}, 'b')
    const down = scripted([status(500)], {}, 'c')
    const busy = scripted([status(429, { headers: { 'retry-after': '30' } })], {}, 'd')
    expect((await ask([gone.candidate, wrong.candidate])).error).toMatchObject({ code: 'model-misconfigured' })
    const mixed = (await ask([wrong.candidate, down.candidate, busy.candidate])).error
    expect(mixed).toMatchObject({
      code: 'model-failed',
      retryAfterSeconds: 30,
      context: { attempts: [{ key: 'test/b', outcome: 'misconfigured', statusCode: 401 }, {}, {}, {}, {}] },
    })
    expect(mixed?.context).not.toHaveProperty('partial')
    expect(mixed?.cause).toMatchObject({ message: 'scripted 429 (429)' })
    expect(await ask([])).toMatchObject({ error: { code: 'model-failed' } })
  })

  it('is told without keys', async () => {
    const { candidate } = scripted([
      new APICallError({
        message: 'Incorrect API key sk-abc123def456 for Bearer xyz',
        url: '',
        requestBodyValues: {},
        statusCode: 401,
      }),
    ])
    expect((await ask([candidate])).attempts[0]?.detail).toBe('Incorrect API key [key] for [key] (401)')
  })
})

describe('a prompt that is too long', () => {
  const tooLong = status(400, {
    body: '{"error":{"code":"context_length_exceeded","message":"maximum context length is 500 tokens"}}',
  })
  const passages = Array.from({ length: 8 }, (_, at) => ({
    n: at + 1,
    title: 'Handbook',
    headingPath: [],
    page: null,
    context: '',
    text: 'Every employee gets 25 days of annual leave. '.repeat(5),
  }))
  const options: ResilientCall['options'] = {
    prompt: [
      { role: 'system', content: 'Cite.' },
      { role: 'user', content: [{ type: 'text', text: 'An earlier question.' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'An earlier answer.' }] },
      {
        role: 'user',
        content: [{ type: 'text', text: renderQuestion({ question: 'Leave?', passages, boundary: 'a-boundary' }) }],
      },
    ],
    maxOutputTokens: 100,
  }
  const sentTo = ({ asked }: ReturnType<typeof scripted>) =>
    asked.map(({ options: { prompt } }) => JSON.stringify(prompt))

  it('is sent once more with less, says so, and is paid by what was sent', async () => {
    const a = scripted([tooLong, says('Twenty-five.')])
    const told = await start([a.candidate], { options })
    expect(told.text).toBe('Twenty-five.')
    const [before, after] = sentTo(a)
    expect(before).toContain('An earlier question.')
    expect(after).not.toContain('An earlier question.')
    expect(after).toContain('[a-boundary source 1]')
    expect(after).not.toContain('[a-boundary source 8]')
    expect(after).toContain('Leave?')
    expect(told.attempts).toMatchObject([
      { outcome: 'too-long' },
      { outcome: 'ok', detail: expect.stringMatching(/without 2 earlier messages and [4-7] sources/) },
    ])
    expect(told.end?.usage.in).toBeLessThanOrEqual(400)
    expect(told.ms).toBeLessThan(10)
  })

  it('twice goes to the next, whole, which may shorten it for itself', async () => {
    const a = scripted([tooLong])
    const b = scripted([tooLong, says('Twenty-five.')], {}, 'b')
    const told = await start([a.candidate, b.candidate], { options })
    expect(told.attempts.map(({ key, outcome }) => `${key} ${outcome}`)).toEqual([
      'test/a too-long',
      'test/a too-long',
      'test/b too-long',
      'test/b ok',
    ])
    expect(sentTo(b)[0]).toBe(sentTo(a)[0])
  })

  it('for every model is an error that says so', async () => {
    const { error, attempts } = await start([scripted([tooLong]).candidate], { options })
    expect(error).toMatchObject({
      code: 'model-failed',
      context: { reason: 'the prompt is too long for every model' },
    })
    expect(attempts).toHaveLength(2)
  })

  it('for going on with what another wrote is gone on with on less', async () => {
    const words = 'Every employee gets twenty-five days of annual leave, and five of them may be carried over'
    const a = scripted([breaksOff(words)])
    const b = scripted([tooLong, says('may be carried over into the next year.')], {}, 'b')
    const told = await start([a.candidate, b.candidate], { options })
    expect(told.text).toBe(`${words} into the next year.`)
    expect(told.events).not.toContain('replace')
    expect(b.asked).toHaveLength(2)
    expect(sentTo(b)[1]).toContain('Go on exactly there')
  })
})

describe('Retry-After', () => {
  it.each([
    ['seconds', () => ({ 'retry-after': '2' }), 2_000],
    ['milliseconds', () => ({ 'retry-after-ms': '350', 'retry-after': '2' }), 350],
    ['a date', () => ({ 'retry-after': new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3_000).toUTCString() }), 3_000],
  ])('in %s is waited for, exactly', async (_form, headers, ms) => {
    vi.setSystemTime(new Date('2026-11-21T12:00:00Z'))
    const { candidate, asked } = scripted((call) => (call === 0 ? status(429, { headers: headers() }) : answer()))
    const told = await ask([candidate])
    expect(told.text).toBe('Twenty-five days.')
    expect(Math.round((asked[1]?.atMs ?? 0) - (asked[0]?.atMs ?? 0))).toBe(ms)
  })

  it.each(['11', '3600', '99999999999'])(
    'of %s seconds is not waited for in the chat: the next answers at once',
    async (seconds) => {
      const a = scripted([status(429, { headers: { 'retry-after': seconds } })])
      const b = scripted([answer()], {}, 'b')
      const told = await ask([a.candidate, b.candidate])
      expect(outcomes(told)).toEqual(['a rate-limited', 'b ok'])
      expect(told.ms).toBe(0)
    },
  )

  it('is waited for ten seconds in all', async () => {
    const { candidate, asked } = scripted([status(429, { headers: { 'retry-after': '6' } })])
    const told = await ask([candidate])
    expect(asked).toHaveLength(2)
    expect(told.error).toMatchObject({ code: 'model-failed', retryAfterSeconds: 6 })
  })

  it('is waited for by background work when it is longer', async () => {
    const { candidate } = scripted([status(429, { headers: { 'retry-after': '120' } }), answer()])
    const told = await ask([candidate], { lane: 'ingestion' })
    expect(told.text).toBe('Twenty-five days.')
    expect(told.ms).toBe(120_000)
  })

  it('keeps the others from asking until then', async () => {
    const a = scripted([status(429, { headers: { 'retry-after': '60' } }), answer()])
    const b = scripted([answer()], {}, 'b')
    await ask([a.candidate, b.candidate])
    expect(outcomes(await ask([a.candidate, b.candidate]))).toEqual(['a busy', 'b ok'])
    expect(a.asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(outcomes(await ask([a.candidate, b.candidate]))).toEqual(['a ok'])
  })

  it('without end trips no breaker', async () => {
    const { candidate, asked } = scripted([status(429)])
    for (let call = 0; call < 30; call += 1) await ask([candidate])
    expect(asked.length).toBeGreaterThanOrEqual(30)
    expect(await listBreakers(guards)).toEqual([])
  })
})

describe('repetitions', () => {
  it('are at most a tenth of the calls, and some to begin with', async () => {
    const { candidate, asked } = scripted([status(429)])
    for (let call = 0; call < 1_000; call += 1) await ask([candidate])
    expect(asked.length).toBeGreaterThan(1_000)
    expect(asked.length).toBeLessThanOrEqual(1_000 + 100 + 10)
  })
})

describe('a breaker', () => {
  it('opens after five failures in a row, and the next answers at once', async () => {
    const a = scripted([status(500)])
    const b = scripted([answer()], {}, 'b')
    await ask([a.candidate, b.candidate])
    await ask([a.candidate, b.candidate])
    expect(await listBreakers(guards)).toMatchObject([{ key: 'test/a', state: 'open', reason: 'server' }])
    const before = a.asked.length
    const told = await ask([a.candidate, b.candidate])
    expect(outcomes(told)).toEqual(['a breaker-open', 'b ok'])
    expect(told.ms).toBeLessThan(50)
    expect(a.asked).toHaveLength(before)
  })

  it('opens at half of ten calls in thirty seconds, not of fewer and not of older ones', async () => {
    const failing = async (acts: boolean[], gapMs: number): Promise<number> => {
      // Without repetitions, so that the numbers are those of the rule.
      guards = { ...createGuards(), budget: { earn: () => undefined, spend: () => false } }
      const { candidate } = scripted((call) => (acts[call] ? status(500) : answer()))
      for (let call = 0; call < acts.length; call += 1) {
        await ask([candidate])
        await vi.advanceTimersByTimeAsync(gapMs)
      }
      return (await listBreakers(guards)).length
    }
    expect(await failing([true, false, true, false, true, false, true, false], 0)).toBe(0)
    expect(await failing([false, true, false, true, false, true, false, true, false, true], 0)).toBe(1)
    expect(await failing([false, true, false, true, false, true, false, true, false, true, false, true], 6_000)).toBe(0)
    expect(
      await failing([false, false, true, false, false, true, false, false, true, false, false, true, false], 0),
    ).toBe(0)
  })

  it('opens within twenty calls of a model that fails always, also when it answered until then', async () => {
    let up = true
    const a = scripted(() => (up ? answer() : status(503)))
    const b = scripted([answer()], {}, 'b')
    for (let call = 0; call < 100; call += 1) await ask([a.candidate, b.candidate])
    up = false
    let calls = 0
    while ((await listBreakers(guards)).length === 0 && calls < 100) {
      calls += 1
      expect((await ask([a.candidate, b.candidate])).text).toBe('Twenty-five days.')
    }
    expect(calls).toBeLessThanOrEqual(20)
    const slowest = Math.max(
      ...(await Promise.all(Array.from({ length: 20 }, () => ask([a.candidate, b.candidate])))).map(({ ms }) => ms),
    )
    expect(slowest).toBeLessThan(50)
  })

  it('lets one probe go when its time is over, closes when it is answered and opens for longer when it is not', async () => {
    let up = false
    const a = scripted(() => (up ? says(1_000, 'Back.') : status(500)))
    const b = scripted([answer()], {}, 'b')
    const many = () => Promise.all(Array.from({ length: 10 }, () => ask([a.candidate, b.candidate])))
    await ask([a.candidate, b.candidate])
    await ask([a.candidate, b.candidate])
    const asked = a.asked.length
    const [opened] = await listBreakers(guards)
    expect(opened?.retryInMs).toBeGreaterThan(0)

    await vi.advanceTimersByTimeAsync(opened?.retryInMs ?? 0)
    expect((await many()).filter((told) => outcomes(told).includes('a server'))).toHaveLength(1)
    expect(a.asked).toHaveLength(asked + 1)
    const [again] = await listBreakers(guards)
    expect(again?.retryInMs).toBeGreaterThan(opened?.retryInMs ?? 0)

    up = true
    await vi.advanceTimersByTimeAsync(again?.retryInMs ?? 0)
    expect((await many()).filter(({ text }) => text === 'Back.')).toHaveLength(1)
    expect(await listBreakers(guards)).toEqual([])
    expect((await many()).every(({ text }) => text === 'Back.')).toBe(true)
  })

  it('gives the probe to another when its caller goes away', async () => {
    const a = scripted((call) => (call < 5 ? status(500) : says(1_000, 'Back.')))
    const b = scripted([answer()], {}, 'b')
    await ask([a.candidate, b.candidate])
    await ask([a.candidate, b.candidate])
    await vi.advanceTimersByTimeAsync(5_000)
    const stop = new AbortController()
    const probing = start([a.candidate, b.candidate], { signal: stop.signal })
    await vi.advanceTimersByTimeAsync(100)
    stop.abort()
    await probing
    expect((await ask([a.candidate, b.candidate])).text).toBe('Back.')
  })

  it('that opens is waited for when nobody else answers and its probe is near, and never for long', async () => {
    const a = scripted((call) => (call < 5 ? status(500) : says('Back.')))
    const b = scripted([status(401)], {}, 'b')
    await ask([a.candidate, b.candidate])
    await ask([a.candidate, b.candidate])
    const told = await ask([a.candidate, b.candidate])
    expect(outcomes(told)).toEqual(['a breaker-open', 'b misconfigured', 'a ok'])
    const down = scripted([unreachable()], {}, 'c')
    const worse = scripted([unreachable()], {}, 'd')
    const builtIn = scripted([answer()], { kind: 'built-in' }, 'z')
    for (let call = 0; call < 30; call += 1) {
      const last = await ask([down.candidate, worse.candidate, builtIn.candidate], { random: () => 0.9999 })
      expect(last.text).toBe('Twenty-five days.')
      expect(last.ms).toBeLessThanOrEqual(1_200)
    }
  })

  it('is not for the built-in answerer: the last resort is always asked', async () => {
    const builtIn = scripted([status(500)], { kind: 'built-in' })
    for (let call = 0; call < 12; call += 1) await ask([builtIn.candidate])
    expect(builtIn.asked).toHaveLength(12)
    expect(await listBreakers(guards)).toEqual([])
  })
})

describe('a stream that breaks off', () => {
  it('after a few words is taken back and begun anew by the next', async () => {
    const a = scripted([breaksOff('Every employee gets ', new TypeError('terminated'))])
    const b = scripted([answer()], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(told.events).toEqual(['text', 'replace', 'text', 'text', 'end'])
    expect(told.text).toBe('Twenty-five days.')
    expect(told.end?.candidate.key).toBe('test/b')
    expect(outcomes(told)).toEqual(['a network', 'b ok'])
    expect(lastPrompt(b.asked)).not.toContain('Every employee gets')
  })

  it.each([
    ['without its end', breaksOff(long)],
    ['with a broken event', breaksOff(long, { type: 'error', error: new SyntaxError('Unexpected end of JSON') })],
    ['by a reset', breaksOff(long, new TypeError('terminated'))],
    ['by silence', breaksOff(long, 60_000)],
  ])('%s after many words is gone on with by the next, nothing said twice', async (_how, act) => {
    const a = scripted([act])
    const b = scripted([says('into the ', 'next year. ', 'The rest ', 'lapses.')], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(told.text).toBe(`${long}The rest lapses.`)
    expect(told.events).not.toContain('replace')
    expect(told.events.filter((event) => event === 'end')).toHaveLength(1)
    expect(lastPrompt(b.asked)).toContain(`{"role":"assistant","content":[{"type":"text","text":"${long}"}]}`)
  })

  it.each([
    [
      'a word that was broken off',
      `${'x'.repeat(80)} It is car`,
      ['carried over.'],
      `${'x'.repeat(80)} It is carried over.`,
    ],
    ['nothing at all', `${'x'.repeat(80)} It is car`, ['ried over.'], `${'x'.repeat(80)} It is carried over.`],
    ['letters that only chance repeats', `${'x'.repeat(80)} Missi`, ['ssippi.'], `${'x'.repeat(80)} Mississippi.`],
    ['all of the last sentence, after a line break', `${long}`, ['\n', long.slice(-54), 'Good.'], `${long}Good.`],
  ])('is joined when the next repeats %s', async (_what, first, second, whole) => {
    const a = scripted([breaksOff(first)])
    const b = scripted([says(...second)], {}, 'b')
    expect((await ask([a.candidate, b.candidate])).text).toBe(whole)
  })

  it('is replaced when the next begins from the start all the same', async () => {
    const a = scripted([breaksOff(long)])
    const b = scripted([says(...(long.match(/.{1,9}/g) ?? []), 'That is all.')], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(told.text).toBe(`${long}That is all.`)
    expect(told.events.filter((event) => event === 'replace')).toHaveLength(1)
  })

  it.each([
    ['does not accept the longer prompt', status(400)],
    ['finds it too long', status(400, { body: 'prompt is too long' })],
    ['has nothing to add', says()],
  ])('is replaced when the next %s', async (_why, act) => {
    const a = scripted([breaksOff(long)])
    const b = scripted([act, answer()], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(told.text).toBe('Twenty-five days.')
    expect(told.events.filter((event) => event === 'replace')).toHaveLength(1)
    expect(lastPrompt(b.asked)).not.toContain('Every employee')
  })

  it('is replaced where the answer is JSON, and by the built-in answerer', async () => {
    const a = scripted([breaksOff(`{"text":"${long}`)])
    const b = scripted([says('{"text":"short"}')], {}, 'b')
    const json = { prompt: [], responseFormat: { type: 'json' as const } }
    expect((await ask([a.candidate, b.candidate], { options: json })).text).toBe('{"text":"short"}')
    const broken = scripted([breaksOff(long), status(401)], {}, 'c')
    const builtIn = scripted([answer()], { kind: 'built-in' }, 'd')
    expect((await ask([broken.candidate, builtIn.candidate])).text).toBe('Twenty-five days.')
  })

  it('again and again is still one answer', async () => {
    const a = scripted([breaksOff(long)])
    const b = scripted([breaksOff('The rest lapses at the end of March, ', new TypeError('terminated'))], {}, 'b')
    const c = scripted([says('of March, ', 'as a rule.')], {}, 'c')
    const told = await ask([a.candidate, b.candidate, c.candidate])
    expect(told.text).toBe(`${long}The rest lapses at the end of March, as a rule.`)
    expect(told.events).not.toContain('replace')
  })

  it('is gone on with by the same model when there is no other', async () => {
    const { candidate } = scripted([breaksOff(long), says('The rest lapses.')])
    expect((await ask([candidate])).text).toBe(`${long}The rest lapses.`)
  })

  it('and that nobody can go on with ends as a part, with no end', async () => {
    const a = scripted([breaksOff(long)])
    const b = scripted([status(401)], {}, 'b')
    const told = await ask([a.candidate, b.candidate])
    expect(told.error).toMatchObject({ code: 'model-failed', context: { partial: true } })
    expect(told).toMatchObject({ text: long, end: undefined })
  })
})

describe('places and rates', () => {
  const hold = () => scripted([says(9_999, 'Done.')])
  const startMany = (count: number, candidate: Candidate, lane: Lane) =>
    Array.from({ length: count }, () => start([candidate], { lane }))

  it('let 32 calls at a provider; one more in the chat goes to the next after two seconds', async () => {
    const a = hold()
    const b = scripted([answer()], { id: 'other' }, 'b')
    const held = startMany(32, a.candidate, 'chat')
    await vi.advanceTimersByTimeAsync(0)
    const reading = start([a.candidate, b.candidate])
    await vi.advanceTimersByTimeAsync(1_999)
    expect(b.asked).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(5)
    const told = await reading
    expect(outcomes(told)).toEqual(['a busy', 'b ok'])
    expect(a.asked).toHaveLength(32)
    await vi.runAllTimersAsync()
    expect((await Promise.all(held)).every(({ text }) => text === 'Done.')).toBe(true)
    expect((await ask([a.candidate])).text).toBe('Done.')
  })

  it('keep some places from background work, which waits for the others', async () => {
    const a = hold()
    const batch = startMany(40, a.candidate, 'batch')
    await vi.advanceTimersByTimeAsync(0)
    expect(a.asked).toHaveLength(24)
    const chat = startMany(8, a.candidate, 'chat')
    await vi.advanceTimersByTimeAsync(0)
    expect(a.asked).toHaveLength(32)
    await vi.runAllTimersAsync()
    expect((await Promise.all([...batch, ...chat])).every(({ text }) => text === 'Done.')).toBe(true)
  })

  it.each([
    ['the settings', { requestsPerMinute: 10 }, {}],
    ['OpenAI’s headers', {}, { 'x-ratelimit-limit-requests': '10' }],
    ['Anthropic’s headers', {}, { 'anthropic-ratelimit-requests-limit': '10' }],
  ])('keep to the requests a minute of %s', async (_whose, provider, headers) => {
    const { candidate, asked } = scripted([{ steps: ['Yes.', finish()], headers }], provider)
    await ask([candidate])
    const reading = startMany(30, candidate, 'ingestion')
    await vi.runAllTimersAsync()
    expect((await Promise.all(reading)).every(({ text }) => text === 'Yes.')).toBe(true)
    for (const { atMs } of asked)
      expect(asked.filter((other) => other.atMs >= atMs && other.atMs < atMs + 60_000).length).toBeLessThanOrEqual(10)
    expect(asked.at(-1)?.atMs).toBeLessThan((asked[0]?.atMs ?? 0) + 5 * 60_000)
  })

  it('keep to the tokens a minute, and put right what was taken too much', async () => {
    const options = { prompt: [], maxOutputTokens: 400 }
    const { candidate, asked } = scripted([{ steps: ['Yes.', finish('stop', { in: 0, out: 100 })] }], {
      tokensPerMinute: 1_000,
    })
    const at = async (): Promise<number> => {
      await ask([candidate], { lane: 'batch', options })
      return asked.at(-1)?.atMs ?? 0
    }
    const times: number[] = []
    for (let call = 0; call < 12; call += 1) times.push(await at())
    const inFirst = times.filter((ms) => ms < (times[0] ?? 0) + 60_000).length
    // Seven calls of 100 are done when 400 more still fit; counted as 400 each it would be two.
    expect(inFirst).toBe(7)
  })

  it('wait until the provider, as it said, has something left', async () => {
    const headers = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1m0s',
    }
    const { candidate, asked } = scripted([{ steps: ['Yes.', finish()], headers }, answer()])
    await ask([candidate])
    await ask([candidate], { lane: 'evaluation' })
    // One of sixty is back after a second.
    expect(Math.round((asked[1]?.atMs ?? 0) - (asked[0]?.atMs ?? 0))).toBe(1_000)
  })

  it('let the chat go first, then ingestion, evaluation and batch', async () => {
    const order: Lane[] = []
    const { candidate } = scripted([answer()], { requestsPerMinute: 1 })
    await ask([candidate])
    const reading = (['batch', 'evaluation', 'ingestion', 'batch'] as const).map((lane) =>
      start([candidate], { lane, onAttempt: () => order.push(lane) }),
    )
    await vi.advanceTimersByTimeAsync(55_000)
    reading.push(start([candidate], { lane: 'chat', onAttempt: () => order.push('chat') }))
    await vi.runAllTimersAsync()
    await Promise.all(reading)
    expect(order).toEqual(['chat', 'ingestion', 'evaluation', 'batch', 'batch'])
  })

  it('are waited for no longer than the caller wants', async () => {
    const { candidate, asked } = scripted([answer()], { requestsPerMinute: 1 })
    await ask([candidate])
    const stop = new AbortController()
    const reading = start([candidate], { lane: 'batch', signal: stop.signal })
    await vi.advanceTimersByTimeAsync(1_000)
    stop.abort(new Error('enough'))
    const told = await reading
    expect(told.error).toMatchObject({ message: 'enough' })
    expect(outcomes(told)).toEqual(['a stopped'])
    expect(asked).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('usage', () => {
  const own = { in: estimateTokens('How much leave do I get?'), out: estimateTokens('Twenty-five days.') }
  it.each([
    ['missing', {}],
    ['negative', { in: -5, out: -1 }],
    ['no number', { in: Number.NaN, out: Number.POSITIVE_INFINITY }],
    ['absurd', { in: 50_000_000, out: 50_000_000 }],
    ['nothing for something', { in: 0, out: 0 }],
  ])('that is %s is estimated and marked', async (_what, told) => {
    const { candidate } = scripted([{ steps: ['Twenty-five days.', finish('stop', told)] }])
    expect((await ask([candidate])).end?.usage).toEqual({ ...own, cached: 0, reasoning: 0, estimated: true })
  })

  it('that is true on one side is kept on that side', async () => {
    const { candidate } = scripted([{ steps: ['Twenty-five days.', finish('stop', { in: 31, out: -1 })] }])
    expect((await ask([candidate])).end?.usage).toMatchObject({ in: 31, out: own.out, estimated: true })
  })

  it('of thinking that is not shown is believed as far as it was allowed', async () => {
    const { candidate } = scripted([{ steps: ['Yes.', finish('stop', { in: 8, out: 3_900 })] }])
    const options = { prompt: [], maxOutputTokens: 4_000 }
    expect((await ask([candidate], { options })).end?.usage).toMatchObject({ out: 3_900 })
  })
})

describe('a caller who stops', () => {
  it.each([
    ['before the first word', says(60_000, 'Late.'), 100],
    ['between words', says('Well, ', 60_000, 'late.'), 100],
    ['in the pause before a repetition', status(429, { headers: { 'retry-after': '8' } }), 4_000],
    ['a model that does not listen', { steps: [{ type: 'ping' }, 3_600_000] } as Act, 100],
  ])('%s is done with at once, and nothing is left', async (_when, act, ms) => {
    const { candidate, asked } = scripted([act])
    const stop = new AbortController()
    const added = vi.spyOn(stop.signal, 'addEventListener')
    const removed = vi.spyOn(stop.signal, 'removeEventListener')
    const reading = start([candidate], { signal: stop.signal })
    await vi.advanceTimersByTimeAsync(ms)
    const reason = new Error('stopped by the person')
    stop.abort(reason)
    const told = await reading
    expect(told.error).toBe(reason)
    expect(told.ms).toBe(ms)
    expect(asked).toHaveLength(1)
    expect(asked[0]?.aborted).toBe(true)
    expect(told.end).toBeUndefined()
    // The listeners are gone by themselves once it was aborted, or were taken away.
    expect(removed.mock.calls.length).toBeGreaterThanOrEqual(added.mock.calls.length - 1)
    vi.clearAllTimers()
  })

  it('is noted as stopped', async () => {
    const { candidate } = scripted([says('Well, ', 60_000, 'late.')])
    const stop = new AbortController()
    const reading = start([candidate], { signal: stop.signal })
    await vi.advanceTimersByTimeAsync(100)
    stop.abort()
    expect((await reading).attempts).toMatchObject([{ outcome: 'stopped', durationMs: 100, firstTokenMs: 0 }])
    expect(await listBreakers(guards)).toEqual([])
  })

  it('before the call asks nobody', async () => {
    const { candidate, asked } = scripted([answer()])
    const told = await ask([candidate], { signal: AbortSignal.abort(new Error('gone')) })
    expect(told.error?.message).toBe('gone')
    expect(asked).toHaveLength(0)
  })

  it('by reading no further stops the model and gives its place back', async () => {
    const { candidate, asked } = scripted([says('One ', 'two ', 'three.')])
    const attempts: Attempt[] = []
    for (let call = 0; call < 40; call += 1)
      for await (const event of runCandidates({
        candidates: [candidate],
        options: { prompt: [] },
        lane: 'chat',
        signal: new AbortController().signal,
        onAttempt: (attempt) => attempts.push(attempt),
        guards,
      }))
        if (event.type === 'text') break
    expect(attempts.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 40 }, () => 'stopped'))
    expect(asked.every(({ aborted }) => aborted)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('nothing is left', () => {
  it('of a call that was answered, and of one that failed', async () => {
    const a = scripted([status(500)])
    const b = scripted([answer()], {}, 'b')
    const stop = new AbortController()
    const added = vi.spyOn(stop.signal, 'addEventListener')
    const removed = vi.spyOn(stop.signal, 'removeEventListener')
    const answered = start([a.candidate, b.candidate], { signal: stop.signal })
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await answered).text).toBe('Twenty-five days.')
    const failing = start([a.candidate], { signal: stop.signal })
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await failing).error).toBeDefined()
    expect(vi.getTimerCount()).toBe(0)
    expect(added.mock.calls.length).toBeGreaterThan(0)
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length)
  })
})

describe('with 30 % of all calls failing at random', () => {
  /** Numbers from 0 to 1, the same for the same seed. */
  const seeded = (seed: number) => () => {
    seed = (seed + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  /** Calls that come one after the other, whether the ones before have ended or not. */
  const run = async (seed: number, calls: number, gapMs: number) => {
    guards = createGuards()
    const random = seeded(seed)
    const act = () => (random() < 0.3 ? status([500, 502, 503, 529][Math.floor(random() * 4)] ?? 500) : answer())
    const a = scripted(act)
    const b = scripted(act, {}, 'b')
    const reading: Promise<Told>[] = []
    for (let call = 0; call < calls; call += 1) {
      reading.push(start([a.candidate, b.candidate], { random }))
      await vi.advanceTimersByTimeAsync(gapMs)
    }
    await vi.runAllTimersAsync()
    const told = await Promise.all(reading)
    const answered = told.filter(({ text, end }) => end && text === 'Twenty-five days.').length
    return { answered, askedA: a.asked.length }
  }

  it('99.9 % of the calls end in an answer, with a tenth of repetitions', { timeout: 60_000 }, async () => {
    const runs = []
    for (const seed of [1, 2, 3, 4, 5]) runs.push(await run(seed, 2_000, 20))
    const answered = runs.reduce((sum, one) => sum + one.answered, 0)
    expect(answered).toBeGreaterThanOrEqual(10_000 * 0.999)
    for (const { askedA } of runs) expect(askedA).toBeLessThanOrEqual(2_000 * 1.1 + 55)
  })

  it('every call ends in an answer where the built-in answerer stands behind', async () => {
    const a = scripted((call) => (call % 3 === 0 ? answer() : status(500)))
    const builtIn = scripted([says('From your documents.')], { kind: 'built-in' }, 'z')
    for (let call = 0; call < 200; call += 1) {
      expect((await ask([a.candidate, builtIn.candidate])).error).toBeUndefined()
      await vi.advanceTimersByTimeAsync(100)
    }
  })
})
