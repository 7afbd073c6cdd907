import { describe, expect, it } from 'vitest'
import { parseCode } from './code.ts'

describe('code', () => {
  it('keeps the text as it is, in one block, and knows the language', () => {
    const source = '\n\ndef limit():\n\treturn 40\n\n\n'
    const { text, blocks, codeLanguage } = parseCode(Buffer.from(source), 'Guard.PY')
    expect(text).toBe(source)
    expect(blocks.map(({ kind, start, end }) => [kind, text.slice(start, end)])).toEqual([
      ['code', 'def limit():\n\treturn 40'],
    ])
    expect(codeLanguage).toBe('python')
  })

  it('says nothing of a language that it does not know', () =>
    expect(parseCode(Buffer.from('x'), 'a.constructor').codeLanguage).toBeUndefined())

  it('refuses what is no text', () =>
    expect(() => parseCode(Buffer.from(Array.from({ length: 300 }, (_, at) => at % 7)), 'a.c')).toThrow(
      expect.objectContaining({ code: 'wrong-type' }),
    ))
})
