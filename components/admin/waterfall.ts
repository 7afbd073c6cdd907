/** A trace's steps as rows on one time axis, and their attributes as words. Pure. */
import type { Span, Trace, TraceCall } from '#lib/shared/admin-contract.ts'
import { formatCost, formatCount, formatDuration } from '#lib/shared/format.ts'
import { outcomeWords } from './outcome-words.ts'

export type Step = { span: Span; depth: number }

/** Steps from top to bottom as they began, children under their parents; a step whose parent is not there stands by itself. */
export const arrangeSpans = (spans: readonly Span[]): Step[] => {
  const known = new Set(spans.map(({ id }) => id))
  const children = new Map<string | null, Span[]>()
  for (const span of spans) {
    const parent = span.parentId !== null && known.has(span.parentId) ? span.parentId : null
    children.set(parent, [...(children.get(parent) ?? []), span])
  }
  const under = (parent: string | null, depth: number): Step[] =>
    (children.get(parent) ?? [])
      .toSorted((a, b) => a.startMs - b.startMs)
      .flatMap((span) => [{ span, depth }, ...under(span.id, depth + 1)])
  return under(null, 0)
}

/** The axis: its length in milliseconds and about four round marks, the first at 0. */
export const timeAxis = (trace: Pick<Trace, 'totalMs' | 'spans'>): { lengthMs: number; marksMs: number[] } => {
  const lengthMs = Math.max(
    1,
    trace.totalMs ?? 0,
    ...trace.spans.map(({ startMs, durationMs }) => startMs + durationMs),
  )
  const rough = lengthMs / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough
  const marksMs: number[] = []
  for (let mark = 0; mark < lengthMs * 0.96; mark += step) marksMs.push(mark)
  return { lengthMs, marksMs }
}

/** A mark of the axis: all in seconds as soon as the axis is longer than one. */
export const formatMark = (ms: number, lengthMs: number): string => {
  if (ms === 0) return '0'
  return lengthMs < 1_000 ? formatDuration(ms) : `${Number((ms / 1_000).toFixed(2))} s`
}

/** The step to open first: the first that failed, else the call of the model, else the first. */
export const firstStep = (steps: readonly Step[]): Span | undefined =>
  (steps.find(({ span }) => span.status === 'failed') ?? steps.find(({ span }) => span.name === 'answer') ?? steps[0])
    ?.span

/** A model that refuses and a person who stops are ends, not failures. */
export const isFailedCall = ({ outcome }: Pick<TraceCall, 'outcome'>): boolean =>
  !['ok', 'refused', 'stopped'].includes(outcome)

const cacheWords: Record<string, string> = { exact: 'the same question', semantic: 'a question that is like it' }

/** Where an answer that no model was called for came from. */
export const cachedWords = (cache: string): string => `given before, to ${cacheWords[cache] ?? cache}`

/** A line of the ledger in a line of words. */
export const callLine = (call: TraceCall): string => {
  if (call.cache !== null) return cachedWords(call.cache)
  const asked = [call.provider, call.requestedModel].filter(Boolean).join(' · ') || 'a model'
  if (isFailedCall(call)) return `${asked}: ${outcomeWords(call.outcome).toLowerCase()}`
  const served = call.servedModel && call.servedModel !== call.requestedModel ? ` → ${call.servedModel}` : ''
  return [
    `${asked}${served}`,
    ...(call.tokensIn === null ? [] : [`${formatCount(call.tokensIn)} in, ${formatCount(call.tokensOut ?? 0)} out`]),
    ...(call.attempts > 1 ? [`${formatCount(call.attempts)} tries`] : []),
    ...(call.outcome === 'ok' ? [] : [outcomeWords(call.outcome).toLowerCase()]),
  ].join(' · ')
}

/** Which step each call belongs to: the last one of its task, or the cache that answered. `others` belong to none that is here. */
export const callsBySteps = (
  spans: readonly Span[],
  calls: readonly TraceCall[],
): { ofStep: ReadonlyMap<string, TraceCall[]>; others: TraceCall[] } => {
  // A rewrite is opened by who wants it and, inside, by who does it: the later one is the call.
  const last = new Map(spans.toSorted((a, b) => a.startMs - b.startMs).map(({ name, id }) => [name, id]))
  const ofStep = new Map<string, TraceCall[]>()
  const others: TraceCall[] = []
  for (const call of calls) {
    const step = (call.cache === null ? undefined : last.get('cache')) ?? last.get(call.task)
    if (step === undefined) others.push(call)
    else ofStep.set(step, [...(ofStep.get(step) ?? []), call])
  }
  return { ofStep, others }
}

/** Why a call went where it went, as its route's step says; null where no step tells. */
export const routeReason = (spans: readonly Span[], { task }: Pick<TraceCall, 'task'>): string | null => {
  const routes = spans.filter(({ name }) => name === 'route').toSorted((a, b) => a.startMs - b.startMs)
  const named = routes.filter(({ attributes }) => attributes.task === task)
  // Steps of before the task was noted: the answer is what is routed last.
  const reason = (named.at(-1) ?? (task === 'answer' ? routes.at(-1) : undefined))?.attributes.reason
  return typeof reason === 'string' ? reason : null
}

const meanings: Record<string, string> = {
  admit: 'Who asks, where may be searched, and whether the question is one that can be taken.',
  rewrite: 'The question only makes sense with the ones before it, so it was put into words that can be searched for.',
  retrieve: 'Looks for passages by their words and by their meaning, and joins both lists.',
  embed: 'Turns the question into a vector, to compare it with the vectors of the passages.',
  'embed-query': 'Turns the question into a vector, to compare it with the vectors of the passages.',
  lexical: 'Passages that share words with the question, best first (BM25).',
  vector: 'Passages whose meaning is near the question, nearest first.',
  fuse: 'Joins both lists by their normalised scores.',
  pack: 'Chooses the best passages that fit into what the model may be sent.',
  intent: 'What kind of message it is: small talk and questions about the product need no documents.',
  cache: 'Whether the same was asked before, and that answer still stands.',
  guard: 'What of the question and the passages may be sent, and what is masked.',
  route: 'How hard it is, and which models are asked in which order.',
  filter: 'Takes out of the answer what must not be shown: images, foreign links, the marks of the prompt.',
  answer: 'The call of the model that wrote the answer.',
  check: 'Compares every claim of the answer with the passage it cites.',
  save: 'Stores the answer with its citations.',
}
export const spanMeaning = (span: Span): string | null => meanings[span.name] ?? null

const words: Record<string, string> = {
  n: 'No.',
  k: 'Wanted',
  id: 'Id',
  url: 'Address',
  tokensMax: 'Tokens at most',
  firstTokenMs: 'First token after',
  error: 'What happened',
  searched: 'Searched for',
  lexicalRank: 'Rank by words',
  lexicalScore: 'Score by words',
  vectorRank: 'Rank by meaning',
  vectorScore: 'Score by meaning',
  cosine: 'Nearest in meaning',
  coverage: 'Words of the question found',
  weight: 'Weight of meaning',
  found: 'Found',
  top: 'First of them',
  prompt: 'What was sent',
  rawOutput: 'What came back, before the filters',
  parameters: 'Parameters of the call',
  chunkId: 'Passage',
  versionId: 'Version',
  contentHash: 'Content',
}

/** What is read first; the database gives the keys of an object back in an order of its own. */
const readingOrder = [
  'n',
  'rank',
  'title',
  'page',
  'lexicalRank',
  'lexicalScore',
  'vectorRank',
  'vectorScore',
  'score',
  'found',
  'model',
  'provider',
  'kind',
  'tokensIn',
  'tokensOut',
  'firstTokenMs',
  'total',
  'supported',
]
const byReadingOrder = (a: string, b: string): number => {
  const [one, other] = [readingOrder.indexOf(a), readingOrder.indexOf(b)]
  if (one < 0 || other < 0) return other - one || a.localeCompare(b)
  return one - other
}

/** `lexicalRank` as "Lexical rank"; units at the end go into the value. */
export const attributeName = (key: string): string => {
  const known = words[key]
  if (known) return known
  const text = key
    .replace(/(Ms|Micros)$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_.-]+/g, ' ')
    .toLowerCase()
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const formatNumber = (key: string, value: number): string => {
  if (key.endsWith('Ms')) return formatDuration(value)
  if (key.endsWith('Micros')) return formatCost(value)
  return Number.isInteger(value) ? formatCount(value) : value.toFixed(Math.abs(value) < 10 ? 3 : 1)
}

/** One value in words; what is not there is a dash. */
export const formatAttribute = (key: string, value: unknown): string => {
  if (value === null || value === undefined || value === '') return '—'
  if (typeof value === 'number') return formatNumber(key, value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  // The first of a hash tells two contents apart.
  if (typeof value === 'string' && key.endsWith('Hash') && /^[0-9a-f]{32,}$/.test(value)) return value.slice(0, 12)
  if (Array.isArray(value)) return value.length > 0 ? value.map((one) => formatAttribute(key, one)).join(', ') : 'none'
  if (isPlain(value))
    return Object.entries(value)
      .map(([name, inner]) => `${attributeName(name).toLowerCase()} ${formatAttribute(name, inner)}`)
      .join(', ')
  return String(value)
}

/** `fractions`: some number of the column has a fraction, so all are shown with the same decimals. */
type AttributeColumn = { key: string; name: string; numeric: boolean; fractions: boolean }

export type AttributeView = {
  facts: { name: string; value: string }[]
  tables: {
    name: string
    columns: AttributeColumn[]
    rows: Record<string, unknown>[]
  }[]
  texts: { name: string; text: string }[]
  /** What it takes to do the call once more; long, so each is opened on demand. */
  replay: { name: string; text: string }[]
}

/** In the order in which a replay needs them. */
const replayKeys = ['parameters', 'prompt', 'rawOutput']

/** A prompt as a conversation reads; everything else as it is, or as JSON. */
const replayText = (value: unknown): string => {
  if (typeof value === 'string') return value
  const turns = Array.isArray(value) ? value.filter(isPlain) : []
  return turns.length > 0 && turns.every(({ role, content }) => typeof role === 'string' && typeof content === 'string')
    ? turns.map(({ role, content }) => `${String(role)}:\n${String(content)}`).join('\n\n')
    : JSON.stringify(value, null, 2)
}

const lineCharsMax = 160

/** A row whose inner objects are columns of their own: `vector: {rank}` as `vectorRank`. */
const flatRow = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row).flatMap(([key, value]) =>
      isPlain(value)
        ? Object.entries(value).map(([inner, one]) => [key + inner.charAt(0).toUpperCase() + inner.slice(1), one])
        : [[key, value]],
    ),
  )

const viewTable = (name: string, given: Record<string, unknown>[]): AttributeView['tables'][number] => {
  const rows = given.map(flatRow)
  // An inner object that is null in some rows leaves its own name behind there.
  const inner = new Set(given.flatMap((row) => Object.keys(row).filter((key) => isPlain(row[key]))))
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => !inner.has(key))
  const columns = keys.toSorted(byReadingOrder).map((key): AttributeColumn => {
    const numbers = rows.map((row) => row[key]).filter((value) => typeof value === 'number')
    return {
      key,
      name: attributeName(key),
      numeric: numbers.length > 0,
      fractions: numbers.some((value) => !Number.isInteger(value)),
    }
  })
  return { name, columns, rows }
}

/** A cell of such a table in words. */
export const formatCell = ({ key, fractions }: AttributeColumn, value: unknown): string =>
  fractions && typeof value === 'number' && !/(Ms|Micros)$/.test(key) ? value.toFixed(3) : formatAttribute(key, value)

/** Sorts a step's attributes by how they are best read: single values, tables of things, long texts, what a replay needs. */
export const viewAttributes = (attributes: Record<string, unknown>): AttributeView => {
  const view: AttributeView = { facts: [], tables: [], texts: [], replay: [] }
  for (const key of replayKeys) {
    const value = attributes[key]
    if (value !== undefined && value !== null && value !== '')
      view.replay.push({ name: attributeName(key), text: replayText(value) })
  }
  for (const key of Object.keys(attributes).toSorted(byReadingOrder)) {
    const value = attributes[key]
    if (value === undefined || replayKeys.includes(key)) continue
    const name = attributeName(key)
    if (Array.isArray(value) && value.length > 0 && value.every(isPlain)) view.tables.push(viewTable(name, value))
    else if (typeof value === 'string' && (value.includes('\n') || value.length > lineCharsMax))
      view.texts.push({ name, text: value })
    else view.facts.push({ name, value: formatAttribute(key, value) })
  }
  return view
}

/** How many of the answer's claims its passages support, as the check of the citations found; null when none was made. */
export const supportOf = (spans: readonly Span[]): { supported: number; total: number } | null => {
  const check = spans.find(({ name }) => name === 'check')?.attributes
  return typeof check?.supported === 'number' && typeof check.total === 'number'
    ? { supported: check.supported, total: check.total }
    : null
}
