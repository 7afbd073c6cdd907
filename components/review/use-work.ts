'use client'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import type { EditCheck, ReviewDetail } from '#lib/shared/review-contract.ts'
import type { DeskActions } from './desk-contract.ts'
import { cutSentences, joinSentences, type SentenceCut, sentencesOfDraft } from './sentence-edit.ts'

/** What a reviewer has done to an answer so far: it is put back when a decision is taken back. */
export type Work = { sentences: string[]; whole: string | null; note: string; seen: ReadonlySet<number> }

export type Checked = { of: string; check: EditCheck } | { of: string; error: string }

const saveEveryMs = 2_000
const checkAfterMs = 500

const freshWork = (cut: SentenceCut, draft: ReviewDetail['draft']): Work => {
  const plain = { sentences: cut.sentences, whole: null, note: draft?.note ?? '', seen: new Set<number>() }
  if (!draft?.text) return plain
  const sentences = sentencesOfDraft(cut, draft.text)
  return sentences ? { ...plain, sentences } : { ...plain, whole: draft.text }
}

/** The edit of one answer: kept every two seconds, checked again when typing rests. */
export const useWork = (item: ReviewDetail, kept: Work | undefined, mayWrite: boolean, actions: DeskActions) => {
  const cut = useMemo(() => cutSentences(item.text, item.claims), [item.text, item.claims])
  const [work, setWork] = useState<Work>(() => kept ?? freshWork(cut, item.draft))
  const text = work.whole ?? joinSentences(cut.gaps, work.sentences)
  const edited = text !== item.text

  const [saved, setSaved] = useState<{ text: string; note: string; at: string | null; error: string | null }>({
    text,
    note: work.note,
    at: item.draft?.updatedAt ?? null,
    error: null,
  })
  const dirty = mayWrite && (saved.text !== text || saved.note !== work.note)
  const latest = useRef({ text, note: work.note })
  latest.current = { text, note: work.note }
  const { saveDraft, checkEdit } = actions
  // A timer that typing does not put off: what is typed is kept at most two seconds later.
  const save = useCallback(async () => {
    const sent = latest.current
    const done = await attempt(saveDraft({ itemId: item.id, ...sent }))
    setSaved(({ at }) =>
      'value' in done ? { ...sent, at: done.value.updatedAt, error: null } : { ...sent, at, error: done.error },
    )
  }, [item.id, saveDraft])
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was typed while one was kept is kept by the next
  useEffect(() => {
    if (!dirty) return
    const timer = setTimeout(() => void save(), saveEveryMs)
    return () => clearTimeout(timer)
  }, [dirty, saved, save])

  // Who leaves, whichever way within the page, leaves nothing behind.
  const unsaved = useRef(dirty)
  unsaved.current = dirty
  useEffect(
    () => () => {
      if (unsaved.current) void save()
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
    /** Of the words as they stand; null while they are being checked. */
    checked: checked?.of === text ? checked : null,
    check,
    setSentence: (at: number, words: string) =>
      setWork((before) => ({ ...before, sentences: before.sentences.with(at, words) })),
    setWhole: (words: string) => change({ whole: words }),
    setNote: (note: string) => change({ note }),
    see: useCallback(
      (ordinal: number) => setWork((before) => ({ ...before, seen: new Set([...before.seen, ordinal]) })),
      [],
    ),
    undo: () => change({ sentences: cut.sentences, whole: null }),
  }
}
