import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Block, BlockKind, ParsedDocument } from '../parse/parsed-document.ts'
import { chunkDocument } from './index.ts'
import { proseSizes } from './sizes.ts'
import { splitOversize } from './split.ts'

const build = (
  parts: readonly { kind: BlockKind; level?: number; text: string }[],
  kind: ParsedDocument['kind'] = 'markdown',
): ParsedDocument => {
  let text = ''
  const blocks: Block[] = []
  for (const part of parts) {
    if (text) text += '\n\n'
    blocks.push({
      kind: part.kind,
      ...(part.level ? { level: part.level } : {}),
      start: text.length,
      end: text.length + part.text.length,
    })
    text += part.text
  }
  return { kind, title: null, text, blocks, pages: [] }
}
const heading = (text: string, level = 1) => ({ kind: 'heading' as const, level, text })
const paragraph = (text: string) => ({ kind: 'paragraph' as const, text })
const words = (text: string): string => text.replace(/\s+/g, '')

describe('chunking', () => {
  it('puts passages under their headings and keeps headings out of the text', async () => {
    const chunks = await chunkDocument(
      build([heading('4 Leave'), paragraph('All of it.'), heading('4.1 Annual leave', 2), paragraph('Thirty days.')]),
    )
    expect(chunks.map(({ headingPath, text }) => [headingPath, text])).toEqual([
      [['4 Leave'], 'All of it.'],
      [['4 Leave', '4.1 Annual leave'], 'Thirty days.'],
    ])
  })

  it('keeps a heading that nothing stands under as text', async () => {
    const chunks = await chunkDocument(
      build([heading('Closed on Fridays'), heading('Open on Mondays'), paragraph('From eight.'), heading('The end')]),
    )
    expect(chunks.map(({ text }) => text)).toEqual(['Closed on Fridays', 'From eight.', 'The end'])
  })

  it('loses no word of a paragraph that is set as a heading', async () => {
    const long = Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ')
    const chunks = await chunkDocument(build([heading(long), paragraph('Below it.')]))
    expect(chunks.map(({ text }) => text).join(' ')).toBe(`${long}\n\nBelow it.`)
  })

  it('takes the header of a table along when the table goes on in the next passage', async () => {
    const rows = Array.from({ length: 60 }, (_, n) => ({
      kind: 'row' as const,
      text: `E${n} | the belt has slipped on pulley ${n} | tighten it`,
    }))
    const chunks = await chunkDocument(build([{ kind: 'row', text: 'Code | Meaning | What to do' }, ...rows], 'pdf'))
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks[0]?.context).toBe('')
    for (const chunk of chunks.slice(1)) {
      expect(chunk.context).toBe('Code | Meaning | What to do')
      expect(chunk.text).toMatch(/^E\d+ \|/)
      expect(chunk.text).toMatch(/tighten it$/)
    }
  })

  it('names the pages that a passage runs over', async () => {
    const document = build([paragraph('One.'), paragraph('Two.')], 'pdf')
    document.pages = [
      { page: 3, charStart: 0, charEnd: 5, boxes: [] },
      { page: 4, charStart: 6, charEnd: 10, boxes: [] },
    ]
    expect(await chunkDocument(document)).toMatchObject([{ pageFrom: 3, pageTo: 4 }])
  })

  it('cuts whatever is too large, loses no word, and points at its source', async () => {
    const kind = fc.constantFrom<BlockKind>('heading', 'paragraph', 'list', 'row', 'code')
    const text = fc.array(fc.lorem({ maxCount: 40 }), { minLength: 1, maxLength: 12 }).map((parts) => parts.join('. '))
    const part = fc.record({ kind, level: fc.integer({ min: 1, max: 4 }), text })
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 14 }), async (parts) => {
        const document = build(parts)
        const chunks = await chunkDocument(document)
        let from = 0
        for (const chunk of chunks) {
          expect(chunk.text).toBe(document.text.slice(chunk.start, chunk.end))
          expect(chunk.start).toBeGreaterThanOrEqual(from)
          expect(chunk.tokens).toBeLessThanOrEqual(proseSizes.tokensMax * 1.1)
          from = chunk.end
        }
        const kept = words(chunks.map((chunk) => chunk.text).join(''))
        for (const { kind: of, text: said } of parts)
          if (of !== 'heading') expect(kept).toContain(words(said).slice(0, 60))
      }),
      { numRuns: 40 },
    )
  })

  it('finds a cut in text without spaces', async () => {
    const pieces = await splitOversize('x'.repeat(20_000), 300)
    expect(pieces.length).toBeGreaterThan(10)
    expect(pieces.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(20_000)
  })

  it('never cuts through a character', async () => {
    const text = 'a😀'.repeat(9_000)
    const pieces = await splitOversize(text, 300)
    expect(pieces.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text)
    for (const { start, end } of pieces) expect(text.slice(start, end).isWellFormed()).toBe(true)
  })

  it('lets others run while it cuts one line of a million characters', async () => {
    let turns = 0
    const count = setInterval(() => (turns += 1), 1)
    const pieces = await splitOversize('word '.repeat(200_000), 400)
    clearInterval(count)
    expect(turns).toBeGreaterThan(20)
    for (const { start, end } of pieces) expect(end - start).toBeLessThanOrEqual(400 * 4)
  })
})
