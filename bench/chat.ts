/**
 * A streamed answer on its way from a model to the browser's bytes: what a token costs in processor time, how late it comes, and what
 * an open stream weighs. Two arms, each a process of its own, behind the same plain `node:http` door and with the same wire format:
 * the product's `respond` (search, gateway, citations, storage), and the stock AI SDK handler (`streamText` and
 * `toUIMessageStream`). What Next.js adds to both is left out.
 *
 *   node bench/chat.ts        BENCH_ROUNDS=3 BENCH_STREAMS=20 BENCH_TOKENS=500 BENCH_OPEN=30
 *
 * A token's cost is the difference between long and short answers, so that what a question costs before its first token, which only
 * the product has, is not spread over tokens; it is a column of its own.
 */
import './scratch.ts'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { printMachine, printRows, type Row } from './report.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const streams = Number(process.env.BENCH_STREAMS ?? 20)
const tokensLong = Number(process.env.BENCH_TOKENS ?? 500)
const openStreams = Number(process.env.BENCH_OPEN ?? 30)
const tokensShort = 20
const tokenEveryMs = 10
/** A stream that is held open says so many tokens first. */
const tokensHeld = 50

const readAll = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

const listen = (handle: Handler): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer((request, response) => {
      handle(request, response).catch((error: unknown) => {
        if (!response.destroyed) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
        response.destroy()
      })
    })
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

/** What the door of Next.js does with a Response, as lean as it can be done. */
const pipe = async (answer: Response, response: ServerResponse): Promise<void> => {
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  const reader = answer.body?.getReader()
  response.on('close', () => void reader?.cancel().catch(() => undefined))
  for (;;) {
    const read = await reader?.read()
    if (!read || read.done) break
    response.write(read.value)
  }
  response.end()
}

type Asked = { question: string }

const openStock = async (baseUrl: string): Promise<Handler> => {
  const { convertToModelMessages, createUIMessageStreamResponse, streamText, toUIMessageStream } = await import('ai')
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
  const provider = createOpenAICompatible({ name: 'stock', apiKey: 'sk-bench', baseURL: baseUrl, includeUsage: true })
  const model = provider('bench-1')
  return async (request, response) => {
    const { question } = JSON.parse(await readAll(request)) as Asked
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const messages = await convertToModelMessages([{ role: 'user', parts: [{ type: 'text', text: question }] }])
    const { stream } = streamText({ model, messages, maxRetries: 0, abortSignal: gone.signal })
    await pipe(createUIMessageStreamResponse({ stream: toUIMessageStream({ stream }), keepAliveMs: 15_000 }), response)
  }
}

const handbook = [
  'Annual leave',
  'Every employee gets 25 working days of annual leave in a calendar year. Up to five days may be carried over into the next year, where they must be taken by 31 March.',
  'Leave is asked for two weeks ahead and agreed with the head of the department, who answers within three days.',
].join('\n\n')

const openProduct = async (baseUrl: string): Promise<Handler> => {
  Object.assign(process.env, { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: 'sk-bench', OPENAI_MODEL: 'bench-1' })
  const { holdDatabase } = await import('#db/client.ts')
  const { openEmbeddedDatabase } = await import('#db/open.ts')
  const { createWorkspace, upsertAccount } = await import('#db/queries/people.ts')
  const { gatewaySettings } = await import('#db/schema/index.ts')
  const { startWorker } = await import('#ingestion/worker.ts')
  const { eventStreamResponse, respond } = await import('#lib/chat/index.ts')
  const { listDocuments, uploadDocument } = await import('#lib/documents.ts')
  const { env } = await import('#lib/env.ts')
  const { warmGateway } = await import('#lib/gateway/index.ts')
  const { openQueue } = await import('#lib/jobs.ts')
  const { newId } = await import('#lib/shared/ids.ts')

  const { db } = holdDatabase(await openEmbeddedDatabase(env().dataDir))
  await openQueue()
  const names = { name: 'Bench', email: 'bench@scratch.local' }
  const viewer = { userId: newId(), workspaceId: newId(), role: 'admin' as const, ...names }
  await createWorkspace(db, { id: viewer.workspaceId, name: 'Bench' })
  await upsertAccount(db, { ...viewer, passwordHash: 'none' })
  // An answer from the cache would be no stream, and one person asks for many here.
  const settings = {
    cache: { exact: false, semantic: false },
    tokenLimits: { userMinute: null, workspaceMinute: null },
  }
  await db.insert(gatewaySettings).values({ workspaceId: viewer.workspaceId, settings })
  const worker = await startWorker()
  const source = (async function* () {
    yield Buffer.from(handbook)
  })()
  await uploadDocument(viewer, { name: 'handbook.md', collectionId: null, source })
  while (!(await listDocuments(viewer)).documents.every(({ stage }) => stage === 'ready')) await pause(100)
  await worker.stop()
  await warmGateway()
  return async (request, response) => {
    const { question } = JSON.parse(await readAll(request)) as Asked
    const asked = { chatId: newId(), messageId: newId(), text: question, trigger: 'submit' as const, collectionIds: [] }
    await pipe(eventStreamResponse(await respond(asked, viewer)), response)
  }
}

/** The other half of this file: an arm in a process of its own. `GET /memory` says what it holds after a collection. */
const serve = async (arm: string, upstream: number): Promise<void> => {
  process.on('disconnect', () => process.exit(0))
  const baseUrl = `http://127.0.0.1:${upstream}/v1`
  const handle = arm === 'stock' ? await openStock(baseUrl) : await openProduct(baseUrl)
  const port = await listen(async (request, response) => {
    if (request.url !== '/memory') return handle(request, response)
    for (let i = 0; i < 3; i += 1) {
      globalThis.gc?.()
      await pause(20)
    }
    const { heapUsed, external } = process.memoryUsage()
    response.end(String(heapUsed + external))
  })
  process.send?.({ port })
}

/** When each token left, by stream: what comes in at the other end is compared with it. */
const sentMs = new Map<string, number[]>()
let tokensPerAnswer = tokensLong
let hold = false

const chunkOf = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'bench-1', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`

const upstreamHandler: Handler = async (request, response) => {
  const id = /stream-[\w-]+/.exec(await readAll(request))?.[0] ?? ''
  const sent: number[] = []
  sentMs.set(id, sent)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const total = hold ? tokensHeld : tokensPerAnswer
  for (let at = 0; at < total && !response.destroyed; at += 1) {
    sent.push(performance.now())
    // A sentence of ten words with its marker, as a model would write it.
    response.write(chunkOf({ content: at % 10 === 9 ? ` w${at}x [1].` : ` w${at}x` }))
    await pause(tokenEveryMs)
  }
  while (hold && !response.destroyed) await pause(50)
  response.write(chunkOf({}, 'stop'))
  const usage = { prompt_tokens: 500, completion_tokens: total, total_tokens: 500 + total }
  response.write(`data: ${JSON.stringify({ id: 'c', model: 'bench-1', choices: [], usage })}\n\n`)
  response.end('data: [DONE]\n\n')
}

type Arm = { name: string; port: number; pid: number; stop(): void }

const start = (name: string, upstream: number): Promise<Arm> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', import.meta.filename, '--serve', name, String(upstream)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    child.once('message', ({ port }: { port: number }) =>
      resolve({ name, port, pid: child.pid ?? 0, stop: () => child.disconnect() }),
    )
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
  })

const agent = new Agent({ keepAlive: true, maxSockets: 512 })
let streamsMade = 0

type Read = { id: string; firstLagMs: number; lagsMs: number[]; events: number; bytes: number; whole: boolean }

/** Reads one answer as a browser does; `until` ends it early. */
const read = ({ port }: Arm, until?: { tokens: number; held: (end: () => void) => void }): Promise<Read> =>
  new Promise((resolve, reject) => {
    streamsMade += 1
    const id = `stream-${process.pid}-${streamsMade}`
    const body = JSON.stringify({ question: `How many working days of annual leave does an employee get? ${id}` })
    const seen: Read = { id, firstLagMs: Number.NaN, lagsMs: [], events: 0, bytes: 0, whole: false }
    let rest = ''
    /** The end of the text so far: a word may be cut by the end of an event. */
    let half = ''
    let tokens = 0
    const call = httpRequest({ host: '127.0.0.1', port, path: '/', method: 'POST', agent }, (response) => {
      response.on('data', (bytes: Buffer) => {
        const nowMs = performance.now()
        seen.bytes += bytes.length
        const lines = (rest + bytes.toString('utf8')).split('\n\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          if (line.includes('[DONE]')) seen.whole = true
          if (!line.includes('"text-delta"')) continue
          seen.events += 1
          const text = half + String(JSON.parse(line.slice('data: '.length)).delta)
          half = /w\d*$/.exec(text)?.[0] ?? ''
          for (const [, at] of text.matchAll(/w(\d+)x/g)) {
            tokens += 1
            const lagMs = nowMs - (sentMs.get(id)?.[Number(at)] ?? Number.NaN)
            if (at === '0') seen.firstLagMs = lagMs
            else seen.lagsMs.push(lagMs)
          }
        }
        // A held stream: what it says was read, up to the little that is merged.
        if (until && tokens >= until.tokens) until.held(() => response.destroy())
      })
      response.on('end', () => resolve(seen))
      response.on('close', () => resolve(seen))
      response.on('error', () => resolve(seen))
    })
    call.on('error', reject)
    call.end(body)
  })

const cpuMs = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // Ticks of 10 ms; fields 14 and 15 of proc(5).
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const median = (values: readonly number[]): number => {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
const highest = (values: readonly number[], share: number): number => {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** All streams at once with answers of `tokens`; the arm's processor time and what the readers saw. */
const burst = async (arm: Arm, tokens: number): Promise<{ ms: number; reads: Read[] }> => {
  tokensPerAnswer = tokens
  const from = cpuMs(arm.pid)
  const reads = await Promise.all(Array.from({ length: streams }, () => read(arm)))
  // Traces and the like are written after the end.
  await pause(300)
  const broken = reads.filter(({ whole, lagsMs }) => !whole || lagsMs.length < tokens - 1).length
  if (broken > 0) throw new Error(`${arm.name}: ${broken} of ${streams} answers are not whole`)
  return { ms: cpuMs(arm.pid) - from, reads }
}

const memoryOf = async ({ port }: Arm): Promise<number> =>
  Number(await (await fetch(`http://127.0.0.1:${port}/memory`)).text())

/** Kilobytes of the heap that each open stream holds, its reader and its call to the model among them. */
const weigh = async (arm: Arm): Promise<number> => {
  const before = await memoryOf(arm)
  hold = true
  const ends: (() => void)[] = []
  const held = Array.from({ length: openStreams }, () => {
    const ready = Promise.withResolvers<void>()
    const done = read(arm, {
      // The last words may wait for more: what is merged is not shown yet.
      tokens: tokensHeld - 10,
      held: (end) => {
        ends.push(end)
        ready.resolve()
      },
    })
    return { done, ready: ready.promise }
  })
  await Promise.all(held.map(({ ready }) => ready))
  await pause(500)
  const during = await memoryOf(arm)
  hold = false
  for (const end of ends) end()
  await Promise.all(held.map(({ done }) => done))
  await pause(1_000)
  return (during - before) / openStreams / 1_000
}

const run = async (): Promise<void> => {
  const upstream = await listen(upstreamHandler)
  // The stock handler twice: what the two differ by is noise.
  const names = ['stock', 'footnote'] as const
  const arms = [await start(names[0], upstream), await start(names[0], upstream), await start(names[1], upstream)]
  const titles = ['stock', 'stock again', 'footnote']
  const perToken: number[][] = arms.map(() => [])
  const perQuestion: number[][] = arms.map(() => [])
  const weights: number[][] = arms.map(() => [])
  const reads: Read[][] = arms.map(() => [])
  for (let round = -1; round < rounds; round += 1) {
    for (const [at, arm] of arms.entries()) {
      const short = await burst(arm, tokensShort)
      const long = await burst(arm, tokensLong)
      const weight = await weigh(arm)
      // The first round warms the compiler.
      if (round < 0) continue
      const tokenMs = (long.ms - short.ms) / (streams * (tokensLong - tokensShort))
      perToken[at]?.push(tokenMs * 1_000)
      perQuestion[at]?.push(short.ms / streams - tokenMs * tokensShort)
      weights[at]?.push(weight)
      reads[at]?.push(...long.reads)
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
  for (const { stop } of arms) stop()
  const fixed = (value: number, digits = 1): string => (Number.isFinite(value) ? value.toFixed(digits) : '-')
  const rows: Row[] = titles.map((title, at) => ({
    arm: title,
    'cpu µs/token': fixed(median(perToken[at] ?? [])),
    'of stock': fixed(
      median((perToken[at] ?? []).map((value, round) => value / (perToken[0]?.[round] ?? Number.NaN))),
      2,
    ),
    'cpu ms/question': fixed(median(perQuestion[at] ?? [])),
    'tokens an event': fixed(tokensLong / median((reads[at] ?? []).map(({ events }) => events))),
    'first lag ms': fixed(median((reads[at] ?? []).map(({ firstLagMs }) => firstLagMs))),
    'lag p50 ms': fixed(median((reads[at] ?? []).flatMap(({ lagsMs }) => lagsMs))),
    'lag p95 ms': fixed(
      highest(
        (reads[at] ?? []).flatMap(({ lagsMs }) => lagsMs),
        0.95,
      ),
    ),
    'bytes a token': fixed(median((reads[at] ?? []).map(({ bytes }) => bytes / tokensLong)), 0),
    'kB an open stream': fixed(median(weights[at] ?? [])),
  }))
  printMachine(['ai', '@ai-sdk/openai-compatible', '@electric-sql/pglite'])
  console.log(
    `${rounds} rounds of ${streams} answers side by side, ${tokensLong} tokens each, one every ${tokenEveryMs} ms a stream; ${openStreams} streams held open`,
  )
  printRows(rows)
}

const at = process.argv.indexOf('--serve')
if (at > 0) await serve(process.argv[at + 1] ?? '', Number(process.argv[at + 2] ?? 0))
else {
  await run()
  process.exit(0)
}
