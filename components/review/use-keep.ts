'use client'
import { useState } from 'react'
import { attempt } from '#components/admin/models-form.ts'
import { questionCharsKept, type ReviewDetail } from '#lib/shared/review-contract.ts'
import type { DeskActions } from './desk-contract.ts'
import { type Keeping, type KeepKind, keepingOf, keepKindsOf, notableDocuments } from './keep.ts'

type KeepActions = Pick<DeskActions, 'saveGolden' | 'saveCurated' | 'noteDocument'>
type Typed = { question: string | null; documentId: string; note: string }

/** What comes of a decided answer: each kind once, and what was typed for it until it is taken. */
export const useKeep = (item: ReviewDetail, actions: KeepActions) => {
  const [keeping, setKeeping] = useState<Partial<Record<KeepKind, Keeping>>>({})
  const [noting, setNoting] = useState(false)
  const documents = notableDocuments(item.citations)
  const [typed, setTyped] = useState<Typed>({ question: null, documentId: documents[0]?.documentId ?? '', note: '' })
  const set = (kind: KeepKind, now: Keeping) => setKeeping((before) => ({ ...before, [kind]: now }))

  const save = async (kind: 'golden' | 'curated') => {
    const before = keeping[kind]?.state
    if (before === 'saving' || before === 'saved') return
    set(kind, { state: 'saving' })
    // Worded once, it serves both.
    const question = typed.question?.trim()
    const input = { itemId: item.id, ...(question ? { question } : {}) }
    const now = keepingOf(await attempt(kind === 'golden' ? actions.saveGolden(input) : actions.saveCurated(input)))
    if (now.state === 'refused' && now.wants)
      setTyped((was) => ({ ...was, question: was.question ?? item.question.slice(0, questionCharsKept) }))
    set(kind, now)
  }
  const note = async () => {
    const text = typed.note.trim()
    if (keeping.note?.state === 'saving') return
    if (!text) return set('note', { state: 'refused', words: 'Type what is wrong with the document.', wants: null })
    set('note', { state: 'saving' })
    const now = keepingOf(await attempt(actions.noteDocument({ itemId: item.id, documentId: typed.documentId, text })))
    set('note', now)
    if (now.state !== 'saved') return
    setNoting(false)
    setTyped((was) => ({ ...was, note: '' }))
  }

  return {
    kinds: keepKindsOf(item),
    documents,
    keeping,
    typed,
    type: (part: Partial<Typed>) => setTyped((was) => ({ ...was, ...part })),
    noting,
    press: (kind: KeepKind) => (kind === 'note' ? setNoting(true) : void save(kind)),
    note,
    closeNote: () => setNoting(false),
  }
}
export type Keep = ReturnType<typeof useKeep>
