import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { getTrace } from '#db/reports/traces.ts'
import { createTestWorkspace, withDatabase } from '#db/testing.ts'
import { closeOtel, createTraceSink } from './otel.ts'
import { startTrace } from './trace.ts'

const test = withDatabase()

describe('a trace', () => {
  it('is stored with whatever a model wrote, also with what PostgreSQL takes in no JSON', async () => {
    const { viewers } = await createTestWorkspace(test.current())
    const trace = startTrace({ viewer: viewers.member, question: 'What is in it?' })
    const span = trace.open('answer')
    span.set({ rawOutput: 'a\0b\ud83d', prompt: [{ role: 'user', content: 'x\0y' }], long: 'z'.repeat(100_000) })
    span.end()
    await trace.finish({ status: 'complete' })
    const stored = await getTrace(test.current().db, viewers.admin, trace.traceId)
    expect(stored?.spans[0]?.attributes).toMatchObject({
      rawOutput: 'ab\ufffd',
      prompt: [{ role: 'user', content: 'xy' }],
    })
    expect(String(stored?.spans[0]?.attributes.long)).toMatch(/^z{60000}… \(100000 characters\)$/)
  })

  it('reaches the collector under the id by which it is stored, with the parents and times of its steps', async () => {
    const bodies: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (part: string) => {
        body += part
      })
      request.on('end', () => {
        bodies.push(body)
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    // The settings of this process name no collector; this is where the one of a process is held.
    Reflect.set(globalThis, 'footnoteTraceSink', createTraceSink({ endpoint, headers: {}, serviceName: 'footnote' }))
    try {
      const { viewers } = await createTestWorkspace(test.current())
      let clockMs = 1_000
      const trace = startTrace({ viewer: viewers.member, question: 'Is the merger on?', now: () => clockMs })
      await trace.run('retrieve', async (_, child) => {
        clockMs += 10
        child.open('lexical').end()
      })
      await trace.finish({ status: 'complete' })
      await closeOtel()
      const [batch] = (JSON.parse(bodies[0] ?? '') as { resourceSpans: { scopeSpans: { spans: Sent[] }[] }[] })
        .resourceSpans
      const sent = batch?.scopeSpans[0]?.spans ?? []
      expect(sent.map(({ name }) => name)).toEqual(['footnote.turn', 'retrieval', 'lexical'])
      expect(sent.every(({ traceId }) => traceId === trace.traceId.replaceAll('-', ''))).toBe(true)
      expect(sent[2]?.parentSpanId).toBe(sent[1]?.spanId)
      expect(Number(BigInt(sent[2]?.startTimeUnixNano ?? 0) - BigInt(sent[0]?.startTimeUnixNano ?? 0)) / 1e6).toBe(10)
      expect(bodies.join()).not.toContain('merger')
    } finally {
      Reflect.deleteProperty(globalThis, 'footnoteTraceSink')
      server.closeAllConnections()
      server.close()
    }
  })
})

type Sent = { name: string; traceId: string; spanId: string; parentSpanId?: string; startTimeUnixNano: string }
