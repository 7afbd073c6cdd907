import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decompose } from './decompose.ts'
import { exactness, exactParts } from './features.ts'
import { fuse } from './fuse.ts'
import { pack } from './pack.ts'
import { judgeRelevance, wordCoverage } from './relevance.ts'

const leg = (...scores: number[]) => scores.map((score, index) => ({ chunkId: index + 1, score }))

describe('fusion', () => {
  it('puts what both legs like before what one leg loves', () => {
    const lexical = [
      { chunkId: 1, score: 9 },
      { chunkId: 2, score: 8 },
      { chunkId: 3, score: 1 },
    ]
    const vector = [
      { chunkId: 4, score: 0.8 },
      { chunkId: 2, score: 0.78 },
      { chunkId: 5, score: 0.3 },
    ]
    expect(fuse(lexical, vector)[0]).toMatchObject({ chunkId: 2, lexical: { rank: 2 }, vector: { rank: 2 } })
  })

  it('keeps a leg’s own order when it is alone', () => {
    expect(fuse(leg(3, 2, 1), []).map(({ chunkId }) => chunkId)).toEqual([1, 2, 3])
    expect(fuse([], leg(0.9, 0.5)).map(({ chunkId }) => chunkId)).toEqual([1, 2])
    expect(fuse([], [])).toEqual([])
  })

  it('gives little to the only hit of the words when it has little of the question', () => {
    const vector = leg(0.6, 0.5, 0.1).map(({ score }, at) => ({ chunkId: at + 10, score }))
    const only = [{ chunkId: 1, score: 1.2 }]
    const cosines = new Map([[1, 0.05]])
    expect(fuse(only, vector, { whole: 12, cosines }).map(({ chunkId }) => chunkId)).toEqual([10, 11, 12, 1])
    // The same hit with all of the question is worth its weight, and more when it also means the same.
    expect(fuse(only, vector, { whole: 1.2, cosines: new Map([[1, 0.4]]) })[0]?.chunkId).toBe(1)
  })

  it('is the same wherever an encoder’s cosines begin', () => {
    const lexical = leg(9, 6, 3)
    const near = [0.1, 0.5, 0.9, 0.7].map((cosine, at) => ({ chunkId: at + 1, cosine }))
    const order = (low: number, high: number) =>
      fuse(
        lexical,
        near
          .map(({ chunkId, cosine }) => ({ chunkId, score: low + cosine * (high - low) }))
          .sort((a, b) => b.score - a.score),
      ).map(({ chunkId }) => chunkId)
    expect(order(0.72, 0.9)).toEqual(order(0, 1))
  })

  it('adds what the graph found, and keeps the scores between 0 and 1', () => {
    const fused = fuse(leg(9, 6), leg(0.9, 0.5), {
      graph: [
        { chunkId: 7, score: 40 },
        { chunkId: 2, score: 20 },
      ],
    })
    expect(fused.map(({ chunkId }) => chunkId)).toEqual([1, 2, 7])
    expect(fused[2]).toMatchObject({ lexical: null, vector: null, graph: { rank: 1, score: 40 } })
  })

  it('loses nothing, invents nothing, and scores between 0 and 1 in falling order', () => {
    const hits = fc.uniqueArray(
      fc.record({ chunkId: fc.integer({ min: 1, max: 40 }), score: fc.double({ min: -1, max: 30, noNaN: true }) }),
      {
        selector: ({ chunkId }) => chunkId,
        maxLength: 20,
      },
    )
    fc.assert(
      fc.property(hits, hits, (lexical, vector) => {
        const fused = fuse(lexical, vector)
        expect(new Set(fused.map(({ chunkId }) => chunkId))).toEqual(
          new Set([...lexical, ...vector].map(({ chunkId }) => chunkId)),
        )
        for (const [index, { score }] of fused.entries()) {
          expect(score).toBeGreaterThanOrEqual(0)
          expect(score).toBeLessThanOrEqual(1 + 1e-9)
          expect(score).toBeLessThanOrEqual(fused[index - 1]?.score ?? 1 + 1e-9)
        }
      }),
    )
  })
})

describe('what a question says exactly', () => {
  it('is what it quotes, and its codes, numbers and names from code', () => {
    expect(exactParts('What does "rotate the key" mean for ERR_CONN_RESET in v3.2.1?')).toEqual([
      'rotate the key',
      'err_conn_reset',
      'v3.2.1',
    ])
    expect(exactParts('Was steht in „der Ordnung“ zu foo.bar?')).toEqual(['der ordnung', 'foo.bar'])
    expect(exactParts('How often are well-known keys rotated, and/or why?')).toEqual([])
  })

  it('counts where it stands by itself, and not inside of a longer word or number', () => {
    const texts = ['Belt HP-4010 (new)', 'Belt HP-40101', 'Belt XHP-4010', 'hp-4010.5']
    expect(exactness(['hp-4010'], texts).map(({ exact }) => exact)).toEqual([1, 0, 0, 0])
    expect(exactness(['c++', '.*(x'], ['we use C++ here'])[0]?.exact).toBe(0.5)
  })
})

describe('a question of several parts', () => {
  it.each([
    ['What is the notice period? Who signs the letter?', ['What is the notice period?', 'Who signs the letter?']],
    ['When is leave granted and who approves it?', ['When is leave granted', 'who approves it?']],
    ['Compare the travel policy with the expense policy.', ['the travel policy', 'the expense policy']],
    ['What is the difference between sick leave and parental leave?', ['sick leave', 'parental leave']],
  ])('%s', (question, parts) => {
    expect(decompose(question)).toEqual(parts)
  })

  it.each([
    'How often are signing keys and certificates rotated?',
    'Keys?',
    '',
    '???',
    'Is it legal and fair to do so?',
  ])('is not made of one: %s', (question) => {
    expect(decompose(question)).toEqual([])
  })
})

describe('packing', () => {
  const item = (text: string, tokens: number) => ({ text, tokens })

  it('never passes the budget, but for the first passage, and goes on with what fits', () => {
    const packed = pack([item('one alpha', 60), item('two beta', 60), item('three gamma', 30)], {
      tokensMax: 100,
      passagesMax: 9,
    })
    expect(packed.map(({ text }) => text)).toEqual(['one alpha', 'three gamma'])
    expect(pack([item('huge', 900)], { tokensMax: 100, passagesMax: 9 })).toHaveLength(1)
  })

  it('takes each text once', () => {
    const text = 'Every employee is entitled to thirty working days of paid leave'
    expect(
      pack([item(text, 10), item(`${text}.`, 10), item('Something else entirely', 10)], {
        tokensMax: 100,
        passagesMax: 9,
      }),
    ).toHaveLength(2)
  })
})

describe('relevance', () => {
  it('finds codes and names that an encoder does not know by their words', () => {
    expect(judgeRelevance('E13 HP-4010?', { cosine: 0.1 }, ['E13 | belt slip | replace belt HP-4010']).found).toBe(true)
  })

  it('refuses what shares a word and nothing else', () => {
    expect(
      judgeRelevance('Who won the football world cup in Brazil?', { cosine: 0.22 }, [
        'The price in Brazil is 97700 BRL.',
      ]).found,
    ).toBe(false)
  })

  it('judges by words alone when there is no encoder', () => {
    expect(
      judgeRelevance('How often are signing keys rotated?', { cosine: null }, [
        'Signing keys are rotated every 90 days.',
      ]).found,
    ).toBe(true)
    expect(
      judgeRelevance('How tall is the Eiffel tower?', { cosine: null }, ['Signing keys are rotated every 90 days.'])
        .found,
    ).toBe(false)
    expect(judgeRelevance('Anything', { cosine: 0.9 }, []).found).toBe(false)
  })

  it('measures nearness on the scale of the encoder, and does without words where the languages differ', () => {
    const texts = ['The signing keys of the service are rotated by the platform team every ninety days.']
    const unlike = 0.73
    expect(judgeRelevance('Who painted that ceiling?', { cosine: 0.8, unlike: 0 }, texts).found).toBe(true)
    expect(judgeRelevance('Who painted that ceiling?', { cosine: 0.8, unlike }, texts).found).toBe(false)
    const german = 'Wie oft werden die Schlüssel für die Unterschrift gewechselt?'
    expect(judgeRelevance(german, { cosine: 0.8, unlike }, texts).found).toBe(true)
    expect(judgeRelevance(german, { cosine: 0.74, unlike }, texts).found).toBe(false)
  })

  it('counts pairs of characters where words are not set apart', () => {
    expect(wordCoverage('密钥多久轮换', ['密钥每九十天轮换一次'])).toBeCloseTo(2 / 5)
  })

  it('counts words with digits double', () => {
    expect(wordCoverage('torque E13', ['E13'])).toBeCloseTo(2 / 3)
  })
})
