/** What a provider sends, bounded while it is being read: no adapter gets an event, an answer or a page that it should not hold. */
import { APICallError } from '@ai-sdk/provider'
import { Failed } from './retry.ts'

/** Adapters hold an event in memory until it ends; no word of a model needs as much. */
const eventBytesMax = 1_000_000
/** The longest answer that is read, said letter by letter, is smaller than this; comments and empty events count too. */
const answerBytesMax = 32 * 1_048_576
/** A line costs its reader up to 20 µs, also where it means nothing. An event has three at most, the longest answer 220,000. */
const eventLinesMax = 1_000
const linesMax = 300_000
/** What is read of an error's body. */
const errorBytesMax = 65_536
/** What is kept of a page that came instead of an answer, for whoever looks for the reason. */
const keptBytes = 2_048

const lineFeed = 0x0a
const carriageReturn = 0x0d
const openAngle = 0x3c
const isBlank = (byte: number): boolean =>
  byte === 0x20 || byte === 0x09 || byte === lineFeed || byte === carriageReturn
const byteOrderMark = new Set([0xef, 0xbb, 0xbf])

/** Counts the lines, and the bytes since the last event ended (an empty line, whatever its line end), over pieces cut anywhere. */
const createEventMeter = () => {
  let bytes = 0
  let lines = 0
  let eventLines = 0
  let lineEmpty = true
  let afterReturn = false
  /** What is too large about the stream so far; undefined while nothing is. */
  return (piece: Uint8Array): string | undefined => {
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at]
      if (byte === lineFeed && afterReturn) {
        afterReturn = false
        if (bytes > 0) bytes += 1
        continue
      }
      afterReturn = byte === carriageReturn
      if (byte === lineFeed || afterReturn) {
        bytes = lineEmpty ? 0 : bytes + 1
        eventLines = lineEmpty ? 0 : eventLines + 1
        lines += 1
        lineEmpty = true
        if (eventLines > eventLinesMax) return `an event of over ${eventLinesMax} lines`
      } else {
        lineEmpty = false
        bytes += 1
        if (bytes > eventBytesMax) return 'an event of over 1 MB'
      }
    }
    return lines > linesMax ? `an answer of over ${linesMax} lines` : undefined
  }
}

type Guarded = { url: string; streams: boolean; response: Response; withoutKey: (text: string) => string }

/** The body of a good answer as it comes, with an error in the place of what no adapter should read. Holds no more than a piece. */
const guardBody = (body: ReadableStream<Uint8Array>, { url, streams, response, withoutKey }: Guarded) => {
  const { status, headers } = response
  const reader = body.getReader()
  const tooLarge = streams ? createEventMeter() : () => undefined
  let total = 0
  let begun = false
  let isPage = /\b(?:html|xml)\b/.test(headers.get('content-type') ?? '')
  let page = Buffer.alloc(0)

  const unreadable = (words: string): APICallError => {
    const told = { statusCode: status, headers: Object.fromEntries(headers) }
    return new APICallError({
      message: words,
      // Found inside whatever an adapter wraps around it.
      cause: new Failed('bad-output', new Error(words), told),
      url,
      // Nothing of what was sent.
      requestBodyValues: {},
      statusCode: status,
      responseHeaders: told.headers,
      ...(page.length > 0 ? { responseBody: withoutKey(page.toString('utf8')) } : {}),
      isRetryable: false,
    })
  }
  const refuse = (words: string): never => {
    const error = unreadable(words)
    // Ends the connection: a provider must not go on talking to nobody.
    void reader.cancel(error).catch(() => undefined)
    throw error
  }

  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        for (;;) {
          const { done, value } = await reader.read()
          if (done) {
            if (isPage) throw unreadable('a page came instead of an answer')
            return controller.close()
          }
          total += value.length
          if (!begun) {
            const first = value.find((byte) => !isBlank(byte) && !byteOrderMark.has(byte))
            begun = first !== undefined
            // Neither JSON nor an event begins like this, whatever the answer says that it is.
            isPage ||= first === openAngle
          }
          if (isPage) {
            page = Buffer.concat([page, value.subarray(0, keptBytes - page.length)])
            if (page.length >= keptBytes) refuse('a page came instead of an answer')
            continue
          }
          if (total > answerBytesMax) refuse(`an answer of over ${answerBytesMax / 1_048_576} MB`)
          const large = tooLarge(value)
          if (large !== undefined) refuse(large)
          return controller.enqueue(value)
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead of whoever reads.
    { highWaterMark: 0 },
  )
}

/** The beginning of an error's body. */
const readError = async (body: ReadableStream<Uint8Array>): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  // Leaving the loop ends the connection.
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true })
    bytes += piece.length
    if (bytes >= errorBytesMax) break
  }
  return text
}

type Guard = { fetch: typeof globalThis.fetch; apiKey: string | undefined }

/**
 * A `fetch` for adapters: bounds an event and an answer while they are being read, and takes a page for the failure it is. What it
 * refuses is an `APICallError` with a `Failed` as its cause, whose `responseBody` is at most the first 2 KB of a page. Errors are
 * read here, so that a provider that repeats the key in its words repeats it to nobody.
 */
export const guardAnswers = ({ fetch, apiKey }: Guard): typeof globalThis.fetch => {
  const withoutKey = (text: string): string => (apiKey ? text.replaceAll(apiKey, '[key]') : text)
  return async (input, init) => {
    const response = await fetch(input, init)
    const { body, ok, status, statusText, headers } = response
    if (!body) return response
    if (!ok) return new Response(withoutKey(await readError(body)), { status, statusText, headers })
    const url = input instanceof Request ? input.url : String(input)
    // By what was asked and not by what the answer says of itself. Inside a text its quotation marks are escaped.
    const streams = url.includes('alt=sse') || (typeof init?.body === 'string' && init.body.includes('"stream":true'))
    return new Response(guardBody(body, { url, streams, response, withoutKey }), { status, statusText, headers })
  }
}
