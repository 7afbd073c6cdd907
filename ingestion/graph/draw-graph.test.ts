import { describe, expect, it } from 'vitest'
import { drawGraph } from './draw-graph.ts'
import { textsForModel } from './index.ts'

const draw = (text: string | string[], language = 'en', phrases: string[] = []) => {
  let start = 0
  const passages = [text].flat().map((one, at) => {
    const passage = { chunkId: at + 1, text: one, start, language }
    start += one.length + 2
    return passage
  })
  const drawn = drawGraph(passages, phrases)
  const names = new Map(drawn.entities.map(({ key, name }) => [key, name]))
  return {
    ...drawn,
    things: drawn.entities.map(({ name, kind }) => `${name} (${kind})`).sort(),
    said: drawn.relations.map(
      ({ fromKey, predicate, toKey }) => `${names.get(fromKey)} ${predicate} ${names.get(toKey)}`,
    ),
  }
}

describe('things in a text', () => {
  it('are names, codes, organisations and places, and no word for standing at the beginning of a sentence', () => {
    const { things } = draw(
      'Passwords are long. Nordwind Logistics Ltd ships the Aquila H-40 from the plant in Lund. SEC-014 says so. Every Monday in March Ms Keller reads it.',
    )
    expect(things).toEqual([
      'Aquila H-40 (product)',
      'Keller (person)',
      'Lund (place)',
      'Nordwind Logistics Ltd (organisation)',
      'SEC-014 (code)',
    ])
  })

  it('are not the words of a heading, unless the text has them elsewhere', () => {
    expect(draw('Travel Costs And Refunds\n\nFlights are paid by the Travel Desk.').things).toEqual([
      'Travel Desk (name)',
    ])
    expect(draw('We ask Ida Keller. Marta Keller answers.').mentions.map(({ key }) => key)).toEqual([
      'ida keller',
      'marta keller',
    ])
    expect(draw('Marta Keller\n\nRequests go to Marta Keller.').mentions).toHaveLength(2)
  })

  it('are not common words that the document writes small as well', () => {
    expect(draw('We ask the Managers in Lund. Then managers answer.').things).toEqual(['Lund (name)'])
  })

  it('have the offsets of their words in the version', () => {
    const passages = ['First comes Marta Keller.', 'Then Lund and Marta Keller’s desk.']
    const whole = passages.join('\n\n')
    const spoken = draw(passages).mentions.map(({ start, end, chunkId }) => [whole.slice(start, end), chunkId])
    expect(spoken).toEqual([
      ['Marta Keller', 1],
      ['Lund', 2],
      ['Marta Keller', 2],
    ])
  })

  it('go by an abbreviation everywhere, and by a defined word or a last name in their document alone', () => {
    const { entities, things, mentions } = draw(
      'The key management service (KMS) runs here. KMS is old. Nordwind Ltd (the “Carrier”) is paid. The Carrier is insured by Marta Keller, who leads. Keller signs.',
    )
    expect(things).toEqual(['Marta Keller (person)', 'Nordwind Ltd (organisation)', 'key management service (term)'])
    const aliases = new Map(entities.map(({ key, aliases: all }) => [key, all]))
    expect(aliases.get('key management service')).toEqual(['key management service', 'kms'])
    expect(aliases.get('nordwind ltd')).toEqual(['nordwind ltd'])
    expect(aliases.get('marta keller')).toEqual(['marta keller'])
    expect(mentions.filter(({ key }) => key === 'nordwind ltd')).toHaveLength(3)
    expect(mentions.filter(({ key }) => key === 'marta keller')).toHaveLength(2)
  })

  it('are names of several words and codes in other languages, where no relation is read', () => {
    const { things, relations } = draw(
      'Die Pumpe H-40 wird von Marta Keller im Werk der Aquila GmbH gebaut, und die Dichtung hält.',
      'de',
    )
    expect(things).toEqual(['Aquila GmbH (organisation)', 'H-40 (code)', 'Marta Keller (name)'])
    expect(relations).toEqual([])
  })

  it('are what somebody else found as well, where the text has it word for word', () => {
    const { things, said } = draw('The lease accounting of Nordwind Ltd is checked in Lund.', 'en', [
      'lease accounting',
      'not in it',
    ])
    expect(things).toContain('lease accounting (term)')
    expect(things.join()).not.toContain('not in it')
    expect(said).toContain('lease accounting of Nordwind Ltd')
  })
})

describe('relations in a sentence', () => {
  it.each([
    ['Marta Keller reports to Jonas Brandt.', 'Marta Keller reports to Jonas Brandt'],
    ['The Optics Team is part of the Platform Division.', 'Optics Team is part of Platform Division'],
    ['The H-40 pump replaces the H-30.', 'H-40 replaces H-30'],
    ['The Optics Team, which is led by Marta Keller, is here.', 'Optics Team is led by Marta Keller'],
    ['The head of the Optics Team is Marta Keller.', 'Marta Keller is the head of Optics Team'],
    ['Today Marta Keller, director of the Optics Team, signs.', 'Marta Keller director of Optics Team'],
  ])('%s', (text, expected) => {
    expect(draw(text).said).toEqual([expected])
  })

  it('hold for each of those that stand together, and for the one whom the next sentence calls he or she', () => {
    expect(draw('Marta Keller and Jonas Brandt lead the Optics Team. She works in Lund.').said).toEqual([
      'Marta Keller lead Optics Team',
      'Jonas Brandt lead Optics Team',
    ])
    expect(draw('The Optics Team is led by Marta Keller. She works in Lund.').said).toEqual([
      'Optics Team is led by Marta Keller',
      'Marta Keller works in Lund',
    ])
  })

  it('are `with` without words that tie them, and nothing for what is named everywhere', () => {
    const sentence = 'Whatever Lund may say: of Graz nobody thinks.'
    expect(draw(sentence).said).toEqual(['Lund with Graz'])
    const everywhere = Array.from({ length: 7 }, () => 'All of it is about Lund.')
    expect(draw([sentence, ...everywhere]).said).toEqual([])
  })
})

describe('what a model reads', () => {
  it('is all of a short document, and no more than its share of calls of a long one', () => {
    expect(textsForModel([{ text: 'a' }, { text: 'b' }])).toEqual(['a\n\nb'])
    const long = textsForModel(Array.from({ length: 900 }, (_, at) => ({ text: `${at} ${'x'.repeat(2_000)}` })))
    expect(long).toHaveLength(24)
    expect(long.every((text) => text.length <= 6_100)).toBe(true)
    expect(new Set(long).size).toBe(24)
  })

  it('is read quickly, whatever is in it', () => {
    const startedMs = performance.now()
    for (const text of [
      'A '.repeat(20_000),
      'A('.repeat(20_000),
      `${'Aa '.repeat(20_000)}(X)`,
      '“'.repeat(20_000),
      'a-'.repeat(30_000),
    ])
      draw(text)
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })
})
