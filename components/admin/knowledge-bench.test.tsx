import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import type { ShownPassage } from '#lib/shared/knowledge-contract.ts'
import { documentId, reportOf } from '../fixtures/retrieval-report.ts'
import { CuttingTable } from './passage-preview.tsx'
import { PassageText } from './passage-text.tsx'
import { pairStages } from './retrieval-compare.ts'
import { RetrievalStages } from './retrieval-stages.tsx'

const nothing = () => undefined
/** The words of the markup, as they are read out. */
const wordsOf = (markup: string): string => markup.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

describe('the stages of a search', () => {
  const first = reportOf({ fuse: ['1', '2', '3'], pack: ['1', '2'] })
  const render = (second: ReturnType<typeof reportOf> | null) =>
    renderToStaticMarkup(
      <RetrievalStages
        pairs={pairStages(first, second)}
        compared={second !== null}
        open={new Set(['pack'])}
        onToggle={nothing}
        ticks={{ chosen: new Set(['2']), toggle: nothing }}
      />,
    )

  it('show the candidates of an open stage, each with a way to its passage, and only the figures of a closed one', () => {
    const markup = render(null)
    expect(markup).toContain(`href="/admin/documents/${documentId}?passage=2"`)
    expect(markup.match(/<input[^>]*>/g)).toHaveLength(2)
    expect(markup.match(/<input[^>]*checked[^>]*>/g)).toEqual([expect.stringContaining('Manual 2, rank 2')])
    expect(markup).not.toContain('Passage 3:')
    expect(wordsOf(markup)).toContain('3 in 2 ms')
    expect(wordsOf(markup)).toContain('moved down by 1')
  })

  it('mark beside another configuration what only one found and what stands elsewhere', () => {
    const words = wordsOf(render(reportOf({ fuse: ['1', '2', '3'], pack: ['2', '7'] })))
    expect(words.match(/only here/g)).toHaveLength(2)
    expect(words).toContain('other: 2')
    expect(words).toContain('other: 1')
    expect(words.match(/differs/g)).toHaveLength(1)
  })
})

describe('a passage in the viewer', () => {
  const passage: ShownPassage = {
    chunkId: '9',
    ordinal: 11,
    start: 0,
    end: 30,
    text: 'The valve opens at 37 bar.',
    headingPath: ['Valves', 'Opening'],
    context: 'Pressure in bar',
    page: 3,
    pageTo: 4,
    tokens: 9,
    language: 'en',
    flags: ['hidden'],
    injectionScore: 0.61,
    held: true,
    contentHash: 'hash',
  }
  const render = (shown: ShownPassage) =>
    renderToStaticMarkup(
      <PassageText passage={shown} mediaType="application/pdf" words="VALVE" current={false} onRelease={nothing} />,
    )

  it('says what is known of it and marks the words that are looked for', () => {
    const markup = render(passage)
    expect(markup).toContain('id="12"')
    expect(markup).toContain('<mark>valve</mark>')
    const words = wordsOf(markup)
    for (const known of [
      'pages 3 to 4 · 9 tokens · en · reads like an order: 0.61',
      'Hidden in the original',
      'Held: no model gets it',
      'Release',
      'Valves › Opening',
      'Goes with it: Pressure in bar',
    ])
      expect(words).toContain(known)
  })

  it('shows what a document says as text, whatever it looks like', () =>
    expect(render({ ...passage, text: '<img src=x onerror=alert(1)>' })).not.toContain('<img'))

  it('has nothing to release where nothing is held', () =>
    expect(wordsOf(render({ ...passage, held: false }))).not.toContain('Release'))
})

it('two ways of cutting stand side by side in figures', () => {
  const words = wordsOf(
    renderToStaticMarkup(
      <CuttingTable
        now={{ passages: 12, meanTokens: 210.4, maxTokens: 400 }}
        result={{
          strategy: 'fixed',
          targetTokens: 120,
          passages: [],
          figures: { passages: 2_400, meanTokens: 99.6, maxTokens: 130 },
          sameBorders: 5,
        }}
      />,
    ),
  )
  expect(words).toContain('Now 12 210 400')
  expect(words).toContain('2,400 100 130')
  expect(words).toContain('5 of 2,400 passages begin where one begins now.')
})
