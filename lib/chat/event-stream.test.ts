import { createUIMessageStreamResponse } from 'ai'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventStreamResponse } from './event-stream.ts'
import type { ChatChunk } from './generation.ts'

const chunks: ChatChunk[] = [
  { type: 'start', messageId: 'm' },
  { type: 'start-step' },
  { type: 'data-status', data: { text: 'Searching' }, transient: true },
  { type: 'text-start', id: 'answer' },
  { type: 'text-delta', id: 'answer', delta: 'Thirty – days\n\ndata: [DONE]\u2028 \ud83d\ude00' },
  { type: 'text-end', id: 'answer' },
  { type: 'finish', messageMetadata: { status: 'complete' } },
]
const streamOf = (all: readonly ChatChunk[]) =>
  new ReadableStream<ChatChunk>({
    start: (controller) => {
      for (const chunk of all) controller.enqueue(chunk)
      controller.close()
    },
  })

afterEach(() => void vi.useRealTimers())

describe('eventStreamResponse', () => {
  it('says byte for byte what the AI SDK would', async () => {
    const ours = eventStreamResponse(streamOf(chunks))
    const theirs = createUIMessageStreamResponse({ stream: streamOf(chunks), keepAliveMs: 15_000 })
    expect(await ours.text()).toBe(await theirs.text())
    expect(Object.fromEntries(ours.headers)).toEqual(Object.fromEntries(theirs.headers))
  })

  it('shows that it lives while nothing comes, and stops with its reader', async () => {
    vi.useFakeTimers()
    const cancelled = vi.fn()
    const silent = new ReadableStream<ChatChunk>({ cancel: cancelled })
    const reader = eventStreamResponse(silent).body?.getReader()
    const next = async () => new TextDecoder().decode((await reader?.read())?.value)
    expect(await next()).toBe(': stream-open\n\n')
    for (let time = 0; time < 2; time += 1) {
      const comment = next()
      await vi.advanceTimersByTimeAsync(15_000)
      expect(await comment).toBe(': keep-alive\n\n')
    }
    await reader?.cancel('gone')
    expect(cancelled).toHaveBeenCalledWith('gone')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('hands on an error and leaves no timer', async () => {
    vi.useFakeTimers()
    const broken = new ReadableStream<ChatChunk>({ pull: (controller) => controller.error(new Error('lost')) })
    await expect(eventStreamResponse(broken).text()).rejects.toThrow('lost')
    expect(vi.getTimerCount()).toBe(0)
  })
})
