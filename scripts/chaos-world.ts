/**
 * A world for one fault: the built product with a data directory of its own, between two providers that misbehave on command.
 * Questions go in through `POST /api/chat`; what came of them is read from the stream, from the providers' logs, from the server's
 * log and, once the server has ended, from its database.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, rows, sql } from '#db/client.ts'
import { openEmbeddedDatabase } from '#db/open.ts'
import { listWorkspaces } from '#db/queries/people.ts'
import { gatewaySettings, messages, modelCalls, modelProviders, models, traces } from '#db/schema/index.ts'
import { type MockProvider, type RecordedRequest, type Script, startMockProvider } from '#e2e/mock-provider.ts'
import { startServer, type TestServer } from '#e2e/server.ts'
import type { Citation, MessageMetadata } from '#lib/shared/chat-contract.ts'
import { defaultGatewaySettings, type GatewaySettingsInput } from '#lib/shared/gateway-settings.ts'
import { newId } from '#lib/shared/ids.ts'
import { demoEmail, type Role, roles } from '#lib/shared/viewer.ts'

/** A question that the demo's documents answer. */
const warmUpQuestion = 'How many days of leave do I get in my first calendar year?'
/** Longer than any answer may take. */
const askTimeoutMs = 180_000
/** Ours, and known to nobody else: the name under which the first provider is not on this machine. */
const hostedName = 'models.footnote-chaos.test'

/** A provider of ours that can also be switched off, and on again at the same address. */
export type Vendor = {
  readonly name: string
  readonly port: number
  script(next: Script | Script[]): void
  /** Every call since the world began, across switching off and on. */
  requests(): RecordedRequest[]
  off(): Promise<void>
  on(): Promise<void>
}

const startVendor = async (name: string): Promise<Vendor> => {
  const kept: RecordedRequest[] = []
  let mock: MockProvider | null = await startMockProvider()
  const { port } = mock
  return {
    name,
    port,
    script: (next) => mock?.script(next),
    requests: () => [...kept, ...(mock?.requests ?? [])],
    off: async () => {
      const closing = mock
      mock = null
      if (!closing) return
      await closing.close()
      kept.push(...closing.requests)
    },
    on: async () => {
      mock ??= await startMockProvider(port)
    },
  }
}

const baseUrl = (host: string, port: number): string => `http://${host}:${port}/v1`

export type WorldOptions = {
  /** What differs from the rules of every world (no caches, no limits of tokens, no local-first). */
  settings?: GatewaySettingsInput
  env?: Record<string, string>
  /** Addresses of providers that are tried before the two, for each of which the product gets `first`'s port. */
  before?: (port: number) => string[]
  /** The only provider is the first, and it is on somebody else's machine: its calls cost money. */
  hosted?: boolean
}

type Configured = { workspaceId: string; first: Vendor; second: Vendor; options: WorldOptions }

/**
 * How the product learns of its providers: the first by the environment (`serverSettings`), the second and whatever comes before
 * both by the tables that the Models page writes. The one place to change when that changes.
 */
const configureProviders = async (
  { db }: Database,
  { workspaceId, first, second, options }: Configured,
): Promise<void> => {
  const caches = { exact: false, semantic: false }
  const settings: GatewaySettingsInput = {
    cache: caches,
    routing: { ...defaultGatewaySettings.routing, localFirst: false },
    tokenLimits: { userMinute: null, workspaceMinute: null },
    // A canary would eat what was scripted for a fault.
    canary: { everyHours: 0 },
    ...options.settings,
  }
  await db.insert(gatewaySettings).values({ workspaceId, settings })
  const addresses = [
    ...(options.before?.(first.port) ?? []).map((url, at) => ({ name: `broken ${at + 1}`, url })),
    ...(options.hosted ? [] : [{ name: second.name, url: baseUrl('127.0.0.1', second.port) }]),
  ]
  for (const [position, { name, url }] of addresses.entries()) {
    const providerId = newId()
    await db
      .insert(modelProviders)
      .values({ id: providerId, workspaceId, name, kind: 'compatible', baseUrl: url, local: true })
    await db
      .insert(models)
      .values({ id: newId(), workspaceId, providerId, modelId: 'mock-2', tier: 'standard', position })
  }
}

/** Makes the name of the hosted provider lead here, in a process that knows it only as a name of the network. */
const hostedLookup = `import dns from 'node:dns'
const real = dns.lookup
dns.lookup = (host, ...rest) => real(host === '${hostedName}' ? '127.0.0.1' : host, ...rest)`

const serverSettings = (first: Vendor, { env = {}, hosted }: WorldOptions): Record<string, string> => ({
  DEMO: '1',
  LOG_LEVEL: 'info',
  OPENAI_BASE_URL: baseUrl(hosted ? hostedName : '127.0.0.1', first.port),
  OPENAI_API_KEY: 'sk-chaos',
  OPENAI_MODEL: 'mock-1',
  ...(hosted ? { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hostedLookup)}` } : {}),
  ...env,
})

/** What came of one question, as a reader saw it. */
export type Told = {
  /** Where its question stands; for its row in the database. */
  chatId: string
  messageId: string
  httpStatus: number
  status: string
  text: string
  citations: Citation[]
  metadata: MessageMetadata
  /** Events that end the answer; there must be one. */
  finishes: number
  /** The stream ended as streams end, not in the middle. */
  closed: boolean
  /** Times that the answer was taken back and begun anew. */
  restarts: number
  totalMs: number
  firstTextMs: number | null
  error: { code: string; message: string; retryAfterSeconds?: number } | null
}

type Chunk = {
  type: string
  delta?: string
  data?: Citation
  messageMetadata?: MessageMetadata
  errorText?: string
}

const readStream = async (response: Response, startMs: number) => {
  let rest = ''
  let text = ''
  let restarts = 0
  let finishes = 0
  let closed = false
  let firstTextMs: number | null = null
  let metadata: MessageMetadata = {}
  let citations: Citation[] = []
  const decoder = new TextDecoder()
  const take = (event: string): void => {
    const data = /^data: (.*)$/m.exec(event)?.[1]
    if (!data) return
    if (data === '[DONE]') {
      closed = true
      return
    }
    const chunk = JSON.parse(data) as Chunk
    if (chunk.messageMetadata) metadata = { ...metadata, ...chunk.messageMetadata }
    if (chunk.type === 'finish') finishes += 1
    if (chunk.type === 'data-citation' && chunk.data) citations.push(chunk.data)
    if (chunk.type === 'reset-step') {
      restarts += 1
      text = ''
      citations = []
    }
    if (chunk.type === 'text-delta') {
      firstTextMs ??= performance.now() - startMs
      text += chunk.delta ?? ''
    }
  }
  try {
    for await (const bytes of response.body ?? []) {
      rest += decoder.decode(bytes, { stream: true })
      const events = rest.split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) take(event)
    }
  } catch {
    // A stream that was cut: `closed` says so.
  }
  return { text, restarts, finishes, closed, firstTextMs, metadata, citations }
}

export type Asked = {
  chatId?: string
  /** Whose question it is; by default the demo's people take turns. */
  role?: Role
}

/** The running product, for what goes past the chat: files, searches, health. */
export type Product = Pick<TestServer, 'url' | 'dataDir' | 'asLocal' | 'settled'>

export type World = {
  readonly product: Product
  /** The provider that is asked first, and the one after it; which is which was found out by asking. */
  readonly first: Vendor
  readonly second: Vendor
  ask(text: string, asked?: Asked): Promise<Told>
  /** As many questions as `texts`, `width` at a time. */
  askAll(texts: readonly string[], width: number): Promise<Told[]>
  /** How long a question takes from being sent to its arrival at a provider, in milliseconds. */
  arrival(text: string, vendor: Vendor): Promise<number>
  /** Calls of text and JSON that a provider got since `mark`. */
  since(vendor: Vendor, mark: number): RecordedRequest[]
  mark(vendor: Vendor): number
  readonly told: readonly Told[]
}

export type Ledger = (typeof modelCalls.$inferSelect)[]
type StoredMessage = typeof messages.$inferSelect
export type Breaker = { key: string; state: string; reason: string | null }

/** Everything that is left of a world after its end. */
export type Remains = {
  told: readonly Told[]
  messages: StoredMessage[]
  traces: Pick<typeof traces.$inferSelect, 'spans'>[]
  ledger: Ledger
  breakers: Breaker[]
  requests: RecordedRequest[]
  log: string
  exitCode: number | null
  readyAtEnd: boolean
}

export type OpenWorld = { world: World; end(): Promise<Remains> }

const isCall = ({ path }: RecordedRequest): boolean => !path.endsWith('/embeddings')

const makeWorld = (server: TestServer, first: Vendor, second: Vendor) => {
  const told: Told[] = []
  let asked = 0

  const post = async (body: unknown, role: Role): Promise<Response> =>
    server.asLocal('/api/chat', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-footnote-user': demoEmail(role),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(askTimeoutMs),
    })

  const ask = async (text: string, { chatId = newId(), role }: Asked = {}): Promise<Told> => {
    const messageId = newId()
    const who = role ?? roles[asked % roles.length] ?? 'member'
    asked += 1
    for (;;) {
      const startMs = performance.now()
      const response = await post({ chatId, messageId, text }, who)
      const refused = response.ok
        ? null
        : (((await response.json().catch(() => null)) as { error?: Told['error'] } | null)?.error ?? null)
      // The door's own limit on questions is no fault: wait, as a person would.
      if (refused?.code === 'rate-limited') {
        await new Promise((resolve) => setTimeout(resolve, (refused.retryAfterSeconds ?? 5) * 1_000))
        continue
      }
      const read = await readStream(response, startMs)
      const one: Told = {
        ...read,
        chatId,
        messageId,
        httpStatus: response.status,
        status: response.ok ? (read.metadata.status ?? 'streaming') : 'refused',
        totalMs: performance.now() - startMs,
        error: refused ?? read.metadata.error ?? null,
      }
      told.push(one)
      return one
    }
  }
  const askAll = async (texts: readonly string[], width: number): Promise<Told[]> => {
    const results: Told[] = []
    const left = texts.entries()
    // The iterator is shared: each question is taken once.
    const worker = async (): Promise<void> => {
      for (const [at, text] of left) results[at] = await ask(text)
    }
    await Promise.all(Array.from({ length: width }, worker))
    return results
  }
  const since = (vendor: Vendor, mark: number): RecordedRequest[] => vendor.requests().filter(isCall).slice(mark)
  const mark = (vendor: Vendor): number => vendor.requests().filter(isCall).length
  const world = (order: { first: Vendor; second: Vendor }): World => ({
    ...order,
    product: server,
    ask,
    askAll,
    since,
    mark,
    told,
    arrival: async (text, vendor) => {
      const from = mark(vendor)
      const sentMs = Date.now()
      await ask(text)
      const [request] = since(vendor, from)
      return request ? request.atMs - sentMs : Number.POSITIVE_INFINITY
    },
  })
  return { ask, mark, world, told, vendors: { first, second } }
}

/** The breakers as they stood, by whatever name the product gives them. */
const readBreakers = ({ db }: Database): Promise<Breaker[]> =>
  rows<Breaker>(db, sql`select key, state, reason from breakers order by key`)

/** A data directory with the demo in it, made once and copied for every world. */
export const makeSeed = async (): Promise<{ dataDir: string; remove(): Promise<void> }> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'footnote-chaos-'))
  const server = await startServer({ dataDir, env: { DEMO: '1' } })
  await server.settled()
  server.signal('SIGTERM')
  await server.ended
  return { dataDir, remove: () => rm(dataDir, { recursive: true, force: true }) }
}

const withDatabase = async <T>(dataDir: string, work: (database: Database) => Promise<T>): Promise<T> => {
  const database = await openEmbeddedDatabase(dataDir)
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/** Starts a world from a copy of the seed and asks one question, which shows who is asked first and warms everything. */
export const openWorld = async (seedDir: string, options: WorldOptions = {}): Promise<OpenWorld> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'footnote-chaos-'))
  const named = await startVendor('named by the environment')
  const stored = await startVendor('set by an admin')
  const clear = async (): Promise<void> => {
    await Promise.all([named.off(), stored.off()])
    await rm(dataDir, { recursive: true, force: true })
  }
  let server: TestServer | undefined
  try {
    await cp(seedDir, dataDir, { recursive: true })
    await withDatabase(dataDir, async (database) => {
      const [workspace] = await listWorkspaces(database.db)
      if (!workspace) throw new Error('the demo has no workspace')
      await configureProviders(database, { workspaceId: workspace.id, first: named, second: stored, options })
    })
    server = await startServer({ dataDir, env: serverSettings(named, options) })
    const running = server
    const { ask, mark, world, told } = makeWorld(server, named, stored)
    await ask(warmUpQuestion)
    const order = mark(stored) > 0 ? { first: stored, second: named } : { first: named, second: stored }

    const end = async (): Promise<Remains> => {
      const readyAtEnd = await fetch(`${running.url}/api/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      )
      running.signal('SIGTERM')
      const exitCode = await running.ended
      const requests = [...named.requests(), ...stored.requests()].filter(isCall)
      const remains = await withDatabase(dataDir, async (database) => ({
        messages: await database.db.select().from(messages),
        traces: await database.db.select({ spans: traces.spans }).from(traces),
        ledger: await database.db.select().from(modelCalls),
        breakers: await readBreakers(database),
      }))
      await clear()
      return { told, ...remains, requests, log: running.output(), exitCode, readyAtEnd }
    }
    return { world: world(order), end }
  } catch (error) {
    server?.signal('SIGKILL')
    await server?.ended
    await clear()
    throw error
  }
}
