/** A trace's steps as rows on one time axis, and their attributes as words. Pure. */
import type { Span, Trace } from '#lib/shared/admin-contract.ts'
import { formatCost, formatCount, formatDuration } from '#lib/shared/format.ts'

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

/** The step to open first: the first that failed, else the call of the model, else the first. */
export const firstStep = (steps: readonly Step[]): Span | undefined =>
  (steps.find(({ span }) => span.status === 'failed') ?? steps.find(({ span }) => span.name === 'answer') ?? steps[0])
    ?.span

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
  answer: 'The call of the model that wrote the answer.',
  check: 'Compares every claim of the answer with the passage it cites.',
  save: 'Stores the answer with its citations.',
}
export const spanMeaning = (span: Span): string | null => meanings[span.name] ?? null

const words: Record<string, string> = {
  k: 'Wanted',
  id: 'Id',
  url: 'Address',
  tokensMax: 'Tokens at most',
  firstTokenMs: 'First token after',
  error: 'What happened',
  searched: 'Searched for',
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
  if (Array.isArray(value)) return value.length > 0 ? value.map((one) => formatAttribute(key, one)).join(', ') : 'none'
  if (isPlain(value))
    return Object.entries(value)
      .map(([name, inner]) => `${attributeName(name).toLowerCase()} ${formatAttribute(name, inner)}`)
      .join(', ')
  return String(value)
}

export type AttributeView = {
  facts: { name: string; value: string }[]
  tables: {
    name: string
    columns: { key: string; name: string; numeric: boolean }[]
    rows: Record<string, unknown>[]
  }[]
  texts: { name: string; text: string }[]
}

const lineCharsMax = 160

/** Sorts a step's attributes by how they are best read: single values, tables of things, long texts. */
export const viewAttributes = (attributes: Record<string, unknown>): AttributeView => {
  const view: AttributeView = { facts: [], tables: [], texts: [] }
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    const name = attributeName(key)
    if (Array.isArray(value) && value.length > 0 && value.every(isPlain)) {
      const keys = [...new Set(value.flatMap((row) => Object.keys(row)))]
      const columns = keys.map((column) => ({
        key: column,
        name: attributeName(column),
        numeric: value.some((row) => typeof row[column] === 'number'),
      }))
      view.tables.push({ name, columns, rows: value })
    } else if (typeof value === 'string' && (value.includes('\n') || value.length > lineCharsMax))
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
