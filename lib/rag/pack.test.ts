import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateTokens } from '#lib/shared/text.ts'
import { createCiter } from './cite.ts'
import { excerptsOf, pack, shortened } from './pack.ts'

const item = (text: string) => ({ text, tokens: estimateTokens(text) })
const room = { tokensMax: 10_000, passagesMax: 10 }

const leave =
  'Every employee gets 25 working days of annual leave in a calendar year. Up to five days may be carried over into the next year, where they must be taken by 31 March. Leave is agreed with the head of the department, who answers within three days.'

describe('what says the same', () => {
  it('is left out: the same text in other spacing, and a part of a text that is there', () => {
    const part = leave.slice(leave.indexOf('Up to five'))
    const kept = pack([leave, leave.replaceAll(' ', '  '), part].map(item), room)
    expect(kept.map(({ text }) => text)).toEqual([leave])
  })

  it.each([
    ['25', '30'],
    ['31 March', '30 June'],
    ['must be taken', 'must not be taken'],
    ['is agreed', 'is never agreed'],
  ])('is not what differs in one word that turns it around: %s, %s', (word, other) => {
    const changed = leave.replace(word, other)
    expect(changed).not.toBe(leave)
    expect(pack([leave, changed].map(item), room)).toHaveLength(2)
  })

  it('is not a text that shares words with another and puts them otherwise', () => {
    const other =
      'The head of the department gets days of leave. Every working employee answers within the calendar year.'
    expect(pack([leave, other].map(item), room)).toHaveLength(2)
  })

  it('is not a longer text that begins like a kept one', () => {
    const longer = `${leave} Days that fall on a sick note do not count as leave, and are given back on request.`
    expect(pack([leave, longer].map(item), room)).toHaveLength(2)
  })
})

const filler = (about: string, count: number): string =>
  Array.from({ length: count }, (_, at) => `The ${about} committee met in room ${at} and noted what it had read.`).join(
    ' ',
  )
const travel = `${filler('travel', 6)} A taxi is refunded after 22:00, or with heavy luggage. ${filler('travel', 6)}`
const safety = `${filler('safety', 6)} Visitors wear a badge. ${filler('safety', 6)}`

describe('excerpts', () => {
  const question = 'When is a taxi refunded?'
  const passages = [safety, travel].map(item)
  const all = passages.reduce((sum, { tokens }) => sum + tokens, 0)

  it('leave everything as it is while it fits', () => {
    expect(excerptsOf(question, passages, { tokensMax: all })).toEqual(
      passages.map(({ text, tokens }) => ({ text, tokens, kept: [{ start: 0, end: text.length }] })),
    )
  })

  it('keep the sentence that answers, and say where something is left out', () => {
    const [first, second] = excerptsOf(question, passages, { tokensMax: Math.round(all / 2) })
    expect(second?.text).toContain('A taxi is refunded after 22:00, or with heavy luggage.')
    expect(second?.text).toContain('[…]')
    expect(first?.text).toContain('The safety committee')
    expect((first?.tokens ?? 0) + (second?.tokens ?? 0)).toBeLessThan(all * 0.55)
  })

  it('are empty where nothing is left of a later passage, and never of the first', () => {
    const [first, second] = excerptsOf('Where did the committee meet?', passages, { tokensMax: 1 })
    expect(first?.kept).toHaveLength(1)
    expect(second).toEqual({ text: '', kept: [], tokens: 0 })
  })

  it('are made of whole sentences that stand in the passage exactly there, in their order, within the budget', () => {
    const words = fc.constantFrom('taxi', 'refund', 'badge', 'room', 'Der Zug', '火车', 'e.g. this', '$5.20', '—')
    const sentence = fc.array(words, { minLength: 3, maxLength: 12 }).map((all) => `${all.join(' ')}. `)
    const text = fc.array(sentence, { minLength: 1, maxLength: 20 }).map((all) => all.join(''))
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 600 }),
        (texts, tokensMax) => {
          const given = texts.map(item)
          const found = excerptsOf('taxi refund', given, { tokensMax })
          expect(found).toHaveLength(given.length)
          for (const [at, { text: excerpt, kept, tokens }] of found.entries()) {
            const whole = given[at]?.text ?? ''
            let from = 0
            for (const { start, end } of kept) {
              expect(start).toBeGreaterThanOrEqual(from)
              expect(end).toBeGreaterThan(start)
              expect(excerpt).toContain(whole.slice(start, end))
              from = end
            }
            expect(from).toBeLessThanOrEqual(whole.length)
            // Without the marks nothing is there that the passage has not.
            expect(excerpt.split(/\n?\[…\]\n?/).join('')).toBe(
              kept.map(({ start, end }) => whole.slice(start, end)).join(''),
            )
            expect(tokens > 0).toBe(kept.length > 0)
          }
          expect(found[0]?.kept.length).toBeGreaterThan(0)
          // The first passage's best sentence, or all of it where it is short, may be longer than the budget.
          const sum = found.reduce((total, { tokens }) => total + tokens, 0)
          expect(sum).toBeLessThanOrEqual(Math.max(tokensMax, given[0]?.tokens ?? 0) + 8 * given.length)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('keep a table whole: a row without its neighbours says little', () => {
    const table = `| Class | Limit |\n|---|---|\n${Array.from({ length: 30 }, (_, at) => `| C${at} | ${at * 10} EUR |`).join('\n')}`
    const tight = [20, 120, 400].map((tokensMax) => excerptsOf(question, [item(table), item(travel)], { tokensMax })[0])
    expect(tight.map((one) => one?.text)).toEqual([table, table, table])
    const later = excerptsOf(question, [item(travel), item(table)], { tokensMax: 120 })[1]
    expect(later?.text).toBe('')
  })

  it('take the words of the question in another form', () => {
    const [only] = excerptsOf('Are refunds for taxis possible?', [item(travel)], { tokensMax: 60 })
    expect(only?.text).toContain('A taxi is refunded')
  })
})

describe('shortened passages', () => {
  const question = 'When is a taxi refunded?'
  const passages = [safety, leave, travel].map((text, at) => ({ ...item(text), n: at + 1 }))

  it('keep their numbers, and those of which nothing is left are not sent', () => {
    const { passages: sent, droppedTokens } = shortened(question, passages, { tokensMax: 60 })
    const before = passages.reduce((sum, { tokens }) => sum + tokens, 0)
    const after = sent.reduce((sum, { tokens }) => sum + tokens, 0)
    expect(sent.length).toBeLessThan(3)
    for (const { n, text } of sent)
      for (const part of text.split(/\n?\[…\]\n?/)) expect(passages[n - 1]?.text).toContain(part)
    expect(droppedTokens).toBe(before - after)
  })

  it('are what they were where they fit', () => {
    expect(shortened(question, passages, { tokensMax: 10_000 })).toEqual({ passages, droppedTokens: 0 })
  })

  it('are read with their citations in the whole text', () => {
    const { passages: sent } = shortened(question, passages.slice(2), { tokensMax: 60 })
    expect(sent[0]?.text).not.toBe(travel)
    const passage = {
      ...{
        n: 3,
        chunkId: '1',
        documentId: 'd',
        versionId: 'v',
        title: 'Travel',
        collectionId: 'c',
        collection: 'c',
        mediaType: 'text/plain',
      },
      ...{ page: null, pageTo: null, pages: null, headingPath: [], context: '', text: travel, tokens: 300 },
      ...{ charStart: 1_000, charEnd: 1_000 + travel.length, score: 1, lexical: null, vector: null },
    }
    const citer = createCiter({ passages: [passage] })
    const said = 'A taxi is refunded after 22:00, or with heavy luggage [3].'
    const cited = [...citer.push(said), ...citer.end()].flatMap((one) =>
      one.type === 'citation' ? [one.citation] : [],
    )
    const at = 1_000 + travel.indexOf('A taxi')
    expect(cited).toMatchObject([{ charStart: at, supported: true }])
  })
})
