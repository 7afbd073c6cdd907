import { describe, expect, it } from 'vitest'
import { parseJson } from './json.ts'

const read = (source: string) => parseJson(Buffer.from(source))

describe('json', () => {
  it('makes each object of a list a row that names its values', () => {
    const { text, context } = read(
      '[{"part":"Belt","price":12.50,"made":{"in":"Oslo"},"tags":["new",null,"wide"]},{"part":"Guard","price":null}]',
    )
    expect(text).toBe('part: Belt; price: 12.5; made.in: Oslo; tags: new, wide\npart: Guard')
    expect(context).toBe('part, price, made.in, tags')
  })

  it('reads one object on each line', () => expect(read('{"a":1}\n\n{"a":2}\n').text).toBe('a: 1\na: 2'))

  it('makes the keys of an object sections, with a path to each value', () => {
    const { title, text, blocks } = read(
      '{"name":"Pump","limits":{"heat":{"max":40}},"empty":{},"parts":[{"name":"Rotor","bolts":[{"size":8}]}]}',
    )
    expect(title).toBe('Pump')
    expect(text).toBe('name: Pump\n\nlimits\n\nheat.max: 40\n\nparts\n\nRotor\n\nname: Rotor\n\nbolts\n\nsize: 8')
    expect(blocks.filter(({ kind }) => kind === 'heading').map(({ level }) => level)).toEqual([1, 1, 2, 3])
  })

  it('keeps every digit of a long number, and no character that text must not hold', () =>
    expect(read('{"id":12345678901234567890,"t":"a\\u0000b\\ud800"}').text).toBe(
      'id: 12345678901234567890\nt: ab\ufffd',
    ))

  it.each([
    ['cut short', '{"a":[1,2', 'damaged'],
    ['deeper than any document', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'too-nested'],
    ['deep objects that are cut short', '{"a":'.repeat(100_000), 'too-nested'],
    ['without a value', '{"a":{"b":[]}}', 'no-text'],
  ])('refuses what is %s', (_, source, code) => expect(() => read(source)).toThrow(expect.objectContaining({ code })))

  it('is not misled by brackets in words', () => expect(read(`{"a":"${'['.repeat(500)}\\""}`).text).toContain('[[['))
})
