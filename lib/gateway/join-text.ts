/**
 * A model's event stream on its way in, with the small pieces of its text joined. How long an event may be is `guardAnswers`' matter.
 *
 * Promises: the first piece of text passes at once, later ones wait for
 * each other at most `joinMs`; nothing but text of one and the same choice is joined, and whatever is not plainly that passes as it
 * came, in its place; what follows is not read while nobody takes what is there. Most of what a token costs is paid once an event,
 * so that this decides how many streams a process can carry.
 *
 * Format: server-sent events (WHATWG HTML, 9.2), chat completions as OpenAI and those who follow it stream them.
 */

const joinMsDefault = 40

type Chunk = { choices: [{ delta: { content: string } }] }

const deltaFields = new Set(['content', 'role'])
const choiceFields = new Set(['index', 'delta', 'finish_reason', 'logprobs'])

/** The chunk when it is a piece of text and nothing else. */
const pieceOf = (data: string): Chunk | undefined => {
  // Cheaper than reading what cannot be one.
  if (!data.includes('"content"')) return undefined
  try {
    const chunk = JSON.parse(data)
    const { choices, usage } = chunk
    if (usage || !Array.isArray(choices) || choices.length !== 1) return undefined
    const [choice] = choices
    const { index, delta, finish_reason: finish, logprobs } = choice
    if ((index ?? 0) !== 0 || finish || logprobs || typeof delta?.content !== 'string' || delta.content === '')
      return undefined
    for (const field in delta) if (!deltaFields.has(field)) return undefined
    for (const field in choice) if (!choiceFields.has(field)) return undefined
    return chunk
  } catch {
    return undefined
  }
}

/** The data of an event that has one line of it and nothing else. */
const dataOf = (event: string): string | undefined =>
  event.startsWith('data:') && !event.includes('\n') ? event.slice(event[5] === ' ' ? 6 : 5) : undefined

const isComment = (event: string): boolean => event.startsWith(':') && !event.includes('\n')

/** The body of a streamed answer, with its texts joined. Errors as the body does, after what came before. */
export const joinText = (
  body: ReadableStream<Uint8Array>,
  { joinMs = joinMsDefault } = {},
): ReadableStream<Uint8Array> => {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const encoder = new TextEncoder()
  let rest = ''
  let waiting: { first: Chunk; text: string[] } | undefined
  let timer: NodeJS.Timeout | undefined
  let flushedMs = Number.NEGATIVE_INFINITY
  let taken: (() => void) | undefined
  let broken: { error: unknown } | undefined

  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        let out = ''
        const hold = ({ first, text }: NonNullable<typeof waiting>): void => {
          if (text.length > 1) first.choices[0].delta.content = text.join('')
          out += `data: ${JSON.stringify(first)}\n\n`
        }
        const flush = (): void => {
          clearTimeout(timer)
          timer = undefined
          if (waiting) {
            hold(waiting)
            waiting = undefined
            flushedMs = performance.now()
          }
          if (out !== '') controller.enqueue(encoder.encode(out))
          out = ''
        }
        const take = (event: string): void => {
          if (isComment(event)) return
          const data = dataOf(event)
          const piece = data === undefined ? undefined : pieceOf(data)
          if (!piece) {
            if (waiting) hold(waiting)
            waiting = undefined
            out += `${event}\n\n`
          } else if (waiting) waiting.text.push(piece.choices[0].delta.content)
          else waiting = { first: piece, text: [piece.choices[0].delta.content] }
        }
        const read = (text: string): void => {
          rest += text
          let from = 0
          for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n', from)) {
            if (end > from) take(rest.slice(from, end))
            from = end + 2
          }
          rest = from > 0 ? rest.slice(from) : rest
        }
        const pump = async (): Promise<void> => {
          let carriage = false
          for (;;) {
            const { done, value } = await reader.read()
            let text = done ? decoder.decode() : decoder.decode(value, { stream: true })
            // One kind of line end; a CR at the end of what was read may be half of one.
            if (carriage) text = `\r${text}`
            carriage = !done && text.endsWith('\r')
            if (carriage) text = text.slice(0, -1)
            if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n')
            read(text)
            if (done) break
            if (!waiting || out !== '' || performance.now() - flushedMs >= joinMs) flush()
            else timer ??= setTimeout(flush, Math.max(0, joinMs - (performance.now() - flushedMs)))
            if ((controller.desiredSize ?? 0) <= 0) {
              await new Promise<void>((resolve) => {
                taken = resolve
              })
            }
          }
          flush()
          // An event that was not ended is none of ours to judge.
          if (rest !== '') controller.enqueue(encoder.encode(rest))
          controller.close()
        }
        pump().catch((error: unknown) => {
          // What came before it is handed on first: an error empties the queue.
          flush()
          broken = { error }
          if ((controller.desiredSize ?? 0) > 0) controller.error(error)
          void reader.cancel(error).catch(() => undefined)
        })
      },
      // Called when nothing is left to take.
      pull: (controller) => {
        if (broken) return controller.error(broken.error)
        taken?.()
        taken = undefined
      },
      cancel: (reason) => {
        clearTimeout(timer)
        taken?.()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 1 },
  )
}

/** The same answer with `joinText` on its stream; one that is no event stream is left as it is. */
export const withJoinedText = (response: Response): Response =>
  response.ok && response.body && response.headers.get('content-type')?.startsWith('text/event-stream')
    ? new Response(joinText(response.body), response)
    : response
