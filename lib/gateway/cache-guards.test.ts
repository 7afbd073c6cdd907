import { describe, expect, it } from 'vitest'
import { type Difference, findDifference, isComparable, isSameWording, normalisedQuestion } from './cache-guards.ts'

describe('two questions differ', () => {
  const differing: [Difference, string, string][] = [
    ['numbers', 'How many days off do I get after 2 years?', 'How many days off do I get after 3 years?'],
    ['numbers', 'Is iPhone7 supported?', 'Is iPhone8 supported?'],
    ['numbers', 'Do three approvers have to sign?', 'Do two approvers have to sign?'],
    ['numbers', 'What did it cost in 2019?', 'What did it cost in 2020?'],
    ['dates', 'What is due on Monday?', 'What is due on Friday?'],
    ['dates', 'What was decided in March?', 'What was decided in April?'],
    ['dates', 'What is the current policy?', 'What is the next policy?'],
    ['units', 'What is the limit of 5 kg?', 'What is the limit of 5 lbs?'],
    ['units', 'Is 20 % allowed?', 'Is 20 $ allowed?'],
    ['negation', 'Can I work from abroad?', "Can't I work from abroad?"],
    ['negation', 'Which costs are refunded?', 'Which costs are not refunded?'],
    ['negation', 'Name some good apps (no games)', 'Name some good games (no apps)'],
    ['question-word', 'Who approves travel?', 'When is travel approved?'],
    ['question-word', 'How much is refunded?', 'How long is it refunded?'],
    ['question-word', 'Can I travel?', 'How can I travel?'],
    ['question-word', 'Was travel allowed?', 'Is travel allowed?'],
    ['opposites', 'Do I book before the approval?', 'Do I book after the approval?'],
    ['opposites', 'What is the minimum stay?', 'What is the maximum stay?'],
    ['negation', 'Is travel with a visa paid?', 'Is travel without a visa paid?'],
    ['opposites', 'How do I buy shares?', 'How do I sell shares?'],
    ['opposites', 'Is it legal to record calls?', 'Is it illegal to record calls?'],
    ['names', 'Who leads the office in Paris?', 'Who leads the office in Berlin?'],
    ['names', 'What does error E-AUTH mean?', 'What does error E-NET mean?'],
    ['names', 'Does it run on Postgres?', 'Does it run on mysql?'],
    ['order', 'How do I convert euro to dollar in Excel?', 'How do I convert dollar to euro in Excel?'],
    ['order', 'Do guys like quiet girls?', 'Do girls like quiet guys?'],
    ['order', 'How do science and philosophy relate?', 'How do science and philosophy of science relate?'],
    ['context', 'What does this clause mean?', 'What does this clause mean?'],
    ['language', 'Wie viele Urlaubstage gibt es?', 'Wie viele Urlaubstage habe ich?'],
    ['language', 'How many days off are there?', 'Wie viele Urlaubstage gibt es?'],
    ['language', '有多少天假期?', '有多少天病假?'],
  ]
  it.each(differing)('in %s: %s | %s', (difference, one, other) => {
    expect(findDifference(one, other)).toBe(difference)
    expect(findDifference(other, one)).toBe(difference)
  })

  it('not where only the words around them change', () => {
    for (const [one, other] of [
      ['How do I reset my password?', 'How can I reset my password?'],
      ['What is the refund policy?', "What's the refund policy?"],
      ['What are the best ways to save energy?', 'How can I save energy?'],
      ['What is the limit of 10,000 kg?', 'What is the limit of 10000 kilograms?'],
      ['How much do we pay for 3 nights in Rome?', 'How much do we pay for three nights in rome?'],
    ] as const)
      expect([one, findDifference(one, other)]).toEqual([one, null])
  })

  it('never on a text that is no question at all', () => {
    for (const text of ['', '   ', '???', '\u0000', '😀', 'a'.repeat(8_000)])
      expect(findDifference(text, text)).toBe(isComparable(text) ? null : 'language')
    expect(isComparable('')).toBe(false)
  })
})

describe('wording', () => {
  it('is the same when only words without content differ', () => {
    expect(isSameWording('How do I become a dentist?', 'How can one become a dentist?')).toBe(true)
    expect(isSameWording('How do I become a dentist?', 'How do I become a surgeon?')).toBe(false)
  })
})

describe('the normalised question', () => {
  it('does not know case, space, the last mark or the form of a letter', () => {
    const one = normalisedQuestion('What is the refund policy?')
    for (const same of ['what is  the refund\npolicy', ' WHAT IS THE REFUND POLICY ?! '])
      expect(normalisedQuestion(same)).toBe(one)
    expect(normalisedQuestion('Ｗｈａｔ is the refund policy?')).toBe(one)
  })

  it('keeps everything else apart', () => {
    expect(normalisedQuestion('Is C# allowed?')).not.toBe(normalisedQuestion('Is C allowed?'))
    expect(normalisedQuestion('Is 1.5 enough?')).not.toBe(normalisedQuestion('Is 15 enough?'))
  })
})
