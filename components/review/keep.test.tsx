import { renderToStaticMarkup } from 'react-dom/server'
import { expect, it, vi } from 'vitest'
import { reviewDetail } from '#components/fixtures/review-detail.ts'
import { questionWanted } from '#lib/shared/review-contract.ts'
import { DeskKeep } from './desk-keep.tsx'
import { type KeepKind, keepingOf, keepKindsOf, notableDocuments } from './keep.ts'
import type { Keep } from './use-keep.ts'

const decided = { at: '2026-03-02T09:50:00Z', by: 'Ben', decision: { act: 'approve' as const, contentHash: 'a' } }

const keep = (change: Partial<Keep> = {}): string =>
  renderToStaticMarkup(
    <DeskKeep
      keep={{
        kinds: ['golden', 'curated', 'note'],
        documents: notableDocuments(reviewDetail().citations),
        keeping: {},
        typed: { question: null, documentId: 'd2', note: '' },
        type: vi.fn(),
        noting: false,
        press: vi.fn(),
        note: vi.fn(),
        closeNote: vi.fn(),
        ...change,
      }}
    />,
  )

it('keeps what a person stands by, and lets a rejected answer tell of its documents alone', () => {
  const kinds = (state: 'approved' | 'edited' | 'rejected' | 'expired' | 'withdrawn'): KeepKind[] =>
    keepKindsOf({ state, decided: state === 'expired' || state === 'withdrawn' ? null : decided })
  expect(kinds('approved')).toEqual(['golden', 'curated', 'note'])
  expect(kinds('edited')).toEqual(['golden', 'curated', 'note'])
  expect(kinds('rejected')).toEqual(['note'])
  expect([...kinds('expired'), ...kinds('withdrawn')]).toEqual([])
})

it('names each cited document once, and none that is gone', () => {
  const [first, second] = reviewDetail().citations
  if (!first || !second) throw new Error('the fixture cites more')
  expect(notableDocuments([first, { ...first, ordinal: 2 }, { ...second, removed: true }])).toEqual([
    { documentId: first.documentId, title: first.title },
  ])
})

it('asks for the question only where that is what was missing', () => {
  expect(keepingOf({ error: questionWanted })).toMatchObject({ state: 'refused', wants: 'question' })
  expect(keepingOf({ error: 'The question was deleted.' })).toMatchObject({ state: 'refused', wants: null })
  expect(keepingOf({ value: { id: 'x', made: false } })).toEqual({ state: 'saved', made: false })
})

it('says what is being saved, what was, and where to find it', () => {
  expect(keep({ keeping: { golden: { state: 'saving' } } })).toContain('Saving…')
  const saved = keep({ keeping: { golden: { state: 'saved', made: true }, curated: { state: 'saved', made: false } } })
  expect(saved).toContain('Saved as golden case. It was a checked answer already.')
  expect(saved).toContain('href="/review/corrections"')
  expect(saved).not.toContain('Save as golden case')
  expect(saved).toContain('Note on a document')
  expect(keep()).not.toContain('/review/corrections')
})

it('says once why both were refused, and keeps what was typed, also while it is on its way', () => {
  const refused = { state: 'refused' as const, words: questionWanted, wants: 'question' as const }
  const typed = { question: 'How long are logs kept?', documentId: '', note: '' }
  const both = keep({ keeping: { golden: refused, curated: refused }, typed })
  expect(both.split(questionWanted)).toHaveLength(2)
  expect(both).toMatch(/<textarea[^>]*>How long are logs kept\?<\/textarea>/)
  expect(keep({ keeping: { golden: { state: 'saving' } }, typed })).toContain('How long are logs kept?')
  expect(keep({ keeping: { golden: { ...refused, wants: null } }, typed })).not.toContain('<textarea')
})

it('lets a note choose among the cited documents', () => {
  const form = keep({ noting: true, typed: { question: null, documentId: 'd2', note: 'Out of date.' } })
  expect(form).toMatch(/<option value="d2" selected="">Transfer register<\/option>/)
  expect(form).toMatch(/<textarea[^>]*>Out of date\.<\/textarea>/)
  expect(keep({ noting: true, documents: [] })).toContain('It cites no document that can be opened.')
})
