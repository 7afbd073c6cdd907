import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test, vi } from 'vitest'
import { AnswerSeal } from '#components/chat/answer-seal.tsx'
import type { CalibrationReport, CorrectionRow, DocumentNoteRow } from '#lib/shared/review-contract.ts'
import { CalibrationScreen } from './calibration-screen.tsx'
import { CorrectionsScreen } from './corrections-screen.tsx'

vi.mock('next/navigation', () => ({
  useRouter: () => ({ refresh: () => undefined, replace: () => undefined }),
  usePathname: () => '/review/corrections',
  useSearchParams: () => new URLSearchParams(),
}))

const refuse = async () => ({ ok: false as const, error: { code: 'internal' as const, message: '', retryable: false } })
const at = '2026-05-04T14:02:00Z'
const holds: CorrectionRow = {
  ...{ id: '1', kind: 'curated', itemId: 'i', question: 'How <often>?', answer: 'Every 90 days.', documents: ['Keys'] },
  ...{ by: 'Noor', createdAt: at, fell: null },
}
const note: DocumentNoteRow = {
  ...{ id: 'n', documentId: 'd', document: 'Keys', quote: 'every 90 days', text: 'It is 60 by now.', by: null },
  ...{ createdAt: at, changedSince: true, resolved: null, mayResolve: true },
}
const render = (corrections: CorrectionRow[], notes: DocumentNoteRow[]) =>
  renderToStaticMarkup(
    <CorrectionsScreen
      corrections={{ corrections, notes }}
      opensRetrieval
      actions={{ retireCurated: refuse, resolveNote: refuse }}
    />,
  )

test('a correction that holds can be taken back; one that fell says why and cannot', () => {
  const shown = render([holds], [])
  expect(shown).toContain('How &lt;often&gt;?')
  expect(shown).toContain('Take back')
  const fallen = render([{ ...holds, answer: null, fell: { at, because: '“Keys” has changed.' } }], [])
  expect(fallen).toContain('“Keys” has changed.')
  expect(fallen).not.toContain('Take back')
  expect(render([{ ...holds, kind: 'golden' }], [])).toContain('Run them or delete one')
})

test('a note can be resolved by who may, and says when its document has changed since', () => {
  expect(render([], [note])).toMatch(/It is 60 by now\.[\s\S]*has changed since[\s\S]*Resolve</)
  const resolved = render([], [{ ...note, mayResolve: false, resolved: { at, by: 'Ada' } }])
  expect(resolved).toContain('Resolved by Ada')
  expect(resolved).toContain('0 open, 1 resolved')
})

test('what is empty says what would fill it', () => {
  expect(render([], []).match(/None yet/g)).toHaveLength(3)
})

const report: CalibrationReport = { days: 90, decisions: 0, error: null, bins: [], fits: [] }
const calibration = (over: Partial<CalibrationReport>) =>
  renderToStaticMarkup(<CalibrationScreen report={{ ...report, ...over }} days="90" />)

test('calibration shows each bin with its interval, and the fits, or that there is nothing yet', () => {
  expect(calibration({})).toContain('Nobody has judged an answer in this time')
  const shown = calibration({
    ...{ decisions: 12, error: 0.084 },
    bins: [
      { from: 0.8, to: 0.9, count: 12, said: 0.85, right: 0.75, low: 0.47, high: 0.91 },
      { from: 0.9, to: 1, count: 0, said: 0, right: 0, low: 0, high: 1 },
    ],
    fits: [{ version: 3, at, slope: 0.9, intercept: -0.2, decisions: 12, errorBefore: 0.1, errorAfter: 0.05 }],
  })
  for (const words of ['0.084', '47 % to 91 %', '0.100 → 0.050', 'role="img"']) expect(shown).toContain(words)
  // What nobody judged is drawn nowhere.
  expect(shown.match(/<circle/g)).toHaveLength(1)
})

test('the seal says since when a person stands behind an answer', () => {
  expect(renderToStaticMarkup(<AnswerSeal checkedAt={at} />)).toContain('Checked by a person on 4 May 2026')
})
