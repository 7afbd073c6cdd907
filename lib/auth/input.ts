/** What comes through a door: bounded, storable and of the shape that the door names, or refused before anything runs. */
import type { z } from 'zod'
import { AppError } from '#lib/shared/errors.ts'

/** JSON bodies are small; files go through their own door and are counted there. */
const jsonBytesMax = 1_048_576
/** Deeper than any form of ours, shallower than any stack. */
const depthMax = 64

/**
 * The same value without what no database takes: zero bytes and halves of characters. It is cleaned before a schema sees it, so that
 * nothing is checked that is not what is kept. Objects that are not plain are left to the schema, which refuses them.
 */
const storable = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed()
  if (typeof value !== 'object' || value === null) return value
  if (depth > depthMax) throw new AppError('bad-request', { context: { depth } })
  if (Array.isArray(value)) return value.map((item) => storable(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const clean: [string, unknown][] = []
  for (const [key, item] of Object.entries(value)) {
    // No field of ours is called so; whoever sends it means the prototype.
    if (key === '__proto__') throw new AppError('bad-request', { context: { path: key } })
    clean.push([key, storable(item, depth + 1)])
  }
  return Object.fromEntries(clean)
}

/** The input in the shape of `schema`; throws `bad-request`, which names the first fault in the log and not to the sender. */
export const parseInput = <Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> => {
  const parsed = schema.safeParse(storable(input))
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]
  throw new AppError('bad-request', { context: { issues: parsed.error.issues.length, path: first?.path.join('.') } })
}

/** The text of a body that is counted as it comes; throws `bad-request` for one that is too long or no UTF-8. */
export const readText = async (request: Request): Promise<string> => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytes = 0
  let text = ''
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > jsonBytesMax) throw new AppError('bad-request', { context: { bytes } })
      text += decoder.decode(chunk, { stream: true })
    }
    return text + decoder.decode()
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('bad-request', { cause: error })
  }
}

export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new AppError('bad-request', { cause: error })
  }
}
