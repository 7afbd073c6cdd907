/** The resilient call over a real connection: the vendor's adapter, and a provider that misbehaves on command. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type MockProvider, type Script, startMockProvider } from '#e2e/mock-provider.ts'
import type { AppError } from '#lib/shared/errors.ts'
import { renderQuestion } from '#lib/shared/source-slot.ts'
import { estimateTokens } from '#lib/shared/text.ts'
import { type CallOptions, roomAfter, shorten, textOfPrompt } from './attempt.ts'
import type { Attempt, Candidate, ModelEnd } from './call.ts'
import { buildModel } from './providers.ts'
import { createGuards, runCandidates } from './resilience.ts'
import { Failed } from './retry.ts'

let first: MockProvider
let second: MockProvider
beforeAll(async () => {
  first = await startMockProvider()
  second = await startMockProvider()
})
afterAll(async () => {
  await first.close()
  await second.close()
})
beforeEach(() => {
  for (const vendor of [first, second]) {
    vendor.requests.length = 0
    vendor.script({})
  }
})

const candidateAt = (baseUrl: string, id: string): Candidate => ({
  key: `test/${id}`,
  provider: {
    id,
    name: id,
    kind: 'compatible',
    local: false,
    baseUrl,
    requestsPerMinute: undefined,
    tokensPerMinute: undefined,
  },
  modelId: id,
  tier: 'standard',
  model: buildModel({ kind: 'compatible', modelId: id, apiKey: 'k', baseUrl }),
  contextTokensMax: 8_000,
  price: undefined,
})

const text =
  'Every employee gets twenty-five days of annual leave, and five of them may be carried over into the next year.'
const instead = 'Twenty-five days.'
type Told = {
  text: string
  events: string[]
  end: ModelEnd | undefined
  error: AppError | undefined
  attempts: Attempt[]
  ms: number
}

const ask = async (
  act: Script,
  then: Script = { text: instead },
  signal = new AbortController().signal,
): Promise<Told> => {
  first.script(act)
  second.script(then)
  const told: Told = { text: '', events: [], end: undefined, error: undefined, attempts: [], ms: 0 }
  const beganMs = performance.now()
  try {
    for await (const event of runCandidates({
      candidates: [candidateAt(first.url, 'a'), candidateAt(second.url, 'b')],
      options: {
        prompt: [{ role: 'user', content: [{ type: 'text', text: 'How much leave do I get?' }] }],
        maxOutputTokens: 300,
      },
      lane: 'chat',
      signal,
      deadlines: { firstTokenMs: 300, idleMs: 150 },
      onAttempt: (attempt) => told.attempts.push(attempt),
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
  told.ms = performance.now() - beganMs
  return told
}

describe('over a real connection', () => {
  it('an answer comes with the name and the fingerprint it was served under', async () => {
    const told = await ask({ text, model: 'a-2026-01', fingerprint: 'fp_7' })
    expect(told.text).toBe(text)
    expect(told.end).toMatchObject({
      servedModel: 'a-2026-01',
      fingerprint: 'fp_7',
      finish: 'stop',
      usage: { estimated: false },
    })
  })

  it.each<[Script, string, number]>([
    [{ status: 429 }, 'rate-limited', 3],
    [{ status: 500 }, 'server', 3],
    [{ status: 529 }, 'server', 3],
    [{ status: 401 }, 'misconfigured', 1],
    [{ status: 404 }, 'model-gone', 1],
    [
      {
        status: 400,
        body: '{"error":{"message":"maximum context length is 8192 tokens","code":"context_length_exceeded"}}',
      },
      'too-long',
      1,
    ],
    [{ body: '<!doctype html><title>Sign in</title>', contentType: 'text/html' }, 'bad-output', 3],
    [{ text: '' }, 'bad-output', 3],
    [{ fault: 'end', faultAfterTokens: 0 }, 'bad-output', 3],
    [{ fault: 'reset', faultAfterTokens: 0 }, 'network', 3],
    [{ fault: 'garbage', faultAfterTokens: 0 }, 'bad-output', 3],
    [{ fault: 'error', faultAfterTokens: 0 }, 'server', 3],
    [{ fault: 'stall', faultAfterTokens: 0 }, 'timeout', 1],
    [{ fault: 'comments', faultAfterTokens: 0 }, 'timeout', 1],
    [{ firstDelayMs: 60_000 }, 'timeout', 1],
    [{ text, fault: 'huge', faultAfterTokens: 0 }, 'bad-output', 3],
  ])('%j is sorted as %s and the next answers', async (act, failure, times) => {
    const told = await ask(act)
    expect(told.attempts.map(({ key, outcome }) => `${key.slice(5)} ${outcome}`)).toEqual([
      ...Array.from({ length: times }, () => `a ${failure}`),
      'b ok',
    ])
    expect(told.text).toBe(instead)
    expect(JSON.stringify(told.attempts)).not.toMatch(/doctype|annual leave/)
  })

  it.each<Script>([
    { text, fault: 'stall' },
    { text, fault: 'comments' },
    // What was not read yet when the connection breaks is lost, so the words come one by one.
    { text, fault: 'reset', tokenDelayMs: 5 },
    { text, fault: 'end' },
    { text, fault: 'garbage' },
    { text, fault: 'bad-event' },
  ])('%j after two tokens is replaced, after many gone on with', async (act) => {
    const early = await ask(act)
    expect(early).toMatchObject({ text: instead, error: undefined })
    expect(early.events.filter((event) => event === 'replace')).toHaveLength(1)
    const late = await ask({ ...act, faultAfterTokens: 20 }, { text: 'and so on.' })
    expect(late.events).not.toContain('replace')
    expect(late.text).toMatch(/^Every employee gets twenty-five days of annual leave, and five.*and so on\.$/)
    expect(late.events.filter((event) => event === 'end')).toHaveLength(1)
  })

  it.each<Script>([{ writeBytes: 1 }, { lineEnd: '\r\n' }, { writeBytes: 3, lineEnd: '\r\n' }])(
    'bytes that come as %j are read',
    async (act) => {
      const umlauts = 'Für Ärzte gilt § 7 – 25 Tage 🏖️ im Jahr.'
      expect(await ask({ text: umlauts, ...act })).toMatchObject({ text: umlauts, attempts: [{ outcome: 'ok' }] })
    },
  )

  it('a refusal is an answer', async () => {
    const told = await ask({ text: 'I cannot say that.', finish: 'content_filter' })
    expect(told).toMatchObject({ text: 'I cannot say that.', end: { finish: 'refused' } })
    expect(second.requests).toHaveLength(0)
  })

  it('an endless answer ends at its bound, and so does the call', async () => {
    const told = await ask({ text, endless: true })
    expect(told.end).toMatchObject({ finish: 'length', usage: { estimated: true } })
    expect(told.text.length).toBeLessThan(300 * 1.5 * 3.6 + 400)
    await expect.poll(() => first.requests[0]?.aborted).toBe(true)
  })

  it.each<Script>([
    { usage: false },
    { usage: { prompt_tokens: -4, completion_tokens: -4 } },
    { usage: { prompt_tokens: 1e9, completion_tokens: 1e9 } },
  ])('usage that lies (%j) is estimated', async (act) => {
    const { end } = await ask({ text, ...act })
    expect(end?.usage).toMatchObject({ estimated: true })
    expect(end?.usage.out).toBeGreaterThan(20)
    expect(end?.usage.out).toBeLessThan(60)
  })

  it('a provider that cannot be reached is passed over within a second', async () => {
    const gone = await startMockProvider()
    await gone.close()
    for (const url of [gone.url, 'http://nowhere.invalid/v1', first.url.replace('http:', 'https:')]) {
      const attempts: Attempt[] = []
      const beganMs = performance.now()
      let said = ''
      for await (const event of runCandidates({
        candidates: [candidateAt(url, 'a'), candidateAt(second.url, 'b')],
        options: { prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] },
        lane: 'chat',
        signal: new AbortController().signal,
        onAttempt: (attempt) => attempts.push(attempt),
        random: () => 0.5,
        guards: createGuards(),
      }))
        if (event.type === 'text') said += event.text
      expect(said).not.toBe('')
      expect(attempts[0]).toMatchObject({ key: 'test/a', outcome: 'network' })
      expect(attempts.at(-1)?.startMs ?? 0).toBeLessThan(1_000)
      expect(performance.now() - beganMs).toBeLessThan(2_000)
    }
  })

  it('a caller who stops is done with at once, and the provider learns of it', async () => {
    const stop = new AbortController()
    const reading = ask({ text, tokenDelayMs: 20 }, {}, stop.signal)
    await expect.poll(() => first.requests[0]?.tokensSent ?? 0).toBeGreaterThan(2)
    const beganMs = performance.now()
    stop.abort(new Error('stopped by the person'))
    const told = await reading
    expect(performance.now() - beganMs).toBeLessThan(200)
    expect(told.error?.message).toBe('stopped by the person')
    expect(told.attempts).toMatchObject([{ outcome: 'stopped' }])
    await expect.poll(() => first.requests[0]?.aborted).toBe(true)
  })
})

describe('all of them at once', () => {
  afterEach(() => first.script({}))
  it('leaves no timers behind', async () => {
    const stop = new AbortController()
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    for (let call = 0; call < 20; call += 1)
      await ask(call % 2 === 0 ? { text } : { text, fault: 'reset' }, { text: instead }, stop.signal)
    const after = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    // The connection pool of fetch keeps a few of its own.
    expect(after).toBeLessThanOrEqual(before + 3)
  })
})

describe('a prompt that is too long', () => {
  const boundary = 'boundary-of-a-test'
  const passagesOf = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      n: at + 1,
      title: `Source ${at + 1}`,
      headingPath: ['A', 'B'],
      page: at,
      context: '',
      text: `[x source ${at}] ${`words of ${at + 1} `.repeat(20)}`,
    }))
  const rendered = (count: number): string =>
    renderQuestion({ question: 'How much leave?', passages: passagesOf(count), boundary })
  const said = (role: 'user' | 'assistant', content: string): CallOptions['prompt'][number] => ({
    role,
    content: [{ type: 'text', text: content }],
  })
  const conversation: CallOptions = {
    prompt: [
      { role: 'system', content: 'Instructions.' },
      ...[1, 2, 3].flatMap((n) => [said('user', `asked ${n} `.repeat(30)), said('assistant', `told ${n} `.repeat(30))]),
      said('user', rendered(5)),
    ],
    maxOutputTokens: 300,
  }
  const whole = estimateTokens(textOfPrompt(conversation.prompt))
  const leftOf = (tokensInMax: number, options = conversation): string => {
    const shorter = shorten(options, tokensInMax)
    if (!shorter) return 'nothing'
    const { prompt } = shorter.options
    expect(shorter.tokensIn).toBe(estimateTokens(textOfPrompt(prompt)))
    expect(shorter.tokensIn).toBeLessThanOrEqual(tokensInMax)
    expect(prompt[0]).toEqual({ role: 'system', content: 'Instructions.' })
    // A conversation begins with a person, and ends with the question.
    expect(prompt[1]?.role).toBe('user')
    const asked = textOfPrompt(prompt.slice(-1))
    const sources = [1, 2, 3, 4, 5].find((count) => asked === rendered(count))
    expect(5 - (sources ?? 0)).toBe(shorter.leftOut.sources)
    expect(6 - (prompt.length - 2)).toBe(shorter.leftOut.messages)
    return `${prompt.length - 2} messages, ${sources} sources`
  }

  it('loses its oldest messages first, then its last sources, and never the question', () => {
    const steps = Array.from({ length: Math.ceil(whole / 10) + 1 }, (_, at) => leftOf(whole - at * 10))
    expect([...new Set(steps)]).toEqual([
      '6 messages, 5 sources',
      '4 messages, 5 sources',
      '2 messages, 5 sources',
      '0 messages, 5 sources',
      '0 messages, 4 sources',
      '0 messages, 3 sources',
      '0 messages, 2 sources',
      '0 messages, 1 sources',
      'nothing',
    ])
  })

  it('keeps what came after the question, and is not changed itself', () => {
    const before = JSON.stringify(conversation)
    const repaired = {
      ...conversation,
      prompt: [...conversation.prompt, said('assistant', '{"wrong"'), said('user', 'That could not be read.')],
    }
    const shorter = shorten(repaired, 400)
    expect(shorter?.options.prompt.slice(-2)).toEqual(repaired.prompt.slice(-2))
    expect(shorter?.options.prompt).toHaveLength(4)
    expect(shorter?.options.maxOutputTokens).toBe(300)
    expect(JSON.stringify(conversation)).toBe(before)
  })

  it('is left as it is where it is all question', () => {
    expect(shorten({ prompt: [said('user', 'x'.repeat(4_000))] }, 100)).toBeNull()
    expect(shorten({ prompt: [{ role: 'system', content: 'x'.repeat(4_000) }] }, 100)).toBeNull()
  })

  const sent = { tokensIn: 7_000, tokensOut: 1_000, contextTokensMax: 8_000 }
  const room = (words: string): number => roomAfter(new Failed('too-long', new Error(words)), sent)
  it.each([
    ["This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.", 8192, 9001],
    [
      "This model's maximum context length is 4096 tokens. However, you requested 8000 tokens (7000 in the messages, 1000 in the completion).",
      4096,
      8000,
    ],
    ['prompt is too long: 205000 tokens > 200000 maximum', 200_000, 205_000],
    ['The input token count (1189806) exceeds the maximum number of tokens allowed (1048576).', 1_048_576, 1_189_806],
    ['the request (9001 tokens) exceeds the available context size (8192 tokens), try increasing it', 8192, 9001],
  ])('has the room that a provider names: %s', (words, window, counted) => {
    expect(room(words)).toBe(Math.floor(((7_000 * (window - 1_000)) / counted) * 0.95))
  })

  it('has half of what was sent where none is named, and never more than was sent', () => {
    expect(room('context window exceeded')).toBe(3_500)
    expect(roomAfter(new Failed('too-long', { error: { message: 'too long' } }), sent)).toBe(3_500)
    expect(room('limit: 999999999 tokens')).toBe(6_650)
    expect(room('maximum context length is 500 tokens, you sent 900')).toBeLessThanOrEqual(0)
  })
})
