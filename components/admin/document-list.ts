/** What the documents table shows of its rows: in which order, which of them, and their state in words. Pure. */
import type { DocumentRow, Stage } from '#lib/shared/admin-contract.ts'
import { languageName, typeWord } from '#lib/shared/document-words.ts'
import { formatCount } from '#lib/shared/format.ts'

const stateWords = { ready: 'Ready', 'in-work': 'In work', failed: 'Failed' } as const
type State = keyof typeof stateWords

const sortKeys = ['name', 'state', 'collection', 'pages', 'chunks', 'citedBy', 'changedAt'] as const
export type SortKey = (typeof sortKeys)[number]
export type Sort = { key: SortKey; descending: boolean }

/** What documents are told apart by, in the order in which it is offered. */
export const facetNames = ['type', 'language', 'tag', 'source', 'state', 'collection'] as const
export type FacetName = (typeof facetNames)[number]
/** Of one facet any of these, of several facets each. */
export type FacetChoice = Record<FacetName, string[]>
export type FacetValue = { value: string; label: string; count: number }

export const facetWords: Record<FacetName, string> = {
  type: 'Type',
  language: 'Language',
  tag: 'Tag',
  source: 'Source',
  state: 'State',
  collection: 'Collection',
}

/** A list as the address has it; what cannot be read is left out. */
export const parseList = (text: string | null): string[] =>
  (text ?? '').split(',').flatMap((part) => {
    try {
      return part ? [decodeURIComponent(part)] : []
    } catch {
      return []
    }
  })
export const formatList = (values: readonly string[]): string | null => values.map(encodeURIComponent).join(',') || null

export const isInWork = ({ stage }: Pick<DocumentRow, 'stage'>): boolean => stage !== 'ready' && stage !== 'failed'

const stateOf = (row: DocumentRow): State => (row.stage === 'ready' || row.stage === 'failed' ? row.stage : 'in-work')

/** A sort as the address says it: `name`, or `-name` for descending. What is not one is newest first. */
export const parseSort = (value: string | null): Sort => {
  const key = sortKeys.find((one) => one === value?.replace(/^-/, ''))
  return key ? { key, descending: value?.startsWith('-') ?? false } : { key: 'changedAt', descending: true }
}
export const formatSort = ({ key, descending }: Sort): string => `${descending ? '-' : ''}${key}`

/** Failures first: they wait for somebody. */
const stageOrder: Record<Stage, number> = {
  failed: 0,
  queued: 1,
  scanning: 2,
  parsing: 3,
  recognising: 4,
  chunking: 5,
  embedding: 6,
  ready: 7,
}

const sortValue = (row: DocumentRow, key: SortKey): string | number => {
  if (key === 'name') return row.name
  if (key === 'collection') return row.collection.name
  if (key === 'state') return stageOrder[row.stage]
  if (key === 'changedAt') return Date.parse(row.changedAt)
  return row[key] ?? -1
}

const unknownLanguage = 'und'
const byPeople = 'upload'

/** What a document has of a facet, as value and label. */
const valuesOf = (row: DocumentRow, facet: FacetName): { value: string; label: string }[] => {
  const own = (word: string) => [{ value: word, label: word }]
  if (facet === 'type') return own(typeWord(row.mediaType, row.name))
  if (facet === 'tag') return allTags(row).flatMap(own)
  if (facet === 'collection') return [{ value: row.collection.id, label: row.collection.name }]
  if (facet === 'state') return [{ value: stateOf(row), label: stateWords[stateOf(row)] }]
  if (facet === 'language') {
    const language = row.language ?? unknownLanguage
    return [{ value: language, label: language === unknownLanguage ? 'Not known' : languageName(language) }]
  }
  return row.source
    ? [{ value: row.source.id, label: row.source.name }]
    : [{ value: byPeople, label: 'Uploaded by people' }]
}

/** Tags of both kinds, each once. */
const allTags = ({ tags, extractedTags }: DocumentRow): string[] => [...new Set([...tags, ...extractedTags])]

const matcher = (text: string, chosen: FacetChoice): ((row: DocumentRow, except?: FacetName) => boolean) => {
  const wanted = text.trim().toLowerCase()
  const asked = facetNames.filter((facet) => chosen[facet].length > 0)
  return (row, except) =>
    (!wanted || row.name.toLowerCase().includes(wanted)) &&
    asked.every((facet) => facet === except || valuesOf(row, facet).some(({ value }) => chosen[facet].includes(value)))
}

/**
 * The values of every facet with how many documents each leads to under the rest of what is chosen, most first. A chosen value stays,
 * also with none.
 */
export const countFacets = (
  rows: readonly DocumentRow[],
  text: string,
  chosen: FacetChoice,
): Record<FacetName, FacetValue[]> => {
  const matches = matcher(text, chosen)
  const counts = (facet: FacetName): FacetValue[] => {
    const found = new Map<string, FacetValue>()
    for (const row of rows) {
      const counted = matches(row, facet) ? 1 : 0
      for (const { value, label } of valuesOf(row, facet))
        found.set(value, { value, label, count: (found.get(value)?.count ?? 0) + counted })
    }
    return [...found.values()]
      .filter(({ value, count }) => count > 0 || chosen[facet].includes(value))
      .sort((a, b) => b.count - a.count || a.label.localeCompare(b.label))
  }
  return {
    type: counts('type'),
    language: counts('language'),
    tag: counts('tag'),
    source: counts('source'),
    state: counts('state'),
    collection: counts('collection'),
  }
}

/** Tags that people gave in the workspace, most used first: what another document is likely to be given. */
export const tagsInUse = (rows: readonly DocumentRow[]): string[] => {
  const counts = new Map<string, number>()
  for (const tag of rows.flatMap(({ tags }) => tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([tag]) => tag)
}

/** Why there is the newest version, where that is no new file. */
export const causeWords: Record<DocumentRow['cause'], string | null> = {
  upload: null,
  reindex: 'the same file, indexed anew',
  recognition: 'the same file, its pictures read',
}

/** An address of the web, or null: what a source calls its places is anybody's. */
export const webAddress = (uri: string | null): string | null =>
  uri !== null && /^https?:\/\//i.test(uri) && URL.canParse(uri) ? uri : null

type Selection = { text: string; chosen: FacetChoice; sort: Sort }

export const selectDocuments = (rows: readonly DocumentRow[], filter: Selection): DocumentRow[] => {
  const matches = matcher(filter.text, filter.chosen)
  const sign = filter.sort.descending ? -1 : 1
  return rows
    .filter((row) => matches(row))
    .sort((a, b) => {
      const [one, other] = [sortValue(a, filter.sort.key), sortValue(b, filter.sort.key)]
      const order =
        typeof one === 'string' && typeof other === 'string'
          ? one.localeCompare(other, 'en', { numeric: true, sensitivity: 'base' })
          : Number(one) - Number(other)
      return sign * order || a.name.localeCompare(b.name) || a.id.localeCompare(b.id)
    })
}

/** What is happening to a document right now, with real counts where there are any. */
export const stageWords = ({
  stage,
  progress,
  failure,
}: Pick<DocumentRow, 'stage' | 'progress' | 'failure'>): string => {
  const counted = progress && progress.total > 0 ? progress : null
  const of = counted && `${formatCount(counted.done)} of ${formatCount(counted.total)}`
  // What waits for another reason than its turn says so by that.
  if (stage === 'queued')
    return failure?.code === 'not-scanned' ? 'Waiting for the virus scanner' : 'Waiting to be read'
  if (stage === 'scanning') return 'Being scanned for viruses'
  if (stage === 'parsing') return of ? `Reading page ${of}` : 'Reading'
  if (stage === 'recognising') return of ? `Reading pictures, page ${of}` : 'Waiting to be read from pictures'
  if (stage === 'chunking') return 'Cutting into passages'
  if (stage === 'embedding') return of ? `Embedding ${of}` : 'Embedding'
  return stage === 'ready' ? 'Ready' : 'Failed'
}

/** What deleting a document takes with it. */
export const deletionWords = (citedBy: number): string =>
  citedBy === 0
    ? 'No answer cites it. It is not searched any more from now on, and the file is removed.'
    : `${formatCount(citedBy)} ${citedBy === 1 ? 'answer cites' : 'answers cite'} it. They stay, but say that the document was removed and no longer show its words. It is not searched any more from now on, and the file is removed.`

/** The new rows, but the very same object where nothing changed, so that a poll draws only what is different. */
export const keepUnchanged = (before: readonly DocumentRow[], after: readonly DocumentRow[]): DocumentRow[] => {
  const known = new Map(before.map((row) => [row.id, row]))
  return after.map((row) => {
    const old = known.get(row.id)
    return old && JSON.stringify(old) === JSON.stringify(row) ? old : row
  })
}
