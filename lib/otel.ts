/**
 * Traces for an OpenTelemetry collector, over OTLP/HTTP as JSON, with the semantic conventions for generative AI. Off unless
 * `OTEL_EXPORTER_OTLP_ENDPOINT` is set; nothing of the SDK is loaded before.
 *
 * Promises: a trace is handed over in no time and never awaited; memory has a bound, and what does not fit is dropped and counted;
 * no words of a question, an answer or a document leave this way. Numbers and switches leave; of texts only those whose name is
 * on a list and which look like a name.
 */
import type { Attributes, HrTime, SpanContext } from '@opentelemetry/api'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { env } from './env.ts'
import { log } from './log.ts'
import type { Span } from './shared/admin-contract.ts'

/** A turn that has ended. Times in milliseconds, money in micro-dollars. */
export type ExportedTrace = {
  traceId: string
  startedAt: Date
  endMs: number
  workspaceId: string
  userId: string
  chatId: string | null
  messageId: string | null
  status: string
  firstTokenMs: number | null
  tokensIn: number | null
  tokensOut: number | null
  costMicros: number | null
  spans: readonly Span[]
}

export type TraceSinkOptions = {
  /** The collector's base address; `/v1/traces` is added. */
  endpoint: string
  headers: Record<string, string>
  serviceName: string
  /** Spans held at most, those on their way included. */
  spansMax?: number
  /** How long spans are gathered before they are sent together. */
  delayMs?: number
  /** How long one delivery may take, with its retries. */
  deliveryMs?: number
  now?: () => number
  /** Hears how many spans were lost, at most once a minute and at the end. */
  onLost?: (spans: number) => void
}

export type TraceSink = {
  /** Loads the SDK now, so that no first trace does. Never throws. */
  open(): Promise<void>
  /** Takes a trace, or drops it where there is no room. Never throws. */
  offer(trace: ExportedTrace): void
  /** Sends what is held, for `waitMs` at most, and takes no more. Never throws. */
  close(waitMs?: number): Promise<void>
}

const spansMaxDefault = 4_096
const batchMax = 256
const delayMsDefault = 2_000
const deliveryMsDefault = 8_000
const closeMsDefault = 3_000
const tellEveryMs = 60_000
const attributesMax = 64
const wordsMax = 20

/** Texts that may leave: names that code or an admin has given, never what a person or a model wrote. */
const namedTexts = new Set([
  'cache',
  'collections',
  'finish',
  'fingerprint',
  'intent',
  'kind',
  'level',
  'outcome',
  'policyVersion',
  'promptHash',
  'promptName',
  'promptVersion',
  'provider',
  'requestedModel',
  'role',
  'route',
  'scoring',
  'servedModel',
  'model',
  'task',
  'tier',
])
const namedLists = new Set(['candidates', 'dropped', 'flags', 'keptInside', 'sent', 'signals'])
const namedCounts = new Set(['masked'])
/** A name: short, and without the spaces of a sentence beyond one or two. */
const nameShape = /^[\p{L}\p{N}_.:/@()+-]+(?: [\p{L}\p{N}_.:/@()+-]+){0,2}$/u
const nameCharsMax = 120

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= nameCharsMax && nameShape.test(value)

const snake = (key: string): string =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .toLowerCase()

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A step's attributes without words: closed by default, so that an attribute which is added later stays here. */
const ownAttributes = (attributes: Record<string, unknown>): Attributes => {
  const kept: Attributes = {}
  for (const [key, value] of Object.entries(attributes)) {
    if (Object.keys(kept).length >= attributesMax) break
    const name = `footnote.${snake(key)}`
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) kept[name] = value
    else if (namedTexts.has(key) && isName(value)) kept[name] = value
    else if (namedLists.has(key) && Array.isArray(value)) kept[name] = value.filter(isName).slice(0, wordsMax)
    else if (Array.isArray(value)) kept[`${name}.count`] = value.length
    else if (namedCounts.has(key) && isPlain(value))
      for (const [kind, count] of Object.entries(value).slice(0, wordsMax))
        if (typeof count === 'number') kept[`${name}.${snake(kind)}`] = count
  }
  return kept
}

const providerNames: Record<string, string> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'gcp.gemini',
  'built-in': 'footnote',
}

/** The convention's name of a vendor; for one that it does not know the name that the admin gave. */
const providerOf = ({ provider, providerKind, kind }: Record<string, unknown>): string | undefined => {
  if (kind === 'built-in') return 'footnote'
  const known = typeof providerKind === 'string' ? providerNames[providerKind] : undefined
  if (known) return known
  if (!isName(provider)) return undefined
  return providerNames[provider.toLowerCase().split(' ')[0] ?? ''] ?? provider
}

const operations: Record<string, string> = { embed: 'embeddings', retrieve: 'retrieval' }
/** Steps of these names are calls of a model when they name one; `answer` always is. */
const taskSteps = new Set([
  'answer',
  'call',
  'rewrite',
  'classify-intent',
  'title',
  'summarise',
  'describe',
  'extract',
  'judge',
  'plan',
  'rerank',
])

const operationOf = ({ name, attributes }: Span): string | undefined =>
  operations[name] ??
  (taskSteps.has(name) && (name === 'answer' || isName(attributes.model) || isName(attributes.requestedModel))
    ? 'chat'
    : undefined)

const amount = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined

const defined = (attributes: Record<string, Attributes[string] | undefined>): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))

/** The conventions know one word for each way to end; ours are the AI SDK's. */
const finishNames: Record<string, string> = { refused: 'content_filter' }

const modelAttributes = (operation: string, attributes: Record<string, unknown>): Attributes => {
  const { model, requestedModel, servedModel, finish, fingerprint } = attributes
  const requested = isName(requestedModel) ? requestedModel : isName(model) ? model : undefined
  const served = isName(servedModel) ? servedModel : isName(model) ? model : undefined
  return defined({
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': providerOf(attributes) ?? (operation === 'chat' ? undefined : 'footnote'),
    'gen_ai.request.model': requested,
    'gen_ai.response.model': operation === 'chat' ? served : undefined,
    'gen_ai.response.finish_reasons': isName(finish) ? [finishNames[finish] ?? finish] : undefined,
    'gen_ai.usage.input_tokens': amount(attributes.tokensIn),
    'gen_ai.usage.output_tokens': amount(attributes.tokensOut),
    'gen_ai.usage.cache_read.input_tokens': amount(attributes.tokensCached),
    'gen_ai.usage.reasoning.output_tokens': amount(attributes.tokensReasoning),
    'openai.response.system_fingerprint': isName(fingerprint) ? fingerprint : undefined,
  })
}

/** Classes of errors are few: what is no single word is told as other, since its message may quote what was sent. */
const errorType = (attributes: Record<string, unknown>): string => {
  const found = [attributes.code, attributes.outcome, attributes.error].find(
    (value): value is string => typeof value === 'string' && /^[\w.-]{1,60}$/.test(value),
  )
  return found ?? '_OTHER'
}

// The numbers of the API's enums, which cannot be had without loading it.
const kinds = { internal: 0, client: 2 } as const
const codes = { unset: 0, error: 2 } as const
const sampled = 1

const hrTime = (epochMs: number): HrTime => {
  const seconds = Math.floor(epochMs / 1_000)
  // A double holds a time of today to about a quarter of a microsecond.
  return [seconds, Math.min(999_999_999, Math.max(0, Math.round((epochMs - seconds * 1_000) * 1_000_000)))]
}

/** OTLP wants 32 and 16 hex digits. The end of a UUID of version 7 is its random part. */
const hex = (id: string): string => id.replaceAll('-', '').toLowerCase()
const spanIdOf = (id: string): string => hex(id).slice(-16)

type Told = { name: string; kind: number; failed: string | null; attributes: Attributes }

const toldOf = (span: Span): Told => {
  const operation = operationOf(span)
  const ended = span.status === 'failed' || span.status === 'refused'
  const failed = ended ? (span.status === 'refused' ? 'refused' : errorType(span.attributes)) : null
  const given = operation ? modelAttributes(operation, span.attributes) : {}
  const model = given['gen_ai.request.model']
  const name = isName(span.name) ? span.name : 'step'
  return {
    name: operation ? [operation, ...(typeof model === 'string' ? [model] : [])].join(' ') : name,
    // What our own process does is no call of a service.
    kind: operation && given['gen_ai.provider.name'] !== 'footnote' ? kinds.client : kinds.internal,
    failed,
    attributes: {
      ...ownAttributes(span.attributes),
      ...given,
      'footnote.step': name,
      'footnote.status': span.status,
      ...(span.costMicros === null ? {} : { 'footnote.cost_micros': span.costMicros }),
      ...(failed === null ? {} : { 'error.type': failed }),
    },
  }
}

const turnOf = (trace: ExportedTrace): Told => {
  const failed = trace.status === 'failed' || trace.status === 'interrupted' ? trace.status : null
  return {
    name: 'footnote.turn',
    kind: kinds.internal,
    failed,
    attributes: defined({
      'gen_ai.conversation.id': trace.chatId ?? undefined,
      'footnote.workspace_id': trace.workspaceId,
      'footnote.user_id': trace.userId,
      'footnote.message_id': trace.messageId ?? undefined,
      'footnote.trace_id': trace.traceId,
      'footnote.status': isName(trace.status) ? trace.status : undefined,
      'footnote.first_token_ms': amount(trace.firstTokenMs),
      // Not the convention's names: a backend that adds those up would count the calls under this span twice.
      'footnote.tokens_in': amount(trace.tokensIn),
      'footnote.tokens_out': amount(trace.tokensOut),
      'footnote.cost_micros': amount(trace.costMicros),
      'error.type': failed ?? undefined,
    }),
  }
}

type Frame = Pick<ReadableSpan, 'resource' | 'instrumentationScope'>

/** A trace as the SDK's spans: the turn, and under it every step with its true time and parent. */
const toReadableSpans = (trace: ExportedTrace, frame: Frame): ReadableSpan[] => {
  const traceId = hex(trace.traceId)
  const context = (spanId: string): SpanContext => ({ traceId, spanId, traceFlags: sampled })
  const turnId = spanIdOf(trace.traceId)
  const known = new Set(trace.spans.map(({ id }) => id))
  const startMs = trace.startedAt.getTime()
  const make = (told: Told, id: string, parentId: string | null, fromMs: number, durationMs: number): ReadableSpan => ({
    ...frame,
    name: told.name,
    kind: told.kind,
    spanContext: () => context(id),
    ...(parentId === null ? {} : { parentSpanContext: context(parentId) }),
    startTime: hrTime(startMs + fromMs),
    endTime: hrTime(startMs + fromMs + Math.max(0, durationMs)),
    duration: hrTime(Math.max(0, durationMs)),
    status: { code: told.failed === null ? codes.unset : codes.error },
    attributes: told.attributes,
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  })
  return [
    make(turnOf(trace), turnId, null, 0, trace.endMs),
    ...trace.spans.map((span) =>
      make(
        toldOf(span),
        spanIdOf(span.id),
        span.parentId !== null && known.has(span.parentId) ? spanIdOf(span.parentId) : turnId,
        span.startMs,
        span.durationMs,
      ),
    ),
  ]
}

type Loaded = { take: (trace: ExportedTrace) => void; shutdown: () => Promise<void> }

const load = async (
  {
    endpoint,
    headers,
    serviceName,
    delayMs,
    deliveryMs,
    spansMax,
  }: Required<Pick<TraceSinkOptions, 'endpoint' | 'headers' | 'serviceName' | 'delayMs' | 'deliveryMs' | 'spansMax'>>,
  settled: (spans: number, arrived: boolean) => void,
): Promise<Loaded> => {
  const [{ BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const http = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers,
    timeoutMillis: deliveryMs,
    // At the end all batches leave at once; before, one after the other.
    concurrencyLimit: Math.ceil(spansMax / batchMax) + 1,
  })
  const exporter: SpanExporter = {
    export: (spans, done) =>
      http.export(spans, (result) => {
        settled(spans.length, result.code === 0)
        done(result)
      }),
    shutdown: () => http.shutdown(),
  }
  const processor = new BatchSpanProcessor({
    exporter,
    // The bound is kept outside, where what is on its way counts too; this one is never reached.
    maxQueueSize: spansMax,
    maxExportBatchSize: Math.min(batchMax, spansMax),
    scheduledDelayMillis: delayMs,
    // Longer than a delivery: the exporter gives up first, so that no batch is held after it was given up.
    exportTimeoutMillis: deliveryMs + 1_000,
  })
  const frame: Frame = {
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    instrumentationScope: { name: 'footnote' },
  }
  return {
    take: (trace) => {
      for (const span of toReadableSpans(trace, frame)) processor.onEnd(span)
    },
    shutdown: () => processor.shutdown(),
  }
}

/** Delivers traces to one collector. Loads the SDK when it is opened, or with the first trace. */
export const createTraceSink = ({
  endpoint,
  headers,
  serviceName,
  spansMax = spansMaxDefault,
  delayMs = delayMsDefault,
  deliveryMs = deliveryMsDefault,
  now = () => performance.now(),
  onLost = (spans) => log.warn({ spans }, 'spans did not reach the OpenTelemetry collector'),
}: TraceSinkOptions): TraceSink => {
  let held = 0
  let lost = 0
  let toldMs: number | undefined
  let closed = false
  let ended = false
  let explained = false
  let loading: Promise<Loaded> | undefined

  const tell = (): void => {
    if (lost === 0) return
    onLost(lost)
    lost = 0
    toldMs = now()
  }
  const lose = (spans: number): void => {
    lost += spans
    if (toldMs === undefined || now() - toldMs >= tellEveryMs) tell()
  }
  const settled = (spans: number, arrived: boolean): void => {
    // What comes after the end was counted as lost at the end.
    if (ended) return
    held -= spans
    if (!arrived) lose(spans)
  }

  const loadOnce = (): Promise<Loaded> => {
    loading ??= load({ endpoint, headers, serviceName, delayMs, deliveryMs, spansMax }, settled)
    return loading
  }
  const explain = (error: unknown): void => {
    if (!explained) log.warn({ err: error }, 'traces cannot be exported')
    explained = true
  }

  return {
    open: () => loadOnce().then(() => undefined, explain),
    offer: (trace) => {
      const size = trace.spans.length + 1
      // Open by design: a trace is a record of an answer, and the answer is what matters.
      if (closed || held + size > spansMax) return lose(size)
      held += size
      loadOnce()
        .then(({ take }) => take(trace))
        .catch((error: unknown) => {
          explain(error)
          settled(size, false)
        })
    },
    close: async (waitMs = closeMsDefault) => {
      closed = true
      if (loading) {
        let timer: NodeJS.Timeout | undefined
        const late = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, waitMs)
        })
        // What was lost is counted where it is delivered.
        const sent = loading.then(({ shutdown }) => shutdown()).catch(() => undefined)
        await Promise.race([sent, late])
        clearTimeout(timer)
      }
      ended = true
      lost += held
      held = 0
      tell()
    },
  }
}

// Next.js bundles its own copy of this module into the process: the sink is one a process all the same.
type Held = { footnoteTraceSink?: TraceSink | null }
const global = globalThis as typeof globalThis & Held

const sinkOfProcess = (): TraceSink | null => {
  const { endpoint, ...rest } = env().otel
  if (global.footnoteTraceSink === undefined)
    global.footnoteTraceSink = endpoint === undefined ? null : createTraceSink({ endpoint, ...rest })
  return global.footnoteTraceSink
}

/** Makes ready what sends traces, where a collector is set: loading it takes the process some 80 ms, better at the start. Never throws. */
export const openOtel = async (): Promise<void> => sinkOfProcess()?.open()

/** Hands a trace to the collector of the settings; does nothing where none is set. Returns at once and never throws. */
export const exportTrace = (trace: ExportedTrace): void => sinkOfProcess()?.offer(trace)

/** Sends what is still held, for a few seconds at most. Call it once, when nothing makes traces any more. Never throws. */
export const closeOtel = async (): Promise<void> => {
  await global.footnoteTraceSink?.close()
}
