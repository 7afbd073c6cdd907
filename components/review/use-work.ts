'use client'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import type { EditCheck, ReviewDetail } from '#lib/shared/review-contract.ts'
import type { DeskActions } from './desk-contract.ts'
import { cutSentences, joinSentences, type SentenceCut, sentencesOfDraft } from './sentence-edit.ts'

/** What a reviewer has done to an answer so far: it is put back whenever the answer is opened again. */
export type Work = {
  sentences: string[]
  whole: string | null
  note: string
  /** A comment and a question to an expert, as far as they are typed. */
  comment: string
  question: string
  seen: ReadonlySet<number>
}

export type Checked = { of: string; check: EditCheck } | { of: string; error: string }

/** What the server has of a draft, as far as is known here; `failures` in a row since. */
export type Saved = { text: string; note: string; at: string | null; error: string | null; failures: number }

const saveEveryMs = 2_000
const saveAtLeastEveryMs = 60_000
const checkAfterMs = 500

/** How long after a change a draft is saved: later each time that it fails. */
export const saveAfterMs = ({ failures }: Pick<Saved, 'failures'>): number =>
  Math.min(saveEveryMs * 2 ** failures, saveAtLeastEveryMs)

/** What the server has after a try: where it failed, what it had before. */
export const savedAfter = (
  before: Saved,
  sent: Pick<Saved, 'text' | 'note'>,
  done: { value: { updatedAt: string } } | { error: string },
): Saved =>
  'value' in done
    ? { ...sent, at: done.value.updatedAt, error: null, failures: 0 }
    : { ...before, error: done.error, failures: before.failures + 1 }

const freshWork = (cut: SentenceCut, draft: ReviewDetail['draft']): Work => {
  const plain = {
    ...{ sentences: cut.sentences, whole: null, note: draft?.note ?? '' },
    ...{ comment: '', question: '', seen: new Set<number>() },
  }
  if (!draft?.text) return plain
  const sentences = sentencesOfDraft(cut, draft.text)
  return sentences ? { ...plain, sentences } : { ...plain, whole: draft.text }
}

const textOf = ({ gaps }: SentenceCut, { whole, sentences }: Work): string => whole ?? joinSentences(gaps, sentences)

type WorkOptions = {
  kept: Work | undefined
  /** While it is open a draft of it is kept, whoever has it. */
  isOpen: boolean
  actions: DeskActions
  /** What was typed could not be saved, and its field is gone. */
  onLost: (words: string) => void
}

/** The edit of one answer: kept every two seconds, checked again when typing rests. */
export const useWork = (item: ReviewDetail, { kept, isOpen, actions, onLost }: WorkOptions) => {
  const cut = useMemo(() => cutSentences(item.text, item.claims), [item.text, item.claims])
  const [work, setWork] = useState<Work>(() => {
    const fresh = freshWork(cut, item.draft)
    if (!kept) return fresh
    // Of what is decided only the comments go on.
    return item.state === 'open' ? kept : { ...fresh, comment: kept.comment }
  })
  const text = textOf(cut, work)
  const edited = text !== item.text

  const [saved, setSaved] = useState<Saved>(() => {
    const known = freshWork(cut, item.draft)
    return {
      ...{ text: textOf(cut, known), note: known.note },
      ...{ at: item.draft?.updatedAt ?? null, error: null, failures: 0 },
    }
  })
  const dirty = isOpen && (saved.text !== text || saved.note !== work.note)
  const latest = useRef({ text, note: work.note })
  latest.current = { text, note: work.note }
  const { saveDraft, checkEdit } = actions
  // A timer that typing does not put off: what is typed is kept at most two seconds later.
  const save = useCallback(async () => {
    const sent = latest.current
    const done = await attempt(saveDraft({ itemId: item.id, ...sent }))
    setSaved((before) => savedAfter(before, sent, done))
    return done
  }, [item.id, saveDraft])
  // What was typed while one was kept, or could not be, is kept by the next.
  useEffect(() => {
    if (!dirty) return
    const timer = setTimeout(() => void save(), saveAfterMs(saved))
    return () => clearTimeout(timer)
  }, [dirty, saved, save])

  // Who leaves, whichever way within the page, leaves nothing behind.
  const leaving = useRef({ dirty, onLost })
  leaving.current = { dirty, onLost }
  useEffect(
    () => () => {
      const { dirty: unsaved, onLost: tell } = leaving.current
      if (unsaved) void save().then((done) => 'error' in done && tell(done.error))
    },
    [save],
  )

  const [checked, setChecked] = useState<Checked | null>(null)
  const check = useCallback(
    async (of: string): Promise<Checked> => {
      const done = await attempt(checkEdit({ itemId: item.id, text: of }))
      const result = 'value' in done ? { of, check: done.value } : { of, error: done.error }
      // An answer about words that were changed meanwhile is of no use.
      if (latest.current.text === of) setChecked(result)
      return result
    },
    [checkEdit, item.id],
  )
  useEffect(() => {
    if (!edited || !text.trim()) return
    const timer = setTimeout(() => void check(text), checkAfterMs)
    return () => clearTimeout(timer)
  }, [edited, text, check])

  const change = useCallback((part: Partial<Work>) => setWork((before) => ({ ...before, ...part })), [])
  return {
    cut,
    work,
    text,
    edited,
    saved,
    /** The words as they are when it is asked, also after a wait. */
    textNow: useCallback(() => latest.current.text, []),
    /** Of the words as they stand; null while they are being checked. */
    checked: checked?.of === text ? checked : null,
    check,
    setSentence: (at: number, words: string) =>
      setWork((before) => ({ ...before, sentences: before.sentences.with(at, words) })),
    setWhole: (words: string) => change({ whole: words }),
    setNote: (note: string) => change({ note }),
    setComment: useCallback((comment: string) => change({ comment }), [change]),
    setQuestion: useCallback((question: string) => change({ question }), [change]),
    see: useCallback(
      (ordinal: number) => setWork((before) => ({ ...before, seen: new Set([...before.seen, ordinal]) })),
      [],
    ),
    undo: () => change({ sentences: cut.sentences, whole: null }),
  }
}
