import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
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
    expect(judgeRelevance('E13 HP-4010?', 0.1, ['E13 | belt slip | replace belt HP-4010']).found).toBe(true)
  })

  it('refuses what shares a word and nothing else', () => {
    expect(
      judgeRelevance('Who won the football world cup in Brazil?', 0.22, ['The price in Brazil is 97700 BRL.']).found,
    ).toBe(false)
  })

  it('judges by words alone when there is no encoder', () => {
    expect(
      judgeRelevance('How often are signing keys rotated?', null, ['Signing keys are rotated every 90 days.']).found,
    ).toBe(true)
    expect(
      judgeRelevance('How tall is the Eiffel tower?', null, ['Signing keys are rotated every 90 days.']).found,
    ).toBe(false)
    expect(judgeRelevance('Anything', 0.9, []).found).toBe(false)
  })

  it('counts words with digits double', () => {
    expect(wordCoverage('torque E13', ['E13'])).toBeCloseTo(2 / 3)
  })
})
