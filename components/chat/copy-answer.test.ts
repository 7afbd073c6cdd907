import { describe, expect, it } from 'vitest'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { answerWithFootnotes } from './copy-answer.ts'
import { chipLabel, supportInWords } from './source-label.ts'

const citation = (over: Partial<Citation>): Citation => ({
  ordinal: 1,
  n: 1,
  documentId: 'd',
  versionId: 'v',
  chunkId: 'c',
  title: 'Employee handbook',
  collection: 'Handbook',
  mediaType: 'application/pdf',
  page: 14,
  pages: 62,
  headingPath: ['4 Leave', '4.2 First year'],
  quote: 'Leave accrues at 2.5\ndays.',
  charStart: 0,
  charEnd: 26,
  rects: [],
  claim: 'You earn 2.5 days.',
  supported: true,
  removed: false,
  ...over,
})

describe('a copied answer', () => {
  it('has numbers in the text and each source once below', () => {
    const citations = [
      citation({ ordinal: 1 }),
      citation({ ordinal: 2 }),
      citation({ ordinal: 3, n: 2, title: 'Leave policy', page: null, quote: 'By 31 March.' }),
    ]
    expect(answerWithFootnotes('A.[^1] B.[^2] C.[^3]', citations)).toBe(
      'A.[1] B.[1] C.[2]\n\nSources\n[1] Employee handbook, page 14: “Leave accrues at 2.5 days.”\n[2] Leave policy, 4.2 First year: “By 31 March.”',
    )
  })

  it('has no list of sources when nothing is cited', () => {
    expect(answerWithFootnotes('Nothing found.', [])).toBe('Nothing found.')
  })

  it('says that a source was deleted instead of quoting it', () => {
    expect(answerWithFootnotes('A.[^1]', [citation({ removed: true, quote: '' })])).toContain(
      '[1] Employee handbook (deleted since)',
    )
  })
})

describe('a source in words', () => {
  it('names the document, the place and the doubt', () => {
    expect(chipLabel(citation({}))).toBe('Source 1: Employee handbook, page 14')
    expect(chipLabel(citation({ supported: false }))).toBe(
      'Source 1: Employee handbook, page 14, not supported as written',
    )
    expect(chipLabel(citation({ removed: true, page: null, headingPath: [] }))).toBe(
      'Source 1: Employee handbook, document deleted',
    )
  })

  it('counts slides in a show, and goes by headings in a picture', () => {
    const show = 'application/vnd.openxmlformats-officedocument.presentationml.presentation'
    expect(chipLabel(citation({ mediaType: show, page: 3 }))).toBe('Source 1: Employee handbook, slide 3')
    expect(chipLabel(citation({ mediaType: 'image/png', page: 1, headingPath: [] }))).toBe(
      'Source 1: Employee handbook',
    )
    expect(answerWithFootnotes('A.[^1]', [citation({ mediaType: show, page: 3, quote: 'Up 4 %.' })])).toContain(
      '[1] Employee handbook, slide 3: “Up 4 %.”',
    )
  })

  it('counts what holds, and what does not when something does not', () => {
    expect(supportInWords({ total: 5, supported: 5 })).toBe('Supported 5 of 5')
    expect(supportInWords({ total: 5, supported: 3 })).toBe('2 of 5 not supported')
  })
})
