import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findSupport, textUnits } from './support.ts'

const text =
  'Every employee gets 25 days of annual leave. Leave is agreed with the manager. Travel costs over 1,200 euros need consent; costs below that do not. The guard must be closed before the motor starts.'
const quoteOf = (claim: string) => {
  const { start, end, ...rest } = findSupport(claim, { text })
  return { quote: text.slice(start, end), ...rest }
}

describe('support', () => {
  it('finds the sentence that says it, in other words too', () => {
    expect(quoteOf('Employees get 25 days of leave each year.')).toMatchObject({
      quote: 'Every employee gets 25 days of annual leave.',
      supported: true,
    })
  })

  it.each([
    'Every employee gets 30 days of annual leave.',
    'Every employee does not get 25 days of annual leave.',
    'Travel costs over 1,400 euros need consent.',
    'The guard must be closed after the motor starts.',
    'The canteen serves lunch to guests of the company.',
  ])('refuses what the passage does not say: %s', (claim) => {
    expect(quoteOf(claim).supported).toBe(false)
  })

  it('reads numbers as numbers and a "not" in its own clause', () => {
    expect(quoteOf('Travel costs over 1200 euros need consent.').supported).toBe(true)
  })

  it('lets title, headings and column names lend their words', () => {
    const row = { text: 'Portugal 125 euros', around: 'Hotel limit per night' }
    expect(findSupport('The hotel limit per night in Portugal is 125 euros.', row).supported).toBe(true)
    expect(findSupport('The hotel limit per night in Portugal is 145 euros.', row).supported).toBe(false)
  })

  it('quotes the row and not the head of its table, and lends no row the words of another', () => {
    const table = 'Destination | Hotel limit per night\nAustria | 145 euros\nPortugal | 125 euros'
    const claim = 'Destination: Portugal; Hotel limit per night: 125 euros.'
    const found = findSupport(claim, { text: table })
    expect(table.slice(found.start, found.end)).toBe('Portugal | 125 euros')
    expect(found.supported).toBe(true)
    expect(findSupport('Destination: Portugal; Hotel limit per night: 145 euros.', { text: table }).supported).toBe(
      false,
    )

    const goesOn = findSupport(claim, {
      text: 'Portugal | 125 euros\nSpain | 130 euros',
      around: 'Destination | Hotel limit per night',
    })
    expect(goesOn).toMatchObject({ start: 0, end: 20, supported: true })

    const records = 'sku: H-10; region: Brazil; price: 78550\nsku: H-40; region: Brazil; price: 97700'
    expect(findSupport('An H-40 costs 97700 in Brazil.', { text: records, around: 'price list' }).supported).toBe(true)
    expect(findSupport('An H-40 costs 78550 in Brazil.', { text: records, around: 'price list' }).supported).toBe(false)
  })

  it('quotes the one with the rarer words where two carry as much of the claim', () => {
    const passage = 'The belt is black. Keep the belt dry. Oil it. Wait a day. The sensor is black.'
    const { start, end } = findSupport('A sensor at the belt', { text: passage })
    expect(passage.slice(start, end)).toBe('The sensor is black.')
  })

  it('quotes neighbours together when the claim needs both', () => {
    expect(quoteOf('Every employee gets 25 days of annual leave, agreed with the manager.').quote).toBe(
      'Every employee gets 25 days of annual leave. Leave is agreed with the manager.',
    )
  })

  it('always quotes a part of the passage, and holds that every sentence supports itself', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 200 }), (claim, passage) => {
        const { start, end, score } = findSupport(claim, { text: passage })
        expect(start).toBeGreaterThanOrEqual(0)
        expect(end).toBeLessThanOrEqual(passage.length)
        expect(start).toBeLessThanOrEqual(end)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(1)
      }),
    )
    for (const { start, end } of textUnits(text)) expect(quoteOf(text.slice(start, end)).supported).toBe(true)
  })
})

describe('units of a text', () => {
  const units = (given: string) => textUnits(given).map(({ start, end }) => given.slice(start, end))

  it('are sentences that may run over wrapped lines, rows, and bullets without their marks', () => {
    expect(
      units(
        'The belt has to be changed after every forty thousand\ncycles of the drive. It is stocked.\n- First\n- Second',
      ),
    ).toEqual([
      'The belt has to be changed after every forty thousand\ncycles of the drive.',
      'It is stocked.',
      'First',
      'Second',
    ])
    expect(units('1. Open it. Look.\n2. Close it.')).toEqual(['Open it.', 'Look.', 'Close it.'])
    expect(units('| a. b | c |\nsku: A. B; price: 3; from: 2026')).toEqual([
      '| a. b | c |',
      'sku: A. B; price: 3; from: 2026',
    ])
  })
})
