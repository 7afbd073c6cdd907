/** JSON and JSON lines: lists of objects as rows like those of a table, everything else as lines that say where a value stands. */
import { createTextBuilder, type TextBuilder } from './builder.ts'
import { oneLine } from './clean-text.ts'
import { rowLine } from './csv.ts'
import { cleanLine } from './meta.ts'
import type { ParsedDocument } from './parsed-document.ts'
import { Refusal } from './refusal.ts'
import { readText } from './text.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonObject = { [key: string]: Json }

/** What walks the values may recurse. */
const depthMax = 200
const columnsMax = 200

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isNested = (value: Json): value is Json[] | JsonObject => typeof value === 'object' && value !== null

/** Brackets that are open at once, counted before anything recurses over them. */
const refuseTooDeep = (source: string): void => {
  let depth = 0
  let quoted = false
  for (let at = 0; at < source.length; at += 1) {
    const sign = source[at]
    if (quoted) {
      if (sign === '\\') at += 1
      else if (sign === '"') quoted = false
    } else if (sign === '"') quoted = true
    else if (sign === '[' || sign === '{') depth += 1
    else if (sign === ']' || sign === '}') depth -= 1
    if (depth > depthMax) throw new Refusal('too-nested', `more than ${depthMax} levels`)
  }
}

/** Numbers with more digits than a double keeps stay as they are written: identifiers are such numbers. */
const parseExactly = (source: string): Json =>
  /\d{16}/.test(source)
    ? JSON.parse(source, (_key, value, context?: { source?: string }) =>
        typeof value === 'number' && context?.source && context.source.length > 15 ? context.source : value,
      )
    : JSON.parse(source)

const parseLines = (source: string): Json[] | null => {
  const lines = source.split('\n').filter((line) => line.trim())
  if (lines.length < 2) return null
  try {
    return lines.map(parseExactly)
  } catch {
    return null
  }
}

const readJson = (source: string): Json => {
  refuseTooDeep(source)
  try {
    return parseExactly(source)
  } catch (error) {
    const lines = parseLines(source)
    if (lines) return lines
    throw new Refusal('damaged', error instanceof Error ? error.message : 'not JSON')
  }
}

const keyPath = (path: string, key: string): string => (path ? `${path}.${key}` : key)

type Leaf = [path: string, text: string]

const leafOf = (path: string, raw: string): Leaf[] => {
  const text = oneLine(raw)
  return text ? [[path, text]] : []
}

/** Every value below `value` that says something, with its path. A list of plain values is one value. */
const leavesOf = function* (value: Json, path: string): Generator<Leaf> {
  if (Array.isArray(value)) {
    if (value.some(isNested)) for (const [index, one] of value.entries()) yield* leavesOf(one, `${path}[${index}]`)
    else yield* leafOf(path, value.filter((one) => one !== null).join(', '))
  } else if (isObject(value)) for (const [key, one] of Object.entries(value)) yield* leavesOf(one, keyPath(path, key))
  else if (value !== null) yield* leafOf(path, String(value))
}

const isTable = (value: Json): value is JsonObject[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject)
const holdsTable = (value: Json): boolean =>
  isTable(value) || (isNested(value) && Object.values(value).some(holdsTable))
/** Its rows are short: none has a table in it. */
const isFlatTable = (value: Json): value is JsonObject[] =>
  isTable(value) && !value.some((row) => Object.values(row).some(holdsTable))

/** The rows; returns the names of their columns. */
const addRows = (rows: readonly JsonObject[], builder: TextBuilder): string[] => {
  const columns = new Set<string>()
  for (const row of rows) {
    const leaves = [...leavesOf(row, '')]
    for (const [name] of leaves) if (columns.size < columnsMax) columns.add(oneLine(name))
    builder.add(
      'row',
      rowLine(
        leaves.map(([, text]) => text),
        leaves.map(([name]) => oneLine(name)),
      ),
    )
  }
  return [...columns]
}

const titleOf = (value: Json): string | null =>
  isObject(value) ? (cleanLine(value.title) ?? cleanLine(value.name)) : null

/** Below this the outline ends and paths go on. */
const levelMax = 4

const addValue = (value: Json, path: string, level: number, builder: TextBuilder): void => {
  const addLeaves = (one: Json, at: string): void => {
    for (const [name, text] of leavesOf(one, at)) builder.add('row', name ? `${oneLine(name)}: ${text}` : text)
  }
  if (isFlatTable(value)) addRows(value, builder)
  else if (level > levelMax) addLeaves(value, path)
  else if (isTable(value))
    for (const [index, item] of value.entries()) {
      builder.add('heading', titleOf(item) ?? oneLine(`${path}[${index}]`), level)
      addValue(item, '', level + 1, builder)
    }
  else if (isObject(value)) {
    // At the top every key with something in it is a section, below only those with tables.
    const isSection = (one: Json): boolean => (level === 1 ? isNested(one) : holdsTable(one))
    const entries = Object.entries(value)
    for (const [key, one] of entries) if (!isSection(one)) addLeaves(one, keyPath(path, key))
    for (const [key, one] of entries) {
      if (!isSection(one) || leavesOf(one, '').next().done) continue
      builder.add('heading', oneLine(key), level)
      addValue(one, isTable(one) ? key : '', level + 1, builder)
    }
  } else addLeaves(value, path)
}

/** Reads JSON. Throws `Refusal`: `damaged`, `too-nested`, `no-text`, `too-much-text`. */
export const parseJson = (bytes: Uint8Array): ParsedDocument => {
  const value = readJson(readText(bytes))
  const builder = createTextBuilder()
  const columns = isFlatTable(value) ? addRows(value, builder) : []
  if (columns.length === 0) addValue(value, '', 1, builder)
  if (builder.length() === 0) throw new Refusal('no-text')
  return {
    kind: 'json',
    title: titleOf(value),
    ...builder.build(),
    pages: [],
    ...(columns.length > 0 ? { context: columns.join(', ') } : {}),
  }
}
