import { describe, expect, it } from 'vitest'
import { standaloneQuestion } from './follow-up.ts'

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
