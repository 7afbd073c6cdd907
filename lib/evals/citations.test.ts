import { describe, expect, it } from 'vitest'
import { measureAnswers, measurePicks, measureSupport } from './citations.ts'

describe('support', () => {
  it('counts what is called supported against what people found', () => {
    const text = 'Every employee gets 25 days of annual leave. Leave is agreed with the manager.'
    const report = measureSupport('made', [
      { claim: 'Employees get 25 days of annual leave.', text, supports: true },
      { claim: 'The canteen is closed on Mondays.', text, supports: true },
      { claim: 'Leave is agreed with the manager.', text, supports: false },
      { claim: 'Robots paint fences in spring.', text, supports: false },
    ])
    expect(report).toMatchObject({ supporting: 2, others: 2, precision: 0.5, recall: 0.5 })
    // Leave ties with leave and beats the robots; the canteen loses to leave and ties with the robots.
    expect(report.auc).toBe(0.5)
  })

  it('is nothing, not an error, where nothing is judged', () => {
    expect(measureSupport('none', [])).toMatchObject({ precision: 0, recall: 0, auc: 0 })
  })
})

describe('picks', () => {
  const sentences = ['The drive has a belt.', 'Rain fell all day.', 'The belt is changed every 12 months.']
  const claim = 'The belt is changed every 12 months.'

  it('count the sentence that is quoted, and only as right when people named it', () => {
    const of = (evidence: number[]) => measurePicks([{ claim, title: 'Drive', sentences, evidence }])
    expect(of([2])).toMatchObject({ claims: 1, strongest: 1, any: 1, sentencePrecision: 1 })
    expect(of([1])).toMatchObject({ strongest: 0, any: 0, sentencePrecision: 0 })
  })
})

describe('answers', () => {
  const cite = (quote: string, claim: string, supported = true) => ({ quote, claim, supported })

  it('are right where they cite the expected phrase, whatever the layout', () => {
    const report = measureAnswers([
      { question: 'a', contains: '97700', citations: [cite('H-40 | Brazil | 97700', 'It costs 97700.')] },
      {
        question: 'b',
        contains: 'wait 60 seconds',
        citations: [cite('Then wait\n60 seconds.', 'Wait.'), cite('Oil it.', 'Paint it.', false)],
      },
      { question: 'c', contains: 'Belt slip', citations: [cite('Oil the belt daily.', 'Oil the belt')] },
      { question: 'd', contains: '42', citations: [] },
    ])
    expect(report).toMatchObject({ questions: 4, citations: 4, precision: 0.75, onPoint: 0.5, recall: 0.5 })
    expect(report.supported).toBe(0.75)
    expect(report.missed).toEqual(['c', 'd'])
  })

  it('hold no figure that is only part of another', () => {
    const [citations, contains] = [[cite('It costs 977001.', 'It is cheap.')], '97700']
    expect(measureAnswers([{ question: 'a', contains, citations }])).toMatchObject({ recall: 0, precision: 0 })
  })
})
