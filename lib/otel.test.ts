import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { parseEnv } from './env.ts'
import { createTraceSink, type ExportedTrace, exportTrace, openOtel } from './otel.ts'
import type { Span } from './shared/admin-contract.ts'
import { newId } from './shared/ids.ts'

type Value = {
  stringValue?: string
  intValue?: number | string
  doubleValue?: number
  boolValue?: boolean
  arrayValue?: { values: Value[] }
}
type Wire = {
  resourceSpans: {
    resource: { attributes: { key: string; value: Value }[] }
    scopeSpans: {
      spans: {
        traceId: string
        spanId: string
        parentSpanId?: string
        name: string
        kind: number
        startTimeUnixNano: string
        endTimeUnixNano: string
        attributes: { key: string; value: Value }[]
        status: { code: number }
      }[]
    }[]
  }[]
}

const plain = (value: Value): unknown =>
  value.arrayValue
    ? value.arrayValue.values.map(plain)
    : (value.stringValue ?? value.boolValue ?? Number(value.intValue ?? value.doubleValue))

const open: Server[] = []
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const listen = async (handle: (request: IncomingMessage, body: string, response: ServerResponse) => void) => {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const bytes = Buffer.concat(parts)
      handle(request, (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString(), response)
    })
  })
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A collector that takes everything. */
const collector = async () => {
  const got: { path: string | undefined; key: string | string[] | undefined; body: string }[] = []
  const endpoint = await listen((request, body, response) => {
    got.push({ path: request.url, key: request.headers['x-key'], body })
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  const spans = () =>
    got.flatMap(({ body }) =>
      (JSON.parse(body) as Wire).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    )
  const attributesOf = (name: string): Record<string, unknown> =>
    Object.fromEntries(
      (spans().find((one) => one.name === name)?.attributes ?? []).map(({ key, value }) => [key, plain(value)]),
    )
  return { endpoint, got, spans, attributesOf }
}

const step = (name: string, more: Partial<Span> = {}): Span => ({
  id: newId(),
  parentId: null,
  name,
  label: name,
  startMs: 0,
  durationMs: 1,
  status: 'ok',
  costMicros: null,
  attributes: {},
  ...more,
})

const traceOf = (spans: Span[], more: Partial<ExportedTrace> = {}): ExportedTrace => ({
  traceId: newId(),
  startedAt: new Date('2026-11-21T10:00:00.250Z'),
  endMs: 900,
  workspaceId: newId(),
  userId: newId(),
  chatId: newId(),
  messageId: newId(),
  status: 'complete',
  firstTokenMs: 300,
  tokensIn: 812,
  tokensOut: 90,
  costMicros: 1_250,
  spans,
  ...more,
})

const base = { headers: { 'x-key': 'k1' }, serviceName: 'footnote-test', delayMs: 5 }
const secret = 'the merger with Acme closes in May'

describe('a trace at the collector', () => {
  it('is a turn with its steps under it, at their true times, under the trace id that the product shows', async () => {
    const { endpoint, got, spans } = await collector()
    const retrieve = step('retrieve', { startMs: 10, durationMs: 40 })
    const vector = step('vector', { parentId: retrieve.id, startMs: 12.5, durationMs: 30.25 })
    const orphan = step('check', { parentId: newId(), startMs: 800, durationMs: 5 })
    const trace = traceOf([retrieve, vector, orphan])
    const sink = createTraceSink({ ...base, endpoint: `${endpoint}/` })
    await sink.open()
    sink.offer(trace)
    await sink.close()

    expect(got.map(({ path, key }) => [path, key])).toEqual([['/v1/traces', 'k1']])
    const byName = new Map(spans().map((span) => [span.name, span]))
    expect([...byName.keys()]).toEqual(['footnote.turn', 'retrieval', 'vector', 'check'])
    expect(new Set(spans().map(({ traceId }) => traceId))).toEqual(new Set([trace.traceId.replaceAll('-', '')]))
    expect(new Set(spans().map(({ spanId }) => spanId)).size).toBe(4)
    const turn = byName.get('footnote.turn')
    expect(turn?.parentSpanId).toBeUndefined()
    expect(byName.get('retrieval')?.parentSpanId).toBe(turn?.spanId)
    expect(byName.get('vector')?.parentSpanId).toBe(byName.get('retrieval')?.spanId)
    expect(byName.get('check')?.parentSpanId).toBe(turn?.spanId)
    const startNs = BigInt(trace.startedAt.getTime()) * 1_000_000n
    const near = (nanos: string | undefined, ms: number) =>
      expect(Math.abs(Number(BigInt(nanos ?? 0) - startNs) / 1e6 - ms)).toBeLessThan(0.001)
    near(turn?.startTimeUnixNano, 0)
    near(turn?.endTimeUnixNano, 900)
    near(byName.get('vector')?.startTimeUnixNano, 12.5)
    near(byName.get('vector')?.endTimeUnixNano, 42.75)
    const resource = (JSON.parse(got[0]?.body ?? '') as Wire).resourceSpans[0]?.resource.attributes
    expect(resource?.find(({ key }) => key === 'service.name')?.value.stringValue).toBe('footnote-test')
  })

  it('says of a call of a model what the conventions ask for', async () => {
    const { endpoint, spans, attributesOf } = await collector()
    const sink = createTraceSink({ ...base, endpoint })
    sink.offer(
      traceOf([
        step('embed', { attributes: { model: 'all-MiniLM-L6-v2' } }),
        step('answer', {
          costMicros: 1_250,
          attributes: {
            model: 'gpt-5-mini-2026-08-01',
            requestedModel: 'gpt-5-mini',
            servedModel: 'gpt-5-mini-2026-08-01',
            provider: 'openai (environment)',
            finish: 'stop',
            tokensIn: 812,
            tokensOut: 90,
            tokensCached: 512,
            firstTokenMs: 300.5,
            tier: 'fast',
            flags: ['masked', 'fell-back'],
            attempts: [{ requestedModel: 'x' }, { requestedModel: 'y' }],
          },
        }),
        step('rewrite', { attributes: { model: 'gemini-3-flash', providerKind: 'google', repairs: 1 } }),
        // Without a model it was no call.
        step('rewrite', { attributes: { searched: secret } }),
      ]),
    )
    await sink.close()

    expect(attributesOf('chat gpt-5-mini')).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-5-mini',
      'gen_ai.response.model': 'gpt-5-mini-2026-08-01',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': 812,
      'gen_ai.usage.output_tokens': 90,
      'gen_ai.usage.cache_read.input_tokens': 512,
      'footnote.model': 'gpt-5-mini-2026-08-01',
      'footnote.requested_model': 'gpt-5-mini',
      'footnote.served_model': 'gpt-5-mini-2026-08-01',
      'footnote.provider': 'openai (environment)',
      'footnote.finish': 'stop',
      'footnote.tokens_in': 812,
      'footnote.tokens_out': 90,
      'footnote.tokens_cached': 512,
      'footnote.first_token_ms': 300.5,
      'footnote.tier': 'fast',
      'footnote.flags': ['masked', 'fell-back'],
      'footnote.attempts.count': 2,
      'footnote.step': 'answer',
      'footnote.status': 'ok',
      'footnote.cost_micros': 1_250,
    })
    expect(attributesOf('chat gemini-3-flash')).toMatchObject({ 'gen_ai.provider.name': 'gcp.gemini' })
    expect(attributesOf('embeddings all-MiniLM-L6-v2')).toMatchObject({
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.provider.name': 'footnote',
    })
    expect(attributesOf('rewrite')).not.toHaveProperty('gen_ai.operation.name')
    // OTLP counts kinds from 1 for internal; 3 is a client.
    expect(spans().map(({ name, kind }) => [name, kind])).toEqual([
      ['footnote.turn', 1],
      ['embeddings all-MiniLM-L6-v2', 1],
      ['chat gpt-5-mini', 3],
      ['chat gemini-3-flash', 3],
      ['rewrite', 1],
    ])
  })

  it('tells what failed by its class, and never by a message', async () => {
    const { endpoint, got, spans, attributesOf } = await collector()
    const sink = createTraceSink({ ...base, endpoint })
    sink.offer(
      traceOf(
        [
          step('answer', { status: 'failed', attributes: { error: 'AppError' } }),
          step('retrieve', { status: 'failed', attributes: { error: `cannot search: ${secret}` } }),
          step('filter', { status: 'refused' }),
        ],
        { status: 'failed' },
      ),
    )
    await sink.close()
    expect(attributesOf('chat')).toMatchObject({ 'error.type': 'AppError' })
    expect(attributesOf('retrieval')).toMatchObject({ 'error.type': '_OTHER' })
    expect(attributesOf('filter')).toMatchObject({ 'error.type': 'refused' })
    expect(attributesOf('footnote.turn')).toMatchObject({ 'error.type': 'failed' })
    expect(spans().map(({ status }) => status.code)).toEqual([2, 2, 2, 2])
    expect(got.map(({ body }) => body).join()).not.toContain('merger')
  })

  it('arrives at the end, however many wait', async () => {
    const { endpoint, spans } = await collector()
    const lost: number[] = []
    const sink = createTraceSink({ ...base, endpoint, delayMs: 60_000, onLost: (count) => lost.push(count) })
    await sink.open()
    for (let i = 0; i < 40; i += 1) sink.offer(traceOf(Array.from({ length: 49 }, () => step('pack'))))
    await sink.close()
    expect(lost).toEqual([])
    expect(spans()).toHaveLength(2_000)
  })

  it('holds no words of people, documents or models, whatever a step says of itself', async () => {
    const { endpoint, got, spans } = await collector()
    const sink = createTraceSink({ ...base, endpoint })
    const words = { text: secret, title: secret, quote: secret }
    sink.offer(
      traceOf([
        step('answer', {
          label: `answer: ${secret}`,
          attributes: {
            ...words,
            prompt: secret,
            rawOutput: secret,
            searched: secret,
            reason: secret,
            question: 'Acme',
            // A name that is allowed does not make a sentence a name.
            intent: secret,
            model: `${secret}\n`,
            finish: secret,
            flags: [secret, 'masked'],
            signals: [secret],
            sent: ['question'],
            masked: { email: 2, [`x${secret}`]: secret },
            passages: [words, words],
            deep: { words },
            odd: Number.NaN,
          },
        }),
        step(secret),
      ]),
    )
    await sink.close()
    expect(spans()).toHaveLength(3)
    const body = got.map((one) => one.body).join()
    expect(body).not.toMatch(/merger|Acme|closes/)
    expect(body).toContain('footnote.masked.email')
  })
})

describe('a collector that fails', () => {
  it('is nowhere: offering takes no time, closing ends, and what was lost is told', async () => {
    const lost: number[] = []
    const gone = await listen(() => undefined)
    const server = open.pop()
    await new Promise((resolve) => server?.close(resolve))
    const sink = createTraceSink({ ...base, endpoint: gone, deliveryMs: 50, onLost: (spans) => lost.push(spans) })
    sink.offer(traceOf([step('answer')]))
    await sink.close()
    expect(lost).toEqual([2])
  })

  it('hangs: memory has its bound, closing waits no longer than it is told, and nothing is taken afterwards', async () => {
    const lost: number[] = []
    const endpoint = await listen(() => undefined)
    let clockMs = 0
    const sink = createTraceSink({
      ...base,
      endpoint,
      spansMax: 10,
      now: () => clockMs,
      onLost: (spans) => lost.push(spans),
    })
    // Each is a turn and a step: five fit.
    for (let i = 0; i < 5; i += 1) sink.offer(traceOf([step('answer')]))
    expect(lost).toEqual([])
    for (let i = 0; i < 7; i += 1) sink.offer(traceOf([step('answer')]))
    // The first loss is told at once, the others not before a minute has passed.
    expect(lost).toEqual([2])
    clockMs = 60_000
    sink.offer(traceOf([step('answer')]))
    expect(lost).toEqual([2, 14])
    const startedMs = performance.now()
    await sink.close(40)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect(lost).toEqual([2, 14, 10])
    sink.offer(traceOf([]))
    expect(lost).toEqual([2, 14, 10])
  })

  it('refuses: the spans count as lost, and the next are sent all the same', async () => {
    const lost: number[] = []
    let requests = 0
    const endpoint = await listen((_, __, response) => {
      requests += 1
      response.writeHead(requests === 1 ? 400 : 200, { 'content-type': 'application/json' }).end('{}')
    })
    const sink = createTraceSink({ ...base, endpoint, spansMax: 4, onLost: (spans) => lost.push(spans) })
    sink.offer(traceOf([step('answer')]))
    await expect.poll(() => lost).toEqual([2])
    sink.offer(traceOf([step('answer'), step('save'), step('check')]))
    await sink.close()
    expect(requests).toBe(2)
    expect(lost).toEqual([2])
  })
})

describe('the settings of a collector', () => {
  it('are an address, and headers as OpenTelemetry writes them', () => {
    const { otel } = parseEnv({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc==, x-team = search ,',
    })
    expect(otel).toEqual({
      endpoint: 'https://collector.example:4318',
      headers: { authorization: 'Bearer abc==', 'x-team': 'search' },
      serviceName: 'footnote',
    })
    expect(parseEnv({}).otel.endpoint).toBeUndefined()
  })

  it.each(['no-value', 'two words=1', 'x=%0d%0aevil:1', 'x=%zz', 'x=\u00fc'])(
    'refuse %j and do not repeat it',
    (headers) => {
      const read = () => parseEnv({ OTEL_EXPORTER_OTLP_HEADERS: `x-key=hunter2,${headers}` })
      expect(read).toThrow(/OTEL_EXPORTER_OTLP_HEADERS: must be/)
      expect(read).not.toThrow(/hunter2/)
    },
  )

  it('refuse an address that is none of HTTP', () => {
    expect(() => parseEnv({ OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector:4317' })).toThrow(/OTLP_ENDPOINT/)
  })
})

it('does nothing where no collector is set', async () => {
  await openOtel()
  exportTrace(traceOf([step('answer')]))
  expect(Reflect.get(globalThis, 'footnoteTraceSink')).toBeNull()
})
