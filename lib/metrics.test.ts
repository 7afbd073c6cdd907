import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type CountedCall, countCall, renderMetrics } from './metrics.ts'

const call: CountedCall = {
  outcome: 'ok',
  cache: null,
  firstTokenMs: 400,
  totalMs: 3_000,
  tokensIn: 1_000,
  tokensOut: 200,
  costMicros: 2_500,
}
const nothing = { queued: 0, breakers: [] }
const shown = async (readings: Parameters<typeof renderMetrics>[0] = nothing): Promise<string[]> =>
  (await renderMetrics(readings)).text.split('\n').filter((line) => line && !line.startsWith('#'))

describe('metrics', () => {
  beforeEach(() => {
    Reflect.deleteProperty(globalThis, 'footnoteMeters')
  })

  it('counts a call: outcome, tokens, dollars, and times in seconds', async () => {
    countCall(call)
    countCall(call)
    const lines = await shown()
    expect(lines).toContain('rag_requests_total{outcome="ok"} 2')
    expect(lines).toContain('rag_tokens_total{direction="in"} 2000')
    expect(lines).toContain('rag_tokens_total{direction="out"} 400')
    expect(lines).toContain('rag_cost_usd_total 0.005')
    expect(lines).toContain('rag_request_seconds_sum 6')
    expect(lines).toContain('rag_ttft_seconds_bucket{le="0.25"} 0')
    expect(lines).toContain('rag_ttft_seconds_bucket{le="0.5"} 2')
  })

  it('counts what a cache answered as a hit, and neither its tokens nor its price again', async () => {
    countCall({ ...call, cache: 'semantic' })
    const lines = await shown()
    expect(lines).toContain('rag_cache_hits_total{level="semantic"} 1')
    expect(lines).toContain('rag_requests_total{outcome="ok"} 1')
    expect(lines).toContain('rag_cost_usd_total 0')
    expect(lines.filter((line) => line.startsWith('rag_tokens_total'))).toEqual([])
  })

  it('counts a call of unknown price as such, and not as one that cost nothing', async () => {
    countCall({ ...call, costMicros: null })
    const lines = await shown()
    expect(lines).toContain('rag_unpriced_calls_total 1')
    expect(lines).toContain('rag_cost_usd_total 0')
  })

  it('gives a label only to outcomes it knows, so that no text becomes a series', async () => {
    countCall({ ...call, outcome: 'ada@example.com' })
    countCall({ ...call, outcome: 'another "text"' })
    const lines = await shown()
    expect(lines).toContain('rag_requests_total{outcome="other"} 2')
    expect(lines.join()).not.toContain('ada@')
  })

  it('leaves absurd numbers out instead of throwing', async () => {
    countCall({ ...call, tokensIn: -5, totalMs: Number.NaN, costMicros: Number.POSITIVE_INFINITY })
    const lines = await shown()
    expect(lines).toContain('rag_request_seconds_count 0')
    expect(lines).toContain('rag_unpriced_calls_total 1')
    expect(lines.some((line) => line.startsWith('rag_tokens_total{direction="in"}'))).toBe(false)
  })

  it('shows the queue and the breakers as they are at each look, and forgets those that are gone', async () => {
    const before = await shown({
      queued: 7,
      breakers: [
        { name: 'openai/gpt', state: 'open' },
        { name: 'openai/gpt', state: 'closed' },
        { name: 'local/phi', state: 'half-open' },
      ],
    })
    expect(before).toContain('rag_queue_depth 7')
    expect(before).toContain('rag_breaker_state{model="openai/gpt"} 2')
    expect(before).toContain('rag_breaker_state{model="local/phi"} 1')
    const after = await shown({ queued: null, breakers: [{ name: 'openai/gpt', state: 'closed' }] })
    expect(after.filter((line) => line.startsWith('rag_queue_depth'))).toEqual([])
    expect(after.filter((line) => line.startsWith('rag_breaker_state'))).toEqual([
      'rag_breaker_state{model="openai/gpt"} 0',
    ])
  })

  it('is one a process, however often the module is loaded', async () => {
    countCall(call)
    vi.resetModules()
    const again = await import('./metrics.ts')
    again.countCall(call)
    expect(await shown()).toContain('rag_requests_total{outcome="ok"} 2')
  })

  it('names the type that Prometheus asks for', async () => {
    expect((await renderMetrics(nothing)).contentType).toMatch(/^text\/plain; version=0\.0\.4/)
  })
})
