import { expect, test } from 'vitest'
import { cited, verifyPair } from './eval-shown.ts'

const text = 'Every employee gets 25 days of annual leave. Leave is agreed with the manager.'

test('every sentence that claims something cites, and all do where none claims anything', () => {
  expect(cited('There are 25 days of leave. Do you like that? Leave is agreed.')).toBe(
    'There are 25 days of leave. [^1] Do you like that? Leave is agreed. [^1]',
  )
  expect(cited('do you like the twenty days')).toBe('do you like the twenty days [^1]')
  expect(cited('Do you? Do I?')).toBe('Do you? [^1] Do I? [^1]')
})

test('a pair has the confidence of an answer that people see, with the cap for a figure that is nowhere', async () => {
  const right = await verifyPair({ claim: 'Every employee gets 25 days of annual leave.', text }, { meaning: null })
  const wrong = await verifyPair({ claim: 'Every employee gets 30 days of annual leave.', text }, { meaning: null })
  expect(right).toMatchObject({ claims: { total: 1, supported: 1 }, fit: 1, contradictions: [] })
  expect(right.confidence).toBeGreaterThan(0.8)
  expect(wrong.confidence).toBeLessThanOrEqual(0.3)
})
