import { describe, expect, it } from 'vitest'
import type { DocumentRow } from '#lib/shared/admin-contract.ts'
import { deletionWords, formatSort, keepUnchanged, parseSort, selectDocuments, stageWords } from './document-list.ts'

const row = (name: string, more: Partial<DocumentRow> = {}): DocumentRow => ({
  id: name,
  name,
  collection: { id: 'general', name: 'General' },
  mediaType: 'text/markdown',
  bytes: 1,
  stage: 'ready',
  progress: null,
  failure: null,
  earlierVersionServes: false,
  version: 1,
  versionId: name,
  pages: null,
  chunks: 1,
  description: null,
  describing: null,
  chunksReused: 0,
  citedBy: 0,
  changedAt: '2026-01-01T00:00:00.000Z',
  ...more,
})
const everything = { text: '', state: null, collectionId: null, sort: parseSort(null) }
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
    expect(names(selectDocuments(rows, { ...everything, state: 'in-work' }))).toEqual(['leave.pdf'])
    expect(names(selectDocuments(rows, { ...everything, state: 'ready', collectionId: 'hr' }))).toEqual([])
  })

  it('reads any sort in the address, and takes nonsense for none', () => {
    expect(formatSort(parseSort('-citedBy'))).toBe('-citedBy')
    expect(formatSort(parseSort('nonsense'))).toBe('-changedAt')
  })
})

describe('words', () => {
  it('say what is happening with real counts, or without when there are none', () => {
    const progress = { done: 412, total: 1668, unit: 'passages' as const }
    expect(stageWords(row('a', { stage: 'embedding', progress }))).toBe('Embedding 412 of 1,668')
    expect(stageWords(row('a', { stage: 'parsing', progress: { done: 9, total: 48, unit: 'pages' } }))).toBe(
      'Reading page 9 of 48',
    )
    expect(stageWords(row('a', { stage: 'parsing' }))).toBe('Reading')
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
