import { describe, expect, it } from 'vitest'
import { parseText } from '../parse/text.ts'
import { chunkDocument as chunkAny } from './index.ts'

/** Whatever size the product has come to. */
const chunkDocument: typeof chunkAny = (document, options) => chunkAny(document, { targetTokens: 260, ...options })

const words = (count: number, about: string): string =>
  Array.from({ length: count }, (_, at) => (at % 9 === 8 ? `${about} number ${at}` : 'shall')).join(' ')

const contract = [
  'MASTER SERVICES AGREEMENT',
  'This agreement is made between the Supplier and the Customer and takes effect when both have signed it.',
  '1. Definitions',
  `1.1 "Services" means ${words(40, 'services')}.`,
  `1.2 "Fees" means ${words(40, 'fees')}.`,
  '2. Services',
  `2.1 The Supplier provides the Services with reasonable care. ${words(60, 'care')}.`,
  `2.2 The Supplier:\n(a) ${words(120, 'first duty')};\n(b) ${words(120, 'second duty')}; and\n(c) ${words(120, 'third duty')}.`,
  `2.3 In 2024 there were 12 incidents. ${words(60, 'incidents')}.`,
  '3. Fees',
  `3.1 The Customer pays within 30 days. ${words(60, 'payment')}.`,
  `3.2 Interest is due on late payments. ${words(150, 'interest')}.`,
  '4. Termination',
  `4.1 Either party may end this agreement. ${words(150, 'ending')}.`,
  `4.2 Clause 3.1 stays in force. ${words(150, 'survival')}.`,
  'SCHEDULE A',
  `1. Contact ${words(30, 'contacts')}.`,
  `2. Escalation ${words(30, 'escalations')}.`,
].join('\n\n')

const parsed = (text: string) => parseText(new TextEncoder().encode(text))
const wordsOf = (text: string): string => text.replace(/\s+/g, '')

describe('clauses', () => {
  it('puts each clause under its number and the numbers above it', async () => {
    const chunks = await chunkDocument(parsed(contract))
    const pathOf = (start: string): string[] | undefined =>
      chunks.find(({ text }) => text.startsWith(start))?.headingPath.slice(1)
    expect(pathOf('4.1 Either')).toEqual(['4. Termination', '4.1'])
    expect(pathOf('4.2 Clause 3.1')).toEqual(['4. Termination', '4.2'])
    expect(pathOf('(b)')).toEqual(['2. Services', '2.2', '(b)'])
  })

  it('lets short neighbours of one parent share a passage, never those of two', async () => {
    const chunks = await chunkDocument(parsed(contract))
    const shared = chunks.find(({ text }) => text.includes('"Services" means'))
    expect(shared?.text).toContain('"Fees" means')
    expect(shared?.headingPath.at(-1)).toBe('1. Definitions')
    for (const { text } of chunks) expect(text).not.toMatch(/4\.1 Either[\s\S]*SCHEDULE A/)
  })

  it('begins anew with the numbers of a schedule', async () => {
    const chunks = await chunkDocument(parsed(contract))
    expect(chunks.find(({ text }) => text.includes('Escalation'))?.headingPath).toContain('SCHEDULE A')
  })

  it('loses no word', async () => {
    const document = parsed(contract)
    const kept = (await chunkDocument(document))
      .map(({ headingPath, text }) => [...headingPath, text].join(' '))
      .join(' ')
    for (const word of new Set(contract.match(/\S{4,}/g))) expect(kept).toContain(word)
  })

  it('counts articles through all chapters', async () => {
    const articles = Array.from({ length: 12 }, (_, at) => [
      ...(at % 4 === 0 ? [`CHAPTER ${at / 4 + 1}`] : []),
      `Article ${at + 1}`,
      `${words(150, `article ${at + 1}`)}.`,
    ]).flat()
    const chunks = await chunkDocument(parsed(['Waters Act', ...articles].join('\n\n')))
    const seventh = chunks.find(({ text }) => text.includes('article 7 number'))
    expect(seventh?.headingPath).toEqual(['Waters Act', 'CHAPTER 2', 'Article 7'])
  })

  it('leaves a report with numbered chapters and lists of steps to the outline', async () => {
    const report = Array.from({ length: 4 }, (_, at) => [
      `${at + 1} Chapter about it`,
      words(900, 'findings'),
      `1. ${words(10, 'step')}`,
      `2. ${words(10, 'step')}`,
    ]).flat()
    const document = parsed(report.join('\n\n'))
    expect(await chunkDocument(document)).toEqual(await chunkDocument(document, { strategy: 'outline' }))
  })

  it('reads ten thousand equal marks without nesting them', async () => {
    const chunks = await chunkDocument(parsed('(a) x\n(i) y\n'.repeat(5_000)), { strategy: 'clauses' })
    expect(wordsOf(chunks.map(({ text }) => text).join(''))).toHaveLength(4 * 10_000)
  })
})
