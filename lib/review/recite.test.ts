import { describe, expect, test } from 'vitest'
import type { Citation } from '#lib/shared/chat-contract.ts'
import { passagesOf, reciteWith } from './recite.ts'

const words = ['Signing keys are rotated every 90 days by the platform team.', 'Backups are kept for 35 days.']
const citations = words.map(
  (text, at): Citation => ({
    ordinal: at + 1,
    n: at + 1,
    documentId: `document-${at}`,
    versionId: `version-${at}`,
    chunkId: String(at + 1),
    title: 'Policy',
    collection: 'General',
    mediaType: 'text/plain',
    page: 3,
    pages: 9,
    headingPath: [],
    quote: text,
    charStart: 0,
    charEnd: text.length,
    rects: [{ x: 0.1, y: 0.1, width: 0.2, height: 0.1 }],
    claim: text,
    supported: true,
    removed: false,
  }),
)
const recite = (text: string) => reciteWith({ text, citations }, passagesOf(citations, []))

describe('an edited answer', () => {
  test('keeps the markers that were there, in new order, each with its source', async () => {
    const { text, citations: cited, problems } = await recite(`${words[1]} [^2] ${words[0]} [^1]`)
    expect(problems).toEqual([])
    expect(text).toBe(`${words[1]} [^1] ${words[0]} [^2]`)
    expect(cited.map(({ documentId, ordinal, n }) => [documentId, ordinal, n])).toEqual([
      ['document-1', 1, 1],
      ['document-0', 2, 2],
    ])
    // The same words are quoted, so where they stand is still known.
    expect(cited[0]).toMatchObject({ page: 3, rects: [{ x: 0.1 }] })
  })

  test('has each sentence checked against the passage that it names', async () => {
    const { claims, text } = await recite(
      'Signing keys are rotated every 30 days by the platform team. [^1] Backups are kept for 35 days. [^2] Nobody knows the rest of the story.',
    )
    expect(claims.map(({ supported, ordinals }) => [supported, ordinals])).toEqual([
      [false, [1]],
      [true, [2]],
      [false, []],
    ])
    expect(claims[0]?.reasons).toEqual(['The number 30 is not in what it cites.'])
    expect(claims[2]?.reasons).toEqual(['It names no source.'])
    // Places are those of the text as it is stored, so that a sentence can be cut out with its markers.
    expect(claims.map(({ start, end }) => text.slice(start, end))).toEqual([
      expect.stringMatching(/^Signing.*\[\^1\]$/),
      expect.stringMatching(/^Backups.*\[\^2\]$/),
      expect.stringMatching(/^Nobody.*story\.$/),
    ])
  })

  test.each([
    ['[^3]', 'Backups are kept. [^3]'],
    ['[^1000]', 'Backups are kept. [^1000]'],
    ['[^x]', 'Backups are kept. [^x]'],
    ['[^1, 2]', 'Backups are kept. [^1, 2]'],
    ['[2]', 'Backups are kept. [2]'],
    ['【1】', 'Backups are kept. 【1】'],
  ])('is refused for the marker %s, by its name', async (marker, text) => {
    expect((await recite(text)).problems).toEqual([expect.stringContaining(marker)])
  })

  test('may hold brackets in code', async () => {
    const { problems, text } = await recite(
      'Use `keys[2]` so:\n\n```\nkeys[3] = [^9]\n```\n\nBackups are kept for 35 days. [^2]',
    )
    expect(problems).toEqual([])
    expect(text).toContain('keys[3]')
    expect(text).not.toContain('[^9]')
  })

  test('loses links and images and keeps HTML as text', async () => {
    const { text } = await recite(
      'See [here](https://evil.test/?q=secret) ![pixel](https://evil.test/p.png) <img src=x onerror=alert(1)> <script>alert(1)</script>. [^1]',
    )
    expect(text).not.toContain('evil.test')
    expect(text).not.toMatch(/\]\(/)
    expect(text).toContain('<script>alert(1)</script>')
  })

  test('of nothing is refused', async () => {
    expect((await recite('[^1]')).problems).toHaveLength(1)
  })
})
