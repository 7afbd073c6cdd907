import { expect, it } from 'vitest'
import { defaultGatewaySettings } from '#lib/shared/gateway-settings.ts'
import { type RetrievalReport, stageNames } from '#lib/shared/retrieval-contract.ts'
import { reportOf } from '../fixtures/retrieval-report.ts'
import { changesInWords, formatScore, movement, pairStages, rankIn } from './retrieval-compare.ts'

const chunkIds = (report: RetrievalReport, stage: string) =>
  report.stages.find((one) => one.stage === stage)?.candidates.map(({ chunkId }) => chunkId)

it('pairs the stages of two searches in the order of a search, and tells where they differ', () => {
  const first = reportOf({ lexical: ['1', '2'], fuse: ['1', '2'], pack: ['1'] })
  const second = reportOf({ lexical: ['1', '2'], graph: ['9'], fuse: ['2', '1'], pack: ['2'] })
  const pairs = pairStages(first, second)
  expect(pairs.map(({ stage, same }) => [stage, same])).toEqual([
    ['lexical', true],
    ['graph', false],
    ['fuse', false],
    ['pack', false],
  ])
  expect(pairs.map(({ stage }) => stageNames.indexOf(stage))).toEqual([1, 3, 4, 8])
  expect(rankIn(pairs[2]?.second, '1')).toBe(2)
  expect(rankIn(pairs[3]?.second, '1')).toBeNull()
  expect(chunkIds(first, 'pack')).toEqual(['1'])
  expect(pairStages(first, null).every(({ second: none }) => none === undefined)).toBe(true)
})

it('says how a candidate moved, but not where a ranking begins', () => {
  expect(movement('rerank', { moved: 3 })).toEqual({ sign: '↑3', words: 'moved up by 3' })
  expect(movement('rerank', { moved: -2 })).toEqual({ sign: '↓2', words: 'moved down by 2' })
  expect(movement('fuse', { moved: null })?.sign).toBe('new')
  expect(movement('pack', { moved: 0 })?.words).toBe('as before')
  expect(movement('lexical', { moved: null })).toBeNull()
})

it('says in words what a configuration changes', () => {
  const own = defaultGatewaySettings.retrieval
  expect(changesInWords(own, { ...own, graph: true, vectorWeight: 0.3 })).toEqual([
    'Search by the graph: on, not off',
    'Share of meaning in the mix: 0.3, not as calibrated',
  ])
  expect(changesInWords(own, own)).toEqual([])
})

it('shows scores of any size with as many places as help', () =>
  expect([17.25, 0.45678, 3, -0.5].map(formatScore)).toEqual(['17.3', '0.457', '3', '-0.500']))
