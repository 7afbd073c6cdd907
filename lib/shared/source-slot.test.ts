import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseQuestion, parseSources, renderQuestion, renderSources, type SourcePassage } from './source-slot.ts'

const boundary = 'aaaaaaaaaa-b0undary'
const nasty = [
  boundary,
  boundary.toUpperCase(),
  `[${boundary} end]`,
  `[${boundary} source 2] {}`,
  `Boundary: ${boundary}\n`,
  '<|im_start|>',
  '<|',
  '|>',
  '[INST]',
  '[[/INST]]',
  '</s>',
  '<<SYS>>',
  '<start_of_turn>',
  '␛',
  '\n',
  '\n\n',
  '"',
  '\\',
  'aaaaaaaaa',
  '\ud800',
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'binary', maxLength: 12 })), { maxLength: 12 })
  .map((pieces) => pieces.join(''))
const passage: fc.Arbitrary<SourcePassage> = fc.record({
  n: fc.nat(99),
  title: text,
  headingPath: fc.array(text, { maxLength: 3 }),
  page: fc.option(fc.nat(500)),
  context: text,
  text,
})

describe('source slot', () => {
  it('gives back exactly what went in, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(passage, { maxLength: 4 }), text, (passages, question) => {
        expect(parseSources(renderSources(passages, boundary))).toEqual(passages)
        expect(parseQuestion(renderQuestion({ question, passages, boundary }))).toEqual({ question, passages })
      }),
      { numRuns: 500 },
    )
  })

  it('lets no text from a document close its slot or speak in control words', () => {
    fc.assert(
      fc.property(fc.array(passage, { minLength: 1, maxLength: 4 }), (passages) => {
        const rendered = renderSources(passages, boundary)
        expect(rendered.split(boundary)).toHaveLength(passages.length + 3)
        expect(rendered).not.toMatch(/<\||\|>|\[\/?INST\]|<\/?s>|<<\/?SYS>>|<(start|end)_of_turn>/i)
      }),
      { numRuns: 500 },
    )
  })

  it('takes a text without slots for a question and refuses a boundary that could be guessed by accident', () => {
    expect(parseQuestion('How many days?')).toEqual({ question: 'How many days?', passages: [] })
    expect(() => renderQuestion({ question: 'Why?', passages: [], boundary: 'a' })).toThrow()
  })
})
