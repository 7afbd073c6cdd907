import { describe, expect, it } from 'vitest'
import { type DocumentRow, ingestFailures } from '#lib/shared/admin-contract.ts'
import {
  countFacets,
  deletionWords,
  type FacetChoice,
  formatList,
  formatSort,
  keepUnchanged,
  parseList,
  parseSort,
  selectDocuments,
  stageWords,
  tagsInUse,
  webAddress,
} from './document-list.ts'

const row = (name: string, more: Partial<DocumentRow> = {}): DocumentRow => ({
  id: name,
  name,
  collection: { id: 'general', name: 'General' },
  mediaType: 'text/markdown',
  bytes: 1,
  stage: 'ready',
  progress: null,
  failure: null,
  fileHeld: null,
  earlierVersionServes: false,
  version: 1,
  versionId: name,
  cause: 'upload',
  language: null,
  author: null,
  dated: null,
  tags: [],
  extractedTags: [],
  source: null,
  parentId: null,
  pages: null,
  chunks: 1,
  description: null,
  describing: null,
  chunksReused: 0,
  citedBy: 0,
  changedAt: '2026-01-01T00:00:00.000Z',
  ...more,
})
const nothing: FacetChoice = { type: [], language: [], tag: [], source: [], state: [], collection: [] }
const everything = { text: '', chosen: nothing, sort: parseSort(null) }
const names = (rows: DocumentRow[]) => rows.map(({ name }) => name)

describe('selectDocuments', () => {
  const rows = [
    row('part 10.md', { chunks: 3, changedAt: '2026-01-03T00:00:00.000Z' }),
    row('Part 2.md', { chunks: null, stage: 'failed', changedAt: '2026-01-02T00:00:00.000Z' }),
    row('leave.pdf', { stage: 'embedding', collection: { id: 'hr', name: 'HR' } }),
  ]

  it('shows what changed last first, and sorts numbers in names as numbers', () => {
    expect(names(selectDocuments(rows, everything))).toEqual(['part 10.md', 'Part 2.md', 'leave.pdf'])
    expect(names(selectDocuments(rows, { ...everything, sort: parseSort('name') }))).toEqual([
      'leave.pdf',
      'Part 2.md',
      'part 10.md',
    ])
    expect(names(selectDocuments(rows, { ...everything, sort: parseSort('-chunks') }))[0]).toBe('part 10.md')
    expect(names(selectDocuments(rows, { ...everything, sort: parseSort('state') }))[0]).toBe('Part 2.md')
  })

  it('filters by name, state and collection together', () => {
    expect(names(selectDocuments(rows, { ...everything, text: ' PART ' }))).toEqual(['part 10.md', 'Part 2.md'])
    expect(names(selectDocuments(rows, { ...everything, chosen: { ...nothing, state: ['in-work'] } }))).toEqual([
      'leave.pdf',
    ])
    const chosen = { ...nothing, state: ['ready'], collection: ['hr'] }
    expect(names(selectDocuments(rows, { ...everything, chosen }))).toEqual([])
  })

  it('reads any sort in the address, and takes nonsense for none', () => {
    expect(formatSort(parseSort('-citedBy'))).toBe('-citedBy')
    expect(formatSort(parseSort('nonsense'))).toBe('-changedAt')
  })
})

describe('facets', () => {
  const rows = [
    row('leave.pdf', { mediaType: 'application/pdf', language: 'en', tags: ['HR'], extractedTags: ['HR', 'leave'] }),
    row('reise.pdf', { mediaType: 'application/pdf', language: 'de', tags: ['HR'] }),
    row('pay.ts', { mediaType: 'text/plain', source: { id: 's', name: 'Code', uri: 'src/pay.ts' }, tags: ['Pay'] }),
  ]
  const counted = (found: { label: string; count: number }[]) => found.map(({ label, count }) => `${label} ${count}`)

  it('count what a choice would lead to under the rest of what is chosen, and keep what is chosen', () => {
    const all = countFacets(rows, '', nothing)
    expect(counted(all.type)).toEqual(['PDF 2', 'Code 1'])
    expect(counted(all.tag)).toEqual(['HR 2', 'leave 1', 'Pay 1'])
    expect(counted(all.source)).toEqual(['Uploaded by people 2', 'Code 1'])
    const pdfs = countFacets(rows, '', { ...nothing, type: ['PDF'], tag: ['Pay'] })
    expect(counted(pdfs.type)).toEqual(['Code 1', 'PDF 0'])
    expect(counted(pdfs.tag)).toEqual(['HR 2', 'leave 1', 'Pay 0'])
  })

  it('lead to any of one kind and to every kind', () => {
    const chosen = { ...nothing, type: ['PDF', 'Code'], language: ['de', 'und'] }
    expect(names(selectDocuments(rows, { ...everything, chosen }))).toEqual(['pay.ts', 'reise.pdf'])
  })

  it('survive the address, whatever is in a tag', () => {
    const tags = ['a,b', '100 %', 'ü&x']
    expect(parseList(formatList(tags))).toEqual(tags)
    expect(formatList([])).toBeNull()
    expect(parseList('%E0%A4%A,fine')).toEqual(['fine'])
  })

  it('suggest the tags that people gave, most used first', () => {
    expect(tagsInUse(rows)).toEqual(['HR', 'Pay'])
  })
})

describe('words', () => {
  it('link only to addresses of the web', () => {
    expect(webAddress('https://example.org/a')).toBe('https://example.org/a')
    for (const uri of ['javascript:alert(1)', 'src/pay.ts', 'https://', null]) expect(webAddress(uri)).toBeNull()
  })

  it('say what is happening with real counts, or without when there are none', () => {
    const progress = { done: 412, total: 1668, unit: 'passages' as const }
    expect(stageWords(row('a', { stage: 'embedding', progress }))).toBe('Embedding 412 of 1,668')
    expect(stageWords(row('a', { stage: 'parsing', progress: { done: 9, total: 48, unit: 'pages' } }))).toBe(
      'Reading page 9 of 48',
    )
    expect(stageWords(row('a', { stage: 'parsing' }))).toBe('Reading')
    expect(stageWords(row('a', { stage: 'queued' }))).toBe('Waiting to be read')
    const failure = { code: 'not-scanned' as const, ...ingestFailures['not-scanned'] }
    expect(stageWords(row('a', { stage: 'queued', failure }))).toBe('Waiting for the virus scanner')
  })

  it('say before a deletion how many answers lose their source', () => {
    expect(deletionWords(0)).toContain('No answer cites it')
    expect(deletionWords(1)).toContain('1 answer cites it')
    expect(deletionWords(12)).toContain('12 answers cite it')
  })
})

describe('keepUnchanged', () => {
  it('gives back the same object for a row in which nothing changed', () => {
    const before = [row('a'), row('b', { stage: 'parsing' })]
    const after = keepUnchanged(before, [row('b'), row('a')])
    expect(after.map(({ stage }) => stage)).toEqual(['ready', 'ready'])
    expect(after[1]).toBe(before[0])
    expect(after[0]).not.toBe(before[1])
  })
})
