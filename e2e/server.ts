/** A server of the built product for the tests: a process of its own on a free port, with a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const readyMs = 120_000
const pollMs = 150

export type DocumentState = { id: string; name: string; stage: string; chunks: number | null }

export type TestServer = {
  readonly url: string
  readonly dataDir: string
  /** Everything the process printed. */
  output(): string
  /** The demo accounts' password. */
  password(): Promise<string>
  /** A request as the local command line makes it. */
  asLocal(path: string, init?: RequestInit): Promise<Response>
  documents(): Promise<DocumentState[]>
  /** Resolves when every document is ready or failed. */
  settled(): Promise<DocumentState[]>
  signal(name: NodeJS.Signals): void
  /** Closes the pipes that the process prints to. */
  deafen(): void
  /** The exit status once it has ended; null for a signal. */
  ended: Promise<number | null>
  /** Stops it and removes its data. */
  remove(): Promise<void>
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

/** What a data directory starts with: the demo, read and ready to be asked; or a migrated database in which nobody is. */
export type Prepared = 'demo' | 'bare'
const preparedSettings = { demo: 'E2E_PREPARED_DEMO', bare: 'E2E_PREPARED_BARE' } as const

/** A data directory of its own: a copy of what `prepareDataDir` made, which saves the work of a first start; empty when it made none. */
export const newDataDir = async (what: Prepared = 'bare'): Promise<string> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'footnote-e2e-'))
  const prepared = process.env[preparedSettings[what]]
  if (prepared) await cp(prepared, dataDir, { recursive: true })
  return dataDir
}

/** Starts a server from nothing, stops it in peace when all it starts with is ready, and keeps its data to be copied. */
export const prepareDataDir = async (what: Prepared): Promise<string> => {
  const server = await startServer({ env: { DEMO: what === 'demo' ? '1' : '0' } })
  if (what === 'demo') await server.settled()
  server.signal('SIGTERM')
  const status = await server.ended
  if (status !== 0) throw new Error(`A server that was stopped ended with ${status}:\n${server.output()}`)
  process.env[preparedSettings[what]] = server.dataDir
  return server.dataDir
}

/** Settings of the person who runs the tests must not reach the servers: a key would call a vendor. */
const noSettings = {
  DATABASE_URL: '',
  AUTH_SECRET: '',
  AUTH_URL: '',
  OPENAI_API_KEY: '',
  OPENAI_BASE_URL: '',
  OPENAI_MODEL: '',
  ANTHROPIC_API_KEY: '',
  GOOGLE_GENERATIVE_AI_API_KEY: '',
  DEMO: '',
  LOG_LEVEL: 'warn',
}

/** Starts a process of the server and does not wait for it. */
export const spawnServer = (env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, ['scripts/serve.ts'], {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, ...noSettings, ...env },
    // The channel ends the server when the tests are gone without a word.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })

const isOff = (value: string | undefined): boolean => value === '0' || value === 'false'

/** Starts a server and waits until it is ready. Without `dataDir` it has one of its own, with the demo in it unless that is off. */
export const startServer = async (
  settings: { dataDir?: string; env?: Record<string, string> } = {},
): Promise<TestServer> => {
  const dataDir = settings.dataDir ?? (await newDataDir(isOff(settings.env?.DEMO) ? 'bare' : 'demo'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawnServer({ ...settings.env, DATA_DIR: dataDir, PORT: String(port), HOST: '127.0.0.1' })
  let printed = ''
  let running = true
  /** True once a test has told it to end. */
  let told = false
  child.stdout?.on('data', (chunk) => {
    printed += chunk
  })
  child.stderr?.on('data', (chunk) => {
    printed += chunk
  })
  const ended = new Promise<number | null>((resolve) =>
    child.on('exit', (code) => {
      running = false
      if (!told) process.stderr.write(`A server ended by itself with ${code}:\n${printed}\n`)
      resolve(code)
    }),
  )
  const deadlineMs = performance.now() + readyMs
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/api/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isReady())) {
    if (!running || performance.now() > deadlineMs) throw new Error(`The server did not become ready:\n${printed}`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }

  const asLocal = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const token = (await readFile(join(dataDir, 'local-token'), 'utf8')).trim()
    const headers = { authorization: `Bearer ${token}`, 'x-footnote-user': 'admin@demo.local', ...init.headers }
    return fetch(`${url}${path}`, { ...init, headers })
  }
  const documents = async (): Promise<DocumentState[]> =>
    ((await (await asLocal('/api/documents')).json()) as { documents: DocumentState[] }).documents
  return {
    url,
    dataDir,
    output: () => printed,
    password: async () => (await readFile(join(dataDir, 'demo-password'), 'utf8')).trim(),
    asLocal,
    documents,
    settled: async () => {
      for (;;) {
        const rows = await documents()
        if (rows.every(({ stage }) => stage === 'ready' || stage === 'failed')) return rows
        await new Promise((resolve) => setTimeout(resolve, pollMs))
      }
    },
    signal: (name) => {
      told = true
      child.kill(name)
    },
    deafen: () => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
    ended,
    remove: async () => {
      told = true
      child.kill('SIGTERM')
      await ended
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
