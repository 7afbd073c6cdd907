/**
 * The batch interface of a model vendor, for tests: POST /files, GET /files/ID/content, POST and GET /batches, GET /batches/ID and
 * its cancellation, as OpenAI speaks them. What it does with a batch is scripted; what it was sent can be read.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type BatchLine = { custom_id: string; body: Record<string, unknown> }

export type BatchScript = {
  /** Looks at a batch until it has ended. */
  looks: number
  end: 'completed' | 'failed' | 'expired' | 'cancelled'
  /** What a line is answered with; null leaves it out of the output, as an expired batch does. */
  answer: (line: BatchLine) => { status: number; body: unknown } | null
  /** Refuses the step with this status. */
  refuse?: { step: 'file' | 'create' | 'list' | 'look' | 'content'; status: number }
  /** Takes the batch and cuts the connection before saying so. */
  loseAnswer?: boolean
}

/** A chat completion as the vendor writes it. */
export const completion = (text: string, { tokensIn = 100, tokensOut = 20, model = 'mock-batch-1' } = {}) => ({
  status: 200,
  body: {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 0,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: tokensIn, completion_tokens: tokensOut, total_tokens: tokensIn + tokensOut },
  },
})

type Batch = { id: string; inputFileId: string; metadata: unknown; looks: number; cancelled: boolean }

export type MockBatches = {
  /** Ends with `/v1`. */
  url: string
  /** Every request: `POST /files`. */
  requests: { route: string; authorization: string | null }[]
  /** The lines of every file that came. */
  lines(): BatchLine[]
  batches(): number
  script(next: Partial<BatchScript>): void
  close(): Promise<void>
}

const defaults: BatchScript = { looks: 1, end: 'completed', answer: () => completion('{}') }

const readText = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

const parseLines = (text: string): BatchLine[] =>
  text
    .split('\n')
    .filter((line) => line.trim())
    .map((line) => JSON.parse(line) as BatchLine)

/** The part called `file` of a form. */
const fileOf = (form: string): string => {
  const boundary = form.slice(0, form.indexOf('\r\n'))
  const part = form.split(boundary).find((one) => /name="file"/.test(one)) ?? ''
  return part.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, '')
}

/**
 * A handler of the batch routes; false for a request that is not one of them. For a server that speaks more than these.
 */
export const createMockBatches = () => {
  let script = defaults
  const files = new Map<string, string>()
  const batches = new Map<string, Batch>()
  const requests: MockBatches['requests'] = []
  let made = 0
  const nextId = (kind: string): string => {
    made += 1
    return `${kind}-${made}`
  }

  const show = (batch: Batch) => {
    const over = batch.looks >= script.looks
    const status = batch.cancelled ? 'cancelled' : over ? script.end : 'in_progress'
    const answered = over && (status === 'completed' || status === 'expired')
    return {
      id: batch.id,
      object: 'batch',
      endpoint: '/v1/chat/completions',
      status,
      metadata: batch.metadata,
      input_file_id: batch.inputFileId,
      output_file_id: answered ? `output-${batch.id}` : null,
      error_file_id: null,
      errors: status === 'failed' ? { data: [{ message: 'the file was not to our liking' }] } : null,
    }
  }

  const outputOf = (batch: Batch): string =>
    parseLines(files.get(batch.inputFileId) ?? '')
      .flatMap((line) => {
        const answer = script.answer(line)
        if (!answer) return []
        const response = { status_code: answer.status, request_id: 'r', body: answer.body }
        return [JSON.stringify({ id: nextId('line'), custom_id: line.custom_id, response, error: null })]
      })
      .join('\n')

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const path = (request.url ?? '/').split('?')[0]?.replace(/^\/v1(?=\/)/, '') ?? '/'
    const route = `${request.method} ${path}`
    const [, kind, id = '', more = ''] = /^\/(files|batches)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? []
    if (!kind) return false
    const json = (body: unknown, status = 200): boolean => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
      return true
    }
    const text = await readText(request)
    requests.push({ route, authorization: request.headers.authorization ?? null })
    const step =
      route === 'POST /files'
        ? 'file'
        : route === 'POST /batches'
          ? 'create'
          : route === 'GET /batches'
            ? 'list'
            : kind === 'files'
              ? 'content'
              : 'look'
    if (script.refuse?.step === step) return json({ error: { message: 'scripted refusal' } }, script.refuse.status)
    if (step === 'file') {
      const fileId = nextId('file')
      files.set(fileId, fileOf(text))
      return json({ id: fileId, object: 'file', purpose: 'batch' })
    }
    if (step === 'create') {
      const asked = JSON.parse(text) as { input_file_id: string; metadata?: unknown }
      const batch = {
        id: nextId('batch'),
        inputFileId: asked.input_file_id,
        metadata: asked.metadata ?? null,
        looks: 0,
        cancelled: false,
      }
      batches.set(batch.id, batch)
      if (script.loseAnswer) {
        response.destroy()
        return true
      }
      return json(show(batch))
    }
    if (step === 'list') return json({ object: 'list', data: [...batches.values()].map(show), has_more: false })
    if (step === 'content') {
      const batch = batches.get(id.replace(/^output-/, ''))
      if (!batch) return json({ error: { message: 'no such file' } }, 404)
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      response.end(outputOf(batch))
      return true
    }
    const batch = batches.get(id)
    if (!batch) return json({ error: { message: 'no such batch' } }, 404)
    if (more === 'cancel') batch.cancelled = true
    else batch.looks += 1
    return json(show(batch))
  }

  return {
    handle,
    requests,
    lines: (): BatchLine[] => [...files.values()].flatMap(parseLines),
    batches: (): number => batches.size,
    script: (next: Partial<BatchScript>): void => {
      script = { ...defaults, ...next }
    },
    reset: (): void => {
      files.clear()
      batches.clear()
      requests.length = 0
      script = defaults
    },
  }
}

/** A server of the batch routes alone. */
export const startMockBatches = async (): Promise<MockBatches & { reset(): void }> => {
  const { handle, ...mock } = createMockBatches()
  const server = createServer((request, response) => {
    handle(request, response)
      .then((known) => {
        if (!known) response.writeHead(404).end()
      })
      .catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ...mock,
    url: `http://127.0.0.1:${port}/v1`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
