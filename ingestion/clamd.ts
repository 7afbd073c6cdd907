/**
 * Asks a clamd server whether a stream holds a virus, by its INSTREAM command: pieces with their length before them, an empty one at
 * the end, one line as the answer (clamd(8)). A piece is held at a time.
 *
 * Fails closed: clean is only what was sent whole and answered with exactly `stream: OK`.
 */
import { once } from 'node:events'
import { connect, type NetConnectOpts } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

export type ScanVerdict = { kind: 'clean' } | { kind: 'found'; virus: string } | { kind: 'too-large' }

/** Nobody knows whether the stream is clean: the scanner could not be reached, was too slow, or answered something else. */
export class ScannerAway extends Error {
  override name = 'ScannerAway'
}

export type ScanOptions = { signal: AbortSignal; connectMs?: number; totalMs?: number }

const connectMsDefault = 5_000
/** Longer than clamd itself looks at one file (MaxScanTime, two minutes). */
const totalMsDefault = 180_000
const answerCharsMax = 4_096
const virusCharsMax = 200

const command = Buffer.from('zINSTREAM\0')
const ending = Buffer.alloc(4)

async function* framed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  yield command
  for await (const piece of source) {
    // An empty piece would end the stream before its rest.
    if (piece.byteLength === 0) continue
    const length = Buffer.alloc(4)
    length.writeUInt32BE(piece.byteLength)
    yield Buffer.concat([length, piece])
  }
  yield ending
}

type Answer = {
  words: string
  /** Whether all had been sent when it came: what is said before that is not about all of it. */
  isWhole: boolean
}

const verdictOf = ({ words, isWhole }: Answer): ScanVerdict => {
  const [, virus] = /^stream: (.+) FOUND$/.exec(words) ?? []
  // With AlertExceedsMax clamd says so of what it did not look into.
  if (virus?.startsWith('Heuristics.Limits.Exceeded') || words.startsWith('INSTREAM size limit exceeded'))
    return { kind: 'too-large' }
  if (virus) return { kind: 'found', virus: virus.slice(0, virusCharsMax) }
  if (isWhole && words === 'stream: OK') return { kind: 'clean' }
  throw new ScannerAway(`the scanner answered: ${words.slice(0, virusCharsMax)}`)
}

/** Streams `source` to clamd at `address`. Throws `ScannerAway`, the signal's reason when it is aborted, and what `source` throws. */
export const scanStream = async (
  address: NetConnectOpts,
  source: AsyncIterable<Uint8Array>,
  { signal, connectMs = connectMsDefault, totalMs = totalMsDefault }: ScanOptions,
): Promise<ScanVerdict> => {
  signal.throwIfAborted()
  const answer = Promise.withResolvers<Answer>()
  const away = (words: string, cause?: unknown): void => answer.reject(new ScannerAway(words, { cause }))
  const onAbort = (): void => answer.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const connecting = setTimeout(() => away('the scanner did not take the connection in time'), connectMs)
  const clock = setTimeout(() => away('the scanner did not answer in time'), totalMs)

  const socket = connect(address)
  let received = ''
  let isWhole = false
  socket.setEncoding('utf8')
  socket.on('connect', () => clearTimeout(connecting))
  socket.on('data', (text: string) => {
    received += text
    const end = received.indexOf('\0')
    if (end >= 0) answer.resolve({ words: received.slice(0, end), isWhole })
    else if (received.length > answerCharsMax) away('the scanner answered without an end')
  })
  socket.on('error', (error) => away(`the scanner cannot be reached: ${error.message}`, error))
  socket.on('close', () => away('the scanner closed the connection without an answer'))

  const send = async (): Promise<void> => {
    for await (const frame of framed(source)) {
      // A scanner that refuses the stream says so in the middle and hangs up: heard before the next piece runs into that,
      // nearly always. Where it is not, the scanner counts as away and the next try hears it.
      await turn()
      if (socket.destroyed || received.includes('\0')) return
      const isTaken = socket.write(frame)
      isWhole = frame === ending
      // An error comes by the answer.
      if (!isTaken) await Promise.race([once(socket, 'drain').catch(() => undefined), answer.promise])
    }
  }
  const sending = send()
  sending.catch(answer.reject)
  try {
    return verdictOf(await answer.promise)
  } finally {
    clearTimeout(connecting)
    clearTimeout(clock)
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
    // What is read is closed when this returns.
    await sending.catch(() => undefined)
  }
}
