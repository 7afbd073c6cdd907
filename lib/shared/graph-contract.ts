/** The wire of the graph page, and how a name is folded so that two ways of writing it meet. Pure. */

/** `name`: a proper name of which nothing more is known. */
export const entityKinds = ['person', 'organisation', 'place', 'product', 'code', 'term', 'name'] as const
export type EntityKind = (typeof entityKinds)[number]

/** The predicate of two things that only stand in one sentence. */
export const togetherPredicate = 'with'

const dense = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}'
/** A word is a run of letters or of digits: `H40`, `H-40` and `h 40` are the same two words. Scripts without spaces are told apart from others. */
const word = new RegExp(`[${dense}]+|\\p{N}+|[[\\p{L}\\p{M}]--[${dense}]]+`, 'gv')

/** The words of a name or a question, folded: case, punctuation and the possessive `’s` are gone. */
export const foldedWords = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/['’]s(?!\p{L})/gu, '')
    .match(word) ?? []

/** A name as it is looked up; empty when there is no word in it. A leading article is left out. */
export const foldName = (name: string): string => {
  const words = foldedWords(name)
  return (words[0] === 'the' && words.length > 1 ? words.slice(1) : words).join(' ')
}

export type GraphEntity = {
  id: string
  name: string
  kind: EntityKind
  /** Passages that speak of it. */
  passages: number
}

/** All that is said of two things, whichever way round, as one line. */
export type GraphEdge = {
  /** The smaller id first. */
  between: [string, string]
  passages: number
  /** What passages say, the most frequent first and `with` (they only stand together) last. */
  said: { fromId: string; toId: string; predicate: string }[]
}

/** A passage that an edge rests on. */
export type GraphSource = {
  chunkId: string
  documentId: string
  title: string
  mediaType: string
  ordinal: number
  page: number | null
  predicates: string[]
  text: string
  /** Where either of the two is spoken of, in order, counted in `text`. */
  marks: { start: number; end: number }[]
}

export type GraphNeighbourhood = {
  centre: GraphEntity & { aliases: string[] }
  neighbours: GraphEntity[]
  /** Between any two of what is shown. */
  edges: GraphEdge[]
  /** Neighbours that are not shown. */
  more: number
}

export type GraphSize = {
  extract: 'off' | 'patterns' | 'model'
  /** Whether searches take the step over it. */
  searched: boolean
  entities: number
  relations: number
  documents: { done: number; waiting: number; failed: number; untouched: number }
  /** What models cost that read passages for it, in micro-dollars, and calls of which no price is known. */
  costMicros: number
  unpricedCalls: number
}
