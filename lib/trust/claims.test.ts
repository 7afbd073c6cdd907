import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClaimReader } from './claims.ts'

const read = (...parts: string[]) => {
  const reader = createClaimReader()
  return [...parts.flatMap((part) => reader.push(part)), ...reader.end()]
}

describe('sentences of an answer', () => {
  it('come with what they cite, before the stop or after it', () => {
    const text = '**Leave** is 25 days[^1]. It is agreed first. [^2][^3] Why?\n- Costs are paid [^4]'
    const found = read(text)
    expect(found.map(({ text: said, ordinals, claims }) => [said, ordinals, claims])).toEqual([
      ['Leave is 25 days.', [1], true],
      ['It is agreed first.', [2, 3], true],
      ['Why?', [], false],
      ['Costs are paid', [4], true],
    ])
    expect(found.map(({ start, end }) => text.slice(start, end))).toEqual([
      '**Leave** is 25 days[^1].',
      'It is agreed first. [^2][^3]',
      'Why?',
      '- Costs are paid [^4]',
    ])
  })

  it('are given out as soon as the next one begins', () => {
    const reader = createClaimReader()
    expect(reader.push('One thing is so [^1]. ')).toEqual([])
    expect(reader.push('Another')).toMatchObject([{ text: 'One thing is so.', ordinals: [1] }])
    expect(reader.end()).toMatchObject([{ text: 'Another' }])
    expect(reader.end()).toEqual([])
  })

  it('are not looked for in code', () => {
    expect(read('It runs so:\n```sh\nRun it. Twice.\n```\nThen it ends.').map(({ text }) => text)).toEqual([
      'It runs so:',
      'Then it ends.',
    ])
  })

  it('are looked for after what only looks like a fence, and after one within another', () => {
    expect(read('```Run``` it so.\nIt takes two days.').map(({ text }) => text)).toContain('It takes two days.')
    expect(read('~~~\n```\n~~~\nIt takes two days.').map(({ text }) => text)).toEqual(['It takes two days.'])
  })

  it.each([
    'The documents do not say how many days there are.',
    'The sources cover leave, but do not say how many days there are.',
    'I could not find an answer to this.',
    'The language model declined to answer this question.',
    'Die Dokumente enthalten dazu nichts.',
    'Les documents ne précisent pas la durée.',
    '文档中没有提到年假天数。',
  ])('that only remark that nothing is said claim nothing: %s', (sentence) => {
    expect(read(sentence)).toMatchObject([{ claims: false, remarks: true }])
  })

  it.each([
    'Documents marked secret do not need approval.',
    'The documents do not say, but it is 500 euros.',
    'The sources do not say so: take 500 mg twice a day.',
    'Die Dokumente sind nicht geheim.',
    '年假为二十五天。',
  ])('that say more than that claim something: %s', (sentence) => {
    expect(read(sentence).some(({ claims }) => claims)).toBe(true)
  })

  it('are the same however the text is cut', () => {
    const bit = fc.constantFrom(
      'One is so',
      '. ',
      ' [^1]',
      '.',
      'approx. (3) days',
      '\n',
      '```\n',
      '| a | b |',
      '- ',
      'No!',
      ' e.g. 5',
      '3.5',
    )
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 14 }), fc.array(fc.nat(60), { maxLength: 8 }), (bits, cuts) => {
        const text = bits.join('')
        const parts: string[] = []
        let from = 0
        // The citer never cuts a marker.
        for (const to of [...cuts].sort((a, b) => a - b)) {
          if (to <= from || to > text.length || /\[(?:\^(?:1)?)?$/.test(text.slice(0, to))) continue
          parts.push(text.slice(from, to))
          from = to
        }
        expect(read(...parts, text.slice(from))).toEqual(read(text))
      }),
      { numRuns: 300 },
    )
  })
})
