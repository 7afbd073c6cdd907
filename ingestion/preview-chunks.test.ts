import { expect, it } from 'vitest'
import { previewPassagesMax } from '#lib/shared/knowledge-contract.ts'
import { previewOf } from './preview-chunks.ts'

const draft = (start: number, end: number, tokens: number) => ({
  start,
  end,
  tokens,
  headingPath: ['Pumps'],
  context: '',
  text: 'never handed on',
})
const way = { strategy: 'fixed', targetTokens: 200 } as const

it('counts a cutting and says how many of its passages begin where a stored one does', () => {
  const preview = previewOf(way, [draft(0, 90, 30), draft(95, 400, 90), draft(410, 500, 60)], [0, 200, 410, 460])
  expect(preview).toMatchObject({
    ...way,
    figures: { passages: 3, meanTokens: 60, maxTokens: 90 },
    sameBorders: 2,
  })
  expect(preview.passages[1]).toEqual({ start: 95, end: 400, tokens: 90, headingPath: ['Pumps'], context: '' })
  expect(previewOf(way, [], [0]).figures).toEqual({ passages: 0, meanTokens: 0, maxTokens: 0 })
})

it('keeps the first passages of a long document to be shown, and counts all of them', () => {
  const drafts = Array.from({ length: previewPassagesMax + 500 }, (_, at) => draft(at * 10, at * 10 + 9, 3))
  const { passages, figures, sameBorders } = previewOf(way, drafts, [0, (previewPassagesMax + 100) * 10])
  expect(passages).toHaveLength(previewPassagesMax)
  expect(figures.passages).toBe(drafts.length)
  expect(sameBorders).toBe(2)
})
