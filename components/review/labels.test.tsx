import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { HealthQuality } from '#components/admin/health-quality.tsx'
import { TooltipProvider } from '#components/ui/tooltip.tsx'
import { defaultRubric, type LabelOverview, type LabelTask } from '#lib/shared/label-contract.ts'
import { type QualityRow, qualityFaultNames } from '#lib/shared/quality-contract.ts'
import { freshLabelling, pressed, scoresOf, withScore } from './labels-keys.ts'
import { LabelsScreen } from './labels-screen.tsx'

const refused = async () => ({
  ok: false as const,
  error: { code: 'internal' as const, message: '', retryable: false },
})
const actions = {
  nextLabel: refused,
  saveLabel: refused,
  addLabels: refused,
  adjudicate: refused,
  saveRubric: refused,
}
const progress = { total: 4, finished: 1, disputed: 1, mine: 2, waiting: 1 }
const overview: LabelOverview = {
  progress,
  rubric: { version: 0, rubric: defaultRubric },
  agreement: [{ criterion: 'correct', pairs: 3, same: 2 / 3, kappa: 0.4 }],
  retrieval: [
    {
      k: 3,
      precision: { part: 1, whole: 2, low: 0.09, high: 0.91 },
      helped: { part: 0, whole: 0, low: 0, high: 1 },
    },
  ],
}
const task: LabelTask = {
  ...{ messageId: 'm', question: 'How are keys rotated?', searched: null, text: 'Every 90 days.', citations: [] },
  passages: [{ chunkId: '7', rank: 1, title: 'Keys', page: 2, text: '<b>Rotated</b> every 90 days.' }],
  ...{ rubric: defaultRubric, rubricVersion: 0 },
}
const screen = (more: Partial<Parameters<typeof LabelsScreen>[0]> = {}) =>
  renderToStaticMarkup(
    <TooltipProvider>
      <LabelsScreen {...{ overview, task, disputes: [], mayManage: false, actions, ...more }} />
    </TooltipProvider>,
  )
const wordsOf = (markup: string): string => markup.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

test('keys 0, 1 and 2 score one criterion after the other, and a wrong one is scored again', () => {
  const typed = (keys: string) => [...keys].reduce((state, key) => pressed(state, key) ?? state, freshLabelling)
  expect(scoresOf(typed('210'))).toBeNull()
  expect(scoresOf(typed('2102'))).toEqual({ correct: 2, grounded: 1, relevant: 0, tone: 2 })
  expect(scoresOf(typed('2102kkk0'))).toEqual({ correct: 0, grounded: 1, relevant: 0, tone: 2 })
  expect(typed('3x').scores).toEqual({})
  // Arrows are the page's, and those of the scores that have the focus.
  expect(pressed(freshLabelling, 'ArrowDown')).toBeUndefined()
  // Chosen out of order, what was left out comes next.
  expect(withScore(withScore(freshLabelling, 'tone', 2), 'correct', 1).at).toBe('grounded')
})

test('a rater reads question, answer, passages and rubric, and what is in them is text', () => {
  const markup = screen()
  const words = wordsOf(markup)
  for (const said of ['How are keys rotated?', 'Every 90 days.', 'Keys', defaultRubric.grounded.slice(0, 30), '0.40'])
    expect(words).toContain(said)
  expect(markup).toContain('&lt;b&gt;Rotated')
  expect(words).toContain('50 % (9.0 to 91), 1 of 2')
  expect(markup.match(/type="radio"/g)).toHaveLength(12)
  expect(markup).toContain('Passage 1 helps with the question')
})

test('taking labels out and changing the rubric are for who manages reviews', () => {
  expect(screen()).not.toContain('/api/review/labels')
  expect(screen({ mayManage: true })).toContain('/api/review/labels')
  expect(wordsOf(screen({ task: null }))).toContain('Nothing waits for your label')
})

test('a third person sees what two say without who they are', () => {
  const labels = [
    { scores: { correct: 2, grounded: 2, relevant: 2, tone: 2 }, note: 'It is right.' },
    { scores: { correct: 0, grounded: 2, relevant: 2, tone: 2 }, note: '' },
  ]
  const words = wordsOf(screen({ task: null, disputes: [{ ...task, labels }] }))
  expect(words).toMatch(/Correct Yes No/)
  expect(words).toContain('It is right.')
})

test('health says of how many its shares are, and says when there is nothing', () => {
  const none = { part: 0, whole: 0, low: 0, high: 1 }
  const row: QualityRow = {
    ...{ key: 'mock/one', name: null, answers: 72 },
    faults: {
      ...(Object.fromEntries(qualityFaultNames.map((fault) => [fault, none])) as QualityRow['faults']),
      abstained: { part: 3, whole: 72, low: 0.0143, high: 0.1155 },
    },
  }
  const words = wordsOf(renderToStaticMarkup(<HealthQuality quality={{ all: row, rows: [row] }} by="model" />))
  expect(words).toContain('All answers')
  expect(words).toContain('mock/one')
  expect(words).toMatch(/4\.2 % ?1\.4 to 12, 3 of 72/)
  expect(wordsOf(renderToStaticMarkup(<HealthQuality quality={null} by="model" />))).toContain(
    'No question was answered from documents in this time.',
  )
})
