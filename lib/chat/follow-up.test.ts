import { describe, expect, it } from 'vitest'
import { newId } from '#lib/shared/ids.ts'
import { standaloneQuestion } from './follow-up.ts'
import { questionsOf, type Turn } from './turn.ts'

describe('standalone question', () => {
  it('leaves a first question and one that stands alone as they are', () => {
    expect(standaloneQuestion('How much annual leave do I get?', [])).toBe('How much annual leave do I get?')
    expect(standaloneQuestion('Which torque does the spindle clamp need?', ['How much annual leave do I get?'])).toBe(
      'Which torque does the spindle clamp need?',
    )
  })

  it('lends a question that points back the subject of the one before', () => {
    expect(standaloneQuestion('And can I carry it over?', ['How much annual leave do I get?'])).toContain(
      'annual leave',
    )
    expect(standaloneQuestion('In Brazil?', ['What does the service plan cost?'])).toContain('service plan')
  })

  it('reaches back over several leaning questions', () => {
    expect(standaloneQuestion('Why?', ['How often are signing keys rotated?', 'And who does that?'])).toContain(
      'signing keys',
    )
  })
})

describe('the questions that a follow-up may be about', () => {
  const said = (text: string, route: string): Turn['earlier'] => {
    const questionId = newId()
    const none = { status: 'complete', metadata: {}, questionId: null } as const
    return [
      { ...none, id: questionId, role: 'user', text },
      { ...none, id: newId(), role: 'assistant', text: 'So it is.', questionId, metadata: { route } },
    ] as unknown as Turn['earlier']
  }
  const earlier = [
    ...said('How often are signing keys rotated?', 'retrieval'),
    ...said('Good morning!', 'greeting'),
    ...said('Which shares should I buy?', 'policy'),
  ]
  const of = (question: string): string[] => questionsOf({ earlier, question } as Turn)

  it('are not small talk, and what was refused only for a question that speaks of it', () => {
    expect(of('Parental leave?')).toEqual(['How often are signing keys rotated?'])
    expect(of('And which of them first?')).toEqual([
      'How often are signing keys rotated?',
      'Which shares should I buy?',
    ])
  })
})
