import { expect, it } from 'vitest'
import { defaultGatewaySettings } from '#lib/shared/gateway-settings.ts'
import { type BenchQuestion, readBench, writeBench } from './retrieval-address.ts'

const own = defaultGatewaySettings.retrieval
const readBack = (asked: BenchQuestion): BenchQuestion => {
  const address = writeBench(asked, own)
  return readBench((name) => address[name] ?? null, own)
}

it('a link asks the same question again, with everything that was set', () => {
  const asked: BenchQuestion = {
    question: 'When does the valve open, at “37 bar”?',
    collectionIds: ['0198a4a0-0000-7000-8000-000000000001', '0198a4a0-0000-7000-8000-000000000002'],
    filter: { tags: ['a, b'], languages: ['de'], mediaTypes: ['text/csv'], authors: ['Ada'], datedFrom: '2026-01-31' },
    second: {
      ...own,
      rewrite: 'decompose',
      graph: true,
      rerank: 'off',
      lexical: false,
      vectorWeight: 0.25,
      efSearch: 40,
    },
  }
  expect(readBack(asked)).toEqual(asked)
  expect(readBack({ ...asked, second: own })).toEqual({ ...asked, second: own })
  expect(readBack({ question: '', collectionIds: [], filter: {}, second: null })).toMatchObject({ second: null })
})

it('names only what the second configuration changes', () => {
  const second = { ...own, graph: true, vectorWeight: 0.5 }
  expect(writeBench({ question: 'a', collectionIds: [], filter: {}, second }, own).with).toBe(
    'graph:on,vectorWeight:0.5',
  )
  const weighted = { ...own, vectorWeight: 0.5 }
  expect(readBench((name) => (name === 'with' ? 'vectorWeight:auto' : null), weighted).second?.vectorWeight).toBeNull()
})

it('takes nothing from an address that makes no sense', () => {
  const nonsense: Record<string, string> = {
    q: 'x',
    in: 'not-an-id,',
    from: 'yesterday',
    with: 'efSearch:9999999,graph:maybe,__proto__:on,rerank:,vectorWeight:',
  }
  expect(readBench((name) => nonsense[name] ?? null, own)).toEqual({
    question: 'x',
    collectionIds: [],
    filter: {},
    second: own,
  })
})
