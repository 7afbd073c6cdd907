import { describe, expect, it } from 'vitest'
import type { Span, TraceCall } from '#lib/shared/admin-contract.ts'
import {
  arrangeSpans,
  attributeName,
  callLine,
  callsBySteps,
  firstStep,
  formatAttribute,
  formatCell,
  formatMark,
  routeReason,
  supportOf,
  timeAxis,
  viewAttributes,
} from './waterfall.ts'

const span = (id: string, parentId: string | null, startMs: number, more: Partial<Span> = {}): Span => ({
  id,
  parentId,
  name: id,
  label: id,
  startMs,
  durationMs: 10,
  status: 'ok',
  costMicros: null,
  attributes: {},
  ...more,
})

describe('arrangeSpans', () => {
  it('puts children under their parents in the order in which they began', () => {
    const steps = arrangeSpans([
      span('answer', null, 50),
      span('vector', 'retrieve', 12),
      span('retrieve', null, 10),
      span('lexical', 'retrieve', 11),
      span('orphan', 'gone', 60),
    ])
    expect(steps.map(({ span: { id }, depth }) => [id, depth])).toEqual([
      ['retrieve', 0],
      ['lexical', 1],
      ['vector', 1],
      ['answer', 0],
      ['orphan', 0],
    ])
    expect(firstStep(steps)?.id).toBe('answer')
  })

  it('opens what failed first', () => {
    const steps = arrangeSpans([span('answer', null, 5), span('save', null, 9, { status: 'failed' })])
    expect(firstStep(steps)?.id).toBe('save')
    expect(firstStep([])).toBeUndefined()
  })
})

describe('timeAxis', () => {
  it('is as long as the longest of the whole and its steps, with round marks', () => {
    expect(timeAxis({ totalMs: 1_840, spans: [] })).toEqual({ lengthMs: 1_840, marksMs: [0, 500, 1_000, 1_500] })
    expect([0, 500, 1_000].map((mark) => formatMark(mark, 1_840))).toEqual(['0', '0.5 s', '1 s'])
    expect(formatMark(20, 80)).toBe('20 ms')
    expect(timeAxis({ totalMs: 5, spans: [span('a', null, 30)] }).lengthMs).toBe(40)
    expect(timeAxis({ totalMs: null, spans: [] }).lengthMs).toBe(1)
  })
})

describe('attributes', () => {
  it('are named and measured in words', () => {
    expect(attributeName('lexicalRank')).toBe('Rank by words')
    expect(attributeName('chunksKept')).toBe('Chunks kept')
    expect(formatAttribute('firstTokenMs', 612)).toBe('612 ms')
    expect(formatAttribute('score', 0.93333)).toBe('0.933')
    expect(formatAttribute('tokensIn', 2318)).toBe('2,318')
    expect(formatAttribute('collections', ['a', 'b'])).toBe('a, b')
    expect(formatAttribute('lexical', { rank: 1, score: null })).toBe('rank 1, score —')
  })

  it('are shown as lines, tables and texts', () => {
    const view = viewAttributes({
      model: 'quotes',
      passages: [
        { score: 1, title: 'Handbook', n: 1, vector: { rank: 2, score: 0.5 }, lexical: { rank: 1, score: 3.2 } },
        { score: 0.25, title: 'Policy', n: 2, vector: { rank: 1, score: 0.75 }, lexical: null },
      ],
      sent: 'one\ntwo',
      nothing: undefined,
    })
    expect(view.facts).toEqual([{ name: 'Model', value: 'quotes' }])
    const [table] = view.tables
    expect(table?.columns.map(({ key }) => key)).toEqual([
      'n',
      'title',
      'lexicalRank',
      'lexicalScore',
      'vectorRank',
      'vectorScore',
      'score',
    ])
    const cells = (row: number) => table?.columns.map((column) => formatCell(column, table.rows[row]?.[column.key]))
    expect(cells(0)).toEqual(['1', 'Handbook', '1', '3.200', '2', '0.500', '1.000'])
    expect(cells(1)).toEqual(['2', 'Policy', '—', '—', '1', '0.750', '0.250'])
    expect(view.texts).toEqual([{ name: 'Sent', text: 'one\ntwo' }])
  })

  it('hold what a replay needs apart, as it can be read and copied', () => {
    const { facts, texts, replay } = viewAttributes({
      rawOutput: 'Ja.',
      prompt: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Well?\nAnd?' },
      ],
      parameters: { maxOutputTokens: 800 },
      tokens: 3,
    })
    expect(facts).toEqual([{ name: 'Tokens', value: '3' }])
    expect(texts).toEqual([])
    expect(replay).toEqual([
      { name: 'Parameters of the call', text: '{\n  "maxOutputTokens": 800\n}' },
      { name: 'What was sent', text: 'system:\nBe brief.\n\nuser:\nWell?\nAnd?' },
      { name: 'What came back, before the filters', text: 'Ja.' },
    ])
    expect(viewAttributes({ prompt: '', rawOutput: null }).replay).toEqual([])
    expect(formatAttribute('contentHash', 'ab'.repeat(32))).toBe('abababababab')
  })

  it('say how much of the answer is supported, and nothing when it was not checked', () => {
    expect(supportOf([span('check', null, 0, { attributes: { total: 5, supported: 4 } })])).toEqual({
      supported: 4,
      total: 5,
    })
    expect(supportOf([span('admit', null, 0)])).toBeNull()
  })
})

const call = (more: Partial<TraceCall> = {}): TraceCall => ({
  id: 'c',
  at: '2026-11-21T10:00:00.000Z',
  task: 'answer',
  feature: 'chat',
  tier: 'fast',
  route: 'fast',
  provider: 'openai',
  requestedModel: 'small',
  servedModel: 'small',
  fingerprint: null,
  outcome: 'ok',
  cache: null,
  attempts: 1,
  tokensIn: 2_318,
  tokensOut: 90,
  tokensCached: null,
  tokensReasoning: null,
  usageEstimated: false,
  costMicros: 12,
  savedMicros: 0,
  savedTokens: 0,
  flags: [],
  firstTokenMs: 300,
  totalMs: 900,
  promptName: null,
  promptVersion: null,
  promptHash: null,
  policyVersion: null,
  ...more,
})

describe('calls', () => {
  it('are told in a line', () => {
    expect(callLine(call())).toBe('openai · small · 2,318 in, 90 out')
    expect(callLine(call({ servedModel: 'small-2026', attempts: 3 }))).toBe(
      'openai · small → small-2026 · 2,318 in, 90 out · 3 tries',
    )
    expect(callLine(call({ outcome: 'timeout', tokensIn: null }))).toBe('openai · small: timed out')
    expect(callLine(call({ outcome: 'stopped', tokensIn: null }))).toBe('openai · small · stopped by a person')
    expect(callLine(call({ cache: 'semantic' }))).toBe('given before, to a question that is like it')
    expect(callLine(call({ provider: null, requestedModel: null, servedModel: null, tokensIn: null }))).toBe('a model')
  })

  it('stand at the step that made them, and none is lost', () => {
    const spans = [
      span('outer', null, 5, { name: 'rewrite' }),
      span('inner', null, 8, { name: 'rewrite' }),
      span('answer', null, 20),
    ]
    const [rewrite, first, second, title, kept] = [
      call({ id: '1', task: 'rewrite' }),
      call({ id: '2', outcome: 'timeout' }),
      call({ id: '3' }),
      call({ id: '4', task: 'title' }),
      call({ id: '5', cache: 'exact' }),
    ]
    const { ofStep, others } = callsBySteps(spans, [rewrite, first, second, title, kept])
    expect(Object.fromEntries(ofStep)).toEqual({ inner: [rewrite], answer: [first, second, kept] })
    expect(others).toEqual([title])
    expect(callsBySteps([...spans, span('cache', null, 2)], [kept]).ofStep.get('cache')).toEqual([kept])
  })

  it('have the reason of their route, each its own', () => {
    const route = (id: string, startMs: number, attributes: object) =>
      span(id, null, startMs, { name: 'route', attributes: { ...attributes } })
    const spans = [
      route('a', 1, { task: 'rewrite', reason: 'easy' }),
      route('b', 9, { task: 'answer', reason: 'hard' }),
    ]
    expect(routeReason(spans, { task: 'rewrite' })).toBe('easy')
    expect(routeReason(spans, { task: 'answer' })).toBe('hard')
    expect(routeReason([route('a', 1, { reason: 'old' })], { task: 'answer' })).toBe('old')
    expect(routeReason([route('a', 1, { reason: 'old' })], { task: 'rewrite' })).toBeNull()
  })
})
