import { afterEach, expect, test, vi } from 'vitest'
import type { ChatMessage } from '#lib/shared/chat-contract.ts'
import { keepDecisionLine } from './decision-line.ts'

/** What the server answers, one after another: a status, a broken connection, or a line that the test speaks into. */
type Answer = number | 'unreachable' | ReturnType<typeof openLine>

const openLine = () => {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (own) => {
      controller = own
    },
  })
  const say = (words: string): void => controller?.enqueue(new TextEncoder().encode(words))
  return { body, say, end: () => controller?.close(), fail: () => controller?.error(new Error('gone')) }
}

const close: (() => void)[] = []
afterEach(() => {
  for (const one of close.splice(0)) one()
})

/** Not by the clock of the test: bytes take some turns of the event loop to arrive. */
const soon = (promise: () => void) => vi.waitFor(promise, { interval: 2 })

/** A line in a time that only the test lets pass; every wait is as long as it can be. */
const listen = (answers: Answer[], { waiting = 1, random = (): number => 1 } = {}) => {
  let nowMs = 0
  const timers = new Set<{ atMs: number; run: () => void }>()
  const asked: AbortSignal[] = []
  const decided: string[] = []
  const onUnsure = vi.fn()
  const stop = keepDecisionLine({
    url: '/decisions',
    waiting,
    random,
    onUnsure,
    onDecided: ({ id }: ChatMessage) => decided.push(id),
    clock: {
      now: () => nowMs,
      after: (ms, run) => {
        const timer = { atMs: nowMs + ms, run }
        timers.add(timer)
        return () => timers.delete(timer)
      },
    },
    request: async (_url, init) => {
      const { signal } = init ?? {}
      if (signal) asked.push(signal)
      const answer = answers[asked.length - 1] ?? 503
      if (answer === 'unreachable') throw new TypeError('Failed to fetch')
      if (typeof answer === 'number') return new Response(null, { status: answer })
      signal?.addEventListener('abort', answer.fail)
      return new Response(answer.body)
    },
  })
  close.push(stop)
  const pass = (ms: number): void => {
    nowMs += ms
    for (const timer of [...timers])
      if (timer.atMs <= nowMs) {
        timers.delete(timer)
        timer.run()
      }
  }
  /** How long it waits once it only waits, in milliseconds. */
  const nextMs = async (tries: number): Promise<number> => {
    await soon(() => expect([asked.length, timers.size, asked.at(-1)?.aborted]).toEqual([tries, 1, true]))
    return [...timers].map(({ atMs }) => atMs - nowMs)[0] ?? 0
  }
  return { pass, nextMs, asked, decided, onUnsure, stop, timers }
}
const decidedEvent = (id: string): string => `event: decided\ndata: ${JSON.stringify({ id })}\n\n`

test('a decision comes as soon as it is told, however the bytes are cut', async () => {
  const line = openLine()
  const { decided, onUnsure } = listen([line])
  line.say(': open\n\nretry: 1000\n\n: keep-alive\n\nevent: deci')
  line.say('ded\ndata: {"id"')
  line.say(`:"a"}\n\n${decidedEvent('b')}`)
  await soon(() => expect(decided).toEqual(['a', 'b']))
  expect(onUnsure).not.toHaveBeenCalled()
  line.say('event: gone\ndata: {"id":"c"}\n\n')
  await soon(() => expect(onUnsure).toHaveBeenCalledTimes(1))
})

test('a server that restarts or is busy is asked again, later each time, and nothing is reloaded from it', async () => {
  const line = openLine()
  const { pass, nextMs, asked, decided, onUnsure } = listen([502, 429, 'unreachable', 500, 503, 502, line])
  const waits: number[] = []
  for (const tries of [1, 2, 3, 4, 5, 6]) {
    waits.push(await nextMs(tries))
    pass(waits.at(-1) ?? 0)
  }
  expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  line.say(decidedEvent('a'))
  await soon(() => expect(decided).toEqual(['a']))
  expect(asked).toHaveLength(7)
  expect(onUnsure).not.toHaveBeenCalled()
})

test('no wait is shorter than a second', async () => {
  const { nextMs } = listen([502], { random: () => 0 })
  expect(await nextMs(1)).toBe(1_000)
})

test('a line that has lasted is opened again soon, one that ends at once later each time', async () => {
  const [first, second, third] = [openLine(), openLine(), openLine()]
  const { pass, nextMs, asked } = listen([502, 502, first, second, third])
  pass(await nextMs(1))
  pass(await nextMs(2))
  await soon(() => expect(asked).toHaveLength(3))
  for (let i = 0; i < 20; i += 1) {
    first.say(': keep-alive\n\n')
    await new Promise(setImmediate)
    pass(15_000)
  }
  first.end()
  expect(await nextMs(3)).toBe(2_000)
  pass(2_000)
  await soon(() => expect(asked).toHaveLength(4))
  second.end()
  expect(await nextMs(4)).toBe(4_000)
})

test('a line on which nothing is heard any more is let go', async () => {
  const line = openLine()
  const { pass, nextMs, asked } = listen([line])
  await soon(() => expect(asked).toHaveLength(1))
  pass(44_000)
  expect(asked[0]?.aborted).toBe(false)
  pass(1_000)
  expect(asked[0]?.aborted).toBe(true)
  await nextMs(1)
})

test.each([204, 401, 404])('with %i the server is asked how things stand, and not in a loop', async (status) => {
  const { pass, nextMs, onUnsure } = listen([status, status])
  const firstMs = await nextMs(1)
  expect(onUnsure).toHaveBeenCalledTimes(1)
  pass(firstMs)
  expect(await nextMs(2)).toBeGreaterThan(firstMs)
  expect(onUnsure).toHaveBeenCalledTimes(2)
})

test('of several that wait one may have been decided on before the line was open', async () => {
  const { onUnsure } = listen([openLine()], { waiting: 2 })
  await soon(() => expect(onUnsure).toHaveBeenCalledTimes(1))
})

test('whoever stops listening leaves no request and no timer behind', async () => {
  const line = openLine()
  const open = listen([line])
  await soon(() => expect(open.asked).toHaveLength(1))
  open.stop()
  expect(open.asked[0]?.aborted).toBe(true)
  await soon(() => expect(open.timers.size).toBe(0))

  const waiting = listen([502])
  await waiting.nextMs(1)
  waiting.stop()
  expect(waiting.timers.size).toBe(0)
})
