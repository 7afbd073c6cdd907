/**
 * What the gateway adds to a model call, beside other ways to the same upstream in one interleaved run: nothing at all (twice, which
 * shows the noise), a bare `node:http` proxy (twice), nginx and `@portkey-ai/gateway` where they are found, and the product's own
 * stream with every policy on and no cache. Each arm is a process of its own; the figures are medians over rounds, and ratios are
 * taken within a round.
 *
 *   node bench/gateway.ts               BENCH_ROUNDS=7 BENCH_CALLS=40 BENCH_SECONDS=2
 *
 * Added time is an arm's median minus the direct call's in the same round. CPU is that of the arm's process, from /proc. Portkey
 * sleeps 25 ms before the first chunk of a stream, by its own choice, so it is compared in whole JSON answers too.
 */
import './scratch.ts'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createProbe } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenedGateway } from './gateway-arm.ts'
import { printMachine, printRows, type Row } from './report.ts'

const rounds = Number(process.env.BENCH_ROUNDS ?? 7)
const callsPerRound = Number(process.env.BENCH_CALLS ?? 40)
const secondsPerRound = Number(process.env.BENCH_SECONDS ?? 2)
const width = 16
const tokensPerAnswer = 40

type Body = { stream?: boolean; messages?: { role: string; content: string }[] }

const readAll = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}
const sse = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }
const chunkOf = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'bench-1', choices: [{ index: 0, delta: content ? { content } : {}, finish_reason: finish }] })}\n\n`
const usage = { prompt_tokens: 900, completion_tokens: tokensPerAnswer, total_tokens: 900 + tokensPerAnswer }
const usageChunk = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'bench-1', choices: [], usage })}\n\n`
const wholeOf = (content: string): string =>
  JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 0,
    model: 'bench-1',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage,
  })

const words = Array.from({ length: tokensPerAnswer }, (_, at) => (at === tokensPerAnswer - 1 ? ' [1].' : ` word${at}`))

/** The upstream answers at once: all that is measured is what lies between. */
const serveUpstream = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { stream } = JSON.parse(await readAll(request)) as Body
  if (!stream) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(wholeOf(words.join('')))
    return
  }
  response.writeHead(200, sse)
  for (const word of words) {
    response.write(chunkOf(word))
    // A turn of its own for each token, as they come from a model.
    await new Promise((resolve) => setImmediate(resolve))
  }
  response.end(`${chunkOf('', 'stop')}${usageChunk}data: [DONE]\n\n`)
}

const keepAlive = new Agent({ keepAlive: true, maxSockets: 512 })

const serveBare =
  (upstream: number) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const { url, method, headers } = request
    const onward = httpRequest(
      { host: '127.0.0.1', port: upstream, path: url, method, headers, agent: keepAlive },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  }

/** The product's stream behind the same wire format as the others, so that one client measures all. */
const serveGateway =
  ({ answer }: OpenedGateway) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { stream, messages } = JSON.parse(await readAll(request)) as Body
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const question = messages?.at(-1)?.content ?? ''
    if (!stream) {
      let text = ''
      for await (const piece of answer(question, gone.signal)) text += piece
      response.writeHead(200, { 'content-type': 'application/json' }).end(wholeOf(text))
      return
    }
    response.writeHead(200, sse)
    for await (const piece of answer(question, gone.signal)) response.write(chunkOf(piece))
    response.end(`${chunkOf('', 'stop')}data: [DONE]\n\n`)
  }

const listen = (handle: (request: IncomingMessage, response: ServerResponse) => unknown): void => {
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      response.destroy()
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
}

/** The other half of this file: an arm in a process of its own, which ends with its parent. */
const serve = async (arm: string, upstream: number): Promise<void> => {
  process.on('disconnect', () => process.exit(0))
  if (arm === 'upstream') listen(serveUpstream)
  else if (arm === 'gateway') {
    // Settings are read once, when the first module that needs them is loaded.
    const provider = { OPENAI_API_KEY: 'sk-bench', OPENAI_MODEL: 'bench-1' }
    Object.assign(process.env, { ...provider, OPENAI_BASE_URL: `http://127.0.0.1:${upstream}/v1` })
    const { openGateway } = await import('./gateway-arm.ts')
    listen(serveGateway(await openGateway()))
  } else listen(serveBare(upstream))
}

type Arm = { name: string; port: number; pid: number; headers: Record<string, string>; stop(): void }

const startOwn = (name: string, arm: string, upstream = 0): Promise<Arm> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [import.meta.filename, '--serve', arm, String(upstream)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    child.once('message', ({ port }: { port: number }) =>
      resolve({ name, port, pid: child.pid ?? 0, headers: {}, stop: () => void child.disconnect() }),
    )
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)))
  })

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createProbe()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

const answers = async (port: number, headers: Record<string, string>): Promise<boolean> => {
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await measure({ port, headers }, false)).ok) return true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}

const external = async (name: string, child: ChildProcess, port: number, headers = {}): Promise<Arm | null> => {
  const arm = { name, port, pid: child.pid ?? 0, headers, stop: () => void child.kill('SIGTERM') }
  if (await answers(port, headers)) return arm
  child.kill('SIGTERM')
  return null
}

/** Portkey redefines the global `Response`, which breaks its own streams on this Node: made a no-op, as its users do. */
const portkeyPreload = `const define = Object.defineProperty
Object.defineProperty = (target, name, how) => (target === globalThis && name === 'Response' ? target : define(target, name, how))`

const startPortkey = async (upstream: number, folder: string): Promise<Arm | string> => {
  const main = join(import.meta.dirname, '../node_modules/@portkey-ai/gateway/build/start-server.js')
  const elsewhere = process.env.BENCH_PORTKEY
  const start = elsewhere ?? main
  if (!existsSync(start)) return 'not installed'
  const port = await freePort()
  const preload = join(folder, 'portkey-preload.mjs')
  writeFileSync(preload, portkeyPreload)
  const child = spawn(process.execPath, ['--import', preload, start, `--port=${port}`, '--headless'], {
    env: { ...process.env, NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1' },
    stdio: 'ignore',
  })
  const headers = {
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${upstream}/v1`,
    authorization: 'Bearer sk-bench',
  }
  return (await external('portkey', child, port, headers)) ?? 'did not start'
}

const startNginx = async (upstream: number, folder: string): Promise<Arm | string> => {
  if (spawnSync('nginx', ['-v']).status !== 0) return 'not installed'
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; worker_processes 1; error_log ${folder}/error.log; pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  upstream model { server 127.0.0.1:${upstream}; keepalive 64; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }\n`,
  )
  const child = spawn('nginx', ['-c', config, '-p', folder], { stdio: 'ignore' })
  return (await external('nginx', child, port)) ?? 'did not start'
}

const ask = JSON.stringify({
  model: 'bench-1',
  messages: [
    { role: 'system', content: 'You answer from the sources. '.repeat(20) },
    { role: 'user', content: `How much leave do I get? ${'A passage of the handbook says something. '.repeat(60)}` },
  ],
})
const asked = { json: ask, stream: JSON.stringify({ ...JSON.parse(ask), stream: true }) }

type Call = { ok: boolean; firstMs: number; totalMs: number }

const failed: Call = { ok: false, firstMs: Number.NaN, totalMs: Number.NaN }

/** One call: until the first bytes that carry text, and until the end. */
const measure = ({ port, headers }: Pick<Arm, 'port' | 'headers'>, stream: boolean): Promise<Call> =>
  new Promise((resolve) => {
    const body = stream ? asked.stream : asked.json
    const startMs = performance.now()
    let firstMs = 0
    const call = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path: '/v1/chat/completions',
        method: 'POST',
        agent: keepAlive,
        headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        let last = ''
        response.on('data', (bytes: Buffer) => {
          const text = bytes.toString('latin1')
          if (!firstMs && text.includes('content')) firstMs = performance.now() - startMs
          last = (last + text).slice(-2_000)
        })
        response.on('end', () => {
          const whole = stream ? last.includes('[DONE]') : last.includes('message')
          resolve({ ok: response.statusCode === 200 && whole, firstMs, totalMs: performance.now() - startMs })
        })
        response.on('error', () => resolve(failed))
      },
    )
    call.on('error', () => resolve(failed))
    call.end(body)
  })

const median = (values: readonly number[]): number => {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b)
  return sorted.length === 0 ? Number.NaN : (sorted[sorted.length >> 1] ?? Number.NaN)
}

const ticksPerSecond = 100
/** Processor time of a process and its threads, in milliseconds. */
const cpuMs = (pid: number): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond
  } catch {
    return Number.NaN
  }
}

type Figures = { p50Ms: number; firstMs: number; perSecond: number; cpuMsPerCall: number; failed: number }

/** One after the other for times, then side by side for throughput. */
const roundOf = async (arm: Arm, stream: boolean): Promise<Figures> => {
  const calls: Call[] = []
  for (let at = 0; at < callsPerRound; at += 1) calls.push(await measure(arm, stream))
  let done = 0
  let lost = calls.filter(({ ok }) => !ok).length
  const cpuFrom = cpuMs(arm.pid)
  const startMs = performance.now()
  const endMs = startMs + secondsPerRound * 1_000
  const person = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const { ok } = await measure(arm, stream)
      if (ok) done += 1
      else lost += 1
    }
  }
  await Promise.all(Array.from({ length: width }, person))
  return {
    p50Ms: median(calls.map(({ totalMs }) => totalMs)),
    firstMs: median(calls.map(({ firstMs }) => firstMs)),
    perSecond: done / ((performance.now() - startMs) / 1_000),
    cpuMsPerCall: (cpuMs(arm.pid) - cpuFrom) / Math.max(1, done),
    failed: lost,
  }
}

const fixed = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '-')

const compare = async (arms: readonly Arm[], stream: boolean): Promise<Row[]> => {
  const seen = new Map<string, Figures[]>(arms.map(({ name }) => [name, []]))
  for (let round = -1; round < rounds; round += 1) {
    // The order turns, so that no arm always has the same neighbour; the first round only warms.
    const order = arms.map((_, at) => arms[(at + round + arms.length) % arms.length])
    for (const arm of order) {
      if (!arm) continue
      const figures = await roundOf(arm, stream)
      if (round >= 0) seen.get(arm.name)?.push(figures)
    }
    process.stderr.write(`${stream ? 'stream' : 'json'}: round ${round + 1} of ${rounds}\n`)
  }
  const of = (name: string): Figures[] => seen.get(name) ?? []
  const added = (name: string, what: 'p50Ms' | 'firstMs'): number[] =>
    of(name).map((figures, round) => figures[what] - (of('direct')[round]?.[what] ?? Number.NaN))
  const ratio = (mine: readonly number[], theirs: readonly number[]): string =>
    fixed(median(mine.map((value, round) => value / (theirs[round] ?? Number.NaN))), 2)
  const column = (name: string, what: keyof Figures): number[] => of(name).map((figures) => figures[what])
  const peer = seen.has('portkey')
  return arms.map(({ name }) => ({
    arm: `${stream ? 'stream' : 'json'}: ${name}`,
    'p50 ms': fixed(median(column(name, 'p50Ms')), 2),
    'added p50 ms': fixed(median(added(name, 'p50Ms')), 2),
    'of bare': name.startsWith('direct') ? '' : ratio(added(name, 'p50Ms'), added('bare', 'p50Ms')),
    'first ms': fixed(median(column(name, 'firstMs')), 2),
    'added first ms': fixed(median(added(name, 'firstMs')), 2),
    'calls/s': fixed(median(column(name, 'perSecond')), 0),
    'cpu ms/call': fixed(median(column(name, 'cpuMsPerCall')), 2),
    ...(peer
      ? {
          'added p50 of portkey': ratio(added(name, 'p50Ms'), added('portkey', 'p50Ms')),
          'added first of portkey': ratio(added(name, 'firstMs'), added('portkey', 'firstMs')),
          'calls/s of portkey': ratio(column(name, 'perSecond'), column('portkey', 'perSecond')),
        }
      : {}),
    failed: column(name, 'failed').reduce((sum, value) => sum + value, 0),
  }))
}

const run = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'footnote-bench-gateway-'))
  const upstream = await startOwn('direct', 'upstream')
  const started = [
    await startOwn('bare', 'bare', upstream.port),
    await startOwn('bare again', 'bare', upstream.port),
    await startOwn('footnote', 'gateway', upstream.port),
    await startNginx(upstream.port, folder).then((arm) => (typeof arm === 'string' ? `nginx: ${arm}` : arm)),
    await startPortkey(upstream.port, folder).then((arm) => (typeof arm === 'string' ? `portkey: ${arm}` : arm)),
  ]
  const missing = started.filter((arm) => typeof arm === 'string')
  // Direct twice: what they differ by is noise.
  const arms = [upstream, { ...upstream, name: 'direct again' }, ...started.filter((arm) => typeof arm !== 'string')]
  try {
    printMachine(['ai', '@ai-sdk/openai-compatible'])
    console.log(
      `${rounds} rounds, in each ${callsPerRound} calls one by one and ${secondsPerRound} s of ${width} side by side; ${tokensPerAnswer} tokens an answer`,
    )
    const rows = [...(await compare(arms, true)), ...(await compare(arms, false))]
    printRows([...rows, ...missing.map((words) => ({ arm: words }))])
  } finally {
    for (const { stop, name } of arms) if (name !== 'direct again') stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const at = process.argv.indexOf('--serve')
if (at > 0) await serve(process.argv[at + 1] ?? '', Number(process.argv[at + 2] ?? 0))
else {
  await run()
  process.exit(0)
}
