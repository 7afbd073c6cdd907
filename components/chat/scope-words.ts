/** Where a question is searched for, in words. Pure. */
import type { ScopeFacets } from '#lib/shared/chat-contract.ts'
import { languageName, typeWord } from '#lib/shared/document-words.ts'
import type { DocumentFilter } from '#lib/shared/retrieval-contract.ts'

export type ScopeCollection = { id: string; name: string; documents: number }

/** What a question is narrowed to; nothing named is everything that the viewer can see. */
export type Scope = { collectionIds: string[]; filter: DocumentFilter }

export const everywhere: Scope = { collectionIds: [], filter: {} }

type TypeChoice = { value: string; label: string; count: number; mediaTypes: string[] }

/** Types as people tell them apart: a word may stand for several media types. */
export const typeChoices = (mediaTypes: ScopeFacets['mediaTypes']): TypeChoice[] =>
  [...Map.groupBy(mediaTypes, ({ value }) => typeWord(value))]
    .map(([word, of]) => ({
      value: word,
      label: word,
      count: of.reduce((sum, { count }) => sum + count, 0),
      mediaTypes: of.map(({ value }) => value),
    }))
    .sort((a, b) => b.count - a.count || a.label.localeCompare(b.label))

const unique = (words: readonly string[]): string[] => [...new Set(words)]

const datesInWords = ({ datedFrom, datedTo }: DocumentFilter): string[] => {
  if (datedFrom && datedTo) return [`dated ${datedFrom} to ${datedTo}`]
  if (datedFrom) return [`dated from ${datedFrom}`]
  return datedTo ? [`dated to ${datedTo}`] : []
}

/** `Handbook · PDF · German · tagged leave`; of several of a kind the first, and how many more. */
export const scopeInWords = (collections: readonly ScopeCollection[], { collectionIds, filter }: Scope): string => {
  const named = collections.filter(({ id }) => collectionIds.includes(id)).map(({ name }) => name)
  const kinds = [
    named.length === collections.length ? [] : named,
    unique((filter.mediaTypes ?? []).map((one) => typeWord(one))),
    (filter.languages ?? []).map(languageName),
    (filter.tags ?? []).map((tag, at) => (at === 0 ? `tagged ${tag}` : tag)),
    datesInWords(filter),
  ]
  const parts = kinds.flatMap((words) => {
    const [first, second] = words
    if (first === undefined) return []
    return words.length <= 2 ? [[first, second].filter(Boolean).join(', ')] : [`${first} and ${words.length - 1} more`]
  })
  return parts.join(' · ') || 'All documents'
}

/** The filter with one part changed; a part that asks for nothing is left out. */
export const withPart = <Part extends keyof DocumentFilter>(
  filter: DocumentFilter,
  part: Part,
  wanted: DocumentFilter[Part],
): DocumentFilter => {
  const { [part]: _, ...rest } = filter
  return wanted?.length ? { ...rest, [part]: wanted } : rest
}
