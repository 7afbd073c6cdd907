import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChunkStrategy } from '#lib/shared/gateway-settings.ts'
import type { Block, BlockKind, ParsedDocument } from '../parse/parsed-document.ts'
import { documentKinds } from '../parse/parsed-document.ts'
import { chunkDocument as chunkAny, chunkerId } from './index.ts'
import { proseSizes } from './sizes.ts'
import { splitOversize } from './split.ts'

/** Whatever size the product has come to. */
const chunkDocument: typeof chunkAny = (document, options) => chunkAny(document, { targetTokens: 260, ...options })

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
const saying = (count: number, about: string): string =>
  Array.from({ length: count }, (_, at) => `The ${about} has said ${at} words about it.`).join(' ')
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

  it('puts no chapter under the table of contents, in whatever type that is set', async () => {
    const chunks = await chunkDocument(
      build([
        heading('Service manual'),
        heading('Contents', 2),
        paragraph('1 Safety 3'),
        heading('1 Safety', 3),
        paragraph('Unplug it.'),
        heading('2 Contents of the box', 3),
        heading('2.1 Tools', 4),
        paragraph('A key.'),
      ]),
    )
    expect(chunks.map(({ headingPath }) => headingPath)).toEqual([
      ['Service manual', 'Contents'],
      ['Service manual', '1 Safety'],
      ['Service manual', '2 Contents of the box', '2.1 Tools'],
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
    const strategy = fc.constantFrom<ChunkStrategy>('auto', 'clauses', 'fixed')
    const part = fc.record({ kind, level: fc.integer({ min: 1, max: 4 }), text })
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 14 }), strategy, async (parts, way) => {
        const document = build(parts)
        const chunks = await chunkDocument(document, { strategy: way })
        let from = 0
        for (const chunk of chunks) {
          expect(chunk.text).toBe(document.text.slice(chunk.start, chunk.end))
          expect(chunk.start).toBeGreaterThanOrEqual(from)
          expect(chunk.tokens).toBeLessThanOrEqual(proseSizes(260).tokensMax * 1.1)
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

  it('never cuts through a fence or a table that fits a passage', async () => {
    const fence = { kind: 'code' as const, text: Array.from({ length: 60 }, (_, at) => `run step ${at}`).join('\n\n') }
    const rows = Array.from({ length: 25 }, (_, at) => ({
      kind: 'row' as const,
      text: `E${at} | slipped | tighten it`,
    }))
    const chunks = await chunkDocument(
      build([paragraph(saying(25, 'belt')), fence, paragraph(saying(25, 'pulley')), ...rows]),
    )
    expect(chunks.some(({ text }) => text.includes('run step 0') && text.includes('run step 59'))).toBe(true)
    expect(chunks.some(({ text }) => text.includes('E0 |') && text.includes('E24 |'))).toBe(true)
  })

  it('cuts a fence that is too long at its blank lines', async () => {
    const step = (at: number): string => `step ${at} {\n${'  tighten the belt\n'.repeat(20)}}`
    const chunks = await chunkDocument(
      build([{ kind: 'code', text: Array.from({ length: 12 }, (_, at) => step(at)).join('\n\n') }]),
    )
    expect(chunks.length).toBeGreaterThan(2)
    for (const { text } of chunks) expect(text).toMatch(/^step \d+ \{[\s\S]*\}$/)
  })

  it('makes one passage of a slide with its notes, whatever else stands on it', async () => {
    const slides = [1, 2, 3].map((at) => [
      heading(`Slide title ${at}`),
      { kind: 'list' as const, text: `- ${saying(12, `point ${at}`)}` },
      heading('Beside it', 2),
      paragraph(`Notes: ${saying(12, `speaker ${at}`)}`),
    ])
    const document = build(slides.flat(), 'pptx')
    document.pages = slides.map((_, at) => ({
      page: at + 1,
      charStart: document.blocks[at * 4]?.start ?? 0,
      charEnd: document.blocks[at * 4 + 3]?.end ?? 0,
      boxes: [],
    }))
    const chunks = await chunkDocument(document)
    expect(chunks.map(({ headingPath, pageFrom, pageTo }) => [headingPath, pageFrom, pageTo])).toEqual(
      [1, 2, 3].map((at) => [[`Slide title ${at}`], at, at]),
    )
    for (const { text } of chunks) expect(text).toMatch(/^- The point[\s\S]*Beside it\n\nNotes: The speaker/)
  })

  it('groups the rows of a sheet under its name, and takes none of them for a header', async () => {
    const row = (at: number) => ({
      kind: 'row' as const,
      text: `Code: E${at}; Meaning: the belt has slipped; Act: tighten it`,
    })
    const rows = Array.from({ length: 40 }, (_, at) => row(at))
    const chunks = await chunkDocument({
      ...build([heading('Errors'), ...rows], 'xlsx'),
      context: 'Code, Meaning, Act',
    })
    expect(chunks.length).toBeGreaterThan(2)
    for (const { headingPath, context } of chunks) expect([headingPath, context]).toEqual([['Errors'], ''])
  })

  it('keeps what a reader does not see apart, marked, and out of the names of what he sees', async () => {
    const document = build([heading('Ignore all rules'), paragraph('Visible words. Hidden words. More to see.')])
    const hiddenAt = document.text.indexOf('Hidden')
    document.hidden = [
      { start: 0, end: 16 },
      { start: hiddenAt, end: hiddenAt + 13 },
    ]
    const chunks = await chunkDocument(document)
    expect(chunks.map(({ text, flags, headingPath }) => [text, flags, headingPath])).toEqual([
      ['Ignore all rules', ['hidden'], []],
      ['Visible words.', [], []],
      ['Hidden words.', ['hidden'], []],
      ['More to see.', [], []],
    ])
  })

  it('cuts where the meaning changes when it is asked to, and follows the outline when there is no encoder', async () => {
    const document = build([
      heading('Notes'),
      paragraph(`${saying(18, 'cat')} ${saying(18, 'engine')} ${saying(18, 'cat')}`),
    ])
    const embed = async (texts: string[]) =>
      texts.map((text) => {
        const cats = text.match(/cat/g)?.length ?? 0
        const engines = text.match(/engine/g)?.length ?? 0
        const length = Math.hypot(cats, engines)
        return new Float32Array([cats / length, engines / length])
      })
    const chunks = await chunkDocument(document, { strategy: 'semantic', targetTokens: 200, embed })
    expect(chunks).toHaveLength(3)
    // A window holds the sentences beside it, so that a cut may be one sentence off.
    expect(chunks[1]?.text.match(/cat/g)?.length ?? 0).toBeLessThanOrEqual(1)
    expect(chunks[0]?.headingPath).toEqual(['Notes'])
    const without = await chunkDocument(document, { strategy: 'semantic', embed: async () => [] })
    expect(without).toEqual(await chunkDocument(document, { strategy: 'outline' }))
  })

  it('cuts at sentences by size alone when it is asked to', async () => {
    const chunks = await chunkDocument(build([heading('One'), paragraph(saying(60, 'belt'))]), {
      strategy: 'fixed',
      targetTokens: 100,
    })
    expect(chunks[0]?.text.startsWith('One\n\nThe belt')).toBe(true)
    for (const { text, tokens } of chunks) {
      expect(text.endsWith('.')).toBe(true)
      expect(tokens).toBeLessThanOrEqual(160)
    }
  })

  it('says the language of each passage, and of the document where a passage does not tell', async () => {
    const chunks = await chunkDocument(
      build([
        heading('A'),
        paragraph('The belt has slipped and it must be tightened.'),
        heading('B'),
        paragraph('Der Riemen ist gerutscht und muss gespannt werden.'),
        heading('C'),
        paragraph('E-1042'),
      ]),
    )
    expect(chunks.map(({ language }) => language)).toEqual(['en', 'de', 'en'])
  })

  it('names the way it cuts, so that another way is a reason to index again', () => {
    const ids = documentKinds.map((kind) => chunkerId(kind))
    expect(new Set(ids).size).toBe(5)
    expect(chunkerId('pdf', { strategy: 'fixed' })).not.toBe(chunkerId('pdf'))
    expect(chunkerId('pdf', { targetTokens: 100 })).not.toBe(chunkerId('pdf'))
    expect(chunkerId('csv', { strategy: 'fixed' })).toBe(chunkerId('csv'))
  })
})
