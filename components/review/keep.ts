/** What a decision is kept as beyond its one answer, and what came of each press. Pure. */
import type { Citation } from '#lib/shared/chat-contract.ts'
import { type CorrectionKind, questionWanted, type ReviewDetail } from '#lib/shared/review-contract.ts'
import type { KeptAs } from './desk-contract.ts'

export type KeepKind = CorrectionKind | 'note'

export type Keeping =
  | { state: 'saving' }
  | { state: 'saved'; made: boolean }
  /** `wants` the question worded as it stands by itself: then it may be typed and sent again. */
  | { state: 'refused'; words: string; wants: 'question' | null }

export const keepWords: Record<KeepKind, { does: string; sign: string; done: string; was: string }> = {
  golden: {
    does: 'Save as golden case',
    sign: 'G',
    done: 'Saved as golden case',
    was: 'It was a golden case already',
  },
  curated: {
    does: 'Save as checked answer',
    sign: 'S',
    done: 'Saved as checked answer',
    was: 'It was a checked answer already',
  },
  note: { does: 'Note on a document', sign: 'D', done: 'Note left', was: 'That note was there already' },
}

/** What can be made of it: a rejected answer is kept as nothing, and tells of its documents all the same. */
export const keepKindsOf = ({ state, decided }: Pick<ReviewDetail, 'state' | 'decided'>): KeepKind[] => {
  if (!decided) return []
  if (state === 'approved' || state === 'edited') return ['golden', 'curated', 'note']
  return state === 'rejected' ? ['note'] : []
}

/** The documents that an answer cites and that can be opened, each once, in the order of their numbers. */
export const notableDocuments = (citations: readonly Citation[]): { documentId: string; title: string }[] => [
  ...new Map(
    citations.flatMap(({ documentId, title, removed }) =>
      removed ? [] : [[documentId, { documentId, title }] as const],
    ),
  ).values(),
]

/** What became of a press, in the words of whoever refused it. */
export const keepingOf = (done: { value: KeptAs } | { error: string }): Keeping =>
  'value' in done
    ? { state: 'saved', made: done.value.made }
    : { state: 'refused', words: done.error, wants: done.error === questionWanted ? 'question' : null }
