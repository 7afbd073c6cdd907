import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ParsedDocument } from '../parse/parsed-document.ts'
import { chunkDocument as chunkAny } from './index.ts'

/** Whatever size the product has come to. */
const chunkDocument: typeof chunkAny = (document, options) => chunkAny(document, { targetTokens: 260, ...options })

const source = (codeLanguage: string, text: string): ParsedDocument => ({
  kind: 'code',
  title: null,
  text,
  blocks: [{ kind: 'code', start: 0, end: text.length }],
  pages: [],
  codeLanguage,
})
const solid = (text: string): string => text.replace(/\s+/g, '')
const statements = (count: number, indent: string, end = ''): string =>
  Array.from({ length: count }, (_, at) => `${indent}value_${at} = compute(value_${at + 1}, ${at})${end}`).join('\n')

const python = `"""Billing."""
import json
from decimal import Decimal

RATE = Decimal("0.2")


class Invoice:
    """What a customer owes."""

    # Only once.
    @classmethod
    def load(cls, path):
        """Reads it."""
${statements(12, '        ')}
        return cls(path)

    def total(self):
${statements(60, '        ')}
        return value_0


async def send(invoice):
${statements(12, '    ')}
`

describe('source code', () => {
  it('is cut by declaration, under what it is nested in, with its comments and decorators', async () => {
    const chunks = await chunkDocument(source('python', python))
    const load = chunks.find(({ text }) => text.includes('def load'))
    expect(load?.headingPath).toEqual(['Invoice', 'load'])
    expect(load?.text).toContain('    # Only once.\n    @classmethod\n    def load')
    expect(load?.text.endsWith('return cls(path)')).toBe(true)
    expect(chunks.find(({ text }) => text.includes('async def send'))?.headingPath).toEqual(['send'])
  })

  it('keeps imports together and apart from what they are used in', async () => {
    const [first] = await chunkDocument(source('python', python))
    expect(first?.text).toContain('import json\nfrom decimal import Decimal')
    expect(first?.text).not.toContain('def ')
  })

  it('cuts a long function between its statements and says what each part belongs to', async () => {
    const parts = (await chunkDocument(source('python', python))).filter(({ headingPath }) =>
      headingPath.includes('total'),
    )
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.map(({ context }) => context)).toEqual(['', ...parts.slice(1).map(() => 'def total(self):')])
    for (const { text, headingPath } of parts) {
      expect(headingPath).toEqual(['Invoice', 'total'])
      expect(text.split('\n').at(-1)).toMatch(/^ {8}(?:value_\d+ = compute\(.*\)|return value_0)$/)
    }
  })

  const samples: [language: string, text: string, path: string[]][] = [
    [
      'typescript',
      `export class Pool {\n  take(): number {\n${statements(70, '    this.', ';')}\n  }\n}\n`,
      ['Pool', 'take'],
    ],
    ['tsx', `export const Page = () => {\n${statements(70, '  ', ';')}\n  return <p>hello</p>\n}\n`, ['Page']],
    ['javascript', `class Pool {\n  take() {\n${statements(70, '    this.', ';')}\n  }\n}\n`, ['Pool', 'take']],
    ['go', `package pool\n\nfunc Take() int {\n${statements(70, '\t')}\n\treturn 1\n}\n`, ['Take']],
    ['rust', `impl Pool {\n    fn take(&self) {\n${statements(70, '        let ', ';')}\n    }\n}\n`, ['Pool', 'take']],
    ['java', `class Pool {\n    int take() {\n${statements(70, '        ', ';')}\n    }\n}\n`, ['Pool', 'take']],
    [
      'csharp',
      `namespace A {\n  class Pool {\n    int Take() {\n${statements(70, '      ', ';')}\n    }\n  }\n}\n`,
      ['A', 'Pool', 'Take'],
    ],
    ['cpp', `namespace a {\nint take() {\n${statements(70, '  ', ';')}\n}\n}\n`, ['a', 'take']],
    ['php', `<?php\nclass Pool {\n  function take() {\n${statements(70, '    $', ';')}\n  }\n}\n`, ['Pool', 'take']],
    [
      'ruby',
      `module A\n  class Pool\n    def take\n${statements(70, '      ')}\n    end\n  end\nend\n`,
      ['A', 'Pool', 'take'],
    ],
    [
      'bash',
      `take() {\n${Array.from({ length: 90 }, (_, at) => `  echo "value ${at} of the pool"`).join('\n')}\n}\n`,
      ['take'],
    ],
  ]
  it.each(samples)('knows what stands where in %s', async (language, text, path) => {
    const chunks = await chunkDocument(source(language, text))
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.map(({ headingPath }) => headingPath)).toContainEqual(path)
    expect(solid(chunks.map((chunk) => chunk.text).join(''))).toBe(solid(text))
  })

  it('cuts a language without a grammar where a blank line ends something', async () => {
    const block = (at: number): string => `DEFINE BLOCK-${at}.\n\n${statements(20, '   ')}`
    const text = Array.from({ length: 6 }, (_, at) => block(at)).join('\n\n')
    const chunks = await chunkDocument(source('cobol', text))
    expect(chunks.map(({ text: said }) => said.slice(0, 12))).toEqual(chunks.map(() => 'DEFINE BLOCK'))
  })

  it('loses no character of what does not parse, and never throws', async () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '(',
      '"',
      '`',
      '\n',
      '\n\n',
      'class A',
      'def f',
      'fn x',
      ' => ',
      '/*',
      '#',
      '😀',
      'if ',
    )
    const text = fc.array(piece, { maxLength: 400 }).map((pieces) => pieces.join(' '))
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('typescript', 'python', 'php', 'none'), text, async (language, broken) => {
        const chunks = await chunkDocument(source(language, broken), { targetTokens: 60 })
        expect(solid(chunks.map((chunk) => chunk.text).join(''))).toBe(solid(broken))
        for (const { text: said, start, end, headingPath, context } of chunks) {
          expect(said).toBe(broken.slice(start, end))
          expect([said, ...headingPath, context].every((part) => part.isWellFormed())).toBe(true)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('ends with brackets five thousand deep and a line without end', async () => {
    const deep = `${'('.repeat(5_000)}1${')'.repeat(5_000)}`
    const endless = `var a = ${JSON.stringify(Array.from({ length: 3_000 }, (_, at) => ({ at })))};`
    for (const text of [deep, endless])
      expect(solid((await chunkDocument(source('javascript', text))).map((chunk) => chunk.text).join(''))).toBe(
        solid(text),
      )
  })
})
