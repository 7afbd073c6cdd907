/** What the documents table shows of its rows: in which order, which of them, and their state in words. Pure. */
import type { DocumentRow, Stage } from '#lib/shared/admin-contract.ts'
import { formatCount } from '#lib/shared/format.ts'

export const stateFilters = ['ready', 'in-work', 'failed'] as const
export type StateFilter = (typeof stateFilters)[number]

const sortKeys = ['name', 'state', 'collection', 'pages', 'chunks', 'citedBy', 'changedAt'] as const
export type SortKey = (typeof sortKeys)[number]
export type Sort = { key: SortKey; descending: boolean }

export type DocumentFilter = { text: string; state: StateFilter | null; collectionId: string | null; sort: Sort }

export const isInWork = ({ stage }: Pick<DocumentRow, 'stage'>): boolean => stage !== 'ready' && stage !== 'failed'

const stateOf = (row: DocumentRow): StateFilter =>
  row.stage === 'ready' || row.stage === 'failed' ? row.stage : 'in-work'

/** A sort as the address says it: `name`, or `-name` for descending. What is not one is newest first. */
export const parseSort = (value: string | null): Sort => {
  const key = sortKeys.find((one) => one === value?.replace(/^-/, ''))
  return key ? { key, descending: value?.startsWith('-') ?? false } : { key: 'changedAt', descending: true }
}
export const formatSort = ({ key, descending }: Sort): string => `${descending ? '-' : ''}${key}`

/** Failures first: they wait for somebody. */
const stageOrder: Record<Stage, number> = { failed: 0, queued: 1, parsing: 2, chunking: 3, embedding: 4, ready: 5 }

const sortValue = (row: DocumentRow, key: SortKey): string | number => {
  if (key === 'name') return row.name
  if (key === 'collection') return row.collection.name
  if (key === 'state') return stageOrder[row.stage]
  if (key === 'changedAt') return Date.parse(row.changedAt)
  return row[key] ?? -1
}

export const selectDocuments = (rows: readonly DocumentRow[], filter: DocumentFilter): DocumentRow[] => {
  const text = filter.text.trim().toLowerCase()
  const sign = filter.sort.descending ? -1 : 1
  return rows
    .filter(
      (row) =>
        (!text || row.name.toLowerCase().includes(text)) &&
        (!filter.state || stateOf(row) === filter.state) &&
        (!filter.collectionId || row.collection.id === filter.collectionId),
    )
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
export const stageWords = ({ stage, progress }: Pick<DocumentRow, 'stage' | 'progress'>): string => {
  const counted = progress && progress.total > 0 ? progress : null
  const of = counted && `${formatCount(counted.done)} of ${formatCount(counted.total)}`
  if (stage === 'queued') return 'Waiting to be read'
  if (stage === 'parsing') return of ? `Reading page ${of}` : 'Reading'
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
