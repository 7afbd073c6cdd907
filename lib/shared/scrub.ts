/**
 * What may be written where many read it (log lines, spans): values without secrets, without the words of questions and documents,
 * and without characters that steer a terminal or begin a line of their own.
 */
import { findSecrets } from './secrets.ts'

const censor = '[secret]'
const leftOut = '[left out]'
const textCharsMax = 4_000
const itemsMax = 50
const depthMax = 6

/** Names whose values are secret whatever they look like. */
const secretName =
  /pass(word|wd|phrase|code)|secret|^token$|[a-z]Token$|authorization|cookie|api[-_]?key|credential|sealedKey|databaseUrl/i
/** Names of what people ask and documents say; never of a number. */
const wordsName =
  /^(prompt|instructions|question|searched|answer|text|content|messages|body|input|output|rawOutput|received|quote|passages?|params|parameters|requestBodyValues|responseBody|responseHeaders|requestBody|headers|query)$/

/** Control characters, and those that turn the direction of text, as something that can be seen. */
const withoutControls = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is for
    .replace(/[\u0000-\u001f]/g, (character) => String.fromCharCode(0x2400 + character.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')

/** Our own: keys of programs, what a link or a cookie opens, in an address or in a header that was quoted. */
const ownKey = /\bfn_[\w-]{8,200}/g
const inAddress = /([?&;](?:token|code|state|key|secret|password|sig|signature)=)[^&\s"'#]{4,4000}/gi
const inPath = /(\/(?:invite|reset|setup)\/)[\w-]{16,200}/g
const cookies = /((?:set-)?cookie["']?\s{0,3}[:=]\s{0,3}["']?)[^\n"']{1,8000}/gi
const sessionCookie = /((?:__(?:Host|Secure)-)?(?:authjs|next-auth|footnote)[\w.-]{0,60}=)[^;\s"']{4,4000}/gi

/** The text without secrets: those that say themselves what they are, and `own`, which are known by their value. */
export const withoutSecrets = (text: string, own: readonly string[] = []): string => {
  let plain = text
  for (const secret of own) if (plain.includes(secret)) plain = plain.replaceAll(secret, censor)
  plain = plain
    .replace(ownKey, censor)
    .replace(inAddress, `$1${censor}`)
    .replace(inPath, `$1${censor}`)
    .replace(sessionCookie, `$1${censor}`)
    .replace(cookies, `$1${censor}`)
  let from = 0
  const kept: string[] = []
  for (const { start, end } of findSecrets(plain)) {
    kept.push(plain.slice(from, start), censor)
    from = end
  }
  return from === 0 ? plain : kept.join('') + plain.slice(from)
}

const scrubText = (text: string, own: readonly string[]): string =>
  withoutControls(withoutSecrets(text.length > textCharsMax ? `${text.slice(0, textCharsMax)}…` : text, own))

type Failure = { type: string; message: string; code?: string; status?: number; stack?: string; cause?: unknown }

/** A statement that failed says with which values it was asked: they are words of people. */
export const messageOf = ({ message }: Error): string => message.split(/\n?params: /, 1)[0] ?? ''

/** The places of the code alone: the first lines of a stack repeat the message. */
const framesOf = ({ stack = '' }: Error): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 30)
    .map((line) => line.trim())
    .join('\n')

/**
 * An error in what is safe of it: type, message, code, places in the code, and its causes the same way. Nothing else that hangs on it:
 * drivers and vendors put rows, parameters, headers and whole prompts there.
 */
const scrubError = (error: Error, own: readonly string[], depth: number): Failure => {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  return {
    type: error.name,
    message: scrubText(messageOf(error), own),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: scrubText(String(code), own) } : {}),
    ...(typeof statusCode === 'number' ? { status: statusCode } : {}),
    stack: withoutSecrets(framesOf(error), own),
    ...(error.cause === undefined ? {} : { cause: scrub(error.cause, own, depth + 1) }),
  }
}

/** The value as it may be written. `own`: secrets of this installation, longest first. Never throws. */
export const scrub = (value: unknown, own: readonly string[] = [], depth = 0): unknown => {
  if (typeof value === 'string') return scrubText(value, own)
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (depth >= depthMax) return '…'
  if (value instanceof Error) return scrubError(value, own, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((one) => scrub(one, own, depth + 1))
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, itemsMax)
      .map(([name, inner]) => [scrubText(name, own), scrubNamed(name, inner, own, depth + 1)]),
  )
}

const scrubNamed = (name: string, value: unknown, own: readonly string[], depth: number): unknown => {
  // Counts tell nothing: `tokens: 12`, `passwords: 3`.
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') return value
  if (secretName.test(name)) return censor
  return wordsName.test(name) ? leftOut : scrub(value, own, depth)
}
