/** What is kept, in the words of the Retention page. */
import { formatCount } from '#lib/shared/format.ts'
import type { Counts, ErasureKind } from '#lib/shared/keeping-contract.ts'
import type { RetentionKind } from '#lib/shared/policy-contract.ts'
import type { HoldKind } from '#lib/shared/records-contract.ts'

export const kindWords: Record<RetentionKind, { name: string; many: string; note: string }> = {
  chats: {
    name: 'Conversations',
    many: 'conversations',
    note: 'with their messages and citations, from their last turn',
  },
  traces: { name: 'Traces', many: 'traces', note: 'how answers came about' },
  calls: { name: 'Model calls', many: 'model calls', note: 'what was asked of models and what it cost' },
  audit: {
    name: 'Audit log',
    many: 'lines of the audit log',
    note: 'from its beginning, and never of the last half year',
  },
  sessions: { name: 'Ended sessions', many: 'ended sessions', note: 'who was signed in where' },
  exports: {
    name: 'Results',
    many: 'results',
    note: 'summaries that were asked for, and archives of people’s own data',
  },
}

export const holdWords: Record<HoldKind, string> = { person: 'Person', document: 'Document', collection: 'Collection' }

/** `400 days`, `for ever`. */
export const daysWords = (days: number | null): string =>
  days === null ? 'for ever' : days === 1 ? 'one day' : `${formatCount(days)} days`

/** `12 conversations, 3 keys`; nothing when nothing is counted. */
export const countsWords = (counts: Counts): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what}: ${formatCount(count)}`)
    .join(', ')

/** What a run deleted, kind by kind. */
export const runWords = (deleted: Partial<Record<RetentionKind, number>>): string => {
  const parts = Object.entries(deleted).map(
    ([kind, count]) => `${formatCount(count ?? 0)} ${kindWords[kind as RetentionKind]?.many ?? kind}`,
  )
  return parts.length === 0 ? 'Nothing was due' : parts.join(', ')
}

export const erasureWords: Record<ErasureKind, { title: string; find: string; note: string }> = {
  person: {
    title: 'Erase a person',
    find: 'Name or e-mail',
    note: 'Their account, conversations, keys and every mention of their address go. What they did stays under a number.',
  },
  document: {
    title: 'Erase a document',
    find: 'Name of the document',
    note: 'Its file, text, passages and vectors go, and the answers that quoted it are withdrawn.',
  },
}

/** Whether what was typed confirms, as the server judges it. */
export const confirms = (typed: string, label: string): boolean =>
  typed.normalize('NFKC').trim().toLowerCase() === label.normalize('NFKC').trim().toLowerCase()
