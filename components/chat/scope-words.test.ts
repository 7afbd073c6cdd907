import { describe, expect, it } from 'vitest'
import { documentFilterSchema } from '#lib/shared/retrieval-contract.ts'
import { everywhere, scopeInWords, typeChoices, withPart } from './scope-words.ts'

const collections = [
  { id: 'h', name: 'Handbook', documents: 3 },
  { id: 'p', name: 'Policies', documents: 2 },
]

describe('where a question is searched', () => {
  it('is everything while nothing is chosen, and when every collection is', () => {
    expect(scopeInWords(collections, everywhere)).toBe('All documents')
    expect(scopeInWords(collections, { ...everywhere, collectionIds: ['h', 'p'] })).toBe('All documents')
  })

  it('says every bound, and how many more of a kind there are', () => {
    const filter = {
      mediaTypes: ['application/pdf'],
      languages: ['de', 'en', 'fr'],
      tags: ['leave'],
      datedFrom: '2024-01-01',
    }
    expect(scopeInWords(collections, { collectionIds: ['h'], filter })).toBe(
      'Handbook · PDF · German and 2 more · tagged leave · dated from 2024-01-01',
    )
  })

  it('puts media types that people do not tell apart into one choice', () => {
    const sheets = [
      { value: 'text/csv', count: 2 },
      { value: 'application/pdf', count: 3 },
      { value: 'text/tab-separated-values', count: 2 },
    ]
    expect(typeChoices(sheets)).toEqual([
      { value: 'Sheet', label: 'Sheet', count: 4, mediaTypes: ['text/csv', 'text/tab-separated-values'] },
      { value: 'PDF', label: 'PDF', count: 3, mediaTypes: ['application/pdf'] },
    ])
  })

  it('leaves out a bound that asks for nothing, so that the server takes what is sent', () => {
    const filter = withPart({ languages: ['de'], datedTo: '2024-01-01' }, 'datedTo', '')
    expect(filter).toEqual({ languages: ['de'] })
    expect(documentFilterSchema.safeParse(withPart(filter, 'languages', [])).data).toEqual({})
  })
})
