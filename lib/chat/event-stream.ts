/**
 * An answer as server-sent events in the AI SDK's UI message stream protocol, for `useChat`. Hand-written where the SDK has a helper:
 * its chain of four streams costs a stream of tokens more than all else that Footnote does with it (`npm run bench:chat`).
 */
import { UI_MESSAGE_STREAM_HEADERS } from 'ai'
import type { ChatChunk } from './generation.ts'

/** A proxy that sees nothing for a minute cuts the line; a comment each 15 s keeps it. */
const keepAliveMs = 15_000
const encoder = new TextEncoder()
const opening = encoder.encode(': stream-open\n\n')
const keepAlive = encoder.encode(': keep-alive\n\n')
const ending = encoder.encode('data: [DONE]\n\n')

/** The response whose body is the stream; a reader who goes away cancels it. */
export const eventStreamResponse = (chunks: ReadableStream<ChatChunk>): Response => {
  const reader = chunks.getReader()
  let timer: NodeJS.Timeout | undefined
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(opening)
      timer = setInterval(() => {
        // Nobody takes what is there: a comment more would not reach them.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(keepAlive)
      }, keepAliveMs)
    },
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read()
        timer?.refresh()
        if (!done) return controller.enqueue(encoder.encode(`data: ${JSON.stringify(value)}\n\n`))
        clearInterval(timer)
        controller.enqueue(ending)
        controller.close()
      } catch (error) {
        clearInterval(timer)
        controller.error(error)
      }
    },
    cancel: (reason) => {
      clearInterval(timer)
      return reader.cancel(reason)
    },
  })
  return new Response(body, { headers: UI_MESSAGE_STREAM_HEADERS })
}
