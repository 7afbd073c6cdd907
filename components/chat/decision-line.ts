/**
 * The line on which decisions of people reach this tab. It is a plain request that is read as it comes, not an `EventSource`: that one
 * tells neither why it was refused nor that a line went dead, and gives up for ever on the first 502.
 */
import type { ChatMessage } from '#lib/shared/chat-contract.ts'

/** The server says something every 15 seconds, if only that it is there. */
const silenceMaxMs = 45_000
const waitMinMs = 1_000
const waitMaxMs = 30_000

/** Busy, restarting or behind a proxy that is: worth asking again. Everything else that is no line is the server's word. */
const passes = (status: number): boolean => status >= 500 || status === 408 || status === 429

type DecisionLine = {
  url: string
  /** With an answer as it stands now. */
  onDecided: (message: ChatMessage) => void
  /** Only the server knows how things stand. Never called for a server that cannot be reached: there is nobody to ask. */
  onUnsure: () => void
  /** How many answers wait; of several one may have been decided on while no line was open. */
  waiting: number
  request?: typeof fetch
  clock?: { now: () => number; after: (ms: number, run: () => void) => () => void }
  random?: () => number
}

const realClock = {
  now: () => performance.now(),
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** Before the next try, in milliseconds: at least a second, at most a limit that doubles up to half a minute, so that tabs spread. */
const waitMs = (tries: number, random: () => number): number =>
  waitMinMs + random() * (Math.min(waitMaxMs, waitMinMs * 2 ** tries) - waitMinMs)

/** `event` and `data` of one event of `text/event-stream`; comments have neither. */
const fieldOf = (block: string, name: string): string | undefined =>
  block
    .split('\n')
    .find((line) => line.startsWith(`${name}: `))
    ?.slice(name.length + 2)

/**
 * Keeps a line open until the function that it returns is called, which also stops everything under way. What ends, breaks, goes
 * silent or is refused is opened anew after a wait that grows, and is short again once a line has lasted.
 */
export const keepDecisionLine = ({
  url,
  onDecided,
  onUnsure,
  waiting,
  request = fetch,
  clock = realClock,
  random = Math.random,
}: DecisionLine): (() => void) => {
  let closed = false
  let stopLine = (): void => undefined
  let stopWaiting = (): void => undefined

  const tell = (block: string): void => {
    const event = fieldOf(block, 'event')
    if (event === 'gone') onUnsure()
    else if (event === 'decided') onDecided(JSON.parse(fieldOf(block, 'data') ?? '') as ChatMessage)
  }

  const read = async (body: ReadableStream<Uint8Array<ArrayBuffer>>, onHeard: () => void): Promise<void> => {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (let chunk = await reader.read(); !chunk.done && !closed; chunk = await reader.read()) {
      onHeard()
      const blocks = (rest + chunk.value).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) tell(block)
    }
  }

  /** One line from its opening to its end, whichever that is. */
  const follow = async (): Promise<void> => {
    const line = new AbortController()
    stopLine = () => line.abort()
    let stopListening = (): void => undefined
    const heard = (): void => {
      stopListening()
      stopListening = clock.after(silenceMaxMs, stopLine)
    }
    heard()
    try {
      const response = await request(url, {
        headers: { accept: 'text/event-stream' },
        cache: 'no-store',
        signal: line.signal,
      })
      if (closed || passes(response.status)) return
      if (response.status !== 200 || !response.body) return onUnsure()
      if (waiting > 1) onUnsure()
      await read(response.body, heard)
    } catch {
      // It broke or was let go: the next one tells what this one did not.
    } finally {
      stopListening()
      line.abort()
    }
  }

  const keepOpen = async (): Promise<void> => {
    for (let tries = 1; !closed; tries += 1) {
      const openedAtMs = clock.now()
      await follow()
      if (clock.now() - openedAtMs > waitMaxMs) tries = 1
      if (!closed)
        await new Promise<void>((resolve) => {
          stopWaiting = clock.after(waitMs(tries, random), resolve)
        })
    }
  }
  void keepOpen()
  return () => {
    closed = true
    stopLine()
    stopWaiting()
  }
}
