/**
 * A model vendor of our own, for tests: speaks OpenAI's chat completions (JSON and SSE) and GET /models, misbehaves on request,
 * and tells what it was asked and whether the client hung up. `node e2e/mock-provider.ts --port 8089` runs it by itself.
 *
 * POST /__script sets how the next calls behave (see `Script`); GET /__requests lists the calls; DELETE /__requests forgets both.
 * A last user message with `[[mock: {...}]]` scripts its own call.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { parseQuestion } from '../lib/shared/source-slot.ts'
import { sentences } from '../lib/shared/text.ts'

export type Script = {
  /** Answers with this status and an error body instead of text. */
  status?: number
  headers?: Record<string, string>
  /** What is said instead of the two cited sentences. */
  text?: string
  /** Tokens before the fault: `stall` says nothing more, `reset` cuts the connection, `garbage` sends what is no JSON, `end` closes early. */
  fault?: 'stall' | 'reset' | 'garbage' | 'end'
  faultAfterTokens?: number
  contentType?: string
  /** Before the first byte, and between tokens. */
  firstDelayMs?: number
  tokenDelayMs?: number
  usage?: boolean
  model?: string
  /** Calls it holds for; for all that follow when left out. */
  times?: number
}

export type RecordedRequest = {
  path: string
  authorization: string | null
  body: unknown
  /** The client hung up before the answer was out. */
  aborted: boolean
  finished: boolean
  tokensSent: number
}

export type MockProvider = {
  url: string
  port: number
  requests: RecordedRequest[]
  script(next: Script): void
  close(): Promise<void>
}

type ChatBody = {
  model?: string
  stream?: boolean
  messages?: { role: string; content: unknown }[]
  stream_options?: { include_usage?: boolean }
}

const bodyBytesMax = 4_000_000

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

const scriptIn = (prompt: string): Script | null => {
  const inline = prompt.match(/\[\[mock: (\{.*?\})\]\]/)
  return inline?.[1] ? (JSON.parse(inline[1]) as Script) : null
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

/** Starts the vendor on 127.0.0.1; port 0 takes a free one. */
export const startMockProvider = async (port = 0): Promise<MockProvider> => {
  const requests: RecordedRequest[] = []
  let script: Script = {}
  const closing = new AbortController()

  const nextScript = (prompt: string): Script => {
    const own = scriptIn(prompt)
    if (own) return own
    const current = script
    if (current.times !== undefined) script = current.times > 1 ? { ...current, times: current.times - 1 } : {}
    return current
  }

  const complete = async (body: ChatBody, record: RecordedRequest, response: ServerResponse): Promise<void> => {
    const prompt = contentText(body.messages?.findLast(({ role }) => role === 'user')?.content)
    const act = nextScript(prompt)
    const gone = new AbortController()
    response.on('close', () => {
      if (response.writableFinished) return
      record.aborted = act.fault !== 'reset'
      gone.abort()
    })
    const wait = (ms: number): Promise<void> =>
      pause(ms, undefined, { signal: AbortSignal.any([gone.signal, closing.signal]) })
    if (act.firstDelayMs) await wait(act.firstDelayMs)
    if (act.status && act.status >= 400) {
      sendJson(
        response,
        act.status,
        { error: { message: `scripted ${act.status}`, type: 'mock', code: null } },
        act.headers,
      )
      record.finished = true
      return
    }
    const answer = act.text ?? citedAnswer(prompt)
    const tokens = answer.match(/\s*\S{1,6}|\s+$/g) ?? []
    const model = act.model ?? body.model ?? 'mock-1'
    const id = `chatcmpl-${requests.length}`
    const usage = {
      prompt_tokens: Math.ceil(prompt.length / 4),
      completion_tokens: tokens.length,
      total_tokens: Math.ceil(prompt.length / 4) + tokens.length,
    }
    const withUsage = act.usage ?? true
    if (!body.stream) {
      if (act.fault === 'garbage')
        response.writeHead(200, { 'content-type': act.contentType ?? 'application/json' }).end('<html>{"half":')
      else
        sendJson(
          response,
          200,
          {
            id,
            object: 'chat.completion',
            created: 0,
            model,
            choices: [{ index: 0, message: { role: 'assistant', content: answer }, finish_reason: 'stop' }],
            ...(withUsage ? { usage } : {}),
          },
          act.contentType ? { 'content-type': act.contentType } : {},
        )
      record.finished = true
      record.tokensSent = tokens.length
      return
    }

    response.writeHead(200, {
      'content-type': act.contentType ?? 'text/event-stream',
      'cache-control': 'no-cache',
      ...act.headers,
    })
    const event = (data: unknown): void =>
      void response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
    const chunk = (delta: unknown, finish: string | null = null) => ({
      id,
      object: 'chat.completion.chunk',
      created: 0,
      model,
      choices: [{ index: 0, delta, finish_reason: finish }],
    })
    event(chunk({ role: 'assistant', content: '' }))
    for (const [i, token] of tokens.entries()) {
      if (act.fault && i >= (act.faultAfterTokens ?? 2)) break
      event(chunk({ content: token }))
      record.tokensSent += 1
      if (act.tokenDelayMs) await wait(act.tokenDelayMs)
    }
    switch (act.fault) {
      case 'stall':
        await wait(600_000)
        return
      case 'reset':
        response.destroy()
        return
      case 'garbage':
        event('{"choices": [{"delta": {"conte')
        break
      case 'end':
        break
      default:
        event(chunk({}, 'stop'))
        if (withUsage) event({ ...chunk({}), choices: [], usage })
        event('[DONE]')
    }
    response.end()
    record.finished = true
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const route = `${request.method} ${path.replace(/^\/v1(?=\/)/, '')}`
    switch (route) {
      case 'POST /__script':
        script = (await readBody(request)) as Script
        return sendJson(response, 200, { ok: true })
      case 'GET /__requests':
        return sendJson(response, 200, requests)
      case 'DELETE /__requests':
        requests.length = 0
        script = {}
        return sendJson(response, 200, { ok: true })
      case 'GET /models':
        return sendJson(response, 200, {
          object: 'list',
          data: [
            { id: 'mock-1', object: 'model' },
            { id: 'mock-2', object: 'model' },
          ],
        })
      case 'POST /chat/completions': {
        const body = (await readBody(request)) as ChatBody
        const record: RecordedRequest = {
          path,
          authorization: request.headers.authorization ?? null,
          body,
          aborted: false,
          finished: false,
          tokensSent: 0,
        }
        requests.push(record)
        return complete(body, record, response)
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
    script: (next) => {
      script = next
    },
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
