/** What stands on the desk in words: why an answer is there, how much time is left, what became of it. Pure. */
import type { BadgeProps } from '#components/ui/badge.tsx'
import type {
  RejectReason,
  ReviewDetail,
  ReviewKind,
  ReviewReasonKind,
  ReviewRow,
  ReviewState,
} from '#lib/shared/review-contract.ts'

export const reasonWords: Record<ReviewReasonKind, string> = {
  confidence: 'Low confidence',
  topic: 'Sensitive topic',
  collection: 'Sensitive collection',
  role: 'Who asked',
  'personal-data': 'Personal data',
  injection: 'Orders to the model',
  unsupported: 'Not supported',
  contradiction: 'Sources disagree',
  rule: 'A rule',
  unchecked: 'Could not be checked',
  feedback: 'Thumb down',
  asked: 'No answer found',
  sampled: 'Sampled',
}

export const kindWords: Record<ReviewKind, string> = {
  held: 'Held',
  queued: 'Shown, to check',
  sampled: 'Shown, sampled',
  feedback: 'Shown, disliked',
  asked: 'A person was asked for',
}

export const stateWords: Record<ReviewState, string> = {
  open: 'Open',
  approved: 'Approved',
  edited: 'Edited',
  rejected: 'Rejected',
  expired: 'Nobody decided in time',
  withdrawn: 'Withdrawn by the asker',
}

/** What happened, as the end of a sentence that begins with who. */
export const decidedWords: Record<ReviewState, string> = {
  open: 'has not decided',
  approved: 'approved it',
  edited: 'approved it with an edit',
  rejected: 'rejected it',
  expired: 'let its time run out',
  withdrawn: 'withdrew it',
}

/** In the order of their keys, 1 to 7; short, for who decides. */
export const rejectWords: Record<RejectReason, string> = {
  wrong: 'Not true',
  unsupported: 'Not in the sources',
  outdated: 'Out of date',
  incomplete: 'Leaves out what matters',
  unsafe: 'Could do harm',
  confidential: 'Should not be told',
  'off-topic': 'Does not answer the question',
}

/** What stops harm is red, doubt is amber, what only wants a look is plain. */
export const reasonVariant = (reason: ReviewReasonKind): NonNullable<BadgeProps['variant']> =>
  ['injection', 'personal-data', 'topic'].includes(reason)
    ? 'destructive'
    : ['sampled', 'asked', 'collection', 'role'].includes(reason)
      ? 'default'
      : 'warning'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** `2 h 10 min`, `3 d 4 h`, `under a minute`; milliseconds in. */
export const spanInWords = (ms: number): string => {
  if (ms < minuteMs) return 'under a minute'
  const [days, hours, minutes] = [
    Math.floor(ms / dayMs),
    Math.floor((ms % dayMs) / hourMs),
    Math.floor((ms % hourMs) / minuteMs),
  ]
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`
  if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`
  return `${minutes} min`
}

type Due = { words: string; state: 'fine' | 'soon' | 'late' }
const soonMs = 30 * minuteMs

/** How much of the time that was promised is left. */
export const dueOf = (dueAt: string, nowMs: number): Due => {
  const leftMs = new Date(dueAt).getTime() - nowMs
  if (leftMs < 0) return { words: `late by ${spanInWords(-leftMs)}`, state: 'late' }
  return { words: `due in ${spanInWords(leftMs)}`, state: leftMs < soonMs ? 'soon' : 'fine' }
}

export const dueClasses: Record<Due['state'], string> = {
  fine: 'text-muted-foreground',
  soon: 'font-medium text-warning',
  late: 'font-medium text-destructive',
}

/** `9:42`; never below zero. */
export const clockOf = (leftMs: number): string => {
  const seconds = Math.max(0, Math.floor(leftMs / 1_000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

export const confidenceInWords = (confidence: number): string => `Confidence ${confidence.toFixed(2)}`

/** Who has it: `yours for 9:42`, a name, or nobody. A claim that ran out is nobody's. */
export const holderOf = (
  { claimedBy }: Pick<ReviewRow, 'claimedBy'>,
  viewerId: string,
  nowMs: number,
): { who: 'you' | 'other' | 'nobody'; words: string } => {
  const leftMs = claimedBy ? new Date(claimedBy.until).getTime() - nowMs : 0
  if (!claimedBy || leftMs <= 0) return { who: 'nobody', words: 'nobody has it' }
  if (claimedBy.id === viewerId) return { who: 'you', words: `yours for ${clockOf(leftMs)}` }
  return { who: 'other', words: `${claimedBy.name} has it` }
}

/** What is flagged: it claims something, and its sources do not carry it. */
export const isFlagged = ({ claims, supported }: { claims: boolean; supported: boolean }): boolean =>
  claims && !supported

/** Ordinals behind flagged sentences that were not opened yet, in order. Those that cannot be opened any more are not asked for. */
export const unseenOf = (
  { claims, citations }: Pick<ReviewDetail, 'claims' | 'citations'>,
  seen: ReadonlySet<number>,
): number[] => {
  const there = new Set(citations.flatMap(({ ordinal, removed }) => (removed ? [] : [ordinal])))
  const asked = claims.filter(isFlagged).flatMap(({ ordinals }) => ordinals)
  return [...new Set(asked)].filter((ordinal) => there.has(ordinal) && !seen.has(ordinal))
}

/** Rows that may be decided at once: shown already, of one reason, and free. Null: they may; else why not, in words. */
export const bulkRefusal = (rows: readonly ReviewRow[], viewerId: string, nowMs: number): string | null => {
  const [first] = rows
  if (!first) return 'Choose answers first.'
  if (rows.some(({ held }) => held)) return 'Held answers are decided one by one.'
  if (rows.some(({ kind }) => kind !== 'sampled' && kind !== 'queued'))
    return 'Only sampled and queued answers can be approved together.'
  if (rows.some(({ reason }) => reason !== first.reason)) return 'Choose answers with the same reason.'
  if (rows.some((row) => holderOf(row, viewerId, nowMs).who === 'other')) return 'Somebody has one of these.'
  return null
}
